//! Key domains: tenants, each with its own key-encryption key.

use crate::{Keys, KeysError, Repeat};
use kernel::actions::{DomainCreate, DomainRead};
use kernel::{DomainId, Name, Outcome, Permit, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::PoisonError;
use store::{Batch, Collection, Expect, IndexTerm};

/// Waiting period before a destruction unless the key domain says otherwise: seven days.
pub const WAITING_SECONDS_DEFAULT: u64 = 7 * 86_400;
/// Shortest waiting period that is one: a day, so that a night's mistake is seen in the morning.
pub const WAITING_SECONDS_MIN: u64 = 86_400;
/// Longest waiting period: a year; a key that must wait longer should be suspended.
pub const WAITING_SECONDS_MAX: u64 = 365 * 86_400;

/// Most key domains: each is a tenant with a key-encryption key of its own, not a folder.
pub const DOMAINS_MAX: u64 = 1_000;

/// A key domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Its identifier.
    pub id: DomainId,
    /// Its name, unique in the installation.
    pub name: Name,
    /// When it was made.
    pub created_at: Timestamp,
    /// Seconds between asking for a destruction and its earliest moment; 0 means that destruction
    /// follows the approval at once, which every record of it states.
    pub waiting_period_seconds: u64,
    /// What protects its key-encryption key.
    pub root: RootKind,
}

/// What protects the keys of a key domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootKind {
    /// Software of ours, under the seal of the installation.
    Software,
}

impl RootKind {
    /// The word in facts and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Software => "software",
        }
    }
}

/// What a new key domain is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateDomain {
    /// Its name.
    pub name: Name,
    /// 0, or from [`WAITING_SECONDS_MIN`] to [`WAITING_SECONDS_MAX`]; seven days when not said.
    #[serde(default = "default_waiting")]
    pub waiting_period_seconds: u64,
}

const fn default_waiting() -> u64 {
    WAITING_SECONDS_DEFAULT
}

pub(crate) enum Domains {}

impl Collection for Domains {
    const NAME: &'static str = "key-domains";
    type Key = DomainId;
    type Value = Domain;

    fn domain(domain: &Domain) -> DomainId {
        domain.id
    }

    fn indexes(domain: &Domain) -> Vec<IndexTerm> {
        vec![IndexTerm::new("name", domain.name.as_str()).unique()]
    }

    fn sort_name(domain: &Domain) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(domain.name.as_str()))
    }
}

impl Keys {
    /// Makes a key domain with its own key-encryption key under the root of the installation.
    ///
    /// # Errors
    /// When the name is taken, the waiting period is out of range, or root or store fail.
    pub async fn create_domain(
        &self,
        mut permit: Permit<DomainCreate>,
        request: &CreateDomain,
        repeat: Option<Repeat>,
    ) -> Result<Domain, KeysError> {
        let before = self.answered_before::<_, DomainId>(&permit, repeat.as_ref());
        let domain = match before {
            Ok(Some(first)) => {
                self.answer_again(permit).await?;
                return self.domain(first);
            }
            Ok(None) => {
                let request = request.clone();
                let made;
                let make = move |keys: &Self| (keys.new_domain(&permit, &request), permit);
                (made, permit) = self.aside(make).await?;
                made
            }
            Err(cause) => Err(cause),
        };
        let domain = match domain {
            Ok(domain) => domain,
            Err(cause) => return Err(self.refuse(permit, cause).await),
        };
        let guard = permit.guard();
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &domain.id));
        let mut event = permit.into_event(Outcome::Done, &*self.inner.clock);
        event.resource = format!("domain:{}", domain.id);
        let event = event
            .with("name", domain.name.as_str())
            .with("root", domain.root.word())
            .with("waiting_period_seconds", domain.waiting_period_seconds.to_string());
        let batch = Batch::new()
            .guard(guard)
            .put::<Domains>(&domain.id, &domain, Expect::Absent)
            .event(event.clone());
        let batch = repeat.into_iter().fold(batch, Batch::idempotent);
        let committed = self.unless_taken(self.inner.store.commit(batch).await, event).await?;
        match committed.replayed {
            Some(first) => self.domain(Repeat::first_answer(&first).ok_or(KeysError::NoDomain)?),
            None => Ok(domain),
        }
    }

    fn new_domain(
        &self,
        permit: &Permit<DomainCreate>,
        request: &CreateDomain,
    ) -> Result<Domain, KeysError> {
        self.live(permit)?;
        let seconds = request.waiting_period_seconds;
        if seconds != 0 && !(WAITING_SECONDS_MIN..=WAITING_SECONDS_MAX).contains(&seconds) {
            return Err(KeysError::WaitingPeriod);
        }
        if self.inner.store.count::<Domains>() >= DOMAINS_MAX {
            return Err(KeysError::TooManyDomains);
        }
        let taken = IndexTerm::new("name", request.name.as_str());
        if self.inner.store.find_one::<Domains>(&taken)?.is_some() {
            return Err(KeysError::NameTaken);
        }
        let id = DomainId::generate(&*self.inner.clock, &*self.inner.rng)?;
        // The root first: a key-encryption key without a record is never used, the reverse would
        // fail.
        self.inner.room.create_domain(id)?;
        Ok(Domain {
            id,
            name: request.name.clone(),
            created_at: self.now(),
            waiting_period_seconds: seconds,
            root: RootKind::Software,
        })
    }

    /// One key domain.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub fn read_domain(&self, permit: Permit<DomainRead>) -> Result<Domain, KeysError> {
        let found = match permit.resource_id() {
            Some(id) => self.domain(id),
            None => Err(KeysError::NoDomain),
        };
        self.note_read(permit, &found);
        found
    }

    /// The key domains that the permit's scope shows, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list_domains(&self, permit: Permit<DomainRead>) -> Result<Vec<Domain>, KeysError> {
        let scope = permit.scope();
        let found = self.every_domain().map(|all| {
            all.into_iter().filter(|domain| scope.allows(domain.id)).collect::<Vec<_>>()
        });
        self.note_read(permit, &found);
        found
    }

    /// A key domain, remembered from the first time on: it is never changed and never deleted.
    pub(crate) fn domain(&self, id: DomainId) -> Result<Domain, KeysError> {
        let lock = || self.inner.memory.domains.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(domain) = lock().get(&id) {
            return Ok(domain.clone());
        }
        let domain = self.inner.store.get::<Domains>(&id)?.ok_or(KeysError::NoDomain)?.value;
        lock().insert(id, domain.clone());
        Ok(domain)
    }
}
