//! Giving and taking roles, and what the checks read of it.

use crate::approvals::approved;
use crate::house::{House, Someone, identity, key, name, policy, retail, treasury, wait};
use access::approvals::Occasion;
use access::duties::{conflict, conflicts_within};
use access::roles::{ASSIGNMENTS_MAX, Reach, Role, TIME_BOX_DAYS_MAX};
use access::{AccessError, CERTIFICATES_MAX, GiveRole, NewApproval, NewService, WORKLOADS_MAX};
use kernel::actions::{CheckRun, IdentityManage, IdentityRead, PolicyChange, PolicyRead};
use kernel::{Action, Clock, DomainId, Resource, ResourceKind};
use proptest::prelude::*;

fn give(role: Role, reach: Reach) -> GiveRole {
    GiveRole { role, reach, until: None }
}

/// Asks for a role after bootstrap and has it approved.
fn ask(house: &House, by: &Someone, approver: &Someone, to: impl ToString, give: GiveRole) {
    let resource = policy(to);
    let new = NewApproval {
        action: Action::PolicyChange,
        occasion: Occasion::RoleGiven,
        request_hash: give.request_hash(&resource),
        resource,
        reason: "joins the team".into(),
        effect: vec![format!("gets {}", give.role)],
    };
    approved(house, by, &[approver], new);
}

#[test]
fn after_bootstrap_a_role_is_given_with_a_second_person_and_exactly_as_approved() {
    let (house, staff) = House::settled();
    let person = house.invite(&staff.users, "newcomer").person;
    let custodian = give(Role::KeyCustodian, Reach::Domain(retail()));
    let permit = || house.permit::<PolicyChange>(&staff.policies, policy(person)).unwrap();
    let alone = wait(house.access().give_role(permit(), custodian));
    assert!(matches!(alone, Err(AccessError::Approval(_))), "{alone:?}");
    ask(&house, &staff.policies, &staff.operator, person, custodian);
    for other in [
        give(Role::KeyCustodian, Reach::Installation),
        give(Role::KeyCustodian, Reach::Domain(treasury())),
        give(Role::CryptoOfficer, Reach::Domain(retail())),
        GiveRole { until: Some(house.clock.wall().plus_days(1)), ..custodian },
    ] {
        let refused = wait(house.access().give_role(permit(), other));
        assert!(matches!(refused, Err(AccessError::Approval(_))), "{other:?}");
    }
    let before = house.access().policy_version();
    wait(house.access().give_role(permit(), custodian)).unwrap();
    assert_eq!(house.access().policy_version().0, before.0 + 1);
    // Used up.
    let other = house.invite(&staff.users, "second").person;
    let permit = house.permit::<PolicyChange>(&staff.policies, policy(other)).unwrap();
    assert!(wait(house.access().give_role(permit, custodian)).is_err());
}

#[test]
fn conflicting_roles_are_refused_with_their_reason() {
    let (house, first) = House::founded();
    let person = house.invite(&first, "ada").person;
    house.give(&first, person, Role::IdentityAdministrator, Reach::Installation).unwrap();
    let refused = house.give(&first, person, Role::KeyCustodian, Reach::Domain(retail()));
    let Err(AccessError::Separation(conflict)) = refused else { panic!("{refused:?}") };
    assert!(conflict.reason.contains("manages users"));
    let events = house.events();
    let last = &events.iter().rfind(|e| e.event.action == "policy.change").unwrap().event;
    assert_eq!(last.outcome, kernel::Outcome::Failed("separation-of-duties".into()));
    let problem = kernel::Problem::from(AccessError::Separation(conflict));
    assert_eq!(problem.code, "separation-of-duties");
    // The key domain makes no difference.
    let person = house.invite(&first, "bo").person;
    house.give(&first, person, Role::KeyCustodian, Reach::Domain(retail())).unwrap();
    let other = house.give(&first, person, Role::CryptoOfficer, Reach::Domain(treasury()));
    assert!(matches!(other, Err(AccessError::Separation(_))));
}

