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

mod inspection;

pub use inspection::{
    ColumnFinding, Coverage, Fingerprint, Format, Inspection, KindCount, KindName, Part, Sample,
    Trouble, TroubleKind,
};
