//! What forms do about data: scans begun and stopped, findings decided on, objects acted on.

use crate::desk::Desk;
use crate::fields::Fields;
use access::NewApproval;
use access::approvals::Occasion;
use discover::{ActRequest, DiscoverError, Edit, SaidNoFind, SourceChange};
use kernel::actions::{
    ApprovalRequest, DataAct, DataDecide, DataDelete, DataRead, DataScan, DataSource, KeyDataKey,
};
use kernel::{
    Action, ActionType, Caller, FindingId, KeyId, Name, Permit, Problem, Resource, ResourceKind,
    SourceId,
};
use serde_json::json;
use std::sync::Arc;

/// Begins or stops the scan of a source; goes on to the sources.
pub(crate) async fn on_source(
    desk: Arc<Desk>,
    fields: Fields,
    id: SourceId,
    verb: String,
) -> Result<String, Problem> {
    let resource = desk.rooms.discover.source_resource(id, desk.caller.domain)?;
    match verb.as_str() {
        "scan" => {
            let permit = desk.permit::<DataScan>(resource)?;
            desk.rooms.discover.start_scan(permit).await?;
        }
        "cancel" => {
            let permit = desk.permit::<DataScan>(resource)?;
            match desk.rooms.discover.cancel_scan(permit).await {
                // It ended while the form was on its way.
                Ok(()) | Err(DiscoverError::NotScanning) => {}
                Err(cause) => return Err(cause.into()),
            }
        }
        "edit" => {
            let change = change(&fields)?;
            desk.rooms.discover.edit_source(desk.permit::<DataSource>(resource)?, change).await?;
            return Ok(format!("/data/sources/{id}"));
        }
        _ => return Err(Problem::not_found("act on a source")),
    }
    Ok(String::from("/data/sources"))
}

/// What a form says about a source: what is empty there is emptied, but the secret, which stays.
fn change(fields: &Fields) -> Result<SourceChange, Problem> {
    let name = |field: &str| -> Result<Edit<Name>, Problem> {
        match fields.text(field) {
            "" => Ok(Edit::Clear),
            text => Ok(Edit::To(text.parse().map_err(|cause: kernel::LabelError| {
                Problem::field(format!("/{field}"), cause.to_string())
            })?)),
        }
    };
    let number = |field: &str| -> Result<Edit<u64>, Problem> {
        let wrong = |_| Problem::field(format!("/{field}"), "is a whole number");
        match fields.text(field) {
            "" => Ok(Edit::Clear),
            text => Ok(Edit::To(text.parse().map_err(wrong)?)),
        }
    };
    let wrong = |_| Problem::field("/setting", "expected a kind of source with its fields");
    let setting = match (fields.text("path"), fields.text("setting")) {
        ("", "") => None,
        ("", text) => Some(serde_json::from_str(text).map_err(wrong)?),
        (path, _) => {
            let folder = json!({ "kind": "folder", "path": path });
            Some(serde_json::from_value(folder).map_err(wrong)?)
        }
    };
    let secret = fields.secret("secret");
    let every_minutes = match number("every")? {
        Edit::To(minutes) => Edit::To(u32::try_from(minutes).unwrap_or(u32::MAX)),
        Edit::Keep | Edit::Clear => Edit::Clear,
    };
    Ok(SourceChange {
        name: match name("name")? {
            Edit::To(name) => Some(name),
            Edit::Keep | Edit::Clear => None,
        },
        setting,
        secret: if secret.expose().is_empty() { Edit::Keep } else { Edit::To(secret) },
        profile: match fields.text("profile") {
            "" => Edit::Clear,
            text => Edit::To(text.to_owned()),
        },
        every_minutes,
        bytes_per_second: number("throttle")?,
        owner: name("owner")?,
        provider: name("provider")?,
        region: name("region")?,
    })
}

/// Decides about a finding or acts on its object; goes on to its page.
pub(crate) async fn on_finding(
    desk: Arc<Desk>,
    fields: Fields,
    id: FindingId,
    verb: String,
) -> Result<String, Problem> {
    let reason = fields.text("reason");
    let request = ActRequest { reason: reason.to_owned() };
    let discover = &desk.rooms.discover;
    match verb.as_str() {
        "no-find" => {
            let said = no_find(&fields)?;
            let permit = permit::<DataDecide>(&desk, id)?;
            discover.no_find(permit, said, reason).await?;
        }
        "accept" => {
            let wrong = || Problem::field("/days", "is a number of days from 1 to 366");
            let days: u16 = fields.text("days").parse().map_err(|_| wrong())?;
            let until = desk.now().plus_days(i64::from(days));
            discover.accept(permit::<DataDecide>(&desk, id)?, until, reason).await?;
        }
        "reopen" => {
            discover.reopen(permit::<DataDecide>(&desk, id)?, reason).await?;
        }
        "quarantine" => {
            discover.quarantine(permit::<DataAct>(&desk, id)?, &request).await?;
        }
        "restore" => {
            discover.restore(permit::<DataAct>(&desk, id)?, &request).await?;
        }
        "encrypt" => {
            let key: KeyId = fields
                .text("key")
                .parse()
                .map_err(|cause: kernel::IdError| Problem::field("/key", cause.to_string()))?;
            let act = permit::<DataAct>(&desk, id)?;
            // The data key is made by the installation: whoever acts on data uses no keys.
            let (wall, now) = (desk.rooms.clock.wall(), desk.rooms.clock.monotonic());
            let ourselves = Arc::new(Caller::system(&desk.caller.correlation, wall, now));
            let key = desk.rooms.key_permit::<KeyDataKey>(&ourselves, key)?;
            discover.encrypt(act, key, &request).await?;
        }
        "ask-delete" => return ask_delete(&desk, id, request).await,
        _ => return Err(Problem::not_found("act on a finding")),
    }
    Ok(format!("/data/findings/{id}"))
}

