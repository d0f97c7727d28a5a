//! Passwords, bearer tokens and one-time codes of people and services.
//!
//! A password is HMAC-SHA-256 under a pepper that only the root knows, then Argon2id; what is
//! stored is a PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`), useless to whoever has the
//! database alone. A token is stored as HMAC-SHA-256 under a key of its own: 256 random bits need
//! no stretching.

use crate::argon2id::{Argon2Cost, CostOutOfBounds};
use crate::derive::{Label, derive_mac, tag_bytes};
use crate::random::random_array;
use crate::room::Strongroom;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use kernel::{Problem, ProblemKind, RngUnavailable, Secret};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Longest stored hash that is read, in bytes: ours take about 100.
const PHC_BYTES_MAX: usize = 256;

/// Why a password, a token or a code could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Longer than [`PASSWORD_BYTES_MAX`].
    #[error("a password is at most {PASSWORD_BYTES_MAX} bytes long")]
    TooLong,
    /// What was stored is not a hash of ours.
    #[error("the stored password hash or seed is not readable")]
    Stored,
    /// The cost is out of bounds.
    #[error(transparent)]
    Cost(#[from] CostOutOfBounds),
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
}

impl From<PasswordError> for Problem {
    fn from(cause: PasswordError) -> Self {
        match cause {
            PasswordError::TooLong => Self::field("/password", cause.to_string()),
            PasswordError::Rng(cause) => cause.into(),
            PasswordError::Stored | PasswordError::Cost(_) => {
                Self::new(ProblemKind::Internal, "password-store", cause.to_string())
            }
        }
    }
}

impl Strongroom {
    /// Hashes a password for storing. Takes about a tenth of a second: call it where blocking is
    /// allowed.
    ///
    /// # Errors
    /// When the password is too long, the cost out of bounds, or there is no randomness.
    pub fn hash_password(
        &self,
        password: &Secret<String>,
        cost: Argon2Cost,
    ) -> Result<String, PasswordError> {
        let salt: [u8; 16] = random_array()?;
        let hash = cost.stretch(self.peppered(password)?.as_slice(), &salt)?;
        Ok(stored(cost, &salt, &hash))
    }

    /// A stored form that no password fits, at this cost: verifying against it takes as long as
    /// against a real one, and making it takes no time.
    ///
    /// # Errors
    /// When the cost is out of bounds or there is no randomness.
    pub fn password_of_nobody(cost: Argon2Cost) -> Result<String, PasswordError> {
        cost.check()?;
        Ok(stored(cost, &random_array::<16>()?, &random_array::<32>()?))
    }

    /// Whether the password is the one of this hash. Takes as long as hashing.
    ///
    /// # Errors
    /// When the password is too long or the stored hash is not one of ours.
    pub fn verify_password(
        &self,
        password: &Secret<String>,
        stored: &str,
    ) -> Result<bool, PasswordError> {
        let stored = StoredPassword::parse(stored).ok_or(PasswordError::Stored)?;
        let hash = stored.cost.stretch(self.peppered(password)?.as_slice(), &stored.salt)?;
        Ok(hash.as_slice().ct_eq(&stored.hash).into())
    }

    /// Whether a stored hash was made at a lower cost than `cost` and should be made again at the
    /// next sign-in.
    #[must_use]
    pub fn password_needs_rehash(stored: &str, cost: Argon2Cost) -> bool {
        StoredPassword::parse(stored)
            .is_none_or(|s| s.cost.memory_kib < cost.memory_kib || s.cost.passes < cost.passes)
    }

    /// The form in which a bearer token is stored and looked up.
    #[must_use]
    pub fn hash_token(&self, token: &Secret<String>) -> [u8; 32] {
        tag_bytes(hmac::sign(&self.inner.tokens, token.expose().as_bytes()))
    }

    /// A new bearer token: 256 random bits as base64url, 43 characters.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new_token(&self) -> Result<Secret<String>, RngUnavailable> {
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(random_array()?);
        let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes.as_slice());
        Ok(Secret::new(text))
    }

    fn peppered(&self, password: &Secret<String>) -> Result<Zeroizing<[u8; 32]>, PasswordError> {
        let password = password.expose().as_bytes();
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        let key = derive_mac(Label::Pepper, self.inner.barrier.as_slice(), &[]);
        Ok(Zeroizing::new(tag_bytes(hmac::sign(&key, password))))
    }
}

fn stored(cost: Argon2Cost, salt: &[u8; 16], hash: &[u8; 32]) -> String {
    let Argon2Cost { memory_kib, passes, lanes } = cost;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
}

struct StoredPassword {
    cost: Argon2Cost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl StoredPassword {
    fn parse(text: &str) -> Option<Self> {
        if text.len() > PHC_BYTES_MAX {
            return None;
        }
        let rest = text.strip_prefix("$argon2id$v=19$m=")?;
        let (memory, rest) = rest.split_once(",t=")?;
        let (passes, rest) = rest.split_once(",p=")?;
        let (lanes, rest) = rest.split_once('$')?;
        let (salt, hash) = rest.split_once('$')?;
        let (memory_kib, passes, lanes) =
            (memory.parse().ok()?, passes.parse().ok()?, lanes.parse().ok()?);
        let salt = STANDARD_NO_PAD.decode(salt).ok()?;
        let hash = STANDARD_NO_PAD.decode(hash).ok()?;
        let fits = (8..=64).contains(&salt.len()) && hash.len() == 32;
        fits.then_some(Self { cost: Argon2Cost { memory_kib, passes, lanes }, salt, hash })
    }
}
