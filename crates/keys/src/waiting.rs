//! The time that a waiting period counts, so that no clock can end one early.
//!
//! **The rule.** A waiting period has ended when all three hold:
//! 1. the wall clock has passed `not_before`, the date that was promised when the destruction was
//!    asked for (a clock set back prolongs the period);
//! 2. the server has itself *served* the whole period: monotonic time while it ran, summed over
//!    restarts. Time when it was off does not count, a clock set forward counts nothing;
//! 3. wall and monotonic time have not drifted apart by more than five seconds between two samples,
//!    or by going back over a restart, since a person last confirmed the clock.
//!
//! Served time is written down at every sweep; a crash loses at most what was served since, which
//! again prolongs and never shortens.

use kernel::{Clock, MonotonicMicros, Timestamp};
use serde::{Deserialize, Serialize};

/// How far wall and monotonic time may part between two samples before irreversible acts stop.
pub const DIVERGENCE_MICROS_MAX: u64 = 5_000_000;

/// Served time as it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Microseconds that servers on this store have been running, sampled.
    pub micros: u64,
    /// The wall clock at the last sample.
    pub wall: Timestamp,
    /// When wall and monotonic time were found apart; none: they agree, or a person confirmed.
    pub diverged_at: Option<Timestamp>,
}

impl Served {
    /// The beginning: nothing served yet.
    #[must_use]
    pub fn nothing(clock: &dyn Clock) -> Self {
        Self { micros: 0, wall: clock.wall(), diverged_at: None }
    }
}

/// Served time of this process.
#[derive(Debug)]
pub struct ServedClock {
    served: Served,
    sampled: MonotonicMicros,
}

impl ServedClock {
    /// Goes on from what was written down by whoever ran before.
    #[must_use]
    pub fn resume(mut served: Served, clock: &dyn Clock) -> Self {
        let wall = clock.wall();
        let back = served.wall.unix_micros().saturating_sub(wall.unix_micros());
        if u64::try_from(back).is_ok_and(|back| back > DIVERGENCE_MICROS_MAX) {
            served.diverged_at.get_or_insert(wall);
        }
        served.wall = wall;
        Self { served, sampled: clock.monotonic() }
    }

    /// Counts what was served since the last sample and compares the two clocks.
    pub fn sample(&mut self, clock: &dyn Clock) -> Served {
        let (wall, monotonic) = (clock.wall(), clock.monotonic());
        let passed = monotonic.0.saturating_sub(self.sampled.0);
        let wall_passed = wall.unix_micros().saturating_sub(self.served.wall.unix_micros());
        let apart = i64::try_from(passed).unwrap_or(i64::MAX).abs_diff(wall_passed);
        if apart > DIVERGENCE_MICROS_MAX {
            self.served.diverged_at.get_or_insert(wall);
        }
        self.served.micros = self.served.micros.saturating_add(passed);
        self.served.wall = wall;
        self.sampled = monotonic;
        self.served
    }

    /// A person has looked at the clock and says that it is right.
    pub fn confirm(&mut self, clock: &dyn Clock) -> Served {
        self.sample(clock);
        self.served.diverged_at = None;
        self.served
    }
}

/// A waiting period, as it was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingPeriod {
    /// The date before which it does not end.
    pub not_before: Timestamp,
    /// Its length in seconds; 0 only where the key domain says so.
    pub seconds: u64,
    /// Served time when it began.
    pub served_micros_at_start: u64,
}

impl WaitingPeriod {
    /// A period that begins now.
    #[must_use]
    pub fn starting(seconds: u64, served: Served) -> Self {
        let not_before = served.wall.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
        Self { not_before, seconds, served_micros_at_start: served.micros }
    }

    /// Whether it has ended, by the rule at the head of this file.
    ///
    /// # Errors
    /// What still holds it.
    pub fn ended(&self, served: Served) -> Result<(), StillWaiting> {
        let waited = served.micros.saturating_sub(self.served_micros_at_start);
        let wanted = self.seconds.saturating_mul(1_000_000);
        if self.seconds > 0 && served.diverged_at.is_some() {
            Err(StillWaiting::ClockUnconfirmed)
        } else if served.wall < self.not_before {
            Err(StillWaiting::Date { not_before: self.not_before })
        } else if waited < wanted {
            Err(StillWaiting::Served { seconds_left: (wanted - waited).div_ceil(1_000_000) })
        } else {
            Ok(())
        }
    }
}

