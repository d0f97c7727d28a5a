//! Creating people, locking and unlocking, having factors set anew.

use crate::AccessError;
use crate::access::{Access, Change, holder_of};
use crate::approvals::{Occasion, request_hash};
use crate::directory::Directory;
use crate::enrolment::{Invitation, LINK_SECONDS, Links};
use crate::held::{HeldRole, Proposed};
use crate::identity::{Lock, People, Person, ProofDates, Secrets, Services, SignInName};
use crate::sessions::Sessions;
use crate::tokens::first;
use kernel::actions::{IdentityManage, IdentityRead};
use kernel::limits::TEXT_CHARS_MAX;
use kernel::{Action, Name, Outcome, Permit, PersonId, Principal, Resource, Scope, Timestamp};
use store::Repeat;
use store::{Batch, Expect, IndexTerm};

/// Most people of one installation; the directory holds them in memory, a few kB each.
pub const PEOPLE_MAX: usize = 20_000;

/// Somebody who shall have an account.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// The name to sign in with.
    pub sign_in_name: SignInName,
    /// The name on screen.
    pub name: Name,
}

/// A person with what is not in its record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonView {
    /// The record.
    pub person: Person,
    /// The roles that it holds, of its own first, then by groups.
    pub roles: Vec<HeldRole>,
    /// When it last signed in.
    pub signed_in_at: Option<Timestamp>,
}

/// A reason that people must give: one to 2000 characters.
pub(crate) fn text(field: &'static str, text: &str) -> Result<String, AccessError> {
    let text = text.trim();
    let fits = (1..=TEXT_CHARS_MAX).contains(&text.chars().count());
    if fits { Ok(text.to_owned()) } else { Err(AccessError::Text(field)) }
}

