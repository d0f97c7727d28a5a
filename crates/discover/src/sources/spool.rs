//! Anonymous memory for what has no descriptor of its own: it has no name, and goes with its last
//! descriptor.

use super::{Opened, SourceError};
use rustix::fs::{MemfdFlags, SealFlags};
use std::fs::File;
use std::io::Write;

/// Bytes of one object that are held in memory at most, whatever a setting says.
pub(super) const BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Memory that is being filled.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    left: u64,
}

impl Spool {
    /// Takes up to so many bytes.
    pub(super) fn new(bytes_max: u64) -> Result<Self, SourceError> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = rustix::fs::memfd_create("object", flags).map_err(|_| full())?;
        Ok(Self { file: File::from(memory), left: bytes_max.min(BYTES_MAX) })
    }

    /// Adds bytes; false when there is no more room and a part was left out.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<bool, SourceError> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.file.write_all(taken).map_err(|_| full())?;
        self.left = self.left.saturating_sub(taken.len() as u64);
        Ok(taken.len() == bytes.len())
    }

    /// What was written, open for reading only and unchangeable from now on.
    pub(super) fn opened(self, hint: &str, sampled: bool) -> Result<Opened, SourceError> {
        let unchangeable = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&self.file, unchangeable).map_err(|_| full())?;
        let number = std::os::fd::AsRawFd::as_raw_fd(&self.file);
        let file = File::open(format!("/proc/self/fd/{number}")).map_err(|_| full())?;
        Ok(Opened { file, hint: hint.to_owned(), sampled })
    }
}

fn full() -> SourceError {
    SourceError::Unreadable("anonymous memory".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_spool_takes_its_limit_and_not_a_byte_more() {
        let mut spool = Spool::new(5).unwrap();
        assert!(spool.write(b"abc").unwrap());
        assert!(!spool.write(b"def").unwrap());
        assert!(!spool.write(b"g").unwrap());
        let mut opened = spool.opened("a.txt", true).unwrap();
        let mut text = String::new();
        opened.file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), opened.hint.as_str()), ("abcde", "a.txt"));
        assert!(opened.file.write_all(b"x").is_err(), "it is open for reading only");
        assert_eq!(Spool::new(u64::MAX).unwrap().left, BYTES_MAX);
    }
}
