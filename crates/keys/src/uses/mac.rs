//! Message authentication codes.

use super::Performed;
use super::attempt::Attempt;
use super::sign::Verified;
use crate::key::Compromise;
use crate::{Keys, KeysError};
use kernel::actions::{KeyMac, KeyMacVerify};
use kernel::{Permit, VersionNo};

/// A message to compute the code of.
#[derive(Debug, Clone)]
pub struct Mac {
    /// Up to [`kernel::limits::PLAINTEXT_BYTES_MAX`] bytes.
    pub message: Vec<u8>,
}

/// A message authentication code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacCode {
    /// The code: 32, 48 or 64 bytes.
    pub code: Vec<u8>,
    /// The version that made it.
    pub version: VersionNo,
}

/// A code to verify.
#[derive(Debug, Clone)]
pub struct MacVerify {
    /// The message.
    pub message: Vec<u8>,
    /// The code.
    pub code: Vec<u8>,
    /// The version that made it; the newest when not said.
    pub version: Option<VersionNo>,
    /// Whether a compromised version may be used.
    pub compromise: Compromise,
}

impl Attempt for Mac {
    type Action = KeyMac;
    type Answer = MacCode;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyMac>,
    ) -> Result<Performed<MacCode>, KeysError> {
        let opened = keys.opened(permit)?;
        let (by, handle) = keys.protect(&opened)?;
        let code = handle.mac(permit, &self.message)?;
        Ok(by.gives(MacCode { code, version: by.version }))
    }
}

impl Attempt for MacVerify {
    type Action = KeyMacVerify;
    type Answer = Verified;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyMacVerify>,
    ) -> Result<Performed<Verified>, KeysError> {
        let opened = keys.opened(permit)?;
        let (by, handle) = keys.process_any(&opened, self.version, self.compromise)?;
        let valid = handle.mac_verify(permit, &self.message, &self.code)?;
        let verified = Verified { valid, version: by.version };
        Ok(by.gives(verified).with("valid", valid.to_string()))
    }
}

impl Keys {
    /// Computes the code of a message with the version that protects now.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn mac(&self, permit: Permit<KeyMac>, request: &Mac) -> Result<MacCode, KeysError> {
        self.once(permit, request).await
    }

    /// Verifies a code; a wrong one is an answer, not an error.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn mac_verify(
        &self,
        permit: Permit<KeyMacVerify>,
        request: &MacVerify,
    ) -> Result<Verified, KeysError> {
        self.once(permit, request).await
    }
}
