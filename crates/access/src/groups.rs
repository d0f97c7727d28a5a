//! Groups: teams whose members hold the group's roles.
//!
//! Here stand the record, its life and its readings. Who may come in, and what a role given to a
//! group would join in one of its members, is asked in `membership` and `grants`. A group of groups
//! does not exist: who holds what has to be read off one page.

use crate::AccessError;
use crate::access::{Access, Change};
use crate::directory::{Directory, Kept};
use crate::held::{HeldRole, Proposed};
use crate::identity::Made;
use crate::roles::Assignment;
use crate::tokens::first;
use kernel::actions::{IdentityRead, PolicyChange};
use kernel::limits::TEXT_CHARS_MAX;
use kernel::{GroupId, Name, Outcome, Permit, Principal, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use store::Repeat;
use store::{Batch, Collection, Expect, IndexTerm};

/// Most groups of one installation; the directory holds them in memory.
pub const GROUPS_MAX: usize = 500;
/// Most members of one group: its record is written anew with each, some 150 bytes a member.
pub const MEMBERS_MAX: usize = 500;
/// Most groups that one is in: each is an entity of every decision about them.
pub const GROUPS_OF_ONE_MAX: usize = 16;

/// Somebody in a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub who: Principal,
    /// Since when.
    pub since: Timestamp,
    /// Who let them in.
    pub added_by: Principal,
}

/// A team: whoever is a member holds its roles.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Its identifier.
    pub id: GroupId,
    /// Its name; no two groups have one.
    pub name: Name,
    /// What it is for; may be empty.
    pub description: String,
    /// Its members, in the order of their identifiers.
    pub members: Vec<Member>,
    /// Its roles.
    pub roles: Vec<Assignment>,
    /// Who made it.
    pub made: Made,
}

impl Group {
    /// The membership of somebody.
    #[must_use]
    pub fn member(&self, who: Principal) -> Option<&Member> {
        let at = self.members.binary_search_by_key(&who, |member| member.who).ok()?;
        self.members.get(at)
    }

    /// The roles that one holds by being in this group: none for whoever is not.
    pub(crate) fn gives(&self, who: Principal) -> impl Iterator<Item = HeldRole> {
        self.member(who).into_iter().flat_map(|member| {
            self.roles.iter().map(|given| {
                let since = given.since.max(member.since);
                let assignment = Assignment { since, ..given.clone() };
                HeldRole { assignment, group: Some(self.id) }
            })
        })
    }
}

/// Groups, by id.
#[derive(Debug)]
pub(crate) enum Groups {}
impl Collection for Groups {
    const NAME: &'static str = "access.groups";
    type Key = GroupId;
    type Value = Group;
    fn indexes(group: &Group) -> Vec<IndexTerm> {
        vec![IndexTerm::new("name", group.name.as_str()).unique()]
    }
    fn sort_name(group: &Group) -> Option<Cow<'_, str>> {
        Some(group.name.as_str().into())
    }
}

/// A group that shall exist.
#[derive(Clone, Debug)]
pub struct NewGroup {
    /// Its name.
    pub name: Name,
    /// What it is for; may be empty.
    pub description: String,
}

/// What shall be different about a group; what is not named stays.
#[derive(Clone, Debug, Default)]
pub struct ChangeGroup {
    /// Its name.
    pub name: Option<Name>,
    /// What it is for.
    pub description: Option<String>,
}

fn description(text: &str) -> Result<String, AccessError> {
    let text = text.trim();
    let fits = text.chars().count() <= TEXT_CHARS_MAX;
    if fits { Ok(text.to_owned()) } else { Err(AccessError::Text("description")) }
}

impl Directory {
    pub(crate) fn group(&self, id: GroupId) -> Result<&Kept<Group>, AccessError> {
        self.groups.get(&id).ok_or(AccessError::NoSuch("group"))
    }

    pub(crate) fn keep_group(&mut self, version: u64, group: Group) {
        self.forget_group(group.id);
        for member in &group.members {
            self.memberships.entry(member.who).or_default().insert(group.id);
        }
        self.groups.insert(group.id, Kept { version, value: group });
    }

    pub(crate) fn forget_group(&mut self, id: GroupId) {
        self.generation += 1;
        let before = self.groups.remove(&id);
        for member in before.iter().flat_map(|kept| &kept.value.members) {
            if let Some(groups) = self.memberships.get_mut(&member.who) {
                groups.remove(&id);
            }
        }
    }
}

