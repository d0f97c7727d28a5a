//! Groups: whoever is in one holds its roles, and nothing is joined by one that stands apart.

use crate::approvals::approved;
use crate::house::{House, Someone, Staff, identity, key, name, policy, retail, treasury, wait};
use access::approvals::{ApprovalError, Occasion};
use access::duties::conflicts_within;
use access::roles::{Reach, Role};
use access::{
    AccessError, ChangeGroup, GROUPS_MAX, GROUPS_OF_ONE_MAX, GiveRole, MEMBERS_MAX, NewApproval,
    NewGroup, Repeat,
};
use kernel::actions::{CheckRun, IdentityRead, KeyRotate, PolicyChange};
use kernel::limits::TEXT_CHARS_MAX;
use kernel::{Action, DomainId, GroupId, Outcome, PersonId, Principal, Resource, ResourceKind};
use proptest::prelude::*;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

const ALL: Reach = Reach::Installation;

fn change(house: &House, by: &Someone, group: GroupId) -> kernel::Permit<PolicyChange> {
    house.permit::<PolicyChange>(by, policy(group)).unwrap()
}

fn make(house: &House, by: &Someone, called: &str) -> Result<GroupId, AccessError> {
    let permit = house.permit::<PolicyChange>(by, policy("*")).unwrap();
    let new = NewGroup { name: name(called), description: String::new() };
    wait(house.access().create_group(permit, new, None))
}

fn add(
    house: &House,
    by: &Someone,
    group: GroupId,
    who: impl Into<Principal>,
) -> Result<(), AccessError> {
    wait(house.access().add_member(change(house, by, group), who.into()))
}

fn remove(
    house: &House,
    by: &Someone,
    group: GroupId,
    who: impl Into<Principal>,
) -> Result<(), AccessError> {
    wait(house.access().remove_member(change(house, by, group), who.into()))
}

fn give(role: Role) -> GiveRole {
    GiveRole { role, reach: ALL, until: None }
}

/// Asks somebody to let a newcomer in, with the roles that the group has now.
fn ask_in(house: &House, staff: &Staff, group: GroupId, who: PersonId) {
    let (resource, who) = (policy(group), Principal::Person(who));
    let request_hash = house.access().member_request_hash(&resource, who).unwrap();
    ask(house, staff, resource, request_hash);
}

fn ask(house: &House, staff: &Staff, resource: Resource, request_hash: [u8; 32]) {
    let new = NewApproval {
        action: Action::PolicyChange,
        occasion: Occasion::RoleGiven,
        resource,
        request_hash,
        reason: "the team grows".into(),
        effect: Vec::new(),
    };
    approved(house, &staff.policies, &[&staff.operator], new);
}

