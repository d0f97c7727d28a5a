//! People and services as they are stored. Their secrets stand in a collection of their own.

use crate::AccessError;
use crate::roles::{Assignment, Reach};
use kernel::{DomainId, Name, PersonId, Principal, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use store::{Collection, IndexTerm};

/// Longest sign-in name, in characters.
pub const SIGN_IN_NAME_CHARS_MAX: usize = 64;
/// Most certificates of one service: the old and the new one of a few replicas.
pub const CERTIFICATES_MAX: usize = 16;
/// Most workloads to which a service is tied.
pub const WORKLOADS_MAX: usize = 32;

/// The name with which a person signs in: a plain word, so that two cannot look alike.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignInName(String);

impl SignInName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SignInName {
    type Error = AccessError;
    fn try_from(text: String) -> Result<Self, AccessError> {
        let fits = (1..=SIGN_IN_NAME_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_')
            });
        if fits { Ok(Self(text)) } else { Err(AccessError::SignInName) }
    }
}

impl std::str::FromStr for SignInName {
    type Err = AccessError;
    fn from_str(text: &str) -> Result<Self, AccessError> {
        Self::try_from(text.to_owned())
    }
}

impl From<SignInName> for String {
    fn from(name: SignInName) -> Self {
        name.0
    }
}

/// Who did something, and when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Made {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Principal,
}

/// An account that was locked by an administrator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lock {
    /// When, and by whom.
    pub made: Made,
    /// Why.
    pub reason: String,
}

/// What is known of a person's proofs, without the proofs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ProofDates {
    /// When the password was set.
    pub password_at: Option<Timestamp>,
    /// When the second factor was enrolled.
    pub second_factor_at: Option<Timestamp>,
    /// When an administrator had both set anew.
    pub reset_at: Option<Timestamp>,
}

/// A natural person with an account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Person {
    /// Its identifier.
    pub id: PersonId,
    /// The name to sign in with.
    pub sign_in_name: SignInName,
    /// The name on screen.
    pub name: Name,
    /// The roles it holds.
    pub roles: Vec<Assignment>,
    /// Its proofs.
    pub proofs: ProofDates,
    /// Whether it is locked.
    pub lock: Option<Lock>,
    /// Who made the account.
    pub made: Made,
    /// When somebody last confirmed that it still needs its roles.
    pub reviewed: Option<Made>,
}

impl Person {
    /// Whether it can sign in: not locked, both factors enrolled.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.lock.is_none()
            && self.proofs.password_at.is_some()
            && self.proofs.second_factor_at.is_some()
    }
}

/// A TLS client certificate by which a service proves itself: the hash of its public key, so that a
/// renewal with the same key goes on working.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CertificateBinding {
    /// SHA-256 of the SubjectPublicKeyInfo (RFC 7469, section 2.4).
    pub spki_sha256: [u8; 32],
    /// What it is called.
    pub name: Name,
    /// Who bound it.
    pub made: Made,
}

/// A workload or another system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Service {
    /// Its identifier.
    pub id: ServiceId,
    /// Its name.
    pub name: Name,
    /// The platform engineer who makes its tokens.
    pub owner: Option<PersonId>,
    /// The workloads whose keys it may use; empty means all of its key domain.
    pub workloads: Vec<Name>,
    /// The roles it holds.
    pub roles: Vec<Assignment>,
    /// Its certificates.
    pub certificates: Vec<CertificateBinding>,
    /// Whether it is locked.
    pub lock: Option<Lock>,
    /// Who made it.
    pub made: Made,
    /// When somebody last confirmed that it still needs its roles.
    pub reviewed: Option<Made>,
}

/// The key domain whose things a caller sees first: its only one, else the installation.
#[must_use]
pub(crate) fn home_of(reaches: impl Iterator<Item = Reach>) -> DomainId {
    let mut domains = reaches.map(|reach| match reach {
        Reach::Installation => DomainId::SYSTEM,
        Reach::Domain(domain) => domain,
    });
    let first = domains.next().unwrap_or(DomainId::SYSTEM);
    if domains.all(|domain| domain == first) { first } else { DomainId::SYSTEM }
}

/// The secrets of a person. It prints nothing.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PersonSecrets {
    /// The password's hash (PHC string).
    pub(crate) password: String,
    /// The sealed seed of one-time codes.
    pub(crate) totp_seed: Vec<u8>,
    /// The newest step whose code was taken: it and all before are refused.
    pub(crate) totp_step: u64,
    /// When the person last signed in.
    pub(crate) signed_in_at: Option<Timestamp>,
}

impl fmt::Debug for PersonSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonSecrets").finish_non_exhaustive()
    }
}

/// People, by id.
#[derive(Debug)]
pub(crate) enum People {}
impl Collection for People {
    const NAME: &'static str = "access.people";
    type Key = PersonId;
    type Value = Person;
    fn indexes(person: &Person) -> Vec<IndexTerm> {
        vec![IndexTerm::new("sign-in-name", person.sign_in_name.as_str()).unique()]
    }
    fn sort_name(person: &Person) -> Option<Cow<'_, str>> {
        Some(person.name.as_str().into())
    }
}

/// Secrets of people, by person.
#[derive(Debug)]
pub(crate) enum Secrets {}
impl Collection for Secrets {
    const NAME: &'static str = "access.secrets";
    type Key = PersonId;
    type Value = PersonSecrets;
}

/// Services, by id.
#[derive(Debug)]
pub(crate) enum Services {}
impl Collection for Services {
    const NAME: &'static str = "access.services";
    type Key = ServiceId;
    type Value = Service;
    fn indexes(service: &Service) -> Vec<IndexTerm> {
        let certificate = |c: &CertificateBinding| IndexTerm::new("spki", c.spki_sha256).unique();
        let name = IndexTerm::new("name", service.name.as_str()).unique();
        std::iter::once(name).chain(service.certificates.iter().map(certificate)).collect()
    }
    fn sort_name(service: &Service) -> Option<Cow<'_, str>> {
        Some(service.name.as_str().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_name_is_a_plain_word() {
        for good in ["ada", "key.custodian-a", "a_1", "a".repeat(64).as_str()] {
            assert!(good.parse::<SignInName>().is_ok(), "{good}");
        }
        for bad in ["", "Ada", "a b", "аdа", "a@b", "a".repeat(65).as_str()] {
            assert!(bad.parse::<SignInName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_home_of_who_works_in_one_key_domain_is_that_domain() {
        let one = DomainId::from_bytes([1; 16]);
        let two = DomainId::from_bytes([2; 16]);
        let home = |reaches: &[Reach]| home_of(reaches.iter().copied());
        assert_eq!(home(&[Reach::Domain(one), Reach::Domain(one)]), one);
        assert_eq!(home(&[Reach::Domain(one), Reach::Domain(two)]), DomainId::SYSTEM);
        assert_eq!(home(&[Reach::Installation]), DomainId::SYSTEM);
        assert_eq!(home(&[]), DomainId::SYSTEM);
    }
}
