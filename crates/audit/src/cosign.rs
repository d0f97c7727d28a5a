//! Asking a witness to cosign the newest checkpoint.

use crate::hash::NoteVerifier;
use crate::log::{Log, LogError};
use crate::post::{Address, PostError, Poster};
use crate::witness::AddCheckpoint;
use http::StatusCode;
use kernel::Timestamp;
use wire::checkpoint::parse_size;
use wire::note::{Note, NoteError, NoteSignature, VerifierKey};

/// Why a witness has not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The witness does not answer.
    #[error(transparent)]
    Post(#[from] PostError),
    /// The witness has seen a larger log than ours: ours was rolled back, or there are two.
    #[error("the witness has seen {seen} events of this log, and it has {size}")]
    SeenMore {
        /// What the witness has seen.
        seen: u64,
        /// What the log has.
        size: u64,
    },
    /// The witness declines.
    #[error("the witness declines with status {0}")]
    Declined(StatusCode),
    /// The answer is not a cosignature by the witness's key.
    #[error("the witness's answer is not a cosignature by its key")]
    Answer(#[source] NoteError),
}

/// A witness as the log knows it.
#[derive(Clone, Debug)]
pub struct WitnessClient {
    /// Where: the submission prefix followed by `/add-checkpoint`.
    pub address: Address,
    /// The key of its cosignatures.
    pub key: VerifierKey,
    /// How it is reached.
    pub poster: Poster,
}

/// A checkpoint that a witness has cosigned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosigned {
    /// The checkpoint with the log's signature and the cosignature.
    pub note: Note,
    /// Its size.
    pub size: u64,
    /// When the witness cosigned, by its own clock.
    pub at: Timestamp,
}

impl WitnessClient {
    /// Submits the newest checkpoint; `seen` is the size that the witness is believed to have seen
    /// last (0 when unknown: the witness then says it).
    ///
    /// # Errors
    /// Why there is no cosignature; the log itself is never delayed.
    pub async fn cosign(&self, log: &Log, seen: u64) -> Result<Cosigned, CosignError> {
        match self.submit(log, seen).await? {
            Submitted::Cosigned(cosigned) => Ok(*cosigned),
            Submitted::Seen(seen) => match self.submit(log, seen).await? {
                Submitted::Cosigned(cosigned) => Ok(*cosigned),
                Submitted::Seen(_) => Err(CosignError::Declined(StatusCode::CONFLICT)),
            },
        }
    }

    async fn submit(&self, log: &Log, old: u64) -> Result<Submitted, CosignError> {
        let (mut note, size) = log.signed_head()?;
        if old > size {
            return Err(CosignError::SeenMore { seen: old, size });
        }
        let proof = log.consistency(old, size)?;
        let request = AddCheckpoint { old, proof, note: note.clone() }.to_string().into_bytes();
        let answer = self.poster.post(&self.address, "text/plain; charset=utf-8", request).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::CONFLICT => {
                let text = String::from_utf8_lossy(&answer.body);
                let seen = text.strip_suffix('\n').and_then(parse_size);
                // The same size again means another root: the witness has seen another log.
                return match seen {
                    Some(seen) if seen != old => Ok(Submitted::Seen(seen)),
                    _ => Err(CosignError::Declined(answer.status)),
                };
            }
            other => return Err(CosignError::Declined(other)),
        }
        let text = String::from_utf8_lossy(&answer.body);
        for line in text.lines().filter_map(NoteSignature::parse) {
            if line.is_by(&self.key) {
                note.push(line).map_err(CosignError::Answer)?;
            }
        }
        let keys = std::slice::from_ref(&self.key);
        let signed = note.verify(keys, &NoteVerifier).map_err(CosignError::Answer)?;
        let seconds = signed.iter().filter_map(|by| by.seconds).max().unwrap_or_default();
        let at = Timestamp::EPOCH.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
        Ok(Submitted::Cosigned(Box::new(Cosigned { note, size, at })))
    }
}

enum Submitted {
    Cosigned(Box<Cosigned>),
    Seen(u64),
}
