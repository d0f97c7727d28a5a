//! Sessions of people at the console: signing in with a password and a one-time code, staying, and
//! leaving.
//!
//! The session's cookie is 256 random bits; the store knows a keyed hash. After the password alone
//! a session is *half open*: it lasts five minutes and is good for giving the code. Giving the
//! code, at sign-in or again later for a sensitive action, changes the cookie.

use crate::AccessError;
use crate::access::{Access, Change};
use crate::directory::{Directory, KeptSession};
use crate::identity::{PersonSecrets, Secrets};
use crate::pre_auth::PreAuthRefusal;
use kernel::{Event, Factor, Origin, Outcome, PersonId, Principal, Secret, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Batch, Collection, Expect, Record};

/// A session without a request for this long is over.
pub const IDLE_SECONDS: i64 = 15 * 60;
/// A session is over after this long, whatever happens: one working day.
pub const SESSION_SECONDS: i64 = 8 * 3_600;
/// A half-open session waits this long for the code.
pub const HALF_OPEN_SECONDS: i64 = 5 * 60;
/// Most sessions of one person; the oldest ends when another begins.
pub const SESSIONS_MAX: usize = 8;

/// A session as it is stored, under the hash of its cookie.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Its identifier, for the log.
    pub id: SessionId,
    /// Whose it is.
    pub person: PersonId,
    /// Proofs given, oldest first.
    pub factors: Vec<Factor>,
    /// When the newest proof was given.
    pub proven_at: Timestamp,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

impl Session {
    /// Whether only the password was given.
    #[must_use]
    pub fn is_half_open(&self) -> bool {
        !self.factors.contains(&Factor::Totp)
    }

    /// Whether it is over, last seen at `seen_at`.
    #[must_use]
    pub fn is_over(&self, seen_at: Timestamp, now: Timestamp) -> bool {
        now >= self.expires_at || now >= seen_at.plus_seconds(IDLE_SECONDS)
    }
}

/// Sessions, by the hash of the cookie.
#[derive(Debug)]
pub(crate) enum Sessions {}
impl Collection for Sessions {
    const NAME: &'static str = "access.sessions";
    type Key = [u8; 32];
    type Value = Session;
}

/// What a person shows to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// The sign-in name, as typed.
    pub name: String,
    /// The password.
    pub password: Secret<String>,
    /// The one-time code, when the form asks for it at once.
    pub code: Option<Secret<String>>,
}

/// A session that has just begun or was just confirmed.
#[derive(Debug)]
pub struct SignedIn {
    /// The value of the session's cookie.
    pub cookie: Secret<String>,
    /// The session.
    pub session: SessionId,
    /// The person.
    pub person: PersonId,
    /// Whether the code is still to be given; see [`Access::give_code`].
    pub code_needed: bool,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

impl Access {
    /// Signs a person in. Takes about a tenth of a second, whether or not there is such a person:
    /// call it where blocking is allowed.
    ///
    /// # Errors
    /// [`AccessError::SignInRefused`] whichever part is wrong, [`AccessError::TooManyAttempts`]
    /// before anything is looked at.
    pub fn sign_in(
        &self,
        form: SignIn,
        origin: Origin,
        correlation: &str,
    ) -> Result<SignedIn, AccessError> {
        let account = form.name.trim().to_lowercase();
        self.admit(&account, origin)?;
        let person = self.look(|d| {
            let id = d.names.get(&account)?;
            d.people.get(id).map(|kept| kept.value.clone())
        });
        let secrets = match person.as_ref().filter(|p| p.is_active()) {
            Some(person) => self.store().get::<Secrets>(&person.id)?,
            None => None,
        };
        let stored =
            secrets.as_ref().map_or_else(|| self.dummy_hash(), |s| s.value.password.as_str());
        let right = self.room().verify_password(&form.password, stored).unwrap_or(false);
        let (Some(person), Some(secrets), true) = (person, secrets, right) else {
            self.turned_away_at_sign_in(&account, origin);
            return Err(AccessError::SignInRefused);
        };
        let mut factors = vec![Factor::Password];
        let mut secrets = secrets;
        if let Some(code) = &form.code {
            if !self.take_code(person.id, &mut secrets, code)? {
                self.turned_away_at_sign_in(&account, origin);
                return Err(AccessError::SignInRefused);
            }
            factors.push(Factor::Totp);
        }
        self.throttle().succeeded(&account, origin.address);
        let opened = self.times().latest();
        self.begin(person.id, factors, opened, secrets, None, origin, correlation)
    }

