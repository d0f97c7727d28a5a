//! A witness (C2SP `tlog-witness`): remembers the newest checkpoint of each log that it knows, and
//! cosigns a newer one only if it is proven to continue it. It runs on the auditor's machine.
//!
//! [`Witness::add_checkpoint`] is the whole protocol on bytes; [`crate::witness_server`] puts it
//! behind HTTP. What it remembers is written and synced before a cosignature leaves.

use crate::anchor::{PRIVATE, replace};
use crate::hash::{Hash, NoteVerifier};
use crate::proof::{PROOF_HASHES_MAX, extends};
use kernel::Clock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use strongroom::LogSigner;
use wire::checkpoint::{Checkpoint, CheckpointError, parse_size};
use wire::note::{
    KeyName, NOTE_BYTES_MAX, Note, NoteError, SignatureType, VerifierKey, cosigned_message,
};

/// Longest request: a note and the longest proof.
pub const REQUEST_BYTES_MAX: usize = NOTE_BYTES_MAX + 45 * (PROOF_HASHES_MAX + 1);

/// A request to cosign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCheckpoint {
    /// The size that the log believes the witness has seen last.
    pub old: u64,
    /// The consistency proof from there.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: Note,
}

/// Why a request cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestError {
    /// Not `old N`, proof lines, an empty line and a note.
    #[error("expected `old N`, proof lines, an empty line and a checkpoint")]
    Malformed,
    /// More proof lines than [`PROOF_HASHES_MAX`], or too many bytes.
    #[error("the request is too long")]
    TooLong,
    /// The note is not one.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note is not a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl AddCheckpoint {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > REQUEST_BYTES_MAX {
            return Err(RequestError::TooLong);
        }
        let text = std::str::from_utf8(body).map_err(|_| RequestError::Malformed)?;
        let (head, note) = text.split_once("\n\n").ok_or(RequestError::Malformed)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(parse_size);
        let old = old.ok_or(RequestError::Malformed)?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() >= PROOF_HASHES_MAX {
                return Err(RequestError::TooLong);
            }
            proof.push(Hash::parse(line).ok_or(RequestError::Malformed)?);
        }
        Ok(Self { old, proof, note: Note::parse(note.as_bytes())? })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.note)
    }
}

/// Why a witness does not cosign; each has its HTTP status.
#[derive(Debug, thiserror::Error)]
pub enum Declined {
    /// The request cannot be read, or its sizes are the wrong way round (400).
    #[error("{0}")]
    Request(#[from] RequestError),
    /// The old size is larger than the checkpoint's (400).
    #[error("the old size is larger than the checkpoint's")]
    OldIsNewer,
    /// The log is not one of those that are witnessed (404).
    #[error("this witness does not know the log")]
    UnknownOrigin,
    /// No key of the log has signed (403).
    #[error("the checkpoint is not signed by a known key of its log")]
    NotSigned,
    /// The old size is not the one last seen, or the root at this size is another (409).
    #[error("the last checkpoint seen of this log has size {0}")]
    Conflict(u64),
    /// The proof does not show that the log continues (422).
    #[error("the proof does not show that the log continues what was seen")]
    Inconsistent,
    /// What was seen cannot be written (500).
    #[error("the witness cannot write its state")]
    State(#[source] io::Error),
}

impl Declined {
    /// The HTTP status of the standard.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Request(_) | Self::OldIsNewer => 400,
            Self::NotSigned => 403,
            Self::UnknownOrigin => 404,
            Self::Conflict(_) => 409,
            Self::Inconsistent => 422,
            Self::State(_) => 500,
        }
    }
}

/// The newest checkpoint that was seen of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// Checks a request against what was seen; nothing is remembered here.
///
/// # Errors
/// Why it is declined.
pub fn judge(
    request: &AddCheckpoint,
    logs: &[VerifierKey],
    seen: impl FnOnce(&str) -> Option<Seen>,
) -> Result<Checkpoint, Declined> {
    let checkpoint = Checkpoint::parse(request.note.text()).map_err(RequestError::from)?;
    let of_log = |key: &&VerifierKey| key.name().as_str() == checkpoint.origin;
    let keys: Vec<VerifierKey> = logs.iter().filter(of_log).cloned().collect();
    if keys.is_empty() {
        return Err(Declined::UnknownOrigin);
    }
    request.note.verify(&keys, &NoteVerifier).map_err(|_| Declined::NotSigned)?;
    if request.old > checkpoint.size {
        return Err(Declined::OldIsNewer);
    }
    let none = Seen { size: 0, root: Hash::empty_root() };
    let seen = seen(&checkpoint.origin).unwrap_or(none);
    let root = Hash(checkpoint.root);
    if request.old != seen.size || (checkpoint.size == seen.size && root != seen.root) {
        return Err(Declined::Conflict(seen.size));
    }
    if !extends(seen.size, seen.root, checkpoint.size, root, &request.proof) {
        return Err(Declined::Inconsistent);
    }
    Ok(checkpoint)
}

