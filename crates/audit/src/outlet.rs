//! Outlets: the ways by which checkpoints and events leave the house, and how far each has come.
//!
//! Their state lies in the store, so that a sink goes on where it stopped and a report can say when
//! a checkpoint was last seen by somebody else, or that this never happened.

use crate::cosign::Cosigned;
use crate::log::LogError;
use kernel::{Clock, LogPosition, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use store::{Batch, Collection, Expect, KeyRange, Store};

/// Most outlets of one installation.
pub const OUTLETS_MAX: usize = 32;
/// Longest reason of a failure that is kept, in characters.
const REASON_CHARS_MAX: usize = 300;
/// Most checkpoints that an outlet remembers to have brought out: as many as one pack continues.
pub const SENT_MAX: usize = 256;
/// The newest of them, which are all remembered; of those before, the last of each day is.
const SENT_NEWEST_MAX: usize = 64;

/// The kinds of outlet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutletKind {
    /// Checkpoints as files in a folder.
    Folder,
    /// Checkpoints posted to an address.
    Webhook,
    /// Checkpoints cosigned by a witness.
    Witness,
    /// Events as syslog messages.
    Syslog,
}

/// What left the house last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Left {
    /// The size of the checkpoint, or the position after the last event.
    pub size: u64,
    /// When; for a witness by its own clock.
    pub at: Timestamp,
}

/// What went wrong last, since the last success.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// How far an outlet has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outlet {
    /// Its kind.
    pub kind: OutletKind,
    /// Where it leads: a path or an address.
    pub to: String,
    /// The last success; none says that nothing has ever left by it.
    pub left: Option<Left>,
    /// The last failure, if it came after the last success.
    pub failed: Option<Failed>,
    /// For a witness: the newest checkpoint with its cosignature.
    #[serde(default)]
    pub cosigned: Option<String>,
    /// Checkpoints that left by it, oldest first, the newest among them: the newest 64, and of
    /// those before the last of each day (UTC), 256 in all. Empty for events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<Left>,
}

impl Outlet {
    /// An outlet by which nothing has left yet.
    #[must_use]
    pub fn new(kind: OutletKind, to: impl fmt::Display) -> Self {
        Self {
            kind,
            to: to.to_string(),
            left: None,
            failed: None,
            cosigned: None,
            sent: Vec::new(),
        }
    }

    /// Where the next event or checkpoint comes from.
    #[must_use]
    pub fn next(&self) -> LogPosition {
        LogPosition(self.left.as_ref().map_or(0, |left| left.size))
    }

    pub(crate) fn succeeded(&mut self, size: u64, at: Timestamp) {
        let left = Left { size, at };
        if self.kind != OutletKind::Syslog && self.sent.last().is_none_or(|last| last.size < size) {
            self.sent.push(left.clone());
            thin(&mut self.sent);
        }
        self.left = Some(left);
        self.failed = None;
    }

    pub(crate) fn cosigned(&mut self, cosigned: &Cosigned) {
        self.succeeded(cosigned.size, cosigned.at);
        self.cosigned = Some(cosigned.note.to_string());
    }

    pub(crate) fn failed(&mut self, cause: &dyn std::error::Error, clock: &dyn Clock) {
        let mut reason = cause.to_string();
        let mut source = cause.source();
        while let Some(cause) = source {
            reason = format!("{reason}: {cause}");
            source = cause.source();
        }
        let reason = reason.chars().take(REASON_CHARS_MAX).collect();
        self.failed = Some(Failed { at: clock.wall(), reason });
    }
}

/// Leaves the newest, and of those before the last of each day.
fn thin(sent: &mut Vec<Left>) {
    let before = sent.len().saturating_sub(SENT_NEWEST_MAX);
    let day = |left: &Left| left.at.unix_seconds().div_euclid(86_400);
    let days: Vec<i64> = sent.iter().map(day).collect();
    let mut days = days.windows(2).enumerate();
    sent.retain(|_| match days.next() {
        Some((i, [this, next])) => i >= before || this != next,
        _ => true,
    });
    let over = sent.len().saturating_sub(SENT_MAX);
    sent.drain(..over);
}

/// The outlets as records of the store, by name.
#[derive(Debug)]
pub enum Outlets {}

impl Collection for Outlets {
    const NAME: &'static str = "log-outlets";
    type Key = String;
    type Value = Outlet;
}

/// Where checkpoints have gone: what a report prints beside its own checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outside {
    /// Every outlet with its name.
    pub outlets: Vec<(String, Outlet)>,
}