#[test]
fn whoever_is_in_a_group_holds_its_roles_until_put_out() {
    let (mut house, staff) = House::settled();
    let invitation = house.invite(&staff.users, "newcomer");
    let group = make(&house, &staff.policies, "Retail custodians").unwrap();
    let resource = policy(group);
    let custodian =
        GiveRole { role: Role::KeyCustodian, reach: Reach::Domain(retail()), until: None };
    let hash = house.access().role_request_hash(&resource, custodian).unwrap();
    ask(&house, &staff, resource, hash);
    wait(house.access().give_role(change(&house, &staff.policies, group), custodian)).unwrap();
    ask_in(&house, &staff, group, invitation.person);
    let before = house.access().policy_version();
    add(&house, &staff.policies, group, Principal::Person(invitation.person)).unwrap();
    assert_eq!(house.access().policy_version().0, before.0 + 1);

    let who = house.enrol(&invitation, "newcomer");
    house.restart();
    let caller = house.caller(&who);
    assert_eq!(caller.domain, retail(), "who works in one key domain is at home there");
    assert_eq!(house.may(&caller, Action::KeyRotate, &key(retail())), "allowed");
    assert_eq!(house.may(&caller, Action::KeyRotate, &key(treasury())), "no-policy-allows");
    let why = house.access().explain(&caller, Action::KeyRotate, &key(retail()));
    assert_eq!((why.because, why.roles[0].group), (vec!["key-custodian".into()], Some(group)));
    assert_eq!(why.roles[0].to_string(), format!("key-custodian by {group}"));

    let held = house.permit::<KeyRotate>(&who, key(retail())).unwrap();
    remove(&house, &staff.policies, group, Principal::Person(who.id)).unwrap();
    assert_eq!(house.may(&caller, Action::KeyRotate, &key(retail())), "no-policy-allows");
    let guard = held.guard();
    let event = held.into_event(Outcome::Done, &*house.clock);
    let store = house.run.as_ref().unwrap().store.clone();
    let late = store.commit(store::Batch::new().event(event).guard(guard)).wait();
    assert!(matches!(late, Err(store::StoreError::StaleEpoch { .. })), "a permit given before");
    let events = house.events();
    let did: Vec<_> = events.iter().filter_map(|e| e.event.detail("did")).collect();
    for word in ["group-created", "role-given", "member-added", "member-removed"] {
        assert!(did.contains(&word), "{word}");
    }
    let added = events.iter().find(|e| e.event.detail("did") == Some("member-added")).unwrap();
    assert_eq!(added.event.detail("roles"), Some("key-custodian"));
    assert_eq!(added.event.resource, format!("policy:{group}"));
    assert!(added.event.detail("approval").is_some());
}

#[test]
fn a_group_that_ends_takes_its_roles_with_it() {
    let (mut house, first) = House::founded();
    let invitation = house.invite(&first, "ada");
    let group = make(&house, &first, "Watch").unwrap();
    house.give(&first, group, Role::SecurityOperations, ALL).unwrap();
    add(&house, &first, group, Principal::Person(invitation.person)).unwrap();
    let who = house.enrol(&invitation, "ada");
    let log = Resource::all(ResourceKind::Log, DomainId::SYSTEM);
    let caller = house.caller(&who);
    assert_eq!(house.may(&caller, Action::LogRead, &log), "allowed");
    wait(house.access().delete_group(change(&house, &first, group))).unwrap();
    assert_eq!(house.may(&caller, Action::LogRead, &log), "no-policy-allows");
    let gone = add(&house, &first, group, Principal::Person(invitation.person));
    assert!(matches!(gone, Err(AccessError::NoSuch("group"))));
    house.restart();
    assert_eq!(house.may(&caller, Action::LogRead, &log), "no-policy-allows");
    assert!(make(&house, &first, "Watch").is_ok(), "the name is free again");
}

#[test]
fn what_a_group_would_join_is_refused_with_the_reason() {
    let (house, first) = House::founded();
    let custodian = house.invite(&first, "custodian").person;
    house.give(&first, custodian, Role::KeyCustodian, ALL).unwrap();
    let officers = make(&house, &first, "Officers").unwrap();
    house.give(&first, officers, Role::CryptoOfficer, Reach::Domain(retail())).unwrap();
    let refused = add(&house, &first, officers, Principal::Person(custodian));
    let Err(AccessError::Separation(found)) = refused else { panic!("{refused:?}") };
    assert!(found.reason.contains("whoever approves is not whoever asks"));
    assert_eq!((found.held, found.other), (Role::KeyCustodian, Role::CryptoOfficer));

    // The other way about: the role comes when the member is in already.
    let team = make(&house, &first, "Team").unwrap();
    add(&house, &first, team, Principal::Person(custodian)).unwrap();
    let refused = house.give(&first, team, Role::CryptoOfficer, Reach::Domain(treasury()));
    assert!(matches!(refused, Err(AccessError::Separation(_))), "{refused:?}");
    // By two groups, and by a role of one's own after the group.
    let ada = house.invite(&first, "ada").person;
    add(&house, &first, officers, Principal::Person(ada)).unwrap();
    house.give(&first, team, Role::KeyCustodian, Reach::Domain(treasury())).unwrap();
    let refused = add(&house, &first, team, Principal::Person(ada));
    assert!(matches!(refused, Err(AccessError::Separation(_))), "{refused:?}");
    let refused = house.give(&first, ada, Role::KeyCustodian, Reach::Domain(treasury()));
    assert!(matches!(refused, Err(AccessError::Separation(_))), "{refused:?}");
    // A group that nobody is in cannot be made to wait with both.
    let empty = make(&house, &first, "Empty").unwrap();
    house.give(&first, empty, Role::Auditor, ALL).unwrap();
    let refused = house.give(&first, empty, Role::RiskOfficer, ALL);
    assert!(matches!(refused, Err(AccessError::Separation(_))), "{refused:?}");
    let events = house.events();
    let last = &events.iter().rfind(|e| e.event.action == "policy.change").unwrap().event;
    assert_eq!(last.outcome, Outcome::Failed("separation-of-duties".into()));
}

