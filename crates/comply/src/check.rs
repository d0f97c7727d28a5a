//! Checks as data: what must hold for all facts of a kind.

use crate::catalogue::{Catalogue, CheckKind, RequirementId};
use crate::expression::{Expression, ExpressionError};
use crate::fact::Vocabulary;
use audit::Hash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

const BUILTIN: &str = include_str!("../data/checks.yaml");
/// Facts older than this are stale, unless the check says otherwise, in hours.
const MAX_AGE_HOURS: u32 = 24;
/// How often a check must run, unless it says otherwise, in hours.
const CADENCE_HOURS: u32 = 24;

/// The identifier of a check.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(String);

impl CheckId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for CheckId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much a failing check matters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Look at it today.
    High,
    /// Look at it this week.
    Medium,
    /// Look at it when convenient.
    Low,
}

/// One check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// Its identifier.
    pub id: CheckId,
    /// What holds when it passes, as a sentence.
    pub title: String,
    /// The same in Traditional Chinese, where every word was reviewed.
    pub zh_hant: Option<String>,
    /// The requirements for which it is evidence.
    pub requirements: Vec<RequirementId>,
    /// The kind of fact.
    pub kind: String,
    /// Which of them count; all when there is none.
    pub filter: Option<Expression>,
    /// What must hold for each that counts.
    pub expect: Expression,
    /// How much a failure matters.
    pub severity: Severity,
    /// Facts older than this are stale, in hours.
    pub max_age_hours: u32,
    /// How often it must run, in hours.
    pub cadence_hours: u32,
    /// SHA-256 (hexadecimal) of its definition; another version is another check.
    pub version: String,
}

/// Why checks are not taken.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Not the shape of checks.
    #[error("the checks do not read")]
    Shape(#[from] serde_yaml_ng::Error),
    /// One identifier twice.
    #[error("check `{0}` stands twice")]
    Twice(CheckId),
    /// A requirement that the catalogue does not have.
    #[error("check `{check}` names `{requirement}`, which is not in the catalogue")]
    NoRequirement {
        /// The check.
        check: CheckId,
        /// The requirement.
        requirement: RequirementId,
    },
    /// A requirement that only people can assess.
    #[error("check `{check}` names `{requirement}`, which only people can assess")]
    ManualRequirement {
        /// The check.
        check: CheckId,
        /// The requirement.
        requirement: RequirementId,
    },
    /// A kind of fact that nobody gives.
    #[error("check `{check}` is for `{kind}`, which is not a kind of fact")]
    NoKind {
        /// The check.
        check: CheckId,
        /// The kind.
        kind: String,
    },
    /// An expression that is not taken.
    #[error("`{part}` of check `{check}`")]
    Expression {
        /// The check.
        check: CheckId,
        /// `where` or `expect`.
        part: &'static str,
        /// Why.
        #[source]
        cause: ExpressionError,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: CheckId,
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zh_hant: Option<String>,
    requirements: Vec<RequirementId>,
    #[serde(rename = "for")]
    kind: String,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    expect: String,
    severity: Severity,
    #[serde(default = "max_age")]
    max_age_hours: u32,
    #[serde(default = "cadence")]
    cadence_hours: u32,
}

const fn max_age() -> u32 {
    MAX_AGE_HOURS
}

const fn cadence() -> u32 {
    CADENCE_HOURS
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    checks: Vec<Row>,
}

/// Checks, compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checks(Vec<Check>);

impl Checks {
    /// The checks that ship with this version.
    ///
    /// # Errors
    /// Never for a released version; a test reads them.
    pub fn builtin(catalogue: &Catalogue, vocabulary: &Vocabulary) -> Result<Self, CheckError> {
        Self::read(BUILTIN, catalogue, vocabulary)
    }

    /// Checks from YAML, held against the catalogue and the vocabulary of facts.
    ///
    /// # Errors
    /// When they do not read, name what is not there, or an expression passes a bound.
    pub fn read(
        yaml: &str,
        catalogue: &Catalogue,
        vocabulary: &Vocabulary,
    ) -> Result<Self, CheckError> {
        let file: File = serde_yaml_ng::from_str(yaml)?;
        let mut seen = BTreeSet::new();
        let mut checks = Vec::new();
        for row in file.checks {
            if !seen.insert(row.id.clone()) {
                return Err(CheckError::Twice(row.id));
            }
            checks.push(compile(row, catalogue, vocabulary)?);
        }
        Ok(Self(checks))
    }

    /// Every check, in the order of the file.
    #[must_use]
    pub fn all(&self) -> &[Check] {
        &self.0
    }

    /// One check.
    #[must_use]
    pub fn find(&self, id: &CheckId) -> Option<&Check> {
        self.0.iter().find(|check| check.id == *id)
    }

    /// The checks that are evidence for a requirement.
    pub fn of_requirement(&self, id: &RequirementId) -> impl Iterator<Item = &Check> {
        self.0.iter().filter(move |check| check.requirements.contains(id))
    }
}

fn compile(row: Row, catalogue: &Catalogue, vocabulary: &Vocabulary) -> Result<Check, CheckError> {
    for requirement in &row.requirements {
        let (check, name) = (row.id.clone(), requirement.clone());
        match catalogue.find(requirement) {
            None => return Err(CheckError::NoRequirement { check, requirement: name }),
            Some((_, found)) if found.check == CheckKind::Manual => {
                return Err(CheckError::ManualRequirement { check, requirement: name });
            }
            Some(_) => {}
        }
    }
    let Some(kind) = vocabulary.kind(&row.kind) else {
        return Err(CheckError::NoKind { check: row.id, kind: row.kind });
    };
    let attributes: BTreeSet<_> = kind.attributes.keys().map(String::as_str).collect();
    let compiled = |part: &'static str, source: &str| {
        Expression::compile(source, &attributes).map_err(|cause| CheckError::Expression {
            check: row.id.clone(),
            part,
            cause,
        })
    };
    let filter = row.filter.as_deref().map(|source| compiled("where", source)).transpose()?;
    let expect = compiled("expect", &row.expect)?;
    // Titles may be reworded without making another check; what decides may not.
    let definition = serde_json::json!([
        row.id,
        row.requirements,
        row.kind,
        row.filter,
        row.expect,
        row.max_age_hours,
    ]);
    let version = documents::hex(&Hash::of(definition.to_string().as_bytes()).0);
    Ok(Check {
        id: row.id,
        title: row.title,
        zh_hant: row.zh_hant,
        requirements: row.requirements,
        kind: row.kind,
        filter,
        expect,
        severity: row.severity,
        max_age_hours: row.max_age_hours,
        cadence_hours: row.cadence_hours,
        version,
    })
}
