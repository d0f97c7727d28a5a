//! What was found in one object: its class with reasons, its risk with reasons, what was decided.

use crate::act::Act;
use crate::class::{Category, Class};
use crate::judgement::Judged;
use crate::profile::{Because, Profile, Tallies, Tally};
use crate::risk::{Circumstances, Risk, Safeguard};
use crate::sources::{Exposure, Object};
use detect::Kind;
use extract::{Coverage, Fingerprint, Format, Inspection, KindName};
use inventory::Place;
use kernel::{DomainId, FindingId, KeyId, Principal, ScanId, SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Samples of one kind that a finding keeps: enough to recognise a false find, no more.
pub(crate) const SAMPLES_MAX: usize = 5;
/// Columns that a finding keeps.
pub(crate) const COLUMNS_MAX: usize = 100;

/// One occurrence as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownSample {
    /// The value behind its mask.
    pub masked: String,
    /// Where in the object.
    pub at: String,
    /// Which value it is, without telling it.
    pub fingerprint: Fingerprint,
}

/// One kind that an object holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundKind {
    /// The kind.
    pub kind: KindName,
    /// What counts, false positives left out.
    pub tally: Tally,
    /// Occurrences that somebody said are none.
    pub set_aside: u64,
    /// A few of them, masked.
    pub samples: Vec<ShownSample>,
}

/// One column that holds something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundColumn {
    /// The way to its table inside the object.
    pub part: String,
    /// Its name; empty without a header.
    pub name: String,
    /// What it holds.
    pub kind: KindName,
    /// Cells looked at.
    pub cells: u64,
    /// Cells of the kind.
    pub matching: u64,
    /// With 95 % confidence at least this share is of the kind.
    pub share_at_least: f64,
}

/// A risk that somebody accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Who.
    pub by: Principal,
    /// When.
    pub at: Timestamp,
    /// Until when; afterwards the finding is open again.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// What we did with an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Handled {
    /// An act was begun; a crash in between is settled at the next start.
    Begun {
        /// Which.
        act: Act,
        /// When.
        at: Timestamp,
        /// By whom.
        by: Principal,
        /// Under which key, when it is to be encrypted.
        key: Option<KeyId>,
    },
    /// It lies in quarantine and can be brought back.
    Quarantined {
        /// When.
        at: Timestamp,
        /// By whom.
        by: Principal,
    },
    /// It is an envelope file under a key of ours now.
    Encrypted {
        /// When.
        at: Timestamp,
        /// By whom.
        by: Principal,
        /// The key.
        key: KeyId,
        /// The name of the envelope file in the source.
        object: String,
    },
    /// It was deleted.
    Deleted {
        /// When.
        at: Timestamp,
        /// By whom.
        by: Principal,
    },
}

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Somebody has to decide or act.
    Open,
    /// The risk is accepted for a time.
    Accepted,
    /// It is in quarantine or encrypted under a key of ours.
    Protected,
    /// All of it was said to be no find.
    FalsePositive,
    /// The object is gone, or holds nothing any more.
    Gone,
}

impl Standing {
    /// Every one, in order.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Accepted, Self::Protected, Self::FalsePositive, Self::Gone];

    /// The word in records and on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Protected => "protected",
            Self::FalsePositive => "false-positive",
            Self::Gone => "gone",
        }
    }

    /// The one of a word, if there is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// What was found in one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its identifier: the same for the same object of the same source.
    pub id: FindingId,
    /// The source.
    pub source: SourceId,
    /// The key domain of the source.
    pub domain: DomainId,
    /// The object's real name; never shown, see [`shown_name`].
    pub(crate) object: String,
    /// The outermost format.
    pub format: Format,
    /// Bytes that were read.
    pub bytes: u64,
    /// How much of it was looked at.
    pub coverage: Coverage,
    /// What it holds.
    pub kinds: Vec<FoundKind>,
    /// Columns that hold something.
    pub columns: Vec<FoundColumn>,
    /// How sensitive it is.
    pub class: Class,
    /// Under whose rules it falls.
    pub categories: Vec<Category>,
    /// Why that class.
    pub because: Vec<Because>,
    /// Who can reach it.
    pub exposure: Exposure,
    /// The score and its reasons.
    pub risk: Risk,
    /// When it was first found.
    pub first_seen: Timestamp,
    /// When it was last found.
    pub last_seen: Timestamp,
    /// The scan that last found it.
    pub scan: ScanId,
    /// Since when the object is gone or holds nothing.
    pub gone: Option<Timestamp>,
    /// Whether all of it was said to be no find.
    pub false_positive: bool,
    /// A risk that is accepted.
    pub accepted: Option<Acceptance>,
    /// What we did with it.
    pub handled: Option<Handled>,
}

/// What a look into an object is judged with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) judged: &'a Judged,
    pub(crate) place: &'a Place,
}

