//! What `encrypt` gives out and `decrypt` takes back: which key, which version, and the sealed bytes.
//!
//! Layout: one byte of format (1), 16 bytes of key identifier, four bytes of version (big-endian), then
//! what the strongroom made. The identifier and the version only say where to look; each version has
//! its own material, so a changed header fails like any other damage.

use kernel::limits::PLAINTEXT_BYTES_MAX;
use kernel::{KeyId, VersionNo};

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 1 + 16 + 4;

/// Longest ciphertext that is read: the longest plaintext and 4 KiB for headers, salt, nonce and tag
/// (an RSA-4096 or post-quantum block fits too).
pub const CIPHERTEXT_BYTES_MAX: usize = PLAINTEXT_BYTES_MAX + 4096;

/// Why bytes are not a ciphertext of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CiphertextError {
    /// Too short, or of another format.
    #[error("this is not a ciphertext that Lionrock made")]
    Format,
    /// Over [`CIPHERTEXT_BYTES_MAX`].
    #[error("a ciphertext has at most {CIPHERTEXT_BYTES_MAX} bytes")]
    TooLong,
}

/// A ciphertext, read but not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ciphertext {
    /// The key that made it.
    pub key: KeyId,
    /// The version of the key.
    pub version: VersionNo,
    /// What the strongroom made.
    pub sealed: Vec<u8>,
}

impl Ciphertext {
    /// The bytes that leave.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.sealed.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.key.to_bytes());
        bytes.extend_from_slice(&self.version.0.to_be_bytes());
        bytes.extend_from_slice(&self.sealed);
        bytes
    }

    /// Reads bytes that came back.
    ///
    /// # Errors
    /// When they are too long or not of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CiphertextError> {
        if bytes.len() > CIPHERTEXT_BYTES_MAX {
            return Err(CiphertextError::TooLong);
        }
        let (format, rest) = bytes.split_first().ok_or(CiphertextError::Format)?;
        let (key, rest) = rest.split_first_chunk::<16>().ok_or(CiphertextError::Format)?;
        let (version, sealed) = rest.split_first_chunk::<4>().ok_or(CiphertextError::Format)?;
        let version = u32::from_be_bytes(*version);
        if *format != FORMAT || version == 0 || sealed.is_empty() {
            return Err(CiphertextError::Format);
        }
        let (key, version) = (KeyId::from_bytes(*key), VersionNo(version));
        Ok(Self { key, version, sealed: sealed.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_read_bytes_write_back(
            bytes in prop::collection::vec(any::<u8>(), 0..96),
            format in 0u8..3,
        ) {
            let bytes: Vec<u8> = std::iter::once(format).chain(bytes).collect();
            if let Ok(read) = Ciphertext::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn a_ciphertext_over_the_limit_is_refused_by_its_length() {
        let long = vec![FORMAT; CIPHERTEXT_BYTES_MAX + 1];
        assert_eq!(Ciphertext::from_bytes(&long), Err(CiphertextError::TooLong));
        let fits = vec![FORMAT; CIPHERTEXT_BYTES_MAX];
        assert!(Ciphertext::from_bytes(&fits).is_ok());
    }

    #[test]
    fn version_nought_and_an_empty_body_are_not_ciphertexts() {
        let of = |version, body: &[u8]| {
            Ciphertext {
                key: KeyId::from_bytes([7; 16]),
                version: VersionNo(version),
                sealed: body.to_vec(),
            }
            .to_bytes()
        };
        assert!(Ciphertext::from_bytes(&of(1, b"x")).is_ok());
        assert_eq!(Ciphertext::from_bytes(&of(0, b"x")), Err(CiphertextError::Format));
        assert_eq!(Ciphertext::from_bytes(&of(1, b"")), Err(CiphertextError::Format));
    }
}
