//! Which bytes of a block belong to which class, as bits: the part of a scan that touches every
//! byte.
//!
//! Classes are computed for sixty-four bytes at once by comparisons that the compiler turns into
//! vector instructions, then turned over: a matrix of eight by eight bits, eight bytes at a time,
//! so that each class becomes one word of sixty-four bits.

/// How many bytes one block has.
pub(crate) const BLOCK: usize = 64;

const DIGIT: u32 = 0;
const UPPER: u32 = 1;
const LOWER: u32 = 2;
const SIGN: u32 = 3;
const JOINT: u32 = 4;
const WIDE: u32 = 5;
const COLON: u32 = 6;

/// The classes of one block: bit n of each word is byte n.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    pub(crate) digit: u64,
    pub(crate) upper: u64,
    pub(crate) lower: u64,
    /// `@`.
    pub(crate) sign: u64,
    /// `_` and `-`, which join words.
    pub(crate) joint: u64,
    /// First bytes of characters of three bytes or more.
    pub(crate) wide: u64,
    /// `:` and `=`.
    pub(crate) colon: u64,
}

impl Classes {
    /// The classes of a block.
    pub(crate) fn of(block: &[u8; BLOCK]) -> Self {
        let mut class = [0u8; BLOCK];
        for (class, byte) in class.iter_mut().zip(block) {
            *class = class_of(*byte);
        }
        let mut words = [0u64; 8];
        for (word, eight) in words.iter_mut().zip(class.as_chunks::<8>().0) {
            *word = turn(u64::from_le_bytes(*eight));
        }
        // Byte k of every word belongs to class k.
        let words = turn_bytes(words);
        let [digit, upper, lower, sign, joint, wide, colon, _] = words;
        Self { digit, upper, lower, sign, joint, wide, colon }
    }
}

/// The classes of one byte as bits.
const fn class_of(byte: u8) -> u8 {
    ((byte.wrapping_sub(b'0') < 10) as u8) << DIGIT
        | ((byte.wrapping_sub(b'A') < 26) as u8) << UPPER
        | ((byte.wrapping_sub(b'a') < 26) as u8) << LOWER
        | ((byte == b'@') as u8) << SIGN
        | (((byte == b'_') | (byte == b'-')) as u8) << JOINT
        | ((byte >= 0xe0) as u8) << WIDE
        | (((byte == b':') | (byte == b'=')) as u8) << COLON
}

/// Turns a matrix of eight by eight bits: bit c of byte r becomes bit r of byte c.
const fn turn(mut x: u64) -> u64 {
    let t = (x ^ (x >> 7)) & 0x00aa_00aa_00aa_00aa;
    x = x ^ t ^ (t << 7);
    let t = (x ^ (x >> 14)) & 0x0000_cccc_0000_cccc;
    x = x ^ t ^ (t << 14);
    let t = (x ^ (x >> 28)) & 0x0000_0000_f0f0_f0f0;
    x ^ t ^ (t << 28)
}

/// Turns a matrix of eight by eight bytes: byte c of word r becomes byte r of word c.
fn turn_bytes(mut w: [u64; 8]) -> [u64; 8] {
    for (step, mask) in
        [(4u32, 0x0000_0000_ffff_ffffu64), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)]
    {
        let mut next = w;
        for row in 0..8usize {
            let partner = row ^ step as usize;
            let (Some(a), Some(b)) = (w.get(row), w.get(partner)) else { continue };
            let value = if row & step as usize == 0 {
                (a & mask) | ((b & mask) << (8 * step))
            } else {
                ((b >> (8 * step)) & mask) | (a & !mask)
            };
            if let Some(place) = next.get_mut(row) {
                *place = value;
            }
        }
        w = next;
    }
    w
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]
        #[test]
        fn every_bit_says_what_its_byte_is(bytes in proptest::collection::vec(any::<u8>(), BLOCK)) {
            let block: [u8; BLOCK] = bytes.try_into().unwrap();
            let found = Classes::of(&block);
            let words = [
                found.digit, found.upper, found.lower, found.sign, found.joint, found.wide,
                found.colon,
            ];
            for (i, byte) in block.iter().enumerate() {
                for (k, word) in words.iter().enumerate() {
                    prop_assert_eq!((word >> i & 1) as u8, class_of(*byte) >> k & 1, "byte {}", i);
                }
            }
        }
    }
}
