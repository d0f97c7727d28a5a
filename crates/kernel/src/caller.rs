//! Who is asking, how strongly that is proven, and from where.

use crate::limits::CORRELATION_CHARS_MAX;
use crate::{Action, DomainId, MonotonicMicros, PersonId, ServiceId, Timestamp, TokenId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The one who acts.
/// ```
/// use kernel::{PersonId, Principal};
/// let person = PersonId::from_bytes([1; 16]);
/// assert_eq!(Principal::Person(person).to_string(), person.to_string());
/// assert_eq!(Principal::System.to_string(), "system");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Principal {
    /// A natural person.
    Person(PersonId),
    /// A workload or another system.
    Service(ServiceId),
    /// The installation itself: schedules, boot, checkpoints.
    System,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Service(id) => id.fmt(f),
            Self::System => f.write_str("system"),
        }
    }
}

/// One way in which a principal proved itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Factor {
    /// Something known: a password.
    Password,
    /// A one-time code (RFC 6238).
    Totp,
    /// A bearer token of ours.
    Token,
    /// A TLS client certificate.
    Certificate,
    /// The one-time link of the first administrator.
    BootstrapLink,
}

/// How strongly a caller is proven.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthStrength {
    /// One factor.
    Single,
    /// Two different factors, or a client certificate.
    Multi,
}

/// The door through which a request came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// The REST API.
    Rest,
    /// The web console.
    Console,
    /// A schedule or the boot of the server.
    Internal,
}

/// Where a request came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The peer's address; none for the system itself.
    pub address: Option<IpAddr>,
    /// The door.
    pub door: Door,
}

/// A credential that can be revoked apart from its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An API token.
    Token(TokenId),
    /// A TLS client certificate, by the SHA-256 of its SubjectPublicKeyInfo.
    Certificate([u8; 32]),
}

/// What a narrow credential, such as an API token, is good for. It only takes away: the roles of
/// its holder decide as well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialScope {
    /// Which credential it is, so that each decision can see whether it was revoked meanwhile.
    pub credential: Option<Credential>,
    /// The actions it may be used for; `None` means all that its holder may do.
    pub actions: Option<Vec<Action>>,
    /// The key domains it may be used in; `None` means all of its holder's.
    pub domains: Option<Vec<DomainId>>,
}

impl CredentialScope {
    /// Whether this credential may be used for an action in a key domain.
    #[must_use]
    pub fn covers(&self, action: Action, domain: DomainId) -> bool {
        self.actions.as_ref().is_none_or(|actions| actions.contains(&action))
            && self.domains.as_ref().is_none_or(|domains| domains.contains(&domain))
    }
}

/// Who asks, established by a door together with `access`, and fixed for the request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The one who acts.
    pub principal: Principal,
    /// The home key domain of the principal; [`DomainId::SYSTEM`] for installation-wide roles.
    pub domain: DomainId,
    /// Proofs given, oldest first.
    pub factors: Vec<Factor>,
    /// When the newest proof was given.
    pub proven_at: Timestamp,
    /// What the credential in use is good for; `None` when it has no limits of its own.
    pub scope: Option<Arc<CredentialScope>>,
    /// Where from.
    pub origin: Origin,
    /// The id by which the caller knows this request.
    pub correlation: String,
    /// When the request arrived, for the latency in the record.
    pub arrived: MonotonicMicros,
}

impl Caller {
    /// The installation itself, for schedules and boot.
    #[must_use]
    pub fn system(correlation: &str, at: Timestamp, arrived: MonotonicMicros) -> Self {
        Self {
            principal: Principal::System,
            domain: DomainId::SYSTEM,
            factors: Vec::new(),
            proven_at: at,
            scope: None,
            origin: Origin { address: None, door: Door::Internal },
            correlation: Self::clean_correlation(correlation).unwrap_or_default(),
            arrived,
        }
    }

    /// How strongly the caller is proven.
    #[must_use]
    pub fn strength(&self) -> AuthStrength {
        let first = self.factors.first();
        let different = self.factors.iter().any(|f| Some(f) != first);
        if different || self.factors.contains(&Factor::Certificate) {
            AuthStrength::Multi
        } else {
            AuthStrength::Single
        }
    }

    /// A correlation id as we accept it: up to 128 visible ASCII characters.
    #[must_use]
    pub fn clean_correlation(text: &str) -> Option<String> {
        let fits = !text.is_empty()
            && text.len() <= CORRELATION_CHARS_MAX
            && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_factors_of_one_kind_are_one_factor() {
        let mut caller = Caller::system("t", Timestamp::EPOCH, MonotonicMicros(0));
        caller.factors = vec![Factor::Password, Factor::Password];
        assert_eq!(caller.strength(), AuthStrength::Single);
        caller.factors.push(Factor::Totp);
        assert_eq!(caller.strength(), AuthStrength::Multi);
    }

    #[test]
    fn a_correlation_id_cannot_carry_a_line_break() {
        assert_eq!(Caller::clean_correlation("abc-1"), Some("abc-1".into()));
        for bad in ["", "a b", "a\nb", "é", "x".repeat(129).as_str()] {
            assert_eq!(Caller::clean_correlation(bad), None);
        }
    }
}
