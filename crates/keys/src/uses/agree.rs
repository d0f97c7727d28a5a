//! Agree on a secret, encapsulate one, open an encapsulated one.

use super::Performed;
use super::attempt::Attempt;
use crate::key::Compromise;
use crate::{Keys, KeysError};
use kernel::actions::KeyAgree;
use kernel::{Permit, VersionNo};
use strongroom::Released;

/// A secret to agree on with another key pair.
#[derive(Debug, Clone)]
pub struct Agree {
    /// The peer's public key: an uncompressed point, a raw X25519 key, or DER.
    pub peer: Vec<u8>,
    /// What the secret is for; both sides must say the same.
    pub info: Vec<u8>,
    /// Length of the secret in bytes, 1 to 256.
    pub length: usize,
    /// The version; the one that protects when not said.
    pub version: Option<VersionNo>,
}

/// A secret to encapsulate for the holder of this key.
#[derive(Debug, Clone, Copy)]
pub struct Encapsulate;

/// An encapsulated secret to open.
#[derive(Debug, Clone)]
pub struct Decapsulate {
    /// What [`Encapsulate`] gave, here or with the public key elsewhere.
    pub ciphertext: Vec<u8>,
    /// The version it was made for; the newest when not said.
    pub version: Option<VersionNo>,
    /// Whether a compromised version may be used.
    pub compromise: Compromise,
}

/// A secret that two sides share.
#[derive(Debug)]
pub struct Shared {
    /// The secret.
    pub secret: Released,
    /// For the other side, when it was encapsulated here.
    pub ciphertext: Option<Vec<u8>>,
    /// The version that was used.
    pub version: VersionNo,
}

impl Attempt for Agree {
    type Action = KeyAgree;
    type Answer = Shared;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyAgree>,
    ) -> Result<Performed<Shared>, KeysError> {
        let opened = keys.opened(permit)?;
        let (by, handle) = match self.version {
            None => keys.protect(&opened)?,
            Some(version) => keys.process(&opened, version, Compromise::Refuse)?,
        };
        let secret = handle.agree(permit, &self.peer, &self.info, self.length)?;
        let shared = Shared { secret, ciphertext: None, version: by.version };
        Ok(by.gives(shared).with("step", "agree"))
    }
}

impl Attempt for Encapsulate {
    type Action = KeyAgree;
    type Answer = Shared;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyAgree>,
    ) -> Result<Performed<Shared>, KeysError> {
        let opened = keys.opened(permit)?;
        let (by, handle) = keys.protect(&opened)?;
        let made = handle.encapsulate(permit)?;
        let (secret, ciphertext) = (made.secret, Some(made.ciphertext));
        let shared = Shared { secret, ciphertext, version: by.version };
        Ok(by.gives(shared).with("step", "encapsulate"))
    }
}

impl Attempt for Decapsulate {
    type Action = KeyAgree;
    type Answer = Shared;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyAgree>,
    ) -> Result<Performed<Shared>, KeysError> {
        let opened = keys.opened(permit)?;
        let (by, handle) = keys.process_any(&opened, self.version, self.compromise)?;
        let secret = handle.decapsulate(permit, &self.ciphertext)?;
        let shared = Shared { secret, ciphertext: None, version: by.version };
        Ok(by.gives(shared).with("step", "decapsulate"))
    }
}

impl Keys {
    /// Agrees on a secret with the holder of another key pair.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn agree(
        &self,
        permit: Permit<KeyAgree>,
        request: &Agree,
    ) -> Result<Shared, KeysError> {
        self.once(permit, request).await
    }

    /// Encapsulates a new secret for the holder of this key.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn encapsulate(&self, permit: Permit<KeyAgree>) -> Result<Shared, KeysError> {
        self.once(permit, &Encapsulate).await
    }

    /// Opens an encapsulated secret.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn decapsulate(
        &self,
        permit: Permit<KeyAgree>,
        request: &Decapsulate,
    ) -> Result<Shared, KeysError> {
        self.once(permit, request).await
    }
}
