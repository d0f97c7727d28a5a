//! What forms do: keys made, rotated, stopped and let go; requests decided and carried out.
//!
//! An act that others must approve becomes a request first. Whoever asked carries it out when
//! enough others have agreed, and then it is exactly the request that they saw.

use crate::console::blocking;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::load::requests::{Exact, KeyAct, exact};
use access::NewApproval;
use access::approvals::{ApprovalRule, Occasion};
use comply::{Period, ReportRequest, Reports, Signing, Step};
use kernel::actions::{
    ApprovalDecide, ApprovalRead, ApprovalRequest, CheckRun, KeyCompromise, KeyCreate, KeyDestroy,
    KeyRead, KeyRecover, KeyResume, KeyRotate, KeySuspend, ReportMake, ReportSign,
};
use kernel::{
    Action, ApprovalId, DomainId, KeyId, Labels, Problem, ProblemKind, ReportId, Resource,
    ResourceKind,
};
use keys::{CreateKey, DeclareCompromise, Destroy, KeysError};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom::Algorithm;

/// Most decisions on one request: what is revoked more often while it is asked is being stopped.
const DECISIONS_MAX: u32 = 3;

/// Days that a report made from a page looks back.
const REPORT_DAYS: i64 = 90;

/// Does an act, asking the gate again when what was decided on has changed in between. It is no
/// function because a closure that lends to its own future cannot be proven `Send` yet.
macro_rules! decided {
    ($act:expr) => {{
        let mut tries = 1;
        loop {
            match $act {
                Err(cause) if cause.decide_again() && tries < DECISIONS_MAX => tries += 1,
                done => break done.map_err(|cause: KeysError| Problem::from(cause)),
            }
        }
    }};
}

/// Makes a key; goes on to its page.
pub(crate) async fn create(desk: Arc<Desk>, fields: Fields) -> Result<String, Problem> {
    let domain: DomainId = fields
        .text("domain")
        .parse()
        .map_err(|cause: kernel::IdError| Problem::field("/domain", cause.to_string()))?;
    let algorithm = Algorithm::ALL.iter().find(|a| a.name() == fields.text("algorithm"));
    let request = CreateKey {
        name: fields
            .text("name")
            .parse()
            .map_err(|cause: kernel::LabelError| Problem::field("/name", cause.to_string()))?,
        algorithm: *algorithm.ok_or_else(|| Problem::field("/algorithm", "no such algorithm"))?,
        labels: labels(&fields)?,
        exportable: false,
        rotation_days: None,
        dates: keys::Dates::default(),
    };
    let made = decided!({
        let permit = desk.permit::<KeyCreate>(request.resource(domain))?;
        desk.rooms.keys.create(permit, &request, None).await
    })?;
    Ok(format!("/keys/{}", made.id))
}

fn labels(fields: &Fields) -> Result<Labels, Problem> {
    let mut labels = BTreeMap::new();
    for word in ["workload", "criticality"] {
        let value = fields.text(word);
        if !value.is_empty() {
            let wrong =
                |cause: kernel::LabelError| Problem::field(format!("/{word}"), cause.to_string());
            let label = word.to_owned().try_into().map_err(wrong)?;
            labels.insert(label, value.parse().map_err(wrong)?);
        }
    }
    labels
        .try_into()
        .map_err(|cause: kernel::LabelError| Problem::field("/labels", cause.to_string()))
}

/// Does to a key what the form asks, or asks others for it.
pub(crate) async fn on_key(
    desk: Arc<Desk>,
    fields: Fields,
    key: KeyId,
    verb: String,
) -> Result<String, Problem> {
    let page = format!("/keys/{key}");
    match verb.as_str() {
        "rotate" => {
            decided!({
                let permit = desk.key_permit::<KeyRotate>(key)?;
                desk.rooms.keys.rotate(permit, None).await
            })?;
        }
        "recover" => {
            typed(&desk, &fields, key).await?;
            let request = Destroy { reason: reason(&fields)? };
            decided!({
                let permit = desk.key_permit::<KeyRecover>(key)?;
                desk.rooms.keys.recover_key(permit, &request).await
            })?;
        }
        "compromise" => {
            typed(&desk, &fields, key).await?;
            let request = DeclareCompromise { reason: reason(&fields)?, versions: None };
            decided!({
                let permit = desk.key_permit::<KeyCompromise>(key)?;
                desk.rooms.keys.compromise(permit, &request).await
            })?;
        }
        "suspend" => return others(desk, fields, key, Action::KeySuspend).await,
        "resume" => return others(desk, fields, key, Action::KeyResume).await,
        "destroy" => return others(desk, fields, key, Action::KeyDestroy).await,
        _ => return Err(Problem::not_found("act on a key")),
    }
    Ok(page)
}

/// Holds the typed name against the name of the key.
async fn typed(desk: &Arc<Desk>, fields: &Fields, key: KeyId) -> Result<(), Problem> {
    let reading = Arc::clone(desk);
    let found =
        blocking(move || Ok(reading.rooms.keys.read(reading.key_permit::<KeyRead>(key)?)?)).await?;
    if found.about.name.as_str() == fields.text("typed_name") {
        return Ok(());
    }
    Err(Problem::field("/typed_name", "this is not the name of the key; nothing was done"))
}

fn reason(fields: &Fields) -> Result<keys::Reason, Problem> {
    fields
        .text("reason")
        .parse()
        .map_err(|cause: keys::ReasonError| Problem::field("/reason", cause.to_string()))
}

