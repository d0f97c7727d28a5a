//! Encrypt, decrypt, re-encrypt, data keys.
//!
//! A ciphertext is `1 ‖ algorithm[1] ‖ version[4] ‖ body`, numbers big-endian. For the symmetric
//! algorithms the body is `salt[16] ‖ ciphertext ‖ tag[16]` under a key derived from key and salt,
//! and bound to key domain, key, version and the caller's context. For RSA it is the OAEP block
//! (SHA-256, MGF1 with SHA-256) with the context as its label.

use crate::algorithm::{Algorithm, Capability};
use crate::derive::push_part;
use crate::handle::KeyHandle;
use crate::key_error::KeyError;
use crate::material::Expanded;
use crate::permits::{MayDecrypt, MayEncrypt, MayMakeDataKey, MayReencrypt};
use crate::random::SystemRng;
use crate::released::{MayRelease, Released};
use aws_lc_rs::rsa::OAEP_SHA256_MGF1SHA256;
use kernel::limits::PLAINTEXT_BYTES_MAX;
use kernel::{Permit, Rng, VersionNo};
use zeroize::Zeroizing;

/// Longest context (additional authenticated data), in bytes: it is a name, not a document.
pub const CONTEXT_BYTES_MAX: usize = 8 * 1_024;
/// Longest data key, in bytes: two keys of 256 bits and room for longer MAC keys.
pub const DATA_KEY_BYTES_MAX: usize = 128;
/// Shortest data key, in bytes.
pub const DATA_KEY_BYTES_MIN: usize = 16;
/// What encryption adds at most, in bytes, for the symmetric algorithms.
pub const CIPHERTEXT_OVERHEAD: usize = HEADER_LEN + 32;

const FORMAT: u8 = 1;
const HEADER_LEN: usize = 6;

/// The version of the key that a ciphertext names; `None` when it is not a ciphertext of ours.
#[must_use]
pub fn ciphertext_version(ciphertext: &[u8]) -> Option<VersionNo> {
    let (header, _) = ciphertext.split_at_checked(HEADER_LEN)?;
    let (FORMAT, version) = (*header.first()?, header.get(2..)?) else { return None };
    Algorithm::from_code(*header.get(1)?)?;
    Some(VersionNo(u32::from_be_bytes(version.try_into().ok()?)))
}

/// A data key: the plaintext leaves once, the wrapped form is kept beside the data.
#[derive(Debug)]
pub struct DataKey {
    /// The key itself.
    pub plaintext: Released,
    /// A ciphertext of it; decrypt it with the same context.
    pub wrapped: Vec<u8>,
}

impl KeyHandle {
    /// Encrypts up to [`PLAINTEXT_BYTES_MAX`] bytes, bound to `context`.
    ///
    /// # Errors
    /// When the permit is for another key, the key does not encrypt, or an input is too long.
    pub fn encrypt<A: MayEncrypt>(
        &self,
        permit: &Permit<A>,
        plaintext: &[u8],
        context: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        self.seal(self.under(permit)?, plaintext, context)
    }

