//! Asking others, deciding on what others ask, and using what was approved.

use crate::AccessError;
use crate::access::{Access, Change};
use crate::approvals::{
    APPROVAL_SECONDS, Approval, ApprovalError, ApprovalRule, ApprovalState, ApprovalSubject,
    Approvals, EFFECT_LINES_MAX, OPEN_REQUESTS_MAX, Occasion, Verdict, counts_from,
};
use crate::directory::Directory;
use crate::enrolment::Bootstrap;
use crate::people::text;
use kernel::actions::{ApprovalDecide, ApprovalRead, ApprovalRequest};
use kernel::{Action, ActionType, ApprovalId, Outcome, Permit, Principal, Resource, Timestamp};
use store::Repeat;
use store::{Batch, Expect};

/// What somebody asks others for.
#[derive(Clone, Debug)]
pub struct NewApproval {
    /// The action.
    pub action: Action,
    /// On what occasion; [`Occasion::Always`] for actions on keys.
    pub occasion: Occasion,
    /// On what.
    pub resource: Resource,
    /// The hash of the exact request; see [`crate::approvals::request_hash`].
    pub request_hash: [u8; 32],
    /// Why.
    pub reason: String,
    /// What will happen or stop, line by line.
    pub effect: Vec<String>,
}

/// A request for approval as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApprovalView {
    /// The request.
    pub approval: Approval,
    /// Where it stands.
    pub state: ApprovalState,
}

/// An approval that is used up when its batch is committed, and only then.
#[derive(Debug)]
#[must_use = "an approval is used by committing its batch with the change"]
pub struct Spent {
    id: ApprovalId,
    batch: Batch,
}

impl Spent {
    /// Which approval; name it in the event.
    #[must_use]
    pub const fn id(&self) -> ApprovalId {
        self.id
    }

    /// What marks it as used; [`Batch::and`] it to the change, so that both happen or none.
    pub fn into_batch(self) -> Batch {
        self.batch
    }
}

