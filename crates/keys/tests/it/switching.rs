//! The switch: one key, a whole cloud, and what is under way.

use crate::bench::*;
use kernel::actions::*;
use kernel::*;
use keys::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use strongroom::Algorithm;

fn stop() -> Suspend {
    Suspend { reason: why(), stops: vec!["payments".parse().unwrap()] }
}

fn go_on() -> Resume {
    Resume { reason: why() }
}

fn of<R>(cloud: &Name, request: R) -> OfCloud<R> {
    OfCloud { cloud: cloud.clone(), request }
}

#[tokio::test]
async fn a_suspended_key_does_nothing_and_a_resumed_one_what_it_did() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let old = bench.encrypt(id, "x").await;
    bench.keys.rotate(bench.on_key(id), None).await.unwrap();
    let switched = bench.keys.suspend(bench.on_key(id), &stop()).await.unwrap();
    assert_eq!((switched.keys.len(), switched.left.len()), (1, 0));
    assert_eq!(switched.stops, stop().stops);
    assert_eq!(bench.try_encrypt(id, "x").await.unwrap_err().code(), "key-suspended");
    assert_eq!(bench.decrypt(id, &old).await.unwrap_err().code(), "key-suspended");
    assert!(bench.keys.rotate(bench.on_key(id), None).await.is_err());
    let refusal = bench.last_event("key.decrypt");
    assert_eq!(refusal.outcome, Outcome::Failed("key-suspended".into()));
    assert_eq!(refusal.decision, Decision::Allowed);
    let twice = bench.keys.suspend(bench.on_key(id), &stop()).await.unwrap_err();
    assert!(matches!(twice, KeysError::NotAllowed(_)));
    let event = bench.events().into_iter().find(|e| e.action == "key.suspend").unwrap();
    assert_eq!(event.detail("reason"), Some(why().as_str()));
    assert_eq!(event.detail("stops"), Some("payments"));

    bench.keys.resume(bench.on_key(id), &go_on()).await.unwrap();
    assert_eq!(bench.decrypt(id, &old).await.unwrap(), "x");
    let states: Vec<_> = bench.view(id).versions.iter().map(|v| v.state).collect();
    assert_eq!(states, [StateName::Deactivated, StateName::Active]);
}

#[tokio::test]
async fn a_use_under_way_is_thrown_away_by_the_store() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    // The other node remembers the key as active and hears nothing of the suspension.
    let node = bench.second_node();
    node.encrypt(bench.on_key(id), &plain("x")).await.unwrap();
    let under_way = bench.on_key::<KeyEncrypt>(id);
    bench.keys.suspend(bench.on_key(id), &stop()).await.unwrap();
    let before = bench.events().len();
    let refused = node.encrypt(under_way, &plain("x")).await.unwrap_err();
    assert!(matches!(refused, KeysError::StaleEpoch) && refused.decide_again());
    assert_eq!(bench.events().len(), before);
    // Decided again, it meets the suspension.
    let refused = node.encrypt(bench.on_key(id), &plain("x")).await.unwrap_err();
    assert_eq!(refused.code(), "key-suspended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_suspension_is_acknowledged_no_record_of_a_use_exists() {
    let bench = Arc::new(Bench::new());
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let bench = Arc::clone(&bench);
        tasks.push(tokio::spawn(async move {
            let mut done = 0;
            loop {
                match bench.try_encrypt(id, "x").await {
                    Ok(_) => done += 1,
                    Err(again) if again.decide_again() => {}
                    Err(refused) => {
                        assert_eq!(refused.code(), "key-suspended");
                        return done;
                    }
                }
            }
        }));
    }
    while bench.log.head().size < 200 {
        tokio::task::yield_now().await;
    }
    bench.keys.suspend(bench.on_key(id), &stop()).await.unwrap();
    let mut uses = 0;
    for task in tasks {
        uses += task.await.unwrap();
    }
    let events = bench.events();
    let at = events.iter().position(|event| event.action == "key.suspend").unwrap();
    let done = |event: &&Event| event.action == "key.encrypt" && event.outcome == Outcome::Done;
    assert_eq!(events[at..].iter().filter(done).count(), 0);
    assert_eq!(events[..at].iter().filter(done).count(), uses);
}

