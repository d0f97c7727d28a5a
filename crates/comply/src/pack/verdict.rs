//! The offline verdict on a pack: what is proven, and the exact spot where it is not.

use super::{CHECKPOINT, CONSISTENCY, Continuation, EVENTS, STATEMENT, STATEMENT_DETAIL};
use audit::line::{Line, LineError, read_lines};
use audit::verify::{Claim, Since, Trust, Verdict};
use audit::{Hash, NoteVerifier};
use documents::hex;
use documents::pack::{Files, MANIFEST, Mismatch, PackError};
use kernel::Event;
use std::fmt;
use wire::checkpoint::Checkpoint;
use wire::note::Note;

/// The exact spot at which a pack fails.
#[derive(Debug, thiserror::Error)]
pub enum PackFault {
    /// It is no pack.
    #[error("the pack cannot be read: {0}")]
    Archive(#[from] PackError),
    /// A file is not what the list of digests says.
    #[error("`{0}` was altered")]
    Altered(String),
    /// A file of the list is not there.
    #[error("`{0}` is missing")]
    Missing(String),
    /// A file is there that no list names.
    #[error("`{0}` does not belong to the pack")]
    Unlisted(String),
    /// The events cannot be read.
    #[error("`{EVENTS}`: {0}")]
    Events(#[source] LineError),
    /// The proofs of continuation cannot be read.
    #[error("`{CONSISTENCY}`: line {0} is not a proof")]
    Continuation(usize),
    /// No proven event vouches for the documents.
    #[error(
        "no event of the log vouches for `{STATEMENT}`: the documents were altered after the report \
         was made, or belong to another log"
    )]
    NotVouched,
    /// The pack has no proof from the older checkpoint.
    #[error(
        "the pack has no proof that it continues the checkpoint of size {0}; ask the institution for \
         one (`lionrock log consistency`)"
    )]
    NoContinuation(u64),
    /// The older checkpoint cannot be read.
    #[error("the older checkpoint is not a signed checkpoint")]
    OlderUnreadable,
}

/// What verification of a pack found.
#[derive(Debug)]
pub struct PackVerdict {
    /// What is proven about the log; none when the pack could not be read so far.
    pub log: Option<Verdict>,
    /// Documents for which the log vouches.
    pub documents: Vec<String>,
    /// What failed about the pack itself, first things first.
    pub faults: Vec<PackFault>,
}

impl PackVerdict {
    /// Whether nothing failed. Who signed is [`audit::verify::Verdict::signer`]'s to say.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.faults.is_empty() && self.log.as_ref().is_some_and(Verdict::is_consistent)
    }

    /// Whether nothing failed and the signer is proven by a key from outside the pack.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.faults.is_empty() && self.log.as_ref().is_some_and(Verdict::is_proven)
    }
}

impl fmt::Display for PackVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "FAILED: {fault}")?;
        }
        if self.is_consistent() {
            for name in &self.documents {
                writeln!(f, "vouched for by the log: {name}")?;
            }
        }
        match &self.log {
            None => f.write_str("not proven"),
            Some(log) if self.faults.is_empty() => log.fmt(f),
            Some(log) => {
                for fault in &log.faults {
                    writeln!(f, "FAILED: {fault}")?;
                }
                f.write_str("not proven")
            }
        }
    }
}

/// Verifies a pack, offline. `trust` has the keys that came from outside; `since` is an older
/// signed checkpoint that the pack must continue. Nothing in the pack is believed that was not
/// checked.
#[must_use]
pub fn verify(pack: &[u8], trust: &Trust<'_>, since: Option<&[u8]>) -> PackVerdict {
    let mut verdict = PackVerdict { log: None, documents: Vec::new(), faults: Vec::new() };
    let files = match documents::pack::read(pack) {
        Ok(files) => files,
        Err(cause) => {
            verdict.faults.push(cause.into());
            return verdict;
        }
    };
    manifest(&files, &mut verdict.faults);
    let lines = match read_lines(content(&files, EVENTS)) {
        Ok(lines) => lines,
        Err(cause) => {
            verdict.faults.push(PackFault::Events(cause));
            Vec::new()
        }
    };
    let proof = since.and_then(|older| continuation(&files, older, &mut verdict.faults));
    let since = since
        .zip(proof.as_ref())
        .map(|(checkpoint, proof)| Since { checkpoint, proof: proof.path.as_slice() });
    let claim = Claim { checkpoint: content(&files, CHECKPOINT), lines: &lines, since };
    let log = audit::verify::verify(&claim, trust);
    if log.is_consistent() {
        vouched(&files, &lines, &mut verdict);
    }
    verdict.log = Some(log);
    verdict
}

