//! Signing in, staying, leaving; and what an attacker can and cannot do to others.

use crate::house::{House, PASSWORD, Someone, desk, from, identity, key, retail, secret, wait};
use access::{AccessError, HALF_OPEN_SECONDS, IDLE_SECONDS, SESSION_SECONDS, SESSIONS_MAX, SignIn};
use kernel::actions::IdentityManage;
use kernel::{Action, Decision, Outcome, Principal};

fn millis(seconds: i64) -> u32 {
    u32::try_from(seconds * 1_000).unwrap()
}

fn is_over(house: &House, who: &Someone) -> bool {
    let arrival = house.arrival(desk());
    let caller = house.access().caller_for_session(&who.cookie, &arrival);
    matches!(caller, Err(AccessError::SessionOver))
}

#[test]
fn password_and_code_open_a_session_and_are_written_down() {
    let (house, mut first) = House::founded();
    house.later(60, [&mut first]);
    let caller = house.caller(&first);
    assert_eq!(caller.principal, Principal::Person(first.id));
    assert_eq!(house.may(&caller, Action::IdentityManage, &identity("*")), "allowed");
    let events = house.events();
    let event = &events.iter().rfind(|e| e.event.action == "access.signed-in").unwrap().event;
    assert_eq!((event.decision, &event.outcome), (Decision::System, &Outcome::Done));
    assert_eq!(event.principal, Principal::Person(first.id));
    assert_eq!(event.correlation, "c-sign-in");
}

#[test]
fn after_the_password_alone_a_session_is_good_for_nothing_but_the_code() {
    let (house, first) = House::founded();
    house.clock.advance_millis(60_000);
    let half = house.sign_in(&first, PASSWORD, None, desk()).unwrap();
    assert!(half.code_needed);
    let arrival = house.arrival(desk());
    let caller = house.access().caller_for_session(half.cookie.expose(), &arrival).unwrap();
    for action in Action::ALL {
        let thing = kernel::Resource::all(action.resource_kind(), retail());
        assert_ne!(house.may(&caller, *action, &thing), "allowed", "{action}");
    }
    let code = house.code(&first.seed);
    let full = house.access().give_code(half.cookie.expose(), &code, desk(), "c").unwrap();
    assert!(!full.code_needed && full.cookie.expose() != half.cookie.expose());
    let old = house.access().caller_for_session(half.cookie.expose(), &arrival);
    assert!(matches!(old, Err(AccessError::SessionOver)));

    let half = house.sign_in(&first, PASSWORD, None, desk()).unwrap();
    house.clock.advance_millis(millis(HALF_OPEN_SECONDS));
    let code = house.code(&first.seed);
    let late = house.access().give_code(half.cookie.expose(), &code, desk(), "c");
    assert!(matches!(late, Err(AccessError::SessionOver)));
}

#[test]
fn a_code_is_taken_once_and_older_ones_never() {
    let (house, first) = House::founded();
    // The code of the enrolment itself is used up.
    let code = || Some(house.code(&first.seed));
    let again = house.sign_in(&first, PASSWORD, code(), desk());
    assert!(matches!(again, Err(AccessError::SignInRefused)));
    let old = code();
    house.clock.advance_millis(30_000);
    house.sign_in(&first, PASSWORD, code(), desk()).unwrap();
    assert!(house.sign_in(&first, PASSWORD, code(), desk()).is_err());
    assert!(house.sign_in(&first, PASSWORD, old, desk()).is_err());
}

#[test]
fn a_code_used_twice_at_once_opens_one_session() {
    let (house, first) = House::founded();
    house.clock.advance_millis(60_000);
    let opened = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..6)
            .map(|n| {
                let (house, first) = (&house, &first);
                scope.spawn(move || {
                    let code = Some(house.code(&first.seed));
                    let origin = from(&format!("192.0.2.{n}"));
                    house.sign_in(first, PASSWORD, code, origin).is_ok()
                })
            })
            .collect();
        tries.into_iter().map(|t| t.join().unwrap()).filter(|ok| *ok).count()
    });
    assert_eq!(opened, 1);
}

