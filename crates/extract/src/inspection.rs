//! What an object turned out to hold.

use detect::Kind;
use serde::{Deserialize, Serialize};

/// A kind of sensitive data by its word: `hk-identity-card`, or `custom-7` for a detector of the
/// bank's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KindName(pub Kind);

/// The word of no kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no kind of data is called that")]
pub struct UnknownKind;

impl From<KindName> for String {
    fn from(name: KindName) -> Self {
        match name.0 {
            Kind::Custom(number) => format!("custom-{number}"),
            kind => kind.word().to_owned(),
        }
    }
}

impl TryFrom<String> for KindName {
    type Error = UnknownKind;

    fn try_from(word: String) -> Result<Self, UnknownKind> {
        if let Some(number) = word.strip_prefix("custom-") {
            return number.parse().map(|n| Self(Kind::Custom(n))).map_err(|_| UnknownKind);
        }
        Kind::ALL.into_iter().find(|kind| kind.word() == word).map(Self).ok_or(UnknownKind)
    }
}

/// The format that an object turned out to have, whatever its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// Nothing in it.
    Empty,
    /// Prose, logs, source code: text without records.
    Text,
    /// Rows of separated values.
    Csv,
    /// JSON, one value or one a line.
    Json,
    /// XML that is no office document.
    Xml,
    /// HTML.
    Html,
    /// A workbook: XLSX, XLS, ODS.
    Workbook,
    /// A word processor's document.
    Docx,
    /// A presentation.
    Pptx,
    /// PDF.
    Pdf,
    /// Apache Parquet.
    Parquet,
    /// Apache Avro object container.
    Avro,
    /// A SQLite database file.
    Sqlite,
    /// One message (RFC 5322).
    Mail,
    /// Messages one after the other (RFC 4155).
    Mbox,
    /// ZIP.
    Zip,
    /// TAR.
    Tar,
    /// GZIP.
    Gzip,
    /// Zstandard.
    Zstd,
    /// A pack of a Git repository: every version of every file.
    GitPack,
    /// One object of a Git repository.
    GitObject,
    /// Anything else: its printable runs are looked at.
    Binary,
}

/// How much of the object was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// All of it.
    Whole,
    /// A part: a limit was met, or the source gave a sample.
    Part,
    /// None: it could not be read; see the troubles.
    None,
}

/// A keyed hash of one value: equal values of one installation are told to be equal, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 16]);

/// One occurrence as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The value behind its mask (`A12****(*)`).
    pub masked: String,
    /// Where in the part: `line 14`, `row 3, column id_no`, `page 2`.
    pub at: String,
    /// Which value it is, without telling it.
    pub fingerprint: Fingerprint,
}

/// How often one kind occurs in a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindCount {
    /// The kind.
    pub kind: KindName,
    /// Occurrences with right form and check, and a form or word nearby that says so.
    pub sure: u64,
    /// Occurrences for which column, shape or a word nearby speaks.
    pub likely: u64,
    /// Different values among them, counted up to a limit of the engine.
    pub distinct: u64,
    /// Occurrences of values that are known to be none; they count nowhere else.
    #[serde(default)]
    pub ignored: u64,
    /// A few of them; a name never stands beside an identity card number.
    pub samples: Vec<Sample>,
}

/// A column and what it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnFinding {
    /// Its name in the header; empty without one.
    pub name: String,
    /// What it holds.
    pub kind: KindName,
    /// Cells looked at, empty ones left out.
    pub cells: u64,
    /// Cells of the kind.
    pub matching: u64,
    /// With 95 % confidence at least this share of its cells is of the kind.
    pub share_at_least: f64,
}

/// The object itself, or one thing inside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The way to it inside the object, outermost first: `backup.zip`, `clients.xlsx`, `sheet 客戶`;
    /// empty for the object itself.
    pub path: Vec<String>,
    /// Its format.
    pub format: Format,
    /// The name of its encoding (WHATWG), for text.
    pub encoding: Option<String>,
    /// What it holds, in the order of kinds; empty parts are not listed.
    pub kinds: Vec<KindCount>,
    /// Its columns that hold something.
    pub columns: Vec<ColumnFinding>,
}

/// Why something could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TroubleKind {
    /// Not the format it claims to be, or damaged.
    Corrupt,
    /// Encrypted or protected by a password.
    Protected,
    /// Unpacks to more than the limits allow: a bomb, or simply huge.
    TooLarge,
    /// Nested deeper than the limits allow.
    TooDeep,
    /// More members, cells or rows than the limits allow.
    TooMany,
    /// A format or feature that is not understood.
    Unsupported,
    /// Reading failed.
    Unreadable,
    /// The process that parsed it ended or did not finish in time.
    Killed,
}

/// One thing that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The way to it, as in [`Part::path`].
    pub path: Vec<String>,
    /// Why.
    pub kind: TroubleKind,
    /// What the reader said, without any of the content; at most 200 characters.
    pub detail: String,
}

/// What one object turned out to hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// The outermost format.
    pub format: Format,
    /// Bytes of the object that were read.
    pub bytes: u64,
    /// Bytes of text that were looked at after unpacking and decoding.
    pub text_bytes: u64,
    /// How much was looked at.
    pub coverage: Coverage,
    /// Parts that hold something.
    pub parts: Vec<Part>,
    /// What could not be read.
    pub troubles: Vec<Trouble>,
}
