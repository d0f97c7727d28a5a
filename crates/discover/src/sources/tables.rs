//! What the databases share: names of tables, and rows as CSV (RFC 4180).

/// What became of a connection.
pub(super) enum Done<T> {
    /// It can be used again.
    Clean(T),
    /// An answer was not read to its end: the rest goes with the connection.
    Abandoned(T),
}

/// `schema.table`; a dot or backslash inside a name is escaped.
pub(super) fn joined(schema: &str, table: &str) -> String {
    let escaped = |name: &str| name.replace('\\', "\\\\").replace('.', "\\.");
    format!("{}.{}", escaped(schema), escaped(table))
}

/// The two names of a table.
pub(super) fn split(name: &str) -> Option<(String, String)> {
    let mut names = vec![String::new()];
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match c {
            '.' => names.push(String::new()),
            '\\' => names.last_mut()?.push(chars.next()?),
            c => names.last_mut()?.push(c),
        }
    }
    let table = names.pop()?;
    let schema = names.pop()?;
    names.is_empty().then_some((schema, table))
}

/// Adds a row to a text of comma-separated values.
pub(super) fn write_row<T: AsRef<str>>(text: &mut Vec<u8>, cells: impl Iterator<Item = T>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            text.push(b',');
        }
        let cell = cell.as_ref();
        if cell.contains([',', '"', '\r', '\n']) {
            text.push(b'"');
            text.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            text.push(b'"');
        } else {
            text.extend_from_slice(cell.as_bytes());
        }
    }
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_that_hold_what_separates_cells_are_quoted() {
        let mut text = Vec::new();
        write_row(&mut text, ["a", "", "b,c", "say \"no\"", "two\nlines"].iter());
        assert_eq!(text, b"a,,\"b,c\",\"say \"\"no\"\"\",\"two\nlines\"\n");
    }

    proptest! {
        #[test]
        fn two_names_come_back_from_one(schema in ".*", table in ".*") {
            prop_assert_eq!(split(&joined(&schema, &table)), Some((schema, table)));
        }

        #[test]
        fn no_name_makes_it_panic(name in ".*") {
            let _ = split(&name);
        }
    }
}
