//! Separation of duties: which roles one principal may hold together, and why not.
//!
//! The same rules stand twice: here, so that a conflicting assignment is refused with its reason,
//! and as `forbid` policies (`policy/separation.cedar`), so that an assignment that got past this
//! one is of no use. A property test holds the two against each other.

use crate::roles::Role;
use serde::Serialize;

/// A kind of power that must stay apart from others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// Creates and locks people and services, resets their factors.
    ManagesUsers,
    /// Gives and takes roles.
    ChangesPolicy,
    /// Uses keys, or makes the tokens with which they are used.
    UsesKeys,
    /// Creates, changes and destroys keys.
    ManagesKeys,
    /// Approves what those who manage keys ask for.
    ApprovesKeys,
    /// Watches and runs the installation.
    Operates,
    /// Owns risks and reports.
    OwnsRisk,
    /// Judges the others.
    Reviews,
    /// Comes from the supervisor.
    Examines,
}

impl Duty {
    /// Every duty.
    pub const ALL: [Self; 9] = [
        Self::ManagesUsers,
        Self::ChangesPolicy,
        Self::UsesKeys,
        Self::ManagesKeys,
        Self::ApprovesKeys,
        Self::Operates,
        Self::OwnsRisk,
        Self::Reviews,
        Self::Examines,
    ];

    /// The word used in policies.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ManagesUsers => "manages-users",
            Self::ChangesPolicy => "changes-policy",
            Self::UsesKeys => "uses-keys",
            Self::ManagesKeys => "manages-keys",
            Self::ApprovesKeys => "approves-keys",
            Self::Operates => "operates",
            Self::OwnsRisk => "owns-risk",
            Self::Reviews => "reviews",
            Self::Examines => "examines",
        }
    }

    /// The duties that a role carries.
    #[must_use]
    pub const fn of(role: Role) -> &'static [Self] {
        match role {
            Role::KeyCustodian => &[Self::ManagesKeys],
            Role::CryptoOfficer => &[Self::ApprovesKeys],
            Role::Application | Role::PlatformEngineer => &[Self::UsesKeys],
            Role::SecurityOperations => &[Self::Operates],
            Role::RiskOfficer => &[Self::OwnsRisk],
            Role::Auditor => &[Self::Reviews],
            Role::Examiner => &[Self::Examines],
            Role::IdentityAdministrator => &[Self::ManagesUsers],
            Role::PolicyAdministrator => &[Self::ChangesPolicy],
            Role::BootstrapAdministrator => &[Self::ManagesUsers, Self::ChangesPolicy],
        }
    }
}

/// Two duties that one principal may not have, and the reason as it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Separation {
    /// One duty.
    pub one: Duty,
    /// The other.
    pub other: Duty,
    /// Why: a whole sentence for the screen and the report.
    pub reason: &'static str,
}

const USERS_AND_KEYS: &str = "whoever manages users cannot use, manage or approve keys: \
     they could let themselves in as anyone";
const KEYS_AND_POLICY: &str = "whoever uses, manages or approves keys cannot change policy: \
     they could grant themselves more";
const ASK_AND_APPROVE: &str = "whoever approves is not whoever asks: dual control needs two people";
const OPERATE: &str =
    "whoever runs the installation and its log cannot hold the power that the log watches";
const REVIEW: &str = "whoever judges the controls does not operate them";
const EXAMINE: &str = "an examiner holds no other role";

