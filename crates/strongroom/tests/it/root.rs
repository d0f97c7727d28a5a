//! The root file on a real disk.

use crate::hall::{Hall, key_file};
use kernel::{DomainId, HeldClock, Problem, ProblemKind, Timestamp};
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use strongroom::{
    FileRoot, MemoryRoot, ROOT_BYTES_MAX, RootFile, RootFileError, SealError, Strongroom,
};

/// A folder of its own for one test, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("strongroom-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_root_is_created_once_and_opens_after_a_restart() {
    let folder = Folder::new("once");
    let path = folder.0.join("root.json");
    let file: Arc<dyn RootFile> = Arc::new(FileRoot::at(&path));
    let clock = Arc::new(HeldClock::at(Timestamp::EPOCH));
    let missing = Strongroom::unseal(file.clone(), &key_file(), clock.clone());
    assert!(matches!(missing, Err(SealError::Missing)));
    let room = Strongroom::create(file.clone(), &key_file(), clock.clone()).unwrap();
    let again = Strongroom::create(file.clone(), &key_file(), clock.clone());
    assert!(matches!(again, Err(SealError::Exists)));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(room.has_domain(DomainId::SYSTEM));

    let signer = room.log_signer();
    let server = room.tls_key("server").unwrap();
    let reopened = Strongroom::unseal(file.clone(), &key_file(), clock).unwrap();
    assert_eq!(reopened.log_signer().public_key(), signer.public_key());
    let same = reopened.tls_key("server").unwrap();
    assert_eq!(same.public_point(), server.public_point());
    assert_ne!(reopened.tls_key("authority").unwrap().public_point(), server.public_point());
    let names: Vec<_> = std::fs::read_dir(&folder.0).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing is left beside the root");
}

#[test]
fn a_left_over_of_a_crash_is_not_written_through() {
    let folder = Folder::new("left-over");
    let path = folder.0.join("root.json");
    let elsewhere = folder.0.join("precious");
    std::fs::write(&elsewhere, b"precious").unwrap();
    std::os::unix::fs::symlink(&elsewhere, folder.0.join("root.json.new")).unwrap();
    FileRoot::at(&path).replace(b"root").unwrap();
    assert_eq!(std::fs::read(&elsewhere).unwrap(), b"precious");
    assert_eq!(FileRoot::at(&path).read().unwrap().unwrap(), b"root");
}

#[test]
fn a_root_that_cannot_be_is_refused() {
    let folder = Folder::new("cannot-be");
    let path = folder.0.join("root.json");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(ROOT_BYTES_MAX + 1).unwrap();
    assert!(matches!(FileRoot::at(&path).read(), Err(RootFileError::TooLarge { .. })));
    assert!(matches!(FileRoot::at(&folder.0).read(), Err(RootFileError::Disk { .. })));
    assert!(FileRoot::at(folder.0.join("no/such/folder")).replace(b"x").is_err());
}

#[test]
fn a_domain_that_was_not_created_has_no_keys() {
    let hall = Hall::new();
    let slot = strongroom::KeySlot {
        domain: DomainId::generate(&*hall.clock, &strongroom::SystemRng).unwrap(),
        ..hall.slot()
    };
    let permit = hall.permit::<kernel::actions::KeyCreate>(slot);
    let refused = hall.room.generate(&permit, slot, strongroom::Algorithm::Aes256Gcm);
    assert!(refused.unwrap_err().to_string().contains("no key-encryption key"));
    hall.room.create_domain(slot.domain).unwrap();
    let revision = Strongroom::describe(&*hall.file).unwrap().revision;
    assert_eq!(hall.room.root_revision(), revision);
    hall.room.create_domain(slot.domain).unwrap();
    assert_eq!(Strongroom::describe(&*hall.file).unwrap().revision, revision);
    assert!(hall.room.generate(&permit, slot, strongroom::Algorithm::Aes256Gcm).is_ok());
}

#[test]
fn credentials_open_for_their_purpose_only() {
    let hall = Hall::new();
    let sealed = hall.room.seal_bytes("sink/one", b"token").unwrap();
    assert_eq!(hall.room.open_bytes("sink/one", &sealed).unwrap().as_slice(), b"token");
    assert!(hall.room.open_bytes("sink/two", &sealed).is_err());
    assert!(hall.room.open_bytes("sink/one", &sealed[1..]).is_err());
    let elsewhere = Hall::new().room;
    assert!(elsewhere.open_bytes("sink/one", &sealed).is_err());

    let key = hall.room.tls_key("server").unwrap();
    let signature = key.sign(b"handshake").unwrap();
    let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1;
    let public = key.public_der().unwrap();
    let public = aws_lc_rs::signature::UnparsedPublicKey::new(algorithm, public);
    assert!(public.verify(b"handshake", &signature).is_ok());
    let replaced = hall.room.replace_tls_key("server").unwrap();
    assert_ne!(replaced.public_point(), key.public_point());
}

#[test]
fn checkpoints_verify_with_the_signers_public_key() {
    let signer = Hall::new().room.log_signer();
    let public = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::ED25519,
        signer.public_key(),
    );
    assert!(public.verify(b"checkpoint", &signer.sign(b"checkpoint")).is_ok());
    assert!(public.verify(b"checkpoint", &signer.sign(b"another")).is_err());
}

/// A disk that refuses while it is told to.
#[derive(Debug, Default)]
struct Stubborn {
    inner: MemoryRoot,
    refuses: AtomicBool,
}

impl RootFile for Stubborn {
    fn read(&self) -> Result<Option<Vec<u8>>, RootFileError> {
        self.inner.read()
    }

    fn replace(&self, bytes: &[u8]) -> Result<(), RootFileError> {
        if self.refuses.load(Ordering::SeqCst) {
            let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(RootFileError::Disk { path: "root".into(), doing: "replaced", source });
        }
        self.inner.replace(bytes)
    }
}

#[test]
fn a_full_disk_changes_nothing_and_forgets_nothing() {
    let file = Arc::new(Stubborn::default());
    let clock = Arc::new(HeldClock::at(Timestamp::EPOCH));
    let room = Strongroom::create(file.clone(), &key_file(), clock.clone()).unwrap();
    let domain = DomainId::generate(&*clock, &strongroom::SystemRng).unwrap();
    file.refuses.store(true, Ordering::SeqCst);
    let before = file.read().unwrap();
    let refused = Problem::from(room.create_domain(domain).unwrap_err());
    assert_eq!(refused.kind, ProblemKind::StorageFull);
    assert!(room.tls_key("server").is_err() && !room.has_domain(domain));
    assert_eq!(file.read().unwrap(), before);
    file.refuses.store(false, Ordering::SeqCst);
    room.create_domain(domain).unwrap();
    let again = Strongroom::unseal(file, &key_file(), clock).unwrap();
    assert!(again.has_domain(domain));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_in_the_place_of_a_root_are_refused(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            "\\{\"root\":\\{[a-z0-9\":,{}]{0,200}\\},\"mac\":\"[A-Za-z0-9+/=]{0,60}\"\\}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let clock = Arc::new(HeldClock::at(Timestamp::EPOCH));
        let file = MemoryRoot::holding(bytes);
        prop_assert!(matches!(Strongroom::describe(&file), Err(SealError::Damaged)));
        let refused = Strongroom::unseal(Arc::new(file), &key_file(), clock);
        prop_assert!(matches!(refused, Err(SealError::NotOpened)));
    }
}
