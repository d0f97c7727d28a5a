//! The columns of a SQLite table, from the words with which it was made.

use crate::record::Record;

/// Columns of one table: SQLite's own limit, unless it was built otherwise.
const COLUMNS_MAX: usize = 2_000;
/// The longest name of a column that is kept, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// A table that holds rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) root: u32,
    pub(crate) columns: Vec<Vec<u8>>,
}

/// The table that a row of the schema speaks of; none for indexes, views and SQLite's own.
pub(crate) fn table(record: &Record) -> Option<Table> {
    if record.text(0) != b"table" || record.text(1).starts_with(b"sqlite_") {
        return None;
    }
    let root = std::str::from_utf8(record.text(3)).ok()?.parse().ok().filter(|root| *root > 0)?;
    let sql = record.text(4);
    let name = String::from_utf8_lossy(record.text(1)).into_owned();
    let mut columns = columns(sql);
    columns.truncate(COLUMNS_MAX);
    columns.iter_mut().for_each(|name| name.truncate(NAME_BYTES_MAX));
    Some(Table { name, root, columns })
}

/// The names of the columns in the order in which rows have them.
fn columns(sql: &[u8]) -> Vec<Vec<u8>> {
    let Some(open) = sql.iter().position(|b| *b == b'(') else { return Vec::new() };
    let (definitions, rest) = split(sql.get(open + 1..).unwrap_or_default());
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut key: Vec<Vec<u8>> = Vec::new();
    for definition in definitions {
        let first = token(definition);
        let upper = first.to_ascii_uppercase();
        let quoted = definition.trim_ascii_start().first().is_some_and(|b| b"\"`['".contains(b));
        let table_rule = !quoted
            && matches!(
                upper.as_slice(),
                b"CONSTRAINT" | b"PRIMARY" | b"UNIQUE" | b"CHECK" | b"FOREIGN"
            );
        let words = definition.to_ascii_uppercase();
        let primary = words.windows(11).position(|w| w == b"PRIMARY KEY");
        if !table_rule {
            if primary.is_some() {
                key = vec![first.clone()];
            }
            names.push(first);
        } else if let Some(place) = primary {
            let rest = definition.get(place..).unwrap_or_default();
            if let Some(open) = rest.iter().position(|b| *b == b'(') {
                let (parts, _) = split(rest.get(open + 1..).unwrap_or_default());
                key = parts.into_iter().map(token).collect();
            }
        }
    }
    let without = rest.to_ascii_uppercase();
    if without.windows(7).any(|w| w == b"WITHOUT") {
        // Such rows begin with their key.
        names.retain(|name| !key.iter().any(|k| k.eq_ignore_ascii_case(name)));
        key.extend(names);
        return key;
    }
    names
}

/// Parts between commas up to the closing bracket, and what follows it.
fn split(text: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut quote) = (0usize, 0, 0u8);
    for (place, byte) in text.iter().enumerate() {
        match byte {
            byte if quote != 0 && *byte == quote => quote = 0,
            _ if quote != 0 => {}
            b'"' | b'\'' | b'`' => quote = *byte,
            b'[' => quote = b']',
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b',' | b')' if depth == 0 => {
                parts.push(text.get(start..place).unwrap_or_default());
                start = place + 1;
                if *byte == b')' {
                    return (parts, text.get(start..).unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    (parts, &[])
}

/// The first word, without its quotes.
fn token(text: &[u8]) -> Vec<u8> {
    let text = text.trim_ascii_start();
    let quote = match text.first() {
        Some(b'[') => Some(b']'),
        Some(quote @ (b'"' | b'\'' | b'`')) => Some(*quote),
        _ => None,
    };
    let body = text.get(usize::from(quote.is_some())..).unwrap_or_default();
    let end = match quote {
        Some(quote) => body.iter().position(|b| *b == quote),
        None => {
            body.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'(' | b')' | b','))
        }
    };
    body.get(..end.unwrap_or(body.len())).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        let found = columns(sql.as_bytes()).into_iter();
        found.map(|name| String::from_utf8(name).unwrap()).collect()
    }

    #[test]
    fn columns_are_named_as_the_table_was_made() {
        assert_eq!(
            names(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, \"full, name\" TEXT DEFAULT ('a,b'), \
                [身份證] text, CHECK (id > 0), UNIQUE(id))"
            ),
            ["id", "full, name", "身份證"]
        );
        assert_eq!(
            names("CREATE TABLE t(a, b TEXT, c, PRIMARY KEY(c, a)) WITHOUT ROWID"),
            ["c", "a", "b"]
        );
        assert_eq!(names("garbage"), [""; 0]);
    }
}
