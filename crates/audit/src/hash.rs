//! SHA-256 as the tree uses it (RFC 6962, section 2.1), and the cryptography behind signed notes.

use aws_lc_rs::digest::{Context, SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use wire::checkpoint::{hash_text, parse_hash};

/// A SHA-256 hash; as text it is base64, as in checkpoints.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Thirty-two zero bytes: stands for a personal part that an event does not have.
    pub const ZERO: Self = Self([0; 32]);

    /// SHA-256 of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut out = Self::ZERO;
        for (to, from) in out.0.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
            *to = *from;
        }
        out
    }

    /// The root of a tree without entries: SHA-256 of nothing.
    #[must_use]
    pub fn empty_root() -> Self {
        Self::of(&[])
    }

    /// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
    #[must_use]
    pub fn node(left: &Self, right: &Self) -> Self {
        let mut bytes = [0x01; 65];
        let children = left.0.iter().chain(&right.0);
        for (to, from) in bytes.iter_mut().skip(1).zip(children) {
            *to = *from;
        }
        Self::of(&bytes)
    }

    /// The hash of an entry: SHA-256(0x00 ‖ entry).
    #[must_use]
    pub fn leaf(entry: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(entry.len() + 1);
        bytes.push(0x00);
        bytes.extend_from_slice(entry);
        Self::of(&bytes)
    }

    /// Reads the base64 text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse_hash(text).map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hash_text(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("expected the base64 of 32 bytes"))
    }
}

/// Verifies notes with aws-lc; holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoteVerifier;

impl wire::note::Verifier for NoteVerifier {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        parts.iter().for_each(|part| context.update(part));
        let mut out = [0; 32];
        for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        out
    }

    fn ed25519(&self, public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::note::{Note, NoteError, SignatureType, VerifierKey};

    // The key and the note of golang.org/x/mod/sumdb/note, the format's first implementation.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotp\
        RZb6KE6RyyBwJnAM=\n";

    #[test]
    fn the_published_note_verifies_under_the_published_key() {
        let keys = [VerifierKey::parse(KEY, &NoteVerifier).unwrap()];
        assert_eq!(keys[0].to_string(), KEY);
        assert_eq!(keys[0].kind(), SignatureType::Ed25519);
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        assert_eq!(note.verify(&keys, &NoteVerifier).unwrap().len(), 1);
        assert_eq!(note.to_string(), NOTE);
    }

    #[test]
    fn the_published_note_altered_in_any_letter_does_not_verify() {
        let keys = [VerifierKey::parse(KEY, &NoteVerifier).unwrap()];
        for at in 0..90 {
            let mut bytes = NOTE.as_bytes().to_vec();
            bytes[at] ^= 1;
            if let Ok(note) = Note::parse(&bytes) {
                assert_eq!(note.verify(&keys, &NoteVerifier), Err(NoteError::BadSignature));
            }
        }
    }

    #[test]
    fn a_part_or_an_alteration_of_the_published_key_is_refused() {
        for start in 0..KEY.len() {
            for end in start + 1..=KEY.len() {
                let part = KEY.get(start..end).unwrap();
                assert!(part == KEY || VerifierKey::parse(part, &NoteVerifier).is_err());
            }
        }
        for at in 0..KEY.len() {
            let mut bytes = KEY.as_bytes().to_vec();
            bytes[at] += 1;
            let text = String::from_utf8(bytes).unwrap();
            assert!(VerifierKey::parse(&text, &NoteVerifier).is_err(), "{text}");
        }
        for bad in [
            "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
            "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ] {
            assert!(VerifierKey::parse(bad, &NoteVerifier).is_err());
        }
    }
}
