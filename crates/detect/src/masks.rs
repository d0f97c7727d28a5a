//! Which bytes of a text belong to which class, as bits: the part of a scan that touches every
//! byte.
//!
//! Sixty-four bytes at a time are compared with vector instructions, the widest that the processor
//! has, and each class becomes one word of sixty-four bits. Without vector instructions the same
//! comparisons go byte by byte, with the same results.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x64};

/// How many bytes one block has.
pub(crate) const BLOCK: usize = 64;

/// Blocks that are classified together.
pub(crate) const STRETCH: usize = 32;
/// The most blocks that are looked at at once.
pub(crate) const LANES_MAX: usize = 8;
/// The same with the block before them and the block after.
const ROW: usize = STRETCH + 2;

/// One class of a stretch of blocks: a word for each block, in which bit n is byte n.
pub(crate) type Row = [u64; ROW];

/// The classes that the places of candidates are found with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Classes<T> {
    pub(crate) digit: T,
    pub(crate) upper: T,
    pub(crate) lower: T,
    /// `a` to `f` in either case.
    pub(crate) hex_letter: T,
    /// Letters in either case that end a word for a secret: d, e, n, s, t, y.
    pub(crate) tail: T,
    /// No ASCII.
    pub(crate) high: T,
    /// First bytes of characters of three bytes or more.
    pub(crate) wide: T,
    /// `@`.
    pub(crate) sign: T,
    pub(crate) minus: T,
    pub(crate) under: T,
    pub(crate) dot: T,
    /// `+`, `%` and `#`, which join what stands on both sides.
    pub(crate) tie: T,
    pub(crate) slash: T,
    pub(crate) colon: T,
    pub(crate) equals: T,
    pub(crate) space: T,
    pub(crate) comma: T,
    /// `<`.
    pub(crate) angle: T,
    /// `>`.
    pub(crate) close: T,
    /// `$`.
    pub(crate) dollar: T,
    /// `r` and `w` in either case, before the `d` of `password` and `passwd`.
    pub(crate) r_or_w: T,
    /// `d` in either case.
    pub(crate) d: T,
    /// Line feeds.
    pub(crate) feed: T,
    /// `"`, `'`, `` ` `` and `]`, which may stand between a name and its sign.
    pub(crate) quote: T,
}

impl<T> Classes<T> {
    /// The same classes in another form.
    #[inline(always)]
    pub(crate) fn convert<U>(&self, to: &impl Form<T, U>) -> Classes<U> {
        Classes {
            digit: to.form(&self.digit),
            upper: to.form(&self.upper),
            lower: to.form(&self.lower),
            hex_letter: to.form(&self.hex_letter),
            tail: to.form(&self.tail),
            high: to.form(&self.high),
            wide: to.form(&self.wide),
            sign: to.form(&self.sign),
            minus: to.form(&self.minus),
            under: to.form(&self.under),
            dot: to.form(&self.dot),
            tie: to.form(&self.tie),
            slash: to.form(&self.slash),
            colon: to.form(&self.colon),
            equals: to.form(&self.equals),
            space: to.form(&self.space),
            comma: to.form(&self.comma),
            angle: to.form(&self.angle),
            close: to.form(&self.close),
            dollar: to.form(&self.dollar),
            r_or_w: to.form(&self.r_or_w),
            d: to.form(&self.d),
            feed: to.form(&self.feed),
            quote: to.form(&self.quote),
        }
    }
}

/// How one form of a class is made of another; a trait and no closure, so that it is always inlined
/// into the code for the processor's instructions.
pub(crate) trait Form<T, U> {
    /// The class in the other form.
    fn form(&self, class: &T) -> U;
}

struct Empty;

impl Form<(), Row> for Empty {
    #[inline(always)]
    fn form(&self, (): &()) -> Row {
        [0; ROW]
    }
}

/// The classes of the bytes around a place, of a mail address: bit 0 is the first byte after it,
/// bit 63 the last byte before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sides {
    pub(crate) before: Parts,
    pub(crate) after: Parts,
}

/// What mail addresses are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) letter: u64,
    pub(crate) digit: u64,
    pub(crate) dot: u64,
    pub(crate) minus: u64,
    pub(crate) under: u64,
}

impl Parts {
    fn of(form: impl Fn(&Row) -> u64, classes: &Classes<Row>) -> Self {
        Self {
            letter: form(&classes.upper) | form(&classes.lower),
            digit: form(&classes.digit),
            dot: form(&classes.dot),
            minus: form(&classes.minus),
            under: form(&classes.under),
        }
    }
}

impl Classes<Row> {
    /// The sixty-four bytes before a byte of a block, and those after it.
    #[inline]
    pub(crate) fn sides(&self, number: usize, bit: u32) -> Sides {
        let three = |row: &Row| {
            let words = row.get(number..).and_then(<[u64]>::first_chunk::<3>);
            words.copied().unwrap_or_default()
        };
        let before = |row: &Row| {
            let [before, here, _] = three(row);
            before >> bit | (here << 1) << (63 - bit)
        };
        let after = |row: &Row| {
            let [_, here, after] = three(row);
            (here >> 1) >> bit | after << (63 - bit)
        };
        Sides { before: Parts::of(before, self), after: Parts::of(after, self) }
    }

