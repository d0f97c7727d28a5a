//! A house with a real strongroom, a real store, a real log, a gate, and people in it.

use crate::totp;
use access::roles::{Reach, Role};
use access::{
    Access, AccessError, Arrival, GiveRole, Invitation, NewPerson, NewService, SignIn, SignedIn,
};
use footing::Footing;
use kernel::actions::{IdentityManage, PolicyChange};
use kernel::{
    Action, ActionType, Caller, Clock, DomainId, Door, Gate, HeldClock, LogPosition, Name, Origin,
    Permit, PersonId, Refusal, Resource, ResourceKind, Secret, ServiceId, Timestamp,
};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use store::Store;
use strongroom::{Argon2Cost, SystemRng};

pub(crate) const PASSWORD: &str = "tram kettle violet 9";

struct Unpark(Thread);
impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// What runs between two starts.
pub(crate) struct Running {
    pub(crate) access: Access,
    pub(crate) gate: Gate,
    pub(crate) store: Store,
    pub(crate) log: audit::Log,
}

pub(crate) struct House {
    pub(crate) run: Option<Running>,
    pub(crate) clock: Arc<HeldClock>,
    footing: Footing,
}

/// A person who is signed in, with the device that shows codes.
pub(crate) struct Someone {
    pub(crate) id: PersonId,
    pub(crate) name: String,
    pub(crate) cookie: String,
    pub(crate) seed: String,
}

pub(crate) fn from(address: &str) -> Origin {
    let address: IpAddr = address.parse().unwrap();
    Origin { address: Some(address), door: Door::Console }
}

