//! Approvals by others: the rules, one request, and the states it passes through.
//!
//! ```text
//! requested ──approved by as many as the rule wants──▶ approved ──used once──▶ used
//!     │  └──one rejects──▶ rejected
//!     └──24 hours──▶ expired          (an approved one expires too)
//! ```
//! This is an *authenticated approval*: the log shows that a signed-in person with two fresh
//! factors gave it. It is not a signature and cannot be verified without the log.

use crate::roles::{Assignment, Role};
use kernel::{
    Action, ApprovalId, DomainId, PersonId, Principal, Problem, ProblemKind, Resource,
    ResourceKind, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::{Collection, IndexTerm};

/// How long a request for approval stands.
pub const APPROVAL_SECONDS: i64 = 24 * 3_600;
/// How long a new approver, or one whose factors were reset, waits before approvals count.
pub const NEW_APPROVER_SECONDS: i64 = 24 * 3_600;
/// Most lines of the list of what will happen.
pub const EFFECT_LINES_MAX: usize = 200;
/// Most open requests of one principal, so that nobody buries a request among many.
pub const OPEN_REQUESTS_MAX: usize = 50;

/// When a rule applies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// Whenever the action is done; the gate asks for it.
    Always,
    /// When a role is given after bootstrap; taking one needs nobody else.
    RoleGiven,
    /// When an administrator has a person's password and second factor set anew.
    FactorsReset,
}

/// Which action needs how many others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ApprovalRule {
    /// The action, as its word in records.
    #[serde(serialize_with = "word")]
    pub action: Action,
    /// When.
    pub occasion: Occasion,
    /// How many others must approve.
    pub needed: usize,
    /// The roles that may: the duty list.
    pub approvers: &'static [Role],
    /// Why, for the screen.
    pub reason: &'static str,
}

fn word<S: serde::Serializer>(action: &Action, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(action.word())
}

const DUTY_LIST: &[Role] = &[Role::CryptoOfficer, Role::SecurityOperations];
const OFFICERS: &[Role] = &[Role::CryptoOfficer];
const DATA_OWNERS: &[Role] = &[Role::RiskOfficer, Role::CryptoOfficer];
const OVERSIGHT: &[Role] =
    &[Role::PolicyAdministrator, Role::RiskOfficer, Role::SecurityOperations];

/// Every rule.
pub const RULES: &[ApprovalRule] = &[
    ApprovalRule {
        action: Action::KeyDestroy,
        occasion: Occasion::Always,
        needed: 2,
        approvers: OFFICERS,
        reason: "what is encrypted under a destroyed key is lost",
    },
    ApprovalRule {
        action: Action::KeyExport,
        occasion: Occasion::Always,
        needed: 2,
        approvers: OFFICERS,
        reason: "a key that has left cannot be called back",
    },
    ApprovalRule {
        action: Action::KeySuspend,
        occasion: Occasion::Always,
        needed: 1,
        approvers: DUTY_LIST,
        reason: "two people on the duty list stop a key, knowing what stops with it",
    },
    ApprovalRule {
        action: Action::KeyResume,
        occasion: Occasion::Always,
        needed: 1,
        approvers: DUTY_LIST,
        reason: "whatever stopped the key must be over in the eyes of two people",
    },
    ApprovalRule {
        action: Action::DataDelete,
        occasion: Occasion::Always,
        needed: 1,
        approvers: DATA_OWNERS,
        reason: "what is deleted is lost; whoever answers for the data has to agree",
    },
    ApprovalRule {
        action: Action::PolicyChange,
        occasion: Occasion::RoleGiven,
        needed: 1,
        approvers: OVERSIGHT,
        reason: "a change that gives somebody more rights is seen by a second person",
    },
    ApprovalRule {
        action: Action::IdentityManage,
        occasion: Occasion::FactorsReset,
        needed: 1,
        approvers: OVERSIGHT,
        reason: "whoever sets a person's factors anew could sign in as that person",
    },
];

impl ApprovalRule {
    /// The rule of an action on an occasion.
    #[must_use]
    pub fn find(action: Action, occasion: Occasion) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.action == action && rule.occasion == occasion)
    }

    /// The rules of an action, on whatever occasion.
    pub fn of(action: Action) -> impl Iterator<Item = &'static Self> {
        RULES.iter().filter(move |rule| rule.action == action)
    }
}

