//! One-time links: how the first administrator comes in, and everybody after.
//!
//! Whoever holds the link sets a password and a second factor, once, within fifteen minutes (a day
//! for those whom an administrator invites). The text of the link is returned to the caller and
//! never written anywhere; the store knows a keyed hash.
//!
//! **Bootstrap** is the time in which the first administrator may create people, give roles without
//! a second person, and create the first keys. It ends, for good, when there is an identity
//! administrator and a policy administrator who can both sign in, and a further person who can
//! approve what the policy administrator asks for. The first administrator's role is worth nothing
//! from then on.

use crate::AccessError;
use crate::access::{Access, Change};
use crate::approvals::{ApprovalRule, Occasion};
use crate::break_glass::BrokenGlass;
use crate::directory::{Directory, Kept};
use crate::held::Proposed;
use crate::identity::{Made, People, Person, PersonSecrets, ProofDates, Secrets, SignInName};
use crate::password::check_password;
use crate::pre_auth::PreAuthRefusal;
use crate::roles::{Assignment, Reach, Role};
use crate::sessions::{SignedIn, keep_session};
use kernel::{
    Action, Event, Factor, Name, Origin, Outcome, PersonId, Principal, Secret, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::{Batch, Collection, Expect, IndexTerm, Record};

/// The first administrator's link is good for this long.
pub const FIRST_LINK_SECONDS: i64 = 15 * 60;
/// Other links are good for this long: a person must be reached.
pub const LINK_SECONDS: i64 = 24 * 3_600;
/// What every link's token begins with.
pub const LINK_PREFIX: &str = "lri_";

/// Whether the installation still has its first administrator.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bootstrap {
    /// It has not its own administrators yet.
    Open,
    /// It has.
    Ended {
        /// Since when.
        at: Timestamp,
    },
}

/// What this room knows of the installation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Installation {
    /// Raised by every change of roles or policies.
    pub(crate) policy_version: u64,
    /// SHA-256 of the policy texts that this version was counted with.
    pub(crate) policy_sha256: [u8; 32],
    pub(crate) bootstrap: Bootstrap,
    /// The newest time that the glass was broken.
    #[serde(default)]
    pub(crate) broken_glass: Option<BrokenGlass>,
}

/// The one record of the installation.
#[derive(Debug)]
pub(crate) enum Settings {}
impl Collection for Settings {
    const NAME: &'static str = "access.installation";
    type Key = ();
    type Value = Installation;
}

/// A one-time link, under the hash of its token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    person: PersonId,
    expires_at: Timestamp,
    /// The sealed seed of codes that was shown; the code must prove that it arrived.
    totp_seed: Option<Vec<u8>>,
}

/// Links, by hash.
#[derive(Debug)]
pub(crate) enum Links {}
impl Collection for Links {
    const NAME: &'static str = "access.links";
    type Key = [u8; 32];
    type Value = Link;
    fn indexes(link: &Link) -> Vec<IndexTerm> {
        vec![IndexTerm::new("person", link.person.to_bytes())]
    }
}

/// A link that was just made: the only time that its text is seen.
#[derive(Debug)]
pub struct Invitation {
    /// Whom it lets in.
    pub person: PersonId,
    /// The token to put into an address, `lri_…`.
    pub link: Secret<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What the holder of a link is shown: the seed of one-time codes for their device.
#[derive(Debug)]
pub struct Enrolment {
    /// Who is enrolling.
    pub person: PersonId,
    /// The name to sign in with from now on.
    pub sign_in_name: SignInName,
    /// The name on screen.
    pub name: Name,
    /// The seed, base32.
    pub seed: Secret<String>,
    /// The same as an `otpauth://` address for a QR code.
    pub otpauth: Secret<String>,
}

impl Access {
    /// Makes the first administrator of an empty installation and the link that lets them in, or a
    /// new link when the first was not used in time. Needs no permit: there is nobody to give it.
    ///
    /// # Errors
    /// [`AccessError::NotFirst`] once anybody has enrolled.
    pub async fn first_administrator(
        &self,
        sign_in_name: SignInName,
        name: Name,
    ) -> Result<Invitation, AccessError> {
        let now = self.times().latest();
        let people = self.look(|d| {
            let ended = d.bootstrap() != Bootstrap::Open;
            (ended, d.people.values().cloned().collect::<Vec<_>>())
        });
        let (person, batch) = match people {
            (false, people) if people.is_empty() => {
                let made = Made { at: now, by: Principal::System };
                let role = Assignment {
                    role: Role::BootstrapAdministrator,
                    reach: Reach::Installation,
                    since: now,
                    until: None,
                    given_by: Principal::System,
                };
                let id = PersonId::generate(self.clock(), self.rng())?;
                let proofs = ProofDates::default();
                let (roles, lock, reviewed) = (vec![role], None, None);
                let person = Person { id, sign_in_name, name, roles, proofs, lock, made, reviewed };
                let batch = Batch::new().put::<People>(&id, &person, Expect::Absent);
                (Some(person), batch)
            }
            (false, people) if people.len() == 1 && people.iter().all(never_enrolled) => {
                (people.into_iter().next().map(|kept| kept.value), Batch::new())
            }
            _ => (None, Batch::new()),
        };
        let person = person.ok_or(AccessError::NotFirst)?;
        let (invitation, link) = self.link_for(person.id, FIRST_LINK_SECONDS)?;
        let mut event = Event::system("access.first-administrator", self.times().wall())
            .with("expires_at", invitation.expires_at.rfc3339());
        event.resource = format!("identity:{}", person.id);
        let is_new = !batch.is_empty();
        let batch = batch.and(link).event(event);
        self.save(batch, Change::Widens, |d, versions| {
            if is_new {
                d.keep_person(crate::tokens::first(versions), person);
            }
        })
        .await?;
        Ok(invitation)
    }

