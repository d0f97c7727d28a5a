//! Key material: made, wrapped, unwrapped and expanded into what aws-lc computes with.
//!
//! A wrapped key is `1 ‖ algorithm[1] ‖ shred id[8] ‖ salt[16] ‖ ciphertext ‖ tag[16]`, sealed with
//! AES-256-GCM under a key derived from the shred key and the salt, bound to this header and to the
//! slot. Plain material is raw bytes for symmetric keys, Ed25519 and X25519 seeds, the expanded
//! decapsulation key of FIPS 203 for ML-KEM, and PKCS #8 (RFC 5208) for everything else.

use crate::algorithm::Algorithm;
use crate::derive::{Cipher, Label, MessageKeys, NotOpened};
use crate::random::SystemRng;
use crate::root::ShredId;
use crate::shred::ShredKey;
use crate::slot::Slot;
use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, PqdsaKeyPair,
    PqdsaSigningAlgorithm,
};
use aws_lc_rs::{agreement, hmac, kem, rsa};
use kernel::{Rng, RngUnavailable};
use zeroize::Zeroizing;

const FORMAT: u8 = 1;
const HEADER_LEN: usize = 10;
/// The code of a personal-data key, which has no algorithm to choose.
pub(crate) const PERSONAL_CODE: u8 = 0;

/// Plain material as it came out of its wrapping.
pub(crate) struct Opened {
    pub(crate) code: u8,
    pub(crate) secret: Zeroizing<Vec<u8>>,
}

/// The shred key that a wrapped key needs; `None` when it is not a wrapped key of ours.
#[must_use]
pub fn wrapped_under(wrapped: &[u8]) -> Option<ShredId> {
    let (header, _) = wrapped.split_at_checked(HEADER_LEN)?;
    let (FORMAT, id) = (*header.first()?, header.get(2..)?) else { return None };
    Some(ShredId(u64::from_be_bytes(id.try_into().ok()?)))
}

pub(crate) fn wrap(
    shred: &ShredKey,
    slot: &Slot,
    code: u8,
    secret: &[u8],
) -> Result<Vec<u8>, RngUnavailable> {
    let mut header = Vec::with_capacity(64);
    header.extend_from_slice(&[FORMAT, code]);
    header.extend_from_slice(&shred.id.0.to_be_bytes());
    let mut aad = header.clone();
    slot.bind(&mut aad);
    shred.keys.seal(&header, &aad, secret)
}

pub(crate) fn unwrap(shred: &ShredKey, slot: &Slot, wrapped: &[u8]) -> Result<Opened, NotOpened> {
    let (header, sealed) = wrapped.split_at_checked(HEADER_LEN).ok_or(NotOpened)?;
    if wrapped_under(wrapped) != Some(shred.id)
        || slot.domain() != shred.domain
        || slot.family() != shred.family
    {
        return Err(NotOpened);
    }
    let mut aad = header.to_vec();
    slot.bind(&mut aad);
    let secret = shred.keys.open(&aad, sealed)?;
    Ok(Opened { code: *header.get(1).ok_or(NotOpened)?, secret })
}

/// New material with its public half.
pub(crate) struct Fresh {
    pub(crate) secret: Zeroizing<Vec<u8>>,
    pub(crate) public_der: Option<Vec<u8>>,
}

impl Fresh {
    fn pair(secret: &[u8], public_der: &[u8]) -> Self {
        Self { secret: Zeroizing::new(secret.to_vec()), public_der: Some(public_der.to_vec()) }
    }
}

