//! Destruction: asked for, taken back, carried out, and interrupted at each step.

use crate::bench::*;
use kernel::actions::*;
use kernel::*;
use keys::*;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use strongroom::Algorithm;

fn gone() -> Destroy {
    Destroy { reason: why() }
}

#[tokio::test]
async fn a_destroyed_key_never_decrypts_again() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    let old = bench.encrypt(id, "x").await;
    bench.keys.rotate(bench.on_key(id), None).await.unwrap();
    let sealed = bench.encrypt(id, "x").await;
    let under_way = bench.on_key::<KeyDecrypt>(id);
    let done = bench.keys.destroy(bench.on_key(id), &gone()).await.unwrap();
    assert!(matches!(done, Destroyed::Done { .. }), "{done:?}");
    let request = Decrypt {
        ciphertext: sealed.clone(),
        context: b"t".to_vec(),
        compromise: Compromise::Accept,
    };
    assert!(bench.keys.decrypt(under_way, &request).await.is_err());
    for ciphertext in [&old, &sealed] {
        assert_eq!(bench.decrypt(id, ciphertext).await.unwrap_err().code(), "key-destroyed");
    }
    assert_eq!(bench.try_encrypt(id, "x").await.unwrap_err().code(), "key-destroyed");
    assert!(bench.keys.rotate(bench.on_key(id), None).await.is_err());
    assert!(bench.keys.resume(bench.on_key(id), &Resume { reason: why() }).await.is_err());
    assert!(bench.keys.recover_key(bench.on_key(id), &gone()).await.is_err());
    let refusal = bench.last_event("key.decrypt");
    assert_eq!(refusal.outcome, Outcome::Failed("key-destroyed".into()));
    let bench = bench.restarted();
    assert_eq!(bench.decrypt(id, &sealed).await.unwrap_err().code(), "key-destroyed");
    assert_eq!(bench.view(id).state, StateName::Destroyed);
    assert_eq!(bench.keys.public_key(bench.on_key(id), None).unwrap(), None);
    let fact = &bench.keys.key_facts(&Scope::All).unwrap()[0];
    assert_eq!((fact.rotation.versions, fact.rotation.versions_held), (2, 0));
}

#[tokio::test]
async fn the_record_of_an_immediate_destruction_says_that_nobody_waited() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "ledger").await;
    bench.keys.destroy(bench.on_key(id), &gone()).await.unwrap();
    for action in ["key.destroy", "key.destroyed"] {
        let event = bench.last_event(action);
        assert_eq!(event.detail("waiting_period_seconds"), Some("0"), "{action}");
        assert_eq!(event.detail("reason"), Some(why().as_str()), "{action}");
    }
    let deleted = bench.last_event("shred-key.deleted");
    let destroyed = bench.last_event("key.destroyed");
    assert_eq!(deleted.detail("shred_key"), destroyed.detail("shred_key"));
}

#[tokio::test]
async fn keys_under_the_same_shred_key_live_on() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let mut living = Vec::new();
    for n in 0..20 {
        let id = bench.aes(retail, &format!("key-{n}")).await;
        living.push((id, bench.encrypt(id, "x").await));
    }
    let (dead, sealed) = living.remove(7);
    bench.keys.destroy(bench.on_key(dead), &gone()).await.unwrap();
    assert_eq!(bench.decrypt(dead, &sealed).await.unwrap_err().code(), "key-destroyed");
    for (id, sealed) in &living {
        assert_eq!(bench.decrypt(*id, sealed).await.unwrap(), "x");
    }
    let bench = bench.restarted();
    assert_eq!(bench.keys.recover().await.unwrap(), 0);
    for (id, sealed) in &living {
        assert_eq!(bench.decrypt(*id, sealed).await.unwrap(), "x");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destruction_among_new_keys_lets_them_arrive() {
    let bench = Arc::new(Bench::new());
    let retail = bench.domain("retail", 0).await;
    let dead = bench.aes(retail, "dead").await;
    let mut making = Vec::new();
    for n in 0..200 {
        let bench = Arc::clone(&bench);
        making.push(tokio::spawn(async move {
            let request = key(&format!("key-{n}"), Algorithm::Aes256Gcm);
            loop {
                let permit = bench.permit(request.resource(retail));
                match bench.keys.create(permit, &request, None).await {
                    Ok(made) => return made.id,
                    // The destruction voids what was decided before it: a door asks again.
                    Err(cause) => assert!(cause.decide_again(), "{cause}"),
                }
            }
        }));
    }
    let done = bench.keys.destroy(bench.on_key(dead), &gone()).await.unwrap();
    assert!(matches!(done, Destroyed::Done { .. }), "{done:?}");
    for one in making {
        bench.encrypt(one.await.unwrap(), "x").await;
    }
}

#[tokio::test]
async fn another_node_reads_the_survivors_anew() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let (dead, lives) = (bench.aes(retail, "dead").await, bench.aes(retail, "lives").await);
    let node = bench.second_node();
    node.encrypt(bench.on_key(lives), &plain("x")).await.unwrap();
    bench.keys.destroy(bench.on_key(dead), &gone()).await.unwrap();
    node.encrypt(bench.on_key(lives), &plain("x")).await.unwrap();
}