    /// Decrypts what this version encrypted with the same context.
    ///
    /// # Errors
    /// [`KeyError::NotOpened`] for anything else.
    pub fn decrypt<A: MayDecrypt + MayRelease>(
        &self,
        permit: &Permit<A>,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Released, KeyError> {
        let plain = self.unseal(self.under(permit)?, ciphertext, context)?;
        Ok(Released::under(permit, plain))
    }

    /// Decrypts a bare RSA-OAEP block (SHA-256, empty label) that a stranger made with the public
    /// key.
    ///
    /// # Errors
    /// [`KeyError::NotOpened`] when it was not made for this key.
    pub fn decrypt_bare_oaep<A: MayDecrypt + MayRelease>(
        &self,
        permit: &Permit<A>,
        block: &[u8],
    ) -> Result<Released, KeyError> {
        let Expanded::RsaOaep(..) = self.under(permit)? else {
            return Err(self.lacks(Capability::Encrypt));
        };
        let plain = self.open_oaep(self.under(permit)?, block, &[])?;
        Ok(Released::under(permit, plain))
    }

    /// Decrypts with `old`, another version of the same key, and encrypts with this one; the
    /// plaintext does not leave.
    ///
    /// # Errors
    /// As [`Self::decrypt`] and [`Self::encrypt`].
    pub fn reencrypt<A: MayReencrypt>(
        &self,
        permit: &Permit<A>,
        old: &Self,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let plain = old.unseal(old.under(permit)?, ciphertext, context)?;
        self.seal(self.under(permit)?, &plain, context)
    }

    /// Makes a data key of `length` random bytes.
    ///
    /// # Errors
    /// When the permit is for another key, the key makes none, or the length is out of bounds.
    pub fn data_key<A: MayMakeDataKey + MayRelease>(
        &self,
        permit: &Permit<A>,
        length: usize,
        context: &[u8],
    ) -> Result<DataKey, KeyError> {
        let (plain, wrapped) = self.make_data_key(permit, length, context)?;
        Ok(DataKey { plaintext: Released::under(permit, plain), wrapped })
    }

    /// Makes a data key and gives only its wrapped form, for whoever decrypts it later.
    ///
    /// # Errors
    /// As [`Self::data_key`].
    pub fn data_key_without_plaintext<A: MayMakeDataKey>(
        &self,
        permit: &Permit<A>,
        length: usize,
        context: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        self.make_data_key(permit, length, context).map(|(_, wrapped)| wrapped)
    }

    fn make_data_key<A: MayMakeDataKey>(
        &self,
        permit: &Permit<A>,
        length: usize,
        context: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), KeyError> {
        let expanded = self.under(permit)?;
        if !self.algorithm.can(Capability::DataKey) {
            return Err(self.lacks(Capability::DataKey));
        }
        if !(DATA_KEY_BYTES_MIN..=DATA_KEY_BYTES_MAX).contains(&length) {
            return Err(KeyError::Malformed { field: "length", wanted: "16 to 128 bytes" });
        }
        let mut plain = Zeroizing::new(vec![0; length]);
        SystemRng.fill(&mut plain)?;
        let wrapped = self.seal(expanded, &plain, context)?;
        Ok((plain, wrapped))
    }

    fn header(&self) -> [u8; HEADER_LEN] {
        let [a, b, c, d] = self.slot.version.0.to_be_bytes();
        [FORMAT, self.algorithm.code(), a, b, c, d]
    }

    fn bind(&self, context: &[u8]) -> Vec<u8> {
        let mut aad = Vec::with_capacity(64 + context.len());
        aad.extend_from_slice(&self.header());
        aad.extend_from_slice(&self.slot.domain.to_bytes());
        aad.extend_from_slice(&self.slot.key.to_bytes());
        push_part(&mut aad, context);
        aad
    }

    fn seal(
        &self,
        expanded: &Expanded,
        plaintext: &[u8],
        context: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        limit("context", context, CONTEXT_BYTES_MAX)?;
        match expanded {
            Expanded::Message(keys) => {
                limit("plaintext", plaintext, PLAINTEXT_BYTES_MAX)?;
                Ok(keys.seal(&self.header(), &self.bind(context), plaintext)?)
            }
            Expanded::RsaOaep(_, public) => {
                let bytes_max = public.max_plaintext_size(&OAEP_SHA256_MGF1SHA256);
                limit("plaintext", plaintext, bytes_max)?;
                let mut block = vec![0; public.ciphertext_size()];
                let made = public.encrypt(
                    &OAEP_SHA256_MGF1SHA256,
                    plaintext,
                    &mut block,
                    label(context),
                )?;
                Ok([self.header().as_slice(), made].concat())
            }
            _ => Err(self.lacks(Capability::Encrypt)),
        }
    }

    fn unseal(
        &self,
        expanded: &Expanded,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        limit("context", context, CONTEXT_BYTES_MAX)?;
        limit("ciphertext", ciphertext, PLAINTEXT_BYTES_MAX + CIPHERTEXT_OVERHEAD)?;
        if !self.algorithm.can(Capability::Encrypt) {
            return Err(self.lacks(Capability::Encrypt));
        }
        let body = ciphertext.strip_prefix(self.header().as_slice()).ok_or(KeyError::NotOpened)?;
        match expanded {
            Expanded::Message(keys) => Ok(keys.open(&self.bind(context), body)?),
            _ => self.open_oaep(expanded, body, context),
        }
    }

    fn open_oaep(
        &self,
        expanded: &Expanded,
        block: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let Expanded::RsaOaep(private, _) = expanded else {
            return Err(self.lacks(Capability::Encrypt));
        };
        let mut plain = Zeroizing::new(vec![0; private.min_output_size()]);
        let length = private
            .decrypt(&OAEP_SHA256_MGF1SHA256, block, &mut plain, label(context))
            .map(|opened| opened.len())?;
        plain.truncate(length);
        Ok(plain)
    }
}

fn label(context: &[u8]) -> Option<&[u8]> {
    (!context.is_empty()).then_some(context)
}

/// Refuses an input that is too long.
pub(crate) fn limit(field: &'static str, bytes: &[u8], bytes_max: usize) -> Result<(), KeyError> {
    if bytes.len() > bytes_max { Err(KeyError::TooLarge { field, bytes_max }) } else { Ok(()) }
}
