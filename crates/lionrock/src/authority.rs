//! Our own certificate authority and the certificate by which the listener proves itself.
//!
//! The authority's private key never leaves the strongroom, which signs with it by handle.
//! The listener's private key lies in a file of its own (mode 0600), because a sealed server must
//! speak TLS too; it signs nothing but handshakes and is replaced at every renewal.

use kernel::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm, SigningKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Life of the authority: ten years.
const AUTHORITY_DAYS: i64 = 3_650;
/// Life of a listener's certificate: 397 days, the longest that browsers accept.
const LISTENER_DAYS: i64 = 397;
/// A certificate with less time left than this is renewed.
pub const RENEWAL_DAYS: i64 = 30;
/// Clocks of clients may be behind ours by this much.
const BACKDATED_DAYS: i64 = 1;

/// Why no certificate was made or read.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The library refused.
    #[error("the certificate could not be made")]
    Make(#[from] rcgen::Error),
    /// A stored certificate cannot be read.
    #[error("the stored certificate `{0}` is damaged")]
    Damaged(&'static str),
}

/// The authority's key in the strongroom, as the certificate library wants to see it.
#[derive(Debug)]
pub struct AuthorityKey(strongroom::TlsKey);

impl AuthorityKey {
    /// The key with this name, made on first use.
    ///
    /// # Errors
    /// When the root does not give or take it.
    pub fn of(room: &strongroom::Strongroom) -> Result<Self, strongroom::CredentialError> {
        room.tls_key("authority").map(Self)
    }
}

impl PublicKeyData for AuthorityKey {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_point()
    }
    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for AuthorityKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// What the listener shows and proves.
pub struct ListenerIdentity {
    /// Its certificate in DER.
    pub certificate: CertificateDer<'static>,
    /// Its private key in PKCS #8.
    pub key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for ListenerIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ListenerIdentity")
    }
}

fn day(at: Timestamp, days: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.plus_days(days).unix_seconds())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Makes the certificate of an authority that signs only certificates of leaves.
///
/// # Errors
/// When the library refuses.
pub fn create(
    name: &str,
    key: &impl SigningKey,
    now: Timestamp,
) -> Result<CertificateDer<'static>, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = day(now, -BACKDATED_DAYS);
    params.not_after = day(now, AUTHORITY_DAYS);
    Ok(params.self_signed(key)?.der().clone())
}

/// Issues a new key and certificate for the listener, valid for these names and addresses.
///
/// # Errors
/// When the authority cannot be read or the library refuses.
pub fn issue_listener(
    authority: &CertificateDer<'_>,
    authority_key: impl SigningKey,
    names: &[String],
    now: Timestamp,
) -> Result<ListenerIdentity, AuthorityError> {
    let issuer = Issuer::from_ca_cert_der(authority, authority_key)?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(names.to_vec())?;
    let first = names.first().map_or("lionrock", String::as_str);
    params.distinguished_name.push(DnType::CommonName, first);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ServerAuth);
    params.use_authority_key_identifier_extension = true;
    params.not_before = day(now, -BACKDATED_DAYS);
    params.not_after = day(now, LISTENER_DAYS);
    let certificate = params.signed_by(&key, &issuer)?.der().clone();
    Ok(ListenerIdentity { certificate, key: Zeroizing::new(key.serialize_der()) })
}

impl ListenerIdentity {
    /// The key for the TLS library, which keeps its own copy.
    #[must_use]
    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.to_vec()))
    }

    /// When the certificate ends.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn ends(&self) -> Result<Timestamp, AuthorityError> {
        ends(&self.certificate)
    }
}

/// When a certificate ends.
///
/// # Errors
/// When it cannot be read.
pub fn ends(certificate: &CertificateDer<'_>) -> Result<Timestamp, AuthorityError> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|_| AuthorityError::Damaged("listener.crt"))?;
    let seconds = parsed.validity().not_after.timestamp();
    Ok(Timestamp::EPOCH.plus_seconds(seconds))
}

/// When a certificate begins to count.
///
/// # Errors
/// When it cannot be read.
pub fn begins(certificate: &CertificateDer<'_>) -> Result<Timestamp, AuthorityError> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|_| AuthorityError::Damaged("listener.crt"))?;
    Ok(Timestamp::EPOCH.plus_seconds(parsed.validity().not_before.timestamp()))
}

/// A certificate as PEM, for people and browsers.
#[must_use]
pub fn pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.encode(certificate);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in body.as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_issued_by_the_authority_for_its_names() {
        let now = Timestamp::parse_rfc3339("2026-11-21T00:00:00Z").unwrap();
        let key = KeyPair::generate().unwrap();
        let authority = create("Lionrock authority", &key, now).unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let listener = issue_listener(&authority, key, &names, now).unwrap();
        assert_eq!(listener.ends().unwrap(), now.plus_days(LISTENER_DAYS));
        let (_, leaf) = x509_parser::parse_x509_certificate(&listener.certificate).unwrap();
        let (_, root) = x509_parser::parse_x509_certificate(&authority).unwrap();
        assert_eq!(leaf.issuer(), root.subject());
        assert!(!leaf.is_ca() && root.is_ca());
        let names = leaf.subject_alternative_name().unwrap().unwrap();
        assert_eq!(names.value.general_names.len(), 2);
        assert!(pem(&authority).lines().all(|line| line.len() <= 64));
    }
}
