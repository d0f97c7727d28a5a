//! The listener's identity: made on the first start, renewed in its last thirty days.

use super::Installation;
use crate::authority::{self, AuthorityError, AuthorityKey, ListenerIdentity};
use crate::folder::FolderError;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use strongroom::{CredentialError, Strongroom};
use zeroize::Zeroizing;

/// The certificate of the authority, for clients.
pub const AUTHORITY_FILE: &str = "authority.crt";
const LISTENER_FILE: &str = "listener.crt";
const LISTENER_KEY_FILE: &str = "listener.key";

/// Why the listener has no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The data folder does not give or take a file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A certificate cannot be made or read.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The strongroom does not give the authority's key.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// There is none yet, and the seal must be opened to make one.
    #[error("the listener has no certificate yet: the first start must open the seal")]
    Sealed,
}

/// What the listener shows, and who vouches for it.
#[derive(Debug)]
pub struct Identity {
    /// The authority's certificate.
    pub authority: CertificateDer<'static>,
    /// The listener's certificate and key.
    pub listener: ListenerIdentity,
}

impl Installation {
    /// The identity in the data folder; made or renewed if need be, for which the root must be
    /// open.
    ///
    /// # Errors
    /// When there is none and the seal is closed, or a file cannot be read or written.
    pub fn identity(&self, room: Option<&Strongroom>) -> Result<Identity, IdentityError> {
        let stored = self.stored_identity()?;
        let now = self.clock.wall();
        let lasts = |identity: &Identity| {
            let ends = identity.listener.ends()?;
            // One that was issued while the clock stood in the future counts for nobody yet.
            let begins = authority::begins(&identity.listener.certificate)?;
            let last = now.plus_days(authority::RENEWAL_DAYS);
            Ok::<bool, AuthorityError>(begins <= now && ends > last)
        };
        match (stored, room) {
            (Some(identity), _) if lasts(&identity)? => Ok(identity),
            // Better an old certificate than no way to unseal.
            (Some(identity), None) => Ok(identity),
            (stored, Some(room)) => {
                let authority = stored.map(|identity| identity.authority);
                self.issue(authority, room)
            }
            (None, None) => Err(IdentityError::Sealed),
        }
    }

    fn stored_identity(&self) -> Result<Option<Identity>, IdentityError> {
        let (authority, listener, key) = (
            self.folder.read(AUTHORITY_FILE)?,
            self.folder.read(LISTENER_FILE)?,
            self.folder.read(LISTENER_KEY_FILE)?,
        );
        let (Some(authority), Some(listener), Some(key)) = (authority, listener, key) else {
            return Ok(None);
        };
        let pem = |bytes: &[u8], file| {
            CertificateDer::from_pem_slice(bytes).map_err(|_| AuthorityError::Damaged(file))
        };
        let authority = pem(&authority, AUTHORITY_FILE)?;
        let certificate = pem(&listener, LISTENER_FILE)?;
        let key = Zeroizing::new(key);
        Ok(Some(Identity { authority, listener: ListenerIdentity { certificate, key } }))
    }

    fn issue(
        &self,
        authority: Option<CertificateDer<'static>>,
        room: &Strongroom,
    ) -> Result<Identity, IdentityError> {
        let key = AuthorityKey::of(room)?;
        let now = self.clock.wall();
        let authority = match authority {
            Some(authority) => authority,
            None => {
                let name = format!("Lionrock authority, {}", self.config.origin);
                authority::create(&name, &key, now)?
            }
        };
        let listener = authority::issue_listener(&authority, key, &self.config.names, now)?;
        // The key last: with it the three files are one identity.
        self.folder.write_private(AUTHORITY_FILE, authority::pem(&authority).as_bytes())?;
        let certificate = authority::pem(&listener.certificate);
        self.folder.write_private(LISTENER_FILE, certificate.as_bytes())?;
        self.folder.write_private(LISTENER_KEY_FILE, &listener.key)?;
        tracing::info!(ends = %listener.ends()?, "a certificate for the listener was issued");
        Ok(Identity { authority, listener })
    }
}