/// Why an approval was not asked for, given or used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ApprovalError {
    /// Nobody has approved this exact request, or the approval is used up or over.
    #[error("`{action}` needs the approval of {needed} other(s) for this exact request")]
    Needed {
        /// The action.
        action: Action,
        /// How many.
        needed: usize,
    },
    /// The action needs no approval.
    #[error("`{0}` needs no approval")]
    NoRule(Action),
    /// There is no such request, or the caller may not see it.
    #[error("no such request for approval")]
    NotFound,
    /// The request is not open any more.
    #[error("the request is {} and cannot be decided any more", .0.word())]
    NotOpen(ApprovalState),
    /// Whoever approves is not whoever asks.
    #[error("whoever approves is not whoever asks")]
    Own,
    /// One person counts once.
    #[error("you have decided on this request already")]
    Twice,
    /// The caller holds none of the roles that the rule names in this key domain.
    #[error("your roles are not on the duty list for this request")]
    NotOnDutyList,
    /// The approver is new.
    #[error("a new approver counts after 24 hours")]
    TooNew,
    /// Too many open requests, or too many lines.
    #[error("at most {0} of these")]
    TooMany(usize),
    /// The request's key domain or resource is not that of the permit.
    #[error("the request is about another key domain than the permit")]
    OtherDomain,
}

impl ApprovalError {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Needed { .. } => "approval-needed",
            Self::NoRule(_) => "no-approval-rule",
            Self::NotFound => "not-found",
            Self::NotOpen(_) => "approval-not-open",
            Self::Own => "own-request",
            Self::Twice => "decided-already",
            Self::NotOnDutyList => "not-on-duty-list",
            Self::TooNew => "approver-too-new",
            Self::TooMany(_) => "too-many",
            Self::OtherDomain => "other-domain",
        }
    }
}

impl From<ApprovalError> for Problem {
    fn from(error: ApprovalError) -> Self {
        use ProblemKind as Kind;
        let kind = match &error {
            ApprovalError::Needed { .. }
            | ApprovalError::Own
            | ApprovalError::NotOnDutyList
            | ApprovalError::TooNew => Kind::Refused,
            ApprovalError::NoRule(_) | ApprovalError::OtherDomain => Kind::Invalid,
            ApprovalError::NotFound => Kind::NotFound,
            ApprovalError::NotOpen(_) | ApprovalError::Twice => Kind::Conflict,
            ApprovalError::TooMany(_) => Kind::TooLarge,
        };
        Self::new(kind, error.code(), error.to_string())
    }
}

/// Where a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalState {
    /// Waits for others.
    Requested,
    /// Enough others have approved; may be used once.
    Approved,
    /// Was used.
    Used,
    /// One of the others said no.
    Rejected,
    /// Its time ran out.
    Expired,
}

impl ApprovalState {
    /// The word in records and on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Used => "used",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

/// What one of the others said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Yes or no.
    pub approves: bool,
    /// Why, in their words; may be empty for a yes.
    pub reason: String,
}

/// A request for approval.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Approval {
    /// Its identifier.
    pub id: ApprovalId,
    /// What is asked for.
    pub subject: ApprovalSubject,
    /// Why, in the requester's words.
    pub reason: String,
    /// What will happen or stop, line by line, as the slice worked it out.
    pub effect: Vec<String>,
    /// How many must approve.
    pub needed: usize,
    /// Who asked.
    pub requested_by: Principal,
    /// When.
    pub requested_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What the others said.
    pub verdicts: Vec<Verdict>,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

/// The exact thing that is approved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApprovalSubject {
    /// The action's word.
    pub action: String,
    /// On what occasion.
    pub occasion: Occasion,
    /// The kind of the resource.
    pub kind: ResourceKind,
    /// Its identifier.
    pub resource: String,
    /// Its key domain.
    pub domain: DomainId,
    /// The hash of the exact request; see [`request_hash`].
    pub request_hash: [u8; 32],
}

impl ApprovalSubject {
    /// The subject of an action on a resource, with the hash of the request.
    #[must_use]
    pub fn new(
        action: Action,
        occasion: Occasion,
        resource: &Resource,
        request_hash: [u8; 32],
    ) -> Self {
        Self {
            action: action.word().to_owned(),
            occasion,
            kind: resource.kind,
            resource: resource.id.clone(),
            domain: resource.domain,
            request_hash,
        }
    }

    /// The rule that applies.
    #[must_use]
    pub fn rule(&self) -> Option<&'static ApprovalRule> {
        ApprovalRule::find(Action::from_word(&self.action)?, self.occasion)
    }
}

