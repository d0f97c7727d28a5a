//! Changing one's own password, and the device of one-time codes.
//!
//! Both old proofs are shown again for either change, a fresh code included, so that a session left
//! open on a desk changes nothing. Every other session of the person ends, the one that changed
//! goes on under a new cookie, and the log says what was changed. Who has lost a proof needs an
//! administrator and a new link: see [`Access::reset_factors`].

use crate::AccessError;
use crate::access::{Access, Change};
use crate::directory::Kept;
use crate::identity::{People, Person, Secrets, SignInName};
use crate::password::check_password;
use crate::sessions::{OpenedSession, Session, SignedIn, keep_session};
use crate::tokens::first;
use kernel::{Factor, Origin, Outcome, PersonId, Secret, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Batch, Collection, Expect, Record};

/// A new device must give its first code within this time: it is scanned and read off at once.
pub const NEW_DEVICE_SECONDS: i64 = 10 * 60;

/// A device that was shown its seed and has not proven yet that it arrived, by person.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NewDevice {
    totp_seed: Vec<u8>,
    session: SessionId,
    expires_at: Timestamp,
}

/// Devices that are being enrolled.
#[derive(Debug)]
pub(crate) enum NewDevices {}
impl Collection for NewDevices {
    const NAME: &'static str = "access.new-devices";
    type Key = PersonId;
    type Value = NewDevice;
}

/// The proofs that a person has now.
#[derive(Debug)]
pub struct OldProofs {
    /// The password.
    pub password: Secret<String>,
    /// A one-time code that was not used before.
    pub code: Secret<String>,
}

/// The seed for a new device, shown once.
#[derive(Debug)]
pub struct NewSeed {
    /// The name to sign in with.
    pub sign_in_name: SignInName,
    /// The seed, base32.
    pub seed: Secret<String>,
    /// The same as an `otpauth://` address for a QR code.
    pub otpauth: Secret<String>,
    /// When the first code must have been given.
    pub expires_at: Timestamp,
}

/// Who changes, in which session, with the secrets as they were read.
struct Changing {
    session: Session,
    person: Kept<Person>,
    secrets: Record<Secrets>,
}

impl Access {
    /// Sets another password for whoever has this session. Blocks, and takes about a third of a
    /// second for two hashes.
    ///
    /// # Errors
    /// [`AccessError::SessionOver`], [`AccessError::ProofRefused`] whichever old proof is wrong,
    /// [`AccessError::Password`] for a new one that is not acceptable or the old one again.
    pub fn change_password(
        &self,
        cookie: &str,
        old: &OldProofs,
        new: &Secret<String>,
        origin: Origin,
        correlation: &str,
    ) -> Result<SignedIn, AccessError> {
        let mut changing = self.proven_again(cookie, old, origin, correlation)?;
        let person = &changing.person.value;
        check_password(new, &[person.sign_in_name.as_str(), person.name.as_str()])?;
        if new.expose() == old.password.expose() {
            return Err(crate::PasswordProblem::Unchanged.into());
        }
        changing.secrets.value.password = self.room().hash_password(new, self.password_cost())?;
        let now = self.times().latest();
        changing.person.value.proofs.password_at = Some(now);
        self.changed("access.password-changed", changing, Batch::new(), origin, correlation)
    }

    /// Begins to enrol another device: shows its seed. The old device goes on until the new one has
    /// given a code. Blocks.
    ///
    /// # Errors
    /// As [`Access::change_password`].
    pub fn begin_device_change(
        &self,
        cookie: &str,
        old: &OldProofs,
        origin: Origin,
        correlation: &str,
    ) -> Result<NewSeed, AccessError> {
        let Changing { session, person, secrets, .. } =
            self.proven_again(cookie, old, origin, correlation)?;
        let (id, sign_in_name) = (person.value.id, person.value.sign_in_name);
        let seed = self.room().new_totp_seed(&id.to_string())?;
        let expires_at = self.times().latest().plus_seconds(NEW_DEVICE_SECONDS);
        let device = NewDevice { totp_seed: seed.sealed, session: session.id, expires_at };
        // The code that was shown is used up with it.
        let batch = Batch::new().put::<NewDevices>(&id, &device, Expect::Any).put::<Secrets>(
            &id,
            &secrets.value,
            Expect::Version(secrets.version),
        );
        let word = "access.device-change-begun";
        let event = self.about_person(word, id, Outcome::Done, origin, correlation);
        self.save_blocking(batch.event(event), Change::Neither, |_, _| ())?;
        let otpauth = crate::enrolment::otpauth(sign_in_name.as_str(), &seed.base32);
        Ok(NewSeed { sign_in_name, seed: seed.base32, otpauth, expires_at })
    }

