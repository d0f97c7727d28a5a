//! Outlets: the ways by which checkpoints and events leave the house, and how far each has come.
//!
//! Their state lies in the store, so that a sink goes on where it stopped and a report can say when
//! a checkpoint was last seen by somebody else, or that this never happened.

use crate::cosign::Cosigned;
use crate::log::LogError;
use kernel::{Clock, LogPosition, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use store::{Batch, Collection, Expect, KeyRange, Store};

/// Most outlets of one installation.
pub const OUTLETS_MAX: usize = 32;
/// Longest reason of a failure that is kept, in characters.
const REASON_CHARS_MAX: usize = 300;

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
}

impl Outlet {
    /// An outlet by which nothing has left yet.
    #[must_use]
    pub fn new(kind: OutletKind, to: impl fmt::Display) -> Self {
        Self { kind, to: to.to_string(), left: None, failed: None, cosigned: None }
    }

    /// Where the next event or checkpoint comes from.
    #[must_use]
    pub fn next(&self) -> LogPosition {
        LogPosition(self.left.as_ref().map_or(0, |left| left.size))
    }

    pub(crate) fn succeeded(&mut self, size: u64, at: Timestamp) {
        self.left = Some(Left { size, at });
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
