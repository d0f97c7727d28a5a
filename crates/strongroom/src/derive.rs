//! One key from another: HKDF-SHA-256 (RFC 5869) and the labels that keep purposes apart.
//!
//! Every derivation is `PRK = HMAC-SHA-256(label, secret)` (extract, the label is the salt) and
//! then one block of expand, `HMAC-SHA-256(PRK, info ‖ 0x01)`. A message gets a key of its own:
//! info is `"message" ‖ cipher ‖ salt` with 128 random bits of salt, so the nonce of the cipher can
//! stay zero and no counter of messages is needed: after 2^48 messages under one key two salts are
//! equal with a probability below 2^-32 (SP 800-38D asks for 2^-32).

use crate::random::random_array;
use aws_lc_rs::aead::{self, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{digest, hkdf, hmac};
use kernel::RngUnavailable;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of salt in front of every sealed message.
pub(crate) const SALT_LEN: usize = 16;
/// Bytes of tag behind it.
pub(crate) const TAG_LEN: usize = 16;

/// 32 bytes of key, wiped when dropped.
pub(crate) type KeyBytes = Zeroizing<[u8; 32]>;

/// What a key is derived for. The text goes into the derivation and never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Label {
    /// The seal's key, which wraps the barrier key.
    Seal,
    /// From the bytes of a key file to the seal's key.
    KeyFile,
    /// The public fingerprint of a key file.
    KeyFileFingerprint,
    /// The MAC over the root file.
    RootMac,
    /// Wraps what the root file holds directly: domain keys, log signer, TLS keys.
    RootSlots,
    /// Wraps a key domain's shred keys.
    Domain,
    /// Wraps key material.
    Shred,
    /// Seals records of a collection.
    Record,
    /// Index terms of a collection.
    Index,
    /// Digest elements of a collection.
    Digest,
    /// Seals the personal part of events.
    Personal,
    /// Index terms over personal data.
    PersonalIndex,
    /// Messages under a customer's key.
    Message,
    /// The pepper of passwords.
    Pepper,
    /// Hashes of bearer tokens.
    Token,
    /// Seeds of one-time codes.
    Totp,
    /// Small credentials of ours.
    Credential,
}

impl Label {
    const fn text(self) -> &'static str {
        match self {
            Self::Seal => "lionrock/v1/seal",
            Self::KeyFile => "lionrock/v1/key-file",
            Self::KeyFileFingerprint => "lionrock/v1/key-file-fingerprint",
            Self::RootMac => "lionrock/v1/root-mac",
            Self::RootSlots => "lionrock/v1/root-slots",
            Self::Domain => "lionrock/v1/domain",
            Self::Shred => "lionrock/v1/shred",
            Self::Record => "lionrock/v1/record",
            Self::Index => "lionrock/v1/index",
            Self::Digest => "lionrock/v1/digest",
            Self::Personal => "lionrock/v1/personal",
            Self::PersonalIndex => "lionrock/v1/personal-index",
            Self::Message => "lionrock/v1/message",
            Self::Pepper => "lionrock/v1/pepper",
            Self::Token => "lionrock/v1/token",
            Self::Totp => "lionrock/v1/totp",
            Self::Credential => "lionrock/v1/credential",
        }
    }
}

/// `HKDF(salt = label, secret, info)` to 32 bytes.
pub(crate) fn derive(label: Label, secret: &[u8], info: &[u8]) -> KeyBytes {
    let prk = extract(label, secret);
    expand(&prk, &[info])
}

/// An HMAC-SHA-256 key for `label` and `info`, with its schedule computed once.
pub(crate) fn derive_mac(label: Label, secret: &[u8], info: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, derive(label, secret, info).as_slice())
}

fn extract(label: Label, secret: &[u8]) -> hmac::Key {
    let salt = hmac::Key::new(hmac::HMAC_SHA256, label.text().as_bytes());
    let prk = Zeroizing::new(tag_bytes(hmac::sign(&salt, secret)));
    hmac::Key::new(hmac::HMAC_SHA256, prk.as_slice())
}

fn expand(prk: &hmac::Key, info: &[&[u8]]) -> KeyBytes {
    let mut context = hmac::Context::with_key(prk);
    for part in info {
        context.update(part);
    }
    context.update(&[1]);
    Zeroizing::new(tag_bytes(context.sign()))
}

/// The 32 bytes of an HMAC-SHA-256 tag.
pub(crate) fn tag_bytes(tag: hmac::Tag) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
    for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    bytes
}

/// HKDF-SHA-256 with an empty salt to `length` bytes: the key agreement's derivation.
pub(crate) fn hkdf_sha256(secret: &[u8], info: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut out = Zeroizing::new(vec![0; length]);
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret);
    prk.expand(&[info], Length(length)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

/// Nothing opens: wrong key, wrong place or altered bytes; which of them is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotOpened;

/// The ciphers of sealed messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

impl Cipher {
    const fn algorithm(self) -> &'static aead::Algorithm {
        match self {
            Self::Aes128Gcm => &aead::AES_128_GCM,
            Self::Aes256Gcm => &aead::AES_256_GCM,
            Self::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        }
    }

    const fn name(self) -> &'static [u8] {
        match self {
            Self::Aes128Gcm => b"message/aes-128-gcm/",
            Self::Aes256Gcm => b"message/aes-256-gcm/",
            Self::ChaCha20Poly1305 => b"message/chacha20-poly1305/",
        }
    }
}

