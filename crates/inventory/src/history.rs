//! What was true when: spans that follow each other and never overlap.

use crate::KnownBy;
use kernel::{Name, Timestamp};
use serde::{Deserialize, Serialize};

/// Most spans that one thing keeps: a change a day for five years. Sources publish what is stable
/// (a tier, an owner), not what moves by itself (an age).
pub const HISTORY_SPANS_MAX: usize = 2_000;

/// A thing has changed as often as its record can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than 2,000 changes of one thing; publish only what is stable")]
pub struct HistoryFull;

/// What was known from one instant until before another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Span<T> {
    /// From when we knew it.
    pub from: Timestamp,
    /// Until before when; none while it still holds.
    pub to: Option<Timestamp>,
    /// How it is known.
    pub known_by: KnownBy,
    /// Who says so: a slice, a connector, a file that was imported.
    pub source: Name,
    /// What.
    pub value: T,
}

/// The spans of one thing, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History<T>(Vec<Span<T>>);

impl<T> Default for History<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> History<T> {
    /// Writes down what holds from `at` on; says whether that is a change.
    ///
    /// Time never runs backwards here: an `at` before the newest change counts as that change's
    /// time, and of two values at one microsecond the later word stands.
    ///
    /// # Errors
    /// When the history is full.
    pub fn record(
        &mut self,
        at: Timestamp,
        known_by: KnownBy,
        source: &Name,
        value: T,
    ) -> Result<bool, HistoryFull> {
        let at = self.not_before(at);
        if let Some(last) = self.0.last_mut().filter(|last| last.to.is_none()) {
            if last.value == value && last.known_by == known_by && last.source == *source {
                return Ok(false);
            }
            if last.from == at {
                *last = Span { from: at, to: None, known_by, source: source.clone(), value };
                return Ok(true);
            }
        }
        if self.0.len() >= HISTORY_SPANS_MAX {
            return Err(HistoryFull);
        }
        self.end(at);
        self.0.push(Span { from: at, to: None, known_by, source: source.clone(), value });
        Ok(true)
    }

    /// Writes down that the thing is gone from `at` on; says whether that is a change.
    pub fn end(&mut self, at: Timestamp) -> bool {
        let at = self.not_before(at);
        match self.0.last_mut() {
            Some(last) if last.to.is_none() => {
                last.to = Some(at);
                true
            }
            _ => false,
        }
    }

    fn not_before(&self, at: Timestamp) -> Timestamp {
        self.0.last().map_or(at, |last| last.to.unwrap_or(last.from).max(at))
    }
}

impl<T> History<T> {
    /// What was known at an instant.
    #[must_use]
    pub fn as_of(&self, at: Timestamp) -> Option<&Span<T>> {
        let after = self.0.partition_point(|span| span.from <= at);
        let span = after.checked_sub(1).and_then(|i| self.0.get(i))?;
        span.to.is_none_or(|to| at < to).then_some(span)
    }

    /// What holds now.
    #[must_use]
    pub fn current(&self) -> Option<&Span<T>> {
        self.0.last().filter(|span| span.to.is_none())
    }

    /// Every span, oldest first.
    pub fn spans(&self) -> impl DoubleEndedIterator<Item = &Span<T>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(n: i64) -> Timestamp {
        Timestamp::from_unix_micros(n)
    }

    fn source() -> Name {
        "test".parse().unwrap()
    }

    #[test]
    fn the_same_word_twice_is_no_change() {
        let mut history = History::default();
        assert_eq!(history.record(at(1), KnownBy::Observed, &source(), 7), Ok(true));
        assert_eq!(history.record(at(5), KnownBy::Observed, &source(), 7), Ok(false));
        assert_eq!(history.current().map(|s| s.from), Some(at(1)));
        assert_eq!(history.record(at(6), KnownBy::Declared, &source(), 7), Ok(true));
    }

    #[test]
    fn a_full_history_says_so_and_keeps_what_it_has() {
        let mut history = History::default();
        for n in 0..HISTORY_SPANS_MAX {
            let n = i64::try_from(n).unwrap();
            history.record(at(n), KnownBy::Observed, &source(), n).unwrap();
        }
        let before = history.clone();
        let more = history.record(at(9_999), KnownBy::Observed, &source(), -1);
        assert_eq!(more, Err(HistoryFull));
        assert_eq!(history, before);
    }

    proptest! {
        /// The model: a list of (time, value or gone), of which the last at or before `t` counts.
        #[test]
        fn any_instant_can_be_asked_again(
            steps in proptest::collection::vec((0i64..50, proptest::option::of(0u8..4)), 1..40),
        ) {
            let mut history = History::default();
            let mut model: Vec<(i64, Option<u8>)> = Vec::new();
            let mut clock = 0;
            for (time, value) in steps {
                let changed = match value {
                    Some(value) => {
                        history.record(at(time), KnownBy::Observed, &source(), value).unwrap()
                    }
                    None => history.end(at(time)),
                };
                // What changed nothing leaves no trace, so that it does not hold time back either.
                if changed {
                    clock = clock.max(time);
                    model.push((clock, value));
                }
                for t in 0..=clock {
                    let expected = model.iter().rev().find(|(when, _)| *when <= t);
                    let expected = expected.and_then(|(_, value)| *value);
                    prop_assert_eq!(history.as_of(at(t)).map(|s| s.value), expected, "t={}", t);
                }
            }
            let spans: Vec<_> = history.spans().collect();
            for pair in spans.windows(2) {
                prop_assert!(pair[0].to.is_some_and(|to| to <= pair[1].from));
            }
        }
    }
}
