//! What we have built, capability by capability, and what shows it.

use crate::catalogue::RequirementId;
use crate::check::CheckId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MAP: &str = include_str!("../data/capability-map.yaml");
const STATES: &str = include_str!("../data/capabilities.yaml");
/// Stands before the name of a test where no check can show a capability.
const TEST: &str = "test:";

/// Why the capabilities are not taken.
#[derive(Debug, thiserror::Error)]
pub enum CapabilitiesError {
    /// Not the shape of the file.
    #[error("the capabilities do not read")]
    Shape(#[from] serde_yaml_ng::Error),
    /// A capability of the map without a state, or a state without a capability.
    #[error("`{0}` stands in one of the two files of capabilities only, or twice")]
    Unpaired(String),
    /// Built without anything that shows it, or not built and yet shown.
    #[error("`{0}` is built exactly when a check or test shows it")]
    Unshown(String),
}

/// Whether a capability exists.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum CapabilityState {
    /// A check shows it at work.
    ShownByCheck {
        /// The check.
        check: CheckId,
    },
    /// A test shows it.
    ShownByTest {
        /// The test's name.
        test: String,
    },
    /// It is not built.
    NotBuilt,
}

/// One capability.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Capability {
    /// Its identifier in the map.
    pub id: String,
    /// What it does, in our own words.
    pub answer: String,
    /// The room where it stands or will stand.
    pub area: String,
    /// Whether it exists.
    pub state: CapabilityState,
    /// The requirements that it answers.
    pub requirements: Vec<RequirementId>,
}

impl Capability {
    /// Whether it exists.
    #[must_use]
    pub fn is_built(&self) -> bool {
        self.state != CapabilityState::NotBuilt
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapRow {
    id: String,
    #[serde(default, rename = "where")]
    _place: Option<String>,
    #[serde(rename = "opening")]
    _opening: String,
    requirements: Vec<RequirementId>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Built,
    NotBuilt,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateRow {
    id: String,
    answer: String,
    area: String,
    state: Word,
    #[serde(default)]
    shown_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<T> {
    capabilities: Vec<T>,
}

/// Every capability of the map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capabilities(Vec<Capability>);

impl Capabilities {
    /// The capabilities that ship with this version.
    ///
    /// # Errors
    /// Never for a released version; a test reads them.
    pub fn builtin() -> Result<Self, CapabilitiesError> {
        let map: File<MapRow> = serde_yaml_ng::from_str(MAP)?;
        let states: File<StateRow> = serde_yaml_ng::from_str(STATES)?;
        let mut by_id = BTreeMap::new();
        for row in states.capabilities {
            if let Some(twice) = by_id.insert(row.id.clone(), row) {
                return Err(CapabilitiesError::Unpaired(twice.id));
            }
        }
        let mut all = Vec::new();
        for row in map.capabilities {
            let Some(state) = by_id.remove(&row.id) else {
                return Err(CapabilitiesError::Unpaired(row.id));
            };
            let built = state.state == Word::Built;
            let state_of = match (built, state.shown_by) {
                (false, None) => CapabilityState::NotBuilt,
                (true, Some(by)) => match by.strip_prefix(TEST) {
                    Some(test) => CapabilityState::ShownByTest { test: test.to_owned() },
                    None => CapabilityState::ShownByCheck { check: CheckId::from(by.as_str()) },
                },
                _ => return Err(CapabilitiesError::Unshown(row.id)),
            };
            all.push(Capability {
                id: row.id,
                answer: state.answer,
                area: state.area,
                state: state_of,
                requirements: row.requirements,
            });
        }
        match by_id.into_keys().next() {
            Some(extra) => Err(CapabilitiesError::Unpaired(extra)),
            None => Ok(Self(all)),
        }
    }

    /// Every capability, in the order of the map.
    #[must_use]
    pub fn all(&self) -> &[Capability] {
        &self.0
    }

    /// The capabilities that answer a requirement.
    pub fn of_requirement(&self, id: &RequirementId) -> impl Iterator<Item = &Capability> {
        self.0.iter().filter(move |capability| capability.requirements.contains(id))
    }
}