    /// Of no text yet.
    pub(crate) fn empty() -> Self {
        Classes::<()>::default().convert(&Empty)
    }

    #[inline(always)]
    fn put(&mut self, number: usize, block: &Classes<u64>) {
        put(&mut self.digit, number, block.digit);
        put(&mut self.upper, number, block.upper);
        put(&mut self.lower, number, block.lower);
        put(&mut self.hex_letter, number, block.hex_letter);
        put(&mut self.tail, number, block.tail);
        put(&mut self.high, number, block.high);
        put(&mut self.wide, number, block.wide);
        put(&mut self.sign, number, block.sign);
        put(&mut self.minus, number, block.minus);
        put(&mut self.under, number, block.under);
        put(&mut self.dot, number, block.dot);
        put(&mut self.tie, number, block.tie);
        put(&mut self.slash, number, block.slash);
        put(&mut self.colon, number, block.colon);
        put(&mut self.equals, number, block.equals);
        put(&mut self.space, number, block.space);
        put(&mut self.comma, number, block.comma);
        put(&mut self.angle, number, block.angle);
        put(&mut self.close, number, block.close);
        put(&mut self.dollar, number, block.dollar);
        put(&mut self.r_or_w, number, block.r_or_w);
        put(&mut self.d, number, block.d);
        put(&mut self.feed, number, block.feed);
        put(&mut self.quote, number, block.quote);
    }
}

#[inline(always)]
fn put(row: &mut Row, number: usize, bits: u64) {
    if let Some(word) = row.get_mut(number) {
        *word = bits;
    }
}

/// The classes of the blocks of a text from `base` on: one block before it, [`STRETCH`] blocks, one
/// after, in the room that the last stretch had. Bytes outside the text are in no class.
pub(crate) fn classify(level: Level, text: &[u8], base: usize, classes: &mut Classes<Row>) {
    dispatch!(level, simd => rows(simd, text, base, 0, classes));
}

/// The same where the room holds the stretch right before: its last two blocks are known.
pub(crate) fn classify_on(level: Level, text: &[u8], base: usize, classes: &mut Classes<Row>) {
    for number in 0..2 {
        let known = classes.convert(&Word(STRETCH + number));
        classes.put(number, &known);
    }
    dispatch!(level, simd => rows(simd, text, base, 2, classes));
}

/// One block of a row.
struct Word(usize);

impl Form<Row, u64> for Word {
    #[inline(always)]
    fn form(&self, row: &Row) -> u64 {
        row.get(self.0).copied().unwrap_or(0)
    }
}

/// Inlined into the code for each set of instructions.
#[inline(always)]
fn rows<S: Simd>(simd: S, text: &[u8], base: usize, first: usize, classes: &mut Classes<Row>) {
    let blocks = text.len().saturating_sub(base).div_ceil(BLOCK) + 1;
    for number in first..ROW.min(blocks) {
        let bytes = bytes(text, base, number);
        classes.put(number, &block(simd, &bytes));
    }
    // What the last stretch left behind the text.
    for number in blocks..ROW.min(blocks.next_multiple_of(LANES_MAX) + LANES_MAX) {
        classes.put(number, &Classes::default());
    }
}

/// The bytes of the block before `base` or of one from there on; zero where the text has none.
#[inline(always)]
fn bytes(text: &[u8], base: usize, number: usize) -> [u8; BLOCK] {
    let start = (base + number * BLOCK).checked_sub(BLOCK);
    let whole = start.and_then(|at| text.get(at..)?.first_chunk::<BLOCK>());
    whole.copied().unwrap_or_else(|| edge(text, base, number))
}

/// The same at the edges of the text.
#[cold]
fn edge(text: &[u8], base: usize, number: usize) -> [u8; BLOCK] {
    std::array::from_fn(|i| {
        let at = (base + number * BLOCK + i).checked_sub(BLOCK);
        at.and_then(|at| text.get(at)).copied().unwrap_or(0)
    })
}