    /// Takes the one-time code of a session: opens a half-open one, renews the proof of another.
    /// The cookie changes. Blocks until it is durable.
    ///
    /// # Errors
    /// [`AccessError::SessionOver`], [`AccessError::SignInRefused`] for a wrong or used code.
    pub fn give_code(
        &self,
        cookie: &str,
        code: &Secret<String>,
        origin: Origin,
        correlation: &str,
    ) -> Result<SignedIn, AccessError> {
        let (hash, session) = self.session_of(cookie, origin)?;
        let account = session.person.to_string();
        self.admit(&account, origin)?;
        let person = self.look(|d| d.people.get(&session.person).map(|kept| kept.value.clone()));
        let person = person.filter(crate::identity::Person::is_active);
        let secrets = match &person {
            Some(person) => self.store().get::<Secrets>(&person.id)?,
            None => None,
        };
        let (Some(person), Some(mut secrets)) = (person, secrets) else {
            return Err(AccessError::SessionOver);
        };
        if !self.take_code(person.id, &mut secrets, code)? {
            self.throttle().failed(&account, origin.address, self.times().monotonic());
            self.record(self.about_person(
                "access.code-refused",
                person.id,
                Outcome::Refused("sign-in-refused".into()),
                origin,
                correlation,
            ));
            return Err(AccessError::SignInRefused);
        }
        self.throttle().succeeded(&account, origin.address);
        let factors = vec![Factor::Password, Factor::Totp];
        let opened = session.opened_at;
        self.begin(person.id, factors, opened, secrets, Some(hash), origin, correlation)
    }

    /// Ends a session. Ending one that is over already is no error.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn sign_out(
        &self,
        cookie: &str,
        origin: Origin,
        correlation: &str,
    ) -> Result<(), AccessError> {
        let Ok((hash, session)) = self.session_of(cookie, origin) else { return Ok(()) };
        self.change_directory(|d| {
            d.sessions.remove(&hash);
        });
        let word = "access.signed-out";
        let event = self.about_person(word, session.person, Outcome::Done, origin, correlation);
        let event = event.with("session", session.id.to_string());
        let batch = Batch::new().delete::<Sessions>(&hash, Expect::Any).event(event).essential();
        self.save(batch, Change::Neither, |_, _| ()).await
    }

    /// The session of a cookie, if it is not over; the request counts as a sign of life.
    pub(crate) fn session_of(
        &self,
        cookie: &str,
        origin: Origin,
    ) -> Result<([u8; 32], Session), AccessError> {
        let fits = cookie.len() == 43;
        let hash = self.room().hash_token(&Secret::new(cookie.to_owned()));
        let now = self.times().latest();
        let found = self.change_directory(|d| {
            let kept = d.sessions.get_mut(&hash).filter(|_| fits)?;
            if kept.session.is_over(kept.seen_at, now) {
                d.sessions.remove(&hash);
                return None;
            }
            kept.seen_at = now;
            Some(kept.session.clone())
        });
        match found {
            Some(session) => Ok((hash, session)),
            None => {
                self.turned_away(origin, PreAuthRefusal::Session);
                Err(AccessError::SessionOver)
            }
        }
    }

    /// Whether the code is right and newer than the newest one taken; notes it when it is.
    pub(crate) fn take_code(
        &self,
        person: PersonId,
        secrets: &mut Record<Secrets>,
        code: &Secret<String>,
    ) -> Result<bool, AccessError> {
        let value = &mut secrets.value;
        let (account, monotonic) = (person.to_string(), self.times().monotonic());
        let seconds = self.throttle().code_wait_seconds(&account, monotonic);
        if seconds > 0 {
            return Err(AccessError::TooManyAttempts { seconds });
        }
        let now = self.times().wall();
        let step = self.room().verify_totp(&account, &value.totp_seed, code, now)?;
        let Some(step) = step.filter(|step| *step > value.totp_step) else {
            self.throttle().code_failed(&account, monotonic);
            return Ok(false);
        };
        self.throttle().code_succeeded(&account);
        value.totp_step = step;
        Ok(true)
    }

    /// Whether this account may be tried from here now.
    pub(crate) fn admit(&self, account: &str, origin: Origin) -> Result<(), AccessError> {
        let now = self.times().monotonic();
        let seconds = self.throttle().wait_seconds(account, origin.address, now);
        if seconds == 0 {
            return Ok(());
        }
        self.turned_away(origin, PreAuthRefusal::TooMany);
        Err(AccessError::TooManyAttempts { seconds })
    }

    fn turned_away_at_sign_in(&self, account: &str, origin: Origin) {
        self.throttle().failed(account, origin.address, self.times().monotonic());
        self.turned_away(origin, PreAuthRefusal::Password);
    }

