//! Signatures and message authentication codes.

use crate::algorithm::{Capability, SignatureScheme};
use crate::encrypt::limit;
use crate::handle::KeyHandle;
use crate::key_error::KeyError;
use crate::material::Expanded;
use crate::permits::{MayMac, MayMacVerify, MaySign, MayVerify};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, KeyPair, RsaEncoding, VerificationAlgorithm};
use kernel::Permit;
use kernel::limits::PLAINTEXT_BYTES_MAX;

impl KeyHandle {
    /// Signs a message of up to 1 MiB.
    ///
    /// # Errors
    /// When the permit is for another key, or the key does not sign in this scheme.
    pub fn sign<A: MaySign>(
        &self,
        permit: &Permit<A>,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let expanded = self.under(permit)?;
        self.scheme_fits(scheme)?;
        limit("message", message, PLAINTEXT_BYTES_MAX)?;
        let random = SystemRandom::new();
        match expanded {
            Expanded::RsaSign(pair) => {
                let padding = rsa_padding(scheme).ok_or(KeyError::NotOpened)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)?;
                Ok(signature)
            }
            Expanded::Ecdsa(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Expanded::Ed25519(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
            Expanded::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut signature)?;
                signature.truncate(length);
                Ok(signature)
            }
            _ => Err(self.lacks(Capability::Sign)),
        }
    }

    /// Whether the signature is this key's over this message.
    ///
    /// # Errors
    /// When the permit is for another key, or the key does not sign in this scheme.
    pub fn verify<A: MayVerify>(
        &self,
        permit: &Permit<A>,
        scheme: SignatureScheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, KeyError> {
        let expanded = self.under(permit)?;
        self.scheme_fits(scheme)?;
        limit("message", message, PLAINTEXT_BYTES_MAX)?;
        let public = match expanded {
            Expanded::RsaSign(pair) => pair.public_key().as_ref(),
            Expanded::Ecdsa(pair) => pair.public_key().as_ref(),
            Expanded::Ed25519(pair) => pair.public_key().as_ref(),
            Expanded::MlDsa(pair) => pair.public_key().as_ref(),
            _ => return Err(self.lacks(Capability::Sign)),
        };
        let verifier = self.verifier(scheme).ok_or_else(|| self.lacks(Capability::Sign))?;
        Ok(verifier.verify_sig(public, message, signature).is_ok())
    }

    /// Computes the code of a message of up to 1 MiB; 32, 48 or 64 bytes.
    ///
    /// # Errors
    /// When the permit is for another key, or the key computes no codes.
    pub fn mac<A: MayMac>(&self, permit: &Permit<A>, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let Expanded::Mac(key) = self.under(permit)? else {
            return Err(self.lacks(Capability::Mac));
        };
        limit("message", message, PLAINTEXT_BYTES_MAX)?;
        Ok(hmac::sign(key, message).as_ref().to_vec())
    }

    /// Whether the code is this key's over this message; takes the same time for every wrong code.
    ///
    /// # Errors
    /// When the permit is for another key, or the key computes no codes.
    pub fn mac_verify<A: MayMacVerify>(
        &self,
        permit: &Permit<A>,
        message: &[u8],
        code: &[u8],
    ) -> Result<bool, KeyError> {
        let Expanded::Mac(key) = self.under(permit)? else {
            return Err(self.lacks(Capability::Mac));
        };
        limit("message", message, PLAINTEXT_BYTES_MAX)?;
        Ok(hmac::verify(key, message, code).is_ok())
    }

    fn scheme_fits(&self, scheme: SignatureScheme) -> Result<(), KeyError> {
        if !self.algorithm.can(Capability::Sign) {
            return Err(self.lacks(Capability::Sign));
        }
        if self.algorithm.schemes().contains(&scheme) {
            return Ok(());
        }
        Err(KeyError::Malformed { field: "scheme", wanted: "a scheme of this key's algorithm" })
    }

    fn verifier(&self, scheme: SignatureScheme) -> Option<&'static dyn VerificationAlgorithm> {
        use crate::algorithm::Algorithm as A;
        use SignatureScheme as S;
        Some(match (scheme, self.algorithm) {
            (S::RsaPssSha256, _) => &signature::RSA_PSS_2048_8192_SHA256,
            (S::RsaPssSha384, _) => &signature::RSA_PSS_2048_8192_SHA384,
            (S::RsaPssSha512, _) => &signature::RSA_PSS_2048_8192_SHA512,
            (S::RsaPkcs1Sha256, _) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (S::RsaPkcs1Sha384, _) => &signature::RSA_PKCS1_2048_8192_SHA384,
            (S::RsaPkcs1Sha512, _) => &signature::RSA_PKCS1_2048_8192_SHA512,
            (S::EcdsaSha256, _) => &signature::ECDSA_P256_SHA256_ASN1,
            (S::EcdsaSha384, _) => &signature::ECDSA_P384_SHA384_ASN1,
            (S::EcdsaSha512, _) => &signature::ECDSA_P521_SHA512_ASN1,
            (S::Ed25519, _) => &signature::ED25519,
            (S::MlDsa, A::MlDsa44) => &signature::ML_DSA_44,
            (S::MlDsa, A::MlDsa65) => &signature::ML_DSA_65,
            (S::MlDsa, A::MlDsa87) => &signature::ML_DSA_87,
            _ => return None,
        })
    }
}

fn rsa_padding(scheme: SignatureScheme) -> Option<&'static dyn RsaEncoding> {
    use SignatureScheme as S;
    Some(match scheme {
        S::RsaPssSha256 => &signature::RSA_PSS_SHA256,
        S::RsaPssSha384 => &signature::RSA_PSS_SHA384,
        S::RsaPssSha512 => &signature::RSA_PSS_SHA512,
        S::RsaPkcs1Sha256 => &signature::RSA_PKCS1_SHA256,
        S::RsaPkcs1Sha384 => &signature::RSA_PKCS1_SHA384,
        S::RsaPkcs1Sha512 => &signature::RSA_PKCS1_SHA512,
        _ => return None,
    })
}
