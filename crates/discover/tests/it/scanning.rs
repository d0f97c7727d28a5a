//! Scans: what they find, what they skip, what they survive.

use crate::house::House;
use discover::*;
use kernel::actions::DataScan;
use kernel::{Clock, Timestamp};
use std::sync::atomic::Ordering;

const CUSTOMERS: &str = "name,id_no\nChan Tai Man,A1234563\nWong Siu Ming,E3649125\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_finds_classifies_scores_and_tells_the_inventory() {
    let house = House::new().await;
    house.shelf.put("a/customers.csv", CUSTOMERS);
    house.shelf.put("b/readme.txt", "nothing to see");
    let source = house.source("retail", "/shelf").await;
    let scan = house.scan(source).await;
    assert_eq!(
        (scan.state, scan.progress.objects, scan.progress.findings),
        (ScanState::Done, 2, 1)
    );
    let found = house.findings(Wanted::default());
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.class, one.shown().as_str()), (Class::Restricted, "a/customers.csv"));
    assert!(one.because[0].sentence.starts_with("2 × hk-identity-card"));
    assert!(one.risk.score > 40, "{:?}", one.risk);
    assert!(one.risk.factors[2].sentence.contains("Singapore, outside Hong Kong"));
    assert_eq!(scan.classes.get(&Class::Restricted), Some(&1));
    let snapshot = house.inventory.current().unwrap();
    let name = source.to_string().parse().unwrap();
    let asset = snapshot.find(&inventory::AssetRef::new(inventory::AssetKind::DataStore, name));
    let asset = asset.unwrap();
    assert_eq!(asset.known_by, inventory::KnownBy::Observed);
    assert_eq!(asset.attributes.text("data-class"), Some("restricted"));
    assert_eq!(asset.attributes.text("region"), Some("ap-southeast-1"));
    assert_eq!(asset.attributes.text("declared"), Some("owner, provider, region"));
    assert_eq!(asset.attributes.get("identity-cards"), Some(&2.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_is_kept_and_no_name_stands_beside_an_identity_card_number() {
    let house = House::new().await;
    house.shelf.put("HKID A123456(3).txt", CUSTOMERS);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let found = house.findings(Wanted::default());
    let told = serde_json::to_string(&found[0].kinds).unwrap();
    for value in ["A1234563", "E3649125", "Chan Tai Man", "Wong"] {
        assert!(!told.contains(value), "{told}");
    }
    assert!(told.contains("A12****(*)"), "{told}");
    let names = found[0].kinds.iter().filter(|k| String::from(k.kind) == "person-name");
    assert!(names.flat_map(|k| &k.samples).next().is_none());
    assert!(!found[0].shown().contains("123456"));
    for event in house.events() {
        let told = serde_json::to_string(&event).unwrap();
        assert!(!told.contains("A123456"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_change_is_skipped_and_what_went_is_gone() {
    let house = House::new().await;
    house.shelf.put("a.csv", CUSTOMERS);
    house.shelf.put("b.csv", CUSTOMERS);
    house.shelf.put("c.txt", "nothing");
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let opened = house.shelf.opened.load(Ordering::SeqCst);
    assert_eq!(opened, 3);
    house.clock.advance_millis(60_000);
    house.shelf.put("a.csv", "nothing any more");
    house.shelf.take("b.csv");
    let scan = house.scan(source).await;
    assert_eq!(house.shelf.opened.load(Ordering::SeqCst), opened + 1, "only what changed");
    assert_eq!((scan.progress.unchanged, scan.progress.gone), (1, 1));
    assert!(house.findings(Wanted::default()).is_empty());
    let gone = Wanted { standing: Some(Standing::Gone), ..Wanted::default() };
    assert_eq!(house.findings(gone).len(), 2);
    assert_eq!(house.summary(source).class(), None);
    let trend: Vec<_> = house.scans(source).iter().map(|s| s.classes.len()).collect();
    assert_eq!(trend, [0, 1], "newest first: counts by class of each scan");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_listed_is_told_and_nothing_in_it_counts_as_gone() {
    let house = House::new().await;
    house.shelf.put("a.csv", CUSTOMERS);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    house.shelf.take("a.csv");
    house.shelf.unlistable.lock().unwrap().push(("secret".into(), "refused".into()));
    let scan = house.scan(source).await;
    assert_eq!((scan.state, scan.progress.unlisted), (ScanState::Done, 1));
    assert_eq!((scan.troubles.len(), scan.troubles[0].detail.as_str()), (1, "refused"));
    assert_eq!(house.findings(Wanted::default()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_keeps_its_finding_and_is_tried_again() {
    let house = House::new().await;
    house.shelf.put("a.csv", CUSTOMERS);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    house.shelf.put("a.csv", "DEAD");
    let scan = house.scan(source).await;
    assert_eq!((scan.progress.unreadable, house.findings(Wanted::default()).len()), (1, 1));
    let opened = house.shelf.opened.load(Ordering::SeqCst);
    house.scan(source).await;
    assert_eq!(house.shelf.opened.load(Ordering::SeqCst), opened + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_one_commit_with_one_event_and_memory_holds_one_page() {
    let house = House::new().await;
    let objects = PAGE_OBJECTS * 5 + 1;
    for n in 0..objects {
        house.shelf.put(&format!("{n:05}.csv"), CUSTOMERS);
    }
    let source = house.source("retail", "/shelf").await;
    let scan = house.scan(source).await;
    assert_eq!(scan.progress.findings, objects as u64);
    let pages = house.events().iter().filter(|e| e.action == "data.page-scanned").count();
    assert_eq!(pages, 6);
    assert!(house.shelf.page_max.load(Ordering::SeqCst) <= 1_000);
    assert_eq!(house.summary(source).classes.get(&Class::Restricted), Some(&(objects as u64)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_a_stop_cuts_short_goes_on_from_its_last_page() {
    let house = House::new().await;
    let objects = PAGE_OBJECTS * 3;
    for n in 0..objects {
        house.shelf.put(&format!("{n:05}.csv"), CUSTOMERS);
    }
    let source = house.source("retail", "/shelf").await;
    // One page and a bit is let through, then the server stops.
    house.shelf.held.store(true, Ordering::SeqCst);
    house.shelf.gate.add_permits(PAGE_OBJECTS + 7);
    house.discover.start_scan(house.permit(&source.to_string())).await.unwrap();
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(5));
    while house.shelf.opened.load(Ordering::SeqCst) < PAGE_OBJECTS + 7 {
        tick.tick().await;
    }
    let house = house.restarted().await;
    assert_eq!(house.scans(source)[0].progress.objects, PAGE_OBJECTS as u64);
    house.shelf.held.store(false, Ordering::SeqCst);
    let before = house.shelf.opened.load(Ordering::SeqCst);
    assert_eq!(house.discover.resume().await.unwrap(), 1);
    house.discover.settled(source).await;
    let scan = house.scans(source)[0].clone();
    assert_eq!((scan.state, scan.resumed), (ScanState::Done, 1));
    assert_eq!(scan.progress.objects, objects as u64);
    let again = house.shelf.opened.load(Ordering::SeqCst) - before;
    assert_eq!(again, objects - PAGE_OBJECTS, "the committed page is not looked at again");
    assert_eq!(house.findings(Wanted::default()).len(), objects);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_cancelled_and_a_second_one_has_to_wait() {
    let house = House::new().await;
    house.shelf.put("a.csv", CUSTOMERS);
    let source = house.source("retail", "/shelf").await;
    house.shelf.held.store(true, Ordering::SeqCst);
    house.discover.start_scan(house.permit(&source.to_string())).await.unwrap();
    let second = house.discover.start_scan(house.permit(&source.to_string())).await;
    assert!(matches!(second, Err(DiscoverError::Scanning)), "{second:?}");
    let permit = house.permit::<DataScan>(&source.to_string());
    house.discover.cancel_scan(permit).await.unwrap();
    house.discover.settled(source).await;
    assert_eq!(house.scans(source)[0].state, ScanState::Cancelled);
    let none = house.discover.cancel_scan(house.permit(&source.to_string())).await;
    assert!(matches!(none, Err(DiscoverError::NotScanning)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_not_there_fails_its_scan_and_nothing_else() {
    let house = House::new().await;
    let source = house.source("nowhere", "/nowhere/at/all").await;
    let scan = house.scan(source).await;
    let nothing = scan.state == ScanState::Failed || scan.progress.unlisted > 0;
    assert!(nothing, "{scan:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exposure_is_read_anew_even_where_nothing_changed() {
    let house = House::new().await;
    house.shelf.put("a.csv", CUSTOMERS);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let before = house.findings(Wanted::default())[0].risk.score;
    house.shelf.public.store(true, Ordering::SeqCst);
    house.scan(source).await;
    let after = &house.findings(Wanted::default())[0];
    assert!(after.risk.score > before);
    assert!(after.risk.factors[2].sentence.starts_with("Anybody can read it"));
    assert_eq!(house.summary(source).public, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_says_what_is_due() {
    let house = House::new().await;
    let source = house.source("retail", "/shelf").await;
    assert!(house.discover.due().unwrap().is_empty(), "no schedule, never due");
    house.discover.remove_source(house.permit(&source.to_string())).await.unwrap();
    let new = NewSource {
        name: "often".parse().unwrap(),
        setting: SourceSetting::Folder(sources::FolderSetting {
            path: "/shelf".into(),
            other_file_systems: false,
        }),
        profile: None,
        every_minutes: Some(15),
        bytes_per_second: None,
        owner: None,
        asset: None,
        provider: None,
        region: None,
    };
    let hasty = NewSource { every_minutes: Some(EVERY_MINUTES_MIN - 1), ..new.clone() };
    assert!(house.discover.add_source(house.permit("*"), hasty, None).await.is_err());
    let source = house.discover.add_source(house.permit("*"), new, None).await.unwrap().id;
    assert_eq!(house.discover.due().unwrap(), [source]);
    house.scan(source).await;
    assert!(house.discover.due().unwrap().is_empty());
    house.clock.advance_millis(15 * 60_000);
    assert_eq!(house.discover.due().unwrap(), [source]);
    assert!(house.clock.wall() > Timestamp::EPOCH);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_source_leaves_nothing_and_its_name_is_free() {
    let house = House::new().await;
    house.shelf.put("a.csv", CUSTOMERS);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    house.discover.remove_source(house.permit(&source.to_string())).await.unwrap();
    assert!(house.findings(Wanted::default()).is_empty());
    house.source("retail", "/shelf").await;
}
