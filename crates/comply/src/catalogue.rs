//! The catalogue of requirements: paraphrases, with what is known about the official text.

use kernel::Name;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

const SOURCES: &str = include_str!("../data/sources.yaml");

macro_rules! files {
    ($($name:literal),* $(,)?) => { [$(include_str!(concat!("../data/requirements/", $name, ".yaml")),)*] };
}

const FILES: [&str; 26] = files![
    "pg",
    "cc22",
    "sa2",
    "tmg1",
    "tmg2",
    "or2",
    "or1",
    "rr1",
    "orgp26",
    "vb",
    "cdp14",
    "ir10",
    "pcm08",
    "raf",
    "craf",
    "tme1",
    "pdpo",
    "ci",
    "tpc23",
    "stdb",
    "tps24",
    "aic26",
    "pqc26",
    "ddos22",
    "ebs25",
    "pcpd-idcode",
];

/// Why a catalogue is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file does not have the shape of the catalogue.
    #[error("a file of the catalogue does not read")]
    Shape(#[from] serde_yaml_ng::Error),
    /// One identifier twice.
    #[error("`{0}` stands twice in the catalogue")]
    Twice(String),
    /// Requirements of a source that is not described.
    #[error("`{0}` is not among the sources")]
    NoSource(String),
}

/// The identifier of a requirement in our catalogue. Never printed as a paragraph number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequirementId(String);

impl RequirementId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RequirementId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! plain_words {
    ($($(#[$top:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $word:literal,)* })*) => {$(
        $(#[$top])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        pub enum $type { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl $type {
            /// The word in data and on screen.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    )*};
}

plain_words! {
    /// Who has to do what a requirement asks.
    Responsibility {
        /// The bank.
        Institution = "institution",
        /// The provider, and the bank sees to it.
        Provider = "provider",
        /// Both.
        Shared = "shared",
    }
    /// How a requirement can be checked.
    CheckKind {
        /// By machine.
        Automated = "automated",
        /// Partly by machine, partly by people.
        Hybrid = "hybrid",
        /// By people only.
        Manual = "manual",
    }
    /// Where our paraphrase is from.
    Confidence {
        /// Read in a public copy or summary.
        Read = "read",
        /// Derived from what providers and vendors publish about the text.
        Derived = "derived",
        /// From memory: verify before relying on it.
        FromMemory = "from-memory",
    }
    /// How deep was read.
    ReadDepth {
        /// The wording itself, in a public copy.
        Text = "text",
        /// A third party's account.
        Summary = "summary",
        /// Only the heading; the sentence is limited to it.
        Heading = "heading",
    }
    /// What the text is that we hold against the bank's controls.
    TextStatus {
        /// The official text, confirmed by the bank.
        Official = "official",
        /// The bank's own copy, pasted by the bank.
        BanksCopy = "banks-copy",
        /// Paraphrased from a public copy of the wording.
        PublicCopy = "public-copy",
        /// Paraphrased from accounts, headings or memory.
        Paraphrase = "paraphrase",
    }
    /// Whether a requirement binds.
    Layer {
        /// A principle: followed.
        Principle = "principle",
        /// A good practice: followed, or not adopted with a reason.
        GoodPractice = "good-practice",
        /// Not known until the bank's copy of the text is read.
        Unknown = "unknown",
    }
    /// The stage of an arrangement's life in which a requirement bites first: our reading.
    Stage {
        /// Strategy and policy.
        Plan = "plan",
        /// Risk and provider are assessed.
        Assess = "assess",
        /// The agreement is made.
        Contract = "contract",
        /// Design and build.
        Build = "build",
        /// Day by day.
        Operate = "operate",
        /// Change.
        Change = "change",
        /// The end of the arrangement.
        Exit = "exit",
    }
}

/// Whom a source concerns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppliesTo {
    /// Every authorized institution.
    All,
    /// Digital banks.
    DigitalBank,
    /// Designated operators of critical infrastructure; who is one is confidential.
    CriticalInfrastructure,
}

/// A guideline, circular, ordinance or form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// A short key: `sa2`.
    pub key: String,
    /// Its title as the issuer has it, as far as we know.
    pub title: String,
    /// Version and date.
    pub version: String,
    /// Where we read it.
    pub url: String,
    /// Where the official text is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official_url: Option<String>,
    /// What is uncertain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whom it concerns.
    pub applies_to: AppliesTo,
    /// Its sections and titles here are our working titles and never official ones.
    #[serde(default)]
    pub working_titles: bool,
    /// What replaced it; such a source is history only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
}

impl Source {
    /// Whether it is history only.
    #[must_use]
    pub const fn is_superseded(&self) -> bool {
        self.superseded_by.is_some()
    }
}

/// One requirement, in our own words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Our identifier.
    pub id: RequirementId,
    /// The paragraph or heading in the source; print this, never the id.
    pub section: String,
    /// A title of ours.
    pub title: String,
    /// What is asked, paraphrased.
    pub requirement: String,
    /// Who has to do it.
    pub responsibility: Responsibility,
    /// Capabilities that can give evidence.
    pub capabilities: Vec<String>,
    /// What the evidence would show.
    pub evidence: String,
    /// How it can be checked.
    pub check: CheckKind,
    /// Where we read it.
    pub url: String,
    /// Where our paraphrase is from.
    pub confidence: Confidence,
    /// How deep was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_depth: Option<ReadDepth>,
    /// What the text is.
    pub text_status: TextStatus,
    /// Whether it binds.
    pub layer: Layer,
    /// When in an arrangement's life.
    pub stage: Stage,
    /// Asked of locally incorporated institutions only.
    #[serde(default)]
    pub only_local: bool,
    /// What is not official wording, corrected numbers, doubts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourcesFile {
    #[serde(rename = "as_of")]
    _as_of: String,
    sources: Vec<Source>,
    #[serde(rename = "seen_not_catalogued")]
    _seen_not_catalogued: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequirementsFile {
    source: String,
    #[serde(rename = "source_name")]
    _source_name: String,
    #[serde(rename = "source_version")]
    _source_version: String,
    requirements: Vec<Requirement>,
}

/// All sources with their requirements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Catalogue {
    sources: Vec<Source>,
    requirements: Vec<(usize, Requirement)>,
    places: BTreeMap<RequirementId, usize>,
}

impl Catalogue {
    /// The catalogue that ships with this version: 378 requirements of 26 sources.
    ///
    /// # Errors
    /// Never for a released version; a test reads it.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::read(SOURCES, &FILES)
    }