/// The classes of one block.
#[inline(always)]
fn block<S: Simd>(simd: S, block: &[u8; BLOCK]) -> Classes<u64> {
    let bytes = u8x64::from_slice(simd, block);
    // Letters without case; other bytes change too, but none becomes a letter.
    let folded = bytes | u8x64::splat(simd, 0x20);
    Classes {
        digit: range(simd, bytes, b'0', 10),
        upper: range(simd, bytes, b'A', 26),
        lower: range(simd, bytes, b'a', 26),
        hex_letter: range(simd, folded, b'a', 6),
        tail: same(simd, folded, b'd')
            | same(simd, folded, b'e')
            | same(simd, folded, b'n')
            | same(simd, folded, b's')
            | same(simd, folded, b't')
            | same(simd, folded, b'y'),
        high: least(simd, bytes, 0x80),
        wide: least(simd, bytes, 0xe0),
        sign: same(simd, bytes, b'@'),
        minus: same(simd, bytes, b'-'),
        under: same(simd, bytes, b'_'),
        dot: same(simd, bytes, b'.'),
        tie: same(simd, bytes, b'+') | same(simd, bytes, b'%') | same(simd, bytes, b'#'),
        slash: same(simd, bytes, b'/'),
        colon: same(simd, bytes, b':'),
        equals: same(simd, bytes, b'='),
        space: same(simd, bytes, b' '),
        comma: same(simd, bytes, b','),
        angle: same(simd, bytes, b'<'),
        close: same(simd, bytes, b'>'),
        dollar: same(simd, bytes, b'$'),
        r_or_w: same(simd, folded, b'r') | same(simd, folded, b'w'),
        d: same(simd, folded, b'd'),
        feed: same(simd, bytes, b'\n'),
        quote: same(simd, bytes, b'"')
            | same(simd, bytes, b'\'')
            | same(simd, bytes, b'`')
            | same(simd, bytes, b']'),
    }
}

#[inline(always)]
fn same<S: Simd>(simd: S, bytes: u8x64<S>, byte: u8) -> u64 {
    bytes.simd_eq(u8x64::splat(simd, byte)).to_bitmask()
}

#[inline(always)]
fn range<S: Simd>(simd: S, bytes: u8x64<S>, first: u8, count: u8) -> u64 {
    (bytes - u8x64::splat(simd, first)).simd_lt(u8x64::splat(simd, count)).to_bitmask()
}

#[inline(always)]
fn least<S: Simd>(simd: S, bytes: u8x64<S>, byte: u8) -> u64 {
    bytes.simd_ge(u8x64::splat(simd, byte)).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn class_of(byte: u8) -> Classes<u64> {
        let is = |wanted: &[u8]| u64::from(wanted.contains(&byte));
        Classes {
            digit: byte.is_ascii_digit().into(),
            upper: byte.is_ascii_uppercase().into(),
            lower: byte.is_ascii_lowercase().into(),
            hex_letter: (byte.is_ascii_hexdigit() && !byte.is_ascii_digit()).into(),
            tail: is(b"dentsyDENTSY"),
            high: (!byte.is_ascii()).into(),
            wide: (byte >= 0xe0).into(),
            sign: is(b"@"),
            minus: is(b"-"),
            under: is(b"_"),
            dot: is(b"."),
            tie: is(b"+%#"),
            slash: is(b"/"),
            colon: is(b":"),
            equals: is(b"="),
            space: is(b" "),
            comma: is(b","),
            angle: is(b"<"),
            close: is(b">"),
            dollar: is(b"$"),
            r_or_w: is(b"rwRW"),
            d: is(b"dD"),
            feed: is(b"\n"),
            quote: is(b"\"'`]"),
        }
    }

    struct Bit(usize);

    impl Form<Row, u64> for Bit {
        fn form(&self, row: &Row) -> u64 {
            row[self.0 / BLOCK] >> (self.0 % BLOCK) & 1
        }
    }

    #[test]
    fn every_byte_has_its_classes_with_and_without_vector_instructions() {
        let text: Vec<u8> = (0..=255u8).chain(b'0'..=b'z').collect();
        for level in [Level::new(), Level::fallback()] {
            for base in [0, 1, 64, 100] {
                let mut found = Classes::empty();
                classify(level, &text, base, &mut found);
                for (at, byte) in text.iter().enumerate().skip(base.saturating_sub(BLOCK)) {
                    let bits = found.convert(&Bit(at + BLOCK - base));
                    assert_eq!(bits, class_of(*byte), "byte {at} from {base} with {level:?}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]
        #[test]
        fn all_instructions_give_the_same_classes(
            bytes in proptest::collection::vec(any::<u8>(), 0..5_000),
            base in 0usize..200,
        ) {
            let base = base.min(bytes.len());
            let [mut fast, mut plain] = [Classes::empty(); 2];
            classify(Level::new(), &bytes, base, &mut fast);
            classify(Level::fallback(), &bytes, base, &mut plain);
            prop_assert_eq!(fast, plain);
            let next = base + STRETCH * BLOCK;
            if next < bytes.len() {
                classify_on(Level::new(), &bytes, next, &mut fast);
                classify(Level::fallback(), &bytes, next, &mut plain);
                let until = |row: &Row| row.iter().take((bytes.len() - next) / BLOCK + 3).copied().collect::<Vec<_>>();
                prop_assert_eq!(until(&fast.digit), until(&plain.digit));
                prop_assert_eq!(until(&fast.high), until(&plain.high));
                prop_assert_eq!(until(&fast.lower), until(&plain.lower));
            }
        }
    }
}
