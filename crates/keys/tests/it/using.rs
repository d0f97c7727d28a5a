//! Every use of a key, its record, its limits.

use crate::bench::*;
use kernel::actions::*;
use kernel::limits::{BATCH_ITEMS_MAX, PLAINTEXT_BYTES_MAX};
use kernel::*;
use keys::*;
use strongroom::{Algorithm, KeyError};

#[tokio::test]
async fn a_use_leaves_exactly_one_record_with_its_version() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let before = bench.events().len();
    let sealed = bench.encrypt(id, "x").await;
    assert_eq!(bench.decrypt(id, &sealed).await.unwrap(), "x");
    let events = bench.events();
    assert_eq!(events.len(), before + 2);
    for (event, action) in events[before..].iter().zip(["key.encrypt", "key.decrypt"]) {
        assert_eq!((event.action.as_ref(), &event.outcome), (action, &Outcome::Done));
        assert_eq!(
            (event.detail("version"), event.detail("algorithm")),
            (Some("1"), Some("aes-256-gcm"))
        );
        assert_eq!((event.resource.as_str(), event.domain), (format!("key:{id}").as_str(), retail));
    }
}

#[tokio::test]
async fn a_permit_of_another_key_opens_nothing() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let (one, other) = (bench.aes(retail, "one").await, bench.aes(retail, "other").await);
    let sealed = bench.encrypt(one, "x").await;
    let refused = bench.decrypt(other, &sealed).await.unwrap_err();
    assert!(matches!(refused, KeysError::Room(KeyError::NotOpened)), "{refused}");
    assert_eq!(bench.last_event("key.decrypt").outcome, Outcome::Failed("not-opened".into()));
}

#[tokio::test]
async fn a_key_is_not_found_under_another_key_domain() {
    let bench = Bench::new();
    let (retail, treasury) = (bench.domain("retail", 0).await, bench.domain("treasury", 0).await);
    let id = bench.aes(retail, "ledger").await;
    bench.encrypt(id, "x").await;
    let elsewhere = || Resource::new(ResourceKind::Key, id.to_string(), treasury);
    let refused = bench.keys.encrypt(bench.permit(elsewhere()), &plain("x")).await.unwrap_err();
    assert!(matches!(refused, KeysError::NoKey), "{refused}");
    let refused = bench.keys.rotate(bench.permit(elsewhere()), None).await.unwrap_err();
    assert!(matches!(refused, KeysError::NoKey), "{refused}");
    assert!(bench.keys.read(bench.permit(elsewhere())).is_err());
    // A caller of the other domain is refused by the gate before anything is looked at.
    bench.only_domains(&[treasury]);
    let resource = bench.keys.resource(id, treasury).unwrap();
    assert!(bench.gate.permit::<KeyEncrypt>(&bench.caller(), resource).is_err());
}

#[tokio::test]
async fn an_unknown_key_looks_like_one_of_the_askers_domain() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let unknown = KeyId::from_bytes([9; 16]);
    let resource = bench.keys.resource(unknown, retail).unwrap();
    assert_eq!((resource.domain, resource.labels.is_empty()), (retail, true));
    let refused = bench.keys.encrypt(bench.permit(resource), &plain("x")).await.unwrap_err();
    assert_eq!(Problem::from(refused).kind, ProblemKind::NotFound);
}

#[tokio::test]
async fn an_old_permit_does_nothing_and_leaves_a_record() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let permit = bench.on_key::<KeyEncrypt>(id);
    bench.clock.advance_millis(5_001);
    let refused = bench.keys.encrypt(permit, &plain("x")).await.unwrap_err();
    assert!(matches!(refused, KeysError::PermitExpired));
    assert_eq!(bench.last_event("key.encrypt").outcome, Outcome::Failed("permit-expired".into()));
}

#[tokio::test]
async fn a_wrong_context_a_changed_byte_and_a_stranger_do_not_open() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let sealed = bench.encrypt(id, "x").await;
    let mut request =
        Decrypt { ciphertext: sealed, context: b"u".to_vec(), compromise: Compromise::Refuse };
    assert!(bench.keys.decrypt(bench.on_key(id), &request).await.is_err());
    request.context = b"t".to_vec();
    for at in 0..request.ciphertext.len() {
        request.ciphertext[at] ^= 1;
        assert!(bench.keys.decrypt(bench.on_key(id), &request).await.is_err(), "byte {at}");
        request.ciphertext[at] ^= 1;
    }
    for stranger in [&b""[..], b"x", &[0; 64], &[1; 64]] {
        request.ciphertext = stranger.to_vec();
        let refused = bench.keys.decrypt(bench.on_key(id), &request).await.unwrap_err();
        assert!(matches!(refused, KeysError::NotACiphertext | KeysError::NoVersion { .. }));
    }
}

