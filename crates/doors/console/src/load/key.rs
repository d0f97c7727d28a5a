//! One key with everything that is known about it.

use crate::desk::{Desk, key_asset};
use crate::frame::Source;
use crate::load::keys::{state, whole_state};
use crate::load::log::outcome;
use crate::load::map::place;
use crate::pages::key::{Act, Holder, Key, Step, Use, Version};
use access::approvals::{ApprovalRule, Occasion};
use inventory::{AssetView, RelationKind};
use kernel::actions::{AssetRead, IdentityRead, KeyRead};
use kernel::{Action, Caller, Factor, KeyId, Principal, Problem, Resource};
use keys::{KeyView, StateName, VersionView};

/// Records shown in the timeline; the log has the rest.
const TIMELINE_RECORDS: usize = 20;
/// Most identities that are held against the policy for "who may".
const HOLDERS_MAX: usize = 500;

/// Uses of a key that "who may" asks about.
const USES: [Action; 8] = [
    Action::KeyEncrypt,
    Action::KeyDecrypt,
    Action::KeySign,
    Action::KeyMac,
    Action::KeyDataKey,
    Action::KeyRotate,
    Action::KeySuspend,
    Action::KeyDestroy,
];

/// The key of the page.
pub(crate) fn one(desk: &Desk, id: KeyId) -> Result<(Source, Key), Problem> {
    let key = desk.rooms.keys.read(desk.key_permit::<KeyRead>(id)?)?;
    let resource = desk.rooms.keys.resource(id, desk.caller.domain)?;
    let names = desk.domain_names()?;
    let domain = names.of(key.domain);
    let facts = facts(&key, &domain);
    let view = Key {
        id: id.to_string(),
        name: key.about.name.as_str().to_owned(),
        state: whole_state(&key),
        warning: warning(desk, &key),
        facts,
        versions: key.versions.iter().rev().map(version).collect(),
        uses: uses(desk, id)?,
        holders: holders(desk, &resource),
        timeline: timeline(desk, id)?,
        acts: acts(desk, &key, &resource),
    };
    Ok((desk.live("live state and the log"), view))
}

fn facts(key: &KeyView, domain: &str) -> Vec<(&'static str, String)> {
    let about = &key.about;
    let algorithm = about.algorithm;
    let rotation = match (about.rotation, key.rotation_due_at) {
        (Some(period), Some(due)) => {
            format!("every {} days, next by {}", period.days(), due.hong_kong_date())
        }
        (Some(period), None) => format!("every {} days", period.days()),
        (None, _) => String::from("on demand only: there is no schedule"),
    };
    let labels: Vec<_> = about.labels.iter().map(|(k, v)| format!("{k}: {v}")).collect();
    let mut facts = vec![
        ("Key domain", domain.to_owned()),
        (
            "Algorithm",
            format!(
                "{} ({}), {} bits of strength",
                algorithm.name(),
                algorithm.standard(),
                algorithm.security_bits()
            ),
        ),
        ("Protection", String::from("software root; not a validated hardware module")),
        ("Leaves this house", exportable(about.exportable)),
        ("Rotation", rotation),
        ("Made", about.created_at.hong_kong()),
    ];
    if !labels.is_empty() {
        facts.push(("Labels", labels.join(" · ")));
    }
    facts
}

fn exportable(exportable: bool) -> String {
    let text = if exportable { "may be given out, wrapped under another key" } else { "never" };
    text.to_owned()
}

fn warning(desk: &Desk, key: &KeyView) -> Option<String> {
    let destruction = key.destruction.as_ref().filter(|_| !key.state.is_destroyed())?;
    Some(format!(
        "{} asked for its destruction: {}. It is used for nothing now, and can be taken back until \
         {}; then what it protects is lost.",
        desk.name_of(destruction.requested_by),
        destruction.reason,
        destruction.waiting.not_before.hong_kong(),
    ))
}

fn version(version: &VersionView) -> Version {
    let remark = match (version.activate_at, version.deactivate_at) {
        (Some(at), _) => format!("becomes active {}", at.hong_kong()),
        (None, Some(at)) => format!("ends {}", at.hong_kong()),
        (None, None) => format!("since {}", version.since.hong_kong()),
    };
    Version {
        number: version.number.0,
        state: state(version.state),
        made_at: version.created_at,
        remark,
    }
}

/// Who could do what with the key, with two fresh factors: each identity held against the policy.
fn holders(desk: &Desk, resource: &Resource) -> Option<Vec<Holder>> {
    let access = &desk.rooms.access;
    let people = access.people(desk.scope_if_allowed::<IdentityRead>()?);
    let services = access.services(desk.scope_if_allowed::<IdentityRead>()?);
    let people = people.iter().filter(|p| p.person.is_active()).map(|p| {
        let factors = vec![Factor::Password, Factor::Totp];
        (Principal::Person(p.person.id), p.person.name.as_str(), factors)
    });
    let services = services
        .iter()
        .map(|view| &view.service)
        .filter(|s| s.lock.is_none())
        .map(|s| (Principal::Service(s.id), s.name.as_str(), vec![Factor::Certificate]));
    let all = people.chain(services).take(HOLDERS_MAX);
    Some(
        all.filter_map(|(principal, name, factors)| {
            let caller = Caller {
                principal,
                domain: resource.domain,
                factors,
                proven_at: desk.now(),
                scope: None,
                ..(*desk.caller).clone()
            };
            holder(desk, &caller, name, resource)
        })
        .collect(),
    )
}

