//! Letting somebody into a group, and putting them out.
//!
//! To come into a group is to be given all its roles, and is guarded like that: by somebody else,
//! approved by a third after bootstrap, and never where it joins duties that stand apart. The
//! approval is bound to the roles that the group had when it was asked for, and that of a role for
//! a group to its members: whoever approves knows who will hold what.

use crate::AccessError;
use crate::access::{Access, Change};
use crate::approvals::{Occasion, request_hash};
use crate::approving::Spent;
use crate::directory::Kept;
use crate::enrolment::{Installation, keep_end_of_bootstrap};
use crate::groups::{GROUPS_OF_ONE_MAX, Group, Groups, MEMBERS_MAX, Member};
use crate::held::Proposed;
use crate::roles::{Assignment, Reach};
use kernel::actions::PolicyChange;
use kernel::{Action, GroupId, Outcome, Permit, Principal, Resource, Timestamp};
use store::{Batch, Expect};

/// What a change of members was checked against.
struct Checked {
    before: Option<Kept<Installation>>,
    version: u64,
    group: Group,
    spent: Option<Spent>,
}

impl Access {
    /// What must be approved to let somebody into the group that the resource names, as its roles
    /// are now.
    ///
    /// # Errors
    /// [`AccessError::NoSuch`] when there is no such group.
    pub fn member_request_hash(
        &self,
        resource: &Resource,
        who: Principal,
    ) -> Result<[u8; 32], AccessError> {
        let id: GroupId = resource.id.parse().map_err(|_| AccessError::NoSuch("group"))?;
        let mut lines: Vec<String> = self.look(|d| {
            let group = &d.group(id)?.value;
            Ok::<_, AccessError>(group.roles.iter().map(line).collect())
        })?;
        lines.sort_unstable();
        let text = format!("add-member\n{who}\n{}", lines.join("\n"));
        Ok(request_hash(Action::PolicyChange, resource, text.as_bytes()))
    }

    /// Lets the person or service into the group that the permit names; from then on it holds the
    /// group's roles. After bootstrap somebody else must have approved it, when there are any.
    ///
    /// # Errors
    /// [`AccessError::Separation`] with the reason when a role of the group does not go together
    /// with what the newcomer holds, [`AccessError::Own`] for oneself, [`AccessError::Approval`]
    /// when nobody has approved, and as the limits say.
    pub async fn add_member(
        &self,
        permit: Permit<PolicyChange>,
        who: Principal,
    ) -> Result<(), AccessError> {
        let (permit, checked) = self.checked(permit, |permit| self.check_newcomer(permit, who))?;
        let Checked { before, version, mut group, spent } = checked;
        let member =
            Member { who, since: self.times().latest(), added_by: permit.caller().principal };
        match group.members.binary_search_by_key(&who, |member| member.who) {
            // In already: nothing is given, and the waiting period does not begin anew.
            Ok(_) => {}
            Err(at) => group.members.insert(at, member),
        }
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, self.clock())
            .with("did", "member-added")
            .with("member", who.to_string())
            .with("roles", words(&group.roles));
        let event = match &spent {
            Some(spent) => event.with("approval", spent.id().to_string()),
            None => event,
        };
        let batch = Batch::new().put::<Groups>(&group.id, &group, Expect::Version(version));
        let batch = spent.into_iter().fold(batch, |batch, spent| batch.and(spent.into_batch()));
        let batch = batch.event(event).guard(guard);
        let (batch, settings) = self.with_new_version(batch, before, Proposed::from(&group));
        self.save(batch, Change::Widens, |d, versions| {
            d.keep_group(versions.first().copied().unwrap_or_default(), group);
            keep_end_of_bootstrap(d, versions, settings);
        })
        .await
    }

    /// Puts the person or service out of the group that the permit names: when this returns, no
    /// later use of a role by it can be recorded. Needs nobody else.
    ///
    /// # Errors
    /// [`AccessError::NoSuch`] when it is not in the group, [`AccessError::Last`] when nobody else
    /// could manage users or give roles then.
    pub async fn remove_member(
        &self,
        permit: Permit<PolicyChange>,
        who: Principal,
    ) -> Result<(), AccessError> {
        let (permit, (before, version, group)) = self.checked(permit, |permit| {
            let before = self.settings();
            let Kept { version, value: mut group } = self.group_of(permit)?;
            let count = group.members.len();
            group.members.retain(|member| member.who != who);
            if group.members.len() == count {
                return Err(AccessError::NoSuch("member"));
            }
            self.check_last((&group).into())?;
            Ok((before, version, group))
        })?;
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, self.clock())
            .with("did", "member-removed")
            .with("member", who.to_string())
            .with("roles", words(&group.roles));
        self.change_directory(|d| d.keep_group(version, group.clone()));
        let batch = Batch::new().put::<Groups>(&group.id, &group, Expect::Version(version));
        let batch = batch.event(event).guard(guard);
        let (batch, settings) = self.with_new_version(batch, before, Proposed::from(&group));
        self.save(batch, Change::Narrows, |d, versions| {
            d.keep_group(versions.first().copied().unwrap_or_default(), group);
            keep_end_of_bootstrap(d, versions, settings);
        })
        .await
    }

    fn check_newcomer(
        &self,
        permit: &Permit<PolicyChange>,
        who: Principal,
    ) -> Result<Checked, AccessError> {
        let before = self.settings();
        let Kept { version, value: group } = self.group_of(permit)?;
        self.look(|d| match who {
            Principal::Person(id) => d.person(id).map(|_| ()),
            Principal::Service(id) => d.service(id).map(|_| ()),
            Principal::System => Err(AccessError::NoSuch("identity")),
        })?;
        // Not even into a group without roles: they may come later.
        if permit.caller().principal == who {
            return Err(AccessError::Own);
        }
        if group.member(who).is_none() {
            if group.members.len() >= MEMBERS_MAX {
                return Err(AccessError::TooMany { what: "members", max: MEMBERS_MAX });
            }
            if self.look(|d| d.groups_of(who).count()) >= GROUPS_OF_ONE_MAX {
                let what = "groups of one member";
                return Err(AccessError::TooMany { what, max: GROUPS_OF_ONE_MAX });
            }
        }
        let now = self.times().latest();
        for given in group.roles.iter().filter(|a| a.is_current(now)) {
            self.check_receiver(permit, who, given.role)?;
        }
        // Who is in already, and who comes into a group without roles, is given nothing.
        let spent = if group.roles.is_empty() || group.member(who).is_some() {
            None
        } else {
            let hash = self.member_request_hash(permit.resource(), who)?;
            self.spend_on(permit, Occasion::RoleGiven, hash)?
        };
        Ok(Checked { before, version, group, spent })
    }
}

/// A role as an approval names it.
fn line(given: &Assignment) -> String {
    let until = given.until.map(Timestamp::rfc3339).unwrap_or_default();
    let reach = match given.reach {
        Reach::Installation => String::from("*"),
        Reach::Domain(domain) => domain.to_string(),
    };
    format!("{}@{reach} {until}", given.role)
}

/// The roles as the log names them, each once.
fn words(roles: &[Assignment]) -> String {
    let mut words: Vec<_> = roles.iter().map(|given| given.role.word()).collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}
