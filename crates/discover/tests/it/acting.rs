//! Acts on found objects in a folder on disk.

use crate::house::House;
use discover::*;
use kernel::actions::{DataAct, KeyCreate, KeyDataKey, KeyDecrypt};
use kernel::{DomainId, Resource, ResourceKind, SourceId};
use keys::envelope::{self, DataKey, Header};
use keys::{CreateDomain, CreateKey, Dates, Decrypt};
use std::path::PathBuf;

const TEXT: &str = "HKID A123456(3)\n";

struct Ground {
    house: House,
    source: SourceId,
    file: PathBuf,
}

async fn ground() -> Ground {
    let house = House::new().await;
    let folder = house.folder.0.join("data");
    std::fs::create_dir_all(folder.join("a")).unwrap();
    let file = folder.join("a/one.txt");
    std::fs::write(&file, TEXT).unwrap();
    let source = house.source("folder", folder.to_str().unwrap()).await;
    let scan = house.scan(source).await;
    assert_eq!(scan.progress.findings, 1, "{scan:?}");
    Ground { house, source, file }
}

fn because() -> ActRequest {
    ActRequest { reason: "it should not lie here".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn quarantine_takes_an_object_away_and_gives_it_back() {
    let Ground { house, source, file } = ground().await;
    let finding = house.findings(Wanted::default())[0].clone();
    let before = finding.risk.score;
    assert!(house.discover.acts(&finding).unwrap().contains(&Act::Quarantine));
    let id = finding.id.to_string();
    let after = house.discover.quarantine(house.permit(&id), &because()).await.unwrap();
    assert!(!file.exists());
    assert_eq!(after.standing(), Standing::Protected);
    assert!(after.risk.score < before);
    house.scan(source).await;
    let kept = house.findings(Wanted::default())[0].clone();
    assert_eq!(kept.standing(), Standing::Protected, "what we put away is not gone");
    assert_eq!(house.discover.acts(&kept).unwrap(), [Act::Restore, Act::Delete]);
    house.discover.restore(house.permit(&id), &because()).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), TEXT);
    assert_eq!(house.findings(Wanted::default())[0].standing(), Standing::Open);
    let acts: Vec<_> = house.events().into_iter().filter(|e| e.action == "data.act").collect();
    assert_eq!(acts.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_moved_over_what_took_the_objects_place() {
    let Ground { house, file, .. } = ground().await;
    let id = house.findings(Wanted::default())[0].id.to_string();
    house.discover.quarantine(house.permit(&id), &because()).await.unwrap();
    std::fs::write(&file, "newer").unwrap();
    let refused = house.discover.restore(house.permit::<DataAct>(&id), &because()).await;
    assert!(matches!(refused, Err(DiscoverError::Changed)), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "newer");
    assert_eq!(house.findings(Wanted::default())[0].standing(), Standing::Protected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_took_the_objects_place_is_not_followed() {
    let Ground { house, file, .. } = ground().await;
    let elsewhere = house.folder.0.join("elsewhere.txt");
    std::fs::write(&elsewhere, "not ours").unwrap();
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    let id = house.findings(Wanted::default())[0].id.to_string();
    let refused = house.discover.quarantine(house.permit(&id), &because()).await;
    assert!(matches!(refused, Err(DiscoverError::Changed)), "{refused:?}");
    assert!(elsewhere.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_object_opens_with_its_key_and_with_nothing_else() {
    let Ground { house, source, file } = ground().await;
    let caller = house.caller(DomainId::SYSTEM);
    let all = Resource::all(ResourceKind::Domain, DomainId::SYSTEM);
    let request = CreateDomain { name: "retail".parse().unwrap(), waiting_period_seconds: 0 };
    let permit = house.gate.permit(&caller, all).unwrap();
    let domain = house.keys.create_domain(permit, &request, None).await.unwrap().id;
    let request = CreateKey {
        name: "found".parse().unwrap(),
        algorithm: "aes-256-gcm".parse().unwrap(),
        labels: serde_json::from_value(serde_json::json!({ "found-data": "encrypt" })).unwrap(),
        exportable: false,
        rotation_days: None,
        dates: Dates::default(),
    };
    let permit = house.gate.permit::<KeyCreate>(&caller, request.resource(domain)).unwrap();
    let key = house.keys.create(permit, &request, None).await.unwrap().id;
    let on_key = || house.keys.resource(key, DomainId::SYSTEM).unwrap();
    let id = house.findings(Wanted::default())[0].id.to_string();
    let key_permit = house.gate.permit::<KeyDataKey>(&caller, on_key()).unwrap();
    let done = house.discover.encrypt(house.permit(&id), key_permit, &because()).await.unwrap();
    assert!(matches!(done.handled, Some(Handled::Encrypted { .. })));
    assert!(!file.exists());
    let sealed = std::fs::read(file.with_extension("txt.sealed")).unwrap();
    assert!(!sealed.windows(4).any(|w| w == b"HKID"));
    let mut from = sealed.as_slice();
    let header = Header::read(&mut from).unwrap();
    let request = Decrypt {
        ciphertext: header.wrapped_data_key.clone(),
        context: b"file".to_vec(),
        compromise: keys::Compromise::Refuse,
    };
    let permit = house.gate.permit::<KeyDecrypt>(&caller, on_key()).unwrap();
    let opened = house.keys.once(permit, &request).await.unwrap();
    let data_key = DataKey::from_released(opened.plaintext).unwrap();
    let mut plain = Vec::new();
    envelope::open(&header, &data_key, &mut from, &mut plain).unwrap();
    assert_eq!(plain, TEXT.as_bytes());
    house.scan(source).await;
    let kept = &house.findings(Wanted::default())[0];
    assert_eq!((kept.standing(), kept.risk.level()), (Standing::Protected, Level::Low));
    assert_eq!(house.summary(source).class(), Some(Class::Restricted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_object_is_gone_for_good() {
    let Ground { house, file, .. } = ground().await;
    let id = house.findings(Wanted::default())[0].id.to_string();
    // The installation itself needs no approval; people do, which the doors' tests show.
    let after = house.discover.delete(house.permit(&id), &because()).await.unwrap();
    assert!(!file.exists());
    assert_eq!(after.standing(), Standing::Gone);
    let again = house.discover.delete(house.permit(&id), &because()).await;
    assert!(matches!(again, Err(DiscoverError::Standing("gone"))), "{again:?}");
}
