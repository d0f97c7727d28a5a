//! The log and its outlets as facts.

use super::date;
use audit::anchor::AnchorFile;
use audit::{Log, LogError, OutletKind, Outside, Query, outside};
use comply::{Fact, FactSource, SourceFailure};
use inventory::KnownBy;
use kernel::actions::CheckRun;
use kernel::{Permit, Timestamp};
use std::path::PathBuf;
use store::Store;

/// Words of actions that checks ask for.
const WORDS: [&str; 3] = ["access.signed-in", "access.enrolled", "access.first-administrator"];

/// Facts of kinds `log` and `log-sink`, observed: we write it ourselves.
#[derive(Debug)]
pub struct LogFacts {
    log: Log,
    store: Store,
    anchor: PathBuf,
}

impl LogFacts {
    /// Reads the log, its outlets in the store, and the anchor outside it.
    #[must_use]
    pub const fn new(log: Log, store: Store, anchor: PathBuf) -> Self {
        Self { log, store, anchor }
    }

    /// Whether the stored events still make the head that checkpoints are signed for.
    fn verifies(&self) -> Result<bool, LogError> {
        let head = self.log.head();
        Ok(self.log.root_at(head.size)? == head.root)
    }

    /// Whether the anchor is there and the log continues it.
    fn continues_anchor(&self) -> bool {
        let Ok(Some(anchored)) = AnchorFile::at(self.anchor.clone()).read() else { return false };
        let same_life = anchored.incarnation == self.log.head().incarnation;
        same_life && self.log.root_at(anchored.size).is_ok_and(|root| root == anchored.root)
    }

    /// Which of the words stand in the log.
    fn words(&self) -> Result<Vec<&'static str>, LogError> {
        let mut found = Vec::new();
        for word in WORDS {
            let mut query = Query { action: Some(word.to_owned()), ..Query::default() };
            loop {
                let page = self.log.query(&query, 1)?;
                if !page.events.is_empty() {
                    found.push(word);
                    break;
                }
                query.before = page.next;
                if page.next.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    fn read(&self, now: Timestamp) -> Result<Vec<Fact>, LogError> {
        let outside = outside(&self.store)?;
        let verified = self.verifies()?;
        let log = of_log(&outside, self.log.head().size, verified, now)
            .with("anchor_current", self.continues_anchor())
            .with("words", self.words()?);
        let mut facts = vec![log];
        facts.extend(of_sinks(&outside, self.log.head().size, now));
        Ok(facts)
    }
}

impl FactSource for LogFacts {
    fn kinds(&self) -> &[&'static str] {
        &["log", "log-sink"]
    }

    fn facts(&self, _: &Permit<CheckRun>, now: Timestamp) -> Result<Vec<Fact>, SourceFailure> {
        self.read(now).map_err(|_| SourceFailure::Unavailable)
    }
}

fn of_log(outside: &Outside, size: u64, verified: bool, now: Timestamp) -> Fact {
    let entries = i64::try_from(size).unwrap_or(i64::MAX);
    Fact::new("log", "log:installation", KnownBy::Observed, now)
        .with("entries", entries)
        .with("verified", verified)
        .with("verified_at", now.rfc3339())
        .with("checkpoint_delivered_at", date(outside.last_delivery().map(|(_, left)| left.at)))
        .with("witness_at", date(outside.last_witness().map(|(_, left)| left.at)))
}

/// A sink that has everything lags by nothing; one that is behind lags since its last success.
fn of_sinks(outside: &Outside, size: u64, now: Timestamp) -> Vec<Fact> {
    let sinks = outside.outlets.iter().filter(|(_, outlet)| outlet.kind == OutletKind::Syslog);
    sinks
        .map(|(name, outlet)| {
            let behind = outlet.next().0 < size;
            let since = outlet.left.as_ref().map_or(Timestamp::EPOCH, |left| left.at);
            let lag = if behind { now.seconds_since(since).max(0) } else { 0 };
            Fact::new("log-sink", format!("log-sink:{name}"), KnownBy::Observed, now)
                .with("name", name.as_str())
                .with("connected", outlet.left.is_some() && outlet.failed.is_none())
                .with("lag_seconds", lag)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use audit::Outlet;
    use audit::outlet::{Failed, Left};
    use comply::Vocabulary;

    fn outside_with(kind: OutletKind, size: u64, failed: bool) -> Outside {
        let at = Timestamp::EPOCH.plus_seconds(100);
        let mut outlet = Outlet::new(kind, "somewhere");
        outlet.left = Some(Left { size, at });
        outlet.failed = failed.then(|| Failed { at, reason: "no route".to_owned() });
        Outside { outlets: vec![("one".to_owned(), outlet)] }
    }

    #[test]
    fn the_log_and_its_sinks_say_what_the_vocabulary_asks() {
        let vocabulary = Vocabulary::builtin().unwrap();
        let now = Timestamp::EPOCH.plus_seconds(400);
        for outside in [Outside::default(), outside_with(OutletKind::Witness, 7, false)] {
            let log = of_log(&outside, 7, true, now)
                .with("anchor_current", true)
                .with("words", WORDS.to_vec());
            assert_eq!(vocabulary.defect(&log), None);
        }
        let sinks = of_sinks(&outside_with(OutletKind::Syslog, 7, false), 7, now);
        assert_eq!(vocabulary.defect(&sinks[0]), None);
    }

    #[test]
    fn a_witness_that_never_signed_is_no_date() {
        let log = of_log(&Outside::default(), 7, true, Timestamp::EPOCH);
        assert_eq!(log.attributes["witness_at"], "");
        let seen = outside_with(OutletKind::Witness, 7, false);
        let log = of_log(&seen, 7, true, Timestamp::EPOCH);
        assert_eq!(log.attributes["witness_at"], "1970-01-01T00:01:40Z");
        assert_eq!(log.attributes["checkpoint_delivered_at"], "");
    }

    #[test]
    fn a_sink_that_is_behind_lags_since_its_last_success() {
        let now = Timestamp::EPOCH.plus_seconds(400);
        let lag = |size, failed| {
            let sinks = of_sinks(&outside_with(OutletKind::Syslog, size, failed), 7, now);
            let told = &sinks[0].attributes;
            (told["connected"] == true, told["lag_seconds"].as_i64())
        };
        assert_eq!(lag(7, false), (true, Some(0)));
        assert_eq!(lag(6, true), (false, Some(300)));
    }
}
