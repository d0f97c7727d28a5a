//! What a server does by itself: checks that are due, keys told to the inventory.

use crate::whole::{Scratch, enrol, first_link, get, post, put, started, text};
use audit::Query;
use kernel::{Door, Outcome, Principal};
use lionrock::installation::{Installation, Opened};
use lionrock::serve::Server;
use rest::{Ceremony, SealState};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Waits for commits until something holds; fails after a minute.
async fn until(opened: &Opened, holds: impl Fn(&Opened) -> bool) {
    let wait = async {
        let mut revision = 0;
        while !holds(opened) {
            revision = opened.rooms.store.watch(revision).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap();
}

fn opened(server: &Server) -> Arc<Opened> {
    server.installation.opened().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_that_are_due_run_at_start_and_keys_stand_in_the_inventory() {
    let scratch = Scratch::new("scheduled");
    let server = started(&scratch).await;
    assert_eq!(opened(&server).rooms.comply.compliance.latest_run().unwrap(), None);
    let stranger = scratch.client(&server, None);
    let token = enrol(&stranger, &first_link(&scratch)).await;
    let admin = scratch.client(&server, Some(&token));
    let domain = post(&admin, "/domains", json!({ "name": "retail" })).await.unwrap();
    let key = json!({
        "domain": text(&domain, "id"), "name": "ledger", "algorithm": "aes-256-gcm",
    });
    let key = post(&admin, "/keys", key).await.unwrap();
    let officer = json!({ "sign_in_name": "risk", "name": "Risk" });
    let officer = post(&admin, "/people", officer).await.unwrap();
    let roles = format!("/identities/{}/roles", text(&officer, "person"));
    put(&admin, &roles, json!({ "role": "risk-officer" })).await.unwrap();
    let session = enrol(&stranger, text(&officer, "link")).await;
    server.stop().await;

    let server = started(&scratch).await;
    let opened = opened(&server);
    let ran = |opened: &Opened| opened.rooms.comply.compliance.latest_run().unwrap().is_some();
    until(&opened, ran).await;
    let run = opened.rooms.comply.compliance.latest_run().unwrap().unwrap();
    let own = run.results.iter().find(|r| r.check.as_str() == "keys-in-own-custody").unwrap();
    assert_eq!(own.population, 1);
    let found = opened.rooms.inventory.current().unwrap();
    assert!(found.assets().any(|asset| asset.reference.to_string().contains(text(&key, "id"))));
    let asked = Query { action: Some("check.run".into()), ..Query::default() };
    let page = opened.rooms.log.query(&asked, 10).unwrap();
    let event = &page.events[0].event;
    assert_eq!((event.principal, event.door), (Principal::System, Door::Internal));
    assert_eq!((event.correlation.as_str(), &event.outcome), ("check-schedule", &Outcome::Done));

    let risk = scratch.client(&server, Some(&session));
    let schedule = get(&risk, "/runs/schedule").await.unwrap();
    assert_eq!(schedule["every_hours"], 24);
    assert_eq!(text(&schedule, "last"), run.at.rfc3339());
    assert_eq!(text(&schedule, "next"), run.at.plus_days(1).rfc3339());
    server.stop().await;
}

#[test]
fn a_server_whose_seal_opens_by_itself_is_opening_from_the_first_request_on() {
    let scratch = Scratch::new("opening");
    let clock: Arc<dyn kernel::Clock> = Arc::new(lionrock::clock::SystemClock);
    let installation = Installation::prepare(scratch.config(), clock).unwrap();
    let room = installation.unattended().unwrap();
    assert!(room.is_some());
    assert_eq!(Ceremony::state(&*installation), SealState::Opening);
    assert!(console::House::is_opening(&*installation));
}
