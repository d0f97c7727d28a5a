//! Seals: what opens, what does not, and changing them.

use crate::hall::{Hall, key_file, shown};
use kernel::{HeldClock, Problem, ProblemKind, Secret, Timestamp, actions as a};
use std::sync::Arc;
use strongroom::{
    Algorithm, Argon2Cost, KEY_FILE_BYTES_MIN, MemoryRoot, Month, PASSPHRASE_BYTES_MAX,
    PersonalSlot, Seal, SealDescriptor, SealError, Strongroom,
};

fn passphrase(text: &str) -> Seal {
    Seal::Passphrase(Secret::new(text.into()))
}

const WORDS: &str = "correct horse battery";

fn with_passphrase() -> (Arc<MemoryRoot>, Arc<HeldClock>, Strongroom) {
    let file = Arc::new(MemoryRoot::default());
    let clock = Arc::new(HeldClock::at(Timestamp::EPOCH));
    let seal = passphrase(WORDS);
    let room = Strongroom::create_at_cost(file.clone(), &seal, Argon2Cost::LEAST, clock.clone());
    (file, clock, room.unwrap())
}

#[test]
fn a_passphrase_opens_and_every_wrong_seal_gives_the_same_answer() {
    let (file, clock, _) = with_passphrase();
    assert!(Strongroom::unseal(file.clone(), &passphrase(WORDS), clock.clone()).is_ok());
    let long = "x".repeat(PASSPHRASE_BYTES_MAX + 1);
    for wrong in
        [passphrase("correct horse batterz"), passphrase(""), passphrase(&long), key_file()]
    {
        let refused = Strongroom::unseal(file.clone(), &wrong, clock.clone()).unwrap_err();
        assert_eq!(refused.to_string(), "the seal does not open the root");
        assert_eq!(Problem::from(refused).kind, ProblemKind::Refused);
    }
}

#[test]
fn the_standard_cost_is_the_one_of_rfc_9106() {
    let standard = Argon2Cost::STANDARD;
    assert_eq!((standard.memory_kib, standard.passes, standard.lanes), (65_536, 3, 1));
    let (file, ..) = with_passphrase();
    let description = Strongroom::describe(&*file).unwrap();
    assert_eq!((description.seal.kind(), description.domains), ("passphrase", 1));
    assert!(matches!(description.seal, SealDescriptor::Passphrase { cost, ref salt }
        if cost == Argon2Cost::LEAST && salt.len() == 16));
}

#[test]
fn weak_seals_are_refused() {
    let clock = Arc::new(HeldClock::at(Timestamp::EPOCH));
    let create = |seal: &Seal| {
        let file = Arc::new(MemoryRoot::default());
        Strongroom::create_at_cost(file, seal, Argon2Cost::LEAST, clock.clone())
    };
    assert!(matches!(create(&passphrase("elevenchars")), Err(SealError::PassphraseTooShort)));
    assert!(create(&passphrase("twelve chars")).is_ok());
    assert!(create(&passphrase("十二個字的通關密語夠長了")).is_ok());
    let short = Seal::KeyFile(Secret::new(vec![7; KEY_FILE_BYTES_MIN - 1]));
    assert!(matches!(create(&short), Err(SealError::KeyFileTooShort)));
}

#[test]
fn a_changed_passphrase_opens_the_same_keys_and_the_old_one_nothing() {
    let (file, clock, room) = with_passphrase();
    let signer = room.log_signer().public_key();
    let (old, new) = (passphrase(WORDS), passphrase("another set of words"));
    let wrong = passphrase("wrong set of words");
    assert!(matches!(room.reseal(&wrong, &new, Argon2Cost::LEAST), Err(SealError::NotOpened)));
    room.reseal(&old, &new, Argon2Cost::LEAST).unwrap();
    let again = Strongroom::unseal(file.clone(), &new, clock.clone()).unwrap();
    assert_eq!(again.log_signer().public_key(), signer);
    let refused = Strongroom::unseal(file.clone(), &old, clock.clone());
    assert!(matches!(refused, Err(SealError::NotOpened)));
    // From a passphrase to a key file: the server then comes back by itself.
    room.reseal(&new, &key_file(), Argon2Cost::LEAST).unwrap();
    assert!(Strongroom::unseal(file, &key_file(), clock).is_ok());
}

#[test]
fn a_sealed_installation_uses_no_key_and_still_writes_its_records() {
    let hall = Hall::new();
    let slot = hall.slot();
    let stored = hall.generate(slot, Algorithm::Aes256Gcm);
    let open = || hall.room.open_key(slot, Algorithm::Aes256Gcm, &stored.wrapped);
    let held = open().unwrap();
    let text = held.encrypt(&hall.permit::<a::KeyEncrypt>(slot), b"plain", b"").unwrap();
    hall.room.seal();
    assert!(hall.room.is_sealed());
    assert!(held.decrypt(&hall.permit::<a::KeyDecrypt>(slot), &text, b"").is_err());
    let refused = Problem::from(open().unwrap_err());
    assert_eq!((refused.kind, refused.code.as_ref()), (ProblemKind::Unavailable, "sealed"));
    let create = hall.permit::<a::KeyCreate>(slot);
    assert!(hall.room.generate(&create, slot, Algorithm::Aes256Gcm).is_err());
    assert_eq!(hall.room.open_key_count(), 0);
    let place = strongroom::Place { collection: "log", key: b"1", version: 1 };
    assert!(hall.room.records().seal(place, b"sealed by an officer").is_ok());
    let month = Month::of(Timestamp::EPOCH);
    let slot_of_officer = PersonalSlot { domain: hall.domain, subject: "officer".into(), month };
    let personal = hall.room.create_personal_key(&slot_of_officer).unwrap();
    assert!(hall.room.open_personal_key(&slot_of_officer, &personal.wrapped).is_ok());

    let wrong = Seal::KeyFile(Secret::new(vec![9; 32]));
    assert!(matches!(hall.room.reopen(&wrong), Err(SealError::NotOpened)));
    assert!(open().is_err());
    hall.room.reopen(&key_file()).unwrap();
    let permit = hall.permit::<a::KeyDecrypt>(slot);
    assert_eq!(shown(open().unwrap().decrypt(&permit, &text, b"").unwrap()), b"plain");
    // The lease given before the sealing still counts.
    assert!(hall.room.close_shred_key(stored.shred).is_err());
}

#[test]
fn hardening_claims_only_what_the_kernel_confirms() {
    crate::memory::searched();
    let report = strongroom::harden_process();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let core = limits.lines().find(|l| l.starts_with("Max core file size")).unwrap();
    let off = core.split_whitespace().rev().nth(2) == Some("0");
    assert_eq!(report.no_core_dumps, off);
    let dumpable = rustix::process::dumpable_behavior().unwrap();
    let not = dumpable == rustix::process::DumpableBehavior::NotDumpable;
    assert_eq!(report.not_dumpable, not);
    assert!(report.to_string().contains("memory locked: "));
}