fn public_der(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Result<Vec<u8>, Unspecified> {
    Ok(key.as_der()?.as_ref().to_vec())
}

/// Makes material for `algorithm` from the machine's generator.
pub(crate) fn generate(algorithm: Algorithm) -> Result<Fresh, Unspecified> {
    match kind(algorithm) {
        Kind::Raw(length) => {
            let mut secret = Zeroizing::new(vec![0; length]);
            SystemRng.fill(&mut secret).map_err(|_| Unspecified)?;
            Ok(Fresh { secret, public_der: None })
        }
        Kind::Rsa(size, _) => {
            let pair = RsaKeyPair::generate(size)?;
            let secret = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?;
            Ok(Fresh::pair(secret.as_ref(), &public_der(pair.public_key())?))
        }
        Kind::Ecdsa(curve) => {
            let pair = EcdsaKeyPair::generate(curve)?;
            let secret = pair.to_pkcs8v1()?;
            Ok(Fresh::pair(secret.as_ref(), &public_der(pair.public_key())?))
        }
        Kind::Ecdh(curve) => {
            let pair = agreement::PrivateKey::generate(curve)?;
            let secret = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?;
            Ok(Fresh::pair(secret.as_ref(), &public_der(&pair.compute_public_key()?)?))
        }
        Kind::X25519 => {
            let pair = agreement::PrivateKey::generate(&agreement::X25519)?;
            let secret = AsBigEndian::<Curve25519SeedBin<'_>>::as_be_bytes(&pair)?;
            Ok(Fresh::pair(secret.as_ref(), &public_der(&pair.compute_public_key()?)?))
        }
        Kind::Ed25519 => {
            let pair = Ed25519KeyPair::generate()?;
            let seed = pair.seed()?;
            let secret = AsBigEndian::<Curve25519SeedBin<'_>>::as_be_bytes(&seed)?;
            Ok(Fresh::pair(secret.as_ref(), &public_der(pair.public_key())?))
        }
        Kind::MlKem(set) => {
            let pair = kem::DecapsulationKey::generate(set.algorithm)?;
            let public = pair.encapsulation_key()?.key_bytes()?;
            let der = set.public_der(public.as_ref());
            Ok(Fresh::pair(pair.key_bytes()?.as_ref(), &der))
        }
        Kind::MlDsa(set) => {
            let pair = PqdsaKeyPair::generate(set)?;
            let secret = pair.to_pkcs8v1()?;
            Ok(Fresh::pair(secret.as_ref(), &public_der(pair.public_key())?))
        }
    }
}

/// What aws-lc computes with; its own memory is wiped when dropped.
pub(crate) enum Expanded {
    Message(MessageKeys),
    Wrap(Zeroizing<Vec<u8>>),
    Mac(hmac::Key),
    RsaSign(Box<RsaKeyPair>),
    RsaOaep(rsa::OaepPrivateDecryptingKey, rsa::OaepPublicEncryptingKey),
    Ecdsa(Box<EcdsaKeyPair>),
    Agree(agreement::PrivateKey),
    Ed25519(Box<Ed25519KeyPair>),
    MlKem(kem::DecapsulationKey, kem::EncapsulationKey),
    MlDsa(Box<PqdsaKeyPair>),
}

/// Expands material; refused when it is not of this algorithm.
pub(crate) fn expand(algorithm: Algorithm, secret: &[u8]) -> Result<Expanded, NotOpened> {
    let message = |cipher| Expanded::Message(MessageKeys::new(Label::Message, secret, cipher));
    let mac = |algorithm| Expanded::Mac(hmac::Key::new(algorithm, secret));
    Ok(match kind(algorithm) {
        Kind::Raw(length) => {
            if secret.len() != length {
                return Err(NotOpened);
            }
            match algorithm {
                Algorithm::Aes128Gcm => message(Cipher::Aes128Gcm),
                Algorithm::Aes256Gcm => message(Cipher::Aes256Gcm),
                Algorithm::ChaCha20Poly1305 => message(Cipher::ChaCha20Poly1305),
                Algorithm::HmacSha256 => mac(hmac::HMAC_SHA256),
                Algorithm::HmacSha384 => mac(hmac::HMAC_SHA384),
                Algorithm::HmacSha512 => mac(hmac::HMAC_SHA512),
                _ => Expanded::Wrap(Zeroizing::new(secret.to_vec())),
            }
        }
        Kind::Rsa(_, RsaUse::Sign) => Expanded::RsaSign(Box::new(RsaKeyPair::from_pkcs8(secret)?)),
        Kind::Rsa(_, RsaUse::Decrypt) => {
            let private = rsa::PrivateDecryptingKey::from_pkcs8(secret)?;
            let public = rsa::OaepPublicEncryptingKey::new(private.public_key())?;
            Expanded::RsaOaep(rsa::OaepPrivateDecryptingKey::new(private)?, public)
        }
        Kind::Ecdsa(curve) => Expanded::Ecdsa(Box::new(EcdsaKeyPair::from_pkcs8(curve, secret)?)),
        Kind::Ecdh(curve) => {
            Expanded::Agree(agreement::PrivateKey::from_private_key_der(curve, secret)?)
        }
        Kind::X25519 => {
            Expanded::Agree(agreement::PrivateKey::from_private_key(&agreement::X25519, secret)?)
        }
        Kind::Ed25519 => Expanded::Ed25519(Box::new(Ed25519KeyPair::from_seed_unchecked(secret)?)),
        Kind::MlKem(set) => {
            let public = set.public_part(secret).ok_or(NotOpened)?;
            Expanded::MlKem(
                kem::DecapsulationKey::new(set.algorithm, secret)?,
                kem::EncapsulationKey::new(set.algorithm, public)?,
            )
        }
        Kind::MlDsa(set) => Expanded::MlDsa(Box::new(PqdsaKeyPair::from_pkcs8(set, secret)?)),
    })
}

/// Material in the form in which it may be exported: raw for symmetric keys, PKCS #8 for key pairs.
pub(crate) fn export_form(
    algorithm: Algorithm,
    secret: &[u8],
) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
    // RFC 8410, section 7: PrivateKeyInfo with the seed as a nested OCTET STRING.
    let curve25519 = |last_of_oid: u8| {
        let mut der = Vec::with_capacity(48);
        der.extend_from_slice(&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, last_of_oid]);
        der.extend_from_slice(&[4, 0x22, 4, 0x20]);
        der.extend_from_slice(secret);
        der
    };
    let bytes = match kind(algorithm) {
        Kind::Ed25519 => curve25519(0x70),
        Kind::X25519 => curve25519(0x6e),
        Kind::MlKem(_) => return Err(NotOpened),
        _ => secret.to_vec(),
    };
    Ok(Zeroizing::new(bytes))
}

