//! One-time codes (RFC 6238: SHA-1, 30 seconds, 6 digits, one step of tolerance), by handle: the
//! seed is shown once to the person's device and lies sealed everywhere else.

use crate::derive::{Label, MessageKeys};
use crate::passwords::PasswordError;
use crate::random::random_array;
use crate::room::Strongroom;
use aws_lc_rs::hmac;
use kernel::{Secret, Timestamp};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Seconds of one step of one-time codes (RFC 6238, section 5.2).
pub const TOTP_STEP_SECONDS: i64 = 30;
/// Bytes of a seed: as long as the hash, 160 bits (RFC 4226, section 4).
const TOTP_SEED_LEN: usize = 20;

/// A new seed of one-time codes.
#[derive(Debug)]
pub struct TotpSeed {
    /// For storing.
    pub sealed: Vec<u8>,
    /// For the person's device, shown once: base32 without padding (RFC 4648, section 6).
    pub base32: Secret<String>,
}

impl Strongroom {
    /// Makes a seed for `owner`.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new_totp_seed(&self, owner: &str) -> Result<TotpSeed, PasswordError> {
        let seed: Zeroizing<[u8; TOTP_SEED_LEN]> = Zeroizing::new(random_array()?);
        let sealed = self.totp_keys().seal(&[], owner.as_bytes(), seed.as_slice())?;
        Ok(TotpSeed { sealed, base32: Secret::new(base32(seed.as_slice())) })
    }

    /// The step whose code this is: the current one, the one before or the one after. The caller
    /// keeps it and refuses the same or an earlier step next time (RFC 6238, section 5.2).
    ///
    /// # Errors
    /// When the stored seed is not `owner`'s or was altered.
    pub fn verify_totp(
        &self,
        owner: &str,
        sealed: &[u8],
        code: &Secret<String>,
        now: Timestamp,
    ) -> Result<Option<u64>, PasswordError> {
        let seed = self.totp_keys().open(owner.as_bytes(), sealed);
        let seed = seed.map_err(|_| PasswordError::Stored)?;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &seed);
        let current = now.unix_seconds().div_euclid(TOTP_STEP_SECONDS);
        let mut found = None;
        // All three are computed, so that time does not tell which one fits.
        for step in [current, current - 1, current + 1] {
            let Ok(step) = u64::try_from(step) else { continue };
            let wanted = format!("{:06}", hotp(&key, step) % 1_000_000);
            let same: bool = wanted.as_bytes().ct_eq(code.expose().as_bytes()).into();
            if same && found.is_none() {
                found = Some(step);
            }
        }
        Ok(found)
    }

    fn totp_keys(&self) -> MessageKeys {
        MessageKeys::of(Label::Totp, self.inner.barrier.as_slice(), &[])
    }
}

/// What a device that holds the seed shows at this time (RFC 6238): the other side of
/// [`Strongroom::verify_totp`], for the demonstration and for tests. `None` when the text is not
/// base32 (RFC 4648, section 6).
#[must_use]
pub fn device_code(seed: &Secret<String>, at: Timestamp) -> Option<Secret<String>> {
    let bytes = Zeroizing::new(from_base32(seed.expose())?);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let step = u64::try_from(at.unix_seconds().div_euclid(TOTP_STEP_SECONDS)).ok()?;
    Some(Secret::new(format!("{:06}", hotp(&key, step) % 1_000_000)))
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0u16, 0u32);
    for character in text.bytes() {
        let digit = match character {
            b'A'..=b'Z' => character - b'A',
            b'2'..=b'7' => character - b'2' + 26,
            _ => return None,
        };
        held = (held << 5) | u16::from(digit);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

/// RFC 4226, section 5.3, before the modulus.
fn hotp(key: &hmac::Key, counter: u64) -> u32 {
    let tag = hmac::sign(key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
    let four = tag.iter().skip(offset).take(4);
    four.fold(0u32, |acc, byte| (acc << 8) | u32::from(*byte)) & 0x7fff_ffff
}

fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let value = chunk.iter().fold(0u64, |acc, byte| (acc << 8) | u64::from(*byte));
        let value = value << (8 * (5 - chunk.len()));
        let digits = (chunk.len() * 8).div_ceil(5);
        for i in 0..digits {
            let digit = (value >> (35 - 5 * i)) & 31;
            let digit = usize::try_from(digit).ok().and_then(|d| ALPHABET.get(d));
            text.push(digit.map_or('A', |d| char::from(*d)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_shows_the_code_of_rfc_6238() {
        let seed = Secret::new(base32(b"12345678901234567890"));
        let at = Timestamp::from_unix_millis(1_111_111_109_000);
        assert_eq!(device_code(&seed, at).unwrap().expose(), "081804");
        assert!(device_code(&Secret::new("not base32".into()), at).is_none());
    }

    #[test]
    fn one_time_codes_are_those_of_rfc_6238() {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345678901234567890");
        for (seconds, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(hotp(&key, seconds / 30) % 100_000_000, code);
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (plain, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ")]
        {
            assert_eq!(base32(plain.as_bytes()), text);
        }
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
    }
}
