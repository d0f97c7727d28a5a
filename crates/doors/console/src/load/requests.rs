//! Requests for approval, and the exact request behind each that can be carried out from here.

use crate::desk::Desk;
use crate::elements::{State, Tone, capitalised};
use crate::frame::Source;
use crate::pages::requests::{Request, Requests};
use access::ApprovalView;
use access::approvals::ApprovalState;
use discover::ActRequest;
use kernel::actions::ApprovalRead;
use kernel::{Action, FindingId, KeyId, Name, Permit, Principal, Problem, Resource};
use keys::{Destroy, Reason, Resume, Suspend, approval_hash};

/// An act on a key that others approve, exactly as it will be carried out.
#[derive(Debug)]
pub(crate) enum KeyAct {
    /// Stop it.
    Suspend(Suspend),
    /// Let it work again.
    Resume(Resume),
    /// Let it go.
    Destroy(Destroy),
}

impl KeyAct {
    /// The act of an action with a reason and, for a suspension, what stops.
    ///
    /// # Errors
    /// When there is no such act, or the reason or a line is no text.
    pub(crate) fn new(action: Action, reason: &str, stops: &[String]) -> Result<Self, Problem> {
        let reason: Reason = reason
            .parse()
            .map_err(|cause: keys::ReasonError| Problem::field("/reason", cause.to_string()))?;
        let names = |lines: &[String]| {
            let names = lines.iter().map(|line| line.parse::<Name>());
            names.collect::<Result<Vec<_>, _>>()
        };
        match action {
            Action::KeySuspend => {
                let stops =
                    names(stops).map_err(|cause| Problem::field("/stops", cause.to_string()))?;
                Ok(Self::Suspend(Suspend { reason, stops }))
            }
            Action::KeyResume => Ok(Self::Resume(Resume { reason })),
            Action::KeyDestroy => Ok(Self::Destroy(Destroy { reason })),
            other => Err(Problem::new(
                kernel::ProblemKind::Invalid,
                "no-such-act",
                format!("`{other}` is not carried out from the console"),
            )),
        }
    }

    /// The hash to which an approval of this act is bound.
    pub(crate) fn hash(&self, resource: &Resource) -> [u8; 32] {
        match self {
            Self::Suspend(request) => approval_hash(Action::KeySuspend, resource, request),
            Self::Resume(request) => approval_hash(Action::KeyResume, resource, request),
            Self::Destroy(request) => approval_hash(Action::KeyDestroy, resource, request),
        }
    }
}

/// The requests that the caller may see.
pub(crate) fn list(desk: &Desk) -> Result<(Source, Requests), Problem> {
    let found = desk.rooms.access.approvals(desk.scope::<ApprovalRead>()?)?;
    let (open, ended): (Vec<_>, Vec<_>) = found.iter().partition(|view| is_open(view.state));
    let mut waiting: Vec<_> = open.into_iter().map(|view| request(desk, view)).collect();
    waiting.sort_by_key(|request| request.expires_at);
    let ended = ended.into_iter().take(ENDED_SHOWN).map(|view| request(desk, view)).collect();
    Ok((desk.live("live state"), Requests { waiting, ended }))
}

/// The requests that wait for others or to be carried out.
pub(crate) fn waiting(desk: &Desk, permit: Permit<ApprovalRead>) -> Result<Vec<Request>, Problem> {
    let found = desk.rooms.access.approvals(permit)?;
    let open = found.iter().filter(|view| is_open(view.state));
    Ok(open.map(|view| request(desk, view)).collect())
}

const fn is_open(state: ApprovalState) -> bool {
    matches!(state, ApprovalState::Requested | ApprovalState::Approved)
}

/// Ended requests that are shown; the log has the rest.
const ENDED_SHOWN: usize = 50;

fn request(desk: &Desk, view: &ApprovalView) -> Request {
    let approval = &view.approval;
    let yes: Vec<_> = approval
        .verdicts
        .iter()
        .filter(|verdict| verdict.approves)
        .map(|verdict| desk.name_of(Principal::Person(verdict.by)))
        .collect();
    let names = if yes.is_empty() { String::from("nobody yet") } else { yes.join(", ") };
    Request {
        id: approval.id.to_string(),
        what: what(desk, view),
        to: thing_page(&approval.subject.resource),
        asked_by: desk.name_of(approval.requested_by),
        asked_at: approval.requested_at,
        reason: approval.reason.clone(),
        consequences: approval.effect.clone(),
        progress: format!("{} of {}: {names}", yes.len(), approval.needed),
        digest: approval.subject.request_hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        expires_at: approval.expires_at,
        state: state(view.state),
        offer: offer(desk, view),
    }
}

