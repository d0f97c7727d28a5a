//! The signer of the log's checkpoints: Ed25519 (RFC 8032), its seed wrapped in the root.

use crate::derive::KeyBytes;
use crate::random::random_array;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use kernel::RngUnavailable;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Signs checkpoints. Cheap to clone.
#[derive(Clone)]
pub struct LogSigner {
    pair: Arc<Ed25519KeyPair>,
    public: [u8; 32],
}

impl fmt::Debug for LogSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSigner")
    }
}

pub(crate) fn new_seed() -> Result<KeyBytes, RngUnavailable> {
    random_array().map(Zeroizing::new)
}

impl LogSigner {
    pub(crate) fn from_seed(seed: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        Some(Self { pair: Arc::new(pair), public })
    }

    /// The public key, 32 bytes as in RFC 8032.
    #[must_use]
    pub const fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// Signs; the signature is 64 bytes as in RFC 8032.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        for (to, from) in out.iter_mut().zip(self.pair.sign(message).as_ref()) {
            *to = *from;
        }
        out
    }
}
