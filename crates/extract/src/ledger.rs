//! What one part holds: hits counted by kind, columns with their verdicts, and masked samples.
//!
//! An identity card number and a name are never shown in the samples of one part: the code of
//! practice of the Privacy Commissioner forbids showing them together, and whoever reads samples
//! line by line would put them together again.

use crate::columns::Columns;
use crate::locate::Locator;
use crate::settings::Detectors;
use crate::{ColumnFinding, KindCount, KindName, Sample, fingerprint};
use detect::Columns as Seen;
use detect::{Confidence, Hit, Kind, Layout, mask};
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

/// Different values of one kind that are told apart in one part; a bank has more customers, but
/// whether a copy holds a hundred or a hundred thousand of them is what matters.
pub const DISTINCT_MAX: usize = 100_000;

/// The counts of one part.
pub(crate) struct Ledger {
    detectors: Arc<Detectors>,
    tallies: BTreeMap<Kind, Tally>,
    columns: Columns,
    hasher: RandomState,
    /// Only what a word or a check confirms counts, and as likely: chance finds in bytes that are
    /// no text.
    conservative: bool,
    text_bytes: u64,
}

#[derive(Default)]
struct Tally {
    sure: u64,
    likely: u64,
    distinct: HashSet<u64>,
    ignored: u64,
    samples: Vec<Sample>,
}

impl Ledger {
    pub(crate) fn new(detectors: &Arc<Detectors>, columns_max: usize) -> Self {
        Self {
            detectors: Arc::clone(detectors),
            tallies: BTreeMap::new(),
            columns: Columns::new(columns_max),
            hasher: RandomState::new(),
            conservative: false,
            text_bytes: 0,
        }
    }

    /// A ledger of bytes that are no text.
    pub(crate) const fn conservative(mut self) -> Self {
        self.conservative = true;
        self
    }

    /// What comes now is another table than what came before.
    pub(crate) const fn next_table(&mut self) {
        self.columns.next_table();
    }

    /// Columns of one table that are judged.
    pub(crate) const fn columns_max(&self) -> usize {
        self.columns.columns_max
    }

    /// Bytes of text that were looked at.
    pub(crate) const fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// Scans a passage that has no table.
    pub(crate) fn look_at_passage(&mut self, text: &[u8], at: &str) {
        let seen = &mut Seen::default();
        self.look(text, Layout::Prose, 0..text.len(), Locator::Fixed(at), seen);
    }

    /// Scans a text and counts the hits that begin in the range; the rest was counted before or
    /// will be. Its columns are those that were seen in earlier pieces.
    pub(crate) fn look(
        &mut self,
        text: &[u8],
        layout: Layout,
        counted: Range<usize>,
        mut locator: Locator<'_>,
        seen: &mut Seen,
    ) {
        self.text_bytes += counted.len() as u64;
        let detectors = Arc::clone(&self.detectors);
        let found = detectors.scan(text, layout, seen);
        self.columns.judge(&found, |kind| detectors.wants(kind));
        for hit in found.hits.iter().filter(|hit| counted.contains(&hit.start)) {
            let value = text.get(hit.start..hit.end).unwrap_or_default();
            self.count(*hit, value, &mut locator);
        }
    }

    fn count(&mut self, hit: Hit, value: &[u8], locator: &mut Locator<'_>) {
        let sure = hit.confidence == Confidence::Sure;
        if self.conservative && !sure {
            return;
        }
        let tally = self.tallies.entry(hit.kind).or_default();
        if self.detectors.ignores(hit.kind, value) {
            tally.ignored += 1;
            return;
        }
        if sure && !self.conservative {
            tally.sure += 1;
        } else {
            tally.likely += 1;
        }
        let samples_full = tally.samples.len() >= self.detectors.samples;
        if samples_full && tally.distinct.len() >= DISTINCT_MAX {
            return;
        }
        let value_hash = self.hasher.hash_one(fingerprint::normal(hit.kind, value));
        let fresh = tally.distinct.len() < DISTINCT_MAX && tally.distinct.insert(value_hash);
        if fresh && !samples_full {
            tally.samples.push(Sample {
                masked: mask(hit.kind, &String::from_utf8_lossy(value)),
                at: locator.at(hit.start),
                fingerprint: self.detectors.keyed.fingerprint(hit.kind, value),
            });
        }
    }

    /// What the part holds, as it may be told.
    pub(crate) fn finish(self) -> (Vec<KindCount>, Vec<ColumnFinding>) {
        let card = self.tallies.get(&Kind::HongKongIdentityCard);
        let card_shown = card.is_some_and(|tally| !tally.samples.is_empty());
        let kinds = self.tallies.into_iter().map(|(kind, tally)| {
            let hidden = kind == Kind::PersonName && card_shown;
            KindCount {
                kind: KindName(kind),
                sure: tally.sure,
                likely: tally.likely,
                distinct: tally.distinct.len() as u64,
                ignored: tally.ignored,
                samples: if hidden { Vec::new() } else { tally.samples },
            }
        });
        (kinds.collect(), self.columns.finish())
    }
}
