//! Acts that need others: bound to the exact request, used once, in the act's own commit.

use crate::bench::*;
use access::approvals::Occasion;
use access::roles::{Reach, Role};
use access::{GiveRole, NewApproval, NewPerson};
use kernel::actions::*;
use kernel::*;
use keys::*;
use std::sync::Arc;
use strongroom::Algorithm;

struct Duty<'a> {
    bench: &'a Bench,
    asks: Arc<Caller>,
    approve: Vec<Arc<Caller>>,
}

impl<'a> Duty<'a> {
    /// One who asks and two on the duty list, put in place while the installation is founded.
    async fn of(bench: &'a Bench) -> Self {
        let mut people = Vec::new();
        for name in ["custodian-a", "officer-b", "officer-c"] {
            let new =
                NewPerson { sign_in_name: name.parse().unwrap(), name: name.parse().unwrap() };
            let system = DomainId::SYSTEM;
            let permit = bench.permit(Resource::all(ResourceKind::Identity, system));
            let person = bench.access.create_person(permit, new, None).await.unwrap().person;
            if name.starts_with("officer") {
                let of = Resource::new(ResourceKind::Policy, person.to_string(), system);
                let (role, reach) = (Role::CryptoOfficer, Reach::Installation);
                let give = GiveRole { role, reach, until: None };
                bench.access.give_role(bench.permit(of), give).await.unwrap();
            }
            let mut caller = Caller::clone(&bench.caller());
            caller.principal = Principal::Person(person);
            people.push(Arc::new(caller));
        }
        let approve = people.split_off(1);
        Self { bench, asks: people.remove(0), approve }
    }

    fn permit<A: ActionType>(&self, resource: Resource) -> Permit<A> {
        self.bench.gate.permit(&self.asks, resource).unwrap()
    }

    fn on_key<A: ActionType>(&self, key: KeyId) -> Permit<A> {
        self.permit(self.bench.keys.resource(key, DomainId::SYSTEM).unwrap())
    }

    /// Asks for exactly this request, and so many of the others say yes.
    async fn approved(
        &self,
        action: Action,
        resource: &Resource,
        request: &impl Approvable,
        by: usize,
    ) -> ApprovalId {
        let new = NewApproval {
            action,
            occasion: Occasion::Always,
            resource: resource.clone(),
            request_hash: approval_hash(action, resource, request),
            reason: "test".into(),
            effect: vec!["a key stops".into()],
        };
        let domain = resource.domain;
        let permit = self.permit(Resource::all(ResourceKind::Approval, domain));
        let id = self.bench.access.request_approval(permit, new, None).await.unwrap();
        for other in &self.approve[..by] {
            let one = Resource::new(ResourceKind::Approval, id.to_string(), domain);
            let permit = self.bench.gate.permit::<ApprovalDecide>(other, one).unwrap();
            self.bench.access.decide_approval(permit, true, "").await.unwrap();
        }
        id
    }
}

fn stop() -> Suspend {
    Suspend { reason: why(), stops: vec!["payments".parse().unwrap()] }
}

#[tokio::test]
async fn a_suspension_without_a_second_person_changes_nothing_and_is_recorded() {
    let bench = Bench::new();
    let duty = Duty::of(&bench).await;
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let refused = bench.keys.suspend(duty.on_key(id), &stop()).await.unwrap_err();
    assert_eq!(refused.code(), "approval-needed");
    let event = bench.last_event("key.suspend");
    assert_eq!(event.outcome, Outcome::Failed("approval-needed".into()));
    assert_eq!(Problem::from(refused).code, "approval-needed");
    bench.encrypt(id, "x").await;
}

#[tokio::test]
async fn an_approval_is_used_once_and_named_in_the_record() {
    let bench = Bench::new();
    let duty = Duty::of(&bench).await;
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let resource = bench.keys.resource(id, retail).unwrap();
    let approval = duty.approved(Action::KeySuspend, &resource, &stop(), 1).await;
    bench.keys.suspend(duty.on_key(id), &stop()).await.unwrap();
    let event = bench.last_event("key.suspend");
    assert_eq!(event.detail("approval"), Some(approval.to_string().as_str()));
    let resume = Resume { reason: why() };
    duty.approved(Action::KeyResume, &resource, &resume, 1).await;
    bench.keys.resume(duty.on_key(id), &resume).await.unwrap();
    let again = bench.keys.suspend(duty.on_key(id), &stop()).await.unwrap_err();
    assert_eq!(again.code(), "approval-needed");
}

