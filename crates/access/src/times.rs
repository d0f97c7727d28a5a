//! Two readings of one clock that may be wrong: what a grant must not outlast, what a waiting
//! period must not undercut.
//!
//! The wall clock can be moved. Beside it runs the machine's own count since this process began to
//! look. A grant ends at the *later* of the two readings, so a clock set back prolongs nothing; a
//! waiting period ends at the *earlier* one, so a clock set forward cuts nothing short.

use kernel::{Clock, MonotonicMicros, Timestamp};
use std::fmt;
use std::sync::Arc;

/// The clock with its two readings.
#[derive(Clone)]
pub struct Times {
    clock: Arc<dyn Clock>,
    began: Timestamp,
    began_monotonic: MonotonicMicros,
}

impl fmt::Debug for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Times").field("began", &self.began).finish_non_exhaustive()
    }
}

impl Times {
    /// Starts to watch the clock; `newest_known` is the newest time of any record: the clock cannot
    /// truly stand before it.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, newest_known: Timestamp) -> Self {
        let began = clock.wall().max(newest_known);
        let began_monotonic = clock.monotonic();
        Self { clock, began, began_monotonic }
    }

    fn counted(&self) -> Timestamp {
        let micros = self.clock.monotonic().0.saturating_sub(self.began_monotonic.0);
        let micros = i64::try_from(micros).unwrap_or(i64::MAX);
        Timestamp::from_unix_micros(self.began.unix_micros().saturating_add(micros))
    }

    /// The time to write into records.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        self.clock.wall()
    }

    /// The time to hold against the end of a grant.
    #[must_use]
    pub fn latest(&self) -> Timestamp {
        self.clock.wall().max(self.counted())
    }

    /// The time to hold against the end of a waiting period.
    #[must_use]
    pub fn earliest(&self) -> Timestamp {
        self.clock.wall().min(self.counted())
    }

    /// The machine's own count.
    #[must_use]
    pub fn monotonic(&self) -> MonotonicMicros {
        self.clock.monotonic()
    }

    /// The clock itself.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::HeldClock;

    #[test]
    fn a_clock_set_back_prolongs_nothing_and_set_forward_cuts_nothing_short() {
        let start = Timestamp::from_unix_millis(1_790_000_000_000);
        let clock = Arc::new(HeldClock::at(start));
        let times = Times::new(clock.clone(), Timestamp::EPOCH);
        clock.advance_millis(10_000);
        clock.jump_wall_seconds(-86_400);
        assert_eq!(times.latest(), start.plus_seconds(10));
        clock.jump_wall_seconds(2 * 86_400);
        assert_eq!(times.earliest(), start.plus_seconds(10));
        assert_eq!(times.latest(), start.plus_seconds(10 + 86_400));
    }

    #[test]
    fn a_clock_that_starts_behind_the_records_is_read_from_the_records() {
        let start = Timestamp::from_unix_millis(1_790_000_000_000);
        let clock = Arc::new(HeldClock::at(start.plus_days(-30)));
        let times = Times::new(clock, start);
        assert_eq!(times.latest(), start);
    }
}
