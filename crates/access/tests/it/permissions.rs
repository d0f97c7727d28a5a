//! The permission table: every role, every action, own and other key domain. What people read
//! stands in `tests/golden/permissions.txt`; write it anew with `LIONROCK_GOLDEN=write cargo test
//! -p access`.

use crate::policies::{ask, domain, person, subject};
use access::duties::{Duty, conflicts_within};
use access::policy::{ActionGroup, Engine};
use access::roles::{Reach, Role};
use kernel::{Action, Principal, Resource, ServiceId};
use proptest::prelude::*;
use std::fmt::Write;
use std::path::Path;
use std::sync::OnceLock;

pub(crate) fn golden(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("LIONROCK_GOLDEN").is_some() {
        std::fs::write(&path, now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        kept == now,
        "`{name}` differs: run with LIONROCK_GOLDEN=write and read the difference"
    );
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::load().unwrap())
}

fn holder(role: Role) -> Principal {
    if role.for_people() {
        Principal::Person(person(1))
    } else {
        Principal::Service(ServiceId::from_bytes([9; 16]))
    }
}

/// Whether a holder of the roles, given for one key domain, may do it there and elsewhere.
fn may(engine: &Engine, roles: &[Role], action: Action) -> (bool, bool) {
    let who = roles.first().copied().map_or(Principal::System, holder);
    let posts = roles.iter().map(|role| (*role, Reach::Domain(domain(1)))).collect();
    let who = subject(who, posts);
    let ask = |n| {
        let thing = Resource::all(action.resource_kind(), domain(n));
        ask(engine, &who, action, &thing) == "allowed"
    };
    (ask(1), ask(2))
}

fn table(engine: &Engine) -> String {
    let mut text = String::from(
        "Who may do what: own key domain, then another (a role given for one key domain).\n\
         + allowed   . not allowed\n\
         By relation, not by role: a person makes tokens for itself, a platform engineer for the \
         services it owns.\n\n",
    );
    for (n, role) in Role::ALL.iter().enumerate() {
        let _ = writeln!(text, "{:>2} {} · {}", n + 1, role.english(), role.chinese());
    }
    let _ = write!(text, "\n{:<20}", "");
    for n in 1..=Role::ALL.len() {
        let _ = write!(text, "{n:>4}");
    }
    text.push('\n');
    for action in Action::ALL {
        let _ = write!(text, "{:<20}", action.word());
        for role in Role::ALL {
            let (own, other) = may(engine, &[*role], *action);
            let tick = |yes| if yes { '+' } else { '.' };
            let _ = write!(text, "  {}{}", tick(own), tick(other));
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_permission_table_is_the_golden_one() {
    golden("permissions.txt", &table(&Engine::load().unwrap()));
}

#[test]
fn no_role_reaches_into_another_key_domain() {
    let engine = Engine::load().unwrap();
    for role in Role::ALL {
        for action in Action::ALL {
            assert!(!may(&engine, &[*role], *action).1, "{role} {action}");
        }
    }
}

fn in_group(group: ActionGroup) -> impl Iterator<Item = Action> {
    Action::ALL.iter().copied().filter(move |a| ActionGroup::of(*a).contains(&group))
}

fn powers(engine: &Engine, roles: &[Role]) -> [bool; 5] {
    let any = |group| in_group(group).any(|action| may(engine, roles, action).0);
    [
        any(ActionGroup::ManageUsers),
        any(ActionGroup::UseKeys),
        any(ActionGroup::ChangePolicy),
        in_group(ActionGroup::ManageKeys)
            .filter(|a| *a != Action::KeyCreate)
            .any(|action| may(engine, roles, action).0),
        may(engine, roles, Action::ApprovalDecide).0,
    ]
}

#[test]
fn every_role_is_good_for_something() {
    let engine = Engine::load().unwrap();
    for role in Role::ALL {
        assert!(Action::ALL.iter().any(|a| may(&engine, &[*role], *a).0), "{role}");
    }
    for action in Action::ALL.iter().filter(|a| **a != Action::TokenManage) {
        assert!(Role::ALL.iter().any(|role| may(&engine, &[*role], *action).0), "{action}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Any set of roles, even one that assignment would refuse, is held apart by the policies.
    #[test]
    fn no_set_of_roles_joins_what_is_kept_apart(
        roles in proptest::sample::subsequence(Role::ALL.to_vec(), 1..=4)
    ) {
        let engine = engine();
        let [users, use_keys, policy, manage_keys, approve] = powers(engine, &roles);
        let first = roles.contains(&Role::BootstrapAdministrator);
        prop_assert!(!(users && use_keys));
        prop_assert!(!(users && manage_keys));
        prop_assert!(!(policy && use_keys));
        prop_assert!(!(policy && manage_keys));
        prop_assert!(first || !(users && policy) || !conflicts_within(&roles).is_empty());
        if conflicts_within(&roles).is_empty() {
            prop_assert!(!(use_keys && approve));
            let duties: Vec<_> = roles.iter().flat_map(|r| Duty::of(*r)).collect();
            prop_assert!(!(duties.contains(&&Duty::ManagesKeys) && approve));
        }
    }
}
