//! Where in a block something may start, found with bits alone: sixty-four places at a time.
//!
//! Each kind of start has its own word of bits, so that a reader is only called where the classes
//! of the bytes around allow what it reads. A place sees the block before and the block after,
//! never more: how a text is divided into blocks makes no difference.

use crate::bits::{Ahead, At, Lanes, Load, Word, run, store};
#[cfg(target_arch = "x86_64")]
use crate::bits::{Eight, Four};
use crate::masks::{BLOCK, Classes, Row, STRETCH, classify, classify_on};
use fearless_simd::Level;
#[cfg(target_arch = "x86_64")]
use fearless_simd::Simd;

/// A token of this many characters may be a secret.
const LONG_TOKEN: u32 = 16;

/// The places of a block where something may start: bit n for byte n.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Places<T> {
    /// A number, or digits that belong to an address or a date.
    pub(crate) number: T,
    /// A capitalised word before another or before a number: names, addresses.
    pub(crate) name: T,
    /// One or two letters and digits: identity cards, passports, accounts, vehicle marks.
    pub(crate) code: T,
    /// Six capitals that begin a token of eight or eleven: banks' codes.
    pub(crate) bank: T,
    /// Hexadecimal digits before a colon or hyphen: hardware addresses, Internet addresses.
    pub(crate) hexadecimal: T,
    /// A token of sixteen characters or more: keys with an issuer's prefix.
    pub(crate) token: T,
    /// A capital after a row of hyphens: `-----BEGIN`.
    pub(crate) block: T,
    /// `@` between words.
    pub(crate) sign: T,
    /// The colon of `://`.
    pub(crate) scheme: T,
    /// `=` or `:` after what may be a name for a secret.
    pub(crate) assigned: T,
    /// The first `$` of a hash of a password: `$6$`, `$2b$`, `$apr1$`, `$argon2id$`.
    pub(crate) hash: T,
    /// The first `<` within a machine-readable line.
    pub(crate) machine: T,
    /// A character of three bytes or more.
    pub(crate) wide: T,
    /// Where a word begins that may name a value; nothing is read here.
    pub(crate) word: T,
    /// The end of a line; nothing is read here.
    pub(crate) line: T,
}

/// The places of a stretch of blocks.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    /// The classes of its bytes.
    pub(crate) classes: Classes<Row>,
    /// For each kind of start a word for each block.
    pub(crate) places: Places<[u64; STRETCH]>,
    /// Words in which any place has its bit.
    pub(crate) any: [u64; STRETCH],
}

impl Stretch {
    /// Room for the places of a stretch.
    pub(crate) fn empty() -> Self {
        let places = Places::<()>::default().map(|()| [0u64; STRETCH]);
        Self { classes: Classes::empty(), places, any: [0; STRETCH] }
    }

    /// Finds the places of the [`STRETCH`] blocks from `base` on, as far as the text goes.
    pub(crate) fn read(&mut self, text: &[u8], base: usize) {
        let level = Level::new();
        classify(level, text, base, &mut self.classes);
        self.find_all(level, text, base);
    }

    /// The same for the stretch after the one that was read last, of the same text.
    pub(crate) fn read_on(&mut self, text: &[u8], base: usize) {
        let level = Level::new();
        classify_on(level, text, base, &mut self.classes);
        self.find_all(level, text, base);
    }

    fn find_all(&mut self, level: Level, text: &[u8], base: usize) {
        let blocks = text.len().saturating_sub(base).div_ceil(BLOCK).min(STRETCH);
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = level.as_avx512() {
            return simd.vectorize(
                #[inline(always)]
                || self.eight_by_eight(simd, blocks),
            );
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = level.as_avx2() {
            return simd.vectorize(
                #[inline(always)]
                || self.four_by_four(simd, blocks),
            );
        }
        self.one_by_one(blocks);
    }

    /// One block at a time, on any processor.
    fn one_by_one(&mut self, blocks: usize) {
        self.find(&Word, blocks);
    }

    /// Four blocks at a time.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn four_by_four<S: Simd>(&mut self, simd: S, blocks: usize) {
        self.find(&Four(simd), blocks);
    }