/// Why a waiting period has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StillWaiting {
    /// The promised date has not come.
    #[error("the waiting period lasts until {not_before}")]
    Date {
        /// The promised date.
        not_before: Timestamp,
    },
    /// The date has come but the server was not running for the whole period.
    #[error("the waiting period has {seconds_left} seconds left that the server has to be running")]
    Served {
        /// Seconds left.
        seconds_left: u64,
    },
    /// Wall and monotonic time have parted; somebody must look.
    #[error("the clock has jumped: irreversible acts wait until a person confirms the time")]
    ClockUnconfirmed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::HeldClock;
    use proptest::prelude::*;

    fn start() -> (HeldClock, ServedClock) {
        let clock = HeldClock::at(Timestamp::from_unix_millis(1_790_000_000_000));
        let served = ServedClock::resume(Served::nothing(&clock), &clock);
        (clock, served)
    }

    #[test]
    fn a_clock_that_jumps_forward_ends_no_waiting_period() {
        let (clock, mut served) = start();
        let period = WaitingPeriod::starting(86_400, served.sample(&clock));
        clock.jump_wall_seconds(90_000);
        assert_eq!(period.ended(served.sample(&clock)), Err(StillWaiting::ClockUnconfirmed));
        // Even a person who confirms the wrong clock cannot buy the time that was not served.
        let left = Err(StillWaiting::Served { seconds_left: 86_400 });
        assert_eq!(period.ended(served.confirm(&clock)), left);
        for _ in 0..24 {
            clock.advance_millis(3_600_000);
            served.sample(&clock);
        }
        assert_eq!(period.ended(served.sample(&clock)), Ok(()));
    }

    #[test]
    fn a_clock_creeping_forward_in_small_steps_ends_no_waiting_period() {
        let (clock, mut served) = start();
        let period = WaitingPeriod::starting(86_400, served.sample(&clock));
        for _ in 0..30_000 {
            clock.jump_wall_seconds(4);
            assert!(served.sample(&clock).diverged_at.is_none());
        }
        let left = Err(StillWaiting::Served { seconds_left: 86_400 });
        assert_eq!(period.ended(served.sample(&clock)), left);
    }

    #[test]
    fn a_clock_set_back_over_a_restart_is_noticed_and_prolongs() {
        let (clock, mut served) = start();
        let written = served.sample(&clock);
        let period = WaitingPeriod::starting(86_400, written);
        clock.jump_wall_seconds(-3_600);
        let mut served = ServedClock::resume(written, &clock);
        assert!(served.sample(&clock).diverged_at.is_some());
        served.confirm(&clock);
        clock.advance_millis(86_400_000);
        let not_before = period.not_before;
        assert_eq!(period.ended(served.sample(&clock)), Err(StillWaiting::Date { not_before }));
    }

    #[test]
    fn time_when_the_server_was_off_is_not_served() {
        let (clock, mut served) = start();
        let written = served.sample(&clock);
        let period = WaitingPeriod::starting(86_400, written);
        clock.jump_wall_seconds(200_000);
        let mut served = ServedClock::resume(written, &clock);
        let left = Err(StillWaiting::Served { seconds_left: 86_400 });
        assert_eq!(period.ended(served.sample(&clock)), left);
    }

    proptest! {
        #[test]
        fn no_history_of_clocks_ends_a_period_before_it_was_served(
            steps in prop::collection::vec((0u32..20_000_000, -100_000i64..100_000, 0u8..4), 0..40),
        ) {
            let (clock, mut served) = start();
            let mut written = served.sample(&clock);
            let period = WaitingPeriod::starting(86_400, written);
            let mut ran_millis = 0u64;
            for (millis, jump, what) in steps {
                clock.advance_millis(millis);
                match what {
                    0 => served = ServedClock::resume(written, &clock),
                    1 => { clock.jump_wall_seconds(jump); ran_millis += u64::from(millis); }
                    2 => { served.confirm(&clock); ran_millis += u64::from(millis); }
                    _ => ran_millis += u64::from(millis),
                }
                written = served.sample(&clock);
                if period.ended(written).is_ok() {
                    prop_assert!(ran_millis >= 86_400_000);
                }
            }
        }
    }
}