#[tokio::test]
async fn a_destruction_waits_and_can_be_taken_back() {
    let bench = Bench::new();
    let retail = bench.domain("retail", WAITING_SECONDS_MIN).await;
    let id = bench.aes(retail, "ledger").await;
    let sealed = bench.encrypt(id, "x").await;
    let asked = bench.keys.destroy(bench.on_key(id), &gone()).await.unwrap();
    let not_before = bench.clock.wall().plus_days(1);
    assert_eq!(asked, Destroyed::Scheduled { not_before });
    assert_eq!(bench.decrypt(id, &sealed).await.unwrap_err().code(), "destruction-scheduled");
    assert_eq!(bench.try_encrypt(id, "x").await.unwrap_err().code(), "destruction-scheduled");
    let twice = bench.keys.destroy(bench.on_key(id), &gone()).await.unwrap_err();
    assert_eq!(twice.code(), "destruction-scheduled");
    bench.clock.advance_millis(86_399_000);
    let sweep = bench.keys.sweep().await.unwrap();
    assert_eq!((sweep.destroyed.len(), sweep.waiting), (0, 1));
    bench.keys.recover_key(bench.on_key(id), &gone()).await.unwrap();
    assert_eq!(bench.decrypt(id, &sealed).await.unwrap(), "x");
    bench.days_pass(3);
    assert!(bench.keys.sweep().await.unwrap().destroyed.is_empty());
    assert_eq!(bench.decrypt(id, &sealed).await.unwrap(), "x");
}

#[tokio::test]
async fn a_destruction_is_carried_out_when_its_time_was_served() {
    let bench = Bench::new();
    let retail = bench.domain("retail", WAITING_SECONDS_MIN).await;
    let id = bench.aes(retail, "ledger").await;
    bench.keys.destroy(bench.on_key(id), &gone()).await.unwrap();
    for _ in 0..24 {
        bench.clock.advance_millis(3_600_000);
        bench.keys.sweep().await.unwrap();
    }
    assert_eq!(bench.view(id).state, StateName::Destroyed);
    assert_eq!(bench.keys.sweep().await.unwrap().waiting, 0);
}

#[tokio::test]
async fn a_clock_set_forward_destroys_nothing_even_when_a_person_confirms_it() {
    let bench = Bench::new();
    let retail = bench.domain("retail", WAITING_SECONDS_MIN).await;
    let id = bench.aes(retail, "ledger").await;
    bench.keys.destroy(bench.on_key(id), &gone()).await.unwrap();
    bench.clock.jump_wall_seconds(30 * 86_400);
    let sweep = bench.keys.sweep().await.unwrap();
    assert!(sweep.clock_diverged_at.is_some() && sweep.destroyed.is_empty());
    let bench = bench.restarted();
    assert!(bench.keys.clock_diverged_at().is_some(), "a restart forgets no divergence");
    let confirm = bench.permit::<SystemConfigure>(Resource::system());
    bench.keys.confirm_clock(confirm).await.unwrap();
    assert!(bench.keys.clock_diverged_at().is_none());
    assert!(bench.keys.sweep().await.unwrap().destroyed.is_empty());
    bench.days_pass(1);
    let sweep = bench.keys.sweep().await.unwrap();
    assert_eq!(sweep.destroyed, [id]);
}