    /// Eight blocks at a time.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn eight_by_eight<S: Simd>(&mut self, simd: S, blocks: usize) {
        self.find(&Eight(simd), blocks);
    }

    /// `N` blocks at a time; inlined into the code for the processor's instructions.
    #[inline(always)]
    fn find<const N: usize, L: Load<N>>(&mut self, lanes: &L, blocks: usize) {
        for first in (0..blocks).step_by(N) {
            let before = self.classes.convert(&At::<L, N>(lanes, first));
            let here = self.classes.convert(&At::<L, N>(lanes, first + 1));
            let after = self.classes.convert(&At::<L, N>(lanes, first + 2));
            let places = Places::of(&before, &here, &after);
            store(lanes, places.any(), &mut self.any, first);
            self.places.store(&places, lanes, first);
        }
    }
}

impl<T> Places<T> {
    /// The same places in another form.
    #[inline(always)]
    pub(crate) fn map<U>(&self, form: impl Fn(&T) -> U) -> Places<U> {
        Places {
            number: form(&self.number),
            name: form(&self.name),
            code: form(&self.code),
            bank: form(&self.bank),
            hexadecimal: form(&self.hexadecimal),
            token: form(&self.token),
            block: form(&self.block),
            sign: form(&self.sign),
            scheme: form(&self.scheme),
            assigned: form(&self.assigned),
            hash: form(&self.hash),
            machine: form(&self.machine),
            wide: form(&self.wide),
            word: form(&self.word),
            line: form(&self.line),
        }
    }
}

impl Places<[u64; STRETCH]> {
    #[inline(always)]
    fn store<const N: usize, L: Load<N>>(
        &mut self,
        places: &Places<L::Lanes>,
        lanes: &L,
        first: usize,
    ) {
        store(lanes, places.number, &mut self.number, first);
        store(lanes, places.name, &mut self.name, first);
        store(lanes, places.code, &mut self.code, first);
        store(lanes, places.bank, &mut self.bank, first);
        store(lanes, places.hexadecimal, &mut self.hexadecimal, first);
        store(lanes, places.token, &mut self.token, first);
        store(lanes, places.block, &mut self.block, first);
        store(lanes, places.sign, &mut self.sign, first);
        store(lanes, places.scheme, &mut self.scheme, first);
        store(lanes, places.assigned, &mut self.assigned, first);
        store(lanes, places.hash, &mut self.hash, first);
        store(lanes, places.machine, &mut self.machine, first);
        store(lanes, places.wide, &mut self.wide, first);
        store(lanes, places.word, &mut self.word, first);
        store(lanes, places.line, &mut self.line, first);
    }
}

impl<T: Lanes> Places<T> {
    /// All places of a block at which something may start; the block before and the block after
    /// decide at its edges.
    #[inline(always)]
    pub(crate) fn of(before: &Classes<T>, here: &Classes<T>, after: &Classes<T>) -> Self {
        let text = Around { before, here, after };
        let sets = Sets::of(&text);
        let starts = sets.token_starts(&text);
        let words = sets.word_starts(&text);
        let slash = text.ahead(Classes::slash);
        let line = text.ahead(Classes::line);
        Self {
            number: numbers(&text, &sets) & starts,
            name: names(&text, &sets) & words,
            code: codes(&sets) & starts,
            bank: banks(&sets) & starts,
            hexadecimal: addresses(&sets) & starts,
            token: tokens(&text, &sets),
            block: here.upper
                & text.behind(Classes::minus, 1)
                & text.behind(Classes::minus, 2)
                & text.behind(Classes::minus, 5),
            sign: here.sign & (sets.word >> 1).here & text.behind(Classes::solid, 1),
            scheme: here.colon & (slash >> 1 & slash >> 2).here & text.behind(Classes::letter, 1),
            assigned: (here.colon | here.equals) & text.behind(Classes::before_sign, 1)
                | here.close & text.behind(Classes::tail_or_quote, 1)
                | here.space & text.behind(Classes::d, 1) & text.behind(Classes::r_or_w, 2),
            hash: here.dollar & {
                let dollar = text.ahead(Classes::dollar);
                (dollar >> 2 | dollar >> 3 | dollar >> 5 | dollar >> 9).here
            },
            machine: here.angle & text.behind(Classes::capital_or_digit, 1) & (line >> 1).here,
            wide: here.wide,
            word: sets.letter.here & words
                | here.upper & text.behind(Classes::lower, 1)
                | here.wide,
            line: here.feed,
        }
    }

