//! Groups of actions that policies speak of, so that a new action of a kind needs no new policy.

use kernel::Action;

/// A group of actions; the word stands in the policies as `Action::"use-keys"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ActionGroup {
    /// Looks and changes nothing.
    Read,
    /// Does something with a key's material.
    UseKeys,
    /// Changes a key's life.
    ManageKeys,
    /// Changes who there is.
    ManageUsers,
    /// Changes who may do what.
    ChangePolicy,
    /// Wants a second factor given a short while ago, in a session.
    Sensitive,
}

impl ActionGroup {
    /// Every group.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::UseKeys,
        Self::ManageKeys,
        Self::ManageUsers,
        Self::ChangePolicy,
        Self::Sensitive,
    ];

    /// The word used in policies.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::UseKeys => "use-keys",
            Self::ManageKeys => "manage-keys",
            Self::ManageUsers => "manage-users",
            Self::ChangePolicy => "change-policy",
            Self::Sensitive => "sensitive",
        }
    }

    /// The groups of an action. Every action is named: a new one does not compile until it is
    /// placed.
    #[must_use]
    pub const fn of(action: Action) -> &'static [Self] {
        match action {
            Action::SystemRead
            | Action::DomainRead
            | Action::KeyRead
            | Action::KeyList
            | Action::IdentityRead
            | Action::PolicyRead
            | Action::ApprovalRead
            | Action::LogRead
            | Action::AssetRead
            | Action::DataRead
            | Action::RequirementRead
            | Action::ReportRead => &[Self::Read],
            Action::KeyEncrypt
            | Action::KeyDecrypt
            | Action::KeyReencrypt
            | Action::KeySign
            | Action::KeyVerify
            | Action::KeyMac
            | Action::KeyMacVerify
            | Action::KeyDataKey
            | Action::KeyAgree => &[Self::UseKeys],
            Action::KeyCreate
            | Action::KeyUpdate
            | Action::KeyRotate
            | Action::KeySuspend
            | Action::KeyResume
            | Action::KeyRecover => &[Self::ManageKeys],
            Action::KeyExport | Action::KeyCompromise | Action::KeyDestroy => {
                &[Self::ManageKeys, Self::Sensitive]
            }
            Action::IdentityManage => &[Self::ManageUsers, Self::Sensitive],
            Action::PolicyChange => &[Self::ChangePolicy, Self::Sensitive],
            Action::TokenManage
            | Action::ApprovalDecide
            | Action::DataDelete
            | Action::ReportSign
            | Action::SystemSeal
            | Action::SystemConfigure => &[Self::Sensitive],
            Action::DomainCreate
            | Action::ApprovalRequest
            | Action::LogExport
            | Action::AssetChange
            | Action::DataSource
            | Action::DataScan
            | Action::DataDecide
            | Action::DataAct
            | Action::RequirementChange
            | Action::CheckRun
            | Action::ReportMake => &[],
        }
    }
}

/// Whether the answer is a list when no single thing is named; such a permit carries a filter.
#[must_use]
pub fn lists(action: Action) -> bool {
    ActionGroup::of(action).contains(&ActionGroup::Read) || action == Action::LogExport
}