/// Why a witness cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The state cannot be read.
    #[error("the witness's state `{path}` cannot be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The state is not one of a witness.
    #[error("`{path}` is not the state of a witness", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// A witness with its key and its memory.
pub struct Witness {
    signer: LogSigner,
    key: VerifierKey,
    logs: Vec<VerifierKey>,
    state: PathBuf,
    seen: Mutex<BTreeMap<String, Seen>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Witness({})", self.key.name())
    }
}

impl Witness {
    /// A witness of this name over these logs, with its memory in the file `state`.
    ///
    /// # Errors
    /// When the memory is there and cannot be read: a witness that forgets is none.
    pub fn open(
        name: KeyName,
        signer: LogSigner,
        logs: Vec<VerifierKey>,
        state: PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WitnessError> {
        let seen = match std::fs::read(&state) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|_| WitnessError::Malformed { path: state.clone() })?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(cause) => return Err(WitnessError::Read { path: state, cause }),
        };
        let kind = SignatureType::Cosignature;
        let key = VerifierKey::new(name, kind, signer.public_key(), &NoteVerifier);
        Ok(Self { signer, key, logs, state, seen: Mutex::new(seen), clock })
    }

    /// The key by which its cosignatures are verified.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Takes the body of an `add-checkpoint` request and gives the body of the answer: a signature
    /// line. What was seen is durable before it returns; requests are taken one after the other.
    ///
    /// # Errors
    /// Why it is declined.
    pub fn add_checkpoint(&self, body: &[u8]) -> Result<String, Declined> {
        let request = AddCheckpoint::parse(body)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let checkpoint = judge(&request, &self.logs, |origin| seen.get(origin).copied())?;
        let newest = Seen { size: checkpoint.size, root: Hash(checkpoint.root) };
        if seen.get(&checkpoint.origin) != Some(&newest) {
            let before = seen.insert(checkpoint.origin.clone(), newest);
            let bytes = serde_json::to_vec(&*seen).unwrap_or_default();
            if let Err(cause) = replace(&self.state, &bytes, PRIVATE) {
                match before {
                    Some(before) => seen.insert(checkpoint.origin, before),
                    None => seen.remove(&checkpoint.origin),
                };
                return Err(Declined::State(cause));
            }
        }
        let seconds = self.clock.wall().unix_seconds().unsigned_abs();
        let message = cosigned_message(request.note.text(), seconds);
        let signature = self.key.cosignature(seconds, &self.signer.sign(&message));
        Ok(format!("{signature}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOTE: &str = "example.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/\
        Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

    #[test]
    fn the_request_of_the_standard_reads_back() {
        let body = format!(
            "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
             jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\n{NOTE}"
        );
        let request = AddCheckpoint::parse(body.as_bytes()).unwrap();
        assert_eq!((request.old, request.proof.len()), (20_852_014, 2));
        assert_eq!(request.to_string(), body);
    }

    #[test]
    fn what_is_not_a_request_is_refused() {
        let hash = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";
        for head in ["", "old \n", "old 01\n", "old -1\n", "new 1\n", "old 1", "old 1\nx\n"] {
            let body = format!("{head}\n{NOTE}");
            assert!(AddCheckpoint::parse(body.as_bytes()).is_err(), "{head}");
        }
        let long = format!("old 1\n{}\n{NOTE}", hash.repeat(PROOF_HASHES_MAX + 1));
        assert_eq!(AddCheckpoint::parse(long.as_bytes()), Err(RequestError::TooLong));
        let long = vec![b'a'; REQUEST_BYTES_MAX + 1];
        assert_eq!(AddCheckpoint::parse(&long), Err(RequestError::TooLong));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = AddCheckpoint::parse(&bytes);
            let _ = AddCheckpoint::parse(&[b"old 1\n\n".as_slice(), &bytes].concat());
        }
    }
}
