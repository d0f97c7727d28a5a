//! One's own password and device, changed at the terminal.

use crate::commanding::House;
use crate::whole::{code_at, first_link};
use kernel::Clock;

const NEW_PASSWORD: &str = "violet tram kettle 9";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_changes_password_and_device_and_goes_on() {
    let house = House::new("own-account").await;
    let seat = house.seat("administrator");
    let other = house.seat("other");
    let old_seed = seat.enrols(&first_link(&house.scratch));
    house.clock.advance_millis(30_000);
    other.signs_in("administrator", &old_seed);
    house.clock.advance_millis(30_000);
    let code = |seed: &str| code_at(seed, house.clock.wall());
    let said = seat.converses("account password", |asked| {
        let answers = [
            ("Password until now: ", "correct horse battery"),
            ("New password: ", NEW_PASSWORD),
            ("The same again: ", NEW_PASSWORD),
        ];
        let known = answers.into_iter().find(|(question, _)| asked.ends_with(question));
        let code = || asked.ends_with("One-time code: ").then(|| code(&old_seed));
        known.map(|(_, answer)| answer.to_owned()).or_else(code)
    });
    assert!(said.contains("signed in until") && !said.contains(NEW_PASSWORD), "{said}");
    seat.told(&["people", "list"]);
    assert_eq!(other.refused(&["people", "list"]).0, 4, "other sessions have ended");

    house.clock.advance_millis(30_000);
    let mut seed = String::new();
    let said = seat.converses("account device", |asked| {
        let shown = asked.split_once("seed of one-time codes: ");
        if let Some((found, _)) = shown.and_then(|(_, rest)| rest.split_once('\r')) {
            seed = found.to_owned();
        }
        if asked.ends_with("Password until now: ") {
            return Some(NEW_PASSWORD.to_owned());
        }
        let old = asked.ends_with("One-time code of the old device: ");
        let new = asked.ends_with("One-time code of the new device: ");
        (old || new).then(|| code(if old { &old_seed } else { &seed }))
    });
    assert!(said.contains("otpauth://") && said.contains("signed in until"), "{said}");
    assert_ne!(seed, old_seed);
    seat.told(&["people", "list"]);
    house.server.stop().await;
}
