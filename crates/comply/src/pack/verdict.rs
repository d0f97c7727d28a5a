//! The offline verdict on a pack: what is proven, and the exact spot where it is not.

use super::signed::{self, Voucher};
use super::{CHECKPOINT, CONSISTENCY, Continuation, EVENTS, STATEMENT};
use crate::report::Signatory;
use audit::line::{Line, LineError, read_lines};
use audit::verify::{Claim, Since, Trust, Verdict};
use audit::{Hash, NoteVerifier};
use documents::hex;
use documents::pack::{Files, MANIFEST, Mismatch, PackError};
use kernel::LogPosition;
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
    /// The pack claims an approval that its events do not prove.
    #[error("the approval is not proven: {0}")]
    Approval(&'static str),
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

/// A signature that an event of the log proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureSeen {
    /// What they did: `prepared`, `reviewed`, `approved`.
    pub what: &'static str,
    /// Who, as the documents print them; the account and the time are the event's.
    pub by: Signatory,
    /// Where in the log it stands.
    pub position: LogPosition,
}

impl fmt::Display for SignatureSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, by, position } = self;
        write!(f, "{what} by {} ({}; event {} of the log)", by.sentence(), by.who, position.0)
    }
}

/// What verification of a pack found.
#[derive(Debug)]
pub struct PackVerdict {
    /// What is proven about the log; none when the pack could not be read so far.
    pub log: Option<Verdict>,
    /// Documents for which the log vouches.
    pub documents: Vec<String>,
    /// Who signed, as events of the log prove; three of an approved report, one of a draft.
    pub signatures: Vec<SignatureSeen>,
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
            for signature in &self.signatures {
                writeln!(f, "{signature}")?;
            }
            if self.signatures.len() < 3 {
                writeln!(f, "a draft: the pack has no proof of review and approval")?;
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
    let mut verdict = PackVerdict {
        log: None,
        documents: Vec::new(),
        signatures: Vec::new(),
        faults: Vec::new(),
    };
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
    if log.is_consistent()
        && let Some(voucher) = vouched(&files, &lines, &mut verdict)
    {
        match signed::follow(&files, &lines, voucher, trust) {
            Ok(signatures) => verdict.signatures = signatures,
            Err(fault) => verdict.faults.push(fault),
        }
    }
    verdict.log = Some(log);
    verdict
}

pub(super) fn content<'f>(files: &'f Files, name: &str) -> &'f [u8] {
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
fn vouched(files: &Files, lines: &[Line], verdict: &mut PackVerdict) -> Option<Voucher> {
    let statement = content(files, STATEMENT);
    let voucher = lines.iter().find_map(|line| Voucher::of(line, &hex(&Hash::of(statement).0)));
    if voucher.is_none() {
        verdict.faults.push(PackFault::NotVouched);
        return None;
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
    voucher
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
