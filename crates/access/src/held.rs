//! The roles that somebody holds: those given to them, and those of the groups they are in.
//!
//! Not for giving or taking (`grants`, `membership`). Every question about roles is asked here, so
//! that a role by a group counts wherever a role of one's own does.

use crate::directory::Directory;
use crate::groups::Group;
use crate::identity::Person;
use crate::roles::Assignment;
use kernel::{GroupId, Principal};
use std::fmt;

/// A role as somebody holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldRole {
    /// The role, how far it reaches and until when; `since` is the later of the gift and the
    /// membership.
    pub assignment: Assignment,
    /// The group by which it is held; `None` when it was given to the holder.
    pub group: Option<GroupId>,
}

impl From<Assignment> for HeldRole {
    fn from(assignment: Assignment) -> Self {
        Self { assignment, group: None }
    }
}

impl fmt::Display for HeldRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.assignment.role)?;
        match self.group {
            Some(group) => write!(f, " by {group}"),
            None => Ok(()),
        }
    }
}

/// A change that is not made yet, so that its consequences can be asked before it counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Proposed<'a> {
    person: Option<&'a Person>,
    group: Option<&'a Group>,
}

impl<'a> From<&'a Person> for Proposed<'a> {
    fn from(person: &'a Person) -> Self {
        Self { person: Some(person), group: None }
    }
}

impl<'a> From<&'a Group> for Proposed<'a> {
    fn from(group: &'a Group) -> Self {
        Self { person: None, group: Some(group) }
    }
}

impl Directory {
    /// Every role of a principal, its own first; ended ones too.
    pub(crate) fn held(&self, who: Principal) -> impl Iterator<Item = HeldRole> {
        self.held_with(who, Proposed::default())
    }

    /// [`Directory::held`] as it would be after a change.
    pub(crate) fn held_with<'a>(
        &'a self,
        who: Principal,
        change: Proposed<'a>,
    ) -> impl Iterator<Item = HeldRole> + 'a {
        let own = match change.person {
            Some(person) if Principal::Person(person.id) == who => person.roles.as_slice(),
            _ => self.roles_of(who),
        };
        let groups = self.groups_of(who).filter(move |group| {
            let changed = change.group.is_some_and(|changed| changed.id == group.id);
            !changed
        });
        let groups = groups.chain(change.group);
        let by_groups = groups.flat_map(move |group| group.gives(who));
        own.iter().cloned().map(HeldRole::from).chain(by_groups)
    }

    /// The groups that a principal is in.
    pub(crate) fn groups_of(&self, who: Principal) -> impl Iterator<Item = &Group> {
        let named = self.memberships.get(&who).into_iter().flatten();
        named.filter_map(|id| self.groups.get(id)).map(|kept| &kept.value)
    }

    /// Everybody, with a change that is not made yet in its place.
    pub(crate) fn people_with<'a>(
        &'a self,
        change: Proposed<'a>,
    ) -> impl Iterator<Item = &'a Person> {
        let known = self.people.values().map(|kept| &kept.value);
        let other = move |person: &&Person| change.person.is_none_or(|p| p.id != person.id);
        known.filter(other).chain(change.person)
    }
}
