//! The roles of the bank and how far an assignment of one reaches.
//!
//! What a role may do stands in the policies (`policy/roles.cedar`), not here; here stand its name,
//! who can hold it and for how long.

use kernel::{DomainId, Principal, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest time for which a time-boxed role is given at once: one examination.
pub const TIME_BOX_DAYS_MAX: i64 = 90;
/// Most assignments of one principal: ten roles in a handful of key domains.
pub const ASSIGNMENTS_MAX: usize = 64;

macro_rules! role_table {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $english:literal, $chinese:literal;)*) => {
        /// A role. The word stands in policies and records, the names on screen.
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum Role { $($(#[$doc])* $name,)* }

        impl Role {
            /// Every role, in the order of the permission table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word used in policies and records, such as `key-custodian`.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The name on an English screen.
            #[must_use]
            pub const fn english(self) -> &'static str {
                match self { $(Self::$name => $english,)* }
            }

            /// The name on a Traditional Chinese screen.
            #[must_use]
            pub const fn chinese(self) -> &'static str {
                match self { $(Self::$name => $chinese,)* }
            }
        }
    };
}

role_table! {
    /// Creates, rotates, suspends and asks to destroy keys; never uses them.
    KeyCustodian = "key-custodian", "Key custodian", "密碼匙保管人";
    /// The second pair of eyes: approves what custodians ask for.
    CryptoOfficer = "crypto-officer", "Crypto officer", "密碼主任";
    /// A workload that uses keys. Held by services only.
    Application = "application", "Application", "應用系統";
    /// Connects workloads: owns services and makes their tokens.
    PlatformEngineer = "platform-engineer", "Platform engineer", "平台工程師";
    /// Watches the log, stops keys in an emergency, runs the installation.
    SecurityOperations = "security-operations", "Security operations", "資訊保安運作主任";
    /// Owns requirements, risks and reports.
    RiskOfficer = "risk-officer", "Technology risk officer", "科技風險主任";
    /// Reads everything, changes nothing, exports evidence.
    Auditor = "auditor", "Auditor", "審計員";
    /// The supervisor's examiner: reads, for a limited time.
    Examiner = "examiner", "Examiner", "監管審查員";
    /// Creates and locks people and services; gives no roles and touches no keys.
    IdentityAdministrator = "identity-administrator", "Identity administrator", "身分管理員";
    /// Gives and takes roles; touches no keys.
    PolicyAdministrator = "policy-administrator", "Policy administrator", "政策管理員";
    /// The first administrator, until the installation has its own.
    BootstrapAdministrator = "bootstrap-administrator", "First administrator", "首任管理員";
}

impl Role {
    /// The role of a word, if there is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.word() == word)
    }

    /// Whether a service may hold it; people hold every role but `application`.
    #[must_use]
    pub const fn for_services(self) -> bool {
        matches!(self, Self::Application | Self::Auditor)
    }

    /// Whether a person may hold it.
    #[must_use]
    pub const fn for_people(self) -> bool {
        !matches!(self, Self::Application)
    }

    /// Whether it is given for a limited time only (at most [`TIME_BOX_DAYS_MAX`] days).
    #[must_use]
    pub const fn is_time_boxed(self) -> bool {
        matches!(self, Self::Examiner)
    }

    /// Whether it makes sense for the installation as a whole only.
    #[must_use]
    pub const fn installation_only(self) -> bool {
        matches!(
            self,
            Self::IdentityAdministrator | Self::PolicyAdministrator | Self::BootstrapAdministrator
        )
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How far an assignment reaches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Every key domain, and the installation itself.
    Installation,
    /// One key domain.
    Domain(DomainId),
}

impl Reach {
    /// Whether a role of this reach counts in a key domain.
    #[must_use]
    pub fn covers(self, domain: DomainId) -> bool {
        match self {
            Self::Installation => true,
            Self::Domain(own) => own == domain,
        }
    }
}

/// A role as one principal holds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Assignment {
    /// The role.
    pub role: Role,
    /// How far it reaches.
    pub reach: Reach,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None` until it is taken.
    pub until: Option<Timestamp>,
    /// Who gave it.
    pub given_by: Principal,
}

impl Assignment {
    /// Whether it counts at a time.
    #[must_use]
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_role_has_its_own_word_and_two_names() {
        let words: BTreeSet<_> = Role::ALL.iter().map(|role| role.word()).collect();
        let english: BTreeSet<_> = Role::ALL.iter().map(|role| role.english()).collect();
        let chinese: BTreeSet<_> = Role::ALL.iter().map(|role| role.chinese()).collect();
        assert_eq!((words.len(), english.len(), chinese.len()), (11, 11, 11));
        for role in Role::ALL {
            assert_eq!(Role::from_word(role.word()), Some(*role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.word());
        }
        assert_eq!(Role::from_word("root"), None);
    }

    #[test]
    fn every_role_can_be_held_by_somebody() {
        assert!(Role::ALL.iter().all(|role| role.for_people() || role.for_services()));
    }

    #[test]
    fn a_time_boxed_role_ends_by_itself() {
        let given = Assignment {
            role: Role::Examiner,
            reach: Reach::Installation,
            since: Timestamp::EPOCH,
            until: Some(Timestamp::EPOCH.plus_days(1)),
            given_by: Principal::System,
        };
        assert!(given.is_current(Timestamp::EPOCH.plus_seconds(86_399)));
        assert!(!given.is_current(Timestamp::EPOCH.plus_seconds(86_400)));
    }
}
