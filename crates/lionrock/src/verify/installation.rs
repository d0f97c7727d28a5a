//! A stopped installation: root, boot journal, every record of the store, the log hashed again, the
//! anchor.
//!
//! Nothing is repaired and nothing is changed but the engine's own files beside the database. The
//! folder is held meanwhile, so that no server starts on it; a running one is never looked into.

use super::{VerifyError, older};
use crate::cli::local::Verify;
use crate::clock::SystemClock;
use crate::exit::Exit;
use crate::folder::DataFolder;
use crate::installation::{StartError, read_key_file};
use crate::screen;
use audit::anchor::{AnchorFile, Anchored, compare};
use audit::{Rehashed, rehash};
use kernel::{Clock, Secret};
use serde_json::json;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Damage, Store, StoreError};
use strongroom::{FileRoot, Journal, RootFile, Seal, SealDescriptor, SealError, Strongroom};
use wire::checkpoint::Checkpoint;

/// The spot at which an installation fails.
#[derive(Debug, PartialEq, Eq)]
pub struct Spot {
    /// The file, or the part of it.
    pub place: String,
    /// What is wrong there.
    pub fault: String,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Everything that failed, first things first.
    pub spots: Vec<Spot>,
    /// Events of the log that were hashed again; `None` when it did not come to that.
    pub events: Option<u64>,
    /// The root that they hash to.
    pub root: Option<audit::Hash>,
    /// The size of the older checkpoint that the log continues.
    pub continues: Option<u64>,
}

impl Findings {
    fn note(&mut self, place: impl fmt::Display, fault: impl fmt::Display) {
        self.spots.push(Spot { place: place.to_string(), fault: fault.to_string() });
    }

    /// Whether nothing failed and everything was looked at.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.spots.is_empty() && self.events.is_some()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for spot in &self.spots {
            writeln!(f, "FAILED: {spot}")?;
        }
        match (self.is_sound(), self.events, self.root) {
            (true, Some(events), Some(root)) => {
                write!(f, "sound: every record opens; {events} events hash to the root {root}")?;
                match self.continues {
                    Some(size) => write!(f, ", which continues size {size}"),
                    None => Ok(()),
                }
            }
            _ => f.write_str("not sound"),
        }
    }
}

pub(super) fn run(json: bool, folder: &Path, args: &Verify) -> Result<Exit, VerifyError> {
    let origin = args.origin_key.as_deref().map(super::key).transpose()?;
    let since = args.since.as_deref().map(|path| older(path, origin.as_ref())).transpose()?;
    let root_file = folder.join("root");
    if !root_file.exists() {
        return Err(VerifyError::NoInstallation { path: folder.into() });
    }
    let folder = DataFolder::take_existing(folder)?;
    let root: Arc<dyn RootFile> = Arc::new(FileRoot::at(root_file));
    let seal = match &args.seal_key_file {
        Some(path) => Some(Seal::KeyFile(read_key_file(path)?)),
        None => asked(&*root)?,
    };
    let anchor = args.anchor.clone().unwrap_or_else(|| folder.file("anchor"));
    let findings = examine(&folder, root, seal.as_ref(), anchor, since.as_ref())?;
    if json {
        let spots = findings.spots.iter();
        let faults: Vec<_> =
            spots.map(|spot| json!({ "place": spot.place, "fault": spot.fault })).collect();
        let verdict = if findings.is_sound() { "sound" } else { "failed" };
        screen::line(&format!(
            "{:#}",
            json!({
                "verdict": verdict,
                "faults": faults,
                "events": findings.events,
                "root": findings.root,
                "continues": findings.continues,
            })
        ));
    } else {
        screen::line(&findings.to_string());
    }
    Ok(if findings.is_sound() { Exit::Done } else { Exit::NotVerified })
}