#[derive(Clone, Copy)]
enum RsaUse {
    Sign,
    Decrypt,
}

enum Kind {
    Raw(usize),
    Rsa(KeySize, RsaUse),
    Ecdsa(&'static EcdsaSigningAlgorithm),
    Ecdh(&'static agreement::Algorithm),
    X25519,
    Ed25519,
    MlKem(MlKemSet),
    MlDsa(&'static PqdsaSigningAlgorithm),
}

const fn kind(algorithm: Algorithm) -> Kind {
    use Algorithm as A;
    match algorithm {
        A::Aes128Gcm => Kind::Raw(16),
        A::Aes256Gcm | A::ChaCha20Poly1305 | A::Aes256Kwp | A::HmacSha256 => Kind::Raw(32),
        A::HmacSha384 => Kind::Raw(48),
        A::HmacSha512 => Kind::Raw(64),
        A::RsaSign2048 => Kind::Rsa(KeySize::Rsa2048, RsaUse::Sign),
        A::RsaSign3072 => Kind::Rsa(KeySize::Rsa3072, RsaUse::Sign),
        A::RsaSign4096 => Kind::Rsa(KeySize::Rsa4096, RsaUse::Sign),
        A::RsaOaep2048 => Kind::Rsa(KeySize::Rsa2048, RsaUse::Decrypt),
        A::RsaOaep3072 => Kind::Rsa(KeySize::Rsa3072, RsaUse::Decrypt),
        A::RsaOaep4096 => Kind::Rsa(KeySize::Rsa4096, RsaUse::Decrypt),
        A::EcdsaP256 => Kind::Ecdsa(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
        A::EcdsaP384 => Kind::Ecdsa(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
        A::EcdsaP521 => Kind::Ecdsa(&signature::ECDSA_P521_SHA512_ASN1_SIGNING),
        A::EcdhP256 => Kind::Ecdh(&agreement::ECDH_P256),
        A::EcdhP384 => Kind::Ecdh(&agreement::ECDH_P384),
        A::EcdhP521 => Kind::Ecdh(&agreement::ECDH_P521),
        A::Ed25519 => Kind::Ed25519,
        A::X25519 => Kind::X25519,
        A::MlKem768 => Kind::MlKem(ML_KEM_768),
        A::MlKem1024 => Kind::MlKem(ML_KEM_1024),
        A::MlDsa44 => Kind::MlDsa(&signature::ML_DSA_44_SIGNING),
        A::MlDsa65 => Kind::MlDsa(&signature::ML_DSA_65_SIGNING),
        A::MlDsa87 => Kind::MlDsa(&signature::ML_DSA_87_SIGNING),
    }
}

/// A parameter set of FIPS 203, table 2.
#[derive(Clone, Copy)]
struct MlKemSet {
    algorithm: &'static kem::Algorithm,
    /// Length of the part of the decapsulation key before the encapsulation key: 384 k.
    before: usize,
    /// Last byte of the object identifier 2.16.840.1.101.3.4.4.x (RFC 9935).
    oid_last: u8,
}

const ML_KEM_768: MlKemSet = MlKemSet { algorithm: &kem::ML_KEM_768, before: 1_152, oid_last: 2 };
const ML_KEM_1024: MlKemSet = MlKemSet { algorithm: &kem::ML_KEM_1024, before: 1_536, oid_last: 3 };

impl MlKemSet {
    /// The encapsulation key inside an expanded decapsulation key (FIPS 203, algorithm 16).
    fn public_part(self, secret: &[u8]) -> Option<&[u8]> {
        secret.get(self.before..self.before + self.before + 32)
    }

    /// SubjectPublicKeyInfo (RFC 9935, section 4).
    fn public_der(self, public: &[u8]) -> Vec<u8> {
        let oid = [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, self.oid_last];
        let mut algorithm = vec![0x30, 11];
        algorithm.extend_from_slice(&oid);
        let mut body = algorithm;
        push_long(&mut body, 3, public.len() + 1);
        body.push(0);
        body.extend_from_slice(public);
        let mut der = Vec::with_capacity(body.len() + 4);
        push_long(&mut der, 0x30, body.len());
        der.extend_from_slice(&body);
        der
    }
}

/// A DER tag with a length of 256 to 65,535.
fn push_long(out: &mut Vec<u8>, tag: u8, length: usize) {
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    out.extend_from_slice(&[tag, 0x82]);
    out.extend_from_slice(&length.to_be_bytes());
}

impl From<Unspecified> for NotOpened {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl From<KeyRejected> for NotOpened {
    fn from(_: KeyRejected) -> Self {
        Self
    }
}
