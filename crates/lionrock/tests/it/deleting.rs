//! A deletion over the real doors: asked for by one, approved by another, done; and refused.

use crate::commanding::{House, Seat, field};
use crate::whole::first_link;
use serde_json::Value;

const REASON: &str = "the data may no longer be kept";

fn hire<'h>(house: &'h House, admin: &Seat<'_>, name: &str, role: &str) -> (Seat<'h>, String) {
    let invite = ["people", "invite", "--sign-in-name", name, "--name", name];
    let said = admin.told(&invite);
    let grant = ["roles", "grant", field(&said, "person"), "--role", role];
    admin.told(&grant);
    let seat = house.seat(name);
    let seed = seat.enrols(field(&said, "link"));
    (seat, seed)
}

fn standing(seat: &Seat<'_>, finding: &str) -> String {
    field(&seat.told(&["discover", "show", finding]), "standing").to_owned()
}

fn findings(seat: &Seat<'_>) -> Vec<Value> {
    seat.told(&["discover", "findings"])["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_deleted_by_two_people_and_only_as_it_was_when_they_agreed() {
    let house = House::new("deleting").await;
    let admin = house.seat("administrator");
    admin.enrols(&first_link(&house.scratch));
    let (engineer, _) = hire(&house, &admin, "engineer", "platform-engineer");
    let (operations, operations_seed) = hire(&house, &admin, "operations", "security-operations");
    let (risk, risk_seed) = hire(&house, &admin, "risk", "risk-officer");

    let files = house.scratch.0.join("files");
    std::fs::create_dir_all(&files).unwrap();
    let file = files.join("letter.txt");
    std::fs::write(&file, "HKID A123456(3)\n").unwrap();
    let path = files.to_str().unwrap();
    engineer.told(&["discover", "source", "add", "--name", "letters", "--folder", path]);
    let scan = ["discover", "scan", "letters", "--wait"];
    engineer.told(&scan);

    // A new approver counts after a day; sessions have ended by then.
    house.clock.advance_millis(25 * 3_600_000);
    operations.signs_in("operations", &operations_seed);
    risk.signs_in("risk", &risk_seed);
    let found = findings(&operations);
    let finding = field(&found[0], "id");
    let delete = ["discover", "act", "delete", finding, "--reason", REASON];
    let (code, reason) = operations.refused(&delete);
    assert_eq!(code, 4);
    assert!(reason.contains("approval-needed"), "{reason}");

    let ask = ["approvals", "ask", "delete-data", finding, "--reason", REASON];
    let asked = operations.told(&ask);
    let asked = field(&asked, "id");
    let shown = operations.told(&["approvals", "show", asked]);
    assert_eq!(shown["effect"][0], "letter.txt in letters (restricted) is lost for good");
    assert_eq!(operations.refused(&["approvals", "approve", asked]).0, 4, "not by who asked");
    assert_eq!(operations.refused(&delete).0, 4, "not before it is approved");
    risk.told(&["approvals", "approve", asked]);
    let other = ["discover", "act", "delete", finding, "--reason", "another one"];
    assert_eq!(operations.refused(&other).0, 4, "not for another reason");

    // The file changes: what was approved is no longer what would be deleted.
    std::fs::write(&file, "HKID A123456(3), HKID E364912(5)\n").unwrap();
    let (_, reason) = operations.refused(&delete);
    assert!(reason.contains("object-changed"), "{reason}");
    operations.told(&scan);
    assert_eq!(operations.refused(&delete).0, 4, "and what was approved is another content");
    assert!(file.exists());

    let asked = operations.told(&ask);
    risk.told(&["approvals", "approve", field(&asked, "id")]);
    let gone = operations.told(&delete);
    assert_eq!(field(&gone, "standing"), "gone");
    assert!(!file.exists());
    operations.told(&scan);
    assert_eq!(standing(&operations, finding), "gone");
    assert!(findings(&operations).is_empty());
    house.server.stop().await;
}
