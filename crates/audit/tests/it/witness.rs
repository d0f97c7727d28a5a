//! A witness over HTTP: growth, rollback, each refusal, memory.

use crate::house::{House, ORIGIN};
use audit::post::{Address, Poster};
use audit::verify::{Claim, Trust, verify};
use audit::witness::{AddCheckpoint, Declined, Witness};
use audit::witness_server::serve;
use audit::{CosignError, WitnessClient};
use kernel::{HeldClock, Secret, Timestamp};
use std::path::Path;
use std::sync::Arc;
use strongroom::{MemoryRoot, Seal, Strongroom};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wire::note::VerifierKey;

const AUDITOR: i64 = 1_790_000_500_000;

fn witness(state: &Path, logs: Vec<VerifierKey>, room: &Strongroom) -> Witness {
    let clock = Arc::new(HeldClock::at(Timestamp::from_unix_millis(AUDITOR)));
    let name = "auditor.sample/w1".parse().unwrap();
    Witness::open(name, room.log_signer(), logs, state.to_owned(), clock).unwrap()
}

fn auditors_room() -> Strongroom {
    let clock = Arc::new(HeldClock::at(Timestamp::from_unix_millis(AUDITOR)));
    let seal = Seal::KeyFile(Secret::new(vec![9; 64]));
    Strongroom::create(Arc::new(MemoryRoot::default()), &seal, clock).unwrap()
}

struct Served {
    address: Address,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

async fn served(witness: Witness) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}/add-checkpoint").parse().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve(listener, Arc::new(witness), async {
        let _ = stopped.await;
    }));
    Served { address, stop, task }
}

#[tokio::test]
async fn a_witness_cosigns_a_growing_log_over_http_and_the_verifier_names_it() {
    let house = House::new();
    let mut running = house.open();
    running.grow(5);
    let room = auditors_room();
    let state = house.folder.path().join("witness.json");
    let key = running.log.origin_key().clone();
    let witness = witness(&state, vec![key.clone()], &room);
    let witness_key = witness.key().clone();
    let served = served(witness).await;
    let poster = Poster::new(&[]).unwrap();
    let client = WitnessClient { address: served.address, key: witness_key.clone(), poster };
    let first = client.cosign(&running.log, 0).await.unwrap();
    assert_eq!((first.size, first.at.unix_millis()), (5, AUDITOR));
    running.grow(300);
    // The client has forgotten what the witness saw, and is told.
    let second = client.cosign(&running.log, 0).await.unwrap();
    assert_eq!(second.size, 305);
    let again = client.cosign(&running.log, 305).await.unwrap();
    assert_eq!(again.note, second.note);
    let keys = [witness_key];
    let note = second.note.to_string();
    let claim = Claim { checkpoint: note.as_bytes(), lines: &[], since: None };
    let verdict = verify(&claim, &Trust { origin: Some(&key), witnesses: &keys });
    assert!(verdict.is_proven(), "{verdict}");
    assert_eq!(verdict.witnessed[0].at.unix_millis(), AUDITOR);
    served.stop.send(()).unwrap();
    served.task.await.unwrap();
}

#[tokio::test]
async fn a_log_that_was_rolled_back_is_not_cosigned_and_the_client_says_why() {
    let house = House::new();
    let mut running = house.open();
    running.grow(5);
    let old = House { shelf: house.shelf.copy(), ..House::new() };
    running.grow(5);
    let state = house.folder.path().join("witness.json");
    let witness = witness(&state, vec![running.log.origin_key().clone()], &auditors_room());
    let key = witness.key().clone();
    let served = served(witness).await;
    let poster = Poster::new(&[]).unwrap();
    let client = WitnessClient { address: served.address, key, poster };
    client.cosign(&running.log, 0).await.unwrap();
    // The attacker has the server's keys, an old database and an anchor to match.
    let forged = House { room: house.room.clone(), ..old };
    let anchor = serde_json::json!({
        "origin": ORIGIN, "incarnation": 1, "size": 0, "root": audit::Hash::empty_root(),
        "state": audit::Hash::ZERO, "revision": 0,
    });
    std::fs::write(forged.anchor(), anchor.to_string()).unwrap();
    let mut rolled = forged.open();
    let refused = client.cosign(&rolled.log, 0).await.unwrap_err();
    assert!(matches!(refused, CosignError::SeenMore { seen: 10, size: 5 }));
    forged.clock.advance_millis(77);
    rolled.grow(5);
    let refused = client.cosign(&rolled.log, 10).await.unwrap_err();
    assert!(matches!(refused, CosignError::Declined(status) if status == 409));
    rolled.grow(5);
    let refused = client.cosign(&rolled.log, 10).await.unwrap_err();
    assert!(matches!(refused, CosignError::Declined(status) if status == 422));
}

