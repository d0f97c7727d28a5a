//! Credentials of our own: TLS keys used by handle, and small secrets sealed for one purpose.

use crate::derive::{Label, MessageKeys};
use crate::room::{RootError, Strongroom};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use kernel::{Problem, ProblemKind, RngUnavailable};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Why a credential is not there.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Not sealed here for this purpose, or altered.
    #[error("the credential does not open")]
    NotOpened,
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
    /// The root does not give or take it.
    #[error(transparent)]
    Root(#[from] RootError),
}

impl From<CredentialError> for Problem {
    fn from(cause: CredentialError) -> Self {
        match cause {
            CredentialError::NotOpened => {
                Self::new(ProblemKind::Internal, "credential-damaged", cause.to_string())
            }
            CredentialError::Rng(cause) => cause.into(),
            CredentialError::Root(cause) => cause.into(),
        }
    }
}

/// A TLS private key (ECDSA P-256 with SHA-256) that signs and never shows itself. Cheap to clone.
#[derive(Clone)]
pub struct TlsKey {
    pair: Arc<EcdsaKeyPair>,
}

impl fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsKey")
    }
}

impl TlsKey {
    /// The public key as an uncompressed point (SEC 1, 2.3.3), 65 bytes.
    #[must_use]
    pub fn public_point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The public key as SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn public_der(&self) -> Result<Vec<u8>, CredentialError> {
        let der: Result<PublicKeyX509Der<'static>, _> = self.pair.public_key().as_der();
        der.map(|der| der.as_ref().to_vec()).map_err(|_| CredentialError::NotOpened)
    }

    /// Signs `message` with ECDSA and SHA-256; the signature is DER (RFC 3279), as TLS and X.509
    /// want it.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CredentialError> {
        let signature = self.pair.sign(&SystemRandom::new(), message);
        signature.map(|s| s.as_ref().to_vec()).map_err(|_| RngUnavailable.into())
    }
}

impl Strongroom {
    /// The TLS key of this name (`authority`, `server`, …), made on first use and kept in the root.
    ///
    /// # Errors
    /// When the root does not give or take it.
    pub fn tls_key(&self, name: &str) -> Result<TlsKey, CredentialError> {
        if let Some(wrapped) = self.tls_slot(name) {
            let der = self.open_tls_slot(name, &wrapped)?;
            return tls_key(&der);
        }
        self.replace_tls_key(name)
    }

    /// Makes a new TLS key of this name; the old one is gone when the root is on disk.
    ///
    /// # Errors
    /// When the root does not take it or there is no randomness.
    pub fn replace_tls_key(&self, name: &str) -> Result<TlsKey, CredentialError> {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| RngUnavailable)?;
        let der = pair.to_pkcs8v1().map_err(|_| RngUnavailable)?;
        self.put_tls_slot(name, der.as_ref())?;
        Ok(TlsKey { pair: Arc::new(pair) })
    }

    /// Seals a small secret of ours for one purpose (`sink/hec-token`, say); the caller stores it.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal_bytes(&self, purpose: &str, bytes: &[u8]) -> Result<Vec<u8>, CredentialError> {
        Ok(self.credential_keys().seal(&[], purpose.as_bytes(), bytes)?)
    }

    /// Opens what was sealed for the same purpose.
    ///
    /// # Errors
    /// [`CredentialError::NotOpened`] for anything else.
    pub fn open_bytes(
        &self,
        purpose: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
        let opened = self.credential_keys().open(purpose.as_bytes(), sealed);
        opened.map_err(|_| CredentialError::NotOpened)
    }

    fn credential_keys(&self) -> MessageKeys {
        MessageKeys::of(Label::Credential, self.inner.barrier.as_slice(), &[])
    }
}

fn tls_key(der: &[u8]) -> Result<TlsKey, CredentialError> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der)
        .map_err(|_| CredentialError::NotOpened)?;
    Ok(TlsKey { pair: Arc::new(pair) })
}