    /// Writes the session, the used code and the event in one commit. The record of secrets is in
    /// the version that was read: one code cannot open two sessions.
    #[expect(clippy::too_many_arguments, reason = "one private step of three public ones")]
    pub(crate) fn begin(
        &self,
        person: PersonId,
        factors: Vec<Factor>,
        opened_at: Timestamp,
        secrets: Record<Secrets>,
        instead_of: Option<[u8; 32]>,
        origin: Origin,
        correlation: &str,
    ) -> Result<SignedIn, AccessError> {
        let mut value: PersonSecrets = secrets.value;
        let now = self.times().latest();
        value.signed_in_at = Some(now);
        let put = Batch::new().put::<Secrets>(&person, &value, Expect::Version(secrets.version));
        let open = self.open_session(person, factors, opened_at, instead_of)?;
        let word = match (instead_of, open.session.is_half_open()) {
            (_, true) => "access.password-accepted",
            (None, false) => "access.signed-in",
            (Some(_), false) => "access.code-accepted",
        };
        let event = self.about_person(word, person, Outcome::Done, origin, correlation);
        let event = event.with("session", open.session.id.to_string());
        let code_needed = open.session.is_half_open();
        let session = open.session.clone();
        let answer = SignedIn {
            cookie: open.cookie,
            session: session.id,
            person,
            code_needed,
            expires_at: session.expires_at,
        };
        let (hash, ended) = (open.hash, open.ended);
        let batch = put.and(open.batch).event(event);
        self.save_blocking(batch, Change::Neither, |d, _| {
            d.signed_in.insert(person, now);
            keep_session(d, hash, session, now, &ended);
        })?;
        Ok(answer)
    }

    /// A new session with its cookie, and the batch that writes it and ends what it replaces.
    pub(crate) fn open_session(
        &self,
        person: PersonId,
        factors: Vec<Factor>,
        opened_at: Timestamp,
        instead_of: Option<[u8; 32]>,
    ) -> Result<OpenedSession, AccessError> {
        let now = self.times().latest();
        let cookie = self.room().new_token()?;
        let hash = self.room().hash_token(&cookie);
        let half_open = !factors.contains(&Factor::Totp);
        let seconds = if half_open { HALF_OPEN_SECONDS } else { SESSION_SECONDS };
        let session = Session {
            id: SessionId::generate(self.clock(), self.rng())?,
            person,
            factors,
            proven_at: now,
            opened_at,
            expires_at: opened_at.plus_seconds(seconds),
        };
        let ended = self.look(|d| sessions_to_end(d, person, instead_of, now));
        let batch = ended
            .iter()
            .fold(Batch::new(), |batch, hash| batch.delete::<Sessions>(hash, Expect::Any))
            .put::<Sessions>(&hash, &session, Expect::Absent);
        Ok(OpenedSession { cookie, hash, session, ended, batch })
    }

    /// An event about a person that needed no decision of the gate.
    pub(crate) fn about_person(
        &self,
        action: &'static str,
        person: PersonId,
        outcome: Outcome,
        origin: Origin,
        correlation: &str,
    ) -> Event {
        let mut event = Event::system(action, self.times().wall());
        event.resource = format!("identity:{person}");
        event.principal = Principal::Person(person);
        event.door = origin.door;
        event.outcome = outcome;
        event.correlation = kernel::Caller::clean_correlation(correlation).unwrap_or_default();
        event.policy_version = self.policy_version().0;
        match origin.address {
            Some(address) => event.with_personal("address", address.to_string()),
            None => event,
        }
    }
}

/// A session on its way into the store.
pub(crate) struct OpenedSession {
    pub(crate) cookie: Secret<String>,
    pub(crate) hash: [u8; 32],
    pub(crate) session: Session,
    pub(crate) ended: Vec<[u8; 32]>,
    pub(crate) batch: Batch,
}

pub(crate) fn keep_session(
    directory: &mut Directory,
    hash: [u8; 32],
    session: Session,
    seen_at: Timestamp,
    ended: &[[u8; 32]],
) {
    for hash in ended {
        directory.sessions.remove(hash);
    }
    directory.sessions.insert(hash, KeptSession { session, seen_at });
}

/// The one that is replaced, those that are over, and the oldest beyond the limit.
fn sessions_to_end(
    directory: &Directory,
    person: PersonId,
    instead_of: Option<[u8; 32]>,
    now: Timestamp,
) -> Vec<[u8; 32]> {
    let own = directory.sessions.iter().filter(|(_, kept)| kept.session.person == person);
    let mut live = Vec::new();
    let mut ended = Vec::new();
    for (hash, kept) in own {
        if Some(*hash) == instead_of || kept.session.is_over(kept.seen_at, now) {
            ended.push(*hash);
        } else {
            live.push((kept.session.opened_at, *hash));
        }
    }
    live.sort_unstable();
    let over = live.len().saturating_sub(SESSIONS_MAX - 1);
    ended.extend(live.into_iter().take(over).map(|(_, hash)| hash));
    ended
}
