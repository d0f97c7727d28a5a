//! What keys can be and what each kind of key can do, as data.
//!
//! One key, one purpose (SP 800-57 part 1, 5.2): a key pair that signs does not agree or decrypt,
//! so signing and key-establishment keys on one curve or one modulus are different algorithms here,
//! as they are in KMIP (`ECDSA` and `ECDH`).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Something that a key can do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Encrypt, decrypt and re-encrypt.
    Encrypt,
    /// Make data keys.
    DataKey,
    /// Sign and verify.
    Sign,
    /// Compute and verify message authentication codes.
    Mac,
    /// Agree on a secret with another key pair.
    Agree,
    /// Encapsulate and decapsulate a secret.
    Encapsulate,
    /// Wrap another key for export (AES key wrap with padding, RFC 5649).
    Wrap,
    /// Be exported, wrapped under another key.
    Export,
}

macro_rules! algorithms {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal, $kmip:literal, $standard:literal,
        $bits:literal, [$($can:ident),*];)*) => {
        /// The algorithm of a key.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum Algorithm { $($(#[$doc])* $name,)* }

        impl Algorithm {
            /// Every algorithm, in the order of lists.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in requests and records, such as `aes-256-gcm`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The name of KMIP's Cryptographic Algorithm enumeration, or the standard's own where
            /// KMIP has none.
            #[must_use]
            pub const fn kmip_name(self) -> &'static str {
                match self { $(Self::$name => $kmip,)* }
            }

            /// The standard that defines it.
            #[must_use]
            pub const fn standard(self) -> &'static str {
                match self { $(Self::$name => $standard,)* }
            }

            /// Security strength in bits (SP 800-57 part 1, table 2; FIPS 203 and 204 categories).
            #[must_use]
            pub const fn security_bits(self) -> u16 {
                match self { $(Self::$name => $bits,)* }
            }

            /// What a key of this algorithm can do.
            #[must_use]
            pub const fn capabilities(self) -> &'static [Capability] {
                match self { $(Self::$name => &[$(Capability::$can,)*],)* }
            }

            /// The byte that stands for it in ciphertexts and wrapped keys.
            pub(crate) const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