/// The action and the name of the thing, as far as the caller may know it.
fn what(desk: &Desk, view: &ApprovalView) -> String {
    let subject = &view.approval.subject;
    let verb = subject.action.rsplit('.').next().unwrap_or_default();
    let thing = subject.resource.parse::<KeyId>().ok().and_then(|key| {
        let permit = desk.key_permit_if_allowed::<kernel::actions::KeyRead>(key)?;
        desk.rooms.keys.read(permit).ok().map(|key| key.about.name.as_str().to_owned())
    });
    let found = || {
        let id = subject.resource.parse::<FindingId>().ok()?;
        let resource = desk.rooms.discover.finding_resource(id, desk.caller.domain).ok()?;
        desk.rooms.gate.explain(&desk.caller, Action::DataRead, &resource).ok()?;
        let permit = desk.permit::<kernel::actions::DataRead>(resource).ok()?;
        desk.rooms.discover.finding(permit).ok().map(|finding| finding.shown())
    };
    let thing = thing.or_else(found).unwrap_or_else(|| subject.resource.clone());
    format!("{} {thing}", capitalised(verb))
}

fn thing_page(resource: &str) -> Option<String> {
    let finding = resource.parse::<FindingId>().ok().map(|id| format!("/data/findings/{id}"));
    resource.parse::<KeyId>().ok().map(|key| format!("/keys/{key}")).or(finding)
}

fn state(state: ApprovalState) -> State {
    match state {
        ApprovalState::Requested => State::new(Tone::Warn, "Waiting for approval"),
        ApprovalState::Approved => State::new(Tone::Good, "Approved, not carried out"),
        ApprovalState::Used => State::new(Tone::Quiet, "Carried out"),
        ApprovalState::Rejected => State::new(Tone::Bad, "Rejected"),
        ApprovalState::Expired => State::new(Tone::Quiet, "Lapsed"),
    }
}

/// What the one who looks can do with a request.
fn offer(desk: &Desk, view: &ApprovalView) -> crate::pages::requests::Offer {
    use crate::pages::requests::Offer;
    let approval = &view.approval;
    let own = approval.requested_by == desk.caller.principal;
    match (view.state, own) {
        (ApprovalState::Requested, true) => Offer::No("whoever asks does not approve"),
        (ApprovalState::Requested, false) => {
            let resource = Resource::new(
                kernel::ResourceKind::Approval,
                approval.id.to_string(),
                approval.subject.domain,
            );
            match desk.rooms.gate.explain(&desk.caller, Action::ApprovalDecide, &resource) {
                Ok(_) => Offer::Decide,
                Err(refusal) if refusal.code == "second-factor-needed" => Offer::Decide,
                Err(_) => Offer::No("none of your roles may decide it"),
            }
        }
        (ApprovalState::Approved, true) if exact(desk, view).is_some() => Offer::CarryOut,
        (ApprovalState::Approved, true) if approval.subject.action == "data.delete" => {
            Offer::No("the object has changed since, or it was asked for elsewhere")
        }
        (ApprovalState::Approved, true) => {
            Offer::No("it was asked for through another door; carry it out there")
        }
        _ => Offer::Nothing,
    }
}

/// An act that was approved.
pub(crate) enum Exact {
    Key(KeyId, KeyAct),
    Delete(FindingId, ActRequest),
}

/// The exact act that was approved, if it can be made again from what the approval says.
pub(crate) fn exact(desk: &Desk, view: &ApprovalView) -> Option<Exact> {
    let approval = &view.approval;
    let subject = &approval.subject;
    let action = Action::from_word(&subject.action)?;
    if action == Action::DataDelete {
        let resource = Resource::new(subject.kind, subject.resource.clone(), subject.domain);
        let request = ActRequest { reason: approval.reason.clone() };
        let hash = desk.rooms.discover.delete_hash(&resource, &request).ok()?;
        let same = hash == subject.request_hash;
        return same.then_some(Exact::Delete(subject.resource.parse().ok()?, request));
    }
    let act = KeyAct::new(action, &approval.reason, &approval.effect).ok()?;
    let resource = Resource::new(subject.kind, subject.resource.clone(), subject.domain);
    let same = act.hash(&resource) == subject.request_hash;
    same.then_some(Exact::Key(subject.resource.parse().ok()?, act))
}
