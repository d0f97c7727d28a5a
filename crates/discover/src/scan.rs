//! One scan of a source: what it has done so far, and how it is told.

use crate::class::Class;
use crate::lease::Tenure;
use extract::TroubleKind;
use kernel::{DomainId, Principal, ScanId, SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Troubles that a scan lists; all are counted.
pub const TROUBLES_LISTED_MAX: usize = 200;
/// Longest detail of a trouble, in characters.
pub(crate) const DETAIL_CHARS_MAX: usize = 300;

/// Where a scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScanState {
    /// It goes on; after a crash from its last committed page.
    Running,
    /// It saw everything.
    Done,
    /// Somebody stopped it; the next one skips what did not change.
    Cancelled,
    /// The source cannot go on.
    Failed,
}

impl ScanState {
    /// The word in records and on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// What a scan has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Objects that were listed.
    pub objects: u64,
    /// Objects that were skipped, because they had not changed.
    pub unchanged: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Bytes of text that were looked at.
    pub text_bytes: u64,
    /// Objects in which something was found, unchanged ones included.
    pub findings: u64,
    /// Objects that are gone since the pass before.
    pub gone: u64,
    /// Objects of which only a part could be looked at.
    pub partial: u64,
    /// Objects that could not be read.
    pub unreadable: u64,
    /// Places that could not be listed: what lies there counts as still there.
    pub unlisted: u64,
}

/// One thing that a scan could not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanTrouble {
    /// The object as it may be shown, and the way inside it.
    pub object: String,
    /// Why; `None` for a place that could not be listed.
    pub kind: Option<TroubleKind>,
    /// What the reader or the source said, nothing of the content.
    pub detail: String,
}

/// How much there is to do, as far as it was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Expected {
    /// Objects.
    pub objects: u64,
    /// Their bytes, where the source tells sizes.
    pub bytes: u64,
    /// Whether everything was counted.
    pub complete: bool,
}

/// A scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Its identifier.
    pub id: ScanId,
    /// What is scanned.
    pub source: SourceId,
    /// The key domain of the source.
    pub domain: DomainId,
    /// The how-many-th pass over the source it is.
    pub pass: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// Who began it: a person, or the installation on its schedule.
    pub started_by: Principal,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Where it stands.
    pub state: ScanState,
    /// Why it failed.
    pub failure: Option<String>,
    /// From where it goes on.
    pub(crate) cursor: Option<String>,
    /// What it has done, up to its last committed page.
    pub progress: Progress,
    /// What it could not do.
    pub troubles: Vec<ScanTrouble>,
    /// How many troubles there were, listed or not.
    pub troubles_total: u64,
    /// Objects by class when it ended: the points of a trend.
    pub classes: BTreeMap<Class, u64>,
    /// How often it went on after a crash or a stop of the server.
    pub resumed: u32,
    /// How often its source had been edited when it began.
    #[serde(default)]
    pub(crate) edits: u32,
    /// How far it is divided among those who look.
    #[serde(default)]
    pub(crate) work: Work,
}

/// How far a scan is listed and divided into partitions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Work {
    /// Whether everything was listed.
    pub(crate) listed: bool,
    /// Whose turn it is to list, where agents do.
    pub(crate) listing: Tenure,
    /// The number of the next partition: so many were made.
    pub(crate) next: u64,
    /// Partitions of which everything was reported.
    pub(crate) done: u64,
}

impl Scan {
    /// Whether it goes on.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state == ScanState::Running
    }

    pub(crate) fn trouble(&mut self, object: String, kind: Option<TroubleKind>, detail: &str) {
        self.troubles_total = self.troubles_total.saturating_add(1);
        if self.troubles.len() < TROUBLES_LISTED_MAX {
            let detail = detail.chars().take(DETAIL_CHARS_MAX).collect();
            self.troubles.push(ScanTrouble { object, kind, detail });
        }
    }
}

impl ScanView {
    /// The scan for the outside: without the place from which it goes on, which names an object.
    #[must_use]
    pub fn told(&self) -> serde_json::Value {
        let mut told = serde_json::to_value(self).unwrap_or_default();
        if let Some(told) = told.as_object_mut() {
            told.remove("cursor");
            told.remove("work");
            told.remove("edits");
        }
        told
    }
}

/// A scan as it is told: what is durable, and what is under way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScanView {
    /// What is durable.
    #[serde(flatten)]
    pub scan: Scan,
    /// What is under way; none when it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
}

/// What a running scan does now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Live {
    /// Objects done, those of the open page included.
    pub objects: u64,
    /// Bytes read, those of the open page included.
    pub bytes: u64,
    /// How much there is.
    pub expected: Expected,
    /// Objects a second since it began or went on.
    pub objects_per_second: f64,
    /// Bytes a second since it began or went on.
    pub bytes_per_second: f64,
    /// Seconds until it will be done, when everything was counted and something was done.
    pub seconds_left: Option<u64>,
    /// Somebody asked it to stop.
    pub cancelling: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles_are_counted_and_some_are_listed() {
        let mut scan = scan();
        for n in 0..=TROUBLES_LISTED_MAX {
            scan.trouble(n.to_string(), None, &"x".repeat(DETAIL_CHARS_MAX + 1));
        }
        assert_eq!(scan.troubles.len(), TROUBLES_LISTED_MAX);
        assert_eq!(scan.troubles_total, TROUBLES_LISTED_MAX as u64 + 1);
        assert_eq!(scan.troubles[0].detail.chars().count(), DETAIL_CHARS_MAX);
    }

    fn scan() -> Scan {
        Scan {
            id: ScanId::from_bytes([1; 16]),
            source: SourceId::from_bytes([2; 16]),
            domain: DomainId::SYSTEM,
            pass: 1,
            started_at: Timestamp::EPOCH,
            started_by: Principal::System,
            ended_at: None,
            state: ScanState::Running,
            failure: None,
            cursor: None,
            progress: Progress::default(),
            troubles: Vec::new(),
            troubles_total: 0,
            classes: BTreeMap::new(),
            resumed: 0,
            work: Work::default(),
            edits: 0,
        }
    }
}
