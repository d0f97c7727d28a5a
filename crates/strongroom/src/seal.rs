//! Seals: what must be presented before the root opens.

use crate::argon2id::Argon2Cost;
use crate::bytes::Bytes;
use crate::derive::{KeyBytes, Label, derive};
use crate::random::random_array;
use crate::room::SealError;
use kernel::Secret;
use serde::{Deserialize, Serialize};

/// Shortest passphrase, in characters: Argon2id makes a guess cost a tenth of a second, not more.
pub const PASSPHRASE_CHARS_MIN: usize = 12;
/// Longest passphrase, in bytes.
pub const PASSPHRASE_BYTES_MAX: usize = 1_024;
/// Shortest key file, in bytes; they must come from a random generator.
pub const KEY_FILE_BYTES_MIN: usize = 32;
/// Longest key file, in bytes.
pub const KEY_FILE_BYTES_MAX: usize = 64 * 1_024;

/// What opens the root.
#[derive(Debug)]
pub enum Seal {
    /// Words that a person knows; stretched by Argon2id (RFC 9106).
    Passphrase(Secret<String>),
    /// Random bytes in a file of their own, on another disk or a token.
    KeyFile(Secret<Vec<u8>>),
}

/// What a root file says about its seal before it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SealDescriptor {
    /// A passphrase.
    Passphrase {
        /// What one guess costs.
        cost: Argon2Cost,
        /// Salt of the stretching.
        salt: Bytes,
    },
    /// A key file.
    KeyFile {
        /// Salt of the derivation.
        salt: Bytes,
        /// Tells key files apart without opening anything.
        fingerprint: Bytes,
    },
}

impl SealDescriptor {
    /// A new descriptor for `seal`, with its key.
    pub(crate) fn new(seal: &Seal, cost: Argon2Cost) -> Result<(Self, KeyBytes), SealError> {
        let salt = Bytes::from(random_array::<16>()?.to_vec());
        let descriptor = match seal {
            Seal::Passphrase(text) => {
                if text.expose().chars().count() < PASSPHRASE_CHARS_MIN {
                    return Err(SealError::PassphraseTooShort);
                }
                Self::Passphrase { cost, salt }
            }
            Seal::KeyFile(bytes) => {
                if bytes.expose().len() < KEY_FILE_BYTES_MIN {
                    return Err(SealError::KeyFileTooShort);
                }
                let fingerprint = fingerprint(bytes.expose(), &salt);
                Self::KeyFile { salt, fingerprint }
            }
        };
        let key = descriptor.key(seal)?;
        Ok((descriptor, key))
    }

    /// The seal's key; a wrong seal gives a wrong key or the one error.
    pub(crate) fn key(&self, seal: &Seal) -> Result<KeyBytes, SealError> {
        match (self, seal) {
            (Self::Passphrase { cost, salt }, Seal::Passphrase(text))
                if text.expose().len() <= PASSPHRASE_BYTES_MAX =>
            {
                cost.stretch(text.expose().as_bytes(), salt).map_err(|_| SealError::NotOpened)
            }
            (Self::KeyFile { salt, .. }, Seal::KeyFile(bytes))
                if bytes.expose().len() <= KEY_FILE_BYTES_MAX =>
            {
                Ok(derive(Label::KeyFile, bytes.expose(), salt))
            }
            _ => Err(SealError::NotOpened),
        }
    }

    /// `passphrase` or `key-file`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Passphrase { .. } => "passphrase",
            Self::KeyFile { .. } => "key-file",
        }
    }
}

fn fingerprint(key_file: &[u8], salt: &[u8]) -> Bytes {
    let mut short = derive(Label::KeyFileFingerprint, key_file, salt).to_vec();
    short.truncate(8);
    Bytes::from(short)
}
