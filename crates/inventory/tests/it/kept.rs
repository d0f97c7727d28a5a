//! The inventory on a store: durable, permitted, recorded.

use crate::house::House;
use crate::world::{attributes, fact, publication, reference, relation};
use inventory::import::Format;
use inventory::{AssetKind, Declaration, ImportFile, InventoryError, KnownBy, RelationKind};
use kernel::actions::{AssetChange, AssetRead};
use kernel::{DomainId, Outcome, ProblemKind};
use store::Repeat;

const RETAIL: DomainId = DomainId::from_bytes([3; 16]);
const SYSTEM: DomainId = DomainId::SYSTEM;

#[tokio::test]
async fn what_a_slice_publishes_is_there_after_a_restart_with_its_history() {
    let house = House::new();
    let mut told = publication("keys", KnownBy::Observed);
    told.assets = vec![fact("key:k", r#"{"state":"active"}"#), fact("file-set:f", "{}")];
    told.relations = vec![relation("key:k", RelationKind::Protects, "file-set:f")];
    let changes = house.inventory.publish(&told).await.unwrap();
    assert_eq!((changes.added.len(), changes.relations.len()), (2, 1));
    let first = house.inventory.current().unwrap();
    house.clock.advance_millis(60_000);
    told.assets[0].attributes = attributes(r#"{"state":"suspended"}"#);
    house.inventory.publish(&told).await.unwrap();
    let at = first.at();

    let house = house.restarted();
    assert_eq!(house.inventory.as_of(at).unwrap(), first);
    let now = house.inventory.current().unwrap();
    let key = now.find(&reference("key:k")).unwrap();
    assert_eq!(key.attributes.text("state"), Some("suspended"));
    assert_eq!(
        now.to(now.find(&reference("file-set:f")).unwrap().id, RelationKind::Protects).count(),
        1
    );
}

#[tokio::test]
async fn publishing_nothing_new_writes_nothing() {
    let house = House::new();
    let mut told = publication("keys", KnownBy::Observed);
    told.assets = vec![fact("key:k", "{}")];
    house.inventory.publish(&told).await.unwrap();
    let revision = house.store.revision();
    assert!(house.inventory.publish(&told).await.unwrap().is_empty());
    assert_eq!(house.store.revision(), revision);
    let events = house.events();
    let published: Vec<_> =
        events.iter().filter(|event| event.action == "inventory.published").collect();
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].detail("added"), Some("1"));
}

#[tokio::test]
async fn a_publication_that_is_not_taken_leaves_no_trace() {
    let house = House::new();
    let mut told = publication("keys", KnownBy::Observed);
    told.assets = vec![fact("key:k", "{}")];
    told.relations = vec![relation("key:k", RelationKind::Protects, "file-set:none")];
    let error = house.inventory.publish(&told).await.unwrap_err();
    assert!(matches!(error, InventoryError::Register(_)), "{error}");
    assert_eq!(house.inventory.current().unwrap().assets().count(), 0);
    told.relations.clear();
    told.assets = (0..4_001).map(|i| fact(&format!("host:h{i}"), "{}")).collect();
    let error = house.inventory.publish(&told).await.unwrap_err();
    assert!(matches!(error, InventoryError::TooLarge(4_001)));
    assert_eq!(house.inventory.current().unwrap().assets().count(), 0);
}

#[tokio::test]
async fn an_import_takes_good_rows_lists_bad_ones_and_is_one_event() {
    let house = House::new();
    let name = "assets.csv".parse().unwrap();
    let bytes = b"kind,reference,name,tier\nservice,s1,Core,1\ncastle,x,X,1\n";
    let file = ImportFile { name: &name, format: Format::Csv, bytes };
    let tried = house.inventory.import(house.permit::<AssetChange>(SYSTEM), file, true, None).await;
    assert_eq!(tried.unwrap().accepted.len(), 1);
    assert_eq!(house.inventory.current().unwrap().assets().count(), 0, "a trial writes nothing");
    let report = house
        .inventory
        .import(house.permit::<AssetChange>(SYSTEM), file, false, None)
        .await
        .unwrap();
    assert_eq!((report.rows, report.accepted.len(), report.rejected_count), (2, 1, 1));
    let now = house.inventory.current().unwrap();
    let service = now.of_kind(AssetKind::Service).next().unwrap();
    assert_eq!((service.known_by, service.source.as_str()), (KnownBy::Declared, "assets.csv"));
    let events = house.events();
    let last = events.last().unwrap();
    assert_eq!((last.action.as_ref(), last.outcome.clone()), ("asset.change", Outcome::Done));
    assert_eq!((last.detail("accepted"), last.detail("rejected")), (Some("1"), Some("1")));
    assert!(last.detail("sha-256").is_some());
}

#[tokio::test]
async fn nobody_changes_or_sees_what_belongs_to_another_key_domain() {
    let house = House::new();
    let mut told = publication("hand", KnownBy::Declared);
    told.assets = vec![fact("service:ours", "{}")];
    house.inventory.publish(&told).await.unwrap();
    let source = "hand".parse().unwrap();
    let declaration =
        Declaration { assets: vec![fact("service:x", "{}")], ..Declaration::default() };
    let permit = house.permit::<AssetChange>(RETAIL);
    let error = house.inventory.declare(permit, declaration, source).await.unwrap_err();
    assert!(matches!(error, InventoryError::OtherDomain(_)), "its facts name another domain");
    let name = "a.csv".parse().unwrap();
    let bytes = b"kind,reference,name\nservice,ours,Taken\nservice,new,New\n";
    let file = ImportFile { name: &name, format: Format::Csv, bytes };
    let report = house
        .inventory
        .import(house.permit::<AssetChange>(RETAIL), file, false, None)
        .await
        .unwrap();
    assert_eq!((report.accepted.len(), report.rejected[0].row.as_str()), (1, "line 2"));
    let seen = house.inventory.read(house.permit::<AssetRead>(RETAIL), None).unwrap();
    let names: Vec<_> = seen.assets().map(|asset| asset.name.as_str()).collect();
    assert_eq!(names, ["New"]);
    let all = house.inventory.read(house.permit::<AssetRead>(SYSTEM), None).unwrap();
    assert_eq!(all.assets().count(), 2);
}

#[tokio::test]
async fn a_failed_attempt_is_recorded_and_an_old_permit_does_nothing() {
    let house = House::new();
    let permit = house.permit::<AssetChange>(SYSTEM);
    house.clock.advance_millis(5_001);
    let declaration =
        Declaration { assets: vec![fact("service:x", "{}")], ..Declaration::default() };
    let source: kernel::Name = "hand".parse().unwrap();
    let error = house.inventory.declare(permit, declaration, source.clone()).await.unwrap_err();
    assert!(error.decide_again());
    let missing = Declaration {
        relations: vec![relation("service:a", RelationKind::Reads, "service:b")],
        ..Declaration::default()
    };
    let permit = house.permit::<AssetChange>(SYSTEM);
    let error = house.inventory.declare(permit, missing, source).await.unwrap_err();
    assert_eq!(kernel::Problem::from(error).kind, ProblemKind::Invalid);
    assert_eq!(house.inventory.current().unwrap().assets().count(), 0);
    let outcomes: Vec<_> = house.events().into_iter().map(|event| event.outcome).collect();
    let failed = |code: &'static str| Outcome::Failed(code.into());
    assert!(outcomes.contains(&failed("permit-expired")));
    assert!(outcomes.contains(&failed("unknown-asset")));
}

#[tokio::test]
async fn a_write_that_its_caller_leaves_in_the_middle_is_seen_as_it_was_committed() {
    let house = House::new();
    let mut told = publication("keys", KnownBy::Observed);
    // The first write reads the register, which waits too.
    house.inventory.publish(&told).await.unwrap();
    told.assets = vec![fact("key:k", "{}")];
    {
        let mut write = Box::pin(house.inventory.publish(&told));
        let left = polled_once(&mut write).await;
        assert!(left, "the commit was handed over and not yet answered");
    }
    house.store.flush().await.unwrap();
    assert_eq!(house.inventory.current().unwrap().assets().count(), 1);
    told.assets.push(fact("key:l", "{}"));
    let changes = house.inventory.publish(&told).await.unwrap();
    assert_eq!((changes.added.len(), changes.changed.len()), (1, 0), "nothing is told twice");
}

/// Polls a future once and says whether it is still waiting.
async fn polled_once<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(future.as_mut().poll(context).is_pending())
    })
    .await
}

