//! Making keys and key domains, names, dates, rotation, labels.

use crate::bench::*;
use kernel::actions::*;
use kernel::*;
use keys::*;
use strongroom::Algorithm;

#[tokio::test]
async fn a_name_is_taken_once_in_its_key_domain() {
    let bench = Bench::new();
    let (retail, treasury) = (bench.domain("retail", 0).await, bench.domain("treasury", 0).await);
    bench.aes(retail, "ledger").await;
    bench.aes(treasury, "ledger").await;
    let request = key("ledger", Algorithm::Ed25519);
    let permit = bench.permit::<KeyCreate>(request.resource(retail));
    let refused = bench.keys.create(permit, &request, None).await.unwrap_err();
    assert!(matches!(refused, KeysError::NameTaken));
    let event = bench.last_event("key.create");
    assert_eq!(event.outcome, Outcome::Failed("name-taken".into()));
}

#[tokio::test]
async fn of_two_who_take_a_name_at_one_time_one_gets_it() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let request = key("ledger", Algorithm::Aes128Gcm);
    let one = bench.keys.create(bench.permit(request.resource(retail)), &request, None);
    let two = bench.keys.create(bench.permit(request.resource(retail)), &request, None);
    let (one, two) = tokio::join!(one, two);
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
    let lost = one.err().or_else(|| two.err()).unwrap();
    assert!(matches!(lost, KeysError::NameTaken), "{lost}");
    let outcomes: Vec<_> = bench
        .events()
        .into_iter()
        .filter(|event| event.action == "key.create")
        .map(|event| event.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Failed("name-taken".into())]);
}

#[tokio::test]
async fn a_key_made_twice_by_one_idempotency_key_is_one_key() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let request = key("ledger", Algorithm::Aes256Gcm);
    let repeat = Repeat { key: "abc".into(), request: [1; 32] };
    let create = |repeat| {
        let permit = bench.permit(request.resource(retail));
        bench.keys.create(permit, &request, Some(repeat))
    };
    let first = create(repeat.clone()).await.unwrap();
    let again = create(repeat).await.unwrap();
    assert_eq!(first.id, again.id);
    let other = create(Repeat { key: "abc".into(), request: [2; 32] }).await.unwrap_err();
    assert_eq!(Problem::from(other).code, "idempotency-mismatch");
    let page = bench.keys.list(bench.scope(), &ListKeys::default()).unwrap();
    assert_eq!(page.keys.len(), 1);
}

#[tokio::test]
async fn a_waiting_period_is_nought_or_a_day_to_a_year() {
    let bench = Bench::new();
    for (n, (seconds, fits)) in [
        (0, true),
        (1, false),
        (WAITING_SECONDS_MIN - 1, false),
        (WAITING_SECONDS_MIN, true),
        (WAITING_SECONDS_MAX, true),
        (WAITING_SECONDS_MAX + 1, false),
    ]
    .into_iter()
    .enumerate()
    {
        let permit = bench.permit(Resource::all(ResourceKind::Domain, DomainId::SYSTEM));
        let name = format!("domain-{n}").parse().unwrap();
        let request = CreateDomain { name, waiting_period_seconds: seconds };
        let made = bench.keys.create_domain(permit, &request, None).await;
        assert_eq!(made.is_ok(), fits, "{seconds}");
    }
    let created = bench.last_event("domain.create");
    assert_eq!(created.outcome, Outcome::Failed("waiting-period".into()));
}

#[tokio::test]
async fn a_key_domain_is_read_and_listed_within_the_scope() {
    let bench = Bench::new();
    let (retail, treasury) =
        (bench.domain("retail", 0).await, bench.domain("treasury", 86_400).await);
    let names =
        |found: Vec<Domain>| found.into_iter().map(|d| d.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(bench.keys.list_domains(bench.scope()).unwrap()), ["retail", "treasury"]);
    let resource = Resource::new(ResourceKind::Domain, treasury.to_string(), treasury);
    let read = bench.keys.read_domain(bench.permit(resource)).unwrap();
    assert_eq!((read.id, read.waiting_period_seconds), (treasury, 86_400));
    bench.only_domains(&[retail]);
    assert_eq!(names(bench.keys.list_domains(bench.scope()).unwrap()), ["retail"]);
}

