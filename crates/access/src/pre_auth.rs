//! Refusals of callers that nobody knows, summed up for each source and minute, so that a stranger
//! cannot fill the log.

use crate::throttle::source_of;
use kernel::{Event, Outcome, Timestamp};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Most sources told apart in one minute; the rest are counted together.
pub const SOURCES_MAX: usize = 1_024;

/// Why a caller was turned away before anybody knew who it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PreAuthRefusal {
    /// No proof was given.
    NoCredential,
    /// The token is unknown, expired or revoked.
    Token,
    /// The session is unknown or over.
    Session,
    /// The client certificate belongs to nobody.
    Certificate,
    /// Name and password do not go together.
    Password,
    /// The one-time link is unknown, used or over.
    Link,
    /// Too many attempts.
    TooMany,
}

impl PreAuthRefusal {
    const fn word(self) -> &'static str {
        match self {
            Self::NoCredential => "no-credential",
            Self::Token => "token",
            Self::Session => "session",
            Self::Certificate => "certificate",
            Self::Password => "password",
            Self::Link => "link",
            Self::TooMany => "too-many-attempts",
        }
    }
}

/// Counts of the current minute.
#[derive(Debug, Default)]
pub struct PreAuthRefusals {
    minute: i64,
    counts: BTreeMap<(Option<IpAddr>, PreAuthRefusal), u64>,
    sources: usize,
}

impl PreAuthRefusals {
    /// Counts one refusal; returns the events of the minute before when a new one has begun.
    pub fn count(
        &mut self,
        address: Option<IpAddr>,
        why: PreAuthRefusal,
        now: Timestamp,
    ) -> Vec<Event> {
        let ended = self.end_of_minute(now);
        let source = Some(source_of(address));
        let known = self.counts.range((source, PreAuthRefusal::NoCredential)..).next();
        let known = known.is_some_and(|((s, _), _)| *s == source);
        let source = if known {
            source
        } else if self.sources < SOURCES_MAX {
            self.sources += 1;
            source
        } else {
            None
        };
        let count = self.counts.entry((source, why)).or_insert(0);
        *count = count.saturating_add(1);
        ended
    }

    /// The events of the minute that has ended, if one has: call it once a minute and at the end.
    pub fn end_of_minute(&mut self, now: Timestamp) -> Vec<Event> {
        let minute = now.unix_seconds().div_euclid(60);
        if minute == self.minute {
            return Vec::new();
        }
        self.minute = minute;
        self.take(now)
    }

    /// Everything that was counted and not yet told, for a server that stops.
    pub fn take(&mut self, now: Timestamp) -> Vec<Event> {
        self.sources = 0;
        std::mem::take(&mut self.counts)
            .into_iter()
            .map(|((source, why), count)| {
                let mut event = Event::system("access.turned-away", now)
                    .with("why", why.word())
                    .with("count", count.to_string());
                event.outcome = Outcome::Refused("unauthenticated".into());
                match source {
                    Some(source) => event.with_personal("address", source.to_string()),
                    None => event.with("source", "many"),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_unix_millis(n * 60_000 + 1)
    }

    #[test]
    fn a_million_refusals_of_one_source_are_one_event() {
        let mut refusals = PreAuthRefusals::default();
        let from = Some("192.0.2.1".parse().unwrap());
        for _ in 0..1_000_000 {
            assert!(refusals.count(from, PreAuthRefusal::Token, minute(0)).is_empty());
        }
        let events = refusals.count(from, PreAuthRefusal::Token, minute(1));
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].detail("count"), Some("1000000"));
        assert_eq!(events[0].personal[0].1, "192.0.2.1");
        assert_eq!(refusals.take(minute(1))[0].detail("count"), Some("1"));
    }

    #[test]
    fn many_sources_are_counted_together_beyond_a_limit_and_none_is_lost() {
        let mut refusals = PreAuthRefusals::default();
        for n in 0..5_000u32 {
            let from = Some(IpAddr::V4(n.into()));
            assert!(refusals.count(from, PreAuthRefusal::Password, minute(0)).is_empty());
        }
        let events = refusals.end_of_minute(minute(1));
        assert_eq!(events.len(), SOURCES_MAX + 1);
        let total: u64 =
            events.iter().map(|e| e.detail("count").unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!(total, 5_000);
    }
}
