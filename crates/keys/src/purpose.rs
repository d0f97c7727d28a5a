//! What a version may be used for in each state (NIST SP 800-57 part 1, section 7).

use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a state, for records, lists and facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateName {
    /// Made, not yet allowed to be used.
    PreActive,
    /// Protects and processes.
    Active,
    /// Stopped; can come back.
    Suspended,
    /// At its end.
    Deactivated,
    /// Known or feared to be known to others.
    Compromised,
    /// Gone.
    Destroyed,
    /// Gone, and known to others before.
    DestroyedCompromised,
}

impl StateName {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 7] = [
        Self::PreActive,
        Self::Active,
        Self::Suspended,
        Self::Deactivated,
        Self::Compromised,
        Self::Destroyed,
        Self::DestroyedCompromised,
    ];

    /// The word used in records.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::PreActive => "pre-active",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deactivated => "deactivated",
            Self::Compromised => "compromised",
            Self::Destroyed => "destroyed",
            Self::DestroyedCompromised => "destroyed-compromised",
        }
    }

    /// Whether the material is gone.
    #[must_use]
    pub const fn is_destroyed(self) -> bool {
        matches!(self, Self::Destroyed | Self::DestroyedCompromised)
    }

    /// What a version in this state may be used for.
    ///
    /// # Errors
    /// When it may not be used for this.
    pub const fn permits(self, purpose: Purpose) -> Result<Leave, NotUsable> {
        match (self, purpose) {
            (Self::Active, _) | (Self::Deactivated, Purpose::Process) => Ok(Leave::Plain),
            (Self::Compromised, Purpose::Process) => Ok(Leave::AcceptingCompromise),
            (state, purpose) => Err(NotUsable { state, purpose }),
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a use does with a key (SP 800-57 part 1, section 7: apply protection or process it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Encrypt, sign, compute a code, make a data key, give out.
    Protect,
    /// Decrypt, verify, open.
    Process,
}

impl Purpose {
    /// The word used in messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Protect => "protect",
            Self::Process => "process",
        }
    }
}

/// How a use is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leave {
    /// Without more ado.
    Plain,
    /// Only when the request accepts in so many words that the version is compromised.
    AcceptingCompromise,
}

/// A use that the state forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version that is {state} may not {}", purpose.word())]
pub struct NotUsable {
    /// The state of the version.
    pub state: StateName,
    /// What was to be done.
    pub purpose: Purpose,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_permits_what_the_standard_permits_and_no_more() {
        use Purpose::{Process, Protect};
        let table = StateName::ALL.map(|s| (s, s.permits(Protect).ok(), s.permits(Process).ok()));
        let plain = Some(Leave::Plain);
        assert_eq!(
            table,
            [
                (StateName::PreActive, None, None),
                (StateName::Active, plain, plain),
                (StateName::Suspended, None, None),
                (StateName::Deactivated, None, plain),
                (StateName::Compromised, None, Some(Leave::AcceptingCompromise)),
                (StateName::Destroyed, None, None),
                (StateName::DestroyedCompromised, None, None),
            ]
        );
    }
}
