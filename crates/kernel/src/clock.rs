//! Time as a parameter. The only implementation that reads the machine's clock lives in the binary.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant in UTC, in microseconds since 1970, between the years 0001 and 9999.
/// ```
/// use kernel::Timestamp;
/// let signed = Timestamp::parse_rfc3339("2026-11-21T20:05:06+08:00").unwrap();
/// assert_eq!(signed.rfc3339(), "2026-11-21T12:05:06Z");
/// assert_eq!(signed.hong_kong_date(), "2026-11-21");
/// assert_eq!(signed.plus_days(1).seconds_since(signed), 86_400);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// Microseconds since the machine started; never goes back, says nothing about the date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonotonicMicros(pub u64);

/// Longest RFC 3339 text of ours: nine digits of a second, and `Z`.
const RFC3339_LEN_MAX: usize = 30;
const MICROS_MAX: i64 = 253_402_300_799_999_999;
const MICROS_MIN: i64 = -62_135_596_800_000_000;

impl Timestamp {
    /// 1 January 1970, 00:00 UTC.
    pub const EPOCH: Self = Self(0);

    /// The instant `micros` microseconds after 1970, held within the years 0001 to 9999.
    #[must_use]
    pub fn from_unix_micros(micros: i64) -> Self {
        Self(micros.clamp(MICROS_MIN, MICROS_MAX))
    }

    /// The instant `millis` milliseconds after 1970.
    #[must_use]
    pub fn from_unix_millis(millis: i64) -> Self {
        Self::from_unix_micros(millis.saturating_mul(1_000))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved by whole seconds (negative: earlier).
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_unix_micros(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// This instant moved by whole days of 24 hours.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Seconds from `earlier` to this instant; negative when it lies behind.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).div_euclid(1_000_000)
    }

    fn utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The instant in UTC as RFC 3339, such as `2026-11-21T04:05:06.789012Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.utc().format(&Rfc3339).unwrap_or_default()
    }

    /// The day in Hong Kong, such as `2026-11-21`.
    #[must_use]
    pub fn hong_kong_date(self) -> String {
        let t = self.utc().to_offset(time::macros::offset!(+8));
        format!("{:04}-{:02}-{:02}", t.year(), u8::from(t.month()), t.day())
    }

    /// Date and time in Hong Kong as people read it, such as `2026-11-21 12:05:06 HKT`.
    #[must_use]
    pub fn hong_kong(self) -> String {
        let t = self.utc().to_offset(time::macros::offset!(+8));
        format!("{} {:02}:{:02}:{:02} HKT", self.hong_kong_date(), t.hour(), t.minute(), t.second())
    }

    /// Reads RFC 3339 with any offset.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let t = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(t.unix_timestamp_nanos().div_euclid(1_000)).ok().map(Self::from_unix_micros)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; RFC3339_LEN_MAX];
        let mut rest = text.as_mut_slice();
        // What this counts is not always what it wrote.
        let _ = self.utc().format_into(&mut rest, &Rfc3339).map_err(|_| fmt::Error)?;
        let length = RFC3339_LEN_MAX - rest.len();
        let written = text.get(..length).and_then(|text| std::str::from_utf8(text).ok());
        f.write_str(written.ok_or(fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        crate::parsed::parsed(d, "a time such as 2026-11-21T04:05:06Z", |text| {
            Self::parse_rfc3339(text).ok_or("expected a time such as 2026-11-21T04:05:06Z")
        })
    }
}

/// Where time comes from. Deadlines use [`Clock::monotonic`], dates use [`Clock::wall`].
pub trait Clock: Send + Sync {
    /// The date and time that the machine believes in; may jump either way.
    fn wall(&self) -> Timestamp;
    /// Time since the machine started, sleep included; never goes back.
    fn monotonic(&self) -> MonotonicMicros;
}

/// A clock that stands still until it is told to move: for tests.
/// ```
/// use kernel::{Clock, HeldClock, Timestamp};
/// let clock = HeldClock::at(Timestamp::EPOCH);
/// clock.advance_millis(1_500);
/// assert_eq!(clock.wall().unix_millis(), 1_500);
/// // A wrong time server moves the date; the count since the start does not follow it.
/// let before = clock.monotonic();
/// clock.jump_wall_seconds(-3_600);
/// assert!(clock.wall() < Timestamp::EPOCH && clock.monotonic() == before);
/// ```
#[derive(Debug)]
pub struct HeldClock {
    wall: AtomicI64,
    monotonic: AtomicU64,
}

impl HeldClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self { wall: AtomicI64::new(now.0), monotonic: AtomicU64::new(1_000_000) }
    }

    /// Lets both hands move on.
    pub fn advance_millis(&self, millis: u32) {
        self.wall.fetch_add(i64::from(millis) * 1_000, Ordering::SeqCst);
        self.monotonic.fetch_add(u64::from(millis) * 1_000, Ordering::SeqCst);
    }

    /// Moves the wall clock alone, as a wrong time server or a hostile administrator would.
    pub fn jump_wall_seconds(&self, seconds: i64) {
        self.wall.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for HeldClock {
    fn wall(&self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::SeqCst))
    }
    fn monotonic(&self) -> MonotonicMicros {
        MonotonicMicros(self.monotonic.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_and_show_hong_kong() {
        let t = Timestamp::parse_rfc3339("2026-11-20T20:05:06.789012Z").unwrap();
        assert_eq!(t.rfc3339(), "2026-11-20T20:05:06.789012Z");
        for micros in [0, 1, 10, 500_000, 999_999, 1_790_000_000_123_456, MICROS_MAX, MICROS_MIN] {
            let t = Timestamp::from_unix_micros(micros);
            assert_eq!(t.to_string(), t.rfc3339());
            assert_eq!(serde_json::to_string(&t).unwrap(), format!("\"{}\"", t.rfc3339()));
        }
        assert_eq!(t.hong_kong(), "2026-11-21 04:05:06 HKT");
        assert_eq!(Timestamp::parse_rfc3339("2026-11-21T04:05:06.789012+08:00"), Some(t));
        assert_eq!(t.plus_days(1).seconds_since(t), 86_400);
    }

    #[test]
    fn times_out_of_range_are_held_within_it() {
        assert_eq!(Timestamp::from_unix_micros(i64::MAX).rfc3339(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::from_unix_micros(i64::MIN).rfc3339(), "0001-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_unix_micros(i64::MAX).plus_days(1).unix_micros(), MICROS_MAX);
    }

    #[test]
    fn nonsense_is_not_a_time() {
        for text in ["", "2026-11-21", "2026-13-01T00:00:00Z", "now", "2026-11-21T25:00:00Z"] {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
    }
}