/// What a form says is no find: one value, columns of a name, or a kind in this object.
fn no_find(fields: &Fields) -> Result<SaidNoFind, Problem> {
    let kind = |word: &str| {
        extract::KindName::try_from(word.to_owned())
            .map_err(|cause| Problem::field("/kind", cause.to_string()))
    };
    if let Some((word, digits)) = fields.text("value").split_once(' ') {
        let wrong = || Problem::field("/value", "is not one of the choices");
        let fingerprint = discover::fingerprint_of(digits).ok_or_else(wrong)?;
        return Ok(SaidNoFind::Value { kind: kind(word)?, fingerprint });
    }
    let kind = kind(fields.text("kind"))?;
    Ok(match fields.text("column") {
        "" => SaidNoFind::Object { kind },
        column => SaidNoFind::Column { column: column.to_owned(), kind },
    })
}

/// Asks others to approve a deletion; goes on to the request.
async fn ask_delete(desk: &Desk, id: FindingId, request: ActRequest) -> Result<String, Problem> {
    let discover = &desk.rooms.discover;
    let resource = discover.finding_resource(id, desk.caller.domain)?;
    let all = Resource::all(ResourceKind::Approval, resource.domain);
    let found = discover.finding(desk.permit::<DataRead>(resource.clone())?)?;
    let effect = vec![discover::loss_told(&found, &discover.source_name(found.source)?)];
    let permit = desk.permit::<ApprovalRequest>(all)?;
    let new = NewApproval {
        action: Action::DataDelete,
        occasion: Occasion::Always,
        request_hash: discover.delete_hash(&resource, &request)?,
        resource,
        reason: request.reason,
        effect,
    };
    let id = desk.rooms.access.request_approval(permit, new, None).await?;
    Ok(format!("/requests#{id}"))
}

/// Carries out a deletion that others approved; goes on to the finding.
pub(crate) async fn delete(
    desk: &Desk,
    id: FindingId,
    request: &ActRequest,
) -> Result<String, Problem> {
    let permit = permit::<DataDelete>(desk, id)?;
    desk.rooms.discover.delete(permit, request).await?;
    Ok(format!("/data/findings/{id}"))
}

fn permit<A: ActionType>(desk: &Desk, id: FindingId) -> Result<Permit<A>, Problem> {
    desk.permit(desk.rooms.discover.finding_resource(id, desk.caller.domain)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(form: &str) -> Result<SaidNoFind, Problem> {
        no_find(&Fields::read(form.as_bytes()).unwrap())
    }

    #[test]
    fn a_form_says_a_value_or_a_column_or_the_whole_object() {
        let digits = "07".repeat(16);
        let value = said(&format!("kind=email&column=&value=hk-identity-card+{digits}")).unwrap();
        assert!(matches!(value, SaidNoFind::Value { kind, .. }
            if String::from(kind) == "hk-identity-card"));
        let column = said("kind=email&column=ref&value=").unwrap();
        assert!(matches!(column, SaidNoFind::Column { column, .. } if column == "ref"));
        assert!(matches!(said("kind=email").unwrap(), SaidNoFind::Object { .. }));
        assert_eq!(said("kind=email&value=email+07").unwrap_err().fields[0].pointer, "/value");
        assert_eq!(said("kind=tooth").unwrap_err().fields[0].pointer, "/kind");
    }

    #[test]
    fn what_is_empty_in_the_form_of_a_source_is_emptied_but_the_secret_stays() {
        let form = "name=a&path=%2Fsrv%2Fx&owner=&every=60&throttle=&provider=aws&secret=";
        let change = change(&Fields::read(form.as_bytes()).unwrap()).unwrap();
        assert_eq!((change.owner, change.every_minutes), (Edit::Clear, Edit::To(60)));
        assert_eq!(change.bytes_per_second, Edit::Clear);
        assert!(change.setting.is_some() && matches!(change.secret, Edit::Keep));
    }
}