pub(crate) fn desk() -> Origin {
    from("192.0.2.10")
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn retail() -> DomainId {
    DomainId::from_bytes([0xaa; 16])
}

pub(crate) fn treasury() -> DomainId {
    DomainId::from_bytes([0xbb; 16])
}

pub(crate) fn key(domain: DomainId) -> Resource {
    Resource::new(ResourceKind::Key, "key_00000000000000000000000001", domain)
}

pub(crate) fn identity(id: impl ToString) -> Resource {
    Resource::new(ResourceKind::Identity, id.to_string(), DomainId::SYSTEM)
}

pub(crate) fn policy(id: impl ToString) -> Resource {
    Resource::new(ResourceKind::Policy, id.to_string(), DomainId::SYSTEM)
}

fn open(footing: &Footing) -> Running {
    let (store, log) = footing.start().unwrap();
    let (rng, cost) = (Arc::new(SystemRng), Argon2Cost::LEAST);
    let (room, clock) = (footing.room.clone(), footing.clock.clone());
    let access = Access::open(store.clone(), room, clock.clone(), rng, cost).unwrap();
    let (decider, shared) = (Arc::new(access.clone()), Arc::new(store.clone()));
    let gate = Gate::new(decider, shared.clone(), shared, clock);
    Running { access, gate, store, log }
}

impl House {
    pub(crate) fn empty() -> Self {
        let now = Timestamp::from_unix_millis(1_795_000_000_000);
        let footing = Footing::lay("access", now).unwrap();
        let run = Some(open(&footing));
        Self { run, clock: footing.clock.clone(), footing }
    }

    /// A house with its first administrator signed in.
    pub(crate) fn founded() -> (Self, Someone) {
        let house = Self::empty();
        let access = house.access();
        let made =
            access.first_administrator("first".parse().unwrap(), name("First administrator"));
        let first = house.enrol(&wait(made).unwrap(), "first");
        (house, first)
    }

    /// A house with its own people: an administrator of identities, one of policies, an overseer.
    pub(crate) fn settled() -> (Self, Staff) {
        let (house, first) = Self::founded();
        let all = Reach::Installation;
        let invite = |who: &str, role, reach| {
            let invitation = house.invite(&first, who);
            house.give(&first, invitation.person, role, reach).unwrap();
            house.enrol(&invitation, who)
        };
        let custodian = invite("custodian", Role::KeyCustodian, all);
        let officer = invite("officer", Role::CryptoOfficer, all);
        let second_officer = invite("officer2", Role::CryptoOfficer, all);
        let engineer = invite("engineer", Role::PlatformEngineer, Reach::Domain(retail()));
        let auditor = invite("auditor", Role::Auditor, Reach::Domain(retail()));
        let operator = invite("operator", Role::SecurityOperations, all);
        let service = house.service(&first, "payments", Some(engineer.id));
        house.give(&first, service, Role::Application, Reach::Domain(retail())).unwrap();
        let users = invite("users", Role::IdentityAdministrator, all);
        let policies = invite("policies", Role::PolicyAdministrator, all);
        let staff = Staff {
            first,
            custodian,
            officer,
            second_officer,
            engineer,
            service,
            auditor,
            operator,
            users,
            policies,
        };
        (house, staff)
    }

    pub(crate) fn access(&self) -> &Access {
        &self.run.as_ref().unwrap().access
    }

    pub(crate) fn log(&self) -> &audit::Log {
        &self.run.as_ref().unwrap().log
    }

    /// Stops everything and starts again on the same folder.
    pub(crate) fn restart(&mut self) {
        let run = self.run.take().unwrap();
        run.store.close();
        let Running { access, gate, store, log } = run;
        drop((access, gate, store));
        log.close().unwrap();
        drop(log);
        self.run = Some(open(&self.footing));
    }

    pub(crate) fn arrival(&self, origin: Origin) -> Arrival {
        Arrival { origin, correlation: "c-1".into(), arrived: self.clock.monotonic() }
    }

    pub(crate) fn caller(&self, who: &Someone) -> Arc<Caller> {
        let arrival = self.arrival(desk());
        Arc::new(self.access().caller_for_session(&who.cookie, &arrival).unwrap())
    }

    pub(crate) fn permit<A: ActionType>(
        &self,
        who: &Someone,
        resource: Resource,
    ) -> Result<Permit<A>, Refusal> {
        self.run.as_ref().unwrap().gate.permit::<A>(&self.caller(who), resource)
    }

    pub(crate) fn may(&self, caller: &Caller, action: Action, resource: &Resource) -> String {
        match self.run.as_ref().unwrap().gate.explain(caller, action, resource) {
            Ok(_) => String::from("allowed"),
            Err(refusal) => refusal.code.into_owned(),
        }
    }

    pub(crate) fn code(&self, seed: &str) -> Secret<String> {
        Secret::new(totp::code(seed, self.clock.wall().unix_seconds()))
    }

    pub(crate) fn enrol(&self, invitation: &Invitation, name: &str) -> Someone {
        let link = invitation.link.expose();
        let enrolment = wait(self.access().begin_enrolment(link, desk())).unwrap();
        let seed = enrolment.seed.expose().clone();
        let (password, code) = (secret(PASSWORD), self.code(&seed));
        let done = self.access().complete_enrolment(link, &password, &code, desk(), "c-enrol");
        let done: SignedIn = done.unwrap();
        assert!(!done.code_needed);
        let cookie = done.cookie.expose().clone();
        Someone { id: done.person, name: name.into(), cookie, seed }
    }

    pub(crate) fn invite(&self, by: &Someone, who: &str) -> Invitation {
        let all = identity("*");
        let permit = self.permit::<IdentityManage>(by, all).unwrap();
        let new = NewPerson { sign_in_name: who.parse().unwrap(), name: name(who) };
        wait(self.access().create_person(permit, new, None)).unwrap()
    }

    pub(crate) fn service(&self, by: &Someone, who: &str, owner: Option<PersonId>) -> ServiceId {
        let permit = self.permit::<IdentityManage>(by, identity("*")).unwrap();
        let new = NewService { name: name(who), owner, workloads: Vec::new() };
        wait(self.access().create_service(permit, new, None)).unwrap()
    }

    pub(crate) fn give(
        &self,
        by: &Someone,
        to: impl ToString,
        role: Role,
        reach: Reach,
    ) -> Result<(), AccessError> {
        let permit = self.permit::<PolicyChange>(by, policy(to)).unwrap();
        let until = role.is_time_boxed().then(|| self.clock.wall().plus_days(30));
        wait(self.access().give_role(permit, GiveRole { role, reach, until }))
    }

    pub(crate) fn sign_in(
        &self,
        who: &Someone,
        password: &str,
        code: Option<Secret<String>>,
        origin: Origin,
    ) -> Result<SignedIn, AccessError> {
        let form = SignIn { name: who.name.clone(), password: secret(password), code };
        self.access().sign_in(form, origin, "c-sign-in")
    }

    /// Lets time pass, and everybody named signs in anew.
    pub(crate) fn later<const N: usize>(&self, seconds: u32, people: [&mut Someone; N]) {
        self.clock.advance_millis(seconds * 1_000);
        for who in people {
            let code = Some(self.code(&who.seed));
            let signed_in = self.sign_in(who, PASSWORD, code, desk()).unwrap();
            who.cookie = signed_in.cookie.expose().clone();
        }
    }

    /// The words of every event in the log so far.
    pub(crate) fn events(&self) -> Vec<audit::LoggedEvent> {
        self.run.as_ref().unwrap().store.flush().wait().unwrap();
        self.log().events_from(LogPosition(0), 10_000).unwrap()
    }
}

pub(crate) struct Staff {
    pub(crate) first: Someone,
    pub(crate) custodian: Someone,
    pub(crate) officer: Someone,
    pub(crate) second_officer: Someone,
    pub(crate) engineer: Someone,
    /// The engineer's service, an application of retail.
    pub(crate) service: ServiceId,
    pub(crate) auditor: Someone,
    pub(crate) operator: Someone,
    pub(crate) users: Someone,
    pub(crate) policies: Someone,
}
