//! Destruction is final: yesterday's store with today's root opens nothing that was destroyed.

use crate::hall::{Hall, key_file};
use kernel::actions as a;
use std::sync::Arc;
use strongroom::shred::{SHRED_KEYS_UNDER_ONE_MAX, ShredError, Survivor, wrapped_under};
use strongroom::{
    Algorithm, KeyError, KeySlot, MemoryRoot, Month, PersonalSlot, ShredFamily, Slot, Strongroom,
};

const ALGORITHM: Algorithm = Algorithm::Aes256Gcm;

fn opens(room: &Strongroom, slot: KeySlot, wrapped: &[u8]) -> bool {
    match room.open_key(slot, ALGORITHM, wrapped) {
        Ok(_) => true,
        Err(KeyError::NotOpened) => false,
        Err(other) => panic!("{other}"),
    }
}

/// Two keys under one shred key, stored.
fn two_keys(hall: &Hall) -> [(KeySlot, Vec<u8>); 2] {
    let [one, two] = [hall.slot(), hall.slot()].map(|slot| {
        let stored = hall.generate(slot, ALGORITHM);
        (slot, stored.wrapped)
    });
    assert_eq!(wrapped_under(&one.1), wrapped_under(&two.1));
    [one, two]
}

#[test]
fn yesterdays_wrapped_key_does_not_open_with_todays_root() {
    let hall = Hall::new();
    let [(dead, dead_form), (alive, alive_form)] = two_keys(&hall);
    let held = hall.room.open_key(dead, ALGORITHM, &dead_form).unwrap();
    let survivors = hall.room.open_key(alive, ALGORITHM, &alive_form).unwrap();
    let yesterdays_root = hall.root_bytes();
    let shred = wrapped_under(&dead_form).unwrap();

    let closed = hall.room.close_shred_key(shred).unwrap();
    let survivor = Survivor { slot: Slot::Key(alive), wrapped: alive_form.clone() };
    let plan = hall.room.plan_shred(&closed, vec![survivor]).unwrap();
    assert!(opens(&hall.room, dead, &dead_form), "nothing is lost before the store commits");
    hall.room.finish_shred(plan.old).unwrap();

    let refused = held.encrypt(&hall.permit::<a::KeyEncrypt>(dead), b"x", b"");
    assert!(matches!(refused, Err(KeyError::Forgotten)));
    // A survivor's handle works on, and is forgotten with its key although the form changed.
    let encrypt = hall.permit::<a::KeyEncrypt>(alive);
    assert!(survivors.encrypt(&encrypt, b"x", b"").is_ok());
    let newer = hall.room.open_key(alive, ALGORITHM, &plan.rewrapped[0].wrapped).unwrap();
    hall.room.forget(alive.key);
    for handle in [&survivors, &newer] {
        assert!(matches!(handle.encrypt(&encrypt, b"x", b""), Err(KeyError::Forgotten)));
    }
    for room in [&hall.room, &hall.restarted()] {
        assert!(!opens(room, dead, &dead_form));
        assert!(!opens(room, alive, &alive_form), "the survivor's old form is dead too");
        assert!(opens(room, alive, &plan.rewrapped[0].wrapped));
    }
    // The key was really there: an old root still opens it, which is why old roots are listed.
    let old = Arc::new(MemoryRoot::holding(yesterdays_root));
    let old = Strongroom::unseal(old, &key_file(), hall.clock).unwrap();
    assert!(opens(&old, dead, &dead_form));
}

#[test]
fn a_crash_between_plan_and_finish_loses_nothing_and_can_be_repeated() {
    let hall = Hall::new();
    let [(_, dead_form), (alive, alive_form)] = two_keys(&hall);
    let shred = wrapped_under(&dead_form).unwrap();
    let survivor = || vec![Survivor { slot: Slot::Key(alive), wrapped: alive_form.clone() }];
    let closed = hall.room.close_shred_key(shred).unwrap();
    let plan = hall.room.plan_shred(&closed, survivor()).unwrap();

    let room = hall.restarted();
    let pending = room.pending_shreds();
    assert_eq!((pending[0].old, pending[0].new), (plan.old, plan.new));
    assert_eq!((pending[0].family, pending[0].domain), (ShredFamily::Keys, hall.domain));
    // The store did not commit: both forms still open, and the plan is made again.
    assert!(opens(&room, alive, &alive_form));
    let again = room.plan_shred(&room.close_shred_key(shred).unwrap(), survivor()).unwrap();
    assert_eq!(again.new, plan.new);
    room.finish_shred(shred).unwrap();
    room.finish_shred(shred).unwrap();
    assert!(room.pending_shreds().is_empty());
    // Had the first plan been committed, its forms would open as well.
    assert!(opens(&room, alive, &plan.rewrapped[0].wrapped));
    assert!(opens(&room, alive, &again.rewrapped[0].wrapped));
}

#[test]
fn a_key_on_its_way_into_the_store_holds_the_shredding_back() {
    let hall = Hall::new();
    let slot = hall.slot();
    let stored = hall.generate(slot, ALGORITHM);
    let busy = hall.room.close_shred_key(stored.shred);
    assert!(matches!(busy, Err(ShredError::OnTheWay(id)) if id == stored.shred));
    // Nothing new goes under it meanwhile, so that waiting ends.
    assert_ne!(hall.generate(hall.slot(), ALGORITHM).shred, stored.shred);
    let shred = stored.shred;
    drop(stored.lease);
    assert!(hall.room.close_shred_key(shred).is_ok());
}

