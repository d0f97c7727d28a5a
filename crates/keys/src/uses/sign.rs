//! Sign and verify.

use super::Performed;
use super::attempt::Attempt;
use crate::key::Compromise;
use crate::{Keys, KeysError};
use kernel::actions::{KeySign, KeyVerify};
use kernel::{Permit, VersionNo};
use strongroom::{Algorithm, KeyError, SignatureScheme};

/// A message to sign; it is hashed here.
#[derive(Debug, Clone)]
pub struct Sign {
    /// Up to [`kernel::limits::PLAINTEXT_BYTES_MAX`] bytes.
    pub message: Vec<u8>,
    /// How; the first scheme of the algorithm when not said.
    pub scheme: Option<SignatureScheme>,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The signature.
    pub signature: Vec<u8>,
    /// How it was made.
    pub scheme: SignatureScheme,
    /// The version that made it.
    pub version: VersionNo,
}

/// A signature to verify.
#[derive(Debug, Clone)]
pub struct Verify {
    /// The message.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// How it was made; the first scheme of the algorithm when not said.
    pub scheme: Option<SignatureScheme>,
    /// The version that made it; the newest when not said.
    pub version: Option<VersionNo>,
    /// Whether a compromised version may be used.
    pub compromise: Compromise,
}

/// Whether a signature or a code is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Whether it is right.
    pub valid: bool,
    /// The version that was asked.
    pub version: VersionNo,
}

impl Attempt for Sign {
    type Action = KeySign;
    type Answer = Signed;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeySign>,
    ) -> Result<Performed<Signed>, KeysError> {
        let opened = keys.opened(permit)?;
        let scheme = chosen(self.scheme, opened.key.about.algorithm)?;
        let (by, handle) = keys.protect(&opened)?;
        let signature = handle.sign(permit, scheme, &self.message)?;
        Ok(by.gives(Signed { signature, scheme, version: by.version }))
    }
}

impl Attempt for Verify {
    type Action = KeyVerify;
    type Answer = Verified;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyVerify>,
    ) -> Result<Performed<Verified>, KeysError> {
        let opened = keys.opened(permit)?;
        let scheme = chosen(self.scheme, opened.key.about.algorithm)?;
        let (by, handle) = keys.process_any(&opened, self.version, self.compromise)?;
        let valid = handle.verify(permit, scheme, &self.message, &self.signature)?;
        let verified = Verified { valid, version: by.version };
        Ok(by.gives(verified).with("valid", valid.to_string()))
    }
}

fn chosen(
    scheme: Option<SignatureScheme>,
    algorithm: Algorithm,
) -> Result<SignatureScheme, KeysError> {
    let first = || algorithm.schemes().first().copied();
    let needed = "sign";
    scheme.or_else(first).ok_or_else(|| KeyError::NotCapable { algorithm, needed }.into())
}

impl Keys {
    /// Signs with the version that protects now.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn sign(&self, permit: Permit<KeySign>, request: &Sign) -> Result<Signed, KeysError> {
        self.once(permit, request).await
    }

    /// Verifies a signature; a wrong one is an answer, not an error.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn verify(
        &self,
        permit: Permit<KeyVerify>,
        request: &Verify,
    ) -> Result<Verified, KeysError> {
        self.once(permit, request).await
    }
}
