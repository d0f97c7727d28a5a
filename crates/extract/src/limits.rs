//! How much one inspection may cost, whatever the bytes say.

use serde::{Deserialize, Serialize};

/// Bytes that archives may unpack to in all: a day's logs of a large bank fit, and at a hundred
/// megabytes a second they take some minutes.
pub const UNPACKED_BYTES_MAX: u64 = 16 << 30;
/// Unpacked bytes for each byte of the object: logs reach a hundred, a bomb needs a thousand.
pub const UNPACKED_RATIO_MAX: u64 = 250;
/// Unpacked bytes that no ratio is asked of: a small archive of zeros is no attack.
pub const UNPACKED_BYTES_FREE: u64 = 32 << 20;
/// Containers in containers: what mail programs and backups make has three, and five leave room.
pub const DEPTH_MAX: u32 = 5;
/// Members of all archives and messages of all mailboxes: a mailbox of years has as many.
pub const MEMBERS_MAX: u64 = 200_000;
/// Cells of workbooks and tables: a million rows of fifty columns.
pub const CELLS_MAX: u64 = 50_000_000;
/// Columns of one table that are judged; later ones are scanned without a verdict.
pub const COLUMNS_MAX: usize = 1_024;
/// Bytes held at once of formats that cannot be read from front to end (PDF, XLS, messages,
/// archives inside archives): the memory of one inspection follows from it.
pub const HELD_BYTES_MAX: u64 = 48 << 20;
/// Bytes of the texts that a workbook's cells share.
pub const STRINGS_BYTES_MAX: u64 = 32 << 20;
/// Parts that are reported: more help nobody, and the answer crosses a socket.
pub const PARTS_MAX: usize = 10_000;
/// Troubles that are reported.
pub const TROUBLES_MAX: usize = 200;
/// Rows of one Parquet file that are read; row groups are chosen over the whole file.
pub const PARQUET_ROWS_MAX: u64 = 1_000_000;

/// The limits of one inspection. Crossing one is a [`crate::Trouble`], never a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// [`UNPACKED_BYTES_MAX`].
    pub unpacked_bytes_max: u64,
    /// [`UNPACKED_RATIO_MAX`].
    pub unpacked_ratio_max: u64,
    /// [`UNPACKED_BYTES_FREE`].
    pub unpacked_bytes_free: u64,
    /// [`DEPTH_MAX`].
    pub depth_max: u32,
    /// [`MEMBERS_MAX`].
    pub members_max: u64,
    /// [`CELLS_MAX`].
    pub cells_max: u64,
    /// [`COLUMNS_MAX`].
    pub columns_max: usize,
    /// [`HELD_BYTES_MAX`].
    pub held_bytes_max: u64,
    /// [`STRINGS_BYTES_MAX`].
    pub strings_bytes_max: u64,
    /// [`PARTS_MAX`].
    pub parts_max: usize,
    /// [`TROUBLES_MAX`].
    pub troubles_max: usize,
    /// [`PARQUET_ROWS_MAX`].
    pub parquet_rows_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unpacked_bytes_max: UNPACKED_BYTES_MAX,
            unpacked_ratio_max: UNPACKED_RATIO_MAX,
            unpacked_bytes_free: UNPACKED_BYTES_FREE,
            depth_max: DEPTH_MAX,
            members_max: MEMBERS_MAX,
            cells_max: CELLS_MAX,
            columns_max: COLUMNS_MAX,
            held_bytes_max: HELD_BYTES_MAX,
            strings_bytes_max: STRINGS_BYTES_MAX,
            parts_max: PARTS_MAX,
            troubles_max: TROUBLES_MAX,
            parquet_rows_max: PARQUET_ROWS_MAX,
        }
    }
}
