//! Identifiers: one newtype each, UUIDv7 inside (RFC 9562, section 5.7), `key_…` outside.
//!
//! The text is the prefix, an underscore and 26 characters of Crockford base 32 in lower case, so
//! identifiers sort by creation time, are safe in a URL and survive a double click.

use crate::{Clock, Rng, RngUnavailable};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LEN: usize = 26;
/// Longest prefix, in bytes.
const PREFIX_LEN_MAX: usize = 5;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an identifier of the form `{prefix}_` and 26 characters")]
pub struct IdError {
    prefix: &'static str,
    text: String,
}

fn uuid_v7(clock: &dyn Clock, rng: &dyn Rng) -> Result<u128, RngUnavailable> {
    let mut random = [0u8; 10];
    rng.fill(&mut random)?;
    let millis = u128::from(clock.wall().unix_millis().unsigned_abs()) & 0xffff_ffff_ffff;
    let tail = random.iter().fold(0u128, |acc, byte| (acc << 8) | u128::from(*byte));
    let rand_a = (tail >> 62) & 0x0fff;
    let rand_b = tail & 0x3fff_ffff_ffff_ffff;
    Ok((millis << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b)
}

/// Writes prefix, underscore and digits in one piece, so that a text of it is one allocation.
fn write_text(f: &mut fmt::Formatter<'_>, prefix: &str, value: u128) -> fmt::Result {
    let digit = |i| ALPHABET.get(((value >> (5 * i)) & 31) as usize).copied();
    let digits = (0..TEXT_LEN).rev().filter_map(digit);
    let mut text = [0; PREFIX_LEN_MAX + 1 + TEXT_LEN];
    let mut length = 0;
    for (to, from) in text.iter_mut().zip(prefix.bytes().chain([b'_']).chain(digits)) {
        *to = from;
        length += 1;
    }
    let written = text.get(..length).and_then(|text| std::str::from_utf8(text).ok());
    f.write_str(written.unwrap_or_default())
}

fn from_text(text: &str) -> Option<u128> {
    if text.len() != TEXT_LEN || !matches!(text.as_bytes().first(), Some(b'0'..=b'7')) {
        return None;
    }
    text.bytes().try_fold(0u128, |acc, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'h' => byte - b'a' + 10,
            b'j' | b'k' => byte - b'j' + 18,
            b'm' | b'n' => byte - b'm' + 20,
            b'p'..=b't' => byte - b'p' + 22,
            b'v'..=b'z' => byte - b'v' + 27,
            _ => return None,
        };
        Some((acc << 5) | u128::from(digit))
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u128);

        impl $name {
            /// The text before the underscore.
            pub const PREFIX: &'static str = {
                // A longer one would be cut where it is written.
                assert!($prefix.len() <= PREFIX_LEN_MAX);
                $prefix
            };

            /// Makes a new identifier: 48 bits of time, 74 of randomness.
            ///
            /// # Errors
            /// When the system has no randomness to give.
            pub fn generate(clock: &dyn Clock, rng: &dyn Rng) -> Result<Self, RngUnavailable> {
                uuid_v7(clock, rng).map(Self)
            }

            /// The identifier as 16 big-endian bytes, for keys of records.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// The identifier of 16 big-endian bytes that [`Self::to_bytes`] made.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_text(f, Self::PREFIX, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .and_then(from_text)
                    .map(Self)
                    .ok_or_else(|| IdError {
                        prefix: $prefix,
                        text: text.chars().take(64).collect(),
                    })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                crate::parsed::parsed(d, concat!("`", $prefix, "_` and 26 characters"), str::parse)
            }
        }
    )*};
}

ids! {
    /// A key domain: a tenant with its own root and its own seal.
    DomainId = "dom";
    /// A key with all its versions.
    KeyId = "key";
    /// A natural person with an account.
    PersonId = "per";
    /// A service identity: a workload, an agent, another system.
    ServiceId = "svc";
    /// A group of people and services that hold roles together.
    GroupId = "grp";
    /// An API token (its hash is stored, the token itself is shown once).
    TokenId = "tok";
    /// A signed-in session.
    SessionId = "ses";
    /// A request for approval by others.
    ApprovalId = "apr";
    /// Something in the inventory.
    AssetId = "ast";
    /// One request at a door; the correlation id when the caller sends none.
    RequestId = "req";
    /// One run of the checks.
    RunId = "run";
    /// A place where data is looked for.
    SourceId = "src";
    /// One scan of a source.
    ScanId = "scn";
    /// What was found in one object of a source.
    FindingId = "fnd";
    /// One finished report or pack.
    ReportId = "rep";
}

impl DomainId {
    /// The domain of the installation itself: people, policy, log, settings.
    pub const SYSTEM: Self = Self(0);
}

/// The number of a version of a key, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionNo(pub u32);

impl fmt::Display for VersionNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HeldClock, SeededRng, Timestamp};

    #[test]
    fn an_identifier_survives_text_bytes_and_json() {
        let clock = HeldClock::at(Timestamp::from_unix_millis(1_790_000_000_000));
        let rng = SeededRng::new(7);
        for _ in 0..1_000 {
            let id = KeyId::generate(&clock, &rng).unwrap();
            assert_eq!(id.to_string().parse::<KeyId>().unwrap(), id);
            assert_eq!(KeyId::from_bytes(id.to_bytes()), id);
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<KeyId>(&json).unwrap(), id);
        }
    }

    #[test]
    fn identifiers_sort_by_time_and_carry_version_seven() {
        let clock = HeldClock::at(Timestamp::from_unix_millis(1_790_000_000_000));
        let rng = SeededRng::new(7);
        let early = KeyId::generate(&clock, &rng).unwrap();
        clock.advance_millis(1);
        let late = KeyId::generate(&clock, &rng).unwrap();
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_bytes()[6] >> 4, 7);
        assert_eq!(early.to_bytes()[8] >> 6, 0b10);
    }

    #[test]
    fn a_stranger_text_is_refused() {
        for text in [
            "",
            "key",
            "key_",
            "per_00000000000000000000000000",
            "key_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "key_0000000000000000000000000O",
            "key_000000000000000000000000000",
            "KEY_00000000000000000000000000",
        ] {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }
}
