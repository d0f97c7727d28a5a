//! Key agreement (ECDH, X25519) and encapsulation (ML-KEM).
//!
//! The raw result of a Diffie-Hellman agreement never leaves (SP 800-56A, 5.8): what leaves is
//! `HKDF-SHA-256(salt = empty, ikm = Z, info = the caller's, length)`, which the other side
//! computes with any library. The 32 bytes of ML-KEM leave as they are (FIPS 203, 3.3).

use crate::algorithm::Capability;
use crate::derive::hkdf_sha256;
use crate::encrypt::{CONTEXT_BYTES_MAX, limit};
use crate::handle::KeyHandle;
use crate::key_error::KeyError;
use crate::material::Expanded;
use crate::permits::MayAgree;
use crate::released::{MayRelease, Released};
use aws_lc_rs::agreement::{self, ParsedPublicKey, UnparsedPublicKey};
use aws_lc_rs::kem::Ciphertext;
use kernel::Permit;
use zeroize::Zeroizing;

/// Longest public key of a peer, in bytes: P-521 in DER takes 158.
pub const PEER_BYTES_MAX: usize = 512;
/// Longest secret that an agreement gives, in bytes.
pub const AGREED_BYTES_MAX: usize = 256;

/// An encapsulated secret.
#[derive(Debug)]
pub struct Encapsulated {
    /// For the holder of the decapsulation key.
    pub ciphertext: Vec<u8>,
    /// The secret, 32 bytes.
    pub secret: Released,
}

impl KeyHandle {
    /// Agrees with the holder of `peer` (an uncompressed point, a raw X25519 key, or
    /// SubjectPublicKeyInfo in DER) on `length` bytes for the purpose `info`.
    ///
    /// # Errors
    /// When the permit is for another key, the key does not agree, or `peer` is no key on its
    /// curve.
    pub fn agree<A: MayAgree + MayRelease>(
        &self,
        permit: &Permit<A>,
        peer: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<Released, KeyError> {
        let Expanded::Agree(own) = self.under(permit)? else {
            return Err(self.lacks(Capability::Agree));
        };
        limit("info", info, CONTEXT_BYTES_MAX)?;
        limit("peer", peer, PEER_BYTES_MAX)?;
        if !(1..=AGREED_BYTES_MAX).contains(&length) {
            return Err(KeyError::Malformed { field: "length", wanted: "1 to 256 bytes" });
        }
        let malformed = || KeyError::Malformed { field: "peer", wanted: "a key on this curve" };
        let peer = UnparsedPublicKey::new(own.algorithm(), peer);
        let peer = ParsedPublicKey::try_from(peer).map_err(|_| malformed())?;
        let secret = agreement::agree(own, peer, (), |z| hkdf_sha256(z, info, length).ok_or(()))
            .map_err(|()| malformed())?;
        Ok(Released::under(permit, secret))
    }

    /// Encapsulates a new secret for this key.
    ///
    /// # Errors
    /// When the permit is for another key, or the key does not encapsulate.
    pub fn encapsulate<A: MayAgree + MayRelease>(
        &self,
        permit: &Permit<A>,
    ) -> Result<Encapsulated, KeyError> {
        let Expanded::MlKem(_, public) = self.under(permit)? else {
            return Err(self.lacks(Capability::Encapsulate));
        };
        let (ciphertext, secret) = public.encapsulate()?;
        let secret = Zeroizing::new(secret.as_ref().to_vec());
        let ciphertext = ciphertext.as_ref().to_vec();
        Ok(Encapsulated { ciphertext, secret: Released::under(permit, secret) })
    }

    /// Opens an encapsulated secret. An altered ciphertext of the right length gives another
    /// secret, not an error: that is ML-KEM's implicit rejection.
    ///
    /// # Errors
    /// When the permit is for another key, the key does not encapsulate, or the length is wrong.
    pub fn decapsulate<A: MayAgree + MayRelease>(
        &self,
        permit: &Permit<A>,
        ciphertext: &[u8],
    ) -> Result<Released, KeyError> {
        let Expanded::MlKem(own, _) = self.under(permit)? else {
            return Err(self.lacks(Capability::Encapsulate));
        };
        let secret = own.decapsulate(Ciphertext::from(ciphertext))?;
        Ok(Released::under(permit, Zeroizing::new(secret.as_ref().to_vec())))
    }
}
