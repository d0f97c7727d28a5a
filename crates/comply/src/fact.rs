//! Facts: what sources say about the bank right now, in a vocabulary that checks can rely on.

use inventory::KnownBy;
use kernel::actions::CheckRun;
use kernel::{Permit, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const BUILTIN: &str = include_str!("../data/facts.yaml");
/// Most facts of one kind in one run: ten times the keys of a large bank.
pub(crate) const FACTS_OF_A_KIND_MAX: usize = 1_000_000;
/// Most defects that are named; more are counted.
const DEFECTS_NAMED_MAX: usize = 20;

/// One thing as a source knows it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fact {
    /// The kind, as in `data/facts.yaml`.
    pub kind: String,
    /// Its identifier, for the list of failing items.
    pub id: String,
    /// What is known about it.
    pub attributes: Map<String, Value>,
    /// How.
    pub known_by: KnownBy,
    /// When it was read from the live state.
    pub as_of: Timestamp,
}

impl Fact {
    /// A fact without attributes.
    #[must_use]
    pub fn new(kind: &str, id: impl Into<String>, known_by: KnownBy, as_of: Timestamp) -> Self {
        let (kind, id) = (kind.to_owned(), id.into());
        Self { kind, id, attributes: Map::new(), known_by, as_of }
    }

    /// The same fact with one more attribute.
    #[must_use]
    pub fn with(mut self, attribute: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(attribute.to_owned(), value.into());
        self
    }
}

/// Why a source could not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceFailure {
    /// It does not answer.
    #[error("the source does not answer")]
    Unavailable,
    /// What it reads is sealed.
    #[error("what the source reads is sealed")]
    Sealed,
    /// It holds more than a run can take.
    #[error("the source has more facts than one run can take")]
    TooMany,
}

/// Gives facts: one adapter for each slice, wired by the binary.
pub trait FactSource: Send + Sync {
    /// The kinds that it gives, all of them on each call; an empty kind is an empty population.
    fn kinds(&self) -> &[&'static str];

    /// Everything of its kinds as it is at `now`, for the checks that run under this permit.
    ///
    /// # Errors
    /// When it cannot answer; its checks are then errors, never passes.
    fn facts(&self, permit: &Permit<CheckRun>, now: Timestamp) -> Result<Vec<Fact>, SourceFailure>;
}

/// The type of an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AttributeType {
    Text,
    Date,
    Int,
    Bool,
    List,
    Map,
}

impl AttributeType {
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Date => value.as_str().is_some_and(|t| t.is_empty() || parse_date(t).is_some()),
            Self::Int => value.is_i64(),
            Self::Bool => value.is_boolean(),
            Self::List => value.as_array().is_some_and(|a| a.iter().all(Value::is_string)),
            Self::Map => value.as_object().is_some_and(|m| m.values().all(Value::is_string)),
        }
    }

    pub(crate) fn empty(self) -> Value {
        match self {
            Self::Text | Self::Date => Value::String(String::new()),
            Self::Int => Value::from(0),
            Self::Bool => Value::Bool(false),
            Self::List => Value::Array(Vec::new()),
            Self::Map => Value::Object(Map::new()),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Date => "a date such as 2026-11-21",
            Self::Int => "a whole number",
            Self::Bool => "true or false",
            Self::List => "a list of text",
            Self::Map => "a map of text",
        }
    }
}

/// A date as facts write it: RFC 3339, or a day, which begins at midnight in Hong Kong.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    if text.len() == 10 {
        return Timestamp::parse_rfc3339(&format!("{text}T00:00:00+08:00"));
    }
    Timestamp::parse_rfc3339(text)
}

/// One kind of fact.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kind {
    pub(crate) kind: String,
    /// The room whose adapter gives it.
    #[serde(rename = "from")]
    pub(crate) room: String,
    #[serde(default)]
    pub(crate) register: bool,
    pub(crate) attributes: BTreeMap<String, AttributeType>,
}

/// Why a vocabulary is not taken.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    /// Not the shape of a vocabulary.
    #[error("the vocabulary of facts does not read")]
    Shape(#[from] serde_yaml_ng::Error),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kinds: Vec<Kind>,
}

/// Which kinds of fact there are and what each must say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vocabulary(BTreeMap<String, Kind>);

impl Vocabulary {
    /// The vocabulary that ships with this version.
    ///
    /// # Errors
    /// Never for a released version; a test reads it.
    pub fn builtin() -> Result<Self, VocabularyError> {
        let file: File = serde_yaml_ng::from_str(BUILTIN)?;
        Ok(Self(file.kinds.into_iter().map(|kind| (kind.kind.clone(), kind)).collect()))
    }