impl Finding {
    /// The object's name as it may be shown.
    #[must_use]
    pub fn shown(&self) -> String {
        shown_name(&self.object)
    }

    /// What it holds, by kind, false positives left out.
    #[must_use]
    pub fn tallies(&self) -> Tallies {
        self.kinds.iter().map(|found| (found.kind, found.tally)).collect()
    }

    /// Where it stands. Whether an acceptance has run out is settled by [`Finding::expire`].
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match &self.handled {
            Some(Handled::Deleted { .. }) => return Standing::Gone,
            Some(Handled::Quarantined { .. } | Handled::Encrypted { .. }) => {
                return Standing::Protected;
            }
            Some(Handled::Begun { .. }) | None => {}
        }
        if self.gone.is_some() {
            Standing::Gone
        } else if self.false_positive {
            Standing::FalsePositive
        } else if self.accepted.is_some() {
            Standing::Accepted
        } else {
            Standing::Open
        }
    }

    /// Ends an acceptance that has run out; says whether it did.
    pub(crate) fn expire(&mut self, now: Timestamp) -> bool {
        let over = self.accepted.as_ref().is_some_and(|accepted| accepted.until <= now);
        if over {
            self.accepted = None;
        }
        over
    }

    /// Class, risk and standing anew, after something that they rest on has changed.
    pub(crate) fn assess(&mut self, judge: &Judge<'_>) {
        let found = self.tallies();
        let classified = judge.profile.classify(&found);
        self.class = classified.class;
        self.categories = classified.categories;
        self.because = classified.because;
        let (mut counted, mut set_aside) = (0u64, 0u64);
        for kind in &self.kinds {
            counted = counted.saturating_add(kind.tally.all());
            set_aside = set_aside.saturating_add(kind.set_aside);
        }
        self.false_positive = counted == 0 && set_aside > 0;
        self.risk = Risk::of(&Circumstances {
            class: self.class,
            values: self.values(),
            exposure: &self.exposure,
            place: judge.place,
            safeguard: self.safeguard(),
        });
    }

    const fn safeguard(&self) -> Safeguard {
        match self.handled {
            Some(Handled::Quarantined { .. }) => Safeguard::Quarantined,
            Some(Handled::Encrypted { .. }) => Safeguard::Encrypted,
            _ => Safeguard::None,
        }
    }

    /// Different sensitive values; occurrences where nobody told values apart.
    fn values(&self) -> u64 {
        let of = |kind: &FoundKind| match kind.tally {
            Tally { distinct: 0, .. } => kind.tally.all(),
            tally => tally.distinct,
        };
        self.kinds.iter().map(of).fold(0, u64::saturating_add)
    }
}

/// What a scan knows when it has looked into an object.
#[derive(Debug)]
pub(crate) struct Looked<'a> {
    pub(crate) source: SourceId,
    pub(crate) domain: DomainId,
    pub(crate) scan: ScanId,
    pub(crate) object: &'a Object,
    pub(crate) inspection: &'a Inspection,
    pub(crate) now: Timestamp,
}

impl Looked<'_> {
    /// The finding of this look, with what was decided before; `None` when nothing was found.
    pub(crate) fn finding(&self, before: Option<&Finding>, judge: &Judge<'_>) -> Option<Finding> {
        let id = crate::records::object_id(self.source, &self.object.name);
        let kinds = kinds(self.inspection, id, self.source, judge.judged);
        if kinds.is_empty() {
            return None;
        }
        let now = self.now;
        let mut finding = Finding {
            id,
            source: self.source,
            domain: self.domain,
            object: self.object.name.clone(),
            format: self.inspection.format,
            bytes: self.inspection.bytes,
            coverage: self.inspection.coverage,
            kinds,
            columns: columns(self.inspection),
            class: judge.profile.floor,
            categories: Vec::new(),
            because: Vec::new(),
            exposure: self.object.exposure.clone(),
            risk: Risk { score: 0, factors: Vec::new() },
            first_seen: before.map_or(now, |before| before.first_seen),
            last_seen: now,
            scan: self.scan,
            gone: None,
            false_positive: false,
            accepted: before.and_then(|before| before.accepted.clone()),
            // An object that is back under its name is no longer where an act had put it.
            handled: None,
        };
        finding.expire(now);
        finding.assess(judge);
        Some(finding)
    }
}