#[tokio::test]
async fn each_refusal_has_the_status_of_the_standard() {
    let house = House::new();
    let mut running = house.open();
    running.grow(5);
    let log = running.log.clone();
    let state = house.folder.path().join("witness.json");
    let served = served(witness(&state, vec![log.origin_key().clone()], &auditors_room())).await;
    let poster = Poster::new(&[]).unwrap();
    let ask = async |body: String| {
        let answer = poster.post(&served.address, "text/plain", body.into_bytes()).await.unwrap();
        (answer.status.as_u16(), String::from_utf8(answer.body).unwrap())
    };
    let note = || log.checkpoint().unwrap();
    let request = |old, note| AddCheckpoint { old, proof: Vec::new(), note }.to_string();
    assert_eq!(ask("old x\n\n".into()).await.0, 400);
    assert_eq!(ask(request(6, note())).await.0, 400);
    assert_eq!(ask(request(3, note())).await, (409, "0\n".into()));
    let unknown = note().to_string().replace(ORIGIN, "lionrock.other/log/0");
    assert_eq!(ask(format!("old 0\n\n{unknown}")).await.0, 404);
    let forged = note().to_string().replace("\n5\n", "\n6\n");
    assert_eq!(ask(format!("old 0\n\n{forged}")).await.0, 403);
    let (status, signature) = ask(request(0, note())).await;
    assert_eq!(status, 200);
    assert!(signature.starts_with("— auditor.sample/w1 ") && signature.ends_with('\n'));
    running.grow(3);
    assert_eq!(ask(request(5, note())).await.0, 422);
    assert_eq!(ask(request(0, note())).await, (409, "5\n".into()));
    let proof = log.consistency(5, 8).unwrap();
    let good = AddCheckpoint { old: 5, proof, note: note() }.to_string();
    assert_eq!(ask(good).await.0, 200);
    let elsewhere: Address =
        served.address.to_string().replace("/add-", "/other-").parse().unwrap();
    let nothing = poster.post(&elsewhere, "text/plain", Vec::new()).await.unwrap();
    assert_eq!(nothing.status.as_u16(), 404);
    let long = vec![b'x'; audit::witness::REQUEST_BYTES_MAX + 1];
    let long = poster.post(&served.address, "text/plain", long).await.unwrap();
    assert_eq!(long.status.as_u16(), 400);
}

#[test]
fn a_witness_remembers_over_a_restart_and_refuses_to_start_without_its_memory() {
    let house = House::new();
    let mut running = house.open();
    running.grow(5);
    let state = house.folder.path().join("witness.json");
    let (logs, room) = (vec![running.log.origin_key().clone()], auditors_room());
    let request = |running: &crate::house::Running, old, proof| {
        let note = running.log.checkpoint().unwrap();
        AddCheckpoint { old, proof, note }.to_string().into_bytes()
    };
    let first = request(&running, 0, Vec::new());
    witness(&state, logs.clone(), &room).add_checkpoint(&first).unwrap();
    running.grow(2);
    let again = witness(&state, logs.clone(), &room);
    let from_nothing = again.add_checkpoint(&request(&running, 0, Vec::new()));
    assert!(matches!(from_nothing, Err(Declined::Conflict(5))));
    let proof = running.log.consistency(5, 7).unwrap();
    again.add_checkpoint(&request(&running, 5, proof)).unwrap();
    std::fs::write(&state, b"{").unwrap();
    let clock = Arc::new(HeldClock::at(Timestamp::EPOCH));
    let name = "auditor.sample/w1".parse().unwrap();
    assert!(Witness::open(name, room.log_signer(), logs, state, clock).is_err());
}

#[test]
fn a_witness_that_cannot_write_does_not_cosign() {
    let house = House::new();
    let mut running = house.open();
    running.grow(5);
    let state = house.folder.path().join("gone").join("witness.json");
    let witness = witness(&state, vec![running.log.origin_key().clone()], &auditors_room());
    let note = running.log.checkpoint().unwrap();
    let request = AddCheckpoint { old: 0, proof: Vec::new(), note }.to_string();
    for _ in 0..2 {
        let declined = witness.add_checkpoint(request.as_bytes());
        assert!(matches!(declined, Err(Declined::State(_))));
    }
}