#[test]
fn nobody_gives_rights_to_themselves_by_a_group() {
    let (house, first) = House::founded();
    let group = make(&house, &first, "Watch").unwrap();
    let own = add(&house, &first, group, Principal::Person(first.id));
    assert!(matches!(own, Err(AccessError::Own)), "not even into a group without roles");
    assert_eq!(kernel::Problem::from(own.unwrap_err()).code, "own-rights");

    // Put in by somebody else, one cannot give the group more.
    let (house, staff) = House::settled();
    let group = make(&house, &staff.policies, "Watch").unwrap();
    let second = house.invite(&staff.users, "second");
    let resource = policy(second.person);
    let hash = give(Role::PolicyAdministrator).request_hash(&resource);
    ask(&house, &staff, resource, hash);
    let permit = house.permit::<PolicyChange>(&staff.policies, policy(second.person)).unwrap();
    wait(house.access().give_role(permit, give(Role::PolicyAdministrator))).unwrap();
    let second = house.enrol(&second, "second");
    add(&house, &staff.policies, group, Principal::Person(second.id)).unwrap();
    let permit = change(&house, &second, group);
    let refused = wait(house.access().give_role(permit, give(Role::PolicyAdministrator)));
    assert!(matches!(refused, Err(AccessError::Own)), "{refused:?}");
}

#[test]
fn a_group_holds_only_what_each_of_its_members_may_hold() {
    let (house, first) = House::founded();
    let (ada, service) = (house.invite(&first, "ada").person, house.service(&first, "core", None));
    let group = make(&house, &first, "Workloads").unwrap();
    house.give(&first, group, Role::Application, Reach::Domain(retail())).unwrap();
    let person = add(&house, &first, group, Principal::Person(ada));
    assert!(matches!(person, Err(AccessError::RoleNotForHolder(Role::Application))));
    add(&house, &first, group, Principal::Service(service)).unwrap();
    let custodian = house.give(&first, group, Role::KeyCustodian, ALL);
    assert!(matches!(custodian, Err(AccessError::Separation(_))), "{custodian:?}");
    let engineers = make(&house, &first, "Engineers").unwrap();
    add(&house, &first, engineers, Principal::Service(service)).unwrap();
    let refused = house.give(&first, engineers, Role::PlatformEngineer, ALL);
    assert!(matches!(refused, Err(AccessError::RoleNotForHolder(Role::PlatformEngineer))));
    let by_hand = house.give(&first, group, Role::BootstrapAdministrator, ALL);
    assert!(matches!(by_hand, Err(AccessError::RoleNotForHolder(_))));

    // Who owns a service does not come to manage users through a group.
    house.service(&first, "ledger", Some(ada));
    let users = make(&house, &first, "Users").unwrap();
    house.give(&first, users, Role::IdentityAdministrator, ALL).unwrap();
    let owner = add(&house, &first, users, Principal::Person(ada));
    assert!(matches!(owner, Err(AccessError::Owner)), "{owner:?}");
    let bo = house.invite(&first, "bo").person;
    add(&house, &first, users, Principal::Person(bo)).unwrap();
    let permit = house.permit::<kernel::actions::IdentityManage>(&first, identity("*")).unwrap();
    let new = access::NewService { name: name("x"), owner: Some(bo), workloads: Vec::new() };
    let refused = wait(house.access().create_service(permit, new, None));
    assert!(matches!(refused, Err(AccessError::Owner)));
}

