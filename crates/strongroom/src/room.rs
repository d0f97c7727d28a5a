//! The room itself: created once, unsealed at each start, shared by cheap clones.

use crate::argon2id::Argon2Cost;
use crate::bytes::Bytes;
use crate::cache::ExpandedKeys;
use crate::derive::{Cipher, KeyBytes, Label, MessageKeys, derive_mac};
use crate::log_signer::{LogSigner, new_seed};
use crate::random::random_array;
use crate::records::RecordKeys;
use crate::root::{NotARoot, ROOT_FORMAT, Root, ShredFamily, ShredId, UnverifiedRoot, barrier_aad};
use crate::root_file::{RootFile, RootFileError};
use crate::seal::{Seal, SealDescriptor};
use crate::self_test::{SelfTestFailed, self_test};
use crate::shred::ShredKey;
use crate::slot::KeySlot;
use aws_lc_rs::hmac;
use kernel::{Clock, DomainId, Problem, ProblemKind, RngUnavailable, Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Why the room does not open.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Wrong seal, wrong file or altered file: which of them is not said.
    #[error("the seal does not open the root")]
    NotOpened,
    /// What is there is not a root of ours, or it is damaged.
    #[error("the root file is damaged or not one of ours")]
    Damaged,
    /// There is no root yet.
    #[error("there is no root here; create one first")]
    Missing,
    /// There is a root already.
    #[error("there is a root here already")]
    Exists,
    /// Fewer than twelve characters.
    #[error("the passphrase is shorter than {} characters", crate::PASSPHRASE_CHARS_MIN)]
    PassphraseTooShort,
    /// Fewer than 32 bytes.
    #[error("the key file is shorter than {} bytes", crate::KEY_FILE_BYTES_MIN)]
    KeyFileTooShort,
    /// The machine computes wrongly.
    #[error(transparent)]
    SelfTest(#[from] SelfTestFailed),
    /// The disk refuses.
    #[error(transparent)]
    RootFile(#[from] RootFileError),
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
}

impl From<NotARoot> for SealError {
    fn from(_: NotARoot) -> Self {
        Self::NotOpened
    }
}

/// Where the root lies is for the operator, not for whoever asks.
fn root_file(cause: &RootFileError) -> Problem {
    if cause.is_full() {
        let detail = "the disk of the root is full or read-only, free some space";
        return Problem::new(ProblemKind::StorageFull, "root-file-full", detail);
    }
    Problem::new(ProblemKind::Unavailable, "root-file", "the root cannot be read or replaced")
}

impl From<SealError> for Problem {
    fn from(cause: SealError) -> Self {
        let (kind, code) = match &cause {
            SealError::NotOpened => (ProblemKind::Refused, "seal-refused"),
            SealError::Damaged => (ProblemKind::Unavailable, "root-damaged"),
            SealError::Missing => (ProblemKind::Unavailable, "no-root"),
            SealError::Exists => (ProblemKind::Conflict, "root-exists"),
            SealError::PassphraseTooShort => (ProblemKind::Invalid, "passphrase-too-short"),
            SealError::KeyFileTooShort => (ProblemKind::Invalid, "key-file-too-short"),
            SealError::SelfTest(_) => (ProblemKind::Unavailable, "self-test-failed"),
            SealError::RootFile(cause) => return root_file(cause),
            SealError::Rng(_) => (ProblemKind::Unavailable, "no-randomness"),
        };
        Self::new(kind, code, cause.to_string())
    }
}

/// Why a change of the root did not happen.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// The disk refuses; the old root stands.
    #[error(transparent)]
    RootFile(#[from] RootFileError),
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
    /// There is no such key domain.
    #[error("the key domain `{0}` has no key-encryption key in this root")]
    NoDomain(DomainId),
    /// There is no such shred key: it was deleted, or the root is another one.
    #[error("there is no shred key {} in this root", .0.0)]
    NoShredKey(ShredId),
    /// A slot of the root does not open or cannot be written.
    #[error("a slot of the root is damaged")]
    Damaged,
    /// The installation was sealed while it ran.
    #[error("the installation is sealed; unseal it first")]
    Sealed,
}

impl From<NotARoot> for RootError {
    fn from(_: NotARoot) -> Self {
        Self::Damaged
    }
}

impl From<RootError> for Problem {
    fn from(cause: RootError) -> Self {
        let (kind, code) = match &cause {
            RootError::RootFile(cause) => return root_file(cause),
            RootError::Sealed => (ProblemKind::Unavailable, "sealed"),
            RootError::Rng(_) => (ProblemKind::Unavailable, "no-randomness"),
            RootError::NoDomain(_) => (ProblemKind::NotFound, "no-domain"),
            RootError::NoShredKey(_) => (ProblemKind::Internal, "no-shred-key"),
            RootError::Damaged => (ProblemKind::Internal, "root-damaged"),
        };
        Self::new(kind, code, cause.to_string())
    }
}

/// What can be said of a root before it is opened; not yet authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootDescription {
    /// What must be presented.
    pub seal: SealDescriptor,
    /// When the root was made.
    pub created: Timestamp,
    /// How often it was replaced.
    pub revision: u64,
    /// How many key domains it holds.
    pub domains: usize,
}

/// The only room where key bytes exist. Cheap to clone; the bytes stay where they are.
#[derive(Clone)]
pub struct Strongroom {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    file: Arc<dyn RootFile>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) barrier: KeyBytes,
    pub(crate) slots: MessageKeys,
    /// Hashes bearer tokens: derived once, since every request with a token needs it.
    pub(crate) tokens: hmac::Key,
    records: RecordKeys,
    signer: LogSigner,
    pub(crate) expanded: ExpandedKeys,
    sealed: AtomicBool,
    pub(crate) changing: Mutex<Changing>,
    pub(crate) shred_keys: Mutex<HashMap<ShredId, Arc<ShredKey>>>,
}