#[tokio::test]
async fn a_permit_for_other_labels_makes_no_key() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let mut request = key("ledger", Algorithm::Aes256Gcm);
    request.labels = labels(&[("criticality", "high")]);
    let permit = bench.permit(Resource::all(ResourceKind::Key, retail));
    let refused = bench.keys.create(permit, &request, None).await.unwrap_err();
    assert!(matches!(refused, KeysError::OtherLabels));
    assert!(refused.decide_again());
}

#[tokio::test]
async fn a_key_that_would_end_before_it_begins_is_refused() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let now = bench.clock.wall();
    for (activate, ends) in [
        (Activation::Now, now),
        (Activation::Now, now.plus_days(-1)),
        (Activation::At(now.plus_days(2)), now.plus_days(1)),
        (Activation::ByHand, now),
    ] {
        let mut request = key("ledger", Algorithm::Aes256Gcm);
        request.dates = Dates { activate, deactivate_at: Some(ends) };
        let permit = bench.permit(request.resource(retail));
        let refused = bench.keys.create(permit, &request, None).await.unwrap_err();
        assert!(matches!(refused, KeysError::Dates), "{refused}");
    }
}

#[tokio::test]
async fn dates_begin_and_end_a_key() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let now = bench.clock.wall();
    let mut request = key("ledger", Algorithm::Aes256Gcm);
    request.dates =
        Dates { activate: Activation::At(now.plus_days(1)), deactivate_at: Some(now.plus_days(3)) };
    let id = bench.create(retail, &request).await;
    let early = bench.try_encrypt(id, "x").await.unwrap_err();
    assert_eq!(early.code(), "key-pre-active");
    bench.days_pass(1);
    let sealed = bench.encrypt(id, "x").await;
    bench.days_pass(2);
    assert_eq!(bench.try_encrypt(id, "x").await.unwrap_err().code(), "key-deactivated");
    assert_eq!(bench.decrypt(id, &sealed).await.unwrap(), "x");
    assert_eq!(bench.view(id).state, StateName::Deactivated);
}

#[tokio::test]
async fn a_key_waits_for_a_hand_to_activate_and_obeys_one_to_end() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let mut request = key("ledger", Algorithm::Aes256Gcm);
    request.dates.activate = Activation::ByHand;
    let id = bench.create(retail, &request).await;
    bench.days_pass(400);
    assert_eq!(bench.view(id).state, StateName::PreActive);
    let step = |step| UpdateKey { step: Some(step), ..UpdateKey::default() };
    bench.keys.update(bench.on_key(id), &step(Step::Activate)).await.unwrap();
    bench.encrypt(id, "x").await;
    bench.keys.update(bench.on_key(id), &step(Step::Deactivate)).await.unwrap();
    assert_eq!(bench.try_encrypt(id, "x").await.unwrap_err().code(), "key-deactivated");
    let back = bench.keys.update(bench.on_key(id), &step(Step::Activate)).await.unwrap_err();
    assert!(matches!(back, KeysError::NotAllowed(_)));
}

#[tokio::test]
async fn after_a_rotation_old_data_still_opens_and_new_data_has_the_new_version() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let mut sealed = Vec::new();
    for n in 1..=5u32 {
        let made = bench.keys.encrypt(bench.on_key(id), &plain("x")).await.unwrap();
        assert_eq!(made.version, VersionNo(n));
        sealed.push(made.ciphertext);
        bench.keys.rotate(bench.on_key(id), None).await.unwrap();
    }
    let bench = bench.restarted();
    for ciphertext in &sealed {
        assert_eq!(bench.decrypt(id, ciphertext).await.unwrap(), "x");
    }
    let view = bench.view(id);
    let states: Vec<_> = view.versions.iter().map(|v| v.state).collect();
    assert_eq!(states[..5], [StateName::Deactivated; 5]);
    assert_eq!(states[5..], [StateName::Active]);
}

