//! What can be done here: one word for each action, one type for each word.
//!
//! The word (`key.encrypt`) stands in policies, records and the permission table; the type
//! ([`actions::KeyEncrypt`]) makes a [`crate::Permit`] for one action useless for another.

use crate::ResourceKind;
use std::fmt;

/// A type that stands for one [`Action`].
pub trait ActionType: fmt::Debug + Send + Sync + 'static {
    /// The action.
    const ACTION: Action;
}

macro_rules! action_table {
    ($($(#[$doc:meta])* $name:ident = $word:literal on $kind:ident;)*) => {
        /// An action on one kind of resource.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// Every action, in the order of the permission table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word used in policies and records, such as `key.encrypt`.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The kind of thing this action is done to.
            #[must_use]
            pub const fn resource_kind(self) -> ResourceKind {
                match self { $(Self::$name => ResourceKind::$kind,)* }
            }
        }

        /// One type for each action: the parameter of a permit.
        pub mod actions {
            use super::{Action, ActionType};
            $(
                $(#[$doc])*
                #[derive(Debug)]
                pub enum $name {}
                impl ActionType for $name { const ACTION: Action = Action::$name; }
            )*
        }
    };
}

action_table! {
    /// Read the state of the installation.
    SystemRead = "system.read" on System;
    /// Seal the installation: keys are unusable until it is unsealed.
    SystemSeal = "system.seal" on System;
    /// Change settings: sinks, checkpoint delivery, witnesses.
    SystemConfigure = "system.configure" on System;

    /// Create a key domain.
    DomainCreate = "domain.create" on Domain;
    /// Read a key domain.
    DomainRead = "domain.read" on Domain;

    /// Create a key.
    KeyCreate = "key.create" on Key;
    /// Read what is known about a key, never its material.
    KeyRead = "key.read" on Key;
    /// List keys.
    KeyList = "key.list" on Key;
    /// Change labels and schedule of a key.
    KeyUpdate = "key.update" on Key;
    /// Encrypt.
    KeyEncrypt = "key.encrypt" on Key;
    /// Decrypt.
    KeyDecrypt = "key.decrypt" on Key;
    /// Decrypt with an old version and encrypt with the newest, without showing the plaintext.
    KeyReencrypt = "key.re-encrypt" on Key;
    /// Sign.
    KeySign = "key.sign" on Key;
    /// Verify a signature.
    KeyVerify = "key.verify" on Key;
    /// Compute a message authentication code.
    KeyMac = "key.mac" on Key;
    /// Verify a message authentication code.
    KeyMacVerify = "key.mac-verify" on Key;
    /// Make a data key: the plaintext leaves once, the wrapped form is kept by the caller.
    KeyDataKey = "key.data-key" on Key;
    /// Agree on a secret, or open an encapsulated one.
    KeyAgree = "key.agree" on Key;
    /// Give a key out wrapped under another key.
    KeyExport = "key.export" on Key;
    /// Make a new version.
    KeyRotate = "key.rotate" on Key;
    /// Stop a key at once.
    KeySuspend = "key.suspend" on Key;
    /// Let a suspended key work again.
    KeyResume = "key.resume" on Key;
    /// Declare a key compromised.
    KeyCompromise = "key.compromise" on Key;
    /// Schedule the destruction of a key.
    KeyDestroy = "key.destroy" on Key;
    /// Take a scheduled destruction back.
    KeyRecover = "key.recover" on Key;

    /// Read people, services, roles and tokens.
    IdentityRead = "identity.read" on Identity;
    /// Create, change and lock people and services.
    IdentityManage = "identity.manage" on Identity;
    /// Make and revoke API tokens for oneself or a service one owns.
    TokenManage = "token.manage" on Identity;
    /// Read roles and policies.
    PolicyRead = "policy.read" on Policy;
    /// Give and take roles, change policies.
    PolicyChange = "policy.change" on Policy;

    /// Ask for an action that needs others.
    ApprovalRequest = "approval.request" on Approval;
    /// See requests for approval.
    ApprovalRead = "approval.read" on Approval;
    /// Approve or reject a request of somebody else.
    ApprovalDecide = "approval.decide" on Approval;

    /// Read the log.
    LogRead = "log.read" on Log;
    /// Export the log.
    LogExport = "log.export" on Log;

    /// Read the inventory.
    AssetRead = "asset.read" on Asset;
    /// Import or change assets.
    AssetChange = "asset.change" on Asset;

    /// Read findings, sources and scans; never a value, only what masks leave of it.
    DataRead = "data.read" on Data;
    /// Say where to look and how to label: sources, schedules, detectors and profiles of ours.
    DataSource = "data.source" on Data;
    /// Start and stop scans.
    DataScan = "data.scan" on Data;
    /// Decide about a finding: a false positive, or a risk that is accepted for a time.
    DataDecide = "data.decide" on Data;
    /// Act on a found object: quarantine it, bring it back, encrypt it in place.
    DataAct = "data.act" on Data;
    /// Delete a found object for good.
    DataDelete = "data.delete" on Data;

    /// Read requirements and statuses.
    RequirementRead = "requirement.read" on Requirement;
    /// Confirm a requirement's text, assign owners, accept risks, change the profile.
    RequirementChange = "requirement.change" on Requirement;
    /// Run the checks.
    CheckRun = "check.run" on Requirement;
    /// Make a report.
    ReportMake = "report.make" on Report;
    /// Read reports.
    ReportRead = "report.read" on Report;
    /// Review or approve a report.
    ReportSign = "report.sign" on Report;
}

impl Action {
    /// The action of a word, if there is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.word() == word)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_has_its_own_word() {
        let words: BTreeSet<_> = Action::ALL.iter().map(|a| a.word()).collect();
        assert_eq!(words.len(), Action::ALL.len());
        assert_eq!(Action::from_word("key.encrypt"), Some(Action::KeyEncrypt));
        assert_eq!(Action::from_word("key.fly"), None);
    }
}