    pub(crate) fn kind(&self, kind: &str) -> Option<&Kind> {
        self.0.get(kind)
    }

    /// Every kind with the room that gives it and the words of its attributes.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str, Vec<&str>)> {
        self.0.values().map(|kind| {
            let words = kind.attributes.keys().map(String::as_str).collect();
            (kind.kind.as_str(), kind.room.as_str(), words)
        })
    }

    /// What is wrong with a fact; nothing when it says all that its kind must say.
    #[must_use]
    pub fn defect(&self, fact: &Fact) -> Option<String> {
        let Some(kind) = self.kind(&fact.kind) else {
            return Some(format!("`{}` is not a kind of fact", fact.kind));
        };
        kind.attributes.iter().find_map(|(word, wanted)| {
            let id = &fact.id;
            match fact.attributes.get(word) {
                None => Some(format!("`{id}` does not say `{word}`")),
                Some(value) if !wanted.holds(value) => {
                    Some(format!("`{word}` of `{id}` is not {}", wanted.word()))
                }
                Some(_) => None,
            }
        })
    }
}

/// What came of asking for one kind.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum OfKind {
    Known { facts: Vec<Fact>, defects: Vec<String> },
    Failed(SourceFailure),
}

/// Facts of one moment, by kind. A kind without a source is not here at all.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts(pub(crate) BTreeMap<String, OfKind>);

impl Facts {
    /// The facts of a kind; none when it has no source or its source failed.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Option<&[Fact]> {
        match self.0.get(kind) {
            Some(OfKind::Known { facts, .. }) => Some(facts),
            _ => None,
        }
    }

    /// The kinds for which a source was asked.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What one source answered.
#[derive(Clone, PartialEq, Debug)]
pub struct Answered {
    /// The kinds that it gives.
    pub kinds: Vec<String>,
    /// Its facts, or why there are none.
    pub answer: Result<Vec<Fact>, SourceFailure>,
}

impl Facts {
    /// The facts of several sources. They are held against the vocabulary here, so that a check
    /// never meets one that says less than it must. A kind of which one source fails has failed.
    #[must_use]
    pub fn of(answers: Vec<Answered>, vocabulary: &Vocabulary) -> Self {
        let mut all = Self::default();
        for Answered { kinds, answer } in answers {
            for kind in kinds {
                let given = match &answer {
                    Err(failure) => OfKind::Failed(*failure),
                    Ok(facts) => {
                        let of_kind = facts.iter().filter(|fact| fact.kind == kind).cloned();
                        known(of_kind.collect(), vocabulary)
                    }
                };
                let joined = match (all.0.remove(&kind), given) {
                    (None, given) => given,
                    (Some(OfKind::Failed(why)), _) | (Some(_), OfKind::Failed(why)) => {
                        OfKind::Failed(why)
                    }
                    (Some(OfKind::Known { mut facts, .. }), OfKind::Known { facts: more, .. }) => {
                        facts.extend(more);
                        known(facts, vocabulary)
                    }
                };
                all.0.insert(kind, joined);
            }
        }
        all
    }
}

/// Asks every source once.
#[must_use]
pub fn gather(
    sources: &[&dyn FactSource],
    permit: &Permit<CheckRun>,
    vocabulary: &Vocabulary,
    now: Timestamp,
) -> Facts {
    let answers = sources.iter().map(|source| Answered {
        kinds: source.kinds().iter().map(|kind| (*kind).to_owned()).collect(),
        answer: source.facts(permit, now),
    });
    Facts::of(answers.collect(), vocabulary)
}

fn known(mut facts: Vec<Fact>, vocabulary: &Vocabulary) -> OfKind {
    if facts.len() > FACTS_OF_A_KIND_MAX {
        return OfKind::Failed(SourceFailure::TooMany);
    }
    facts.sort_by(|a, b| a.id.cmp(&b.id));
    let mut defects: Vec<_> =
        facts.iter().filter_map(|fact| vocabulary.defect(fact)).take(DEFECTS_NAMED_MAX).collect();
    let twice = facts.windows(2).find_map(|pair| match pair {
        [a, b] if a.id == b.id => Some(format!("`{}` is told twice", a.id)),
        _ => None,
    });
    defects.extend(twice);
    OfKind::Known { facts, defects }
}