algorithms! {
    /// AES-128 in Galois/counter mode, a key for each message.
    Aes128Gcm = 1, "aes-128-gcm", "AES", "SP 800-38D", 128, [Encrypt, DataKey, Export];
    /// AES-256 in Galois/counter mode, a key for each message.
    Aes256Gcm = 2, "aes-256-gcm", "AES", "SP 800-38D", 256, [Encrypt, DataKey, Export];
    /// ChaCha20 with Poly1305, a key for each message.
    ChaCha20Poly1305 = 3, "chacha20-poly1305", "ChaCha20Poly1305", "RFC 8439", 256,
        [Encrypt, DataKey, Export];
    /// AES-256 that wraps keys for export.
    Aes256Kwp = 4, "aes-256-kwp", "AES", "RFC 5649", 256, [Wrap, Export];
    /// HMAC with SHA-256.
    HmacSha256 = 10, "hmac-sha-256", "HMAC_SHA256", "FIPS 198-1", 256, [Mac, Export];
    /// HMAC with SHA-384.
    HmacSha384 = 11, "hmac-sha-384", "HMAC_SHA384", "FIPS 198-1", 384, [Mac, Export];
    /// HMAC with SHA-512.
    HmacSha512 = 12, "hmac-sha-512", "HMAC_SHA512", "FIPS 198-1", 512, [Mac, Export];
    /// RSA 2048 that signs (PSS or PKCS #1 v1.5).
    RsaSign2048 = 20, "rsa-sign-2048", "RSA", "FIPS 186-5", 112, [Sign, Export];
    /// RSA 3072 that signs.
    RsaSign3072 = 21, "rsa-sign-3072", "RSA", "FIPS 186-5", 128, [Sign, Export];
    /// RSA 4096 that signs.
    RsaSign4096 = 22, "rsa-sign-4096", "RSA", "FIPS 186-5", 152, [Sign, Export];
    /// RSA 2048 that decrypts (OAEP with SHA-256).
    RsaOaep2048 = 23, "rsa-oaep-2048", "RSA", "SP 800-56B", 112, [Encrypt, Export];
    /// RSA 3072 that decrypts.
    RsaOaep3072 = 24, "rsa-oaep-3072", "RSA", "SP 800-56B", 128, [Encrypt, Export];
    /// RSA 4096 that decrypts.
    RsaOaep4096 = 25, "rsa-oaep-4096", "RSA", "SP 800-56B", 152, [Encrypt, Export];
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256 = 30, "ecdsa-p-256", "ECDSA", "FIPS 186-5", 128, [Sign, Export];
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384 = 31, "ecdsa-p-384", "ECDSA", "FIPS 186-5", 192, [Sign, Export];
    /// ECDSA on P-521 with SHA-512.
    EcdsaP521 = 32, "ecdsa-p-521", "ECDSA", "FIPS 186-5", 256, [Sign, Export];
    /// ECDH on P-256.
    EcdhP256 = 33, "ecdh-p-256", "ECDH", "SP 800-56A", 128, [Agree, Export];
    /// ECDH on P-384.
    EcdhP384 = 34, "ecdh-p-384", "ECDH", "SP 800-56A", 192, [Agree, Export];
    /// ECDH on P-521.
    EcdhP521 = 35, "ecdh-p-521", "ECDH", "SP 800-56A", 256, [Agree, Export];
    /// Ed25519.
    Ed25519 = 40, "ed25519", "Ed25519", "RFC 8032", 128, [Sign, Export];
    /// X25519.
    X25519 = 41, "x25519", "Curve25519", "RFC 7748", 128, [Agree, Export];
    /// ML-KEM-768.
    MlKem768 = 50, "ml-kem-768", "ML-KEM-768", "FIPS 203", 192, [Encapsulate];
    /// ML-KEM-1024.
    MlKem1024 = 51, "ml-kem-1024", "ML-KEM-1024", "FIPS 203", 256, [Encapsulate];
    /// ML-DSA-44.
    MlDsa44 = 60, "ml-dsa-44", "ML-DSA-44", "FIPS 204", 128, [Sign, Export];
    /// ML-DSA-65.
    MlDsa65 = 61, "ml-dsa-65", "ML-DSA-65", "FIPS 204", 192, [Sign, Export];
    /// ML-DSA-87.
    MlDsa87 = 62, "ml-dsa-87", "ML-DSA-87", "FIPS 204", 256, [Sign, Export];
}

/// A word that names no algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an algorithm; `aes-256-gcm` is one")]
pub struct UnknownAlgorithm(String);

impl Algorithm {
    /// Whether a key of this algorithm can do it.
    #[must_use]
    pub fn can(self, capability: Capability) -> bool {
        self.capabilities().contains(&capability)
    }

    /// Whether no known quantum algorithm breaks it: symmetric keys and the lattice schemes.
    #[must_use]
    pub const fn is_quantum_safe(self) -> bool {
        self.code() < 20 || self.code() >= 50
    }

    /// Whether it has a public half.
    #[must_use]
    pub const fn is_key_pair(self) -> bool {
        self.code() >= 20
    }

