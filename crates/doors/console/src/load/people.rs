//! People, services and groups with their roles.

use crate::desk::{Desk, DomainNames};
use crate::elements::{State, Tone};
use crate::frame::Source;
use crate::pages::keys::Choice;
use crate::pages::people::{Changing, Group, People, Row};
use access::roles::{Assignment, Reach, Role};
use access::{HeldRole, PersonView, ServiceView};
use kernel::actions::IdentityRead;
use kernel::{Action, GroupId, Principal, Problem};

/// Everybody whom the caller may see.
pub(crate) fn list(desk: &Desk) -> Result<(Source, People), Problem> {
    let access = &desk.rooms.access;
    let people = access.people(desk.scope::<IdentityRead>()?);
    let services = access.services(desk.scope::<IdentityRead>()?);
    let groups = access.groups(desk.scope::<IdentityRead>()?);
    let domains = desk.domain_names()?;
    let named: Vec<_> = groups.iter().map(|g| (g.id, g.name.as_str().to_owned())).collect();
    let say = |held: &HeldRole| in_words(held, &domains, &named);
    let groups = groups.iter().map(|group| Group {
        id: group.id.to_string(),
        name: group.name.as_str().to_owned(),
        description: group.description.clone(),
        members: group.members.iter().map(|m| (m.who.to_string(), desk.name_of(m.who))).collect(),
        roles: group.roles.iter().map(|a| (sent(a), say(&HeldRole::from(a.clone())))).collect(),
    });
    let view = People {
        people: people.iter().map(|view| person(view, &say)).collect(),
        services: services.iter().map(|view| service(desk, view, &say)).collect(),
        groups: groups.collect(),
        changing: changing(desk, &people, &services, &domains),
    };
    Ok((desk.live("live state"), view))
}

/// A role in words: how far it reaches, until when, and by which group.
fn in_words(held: &HeldRole, domains: &DomainNames, groups: &[(GroupId, String)]) -> String {
    let Assignment { role, reach, until, .. } = &held.assignment;
    let mut words = role.english().to_owned();
    if let Reach::Domain(domain) = reach {
        words += &format!(" in {}", domains.of(*domain));
    }
    if let Some(id) = held.group {
        let name = groups.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone());
        words += &format!(", by {}", name.unwrap_or_else(|| id.to_string()));
    }
    if let Some(until) = until {
        words += &format!(", until {}", until.hong_kong());
    }
    words
}

/// What the form to take a role sends; [`read_role`] reads it.
fn sent(given: &Assignment) -> String {
    match given.reach {
        Reach::Installation => given.role.word().to_owned(),
        Reach::Domain(domain) => format!("{} {domain}", given.role),
    }
}

/// The role and reach that a form names.
pub(crate) fn read_role(text: &str) -> Option<(Role, Reach)> {
    let (role, domain) = text.split_once(' ').unwrap_or((text, ""));
    let reach = match domain {
        "" => Reach::Installation,
        domain => Reach::Domain(domain.parse().ok()?),
    };
    Some((Role::from_word(role)?, reach))
}

fn person(view: &PersonView, say: &dyn Fn(&HeldRole) -> String) -> Row {
    let person = &view.person;
    let state = if person.lock.is_some() {
        State::new(Tone::Bad, "Locked")
    } else if person.is_active() {
        State::new(Tone::Good, "Active")
    } else {
        State::new(Tone::Quiet, "Not enrolled")
    };
    Row {
        name: person.name.as_str().to_owned(),
        known_as: person.sign_in_name.as_str().to_owned(),
        state,
        roles: view.roles.iter().map(say).collect(),
        signed_in: view.signed_in_at,
    }
}

fn service(desk: &Desk, view: &ServiceView, say: &dyn Fn(&HeldRole) -> String) -> Row {
    let service = &view.service;
    let owner = service.owner.map(|owner| desk.name_of(Principal::Person(owner)));
    let state = if service.lock.is_some() {
        State::new(Tone::Bad, "Locked")
    } else {
        State::new(Tone::Good, "Active")
    };
    Row {
        name: service.name.as_str().to_owned(),
        known_as: owner.unwrap_or_else(|| String::from("nobody")),
        state,
        roles: view.roles.iter().map(say).collect(),
        signed_in: None,
    }
}

/// The choices of the forms, when the caller's roles allow to change rights; whether the second
/// factor is fresh enough is asked when a form is sent.
fn changing(
    desk: &Desk,
    people: &[PersonView],
    services: &[ServiceView],
    domains: &DomainNames,
) -> Option<Changing> {
    let all = crate::people_acts::rights("*");
    let refused = desk.rooms.gate.explain(&desk.caller, Action::PolicyChange, &all).err();
    if refused.is_some_and(|refusal| refusal.code != "second-factor-needed") {
        return None;
    }
    // Nobody lets themselves in.
    let other = |view: &&PersonView| Principal::Person(view.person.id) != desk.caller.principal;
    let person = |view: &PersonView| -> Choice {
        (view.person.id.to_string(), view.person.name.as_str().to_owned())
    };
    let others = people.iter().filter(other).map(person);
    let service = |view: &ServiceView| -> Choice {
        (view.service.id.to_string(), view.service.name.as_str().to_owned())
    };
    let given = Role::ALL.iter().filter(|role| {
        // The examiner's role needs an end: that is given by the command line.
        **role != Role::BootstrapAdministrator && !role.is_time_boxed()
    });
    Some(Changing {
        candidates: others.chain(services.iter().map(service)).collect(),
        roles: given.map(|role| (role.word().to_owned(), role.english().to_owned())).collect(),
        domains: domains.choices().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{DomainId, Timestamp};

    #[test]
    fn a_role_that_a_form_sends_is_read_back() {
        let given = |reach| Assignment {
            role: Role::KeyCustodian,
            reach,
            since: Timestamp::EPOCH,
            until: None,
            given_by: Principal::System,
        };
        for reach in [Reach::Installation, Reach::Domain(DomainId::from_bytes([7; 16]))] {
            assert_eq!(read_role(&sent(&given(reach))), Some((Role::KeyCustodian, reach)));
        }
        for wrong in ["", "root", "auditor dom_1", "auditor  "] {
            assert_eq!(read_role(wrong), None, "{wrong}");
        }
    }
}
