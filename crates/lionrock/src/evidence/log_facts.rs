//! The log and its outlets as facts. The log is hashed again from its events, not believed.

use audit::anchor::AnchorFile;
use audit::outlet::{Outlet, OutletKind, Outside, outside};
use audit::tree::Tip;
use audit::{Log, LogError, Query};
use comply::{Fact, FactSource, SourceFailure};
use inventory::KnownBy;
use kernel::actions::CheckRun;
use kernel::{LogPosition, Permit, Timestamp};
use std::collections::BTreeSet;
use std::path::PathBuf;
use store::Store;

/// Most events that one run hashes again: about a second. A longer log is verified from outside, by
/// its mirrors and witnesses, and this fact says that it was not verified here.
const EVENTS_HASHED_MAX: u64 = 200_000;
/// Days that the reading of access events looks back: what the check about them speaks of.
const ACCESS_DAYS: i64 = 30;
/// Access events that one query gives at a time.
const ACCESS_PAGE: usize = 1_000;
/// Most queries of one reading, each over at most 65,536 events: a million events and some, about
/// two seconds. A reading that ends there says how far it came.
const ACCESS_PAGES_MAX: usize = 16;

pub(super) struct LogFacts {
    pub(super) log: Log,
    pub(super) store: Store,
    pub(super) anchor: PathBuf,
}

impl FactSource for LogFacts {
    fn kinds(&self) -> &[&'static str] {
        &["log", "access-log", "log-sink"]
    }

    fn facts(&self, _: &Permit<CheckRun>, now: Timestamp) -> Result<Vec<Fact>, SourceFailure> {
        let outside = outside(&self.store).map_err(|_| SourceFailure::Unavailable)?;
        let mut facts = vec![self.log(&outside, now).map_err(|_| SourceFailure::Unavailable)?];
        facts.push(self.access(now).map_err(|_| SourceFailure::Unavailable)?);
        let sinks = outside.outlets.iter().filter(|(_, o)| o.kind == OutletKind::Syslog);
        facts.extend(sinks.map(|(name, outlet)| self.sink(name, outlet, now)));
        Ok(facts)
    }
}

impl LogFacts {
    fn log(&self, outside: &Outside, now: Timestamp) -> Result<Fact, LogError> {
        let head = self.log.head();
        let verified = self.hashes_to_its_root(head.size)?;
        let date = |at: Option<Timestamp>| at.map(Timestamp::rfc3339).unwrap_or_default();
        Ok(Fact::new("log", self.log.origin(), KnownBy::Observed, now)
            .with("entries", head.size)
            .with("verified", verified)
            .with("verified_at", date(verified.then_some(now)))
            .with("anchor_current", self.anchor_is_current())
            .with("checkpoint_delivered_at", date(outside.last_delivery().map(|(_, left)| left.at)))
            .with("witness_at", date(outside.last_witness().map(|(_, left)| left.at))))
    }

    /// Words of access events in the log, thirty days back, and how far back was looked.
    fn access(&self, now: Timestamp) -> Result<Fact, LogError> {
        let from = now.plus_days(-ACCESS_DAYS);
        let mut query =
            Query { action: Some("access.".into()), from: Some(from), ..Query::default() };
        let (mut words, mut since, mut whole) = (BTreeSet::new(), now, false);
        for _ in 0..ACCESS_PAGES_MAX {
            let page = self.log.query(&query, ACCESS_PAGE)?;
            words.extend(page.events.iter().map(|logged| logged.event.action.to_string()));
            let Some(next) = page.next else {
                (since, whole) = (from, true);
                break;
            };
            since = self.log.event(next)?.logged;
            query.before = Some(next);
        }
        Ok(Fact::new("access-log", self.log.origin(), KnownBy::Observed, now)
            .with("since", since.rfc3339())
            .with("whole", whole)
            .with("words", words.into_iter().collect::<Vec<_>>()))
    }

    /// Whether the events, hashed again, give the root that stands at this size.
    fn hashes_to_its_root(&self, size: u64) -> Result<bool, LogError> {
        if size > EVENTS_HASHED_MAX {
            return Ok(false);
        }
        let mut tree = Tip::new();
        let mut full = Vec::new();
        self.log.export(LogPosition(0), LogPosition(size), false, |line| {
            tree.push(line.leaf(), &mut full);
            full.clear();
            Ok(())
        })?;
        Ok(tree.root() == self.log.root_at(size)?)
    }

    /// Whether the anchor holds a head that the log has, and not one of another history.
    fn anchor_is_current(&self) -> bool {
        let Ok(Some(anchored)) = AnchorFile::at(self.anchor.clone()).read() else { return false };
        let same = |root| root == anchored.root;
        self.log.root_at(anchored.size).is_ok_and(same)
    }

    fn sink(&self, name: &str, outlet: &Outlet, now: Timestamp) -> Fact {
        let behind = outlet.next().0 < self.log.head().size;
        let since = outlet.left.as_ref().map_or(Timestamp::EPOCH, |left| left.at);
        let lag = if behind { now.seconds_since(since).max(0) } else { 0 };
        Fact::new("log-sink", name, KnownBy::Observed, now)
            .with("name", name)
            .with("connected", outlet.left.is_some() && outlet.failed.is_none())
            .with("lag_seconds", lag)
    }
}