#[tokio::test]
async fn a_ciphertext_made_anew_is_under_the_newest_version() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let old = bench.encrypt(id, "x").await;
    bench.keys.rotate(bench.on_key(id), None).await.unwrap();
    let request =
        Reencrypt { ciphertext: old, context: b"t".to_vec(), compromise: Compromise::Refuse };
    let new = bench.keys.reencrypt(bench.on_key(id), &request).await.unwrap();
    assert_eq!(new.version, VersionNo(2));
    assert_eq!(bench.decrypt(id, &new.ciphertext).await.unwrap(), "x");
    assert_eq!(bench.last_event("key.re-encrypt").detail("from_version"), Some("1"));
}

#[tokio::test]
async fn a_rotation_is_due_when_its_period_has_passed() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let mut request = key("monthly", Algorithm::Aes256Gcm);
    request.rotation_days = Some(30.try_into().unwrap());
    let monthly = bench.create(retail, &request).await;
    bench.aes(retail, "never").await;
    let due = || bench.keys.due(&Scope::All).unwrap();
    assert!(due().is_empty());
    bench.days_pass(29);
    assert!(due().is_empty());
    bench.days_pass(2);
    let late = due();
    assert_eq!(late.len(), 1);
    assert_eq!((late[0].key, late[0].domain), (monthly, retail));
    let facts = bench.keys.key_facts(&Scope::All).unwrap();
    let fact = facts.iter().find(|fact| fact.key == monthly).unwrap();
    assert_eq!((fact.rotation.newest_age_days, fact.rotation.late_days), (31, 1));
    assert!(bench.keys.due(&Scope::Domains(vec![])).unwrap().is_empty());
    bench.keys.rotate(bench.on_key(monthly), None).await.unwrap();
    assert!(due().is_empty());
}

#[tokio::test]
async fn a_rotation_asked_for_twice_by_one_idempotency_key_is_one() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    for _ in 0..2 {
        let repeat = Some(Repeat { key: "r".into(), request: [3; 32] });
        let view = bench.keys.rotate(bench.on_key(id), repeat).await.unwrap();
        assert_eq!(view.versions.len(), 2);
    }
}

#[tokio::test]
async fn new_labels_stop_what_was_decided_under_the_old_ones() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let mut request = key("ledger", Algorithm::Aes256Gcm);
    request.labels = labels(&[("data-class", "public")]);
    let id = bench.create(retail, &request).await;
    let stale = bench.on_key::<KeyEncrypt>(id);
    let old_resource = bench.keys.resource(id, retail).unwrap();
    let new = labels(&[("data-class", "restricted")]);
    let change = UpdateKey { labels: Some(new.clone()), ..UpdateKey::default() };
    let view = bench.keys.update(bench.on_key(id), &change).await.unwrap();
    assert_eq!(view.about.labels, new);
    let refused = bench.keys.encrypt(stale, &plain("x")).await.unwrap_err();
    assert!(matches!(refused, KeysError::StaleEpoch), "{refused}");
    // A door that read the labels before and asked the gate after is sent back too.
    let refused = bench.keys.encrypt(bench.permit(old_resource), &plain("x")).await.unwrap_err();
    assert!(matches!(refused, KeysError::OtherLabels), "{refused}");
    bench.encrypt(id, "x").await;
}

