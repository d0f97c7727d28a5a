//! Limits that more than one room keeps. A limit of one room stands in that room.

/// Longest body of a request at a door: room for a batch of a few hundred items.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest plaintext of one encrypt call; larger data is envelope-encrypted with a data key.
pub const PLAINTEXT_BYTES_MAX: usize = 1024 * 1024;
/// Most items of one batch.
pub const BATCH_ITEMS_MAX: usize = 256;
/// Largest page of a list.
pub const PAGE_ITEMS_MAX: usize = 500;
/// Page of a list when the caller names none.
pub const PAGE_ITEMS_DEFAULT: usize = 50;
/// Life of a permit: long enough for one operation, short enough that a revocation bites.
pub const PERMIT_MICROS_MAX: u64 = 5_000_000;
/// Longest name of anything, in characters.
pub const NAME_CHARS_MAX: usize = 128;
/// Most labels on one thing.
pub const LABELS_MAX: usize = 32;
/// Longest text of a reason or a description, in characters.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Most details of one event.
pub const EVENT_DETAILS_MAX: usize = 32;
/// Longest value of one detail of an event, in bytes; longer ones are cut and marked.
pub const EVENT_DETAIL_BYTES_MAX: usize = 1_024;
/// Longest correlation id that we accept from a caller, in characters.
pub const CORRELATION_CHARS_MAX: usize = 128;