/// The root as it stands on disk, and what is derived from it.
pub(crate) struct Changing {
    pub(crate) root: Root,
    pub(crate) domains: HashMap<DomainId, Arc<MessageKeys>>,
    pub(crate) filling: HashMap<(DomainId, ShredFamily), Arc<ShredKey>>,
    /// Keys that live on after a planned shredding.
    pub(crate) survivors: HashMap<ShredId, HashSet<KeySlot>>,
}

impl fmt::Debug for Strongroom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Strongroom")
    }
}

impl Strongroom {
    /// Makes a root with a new barrier key, the system's key domain and a log signer.
    ///
    /// # Errors
    /// When there is a root already, the seal is too weak, a self-test fails or the disk refuses.
    pub fn create(
        file: Arc<dyn RootFile>,
        seal: &Seal,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SealError> {
        Self::create_at_cost(file, seal, Argon2Cost::STANDARD, clock)
    }

    /// [`Self::create`] with a cost for the passphrase other than the standard one.
    ///
    /// # Errors
    /// As [`Self::create`]; a cost out of bounds does not open.
    pub fn create_at_cost(
        file: Arc<dyn RootFile>,
        seal: &Seal,
        cost: Argon2Cost,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SealError> {
        self_test()?;
        if file.read()?.is_some() {
            return Err(SealError::Exists);
        }
        let barrier: KeyBytes = Zeroizing::new(random_array()?);
        let (descriptor, key) = SealDescriptor::new(seal, cost)?;
        let slots = MessageKeys::of(Label::RootSlots, barrier.as_slice(), &[]);
        let mut root = Root {
            format: ROOT_FORMAT,
            revision: 0,
            created: clock.wall(),
            barrier: wrap_barrier(&descriptor, &key, &barrier)?,
            seal: descriptor,
            domains: BTreeMap::new(),
            shred_next: 1,
            shred_keys: BTreeMap::new(),
            log_signer: wrap_slot(&slots, b"log-signer", new_seed()?.as_slice())?,
            tls: BTreeMap::new(),
            journal_head: None,
        };
        let system = new_domain(&slots, DomainId::SYSTEM)?;
        root.domains.insert(DomainId::SYSTEM, system);
        file.replace(&root.to_bytes(barrier.as_slice())?)?;
        Self::open(file, root, barrier, clock)
    }

    /// Opens the root with its seal.
    ///
    /// # Errors
    /// [`SealError::NotOpened`] for a wrong seal as for an altered file; others as they say.
    pub fn unseal(
        file: Arc<dyn RootFile>,
        seal: &Seal,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SealError> {
        self_test()?;
        let bytes = file.read()?.ok_or(SealError::Missing)?;
        let unverified = UnverifiedRoot::parse(&bytes)?;
        let claims = unverified.claims();
        let key = claims.seal.key(seal)?;
        let barrier = unwrap_barrier(&claims.seal, &key, &claims.barrier)?;
        let root = unverified.verify(barrier.as_slice())?;
        Self::open(file, root, barrier, clock)
    }

    /// What the root says of itself before it is opened.
    ///
    /// # Errors
    /// When there is none, or it is not a root of ours.
    pub fn describe(file: &dyn RootFile) -> Result<RootDescription, SealError> {
        let bytes = file.read()?.ok_or(SealError::Missing)?;
        let unverified = UnverifiedRoot::parse(&bytes).map_err(|_| SealError::Damaged)?;
        let claims = unverified.claims();
        Ok(RootDescription {
            seal: claims.seal.clone(),
            created: claims.created,
            revision: claims.revision,
            domains: claims.domains.len(),
        })
    }

    fn open(
        file: Arc<dyn RootFile>,
        root: Root,
        barrier: KeyBytes,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SealError> {
        let slots = MessageKeys::of(Label::RootSlots, barrier.as_slice(), &[]);
        let seed = unwrap_slot(&slots, b"log-signer", &root.log_signer)
            .map_err(|_| SealError::NotOpened)?;
        let signer = LogSigner::from_seed(&seed).ok_or(SealError::NotOpened)?;
        let records = RecordKeys::new(barrier.as_slice());
        let tokens = derive_mac(Label::Token, barrier.as_slice(), &[]);
        let changing = Changing {
            root,
            domains: HashMap::new(),
            filling: HashMap::new(),
            survivors: HashMap::new(),
        };
        let inner = Inner {
            file,
            clock,
            barrier,
            tokens,
            slots,
            records,
            signer,
            expanded: ExpandedKeys::default(),
            sealed: AtomicBool::new(false),
            changing: Mutex::new(changing),
            shred_keys: Mutex::new(HashMap::new()),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Puts a new seal in the place of the old one, which opens nothing from then on. Copies of the
    /// old root file still open with the old seal: destroy them.
    ///
    /// # Errors
    /// When the old seal is wrong, the new one too weak, or the disk refuses.
    pub fn reseal(&self, old: &Seal, new: &Seal, cost: Argon2Cost) -> Result<(), SealError> {
        let mut changing = self.changing();
        let root = &changing.root;
        let key = root.seal.key(old)?;
        unwrap_barrier(&root.seal, &key, &root.barrier)?;
        let (descriptor, key) = SealDescriptor::new(new, cost)?;
        let mut root = root.clone();
        root.barrier = wrap_barrier(&descriptor, &key, &self.inner.barrier)?;
        root.seal = descriptor;
        self.replace(&mut changing, root).map_err(|e| match e {
            RootError::RootFile(e) => SealError::RootFile(e),
            _ => SealError::NotOpened,
        })
    }

    /// Seals the running installation: every open key is forgotten, the keys that wrap them are
    /// wiped, and no key opens until [`Self::reopen`]. Records, log (with its personal part) and
    /// sign-in go on, so that the sealing itself is recorded and somebody can come to unseal.
    pub fn seal(&self) {
        let mut changing = self.changing();
        self.inner.sealed.store(true, Ordering::SeqCst);
        changing.domains.clear();
        changing.filling.retain(|(_, family), _| *family == ShredFamily::Personal);
        self.drop_shred_keys();
        self.inner.expanded.forget_all();
    }

    /// Whether [`Self::seal`] was called and nobody has reopened since.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.inner.sealed.load(Ordering::SeqCst)
    }

    /// Lets keys open again, for whoever holds the seal.
    ///
    /// # Errors
    /// [`SealError::NotOpened`] when the seal is wrong.
    pub fn reopen(&self, seal: &Seal) -> Result<(), SealError> {
        let changing = self.changing();
        let root = &changing.root;
        let barrier = unwrap_barrier(&root.seal, &root.seal.key(seal)?, &root.barrier)?;
        let same: bool = barrier.as_slice().ct_eq(self.inner.barrier.as_slice()).into();
        if !same {
            return Err(SealError::NotOpened);
        }
        self.inner.sealed.store(false, Ordering::SeqCst);
        Ok(())
    }

    pub(crate) fn unsealed_for(&self, family: ShredFamily) -> Result<(), RootError> {
        if family == ShredFamily::Personal { Ok(()) } else { self.unsealed() }
    }

    pub(crate) fn unsealed(&self) -> Result<(), RootError> {
        if self.is_sealed() { Err(RootError::Sealed) } else { Ok(()) }
    }

    /// Keys for the store: records, index terms, digests.
    #[must_use]
    pub fn records(&self) -> RecordKeys {
        self.inner.records.clone()
    }

    /// The signer of the log's checkpoints.
    #[must_use]
    pub fn log_signer(&self) -> LogSigner {
        self.inner.signer.clone()
    }

    /// Gives a key domain its key-encryption key; nothing happens when it has one.
    ///
    /// # Errors
    /// When the disk refuses or there is no randomness.
    pub fn create_domain(&self, domain: DomainId) -> Result<(), RootError> {
        let mut changing = self.changing();
        self.unsealed()?;
        if changing.root.domains.contains_key(&domain) {
            return Ok(());
        }
        let mut root = changing.root.clone();
        root.domains.insert(domain, new_domain(&self.inner.slots, domain)?);
        self.replace(&mut changing, root)
    }

    /// Whether the root holds a key-encryption key for this key domain.
    #[must_use]
    pub fn has_domain(&self, domain: DomainId) -> bool {
        self.changing().root.domains.contains_key(&domain)
    }

    /// How often the root was replaced. Note it in the log: a root that comes back with a smaller
    /// number is an old copy, in which destroyed keys may live on.
    #[must_use]
    pub fn root_revision(&self) -> u64 {
        self.changing().root.revision
    }

    /// The last entry of the boot journal that the log has taken over; `None` at first.
    #[must_use]
    pub fn journal_head(&self) -> Option<[u8; 32]> {
        let changing = self.changing();
        changing.root.journal_head.as_deref().and_then(|h| h.try_into().ok())
    }

    /// Notes that the log has taken over the boot journal up to this entry.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note_journal_head(&self, head: [u8; 32]) -> Result<(), RootError> {
        self.change(|root| root.journal_head = Some(Bytes::from(head.to_vec())))
    }

    /// Drops expanded keys that nobody used for five minutes; call it once a minute.
    pub fn expire_idle_keys(&self) {
        self.inner.expanded.expire_idle(self.inner.clock.monotonic());
    }

    pub(crate) fn tls_slot(&self, name: &str) -> Option<Bytes> {
        self.changing().root.tls.get(name).cloned()
    }

    pub(crate) fn put_tls_slot(&self, name: &str, key: &[u8]) -> Result<(), RootError> {
        let aad = [b"tls/", name.as_bytes()].concat();
        let wrapped = wrap_slot(&self.inner.slots, &aad, key)?;
        self.change(|root| {
            root.tls.insert(name.to_owned(), wrapped);
        })
    }

    pub(crate) fn open_tls_slot(
        &self,
        name: &str,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RootError> {
        let aad = [b"tls/", name.as_bytes()].concat();
        unwrap_slot(&self.inner.slots, &aad, wrapped)
    }

    pub(crate) fn changing(&self) -> MutexGuard<'_, Changing> {
        self.inner.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Root)) -> Result<(), RootError> {
        let mut changing = self.changing();
        let mut root = changing.root.clone();
        change(&mut root);
        self.replace(&mut changing, root)
    }

    /// The file first, then memory: what is in memory is always on disk.
    pub(crate) fn replace(&self, changing: &mut Changing, mut root: Root) -> Result<(), RootError> {
        root.revision = changing.root.revision.saturating_add(1);
        self.inner.file.replace(&root.to_bytes(self.inner.barrier.as_slice())?)?;
        changing.root = root;
        Ok(())
    }
}

fn wrap_barrier(
    seal: &SealDescriptor,
    key: &KeyBytes,
    barrier: &KeyBytes,
) -> Result<Bytes, SealError> {
    let keys = MessageKeys::new(Label::Seal, key.as_slice(), Cipher::Aes256Gcm);
    Ok(Bytes::from(keys.seal(&[], &barrier_aad(seal)?, barrier.as_slice())?))
}

fn unwrap_barrier(
    seal: &SealDescriptor,
    key: &KeyBytes,
    wrapped: &[u8],
) -> Result<KeyBytes, SealError> {
    let keys = MessageKeys::new(Label::Seal, key.as_slice(), Cipher::Aes256Gcm);
    let plain = keys.open(&barrier_aad(seal)?, wrapped).map_err(|_| SealError::NotOpened)?;
    let bytes = plain.as_slice().try_into().map_err(|_| SealError::NotOpened)?;
    Ok(Zeroizing::new(bytes))
}

fn wrap_slot(slots: &MessageKeys, name: &[u8], plain: &[u8]) -> Result<Bytes, RngUnavailable> {
    slots.seal(&[], name, plain).map(Bytes::from)
}

pub(crate) fn unwrap_slot(
    slots: &MessageKeys,
    name: &[u8],
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, RootError> {
    slots.open(name, wrapped).map_err(|_| RootError::Damaged)
}

pub(crate) fn domain_slot(domain: DomainId) -> Vec<u8> {
    [b"domain/".as_slice(), &domain.to_bytes()].concat()
}

fn new_domain(slots: &MessageKeys, domain: DomainId) -> Result<Bytes, RngUnavailable> {
    let kek: KeyBytes = Zeroizing::new(random_array()?);
    wrap_slot(slots, &domain_slot(domain), kek.as_slice())
}