/// Every pair that is kept apart.
pub const SEPARATIONS: &[Separation] = &[
    apart(Duty::ManagesUsers, Duty::UsesKeys, USERS_AND_KEYS),
    apart(Duty::ManagesUsers, Duty::ManagesKeys, USERS_AND_KEYS),
    apart(Duty::ManagesUsers, Duty::ApprovesKeys, USERS_AND_KEYS),
    apart(Duty::ChangesPolicy, Duty::UsesKeys, KEYS_AND_POLICY),
    apart(Duty::ChangesPolicy, Duty::ManagesKeys, KEYS_AND_POLICY),
    apart(Duty::ChangesPolicy, Duty::ApprovesKeys, KEYS_AND_POLICY),
    apart(
        Duty::ManagesUsers,
        Duty::ChangesPolicy,
        "whoever creates accounts does not give them rights",
    ),
    apart(Duty::ManagesKeys, Duty::ApprovesKeys, ASK_AND_APPROVE),
    apart(Duty::UsesKeys, Duty::ApprovesKeys, ASK_AND_APPROVE),
    apart(
        Duty::UsesKeys,
        Duty::ManagesKeys,
        "whoever holds a key's life in hand does not use it on data",
    ),
    apart(Duty::Operates, Duty::ManagesUsers, OPERATE),
    apart(Duty::Operates, Duty::ChangesPolicy, OPERATE),
    apart(Duty::Operates, Duty::UsesKeys, OPERATE),
    apart(Duty::Operates, Duty::ManagesKeys, OPERATE),
    apart(Duty::Reviews, Duty::ManagesUsers, REVIEW),
    apart(Duty::Reviews, Duty::ChangesPolicy, REVIEW),
    apart(Duty::Reviews, Duty::UsesKeys, REVIEW),
    apart(Duty::Reviews, Duty::ManagesKeys, REVIEW),
    apart(Duty::Reviews, Duty::ApprovesKeys, REVIEW),
    apart(Duty::Reviews, Duty::Operates, REVIEW),
    apart(Duty::Reviews, Duty::OwnsRisk, REVIEW),
    apart(Duty::OwnsRisk, Duty::ManagesUsers, REVIEW),
    apart(Duty::OwnsRisk, Duty::ChangesPolicy, REVIEW),
    apart(Duty::OwnsRisk, Duty::UsesKeys, REVIEW),
    apart(Duty::OwnsRisk, Duty::ManagesKeys, REVIEW),
    apart(Duty::OwnsRisk, Duty::ApprovesKeys, REVIEW),
    apart(Duty::OwnsRisk, Duty::Operates, REVIEW),
    apart(Duty::Examines, Duty::ManagesUsers, EXAMINE),
    apart(Duty::Examines, Duty::ChangesPolicy, EXAMINE),
    apart(Duty::Examines, Duty::UsesKeys, EXAMINE),
    apart(Duty::Examines, Duty::ManagesKeys, EXAMINE),
    apart(Duty::Examines, Duty::ApprovesKeys, EXAMINE),
    apart(Duty::Examines, Duty::Operates, EXAMINE),
    apart(Duty::Examines, Duty::OwnsRisk, EXAMINE),
    apart(Duty::Examines, Duty::Reviews, EXAMINE),
];

const fn apart(one: Duty, other: Duty, reason: &'static str) -> Separation {
    Separation { one, other, reason }
}

/// Two roles of one principal that do not go together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Conflict {
    /// The role held.
    pub held: Role,
    /// The role that does not go with it.
    pub other: Role,
    /// Why.
    pub reason: &'static str,
}

/// Why two roles may not be held together, if they may not. The key domain makes no difference: a
/// custodian of one domain who approves in another would need to be told apart by every reader.
///
/// The first administrator may not hold a role besides: bootstrap ends with other people in place.
#[must_use]
pub fn conflict(held: Role, other: Role) -> Option<Conflict> {
    if held == other {
        return None;
    }
    SEPARATIONS
        .iter()
        .find(|pair| {
            let (a, b) = (Duty::of(held), Duty::of(other));
            (a.contains(&pair.one) && b.contains(&pair.other))
                || (a.contains(&pair.other) && b.contains(&pair.one))
        })
        .map(|pair| Conflict { held, other, reason: pair.reason })
}

/// The first conflict that giving `new` to a holder of `held` would make.
#[must_use]
pub fn conflict_with_any(held: impl IntoIterator<Item = Role>, new: Role) -> Option<Conflict> {
    held.into_iter().find_map(|role| conflict(role, new))
}

/// Every conflict within a set of roles, each pair once.
#[must_use]
pub fn conflicts_within(roles: &[Role]) -> Vec<Conflict> {
    let mut found = Vec::new();
    for (n, one) in roles.iter().enumerate() {
        for other in roles.iter().skip(n + 1) {
            found.extend(conflict(*one, *other));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_seen_from_both_sides() {
        for one in Role::ALL {
            for other in Role::ALL {
                assert_eq!(conflict(*one, *other).is_some(), conflict(*other, *one).is_some());
            }
            assert!(conflict(*one, *one).is_none());
        }
    }

    #[test]
    fn the_named_separations_hold() {
        for (one, other) in [
            (Role::IdentityAdministrator, Role::Application),
            (Role::IdentityAdministrator, Role::KeyCustodian),
            (Role::PolicyAdministrator, Role::PlatformEngineer),
            (Role::KeyCustodian, Role::CryptoOfficer),
            (Role::Auditor, Role::RiskOfficer),
            (Role::Examiner, Role::Auditor),
        ] {
            let conflict = conflict(one, other).unwrap();
            assert!(!conflict.reason.is_empty());
        }
        assert!(conflict(Role::CryptoOfficer, Role::SecurityOperations).is_none());
    }
}
