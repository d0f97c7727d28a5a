//! The public handle: what was opened with it, and the one way in which this room changes anything.

use crate::AccessError;
use crate::decide::Standings;
use crate::directory::Directory;
use crate::enrolment::{Bootstrap, Installation, Settings};
use crate::identity::{Made, ProofDates};
use crate::policy::{Engine, POLICY_TEXTS};
use crate::pre_auth::{PreAuthRefusal, PreAuthRefusals};
use crate::sessions::Sessions;
use crate::throttle::Throttle;
use crate::times::Times;
use kernel::{
    ActionType, Clock, Event, Origin, Outcome, Permit, PersonId, PolicyVersion, Principal,
    Recorder, Rng, Secret, ServiceId, Timestamp,
};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use store::{Batch, Collection, Committed, Expect, Store, StoreError};
use strongroom::{Argon2Cost, Strongroom};

/// Who may do what. Cheap to clone; one for each process.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    room: Strongroom,
    rng: Arc<dyn Rng>,
    times: Times,
    engine: Engine,
    directory: RwLock<Directory>,
    standings: Standings,
    throttle: Throttle,
    refusals: Mutex<PreAuthRefusals>,
    proofs: Proofs,
}

/// Most sessions cleared at once.
const SESSIONS_CLEARED_MAX: usize = 1_000;

/// The newest time that this room has seen, in one record.
#[derive(Debug)]
enum TimeMarks {}
impl Collection for TimeMarks {
    const NAME: &'static str = "access.time-mark";
    type Key = ();
    type Value = Timestamp;
}

/// How passwords are hashed, and the hash that unknown people are held against.
struct Proofs {
    cost: Argon2Cost,
    dummy: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

/// What a change does to rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// Gives more: counts when it is durable.
    Widens,
    /// Takes away: the directory has forgotten it already, every permit given before is void, and
    /// it goes on when the disk is full.
    Narrows,
    /// Neither.
    Neither,
}

impl Access {
    /// Opens this room on a store: reads who there is, loads the policies, and counts a new policy
    /// version when their text is another than before. Blocks.
    ///
    /// # Errors
    /// When the store does not read, the policies do not load, or a first commit fails.
    pub fn open(
        store: Store,
        room: Strongroom,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        password_cost: Argon2Cost,
    ) -> Result<Self, AccessError> {
        let engine = Engine::load()?;
        let mut directory = Directory::read(&store)?;
        let mark = store.get::<TimeMarks>(&())?.map_or(Timestamp::EPOCH, |record| record.value);
        let times = Times::new(clock, directory.newest().max(mark));
        note_policies(&store, &times, &mut directory)?;
        let dummy = Strongroom::password_of_nobody(password_cost)?;
        let proofs = Proofs { cost: password_cost, dummy };
        let inner = Inner {
            store,
            room,
            rng,
            times,
            engine,
            directory: RwLock::new(directory),
            standings: Standings::default(),
            throttle: Throttle::default(),
            refusals: Mutex::new(PreAuthRefusals::default()),
            proofs,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The version of roles and policies together; every change of either raises it.
    #[must_use]
    pub fn policy_version(&self) -> PolicyVersion {
        self.look(Directory::policy_version)
    }

    /// Whether the first administrator still has a say.
    #[must_use]
    pub fn bootstrap(&self) -> Bootstrap {
        self.look(Directory::bootstrap)
    }

    /// Whether anybody has ever enrolled: before that, the first administrator's link is still
    /// wanted.
    #[must_use]
    pub fn has_enrolled(&self) -> bool {
        self.look(|d| d.people.values().any(|p| p.value.proofs != ProofDates::default()))
    }

    /// Counts a caller who was turned away before anybody knew who it is.
    pub fn turned_away(&self, origin: Origin, why: PreAuthRefusal) {
        let now = self.times().wall();
        let events = self.refusals().count(origin.address, why, now);
        events.into_iter().for_each(|event| self.record(event));
    }

    /// Writes down the refusals of the minute that has ended, clears sessions that are over, and
    /// leaves a mark of the time in the store, so that a start under a clock set back revives
    /// nothing. Call it once a minute, and with `stopping` before the store is closed.
    pub fn tell_refusals(&self, stopping: bool) {
        let mark = self.times().latest();
        let over = self.change_directory(|d| d.take_sessions_over(mark, SESSIONS_CLEARED_MAX));
        let clear = over
            .iter()
            .fold(Batch::new(), |batch, hash| batch.delete::<Sessions>(hash, Expect::Any))
            .put::<TimeMarks>(&(), &mark, Expect::Any);
        // Nobody waits for it: what is lost here is done again in a minute.
        drop(self.inner.store.commit(clear));
        let now = self.times().wall();
        let mut refusals = self.refusals();
        let events = if stopping { refusals.take(now) } else { refusals.end_of_minute(now) };
        drop(refusals);
        events.into_iter().for_each(|event| self.record(event));
    }

    fn refusals(&self) -> MutexGuard<'_, PreAuthRefusals> {
        self.inner.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }
    pub(crate) fn room(&self) -> &Strongroom {
        &self.inner.room
    }
    pub(crate) fn rng(&self) -> &dyn Rng {
        &*self.inner.rng
    }
    pub(crate) fn times(&self) -> &Times {
        &self.inner.times
    }
    pub(crate) fn clock(&self) -> &dyn Clock {
        self.inner.times.clock()
    }
    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }
    pub(crate) fn standings(&self) -> &Standings {
        &self.inner.standings
    }
    pub(crate) fn throttle(&self) -> &Throttle {
        &self.inner.throttle
    }
    pub(crate) fn password_cost(&self) -> Argon2Cost {
        self.inner.proofs.cost
    }
    pub(crate) fn dummy_hash(&self) -> &str {
        &self.inner.proofs.dummy
    }

