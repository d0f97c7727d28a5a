//! Services: workloads and other systems, their owners and certificates.

use crate::AccessError;
use crate::access::{Access, Change};
use crate::directory::Directory;
use crate::duties::Duty;
use crate::held::HeldRole;
use crate::identity::{CERTIFICATES_MAX, CertificateBinding, Service, Services, WORKLOADS_MAX};
use crate::people::in_scope;
use crate::tokens::first;
use kernel::actions::{IdentityManage, IdentityRead};
use kernel::{Name, Outcome, Permit, PersonId, Principal, ServiceId};
use store::Repeat;
use store::{Batch, Expect};

/// Most services of one installation.
pub const SERVICES_MAX: usize = 20_000;

/// A service that shall exist.
#[derive(Clone, Debug)]
pub struct NewService {
    /// Its name; no two services have one.
    pub name: Name,
    /// The platform engineer who makes its tokens.
    pub owner: Option<PersonId>,
    /// Workloads whose keys it may use; empty means all of its key domain.
    pub workloads: Vec<Name>,
}

/// A service with what is not in its record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceView {
    /// The record.
    pub service: Service,
    /// The roles that it holds, of its own first, then by groups.
    pub roles: Vec<HeldRole>,
}

impl Access {
    /// Creates a service without roles.
    ///
    /// # Errors
    /// When the name is taken, the owner manages users or policy, or a limit is passed.
    pub async fn create_service(
        &self,
        permit: Permit<IdentityManage>,
        new: NewService,
        repeat: Option<Repeat>,
    ) -> Result<ServiceId, AccessError> {
        if let Some(first) = self.answered_before::<_, ServiceId>(&permit, repeat.as_ref())? {
            self.answer_again(permit).await?;
            return Ok(first);
        }
        let (permit, ()) = self.checked(permit, |_| {
            if self.look(|d| d.services.len()) >= SERVICES_MAX {
                return Err(AccessError::TooMany { what: "services", max: SERVICES_MAX });
            }
            if new.workloads.len() > WORKLOADS_MAX {
                return Err(AccessError::TooMany { what: "workloads", max: WORKLOADS_MAX });
            }
            new.owner.map_or(Ok(()), |owner| self.check_owner(owner))
        })?;
        let id = ServiceId::generate(self.clock(), self.rng())?;
        let service = Service {
            id,
            name: new.name,
            owner: new.owner,
            workloads: new.workloads,
            roles: Vec::new(),
            certificates: Vec::new(),
            lock: None,
            made: self.made_by(&permit),
            reviewed: None,
        };
        let guard = permit.guard();
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &id));
        let event = permit
            .into_event(Outcome::Done, self.clock())
            .with("did", "service-created")
            .with("service", id.to_string())
            .with("name", service.name.as_str());
        let batch = Batch::new().put::<Services>(&id, &service, Expect::Absent);
        let batch = batch.event(event).guard(guard);
        let keep = |d: &mut Directory, v: &[u64]| d.keep_service(first(v), service);
        Ok(self.save_new(batch, repeat, keep).await?.unwrap_or(id))
    }

    /// Lets a client certificate stand for the service that the permit names: any certificate with
    /// this public key, which the TLS handshake has proven.
    ///
    /// # Errors
    /// When another service has the key already, or the limit is reached.
    pub async fn bind_certificate(
        &self,
        permit: Permit<IdentityManage>,
        spki_sha256: [u8; 32],
        name: Name,
    ) -> Result<(), AccessError> {
        let made = self.made_by(&permit);
        let hex: String = spki_sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let binding = CertificateBinding { spki_sha256, name, made };
        self.change_service(permit, Change::Widens, ("certificate-bound", hex), |service| {
            if service.certificates.len() >= CERTIFICATES_MAX {
                let what = "certificates of one service";
                return Err(AccessError::TooMany { what, max: CERTIFICATES_MAX });
            }
            service.certificates.retain(|c| c.spki_sha256 != binding.spki_sha256);
            service.certificates.push(binding);
            Ok(())
        })
        .await
    }

    /// Takes a certificate away; when this returns, no later use of it can be recorded.
    ///
    /// # Errors
    /// When the service has no such certificate.
    pub async fn unbind_certificate(
        &self,
        permit: Permit<IdentityManage>,
        spki_sha256: [u8; 32],
    ) -> Result<(), AccessError> {
        let hex: String = spki_sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        self.change_service(permit, Change::Narrows, ("certificate-unbound", hex), |service| {
            let before = service.certificates.len();
            service.certificates.retain(|c| c.spki_sha256 != spki_sha256);
            if service.certificates.len() == before {
                return Err(AccessError::NoSuch("certificate"));
            }
            Ok(())
        })
        .await
    }

    /// Makes another person responsible for the service.
    ///
    /// # Errors
    /// [`AccessError::Owner`] when the person manages users or policy.
    pub async fn set_owner(
        &self,
        permit: Permit<IdentityManage>,
        owner: Option<PersonId>,
    ) -> Result<(), AccessError> {
        let text = owner.map_or_else(|| String::from("nobody"), |id| id.to_string());
        self.change_service(permit, Change::Narrows, ("owner-set", text), |service| {
            service.owner = owner;
            owner.map_or(Ok(()), |owner| self.check_owner(owner))
        })
        .await
    }

    async fn change_service(
        &self,
        permit: Permit<IdentityManage>,
        change: Change,
        (did, what): (&'static str, String),
        edit: impl FnOnce(&mut Service) -> Result<(), AccessError> + Send,
    ) -> Result<(), AccessError> {
        let (permit, (id, version, (narrowed, service))) = self.checked(permit, |permit| {
            let id: ServiceId = permit.resource_id().ok_or(AccessError::NoSuch("service"))?;
            let kept = self.look(|d| d.service(id).cloned())?;
            let (mut service, owner) = (kept.value.clone(), kept.value.owner);
            edit(&mut service)?;
            // Until it is durable nobody is the new owner, and the old one is not any more.
            let owner = owner.filter(|owner| service.owner == Some(*owner));
            Ok((id, kept.version, (Service { owner, ..service.clone() }, service)))
        })?;
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, self.clock());
        let event = event.with("did", did).with("what", what);
        if change == Change::Narrows {
            self.change_directory(|d| d.keep_service(version, narrowed));
        }
        let batch = Batch::new().put::<Services>(&id, &service, Expect::Version(version));
        let batch = batch.event(event).guard(guard);
        self.save(batch, change, |d, v| d.keep_service(first(v), service)).await
    }

    /// An owner makes tokens with which keys are used: nobody who manages users or policy.
    fn check_owner(&self, owner: PersonId) -> Result<(), AccessError> {
        let fits = self.look(|d| {
            let person = d.people.get(&owner).filter(|p| p.value.lock.is_none())?;
            let apart = |duty: &Duty| matches!(duty, Duty::ManagesUsers | Duty::ChangesPolicy);
            let powers = |held: HeldRole| Duty::of(held.assignment.role).iter().any(apart);
            let clean = !d.held(Principal::Person(person.value.id)).any(powers);
            clean.then_some(())
        });
        fits.ok_or(AccessError::Owner)
    }

    /// The services that the permit shows, by name.
    #[must_use]
    pub fn services(&self, permit: Permit<IdentityRead>) -> Vec<ServiceView> {
        let (scope, one) = (permit.scope(), permit.resource_id::<ServiceId>());
        let all = permit.resource().id == "*";
        self.read_under(permit);
        let mut found = self.look(|d| {
            let view = |service: &Service| {
                let roles = d.held(Principal::Service(service.id)).collect();
                ServiceView { service: service.clone(), roles }
            };
            let shown = |view: &ServiceView| {
                if all { in_scope(&scope, &view.roles) } else { Some(view.service.id) == one }
            };
            let services = d.services.values().map(|kept| &kept.value);
            services.map(view).filter(shown).collect::<Vec<_>>()
        });
        found.sort_by(|a, b| a.service.name.cmp(&b.service.name));
        found
    }
}