impl Access {
    /// Asks others to approve one exact request.
    ///
    /// # Errors
    /// When the action needs no approval, the permit is for another key domain, or a limit is
    /// passed.
    pub async fn request_approval(
        &self,
        permit: Permit<ApprovalRequest>,
        new: NewApproval,
        repeat: Option<Repeat>,
    ) -> Result<ApprovalId, AccessError> {
        if let Some(first) = self.answered_before::<_, ApprovalId>(&permit, repeat.as_ref())? {
            self.answer_again(permit).await?;
            return Ok(first);
        }
        let (permit, approval) = self.checked(permit, |permit| self.check_request(permit, new))?;
        let id = approval.id;
        let subject = &approval.subject;
        let guard = permit.guard();
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &id));
        let event = permit
            .into_event(Outcome::Done, self.clock())
            .with("approval", id.to_string())
            .with("for", subject.action.as_str())
            .with("on", subject.resource.as_str())
            .with("request_sha256", hex(&subject.request_hash))
            .with("reason", approval.reason.as_str())
            .with("needed", approval.needed.to_string());
        let batch = Batch::new().put::<Approvals>(&id, &approval, Expect::Absent);
        let batch = batch.event(event).guard(guard).essential();
        let keep = |d: &mut Directory, _: &[u64]| d.keep_approval(approval);
        Ok(self.save_new(batch, repeat, keep).await?.unwrap_or(id))
    }

    fn check_request(
        &self,
        permit: &Permit<ApprovalRequest>,
        new: NewApproval,
    ) -> Result<Approval, AccessError> {
        let NewApproval { action, occasion, resource, request_hash, reason, effect } = new;
        let rule = ApprovalRule::find(action, occasion).ok_or(ApprovalError::NoRule(action))?;
        if permit.resource().domain != resource.domain || resource.kind != action.resource_kind() {
            return Err(ApprovalError::OtherDomain.into());
        }
        if effect.len() > EFFECT_LINES_MAX {
            return Err(ApprovalError::TooMany(EFFECT_LINES_MAX).into());
        }
        let effect =
            effect.iter().map(|line| text("effect", line)).collect::<Result<Vec<_>, _>>()?;
        let reason = text("reason", &reason)?;
        let requested_by = permit.caller().principal;
        let now = self.times().latest();
        let open = self.look(|d| {
            let own = d.approvals.values().filter(|a| a.requested_by == requested_by);
            own.filter(|a| a.state(now) == ApprovalState::Requested).count()
        });
        if open >= OPEN_REQUESTS_MAX {
            return Err(ApprovalError::TooMany(OPEN_REQUESTS_MAX).into());
        }
        Ok(Approval {
            id: ApprovalId::generate(self.clock(), self.rng())?,
            subject: ApprovalSubject::new(action, occasion, &resource, request_hash),
            reason,
            effect,
            needed: rule.needed,
            requested_by,
            requested_at: now,
            expires_at: now.plus_seconds(APPROVAL_SECONDS),
            verdicts: Vec::new(),
            used_at: None,
        })
    }

    /// Says yes or no to the request that the permit names. One no ends it.
    ///
    /// # Errors
    /// [`ApprovalError`]: one's own, decided already, not on the duty list, too new, not open.
    pub async fn decide_approval(
        &self,
        permit: Permit<ApprovalDecide>,
        approves: bool,
        reason: &str,
    ) -> Result<ApprovalState, AccessError> {
        let (permit, (version, approval)) =
            self.checked(permit, |permit| self.check_verdict(permit, approves, reason))?;
        let (id, state) = (approval.id, approval.state(self.times().latest()));
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, self.clock())
            .with("verdict", if approves { "approved" } else { "rejected" })
            .with("for", approval.subject.action.as_str())
            .with("on", approval.subject.resource.as_str())
            .with("request_sha256", hex(&approval.subject.request_hash))
            .with("state", state.word());
        let expect = Expect::Version(version);
        let batch = Batch::new().put::<Approvals>(&id, &approval, expect);
        let batch = batch.event(event).guard(guard).essential();
        self.save(batch, Change::Widens, |d, _| d.keep_approval(approval)).await?;
        Ok(state)
    }

    /// The request with the verdict added, and the version in which it was read.
    fn check_verdict(
        &self,
        permit: &Permit<ApprovalDecide>,
        approves: bool,
        reason: &str,
    ) -> Result<(u64, Approval), AccessError> {
        let id: ApprovalId = permit.resource_id().ok_or(ApprovalError::NotFound)?;
        let found = self.store().get::<Approvals>(&id)?.ok_or(ApprovalError::NotFound)?;
        let mut approval = found.value;
        if permit.resource().domain != approval.subject.domain {
            return Err(ApprovalError::NotFound.into());
        }
        let Principal::Person(by) = permit.caller().principal else {
            return Err(ApprovalError::NotOnDutyList.into());
        };
        self.check_approver(by, &approval)?;
        let reason = if approves && reason.trim().is_empty() {
            String::new()
        } else {
            text("reason", reason)?
        };
        let now = self.times().latest();
        approval.decide(Verdict { by, at: now, approves, reason }, now)?;
        Ok((found.version, approval))
    }

    fn check_approver(&self, by: kernel::PersonId, approval: &Approval) -> Result<(), AccessError> {
        let rule = approval.subject.rule().ok_or(ApprovalError::NotFound)?;
        let now = self.times().latest();
        let counts = self.look(|d| {
            let ended = match d.bootstrap() {
                Bootstrap::Open => None,
                Bootstrap::Ended { at } => Some(at),
            };
            let person = &d.person(by)?.value;
            let reset = person.proofs.reset_at;
            let domain = approval.subject.domain;
            let roles = d.held(Principal::Person(by)).map(|held| held.assignment);
            Ok::<_, AccessError>(counts_from(roles, reset, rule, domain, ended, now))
        })?;
        match counts {
            None => Err(ApprovalError::NotOnDutyList.into()),
            // A clock that was set forward has not run through the waiting period.
            Some(from) if self.times().earliest() < from => Err(ApprovalError::TooNew.into()),
            Some(_) => Ok(()),
        }
    }

    /// Uses the caller's approval for exactly this request; `None` when the action needs none, or
    /// when the installation itself acts. The commit fails if somebody used it in between.
    ///
    /// # Errors
    /// [`ApprovalError::Needed`] when nobody has approved exactly this.
    pub fn spend<A: ActionType>(
        &self,
        permit: &Permit<A>,
        request_hash: [u8; 32],
    ) -> Result<Option<Spent>, AccessError> {
        self.spend_on(permit, Occasion::Always, request_hash)
    }

    /// [`Access::spend`] on another occasion; during bootstrap roles and factors need nobody else.
    pub(crate) fn spend_on<A: ActionType>(
        &self,
        permit: &Permit<A>,
        occasion: Occasion,
        request_hash: [u8; 32],
    ) -> Result<Option<Spent>, AccessError> {
        let Some(rule) = ApprovalRule::find(A::ACTION, occasion) else { return Ok(None) };
        let requester = permit.caller().principal;
        let founding = occasion != Occasion::Always && self.bootstrap() == Bootstrap::Open;
        if requester == Principal::System || founding {
            return Ok(None);
        }
        let needed = ApprovalError::Needed { action: A::ACTION, needed: rule.needed };
        let now = self.times().latest();
        let subject = ApprovalSubject::new(A::ACTION, occasion, permit.resource(), request_hash);
        let id = self
            .look(|d| d.find_approval(&subject, requester, now))
            .ok_or_else(|| needed.clone())?;
        // Memory found it; the store says whether it is still unused.
        let found = self.store().get::<Approvals>(&id)?.ok_or(ApprovalError::NotFound)?;
        let mut approval = found.value;
        if !approval.fits(&subject, requester, now) {
            self.change_directory(|d| d.keep_approval(approval));
            return Err(needed.into());
        }
        // Who approved must still be one who may: not locked since, nor off the duty list.
        let standing = approval.verdicts.iter().filter(|verdict| {
            let locked = self.look(|d| d.is_locked(Principal::Person(verdict.by)));
            verdict.approves && !locked && self.check_approver(verdict.by, &approval).is_ok()
        });
        if standing.count() < approval.needed {
            return Err(needed.into());
        }
        approval.use_up(now)?;
        let expect = Expect::Version(found.version);
        let batch = Batch::new().put::<Approvals>(&id, &approval, expect);
        Ok(Some(Spent { id, batch }))
    }

    /// The requests that the permit shows, newest first: one, or all in its key domains.
    ///
    /// # Errors
    /// When the store does not read.
    pub fn approvals(
        &self,
        permit: Permit<ApprovalRead>,
    ) -> Result<Vec<ApprovalView>, AccessError> {
        let (scope, one) = (permit.scope(), permit.resource_id::<ApprovalId>());
        let (all, domain) = (permit.resource().id == "*", permit.resource().domain);
        self.read_under(permit);
        let ids: Vec<ApprovalId> = self.look(|d| {
            let shown = |a: &&Approval| match one {
                Some(id) => a.id == id && a.subject.domain == domain,
                None => all && scope.allows(a.subject.domain),
            };
            d.approvals.values().filter(shown).map(|a| a.id).collect()
        });
        let now: Timestamp = self.times().latest();
        let records = self.store().get_many::<Approvals>(&ids)?;
        let mut found: Vec<_> = records
            .into_iter()
            .flatten()
            .map(|record| {
                let state = record.value.state(now);
                ApprovalView { approval: record.value, state }
            })
            .collect();
        found.sort_by_key(|view| std::cmp::Reverse(view.approval.requested_at));
        Ok(found)
    }

    /// The key domain of a request, so that a door can name it to the gate.
    #[must_use]
    pub fn approval_domain(&self, id: ApprovalId) -> Option<kernel::DomainId> {
        self.look(|d| d.approvals.get(&id).map(|a| a.subject.domain))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
