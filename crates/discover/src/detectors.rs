//! Detectors of the bank's own: words, patterns, and exact values of which only keyed hashes are
//! kept; and pasted text on which everything can be tried.

use crate::class::Class;
use crate::discover::Discover;
use crate::error::DiscoverError;
use crate::judgement::Judged;
use crate::profile::{Because, Profile, Rule, Tallies, Tally};
use crate::profiles::Under;
use crate::records::Detectors;
use aws_lc_rs::hmac;
use detect::{Confidence, Custom, Hit, KeyedHash, Kind};
use extract::KindName;
use kernel::actions::{DataRead, DataSource};
use kernel::{Name, Outcome, Permit, Principal, Recorder, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{Batch, Expect, KeyRange};

/// Detectors of the bank's own in one installation: each reads every text once more.
pub const DETECTORS_MAX: usize = 100;
/// Exact values of one detector: a keyed hash of each is kept and sent to the workers.
pub const EXACT_VALUES_MAX: usize = 100_000;
/// Longest text that is tried, in bytes: some pages, pasted by hand.
pub const TRIED_BYTES_MAX: usize = 64 * 1024;

/// What a detector of the bank's own finds, as a person gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum NewRule {
    /// These words, whole, in any case.
    Dictionary(Vec<String>),
    /// What this regular expression matches.
    Pattern(String),
    /// Exactly these values, written with or without spaces and hyphens.
    Exact(Vec<String>),
}

/// What is said about a new detector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDetector {
    /// Its name.
    pub name: Name,
    /// What it finds.
    pub rule: NewRule,
    /// The class of an object in which it finds something.
    pub class: Class,
}

/// What a detector of the bank's own finds, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DetectorRule {
    /// These words, whole, in any case.
    Dictionary(Vec<String>),
    /// What this regular expression matches.
    Pattern(String),
    /// The values with these keyed hashes (HMAC-SHA-256 of [`detect::normal`], 16 bytes).
    Exact(Vec<[u8; 16]>),
}

/// A detector of the bank's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detector {
    /// Its number: its finds are of the kind `custom-NUMBER`.
    pub number: u16,
    /// Its name.
    pub name: Name,
    /// What it finds.
    pub rule: DetectorRule,
    /// The class of an object in which it finds something.
    pub class: Class,
    /// When it was added.
    pub added_at: Timestamp,
    /// By whom.
    pub added_by: Principal,
}

/// Keyed hashes of exact values.
pub(crate) struct ExactKey(hmac::Key);

impl ExactKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }
}

impl KeyedHash for ExactKey {
    fn hash(&self, value: &[u8]) -> [u8; 16] {
        let tag = hmac::sign(&self.0, value);
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

impl Detector {
    /// The detector made ready.
    ///
    /// # Errors
    /// When a limit of `detect` is broken.
    pub(crate) fn ready(&self, key: &[u8; 32]) -> Result<Custom, detect::CustomError> {
        match &self.rule {
            DetectorRule::Dictionary(words) => {
                Custom::dictionary(self.number, words.iter().map(String::as_str))
            }
            DetectorRule::Pattern(pattern) => Custom::pattern(self.number, pattern),
            DetectorRule::Exact(hashes) => {
                let hash = Box::new(ExactKey::new(key));
                Ok(Custom::exact(self.number, hashes.iter().copied(), hash))
            }
        }
    }

    /// The detector for the outside: of exact values only how many there are.
    #[must_use]
    pub fn told(&self) -> serde_json::Value {
        let rule = match &self.rule {
            DetectorRule::Dictionary(words) => serde_json::json!({ "dictionary": words }),
            DetectorRule::Pattern(pattern) => serde_json::json!({ "pattern": pattern }),
            DetectorRule::Exact(hashes) => serde_json::json!({ "exact-values": hashes.len() }),
        };
        serde_json::json!({
            "number": self.number,
            "kind": format!("custom-{}", self.number),
            "name": self.name,
            "rule": rule,
            "class": self.class,
            "added_at": self.added_at,
            "added_by": self.added_by,
        })
    }

    /// The rule by which what it finds gets its class.
    pub(crate) fn classifies(&self) -> Rule {
        Rule {
            id: format!("custom-{}", self.number),
            class: self.class,
            any: vec![KindName(Kind::Custom(self.number))],
            with: Vec::new(),
            at_least: 1,
            distinct: 0,
            sure: false,
            categories: Vec::new(),
            reason: format!("The bank's own detector `{}` found it.", self.name),
        }
    }
}

/// One place in a tried text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TriedSpan {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// What it is.
    pub kind: KindName,
    /// Whether form, check and surroundings all say so.
    pub sure: bool,
}

/// What a tried text holds; nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The places, in order, without overlaps.
    pub spans: Vec<TriedSpan>,
    /// The class of an object that holds this text.
    pub class: Class,
    /// Why.
    pub because: Vec<Because>,
}