    /// Everywhere that something may start.
    #[inline(always)]
    pub(crate) fn any(&self) -> T {
        self.number
            | self.name
            | self.code
            | self.bank
            | self.hexadecimal
            | self.token
            | self.block
            | self.sign
            | self.scheme
            | self.assigned
            | self.hash
            | self.machine
            | self.wide
    }
}

/// Sets of classes, as functions that are inlined wherever they are named: a closure might not be,
/// and would then not be compiled for the processor's instructions.
impl<T: Lanes> Classes<T> {
    #[inline(always)]
    fn tail_or_quote(&self) -> T {
        self.tail | self.quote
    }

    #[inline(always)]
    fn dollar(&self) -> T {
        self.dollar
    }

    #[inline(always)]
    fn r_or_w(&self) -> T {
        self.r_or_w
    }

    #[inline(always)]
    fn d(&self) -> T {
        self.d
    }

    #[inline(always)]
    fn slash(&self) -> T {
        self.slash
    }

    #[inline(always)]
    fn line(&self) -> T {
        self.upper | self.digit | self.angle
    }

    #[inline(always)]
    fn minus(&self) -> T {
        self.minus
    }

    #[inline(always)]
    fn solid(&self) -> T {
        !(self.space | self.sign)
    }

    #[inline(always)]
    fn letter(&self) -> T {
        self.upper | self.lower
    }

    #[inline(always)]
    fn before_sign(&self) -> T {
        self.tail | self.high | self.quote | self.space
    }

    #[inline(always)]
    fn capital_or_digit(&self) -> T {
        self.upper | self.digit
    }

    #[inline(always)]
    fn digit(&self) -> T {
        self.digit
    }

    #[inline(always)]
    fn upper(&self) -> T {
        self.upper
    }

    #[inline(always)]
    fn lower(&self) -> T {
        self.lower
    }

    #[inline(always)]
    fn hex_letter(&self) -> T {
        self.hex_letter
    }

    #[inline(always)]
    fn space(&self) -> T {
        self.space
    }

    #[inline(always)]
    fn colon(&self) -> T {
        self.colon
    }

    #[inline(always)]
    fn dot(&self) -> T {
        self.dot
    }

    #[inline(always)]
    fn word(&self) -> T {
        self.upper | self.lower | self.digit
    }

    #[inline(always)]
    fn joint(&self) -> T {
        self.dot | self.minus | self.tie
    }

    #[inline(always)]
    fn under(&self) -> T {
        self.under
    }

    #[inline(always)]
    fn comma(&self) -> T {
        self.comma
    }

    #[inline(always)]
    fn wide(&self) -> T {
        self.wide
    }

    #[inline(always)]
    fn quote(&self) -> T {
        self.quote
    }

    #[inline(always)]
    fn token(&self) -> T {
        self.upper | self.lower | self.digit | self.minus | self.under
    }
}

/// A block and its neighbours.
struct Around<'a, T> {
    before: &'a Classes<T>,
    here: &'a Classes<T>,
    after: &'a Classes<T>,
}

impl<T: Lanes> Around<'_, T> {
    /// A class in the block and the one after it.
    #[inline(always)]
    fn ahead(&self, class: impl Fn(&Classes<T>) -> T) -> Ahead<T> {
        Ahead { here: class(self.here), after: class(self.after) }
    }

    /// Bit i says what byte i - `by` is, `by` from 1 to 63.
    #[inline(always)]
    fn behind(&self, class: impl Fn(&Classes<T>) -> T, by: u32) -> T {
        class(self.here) << by | class(self.before) >> (64 - by)
    }
}

