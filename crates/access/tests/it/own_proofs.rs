//! Changing one's own password and device, and what a stolen session cannot do.

use crate::house::{House, PASSWORD, Someone, desk, from, secret};
use access::{AccessError, NEW_DEVICE_SECONDS, OldProofs};
use kernel::{Outcome, Principal};

const OTHER: &str = "ferry lantern cobalt 4";

fn old(house: &House, who: &Someone) -> OldProofs {
    OldProofs { password: secret(PASSWORD), code: house.code(&who.seed) }
}

fn is_over(house: &House, cookie: &str) -> bool {
    let arrival = house.arrival(desk());
    matches!(house.access().caller_for_session(cookie, &arrival), Err(AccessError::SessionOver))
}

#[test]
fn a_new_password_ends_every_other_session_and_is_written_down() {
    let (house, first) = House::founded();
    house.clock.advance_millis(60_000);
    let other = house.sign_in(&first, PASSWORD, Some(house.code(&first.seed)), desk()).unwrap();
    house.clock.advance_millis(60_000);
    let proofs = old(&house, &first);
    let new = secret(OTHER);
    let done = house.access().change_password(&first.cookie, &proofs, &new, desk(), "c-1").unwrap();
    assert!(is_over(&house, &first.cookie) && is_over(&house, other.cookie.expose()));
    assert!(!is_over(&house, done.cookie.expose()));
    house.clock.advance_millis(60_000);
    assert!(house.sign_in(&first, PASSWORD, Some(house.code(&first.seed)), desk()).is_err());
    house.sign_in(&first, OTHER, Some(house.code(&first.seed)), desk()).unwrap();
    let events = house.events();
    let event =
        &events.iter().rfind(|e| e.event.action == "access.password-changed").unwrap().event;
    assert_eq!(event.principal, Principal::Person(first.id));
    assert_eq!((event.correlation.as_str(), event.detail("sessions-ended")), ("c-1", Some("1")));
}

#[test]
fn whoever_has_only_the_session_changes_nothing() {
    let (house, first) = House::founded();
    house.clock.advance_millis(60_000);
    let new = secret(OTHER);
    let wrong = [
        OldProofs { password: secret("wrong password 1"), code: house.code(&first.seed) },
        OldProofs { password: secret(PASSWORD), code: secret("000000") },
    ];
    for (n, proofs) in wrong.iter().enumerate() {
        let origin = from(&format!("192.0.2.{n}"));
        let access = house.access();
        let refused = access.change_password(&first.cookie, proofs, &new, origin, "c");
        assert!(matches!(refused, Err(AccessError::ProofRefused)), "{refused:?}");
        let refused = access.begin_device_change(&first.cookie, proofs, origin, "c");
        assert!(refused.is_err());
    }
    assert!(!is_over(&house, &first.cookie));
    let events = house.events();
    let refused = events.iter().filter(|e| e.event.action == "access.proof-refused");
    assert!(refused.clone().count() >= 2);
    assert!(refused.into_iter().all(|e| matches!(e.event.outcome, Outcome::Refused(_))));
    house.clock.advance_millis(60_000);
    house.sign_in(&first, PASSWORD, Some(house.code(&first.seed)), desk()).unwrap();
}

#[test]
fn a_session_without_the_code_changes_no_proof() {
    let (house, first) = House::founded();
    house.clock.advance_millis(60_000);
    let half = house.sign_in(&first, PASSWORD, None, desk()).unwrap();
    let (proofs, new) = (old(&house, &first), secret(OTHER));
    let cookie = half.cookie.expose();
    let refused = house.access().change_password(cookie, &proofs, &new, desk(), "c");
    assert!(matches!(refused, Err(AccessError::SessionOver)));
}

#[test]
fn a_new_password_must_be_good_and_another() {
    let (house, first) = House::founded();
    house.clock.advance_millis(60_000);
    for bad in ["short", PASSWORD] {
        let (proofs, new) = (old(&house, &first), secret(bad));
        let refused = house.access().change_password(&first.cookie, &proofs, &new, desk(), "c");
        assert!(matches!(refused, Err(AccessError::Password(_))), "{bad}");
    }
}

#[test]
fn a_new_device_counts_when_its_first_code_has_arrived() {
    let (house, first) = House::founded();
    house.clock.advance_millis(60_000);
    let access = house.access();
    let code = house.code(&first.seed);
    let none = access.complete_device_change(&first.cookie, &code, desk(), "c");
    assert!(matches!(none, Err(AccessError::EnrolmentNotBegun)));
    let shown =
        access.begin_device_change(&first.cookie, &old(&house, &first), desk(), "c").unwrap();
    assert_ne!(shown.seed.expose(), &first.seed);
    assert!(shown.otpauth.expose().contains(shown.seed.expose().as_str()));
    // The old device goes on until then, and its code is used up.
    let again = access.begin_device_change(&first.cookie, &old(&house, &first), desk(), "c");
    assert!(matches!(again, Err(AccessError::ProofRefused)));
    house.clock.advance_millis(60_000);
    house.sign_in(&first, PASSWORD, Some(house.code(&first.seed)), from("192.0.2.77")).unwrap();
    let wrong = access.complete_device_change(&first.cookie, &secret("000000"), desk(), "c");
    assert!(matches!(wrong, Err(AccessError::ProofRefused)));
    house.clock.advance_millis(60_000);
    let code = house.code(shown.seed.expose());
    let done = access.complete_device_change(&first.cookie, &code, desk(), "c-2").unwrap();
    assert!(is_over(&house, &first.cookie) && !is_over(&house, done.cookie.expose()));
    house.clock.advance_millis(60_000);
    assert!(house.sign_in(&first, PASSWORD, Some(house.code(&first.seed)), desk()).is_err());
    let code = house.code(shown.seed.expose());
    house.sign_in(&first, PASSWORD, Some(code), from("192.0.2.78")).unwrap();
}

#[test]
fn a_new_device_that_waits_too_long_is_forgotten() {
    let (house, first) = House::founded();
    house.clock.advance_millis(60_000);
    let access = house.access();
    let shown =
        access.begin_device_change(&first.cookie, &old(&house, &first), desk(), "c").unwrap();
    house.clock.advance_millis(u32::try_from(NEW_DEVICE_SECONDS * 1_000).unwrap());
    let code = house.code(shown.seed.expose());
    let late = access.complete_device_change(&first.cookie, &code, desk(), "c");
    assert!(matches!(late, Err(AccessError::EnrolmentNotBegun)), "{late:?}");
}
