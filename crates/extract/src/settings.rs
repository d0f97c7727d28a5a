//! What an inspection looks for, in a form that crosses a socket, and the same made ready.

use crate::fingerprint::{Key, Keyed};
use crate::{Fingerprint, KindName};
use detect::{Columns, Confidence, Custom, CustomError, Document, Hit, Kind, Layout};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// Samples of one kind in one part, unless told otherwise: enough to recognise a false find.
pub const SAMPLES_PER_KIND: usize = 3;
/// Samples of one kind in one part at most, whatever the settings say.
pub const SAMPLES_PER_KIND_MAX: usize = 20;
/// Values of one scan that are known to be none: they cross a socket with each object.
pub const IGNORED_MAX: usize = 20_000;
/// Detectors of the bank's own in one scan: each reads the text once more.
pub const CUSTOMS_MAX: usize = 100;

/// What an inspection looks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The kinds that are reported; detectors of the bank's own report always.
    pub detectors: Vec<KindName>,
    /// Detectors of the bank's own.
    pub customs: Vec<CustomSpec>,
    /// The key of the fingerprints in the samples.
    pub fingerprint_key: Key,
    /// Values that are known to be none, by their fingerprints under the same key; see
    /// [`Ignored`].
    #[serde(default)]
    pub ignored: Vec<Ignored>,
    /// Samples of one kind in one part, at most [`SAMPLES_PER_KIND_MAX`]; 0 keeps none.
    pub samples_per_kind_max: usize,
}

impl Settings {
    /// Every kind of ours, no detector of the bank's own.
    #[must_use]
    pub fn everything(fingerprint_key: [u8; 32]) -> Self {
        Self {
            detectors: Kind::ALL.into_iter().map(KindName).collect(),
            customs: Vec::new(),
            fingerprint_key: Key::new(fingerprint_key),
            ignored: Vec::new(),
            samples_per_kind_max: SAMPLES_PER_KIND,
        }
    }
}

/// A value of one kind that is known to be none: a number of the training, a form's example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored(pub KindName, pub Fingerprint);

/// A detector of the bank's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomSpec {
    /// Its number: its finds are of the kind `custom-NUMBER`.
    pub number: u16,
    /// What it finds.
    pub rule: CustomRule,
}

/// What a detector of the bank's own finds; the limits are those of `detect`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CustomRule {
    /// These words, whole, in any case.
    Dictionary {
        /// The words.
        words: Vec<String>,
    },
    /// What this regular expression matches.
    Pattern {
        /// The expression.
        pattern: String,
    },
    /// The values with these keyed hashes.
    Exact {
        /// The key of the hashes.
        key: Key,
        /// HMAC-SHA-256 of [`detect::normal`] of each value, its first 16 bytes.
        hashes: Vec<[u8; 16]>,
    },
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Too many detectors of the bank's own.
    #[error("a scan has at most `{CUSTOMS_MAX}` detectors of the bank's own")]
    TooManyCustoms,
    /// Too many values that are known to be none.
    #[error("a scan knows at most `{IGNORED_MAX}` values that are none")]
    TooManyIgnored,
    /// One of them is wrong.
    #[error("the detector `custom-{number}` cannot be used")]
    Custom {
        /// Which.
        number: u16,
        /// Why.
        #[source]
        source: CustomError,
    },
}

impl From<SettingsError> for kernel::Problem {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Custom { source, .. } => source.into(),
            error @ SettingsError::TooManyCustoms => Self::field("/detectors", error.to_string()),
            error @ SettingsError::TooManyIgnored => Self::field("/ignored", error.to_string()),
        }
    }
}

/// Settings made ready: patterns compiled, keys prepared. Made once, used for every object.
#[derive(Debug)]
pub struct Detectors {
    kinds: HashSet<Kind>,
    customs: Vec<Custom>,
    ignored: HashMap<Kind, HashSet<[u8; 16]>>,
    pub(crate) keyed: Keyed,
    pub(crate) samples: usize,
}

impl Detectors {
    /// Compiles the settings.
    ///
    /// # Errors
    /// [`SettingsError`] with the detector at fault.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        if settings.customs.len() > CUSTOMS_MAX {
            return Err(SettingsError::TooManyCustoms);
        }
        if settings.ignored.len() > IGNORED_MAX {
            return Err(SettingsError::TooManyIgnored);
        }
        let mut ignored: HashMap<Kind, HashSet<[u8; 16]>> = HashMap::new();
        for Ignored(kind, fingerprint) in &settings.ignored {
            ignored.entry(kind.0).or_default().insert(fingerprint.0);
        }
        let compiled = settings.customs.iter().map(|spec| {
            let made = match &spec.rule {
                CustomRule::Dictionary { words } => {
                    Custom::dictionary(spec.number, words.iter().map(String::as_str))
                }
                CustomRule::Pattern { pattern } => Custom::pattern(spec.number, pattern),
                CustomRule::Exact { key, hashes } => {
                    let hash = Box::new(Keyed::new(key));
                    Ok(Custom::exact(spec.number, hashes.iter().copied(), hash))
                }
            };
            made.map_err(|source| SettingsError::Custom { number: spec.number, source })
        });
        Ok(Self {
            kinds: settings.detectors.iter().map(|name| name.0).collect(),
            customs: compiled.collect::<Result<_, _>>()?,
            ignored,
            keyed: Keyed::new(&settings.fingerprint_key),
            samples: settings.samples_per_kind_max.min(SAMPLES_PER_KIND_MAX),
        })
    }

    /// Scans a text of this layout, a piece of one with these columns; only what was asked for, and
    /// at least likely. Finds of the bank's own detectors may overlap the others; all stand in
    /// order of their beginning.
    pub(crate) fn scan(&self, text: &[u8], layout: Layout, columns: &mut Columns) -> Document {
        let mut found = detect::document_piece(text, layout, columns);
        found.hits.retain(|hit| hit.confidence > Confidence::Possible && self.wants(hit.kind));
        if !self.customs.is_empty() {
            found.hits.extend(self.customs.iter().flat_map(|custom| custom.scan(text)));
            found.hits.sort_by_key(|hit: &Hit| (hit.start, hit.end));
        }
        found
    }

    /// Whether a value of this kind is known to be none. Only kinds of which some are cost a hash.
    pub(crate) fn ignores(&self, kind: Kind, value: &[u8]) -> bool {
        let known = self.ignored.get(&kind);
        known.is_some_and(|known| known.contains(&self.keyed.fingerprint(kind, value).0))
    }

    /// Whether finds of this kind were asked for.
    pub(crate) fn wants(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Custom(_)) || self.kinds.contains(&kind)
    }
}