/// Classes of the block and the one after it that several kinds of start need.
struct Sets<T> {
    digit: Ahead<T>,
    upper: Ahead<T>,
    letter: Ahead<T>,
    word: Ahead<T>,
    hex: Ahead<T>,
    space: Ahead<T>,
    minus: Ahead<T>,
    colon: Ahead<T>,
    dot: Ahead<T>,
}

impl<T: Lanes> Sets<T> {
    #[inline(always)]
    fn of(text: &Around<'_, T>) -> Self {
        let digit = text.ahead(Classes::digit);
        let upper = text.ahead(Classes::upper);
        let letter = upper | text.ahead(Classes::lower);
        Self {
            digit,
            upper,
            letter,
            word: letter | digit,
            hex: digit | text.ahead(Classes::hex_letter),
            space: text.ahead(Classes::space),
            minus: text.ahead(Classes::minus),
            colon: text.ahead(Classes::colon),
            dot: text.ahead(Classes::dot),
        }
    }

    /// Letters and digits with neither before them.
    #[inline(always)]
    fn word_starts(&self, text: &Around<'_, T>) -> T {
        self.word.here & !text.behind(Classes::word, 1)
    }

    /// Those that no `_` and no joint ties to a word before, as in `a-1`, `3.14` or a UUID.
    #[inline(always)]
    fn token_starts(&self, text: &Around<'_, T>) -> T {
        let joint = text.behind(Classes::joint, 1);
        let tied = joint & text.behind(Classes::word, 2);
        self.word_starts(text) & !tied & !text.behind(Classes::under, 1)
    }
}

/// Runs of four digits and more; shorter ones if what follows lets them be more than a number.
#[inline(always)]
fn numbers<T: Lanes>(text: &Around<'_, T>, sets: &Sets<T>) -> T {
    let (digit, letter, word) = (sets.digit, sets.letter, sets.word);
    let slash = text.ahead(Classes::slash);
    let comma = text.ahead(Classes::comma);
    let wide = text.ahead(Classes::wide);
    let lone = letter & !(word >> 1);
    let ordinal = letter & (letter >> 1) & (sets.space >> 2);
    let end = sets.space & ((digit | sets.upper | wide) >> 1)
        | sets.minus & ((digit | sets.upper) >> 1)
        | sets.dot & (digit >> 1)
        | slash & (word >> 1)
        | comma & (run(digit, 3) >> 1)
        | wide
        | lone
        | ordinal;
    let (two, three) = (run(digit, 2), run(digit, 3));
    let short = !(digit >> 1) & (end >> 1)
        | two & !(digit >> 2) & (end >> 2)
        | three & !(digit >> 3) & (end >> 3);
    (digit & short | run(digit, 4)).here
}

/// Capitalised words that a capital or a digit follows, after one or two joints.
#[inline(always)]
fn names<T: Lanes>(text: &Around<'_, T>, sets: &Sets<T>) -> T {
    let (letter, space) = (sets.letter, sets.space);
    let more = sets.upper | sets.digit;
    let comma = text.ahead(Classes::comma);
    let quote = text.ahead(Classes::quote);
    let next = space & (more >> 1);
    let end = next
        | (comma | sets.dot) & (next >> 1)
        | sets.dot & (more >> 1)
        | sets.minus & (letter >> 1)
        | quote & (space >> 2);
    // From the end of a word down to its first letter, up to fifteen before the last.
    let mut inside = letter & (end >> 1);
    let mut solid = letter;
    for step in [1, 2, 4, 8] {
        inside = inside | solid & (inside >> step);
        solid = solid & solid >> step;
    }
    (inside & sets.upper).here
}

/// `A123`, `GB29`, `A 123`, `AB 123`, `AB 1`.
#[inline(always)]
fn codes<T: Lanes>(sets: &Sets<T>) -> T {
    let (letter, digit, upper, space) = (sets.letter, sets.digit, sets.upper, sets.space);
    let three = run(digit, 3);
    let second = letter >> 1;
    let mark = upper & (upper >> 1) & (digit >> 2 | space >> 2 & digit >> 3);
    (letter
        & (three >> 1
            | space >> 1 & three >> 2
            | second & run(digit, 2) >> 2
            | second & space >> 2 & three >> 3)
        | mark)
        .here
}