/// Asks others to approve an act on a key; goes on to the request.
async fn others(
    desk: Arc<Desk>,
    fields: Fields,
    key: KeyId,
    action: Action,
) -> Result<String, Problem> {
    typed(&desk, &fields, key).await?;
    let resource = desk.rooms.keys.resource(key, desk.caller.domain)?;
    let stops = if action == Action::KeySuspend { desk.protected_by(key)? } else { Vec::new() };
    let act = KeyAct::new(action, fields.text("reason"), &stops)?;
    if ApprovalRule::find(action, Occasion::Always).is_none() {
        carry_out(&desk, key, &act).await?;
        return Ok(format!("/keys/{key}"));
    }
    let all = Resource::all(ResourceKind::Approval, resource.domain);
    let permit = desk.permit::<ApprovalRequest>(all)?;
    let new = NewApproval {
        action,
        occasion: Occasion::Always,
        request_hash: act.hash(&resource),
        resource,
        reason: fields.text("reason").to_owned(),
        effect: stops,
    };
    let id = desk.rooms.access.request_approval(permit, new, None).await?;
    Ok(format!("/requests#{id}"))
}

/// Approves, rejects, or carries out a request.
pub(crate) async fn on_request(
    desk: Arc<Desk>,
    fields: Fields,
    id: ApprovalId,
) -> Result<String, Problem> {
    let access = &desk.rooms.access;
    let domain = access.approval_domain(id).unwrap_or(desk.caller.domain);
    let resource = Resource::new(ResourceKind::Approval, id.to_string(), domain);
    let decision = fields.text("decision");
    match decision {
        "approve" | "reject" => {
            let permit = desk.permit::<ApprovalDecide>(resource)?;
            let approves = decision == "approve";
            access.decide_approval(permit, approves, fields.text("reason")).await?;
        }
        "carry-out" => {
            let reading = Arc::clone(&desk);
            let found = blocking(move || {
                let permit = reading.permit::<ApprovalRead>(resource)?;
                Ok(reading.rooms.access.approvals(permit)?)
            })
            .await?;
            let act = found.first().and_then(|view| exact(&desk, view)).ok_or_else(|| {
                Problem::new(
                    ProblemKind::Conflict,
                    "not-from-here",
                    "this request was asked for through another door; carry it out there",
                )
            })?;
            return match act {
                Exact::Key(key, act) => {
                    carry_out(&desk, key, &act).await?;
                    Ok(format!("/keys/{key}"))
                }
                Exact::Delete(finding, request) => {
                    crate::data_acts::delete(&desk, finding, &request).await
                }
            };
        }
        _ => {
            return Err(Problem::field("/decision", "expected `approve`, `reject` or `carry-out`"));
        }
    }
    Ok(format!("/requests#{id}"))
}

async fn carry_out(desk: &Arc<Desk>, key: KeyId, act: &KeyAct) -> Result<(), Problem> {
    let keys = &desk.rooms.keys;
    match act {
        KeyAct::Suspend(request) => {
            decided!({
                let permit = desk.key_permit::<KeySuspend>(key)?;
                keys.suspend(permit, request).await
            })?;
        }
        KeyAct::Resume(request) => {
            decided!({
                let permit = desk.key_permit::<KeyResume>(key)?;
                keys.resume(permit, request).await
            })?;
        }
        KeyAct::Destroy(request) => {
            decided!({
                let permit = desk.key_permit::<KeyDestroy>(key)?;
                keys.destroy(permit, request).await
            })?;
        }
    }
    Ok(())
}

/// Runs every check now; goes on to the requirements.
pub(crate) async fn run_checks(desk: Arc<Desk>) -> Result<String, Problem> {
    let permit = desk.scope::<CheckRun>()?;
    desk.rooms.comply.run_checks(permit, None).await?;
    Ok(String::from("/requirements"))
}

/// Makes a pack of the last ninety days; goes on to the shelf.
pub(crate) async fn make_report(desk: Arc<Desk>) -> Result<String, Problem> {
    let now = desk.now();
    let period = Period::new(now.plus_days(-REPORT_DAYS), now)
        .map_err(|cause| Problem::new(ProblemKind::Internal, "period", cause.to_string()))?;
    let preparer = desk.signer(Action::ReportMake, &Reports::resource());
    let (sample, show_designation) = (desk.frame.sample, false);
    let request = ReportRequest { period, sample, show_designation, preparer };
    let permit = desk.scope::<ReportMake>()?;
    // Documents take seconds to write: not on a thread that serves connections.
    let runtime = tokio::runtime::Handle::current();
    let made = move || Ok(runtime.block_on(desk.rooms.reports.make(permit, request, None))?);
    let made = blocking(made).await?;
    Ok(format!("/reports#{}", made.id))
}

/// Reviews, approves or returns a report; goes on to the shelf.
pub(crate) async fn sign_report(
    desk: Arc<Desk>,
    fields: Fields,
    id: ReportId,
) -> Result<String, Problem> {
    let step = match fields.text("step") {
        "review" => Step::Review,
        "approve" => Step::Approve,
        "return" => Step::Return,
        _ => return Err(Problem::field("/step", "expected `review`, `approve` or `return`")),
    };
    // One form has one field for the reason, and it goes with a return only.
    let reason = (step == Step::Return).then(|| fields.text("reason").to_owned());
    let signing = Signing { step, pack: fields.text("pack").to_owned(), reason };
    let resource = desk.rooms.reports.resource_of(id)?;
    let permit = desk.permit::<ReportSign>(resource.clone())?;
    let signer = desk.signer(Action::ReportSign, &resource);
    // An approval writes the final documents: not on a thread that serves connections.
    let runtime = tokio::runtime::Handle::current();
    let signed = move || Ok(runtime.block_on(desk.rooms.reports.sign(permit, signer, signing))?);
    blocking(signed).await?;
    Ok(format!("/reports#{id}"))
}