#[test]
fn a_shred_key_that_was_not_planned_is_not_deleted() {
    let hall = Hall::new();
    let [(one, form), _] = two_keys(&hall);
    let shred = wrapped_under(&form).unwrap();
    assert!(matches!(hall.room.finish_shred(shred), Err(ShredError::NotPlanned(_))));
    assert!(opens(&hall.room, one, &form));
}

#[test]
fn survivors_that_are_none_stop_the_plan() {
    let hall = Hall::new();
    let [(one, form), (two, _)] = two_keys(&hall);
    let closed = hall.room.close_shred_key(wrapped_under(&form).unwrap()).unwrap();
    let stranger = vec![Survivor { slot: Slot::Key(two), wrapped: form.clone() }];
    let refused = hall.room.plan_shred(&closed, stranger);
    assert!(matches!(refused, Err(ShredError::NotUnder(_))));
    let one = Survivor { slot: Slot::Key(one), wrapped: form };
    let too_many = vec![one; SHRED_KEYS_UNDER_ONE_MAX as usize + 1];
    let refused = hall.room.plan_shred(&closed, too_many);
    assert!(matches!(refused, Err(ShredError::TooMany(257))));
}

#[test]
fn at_most_256_keys_lie_under_one_shred_key() {
    let hall = Hall::new();
    let first = hall.generate(hall.slot(), ALGORITHM).shred;
    for _ in 1..SHRED_KEYS_UNDER_ONE_MAX {
        assert_eq!(hall.generate(hall.slot(), ALGORITHM).shred, first);
    }
    assert_ne!(hall.generate(hall.slot(), ALGORITHM).shred, first);
    assert_eq!(hall.room.shred_key_count(), 2);
    // After a restart it is not known how many there were: a new one begins.
    let room = hall.restarted();
    let slot = hall.slot();
    let stored = room.generate(&hall.permit::<a::KeyCreate>(slot), slot, ALGORITHM).unwrap();
    assert_eq!(room.shred_key_count(), 3);
    assert!(stored.shred.0 > 2);
}

#[test]
fn one_persons_month_is_shredded_and_the_next_one_stays() {
    let hall = Hall::new();
    let month = Month::of(kernel::Timestamp::parse_rfc3339("2026-11-21T00:00:00Z").unwrap());
    assert_eq!(month.to_string(), "2026-11");
    let slot = |subject: &str| PersonalSlot { domain: hall.domain, subject: subject.into(), month };
    let (anna, ben) = (slot("anna"), slot("ben"));
    let stored = |slot| {
        let stored = hall.room.create_personal_key(slot).unwrap();
        (stored.wrapped, stored.shred)
    };
    let ((annas, shred), (bens, _)) = (stored(&anna), stored(&ben));

    let key = hall.room.open_personal_key(&anna, &annas).unwrap();
    let sealed = key.seal(b"17", b"address=192.0.2.1").unwrap();
    assert_eq!(key.open(b"17", &sealed).unwrap().as_slice(), b"address=192.0.2.1");
    assert!(key.open(b"18", &sealed).is_err());
    assert_ne!(
        key.index_term(b"192.0.2.1"),
        hall.room.open_personal_key(&ben, &bens).unwrap().index_term(b"192.0.2.1")
    );
    assert!(hall.room.open_personal_key(&ben, &annas).is_err());

    let closed = hall.room.close_shred_key(shred).unwrap();
    let survivor = Survivor { slot: Slot::Personal(ben.clone()), wrapped: bens };
    let plan = hall.room.plan_shred(&closed, vec![survivor]).unwrap();
    hall.room.finish_shred(plan.old).unwrap();
    assert!(hall.room.open_personal_key(&anna, &annas).is_err());
    assert!(hall.room.open_personal_key(&ben, &plan.rewrapped[0].wrapped).is_ok());
}

#[test]
fn until_the_root_is_on_disk_nothing_is_shredded() {
    let hall = Hall::new();
    let [(_, dead), (alive, form)] = two_keys(&hall);
    let closed = hall.room.close_shred_key(wrapped_under(&dead).unwrap()).unwrap();
    let survivor = Survivor { slot: Slot::Key(alive), wrapped: form.clone() };
    let plan = hall.room.plan_shred(&closed, vec![survivor]).unwrap();
    // Until the old shred key has left the root on disk, it has not left at all.
    assert!(opens(&hall.restarted(), alive, &form));
    hall.room.finish_shred(plan.old).unwrap();
    assert!(!opens(&hall.restarted(), alive, &form));
}

#[test]
fn many_threads_share_shred_keys_within_the_limit() {
    let hall = Hall::new();
    let slots: Vec<_> = (0..600).map(|_| hall.slot()).collect();
    let permits: Vec<_> = slots.iter().map(|s| hall.permit::<a::KeyCreate>(*s)).collect();
    let work: Vec<_> = slots.into_iter().zip(permits).collect();
    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = work
            .chunks(100)
            .map(|part| {
                let room = hall.room.clone();
                scope.spawn(move || {
                    let made =
                        part.iter().map(|(slot, permit)| room.generate(permit, *slot, ALGORITHM));
                    made.map(|stored| stored.unwrap().shred).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let count = |id| made.iter().filter(|made| **made == id).count();
    assert!(made.iter().all(|id| count(*id) <= SHRED_KEYS_UNDER_ONE_MAX as usize));
    assert_eq!(hall.room.shred_key_count(), 3);
}