/// Six capitals, then letters and digits up to eight or eleven in all.
#[inline(always)]
fn banks<T: Lanes>(sets: &Sets<T>) -> T {
    let token = sets.upper | sets.digit;
    let eight = run(token, 8) & !(sets.word >> 8);
    let eleven = run(token, 11) & !(sets.word >> 11);
    (run(sets.upper, 6) & (eight | eleven)).here
}

/// Up to four hexadecimal digits and a colon, or pairs with hyphens; not times of day.
#[inline(always)]
fn addresses<T: Lanes>(sets: &Sets<T>) -> T {
    let (hex, digit, colon) = (sets.hex, sets.digit, sets.colon);
    let joint = colon & ((hex | colon) >> 1);
    let groups = hex
        & (joint >> 1
            | hex >> 1 & (joint >> 2 | hex >> 2 & (joint >> 3 | hex >> 3 & (joint >> 4))));
    let pair = run(digit, 2);
    let time = pair & colon >> 2 & pair >> 3 & (!(colon >> 5) | pair >> 6 & !(colon >> 8));
    let pairs = run(hex, 2);
    let dashed =
        pairs & sets.minus >> 2 & pairs >> 3 & sets.minus >> 5 & pairs >> 6 & sets.minus >> 8;
    (groups & !time | dashed).here
}

/// Tokens of sixteen characters whose first four are not all hexadecimal.
#[inline(always)]
fn tokens<T: Lanes>(text: &Around<'_, T>, sets: &Sets<T>) -> T {
    let token = sets.word | sets.minus | text.ahead(Classes::under);
    let fresh = !text.behind(Classes::token, 1);
    let other = token & !sets.hex;
    let named = other | other >> 1 | other >> 2 | other >> 3;
    let long = run(token, LONG_TOKEN);
    // `SG.` and `ya29.` are prefixes with a full stop.
    let dotted = sets.dot >> 2 & long >> 3 | sets.dot >> 4 & long >> 5;
    (sets.letter & (named & long | dotted)).here & fresh
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees(found: &Stretch, text: &[u8], base: usize) -> Result<(), TestCaseError> {
        for at in base..text.len().min(base + STRETCH * BLOCK) {
            let (number, bit) = ((at - base) / BLOCK, (at - base) % BLOCK);
            let places = found.places.map(|row| row[number] >> bit & 1);
            let part = String::from_utf8_lossy(&text[at..]);
            prop_assert_eq!(places, crate::slow::at(text, at), "{} {}", at, part);
            prop_assert_eq!(found.any[number] >> bit & 1 == 1, places.any() != 0);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, cases: 512, ..ProptestConfig::default()
        })]
        #[test]
        fn blocks_and_bytes_give_the_same_places(
            parts in proptest::collection::vec(prop_oneof![
                "[0-9]{1,5}", "[0-9a-f]{1,3}[:-]", "[A-Z][a-z]{1,17}[ ,.'-]{1,2}", "[A-Z]{1,3} ?",
                "[A-Z0-9<]{6,12}", "[a-zA-Z0-9_.-]{14,19}", "-----BEGIN", "[@:=/. \"_+-]",
                "https?://", "陳", "[wr]d[ >]", "\\$(6|2b|apr1|argon2id)\\$", "[dentsy][=:]", "[ -~]{1,4}", "\\PC",
            ], 0..400),
            from in 0usize..300,
        ) {
            let text = parts.concat();
            for base in [0, from.min(text.len())] {
                let text = text.as_bytes();
                let mut found = Stretch::empty();
                found.read(text, base);
                agrees(&found, text, base)?;
                found.one_by_one(STRETCH);
                agrees(&found, text, base)?;
                let next = base + STRETCH * BLOCK;
                if next < text.len() {
                    let mut found = found.clone();
                    found.read_on(text, next);
                    agrees(&found, text, next)?;
                }
                #[cfg(target_arch = "x86_64")]
                if let Some(simd) = Level::new().as_avx2() {
                    simd.vectorize(|| found.four_by_four(simd, STRETCH));
                    agrees(&found, text, base)?;
                }
            }
        }
    }
}