    /// A catalogue from its files.
    ///
    /// # Errors
    /// When a file does not read, an identifier stands twice, or a source is not described.
    pub fn read(sources: &str, files: &[&str]) -> Result<Self, CatalogueError> {
        let SourcesFile { sources, .. } = serde_yaml_ng::from_str(sources)?;
        let mut keys = BTreeSet::new();
        if let Some(twice) = sources.iter().find(|source| !keys.insert(source.key.clone())) {
            return Err(CatalogueError::Twice(twice.key.clone()));
        }
        let mut requirements = Vec::new();
        let mut places = BTreeMap::new();
        for file in files {
            let file: RequirementsFile = serde_yaml_ng::from_str(file)?;
            let source = sources.iter().position(|source| source.key == file.source);
            let source = source.ok_or(CatalogueError::NoSource(file.source))?;
            for requirement in file.requirements {
                let id = requirement.id.clone();
                if places.insert(id.clone(), requirements.len()).is_some() {
                    return Err(CatalogueError::Twice(id.0));
                }
                requirements.push((source, requirement));
            }
        }
        Ok(Self { sources, requirements, places })
    }

    /// Every source, in the order of the catalogue.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// A source by its key.
    #[must_use]
    pub fn source(&self, key: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.key == key)
    }

    /// Every requirement with its source, in the order of the catalogue.
    pub fn requirements(&self) -> impl Iterator<Item = (&Source, &Requirement)> {
        self.requirements.iter().filter_map(|(i, r)| self.sources.get(*i).map(|s| (s, r)))
    }

    /// One requirement with its source.
    #[must_use]
    pub fn find(&self, id: &RequirementId) -> Option<(&Source, &Requirement)> {
        let (source, requirement) = self.requirements.get(*self.places.get(id)?)?;
        Some((self.sources.get(*source)?, requirement))
    }

    /// How many requirements there are: the denominator of everything.
    #[must_use]
    pub fn len(&self) -> usize {
        self.requirements.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }
}

/// The heading under which a requirement is printed: the bank's own reference when it has confirmed
/// one; else our section, marked as a working title wherever the source's numbering is ours.
#[must_use]
pub(crate) fn printed_section(
    source: &Source,
    requirement: &Requirement,
    confirmed: Option<&Name>,
) -> String {
    const MARK: &str = "(working title)";
    if let Some(reference) = confirmed {
        return reference.as_str().to_owned();
    }
    if source.working_titles && !requirement.section.contains(MARK) {
        return format!("{} {MARK}", requirement.section);
    }
    requirement.section.clone()
}
