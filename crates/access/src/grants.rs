//! Giving and taking roles, and confirming that they are still needed.

use crate::AccessError;
use crate::access::{Access, Change, holder_of};
use crate::approvals::{Occasion, request_hash};
use crate::directory::{Directory, Kept};
use crate::duties::{Duty, conflict_with_any};
use crate::enrolment::{Installation, Settings, keep_end_of_bootstrap};
use crate::groups::{Group, Groups};
use crate::held::Proposed;
use crate::identity::{Made, People, Person, Service, Services};
use crate::policy::POLICY_TEXTS;
use crate::roles::{ASSIGNMENTS_MAX, Assignment, Reach, Role, TIME_BOX_DAYS_MAX};
use kernel::actions::{PolicyChange, PolicyRead};
use kernel::{Action, Event, GroupId, Outcome, Permit, Principal, Resource, Timestamp};
use serde::Serialize;
use store::{Batch, Expect};

/// A role that somebody shall have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct GiveRole {
    /// The role.
    pub role: Role,
    /// How far it reaches.
    pub reach: Reach,
    /// Until when; a time-boxed role must have an end.
    pub until: Option<Timestamp>,
}

impl GiveRole {
    /// The hash to which the approval of this change is bound; the resource names the person or
    /// service. For a group see [`Access::role_request_hash`].
    #[must_use]
    pub fn request_hash(&self, resource: &Resource) -> [u8; 32] {
        request_hash(Action::PolicyChange, resource, self.line().as_bytes())
    }

    fn line(&self) -> String {
        let until = self.until.map(Timestamp::rfc3339).unwrap_or_default();
        let reach = match self.reach {
            Reach::Installation => String::from("*"),
            Reach::Domain(domain) => domain.to_string(),
        };
        format!("give-role\n{}\n{reach}\n{until}", self.role)
    }
}

#[derive(Clone)]
enum Holder {
    Person(Kept<Person>),
    Service(Kept<Service>),
    Group(Kept<Group>),
}

impl Holder {
    fn roles(&mut self) -> &mut Vec<Assignment> {
        match self {
            Self::Person(kept) => &mut kept.value.roles,
            Self::Service(kept) => &mut kept.value.roles,
            Self::Group(kept) => &mut kept.value.roles,
        }
    }

    fn put(&self) -> Batch {
        match self {
            Self::Person(kept) => {
                let expect = Expect::Version(kept.version);
                Batch::new().put::<People>(&kept.value.id, &kept.value, expect)
            }
            Self::Service(kept) => {
                let expect = Expect::Version(kept.version);
                Batch::new().put::<Services>(&kept.value.id, &kept.value, expect)
            }
            Self::Group(kept) => {
                let expect = Expect::Version(kept.version);
                Batch::new().put::<Groups>(&kept.value.id, &kept.value, expect)
            }
        }
    }

    fn keep(self, directory: &mut Directory, version: Option<u64>) {
        match self {
            Self::Person(kept) => {
                directory.keep_person(version.unwrap_or(kept.version), kept.value);
            }
            Self::Service(kept) => {
                directory.keep_service(version.unwrap_or(kept.version), kept.value);
            }
            Self::Group(kept) => {
                directory.keep_group(version.unwrap_or(kept.version), kept.value);
            }
        }
    }

    fn set_reviewed(&mut self, made: Made) -> Result<(), AccessError> {
        match self {
            Self::Person(kept) => kept.value.reviewed = Some(made),
            Self::Service(kept) => kept.value.reviewed = Some(made),
            // A review is of somebody with all they hold, by groups too.
            Self::Group(_) => return Err(AccessError::NoSuch("identity")),
        }
        Ok(())
    }

    /// Those who come to hold what is given.
    fn receivers(&self) -> Vec<Principal> {
        match self {
            Self::Person(kept) => vec![Principal::Person(kept.value.id)],
            Self::Service(kept) => vec![Principal::Service(kept.value.id)],
            Self::Group(kept) => kept.value.members.iter().map(|member| member.who).collect(),
        }
    }

    fn proposed(&self) -> Proposed<'_> {
        match self {
            Self::Person(kept) => Proposed::from(&kept.value),
            Self::Service(_) => Proposed::default(),
            Self::Group(kept) => Proposed::from(&kept.value),
        }
    }
}

impl Access {
    /// What must be approved to give a role to the person, service or group that the resource
    /// names; for a group it names the members of now, who will hold it.
    ///
    /// # Errors
    /// [`AccessError::NoSuch`] when there is no such group.
    pub fn role_request_hash(
        &self,
        resource: &Resource,
        give: GiveRole,
    ) -> Result<[u8; 32], AccessError> {
        let Ok(group) = resource.id.parse::<GroupId>() else {
            return Ok(give.request_hash(resource));
        };
        let mut text = give.line();
        self.look(|d| {
            for member in &d.group(group)?.value.members {
                text.push('\n');
                text.push_str(&member.who.to_string());
            }
            Ok::<_, AccessError>(())
        })?;
        Ok(request_hash(Action::PolicyChange, resource, text.as_bytes()))
    }

