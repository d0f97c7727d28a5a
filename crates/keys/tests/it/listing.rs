//! Pages, filters, facts.

use crate::bench::*;
use kernel::*;
use keys::*;
use strongroom::Algorithm;

fn names(page: &KeyPage) -> Vec<&str> {
    page.keys.iter().map(|key| key.about.name.as_str()).collect()
}

#[tokio::test]
async fn pages_by_name_show_every_key_of_the_scope_once() {
    let bench = Bench::new();
    let (retail, treasury) = (bench.domain("retail", 0).await, bench.domain("treasury", 0).await);
    for n in 0..25 {
        let domain = if n % 5 == 0 { treasury } else { retail };
        bench.aes(domain, &format!("key-{n:02}")).await;
    }
    bench.only_domains(&[retail]);
    let mut seen = Vec::new();
    let mut request = ListKeys { limit: Some(7), ..ListKeys::default() };
    loop {
        let page = bench.keys.list(bench.scope(), &request).unwrap();
        assert!(page.keys.len() <= 7);
        seen.extend(names(&page).into_iter().map(str::to_owned));
        match page.next {
            Some(next) => request.after = Some(next),
            None => break,
        }
    }
    let expected: Vec<_> = (0..25).filter(|n| n % 5 != 0).map(|n| format!("key-{n:02}")).collect();
    assert_eq!(seen, expected);
    assert_eq!(bench.last_event("key.list").outcome, Outcome::Done);
}

#[tokio::test]
async fn a_list_is_filtered_by_labels_and_state() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let mut made = Vec::new();
    for (name, criticality, workload) in
        [("a", "high", "payments"), ("b", "low", "payments"), ("c", "high", "cards")]
    {
        let mut request = key(name, Algorithm::Aes256Gcm);
        request.labels = labels(&[("criticality", criticality), ("workload", workload)]);
        made.push(bench.create(retail, &request).await);
    }
    let list = |pairs: &[(&str, &str)], state| {
        let labels = labels(pairs);
        let labels = serde_json::from_value(serde_json::to_value(labels).unwrap()).unwrap();
        let request = ListKeys { labels, state, ..ListKeys::default() };
        let page = bench.keys.list(bench.scope(), &request).unwrap();
        names(&page).join(" ")
    };
    assert_eq!(list(&[("criticality", "high")], None), "a c");
    assert_eq!(list(&[("criticality", "high"), ("workload", "cards")], None), "c");
    assert_eq!(list(&[("criticality", "none")], None), "");
    let stop = Suspend { reason: why(), stops: vec![] };
    bench.keys.suspend(bench.on_key(made[1]), &stop).await.unwrap();
    assert_eq!(list(&[], Some(StateName::Suspended)), "b");
    assert_eq!(list(&[], Some(StateName::Active)), "a c");
}

#[tokio::test]
async fn a_place_that_no_page_gave_is_refused() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    bench.aes(retail, "ledger").await;
    for after in ["", "x", "zz.zz", "../etc"] {
        let request = ListKeys { after: Some(after.into()), ..ListKeys::default() };
        let refused = bench.keys.list(bench.scope(), &request).unwrap_err();
        assert!(matches!(refused, KeysError::NoPlace), "{after}");
    }
}

#[tokio::test]
async fn facts_say_what_a_check_asks() {
    let bench = Bench::new();
    let retail = bench.domain("retail", WAITING_SECONDS_MIN).await;
    let mut request = key("ledger", Algorithm::RsaSign2048);
    request.exportable = true;
    request.labels = labels(&[("criticality", "high")]);
    let id = bench.create(retail, &request).await;
    let destroy = Destroy { reason: why() };
    bench.keys.destroy(bench.on_key(id), &destroy).await.unwrap();
    let facts = bench.keys.key_facts(&Scope::All).unwrap();
    assert_eq!(facts.len(), 1);
    let json = serde_json::to_value(&facts[0]).unwrap();
    assert_eq!(json["root"], "software");
    assert_eq!(json["exportable"], true);
    assert_eq!(json["labels"]["criticality"], "high");
    assert_eq!(json["algorithm"]["security_bits"], 112);
    assert_eq!(json["algorithm"]["quantum_safe"], false);
    assert_eq!(json["rotation"]["versions_held"], 1);
    assert!(json["destruction_not_before"].is_string());
    assert!(bench.keys.key_facts(&Scope::Domains(vec![])).unwrap().is_empty());
    let domains = bench.keys.domain_facts(&Scope::All).unwrap();
    assert_eq!((domains.len(), domains[0].waiting_period_seconds), (1, WAITING_SECONDS_MIN));
}