fn content<'f>(files: &'f Files, name: &str) -> &'f [u8] {
    files.get(name).map_or(&[], Vec::as_slice)
}

fn manifest(files: &Files, faults: &mut Vec<PackFault>) {
    match documents::pack::compare(files, &|bytes| Hash::of(bytes).0) {
        Err(cause) => faults.push(cause.into()),
        Ok(found) => faults.extend(found.into_iter().map(fault)),
    }
}

fn fault(mismatch: Mismatch) -> PackFault {
    match mismatch {
        Mismatch::Altered(name) => PackFault::Altered(name),
        Mismatch::Missing(name) => PackFault::Missing(name),
        Mismatch::Unlisted(name) => PackFault::Unlisted(name),
    }
}

/// The proof from the size of the older checkpoint; an older checkpoint of the same size needs
/// none.
fn continuation(files: &Files, older: &[u8], faults: &mut Vec<PackFault>) -> Option<Continuation> {
    let size_of = |bytes: &[u8]| {
        let note = Note::parse(bytes).ok()?;
        Checkpoint::parse(note.text()).ok().map(|checkpoint| checkpoint.size)
    };
    let Some(old) = size_of(older) else {
        faults.push(PackFault::OlderUnreadable);
        return None;
    };
    if size_of(content(files, CHECKPOINT)) == Some(old) {
        return Some(Continuation { old, path: Vec::new() });
    }
    for (i, line) in content(files, CONSISTENCY).split(|b| *b == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Continuation>(line) {
            Ok(proof) if proof.old == old => return Some(proof),
            Ok(_) => {}
            Err(_) => {
                faults.push(PackFault::Continuation(i + 1));
                return None;
            }
        }
    }
    faults.push(PackFault::NoContinuation(old));
    None
}

/// Finds the event that carries the statement's digest, and compares the documents with the
/// statement. Every file that is no evidence must stand in it.
fn vouched(files: &Files, lines: &[Line], verdict: &mut PackVerdict) {
    let statement = content(files, STATEMENT);
    let digest = hex(&Hash::of(statement).0);
    let vouches = |line: &Line| {
        serde_json::from_str::<Event>(&line.public).is_ok_and(|event| {
            event.action == "report.make" && event.detail(STATEMENT_DETAIL) == Some(&digest)
        })
    };
    if !lines.iter().any(vouches) {
        verdict.faults.push(PackFault::NotVouched);
        return;
    }
    let text = String::from_utf8_lossy(statement);
    let listed: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once("  ")).collect();
    for (digest, name) in &listed {
        match files.get(*name) {
            None => push_once(&mut verdict.faults, PackFault::Missing((*name).to_owned())),
            Some(bytes) if hex(&Hash::of(bytes).0) != *digest => {
                push_once(&mut verdict.faults, PackFault::Altered((*name).to_owned()));
            }
            Some(_) => verdict.documents.push((*name).to_owned()),
        }
    }
    let ours = [MANIFEST, STATEMENT, EVENTS, CHECKPOINT, CONSISTENCY];
    for name in files.keys().filter(|name| !ours.contains(&name.as_str())) {
        if !listed.iter().any(|(_, known)| known == name) {
            push_once(&mut verdict.faults, PackFault::Unlisted(name.clone()));
        }
    }
}

/// The manifest may have named the same file already.
fn push_once(faults: &mut Vec<PackFault>, fault: PackFault) {
    let text = fault.to_string();
    if !faults.iter().any(|known| known.to_string() == text) {
        faults.push(fault);
    }
}

/// A key in the form that notes use, read from text that came from outside the pack.
///
/// # Errors
/// When it is not such a key.
pub fn read_key(text: &str) -> Result<wire::note::VerifierKey, wire::note::NoteError> {
    wire::note::VerifierKey::parse(text.trim(), &NoteVerifier)
}
