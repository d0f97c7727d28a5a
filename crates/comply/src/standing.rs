//! What the bank itself decided about a requirement: its text, its owner, an acceptance.

use crate::catalogue::{Layer, RequirementId, TextStatus};
use kernel::limits::TEXT_CHARS_MAX;
use kernel::{Name, Principal, Problem, ProblemKind, Timestamp};
use serde::{Deserialize, Serialize};

/// Longest life of an acceptance, in days: it is looked at again within a year.
pub(crate) const ACCEPTANCE_DAYS_MAX: i64 = 366;
/// Most past decisions that one requirement keeps beside the log.
const PAST_MAX: usize = 100;

/// Why a change is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StandingError {
    /// An acceptance ends in the future, within a year.
    #[error("an acceptance ends in the future and within 366 days")]
    Expiry,
    /// A reason is needed.
    #[error("a reason has 1 to 2,000 characters")]
    Reason,
    /// Only a good practice may be left out.
    #[error("only a good practice can be not adopted; confirm its layer first")]
    NotGoodPractice,
    /// Only the bank's own words confirm a text.
    #[error("a text is confirmed as official or as the bank's own copy")]
    TextStatus,
    /// A confirmed text says whether it binds.
    #[error("a confirmed text is a principle or a good practice")]
    Layer,
    /// There is nothing to take back.
    #[error("there is no decision to take back")]
    Nothing,
}

impl From<StandingError> for Problem {
    fn from(error: StandingError) -> Self {
        let (kind, pointer) = match error {
            StandingError::Expiry => (ProblemKind::Invalid, "/until"),
            StandingError::Reason => (ProblemKind::Invalid, "/reason"),
            StandingError::TextStatus => (ProblemKind::Invalid, "/text_status"),
            StandingError::Layer => (ProblemKind::Invalid, "/layer"),
            StandingError::NotGoodPractice | StandingError::Nothing => {
                return Self::new(ProblemKind::Conflict, "decision-conflict", error.to_string());
            }
        };
        let mut problem = Self::field(pointer, error.to_string());
        problem.kind = kind;
        problem
    }
}

/// The official text as the bank confirmed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmedText {
    /// Official, or the bank's own copy.
    pub text_status: TextStatus,
    /// The paragraph as the text has it.
    pub reference: Name,
    /// The title as the text has it.
    pub title: Name,
    /// Whether it binds.
    pub layer: Layer,
    /// Who confirmed it.
    pub by: Principal,
    /// When.
    pub at: Timestamp,
}

/// What the bank decided to do about a requirement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "decision")]
pub enum DecisionKind {
    /// The risk of not following it is accepted until a day.
    RiskAccepted {
        /// When the acceptance ends.
        until: Timestamp,
    },
    /// It does not apply, approved.
    NotApplicable,
    /// A good practice that is not followed.
    NotAdopted,
}

/// A decision with its reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub kind: DecisionKind,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: Principal,
    /// When.
    pub at: Timestamp,
}

impl Decision {
    /// Whether it still holds.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        match self.kind {
            DecisionKind::RiskAccepted { until } => now < until,
            DecisionKind::NotApplicable | DecisionKind::NotAdopted => true,
        }
    }
}

/// One change that a person asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change", deny_unknown_fields)]
pub enum Change {
    /// Confirm the text.
    ConfirmText {
        /// Official, or the bank's own copy.
        text_status: TextStatus,
        /// The paragraph as the text has it.
        reference: Name,
        /// The title as the text has it.
        title: Name,
        /// Whether it binds.
        layer: Layer,
    },
    /// Name the owner: a role, not a person.
    AssignOwner {
        /// The role.
        owner: Name,
    },
    /// Accept the risk for a time.
    AcceptRisk {
        /// When the acceptance ends.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// Declare that it does not apply.
    DeclareNotApplicable {
        /// Why.
        reason: String,
    },
    /// Leave a good practice out.
    DoNotAdopt {
        /// Why.
        reason: String,
    },
    /// Take the decision back.
    TakeBack,
}

impl Change {
    /// The word of the change in the log.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::ConfirmText { .. } => "confirm-text",
            Self::AssignOwner { .. } => "assign-owner",
            Self::AcceptRisk { .. } => "accept-risk",
            Self::DeclareNotApplicable { .. } => "declare-not-applicable",
            Self::DoNotAdopt { .. } => "do-not-adopt",
            Self::TakeBack => "take-back",
        }
    }
}

