//! Whom remote stores are believed to be: an authority that the setting names, or this machine's
//! own.

use super::SourceError;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Where distributions keep the authorities that the machine believes.
const MACHINE: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// The file of the machine's own authorities.
pub(super) fn machine_authorities() -> Option<&'static Path> {
    MACHINE.iter().map(Path::new).find(|path| path.is_file())
}

/// Settings of a client that believes this authority (PEM, one or more certificates) and no other,
/// or those of the machine.
pub(super) fn client(authority: Option<&str>) -> Result<ClientConfig, SourceError> {
    let wrong = || SourceError::Setting("authority");
    let mut roots = RootCertStore::empty();
    if let Some(pem) = authority {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots.add(certificate.map_err(|_| wrong())?).map_err(|_| wrong())?;
        }
        if roots.is_empty() {
            return Err(wrong());
        }
    } else if let Some(path) = machine_authorities() {
        let all = CertificateDer::pem_file_iter(path).map_err(|_| wrong())?;
        // A bundle may hold old certificates that the library does not take; the others count.
        let _ = roots.add_parsable_certificates(all.flatten());
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let settings = versions.map_err(|_| wrong())?.with_root_certificates(roots);
    Ok(settings.with_no_client_auth())
}

/// Whether a host is this machine itself, to which alone anything goes unencrypted unasked.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_none_is_refused() {
        for pem in [
            "",
            "not a certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert!(matches!(client(Some(pem)), Err(SourceError::Setting("authority"))), "{pem}");
        }
        assert!(client(None).is_ok());
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "10.0.0.1", "127.0.0.1.example", "128.0.0.1", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
