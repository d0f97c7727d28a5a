//! The machine's clock: the only place in the product that reads it.

use kernel::{Clock, MonotonicMicros, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// Reads `CLOCK_REALTIME` for dates and `CLOCK_BOOTTIME` for deadlines: the latter goes on while
/// the machine sleeps and never goes back.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

const MICROS_PER_SECOND: i64 = 1_000_000;

fn micros(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    now.tv_sec.saturating_mul(MICROS_PER_SECOND).saturating_add(now.tv_nsec / 1_000)
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix_micros(micros(ClockId::Realtime))
    }
    fn monotonic(&self) -> MonotonicMicros {
        MonotonicMicros(micros(ClockId::Boottime).unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_shows_this_century_and_does_not_go_back() {
        let clock = SystemClock;
        assert!(clock.wall() > Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let first = clock.monotonic();
        assert!(clock.monotonic() >= first && first.0 > 0);
    }
}
