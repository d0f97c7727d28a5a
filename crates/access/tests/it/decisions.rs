//! The decision as the gate asks it: lists, remembering, explaining, and what it costs.

use crate::house::{House, identity, key, policy, retail, treasury, wait};
use access::roles::{Reach, Role};
use kernel::actions::{KeyEncrypt, KeyList, PolicyChange};
use kernel::{
    Action, Caller, Clock, Decider, DomainId, Factor, MonotonicMicros, Principal, Resource,
    ResourceKind, Scope, Timestamp,
};
use std::sync::Arc;

fn service_caller(house: &House, id: kernel::ServiceId) -> Caller {
    let mut caller = Caller::system("c", house.clock.wall(), house.clock.monotonic());
    caller.principal = Principal::Service(id);
    caller.factors = vec![Factor::Certificate];
    caller.origin.door = kernel::Door::Rest;
    caller.domain = retail();
    caller
}

#[test]
fn a_list_shows_the_key_domains_in_which_the_caller_may_read() {
    let (house, staff) = House::settled();
    let gate = &house.run.as_ref().unwrap().gate;
    let scope = |who| {
        let permit = gate.scope::<KeyList>(&house.caller(who)).unwrap();
        let scope = permit.scope();
        let _ = permit.into_event(kernel::Outcome::Done, &*house.clock);
        scope
    };
    assert_eq!(scope(&staff.custodian), Scope::All);
    assert_eq!(scope(&staff.auditor), Scope::Domains(vec![retail()]));
    let refused = gate.scope::<KeyList>(&house.caller(&staff.users)).unwrap_err();
    assert_eq!(refused.code, "no-policy-allows");
    // One key domain alone, and one that is not the caller's.
    let only = |who, domain| house.permit::<KeyList>(who, Resource::all(ResourceKind::Key, domain));
    let permit = only(&staff.custodian, treasury()).unwrap();
    assert_eq!(permit.scope(), Scope::Domains(vec![treasury()]));
    assert!(only(&staff.auditor, treasury()).is_err());
    let _ = permit.into_event(kernel::Outcome::Done, &*house.clock);
}

#[test]
fn a_remembered_answer_is_the_same_and_dies_with_the_next_change() {
    let (house, staff) = House::settled();
    let caller = service_caller(&house, staff.service);
    for _ in 0..3 {
        assert_eq!(house.may(&caller, Action::KeyEncrypt, &key(retail())), "allowed");
        assert_eq!(house.may(&caller, Action::KeyEncrypt, &key(treasury())), "no-policy-allows");
        assert_eq!(house.may(&caller, Action::KeyRotate, &key(retail())), "no-policy-allows");
    }
    let permit = house.permit::<PolicyChange>(&staff.policies, policy(staff.service)).unwrap();
    let retail_only = Reach::Domain(retail());
    wait(house.access().take_role(permit, Role::Application, retail_only)).unwrap();
    assert_eq!(house.may(&caller, Action::KeyEncrypt, &key(retail())), "no-policy-allows");
}

#[test]
fn remembering_changes_no_answer() {
    let (house, staff) = House::settled();
    let all = [
        &staff.first,
        &staff.custodian,
        &staff.officer,
        &staff.engineer,
        &staff.auditor,
        &staff.operator,
        &staff.users,
        &staff.policies,
    ];
    let answers = || {
        let mut answers = Vec::new();
        for who in all {
            let caller = house.caller(who);
            for action in Action::ALL {
                for domain in [DomainId::SYSTEM, retail(), treasury()] {
                    let thing = Resource::new(action.resource_kind(), "x", domain);
                    answers.push(house.may(&caller, *action, &thing));
                }
            }
        }
        answers
    };
    let first = answers();
    assert_eq!(first, answers());
    assert!(first.iter().any(|a| a == "allowed"));
}

#[test]
fn a_thing_of_another_kind_is_refused_and_remembered_for_nothing() {
    let (house, staff) = House::settled();
    let caller = house.caller(&staff.custodian);
    let wrong = Resource::new(ResourceKind::Log, "key_00000000000000000000000001", retail());
    assert_eq!(house.may(&caller, Action::KeyRotate, &wrong), "wrong-resource");
    assert_eq!(house.may(&caller, Action::KeyRotate, &key(retail())), "allowed");
}

#[test]
fn the_installation_does_its_schedules_and_nothing_else() {
    let (house, _) = House::settled();
    let caller = Caller::system("c", Timestamp::EPOCH, MonotonicMicros(0));
    for (action, said) in [
        (Action::KeyRotate, "allowed"),
        (Action::KeyDestroy, "allowed"),
        (Action::KeyEncrypt, "no-policy-allows"),
        (Action::KeyDecrypt, "no-policy-allows"),
        (Action::KeyExport, "no-policy-allows"),
        (Action::PolicyChange, "no-policy-allows"),
        (Action::ApprovalDecide, "forbidden"),
    ] {
        let thing = Resource::new(action.resource_kind(), "x", retail());
        assert_eq!(house.may(&caller, action, &thing), said, "{action}");
    }
}

#[test]
fn a_decision_is_explained() {
    let (house, staff) = House::settled();
    let caller = house.caller(&staff.custodian);
    let yes = house.access().explain(&caller, Action::KeyRotate, &key(retail()));
    assert_eq!(yes.verdict, Ok(()));
    assert_eq!(yes.because, ["key-custodian"]);
    let [held] = yes.roles.as_slice() else { panic!("{:?}", yes.roles) };
    assert_eq!((held.assignment.role, held.group), (Role::KeyCustodian, None));
    assert_eq!(held.to_string(), "key-custodian");
    let no = house.access().explain(&caller, Action::KeyDestroy, &key(retail()));
    assert_eq!(no.verdict.unwrap_err(), "approval-needed");
    assert_eq!(no.approvals[0].needed, 2);
    let no = house.access().explain(&caller, Action::PolicyChange, &policy("*"));
    assert_eq!(no.verdict.unwrap_err(), "forbidden");
    assert!(no.because.contains(&String::from("key-management-apart-from-policy")));
}

#[test]
fn a_refusal_goes_to_the_log_with_the_policies_that_refused() {
    let (house, staff) = House::settled();
    let refused = house.permit::<KeyEncrypt>(&staff.users, key(retail())).unwrap_err();
    assert_eq!(refused.code, "forbidden");
    let events = house.events();
    let event = &events.iter().rfind(|e| e.event.action == "key.encrypt").unwrap().event;
    assert_eq!(event.detail("policies"), Some("users-apart-from-key-use"));
    assert_eq!(event.policy_version, house.access().policy_version().0);
}

/// Prints what a decision costs; run with `--ignored --nocapture` in the release profile.
#[test]
#[ignore = "a measurement, not a test"]
#[expect(clippy::disallowed_methods, reason = "a measurement needs the real clock")]
fn what_a_decision_costs() {
    let (house, staff) = House::settled();
    let caller = Arc::new(house.caller(&staff.custodian));
    let service = service_caller(&house, staff.service);
    let now = house.clock.wall();
    for (what, caller, action, resource) in [
        ("remembered", &service, Action::KeyEncrypt, key(retail())),
        ("asked anew", &**caller, Action::KeyCompromise, key(retail())),
        ("asked anew, relation", &**caller, Action::IdentityRead, identity(staff.users.id)),
    ] {
        let begun = std::time::Instant::now();
        for _ in 0..10_000 {
            let _ = house.access().decide(caller, action, &resource, now);
        }
        let nanos = begun.elapsed().as_nanos() / 10_000;
        println!("{what}: {}.{:03} microseconds", nanos / 1_000, nanos % 1_000);
    }
}
