//! One event as it leaves the log: a line of JSON with everything needed to hash it again.

use crate::hash::Hash;
use crate::leaf::{Salt, leaf_hash, salted};
use crate::proof::PROOF_HASHES_MAX;
use kernel::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};

/// Longest line of an export or of evidence, in bytes: an event has at most 32 details of 1 kB, and
/// escaping doubles a character at most six times.
pub const LINE_BYTES_MAX: usize = 512 * 1024;
/// Most lines that are read from one file of evidence.
pub const LINES_MAX: usize = 1_000_000;

/// The personal part of an event in the clear, with its salt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonalText {
    /// The salt before the text.
    pub salt: Salt,
    /// The JSON text exactly as it was hashed: a list of pairs.
    pub text: String,
}

/// One event of the log with what is needed to recompute its leaf.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its position in the log, from 0.
    pub position: u64,
    /// The public part: JSON text exactly as it was hashed.
    pub public: String,
    /// The salt before the public part.
    pub public_salt: Salt,
    /// The hash of the personal part; zero bytes when the event has none.
    pub personal_hash: Hash,
    /// The personal part, where it was asked for and its key still exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<PersonalText>,
    /// The inclusion proof, where the line is evidence: hashes from the leaf to the root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Hash>,
}

impl Line {
    /// The hash of this event's entry in the tree.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        leaf_hash(&salted(&self.public_salt, self.public.as_bytes()), &self.personal_hash)
    }

    /// Whether the personal text, if it is there, is what the personal hash was made of.
    #[must_use]
    pub fn personal_fits(&self) -> bool {
        let fits = |p: &PersonalText| salted(&p.salt, p.text.as_bytes()) == self.personal_hash;
        self.personal.as_ref().is_none_or(fits)
    }
}

/// Which line of a file of evidence cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// A line is not JSON of the expected form.
    #[error("line {line} is not an event of a log")]
    Malformed {
        /// The number of the line, from 1.
        line: usize,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// A line is longer than [`LINE_BYTES_MAX`] or has too long a proof.
    #[error("line {line} is too long")]
    TooLong {
        /// The number of the line, from 1.
        line: usize,
    },
    /// There are more than [`LINES_MAX`] lines.
    #[error("there are more than {LINES_MAX} lines")]
    TooMany,
}

impl From<LineError> for Problem {
    fn from(cause: LineError) -> Self {
        Self::new(ProblemKind::Invalid, "not-evidence", cause.to_string())
    }
}

/// Reads lines of an export or of evidence.
///
/// # Errors
/// The first line at fault.
pub fn read_lines(bytes: &[u8]) -> Result<Vec<Line>, LineError> {
    let mut lines = Vec::new();
    for (at, text) in bytes.split(|b| *b == b'\n').enumerate() {
        let line = at + 1;
        if text.is_empty() {
            continue;
        }
        if text.len() > LINE_BYTES_MAX {
            return Err(LineError::TooLong { line });
        }
        if lines.len() >= LINES_MAX {
            return Err(LineError::TooMany);
        }
        let read: Line =
            serde_json::from_slice(text).map_err(|cause| LineError::Malformed { line, cause })?;
        if read.path.len() > PROOF_HASHES_MAX {
            return Err(LineError::TooLong { line });
        }
        lines.push(read);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line() -> Line {
        let salt = Salt([2; 16]);
        let text = String::from("[[\"address\",\"192.0.2.1\"]]");
        Line {
            position: 3,
            public: String::from("{\"at\":\"x\"}"),
            public_salt: Salt([1; 16]),
            personal_hash: salted(&salt, text.as_bytes()),
            personal: Some(PersonalText { salt, text }),
            path: vec![Hash([5; 32])],
        }
    }

    #[test]
    fn a_line_reads_back_and_keeps_its_leaf() {
        let json = serde_json::to_string(&line()).unwrap();
        let read = read_lines(format!("{json}\n\n{json}\n").as_bytes()).unwrap();
        assert_eq!(read, [line(), line()]);
        assert!(read[0].personal_fits());
        let shredded = Line { personal: None, ..line() };
        assert_eq!(shredded.leaf(), line().leaf());
        let mut altered = line();
        altered.personal = Some(PersonalText { salt: Salt([2; 16]), text: "[]".into() });
        assert!(!altered.personal_fits());
    }

    #[test]
    fn the_line_at_fault_is_named_and_limits_hold() {
        let json = serde_json::to_string(&line()).unwrap();
        let wrong = format!("{json}\n{{}}\n");
        let error = read_lines(wrong.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "line 2 is not an event of a log");
        let long = "x".repeat(LINE_BYTES_MAX + 1);
        assert!(matches!(read_lines(long.as_bytes()), Err(LineError::TooLong { line: 1 })));
        let path = vec![Hash::ZERO; PROOF_HASHES_MAX + 1];
        let long = serde_json::to_string(&Line { path, ..line() }).unwrap();
        assert!(matches!(read_lines(long.as_bytes()), Err(LineError::TooLong { line: 1 })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_lines(&bytes);
        }
    }
}
