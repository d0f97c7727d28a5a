//! Reading the bank's own lists: YAML, CSV or JSON in, a publication and a report out.
//!
//! YAML and JSON hold `assets` (each `kind`, `reference`, `name`, `attributes`) and `relations`
//! (each `from`, `relation`, `to`, `attributes`; ends are written `kind:reference`). CSV holds one
//! of the two: a header with `kind,reference,name` and a column for each attribute, or with
//! `from,relation,to`. A cell left empty means that the attribute is not known.
//!
//! Each row is accepted or listed with its field and reason. A document that does not parse at all
//! is one rejection and nothing is taken from it.

mod csv;
mod document;
mod plan;
mod table;

pub use plan::plan;

use crate::{AssetFact, RelationFact};
use kernel::limits::BODY_BYTES_MAX;
use serde::{Deserialize, Serialize};

/// Longest file of one import.
pub const IMPORT_BYTES_MAX: usize = BODY_BYTES_MAX;
/// Most rows of one import: each import is one commit of the store, which takes 4,096 changes.
pub const IMPORT_ROWS_MAX: usize = 4_000;
/// Most rejections that are listed one by one; more are counted.
pub const REJECTIONS_LISTED_MAX: usize = 1_000;

/// The format of an imported file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// YAML 1.1 as far as JSON goes: no tags, no duplicate keys.
    Yaml,
    /// CSV (RFC 4180), UTF-8, with a header.
    Csv,
    /// JSON (RFC 8259), no duplicate keys.
    Json,
}

impl Format {
    /// The format by the end of a file's name.
    #[must_use]
    pub fn of_file_name(name: &str) -> Option<Self> {
        let (_, end) = name.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// One row that was not taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rejection {
    /// Where: `line 7`, `assets/3`, `document`.
    pub row: String,
    /// Which field; empty when it is the row as a whole.
    pub field: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl Rejection {
    fn new(row: &str, field: &str, reason: impl Into<String>) -> Self {
        Self { row: row.to_owned(), field: field.to_owned(), reason: reason.into() }
    }

    fn document(reason: impl Into<String>) -> Self {
        Self::new("document", "", reason)
    }
}

/// A row that was read, with its place in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row<T> {
    /// Where it stands.
    pub at: String,
    /// What it says.
    pub fact: T,
}

/// What a file says, before it is held against the register.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// Assets.
    pub assets: Vec<Row<AssetFact>>,
    /// Relations.
    pub relations: Vec<Row<RelationFact>>,
    /// Rows that do not read.
    pub rejected: Vec<Rejection>,
}

/// What came of an import.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ImportReport {
    /// How many rows the file has.
    pub rows: usize,
    /// Rows that were taken, by place.
    pub accepted: Vec<String>,
    /// Rows that were not, with their reasons; the first 1,000.
    pub rejected: Vec<Rejection>,
    /// How many were not taken in all.
    pub rejected_count: usize,
}

/// Reads a file; never fails as a whole, but may reject everything.
#[must_use]
pub fn read(format: Format, bytes: &[u8], domain: kernel::DomainId) -> Reading {
    let refused = |reason: String| Reading {
        rejected: vec![Rejection::document(reason)],
        ..Reading::default()
    };
    if bytes.len() > IMPORT_BYTES_MAX {
        return refused(format!("larger than {IMPORT_BYTES_MAX} bytes; split the file"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return refused("not UTF-8; save the file as UTF-8".to_owned());
    };
    let read = match format {
        Format::Csv => table::read(text, domain),
        Format::Json => document::read_json(text, domain),
        Format::Yaml => document::read_yaml(text, domain),
    };
    read.unwrap_or_else(|rejection| Reading { rejected: vec![rejection], ..Reading::default() })
}