    /// A new link for a person, and the batch that writes it and voids the person's older ones.
    pub(crate) fn link_for(
        &self,
        person: PersonId,
        seconds: i64,
    ) -> Result<(Invitation, Batch), AccessError> {
        let token = self.room().new_token()?;
        let link = Secret::new(format!("{LINK_PREFIX}{}", token.expose()));
        let expires_at = self.times().latest().plus_seconds(seconds);
        let older = IndexTerm::new("person", person.to_bytes());
        let older = self.store().find::<Links>(&older, 100)?;
        let value = Link { person, expires_at, totp_seed: None };
        let batch = older
            .iter()
            .fold(Batch::new(), |batch, old| batch.delete::<Links>(&old.key, Expect::Any))
            .put::<Links>(&self.room().hash_token(&link), &value, Expect::Absent);
        Ok((Invitation { person, link, expires_at }, batch))
    }

    fn link_of(&self, link: &str, origin: Origin) -> Result<(Record<Links>, Person), AccessError> {
        self.admit("link", origin)?;
        let hash = self.room().hash_token(&Secret::new(link.chars().take(64).collect()));
        let record = self.store().get::<Links>(&hash)?;
        let record = record.filter(|r| self.times().latest() < r.value.expires_at);
        let found = record.and_then(|record| {
            let person = self.look(|d| {
                let kept = d.people.get(&record.value.person)?;
                kept.value.lock.is_none().then(|| kept.value.clone())
            })?;
            Some((record, person))
        });
        found.ok_or_else(|| {
            self.throttle().failed("link", origin.address, self.times().monotonic());
            self.turned_away(origin, PreAuthRefusal::Link);
            AccessError::LinkRefused
        })
    }

    /// Opens a link: makes the seed of one-time codes and shows it. Opening it again makes another
    /// seed; the link itself is used up by [`Access::complete_enrolment`] alone.
    ///
    /// # Errors
    /// [`AccessError::LinkRefused`] when it is unknown, used or over.
    pub async fn begin_enrolment(
        &self,
        link: &str,
        origin: Origin,
    ) -> Result<Enrolment, AccessError> {
        let (record, person) = self.link_of(link, origin)?;
        let seed = self.room().new_totp_seed(&person.id.to_string())?;
        let value = Link { totp_seed: Some(seed.sealed), ..record.value };
        let expect = Expect::Version(record.version);
        let batch = Batch::new().put::<Links>(&record.key, &value, expect);
        self.save(batch, Change::Neither, |_, _| ()).await?;
        let otpauth = otpauth(person.sign_in_name.as_str(), &seed.base32);
        let (sign_in_name, name) = (person.sign_in_name, person.name);
        Ok(Enrolment { person: person.id, sign_in_name, name, seed: seed.base32, otpauth })
    }