#[tokio::test]
async fn a_plaintext_over_the_limit_is_refused() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let of = |length: usize| Encrypt { plaintext: Secret::new(vec![0; length]), context: vec![] };
    bench.keys.encrypt(bench.on_key(id), &of(PLAINTEXT_BYTES_MAX)).await.unwrap();
    let long = bench.keys.encrypt(bench.on_key(id), &of(PLAINTEXT_BYTES_MAX + 1)).await;
    assert_eq!(Problem::from(long.unwrap_err()).kind, ProblemKind::TooLarge);
}

#[tokio::test]
async fn signatures_and_codes_are_right_for_the_version_that_made_them() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256, Algorithm::MlDsa44] {
        let id = bench.create(retail, &key(algorithm.name(), algorithm)).await;
        let sign = Sign { message: b"m".to_vec(), scheme: None };
        let signed = bench.keys.sign(bench.on_key(id), &sign).await.unwrap();
        bench.keys.rotate(bench.on_key(id), None).await.unwrap();
        let mut verify = Verify {
            message: b"m".to_vec(),
            signature: signed.signature,
            scheme: None,
            version: Some(signed.version),
            compromise: Compromise::Refuse,
        };
        assert!(bench.keys.verify(bench.on_key(id), &verify).await.unwrap().valid);
        verify.version = None;
        assert!(!bench.keys.verify(bench.on_key(id), &verify).await.unwrap().valid);
        assert_eq!(bench.last_event("key.verify").detail("valid"), Some("false"));
        verify.version = Some(VersionNo(9));
        let unknown = bench.keys.verify(bench.on_key(id), &verify).await;
        assert!(matches!(unknown, Err(KeysError::NoVersion { .. })));
    }
    let id = bench.create(retail, &key("mac", Algorithm::HmacSha256)).await;
    let made = bench.keys.mac(bench.on_key(id), &Mac { message: b"m".to_vec() }).await.unwrap();
    let mut verify = MacVerify {
        message: b"m".to_vec(),
        code: made.code,
        version: None,
        compromise: Compromise::Refuse,
    };
    assert!(bench.keys.mac_verify(bench.on_key(id), &verify).await.unwrap().valid);
    verify.message = b"n".to_vec();
    assert!(!bench.keys.mac_verify(bench.on_key(id), &verify).await.unwrap().valid);
}

#[tokio::test]
async fn two_sides_share_a_secret() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let (a, b) = (
        bench.create(retail, &key("a", Algorithm::EcdhP256)).await,
        bench.create(retail, &key("b", Algorithm::EcdhP256)).await,
    );
    let mut secrets = Vec::new();
    for (own, peer) in [(a, b), (b, a)] {
        let peer = bench.keys.public_key(bench.on_key(peer), None).unwrap().unwrap();
        let request = Agree { peer, info: b"t".to_vec(), length: 32, version: None };
        let shared = bench.keys.agree(bench.on_key(own), &request).await.unwrap();
        secrets.push(shared.secret.expose_once(<[u8]>::to_vec));
    }
    assert_eq!(secrets[0], secrets[1]);

    let kem = bench.create(retail, &key("kem", Algorithm::MlKem768)).await;
    let made = bench.keys.encapsulate(bench.on_key(kem)).await.unwrap();
    let request = Decapsulate {
        ciphertext: made.ciphertext.unwrap(),
        version: None,
        compromise: Compromise::Refuse,
    };
    let opened = bench.keys.decapsulate(bench.on_key(kem), &request).await.unwrap();
    let (one, two) = (made.secret, opened.secret);
    assert_eq!(one.expose_once(<[u8]>::to_vec), two.expose_once(<[u8]>::to_vec));
}

#[tokio::test]
async fn a_key_does_only_what_its_algorithm_does() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let signer = bench.create(retail, &key("signer", Algorithm::Ed25519)).await;
    let refused = bench.try_encrypt(signer, "x").await.unwrap_err();
    assert_eq!(refused.code(), "not-capable");
    let aes = bench.aes(retail, "aes").await;
    let sign = Sign { message: b"m".to_vec(), scheme: None };
    let refused = bench.keys.sign(bench.on_key(aes), &sign).await.unwrap_err();
    assert_eq!(refused.code(), "not-capable");
}

