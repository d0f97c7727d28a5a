//! Anonymous memory for what has no descriptor of its own: it has no name, and goes with its last
//! descriptor.
//!
//! All spools of the process share one limit. Who wants to spool reserves all that it may need at
//! once and before it holds anything else, and waits until there is room: the one that waits holds
//! nothing that another waits for.

use super::{Content, Opened, SourceError};
use rustix::fs::{MemfdFlags, SealFlags};
use std::fs::File;
use std::io::Write;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes that all spools of the process hold at most: with a server and eight workers that read,
/// less than 300 MB in all. Larger tables are sampled.
pub const SPOOL_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Room is given in pieces of so many bytes.
const PIECE_BYTES: u64 = 64 * 1024;

/// Pieces that are free; the limit has a thousand of them, so the number fits.
static FREE: Semaphore = Semaphore::const_new((SPOOL_BYTES_MAX / PIECE_BYTES) as usize);

/// A place in what the process may spool, free again when this is dropped.
#[derive(Debug)]
pub struct SpoolRoom(#[expect(dead_code, reason = "held for its drop")] SemaphorePermit<'static>);

/// Memory that is being filled.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    left: u64,
    room: SpoolRoom,
}

impl Spool {
    /// Takes up to so many bytes, once there is room for them.
    pub(super) async fn reserve(bytes_max: u64) -> Result<Self, SourceError> {
        let bytes_max = bytes_max.min(SPOOL_BYTES_MAX);
        let pieces = u32::try_from(bytes_max.div_ceil(PIECE_BYTES).max(1)).map_err(|_| full())?;
        let room = SpoolRoom(FREE.acquire_many(pieces).await.map_err(|_| full())?);
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = rustix::fs::memfd_create("object", flags).map_err(|_| full())?;
        Ok(Self { file: File::from(memory), left: bytes_max, room })
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
        let content = Content::Spooled(file, self.room);
        Ok(Opened { content, hint: hint.to_owned(), sampled })
    }
}

fn full() -> SourceError {
    SourceError::Unreadable("anonymous memory".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[tokio::test]
    async fn a_spool_takes_its_limit_and_not_a_byte_more() {
        let mut spool = Spool::reserve(5).await.unwrap();
        assert!(spool.write(b"abc").unwrap());
        assert!(!spool.write(b"def").unwrap());
        assert!(!spool.write(b"g").unwrap());
        let opened = spool.opened("a.txt", true).unwrap();
        assert_eq!(opened.hint, "a.txt");
        let mut file = opened.content.into_file().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcde");
        assert!(file.write_all(b"x").is_err(), "it is open for reading only");
    }

    #[tokio::test]
    async fn spools_wait_for_room_and_get_it_when_one_goes() {
        let all = Spool::reserve(u64::MAX).await.unwrap();
        assert_eq!(all.left, SPOOL_BYTES_MAX, "none takes more than there is");
        let opened = all.opened("a.csv", false).unwrap();
        let mut waiting = std::pin::pin!(Spool::reserve(1));
        let soon = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, &mut waiting).await.is_err(), "it is still held");
        drop(opened);
        assert_eq!(waiting.await.unwrap().left, 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_that_want_much_all_come_to_their_turn() {
        let each = |number: u64| async move {
            let wanted = SPOOL_BYTES_MAX / (1 + number % 3);
            let mut spool = Spool::reserve(wanted).await.unwrap();
            spool.write(&[7; 1_000]).unwrap();
            tokio::task::yield_now().await;
            // Whoever has one lets it go without waiting for anybody.
            drop(spool.opened("a", false).unwrap());
        };
        let tasks: Vec<_> = (0..64).map(|number| tokio::spawn(each(number))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
}