impl Access {
    /// Makes a group without members and roles: it gives nobody anything yet.
    ///
    /// # Errors
    /// When the name is taken, a text is too long or the limit is reached.
    pub async fn create_group(
        &self,
        permit: Permit<PolicyChange>,
        new: NewGroup,
        repeat: Option<Repeat>,
    ) -> Result<GroupId, AccessError> {
        if let Some(first) = self.answered_before::<_, GroupId>(&permit, repeat.as_ref())? {
            self.answer_again(permit).await?;
            return Ok(first);
        }
        let (permit, description) = self.checked(permit, |_| {
            if self.look(|d| d.groups.len()) >= GROUPS_MAX {
                return Err(AccessError::TooMany { what: "groups", max: GROUPS_MAX });
            }
            description(&new.description)
        })?;
        let id = GroupId::generate(self.clock(), self.rng())?;
        let made = self.made_by(&permit);
        let (members, roles) = (Vec::new(), Vec::new());
        let group = Group { id, name: new.name, description, members, roles, made };
        let guard = permit.guard();
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &id));
        let event = permit
            .into_event(Outcome::Done, self.clock())
            .with("did", "group-created")
            .with("group", id.to_string())
            .with("name", group.name.as_str());
        let batch = Batch::new().put::<Groups>(&id, &group, Expect::Absent);
        let batch = batch.event(event).guard(guard);
        let keep = |d: &mut Directory, v: &[u64]| d.keep_group(first(v), group);
        Ok(self.save_new(batch, repeat, keep).await?.unwrap_or(id))
    }

    /// Changes name or description of the group that the permit names.
    ///
    /// # Errors
    /// When there is no such group, the name is taken or a text is too long.
    pub async fn change_group(
        &self,
        permit: Permit<PolicyChange>,
        change: ChangeGroup,
    ) -> Result<(), AccessError> {
        let (permit, (version, group)) = self.checked(permit, |permit| {
            let Kept { version, mut value } = self.group_of(permit)?;
            if let Some(text) = &change.description {
                value.description = description(text)?;
            }
            if let Some(name) = change.name {
                value.name = name;
            }
            Ok((version, value))
        })?;
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, self.clock())
            .with("did", "group-changed")
            .with("name", group.name.as_str());
        let batch = Batch::new().put::<Groups>(&group.id, &group, Expect::Version(version));
        let batch = batch.event(event).guard(guard);
        self.save(batch, Change::Neither, |d, v| d.keep_group(first(v), group)).await
    }

    /// Ends the group that the permit names: when this returns, no later use of a role by it can be
    /// recorded. Needs nobody else.
    ///
    /// # Errors
    /// When there is no such group, or nobody else could manage users or give roles then.
    pub async fn delete_group(&self, permit: Permit<PolicyChange>) -> Result<(), AccessError> {
        let (permit, (before, version, empty)) = self.checked(permit, |permit| {
            let before = self.settings();
            let Kept { version, value } = self.group_of(permit)?;
            let empty = Group { members: Vec::new(), roles: Vec::new(), ..value };
            self.check_last((&empty).into())?;
            Ok((before, version, empty))
        })?;
        let id = empty.id;
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, self.clock())
            .with("did", "group-deleted")
            .with("name", empty.name.as_str());
        self.change_directory(|d| d.forget_group(id));
        let batch = Batch::new().delete::<Groups>(&id, Expect::Version(version));
        let batch = batch.event(event).guard(guard);
        let (batch, settings) = self.with_new_version(batch, before, Proposed::from(&empty));
        self.save(batch, Change::Narrows, |d, versions| {
            d.forget_group(id);
            crate::enrolment::keep_end_of_bootstrap(d, versions, settings);
        })
        .await
    }

    pub(crate) fn group_of(
        &self,
        permit: &Permit<PolicyChange>,
    ) -> Result<Kept<Group>, AccessError> {
        let id: GroupId = permit.resource_id().ok_or(AccessError::NoSuch("group"))?;
        self.look(|d| d.group(id).cloned())
    }

    /// The groups that the permit shows, by name: one, or all whose roles reach its key domains.
    #[must_use]
    pub fn groups(&self, permit: Permit<IdentityRead>) -> Vec<Group> {
        let (scope, one) = (permit.scope(), permit.resource_id::<GroupId>());
        let all = permit.resource().id == "*";
        self.read_under(permit);
        let shown = |group: &&Group| match (&scope, all) {
            (_, false) => Some(group.id) == one,
            (Scope::All, true) => true,
            (Scope::Domains(domains), true) => {
                group.roles.iter().any(|a| domains.iter().any(|domain| a.reach.covers(*domain)))
            }
        };
        let mut found: Vec<Group> = self
            .look(|d| d.groups.values().map(|kept| &kept.value).filter(shown).cloned().collect());
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }
}
