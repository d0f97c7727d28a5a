//! Decisions that stick: false positives by value, column and object; accepted risks.

use crate::house::House;
use detect::Kind;
use discover::*;
use extract::KindName;
use kernel::actions::DataDecide;

const ONE: &str = "HKID A123456(3) and HKID E364912(5)\n";
const OTHER: &str = "HKID A123456(3)\n";
const CARD: KindName = KindName(Kind::HongKongIdentityCard);

fn find<'a>(found: &'a [Finding], name: &str) -> &'a Finding {
    found.iter().find(|finding| finding.shown() == name).unwrap()
}

fn cards(finding: &Finding) -> u64 {
    finding.tallies().get(&CARD).map_or(0, |tally| tally.all())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_no_find_is_none_anywhere_now_and_after_every_scan() {
    let house = House::new().await;
    house.shelf.put("one.txt", ONE);
    house.shelf.put("other.txt", OTHER);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let found = house.findings(Wanted::default());
    let other = find(&found, "other.txt");
    let fingerprint = other.kinds[0].samples[0].fingerprint;
    let said = SaidNoFind::Value { kind: CARD, fingerprint };
    let permit = house.permit::<DataDecide>(&other.id.to_string());
    let after = house.discover.no_find(permit, said, "test number of the training").await.unwrap();
    assert_eq!((after.standing(), after.kinds[0].set_aside), (Standing::FalsePositive, 1));
    let found = house.findings(Wanted::default());
    assert_eq!(cards(find(&found, "one.txt")), 1, "it holds at once for the other finding too");
    house.shelf.put("other.txt", &format!("{OTHER} changed"));
    house.shelf.put("third.txt", OTHER);
    house.scan(source).await;
    let found = house.findings(Wanted::default());
    assert_eq!(find(&found, "other.txt").standing(), Standing::FalsePositive);
    assert_eq!(find(&found, "third.txt").standing(), Standing::FalsePositive);
    assert_eq!(cards(find(&found, "one.txt")), 1);
    assert_eq!(house.summary(source).classes.get(&Class::Restricted), Some(&1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_in_an_object_is_set_aside_until_that_is_taken_back() {
    let house = House::new().await;
    house.shelf.put("one.txt", ONE);
    house.shelf.put("other.txt", OTHER);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let id = find(&house.findings(Wanted::default()), "one.txt").id.to_string();
    let said = SaidNoFind::Object { kind: CARD };
    let empty = house.discover.no_find(house.permit(&id), said.clone(), " ").await;
    assert!(matches!(empty, Err(DiscoverError::Value { field: "/reason", .. })));
    house.discover.no_find(house.permit(&id), said.clone(), "part numbers").await.unwrap();
    let twice = house.discover.no_find(house.permit(&id), said, "part numbers").await;
    assert!(matches!(twice, Err(DiscoverError::Value { field: "/no_find", .. })));
    house.shelf.put("one.txt", &format!("{ONE}\n"));
    house.scan(source).await;
    let found = house.findings(Wanted::default());
    assert_eq!(find(&found, "one.txt").standing(), Standing::FalsePositive);
    assert_eq!(find(&found, "other.txt").standing(), Standing::Open);
    house.discover.take_back(house.permit(&id)).await.unwrap();
    house.scan(source).await;
    let found = house.findings(Wanted::default());
    assert_eq!(
        (find(&found, "one.txt").standing(), cards(find(&found, "one.txt"))),
        (Standing::Open, 2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_no_find_is_none_in_every_object_of_its_source() {
    let house = House::new().await;
    let table = "ref,amount\nA1234563,1\nE3649125,2\nD2887542,3\n";
    house.shelf.put("a.csv", table);
    house.shelf.put("b.csv", table);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let found = house.findings(Wanted::default());
    let column = find(&found, "a.csv").columns[0].name.clone();
    let said = SaidNoFind::Column { column, kind: CARD };
    let id = find(&found, "a.csv").id.to_string();
    house.discover.no_find(house.permit(&id), said, "references of ours").await.unwrap();
    house.shelf.put("c.csv", table);
    house.scan(source).await;
    let found = house.findings(Wanted::default());
    for name in ["a.csv", "b.csv", "c.csv"] {
        assert_eq!(find(&found, name).standing(), Standing::FalsePositive, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_risk_is_open_again_when_its_time_has_run_out() {
    let house = House::new().await;
    house.shelf.put("one.txt", ONE);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let id = house.findings(Wanted::default())[0].id.to_string();
    let now = kernel::Clock::wall(&*house.clock);
    for until in [now, now.plus_days(ACCEPT_DAYS_MAX + 1)] {
        let refused = house.discover.accept(house.permit(&id), until, "because").await;
        assert!(matches!(refused, Err(DiscoverError::Value { field: "/until", .. })));
    }
    let until = now.plus_days(1);
    house.discover.accept(house.permit(&id), until, "migration ends then").await.unwrap();
    let accepted = &house.findings(Wanted::default())[0];
    assert_eq!(accepted.standing(), Standing::Accepted);
    assert_eq!(house.summary(source).accepted.get(&Class::Restricted), Some(&1));
    house.scan(source).await;
    assert_eq!(house.findings(Wanted::default())[0].standing(), Standing::Accepted);
    house.clock.advance_millis(86_400_000);
    assert_eq!(house.findings(Wanted::default())[0].standing(), Standing::Open);
    house.scan(source).await;
    assert_eq!(house.summary(source).classes.get(&Class::Restricted), Some(&1));
}

#[tokio::test(flavor = "multi_thread")]
async fn detectors_of_the_banks_own_are_tried_on_pasted_text_before_and_after_they_are_kept() {
    let house = House::new().await;
    let text = "memo about Project Lion for C-001 2345";
    let rule = NewRule::Dictionary(vec!["project lion".into()]);
    let tried =
        house.discover.try_text(house.permit("*"), text, Under::Named(None), Some(&rule)).unwrap();
    assert_eq!(tried.spans.len(), 1);
    let new = NewDetector { name: "projects".parse().unwrap(), rule, class: Class::Secret };
    house.discover.add_detector(house.permit("*"), new).await.unwrap();
    let tried = house.discover.try_text(house.permit("*"), text, Under::Named(None), None).unwrap();
    assert_eq!((tried.spans.len(), tried.class), (1, Class::Secret));
    assert!(tried.because[0].sentence.contains("projects"));
    let long = "x".repeat(TRIED_BYTES_MAX + 1);
    assert!(house.discover.try_text(house.permit("*"), &long, Under::Named(None), None).is_err());
    let bad = NewDetector {
        name: "bad".parse().unwrap(),
        rule: NewRule::Pattern("(".into()),
        class: Class::Internal,
    };
    assert!(house.discover.add_detector(house.permit("*"), bad).await.is_err());
    house.discover.remove_detector(house.permit("*"), 1).await.unwrap();
    assert!(house.discover.detectors(house.permit("*")).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_written_in_every_form_and_hold_no_value() {
    let house = House::new().await;
    house.shelf.put("one.txt", ONE);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let wanted = Wanted::default();
    for form in [report::ReportForm::Csv, report::ReportForm::Xlsx, report::ReportForm::Html] {
        let written = house.discover.report(house.permit("*"), form, &wanted, true).unwrap();
        assert!(written.bytes.len() > 200);
        let text = String::from_utf8_lossy(&written.bytes);
        assert!(!text.contains("123456"), "{form:?}");
        if form == report::ReportForm::Html {
            assert!(text.contains("Outside Hong Kong") && text.contains("SG"));
        }
    }
}

/// Twelve different numbers, the first of them nine times: more than a finding keeps samples of.
fn many() -> String {
    let check = ["A123456(3)", "E364912(5)", "D288754(2)", "A555555(6)", "C668668(E)"];
    let rest: String = check.iter().skip(1).map(|n| format!("HKID {n}\n")).collect();
    format!("{}{rest}", "HKID A123456(3)\n".repeat(9))
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_follow_a_value_that_is_no_find_and_come_back_when_it_is_withdrawn() {
    let house = House::new().await;
    house.shelf.put("many.txt", &many());
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let all = cards(&house.findings(Wanted::default())[0]);
    assert!(all >= 9, "{all}");
    let finding = house.findings(Wanted::default())[0].clone();
    let masked = "A12****(*)";
    let sample = finding.kinds[0].samples.iter().find(|s| s.masked == masked).unwrap();
    let said = SaidNoFind::Value { kind: CARD, fingerprint: sample.fingerprint };
    let permit = house.permit::<DataDecide>(&finding.id.to_string());
    house.discover.no_find(permit, said, "number of the training").await.unwrap();
    // Nothing of the object changed, and yet its next scan counts anew.
    house.scan(source).await;
    let after = house.findings(Wanted::default())[0].clone();
    assert_eq!((cards(&after), after.kinds[0].set_aside), (all - 9, 9));
    let house = house.restarted().await;
    house.shelf.put("many.txt", &format!("{}\n", many()));
    house.shelf.put("other.txt", OTHER);
    house.scan(source).await;
    let found = house.findings(Wanted::default());
    assert_eq!(cards(find(&found, "many.txt")), all - 9, "it holds after a restart");
    assert_eq!(find(&found, "other.txt").standing(), Standing::FalsePositive);
    let said = house.discover.no_finds(house.permit("*")).unwrap();
    let name = said[0].no_find.name();
    let unknown = house.discover.withdraw(house.permit(&"0".repeat(64)), "no").await;
    assert!(matches!(unknown, Err(DiscoverError::NoNoFind)), "{unknown:?}");
    house.discover.withdraw(house.permit(&name), "it is a customer after all").await.unwrap();
    assert!(house.discover.no_finds(house.permit("*")).unwrap().is_empty());
    house.scan(source).await;
    let found = house.findings(Wanted::default());
    assert_eq!(cards(find(&found, "many.txt")), all);
    assert_eq!(find(&found, "other.txt").standing(), Standing::Open);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checks_read_what_is_exposed_undecided_and_lapsed() {
    let house = House::new().await;
    house.shelf.put("one.txt", ONE);
    house.shelf.put("other.txt", OTHER);
    house.shelf.public.store(true, std::sync::atomic::Ordering::SeqCst);
    let source = house.source("retail", "/shelf").await;
    let read = || house.discover.reading(&house.permit("*")).unwrap().remove(0);
    assert_eq!((read().scanned_at, read().restricted), (None, 0));
    house.scan(source).await;
    let found = read();
    assert_eq!((found.restricted, found.restricted_public, found.accepted), (2, 2, 0));
    assert!(found.scanned_at.is_some() && found.class == Some(Class::Restricted));
    let open = found.high_open;
    assert!(open > 0 && found.high_open_since.is_some(), "{found:?}");
    let id = house.findings(Wanted::default())[0].id.to_string();
    let until = kernel::Clock::wall(&*house.clock).plus_days(10);
    house.discover.accept(house.permit(&id), until, "until it is moved").await.unwrap();
    assert_eq!((read().accepted, read().lapsed, read().high_open), (1, 0, open - 1));
    house.clock.advance_millis(11 * 24 * 3_600_000);
    assert_eq!((read().accepted, read().lapsed), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_said_to_be_none_while_a_scan_runs_counts_in_the_next_one_no_more() {
    let house = House::new().await;
    house.shelf.put("many.txt", &many());
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let finding = house.findings(Wanted::default())[0].clone();
    let all = cards(&finding);
    house.shelf.put("many.txt", &format!("{}\n", many()));
    house.shelf.held.store(true, std::sync::atomic::Ordering::SeqCst);
    house.discover.start_scan(house.permit(&source.to_string())).await.unwrap();
    // The scan is at the object when somebody says so.
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(5));
    while house.discover.scans(house.permit(&source.to_string())).unwrap()[0].live.is_none() {
        tick.tick().await;
    }
    let sample = finding.kinds[0].samples.iter().find(|s| s.masked == "A12****(*)").unwrap();
    let said = SaidNoFind::Value { kind: CARD, fingerprint: sample.fingerprint };
    let permit = house.permit::<DataDecide>(&finding.id.to_string());
    house.discover.no_find(permit, said, "number of the training").await.unwrap();
    house.shelf.held.store(false, std::sync::atomic::Ordering::SeqCst);
    house.shelf.gate.add_permits(1);
    house.discover.settled(source).await;
    house.scan(source).await;
    let after = house.findings(Wanted::default())[0].clone();
    assert_eq!((cards(&after), after.kinds[0].set_aside), (all - 9, 9));
}
