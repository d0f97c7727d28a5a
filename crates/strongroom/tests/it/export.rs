//! Exported keys open with the steps that the documentation gives, and with nothing else.

use crate::hall::{Hall, shown};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_lc_rs::{digest, hmac};
use kernel::actions as a;
use strongroom::{Algorithm, KeyError};

fn unwrap_with(kek: &[u8], wrapped: &[u8]) -> Vec<u8> {
    let mut out = vec![0; wrapped.len()];
    let kek = AesKek::new(&AES_256, kek).unwrap();
    kek.unwrap_with_padding(wrapped, &mut out).unwrap().to_vec()
}

struct Recipient {
    private: OaepPrivateDecryptingKey,
    public_der: Vec<u8>,
}

impl Recipient {
    fn new() -> Self {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let der: PublicKeyX509Der<'_> = private.public_key().as_der().unwrap();
        let public_der = der.as_ref().to_vec();
        let again: Pkcs8V1Der<'_> = private.as_der().unwrap();
        let private = PrivateDecryptingKey::from_pkcs8(again.as_ref()).unwrap();
        Self { private: OaepPrivateDecryptingKey::new(private).unwrap(), public_der }
    }

    fn open(&self, exported: &[u8]) -> Vec<u8> {
        let (block, wrapped) = exported.split_at(self.private.key_size_bytes());
        let mut kek = vec![0; self.private.min_output_size()];
        let oaep = &OAEP_SHA256_MGF1SHA256;
        let kek = self.private.decrypt(oaep, block, &mut kek, None).unwrap();
        unwrap_with(kek, wrapped)
    }
}

#[test]
fn a_recipient_opens_an_exported_key_with_rsa_and_aes_key_wrap() {
    let hall = Hall::new();
    let recipient = Recipient::new();
    let key = hall.key(Algorithm::HmacSha384);
    let permit = hall.permit::<a::KeyExport>(key.slot());
    let exported = shown(key.export_to_rsa(&permit, &recipient.public_der).unwrap());
    let raw = recipient.open(&exported);
    let theirs = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA384, &raw), b"message");
    let ours = key.mac(&hall.permit::<a::KeyMac>(key.slot()), b"message").unwrap();
    assert_eq!(theirs.as_ref(), ours);
    assert_eq!(exported.len(), 256 + 48 + 8);

    let slot = hall.slot();
    let stored = hall.generate(slot, Algorithm::Ed25519);
    let key = hall.room.open_key(slot, Algorithm::Ed25519, &stored.wrapped).unwrap();
    let permit = hall.permit::<a::KeyExport>(slot);
    let exported = shown(key.export_to_rsa(&permit, &recipient.public_der).unwrap());
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&recipient.open(&exported)).unwrap();
    assert!(stored.public_der.unwrap().ends_with(pair.public_key().as_ref()));
}

#[test]
fn a_key_travels_under_a_wrapping_key_that_travelled_before() {
    let hall = Hall::new();
    let recipient = Recipient::new();
    let wrapping = hall.key(Algorithm::Aes256Kwp);
    let permit = hall.permit::<a::KeyExport>(wrapping.slot());
    let exported = shown(wrapping.export_to_rsa(&permit, &recipient.public_der).unwrap());
    let kek = recipient.open(&exported);
    let key = hall.key(Algorithm::EcdsaP256);
    let export = hall.permit::<a::KeyExport>(key.slot());
    let wrap = hall.permit::<a::KeyEncrypt>(wrapping.slot());
    let wrapped = shown(key.export_under(&export, &wrapping, &wrap).unwrap());
    let der = unwrap_with(&kek, &wrapped);
    let curve = &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
    assert!(aws_lc_rs::signature::EcdsaKeyPair::from_pkcs8(curve, &der).is_ok());

    let wrong = hall.permit::<a::KeyEncrypt>(key.slot());
    let refused = key.export_under(&export, &wrapping, &wrong);
    assert!(matches!(refused, Err(KeyError::WrongPermit)));
    let cipher = hall.key(Algorithm::Aes256Gcm);
    let wrap = hall.permit::<a::KeyEncrypt>(cipher.slot());
    let refused = key.export_under(&export, &cipher, &wrap);
    assert!(matches!(refused, Err(KeyError::NotCapable { .. })));
}

#[test]
fn a_weak_or_senseless_recipient_is_refused() {
    let hall = Hall::new();
    let key = hall.key(Algorithm::Aes256Gcm);
    let permit = hall.permit::<a::KeyExport>(key.slot());
    let sha = digest::digest(&digest::SHA256, b"not a key");
    for bad in [&[][..], sha.as_ref(), &[0x30; 2_048]] {
        let refused = key.export_to_rsa(&permit, bad);
        assert!(matches!(refused, Err(KeyError::Malformed { field: "recipient", .. })));
    }
    let refused = key.export_to_rsa(&permit, &[0x30; 2_049]);
    assert!(matches!(refused, Err(KeyError::TooLarge { field: "recipient", .. })));
}
