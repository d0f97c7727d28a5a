//! Counters for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What the store has done since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Commits that succeeded.
    pub commits: u64,
    /// Commits that were refused or failed.
    pub refused: u64,
    /// Groups: transactions, each with one flush to the disk.
    pub groups: u64,
    /// Events that were appended.
    pub events: u64,
    /// Time in the engine's commit, flush to the disk included, in microseconds by the clock.
    pub sync_micros: u64,
    /// Batches that wait now.
    pub waiting: u64,
}

impl Stats {
    /// Mean number of commits that shared one flush.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a mean for people, not for accounts")]
    pub fn mean_group(&self) -> f64 {
        if self.groups == 0 { 0.0 } else { self.commits as f64 / self.groups as f64 }
    }
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) sync_micros: AtomicU64,
    pub(crate) waiting: AtomicU64,
}

impl Counters {
    pub(crate) fn stats(&self) -> Stats {
        Stats {
            commits: self.commits.load(Relaxed),
            refused: self.refused.load(Relaxed),
            groups: self.groups.load(Relaxed),
            events: self.events.load(Relaxed),
            sync_micros: self.sync_micros.load(Relaxed),
            waiting: self.waiting.load(Relaxed),
        }
    }
}