#[test]
fn an_approval_names_who_will_hold_what() {
    let (house, staff) = House::settled();
    let (ada, bo) = (house.invite(&staff.users, "ada"), house.invite(&staff.users, "bo"));
    let group = make(&house, &staff.policies, "Custodians").unwrap();
    // Nothing is given yet: nobody is asked.
    add(&house, &staff.policies, group, Principal::Person(ada.person)).unwrap();
    let hash = |give| house.access().role_request_hash(&policy(group), give).unwrap();
    let role = |give| {
        let permit = change(&house, &staff.policies, group);
        wait(house.access().give_role(permit, give))
    };
    let custodian = give(Role::KeyCustodian);
    let needed = |answer: &Result<(), AccessError>| {
        matches!(answer, Err(AccessError::Approval(ApprovalError::Needed { needed: 1, .. })))
    };
    assert!(needed(&role(custodian)));
    ask(&house, &staff, policy(group), hash(custodian));
    // Somebody else came in since: the approval was for others.
    add(&house, &staff.policies, group, Principal::Person(bo.person)).unwrap();
    assert!(needed(&role(custodian)));
    remove(&house, &staff.policies, group, Principal::Person(bo.person)).unwrap();
    role(custodian).unwrap();
    // And a newcomer is approved for the roles of that moment.
    assert!(needed(&add(&house, &staff.policies, group, Principal::Person(bo.person))));
    ask_in(&house, &staff, group, bo.person);
    let domain = GiveRole { reach: Reach::Domain(retail()), ..custodian };
    ask(&house, &staff, policy(group), hash(domain));
    role(domain).unwrap();
    assert!(needed(&add(&house, &staff.policies, group, Principal::Person(bo.person))));
    ask_in(&house, &staff, group, bo.person);
    add(&house, &staff.policies, group, Principal::Person(bo.person)).unwrap();
    // Who is in already is given nothing by being let in again.
    add(&house, &staff.policies, group, Principal::Person(bo.person)).unwrap();
}

#[test]
fn two_changes_at_one_time_do_not_join_what_neither_would_alone() {
    let (house, first) = House::founded();
    let ada = house.invite(&first, "ada").person;
    let group = make(&house, &first, "Officers").unwrap();
    house.give(&first, group, Role::CryptoOfficer, ALL).unwrap();
    let permit = change(&house, &first, group);
    let mut by_group = pin!(house.access().add_member(permit, Principal::Person(ada)));
    let permit = house.permit::<PolicyChange>(&first, policy(ada)).unwrap();
    let mut own = pin!(house.access().give_role(permit, give(Role::KeyCustodian)));
    // Both are checked before either counts, unless the disk was quicker than this thread.
    let mut context = Context::from_waker(Waker::noop());
    let mut begun_by_group = by_group.as_mut().poll(&mut context);
    let begun_own = own.as_mut().poll(&mut context);
    let both_were_checked = begun_by_group.is_pending();
    if begun_by_group.is_pending() {
        begun_by_group = Poll::Ready(wait(by_group));
    }
    let own = match begun_own {
        Poll::Ready(answer) => answer,
        Poll::Pending => wait(own),
    };
    assert!(matches!(begun_by_group, Poll::Ready(Ok(()))), "{begun_by_group:?}");
    let late = matches!(own, Err(AccessError::Store(store::StoreError::VersionConflict { .. })));
    let parted = matches!(own, Err(AccessError::Separation(_)));
    assert!(if both_were_checked { late } else { parted }, "{own:?}");
}

