//! `lionrock witness` over loopback: it cosigns what grows and refuses what was rewritten.

use crate::verifying::{House, record};
use crate::whole::Scratch;
use audit::post::Poster;
use audit::verify::{Claim, Trust, verify};
use audit::{CosignError, Log, WitnessClient};
use clap::Parser;
use kernel::Event;
use lionrock::cli::{Cli, Command};
use lionrock::clock::SystemClock;
use lionrock::witness::{Running, WitnessStartError};
use std::path::Path;
use std::sync::Arc;
use store::Store;
use tokio::sync::oneshot;

async fn start(scratch: &Scratch, log: &Log, name: &str) -> Result<Running, WitnessStartError> {
    let at = |name: &str| scratch.0.join(name).to_str().unwrap().to_owned();
    let (data, seal, key) = (at("witness"), at("seal"), log.origin_key().to_string());
    if !Path::new(&seal).exists() {
        lionrock::folder::write_private(Path::new(&seal), &[9; 32]).unwrap();
    }
    let said = [
        "lionrock",
        "witness",
        "--listen",
        "127.0.0.1:0",
        "--origin-key",
        &key,
        "--data",
        &data,
        "--seal-key-file",
        &seal,
        "--name",
        name,
    ];
    let Command::Witness(args) = Cli::parse_from(said).command else { panic!("{said:?}") };
    Running::start(&args, Arc::new(SystemClock)).await
}

struct Served {
    client: WitnessClient,
    first: bool,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

fn serve(running: Running) -> Served {
    let address = format!("http://{}/add-checkpoint", running.address).parse().unwrap();
    let (key, first) = (running.key.clone(), running.first);
    let client = WitnessClient { address, key, poster: Poster::new(&[]).unwrap() };
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(running.serve(async {
        let _ = stopped.await;
    }));
    Served { client, first, stop, task }
}

fn grow(house: &House, store: &Store, count: usize) {
    for _ in 0..count {
        record(store, Event::system("system.tick", kernel::Clock::wall(&*house.clock)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_growing_log_is_cosigned_and_a_rewritten_one_is_refused_after_a_restart_too() {
    let scratch = Scratch::new("witnessing");
    let (folder, forged) = (scratch.0.join("store"), scratch.0.join("forged"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::create_dir(&forged).unwrap();
    let house = House::new();
    let (store, log) = house.open(&folder, 3);
    grow(&house, &store, 3);
    let served = serve(start(&scratch, &log, "auditor.sample/w1").await.unwrap());
    assert!(served.first);
    assert_eq!(served.client.cosign(&log, 0).await.unwrap().size, 3);
    grow(&house, &store, 40);
    let cosigned = served.client.cosign(&log, 3).await.unwrap();
    assert_eq!(cosigned.size, 43);
    let (note, keys) = (cosigned.note.to_string(), [served.client.key.clone()]);
    let claim = Claim { checkpoint: note.as_bytes(), lines: &[], since: None };
    let verdict = verify(&claim, &Trust { origin: Some(log.origin_key()), witnesses: &keys });
    assert!(verdict.is_proven() && verdict.witnessed.len() == 1, "{verdict}");
    served.stop.send(()).unwrap();
    served.task.await.unwrap();

    // Whoever has the institution's own keys makes another history of the same length and more.
    let (other, rewritten) = house.open(&forged, 4);
    grow(&house, &other, 50);
    let served = serve(start(&scratch, &log, "auditor.sample/w1").await.unwrap());
    assert!(!served.first, "the witness remembers who it is");
    assert_eq!(served.client.key, keys[0]);
    let refused = served.client.cosign(&rewritten, 43).await.unwrap_err();
    assert!(matches!(refused, CosignError::Declined(status) if status == 422), "{refused}");
    assert_eq!(served.client.cosign(&log, 43).await.unwrap().size, 43);
    let taken = start(&scratch, &log, "auditor.sample/w1").await;
    assert!(matches!(taken, Err(WitnessStartError::Folder(_))), "{taken:?}");
    served.stop.send(()).unwrap();
    served.task.await.unwrap();
    let renamed = start(&scratch, &log, "auditor.sample/w2").await;
    assert!(matches!(renamed, Err(WitnessStartError::Another { .. })), "{renamed:?}");
    other.close();
    store.close();
}
