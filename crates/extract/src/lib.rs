//! Hostile files opened with care: bytes of any format in, what they hold out.
//!
//! **For:** telling formats apart, decoding text of any encoding, taking tables, mails, office
//! documents, PDF, Parquet, Avro, databases in a file and archives apart, and letting `detect`
//! look at every piece. What comes out is an [`Inspection`]: counts, columns, masked samples,
//! troubles. **Not for:** fetching objects (that is `discover`), keeping findings, opening files
//! by name.
//!
//! **Invariants:** bounded memory and time on any bytes ([`Limits`]); no file of any kind is
//! opened or written here; a trouble is reported with its place and never ends the process; no
//! value leaves in clear: samples are masked and values are told apart by a keyed fingerprint.

mod archive;
mod avro;
mod avro_schema;
mod biff;
mod biff_text;
mod binary;
mod chains;
mod columns;
mod compound;
mod door;
mod encoding;
mod fingerprint;
mod flow;
mod git;
mod input;
mod inspect;
mod inspection;
mod json;
mod ledger;
mod legacy;
mod limits;
mod locate;
mod mail;
mod markup;
mod obstacle;
mod office;
mod packed;
mod page;
mod parquet_file;
mod pdf;
mod pdf_map;
mod pdf_text;
mod pdf_width;
mod recognise;
mod record;
mod schema;
mod session;
mod settings;
mod sheet;
mod spans;
mod sqlite;
mod sqlite_log;
mod styles;
mod text;
mod xlsx;

pub use fingerprint::Key;
pub use input::Input;
pub use inspect::inspect;
pub use inspection::{
    ColumnFinding, Coverage, Fingerprint, Format, Inspection, KindCount, KindName, Part, Sample,
    Trouble, TroubleKind, UnknownKind,
};
pub use ledger::DISTINCT_MAX;
pub use limits::{
    CELLS_MAX, COLUMNS_MAX, DEPTH_MAX, HELD_BYTES_MAX, Limits, MEMBERS_MAX, PARQUET_ROWS_MAX,
    PARTS_MAX, STRINGS_BYTES_MAX, TROUBLES_MAX, UNPACKED_BYTES_FREE, UNPACKED_BYTES_MAX,
    UNPACKED_RATIO_MAX,
};
pub use settings::{
    CUSTOMS_MAX, CustomRule, CustomSpec, Detectors, IGNORED_MAX, Ignored, SAMPLES_PER_KIND,
    SAMPLES_PER_KIND_MAX, Settings, SettingsError,
};
pub use spans::{Span, spans};