#[tokio::test]
async fn a_cloud_is_cut_off_in_one_commit_within_the_scope() {
    let bench = Bench::new();
    let (retail, treasury) = (bench.domain("retail", 0).await, bench.domain("treasury", 0).await);
    let mut made = Vec::new();
    for (domain, name, cloud) in [
        (retail, "a", "cloud-a"),
        (retail, "b", "cloud-a"),
        (retail, "c", "cloud-b"),
        (treasury, "d", "cloud-a"),
    ] {
        let mut request = key(name, Algorithm::Aes256Gcm);
        request.labels = labels(&[("cloud", cloud)]);
        made.push(bench.create(domain, &request).await);
    }
    let cloud: Name = "cloud-a".parse().unwrap();
    assert_eq!(bench.keys.of_cloud(&Scope::All, &cloud).unwrap().len(), 3);
    let permit = bench.permit(Resource::all(ResourceKind::Key, DomainId::SYSTEM));
    let stopped = bench.keys.suspend_cloud(permit, &of(&cloud, stop())).await.unwrap();
    let stopped: BTreeSet<_> = stopped.keys.iter().map(|k| k.key).collect();
    assert_eq!(stopped, BTreeSet::from([made[0], made[1], made[3]]));
    let states: Vec<_> = made.iter().map(|id| bench.view(*id).state).collect();
    use StateName::{Active, Suspended};
    assert_eq!(states, [Suspended, Suspended, Active, Suspended]);
    let events = bench.events();
    let about = |id: KeyId| {
        let resource = format!("key:{id}");
        events.iter().any(|e| e.action == "key.suspend" && e.resource == resource)
    };
    assert_eq!(made.iter().map(|id| about(*id)).collect::<Vec<_>>(), [true, true, false, true]);

    bench.only_domains(&[retail]);
    let permit = bench.permit(Resource::all(ResourceKind::Key, DomainId::SYSTEM));
    let resumed = bench.keys.resume_cloud(permit, &of(&cloud, go_on())).await.unwrap();
    assert_eq!(resumed.keys.len(), 2);
    let again = bench.permit(Resource::all(ResourceKind::Key, DomainId::SYSTEM));
    let left = bench.keys.resume_cloud(again, &of(&cloud, go_on())).await.unwrap();
    assert_eq!((left.keys.len(), left.left.len()), (0, 2));
}

#[tokio::test]
async fn a_permit_for_one_key_cuts_off_no_cloud() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let cloud: Name = "cloud-a".parse().unwrap();
    let refused = bench.keys.suspend_cloud(bench.on_key(id), &of(&cloud, stop())).await;
    assert!(matches!(refused, Err(KeysError::NoKey)));
}

#[tokio::test]
async fn a_suspension_says_how_long_it_took() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let permit = bench.on_key(id);
    bench.clock.advance_millis(3);
    let switched = bench.keys.suspend(permit, &stop()).await.unwrap();
    assert_eq!(switched.took_micros, 3_000);
}

#[tokio::test]
async fn a_list_of_what_stops_has_an_end() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let stops = vec!["payments".parse().unwrap(); STOPS_MAX + 1];
    let request = Suspend { reason: why(), stops };
    let refused = bench.keys.suspend(bench.on_key(id), &request).await;
    assert!(matches!(refused, Err(KeysError::TooManyStops)));
}

#[tokio::test]
async fn an_answer_whose_record_cannot_be_written_does_not_leave() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    bench.encrypt(id, "x").await;
    bench.appends_left.store(0, Ordering::SeqCst);
    let refused = bench.try_encrypt(id, "x").await.unwrap_err();
    assert!(matches!(refused, KeysError::Store(_)), "{refused}");
}

#[tokio::test]
async fn a_suspended_key_stops_its_compromised_versions_too() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let sealed = bench.encrypt(id, "x").await;
    let known = DeclareCompromise { reason: why(), versions: Some([VersionNo(1)].into()) };
    bench.keys.compromise(bench.on_key(id), &known).await.unwrap();
    bench.keys.rotate(bench.on_key(id), None).await.unwrap();
    let accepting =
        Decrypt { ciphertext: sealed, context: b"t".to_vec(), compromise: Compromise::Accept };
    bench.keys.decrypt(bench.on_key(id), &accepting).await.unwrap();
    bench.keys.suspend(bench.on_key(id), &stop()).await.unwrap();
    let refused = bench.keys.decrypt(bench.on_key(id), &accepting).await.unwrap_err();
    assert_eq!(refused.code(), "key-suspended");
    bench.keys.resume(bench.on_key(id), &go_on()).await.unwrap();
    let states: Vec<_> = bench.view(id).versions.iter().map(|v| v.state).collect();
    assert_eq!(states, [StateName::Compromised, StateName::Active]);
    let rest = DeclareCompromise { reason: why(), versions: None };
    bench.keys.compromise(bench.on_key(id), &rest).await.unwrap();
    let again = bench.keys.compromise(bench.on_key(id), &rest).await;
    assert!(matches!(again, Err(KeysError::NotAllowed(_))));
}

#[tokio::test]
async fn more_keys_than_one_commit_takes_are_not_half_stopped() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let cloud: Name = "cloud-a".parse().unwrap();
    let mut making = Vec::new();
    for n in 0..=SUSPEND_KEYS_MAX {
        let mut request = key(&format!("key-{n}"), Algorithm::Aes128Gcm);
        request.labels = labels(&[("cloud", "cloud-a")]);
        let permit = bench.permit(request.resource(retail));
        let keys = bench.keys.clone();
        making.push(tokio::spawn(async move { keys.create(permit, &request, None).await }));
    }
    let mut made = Vec::new();
    for one in making {
        made.push(one.await.unwrap().unwrap().id);
    }
    let all = || bench.permit(Resource::all(ResourceKind::Key, DomainId::SYSTEM));
    let refused = bench.keys.suspend_cloud(all(), &of(&cloud, stop())).await.unwrap_err();
    assert!(matches!(refused, KeysError::TooManyKeys { .. }));
    assert_eq!(bench.view(made[0]).state, StateName::Active);
    let change = UpdateKey { labels: Some(labels(&[])), ..UpdateKey::default() };
    bench.keys.update(bench.on_key(made[0]), &change).await.unwrap();
    let stopped = bench.keys.suspend_cloud(all(), &of(&cloud, stop())).await.unwrap();
    assert_eq!(stopped.keys.len(), SUSPEND_KEYS_MAX);
}