#[tokio::test]
async fn a_schedule_can_be_given_and_taken() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let change = |rotation| UpdateKey { rotation: Some(rotation), ..UpdateKey::default() };
    let period = RotationPeriod::try_from(7).unwrap();
    let given = change(ChangeRotation::EveryDays(period));
    let view = bench.keys.update(bench.on_key(id), &given).await.unwrap();
    assert_eq!(view.rotation_due_at, Some(bench.clock.wall().plus_days(7)));
    let taken = change(ChangeRotation::OnDemand);
    let view = bench.keys.update(bench.on_key(id), &taken).await.unwrap();
    assert_eq!(view.rotation_due_at, None);
}

#[tokio::test]
async fn a_compromised_version_opens_old_data_only_where_that_is_accepted_and_recorded() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let sealed = bench.encrypt(id, "x").await;
    let request = DeclareCompromise { reason: why(), versions: None };
    bench.keys.compromise(bench.on_key(id), &request).await.unwrap();
    assert_eq!(bench.try_encrypt(id, "x").await.unwrap_err().code(), "key-compromised");
    assert!(matches!(bench.decrypt(id, &sealed).await, Err(KeysError::Compromised)));
    let accepting =
        Decrypt { ciphertext: sealed, context: b"t".to_vec(), compromise: Compromise::Accept };
    let opened = bench.keys.decrypt(bench.on_key(id), &accepting).await.unwrap();
    assert_eq!(text(opened.plaintext), "x");
    assert_eq!(bench.last_event("key.decrypt").detail("compromised"), Some("accepted"));
    bench.keys.rotate(bench.on_key(id), None).await.unwrap();
    bench.encrypt(id, "y").await;
}

#[tokio::test]
async fn a_schedule_brings_back_no_key_that_somebody_ended() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let mut request = key("ledger", Algorithm::Aes256Gcm);
    request.rotation_days = Some(1.try_into().unwrap());
    let id = bench.create(retail, &request).await;
    bench.days_pass(2);
    assert_eq!(bench.keys.due(&Scope::All).unwrap().len(), 1);
    let ended = UpdateKey { step: Some(Step::Deactivate), ..UpdateKey::default() };
    let view = bench.keys.update(bench.on_key(id), &ended).await.unwrap();
    assert_eq!(view.rotation_due_at, None);
    assert!(bench.keys.due(&Scope::All).unwrap().is_empty());
}

#[tokio::test]
async fn a_key_has_five_hundred_versions_and_no_more() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let first = bench.encrypt(id, "x").await;
    for _ in 1..VERSIONS_MAX {
        bench.keys.rotate(bench.on_key(id), None).await.unwrap();
    }
    let refused = bench.keys.rotate(bench.on_key(id), None).await.unwrap_err();
    assert!(matches!(refused, KeysError::TooManyVersions));
    assert_eq!(bench.decrypt(id, &first).await.unwrap(), "x");
    // Its material lies under several shred keys; all of it goes.
    let gone = Destroy { reason: why() };
    let done = bench.keys.destroy(bench.on_key(id), &gone).await.unwrap();
    assert!(matches!(done, Destroyed::Done { .. }));
    let view = bench.view(id);
    assert!(view.versions.iter().all(|version| version.state == StateName::Destroyed));
    assert_eq!(bench.decrypt(id, &first).await.unwrap_err().code(), "key-destroyed");
}

#[tokio::test]
async fn an_installation_has_a_thousand_key_domains_and_no_more() {
    let bench = Bench::new();
    let permit = || bench.permit(Resource::all(ResourceKind::Domain, DomainId::SYSTEM));
    let request = |n: u64| CreateDomain {
        name: format!("domain-{n}").parse().unwrap(),
        waiting_period_seconds: 0,
    };
    for n in 0..DOMAINS_MAX {
        bench.keys.create_domain(permit(), &request(n), None).await.unwrap();
    }
    let refused = bench.keys.create_domain(permit(), &request(DOMAINS_MAX), None).await;
    assert!(matches!(refused, Err(KeysError::TooManyDomains)));
    assert_eq!(bench.keys.list_domains(bench.scope()).unwrap().len(), 1_000);
}