#[test]
fn roles_go_to_those_they_are_made_for() {
    let (house, first) = House::founded();
    let person = house.invite(&first, "ada").person;
    let service = house.service(&first, "payments", None);
    let all = Reach::Installation;
    let refused = |to: String, role, reach| house.give(&first, to, role, reach).unwrap_err();
    let to_person = refused(person.to_string(), Role::Application, all);
    assert!(matches!(to_person, AccessError::RoleNotForHolder(_)));
    let to_service = refused(service.to_string(), Role::KeyCustodian, all);
    assert!(matches!(to_service, AccessError::RoleNotForHolder(_)));
    let by_hand = refused(person.to_string(), Role::BootstrapAdministrator, all);
    assert!(matches!(by_hand, AccessError::RoleNotForHolder(_)));
    let own = refused(first.id.to_string(), Role::PolicyAdministrator, all);
    assert!(matches!(own, AccessError::Separation(_) | AccessError::Own));
    let narrow = refused(person.to_string(), Role::PolicyAdministrator, Reach::Domain(retail()));
    assert!(matches!(narrow, AccessError::RoleNotForDomain(_)));
    let nobody = refused("per_00000000000000000000000000".into(), Role::Auditor, all);
    assert!(matches!(nobody, AccessError::NoSuch("person")));
}

#[test]
fn an_examiner_is_time_boxed_and_reads_until_then() {
    let (house, first) = House::founded();
    let invitation = house.invite(&first, "examiner");
    let person = invitation.person;
    let now = house.clock.wall();
    let permit = || house.permit::<PolicyChange>(&first, policy(person)).unwrap();
    let examiner = |until| GiveRole { role: Role::Examiner, reach: Reach::Installation, until };
    for until in [None, Some(now.plus_days(TIME_BOX_DAYS_MAX + 1))] {
        let refused = wait(house.access().give_role(permit(), examiner(until)));
        assert!(matches!(refused, Err(AccessError::TimeBox(Role::Examiner))));
    }
    let past = wait(house.access().give_role(permit(), examiner(Some(now))));
    assert!(matches!(past, Err(AccessError::Date { .. })));
    wait(house.access().give_role(permit(), examiner(Some(now.plus_days(1))))).unwrap();
    let mut who = house.enrol(&invitation, "examiner");
    let log = Resource::all(ResourceKind::Log, DomainId::SYSTEM);
    assert_eq!(house.may(&house.caller(&who), Action::LogRead, &log), "allowed");
    assert_eq!(house.may(&house.caller(&who), Action::LogExport, &log), "forbidden");
    house.later(86_399, [&mut who]);
    let caller = house.caller(&who);
    assert_eq!(house.may(&caller, Action::LogRead, &log), "allowed");
    house.clock.advance_millis(1_000);
    // Remembered answers end with the time box too; a clock set back does not reopen it.
    assert_eq!(house.may(&caller, Action::LogRead, &log), "no-policy-allows");
    house.clock.jump_wall_seconds(-80_000);
    assert_eq!(house.may(&caller, Action::LogRead, &log), "no-policy-allows");
}

#[test]
fn a_taken_role_ends_at_once_and_voids_permits_given_before() {
    let (mut house, staff) = House::settled();
    let key = key(retail());
    let caller = house.caller(&staff.custodian);
    assert_eq!(house.may(&caller, Action::KeyRotate, &key), "allowed");
    let held = house.permit::<kernel::actions::KeyRotate>(&staff.custodian, key.clone()).unwrap();
    let permit = house.permit::<PolicyChange>(&staff.policies, policy(staff.custodian.id));
    let all = Reach::Installation;
    wait(house.access().take_role(permit.unwrap(), Role::KeyCustodian, all)).unwrap();
    assert_eq!(house.may(&caller, Action::KeyRotate, &key), "no-policy-allows");
    let guard = held.guard();
    let event = held.into_event(kernel::Outcome::Done, &*house.clock);
    let store = house.run.as_ref().unwrap().store.clone();
    let late = store.commit(store::Batch::new().event(event).guard(guard)).wait();
    assert!(matches!(late, Err(store::StoreError::StaleEpoch { .. })));
    let permit = house.permit::<PolicyChange>(&staff.policies, policy(staff.custodian.id));
    let again = wait(house.access().take_role(permit.unwrap(), Role::KeyCustodian, all));
    assert!(matches!(again, Err(AccessError::NoSuch("assignment"))));
    drop(store);
    house.restart();
    assert_eq!(house.may(&caller, Action::KeyRotate, &key), "no-policy-allows");
}