/// A key from which every message derives its own.
pub(crate) struct MessageKeys {
    prk: hmac::Key,
    cipher: Cipher,
}

impl fmt::Debug for MessageKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageKeys")
    }
}

impl MessageKeys {
    pub(crate) fn new(label: Label, secret: &[u8], cipher: Cipher) -> Self {
        Self { prk: extract(label, secret), cipher }
    }

    /// AES-256-GCM under a key of its own for `info`.
    pub(crate) fn of(label: Label, secret: &[u8], info: &[u8]) -> Self {
        let key = derive(label, secret, info);
        Self::new(label, key.as_slice(), Cipher::Aes256Gcm)
    }

    fn key(&self, salt: &[u8]) -> Option<LessSafeKey> {
        let bytes = expand(&self.prk, &[self.cipher.name(), salt]);
        let algorithm = self.cipher.algorithm();
        let bytes = bytes.get(..algorithm.key_len())?;
        UnboundKey::new(algorithm, bytes).ok().map(LessSafeKey::new)
    }

    /// `header ‖ salt ‖ ciphertext ‖ tag`; `aad` is bound and not stored.
    pub(crate) fn seal(
        &self,
        header: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, RngUnavailable> {
        let salt: [u8; SALT_LEN] = random_array()?;
        let key = self.key(&salt).ok_or(RngUnavailable)?;
        let start = header.len() + SALT_LEN;
        let mut out = Vec::with_capacity(start + plain.len() + TAG_LEN);
        out.extend_from_slice(header);
        out.extend_from_slice(&salt);
        out.extend_from_slice(plain);
        let body = out.get_mut(start..).ok_or(RngUnavailable)?;
        let tag = key
            .seal_in_place_separate_tag(zero_nonce(), Aad::from(aad), body)
            .map_err(|_| RngUnavailable)?;
        out.extend_from_slice(tag.as_ref());
        Ok(out)
    }

    /// Opens what [`Self::seal`] made, `sealed` without its header.
    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let (salt, body) = sealed.split_at_checked(SALT_LEN).ok_or(NotOpened)?;
        let length = body.len().checked_sub(TAG_LEN).ok_or(NotOpened)?;
        let (ciphertext, tag) = body.split_at_checked(length).ok_or(NotOpened)?;
        let key = self.key(salt).ok_or(NotOpened)?;
        let mut plain = Zeroizing::new(vec![0; length]);
        key.open_separate_gather(zero_nonce(), Aad::from(aad), ciphertext, tag, &mut plain)
            .map_err(|_| NotOpened)?;
        Ok(plain)
    }
}

fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

/// Appends `bytes` with their length in front (32 bits, big-endian), so that two lists of parts
/// never look alike.
pub(crate) fn push_part(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivation_is_hkdf_of_rfc_5869() {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, Label::Record.text().as_bytes());
        let mut expected = [0; 32];
        let okm = salt.extract(b"secret");
        okm.expand(&[b"info"], hkdf::HKDF_SHA256).unwrap().fill(&mut expected).unwrap();
        assert_eq!(*derive(Label::Record, b"secret", b"info"), expected);
    }

    #[test]
    fn each_label_gives_another_key() {
        let a = derive(Label::Record, b"secret", b"info");
        let b = derive(Label::Index, b"secret", b"info");
        let c = derive(Label::Record, b"secret", b"other");
        assert!(a != b && a != c && b != c);
    }

    #[test]
    fn a_message_opens_only_with_its_key_its_place_and_every_byte() {
        for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305] {
            let keys = MessageKeys::new(Label::Record, &[7; 32], cipher);
            let sealed = keys.seal(b"", b"place", b"plain").unwrap();
            assert_eq!(keys.open(b"place", &sealed).unwrap().as_slice(), b"plain");
            assert_eq!(keys.open(b"other", &sealed), Err(NotOpened));
            let stranger = MessageKeys::new(Label::Record, &[8; 32], cipher);
            assert_eq!(stranger.open(b"place", &sealed), Err(NotOpened));
            for i in 0..sealed.len() {
                let mut altered = sealed.clone();
                altered[i] ^= 1;
                assert_eq!(keys.open(b"place", &altered), Err(NotOpened));
                assert_eq!(keys.open(b"place", &sealed[..i]), Err(NotOpened));
            }
        }
    }

    #[test]
    fn two_messages_never_share_a_key() {
        let keys = MessageKeys::new(Label::Record, &[7; 32], Cipher::Aes256Gcm);
        let a = keys.seal(b"", b"", b"same").unwrap();
        let b = keys.seal(b"", b"", b"same").unwrap();
        assert_ne!(a[..SALT_LEN], b[..SALT_LEN]);
        assert_ne!(a[SALT_LEN..], b[SALT_LEN..]);
    }
}
