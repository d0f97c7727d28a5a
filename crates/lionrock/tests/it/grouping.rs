//! A team gets its rights from the command line, and what stands apart stays apart.

use crate::commanding::{House, field};
use crate::whole::first_link;

#[tokio::test(flavor = "multi_thread")]
async fn a_team_gets_its_rights_and_nobody_gets_both_halves() {
    let house = House::new("grouping").await;
    let admin = house.seat("administrator");
    admin.enrols(&first_link(&house.scratch));
    let domain = admin.told(&["domains", "create", "--name", "retail"]);
    let domain = field(&domain, "id");
    let invite = |name: &str| {
        let link = house.scratch.0.join(format!("{name}.link"));
        let path = link.to_str().unwrap();
        let words = ["people", "invite", "--sign-in-name", name, "--name", name, "--out", path];
        let person = field(&admin.told(&words), "person").to_owned();
        (person, std::fs::read_to_string(link).unwrap())
    };
    let (ada, link) = invite("ada");
    let made = admin.told(&["groups", "create", "--name", "Custodians", "--description", "Keys"]);
    let group = field(&made, "id");
    admin.told(&["roles", "grant", group, "--role", "key-custodian", "--domain", domain]);
    admin.told(&["groups", "add", group, &ada]);

    let seat = house.seat("ada");
    seat.enrols(&link);
    let key = ["keys", "create", "--domain", domain, "--name", "k", "--algorithm", "aes-256-gcm"];
    seat.told(&key);
    let shown = admin.told(&["groups", "show", group]);
    assert_eq!(shown["members"][0]["holder"], ada.as_str());
    assert_eq!(shown["members"][0]["name"], "ada");
    assert_eq!(shown["roles"][0]["role"], "key-custodian");
    let held = admin.told(&["people", "show", &ada]);
    assert_eq!(held["roles"][0]["group"], group);
    let listed = String::from_utf8(admin.types(&["roles", "list", &ada]).stdout).unwrap();
    assert!(listed.contains("GROUP") && listed.contains(group), "{listed}");

    let officer = ["roles", "grant", &ada, "--role", "crypto-officer", "--domain", domain];
    let (exit, reason) = admin.refused(&officer);
    assert!(exit == 6 && reason.contains("whoever approves is not whoever asks"), "{reason}");
    let me = admin.told(&["people", "list"]);
    let me = me["items"].as_array().unwrap().iter().find(|p| p["id"] != ada.as_str()).unwrap();
    admin.told(&["groups", "create", "--name", "Empty"]);
    let (_, reason) = admin.refused(&["groups", "add", group, field(me, "id")]);
    assert!(reason.contains("nobody gives rights to themselves"), "{reason}");
    let (_, reason) = admin.refused(&["groups", "create", "--name", "Empty"]);
    assert!(reason.contains("name"), "{reason}");

    admin.told(&["groups", "change", group, "--name", "Retail custodians"]);
    admin.told(&["groups", "remove", group, &ada]);
    let (exit, _) = seat.refused(&key);
    assert_eq!(exit, 4, "the role went with the membership");
    admin.told(&["groups", "delete", group]);
    let left = admin.told(&["groups", "list"]);
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    house.server.stop().await;
}
