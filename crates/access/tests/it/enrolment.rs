//! One-time links and the end of bootstrap.

use crate::house::{House, PASSWORD, desk, from, identity, key, name, retail, secret, wait};
use access::roles::{Reach, Role};
use access::{AccessError, Bootstrap, FIRST_LINK_SECONDS, LINK_SECONDS};
use kernel::actions::IdentityManage;
use kernel::{Action, Resource, ResourceKind};

fn first_link(house: &House) -> access::Invitation {
    let made = house.access().first_administrator("first".parse().unwrap(), name("First"));
    wait(made).unwrap()
}

#[test]
fn the_first_link_lets_one_person_in_once() {
    let house = House::empty();
    let invitation = first_link(&house);
    assert!(!house.access().has_enrolled());
    let first = house.enrol(&invitation, "first");
    assert!(house.access().has_enrolled());
    let caller = house.caller(&first);
    assert_eq!(house.may(&caller, Action::IdentityManage, &identity("*")), "allowed");
    let link = invitation.link.expose();
    let again = wait(house.access().begin_enrolment(link, desk()));
    assert!(matches!(again, Err(AccessError::LinkRefused)));
    let code = house.code(&first.seed);
    let again = house.access().complete_enrolment(link, &secret(PASSWORD), &code, desk(), "c");
    assert!(matches!(again, Err(AccessError::LinkRefused)));
    let another = house.access().first_administrator("other".parse().unwrap(), name("Other"));
    assert!(matches!(wait(another), Err(AccessError::NotFirst)));
}

#[test]
fn the_first_link_is_over_after_fifteen_minutes_and_a_new_one_voids_it() {
    let house = House::empty();
    let early = first_link(&house);
    house.clock.advance_millis(u32::try_from(FIRST_LINK_SECONDS).unwrap() * 1_000);
    let late = wait(house.access().begin_enrolment(early.link.expose(), desk()));
    assert!(matches!(late, Err(AccessError::LinkRefused)));
    let second = first_link(&house);
    let third = first_link(&house);
    assert_eq!(second.person, third.person);
    let void = wait(house.access().begin_enrolment(second.link.expose(), desk()));
    assert!(matches!(void, Err(AccessError::LinkRefused)));
    house.enrol(&third, "first");
}

#[test]
fn an_invitation_is_over_after_a_day_and_withdrawn_at_once() {
    let (house, first) = House::founded();
    let early = house.invite(&first, "ada");
    let withdrawn = house.invite(&first, "bo");
    let permit = house.permit::<IdentityManage>(&first, identity(withdrawn.person)).unwrap();
    wait(house.access().withdraw_links(permit)).unwrap();
    let refused = wait(house.access().begin_enrolment(withdrawn.link.expose(), desk()));
    assert!(matches!(refused, Err(AccessError::LinkRefused)));
    house.clock.advance_millis(u32::try_from(LINK_SECONDS).unwrap() * 1_000 - 1);
    wait(house.access().begin_enrolment(early.link.expose(), desk())).unwrap();
    house.clock.advance_millis(1);
    let late = wait(house.access().begin_enrolment(early.link.expose(), desk()));
    assert!(matches!(late, Err(AccessError::LinkRefused)));
}

#[test]
fn a_clock_set_back_prolongs_no_link() {
    let house = House::empty();
    let invitation = first_link(&house);
    house.clock.advance_millis(u32::try_from(FIRST_LINK_SECONDS).unwrap() * 1_000);
    house.clock.jump_wall_seconds(-FIRST_LINK_SECONDS);
    let late = wait(house.access().begin_enrolment(invitation.link.expose(), desk()));
    assert!(matches!(late, Err(AccessError::LinkRefused)));
}

