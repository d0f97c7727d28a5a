//! Keys that leave: data keys, and exports under a recipient's public key.

use super::Performed;
use super::attempt::Attempt;
use crate::key::Compromise;
use crate::{Keys, KeysError, Reason};
use aws_lc_rs::digest;
use kernel::actions::{KeyDataKey, KeyExport};
use kernel::{Permit, VersionNo};
use strongroom::Released;

/// A data key to make.
#[derive(Debug, Clone)]
pub struct MakeDataKey {
    /// Its length in bytes, 16 to 128; an envelope needs [`crate::envelope::DATA_KEY_BYTES`].
    pub length: usize,
    /// Additional authenticated data, needed again for opening the wrapped form.
    pub context: Vec<u8>,
    /// Whether the key itself leaves, or only its wrapped form for whoever opens it later.
    pub plaintext: Plaintext,
}

/// Whether the plaintext of a data key leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plaintext {
    /// It leaves, once.
    #[default]
    Released,
    /// It stays.
    Withheld,
}

/// A data key.
#[derive(Debug)]
pub struct MadeDataKey {
    /// The key itself, if it leaves.
    pub plaintext: Option<Released>,
    /// Its wrapped form: a ciphertext for [`crate::Decrypt`] with the same context.
    pub wrapped: Vec<u8>,
    /// The version that wrapped it.
    pub version: VersionNo,
}

/// A key to give out.
#[derive(Debug, Clone)]
pub struct Export {
    /// The recipient's RSA public key as SubjectPublicKeyInfo in DER, 2048 bits or more.
    pub recipient_der: Vec<u8>,
    /// The version; the one that protects when not said.
    pub version: Option<VersionNo>,
    /// Why it is given out.
    pub reason: Reason,
}

/// A key on its way out.
#[derive(Debug)]
pub struct Exported {
    /// RSA-OAEP of a fresh AES-256 key, then the material under it (RFC 5649): the bytes of
    /// PKCS #11's `CKM_RSA_AES_KEY_WRAP`.
    pub wrapped: Released,
    /// The version that left.
    pub version: VersionNo,
}

impl Attempt for MakeDataKey {
    type Action = KeyDataKey;
    type Answer = MadeDataKey;

    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyDataKey>,
    ) -> Result<Performed<MadeDataKey>, KeysError> {
        let opened = keys.opened(permit)?;
        let (by, handle) = keys.protect(&opened)?;
        let version = by.version;
        let (made, released) = match self.plaintext {
            Plaintext::Released => {
                let made = handle.data_key(permit, self.length, &self.context)?;
                let (plaintext, wrapped) = (Some(made.plaintext), made.wrapped);
                (MadeDataKey { plaintext, wrapped, version }, "true")
            }
            Plaintext::Withheld => {
                let wrapped =
                    handle.data_key_without_plaintext(permit, self.length, &self.context)?;
                (MadeDataKey { plaintext: None, wrapped, version }, "false")
            }
        };
        Ok(by.gives(made).with("released", released))
    }
}

impl Export {
    fn attempt(
        &self,
        keys: &Keys,
        permit: &Permit<KeyExport>,
    ) -> Result<Performed<Exported>, KeysError> {
        let opened = keys.opened(permit)?;
        if !opened.key.about.exportable {
            return Err(KeysError::NotExportable);
        }
        let (by, handle) = match self.version {
            None => keys.protect(&opened)?,
            Some(version) => keys.process(&opened, version, Compromise::Refuse)?,
        };
        let wrapped = handle.export_to_rsa(permit, &self.recipient_der)?;
        let exported = Exported { wrapped, version: by.version };
        let recipient = digest::digest(&digest::SHA256, &self.recipient_der);
        let recipient: String =
            recipient.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(by
            .gives(exported)
            .with("wrapped_with", "rsa-aes-key-wrap")
            .with("recipient_sha256", recipient)
            .with("reason", self.reason.as_str()))
    }
}

impl Keys {
    /// Makes a data key: its plaintext leaves once, its wrapped form stays beside the data.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn data_key(
        &self,
        permit: Permit<KeyDataKey>,
        request: &MakeDataKey,
    ) -> Result<MadeDataKey, KeysError> {
        self.once(permit, request).await
    }

    /// Gives a key out, wrapped for the holder of an RSA public key.
    ///
    /// # Errors
    /// [`KeysError::NotExportable`] unless the key was made exportable; see [`KeysError`].
    pub async fn export(
        &self,
        permit: Permit<KeyExport>,
        request: &Export,
    ) -> Result<Exported, KeysError> {
        let attempted = request.attempt(self, &permit);
        match attempted.and_then(|made| Ok((made, self.spend(&permit, request)?))) {
            Ok((made, spent)) => self.conclude(permit, Ok(made), spent).await,
            Err(cause) => self.conclude(permit, Err(cause), None).await,
        }
    }
}
