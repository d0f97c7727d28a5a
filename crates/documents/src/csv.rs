//! Comma-separated values (RFC 4180), UTF-8 with a byte order mark so that spreadsheets show
//! Chinese.

use crate::table::{Cell, Table, neutral};

/// The table as CSV.
#[must_use]
pub fn write(table: &Table) -> Vec<u8> {
    let mut out = String::from('\u{feff}');
    let header = table.columns.iter().map(|c| Cell::text(c.as_str())).collect::<Vec<_>>();
    for row in std::iter::once(&header).chain(&table.rows) {
        for (i, _) in table.columns.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            field(&mut out, row.get(i).unwrap_or(&Cell::Empty));
        }
        out.push_str("\r\n");
    }
    out.into_bytes()
}

fn field(out: &mut String, cell: &Cell) {
    let text = match cell {
        Cell::Text(text) => neutral(text),
        other => other.plain(),
    };
    if text.contains([',', '"', '\r', '\n']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_line_breaks_and_formulas_are_written_safely() {
        let mut table = Table::new("t", &["name", "note"]);
        table.push(vec![Cell::text("a \"b\", c"), Cell::text("=HYPERLINK(1)")]);
        table.push(vec![Cell::Number(-1.5)]);
        let text = String::from_utf8(write(&table)).unwrap();
        assert_eq!(text, "\u{feff}name,note\r\n\"a \"\"b\"\", c\",'=HYPERLINK(1)\r\n-1.5,\r\n");
    }
}
