//! Approvals through the gate: asked, given by others, used once, for exactly one request.

use crate::house::{House, Someone, identity, key, policy, retail, treasury, wait};
use access::approvals::{APPROVAL_SECONDS, ApprovalError, ApprovalState, Occasion, request_hash};
use access::roles::{Reach, Role};
use access::{AccessError, GiveRole, NewApproval};
use kernel::actions::{
    ApprovalDecide, ApprovalRead, ApprovalRequest, IdentityManage, KeyDestroy, KeySuspend,
    PolicyChange,
};
use kernel::{Action, ApprovalId, DomainId, Outcome, Resource, ResourceKind};

fn about(approval: ApprovalId, domain: DomainId) -> Resource {
    Resource::new(ResourceKind::Approval, approval.to_string(), domain)
}

pub(crate) fn request(house: &House, by: &Someone, new: NewApproval) -> ApprovalId {
    let all = Resource::all(ResourceKind::Approval, new.resource.domain);
    let permit = house.permit::<ApprovalRequest>(by, all).unwrap();
    wait(house.access().request_approval(permit, new, None)).unwrap()
}

fn decide(
    house: &House,
    by: &Someone,
    id: ApprovalId,
    approves: bool,
) -> Result<ApprovalState, AccessError> {
    let domain = house.access().approval_domain(id).unwrap();
    let permit = house.permit::<ApprovalDecide>(by, about(id, domain)).unwrap();
    wait(house.access().decide_approval(permit, approves, "looked at it"))
}

pub(crate) fn approved(house: &House, by: &Someone, others: &[&Someone], new: NewApproval) {
    let id = request(house, by, new);
    for other in others {
        decide(house, other, id, true).unwrap();
    }
}

const REQUEST: &[u8] = br#"{"after_days":7}"#;

fn destroy() -> NewApproval {
    let resource = key(retail());
    NewApproval {
        action: Action::KeyDestroy,
        occasion: Occasion::Always,
        request_hash: request_hash(Action::KeyDestroy, &resource, REQUEST),
        resource,
        reason: "end of life".into(),
        effect: vec!["17 files do not open any more".into()],
    }
}

fn may_destroy(house: &House, who: &Someone) -> String {
    house.may(&house.caller(who), Action::KeyDestroy, &key(retail()))
}