impl Discover {
    /// Detectors of the bank's own, by number. The reading is recorded.
    ///
    /// # Errors
    /// When the permit has expired or the store cannot be read.
    pub fn detectors(&self, permit: Permit<DataRead>) -> Result<Vec<Detector>, DiscoverError> {
        self.live(&permit)?;
        let found = self.inner.all_detectors()?;
        self.inner.store.record(permit.into_event(Outcome::Done, &*self.inner.clock));
        Ok(found)
    }

    /// Adds a detector. Of exact values only keyed hashes are kept.
    ///
    /// # Errors
    /// When it breaks a limit, or the store fails.
    pub async fn add_detector(
        &self,
        permit: Permit<DataSource>,
        new: NewDetector,
    ) -> Result<Detector, DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let all = inner.all_detectors()?;
        if all.len() >= DETECTORS_MAX {
            return Err(DiscoverError::TooMany("detectors"));
        }
        let key = inner.fingerprint_key();
        let rule = match new.rule {
            NewRule::Dictionary(words) => DetectorRule::Dictionary(words),
            NewRule::Pattern(pattern) => DetectorRule::Pattern(pattern),
            NewRule::Exact(values) => DetectorRule::Exact(hashes(&values, &key)?),
        };
        let number = all.last().map_or(1, |last| last.number.saturating_add(1));
        let detector = Detector {
            number,
            name: new.name,
            rule,
            class: new.class,
            added_at: inner.clock.wall(),
            added_by: permit.caller().principal,
        };
        detector.ready(&key)?;
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("detector", format!("custom-{number}"))
            .with("name", detector.name.as_str())
            .with("class", detector.class.word());
        let batch = Batch::new()
            .put::<Detectors>(&number, &detector, Expect::Absent)
            .guard(guard)
            .event(event);
        inner.store.commit(batch).await?;
        Ok(detector)
    }

    /// Removes a detector; what it found goes with the next scan of each source.
    ///
    /// # Errors
    /// When there is none of this number, or the store fails.
    pub async fn remove_detector(
        &self,
        permit: Permit<DataSource>,
        number: u16,
    ) -> Result<(), DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let found = inner.store.get::<Detectors>(&number)?.ok_or(DiscoverError::NoDetector)?;
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("detector", format!("custom-{number}"))
            .with("name", found.value.name.as_str())
            .with("removed", "true");
        let batch = Batch::new()
            .delete::<Detectors>(&number, Expect::Version(found.version))
            .guard(guard)
            .event(event);
        inner.store.commit(batch).await?;
        Ok(())
    }

    /// Tries every detector on a pasted text. Nothing of the text is kept or recorded but its
    /// length.
    ///
    /// # Errors
    /// When the text is too long, the profile is unknown, or the store cannot be read.
    pub fn try_text(
        &self,
        permit: Permit<DataRead>,
        text: &str,
        under: Under<'_>,
        also: Option<&NewRule>,
    ) -> Result<Tried, DiscoverError> {
        self.live(&permit)?;
        if text.len() > TRIED_BYTES_MAX {
            return Err(DiscoverError::Value { field: "/text", rule: "has at most 64 KiB" });
        }
        let inner = &self.inner;
        let key = inner.fingerprint_key();
        let mut customs = Vec::new();
        for detector in inner.all_detectors()? {
            customs.push(detector.ready(&key)?);
        }
        let mut profile = match under {
            Under::Named(name) => inner.profile(name)?,
            Under::Draft(draft) => inner.with_detectors(draft.clone().checked()?)?,
        };
        if let Some(rule) = also {
            let number = u16::MAX;
            customs.push(match rule {
                NewRule::Dictionary(words) => {
                    Custom::dictionary(number, words.iter().map(String::as_str))?
                }
                NewRule::Pattern(pattern) => Custom::pattern(number, pattern)?,
                NewRule::Exact(values) => {
                    let hash = Box::new(ExactKey::new(&key));
                    Custom::exact(number, hashes(values, &key)?, hash)
                }
            });
            profile.rules.retain(|rule| rule.id != "custom-65535");
        }
        let tried = tried(text, &customs, &profile);
        let event = permit.into_event(Outcome::Done, &*inner.clock);
        inner.store.record(event.with("tried-bytes", text.len().to_string()));
        Ok(tried)
    }
}

