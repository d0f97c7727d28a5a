//! Personal-data keys: one for each key domain, subject and month, so that one person's data of one
//! month can be made unreadable without touching anything else.
//!
//! They are wrapped and shredded like keys, under shred keys of their own family: see
//! [`crate::shred`].

use crate::derive::{Cipher, KeyBytes, Label, MessageKeys, derive_mac};
use crate::key_error::KeyError;
use crate::material::{PERSONAL_CODE, unwrap, wrap, wrapped_under};
use crate::random::random_array;
use crate::room::Strongroom;
use crate::slot::{PersonalSlot, SUBJECT_BYTES_MAX, Slot, StoredKey};
use aws_lc_rs::hmac;
use std::fmt;
use zeroize::Zeroizing;

/// Seals the personal part of events. Once its shred key is gone, nobody makes it again.
pub struct PersonalKey {
    keys: MessageKeys,
    index: hmac::Key,
    slot: PersonalSlot,
}

impl fmt::Debug for PersonalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonalKey({})", self.slot.month)
    }
}

impl Strongroom {
    /// Makes the key of one subject and month. Store the wrapped form, then drop the lease.
    ///
    /// # Errors
    /// When the key domain has no key-encryption key, the subject is too long, or there is no
    /// randomness.
    pub fn create_personal_key(&self, slot: &PersonalSlot) -> Result<StoredKey, KeyError> {
        crate::encrypt::limit("subject", slot.subject.as_bytes(), SUBJECT_BYTES_MAX)?;
        let place = Slot::Personal(slot.clone());
        let secret: KeyBytes = Zeroizing::new(random_array()?);
        let (shred, lease) = self.filling_key(slot.domain, place.family())?;
        let wrapped = wrap(&shred, &place, PERSONAL_CODE, secret.as_slice())?;
        Ok(StoredKey { wrapped, public_der: None, shred: shred.id, lease })
    }

    /// Opens a stored personal-data key.
    ///
    /// # Errors
    /// [`KeyError::NotOpened`] when it is of another slot, was altered, or was shredded.
    pub fn open_personal_key(
        &self,
        slot: &PersonalSlot,
        wrapped: &[u8],
    ) -> Result<PersonalKey, KeyError> {
        let id = wrapped_under(wrapped).ok_or(KeyError::NotOpened)?;
        let shred = self.shred_key(id).map_err(KeyError::of_shred_key)?;
        let opened = unwrap(&shred, &Slot::Personal(slot.clone()), wrapped)?;
        if opened.code != PERSONAL_CODE {
            return Err(KeyError::NotOpened);
        }
        Ok(PersonalKey {
            keys: MessageKeys::new(Label::Personal, &opened.secret, Cipher::Aes256Gcm),
            index: derive_mac(Label::PersonalIndex, &opened.secret, &[]),
            slot: slot.clone(),
        })
    }
}

impl PersonalKey {
    /// Whose data of which month it seals.
    #[must_use]
    pub const fn slot(&self) -> &PersonalSlot {
        &self.slot
    }

    /// Seals `plain`, bound to `place` (the event's position, say).
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(self.keys.seal(&[], place, plain)?)
    }

    /// Opens what was sealed with the same place.
    ///
    /// # Errors
    /// [`KeyError::NotOpened`] for anything else.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Ok(self.keys.open(place, sealed)?)
    }

    /// A term under which an index finds a personal value, for as long as this key exists.
    #[must_use]
    pub fn index_term(&self, value: &[u8]) -> [u8; 16] {
        let mut term = [0; 16];
        for (to, from) in term.iter_mut().zip(hmac::sign(&self.index, value).as_ref()) {
            *to = *from;
        }
        term
    }
}
