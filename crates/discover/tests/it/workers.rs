//! Workers that misbehave in every way that the sandbox or the server must answer.

use discover::Opened;
use discover::work::{Instructions, WorkError, WorkerOptions, Workers};
use extract::{Coverage, Inspection, TroubleKind};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

const MEGABYTE: u64 = 1024 * 1024;
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);

/// The example beside this test: Cargo builds it before it runs tests.
fn hostile() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/hostile_worker")
}

fn options(arguments: &[&str]) -> WorkerOptions {
    WorkerOptions {
        program: hostile(),
        arguments: arguments.iter().map(Into::into).collect(),
        workers: 2,
        memory_bytes: 64 * MEGABYTE,
        cpu_seconds: 30,
    }
}

/// An object whose name tells the worker what to do.
fn object(hint: &str, content: &[u8]) -> Opened {
    let memory = rustix::fs::memfd_create("object", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let mut file = File::from(memory);
    file.write_all(content).unwrap();
    Opened { content: file.into(), hint: hint.to_owned(), sampled: false }
}

async fn done(workers: &Workers, hint: &str, deadline: Duration) -> Inspection {
    let instructions = Instructions::of(&"").unwrap();
    workers.inspect(object(hint, b"abc"), &instructions, deadline, &|_| {}).await
}

fn killed(inspection: &Inspection) -> bool {
    inspection.coverage == Coverage::None
        && inspection.troubles.iter().any(|trouble| trouble.kind == TroubleKind::Killed)
}

#[tokio::test]
async fn a_worker_reads_the_object_it_was_given_from_its_start() {
    let workers = Workers::start(options(&[])).await.unwrap();
    for _ in 0..3 {
        let inspection = done(&workers, "read", LONG).await;
        assert_eq!((inspection.bytes, inspection.coverage), (3, Coverage::Whole));
    }
    assert_eq!(workers.idle_processes().len(), 1, "one worker served all three");
}

#[tokio::test]
async fn every_layer_of_the_sandbox_is_seen_from_outside() {
    let workers = Workers::start(options(&[])).await.unwrap();
    let layers = workers.layers().await.unwrap();
    let id = workers.idle_processes()[0];
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(field("NoNewPrivs:"), ["1"]);
    assert_eq!(field("Seccomp:"), ["2"]);
    assert_eq!(field("Threads:"), ["1"]);
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(field(set), ["0000000000000000"], "{set}");
    }
    if rustix::process::geteuid().is_root() {
        assert_eq!(layers.user, Some(65_534));
        assert_eq!(field("Uid:"), ["65534"; 4]);
        assert_eq!(field("Gid:"), ["65534"; 4]);
        assert!(field("Groups:").is_empty());
        let environ = std::fs::read(format!("/proc/{id}/environ")).unwrap();
        assert!(environ.is_empty());
        let open = std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count();
        assert_eq!(open, 3, "standard input, output and error");
    }
    let limits = std::fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    for name in ["Max file size ", "Max core file size ", "Max processes ", "Max locked memory "] {
        assert_eq!(limit(name), ["0", "0"], "{name}");
    }
    assert_eq!(limit("Max open files "), ["8", "8"]);
    assert_eq!(limit("Max cpu time "), ["60", "60"], "its objects' seconds, twice");
    let space: u64 = limit("Max address space ")[1].parse().unwrap();
    assert!(space > 64 * MEGABYTE && space < 1_024 * MEGABYTE, "{space}");
}

#[tokio::test]
async fn whatever_is_forbidden_kills_the_worker_and_the_next_object_is_inspected() {
    let workers = Workers::start(options(&[])).await.unwrap();
    for hint in [
        "open",
        "list",
        "attributes",
        "connect",
        "datagram",
        "socket",
        "start",
        "thread",
        "signal",
        "limits",
        "another-output",
        "memory",
        "leave",
        "crash",
    ] {
        let inspection = done(&workers, hint, LONG).await;
        assert!(killed(&inspection), "{hint}: {inspection:?}");
        assert_eq!(done(&workers, "read", LONG).await.bytes, 3, "after {hint}");
    }
}

#[tokio::test]
async fn a_worker_that_never_ends_is_ended_at_its_deadline() {
    let workers = Workers::start(options(&[])).await.unwrap();
    let before = workers.idle_processes();
    assert!(killed(&done(&workers, "loop", SHORT).await));
    assert_eq!(done(&workers, "read", LONG).await.bytes, 3);
    assert_ne!(workers.idle_processes(), before, "another worker took its place");
}

