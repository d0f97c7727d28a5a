//! A scan under way: counters that its page has not committed yet, the wish to stop, the rate.

use crate::looks::Tally;
use crate::scan::{Expected, Live, Progress};
use kernel::{Clock, MonotonicMicros};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Why a scan stops before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody cancelled it.
    Cancelled,
    /// The server stops; it goes on at the next start.
    Closing,
}

/// What everybody may know of a running scan.
#[derive(Debug)]
pub(crate) struct Running {
    began: MonotonicMicros,
    /// What was durable when it began or went on.
    before: Progress,
    objects: AtomicU64,
    bytes: AtomicU64,
    expected: Mutex<Expected>,
    cancelled: AtomicBool,
    closing: AtomicBool,
    told: tokio::sync::Notify,
}

impl Running {
    pub(crate) fn new(clock: &dyn Clock, before: Progress) -> Self {
        Self {
            began: clock.monotonic(),
            before,
            objects: AtomicU64::new(before.objects),
            bytes: AtomicU64::new(before.bytes),
            expected: Mutex::new(Expected::default()),
            cancelled: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            told: tokio::sync::Notify::new(),
        }
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.told.notify_waiters();
    }

    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.told.notify_waiters();
    }

    pub(crate) fn stop(&self) -> Option<Stop> {
        if self.cancelled.load(Ordering::SeqCst) {
            return Some(Stop::Cancelled);
        }
        self.closing.load(Ordering::SeqCst).then_some(Stop::Closing)
    }

    /// Waits until somebody wants it to stop.
    pub(crate) async fn stopped(&self) {
        loop {
            let told = self.told.notified();
            if self.stop().is_some() {
                return;
            }
            told.await;
        }
    }

    /// Bytes since it began or went on.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed).saturating_sub(self.before.bytes)
    }

    pub(crate) fn elapsed_micros(&self, clock: &dyn Clock) -> u64 {
        clock.monotonic().0.saturating_sub(self.began.0)
    }

    pub(crate) fn expect(&self, expected: Expected) {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = expected;
    }

    pub(crate) fn live(&self, clock: &dyn Clock) -> Live {
        let (objects, bytes) =
            (self.objects.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        let expected = *self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let micros = self.elapsed_micros(clock).max(1);
        let fresh_objects = objects.saturating_sub(self.before.objects);
        let fresh_bytes = bytes.saturating_sub(self.before.bytes);
        let left = expected.objects.saturating_sub(objects);
        let counted = expected.complete && fresh_objects > 0;
        // In whole numbers: objects left times the time that one has taken.
        let needed = u128::from(micros) * u128::from(left) / u128::from(fresh_objects.max(1));
        let seconds_left = u64::try_from(needed / 1_000_000).ok().filter(|_| counted);
        Live {
            objects,
            bytes,
            expected,
            objects_per_second: rate(fresh_objects, micros),
            bytes_per_second: rate(fresh_bytes, micros),
            seconds_left,
            cancelling: self.stop() == Some(Stop::Cancelled),
        }
    }
}

impl Tally for Running {
    fn bytes_done(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn object_done(&self) {
        self.objects.fetch_add(1, Ordering::Relaxed);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is shown with three figures")]
fn rate(count: u64, micros: u64) -> f64 {
    count as f64 * 1e6 / micros as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{HeldClock, Timestamp};

    #[test]
    fn rate_and_time_left_follow_what_was_done_since_it_went_on() {
        let clock = HeldClock::at(Timestamp::EPOCH);
        let before = Progress { objects: 100, bytes: 1_000, ..Progress::default() };
        let running = Running::new(&clock, before);
        assert_eq!(running.live(&clock).seconds_left, None, "nothing is known yet");
        running.expect(Expected { objects: 400, bytes: 9_000, complete: true });
        for _ in 0..100 {
            running.object_done();
            running.bytes_done(10);
        }
        clock.advance_millis(10_000);
        let live = running.live(&clock);
        assert_eq!((live.objects, live.bytes), (200, 2_000));
        assert!((live.objects_per_second - 10.0).abs() < 0.01);
        assert_eq!(live.seconds_left, Some(20));
    }

    #[test]
    fn a_cancelled_scan_is_not_a_server_that_closes() {
        let running = Running::new(&HeldClock::at(Timestamp::EPOCH), Progress::default());
        assert_eq!(running.stop(), None);
        running.close();
        assert_eq!(running.stop(), Some(Stop::Closing));
        running.cancel();
        assert_eq!(running.stop(), Some(Stop::Cancelled));
    }
}
