//! The text of a checkpoint as C2SP `tlog-checkpoint` has it: origin, size, root, extension lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// Most extension lines of one checkpoint.
pub const EXTENSIONS_MAX: usize = 16;
/// Longest line of a checkpoint, in bytes.
pub const LINE_BYTES_MAX: usize = 1_024;

/// Why a text is not a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Not three or more non-empty lines, each with its line break.
    #[error("not a checkpoint: origin, size and root lines are expected")]
    Malformed,
    /// The second line is not a number without leading zeroes.
    #[error("line 2 of the checkpoint is not a tree size")]
    BadSize,
    /// The third line is not the base64 of 32 bytes.
    #[error("line 3 of the checkpoint is not a root hash")]
    BadRoot,
    /// A line or the number of lines is over its limit.
    #[error("a line of the checkpoint is too long, or there are too many")]
    TooLong,
}

/// What a log says about itself: so many entries, and this root over them.
/// ```
/// use wire::checkpoint::{Checkpoint, hash_text};
/// let text = format!("lionrock.sample/log/0\n15368377\n{}\n", hash_text(&[7; 32]));
/// let checkpoint = Checkpoint::parse(&text).unwrap();
/// assert_eq!((checkpoint.size, checkpoint.root), (15_368_377, [7; 32]));
/// assert!(Checkpoint::parse("lionrock.sample/log/0\n015\n").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root of the Merkle tree over them (RFC 6962, section 2.1).
    pub root: [u8; 32],
    /// Lines that the log adds; ours adds `state <base64>`, the digest of the store.
    pub extensions: Vec<String>,
}

/// A number as these formats write it: decimal, no sign, no leading zeroes.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let leading = text.len() > 1 && text.starts_with('0');
    if plain && !leading { text.parse().ok() } else { None }
}

/// A hash of 32 bytes as these formats write it: canonical base64.
#[must_use]
pub fn parse_hash(text: &str) -> Option<[u8; 32]> {
    if text.len() != 44 {
        return None;
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// A hash as these formats write it.
#[must_use]
pub fn hash_text(hash: &[u8; 32]) -> String {
    STANDARD.encode(hash)
}

impl Checkpoint {
    /// Reads the text of a note as a checkpoint.
    ///
    /// # Errors
    /// The line at fault.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Malformed)?;
        let mut lines = body.split('\n');
        let mut line = || {
            let line = lines.next().ok_or(CheckpointError::Malformed)?;
            if line.len() > LINE_BYTES_MAX {
                return Err(CheckpointError::TooLong);
            }
            if line.is_empty() { Err(CheckpointError::Malformed) } else { Ok(line) }
        };
        let origin = line()?.to_owned();
        let size = parse_size(line()?).ok_or(CheckpointError::BadSize)?;
        let root = parse_hash(line()?).ok_or(CheckpointError::BadRoot)?;
        let mut extensions = Vec::new();
        for extension in lines {
            if extension.is_empty() {
                return Err(CheckpointError::Malformed);
            }
            if extension.len() > LINE_BYTES_MAX || extensions.len() >= EXTENSIONS_MAX {
                return Err(CheckpointError::TooLong);
            }
            extensions.push(extension.to_owned());
        }
        Ok(Self { origin, size, root, extensions })
    }

    /// What stands after a word and a space in an extension line.
    #[must_use]
    pub fn extension(&self, word: &str) -> Option<&str> {
        self.extensions.iter().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, hash_text(&self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_example_of_the_standard_reads_back() {
        let checkpoint = Checkpoint::parse(EXAMPLE).unwrap();
        assert_eq!((checkpoint.size, checkpoint.root[0]), (20_852_163, 0x0a));
        assert_eq!(checkpoint.to_string(), EXAMPLE);
        let extended = Checkpoint::parse(&format!("{EXAMPLE}state abc\n")).unwrap();
        assert_eq!(extended.extension("state"), Some("abc"));
        assert_eq!(extended.extension("stat"), None);
    }

    #[test]
    fn what_is_not_a_checkpoint_is_refused_with_its_line() {
        let change = |from: &str, to: &str| Checkpoint::parse(&EXAMPLE.replace(from, to));
        assert_eq!(change("20852163", "020852163"), Err(CheckpointError::BadSize));
        assert_eq!(change("20852163", "-1"), Err(CheckpointError::BadSize));
        assert_eq!(change("20852163", "18446744073709551616"), Err(CheckpointError::BadSize));
        assert_eq!(change("q2I=", "q2J="), Err(CheckpointError::BadRoot));
        assert_eq!(change("q2I=", "q2I"), Err(CheckpointError::BadRoot));
        assert_eq!(change("example.com/behind-the-sofa", ""), Err(CheckpointError::Malformed));
        let empty_extension = format!("{EXAMPLE}\nx\n");
        assert_eq!(Checkpoint::parse(&empty_extension), Err(CheckpointError::Malformed));
        assert_eq!(Checkpoint::parse("a\n1\n"), Err(CheckpointError::Malformed));
        let many = format!("{EXAMPLE}{}", "x\n".repeat(EXTENSIONS_MAX + 1));
        assert_eq!(Checkpoint::parse(&many), Err(CheckpointError::TooLong));
        let long = format!("{EXAMPLE}{}\n", "x".repeat(LINE_BYTES_MAX + 1));
        assert_eq!(Checkpoint::parse(&long), Err(CheckpointError::TooLong));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_reads_is_written_the_same(text in "(?s).{0,200}") {
            if let Ok(checkpoint) = Checkpoint::parse(&text) {
                prop_assert_eq!(checkpoint.to_string(), text);
            }
        }
    }
}
