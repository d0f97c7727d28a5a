//! Rows of a CSV file as facts.

use super::csv::{self, Record};
use super::document::{Fields, asset_of, relation_of, scalar_of_text};
use super::{IMPORT_ROWS_MAX, Reading, Rejection, Row};
use kernel::DomainId;
use std::collections::HashSet;

const ASSET_COLUMNS: [&str; 3] = ["kind", "reference", "name"];
const RELATION_COLUMNS: [&str; 3] = ["from", "relation", "to"];

pub(super) fn read(text: &str, domain: DomainId) -> Result<Reading, Rejection> {
    let mut records = csv::records(text);
    let header = match records.next() {
        Some(Ok(record)) => record.cells,
        Some(Err(error)) => return Err(Rejection::document(error.to_string())),
        None => return Err(Rejection::document("the file is empty")),
    };
    let header: Vec<_> = header.iter().map(|cell| cell.trim().to_owned()).collect();
    let mut seen = HashSet::new();
    for column in &header {
        if !seen.insert(column.as_str()) {
            return Err(Rejection::new("line 1", column, "the column stands twice in the header"));
        }
    }
    let has = |columns: [&str; 3]| columns.iter().all(|column| seen.contains(column));
    let (of_assets, of_relations) = (has(ASSET_COLUMNS), has(RELATION_COLUMNS));
    if of_assets == of_relations {
        let needed = "the header needs kind, reference and name, or from, relation and to";
        return Err(Rejection::new("line 1", "", needed));
    }
    let mut reading = Reading::default();
    let mut rows = 0usize;
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let reason = format!("{error}; nothing from here on was read");
                reading.rejected.push(Rejection::document(reason));
                break;
            }
        };
        rows += 1;
        if rows > IMPORT_ROWS_MAX {
            return Err(Rejection::document(format!("more than {IMPORT_ROWS_MAX} rows")));
        }
        let at = format!("line {}", record.line);
        let fields = match fields(&header, record, &at) {
            Ok(fields) => fields,
            Err(rejection) => {
                reading.rejected.push(rejection);
                continue;
            }
        };
        if of_assets {
            match asset_of(&at, fields, domain) {
                Ok(fact) => reading.assets.push(Row { at, fact }),
                Err(rejection) => reading.rejected.push(rejection),
            }
        } else {
            match relation_of(&at, fields) {
                Ok(fact) => reading.relations.push(Row { at, fact }),
                Err(rejection) => reading.rejected.push(rejection),
            }
        }
    }
    Ok(reading)
}

fn fields(header: &[String], record: Record, at: &str) -> Result<Fields, Rejection> {
    if record.cells.len() != header.len() {
        let (found, wanted) = (record.cells.len(), header.len());
        let reason = format!("{found} cells where the header has {wanted}");
        return Err(Rejection::new(at, "", reason));
    }
    let mut fields = Fields::default();
    for (column, cell) in header.iter().zip(record.cells) {
        match column.as_str() {
            "kind" | "reference" | "name" | "from" | "relation" | "to" => {
                fields.named.insert(column.clone(), cell);
            }
            _ if cell.is_empty() => {}
            _ => fields.attributes.push((column.clone(), scalar_of_text(&cell))),
        }
    }
    Ok(fields)
}