/// The passphrase of a root that wants one; `None` when the root does not read.
fn asked(root: &dyn RootFile) -> Result<Option<Seal>, VerifyError> {
    match Strongroom::describe(root) {
        Ok(description) => match description.seal {
            SealDescriptor::Passphrase { .. } => {
                let asked = screen::ask_secret("Passphrase of the seal: ");
                let passphrase: Secret<String> = asked.map_err(StartError::NoTerminal)?;
                Ok(Some(Seal::Passphrase(passphrase)))
            }
            SealDescriptor::KeyFile { .. } => Err(VerifyError::WantsKeyFile),
        },
        Err(SealError::Damaged) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// Examines a folder that is held.
///
/// # Errors
/// When the machine, not what is stored, stands in the way.
pub fn examine(
    folder: &DataFolder,
    root: Arc<dyn RootFile>,
    seal: Option<&Seal>,
    anchor: PathBuf,
    since: Option<&Checkpoint>,
) -> Result<Findings, VerifyError> {
    let mut findings = Findings::default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let room = match seal {
        None => Err(SealError::Damaged),
        Some(seal) => Strongroom::unseal(root, seal, Arc::clone(&clock)),
    };
    let room = match room {
        Ok(room) => room,
        Err(SealError::Damaged) => {
            findings.note("root", "it is damaged; nothing behind it can be opened");
            return Ok(findings);
        }
        Err(SealError::NotOpened) => {
            findings.note("root", "the seal does not open it: another seal, or it was altered");
            return Ok(findings);
        }
        Err(other) => return Err(other.into()),
    };
    journal(folder, &room, &mut findings);
    let path = folder.file("store");
    if !path.join("store.db").exists() {
        findings.note("store/store.db", "it is missing");
        return Ok(findings);
    }
    for damage in Store::examine(&path, room.records())? {
        findings.note(place(&damage), &damage);
    }
    if !findings.spots.iter().any(|spot| spot.place.starts_with("store")) {
        log(&path, &room, clock, &AnchorFile::at(anchor), since, &mut findings)?;
    }
    Ok(findings)
}

fn place(damage: &Damage) -> String {
    match damage {
        Damage::File { .. } => "store/store.db".into(),
        Damage::State => "store, its state".into(),
        Damage::Record { collection, key } => {
            format!("store, collection `{collection}`, record `{key}`")
        }
        Damage::Digest { collection }
        | Damage::Index { collection }
        | Damage::Names { collection } => format!("store, collection `{collection}`"),
        Damage::Log { position } => format!("store, log, position {}", position.0),
        other => format!("store, {other}"),
    }
}

/// The boot journal's chain, and that it continues what the log has taken over.
fn journal(folder: &DataFolder, room: &Strongroom, findings: &mut Findings) {
    let path = folder.file("boot.journal");
    if !path.exists() {
        return;
    }
    let journal = Journal::open(path);
    if let Err(fault) = journal.and_then(|j| j.events_after(room.journal_head()).map(drop)) {
        findings.note("boot.journal", fault);
    }
}

/// Hashes the log again and compares it with the anchor and an older checkpoint.
fn log(
    folder: &Path,
    room: &Strongroom,
    clock: Arc<dyn Clock>,
    anchor: &AnchorFile,
    since: Option<&Checkpoint>,
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    // Without a reserve nothing is written.
    let options = store::Options { reserve_bytes: 0, ..store::Options::default() };
    let opened = match Store::open(folder, room.records(), clock, options) {
        Ok(opened) => opened,
        Err(StoreError::Damaged(damage)) => {
            findings.note(place(&damage), &damage);
            return Ok(());
        }
        Err(other) => return Err(other.into()),
    };
    let anchored = match anchor.read() {
        Ok(anchored) => anchored,
        Err(fault) => {
            findings.note("anchor", fault);
            None
        }
    };
    let sizes = anchored.iter().map(|a| a.size).chain(since.iter().map(|c| c.size));
    match rehash(&opened, sizes) {
        Err(fault) => findings.note("store, log", fault),
        Ok(rehashed) => {
            findings.events = Some(rehashed.head.size);
            findings.root = Some(rehashed.head.root);
            anchor_against(anchor, anchored.as_ref(), &rehashed, findings);
            if let Some(since) = since {
                continues(since, &rehashed, findings);
            }
        }
    }
    Ok(())
}

fn anchor_against(
    file: &AnchorFile,
    anchored: Option<&Anchored>,
    log: &Rehashed,
    findings: &mut Findings,
) {
    let Some(anchored) = anchored else {
        let noted = findings.spots.iter().any(|spot| spot.place == "anchor");
        if !noted && log.head.revision > 0 {
            let path = file.path().display();
            findings.note("anchor", format!("there is none at `{path}` (name it with --anchor)"));
        }
        return;
    };
    let root = |size| log.root_at(size).ok_or(());
    match compare(anchored, &anchored.origin, &log.head, root) {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => findings.note("anchor", fault),
        Err(()) => findings.note("anchor", "the log does not reach it"),
    }
}

fn continues(since: &Checkpoint, log: &Rehashed, findings: &mut Findings) {
    let (old, new) = (since.size, log.head.size);
    match log.root_at(old) {
        Some(root) if root.0 == since.root => findings.continues = Some(old),
        Some(_) => findings.note(
            "store, log",
            format!("its first {old} events are not those of the older checkpoint: rewritten"),
        ),
        None => findings.note(
            "store, log",
            format!("it has {new} events and the older checkpoint {old}: cut off or rolled back"),
        ),
    }
}