#[tokio::test]
async fn an_import_sent_twice_under_one_key_is_done_once_and_answered_alike() {
    let house = House::new();
    let name = "assets.csv".parse().unwrap();
    let bytes = b"kind,reference,name\nservice,s1,Core\ncastle,x,X\n";
    let file = ImportFile { name: &name, format: Format::Csv, bytes };
    let send =
        |repeat| house.inventory.import(house.permit::<AssetChange>(SYSTEM), file, false, repeat);
    let under = |request| Some(Repeat { key: "k".into(), request: [request; 32] });
    let (first, second) = tokio::join!(send(under(1)), send(under(1)));
    let first = first.unwrap();
    assert_eq!((first.accepted.len(), first.rejected_count), (1, 1));
    assert_eq!(second.unwrap(), first, "at one time");
    assert_eq!(send(under(1)).await.unwrap(), first);
    assert!(matches!(send(under(2)).await, Err(InventoryError::Store(_))), "another request");
    let service = house.inventory.current().unwrap();
    let service = service.of_kind(AssetKind::Service).next().unwrap().id;
    // What was replayed is not in memory alone either.
    let house = house.restarted();
    let now = house.inventory.current().unwrap();
    let found: Vec<_> = now.of_kind(AssetKind::Service).map(|asset| asset.id).collect();
    assert_eq!(found, [service]);
    let done = house.events().into_iter().filter(|event| event.detail("accepted").is_some());
    assert_eq!(done.filter(|event| event.detail("replayed").is_none()).count(), 1);
}
