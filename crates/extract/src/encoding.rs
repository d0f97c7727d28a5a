//! Which encoding a text has, and decoding it to UTF-8 in pieces.
//!
//! Evidence in this order: a byte order mark; zero bytes as only UTF-16 has them; valid UTF-8; how
//! well the bytes read as Big5-HKSCS and as GB18030, by how common the characters are; and for
//! everything else `chardetng`.

use crate::legacy;
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes that are looked at to tell the encoding, from the first byte on that is not ASCII.
pub(crate) const SAMPLE_BYTES: usize = 64 * 1024;
/// Of the units of UTF-16 text this share reads as text, in percent.
const UNITS_PERCENT_MIN: usize = 95;
/// Zero bytes in a text of one byte a character: padding of a log, in bytes per thousand.
const ZEROS_PER_MILLE_MAX: usize = 1;
/// Control characters in text, in bytes per thousand.
const CONTROLS_PER_MILLE_MAX: usize = 10;
/// Characters of several bytes for each broken one, in text that calls itself UTF-8 and is cut.
const WHOLE_PER_BROKEN_MIN: usize = 20;
/// Bytes that are decoded at once.
const PIECE_BYTES: usize = 32 * 1024;

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    /// Nothing but ASCII so far.
    Ascii,
    /// Text; the byte order mark has this many bytes.
    Text(&'static Encoding, usize),
    /// No text.
    Binary,
}

/// Guesses from a sample; `whole` when nothing comes after it.
pub(crate) fn guess(sample: &[u8], whole: bool) -> Guess {
    if let Some((encoding, mark)) = Encoding::for_bom(sample) {
        return Guess::Text(encoding, mark);
    }
    let zeros = sample.iter().filter(|b| **b == 0).count();
    if zeros > 0 {
        if let Some(encoding) = wide(sample) {
            return Guess::Text(encoding, 0);
        }
        if zeros * 1_000 > sample.len() * ZEROS_PER_MILLE_MAX {
            return Guess::Binary;
        }
    }
    let control = |b: &&u8| **b < 0x20 && !matches!(**b, 0 | b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    let controls = sample.iter().filter(control).count();
    if controls * 1_000 > sample.len() * CONTROLS_PER_MILLE_MAX {
        return Guess::Binary;
    }
    if sample.is_ascii() {
        return Guess::Ascii;
    }
    if is_utf8(sample, whole) {
        return Guess::Text(UTF_8, 0);
    }
    legacy::guess(sample, whole).map_or(Guess::Binary, |encoding| Guess::Text(encoding, 0))
}

/// UTF-16 without a mark, if the sample reads as such.
fn wide(sample: &[u8]) -> Option<&'static Encoding> {
    let score = |read: fn([u8; 2]) -> u16| {
        let units = sample.as_chunks::<2>().0;
        let good = units.iter().filter(|unit| is_text_unit(read(**unit))).count();
        good * 100 / units.len().max(1)
    };
    let (little, big) = (score(u16::from_le_bytes), score(u16::from_be_bytes));
    if little.max(big) < UNITS_PERCENT_MIN || little == big {
        return None;
    }
    Some(if little > big { UTF_16LE } else { UTF_16BE })
}

/// Units that text has: ASCII, Latin, punctuation, kana, Han, full-width forms, and surrogates.
const fn is_text_unit(unit: u16) -> bool {
    matches!(unit,
        0x09 | 0x0a | 0x0d | 0x20..=0x7e | 0xa0..=0x17f | 0x2010..=0x203b | 0x20a0..=0x22ff
        | 0x2460..=0x26ff | 0x3000..=0x30ff | 0x3105..=0x312f | 0x3200..=0x33ff
        | 0x3400..=0x9fff | 0xd840..=0xd88f | 0xdc00..=0xdfff | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f | 0xff01..=0xffe6)
}

/// Valid UTF-8 up to a cut at the end, or nearly.
fn is_utf8(sample: &[u8], whole: bool) -> bool {
    match std::str::from_utf8(sample) {
        Ok(_) => return true,
        Err(error) if error.error_len().is_none() && !whole => return true,
        Err(_) => {}
    }
    let (mut broken, mut good) = (0, 0);
    for chunk in sample.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    good >= broken * WHOLE_PER_BROKEN_MIN
}