/// The hash to which an approval is bound: SHA-256 over action, resource and the request's
/// canonical bytes, each with its length before it, so that no two requests have one text.
#[must_use]
pub fn request_hash(action: Action, resource: &Resource, request: &[u8]) -> [u8; 32] {
    let mut bytes = b"lionrock approval v1".to_vec();
    let domain = resource.domain.to_bytes();
    for part in [
        action.word().as_bytes(),
        resource.kind.word().as_bytes(),
        resource.id.as_bytes(),
        &domain,
        request,
    ] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    audit::Hash::of(&bytes).0
}

impl Approval {
    /// Where it stands at a time.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ApprovalState {
        let yes = self.verdicts.iter().filter(|v| v.approves).count();
        if self.used_at.is_some() {
            ApprovalState::Used
        } else if self.verdicts.iter().any(|v| !v.approves) {
            ApprovalState::Rejected
        } else if now >= self.expires_at {
            ApprovalState::Expired
        } else if yes >= self.needed {
            ApprovalState::Approved
        } else {
            ApprovalState::Requested
        }
    }

    /// Adds what one of the others says.
    ///
    /// # Errors
    /// When it is not open, it is the requester's own, or the person has spoken already.
    pub fn decide(&mut self, verdict: Verdict, now: Timestamp) -> Result<(), ApprovalError> {
        if self.requested_by == Principal::Person(verdict.by) {
            return Err(ApprovalError::Own);
        }
        if self.verdicts.iter().any(|v| v.by == verdict.by) {
            return Err(ApprovalError::Twice);
        }
        let state = self.state(now);
        // Somebody may still say no to what is approved and not used.
        let open = state == ApprovalState::Requested
            || (state == ApprovalState::Approved && !verdict.approves);
        if !open {
            return Err(ApprovalError::NotOpen(state));
        }
        self.verdicts.push(verdict);
        Ok(())
    }

    /// Whether this requester may use it now for exactly this.
    #[must_use]
    pub fn fits(&self, subject: &ApprovalSubject, requester: Principal, now: Timestamp) -> bool {
        self.subject == *subject
            && self.requested_by == requester
            && self.state(now) == ApprovalState::Approved
    }

    /// Uses it.
    ///
    /// # Errors
    /// When it does not stand as approved.
    pub fn use_up(&mut self, now: Timestamp) -> Result<(), ApprovalError> {
        match self.state(now) {
            ApprovalState::Approved => {
                self.used_at = Some(now);
                Ok(())
            }
            other => Err(ApprovalError::NotOpen(other)),
        }
    }
}

/// When approvals of one person in a key domain begin to count: never without a role of the rule.
pub(crate) fn counts_from(
    roles: impl Iterator<Item = Assignment>,
    factors_reset_at: Option<Timestamp>,
    rule: &ApprovalRule,
    domain: DomainId,
    bootstrap_ended_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let held = roles
        .filter(|a| rule.approvers.contains(&a.role) && a.reach.covers(domain) && a.is_current(now))
        .map(|a| {
            // Who was put in place during bootstrap counts at once.
            let founding = bootstrap_ended_at.is_none_or(|ended| a.since <= ended);
            if founding { Timestamp::EPOCH } else { a.since.plus_seconds(NEW_APPROVER_SECONDS) }
        })
        .min()?;
    let reset = factors_reset_at.map(|at| at.plus_seconds(NEW_APPROVER_SECONDS));
    Some(reset.map_or(held, |reset| held.max(reset)))
}

