//! Showing what the API said: JSON as it is, or tables for people.

use crate::screen;
use serde_json::Value;

/// Longest cell of a table, in characters; JSON shows all of it.
const CELL_CHARS_MAX: usize = 60;

/// Prints JSON, or what `people` makes of it.
pub(super) fn answer(json: bool, value: &Value, people: impl FnOnce(&Value) -> String) {
    if json {
        screen::line(&format!("{value:#}"));
    } else {
        screen::bytes(people(value).as_bytes());
    }
}

/// A list under `items` as a table of these fields.
pub(super) fn table(columns: &[&'static str]) -> impl FnOnce(&Value) -> String {
    table_of("items", columns)
}

/// A list under a field as a table of these fields.
pub(super) fn table_of(list: &str, columns: &[&'static str]) -> impl FnOnce(&Value) -> String {
    let (list, columns) = (list.to_owned(), columns.to_vec());
    move |value| {
        let rows = value.get(&list).and_then(Value::as_array).cloned().unwrap_or_default();
        let heads = columns.iter().map(|name| name.replace('_', " ").to_uppercase()).collect();
        let mut lines: Vec<Vec<String>> = vec![heads];
        for row in &rows {
            lines.push(columns.iter().map(|name| cell(row.get(name))).collect());
        }
        let widths: Vec<usize> = (0..columns.len())
            .map(|column| {
                let cells = lines.iter().filter_map(|line| line.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
            })
            .collect();
        let mut text = String::new();
        for line in &lines {
            let mut row = String::new();
            for (cell, width) in line.iter().zip(&widths) {
                row.push_str(&format!("{cell:<width$}  "));
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        if let Some(next) = value.get("next").and_then(Value::as_str) {
            text.push_str(&format!("more after `{next}`\n"));
        }
        text
    }
}

/// One thing, a field a line; what is nested is indented.
pub(super) fn fields(value: &Value) -> String {
    let mut text = String::new();
    write_fields(value, 0, &mut text);
    text
}

fn write_fields(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let name = name.replace('_', " ");
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        text.push_str(&format!("{indent}{name}:\n"));
                        write_fields(value, depth + 1, text);
                    }
                    Value::Array(inner) if inner.iter().any(Value::is_object) => {
                        text.push_str(&format!("{indent}{name}:\n"));
                        for item in inner {
                            text.push_str(&format!("{indent}  -\n"));
                            write_fields(item, depth + 2, text);
                        }
                    }
                    _ => text.push_str(&format!("{indent}{name}: {}\n", plain(value))),
                }
            }
        }
        Value::Null => {}
        other => text.push_str(&format!("{indent}{}\n", plain(other))),
    }
}

fn cell(value: Option<&Value>) -> String {
    let text = value.map(plain).unwrap_or_default();
    if text.chars().count() <= CELL_CHARS_MAX {
        return text;
    }
    let mut short: String = text.chars().take(CELL_CHARS_MAX - 1).collect();
    short.push('…');
    short
}

/// A value as one line. Control characters are shown, not sent to the terminal.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            let pairs = map.iter().map(|(name, value)| format!("{name}={}", plain(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    let safe = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_becomes_a_table_with_its_continuation() {
        let list = json!({ "items": [
            { "id": "key_1", "name": "ledger", "labels": { "a": "b" } },
            { "id": "key_22", "name": "密碼匙" },
        ], "next": "密碼匙" });
        assert_eq!(
            table(&["id", "name", "labels"])(&list),
            "ID      NAME    LABELS\nkey_1   ledger  a=b\nkey_22  密碼匙\nmore after `密碼匙`\n"
        );
    }

    #[test]
    fn nothing_that_a_server_says_reaches_the_terminal_as_a_control() {
        let shown = fields(&json!({ "name": "a\u{1b}[2Jb", "inner": { "x": 1 } }));
        assert_eq!(shown, "name: a\u{fffd}[2Jb\ninner:\n  x: 1\n");
    }
}
