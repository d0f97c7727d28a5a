//! What kind of institution this is: decides what applies.

use crate::catalogue::{AppliesTo, Requirement, Source};
use serde::{Deserialize, Serialize};

/// The kind of authorized institution (Banking Ordinance, Cap. 155), digital banks told apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Institution {
    /// A licensed bank.
    LicensedBank,
    /// A restricted licence bank.
    RestrictedLicenceBank,
    /// A deposit-taking company.
    DepositTakingCompany,
    /// A digital bank: a licensed bank under the digital banks' guideline as well.
    DigitalBank,
}

/// Where the institution is incorporated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// In Hong Kong.
    Local,
    /// Elsewhere: a branch of a foreign bank.
    ForeignBranch,
}

/// The profile of the institution.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its kind.
    pub institution: Institution,
    /// Where it is incorporated.
    pub origin: Origin,
    /// Whether it is a designated operator of critical infrastructure (Cap. 653). Confidential:
    /// show it, and what follows from it, only to those who may see it.
    pub critical_infrastructure_operator: bool,
}

impl Institution {
    /// For people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::LicensedBank => "licensed bank",
            Self::RestrictedLicenceBank => "restricted licence bank",
            Self::DepositTakingCompany => "deposit-taking company",
            Self::DigitalBank => "digital bank",
        }
    }
}

impl Origin {
    /// The word in data.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::ForeignBranch => "foreign-branch",
        }
    }
}

impl Profile {
    /// Why a requirement does not apply to this institution; nothing when it does.
    #[must_use]
    pub fn excludes(&self, source: &Source, requirement: &Requirement) -> Option<&'static str> {
        match source.applies_to {
            AppliesTo::DigitalBank if self.institution != Institution::DigitalBank => {
                Some("asked of digital banks only")
            }
            AppliesTo::CriticalInfrastructure if !self.critical_infrastructure_operator => {
                Some("asked of designated operators of critical infrastructure only")
            }
            _ if requirement.only_local && self.origin == Origin::ForeignBranch => {
                Some("asked of locally incorporated institutions only")
            }
            _ => None,
        }
    }
}