    /// The signature schemes of the key, the first one being the default.
    #[must_use]
    pub const fn schemes(self) -> &'static [SignatureScheme] {
        use SignatureScheme as S;
        match self {
            Self::RsaSign2048 | Self::RsaSign3072 | Self::RsaSign4096 => &[
                S::RsaPssSha256,
                S::RsaPssSha384,
                S::RsaPssSha512,
                S::RsaPkcs1Sha256,
                S::RsaPkcs1Sha384,
                S::RsaPkcs1Sha512,
            ],
            Self::EcdsaP256 => &[S::EcdsaSha256],
            Self::EcdsaP384 => &[S::EcdsaSha384],
            Self::EcdsaP521 => &[S::EcdsaSha512],
            Self::Ed25519 => &[S::Ed25519],
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => &[S::MlDsa],
            _ => &[],
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|a| a.code() == code)
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let found = Self::ALL.iter().copied().find(|a| a.name() == text);
        found.ok_or_else(|| UnknownAlgorithm(text.chars().take(64).collect()))
    }
}

impl TryFrom<String> for Algorithm {
    type Error = UnknownAlgorithm;
    fn try_from(text: String) -> Result<Self, UnknownAlgorithm> {
        text.parse()
    }
}

impl From<Algorithm> for &'static str {
    fn from(algorithm: Algorithm) -> Self {
        algorithm.name()
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a signature is made. The message is always hashed here, never handed in as a digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureScheme {
    /// RSASSA-PSS, SHA-256, salt as long as the digest (RFC 8017, 8.1).
    #[serde(rename = "rsa-pss-sha-256")]
    RsaPssSha256,
    /// RSASSA-PSS, SHA-384.
    #[serde(rename = "rsa-pss-sha-384")]
    RsaPssSha384,
    /// RSASSA-PSS, SHA-512.
    #[serde(rename = "rsa-pss-sha-512")]
    RsaPssSha512,
    /// RSASSA-PKCS1-v1_5, SHA-256 (RFC 8017, 8.2).
    #[serde(rename = "rsa-pkcs1-sha-256")]
    RsaPkcs1Sha256,
    /// RSASSA-PKCS1-v1_5, SHA-384.
    #[serde(rename = "rsa-pkcs1-sha-384")]
    RsaPkcs1Sha384,
    /// RSASSA-PKCS1-v1_5, SHA-512.
    #[serde(rename = "rsa-pkcs1-sha-512")]
    RsaPkcs1Sha512,
    /// ECDSA with SHA-256; the signature is DER (RFC 3279).
    #[serde(rename = "ecdsa-sha-256")]
    EcdsaSha256,
    /// ECDSA with SHA-384.
    #[serde(rename = "ecdsa-sha-384")]
    EcdsaSha384,
    /// ECDSA with SHA-512.
    #[serde(rename = "ecdsa-sha-512")]
    EcdsaSha512,
    /// Ed25519 (RFC 8032).
    #[serde(rename = "ed25519")]
    Ed25519,
    /// ML-DSA of the key's parameter set, empty context (FIPS 204, algorithm 2).
    #[serde(rename = "ml-dsa")]
    MlDsa,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_algorithm_reads_back_from_its_name_and_its_code() {
        let codes: BTreeSet<_> = Algorithm::ALL.iter().map(|a| a.code()).collect();
        assert_eq!(codes.len(), Algorithm::ALL.len());
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(*algorithm));
            assert_eq!(Algorithm::from_code(algorithm.code()), Some(*algorithm));
            let json = serde_json::to_string(algorithm).unwrap();
            assert_eq!(serde_json::from_str::<Algorithm>(&json).unwrap(), *algorithm);
        }
        assert!("aes-256-ecb".parse::<Algorithm>().is_err());
    }

    #[test]
    fn a_key_has_one_purpose_and_schemes_exactly_when_it_signs() {
        use Capability::{Agree, Encapsulate, Encrypt, Mac, Sign, Wrap};
        for algorithm in Algorithm::ALL {
            let purposes = [Encrypt, Sign, Mac, Agree, Encapsulate, Wrap];
            let count = purposes.iter().filter(|p| algorithm.can(**p)).count();
            assert_eq!(count, 1, "{algorithm}");
            assert_eq!(algorithm.can(Sign), !algorithm.schemes().is_empty(), "{algorithm}");
        }
    }
}