/// Turns the bytes of a text into UTF-8, piece by piece. What is ASCII or UTF-8 goes through as it
/// is; the first other bytes decide.
pub(crate) struct ToUtf8 {
    state: State,
    encoding: Option<&'static Encoding>,
}

enum State {
    Ascii,
    /// Bytes from the first on that is not ASCII, until there are enough to tell.
    Gathering(Vec<u8>),
    AsIs,
    Decoding(Decoder),
}

impl ToUtf8 {
    /// For a text of which the beginning gave this guess. A binary is treated as UTF-8.
    pub(crate) fn new(guess: Guess) -> Self {
        let mut made = Self { state: State::Ascii, encoding: None };
        match guess {
            Guess::Ascii => {}
            Guess::Text(encoding, _) => made.decide(encoding),
            Guess::Binary => made.state = State::AsIs,
        }
        made
    }

    /// The encoding's WHATWG name; ASCII is UTF-8.
    pub(crate) fn name(&self) -> &'static str {
        self.encoding.unwrap_or(UTF_8).name()
    }

    fn decide(&mut self, encoding: &'static Encoding) {
        self.encoding = Some(encoding);
        self.state = if encoding == UTF_8 {
            State::AsIs
        } else {
            State::Decoding(encoding.new_decoder_without_bom_handling())
        };
    }

    /// Decodes the next piece.
    pub(crate) fn feed(&mut self, bytes: &[u8], last: bool, out: &mut dyn FnMut(&[u8])) {
        let mut rest = bytes;
        if matches!(self.state, State::Ascii) {
            let ascii = rest.iter().position(|b| !b.is_ascii()).unwrap_or(rest.len());
            let (plain, more) = rest.split_at_checked(ascii).unwrap_or((rest, &[]));
            out(plain);
            if more.is_empty() {
                return;
            }
            self.state = State::Gathering(Vec::new());
            rest = more;
        }
        if let State::Gathering(sample) = &mut self.state {
            sample.extend_from_slice(rest);
            if sample.len() < SAMPLE_BYTES && !last {
                return;
            }
            let sample = std::mem::take(sample);
            let seen = sample.get(..sample.len().min(SAMPLE_BYTES)).unwrap_or_default();
            match guess(seen, last && seen.len() == sample.len()) {
                Guess::Text(encoding, _) => self.decide(encoding),
                Guess::Ascii | Guess::Binary => self.state = State::AsIs,
            }
            return self.pass(&sample, last, out);
        }
        self.pass(rest, last, out);
    }

    fn pass(&mut self, bytes: &[u8], last: bool, out: &mut dyn FnMut(&[u8])) {
        let State::Decoding(decoder) = &mut self.state else { return out(bytes) };
        let mut piece = vec![0; PIECE_BYTES.min(bytes.len() * 3 + 64)];
        let mut rest = bytes;
        loop {
            let (result, read, written, _) = decoder.decode_to_utf8(rest, &mut piece, last);
            out(piece.get(..written).unwrap_or_default());
            rest = rest.get(read..).unwrap_or_default();
            if result == CoderResult::InputEmpty {
                return;
            }
        }
    }

    /// Ends the text.
    pub(crate) fn finish(&mut self, out: &mut dyn FnMut(&[u8])) {
        self.feed(&[], true, out);
    }
}

/// A whole text as UTF-8, without its byte order mark.
pub(crate) fn decode(bytes: &[u8]) -> Vec<u8> {
    let sample = bytes.get(..bytes.len().min(SAMPLE_BYTES)).unwrap_or_default();
    let guess = guess(sample, sample.len() == bytes.len());
    let mark = if let Guess::Text(_, mark) = guess { mark } else { 0 };
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut decoder = ToUtf8::new(guess);
    let mut out = |piece: &[u8]| decoded.extend_from_slice(piece);
    decoder.feed(bytes.get(mark..).unwrap_or_default(), true, &mut out);
    decoded
}