/// Kinds over all parts of an object, with what was said about them.
fn kinds(
    inspection: &Inspection,
    object: FindingId,
    source: SourceId,
    judged: &Judged,
) -> Vec<FoundKind> {
    let mut found: BTreeMap<KindName, FoundKind> = BTreeMap::new();
    for part in &inspection.parts {
        let way = shown_name(&part.path.join(" › "));
        for count in &part.kinds {
            let kind = count.kind;
            let entry = found.entry(kind).or_insert_with(|| FoundKind {
                kind,
                tally: Tally::default(),
                set_aside: 0,
                samples: Vec::new(),
            });
            let tally = Tally { sure: count.sure, likely: count.likely, distinct: count.distinct };
            let columns = part.columns.iter().filter(|column| column.kind == kind);
            let in_columns: u64 = columns
                .filter(|column| judged.is_column(source, &column.name, kind))
                .map(|column| column.matching)
                .fold(0, u64::saturating_add);
            let known: BTreeSet<_> = count
                .samples
                .iter()
                .filter(|sample| judged.is_value(kind, sample.fingerprint))
                .map(|sample| sample.fingerprint.0)
                .collect();
            let fewer = in_columns.max(known.len() as u64);
            let mut kept = tally.without(fewer, fewer);
            // All its different values were said to be none: so are the occurrences.
            let all_known = count.distinct > 0 && known.len() as u64 >= count.distinct;
            if all_known || judged.is_object(source, object, kind) {
                kept = Tally::default();
            }
            entry.set_aside = entry
                .set_aside
                .saturating_add(count.ignored)
                .saturating_add(tally.all() - kept.all());
            entry.tally = entry.tally.plus(kept);
            for sample in &count.samples {
                if entry.samples.len() < SAMPLES_MAX && !known.contains(&sample.fingerprint.0) {
                    let at = if way.is_empty() {
                        sample.at.clone()
                    } else {
                        format!("{way} › {}", sample.at)
                    };
                    let masked = sample.masked.clone();
                    let fingerprint = sample.fingerprint;
                    entry.samples.push(ShownSample { masked, at, fingerprint });
                }
            }
        }
    }
    apart(&mut found);
    found.into_values().filter(|kind| kind.tally.all() + kind.set_aside > 0).collect()
}

/// A name never stands beside an identity card number (PCPD, code of practice): where a finding has
/// both, it shows no name at all.
fn apart(found: &mut BTreeMap<KindName, FoundKind>) {
    let numbers = [
        Kind::HongKongIdentityCard,
        Kind::MainlandIdentity,
        Kind::MacauIdentity,
        Kind::TaiwanIdentity,
        Kind::TravelDocument,
    ];
    if numbers.iter().any(|kind| found.contains_key(&KindName(*kind)))
        && let Some(names) = found.get_mut(&KindName(Kind::PersonName))
    {
        names.samples.clear();
    }
}

fn columns(inspection: &Inspection) -> Vec<FoundColumn> {
    let of_part = |part: &extract::Part| {
        let way = shown_name(&part.path.join(" › "));
        let shown = part.columns.iter().map(move |column| FoundColumn {
            part: way.clone(),
            name: shown_name(&column.name),
            kind: column.kind,
            cells: column.cells,
            matching: column.matching,
            share_at_least: column.share_at_least,
        });
        shown.collect::<Vec<_>>()
    };
    inspection.parts.iter().flat_map(of_part).take(COLUMNS_MAX).collect()
}

/// A name of an object or column with every sensitive value in it masked: a file may be called
/// after a customer and the number of the identity card.
#[must_use]
pub fn shown_name(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    let mut from = 0;
    // Separators of file names stand where a text has spaces; the places stay the same.
    let spaced: String =
        name.chars().map(|c| if matches!(c, '/' | '.' | '_' | '+') { ' ' } else { c }).collect();
    let mut hits = detect::scan(name.as_bytes());
    hits.extend(detect::scan(spaced.as_bytes()));
    hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
    for hit in hits {
        if hit.end <= from {
            continue;
        }
        let start = hit.start.max(from);
        let personal = !matches!(
            hit.kind,
            Kind::Url | Kind::IpAddress | Kind::MacAddress | Kind::Bic | Kind::Health
        );
        let (Some(before), Some(value)) = (name.get(from..start), name.get(start..hit.end)) else {
            continue;
        };
        if personal {
            shown.push_str(before);
            shown.push_str(&detect::mask(hit.kind, value));
            from = hit.end;
        }
    }
    shown.push_str(name.get(from..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_called_after_a_customer_is_not_called_so_here() {
        let shown = shown_name("loans/HKID A123456(3) application.pdf");
        assert!(!shown.contains("123456"), "{shown}");
        assert!(shown.contains("A12****(*)") && shown.starts_with("loans/"), "{shown}");
        assert!(!shown_name("HKID A123456(3).txt").contains("123456"));
        assert!(!shown_name("scan_A123456(3)_front.png").contains("123456"));
        assert_eq!(
            shown_name("backup/2026-10.zip › sheet 客戶"),
            "backup/2026-10.zip › sheet 客戶"
        );
    }

    #[test]
    fn every_standing_reads_back() {
        for standing in Standing::ALL {
            assert_eq!(Standing::from_word(standing.word()), Some(standing));
        }
    }
}