#[test]
fn two_officers_approve_and_it_is_used_once_for_exactly_this_request() {
    let (mut house, staff) = House::settled();
    assert_eq!(may_destroy(&house, &staff.custodian), "approval-needed");
    let id = request(&house, &staff.custodian, destroy());
    assert_eq!(decide(&house, &staff.officer, id, true).unwrap(), ApprovalState::Requested);
    assert_eq!(may_destroy(&house, &staff.custodian), "approval-needed");
    let state = decide(&house, &staff.second_officer, id, true).unwrap();
    assert_eq!(state, ApprovalState::Approved);
    house.restart();
    assert_eq!(may_destroy(&house, &staff.custodian), "allowed");

    let permit = house.permit::<KeyDestroy>(&staff.custodian, key(retail())).unwrap();
    let other = request_hash(Action::KeyDestroy, &key(retail()), br#"{"after_days":0}"#);
    let refused = house.access().spend(&permit, other);
    let Err(AccessError::Approval(refused)) = refused else { panic!() };
    assert!(matches!(refused, ApprovalError::Needed { needed: 2, .. }));
    let hash = request_hash(Action::KeyDestroy, &key(retail()), REQUEST);
    let spent = house.access().spend(&permit, hash).unwrap().unwrap();
    let twin = house.access().spend(&permit, hash).unwrap().unwrap();
    assert_eq!(spent.id(), id);
    let event = permit.into_event(Outcome::Done, &*house.clock).with("approval", id.to_string());
    let store = house.run.as_ref().unwrap().store.clone();
    store.commit(spent.into_batch().event(event)).wait().unwrap();
    // A twin that was taken at the same time cannot be committed any more.
    let late = store.commit(twin.into_batch()).wait();
    assert!(matches!(late, Err(store::StoreError::VersionConflict { .. })));
    let permit = house.permit::<KeyDestroy>(&staff.custodian, key(retail()));
    if let Ok(permit) = permit {
        assert!(house.access().spend(&permit, hash).is_err());
        let _ = permit.into_event(Outcome::Failed("approval-needed".into()), &*house.clock);
    }
    assert_eq!(may_destroy(&house, &staff.custodian), "approval-needed");
}

#[test]
fn an_approval_serves_nobody_but_its_requester() {
    let (house, staff) = House::settled();
    let suspend = NewApproval {
        action: Action::KeySuspend,
        request_hash: request_hash(Action::KeySuspend, &key(retail()), b""),
        ..destroy()
    };
    approved(&house, &staff.operator, &[&staff.officer], suspend);
    let may = |who| house.may(&house.caller(who), Action::KeySuspend, &key(retail()));
    assert_eq!(may(&staff.operator), "allowed");
    assert_eq!(may(&staff.custodian), "approval-needed");
    let elsewhere = house.caller(&staff.operator);
    assert_eq!(house.may(&elsewhere, Action::KeySuspend, &key(treasury())), "approval-needed");
    let permit = house.permit::<KeySuspend>(&staff.operator, key(retail())).unwrap();
    let hash = request_hash(Action::KeySuspend, &key(retail()), b"");
    assert!(house.access().spend(&permit, hash).unwrap().is_some());
    let _ = permit.into_event(Outcome::Failed("test".into()), &*house.clock);
}

#[test]
fn the_approval_of_somebody_who_was_locked_since_counts_no_more() {
    let (house, staff) = House::settled();
    approved(&house, &staff.custodian, &[&staff.officer, &staff.second_officer], destroy());
    let permit = house.permit::<IdentityManage>(&staff.users, identity(staff.officer.id)).unwrap();
    wait(house.access().lock(permit, "phished")).unwrap();
    let permit = house.permit::<KeyDestroy>(&staff.custodian, key(retail())).unwrap();
    let hash = request_hash(Action::KeyDestroy, &key(retail()), REQUEST);
    let refused = house.access().spend(&permit, hash);
    assert!(matches!(refused, Err(AccessError::Approval(ApprovalError::Needed { .. }))));
    let _ = permit.into_event(Outcome::Failed("approval-needed".into()), &*house.clock);
}

#[test]
fn nobody_approves_what_they_ask_for_nor_without_being_on_the_duty_list() {
    let (house, staff) = House::settled();
    let suspend = NewApproval {
        action: Action::KeySuspend,
        request_hash: request_hash(Action::KeySuspend, &key(retail()), b""),
        ..destroy()
    };
    let id = request(&house, &staff.officer, suspend);
    let own = house.permit::<ApprovalDecide>(&staff.officer, about(id, retail())).unwrap_err();
    assert_eq!(own.code, "forbidden");
    assert!(own.because.contains(&String::from("approver-is-not-requester")));
    // The policies let security operations decide; the rule for destruction names officers alone.
    let id = request(&house, &staff.custodian, destroy());
    let refused = decide(&house, &staff.operator, id, true).unwrap_err();
    assert!(matches!(refused, AccessError::Approval(ApprovalError::NotOnDutyList)));
    decide(&house, &staff.officer, id, true).unwrap();
    let twice = decide(&house, &staff.officer, id, true).unwrap_err();
    assert!(matches!(twice, AccessError::Approval(ApprovalError::Twice)));
    // A permit for another key domain finds nothing.
    let other = about(id, treasury());
    let permit = house.permit::<ApprovalDecide>(&staff.second_officer, other).unwrap();
    let refused = wait(house.access().decide_approval(permit, true, "")).unwrap_err();
    assert!(matches!(refused, AccessError::Approval(ApprovalError::NotFound)));
}

#[test]
fn it_expires_after_a_day_and_a_clock_set_back_does_not_revive_it() {
    let (mut house, mut staff) = House::settled();
    let id = request(&house, &staff.custodian, destroy());
    decide(&house, &staff.officer, id, true).unwrap();
    decide(&house, &staff.second_officer, id, true).unwrap();
    let day = u32::try_from(APPROVAL_SECONDS).unwrap();
    house.later(day - 60, [&mut staff.custodian]);
    assert_eq!(may_destroy(&house, &staff.custodian), "allowed");
    house.clock.advance_millis(60_000);
    assert_eq!(may_destroy(&house, &staff.custodian), "approval-needed");
    house.clock.jump_wall_seconds(-3_600);
    assert_eq!(may_destroy(&house, &staff.custodian), "approval-needed");
    // Not even when the server starts again under the wrong clock: it left a mark in the store.
    house.access().tell_refusals(false);
    house.events();
    house.restart();
    assert_eq!(may_destroy(&house, &staff.custodian), "approval-needed");
    let one = about(id, retail());
    let permit = house.permit::<ApprovalRead>(&staff.custodian, one).unwrap();
    let shown = house.access().approvals(permit).unwrap();
    assert_eq!(shown[0].state, ApprovalState::Expired);
}

#[test]
fn a_new_approver_counts_after_a_day_that_has_really_passed() {
    let (house, mut staff) = House::settled();
    house.later(60, [&mut staff.users, &mut staff.custodian]);
    let invitation = house.invite(&staff.users, "officer3");
    let give = GiveRole { role: Role::CryptoOfficer, reach: Reach::Installation, until: None };
    let resource = policy(invitation.person);
    let new = NewApproval {
        action: Action::PolicyChange,
        occasion: Occasion::RoleGiven,
        request_hash: give.request_hash(&resource),
        resource,
        reason: "third officer".into(),
        effect: Vec::new(),
    };
    approved(&house, &staff.policies, &[&staff.operator], new);
    let permit = house.permit::<PolicyChange>(&staff.policies, policy(invitation.person));
    wait(house.access().give_role(permit.unwrap(), give)).unwrap();
    let mut third = house.enrol(&invitation, "officer3");
    let id = request(&house, &staff.custodian, destroy());
    let new = decide(&house, &third, id, true).unwrap_err();
    assert!(matches!(new, AccessError::Approval(ApprovalError::TooNew)));
    // Setting the clock forward ends no waiting period.
    house.clock.jump_wall_seconds(2 * 86_400);
    house.later(60, [&mut third, &mut staff.custodian]);
    let id = request(&house, &staff.custodian, destroy());
    let new = decide(&house, &third, id, true).unwrap_err();
    assert!(matches!(new, AccessError::Approval(ApprovalError::TooNew)));
    house.clock.jump_wall_seconds(-2 * 86_400);
    // Codes of steps already taken are refused, so the device waits out the jump.
    house.clock.advance_millis(3 * 86_400_000);
    house.later(60, [&mut third, &mut staff.custodian]);
    let id = request(&house, &staff.custodian, destroy());
    assert_eq!(decide(&house, &third, id, true).unwrap(), ApprovalState::Requested);
}

#[test]
fn one_no_ends_a_request_and_the_log_tells_the_story() {
    let (house, staff) = House::settled();
    let id = request(&house, &staff.custodian, destroy());
    decide(&house, &staff.officer, id, true).unwrap();
    let state = decide(&house, &staff.second_officer, id, false).unwrap();
    assert_eq!(state, ApprovalState::Rejected);
    assert_eq!(may_destroy(&house, &staff.custodian), "approval-needed");
    let events = house.events();
    let told: Vec<_> = events
        .iter()
        .filter(|e| e.event.action.starts_with("approval."))
        .map(|e| e.event.detail("verdict").unwrap_or("asked"))
        .collect();
    assert_eq!(told, ["asked", "approved", "rejected"]);
}

#[test]
fn requests_are_checked_before_they_stand() {
    let (house, staff) = House::settled();
    let refused = |new: NewApproval, domain| {
        let all = Resource::all(ResourceKind::Approval, domain);
        let permit = house.permit::<ApprovalRequest>(&staff.custodian, all).unwrap();
        wait(house.access().request_approval(permit, new, None)).unwrap_err()
    };
    let no_rule = NewApproval { action: Action::KeyRotate, ..destroy() };
    let no_rule = refused(no_rule, retail());
    assert!(matches!(no_rule, AccessError::Approval(ApprovalError::NoRule(Action::KeyRotate))));
    let elsewhere = refused(destroy(), treasury());
    assert!(matches!(elsewhere, AccessError::Approval(ApprovalError::OtherDomain)));
    let silent = refused(NewApproval { reason: "  ".into(), ..destroy() }, retail());
    assert!(matches!(silent, AccessError::Text("reason")));
    let long = refused(NewApproval { effect: vec!["x".into(); 201], ..destroy() }, retail());
    assert!(matches!(long, AccessError::Approval(ApprovalError::TooMany(200))));
    for _ in 0..50 {
        request(&house, &staff.custodian, destroy());
    }
    let many = refused(destroy(), retail());
    assert!(matches!(many, AccessError::Approval(ApprovalError::TooMany(50))));
}
