//! When the last administrator is lost.

use crate::house::{House, desk, identity, name, wait};
use access::roles::Role;
use access::{AccessError, BROKEN_GLASS_DAYS, BreakGlass};
use kernel::Action;

fn ask(person: &str, role: Role) -> BreakGlass {
    BreakGlass {
        person: person.parse().unwrap(),
        new: None,
        role,
        custodians: vec![name("Custodian of the seal A"), name("Custodian of the seal B")],
        reason: "both administrators have left".into(),
    }
}

#[test]
fn a_lost_administrator_comes_back_by_a_new_link_and_every_trace_stays() {
    let (mut house, mut staff) = House::settled();
    house.later(60, [&mut staff.users]);
    let before = staff.users.cookie.clone();
    let link = wait(house.access().break_glass(ask("users", Role::IdentityAdministrator))).unwrap();
    let arrival = house.arrival(desk());
    assert!(house.access().caller_for_session(&before, &arrival).is_err());
    let back = house.enrol(&link, "users");
    let caller = house.caller(&back);
    assert_eq!(house.may(&caller, Action::IdentityManage, &identity("*")), "allowed");
    let events = house.events();
    let event = &events.iter().rfind(|e| e.event.action == "access.break-glass").unwrap().event;
    assert_eq!(event.detail("reason"), Some("both administrators have left"));
    assert_eq!(event.resource, format!("identity:{}", staff.users.id));
    house.restart();
    let told = house.access().broken_glass().unwrap();
    assert_eq!((told.person, told.custodians.len()), (staff.users.id, 2));
    for _ in 0..BROKEN_GLASS_DAYS {
        house.clock.advance_millis(24 * 3_600_000);
    }
    assert_eq!(house.access().broken_glass(), None);
}

#[test]
fn somebody_new_can_be_let_in_and_approves_nothing_for_a_day() {
    let (house, staff) = House::settled();
    let mut new = ask("successor", Role::PolicyAdministrator);
    let missing = wait(house.access().break_glass(new.clone()));
    assert!(matches!(missing, Err(AccessError::NoSuch("person"))));
    new.new = Some(name("Successor"));
    let link = wait(house.access().break_glass(new.clone())).unwrap();
    house.enrol(&link, "successor");
    let again = wait(house.access().break_glass(new));
    assert!(matches!(again, Err(AccessError::NameTaken)));
    let person = identity(link.person);
    let permit = house.permit::<kernel::actions::IdentityRead>(&staff.users, person);
    let shown = house.access().people(permit.unwrap());
    assert!(shown[0].person.proofs.reset_at.is_some(), "approvals count after a day");
}

#[test]
fn broken_glass_gives_no_other_role_and_nothing_that_duties_keep_apart() {
    let (house, _) = House::settled();
    for role in [Role::KeyCustodian, Role::CryptoOfficer, Role::BootstrapAdministrator] {
        let refused = wait(house.access().break_glass(ask("users", role)));
        assert!(matches!(refused, Err(AccessError::RoleNotForHolder(_))), "{role}");
    }
    for (person, role) in
        [("custodian", Role::IdentityAdministrator), ("users", Role::PolicyAdministrator)]
    {
        let refused = wait(house.access().break_glass(ask(person, role)));
        assert!(matches!(refused, Err(AccessError::Separation(_))), "{person}");
    }
    let mut nobody = ask("users", Role::IdentityAdministrator);
    nobody.custodians.clear();
    assert!(wait(house.access().break_glass(nobody)).is_err());
    assert_eq!(house.access().broken_glass(), None);
}

#[test]
fn before_anybody_has_enrolled_there_is_nothing_to_break() {
    let house = House::empty();
    let refused = wait(house.access().break_glass(ask("first", Role::IdentityAdministrator)));
    assert!(matches!(refused, Err(AccessError::NobodyLost)));
}

#[test]
fn a_lost_first_administrator_keeps_the_link_that_broke_the_glass() {
    let (house, first) = House::founded();
    let link = wait(house.access().break_glass(ask("first", Role::IdentityAdministrator))).unwrap();
    let other = house.access().first_administrator("x".parse().unwrap(), name("X"));
    assert!(matches!(wait(other), Err(AccessError::NotFirst)));
    assert_eq!(house.enrol(&link, "first").id, first.id);
}