#[tokio::test]
async fn only_an_exportable_key_leaves_and_only_wrapped() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let recipient = bench.create(retail, &key("recipient", Algorithm::RsaOaep2048)).await;
    let recipient_der = bench.keys.public_key(bench.on_key(recipient), None).unwrap().unwrap();
    let request = Export { recipient_der, version: None, reason: why() };
    let stays = bench.aes(retail, "stays").await;
    let refused = bench.keys.export(bench.on_key(stays), &request).await.unwrap_err();
    assert!(matches!(refused, KeysError::NotExportable));
    let mut leaving = key("leaves", Algorithm::Aes256Gcm);
    leaving.exportable = true;
    let leaves = bench.create(retail, &leaving).await;
    let exported = bench.keys.export(bench.on_key(leaves), &request).await.unwrap();
    // RSA-2048 block, then RFC 5649 over 32 bytes.
    assert_eq!(exported.wrapped.len(), 256 + 40);
    let block = exported.wrapped.expose_once(|bytes| bytes[..256].to_vec());
    let open = DecryptOaep { block, version: None, compromise: Compromise::Refuse };
    let kek = bench.keys.decrypt_oaep(bench.on_key(recipient), &open).await.unwrap();
    assert_eq!(kek.plaintext.len(), 32);
}

#[tokio::test]
async fn an_item_that_fails_does_not_stop_the_others_of_its_batch() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let (good, signer) = (
        bench.aes(retail, "good").await,
        bench.create(retail, &key("signer", Algorithm::Ed25519)).await,
    );
    let before = bench.events().len();
    let items = [good, signer, good].map(|id| (bench.on_key(id), plain("x"))).into();
    let results = bench.keys.batch::<Encrypt>(items).await.unwrap();
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let outcomes: Vec<_> = bench.events()[before..].iter().map(|e| e.outcome.clone()).collect();
    let failed = Outcome::Failed("not-capable".into());
    assert_eq!(outcomes, [Outcome::Done, failed, Outcome::Done]);
}

#[tokio::test]
async fn a_batch_answers_nothing_when_one_key_domain_was_revoked_meanwhile() {
    let bench = Bench::new();
    let (retail, treasury) = (bench.domain("retail", 0).await, bench.domain("treasury", 0).await);
    let (one, two) = (bench.aes(retail, "one").await, bench.aes(treasury, "two").await);
    let node = bench.second_node();
    let items = || vec![(bench.on_key(one), plain("x")), (bench.on_key(two), plain("x"))];
    assert!(node.batch::<Encrypt>(items()).await.unwrap().iter().all(Result::is_ok));
    let stale = items();
    let stop = Suspend { reason: why(), stops: vec![] };
    bench.keys.suspend(bench.on_key(two), &stop).await.unwrap();
    let refused = node.batch::<Encrypt>(stale).await.unwrap_err();
    assert!(matches!(refused, KeysError::StaleEpoch));
}

#[tokio::test]
async fn a_batch_over_the_limit_is_refused_whole() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let items = |n: usize| (0..n).map(|_| (bench.on_key(id), plain("x"))).collect();
    assert_eq!(bench.keys.batch::<Encrypt>(items(BATCH_ITEMS_MAX)).await.unwrap().len(), 256);
    let refused = bench.keys.batch::<Encrypt>(items(BATCH_ITEMS_MAX + 1)).await.unwrap_err();
    assert!(matches!(refused, KeysError::TooManyItems));
    assert_eq!(bench.last_event("key.encrypt").outcome, Outcome::Failed("too-many-items".into()));
}

#[tokio::test]
async fn uses_are_counted_by_version_and_kept_over_a_restart() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let sealed = bench.encrypt(id, "x").await;
    bench.keys.rotate(bench.on_key(id), None).await.unwrap();
    bench.encrypt(id, "x").await;
    bench.encrypt(id, "x").await;
    bench.decrypt(id, &sealed).await.unwrap();
    let of =
        |bench: &Bench| bench.keys.uses(bench.on_key(id)).unwrap().into_iter().collect::<Vec<_>>();
    let count = |protected, processed| UseCount { protected, processed };
    let counted = [(VersionNo(1), count(1, 1)), (VersionNo(2), count(2, 0))];
    assert_eq!(of(&bench), counted);
    assert!(!bench.keys.flush_usage().await.unwrap());
    assert_eq!(of(&bench), counted);
    bench.encrypt(id, "x").await;
    bench.keys.flush_usage().await.unwrap();
    let bench = bench.restarted();
    assert_eq!(of(&bench), [(VersionNo(1), count(1, 1)), (VersionNo(2), count(3, 0))]);
}

#[tokio::test]
async fn the_gate_refuses_before_anything_is_touched() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    bench.refuse(Action::KeyEncrypt);
    let resource = bench.keys.resource(id, retail).unwrap();
    let refusal = bench.gate.permit::<KeyEncrypt>(&bench.caller(), resource).unwrap_err();
    assert_eq!(refusal.code, "no-policy-allows");
    assert_eq!(bench.last_event("key.encrypt").decision, Decision::Refused);
}