fn holder(desk: &Desk, caller: &Caller, name: &str, resource: &Resource) -> Option<Holder> {
    let mut because: Vec<String> = Vec::new();
    let may: Vec<_> = USES
        .into_iter()
        .filter(|action| match desk.rooms.gate.explain(caller, *action, resource) {
            Ok(grant) => {
                because.extend(grant.because);
                true
            }
            Err(_) => false,
        })
        .map(|action| {
            let asks = ApprovalRule::find(action, Occasion::Always).is_some();
            let word = action.word().trim_start_matches("key.");
            if asks { format!("{word} when others approve") } else { word.to_owned() }
        })
        .collect();
    because.sort();
    because.dedup();
    (!may.is_empty()).then(|| Holder {
        who: name.to_owned(),
        may: may.join(", "),
        because: because.join(", "),
    })
}

fn timeline(desk: &Desk, id: KeyId) -> Result<Vec<Step>, Problem> {
    let permit = desk.key_permit::<KeyRead>(id)?;
    let page = desk.rooms.keys.timeline(permit, None, TIMELINE_RECORDS)?;
    let step = |logged: &audit::LoggedEvent| Step {
        at: logged.logged,
        position: logged.position.0,
        what: format!("{} by {}", logged.event.action, desk.name_of(logged.event.principal)),
        outcome: outcome(&logged.event.outcome),
    };
    Ok(page.events.iter().map(step).collect())
}

/// What the inventory says is protected by the key; none when the caller may not read it.
fn uses(desk: &Desk, id: KeyId) -> Result<Option<Vec<Use>>, Problem> {
    let Some(permit) = desk.scope_if_allowed::<AssetRead>() else { return Ok(None) };
    let snapshot = desk.rooms.inventory.read(permit, None)?;
    let Some(asset) = key_asset(&snapshot, id) else { return Ok(Some(Vec::new())) };
    let data = snapshot.from(asset.id, RelationKind::Protects);
    let one = |data: &AssetView| Use {
        what: data.name.as_str().to_owned(),
        place: place(&desk.rooms.comply.data().regions.place_of(&data.attributes)),
        known: data.known_by.word().to_owned(),
    };
    Ok(Some(data.map(one).collect()))
}

/// What can be done from here in the key's present state.
fn acts(desk: &Desk, key: &KeyView, resource: &Resource) -> Vec<Act> {
    let (id, waits) = (key.id, key.destruction.is_some());
    let newest_dies = key.state.is_destroyed();
    let suspended = key.state == StateName::Suspended;
    let stops = "New use is refused at once, and use under way that is not yet durable is thrown \
                 away. Everything that needs this key stops working.";
    let lost = "Everything that is encrypted under this key is lost, in every copy and backup.";
    let back = "Until the waiting period of the key domain ends it can be taken back; from the \
                request on the key is used for nothing.";
    let offers = [
        (
            !waits && !newest_dies && !suspended,
            Action::KeyRotate,
            "rotate",
            "Rotate",
            vec!["A new version protects new data; older versions still open what they protected."],
        ),
        (
            !waits && !newest_dies && !suspended,
            Action::KeySuspend,
            "suspend",
            "Suspend",
            vec![stops],
        ),
        (suspended, Action::KeyResume, "resume", "Resume", vec!["The key works as it did before."]),
        (
            !newest_dies && key.state != StateName::Compromised,
            Action::KeyCompromise,
            "compromise",
            "Declare compromised",
            vec![
                "Others know the key or may know it: it protects nothing more, and opens what it \
                 protected only for requests that accept this. It cannot be taken back.",
            ],
        ),
        (!waits && !newest_dies, Action::KeyDestroy, "destroy", "Destroy", vec![lost, back]),
        (
            waits && !newest_dies,
            Action::KeyRecover,
            "recover",
            "Take the destruction back",
            vec!["The key works as it did before."],
        ),
    ];
    let offered = offers.into_iter().filter(|(fits, ..)| *fits);
    offered
        .map(|(_, action, verb, button, consequences)| Act {
            verb,
            button,
            consequences: consequences.into_iter().map(Into::into).collect(),
            approvers: approvers(action),
            dangerous: action != Action::KeyRotate,
            refused: refused(desk, action, resource),
            cli: match action {
                Action::KeyRotate => Some(format!("lionrock keys rotate {id}")),
                Action::KeySuspend | Action::KeyResume | Action::KeyDestroy => {
                    Some(format!("lionrock keys {verb} {id} --reason REASON"))
                }
                _ => None,
            },
        })
        .collect()
}

/// Who must approve, from the rule itself.
fn approvers(action: Action) -> Option<String> {
    let rule = ApprovalRule::find(action, Occasion::Always)?;
    let roles: Vec<_> = rule.approvers.iter().map(|role| role.english()).collect();
    let people = if rule.needed == 1 { "one other person" } else { "other people" };
    let number = if rule.needed == 1 { String::new() } else { format!("{} ", rule.needed) };
    Some(format!("{number}{people} with the role {}, because {}", roles.join(" or "), rule.reason))
}

/// Why the one who looks cannot do it; a missing approval or an old factor can be mended.
fn refused(desk: &Desk, action: Action, resource: &Resource) -> Option<String> {
    let refusal = desk.rooms.gate.explain(&desk.caller, action, resource).err()?;
    match refusal.code.as_ref() {
        "approval-needed" | "second-factor-needed" => None,
        "no-policy-allows" => Some(String::from("none of your roles allows it")),
        code => Some(code.replace('-', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_must_approve_comes_from_the_rule() {
        let two = approvers(Action::KeyDestroy).unwrap();
        assert!(two.starts_with("2 other people with the role Crypto officer"));
        assert_eq!(approvers(Action::KeyRotate), None);
    }

    #[test]
    fn whether_it_leaves_is_said_in_words() {
        assert_eq!(exportable(false), "never");
    }
}