    /// Makes the new device the one that counts, when its first code proves that the seed arrived.
    /// Blocks.
    ///
    /// # Errors
    /// [`AccessError::EnrolmentNotBegun`] when none was begun in this session or its time is over,
    /// [`AccessError::ProofRefused`] for a wrong code: it may be tried again.
    pub fn complete_device_change(
        &self,
        cookie: &str,
        code: &Secret<String>,
        origin: Origin,
        correlation: &str,
    ) -> Result<SignedIn, AccessError> {
        let mut changing = self.changing(cookie, origin)?;
        let id = changing.session.person;
        self.admit(&id.to_string(), origin)?;
        let device = self.store().get::<NewDevices>(&id)?.filter(|device| {
            device.value.session == changing.session.id
                && self.times().latest() < device.value.expires_at
        });
        let device = device.ok_or(AccessError::EnrolmentNotBegun)?;
        let seed = device.value.totp_seed;
        let wall = self.times().wall();
        let Some(step) = self.room().verify_totp(&id.to_string(), &seed, code, wall)? else {
            return Err(self.proof_refused(id, origin, correlation));
        };
        changing.secrets.value.totp_seed = seed;
        changing.secrets.value.totp_step = step;
        let now = self.times().latest();
        changing.person.value.proofs.second_factor_at = Some(now);
        let batch = Batch::new().delete::<NewDevices>(&id, Expect::Version(device.version));
        self.changed("access.device-changed", changing, batch, origin, correlation)
    }

    /// The session with its person and secrets; only a session with both factors changes proofs.
    fn changing(&self, cookie: &str, origin: Origin) -> Result<Changing, AccessError> {
        let (_, session) = self.session_of(cookie, origin)?;
        let person = self.look(|d| d.people.get(&session.person).cloned());
        let person = person.filter(|kept| kept.value.is_active() && !session.is_half_open());
        let secrets = match &person {
            Some(kept) => self.store().get::<Secrets>(&kept.value.id)?,
            None => None,
        };
        let (Some(person), Some(secrets)) = (person, secrets) else {
            return Err(AccessError::SessionOver);
        };
        Ok(Changing { session, person, secrets })
    }

    /// Judges both old proofs; wrong ones delay like those of a sign-in.
    fn proven_again(
        &self,
        cookie: &str,
        old: &OldProofs,
        origin: Origin,
        correlation: &str,
    ) -> Result<Changing, AccessError> {
        let mut changing = self.changing(cookie, origin)?;
        let id = changing.session.person;
        let account = id.to_string();
        self.admit(&account, origin)?;
        let stored = changing.secrets.value.password.as_str();
        let right = self.room().verify_password(&old.password, stored).unwrap_or(false);
        if !right || !self.take_code(id, &mut changing.secrets, &old.code)? {
            return Err(self.proof_refused(id, origin, correlation));
        }
        self.throttle().succeeded(&account, origin.address);
        Ok(changing)
    }

    fn proof_refused(&self, id: PersonId, origin: Origin, correlation: &str) -> AccessError {
        self.throttle().failed(&id.to_string(), origin.address, self.times().monotonic());
        let refused = Outcome::Refused(AccessError::ProofRefused.code().into());
        self.record(self.about_person("access.proof-refused", id, refused, origin, correlation));
        AccessError::ProofRefused
    }

    /// Writes the new proofs, ends every session of the person and opens one in place of the one
    /// that changed them, in one commit.
    fn changed(
        &self,
        word: &'static str,
        changing: Changing,
        more: Batch,
        origin: Origin,
        correlation: &str,
    ) -> Result<SignedIn, AccessError> {
        let Changing { session, person, secrets } = changing;
        let id = session.person;
        let now = self.times().latest();
        let factors = vec![Factor::Password, Factor::Totp];
        let others = self.session_count(id).saturating_sub(1);
        let end = self.end_sessions(id);
        let opened = self.open_session(id, factors, session.opened_at, None)?;
        let OpenedSession { cookie, hash, session, ended, batch: open } = opened;
        let event = self
            .about_person(word, id, Outcome::Done, origin, correlation)
            .with("session", session.id.to_string())
            .with("sessions-ended", others.to_string());
        let value = person.value;
        let batch = Batch::new()
            .put::<People>(&id, &value, Expect::Version(person.version))
            .put::<Secrets>(&id, &secrets.value, Expect::Version(secrets.version))
            .and(end)
            .and(open)
            .and(more)
            .event(event);
        let expires_at = session.expires_at;
        let answer =
            SignedIn { cookie, session: session.id, person: id, code_needed: false, expires_at };
        self.save_blocking(batch, Change::Narrows, |d, versions| {
            d.keep_person(first(versions), value);
            keep_session(d, hash, session, now, &ended);
        })?;
        Ok(answer)
    }

    fn session_count(&self, person: PersonId) -> usize {
        self.look(|d| d.sessions.values().filter(|kept| kept.session.person == person).count())
    }
}