/// Requests for approval, by id.
#[derive(Debug)]
pub(crate) enum Approvals {}
impl Collection for Approvals {
    const NAME: &'static str = "access.approvals";
    type Key = ApprovalId;
    type Value = Approval;
    fn domain(approval: &Approval) -> DomainId {
        approval.subject.domain
    }
    fn indexes(approval: &Approval) -> Vec<IndexTerm> {
        vec![IndexTerm::new("resource", &approval.subject.resource)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::Reach;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn person(n: u8) -> PersonId {
        PersonId::from_bytes([n; 16])
    }

    fn key() -> Resource {
        let domain = DomainId::from_bytes([3; 16]);
        Resource::new(ResourceKind::Key, "key_00000000000000000000000001", domain)
    }

    fn approval(needed: usize) -> Approval {
        let hash = request_hash(Action::KeyDestroy, &key(), b"now");
        Approval {
            id: ApprovalId::from_bytes([1; 16]),
            subject: ApprovalSubject::new(Action::KeyDestroy, Occasion::Always, &key(), hash),
            reason: "end of life".into(),
            effect: Vec::new(),
            needed,
            requested_by: Principal::Person(person(1)),
            requested_at: NOW,
            expires_at: NOW.plus_seconds(APPROVAL_SECONDS),
            verdicts: Vec::new(),
            used_at: None,
        }
    }

    fn says(n: u8, approves: bool) -> Verdict {
        Verdict { by: person(n), at: NOW, approves, reason: String::new() }
    }

    #[test]
    fn two_others_approve_and_it_is_used_once() {
        let mut a = approval(2);
        let subject = a.subject.clone();
        let me = a.requested_by;
        assert_eq!(a.decide(says(1, true), NOW), Err(ApprovalError::Own));
        a.decide(says(2, true), NOW).unwrap();
        assert_eq!(a.decide(says(2, true), NOW), Err(ApprovalError::Twice));
        assert!(!a.fits(&subject, me, NOW));
        a.decide(says(3, true), NOW).unwrap();
        assert!(a.fits(&subject, me, NOW));
        assert!(!a.fits(&subject, Principal::Person(person(2)), NOW));
        a.use_up(NOW).unwrap();
        assert_eq!(a.use_up(NOW), Err(ApprovalError::NotOpen(ApprovalState::Used)));
    }

    #[test]
    fn it_fits_nothing_but_the_exact_request() {
        let mut a = approval(1);
        a.decide(says(2, true), NOW).unwrap();
        let other_request = request_hash(Action::KeyDestroy, &key(), b"later");
        let other =
            ApprovalSubject::new(Action::KeyDestroy, Occasion::Always, &key(), other_request);
        assert!(!a.fits(&other, a.requested_by, NOW));
        let mut other_key = key();
        other_key.id = "key_00000000000000000000000002".into();
        let hash = request_hash(Action::KeyDestroy, &other_key, b"now");
        let other = ApprovalSubject::new(Action::KeyDestroy, Occasion::Always, &other_key, hash);
        assert!(!a.fits(&other, a.requested_by, NOW));
        let hash = request_hash(Action::KeyExport, &key(), b"now");
        assert_ne!(hash, a.subject.request_hash);
    }

    #[test]
    fn one_no_ends_it_even_after_enough_yes() {
        let mut a = approval(1);
        a.decide(says(2, true), NOW).unwrap();
        a.decide(says(3, false), NOW).unwrap();
        assert_eq!(a.state(NOW), ApprovalState::Rejected);
        assert!(a.use_up(NOW).is_err());
    }

    #[test]
    fn it_expires_approved_or_not() {
        let end = NOW.plus_seconds(APPROVAL_SECONDS);
        let mut a = approval(1);
        assert_eq!(a.state(end), ApprovalState::Expired);
        a.decide(says(2, true), NOW).unwrap();
        assert_eq!(a.state(end.plus_seconds(-1)), ApprovalState::Approved);
        assert_eq!(a.state(end), ApprovalState::Expired);
        assert!(a.use_up(end).is_err());
    }

    #[test]
    fn a_new_approver_counts_after_a_day_and_a_founding_one_at_once() {
        let rule = ApprovalRule::find(Action::KeyDestroy, Occasion::Always).unwrap();
        let domain = DomainId::from_bytes([3; 16]);
        let role = |since| Assignment {
            role: Role::CryptoOfficer,
            reach: Reach::Installation,
            since,
            until: None,
            given_by: Principal::System,
        };
        let t = NOW.plus_days(10);
        let from = |roles: &[Assignment], reset, ended| {
            counts_from(roles.iter().cloned(), reset, rule, domain, ended, t)
        };
        assert_eq!(from(&[role(t)], None, None), Some(Timestamp::EPOCH));
        assert_eq!(from(&[role(t)], None, Some(t)), Some(Timestamp::EPOCH));
        assert_eq!(from(&[role(t)], None, Some(NOW)), Some(t.plus_days(1)));
        assert_eq!(from(&[role(NOW)], Some(t), Some(NOW)), Some(t.plus_days(1)));
        assert_eq!(from(&[], None, None), None);
    }

    #[test]
    fn every_rule_has_approvers_that_may_decide() {
        for rule in RULES {
            assert!(rule.needed >= 1 && !rule.approvers.is_empty());
            assert_eq!(ApprovalRule::find(rule.action, rule.occasion), Some(rule));
        }
        assert!(ApprovalRule::of(Action::ReportSign).next().is_none());
    }
}