#[tokio::test]
async fn time_when_the_server_was_off_does_not_count() {
    let bench = Bench::new();
    let retail = bench.domain("retail", WAITING_SECONDS_MIN).await;
    let id = bench.aes(retail, "ledger").await;
    bench.keys.destroy(bench.on_key(id), &gone()).await.unwrap();
    bench.clock.advance_millis(43_200_000);
    bench.keys.sweep().await.unwrap();
    bench.clock.advance_millis(43_200_000);
    // What was served since the last sweep is lost with the process: that prolongs.
    let bench = bench.restarted();
    assert_eq!(bench.keys.sweep().await.unwrap().waiting, 1);
    bench.clock.advance_millis(43_200_000);
    assert_eq!(bench.keys.sweep().await.unwrap().destroyed, [id]);
}

#[tokio::test]
async fn a_compromised_key_is_destroyed_as_such() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.create(retail, &key("signer", Algorithm::Ed25519)).await;
    let request = DeclareCompromise { reason: why(), versions: None };
    bench.keys.compromise(bench.on_key(id), &request).await.unwrap();
    bench.keys.destroy(bench.on_key(id), &gone()).await.unwrap();
    assert_eq!(bench.view(id).state, StateName::DestroyedCompromised);
}

/// Where the power goes off during a destruction.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// The root takes so many more replacements.
    Root(u32),
    /// The log takes so many more commits.
    Log(u64),
}

#[tokio::test]
async fn a_power_cut_at_any_step_loses_no_survivor_and_keeps_no_destroyed_key() {
    // Steps of the disk in order: the request (log), the plan (root), the survivors and the
    // destruction (log), the end of the shred key (root), the word that it ended (log).
    let cuts = [Cut::Log(0), Cut::Root(0), Cut::Log(1), Cut::Root(1), Cut::Log(2)];
    for cut in cuts {
        let bench = Bench::new();
        let retail = bench.domain("retail", 0).await;
        let mut living = Vec::new();
        for n in 0..5 {
            let id = bench.aes(retail, &format!("key-{n}")).await;
            living.push((id, bench.encrypt(id, "x").await));
        }
        let (dead, sealed) = living.remove(2);
        let permit = bench.on_key(dead);
        match cut {
            Cut::Root(left) => *bench.root.replacements_left.lock().unwrap() = Some(left),
            Cut::Log(left) => bench.appends_left.store(left, Ordering::SeqCst),
        }
        let asked = bench.keys.destroy(permit, &gone()).await;
        assert!(!matches!(asked, Ok(Destroyed::Done { .. })), "{cut:?}: {asked:?}");
        let acknowledged = asked.is_ok();

        let bench = bench.restarted();
        bench.keys.recover().await.unwrap();
        assert!(bench.room.pending_shreds().is_empty(), "{cut:?}");
        if acknowledged {
            let sweep = bench.keys.sweep().await.unwrap();
            assert!(sweep.failed.is_empty(), "{cut:?}: {sweep:?}");
            let refused = bench.decrypt(dead, &sealed).await.unwrap_err();
            assert_eq!(refused.code(), "key-destroyed", "{cut:?}");
        } else {
            assert_eq!(bench.decrypt(dead, &sealed).await.unwrap(), "x", "{cut:?}");
        }
        for (id, sealed) in &living {
            assert_eq!(bench.decrypt(*id, sealed).await.unwrap(), "x", "{cut:?}");
        }
        assert!(bench.store.verify().unwrap().is_empty(), "{cut:?}");
    }
}

#[tokio::test]
async fn yesterdays_store_with_todays_root_does_not_open_a_destroyed_key() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let (dead, lives) = (bench.aes(retail, "dead").await, bench.aes(retail, "lives").await);
    let sealed = bench.encrypt(dead, "x").await;
    let yesterday = bench.copied_store();
    bench.keys.destroy(bench.on_key(dead), &gone()).await.unwrap();
    let bench = bench.restarted_on(yesterday);
    // The old store believes that both keys live; the root knows better.
    assert_eq!(bench.view(dead).state, StateName::Active);
    assert_eq!(bench.decrypt(dead, &sealed).await.unwrap_err().code(), "not-opened");
    let lost = bench.try_encrypt(lives, "x").await.unwrap_err();
    assert_eq!(lost.code(), "not-opened");
}
