//! An object that is elsewhere, as a worker reads it: in blocks, some of which it keeps.
//!
//! Who reads from front to end gets larger and larger ranges; who jumps about gets one block at a
//! time, and blocks that were read lately stay.

use super::frame::{RANGE_BYTES_MAX, Want};
use std::collections::VecDeque;
use std::io::{Error, ErrorKind, SeekFrom};

/// Bytes of a block: a jump costs no more.
const BLOCK_BYTES: u32 = 256 * 1024;
/// Blocks that one range has at most, and that are kept.
const BLOCKS_MAX: u32 = RANGE_BYTES_MAX / BLOCK_BYTES;

/// The object.
#[derive(Debug)]
pub(super) struct Elsewhere {
    bytes: u64,
    place: u64,
    /// Blocks by number, the one that came last at the end.
    blocks: VecDeque<(u64, Vec<u8>)>,
    /// The block after the last range, and how many blocks that range had.
    next: u64,
    last: u32,
}

impl Elsewhere {
    pub(super) const fn new(bytes: u64) -> Self {
        Self { bytes, place: 0, blocks: VecDeque::new(), next: 0, last: 0 }
    }

    pub(super) fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.place.checked_add_signed(by),
        };
        self.place = place.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.place)
    }

    /// Reads on; `fetch` gets what is not here. A range that comes back shorter than it was wanted
    /// cannot be had.
    pub(super) fn read_with(
        &mut self,
        into: &mut [u8],
        fetch: &mut dyn FnMut(Want) -> std::io::Result<Vec<u8>>,
    ) -> std::io::Result<usize> {
        if self.place >= self.bytes || into.is_empty() {
            return Ok(0);
        }
        let number = self.place / u64::from(BLOCK_BYTES);
        if !self.blocks.iter().any(|(block, _)| *block == number) {
            self.fetch(number, fetch)?;
        }
        let inside = usize::try_from(self.place % u64::from(BLOCK_BYTES)).unwrap_or(0);
        let found = self.blocks.iter().find(|(block, _)| *block == number);
        let rest = found.and_then(|(_, bytes)| bytes.get(inside..)).unwrap_or_default();
        let count = rest.len().min(into.len());
        for (to, from) in into.iter_mut().zip(rest) {
            *to = *from;
        }
        self.place = self.place.saturating_add(count as u64);
        Ok(count)
    }

    fn fetch(
        &mut self,
        number: u64,
        fetch: &mut dyn FnMut(Want) -> std::io::Result<Vec<u8>>,
    ) -> std::io::Result<()> {
        let blocks = match number == self.next {
            true => self.last.saturating_mul(2).clamp(1, BLOCKS_MAX),
            false => 1,
        };
        let from = number.saturating_mul(u64::from(BLOCK_BYTES));
        let bytes = self.bytes.saturating_sub(from).min(u64::from(blocks * BLOCK_BYTES));
        let bytes = u32::try_from(bytes).unwrap_or(BLOCK_BYTES);
        let range = fetch(Want { from, bytes })?;
        if u32::try_from(range.len()) != Ok(bytes) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let block_bytes = usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX);
        for (number, block) in (number..).zip(range.chunks(block_bytes)) {
            self.blocks.retain(|(other, _)| *other != number);
            self.blocks.push_back((number, block.to_vec()));
        }
        let kept = usize::try_from(BLOCKS_MAX).unwrap_or(usize::MAX);
        while self.blocks.len() > kept {
            self.blocks.pop_front();
        }
        (self.next, self.last) = (number.saturating_add(u64::from(blocks)), blocks);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|place| u8::try_from(place * 31 % 251).unwrap()).collect()
    }

    fn range(content: &[u8], want: Want) -> std::io::Result<Vec<u8>> {
        let from = usize::try_from(want.from).unwrap();
        Ok(content[from..from + usize::try_from(want.bytes).unwrap()].to_vec())
    }

    #[test]
    fn from_front_to_end_ranges_grow_and_nothing_is_asked_for_twice() {
        let content = content(5_000_001);
        let (mut wants, mut seen) = (Vec::new(), Vec::new());
        let mut object = Elsewhere::new(content.len() as u64);
        let mut buffer = vec![0; 70_000];
        loop {
            let fetch = &mut |want: Want| {
                wants.push(want);
                range(&content, want)
            };
            let count = object.read_with(&mut buffer, fetch).unwrap();
            if count == 0 {
                break;
            }
            seen.extend_from_slice(&buffer[..count]);
        }
        assert!(seen == content);
        let sizes: Vec<u32> = wants.iter().map(|want| want.bytes / BLOCK_BYTES).collect();
        assert_eq!(sizes, [1, 2, 4, 8, 4]);
        assert_eq!(wants.iter().map(|want| u64::from(want.bytes)).sum::<u64>(), 5_000_001);
    }

    #[test]
    fn a_range_that_cannot_be_had_is_an_error_and_never_an_end() {
        let mut object = Elsewhere::new(10);
        for short in [0, 9] {
            let read = object.read_with(&mut [0; 4], &mut |_| Ok(vec![0; short]));
            assert_eq!(read.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
        assert_eq!(object.read_with(&mut [0; 4], &mut |_| Ok(vec![7; 10])).unwrap(), 4);
        assert_eq!(object.seek(SeekFrom::End(0)).unwrap(), 10);
        assert_eq!(object.read_with(&mut [0; 4], &mut |_| Ok(Vec::new())).unwrap(), 0);
        assert!(object.seek(SeekFrom::Current(-11)).is_err());
    }

    proptest! {
        #[test]
        fn jumping_about_reads_what_stands_there(
            jumps in prop::collection::vec((0u64..1_500_000, 1usize..300_000), 1..20),
        ) {
            let content = content(1_400_000);
            let mut object = Elsewhere::new(content.len() as u64);
            for (place, length) in jumps {
                object.seek(SeekFrom::Start(place)).unwrap();
                let mut buffer = vec![0; length];
                let count = object.read_with(&mut buffer, &mut |want| range(&content, want)).unwrap();
                let from = usize::try_from(place).unwrap().min(content.len());
                prop_assert!(buffer[..count] == content[from..from + count]);
                prop_assert!(count > 0 || from == content.len());
                prop_assert!(object.blocks.len() <= usize::try_from(BLOCKS_MAX).unwrap());
            }
        }
    }
}
