//! What is hashed for one event: see the head of the crate for the bytes.

use crate::hash::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The version byte of an entry.
pub const VERSION: u8 = 1;
/// Bytes of a salt: 128 bits, so that a short text cannot be guessed from its hash.
pub const SALT_BYTES: usize = 16;
/// Bytes of an entry: version, hash of the public part, hash of the personal part.
pub const ENTRY_BYTES: usize = 65;

/// Random bytes that are hashed before a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Salt(pub [u8; SALT_BYTES]);

impl Serialize for Salt {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        let bytes = STANDARD.decode(text.as_ref()).ok().and_then(|b| b.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("expected the base64 of 16 bytes"))
    }
}

/// SHA-256(salt ‖ text).
#[must_use]
pub fn salted(salt: &Salt, text: &[u8]) -> Hash {
    let mut bytes = Vec::with_capacity(SALT_BYTES + text.len());
    bytes.extend_from_slice(&salt.0);
    bytes.extend_from_slice(text);
    Hash::of(&bytes)
}

/// The entry of an event: version ‖ hash of the public part ‖ hash of the personal part.
#[must_use]
pub fn entry(public: &Hash, personal: &Hash) -> [u8; ENTRY_BYTES] {
    let mut bytes = [VERSION; ENTRY_BYTES];
    for (to, from) in bytes.iter_mut().skip(1).zip(public.0.iter().chain(&personal.0)) {
        *to = *from;
    }
    bytes
}

/// The hash of an event's entry in the tree: SHA-256(0x00 ‖ entry).
#[must_use]
pub fn leaf_hash(public: &Hash, personal: &Hash) -> Hash {
    let mut bytes = [0u8; ENTRY_BYTES + 1];
    for (to, from) in bytes.iter_mut().skip(1).zip(entry(public, personal)) {
        *to = from;
    }
    Hash::of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leaf_is_made_of_the_documented_bytes() {
        let (public, personal) = (salted(&Salt([1; 16]), b"{}"), Hash([9; 32]));
        let mut text = vec![1u8; 16];
        text.extend_from_slice(b"{}");
        assert_eq!(public, Hash::of(&text));
        let bytes = entry(&public, &personal);
        assert_eq!((bytes[0], &bytes[1..33], &bytes[33..]), (1, &public.0[..], &[9u8; 32][..]));
        assert_eq!(leaf_hash(&public, &personal), Hash::leaf(&bytes));
    }

    #[test]
    fn a_salt_reads_back_and_nothing_else_is_one() {
        let json = serde_json::to_string(&Salt([7; 16])).unwrap();
        assert_eq!(serde_json::from_str::<Salt>(&json).unwrap(), Salt([7; 16]));
        for bad in ["\"\"", "\"AAAA\"", "7", "\"!\""] {
            assert!(serde_json::from_str::<Salt>(bad).is_err());
        }
    }
}
