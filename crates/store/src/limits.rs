//! Limits of the store, each with its reason.

/// Most puts and deletes of one batch: a batch of 256 items with their versions and marks fits.
pub const BATCH_CHANGES_MAX: usize = 4_096;
/// Most events of one batch.
pub const BATCH_EVENTS_MAX: usize = 4_096;
/// Largest record before sealing; a report pack is a file, not a record.
pub const RECORD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest key of a record in bytes: longer keys waste every inner page of the tree.
pub const KEY_BYTES_MAX: usize = 512;
/// Most index terms of one record: labels (32) and a few fields.
pub const TERMS_MAX: usize = 64;
/// Most records that one read returns or looks at: a read never holds a connection for long.
pub const READ_ROWS_MAX: usize = 10_000;
/// Most batches that wait for the committer; beyond it a commit is refused as busy.
pub const QUEUE_BATCHES_MAX: usize = 16_384;
/// Most events without a change that wait for the committer.
pub const QUEUE_EVENTS_MAX: usize = 65_536;
/// Most batches of one group: bounds the time that the first waits for the last.
pub const GROUP_BATCHES_MAX: usize = 1_024;
/// Most sealed bytes of one group, for the same reason.
pub const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long an outcome is kept under its idempotency key, in seconds.
pub const IDEMPOTENCY_SECONDS: i64 = 86_400;
/// Entries of one sorted block of names: about 25 kB, so one page of a list opens one or two.
pub const NAMES_BLOCK_ENTRIES: usize = 500;
/// Longest text that sorts, in bytes; a longer one is cut for sorting, never for showing.
pub const SORT_TEXT_BYTES_MAX: usize = 512;
/// Bytes kept free on the disk for suspension, revocation, sealing and refusals.
pub const RESERVE_BYTES: u64 = 16 * 1024 * 1024;
