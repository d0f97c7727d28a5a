//! The places of candidates once more, one byte at a time and from the text itself: what the blocks
//! of [`crate::candidates`] must agree with.

use crate::candidates::Places;

struct Text<'a>(&'a [u8], usize);

impl Text<'_> {
    /// The byte so far from the place; zero outside the text.
    fn byte(&self, by: isize) -> u8 {
        self.1.checked_add_signed(by).and_then(|i| self.0.get(i)).copied().unwrap_or(0)
    }

    fn all(&self, from: isize, count: isize, is: impl Fn(u8) -> bool) -> bool {
        (from..from + count).all(|i| is(self.byte(i)))
    }

    /// How many bytes from there on are in a class.
    fn length(&self, from: isize, is: impl Fn(u8) -> bool) -> isize {
        (0..64).take_while(|i| is(self.byte(from + i))).count() as isize
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn is_long_token(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'_' | b'-')
}

pub(crate) fn at(text: &[u8], at: usize) -> Places<u64> {
    let text = Text(text, at);
    let here = text.byte(0);
    let word_start = is_word(here) && !is_word(text.byte(-1));
    let tied = matches!(text.byte(-1), b'.' | b'-' | b'+' | b'%' | b'#') && is_word(text.byte(-2));
    let start = word_start && !tied && text.byte(-1) != b'_';
    let line = |b: u8| b.is_ascii_uppercase() || is_digit(b);
    Places {
        number: u64::from(start && number(&text)),
        name: u64::from(word_start && name(&text)),
        code: u64::from(start && code(&text)),
        bank: u64::from(start && bank(&text)),
        hexadecimal: u64::from(start && hexadecimal(&text)),
        token: u64::from(!is_long_token(text.byte(-1)) && token(&text)),
        block: u64::from(
            here.is_ascii_uppercase() && [-1, -2, -5].iter().all(|i| text.byte(*i) == b'-'),
        ),
        sign: u64::from(
            here == b'@' && is_word(text.byte(1)) && !matches!(text.byte(-1), b' ' | b'@'),
        ),
        scheme: u64::from(
            here == b':'
                && text.byte(1) == b'/'
                && text.byte(2) == b'/'
                && text.byte(-1).is_ascii_alphabetic(),
        ),
        assigned: u64::from(
            matches!(here, b':' | b'=')
                && (b"dentsyDENTSY\"'`] ".contains(&text.byte(-1)) || !text.byte(-1).is_ascii())
                || here == b'>' && b"dentsyDENTSY\"'`]".contains(&text.byte(-1))
                || here == b' '
                    && b"dD".contains(&text.byte(-1))
                    && b"rwRW".contains(&text.byte(-2)),
        ),
        hash: u64::from(here == b'$' && [2, 3, 5, 9].iter().any(|i| text.byte(*i) == b'$')),
        machine: u64::from(
            here == b'<' && line(text.byte(-1)) && (line(text.byte(1)) || text.byte(1) == b'<'),
        ),
        wide: u64::from(here >= 0xe0),
        word: u64::from(
            here.is_ascii_alphabetic() && word_start
                || here.is_ascii_uppercase() && text.byte(-1).is_ascii_lowercase()
                || here >= 0xe0,
        ),
        line: u64::from(here == b'\n'),
    }
}

fn number(text: &Text<'_>) -> bool {
    let run = text.length(0, is_digit);
    let upper = |i| text.byte(i).is_ascii_uppercase();
    let letter = |i| text.byte(i).is_ascii_alphabetic();
    let next = run + 1;
    match (run, text.byte(run)) {
        (0, _) => false,
        (4.., _) => true,
        (_, b' ') => is_digit(text.byte(next)) || upper(next) || text.byte(next) >= 0xe0,
        (_, b'-') => is_digit(text.byte(next)) || upper(next),
        (_, b'.') => is_digit(text.byte(next)),
        (_, b'/') => is_word(text.byte(next)),
        (_, b',') => text.all(next, 3, is_digit),
        (_, 0xe0..) => true,
        (_, b) if b.is_ascii_alphabetic() => {
            !is_word(text.byte(next)) || letter(next) && text.byte(next + 1) == b' '
        }
        _ => false,
    }
}

fn name(text: &Text<'_>) -> bool {
    let end = text.length(0, |b| b.is_ascii_alphabetic());
    let more = |i| text.byte(i).is_ascii_uppercase() || is_digit(text.byte(i));
    let next = end + 1;
    text.byte(0).is_ascii_uppercase()
        && end <= 16
        && match text.byte(end) {
            b' ' => more(next),
            b',' => text.byte(next) == b' ' && more(next + 1),
            b'.' => more(next) || text.byte(next) == b' ' && more(next + 1),
            b'-' => text.byte(next).is_ascii_alphabetic(),
            b'"' | b'\'' | b'`' | b']' => text.byte(end + 2) == b' ',
            _ => false,
        }
}

fn code(text: &Text<'_>) -> bool {
    let three = |i| text.all(i, 3, is_digit);
    let second = text.byte(1).is_ascii_alphabetic();
    let space = |i| text.byte(i) == b' ';
    let upper = |i| text.byte(i).is_ascii_uppercase();
    let mark =
        upper(0) && upper(1) && (is_digit(text.byte(2)) || space(2) && is_digit(text.byte(3)));
    text.byte(0).is_ascii_alphabetic()
        && (three(1)
            || space(1) && three(2)
            || second && text.all(2, 2, is_digit)
            || second && space(2) && three(3)
            || mark)
}

fn bank(text: &Text<'_>) -> bool {
    let token = text.length(0, |b| b.is_ascii_uppercase() || is_digit(b));
    // A longer token of capitals is a word that goes on.
    text.all(0, 6, |b| b.is_ascii_uppercase())
        && [8, 11].iter().any(|n| token >= *n && !is_word(text.byte(*n)))
}

fn hexadecimal(text: &Text<'_>) -> bool {
    let run = text.length(0, is_hex);
    let joint =
        text.byte(run) == b':' && (is_hex(text.byte(run + 1)) || text.byte(run + 1) == b':');
    let pair = |i| text.all(i, 2, is_digit);
    let colon = |i| text.byte(i) == b':';
    let time = pair(0) && colon(2) && pair(3) && (!colon(5) || pair(6) && !colon(8));
    let dash = |i| text.byte(i) == b'-';
    let pairs = |i| text.all(i, 2, is_hex);
    let dashed = pairs(0) && dash(2) && pairs(3) && dash(5) && pairs(6) && dash(8);
    (1..=4).contains(&run) && joint && !time || dashed
}

fn token(text: &Text<'_>) -> bool {
    let long = |i| text.all(i, 16, is_long_token);
    let named = (0..4).any(|i| is_long_token(text.byte(i)) && !is_hex(text.byte(i)));
    let dotted = text.byte(2) == b'.' && long(3) || text.byte(4) == b'.' && long(5);
    text.byte(0).is_ascii_alphabetic() && (named && long(0) || dotted)
}
