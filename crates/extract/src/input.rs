//! Objects as they are handed in, and what is counted while they are read.

use crate::obstacle::Obstacle;
use crate::{Limits, TroubleKind};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

/// An object that was opened by somebody else: a file handed in as a descriptor, or bytes.
pub trait Input: Read + Seek {
    /// The first place from `from` on where data may stand, where the system knows holes.
    fn next_data(&mut self, from: u64) -> Option<u64> {
        Some(from)
    }
}

impl Input for File {
    fn next_data(&mut self, from: u64) -> Option<u64> {
        match rustix::fs::seek(&*self, rustix::fs::SeekFrom::Data(from)) {
            Ok(place) => Some(place),
            // Behind the last data there is only a hole.
            Err(rustix::io::Errno::NXIO) => None,
            Err(_) => Some(from),
        }
    }
}

impl<T: AsRef<[u8]>> Input for io::Cursor<T> {}

/// Reading and seeking together, for formats with a directory.
pub(crate) trait ReadSeek: Read + Seek {
    /// From now on holes are left out: for texts only, which have no places inside.
    fn skip_holes(&mut self) {}
}

impl<T: AsRef<[u8]>> ReadSeek for io::Cursor<T> {}

impl ReadSeek for Watched<'_> {
    fn skip_holes(&mut self) {
        self.skips = true;
    }
}

/// Where the bytes of a thing come from.
pub(crate) enum Source<'a> {
    /// The object itself, or bytes that are held already.
    Whole(&'a mut dyn ReadSeek),
    /// A member of a container: it can be read once.
    Stream(&'a mut dyn Read),
}

/// The object as read: tells the caller how far, and skips the holes of sparse files.
pub(crate) struct Watched<'a> {
    input: &'a mut dyn Input,
    progress: &'a mut dyn FnMut(u64),
    failed: Rc<Cell<bool>>,
    size: u64,
    place: u64,
    read: u64,
    skips: bool,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(
        input: &'a mut dyn Input,
        progress: &'a mut dyn FnMut(u64),
        failed: Rc<Cell<bool>>,
    ) -> io::Result<Self> {
        let size = input.seek(SeekFrom::End(0))?;
        input.rewind()?;
        Ok(Self { input, progress, failed, size, place: 0, read: 0, skips: false })
    }

    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Bytes read so far; what was read twice counts once at most.
    pub(crate) fn consumed(&self) -> u64 {
        self.read.min(self.size)
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.input.read(buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(_) => {
                self.failed.set(true);
                let detail = "the object could not be read to its end";
                return Err(Obstacle { kind: TroubleKind::Unreadable, detail }.into_io());
            }
        };
        self.place += count as u64;
        self.read += count as u64;
        let got = buffer.get(..count).unwrap_or_default();
        if self.skips && count >= HOLE_BYTES_MIN && got.iter().all(|byte| *byte == 0) {
            let next = self.input.next_data(self.place).unwrap_or(self.size);
            if next > self.place {
                self.read += next - self.place;
                self.place = self.input.seek(SeekFrom::Start(next))?;
            } else {
                self.input.seek(SeekFrom::Start(self.place))?;
            }
        }
        if count > 0 {
            let consumed = self.consumed();
            (self.progress)(consumed);
        }
        Ok(count)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.place = self.input.seek(to)?;
        Ok(self.place)
    }
}

/// So many zeros in one piece may stand before a hole.
const HOLE_BYTES_MIN: usize = 4_096;

/// What was unpacked so far, shared by all readers of one inspection.
#[derive(Debug)]
pub(crate) struct Budget {
    unpacked: Cell<u64>,
    allowed: u64,
}

impl Budget {
    pub(crate) fn new(object_bytes: u64, limits: &Limits) -> Self {
        let by_ratio = object_bytes.saturating_mul(limits.unpacked_ratio_max);
        let allowed = by_ratio.max(limits.unpacked_bytes_free).min(limits.unpacked_bytes_max);
        Self { unpacked: Cell::new(0), allowed }
    }

    /// Counts unpacked bytes.
    pub(crate) fn spend(&self, bytes: u64) -> Result<(), Obstacle> {
        self.unpacked.set(self.unpacked.get().saturating_add(bytes));
        if self.unpacked.get() > self.allowed {
            return Err(Obstacle::too_large("it unpacks to more than the limits allow"));
        }
        Ok(())
    }
}

/// A reader of unpacked bytes that ends with an error when the budget is spent.
pub(crate) struct Metered<R> {
    inner: R,
    budget: Rc<Budget>,
}

impl<R: Read> Metered<R> {
    pub(crate) const fn new(inner: R, budget: Rc<Budget>) -> Self {
        Self { inner, budget }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.budget.spend(count as u64).map_err(Obstacle::into_io)?;
        Ok(count)
    }
}

/// Fills the buffer as far as there are bytes.
pub(crate) fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, Obstacle> {
    let mut filled = 0;
    while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
        match reader.read(free) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}