#[test]
fn wrong_names_passwords_and_codes_are_refused_in_one_voice() {
    let (house, first) = House::founded();
    house.clock.advance_millis(60_000);
    let stranger =
        Someone { id: first.id, name: "nobody".into(), cookie: String::new(), seed: String::new() };
    let good = || Some(house.code(&first.seed));
    let refusals = [
        house.sign_in(&stranger, PASSWORD, None, desk()),
        house.sign_in(&first, "wrong password 1", good(), desk()),
        house.sign_in(&first, PASSWORD, Some(secret("000000")), desk()),
    ];
    for refusal in refusals {
        let problem = kernel::Problem::from(refusal.unwrap_err());
        assert_eq!(problem.code, "sign-in-refused");
    }
    house.clock.advance_millis(60_000);
    house.access().tell_refusals(false);
    let events = house.events();
    let told: Vec<_> = events.iter().filter(|e| e.event.action == "access.turned-away").collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].event.detail("count"), Some("3"));
    assert_eq!(told[0].event.detail("why"), Some("password"));
}

#[test]
fn an_attackers_failures_do_not_lock_the_owner_out() {
    let (house, mut first) = House::founded();
    let attacker = from("203.0.113.66");
    let mut delayed = 0;
    for _ in 0..40 {
        match house.sign_in(&first, "wrong password 1", None, attacker) {
            Err(AccessError::TooManyAttempts { .. }) => delayed += 1,
            Err(AccessError::SignInRefused) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(delayed, 36);
    house.later(60, [&mut first]);
    // The attacker waits even with the right password.
    let code = Some(house.code(&first.seed));
    house.clock.advance_millis(1_000);
    for _ in 0..12 {
        let _ = house.sign_in(&first, "wrong password 1", None, attacker);
    }
    let waits = house.sign_in(&first, PASSWORD, code, attacker);
    assert!(matches!(waits, Err(AccessError::TooManyAttempts { .. })), "{waits:?}");
    house.later(60, [&mut first]);
}

#[test]
fn a_session_ends_idle_and_ends_at_the_end_of_the_day() {
    let (house, mut first) = House::founded();
    house.clock.advance_millis(millis(IDLE_SECONDS - 1));
    assert!(!is_over(&house, &first));
    house.clock.advance_millis(millis(IDLE_SECONDS));
    assert!(is_over(&house, &first));
    house.later(60, [&mut first]);
    let mut passed = 0;
    while passed < SESSION_SECONDS {
        assert!(!is_over(&house, &first), "{passed}");
        house.clock.advance_millis(600_000);
        passed += 600;
    }
    assert!(is_over(&house, &first));
}

#[test]
fn a_clock_set_back_prolongs_no_session() {
    let (house, first) = House::founded();
    house.clock.advance_millis(millis(IDLE_SECONDS));
    house.clock.jump_wall_seconds(-86_400);
    assert!(is_over(&house, &first));
}

#[test]
fn signing_out_ends_the_session_for_good_and_a_restart_keeps_the_others() {
    let (mut house, mut first) = House::founded();
    let early = first.cookie.clone();
    house.later(60, [&mut first]);
    wait(house.access().sign_out(&early, desk(), "c")).unwrap();
    house.restart();
    let arrival = house.arrival(desk());
    assert!(house.access().caller_for_session(&early, &arrival).is_err());
    let caller = house.caller(&first);
    assert_eq!(house.may(&caller, Action::IdentityManage, &identity("*")), "allowed");
}

#[test]
fn a_person_has_a_few_sessions_and_the_oldest_ends() {
    let (house, mut first) = House::founded();
    let mut cookies = vec![first.cookie.clone()];
    for _ in 0..SESSIONS_MAX {
        house.later(30, [&mut first]);
        cookies.push(first.cookie.clone());
    }
    let arrival = house.arrival(desk());
    let live: Vec<_> =
        cookies.iter().map(|c| house.access().caller_for_session(c, &arrival).is_ok()).collect();
    assert_eq!(live.iter().filter(|l| **l).count(), SESSIONS_MAX);
    assert!(!live[0]);
}

#[test]
fn sensitive_acts_want_a_fresh_code_and_giving_it_is_enough() {
    let (house, first) = House::founded();
    for _ in 0..2 {
        house.clock.advance_millis(600_000);
        assert!(!is_over(&house, &first));
    }
    let caller = house.caller(&first);
    let all = identity("*");
    assert_eq!(house.may(&caller, Action::IdentityManage, &all), "second-factor-needed");
    assert_eq!(house.may(&caller, Action::IdentityRead, &all), "allowed");
    let code = house.code(&first.seed);
    let fresh = house.access().give_code(&first.cookie, &code, desk(), "c").unwrap();
    let first = Someone { cookie: fresh.cookie.expose().clone(), ..first };
    assert_eq!(house.may(&house.caller(&first), Action::IdentityManage, &all), "allowed");
}

#[test]
fn a_locked_person_is_out_at_once_and_what_was_permitted_before_cannot_be_committed() {
    let (house, staff) = House::settled();
    let held = house.permit::<kernel::actions::KeyCreate>(&staff.custodian, key(retail())).unwrap();
    let permit = house.permit::<IdentityManage>(&staff.users, identity(staff.custodian.id));
    wait(house.access().lock(permit.unwrap(), "left the bank")).unwrap();
    assert!(is_over(&house, &staff.custodian));
    let code = Some(house.code(&staff.custodian.seed));
    assert!(house.sign_in(&staff.custodian, PASSWORD, code, desk()).is_err());
    let guard = held.guard();
    let event = held.into_event(Outcome::Done, &*house.clock);
    let store = &house.run.as_ref().unwrap().store;
    let late = store.commit(store::Batch::new().event(event).guard(guard)).wait();
    assert!(matches!(late, Err(store::StoreError::StaleEpoch { .. })), "{late:?}");

    let permit = house.permit::<IdentityManage>(&staff.users, identity(staff.custodian.id));
    wait(house.access().unlock(permit.unwrap())).unwrap();
    house.clock.advance_millis(60_000);
    let code = Some(house.code(&staff.custodian.seed));
    house.sign_in(&staff.custodian, PASSWORD, code, desk()).unwrap();
}

#[test]
fn a_thief_of_a_password_cannot_try_codes_from_many_places() {
    let (house, mut first) = House::founded();
    house.clock.advance_millis(60_000);
    let mut looked_at = 0;
    for n in 0..60 {
        let origin = from(&format!("198.51.100.{n}"));
        match house.sign_in(&first, PASSWORD, Some(secret("000000")), origin) {
            Err(AccessError::SignInRefused) => looked_at += 1,
            Err(AccessError::TooManyAttempts { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(looked_at, 11);
    // A stranger without the password does not reach that counter.
    house.later(60, [&mut first]);
    for n in 0..60 {
        let origin = from(&format!("203.0.113.{n}"));
        let code = Some(secret("000000"));
        assert!(house.sign_in(&first, "wrong password 1", code, origin).is_err());
    }
    house.clock.advance_millis(30_000);
    let code = Some(house.code(&first.seed));
    house.sign_in(&first, PASSWORD, code, desk()).unwrap();
}

#[test]
fn sessions_that_are_over_are_cleared_from_the_store() {
    let (house, mut first) = House::founded();
    house.later(60, [&mut first]);
    house.clock.advance_millis(millis(IDLE_SECONDS));
    house.access().tell_refusals(true);
    house.events();
    let count = house.run.as_ref().unwrap().store.verify().unwrap();
    assert!(count.is_empty());
    assert!(is_over(&house, &first));
}

#[test]
fn any_text_at_sign_in_is_refused_without_panic() {
    let house = House::empty();
    for text in ["", " ", "\0", "密碼", &"x".repeat(100_000), "' or 1=1", "lr_", "\u{202e}"] {
        let form = SignIn { name: text.into(), password: secret(text), code: Some(secret(text)) };
        assert!(house.access().sign_in(form, from("198.51.100.1"), text).is_err());
        let arrival = house.arrival(from("198.51.100.2"));
        assert!(house.access().caller_for_session(text, &arrival).is_err());
        assert!(house.access().caller_for_token(text, &arrival).is_err());
        house.clock.advance_millis(900_000);
    }
}