#[test]
fn the_owner_of_a_service_never_manages_users_or_policy() {
    let (house, first) = House::founded();
    let admin = house.invite(&first, "users").person;
    house.give(&first, admin, Role::IdentityAdministrator, Reach::Installation).unwrap();
    let permit = house.permit::<IdentityManage>(&first, identity("*")).unwrap();
    let new = NewService { name: name("x"), owner: Some(admin), workloads: Vec::new() };
    let refused = wait(house.access().create_service(permit, new, None));
    assert!(matches!(refused, Err(AccessError::Owner)));
    let owner = house.invite(&first, "owner").person;
    house.service(&first, "y", Some(owner));
    let refused = house.give(&first, owner, Role::PolicyAdministrator, Reach::Installation);
    assert!(matches!(refused, Err(AccessError::Owner)));
}

#[test]
fn the_last_administrator_cannot_be_locked_nor_lose_the_role() {
    let (house, staff) = House::settled();
    let permit = house.permit::<IdentityManage>(&staff.users, identity(staff.policies.id));
    let refused = wait(house.access().lock(permit.unwrap(), "left")).unwrap_err();
    assert!(matches!(refused, AccessError::Last(Role::PolicyAdministrator)));
    let permit = house.permit::<PolicyChange>(&staff.policies, policy(staff.users.id)).unwrap();
    let all = Reach::Installation;
    let refused = wait(house.access().take_role(permit, Role::IdentityAdministrator, all));
    assert!(matches!(refused, Err(AccessError::Last(Role::IdentityAdministrator))));
    assert_eq!(
        house.may(&house.caller(&staff.users), Action::IdentityManage, &identity("*")),
        "allowed"
    );
}

#[test]
fn roles_workloads_and_certificates_of_one_identity_are_limited() {
    let (house, first) = House::founded();
    let person = house.invite(&first, "ada").person;
    let domain = |n: usize| DomainId::from_bytes([u8::try_from(n + 1).unwrap(); 16]);
    for n in 0..ASSIGNMENTS_MAX {
        house.give(&first, person, Role::Auditor, Reach::Domain(domain(n))).unwrap();
    }
    let over = house.give(&first, person, Role::Auditor, Reach::Domain(domain(200)));
    assert!(matches!(over, Err(AccessError::TooMany { max: ASSIGNMENTS_MAX, .. })));

    let permit = house.permit::<IdentityManage>(&first, identity("*")).unwrap();
    let workloads = (0..=WORKLOADS_MAX).map(|n| name(&format!("w{n}"))).collect();
    let over = NewService { name: name("x"), owner: None, workloads };
    let over = wait(house.access().create_service(permit, over, None));
    assert!(matches!(over, Err(AccessError::TooMany { max: WORKLOADS_MAX, .. })));

    let service = house.service(&first, "payments", None);
    let bind = |n: usize| {
        let permit = house.permit::<IdentityManage>(&first, identity(service)).unwrap();
        let spki = [u8::try_from(n).unwrap(); 32];
        wait(house.access().bind_certificate(permit, spki, name("c")))
    };
    for n in 0..CERTIFICATES_MAX {
        bind(n).unwrap();
    }
    let over = bind(CERTIFICATES_MAX);
    assert!(matches!(over, Err(AccessError::TooMany { max: CERTIFICATES_MAX, .. })));
}

