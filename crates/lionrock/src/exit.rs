//! Exit codes: part of the interface, so that scripts can tell what happened.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was done.
    Done,
    /// It failed for a reason of ours or of the machine.
    Failed,
    /// The command line is wrong.
    Usage,
    /// What was verified is not as claimed.
    NotVerified,
    /// The server refused: not allowed, or not signed in.
    Refused,
    /// There is no such thing.
    NotFound,
    /// The state of the thing does not allow it.
    Conflict,
    /// The server does not answer, or is sealed.
    Unavailable,
    /// What was verified fits together, and who signed it is not proven.
    SignerUnproven,
}

/// The table of exit codes for `--help`.
pub const HELP: &str = "Exit codes:\n  \
    0  done\n  \
    1  failed\n  \
    2  the command line is wrong\n  \
    3  verification found a fault\n  \
    4  refused: not signed in or not allowed\n  \
    5  no such thing\n  \
    6  the state does not allow it\n  \
    7  the server does not answer or is sealed\n  \
    8  verified as consistent, but its signer is not proven";

impl Exit {
    /// The code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotVerified => 3,
            Self::Refused => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::Unavailable => 7,
            Self::SignerUnproven => 8,
        }
    }

    /// What a status of the API means for a script.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Refused,
            404 => Self::NotFound,
            409 => Self::Conflict,
            429 | 503 => Self::Unavailable,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_in_the_help() {
        for exit in [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::NotVerified,
            Exit::Refused,
            Exit::NotFound,
            Exit::Conflict,
            Exit::Unavailable,
            Exit::SignerUnproven,
        ] {
            assert!(HELP.contains(&format!("\n  {}  ", exit.code())), "{exit:?}");
        }
    }
}
