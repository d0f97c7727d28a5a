//! Packs from a real log: they verify offline, and each altered byte is named.

use crate::reports::{facts_of, parts};
use crate::world::{World, key, now, run_id};
use audit::Log;
use audit::verify::Trust;
use comply::pack::{Draft, STATEMENT, STATEMENT_DETAIL, verify};
use comply::{Glossary, HTML, JSON, Report, WORKBOOK, report, run};
use documents::pack::Files;
use footing::Footing;
use kernel::{Event, LogPosition};
use std::collections::BTreeMap;
use store::{Batch, Store};

fn laid() -> Footing {
    Footing::lay("comply-packs", now()).unwrap()
}

fn record(store: &Store, event: Event) -> LogPosition {
    let committed = store.commit(Batch::new().event(event)).wait().unwrap();
    LogPosition(committed.positions.start)
}

/// A report of a small world, its pack, and the checkpoint from before it was made.
fn made(footing: &Footing) -> (Log, Report, Vec<u8>, String) {
    let (store, log) = footing.start().unwrap();
    let world = World::new();
    let gathered = facts_of(&world, vec![key("a", "active")]);
    let run_at = record(&store, Event::system("check.run", now()));
    let older = log.checkpoint().unwrap().to_string();
    let runs = [run(&world.checks, &gathered, run_id(), now(), Some(run_at))];
    let standings = BTreeMap::new();
    let made = report(parts(&world, &runs, &standings, true));
    let draft = Draft::of(&made, &Glossary::builtin().unwrap()).unwrap();
    let event = Event::system("report.make", now()).with(STATEMENT_DETAIL, draft.digest());
    for n in 0..5 {
        record(&store, Event::system("system.tick", now()).with("n", n.to_string()));
    }
    let made_at = record(&store, event);
    let pack = draft.close(&log, made_at, [run_at], [1]).unwrap();
    (log, made, pack, older)
}

#[test]
fn a_pack_is_proven_with_the_origins_key_and_unproven_without() {
    let footing = laid();
    let (log, _, pack, older) = made(&footing);
    let trust = Trust { origin: Some(log.origin_key()), witnesses: &[] };
    let verdict = verify(&pack, &trust, Some(older.as_bytes()));
    assert!(verdict.is_proven(), "{verdict}");
    assert_eq!(verdict.documents.len(), 5);
    assert!(verdict.to_string().contains("which continues size 1"), "{verdict}");
    let verdict = verify(&pack, &Trust::default(), None);
    assert!(verdict.is_consistent() && !verdict.is_proven());
    assert!(verdict.to_string().contains("signer unproven"), "{verdict}");
}

#[test]
fn the_key_of_another_log_proves_nothing() {
    let (one, two) = (laid(), laid());
    let (_, _, pack, _) = made(&one);
    let (other, ..) = made(&two);
    let trust = Trust { origin: Some(other.origin_key()), witnesses: &[] };
    assert!(!verify(&pack, &trust, None).is_proven());
}

fn rewritten(files: &Files) -> Vec<u8> {
    let mut files = files.clone();
    files.remove(documents::pack::MANIFEST);
    documents::pack::write(&files, &|bytes| audit::Hash::of(bytes).0).unwrap()
}

#[test]
fn an_altered_document_is_named_even_when_every_list_was_altered_too() {
    let footing = laid();
    let (log, _, pack, _) = made(&footing);
    let trust = Trust { origin: Some(log.origin_key()), witnesses: &[] };
    let clean = documents::pack::read(&pack).unwrap();
    for name in [HTML, WORKBOOK, JSON, "evidence/events.jsonl", "evidence/checkpoint"] {
        let mut files = clean.clone();
        let bytes = files.get_mut(name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let verdict = verify(&rewritten(&files), &trust, None);
        assert!(!verdict.is_consistent(), "{name}");
        if !name.starts_with("evidence") {
            assert!(verdict.to_string().contains(&format!("`{name}` was altered")), "{verdict}");
        }
    }
    let mut files = clean;
    let html = files.get_mut(HTML).unwrap();
    html[100] ^= 1;
    let digest = documents::hex(&audit::Hash::of(html).0);
    let statement = String::from_utf8(files[STATEMENT].clone()).unwrap();
    let lines = statement.lines().map(|line| match line.strip_suffix(HTML) {
        Some(_) => format!("{digest}  {HTML}\n"),
        None => format!("{line}\n"),
    });
    files.insert(STATEMENT.into(), lines.collect::<String>().into_bytes());
    let verdict = verify(&rewritten(&files), &trust, None);
    assert!(verdict.to_string().contains("no event of the log vouches"), "{verdict}");
}

#[test]
fn a_checkpoint_that_the_pack_does_not_continue_is_said() {
    let (one, two) = (laid(), laid());
    let (log, _, pack, _) = made(&one);
    let (_, _, _, stranger) = made(&two);
    let trust = Trust { origin: Some(log.origin_key()), witnesses: &[] };
    assert!(!verify(&pack, &trust, Some(stranger.as_bytes())).is_consistent());
    let verdict = verify(&pack, &trust, Some(b"nonsense"));
    assert!(verdict.to_string().contains("older checkpoint is not"), "{verdict}");
}

#[test]
fn the_documents_agree_with_the_report() {
    let footing = laid();
    let (_, made, pack, _) = made(&footing);
    let files = documents::pack::read(&pack).unwrap();
    let read: Report = serde_json::from_slice(&files[JSON]).unwrap();
    assert_eq!(read, made);
    let html = String::from_utf8(files[HTML].clone()).unwrap();
    assert!(html.contains("SAMPLE") && html.contains("管控有效") && !html.contains("%</td>"));
    for row in &made.requirements {
        assert!(!html.contains(&format!(">{}<", row.id.as_str())), "an id printed as a paragraph");
    }
}

/// What stands between two marks, tags left out.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    let parts = text.split(open).skip(1).filter_map(|part| part.split_once(close));
    parts.filter_map(|(inner, _)| inner.split_once('>').map(|(_, text)| text)).collect()
}

#[test]
fn headings_columns_and_facts_of_the_printed_report_stand_in_both_languages() {
    let footing = laid();
    let (_, made, pack, _) = made(&footing);
    let files = documents::pack::read(&pack).unwrap();
    let html = String::from_utf8(files[HTML].clone()).unwrap();
    let sources: Vec<&str> = made.counts.iter().map(|source| source.title.as_str()).collect();
    let mut seen = 0;
    for (open, close) in [("<h1", "</h1>"), ("<h2", "</h2>"), ("<th", "</th>"), ("<dt", "</dt>")] {
        for text in between(&html, open, close) {
            let plain = text.replace("&amp;", "&");
            if plain.is_empty() || sources.contains(&plain.as_str()) {
                continue;
            }
            seen += 1;
            let chinese = plain.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(chinese, "`{plain}` has no Chinese in data/glossary.yaml");
        }
    }
    assert!(seen > 30, "only {seen}");
}