/// What the bank decided about one requirement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// The requirement.
    pub requirement: RequirementId,
    /// Its text, once confirmed.
    pub confirmed: Option<ConfirmedText>,
    /// Who owns it: a role.
    pub owner: Option<Name>,
    /// The decision in force.
    pub decision: Option<Decision>,
    /// Decisions before, oldest first; the log has them all.
    pub past: Vec<Decision>,
}

impl Standing {
    /// A requirement about which nothing was decided.
    #[must_use]
    pub const fn new(requirement: RequirementId) -> Self {
        Self { requirement, confirmed: None, owner: None, decision: None, past: Vec::new() }
    }

    /// The standing after a change. `catalogue_layer` is the layer in the catalogue, which counts
    /// until a confirmed text says otherwise.
    ///
    /// # Errors
    /// When the change breaks a rule; nothing is changed then.
    pub fn after(
        &self,
        change: Change,
        catalogue_layer: Layer,
        by: Principal,
        at: Timestamp,
    ) -> Result<Self, StandingError> {
        let mut next = self.clone();
        let kind_and_reason = match change {
            Change::ConfirmText { text_status, reference, title, layer } => {
                if !matches!(text_status, TextStatus::Official | TextStatus::BanksCopy) {
                    return Err(StandingError::TextStatus);
                }
                if layer == Layer::Unknown {
                    return Err(StandingError::Layer);
                }
                next.confirmed =
                    Some(ConfirmedText { text_status, reference, title, layer, by, at });
                // What binds cannot stay left out.
                let left_out =
                    matches!(&next.decision, Some(d) if d.kind == DecisionKind::NotAdopted);
                if left_out && layer == Layer::Principle {
                    next.put_aside();
                }
                return Ok(next);
            }
            Change::AssignOwner { owner } => {
                next.owner = Some(owner);
                return Ok(next);
            }
            Change::TakeBack if next.decision.is_none() => return Err(StandingError::Nothing),
            Change::TakeBack => {
                next.put_aside();
                return Ok(next);
            }
            Change::AcceptRisk { until, reason } => {
                let seconds = until.seconds_since(at);
                if seconds <= 0 || seconds > ACCEPTANCE_DAYS_MAX * 86_400 {
                    return Err(StandingError::Expiry);
                }
                (DecisionKind::RiskAccepted { until }, reason)
            }
            Change::DeclareNotApplicable { reason } => (DecisionKind::NotApplicable, reason),
            Change::DoNotAdopt { reason } => {
                if self.layer(catalogue_layer) != Layer::GoodPractice {
                    return Err(StandingError::NotGoodPractice);
                }
                (DecisionKind::NotAdopted, reason)
            }
        };
        let (kind, reason) = kind_and_reason;
        if reason.trim().is_empty() || reason.chars().count() > TEXT_CHARS_MAX {
            return Err(StandingError::Reason);
        }
        next.put_aside();
        next.decision = Some(Decision { kind, reason, by, at });
        Ok(next)
    }

    /// The layer that counts.
    #[must_use]
    pub fn layer(&self, catalogue_layer: Layer) -> Layer {
        self.confirmed.as_ref().map_or(catalogue_layer, |text| text.layer)
    }

    fn put_aside(&mut self) {
        if let Some(decision) = self.decision.take() {
            if self.past.len() >= PAST_MAX {
                self.past.remove(0);
            }
            self.past.push(decision);
        }
    }
}