#[test]
fn the_last_administrator_is_kept_when_the_role_comes_by_a_group() {
    let (house, first) = House::founded();
    let (users, rules) = (make(&house, &first, "U").unwrap(), make(&house, &first, "P").unwrap());
    house.give(&first, users, Role::IdentityAdministrator, ALL).unwrap();
    house.give(&first, rules, Role::PolicyAdministrator, ALL).unwrap();
    let watch = house.invite(&first, "watch");
    house.give(&first, watch.person, Role::SecurityOperations, ALL).unwrap();
    house.enrol(&watch, "watch");
    let (ada, bo) = (house.invite(&first, "ada"), house.invite(&first, "bo"));
    let ada = house.enrol(&ada, "ada");
    let bo = house.enrol(&bo, "bo");
    add(&house, &first, users, Principal::Person(ada.id)).unwrap();
    assert_eq!(house.access().bootstrap(), access::Bootstrap::Open);
    add(&house, &first, rules, Principal::Person(bo.id)).unwrap();
    // The house has its own people now: bootstrap ends with the change that completes them.
    assert!(matches!(house.access().bootstrap(), access::Bootstrap::Ended { .. }));
    let last = |answer: Result<(), AccessError>, role| {
        assert!(matches!(answer, Err(AccessError::Last(found)) if found == role), "{answer:?}");
    };
    let of_users = Role::IdentityAdministrator;
    last(remove(&house, &bo, users, Principal::Person(ada.id)), of_users);
    last(wait(house.access().delete_group(change(&house, &bo, users))), of_users);
    let permit = change(&house, &bo, users);
    last(wait(house.access().take_role(permit, of_users, ALL)), of_users);
    last(remove(&house, &bo, rules, Principal::Person(bo.id)), Role::PolicyAdministrator);
    let permit = house.permit::<kernel::actions::IdentityManage>(&ada, identity(bo.id)).unwrap();
    last(wait(house.access().lock(permit, "left")), Role::PolicyAdministrator);
}

#[test]
fn a_new_approver_by_a_group_waits_as_others_do() {
    let (house, mut staff) = House::settled();
    let group = make(&house, &staff.policies, "Overseers").unwrap();
    let hash = house.access().role_request_hash(&policy(group), give(Role::RiskOfficer)).unwrap();
    ask(&house, &staff, policy(group), hash);
    let permit = change(&house, &staff.policies, group);
    wait(house.access().give_role(permit, give(Role::RiskOfficer))).unwrap();
    house.later(25 * 3_600, [&mut staff.policies, &mut staff.operator, &mut staff.users]);
    let invitation = house.invite(&staff.users, "late");
    ask_in(&house, &staff, group, invitation.person);
    add(&house, &staff.policies, group, Principal::Person(invitation.person)).unwrap();
    let mut late = house.enrol(&invitation, "late");
    let person = house.invite(&staff.users, "ada").person;
    let decide = |house: &House, by: &Someone, asks: &Someone| {
        let resource = policy(person);
        let new = NewApproval {
            action: Action::PolicyChange,
            occasion: Occasion::RoleGiven,
            request_hash: give(Role::Auditor).request_hash(&resource),
            resource,
            reason: "joins".into(),
            effect: Vec::new(),
        };
        let id = crate::approvals::request(house, asks, new);
        let about = Resource::new(ResourceKind::Approval, id.to_string(), DomainId::SYSTEM);
        let permit = house.permit::<kernel::actions::ApprovalDecide>(by, about).unwrap();
        wait(house.access().decide_approval(permit, true, ""))
    };
    // The role is a day old, the membership is not.
    let refused = decide(&house, &late, &staff.policies);
    let too_new = matches!(refused, Err(AccessError::Approval(ApprovalError::TooNew)));
    assert!(too_new, "{refused:?}");
    house.later(25 * 3_600, [&mut staff.policies, &mut late]);
    assert!(decide(&house, &late, &staff.policies).is_ok());
}