impl Outside {
    /// The newest cosignature of a witness; `None`: there is none.
    #[must_use]
    pub fn last_witness(&self) -> Option<(&str, &Left)> {
        self.newest(|kind| kind == OutletKind::Witness)
    }

    /// The newest checkpoint that was delivered to a folder or a webhook; `None`: there is none.
    #[must_use]
    pub fn last_delivery(&self) -> Option<(&str, &Left)> {
        self.newest(|kind| matches!(kind, OutletKind::Folder | OutletKind::Webhook))
    }

    /// The newest checkpoint of all that a witness cosigned, as it came back; `None`: there is
    /// none.
    #[must_use]
    pub fn last_cosigned(&self) -> Option<&str> {
        let (name, _) = self.last_witness()?;
        let (_, outlet) = self.outlets.iter().find(|(known, _)| known == name)?;
        outlet.cosigned.as_deref()
    }

    /// The sizes of checkpoints that left the house, each once, smallest first: what somebody
    /// outside may hold, and a pack should continue.
    #[must_use]
    pub fn sizes(&self) -> BTreeSet<u64> {
        self.outlets.iter().flat_map(|(_, outlet)| &outlet.sent).map(|left| left.size).collect()
    }

    fn newest(&self, of: impl Fn(OutletKind) -> bool) -> Option<(&str, &Left)> {
        let lefts = self.outlets.iter().filter(|(_, outlet)| of(outlet.kind));
        let lefts = lefts.filter_map(|(name, o)| Some((name.as_str(), o.left.as_ref()?)));
        lefts.max_by_key(|(_, left)| (left.size, left.at))
    }
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last_witness() {
            Some((name, left)) => {
                write!(f, "last witness `{name}` at {} (size {})", left.at, left.size)?;
            }
            None => f.write_str("no witness has seen this log")?,
        }
        match self.last_delivery() {
            Some((name, left)) => {
                write!(f, "; last delivery `{name}` at {} (size {})", left.at, left.size)
            }
            None => f.write_str("; no checkpoint was delivered"),
        }
    }
}

/// Every outlet and how far it has come.
///
/// # Errors
/// When the store cannot read.
pub fn outside(store: &Store) -> Result<Outside, LogError> {
    let records = store.scan::<Outlets>(&KeyRange::all(), OUTLETS_MAX)?;
    Ok(Outside { outlets: records.into_iter().map(|r| (r.key, r.value)).collect() })
}

/// The state of one outlet, fresh when it is not known or leads elsewhere than before.
pub(crate) fn recall(
    store: &Store,
    name: &str,
    kind: OutletKind,
    to: &dyn fmt::Display,
) -> Result<Outlet, LogError> {
    let fresh = Outlet::new(kind, to);
    let known = store.get::<Outlets>(&name.to_owned())?.map(|record| record.value);
    Ok(known.filter(|known| known.kind == kind && known.to == fresh.to).unwrap_or(fresh))
}

/// Keeps the state of one outlet, durably.
pub(crate) async fn remember(store: &Store, name: &str, outlet: &Outlet) -> Result<(), LogError> {
    let batch = Batch::new().put::<Outlets>(&name.to_owned(), outlet, Expect::Any);
    store.commit(batch).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_and_of_those_before_the_last_of_each_day() {
        let mut outlet = Outlet::new(OutletKind::Folder, "there");
        for hour in 0..24 * 400i64 {
            outlet.succeeded(hour.unsigned_abs() + 1, Timestamp::EPOCH.plus_seconds(hour * 3_600));
        }
        assert_eq!(outlet.sent.len(), SENT_MAX);
        let newest: Vec<u64> = outlet.sent.iter().rev().take(64).map(|left| left.size).collect();
        assert_eq!(newest, (9_537..=9_600).rev().collect::<Vec<_>>());
        let before = outlet.sent.iter().rev().skip(64).map(|left| left.size);
        assert!(before.clone().all(|size| size % 24 == 0 && size < 9_537));
        assert_eq!(before.max(), Some(9_528));
    }

    #[test]
    fn the_same_checkpoint_twice_is_remembered_once_and_events_are_not_checkpoints() {
        let mut folder = Outlet::new(OutletKind::Folder, "there");
        folder.succeeded(5, Timestamp::EPOCH);
        folder.succeeded(5, Timestamp::EPOCH.plus_days(1));
        let mut syslog = Outlet::new(OutletKind::Syslog, "there");
        syslog.succeeded(9, Timestamp::EPOCH);
        let outlets = [("a", folder), ("b", syslog)].map(|(name, o)| (name.to_owned(), o));
        let outside = Outside { outlets: outlets.into() };
        assert_eq!(outside.sizes().into_iter().collect::<Vec<_>>(), [5]);
    }
}
