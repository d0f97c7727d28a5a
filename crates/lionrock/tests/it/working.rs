//! The real worker: `lionrock work` with real files, in its sandbox.

use discover::Opened;
use discover::work::{Instructions, WorkerOptions, Workers};
use extract::{Coverage, Format, Inspection, Limits, Settings, TroubleKind};
use std::fs::File;
use std::io::{Cursor, Write};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const CUSTOMERS: &str =
    "name,id_no,email\nx,A123456(3),a.chan@example.com\ny,Z683365(5),b@example.com\n";

async fn workers() -> Workers {
    let program = env!("CARGO_BIN_EXE_lionrock").into();
    Workers::start(WorkerOptions { program, ..WorkerOptions::this_program(2) }).await.unwrap()
}

fn instructions() -> Instructions {
    Instructions::new(&Settings::everything([7; 32]), &Limits::default()).unwrap()
}

fn object(hint: &str, content: &[u8]) -> Opened {
    let memory = rustix::fs::memfd_create("object", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let mut file = File::from(memory);
    file.write_all(content).unwrap();
    Opened { content: file.into(), hint: hint.to_owned(), sampled: false }
}

async fn inspected(workers: &Workers, hint: &str, content: &[u8]) -> Inspection {
    workers.inspect(object(hint, content), &instructions(), LONG, &|_| {}).await
}

fn masked(inspection: &Inspection) -> Vec<&str> {
    let kinds = inspection.parts.iter().flat_map(|part| &part.kinds);
    kinds.flat_map(|kind| &kind.samples).map(|sample| sample.masked.as_str()).collect()
}

fn zipped(name: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file(name, options.compression_method(zip::CompressionMethod::Deflated)).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn what_a_file_holds_is_found_inside_the_sandbox() {
    let workers = workers().await;
    let table = inspected(&workers, "customers.csv", CUSTOMERS.as_bytes()).await;
    assert_eq!((table.format, table.coverage), (Format::Csv, Coverage::Whole), "{table:?}");
    assert!(masked(&table).contains(&"A12****(*)"), "{table:?}");

    let archive = inspected(&workers, "a.zip", &zipped("c.csv", CUSTOMERS.as_bytes())).await;
    assert_eq!(archive.format, Format::Zip);
    assert!(masked(&archive).contains(&"A12****(*)"), "{archive:?}");
    assert_eq!(workers.idle_processes().len(), 1, "one worker did both");
}

#[tokio::test]
async fn bombs_and_rubbish_are_reported_and_the_worker_goes_on() {
    let workers = workers().await;
    let small = Settings::everything([7; 32]);
    let tight =
        Limits { unpacked_bytes_max: 1 << 20, unpacked_bytes_free: 1 << 20, ..Limits::default() };
    let tight = Instructions::new(&small, &tight).unwrap();
    let bomb = object("bomb.zip", &zipped("zeros.txt", &vec![b'0'; 16 << 20]));
    let bomb = workers.inspect(bomb, &tight, LONG, &|_| {}).await;
    assert!(bomb.troubles.iter().any(|t| t.kind == TroubleKind::TooLarge), "{bomb:?}");

    let mut rubbish = CUSTOMERS.as_bytes().to_vec();
    for (place, byte) in (0_u32..4_096).map(|n| (n, n.wrapping_mul(2_654_435_761).to_le_bytes()[3]))
    {
        rubbish.push(byte);
        if place % 512 == 0 {
            for hint in ["x.pdf", "x.xlsx", "x.zip", "x.parquet", "x.docx", "x.sqlite", "x.eml"] {
                let inspection = inspected(&workers, hint, &rubbish).await;
                let killed = |t: &extract::Trouble| t.kind == TroubleKind::Killed;
                assert!(!inspection.troubles.iter().any(killed), "{hint}: {inspection:?}");
            }
        }
    }
}

#[tokio::test]
async fn places_of_hits_are_told_by_a_worker_that_was_asked_for_them() {
    let workers = workers().await;
    let settings = Settings::everything([7; 32]);
    let wanted = Instructions::places(&settings).unwrap();
    let text = object("a.txt", b"HKID A123456(3) and card 4111 1111 1111 1111");
    let (found, inspection) = workers.places(text, &wanted, LONG).await;
    let spans: Vec<_> = found.iter().map(|span| (span.start, span.end)).collect();
    assert_eq!((spans, inspection.coverage), (vec![(5, 15), (25, 44)], Coverage::Whole));
    // A worker that tells places unasked breaks the protocol.
    let text = object("a.txt", b"HKID A123456(3)");
    let unasked = workers.inspect(text, &wanted, LONG, &|_| {}).await;
    assert!(unasked.troubles.iter().any(|t| t.kind == TroubleKind::Killed), "{unasked:?}");

    // The command says the same as the worker.
    let path = std::env::temp_dir().join(format!("lionrock-places-{}.txt", std::process::id()));
    std::fs::write(&path, "身份證 A123456(3)").unwrap();
    let command = std::process::Command::new(env!("CARGO_BIN_EXE_lionrock"))
        .args(["discover", "inspect", "--spans"])
        .arg(&path)
        .output()
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    let said = String::from_utf8(command.stdout).unwrap();
    assert!(said.contains(r#""start":10,"end":20,"type":"HKID""#), "{said}");
}