#[test]
fn names_texts_and_numbers_of_groups_are_limited() {
    let (house, first) = House::founded();
    let group = make(&house, &first, "One").unwrap();
    let twice = make(&house, &first, "One");
    assert!(matches!(twice, Err(AccessError::Store(store::StoreError::NotUnique { .. }))));
    let long = "x".repeat(TEXT_CHARS_MAX + 1);
    let permit = change(&house, &first, group);
    let wrong = ChangeGroup { description: Some(long), ..ChangeGroup::default() };
    let wrong = wait(house.access().change_group(permit, wrong));
    assert!(matches!(wrong, Err(AccessError::Text("description"))));
    let permit = change(&house, &first, group);
    let right = ChangeGroup { name: Some(name("Uno")), description: Some("first".into()) };
    wait(house.access().change_group(permit, right)).unwrap();
    let permit = house.permit::<IdentityRead>(&first, identity(group)).unwrap();
    let shown = house.access().groups(permit);
    assert_eq!((shown[0].name.as_str(), shown[0].description.as_str()), ("Uno", "first"));

    let repeat = |n| Some(Repeat { key: "k".into(), request: [n; 32] });
    let again = |repeat| {
        let permit = house.permit::<PolicyChange>(&first, policy("*")).unwrap();
        let new = NewGroup { name: name("Two"), description: String::new() };
        wait(house.access().create_group(permit, new, repeat))
    };
    assert_eq!(again(repeat(1)).unwrap(), again(repeat(1)).unwrap());
    assert!(again(repeat(2)).is_err());

    let ada = house.invite(&first, "ada").person;
    let mut last = group;
    for n in 2..GROUPS_MAX {
        last = make(&house, &first, &format!("group {n}")).unwrap();
        if n < GROUPS_OF_ONE_MAX + 2 {
            add(&house, &first, last, Principal::Person(ada)).unwrap();
        }
    }
    let over = make(&house, &first, "over");
    assert!(matches!(over, Err(AccessError::TooMany { max: GROUPS_MAX, .. })), "{over:?}");
    let over = add(&house, &first, last, Principal::Person(ada));
    assert!(matches!(over, Err(AccessError::TooMany { max: GROUPS_OF_ONE_MAX, .. })));
    for n in 0..=MEMBERS_MAX {
        let service = house.service(&first, &format!("service {n}"), None);
        let added = add(&house, &first, last, Principal::Service(service));
        let over = matches!(added, Err(AccessError::TooMany { max: MEMBERS_MAX, .. }));
        assert_eq!((over, added.is_ok()), (n == MEMBERS_MAX, n < MEMBERS_MAX), "{n} {added:?}");
    }
}

/// One thing done to two people and two groups.
#[derive(Clone, Copy, Debug)]
enum Step {
    Give(usize, Role),
    Take(usize, Role),
    GiveGroup(usize, Role),
    TakeGroup(usize, Role),
    Enter(usize, usize),
    Leave(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let given: Vec<Role> =
        Role::ALL.iter().copied().filter(|r| r.for_people() && !r.is_time_boxed()).collect();
    let given: Vec<Role> =
        given.into_iter().filter(|r| *r != Role::BootstrapAdministrator).collect();
    let role = proptest::sample::select(given);
    let step =
        (0usize..6, 0usize..2, 0usize..2, role).prop_map(|(kind, one, two, role)| match kind {
            0 => Step::Give(one, role),
            1 => Step::Take(one, role),
            2 => Step::GiveGroup(one, role),
            3 => Step::TakeGroup(one, role),
            4 => Step::Enter(one, two),
            _ => Step::Leave(one, two),
        });
    proptest::collection::vec(step, 1..24)
}

/// What the two people and two groups should hold.
#[derive(Clone, Debug, Default)]
struct Model {
    own: [Vec<Role>; 2],
    group: [Vec<Role>; 2],
    within: [[bool; 2]; 2],
}

impl Model {
    fn held(&self, person: usize) -> Vec<Role> {
        let groups = (0..2).filter(|g| self.within[person][*g]).flat_map(|g| &self.group[g]);
        let mut held: Vec<_> = self.own[person].iter().chain(groups).copied().collect();
        held.sort_unstable();
        held.dedup();
        held
    }