fn hashes(values: &[String], key: &[u8; 32]) -> Result<Vec<[u8; 16]>, DiscoverError> {
    let rule = "has 1 to 100,000 values of 4 to 64 letters and digits";
    let wrong = DiscoverError::Value { field: "/rule/exact", rule };
    let keyed = ExactKey::new(key);
    let hash = |value: &String| {
        let normal = detect::normal(value.trim().as_bytes());
        let fits = (detect::EXACT_BYTES_MIN..=detect::EXACT_BYTES_MAX).contains(&normal.len());
        fits.then(|| keyed.hash(&normal))
    };
    let hashes: Option<BTreeSet<_>> = values.iter().map(hash).collect();
    match hashes {
        Some(hashes) if (1..=EXACT_VALUES_MAX).contains(&hashes.len()) => {
            Ok(hashes.into_iter().collect())
        }
        _ => Err(wrong),
    }
}

/// What the detectors say about a text: the bank's own win over ours where they overlap.
fn tried(text: &str, customs: &[Custom], profile: &Profile) -> Tried {
    let mut hits: Vec<Hit> =
        customs.iter().flat_map(|custom| custom.scan(text.as_bytes())).collect();
    let ours = detect::document(text.as_bytes()).hits;
    hits.extend(ours.into_iter().filter(|hit| hit.confidence > Confidence::Possible));
    // A stable sort keeps the bank's own before ours at one place.
    hits.sort_by_key(|hit| hit.start);
    let mut spans: Vec<TriedSpan> = Vec::new();
    let mut values: BTreeMap<KindName, BTreeSet<&str>> = BTreeMap::new();
    let mut found = Tallies::new();
    for hit in hits {
        if spans.last().is_some_and(|last| last.end > hit.start) {
            continue;
        }
        let Some(value) = text.get(hit.start..hit.end) else { continue };
        let (kind, sure) = (KindName(hit.kind), hit.confidence == Confidence::Sure);
        spans.push(TriedSpan { start: hit.start, end: hit.end, kind, sure });
        let fresh = values.entry(kind).or_default().insert(value);
        let tally = found.entry(kind).or_default();
        *tally = tally.plus(Tally {
            sure: u64::from(sure),
            likely: u64::from(!sure),
            distinct: u64::from(fresh),
        });
    }
    let classified = profile.classify(&found);
    Tried { spans, class: classified.class, because: classified.because }
}

impl crate::discover::Inner {
    pub(crate) fn all_detectors(&self) -> Result<Vec<Detector>, DiscoverError> {
        let found = self.store.scan::<Detectors>(&KeyRange::all(), DETECTORS_MAX)?;
        Ok(found.into_iter().map(|record| record.value).collect())
    }

    /// Everything that was said to be no find.
    pub(crate) fn judged(&self) -> Result<Judged, DiscoverError> {
        let mut all = Vec::new();
        let mut range = KeyRange::all();
        loop {
            let found = self.store.scan::<crate::records::FalsePositives>(&range, 1_000)?;
            let Some(last) = found.last() else { return Ok(Judged::of(all)) };
            range = range.after(&last.key);
            all.extend(found.into_iter().map(|record| record.value.no_find));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_text_shows_what_is_in_it_and_its_class() {
        let profile = Profile::builtin().unwrap();
        let text = "HKID A123456(3), project lion";
        let custom = Custom::dictionary(1, ["project lion"]).unwrap();
        let tried = tried(text, &[custom], &profile);
        let words: Vec<_> = tried.spans.iter().map(|span| String::from(span.kind)).collect();
        assert_eq!(words, ["hk-identity-card", "custom-1"]);
        assert_eq!(tried.class, Class::Restricted);
    }

    #[test]
    fn exact_values_are_kept_as_hashes_under_a_key() {
        let values = ["C-001 2345".to_owned(), "c0012345".to_owned()];
        let one = hashes(&values, &[1; 32]).unwrap();
        assert_eq!(one.len(), 1, "spaces, hyphens and case make no difference");
        assert_ne!(one, hashes(&values, &[2; 32]).unwrap());
        assert!(hashes(&["abc".to_owned()], &[1; 32]).is_err());
        assert!(hashes(&[], &[1; 32]).is_err());
        let many: Vec<_> = (0..=EXACT_VALUES_MAX).map(|n| format!("V{n:07}")).collect();
        assert!(hashes(&many, &[1; 32]).is_err());
    }
}
