//! Power-on self-tests: known answers, run each time before a root opens; a few milliseconds.
//!
//! Answers come from the standards where they print one. For ML-KEM and ML-DSA, whose standards
//! print none, two implementations that are not ours (OpenSSL 4 and pure-Python ones) agree on them
//! for the seeds 0, 1, 2 …; the RSA signature is OpenSSL's. `vectors/` holds the long ones:
//!
//! * `ml-kem-768.bin`: decapsulation key ‖ ciphertext
//! * `ml-dsa-44.bin`: public key ‖ signature of `sample`
//! * `rsa-2048.bin`: RSAPublicKey in DER ‖ PKCS #1 v1.5 signature of `sample` with SHA-256

use crate::derive::hkdf_sha256;
use crate::export::kwp_wrap;
use crate::random::random_array;
use argon2::{Argon2, AssociatedData, ParamsBuilder};
use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, ML_KEM_768};
use aws_lc_rs::signature::{
    self, Ed25519KeyPair, KeyPair, ML_DSA_65_SIGNING, PqdsaKeyPair, VerificationAlgorithm,
};
use aws_lc_rs::{digest, hmac};
use kernel::{Problem, ProblemKind};

/// A known answer did not come out: the machine or the library computes wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the self-test of `{0}` failed; no key is opened on this machine")]
pub struct SelfTestFailed(pub &'static str);

impl From<SelfTestFailed> for Problem {
    fn from(cause: SelfTestFailed) -> Self {
        Self::new(ProblemKind::Unavailable, "self-test-failed", cause.to_string())
    }
}

type SelfTest = (&'static str, fn() -> Option<bool>);

const SELF_TESTS: [SelfTest; 15] = [
    ("sha-256", sha_256),
    ("hmac-sha-256", hmac_sha_256),
    ("hmac-sha-1", hmac_sha_1),
    ("hkdf-sha-256", hkdf),
    ("aes-128-gcm", aes_128_gcm),
    ("aes-256-gcm", aes_256_gcm),
    ("chacha20-poly1305", chacha20_poly1305),
    ("aes-256-kwp", aes_256_kwp),
    ("argon2id", argon2id),
    ("ed25519", ed25519),
    ("ecdsa-p-256", ecdsa_p_256),
    ("rsa-2048", rsa_2048),
    ("ml-kem-768", ml_kem_768),
    ("ml-dsa", ml_dsa),
    ("random", random),
];

/// Runs every self-test.
///
/// # Errors
/// The first one that fails.
pub fn self_test() -> Result<(), SelfTestFailed> {
    run(&SELF_TESTS)
}

fn run(tests: &[SelfTest]) -> Result<(), SelfTestFailed> {
    let failed = tests.iter().find(|(_, test)| test() != Some(true));
    failed.map_or(Ok(()), |(name, _)| Err(SelfTestFailed(name)))
}

fn is(got: &[u8], wanted_hex: &str) -> Option<bool> {
    Some(got == unhex(wanted_hex)?)
}

/// FIPS 180-4, the example `abc`.
fn sha_256() -> Option<bool> {
    let got = digest::digest(&digest::SHA256, b"abc");
    is(got.as_ref(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
}

/// RFC 4231, test case 2.
fn hmac_sha_256() -> Option<bool> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
    let got = hmac::sign(&key, b"what do ya want for nothing?");
    is(got.as_ref(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
}

/// RFC 2202, test case 2.
fn hmac_sha_1() -> Option<bool> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"Jefe");
    let got = hmac::sign(&key, b"what do ya want for nothing?");
    is(got.as_ref(), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
}

/// RFC 5869, test case 3 (no salt, no info).
fn hkdf() -> Option<bool> {
    let got = hkdf_sha256(&[0x0b; 22], b"", 42)?;
    is(&got, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
}

/// McGrew and Viega, GCM test case 2.
fn aes_128_gcm() -> Option<bool> {
    let got = seal(&aead::AES_128_GCM, &[0; 16], [0; 12], b"", &[0; 16])?;
    is(&got, "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf")
}

/// McGrew and Viega, GCM test case 14.
fn aes_256_gcm() -> Option<bool> {
    let got = seal(&aead::AES_256_GCM, &[0; 32], [0; 12], b"", &[0; 16])?;
    is(&got, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
}

/// RFC 8439, section 2.8.2: the tag speaks for the ciphertext.
fn chacha20_poly1305() -> Option<bool> {
    let key: Vec<u8> = (0x80..0xa0).collect();
    let nonce = unhex("070000004041424344454647")?.try_into().ok()?;
    let aad = unhex("50515253c0c1c2c3c4c5c6c7")?;
    let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip \
        for the future, sunscreen would be it.";
    let got = seal(&aead::CHACHA20_POLY1305, &key, nonce, &aad, text)?;
    is(got.get(text.len()..)?, "1ae10b594f09e26a7e902ecbd0600691")
}

/// The inputs of RFC 5649, section 6, under a key of 256 bits.
fn aes_256_kwp() -> Option<bool> {
    let kek: Vec<u8> = (0..32).collect();
    let short = kwp_wrap(&kek, &unhex("466f7250617369")?).ok()?;
    let long = kwp_wrap(&kek, &unhex("c37b7e6492584340bed12207808941155068f738")?).ok()?;
    let long = is(&long, "29b7fa191c2165684374eee9f74595e2a42bace75c425b3053efa26ffe1bb32f")?;
    Some(is(&short, "443b17837bb39348610d19202df8a1f9")? && long)
}

/// RFC 9106, section 5.3.
fn argon2id() -> Option<bool> {
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).data(AssociatedData::new(&[4; 12]).ok()?);
    let (algorithm, version) = (argon2::Algorithm::Argon2id, argon2::Version::V0x13);
    let secret = [3; 8];
    let argon2 = Argon2::new_with_secret(&secret, algorithm, version, params.build().ok()?).ok()?;
    let mut got = [0; 32];
    argon2.hash_password_into(&[1; 32], &[2; 16], &mut got).ok()?;
    is(&got, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")
}

/// RFC 8032, section 7.1, test 2.
fn ed25519() -> Option<bool> {
    let seed = unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")?;
    let public = unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")?;
    let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public).ok()?;
    let signature = pair.try_sign(&[0x72]).ok()?;
    let good = signature::ED25519.verify_sig(&public, &[0x72], signature.as_ref()).is_ok();
    let bad = signature::ED25519.verify_sig(&public, &[0x73], signature.as_ref()).is_err();
    let known = is(
        signature.as_ref(),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    )?;
    Some(known && good && bad)
}

/// RFC 6979, appendix A.2.5, SHA-256 of `sample`.
fn ecdsa_p_256() -> Option<bool> {
    let public = unhex(
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
         7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
    )?;
    let signature = unhex(
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
         f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    )?;
    Some(verifies(&signature::ECDSA_P256_SHA256_FIXED, &public, &signature))
}

fn rsa_2048() -> Option<bool> {
    let (public, signature) = include_bytes!("vectors/rsa-2048.bin").split_at_checked(270)?;
    Some(verifies(&signature::RSA_PKCS1_2048_8192_SHA256, public, signature))
}

fn ml_kem_768() -> Option<bool> {
    let (key, text) = include_bytes!("vectors/ml-kem-768.bin").split_at_checked(2_400)?;
    let key = DecapsulationKey::new(&ML_KEM_768, key).ok()?;
    let secret = key.decapsulate(Ciphertext::from(text)).ok()?;
    let mut altered = text.to_vec();
    *altered.first_mut()? ^= 1;
    let rejected = key.decapsulate(Ciphertext::from(altered.as_slice())).ok()?;
    let known = "9cddd089ffe70e3996e76f7c8d06746df34d07e8657bc0fcf2bb0e1c3084aea1";
    let implicit = "dcfc80c6db46ff7028e3a4398651c063ae7a42c107a6dc8cb07141861698ab92";
    Some(is(secret.as_ref(), known)? && is(rejected.as_ref(), implicit)?)
}

fn ml_dsa() -> Option<bool> {
    let seed: Vec<u8> = (0..32).collect();
    let pair = PqdsaKeyPair::from_seed(&ML_DSA_65_SIGNING, &seed).ok()?;
    let public = digest::digest(&digest::SHA256, pair.public_key().as_ref());
    let made =
        is(public.as_ref(), "d666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9")?;
    let mut own = vec![0; ML_DSA_65_SIGNING.signature_len()];
    pair.sign(b"sample", &mut own).ok()?;
    let own = verifies(&signature::ML_DSA_65, pair.public_key().as_ref(), &own);
    let (public, signature) = include_bytes!("vectors/ml-dsa-44.bin").split_at_checked(1_312)?;
    Some(made && own && verifies(&signature::ML_DSA_44, public, signature))
}

/// SP 800-90B's smallest sanity: two draws of 128 bits are not equal.
fn random() -> Option<bool> {
    let (a, b): ([u8; 16], [u8; 16]) = (random_array().ok()?, random_array().ok()?);
    Some(a != b)
}

/// The signature of `sample` verifies, and that of another message does not.
fn verifies(algorithm: &dyn VerificationAlgorithm, public: &[u8], signature: &[u8]) -> bool {
    algorithm.verify_sig(public, b"sample", signature).is_ok()
        && algorithm.verify_sig(public, b"simple", signature).is_err()
}

fn seal(
    algorithm: &'static aead::Algorithm,
    key: &[u8],
    nonce: [u8; 12],
    aad: &[u8],
    plain: &[u8],
) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let nonce_again = Nonce::assume_unique_for_key(nonce);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let mut sealed = plain.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut sealed).ok()?;
    let mut opened = sealed.clone();
    let opened = key.open_in_place(nonce_again, Aad::from(aad), &mut opened).ok()?;
    (opened == plain).then_some(sealed)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let bytes = digits?;
    let bytes = bytes.chunks_exact(2).map(|pair| pair.iter().fold(0, |acc, d| acc * 16 + d));
    bytes.map(|byte| u8::try_from(byte).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_self_test_passes_here() {
        for (name, test) in SELF_TESTS {
            assert_eq!(test(), Some(true), "{name}");
        }
    }

    #[test]
    fn a_wrong_or_missing_answer_is_named() {
        assert_eq!(
            run(&[("right", sha_256), ("wrong", || is(b"a", "62"))]).unwrap_err().0,
            "wrong"
        );
        assert_eq!(run(&[("none", || None)]).unwrap_err().0, "none");
    }
}
