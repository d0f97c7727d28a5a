//! The policies fit the schema, and the engine says what they say.

use access::policy::{
    ActionGroup, CredentialKind, Engine, GroupPosts, Question, Relations, Subject, cedar_schema,
};
use access::roles::{Reach, Role};
use cedar_policy::{Schema, ValidationMode, Validator};
use kernel::{
    Action, DomainId, Door, GroupId, PersonId, Principal, Resource, ResourceKind, ServiceId,
    Timestamp,
};
use std::str::FromStr;

pub(crate) fn domain(n: u8) -> DomainId {
    let mut bytes = [0u8; 16];
    bytes[15] = n;
    DomainId::from_bytes(bytes)
}

pub(crate) fn person(n: u8) -> PersonId {
    let mut bytes = [1u8; 16];
    bytes[15] = n;
    PersonId::from_bytes(bytes)
}

pub(crate) fn subject(principal: Principal, posts: Vec<(Role, Reach)>) -> Subject {
    Subject { principal, locked: false, posts, groups: Vec::new(), workloads: Vec::new() }
}

pub(crate) fn ask(
    engine: &Engine,
    subject: &Subject,
    action: Action,
    resource: &Resource,
) -> String {
    ask_with(engine, subject, action, resource, Relations::default(), true, 0)
}

pub(crate) fn ask_with(
    engine: &Engine,
    subject: &Subject,
    action: Action,
    resource: &Resource,
    relations: Relations,
    strong: bool,
    factor_age_seconds: i64,
) -> String {
    let around = engine.surroundings(subject, resource.domain).unwrap();
    let question = Question {
        subject,
        action,
        resource,
        relations,
        strong,
        credential: CredentialKind::Session,
        door: Door::Console,
        factor_age_seconds,
        now: Timestamp::EPOCH,
    };
    match engine.ask(&question, &around).unwrap().verdict {
        Ok(()) => String::from("allowed"),
        Err(code) => code.into_owned(),
    }
}

fn key(domain: DomainId) -> Resource {
    Resource::new(ResourceKind::Key, "key_00000000000000000000000001", domain)
}

#[test]
fn every_policy_fits_the_schema() {
    let schema = Schema::from_str(&cedar_schema()).unwrap();
    let set = Engine::policy_set().unwrap();
    let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
    let found: Vec<_> = result
        .validation_errors()
        .map(ToString::to_string)
        .chain(result.validation_warnings().map(ToString::to_string))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!((15..=40).contains(&set.num_of_policies()), "few policies, never one for each grant");
}

#[test]
fn the_schema_is_the_golden_one() {
    crate::permissions::golden("schema.cedarschema", &cedar_schema());
}

#[test]
fn a_role_counts_in_its_own_key_domain_only() {
    let engine = Engine::load().unwrap();
    let who = Principal::Person(person(1));
    let retail = subject(who, vec![(Role::KeyCustodian, Reach::Domain(domain(1)))]);
    assert_eq!(ask(&engine, &retail, Action::KeyRotate, &key(domain(1))), "allowed");
    assert_eq!(ask(&engine, &retail, Action::KeyRotate, &key(domain(2))), "no-policy-allows");
    let all = subject(who, vec![(Role::KeyCustodian, Reach::Installation)]);
    assert_eq!(ask(&engine, &all, Action::KeyRotate, &key(domain(1))), "allowed");
    assert_eq!(ask(&engine, &all, Action::KeyRotate, &key(domain(2))), "allowed");
}

#[test]
fn a_role_by_a_group_counts_like_one_of_ones_own_and_parts_duties_like_it() {
    let engine = Engine::load().unwrap();
    let group = |n, role, reach| GroupPosts {
        group: GroupId::from_bytes([n; 16]),
        posts: vec![(role, reach)],
    };
    let retail = Reach::Domain(domain(1));
    let mut who = subject(Principal::Person(person(1)), Vec::new());
    who.groups = vec![group(1, Role::KeyCustodian, retail)];
    assert_eq!(ask(&engine, &who, Action::KeyRotate, &key(domain(1))), "allowed");
    assert_eq!(ask(&engine, &who, Action::KeyRotate, &key(domain(2))), "no-policy-allows");
    who.groups.push(group(2, Role::KeyCustodian, Reach::Installation));
    assert_eq!(ask(&engine, &who, Action::KeyRotate, &key(domain(2))), "allowed");
    // A membership that got past the check is of no use.
    who.groups.push(group(3, Role::IdentityAdministrator, Reach::Installation));
    assert_eq!(ask(&engine, &who, Action::KeyRotate, &key(domain(1))), "forbidden");
    let users = Resource::all(ResourceKind::Identity, DomainId::SYSTEM);
    assert_eq!(ask(&engine, &who, Action::IdentityManage, &users), "forbidden");
}

#[test]
fn a_second_factor_is_needed_and_must_be_fresh_for_sensitive_actions() {
    let engine = Engine::load().unwrap();
    let who = subject(
        Principal::Person(person(1)),
        vec![(Role::IdentityAdministrator, Reach::Installation)],
    );
    let thing = Resource::all(ResourceKind::Identity, DomainId::SYSTEM);
    let ask = |strong, age| {
        let none = Relations::default();
        ask_with(&engine, &who, Action::IdentityManage, &thing, none, strong, age)
    };
    assert_eq!(ask(true, 900), "allowed");
    assert_eq!(ask(true, 901), "second-factor-needed");
    assert_eq!(ask(false, 0), "second-factor-needed");
    assert!(engine.reads_time(Action::IdentityManage));
    assert!(!engine.reads_time(Action::KeyEncrypt));
}