    fn is_clean(&self) -> bool {
        let people = (0..2).all(|person| conflicts_within(&self.held(person)).is_empty());
        people && self.group.iter().all(|roles| conflicts_within(roles).is_empty())
    }

    /// As it is after a step; `None` for a step that cannot be done.
    fn after(&self, step: Step) -> Option<Self> {
        let mut next = self.clone();
        let take = |roles: &mut Vec<Role>, role| {
            let at = roles.iter().position(|held| *held == role)?;
            roles.remove(at);
            Some(())
        };
        let put = |roles: &mut Vec<Role>, role| {
            roles.retain(|held| *held != role);
            roles.push(role);
        };
        match step {
            Step::Give(person, role) => put(&mut next.own[person], role),
            Step::Take(person, role) => take(&mut next.own[person], role)?,
            Step::GiveGroup(group, role) => put(&mut next.group[group], role),
            Step::TakeGroup(group, role) => take(&mut next.group[group], role)?,
            Step::Enter(person, group) => next.within[person][group] = true,
            Step::Leave(person, group) => {
                if !std::mem::take(&mut next.within[person][group]) {
                    return None;
                }
            }
        }
        next.is_clean().then_some(next)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever is done in whatever order: what somebody holds is the union of their own roles and
    /// their groups', and a step that would join separated duties in it is refused, and no other.
    #[test]
    fn what_somebody_holds_is_the_union_and_never_conflicts(steps in steps()) {
        let (house, first) = House::founded();
        let people = ["ada", "bo"].map(|who| house.invite(&first, who).person);
        let groups = ["one", "two"].map(|called| make(&house, &first, called).unwrap());
        let take = |from: String, role| {
            let permit = house.permit::<PolicyChange>(&first, policy(from)).unwrap();
            wait(house.access().take_role(permit, role, ALL))
        };
        let mut model = Model::default();
        for step in steps {
            let done = match step {
                Step::Give(person, role) => house.give(&first, people[person], role, ALL),
                Step::Take(person, role) => take(people[person].to_string(), role),
                Step::GiveGroup(group, role) => house.give(&first, groups[group], role, ALL),
                Step::TakeGroup(group, role) => take(groups[group].to_string(), role),
                Step::Enter(person, group) => {
                    add(&house, &first, groups[group], Principal::Person(people[person]))
                }
                Step::Leave(person, group) => {
                    remove(&house, &first, groups[group], Principal::Person(people[person]))
                }
            };
            let next = model.after(step);
            prop_assert_eq!(done.is_ok(), next.is_some(), "{:?} {:?} {:?}", step, done, &model);
            model = next.unwrap_or(model);
            let all = Resource::all(ResourceKind::Requirement, DomainId::SYSTEM);
            let permit = house.permit::<CheckRun>(&first, all).unwrap();
            let reading = house.access().reading(&permit);
            let _ = permit.into_event(Outcome::Done, &*house.clock);
            for (n, id) in people.iter().enumerate() {
                let person = reading.people.iter().find(|p| p.person == *id).unwrap();
                prop_assert_eq!(&person.roles, &model.held(n));
                prop_assert!(person.conflicts.is_empty());
            }
        }
    }
}
