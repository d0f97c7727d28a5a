//! Which words before a value may name it: the words of a stretch of blocks, each looked up at
//! most once, and only when a value near it asks.
//!
//! Most values stand in fields of records, and before most of them no word stands that any list
//! knows: that is found with a few operations on bits, and the reader of [`crate::topic`] is called
//! for the rest.

use crate::masks::{BLOCK, STRETCH};
use crate::topic::{self, FIELD_BYTES, Near, Topic, WORDS};
use std::cell::Cell;

/// Blocks before a stretch that hold words for what stands in it.
const BEFORE: usize = 2;

/// The words and lines of a stretch of blocks and of the two before it.
#[derive(Debug)]
pub(crate) struct Told {
    words: [Cell<u64>; STRETCH + BEFORE],
    lines: [u64; STRETCH + BEFORE],
    /// Blocks whose words have been looked up: bit n for block n. Of their words those are kept
    /// that some list has.
    known: Cell<u128>,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stand<'a> {
    /// The whole text.
    pub(crate) whole: &'a [u8],
    /// Where the value's block starts, and its number in the stretch.
    pub(crate) start: usize,
    pub(crate) number: usize,
    /// The value's place in the block.
    pub(crate) bit: u32,
}

impl Told {
    /// What stands before the first stretch of a text, which begins at this place.
    pub(crate) fn before(text: &[u8], at: usize) -> Self {
        let near = Near::read(text, at);
        let mut words = [const { Cell::new(0) }; STRETCH + BEFORE];
        let mut lines = [0; STRETCH + BEFORE];
        let ([.., first, second], [.., above, line]) = (&mut words, &mut lines);
        (*first, *second) = (Cell::new(low(near.words)), Cell::new(high(near.words)));
        (*above, *line) = (low(near.lines), high(near.lines));
        Self { words, lines, known: Cell::new(0) }
    }

    /// Goes on to the next stretch, with these words and lines.
    pub(crate) fn follow(&mut self, words: &[u64; STRETCH], lines: &[u64; STRETCH]) {
        self.words.rotate_left(STRETCH);
        self.lines.rotate_left(STRETCH);
        self.known.set(self.known.get() >> STRETCH);
        self.words.iter_mut().skip(BEFORE).zip(words).for_each(|(place, new)| place.set(*new));
        self.lines.iter_mut().skip(BEFORE).zip(lines).for_each(|(place, new)| *place = *new);
    }

    /// What the words before a value say, which stands at `at` in its part of the text.
    #[inline]
    pub(crate) fn topic(&self, stand: &Stand<'_>, part: &[u8], at: usize) -> Option<Topic> {
        let back = |n: usize| at.checked_sub(n).and_then(|i| part.get(i)).copied().unwrap_or(b' ');
        let mark = |byte: u8| matches!(byte, b',' | b'|' | b';');
        let field = mark(back(1)) || back(1) == b'"' && mark(back(2));
        if field && self.near_field(stand) == 0 {
            return None;
        }
        // A value that begins a line: the line above may announce it.
        if back(1) == b'\n' && !topic::announces(back(2)) {
            return None;
        }
        self.long(stand, part, at)
    }

    /// The words that may name a field, as bits: none if no list has any.
    #[inline]
    fn near_field(&self, stand: &Stand<'_>) -> u64 {
        let Stand { number, bit, .. } = *stand;
        let here = number + 1;
        let join = |before: u64, here: u64| match bit {
            0 => before,
            bit => before >> bit | here << (64 - bit),
        };
        let Some([above, line]) = self.lines.get(here..).and_then(<[u64]>::first_chunk) else {
            return u64::MAX;
        };
        // What stands on the lines above is no part of the record.
        let line = join(*above, *line).leading_zeros().min(FIELD_BYTES);
        let reach = !(u64::MAX >> line);
        let Some([before, words]) = self.words.get(here..).and_then(<[_]>::first_chunk) else {
            return u64::MAX;
        };
        let raw = join(before.get(), words.get()) & reach;
        if raw == 0 {
            return 0;
        }
        self.look_up(stand, here);
        self.look_up(stand, here + 1);
        join(before.get(), words.get()) & reach
    }

    /// The same for any value, with all that may name it.
    #[inline(never)]
    fn long(&self, stand: &Stand<'_>, part: &[u8], at: usize) -> Option<Topic> {
        let Stand { number, bit, .. } = *stand;
        for block in number..=number + BEFORE {
            self.look_up(stand, block);
        }
        let [above, before, here] = self.words.get(number..)?.first_chunk()?;
        let words = ending(above.get(), before.get(), here.get(), bit);
        if words == 0 {
            return None;
        }
        let [above, before, here] = *self.lines.get(number..)?.first_chunk()?;
        topic::before(part, at, &Near { words, lines: ending(above, before, here, bit) })
    }

    /// Keeps of a block's words those that some list has.
    #[inline]
    fn look_up(&self, stand: &Stand<'_>, block: usize) {
        if self.known.get() >> block & 1 == 0 {
            self.look_up_now(stand, block);
        }
    }

    fn look_up_now(&self, stand: &Stand<'_>, block: usize) {
        let Some(words) = self.words.get(block) else { return };
        let first = stand.start.wrapping_add(block * BLOCK);
        let first = first.wrapping_sub((stand.number + BEFORE) * BLOCK);
        let lists = &*WORDS;
        let (mut bits, mut kept) = (words.get(), 0);
        while bits != 0 {
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            kept |= u64::from(lists.has(stand.whole, first.wrapping_add(bit as usize))) << bit;
        }
        words.set(kept);
        self.known.set(self.known.get() | 1 << block);
    }
}

/// The bits of the 128 bytes that end before byte `bit` of the last of three blocks.
fn ending(above: u64, before: u64, here: u64, bit: u32) -> u128 {
    let two = u128::from(before) << 64 | u128::from(above);
    match bit {
        0 => two,
        bit => two >> bit | u128::from(here) << (128 - bit),
    }
}

/// The upper half: nothing of it is lost.
fn high(bits: u128) -> u64 {
    u64::try_from(bits >> 64).unwrap_or(u64::MAX)
}

/// The lower half.
fn low(bits: u128) -> u64 {
    high(bits << 64)
}