#[test]
fn an_application_tied_to_a_workload_uses_only_its_keys() {
    let engine = Engine::load().unwrap();
    let service = Principal::Service(ServiceId::from_bytes([7; 16]));
    let mut who = subject(service, vec![(Role::Application, Reach::Domain(domain(1)))]);
    let labels = serde_json::from_str(r#"{"workload":"cards"}"#).unwrap();
    let cards = key(domain(1)).with_labels(labels);
    assert_eq!(ask(&engine, &who, Action::KeyEncrypt, &key(domain(1))), "allowed");
    who.workloads = vec!["cards".into()];
    assert_eq!(ask(&engine, &who, Action::KeyEncrypt, &cards), "allowed");
    assert_eq!(ask(&engine, &who, Action::KeyEncrypt, &key(domain(1))), "no-policy-allows");
    who.workloads = vec!["ledger".into()];
    assert_eq!(ask(&engine, &who, Action::KeyEncrypt, &cards), "no-policy-allows");
    assert_eq!(ask(&engine, &who, Action::KeyList, &key(domain(1))), "allowed");
}

#[test]
fn nobody_decides_on_a_request_of_their_own() {
    let engine = Engine::load().unwrap();
    let officer =
        subject(Principal::Person(person(1)), vec![(Role::CryptoOfficer, Reach::Installation)]);
    let request =
        Resource::new(ResourceKind::Approval, "apr_00000000000000000000000001", domain(1));
    let by = |n| Relations { requested_by: Some(person(n)), ..Relations::default() };
    let ask = |by| ask_with(&engine, &officer, Action::ApprovalDecide, &request, by, true, 0);
    assert_eq!(ask(by(2)), "allowed");
    assert_eq!(ask(by(1)), "forbidden");
}

#[test]
fn tokens_of_a_service_are_made_by_its_owner_and_never_by_who_manages_users() {
    let engine = Engine::load().unwrap();
    let thing = Resource::new(ResourceKind::Identity, "svc_00000000000000000000000001", domain(1));
    let owned = Relations { owned_by: Some(person(1)), ..Relations::default() };
    let ask = |role, relations| {
        let who = subject(Principal::Person(person(1)), vec![(role, Reach::Installation)]);
        ask_with(&engine, &who, Action::TokenManage, &thing, relations, true, 0)
    };
    assert_eq!(ask(Role::PlatformEngineer, owned), "allowed");
    assert_eq!(ask(Role::PlatformEngineer, Relations::default()), "no-policy-allows");
    assert_eq!(ask(Role::IdentityAdministrator, owned), "no-policy-allows");
}

#[test]
fn a_locked_account_may_do_nothing() {
    let engine = Engine::load().unwrap();
    let mut who = subject(Principal::Person(person(1)), vec![(Role::Auditor, Reach::Installation)]);
    who.locked = true;
    for action in Action::ALL {
        let thing = Resource::all(action.resource_kind(), domain(1));
        let said = ask(&engine, &who, *action, &thing);
        assert_eq!(said, "account-locked", "{action}");
    }
}

#[test]
fn every_group_has_an_action() {
    for group in ActionGroup::ALL {
        assert!(Action::ALL.iter().any(|a| ActionGroup::of(*a).contains(&group)), "{group:?}");
    }
}

#[test]
fn three_different_people_prepare_review_and_approve_a_report() {
    let engine = Engine::load().unwrap();
    let signed = |by: &[(&str, u8)]| {
        let label = |(name, n): &(&str, u8)| {
            let name = kernel::Label::try_from((*name).to_owned()).unwrap();
            (name, person(*n).to_string().parse().unwrap())
        };
        let labels: std::collections::BTreeMap<_, _> = by.iter().map(label).collect();
        let id = "rep_00000000000000000000000001";
        Resource::new(ResourceKind::Report, id, domain(1)).with_labels(labels.try_into().unwrap())
    };
    let says = |n, report: &Resource, strong, age| {
        let post = vec![(Role::Auditor, Reach::Installation)];
        let who = subject(Principal::Person(person(n)), post);
        let none = Relations::default();
        ask_with(&engine, &who, Action::ReportSign, report, none, strong, age)
    };
    let draft = signed(&[("prepared-by", 1)]);
    let reviewed = signed(&[("prepared-by", 1), ("reviewed-by", 2)]);
    assert_eq!(says(1, &draft, true, 0), "forbidden");
    assert_eq!(says(2, &draft, true, 0), "allowed");
    assert_eq!(says(1, &reviewed, true, 0), "forbidden");
    assert_eq!(says(2, &reviewed, true, 0), "forbidden");
    assert_eq!(says(3, &reviewed, true, 0), "allowed");
    assert_eq!(says(3, &reviewed, true, 901), "second-factor-needed");
    let service = Principal::Service(ServiceId::from_bytes([9; 16]));
    let service = subject(service, vec![(Role::Auditor, Reach::Installation)]);
    assert_eq!(ask(&engine, &service, Action::ReportSign, &draft), "forbidden");
}