    pub(crate) fn record(&self, event: Event) {
        self.inner.store.record(event);
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Directory) -> T) -> T {
        look(&self.inner.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change_directory<T>(&self, change: impl FnOnce(&mut Directory) -> T) -> T {
        change(&mut self.inner.directory.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Checks what a use case must know before it changes anything. When it fails, the permit ends
    /// in the log as allowed and failed, with the code.
    pub(crate) fn checked<A: ActionType, T>(
        &self,
        permit: Permit<A>,
        check: impl FnOnce(&Permit<A>) -> Result<T, AccessError>,
    ) -> Result<(Permit<A>, T), AccessError> {
        let live = permit.is_live(self.clock());
        let outcome = if live { check(&permit) } else { Err(AccessError::PermitOver) };
        match outcome {
            Ok(found) => Ok((permit, found)),
            Err(error) => {
                let failed = Outcome::Failed(error.code().into());
                self.record(permit.into_event(failed, self.clock()));
                Err(error)
            }
        }
    }

    pub(crate) fn made_by<A: ActionType>(&self, permit: &Permit<A>) -> Made {
        Made { at: self.times().latest(), by: permit.caller().principal }
    }

    /// Ends the permit of a read: it is written down like everything else.
    pub(crate) fn read_under<A: ActionType>(&self, permit: Permit<A>) {
        self.record(permit.into_event(Outcome::Done, self.clock()));
    }

    /// Commits, and lets the directory know only afterwards. The puts' new versions are handed over
    /// in their order.
    pub(crate) async fn save(
        &self,
        batch: Batch,
        change: Change,
        keep: impl FnOnce(&mut Directory, &[u64]) + Send,
    ) -> Result<(), AccessError> {
        let ticket = self.inner.store.commit(prepared(batch, change));
        let outcome = ticket.await;
        self.settle(outcome, change, keep)
    }

    /// [`Access::save`] for those who may block.
    pub(crate) fn save_blocking(
        &self,
        batch: Batch,
        change: Change,
        keep: impl FnOnce(&mut Directory, &[u64]),
    ) -> Result<(), AccessError> {
        let outcome = self.inner.store.commit(prepared(batch, change)).wait();
        self.settle(outcome, change, keep)
    }

    fn settle(
        &self,
        outcome: Result<Committed, StoreError>,
        change: Change,
        keep: impl FnOnce(&mut Directory, &[u64]),
    ) -> Result<(), AccessError> {
        match outcome {
            Ok(committed) => {
                self.change_directory(|d| keep(d, &committed.versions));
                Ok(())
            }
            Err(error) => {
                if change == Change::Narrows {
                    self.read_again();
                }
                Err(error.into())
            }
        }
    }

    /// After a failed commit the directory is what the store says; if that does not answer either,
    /// it stays as narrow as it was made.
    fn read_again(&self) {
        if let Ok(mut fresh) = Directory::read(&self.inner.store) {
            self.change_directory(|d| {
                fresh.generation = d.generation + 1;
                for (hash, kept) in &mut fresh.sessions {
                    if let Some(known) = d.sessions.get(hash) {
                        kept.seen_at = known.seen_at;
                    }
                }
                *d = fresh;
            });
        }
    }

    pub(crate) fn token_matches(&self, secret: &Secret<String>, hash: &[u8; 32]) -> bool {
        use subtle::ConstantTimeEq;
        self.room().hash_token(secret).ct_eq(hash).into()
    }
}

fn prepared(batch: Batch, change: Change) -> Batch {
    if change == Change::Narrows { batch.raise_every_epoch().essential() } else { batch }
}

/// Counts a new policy version when the texts in this build are not those that the store has seen.
fn note_policies(
    store: &Store,
    times: &Times,
    directory: &mut Directory,
) -> Result<(), AccessError> {
    let texts: String = POLICY_TEXTS.iter().map(|(_, text)| *text).collect();
    let policy_sha256 = audit::Hash::of(texts.as_bytes()).0;
    let (expect, value) = match &directory.installation {
        Some(kept) if kept.value.policy_sha256 == policy_sha256 => return Ok(()),
        Some(kept) => {
            let policy_version = kept.value.policy_version + 1;
            let bootstrap = kept.value.bootstrap;
            let broken_glass = kept.value.broken_glass.clone();
            let value = Installation { policy_version, policy_sha256, bootstrap, broken_glass };
            (Expect::Version(kept.version), value)
        }
        None => {
            let bootstrap = Bootstrap::Open;
            let (policy_version, broken_glass) = (1, None);
            let value = Installation { policy_version, policy_sha256, bootstrap, broken_glass };
            (Expect::Absent, value)
        }
    };
    let hex: String = policy_sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let event = Event::system("access.policies-loaded", times.wall())
        .with("policy_version", value.policy_version.to_string())
        .with("sha256", hex);
    let batch = Batch::new().put::<Settings>(&(), &value, expect).event(event).raise_every_epoch();
    let committed = store.commit(batch).wait()?;
    let version = committed.versions.first().copied().unwrap_or_default();
    directory.keep_installation(version, value);
    Ok(())
}

/// The identity that a text names: a person or a service.
pub(crate) fn holder_of(text: &str) -> Option<Principal> {
    let person = text.parse::<PersonId>().ok().map(Principal::Person);
    person.or_else(|| text.parse::<ServiceId>().ok().map(Principal::Service))
}