#[tokio::test]
async fn an_approval_fits_the_exact_request_only() {
    let bench = Bench::new();
    let duty = Duty::of(&bench).await;
    let retail = bench.domain("retail", 0).await;
    let (id, other) = (bench.aes(retail, "ledger").await, bench.aes(retail, "other").await);
    let resource = bench.keys.resource(id, retail).unwrap();
    duty.approved(Action::KeySuspend, &resource, &stop(), 1).await;
    let more = Suspend { stops: vec![], ..stop() };
    let refused = bench.keys.suspend(duty.on_key(id), &more).await.unwrap_err();
    assert_eq!(refused.code(), "approval-needed");
    let refused = bench.keys.suspend(duty.on_key(other), &stop()).await.unwrap_err();
    assert_eq!(refused.code(), "approval-needed");
    bench.keys.suspend(duty.on_key(id), &stop()).await.unwrap();
}

#[tokio::test]
async fn a_destruction_needs_two_others() {
    let bench = Bench::new();
    let duty = Duty::of(&bench).await;
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let resource = bench.keys.resource(id, retail).unwrap();
    let gone = Destroy { reason: why() };
    duty.approved(Action::KeyDestroy, &resource, &gone, 1).await;
    let refused = bench.keys.destroy(duty.on_key(id), &gone).await.unwrap_err();
    assert_eq!(refused.code(), "approval-needed");
    let approval = duty.approved(Action::KeyDestroy, &resource, &gone, 2).await;
    let done = bench.keys.destroy(duty.on_key(id), &gone).await.unwrap();
    assert!(matches!(done, Destroyed::Done { .. }));
    let event = bench.last_event("key.destroy");
    assert_eq!(event.detail("approval"), Some(approval.to_string().as_str()));
    assert_eq!(event.detail("waiting_period_seconds"), Some("0"));
}

#[tokio::test]
async fn an_export_needs_two_others_for_this_recipient() {
    let bench = Bench::new();
    let duty = Duty::of(&bench).await;
    let retail = bench.domain("retail", 0).await;
    let mut leaving = key("leaves", Algorithm::Aes256Gcm);
    leaving.exportable = true;
    let id = bench.create(retail, &leaving).await;
    let mut recipients = Vec::new();
    for name in ["one", "two"] {
        let id = bench.create(retail, &key(name, Algorithm::RsaOaep2048)).await;
        let recipient_der = bench.keys.public_key(bench.on_key(id), None).unwrap().unwrap();
        recipients.push(Export { recipient_der, version: None, reason: why() });
    }
    let resource = bench.keys.resource(id, retail).unwrap();
    duty.approved(Action::KeyExport, &resource, &recipients[0], 2).await;
    let refused = bench.keys.export(duty.on_key(id), &recipients[1]).await.unwrap_err();
    assert_eq!(refused.code(), "approval-needed");
    bench.keys.export(duty.on_key(id), &recipients[0]).await.unwrap();
    let again = bench.keys.export(duty.on_key(id), &recipients[0]).await.unwrap_err();
    assert_eq!(again.code(), "approval-needed");
}

#[tokio::test]
async fn a_cloud_is_cut_off_by_two_people() {
    let bench = Bench::new();
    let duty = Duty::of(&bench).await;
    let retail = bench.domain("retail", 0).await;
    let mut request = key("ledger", Algorithm::Aes256Gcm);
    request.labels = labels(&[("cloud", "cloud-a")]);
    let id = bench.create(retail, &request).await;
    let cut = OfCloud { cloud: "cloud-a".parse().unwrap(), request: stop() };
    let all = Resource::all(ResourceKind::Key, DomainId::SYSTEM);
    let refused = bench.keys.suspend_cloud(duty.permit(all.clone()), &cut).await.unwrap_err();
    assert_eq!(refused.code(), "approval-needed");
    bench.encrypt(id, "x").await;
    duty.approved(Action::KeySuspend, &all, &cut, 1).await;
    let switched = bench.keys.suspend_cloud(duty.permit(all), &cut).await.unwrap();
    assert_eq!(switched.keys.len(), 1);
    assert_eq!(bench.try_encrypt(id, "x").await.unwrap_err().code(), "key-suspended");
}