#[test]
fn a_weak_password_or_a_wrong_code_leaves_the_link_good() {
    let house = House::empty();
    let invitation = first_link(&house);
    let link = invitation.link.expose();
    let good = secret(PASSWORD);
    let too_soon = house.access().complete_enrolment(link, &good, &secret("000000"), desk(), "c");
    assert!(matches!(too_soon, Err(AccessError::EnrolmentNotBegun)));
    let seed = wait(house.access().begin_enrolment(link, desk())).unwrap().seed;
    let code = house.code(seed.expose());
    let weak = house.access().complete_enrolment(link, &secret("Password1234"), &code, desk(), "c");
    assert!(matches!(weak, Err(AccessError::Password(_))));
    let wrong = house.access().complete_enrolment(link, &good, &secret("abcdef"), desk(), "c");
    assert!(matches!(wrong, Err(AccessError::SignInRefused)));
    house.enrol(&invitation, "first");
}

#[test]
fn links_cannot_be_guessed_at_speed() {
    let house = House::empty();
    let guesser = from("198.51.100.9");
    let mut refused = 0;
    for n in 0..50 {
        let guess = format!("lri_{n:043}");
        match wait(house.access().begin_enrolment(&guess, guesser)) {
            Err(AccessError::LinkRefused) => refused += 1,
            Err(AccessError::TooManyAttempts { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refused, 4);
    house.enrol(&first_link(&house), "first");
}

#[test]
fn bootstrap_ends_when_others_are_in_place_and_the_first_administrator_loses_all_rights() {
    let (house, first) = House::founded();
    let new_key = Resource::all(ResourceKind::Key, retail());
    let caller = house.caller(&first);
    assert_eq!(house.may(&caller, Action::KeyCreate, &new_key), "allowed");
    assert_eq!(house.may(&caller, Action::KeyEncrypt, &key(retail())), "forbidden");
    let all = Reach::Installation;
    for (who, role) in [
        ("users", Role::IdentityAdministrator),
        ("policies", Role::PolicyAdministrator),
        ("risk", Role::RiskOfficer),
    ] {
        assert_eq!(house.access().bootstrap(), Bootstrap::Open);
        let invitation = house.invite(&first, who);
        house.give(&first, invitation.person, role, all).unwrap();
        house.enrol(&invitation, who);
    }
    assert!(matches!(house.access().bootstrap(), Bootstrap::Ended { .. }));
    for action in Action::ALL.iter().filter(|action| **action != Action::TokenManage) {
        let thing = Resource::all(action.resource_kind(), retail());
        assert_ne!(house.may(&caller, *action, &thing), "allowed", "{action}");
    }
    let words: Vec<_> = house.events().into_iter().map(|e| e.event.action.into_owned()).collect();
    assert_eq!(words.iter().filter(|w| *w == "access.bootstrap-ended").count(), 1);
}

#[test]
fn an_administrator_resets_factors_only_with_another_persons_approval() {
    let (mut house, mut staff) = House::settled();
    let target = staff.custodian.id;
    let permit = house.permit::<IdentityManage>(&staff.users, identity(target)).unwrap();
    let refused = wait(house.access().reset_factors(permit));
    assert!(matches!(refused, Err(AccessError::Approval(_))), "{refused:?}");
    // The person is untouched.
    house.later(60, [&mut staff.custodian]);

    let resource = identity(target);
    let new = access::NewApproval {
        action: Action::IdentityManage,
        occasion: access::approvals::Occasion::FactorsReset,
        request_hash: access::Access::reset_request_hash(&resource),
        resource,
        reason: "lost the device".into(),
        effect: vec!["the person sets both factors anew".into()],
    };
    crate::approvals::approved(&house, &staff.users, &[&staff.operator], new);
    let permit = house.permit::<IdentityManage>(&staff.users, identity(target)).unwrap();
    let invitation = wait(house.access().reset_factors(permit)).unwrap();
    let arrival = house.arrival(desk());
    let over = house.access().caller_for_session(&staff.custodian.cookie, &arrival);
    assert!(matches!(over, Err(AccessError::SessionOver)));
    let code = Some(house.code(&staff.custodian.seed));
    assert!(house.sign_in(&staff.custodian, PASSWORD, code, desk()).is_err());
    house.restart();
    let back = house.enrol(&invitation, "custodian");
    assert_eq!(back.id, target);
}
