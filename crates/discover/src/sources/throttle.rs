//! A source that is read no faster than its owner allows.

use super::{Content, Listing, Object, Opened, Pending, Source};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How fast a store may be read; `None` is as fast as it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Bytes a second, on average.
    pub bytes_per_second: Option<std::num::NonZeroU64>,
    /// Objects a second, on average.
    pub objects_per_second: Option<std::num::NonZeroU32>,
}

/// The same source, read at these rates.
#[must_use]
pub fn throttled(source: Box<dyn Source>, rates: Rates) -> Box<dyn Source> {
    if rates == Rates::default() {
        return source;
    }
    Box::new(Throttled { source, pace: Mutex::new(Pace { rates, free_at: None }) })
}

struct Throttled {
    source: Box<dyn Source>,
    pace: Mutex<Pace>,
}

impl Throttled {
    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Throttled {
    fn list<'a>(&'a self, after: Option<&'a str>, max: usize) -> Pending<'a, Listing> {
        self.source.list(after, max)
    }

    fn open<'a>(&'a self, object: &'a Object) -> Pending<'a, Opened> {
        Box::pin(async move {
            let turn = self.pace().turn(Instant::now(), object.bytes.unwrap_or(0));
            tokio::time::sleep_until(turn).await;
            let opened = self.source.open(object).await?;
            // What was not told beforehand, or was told too small, is paid for afterwards.
            let bytes = match &opened.content {
                Content::File(file) | Content::Spooled(file, _) => {
                    let size = rustix::fs::fstat(file).map_or(0, |stat| stat.st_size);
                    u64::try_from(size).unwrap_or(0)
                }
                Content::Ranges(ranges) => ranges.bytes(),
            };
            let more = bytes.saturating_sub(object.bytes.unwrap_or(0));
            self.pace().owe(more);
            Ok(opened)
        })
    }
}

/// When the next object may be opened.
struct Pace {
    rates: Rates,
    free_at: Option<Instant>,
}

impl Pace {
    /// The moment at which an object of this size may be opened; the next one waits until its bytes
    /// and its place among the objects are paid for. Time that nobody used is not saved up.
    fn turn(&mut self, now: Instant, bytes: u64) -> Instant {
        let turn = self.free_at.map_or(now, |free| free.max(now));
        let place = self
            .rates
            .objects_per_second
            .map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.get());
        self.free_at = Some(turn + place.max(self.time_for(bytes)));
        turn
    }

    fn owe(&mut self, bytes: u64) {
        let more = self.time_for(bytes);
        self.free_at = self.free_at.map(|free| free + more);
    }

    /// At most a day: a wrong size must not stop a source for ever.
    fn time_for(&self, bytes: u64) -> Duration {
        const DAY_SECONDS: u64 = 86_400;
        let Some(rate) = self.rates.bytes_per_second else { return Duration::ZERO };
        let millis = u128::from(bytes) * 1_000 / u128::from(rate.get());
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        Duration::from_millis(millis.min(DAY_SECONDS * 1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::{NonZeroU32, NonZeroU64};

    fn pace(bytes: Option<u64>, objects: Option<u32>) -> Pace {
        let rates = Rates {
            bytes_per_second: bytes.and_then(NonZeroU64::new),
            objects_per_second: objects.and_then(NonZeroU32::new),
        };
        Pace { rates, free_at: None }
    }

    #[test]
    fn objects_come_no_faster_than_their_rate() {
        let (mut pace, now) = (pace(None, Some(4)), Instant::now());
        let turns: Vec<_> = (0..4).map(|_| (pace.turn(now, 9) - now).as_millis()).collect();
        assert_eq!(turns, [0, 250, 500, 750]);
    }

    #[test]
    fn bytes_are_paid_for_by_the_next_object() {
        let (mut pace, now) = (pace(Some(1_000), Some(10)), Instant::now());
        assert_eq!(pace.turn(now, 2_000), now);
        pace.owe(500);
        assert_eq!((pace.turn(now, 1) - now).as_millis(), 2_500);
        assert_eq!((pace.turn(now, 1) - now).as_millis(), 2_600, "the slower rate counts");
    }

    #[test]
    fn a_pause_is_not_saved_up_and_a_monstrous_size_ends() {
        let (mut pace, now) = (pace(Some(1), None), Instant::now());
        pace.turn(now, 1);
        let later = now + Duration::from_secs(60);
        assert_eq!(pace.turn(later, u64::MAX), later);
        assert_eq!((pace.turn(later, 0) - later).as_secs(), 86_400);
    }
}
