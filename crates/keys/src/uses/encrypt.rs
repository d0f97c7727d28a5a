//! Encrypt, decrypt, re-encrypt.

use super::Performed;
use super::attempt::Attempt;
use crate::key::Compromise;
use crate::{Keys, KeysError};
use kernel::actions::{KeyDecrypt, KeyEncrypt, KeyReencrypt};
use kernel::{Permit, Secret, VersionNo};
use strongroom::{Released, ciphertext_version};

/// Bytes to encrypt.
#[derive(Debug)]
pub struct Encrypt {
    /// Up to [`kernel::limits::PLAINTEXT_BYTES_MAX`] bytes; larger data goes into an envelope.
    pub plaintext: Secret<Vec<u8>>,
    /// Additional authenticated data: names and ids, no secrets; needed again for decrypting.
    pub context: Vec<u8>,
}

/// What encryption gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// The ciphertext; it names the version that made it.
    pub ciphertext: Vec<u8>,
    /// The version that made it.
    pub version: VersionNo,
}

/// Bytes to decrypt.
#[derive(Debug, Clone)]
pub struct Decrypt {
    /// What [`Encrypt`] gave, or the wrapped form of a data key.
    pub ciphertext: Vec<u8>,
    /// The context of then.
    pub context: Vec<u8>,
    /// Whether a compromised version may be used.
    pub compromise: Compromise,
}

/// What decryption gives.
#[derive(Debug)]
pub struct Decrypted {
    /// The plaintext, to be written into one response.
    pub plaintext: Released,
    /// The version that had made the ciphertext.
    pub version: VersionNo,
}

/// A bare RSA-OAEP block to decrypt, which a stranger made with the public key.
#[derive(Debug, Clone)]
pub struct DecryptOaep {
    /// The block, as long as the modulus.
    pub block: Vec<u8>,
    /// The version whose public key the stranger had; the newest when not said.
    pub version: Option<VersionNo>,
    /// Whether a compromised version may be used.
    pub compromise: Compromise,
}

/// A ciphertext to be made anew under the version that protects now.
#[derive(Debug, Clone)]
pub struct Reencrypt {
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
    /// The context of then, and of the new one.
    pub context: Vec<u8>,
    /// Whether a compromised version may be used to read it.
    pub compromise: Compromise,
}

impl Attempt for Encrypt {
    type Action = KeyEncrypt;
    type Answer = Encrypted;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyEncrypt>,
    ) -> Result<Performed<Encrypted>, KeysError> {
        let opened = keys.opened(permit)?;
        let (by, handle) = keys.protect(&opened)?;
        let ciphertext = handle.encrypt(permit, self.plaintext.expose(), &self.context)?;
        Ok(by.gives(Encrypted { ciphertext, version: by.version }))
    }
}

impl Attempt for Decrypt {
    type Action = KeyDecrypt;
    type Answer = Decrypted;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyDecrypt>,
    ) -> Result<Performed<Decrypted>, KeysError> {
        let opened = keys.opened(permit)?;
        let version = ciphertext_version(&self.ciphertext).ok_or(KeysError::NotACiphertext)?;
        let (by, handle) = keys.process(&opened, version, self.compromise)?;
        let plaintext = handle.decrypt(permit, &self.ciphertext, &self.context)?;
        Ok(by.gives(Decrypted { plaintext, version }))
    }
}

impl Attempt for DecryptOaep {
    type Action = KeyDecrypt;
    type Answer = Decrypted;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyDecrypt>,
    ) -> Result<Performed<Decrypted>, KeysError> {
        let opened = keys.opened(permit)?;
        let (by, handle) = keys.process_any(&opened, self.version, self.compromise)?;
        let plaintext = handle.decrypt_bare_oaep(permit, &self.block)?;
        Ok(by.gives(Decrypted { plaintext, version: by.version }))
    }
}

impl Attempt for Reencrypt {
    type Action = KeyReencrypt;
    type Answer = Encrypted;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyReencrypt>,
    ) -> Result<Performed<Encrypted>, KeysError> {
        let opened = keys.opened(permit)?;
        let version = ciphertext_version(&self.ciphertext).ok_or(KeysError::NotACiphertext)?;
        let (read_by, old) = keys.process(&opened, version, self.compromise)?;
        let (mut by, new) = keys.protect(&opened)?;
        by.leave = read_by.leave;
        let ciphertext = new.reencrypt(permit, &old, &self.ciphertext, &self.context)?;
        let encrypted = Encrypted { ciphertext, version: by.version };
        Ok(by.gives(encrypted).with("from_version", version.to_string()))
    }
}

impl Keys {
    /// Encrypts with the version that protects now.
    ///
    /// # Errors
    /// See [`KeysError`]; [`KeysError::decide_again`] says when to ask the gate again.
    pub async fn encrypt(
        &self,
        permit: Permit<KeyEncrypt>,
        request: &Encrypt,
    ) -> Result<Encrypted, KeysError> {
        self.once(permit, request).await
    }

    /// Decrypts what any version of this key encrypted that may still process.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn decrypt(
        &self,
        permit: Permit<KeyDecrypt>,
        request: &Decrypt,
    ) -> Result<Decrypted, KeysError> {
        self.once(permit, request).await
    }

    /// Decrypts a bare RSA-OAEP block.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn decrypt_oaep(
        &self,
        permit: Permit<KeyDecrypt>,
        request: &DecryptOaep,
    ) -> Result<Decrypted, KeysError> {
        self.once(permit, request).await
    }

    /// Makes a ciphertext anew under the version that protects now; the plaintext is not shown.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn reencrypt(
        &self,
        permit: Permit<KeyReencrypt>,
        request: &Reencrypt,
    ) -> Result<Encrypted, KeysError> {
        self.once(permit, request).await
    }
}
