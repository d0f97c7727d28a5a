//! Export: a key leaves wrapped under another key, in a form that any library opens.
//!
//! What is wrapped is the raw key for symmetric algorithms and PKCS #8 in DER for key pairs.
//!
//! * Under a key of ours (`aes-256-kwp`): AES key wrap with padding, RFC 5649, nothing else.
//! * Under a stranger's RSA public key: RSA-OAEP (SHA-256, MGF1 with SHA-256, empty label) of a new
//!   AES-256 key, as long as the modulus, followed by RFC 5649 under that key: the bytes of
//!   PKCS #11's `CKM_RSA_AES_KEY_WRAP`.
//!
//! In Python with the package `cryptography`:
//!
//! ```python
//! n = private.key_size // 8
//! kek = private.decrypt(wrapped[:n], OAEP(MGF1(SHA256()), SHA256(), None))
//! key = aes_key_unwrap_with_padding(kek, wrapped[n:])
//! pair = load_der_private_key(key, None)  # when it is a key pair
//! ```
//!
//! ML-KEM keys are not exportable: aws-lc gives their expanded form only, which few libraries read.

use crate::algorithm::Capability;
use crate::encrypt::limit;
use crate::handle::KeyHandle;
use crate::key_error::KeyError;
use crate::material::{Expanded, export_form, unwrap};
use crate::permits::{MayEncrypt, MayExport};
use crate::random::random_array;
use crate::released::{MayRelease, Released};
use crate::slot::Slot;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use kernel::Permit;
use zeroize::Zeroizing;

/// Longest public key of a recipient, in bytes: RSA 8192 in DER takes 1,062.
pub const RECIPIENT_BYTES_MAX: usize = 2 * 1_024;
/// Smallest modulus of a recipient, in bits (SP 800-131A).
pub const RECIPIENT_BITS_MIN: usize = 2_048;

impl KeyHandle {
    /// Wraps this key under `wrapping`, an `aes-256-kwp` key; that key's own use needs a permit
    /// too.
    ///
    /// # Errors
    /// When a permit is for another key, or one of the keys does not do this.
    pub fn export_under<A: MayExport + MayRelease, B: MayEncrypt>(
        &self,
        permit: &Permit<A>,
        wrapping: &Self,
        wrapping_permit: &Permit<B>,
    ) -> Result<Released, KeyError> {
        let material = self.material(permit)?;
        let Expanded::Wrap(kek) = wrapping.under(wrapping_permit)? else {
            return Err(wrapping.lacks(Capability::Wrap));
        };
        Ok(Released::under(permit, Zeroizing::new(kwp_wrap(kek, &material)?)))
    }

    /// Wraps this key for the holder of an RSA public key (SubjectPublicKeyInfo in DER).
    ///
    /// # Errors
    /// When the permit is for another key, the key is not exportable, or the recipient's key is
    /// none or weaker than 2048 bits.
    pub fn export_to_rsa<A: MayExport + MayRelease>(
        &self,
        permit: &Permit<A>,
        recipient_der: &[u8],
    ) -> Result<Released, KeyError> {
        let material = self.material(permit)?;
        limit("recipient", recipient_der, RECIPIENT_BYTES_MAX)?;
        let wanted = "an RSA public key of 2048 bits or more as SubjectPublicKeyInfo in DER";
        let malformed = || KeyError::Malformed { field: "recipient", wanted };
        let public = PublicEncryptingKey::from_der(recipient_der).map_err(|_| malformed())?;
        let public = OaepPublicEncryptingKey::new(public).map_err(|_| malformed())?;
        if public.key_size_bits() < RECIPIENT_BITS_MIN {
            return Err(malformed());
        }
        let kek: Zeroizing<[u8; 32]> = Zeroizing::new(random_array()?);
        let mut out = vec![0; public.ciphertext_size()];
        public
            .encrypt(&OAEP_SHA256_MGF1SHA256, kek.as_slice(), &mut out, None)
            .map_err(|_| malformed())?;
        out.extend_from_slice(&kwp_wrap(kek.as_slice(), &material)?);
        Ok(Released::under(permit, Zeroizing::new(out)))
    }

    /// The material again, from its wrapped form: an expanded key does not give it back.
    fn material<A: MayExport>(&self, permit: &Permit<A>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.under(permit)?;
        if !self.algorithm.can(Capability::Export) {
            return Err(self.lacks(Capability::Export));
        }
        // A survivor of a shredding must be opened again in its new form.
        let shred = self.room.shred_key(self.entry.shred).map_err(|_| KeyError::Forgotten)?;
        let opened = unwrap(&shred, &Slot::Key(self.slot), &self.entry.wrapped)?;
        Ok(export_form(self.algorithm, &opened.secret)?)
    }
}

/// AES key wrap with padding (RFC 5649): 8 bytes longer than the input rounded up to 8.
pub(crate) fn kwp_wrap(kek: &[u8], material: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut out = vec![0; material.len().div_ceil(8) * 8 + 8];
    let kek = AesKek::new(&AES_256, kek)?;
    let length = kek.wrap_with_padding(material, &mut out)?.len();
    out.truncate(length);
    Ok(out)
}