    /// Gives a role to the person, service or group that the permit names. After bootstrap somebody
    /// else must have approved exactly this.
    ///
    /// # Errors
    /// [`AccessError::Separation`] with the reason when it does not go together with what the
    /// holder has, [`AccessError::Approval`] when nobody has approved, and as the limits say.
    pub async fn give_role(
        &self,
        permit: Permit<PolicyChange>,
        give: GiveRole,
    ) -> Result<(), AccessError> {
        let (permit, (mut holder, before, spent)) = self.checked(permit, |permit| {
            let before = self.settings();
            let mut holder = self.role_holder(permit)?;
            self.check_gift(permit, &mut holder, give)?;
            let hash = self.role_request_hash(permit.resource(), give)?;
            Ok((holder, before, self.spend_on(permit, Occasion::RoleGiven, hash)?))
        })?;
        let given_by = permit.caller().principal;
        let since = self.times().latest();
        let GiveRole { role, reach, until } = give;
        holder.roles().retain(|a| a.role != role || a.reach != reach);
        holder.roles().push(Assignment { role, reach, since, until, given_by });
        let guard = permit.guard();
        let event = self.about_role(permit, "role-given", role, reach);
        let event = match until {
            Some(until) => event.with("until", until.rfc3339()),
            None => event,
        };
        let event = match &spent {
            Some(spent) => event.with("approval", spent.id().to_string()),
            None => event,
        };
        let batch = holder.put();
        let batch = match spent {
            Some(spent) => batch.and(spent.into_batch()),
            None => batch,
        };
        let batch = batch.event(event).guard(guard);
        let (batch, settings) = self.with_new_version(batch, before, holder.proposed());
        self.save(batch, Change::Widens, |d, versions| {
            holder.keep(d, versions.first().copied());
            keep_end_of_bootstrap(d, versions, settings);
        })
        .await
    }

    /// Takes a role away; when this returns, no later use of it can be recorded. Needs nobody else.
    ///
    /// # Errors
    /// [`AccessError::NoSuch`] when the holder does not have it, [`AccessError::Last`] when nobody
    /// else could manage users or give roles then.
    pub async fn take_role(
        &self,
        permit: Permit<PolicyChange>,
        role: Role,
        reach: Reach,
    ) -> Result<(), AccessError> {
        let (permit, (holder, before)) = self.checked(permit, |permit| {
            let before = self.settings();
            let mut holder = self.role_holder(permit)?;
            let count = holder.roles().len();
            holder.roles().retain(|a| a.role != role || a.reach != reach);
            if holder.roles().len() == count {
                return Err(AccessError::NoSuch("assignment"));
            }
            self.check_last(holder.proposed())?;
            Ok((holder, before))
        })?;
        let guard = permit.guard();
        let event = self.about_role(permit, "role-taken", role, reach);
        let narrowed = holder.clone();
        self.change_directory(|d| narrowed.keep(d, None));
        let batch = holder.put().event(event).guard(guard);
        let (batch, settings) = self.with_new_version(batch, before, holder.proposed());
        self.save(batch, Change::Narrows, |d, versions| {
            holder.keep(d, versions.first().copied());
            keep_end_of_bootstrap(d, versions, settings);
        })
        .await
    }