#[tokio::test]
async fn an_abandoned_inspection_frees_its_worker() {
    let one = WorkerOptions { workers: 1, ..options(&[]) };
    let workers = Workers::start(one).await.unwrap();
    let abandoned = tokio::time::timeout(SHORT, done(&workers, "loop", LONG)).await;
    assert!(abandoned.is_err());
    assert_eq!(done(&workers, "read", LONG).await.bytes, 3);
}

#[tokio::test]
async fn progress_arrives_while_the_object_is_read() {
    let workers = Workers::start(options(&[])).await.unwrap();
    let told = Mutex::new(Vec::new());
    let instructions = Instructions::of(&"").unwrap();
    let progress = |bytes| told.lock().unwrap().push(bytes);
    workers.inspect(object("progress", b""), &instructions, LONG, &progress).await;
    let told = told.into_inner().unwrap();
    assert_eq!(told, (1..=10).map(|step| step * 8 * MEGABYTE).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_sample_is_never_said_to_be_the_whole() {
    let workers = Workers::start(options(&[])).await.unwrap();
    let instructions = Instructions::of(&"").unwrap();
    let sample = Opened { sampled: true, ..object("read", b"abc") };
    let inspection = workers.inspect(sample, &instructions, LONG, &|_| {}).await;
    assert_eq!(inspection.coverage, Coverage::Part);
}

#[tokio::test]
async fn what_is_no_plain_file_is_not_handed_on() {
    let workers = Workers::start(options(&[])).await.unwrap();
    let instructions = Instructions::of(&"").unwrap();
    for path in ["/", "/dev/zero"] {
        let opened = Opened {
            content: File::open(path).unwrap().into(),
            hint: "read".to_owned(),
            sampled: false,
        };
        let inspection = workers.inspect(opened, &instructions, LONG, &|_| {}).await;
        assert_eq!(inspection.troubles[0].kind, TroubleKind::Unreadable, "{path}");
    }
}

#[tokio::test]
async fn a_child_that_does_not_speak_the_protocol_never_becomes_a_worker() {
    for (words, expected) in [
        (["babble", "nothing"], "a worker said nothing"),
        (["babble", "garbage"], "a worker broke the protocol"),
        (["babble", "huge"], "a worker broke the protocol"),
        (["babble", "finished"], "a worker broke the protocol"),
        (["babble", "refused"], "a worker refused to work: because"),
    ] {
        let error = Workers::start(options(&words)).await.unwrap_err();
        assert_eq!(error.to_string(), expected, "{words:?}");
    }
    let missing = WorkerOptions { program: "/nonexistent".into(), ..options(&[]) };
    assert!(matches!(Workers::start(missing).await, Err(WorkError::Start(_))));
    let nobody = WorkerOptions { workers: 0, ..options(&[]) };
    assert!(matches!(Workers::start(nobody).await, Err(WorkError::Nobody)));
}

#[tokio::test]
async fn a_worker_that_lies_about_the_protocol_costs_its_object_only() {
    for lie in ["garbage", "huge", "ready", "nothing"] {
        let workers = Workers::start(options(&["babble", "ready", "wait", lie])).await.unwrap();
        let inspection = done(&workers, "read", LONG).await;
        assert!(killed(&inspection), "{lie}: {inspection:?}");
    }
    let workers = Workers::start(options(&["babble", "ready", "wait", "finished", "finished"]))
        .await
        .unwrap();
    let said = done(&workers, "read", LONG).await;
    assert_eq!(said.bytes, 1, "the first answer counts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_are_shot_under_load_lose_an_object_only_with_both_that_had_it() {
    let four = WorkerOptions { workers: 4, ..options(&[]) };
    let workers = std::sync::Arc::new(Workers::start(four).await.unwrap());
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let workers = workers.clone();
        running.spawn(async move { done(&workers, "read", LONG).await });
    }
    let (mut shots, mut lost) = (0, 0);
    while let Some(inspection) = running.join_next().await {
        let inspection = inspection.unwrap();
        assert!(inspection.bytes == 3 || killed(&inspection), "{inspection:?}");
        lost += usize::from(killed(&inspection));
        if shots < 12
            && let Some(id) = workers.idle_processes().first()
        {
            let process = rustix::process::Pid::from_raw(i32::try_from(*id).unwrap()).unwrap();
            let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
            shots += 1;
        }
    }
    assert!(shots > 0);
    // A second worker looks at what was with a first that was shot, so a loss takes two shots; a
    // worker that is idle when it is chosen may have work when the shot arrives.
    assert!(lost <= shots / 2, "{lost} lost by {shots} shots");
}
