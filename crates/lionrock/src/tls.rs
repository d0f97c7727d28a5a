//! TLS: what we speak and whom we believe.
//!
//! TLS 1.3 with the hybrid post-quantum group X25519MLKEM768 preferred; TLS 1.2 for old clients,
//! with ephemeral keys and AEAD suites only (the library has no others). A client may show a
//! certificate of our own authority or of one that the configuration names; whose it is, `access`
//! says.

use kernel::Clock;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use crate::authority::ListenerIdentity;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The library refused a key, a certificate or a setting.
    #[error("the TLS settings do not fit together")]
    Settings(#[from] rustls::Error),
    /// The authority cannot be used to check clients.
    #[error("the authority's certificate cannot be used")]
    Authority(#[from] rustls::server::VerifierBuilderError),
}

/// Protocols offered in the handshake, best first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The certificate that the listener shows; can be replaced while it listens.
pub struct Shown {
    current: RwLock<Arc<CertifiedKey>>,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}

fn certified(
    identity: &ListenerIdentity,
    authority: &CertificateDer<'static>,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = vec![identity.certificate.clone(), authority.clone()];
    Ok(Arc::new(CertifiedKey::from_der(chain, identity.private_key(), &provider())?))
}

impl Shown {
    /// Shows this identity.
    ///
    /// # Errors
    /// When key and certificate do not fit together.
    pub fn new(
        identity: &ListenerIdentity,
        authority: &CertificateDer<'static>,
    ) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self { current: RwLock::new(certified(identity, authority)?) }))
    }

    /// Shows another identity from the next handshake on.
    ///
    /// # Errors
    /// When key and certificate do not fit together.
    pub fn replace(
        &self,
        identity: &ListenerIdentity,
        authority: &CertificateDer<'static>,
    ) -> Result<(), TlsError> {
        let next = certified(identity, authority)?;
        if let Ok(mut current) = self.current.write() {
            *current = next;
        }
        Ok(())
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.read().ok().map(|current| Arc::clone(&current))
    }
}

struct OurTime(Arc<dyn Clock>);

impl fmt::Debug for OurTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OurTime")
    }
}

impl TimeProvider for OurTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.wall().unix_seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

/// Settings of the listener; `of_clients` are authorities beside our own whose client certificates
/// are looked at.
///
/// # Errors
/// When the authority cannot be used to check clients.
pub fn server(
    shown: Arc<Shown>,
    authority: &CertificateDer<'static>,
    of_clients: &[CertificateDer<'static>],
    clock: Arc<dyn Clock>,
) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(provider());
    let mut believed = roots(authority)?;
    for authority in of_clients {
        believed.add(authority.clone())?;
    }
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(believed), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()?;
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(OurTime(clock)))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(shown);
    config.alpn_protocols = ALPN.iter().map(|name| name.to_vec()).collect();
    // Early data can be replayed by whoever recorded it.
    config.max_early_data_size = 0;
    Ok(config)
}

/// Settings of a client that believes this authority and no other.
///
/// # Errors
/// When the authority cannot be used.
pub fn client(
    authority: &CertificateDer<'static>,
    clock: Arc<dyn Clock>,
) -> Result<ClientConfig, TlsError> {
    Ok(ClientConfig::builder_with_details(Arc::new(provider()), Arc::new(OurTime(clock)))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(authority)?)
        .with_no_client_auth())
}

fn roots(authority: &CertificateDer<'static>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    Ok(roots)
}