    /// Uses the link up: sets the password and the second factor, and signs the person in. Takes
    /// about a tenth of a second: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`AccessError::LinkRefused`], [`AccessError::Password`], [`AccessError::SignInRefused`] for
    /// a wrong code; the link is good for another try then.
    pub fn complete_enrolment(
        &self,
        link: &str,
        password: &Secret<String>,
        code: &Secret<String>,
        origin: Origin,
        correlation: &str,
    ) -> Result<SignedIn, AccessError> {
        let (record, mut person) = self.link_of(link, origin)?;
        check_password(password, &[person.sign_in_name.as_str(), person.name.as_str()])?;
        let seed = record.value.totp_seed.clone().ok_or(AccessError::EnrolmentNotBegun)?;
        let id = person.id;
        let wall = self.times().wall();
        let Some(step) = self.room().verify_totp(&id.to_string(), &seed, code, wall)? else {
            self.throttle().failed("link", origin.address, self.times().monotonic());
            self.turned_away(origin, PreAuthRefusal::Link);
            return Err(AccessError::SignInRefused);
        };
        let hash = self.room().hash_password(password, self.password_cost())?;
        let now = self.times().latest();
        let secrets = PersonSecrets {
            password: hash,
            totp_seed: seed,
            totp_step: step,
            signed_in_at: Some(now),
        };
        person.proofs.password_at = Some(now);
        person.proofs.second_factor_at = Some(now);
        let version = self.look(|d| d.person(id).map(|kept| kept.version))?;
        let factors = vec![Factor::BootstrapLink, Factor::Password, Factor::Totp];
        let open = self.open_session(id, factors, now, None)?;
        let enrolled = self.about_person("access.enrolled", id, Outcome::Done, origin, correlation);
        let batch = Batch::new()
            .put::<People>(&id, &person, Expect::Version(version))
            .put::<Secrets>(&id, &secrets, Expect::Any)
            .delete::<Links>(&record.key, Expect::Version(record.version))
            .and(open.batch)
            .event(enrolled.with("session", open.session.id.to_string()));
        let (batch, ended) = self.end_bootstrap(batch, None, Proposed::from(&person));
        let session = open.session.clone();
        let answer = SignedIn {
            cookie: open.cookie,
            session: session.id,
            person: id,
            code_needed: false,
            expires_at: session.expires_at,
        };
        self.save_blocking(batch, Change::Neither, |d, versions| {
            d.keep_person(crate::tokens::first(versions), person);
            d.signed_in.insert(id, now);
            keep_session(d, open.hash, session, now, &open.ended);
            keep_end_of_bootstrap(d, versions, ended);
        })?;
        Ok(answer)
    }

    /// Adds the end of bootstrap to a batch when this change meets the rule. `checked_at` is the
    /// version of the settings before the change was checked, if it was.
    pub(crate) fn end_bootstrap(
        &self,
        batch: Batch,
        checked_at: Option<u64>,
        change: Proposed<'_>,
    ) -> (Batch, Option<Installation>) {
        let now = self.times().latest();
        let met = self.look(|d| {
            let open = d.bootstrap() == Bootstrap::Open && founded(d, change, now);
            d.installation.clone().filter(|_| open)
        });
        let Some(Kept { version, mut value }) = met else { return (batch, None) };
        value.bootstrap = Bootstrap::Ended { at: now };
        value.policy_version += 1;
        let event = Event::system("access.bootstrap-ended", self.times().wall())
            .with("policy_version", value.policy_version.to_string());
        let batch = batch
            .put::<Settings>(&(), &value, Expect::Version(checked_at.unwrap_or(version)))
            .event(event)
            .raise_every_epoch();
        (batch, Some(value))
    }
}

/// A seed of one-time codes as the address that authenticators read.
pub(crate) fn otpauth(account: &str, seed: &Secret<String>) -> Secret<String> {
    let seed = seed.expose();
    Secret::new(format!("otpauth://totp/Lionrock:{account}?secret={seed}&issuer=Lionrock"))
}

fn never_enrolled(kept: &Kept<Person>) -> bool {
    kept.value.proofs == ProofDates::default()
}

/// The settings are always put last.
pub(crate) fn keep_end_of_bootstrap(
    directory: &mut Directory,
    versions: &[u64],
    ended: Option<Installation>,
) {
    if let Some(value) = ended {
        directory.keep_installation(versions.last().copied().unwrap_or_default(), value);
    }
}

/// Whether the installation has administrators of its own after a change.
fn founded(directory: &Directory, change: Proposed<'_>, now: Timestamp) -> bool {
    let active: Vec<_> = directory.people_with(change).filter(|p| p.is_active()).collect();
    let holds = |person: &Person, roles: &[Role]| {
        directory
            .held_with(Principal::Person(person.id), change)
            .map(|held| held.assignment)
            .any(|a| roles.contains(&a.role) && a.reach == Reach::Installation && a.is_current(now))
    };
    let approvers = ApprovalRule::find(Action::PolicyChange, Occasion::RoleGiven)
        .map_or(&[] as &[Role], |rule| rule.approvers);
    let users = active.iter().any(|p| holds(p, &[Role::IdentityAdministrator]));
    let policy = active.iter().any(|asks| {
        holds(asks, &[Role::PolicyAdministrator])
            && active.iter().any(|other| other.id != asks.id && holds(other, approvers))
    });
    users && policy
}
