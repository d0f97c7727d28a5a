//! Sources that are edited: what stays, what is kept of before, what a running scan does.

use crate::house::House;
use discover::sources::FolderSetting;
use discover::*;
use kernel::Secret;
use std::sync::atomic::Ordering;

fn folder(path: &str) -> SourceSetting {
    let path = path.to_owned();
    SourceSetting::Folder(FolderSetting { path, other_file_systems: false })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_changes_what_it_names_and_keeps_what_was() {
    let house = House::new().await;
    let source = house.source("retail", "/shelf").await.to_string();
    let change = SourceChange {
        name: Some("retail archive".parse().unwrap()),
        every_minutes: Edit::To(60),
        owner: Edit::Clear,
        ..SourceChange::default()
    };
    let after = house.discover.edit_source(house.permit(&source), change).await.unwrap();
    assert_eq!((after.name.as_str(), after.every_minutes), ("retail archive", Some(60)));
    assert_eq!(after.owner, None);
    assert_eq!(after.region.as_ref().unwrap().as_str(), "ap-southeast-1");
    let edits = house.discover.source_edits(house.permit(&source)).unwrap();
    let fields: Vec<_> = edits[0].changes.iter().map(|c| c.field.as_str()).collect();
    assert_eq!(fields, ["every_minutes", "name", "owner"]);
    assert_eq!(edits[0].changes[1].before, "retail");
    let told = house.events().into_iter().rfind(|event| event.action == "data.source").unwrap();
    assert!(format!("{told:?}").contains("every_minutes, name, owner"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_or_says_nothing_new_changes_nothing() {
    let house = House::new().await;
    let source = house.source("retail", "/shelf").await.to_string();
    house.source("other", "/shelf").await;
    let none = house.discover.edit_source(house.permit(&source), SourceChange::default()).await;
    assert!(matches!(none, Err(DiscoverError::Value { .. })), "{none:?}");
    let often = SourceChange { every_minutes: Edit::To(1), ..SourceChange::default() };
    let often = house.discover.edit_source(house.permit(&source), often).await;
    let field = "/every_minutes";
    assert!(matches!(often, Err(DiscoverError::Value { field: f, .. }) if f == field), "{often:?}");
    let name = Some("other".parse().unwrap());
    let taken = SourceChange { name, ..SourceChange::default() };
    let taken = house.discover.edit_source(house.permit(&source), taken).await;
    assert!(matches!(taken, Err(DiscoverError::NameTaken)), "{taken:?}");
    let unknown = SourceChange { profile: Edit::To("mine".into()), ..SourceChange::default() };
    let unknown = house.discover.edit_source(house.permit(&source), unknown).await;
    assert!(matches!(unknown, Err(DiscoverError::NoProfile(_))), "{unknown:?}");
    assert!(house.discover.source_edits(house.permit(&source)).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_is_taken_and_neither_of_both_is_ever_told() {
    let house = House::new().await;
    let source = house.source("retail", "/shelf").await.to_string();
    let secret = Edit::To(Secret::new("the-second-secret".to_owned()));
    let change = SourceChange { secret, ..SourceChange::default() };
    house.discover.edit_source(house.permit(&source), change).await.unwrap();
    let edits = house.discover.source_edits(house.permit(&source)).unwrap();
    assert_eq!(edits[0].changes[0].field, "secret");
    let all = format!("{edits:?} {:?}", house.events());
    assert!(!all.contains("second-secret"));
    let change = SourceChange { secret: Edit::Clear, ..SourceChange::default() };
    house.discover.edit_source(house.permit(&source), change).await.unwrap();
    assert_eq!(house.discover.source_edits(house.permit(&source)).unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_scan_goes_on_with_what_it_began_with() {
    let house = House::new().await;
    house.shelf.put("one.txt", "HKID A123456(3)");
    house.shelf.held.store(true, Ordering::SeqCst);
    let source = house.source("retail", "/shelf").await;
    house.discover.start_scan(house.permit(&source.to_string())).await.unwrap();
    let empty = house.folder.0.join("data");
    let setting = Some(folder(empty.to_str().unwrap()));
    let change = SourceChange { setting, region: Edit::Clear, ..SourceChange::default() };
    house.discover.edit_source(house.permit(&source.to_string()), change).await.unwrap();
    house.shelf.gate.add_permits(1);
    house.discover.settled(source).await;
    let scan = house.scans(source)[0].clone();
    assert_eq!((scan.state, scan.progress.objects), (ScanState::Done, 1));
    house.discover.labelled().await;
    assert_eq!(house.findings(Wanted::default()).len(), 1);
    let next = house.scan(source).await;
    assert_eq!((next.progress.objects, next.progress.gone), (0, 1), "the next one looks elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_place_is_another_risk_without_a_scan() {
    let house = House::new().await;
    house.shelf.put("one.txt", "HKID A123456(3)");
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    let before = house.findings(Wanted::default())[0].risk.score;
    let change =
        SourceChange { region: Edit::To("ap-east-1".parse().unwrap()), ..SourceChange::default() };
    house.discover.edit_source(house.permit(&source.to_string()), change).await.unwrap();
    house.discover.labelled().await;
    let after = house.findings(Wanted::default())[0].risk.score;
    assert!(after < before, "in Hong Kong {after}, in Singapore {before}");
    assert_eq!(house.scans(source).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_does_not_go_on_after_a_restart_when_its_source_was_pointed_elsewhere() {
    for elsewhere in [false, true] {
        let house = House::new().await;
        house.shelf.put("one.txt", "HKID A123456(3)");
        house.shelf.held.store(true, Ordering::SeqCst);
        let source = house.source("retail", "/shelf").await;
        house.discover.start_scan(house.permit(&source.to_string())).await.unwrap();
        let path = house.folder.0.join("data").to_str().unwrap().to_owned();
        let setting = elsewhere.then(|| folder(&path));
        let owner = Edit::To("Archive".parse().unwrap());
        let change = SourceChange { setting, owner, ..SourceChange::default() };
        house.discover.edit_source(house.permit(&source.to_string()), change).await.unwrap();
        let house = house.restarted().await;
        house.shelf.held.store(false, Ordering::SeqCst);
        house.discover.resume().await.unwrap();
        house.discover.settled(source).await;
        let state = if elsewhere { ScanState::Failed } else { ScanState::Done };
        assert_eq!(house.scans(source)[0].state, state);
    }
}