#[tokio::test]
async fn a_view_shows_no_material() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let json = serde_json::to_string(&bench.view(id)).unwrap();
    assert!(!json.contains("wrapped") && !json.contains("material"), "{json}");
}

#[tokio::test]
async fn a_timeline_has_the_whole_life_of_one_key_newest_first() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let (id, other) = (bench.aes(retail, "ledger").await, bench.aes(retail, "other").await);
    bench.encrypt(id, "x").await;
    bench.encrypt(other, "x").await;
    let stop = Suspend { reason: why(), stops: vec![] };
    bench.keys.suspend(bench.on_key(id), &stop).await.unwrap();
    assert!(bench.try_encrypt(id, "x").await.is_err());
    let destroy = Destroy { reason: why() };
    bench.keys.destroy(bench.on_key(id), &destroy).await.unwrap();
    let (mut actions, mut before) = (Vec::new(), None);
    loop {
        let page = bench.keys.timeline(bench.on_key(id), before, 2).unwrap();
        assert!(page.events.len() <= 2);
        actions.extend(page.events.into_iter().map(|logged| logged.event.action.into_owned()));
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    // Looking at the timeline is itself in the log, and soon in the timeline.
    actions.retain(|action| action != "key.read");
    let life =
        ["key.destroyed", "key.destroy", "key.encrypt", "key.suspend", "key.encrypt", "key.create"];
    assert_eq!(actions, life);
}

#[tokio::test]
async fn keys_are_counted_by_scope_and_a_change_is_seen_at_once() {
    let bench = Bench::new();
    let (retail, treasury) = (bench.domain("retail", 0).await, bench.domain("treasury", 0).await);
    let first = bench.aes(retail, "a").await;
    bench.aes(retail, "b").await;
    bench.aes(treasury, "c").await;
    let count = |scope: &Scope| bench.keys.census(scope).unwrap();
    assert_eq!((count(&Scope::All).keys(), count(&Scope::Domains(vec![retail])).keys()), (3, 2));
    assert_eq!(count(&Scope::All), count(&Scope::All), "nothing changed, nothing is read again");
    let stop = Suspend { reason: why(), stops: vec![] };
    bench.keys.suspend(bench.on_key(first), &stop).await.unwrap();
    let census = count(&Scope::All);
    assert_eq!(census.states[&StateName::Suspended], 1);
    assert_eq!(census.states[&StateName::Active], 2);
}

#[tokio::test]
async fn a_key_becomes_late_by_time_alone_within_a_minute() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    for n in 0..LATE_NAMED_MAX + 2 {
        let mut request = key(&format!("key-{n:02}"), Algorithm::Aes256Gcm);
        request.rotation_days = Some(30.try_into().unwrap());
        bench.create(retail, &request).await;
        bench.clock.advance_millis(1_000);
    }
    let late = || bench.keys.census(&Scope::All).unwrap();
    assert_eq!(late().late, 0);
    bench.clock.advance_millis(u32::try_from(CENSUS_SECONDS_MAX).unwrap() * 1_000);
    for _ in 0..32 {
        bench.clock.advance_millis(86_400_000);
    }
    let census = late();
    assert_eq!((census.late, census.late_named.len()), (22, LATE_NAMED_MAX));
    assert_eq!(census.late_named[0].name.as_str(), "key-00", "the latest first");
}