    /// Confirms that the holder whom the permit names still needs its roles: the access review.
    ///
    /// # Errors
    /// When there is no such identity or the store does not take it.
    pub async fn confirm_roles(&self, permit: Permit<PolicyChange>) -> Result<(), AccessError> {
        let (permit, holder) = self.checked(permit, |permit| {
            let mut holder = self.role_holder(permit)?;
            holder.set_reviewed(self.made_by(permit))?;
            Ok(holder)
        })?;
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, self.clock()).with("did", "roles-confirmed");
        let batch = holder.put().event(event).guard(guard);
        self.save(batch, Change::Neither, |d, v| holder.keep(d, v.first().copied())).await
    }

    /// The policies as text, by file, for those who may read them.
    #[must_use]
    pub fn policy_texts(&self, permit: Permit<PolicyRead>) -> [(&'static str, &'static str); 3] {
        self.read_under(permit);
        POLICY_TEXTS
    }

    fn role_holder(&self, permit: &Permit<PolicyChange>) -> Result<Holder, AccessError> {
        match holder_of(&permit.resource().id) {
            Some(Principal::Person(id)) => self.look(|d| d.person(id).cloned()).map(Holder::Person),
            Some(Principal::Service(id)) => {
                self.look(|d| d.service(id).cloned()).map(Holder::Service)
            }
            _ => self
                .group_of(permit)
                .map(Holder::Group)
                .map_err(|_| AccessError::NoSuch("identity")),
        }
    }

    fn check_gift(
        &self,
        permit: &Permit<PolicyChange>,
        holder: &mut Holder,
        give: GiveRole,
    ) -> Result<(), AccessError> {
        let GiveRole { role, reach, until } = give;
        if role == Role::BootstrapAdministrator {
            return Err(AccessError::RoleNotForHolder(role));
        }
        if role.installation_only() && reach != Reach::Installation {
            return Err(AccessError::RoleNotForDomain(role));
        }
        let now = self.times().latest();
        let box_end = now.plus_days(TIME_BOX_DAYS_MAX);
        match until {
            Some(until) if until <= now => {
                return Err(AccessError::Date { field: "until", days_max: TIME_BOX_DAYS_MAX });
            }
            Some(until) if role.is_time_boxed() && until > box_end => {
                return Err(AccessError::TimeBox(role));
            }
            None if role.is_time_boxed() => return Err(AccessError::TimeBox(role)),
            _ => {}
        }
        if holder.roles().len() >= ASSIGNMENTS_MAX {
            return Err(AccessError::TooMany { what: "roles of one holder", max: ASSIGNMENTS_MAX });
        }
        // A group without members joins nobody's duties yet, but would in its first member.
        if let Holder::Group(kept) = &*holder {
            let own = kept.value.roles.iter().filter(|a| a.is_current(now)).map(|a| a.role);
            if let Some(conflict) = conflict_with_any(own, role) {
                return Err(AccessError::Separation(conflict));
            }
        }
        holder.receivers().into_iter().try_for_each(|who| self.check_receiver(permit, who, role))
    }

    /// What must hold before somebody comes to hold a role, given to them or to a group they are
    /// in.
    pub(crate) fn check_receiver(
        &self,
        permit: &Permit<PolicyChange>,
        who: Principal,
        role: Role,
    ) -> Result<(), AccessError> {
        let fits = match who {
            Principal::Person(_) => role.for_people(),
            Principal::Service(_) => role.for_services(),
            Principal::System => false,
        };
        if !fits {
            return Err(AccessError::RoleNotForHolder(role));
        }
        // Roles that have ended conflict no more; the first administrator's ends with bootstrap.
        let now = self.times().latest();
        let held = self.look(|d| d.posts(who, now));
        if let Some(conflict) = conflict_with_any(held.iter().map(|h| h.assignment.role), role) {
            return Err(AccessError::Separation(conflict));
        }
        // Nobody gives a role to themselves, not even the first administrator.
        if permit.caller().principal == who {
            return Err(AccessError::Own);
        }
        // Nor does an owner come to manage users or policy while a service's tokens are theirs.
        let apart = |duty: &Duty| matches!(duty, Duty::ManagesUsers | Duty::ChangesPolicy);
        let owns = match who {
            Principal::Person(id) if Duty::of(role).iter().any(apart) => {
                self.look(|d| d.services.values().any(|s| s.value.owner == Some(id)))
            }
            _ => false,
        };
        if owns { Err(AccessError::Owner) } else { Ok(()) }
    }

    pub(crate) fn check_last(&self, change: Proposed<'_>) -> Result<(), AccessError> {
        let now = self.times().latest();
        let last = self.look(|d| d.would_be_last(change, now));
        last.map_or(Ok(()), |role| Err(AccessError::Last(role)))
    }

    fn about_role(
        &self,
        permit: Permit<PolicyChange>,
        did: &'static str,
        role: Role,
        reach: Reach,
    ) -> Event {
        let reach = match reach {
            Reach::Installation => String::from("installation"),
            Reach::Domain(domain) => domain.to_string(),
        };
        permit
            .into_event(Outcome::Done, self.clock())
            .with("did", did)
            .with("role", role.word())
            .with("reach", reach)
    }

    /// The settings before a change of roles is checked. Its commit must still find this version:
    /// a change that was checked beside another cannot join with it what neither would alone.
    pub(crate) fn settings(&self) -> Option<Kept<Installation>> {
        self.look(|d| d.installation.clone())
    }

    /// Every change of roles raises the policy version, in the same commit; the same record says
    /// whether bootstrap is over.
    pub(crate) fn with_new_version(
        &self,
        batch: Batch,
        before: Option<Kept<Installation>>,
        change: Proposed<'_>,
    ) -> (Batch, Option<Installation>) {
        let checked_at = before.as_ref().map(|kept| kept.version);
        let (end, ended) = self.end_bootstrap(Batch::new(), checked_at, change);
        if ended.is_some() {
            return (batch.and(end), ended);
        }
        let Some(kept) = before else { return (batch, None) };
        let mut settings = kept.value;
        settings.policy_version += 1;
        let batch = batch.put::<Settings>(&(), &settings, Expect::Version(kept.version));
        (batch, Some(settings))
    }
}