#[test]
fn names_are_unique() {
    let (house, first) = House::founded();
    house.invite(&first, "ada");
    let permit = house.permit::<IdentityManage>(&first, identity("*")).unwrap();
    let new = access::NewPerson { sign_in_name: "ada".parse().unwrap(), name: name("Other") };
    let twice = wait(house.access().create_person(permit, new, None));
    assert!(matches!(twice, Err(AccessError::Store(store::StoreError::NotUnique { .. }))));
    assert_eq!(kernel::Problem::from(twice.unwrap_err()).code, "not-unique");
}

#[test]
fn the_reading_names_conflicts_dormant_accounts_and_who_has_no_second_factor() {
    let (house, staff) = House::settled();
    let invited = house.invite(&staff.users, "late").person;
    let runner = &staff.operator;
    let all = Resource::all(ResourceKind::Requirement, DomainId::SYSTEM);
    let permit = house.permit::<CheckRun>(runner, all).unwrap();
    let reading = house.access().reading(&permit);
    let _ = permit.into_event(kernel::Outcome::Done, &*house.clock);
    let without: Vec<_> =
        reading.people.iter().filter(|p| !p.has_second_factor).map(|p| p.person).collect();
    assert_eq!(without, [invited]);
    assert!(reading.people.iter().all(|p| p.conflicts.is_empty() && p.reviewed_at.is_none()));
    assert_eq!(reading.holders.get("crypto-officer"), Some(&2));
    assert_eq!(reading.holders.get("examiner"), Some(&0));
    assert_eq!(reading.holders.get("bootstrap-administrator"), Some(&0));
    assert!(matches!(reading.bootstrap, access::Bootstrap::Ended { .. }));
    assert_eq!((reading.services.len(), reading.services[0].has_owner), (1, true));
    let later = reading.at.plus_days(90);
    assert!(reading.people.iter().all(|p| p.is_dormant(later, 90) && !p.is_dormant(later, 91)));
    assert!(serde_json::to_string(&reading).unwrap().contains("policy_version"));

    let permit = house.permit::<PolicyChange>(&staff.policies, policy(staff.custodian.id));
    wait(house.access().confirm_roles(permit.unwrap())).unwrap();
    let permit = house.permit::<IdentityRead>(&staff.users, identity(staff.custodian.id)).unwrap();
    let shown = house.access().people(permit);
    assert!(shown[0].person.reviewed.is_some() && shown[0].signed_in_at.is_some());
}

#[test]
fn an_auditor_of_one_key_domain_sees_its_people_and_every_read_is_written_down() {
    let (house, staff) = House::settled();
    let permit = house.permit::<IdentityRead>(&staff.auditor, identity("*")).unwrap();
    let shown = house.access().people(permit);
    assert!(shown.iter().any(|p| p.person.id == staff.engineer.id));
    assert!(shown.iter().all(|p| p.person.roles.iter().any(|a| a.reach.covers(retail()))));
    let permit = house.permit::<PolicyRead>(&staff.policies, policy("*")).unwrap();
    assert_eq!(house.access().policy_texts(permit).len(), 3);
    let events = house.events();
    let reads = events.iter().filter(|e| e.event.action == "identity.read").count();
    assert_eq!(reads, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever order roles are asked in, what was accepted never conflicts, and the engine gives
    /// the holder no two powers that must stay apart.
    #[test]
    fn no_accepted_set_of_roles_joins_managing_users_and_using_keys(
        roles in proptest::collection::vec(proptest::sample::select(Role::ALL.to_vec()), 1..12)
    ) {
        let (house, first) = House::founded();
        let person = house.invite(&first, "ada").person;
        let mut held: Vec<Role> = Vec::new();
        for role in roles {
            let reach = Reach::Installation;
            let clean = held.iter().all(|h| conflict(*h, role).is_none());
            let fits = role.for_people() && role != Role::BootstrapAdministrator;
            let accepted = house.give(&first, person, role, reach).is_ok();
            prop_assert_eq!(accepted, clean && fits, "{} beside {:?}", role, &held);
            if accepted && !held.contains(&role) {
                held.push(role);
            }
        }
        prop_assert!(conflicts_within(&held).is_empty());
    }
}
