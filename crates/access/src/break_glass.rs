//! Break-glass: a way back in when the last administrator is lost.
//!
//! Nobody who could be asked is there any more, so no permit is possible: whoever holds the seal
//! and the stopped server's data folder may appoint one administrator of users or of policy. The
//! seal's holders name themselves and the reason. It is no quiet way: the log says it, every page
//! shows it for thirty days, both proofs of the person are void, its sessions end, and what it
//! approves counts after a day like anybody's who is new.

use crate::AccessError;
use crate::access::{Access, Change};
use crate::directory::Kept;
use crate::duties::conflict_with_any;
use crate::enrolment::{
    Bootstrap, FIRST_LINK_SECONDS, Installation, Invitation, Settings, keep_end_of_bootstrap,
};
use crate::held::Proposed;
use crate::identity::{Made, People, Person, ProofDates, Secrets, SignInName};
use crate::people::{PEOPLE_MAX, text};
use crate::roles::{Assignment, Reach, Role};
use crate::tokens::first;
use kernel::{Event, Name, PersonId, Principal, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Batch, Expect};

/// Every page says for this long that the glass was broken.
pub const BROKEN_GLASS_DAYS: i64 = 30;
/// Most custodians of the seal who name themselves.
pub const CUSTODIANS_MAX: usize = 2;
/// The roles that can be given in this way: those that let the bank help itself from then on.
pub const BREAK_GLASS_ROLES: [Role; 2] = [Role::IdentityAdministrator, Role::PolicyAdministrator];

/// Whom to let in, on whose word, and why.
#[derive(Clone, Debug)]
pub struct BreakGlass {
    /// The sign-in name of the person, who may be new.
    pub person: SignInName,
    /// The name on screen of a new person; nobody may have the sign-in name then.
    pub new: Option<Name>,
    /// One of [`BREAK_GLASS_ROLES`].
    pub role: Role,
    /// Who holds the seal, one or two.
    pub custodians: Vec<Name>,
    /// Why; kept in the log.
    pub reason: String,
}

/// That the glass was broken: the newest time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BrokenGlass {
    /// When.
    pub at: Timestamp,
    /// For whom.
    pub person: PersonId,
    /// The role.
    pub role: Role,
    /// On whose word.
    pub custodians: Vec<Name>,
    /// Why.
    pub reason: String,
}

impl Access {
    /// Appoints an administrator without a permit. Only for whoever has opened the seal of a
    /// stopped server by hand: no door leads here.
    ///
    /// # Errors
    /// While nobody has ever enrolled (the first administrator's link is the way in then), when the
    /// person does not exist or does, the role is no administrator's, or separation of duties
    /// forbids it.
    pub async fn break_glass(&self, ask: BreakGlass) -> Result<Invitation, AccessError> {
        let reason = text("reason", &ask.reason)?;
        if !self.has_enrolled() {
            return Err(AccessError::NobodyLost);
        }
        if !BREAK_GLASS_ROLES.contains(&ask.role) {
            return Err(AccessError::RoleNotForHolder(ask.role));
        }
        if ask.custodians.is_empty() || ask.custodians.len() > CUSTODIANS_MAX {
            return Err(AccessError::TooMany { what: "custodians", max: CUSTODIANS_MAX });
        }
        let now = self.times().latest();
        let (expect, mut person) = self.person_behind_glass(&ask, now)?;
        self.appoint(&mut person, ask.role, now)?;
        person.lock = None;
        person.proofs = ProofDates { reset_at: Some(now), ..ProofDates::default() };
        let settings = self.look(|d| d.installation.clone()).ok_or(AccessError::NobodyLost)?;
        let (role, custodians, id) = (ask.role, ask.custodians, person.id);
        let event = broken(&person, role, &custodians, &reason, self.times().wall());
        let glass = BrokenGlass { at: now, person: id, role, custodians, reason };
        let value = Installation {
            policy_version: settings.value.policy_version + 1,
            broken_glass: Some(glass),
            ..settings.value
        };
        let (invitation, link) = self.link_for(id, FIRST_LINK_SECONDS)?;
        let batch = Batch::new()
            .put::<People>(&id, &person, expect)
            .delete::<Secrets>(&id, Expect::Any)
            .and(link)
            .and(self.end_sessions(id))
            .put::<Settings>(&(), &value, Expect::Version(settings.version))
            .event(event);
        self.save(batch, Change::Narrows, |d, versions| {
            d.keep_person(first(versions), person);
            keep_end_of_bootstrap(d, versions, Some(value));
        })
        .await?;
        Ok(invitation)
    }

    /// That the glass was broken in the last thirty days; every page says so.
    #[must_use]
    pub fn broken_glass(&self) -> Option<BrokenGlass> {
        let now = self.times().earliest();
        let glass = self.look(|d| d.installation.as_ref()?.value.broken_glass.clone());
        glass.filter(|glass| now < glass.at.plus_days(BROKEN_GLASS_DAYS))
    }

    fn person_behind_glass(
        &self,
        ask: &BreakGlass,
        now: Timestamp,
    ) -> Result<(Expect, Person), AccessError> {
        let known = self.look(|d| {
            let id = d.names.get(ask.person.as_str())?;
            d.people.get(id).cloned()
        });
        match (known, &ask.new) {
            (Some(Kept { version, value }), None) => Ok((Expect::Version(version), value)),
            (Some(_), Some(_)) => Err(AccessError::NameTaken),
            (None, None) => Err(AccessError::NoSuch("person")),
            (None, Some(_)) if self.look(|d| d.people.len()) >= PEOPLE_MAX => {
                Err(AccessError::TooMany { what: "people", max: PEOPLE_MAX })
            }
            (None, Some(name)) => {
                let person = Person {
                    id: PersonId::generate(self.clock(), self.rng())?,
                    sign_in_name: ask.person.clone(),
                    name: name.clone(),
                    roles: Vec::new(),
                    proofs: ProofDates::default(),
                    lock: None,
                    made: Made { at: now, by: Principal::System },
                    reviewed: None,
                };
                Ok((Expect::Absent, person))
            }
        }
    }

    /// Gives the role, unless the person has it or is the first administrator who still counts.
    fn appoint(&self, person: &mut Person, role: Role, now: Timestamp) -> Result<(), AccessError> {
        let open = self.bootstrap() == Bootstrap::Open;
        let counts =
            |a: &Assignment| a.is_current(now) && (open || a.role != Role::BootstrapAdministrator);
        let held: Vec<Role> = self.look(|d| {
            let held = d.held_with(Principal::Person(person.id), Proposed::from(&*person));
            held.map(|held| held.assignment).filter(counts).map(|a| a.role).collect()
        });
        if held.contains(&role) || held.contains(&Role::BootstrapAdministrator) {
            return Ok(());
        }
        if let Some(conflict) = conflict_with_any(held, role) {
            return Err(AccessError::Separation(conflict));
        }
        person.roles.retain(|a| a.role != role);
        person.roles.push(Assignment {
            role,
            reach: Reach::Installation,
            since: now,
            until: None,
            given_by: Principal::System,
        });
        Ok(())
    }
}

fn broken(person: &Person, role: Role, custodians: &[Name], reason: &str, at: Timestamp) -> Event {
    let mut event =
        Event::system("access.break-glass", at).with("role", role.word()).with("reason", reason);
    for (word, custodian) in ["custodian", "second-custodian"].into_iter().zip(custodians) {
        event = event.with(word, custodian.as_str());
    }
    event.resource = format!("identity:{}", person.id);
    event
}