impl Access {
    /// Creates a person without roles, and the link by which it sets its password and second
    /// factor.
    ///
    /// # Errors
    /// When the sign-in name is taken or the store does not take it; [`AccessError::ShownOnce`]
    /// when the same request was done before.
    pub async fn create_person(
        &self,
        permit: Permit<IdentityManage>,
        new: NewPerson,
        repeat: Option<Repeat>,
    ) -> Result<Invitation, AccessError> {
        if self.answered_before::<_, PersonId>(&permit, repeat.as_ref())?.is_some() {
            self.answer_again(permit).await?;
            return Err(AccessError::ShownOnce);
        }
        let (permit, ()) = self.checked(permit, |_| {
            if self.look(|d| d.people.len()) >= PEOPLE_MAX {
                return Err(AccessError::TooMany { what: "people", max: PEOPLE_MAX });
            }
            Ok(())
        })?;
        let id = PersonId::generate(self.clock(), self.rng())?;
        let person = Person {
            id,
            sign_in_name: new.sign_in_name,
            name: new.name,
            roles: Vec::new(),
            proofs: ProofDates::default(),
            lock: None,
            made: self.made_by(&permit),
            reviewed: None,
        };
        let (invitation, link) = self.link_for(id, LINK_SECONDS)?;
        let guard = permit.guard();
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &id));
        let event = permit
            .into_event(Outcome::Done, self.clock())
            .with("did", "person-created")
            .with("person", id.to_string())
            .with_personal("sign-in-name", person.sign_in_name.as_str());
        let batch = Batch::new().put::<People>(&id, &person, Expect::Absent).and(link);
        let batch = batch.event(event).guard(guard);
        let keep = |d: &mut Directory, v: &[u64]| d.keep_person(first(v), person);
        match self.save_new::<PersonId>(batch, repeat, keep).await? {
            Some(_) => Err(AccessError::ShownOnce),
            None => Ok(invitation),
        }
    }

    /// Locks the person or service whom the permit names: sessions end, tokens and certificates are
    /// refused, and when this returns no later use by it can be recorded.
    ///
    /// # Errors
    /// When there is no such identity, the reason is empty, nobody else could manage users or give
    /// roles then, or the store does not take it.
    pub async fn lock(
        &self,
        permit: Permit<IdentityManage>,
        reason: &str,
    ) -> Result<(), AccessError> {
        let (permit, reason) = self.checked(permit, |_| text("reason", reason))?;
        let lock = Lock { made: self.made_by(&permit), reason };
        self.set_lock(permit, Some(lock)).await
    }

    /// Unlocks it again.
    ///
    /// # Errors
    /// When there is no such identity or the store does not take it.
    pub async fn unlock(&self, permit: Permit<IdentityManage>) -> Result<(), AccessError> {
        self.set_lock(permit, None).await
    }

    async fn set_lock(
        &self,
        permit: Permit<IdentityManage>,
        lock: Option<Lock>,
    ) -> Result<(), AccessError> {
        let change = if lock.is_some() { Change::Narrows } else { Change::Widens };
        let (permit, holder) =
            self.checked(permit, |permit| self.check_lock(permit, lock.as_ref()))?;
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, self.clock());
        let event = match &lock {
            Some(lock) => event.with("did", "locked").with("reason", lock.reason.as_str()),
            None => event.with("did", "unlocked"),
        };
        let batch = Batch::new();
        match holder {
            Principal::Person(id) => {
                let kept = self.look(|d| d.person(id).cloned())?;
                let person = Person { lock, ..kept.value };
                let batch = batch.put::<People>(&id, &person, Expect::Version(kept.version));
                let mut batch = batch.event(event).guard(guard);
                if change == Change::Narrows {
                    batch = batch.and(self.end_sessions(id));
                    self.change_directory(|d| d.keep_person(kept.version, person.clone()));
                }
                let keep = |d: &mut Directory, v: &[u64]| {
                    d.keep_person(first(v), person);
                };
                self.save(batch, change, keep).await
            }
            Principal::Service(id) => {
                let kept = self.look(|d| d.service(id).cloned())?;
                let service = crate::identity::Service { lock, ..kept.value };
                let batch = batch.put::<Services>(&id, &service, Expect::Version(kept.version));
                let batch = batch.event(event).guard(guard);
                if change == Change::Narrows {
                    self.change_directory(|d| d.keep_service(kept.version, service.clone()));
                }
                let keep = |d: &mut Directory, v: &[u64]| {
                    d.keep_service(first(v), service);
                };
                self.save(batch, change, keep).await
            }
            Principal::System => Err(AccessError::NoSuch("identity")),
        }
    }

    fn check_lock(
        &self,
        permit: &Permit<IdentityManage>,
        lock: Option<&Lock>,
    ) -> Result<Principal, AccessError> {
        let holder = holder_of(&permit.resource().id).ok_or(AccessError::NoSuch("identity"))?;
        let now = self.times().latest();
        let last = self.look(|d| match holder {
            Principal::Person(id) => {
                let person = Person { lock: lock.cloned(), ..d.person(id)?.value.clone() };
                Ok(d.would_be_last(Proposed::from(&person), now))
            }
            Principal::Service(id) => d.service(id).map(|_| None),
            Principal::System => Err(AccessError::NoSuch("identity")),
        })?;
        last.map_or(Ok(holder), |role| Err(AccessError::Last(role)))
    }

    /// What must be approved to have the factors of a person set anew.
    #[must_use]
    pub fn reset_request_hash(resource: &Resource) -> [u8; 32] {
        request_hash(Action::IdentityManage, resource, b"factors-reset")
    }

    /// Voids password and second factor of the person whom the permit names and makes a link to set
    /// them anew. After bootstrap somebody else must have approved it for exactly this person.
    ///
    /// # Errors
    /// [`AccessError::Approval`] when nobody has, [`AccessError::NoSuch`].
    pub async fn reset_factors(
        &self,
        permit: Permit<IdentityManage>,
    ) -> Result<Invitation, AccessError> {
        let (permit, (id, kept, enrolled, spent)) = self.checked(permit, |permit| {
            let id: PersonId = permit.resource_id().ok_or(AccessError::NoSuch("person"))?;
            let kept = self.look(|d| d.person(id).cloned())?;
            let hash = Self::reset_request_hash(permit.resource());
            // Who has never enrolled has nothing that could be taken over.
            let enrolled = kept.value.proofs != ProofDates::default();
            let occasion = Occasion::FactorsReset;
            let spent = if enrolled { self.spend_on(permit, occasion, hash)? } else { None };
            Ok((id, kept, enrolled, spent))
        })?;
        let mut person = kept.value;
        if enrolled {
            let reset_at = Some(self.times().latest());
            person.proofs = ProofDates { reset_at, ..ProofDates::default() };
        }
        let (invitation, link) = self.link_for(id, LINK_SECONDS)?;
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, self.clock()).with("did", "factors-reset");
        let event = match &spent {
            Some(spent) => event.with("approval", spent.id().to_string()),
            None => event,
        };
        let batch = Batch::new()
            .put::<People>(&id, &person, Expect::Version(kept.version))
            .delete::<Secrets>(&id, Expect::Any)
            .and(link)
            .and(self.end_sessions(id))
            .event(event)
            .guard(guard);
        let batch = match spent {
            Some(spent) => batch.and(spent.into_batch()),
            None => batch,
        };
        self.change_directory(|d| d.keep_person(kept.version, person.clone()));
        let keep = |d: &mut Directory, v: &[u64]| d.keep_person(first(v), person);
        self.save(batch, Change::Narrows, keep).await?;
        Ok(invitation)
    }

    /// Ends every session and link of a person, in memory at once and in the store with the batch.
    pub(crate) fn end_sessions(&self, person: PersonId) -> Batch {
        let ended = self.change_directory(|d| {
            let own = |kept: &crate::directory::KeptSession| kept.session.person == person;
            let ended: Vec<_> =
                d.sessions.iter().filter(|(_, kept)| own(kept)).map(|(hash, _)| *hash).collect();
            d.sessions.retain(|_, kept| !own(kept));
            ended
        });
        ended.iter().fold(Batch::new(), |batch, hash| batch.delete::<Sessions>(hash, Expect::Any))
    }

    /// Voids the links of a person that nobody has used.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn withdraw_links(&self, permit: Permit<IdentityManage>) -> Result<(), AccessError> {
        let (permit, id) = self.checked(permit, |permit| {
            permit.resource_id::<PersonId>().ok_or(AccessError::NoSuch("person"))
        })?;
        let links = self.store().find::<Links>(&IndexTerm::new("person", id.to_bytes()), 100)?;
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, self.clock()).with("did", "links-withdrawn");
        let batch = links
            .iter()
            .fold(Batch::new(), |batch, link| batch.delete::<Links>(&link.key, Expect::Any));
        self.save(batch.event(event).guard(guard), Change::Neither, |_, _| ()).await
    }

    /// The people whom the permit shows, by name: one, or all who hold something in its key
    /// domains.
    #[must_use]
    pub fn people(&self, permit: Permit<IdentityRead>) -> Vec<PersonView> {
        let (scope, one) = (permit.scope(), permit.resource_id::<PersonId>());
        let all = permit.resource().id == "*";
        self.read_under(permit);
        let mut found = self.look(|d| {
            let people = d.people.values().map(|kept| &kept.value);
            let view = |p: &Person| {
                let signed_in_at = d.signed_in.get(&p.id).copied();
                let roles = d.held(Principal::Person(p.id)).collect();
                PersonView { person: p.clone(), roles, signed_in_at }
            };
            let shown = |view: &PersonView| {
                if all { in_scope(&scope, &view.roles) } else { Some(view.person.id) == one }
            };
            people.map(view).filter(shown).collect::<Vec<_>>()
        });
        found.sort_by(|a, b| a.person.name.cmp(&b.person.name));
        found
    }

    /// The name of a person as it is shown beside what it did; needs no permit, says nothing else.
    #[must_use]
    pub fn display_name(&self, principal: Principal) -> Option<Name> {
        self.look(|d| match principal {
            Principal::Person(id) => d.people.get(&id).map(|kept| kept.value.name.clone()),
            Principal::Service(id) => d.services.get(&id).map(|kept| kept.value.name.clone()),
            Principal::System => None,
        })
    }
}

/// Whether somebody with these roles holds one in the key domains of a list.
pub(crate) fn in_scope(scope: &Scope, roles: &[HeldRole]) -> bool {
    match scope {
        Scope::All => true,
        Scope::Domains(domains) => roles
            .iter()
            .any(|held| domains.iter().any(|domain| held.assignment.reach.covers(*domain))),
    }
}
