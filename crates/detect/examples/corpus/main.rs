//! Writes a mixed corpus to standard output: `corpus BYTES [SEED] > FILE`. Three tenths are a
//! customer table, three a table of transactions full of digits and hexadecimal, two a log, two
//! letters in both languages, in pieces of 64 kB one after the other.

use parts::{PARTS, Random};
use std::io::Write as _;

mod parts;

/// Bytes of one part at a time, for each percent of its share.
const PIECE: usize = 6_554;

fn main() -> std::io::Result<()> {
    let number = |n: usize| std::env::args().nth(n).and_then(|text| text.parse::<usize>().ok());
    let wanted = number(1).unwrap_or(1_000_000);
    let mut random = Random::new(number(2).and_then(|n| n.try_into().ok()).unwrap_or(1));
    let mut out = std::io::stdout().lock();
    let mut written = 0;
    while written < wanted {
        for part in PARTS.iter().filter(|part| part.2 > 0) {
            let bytes = PIECE * usize::try_from(part.2).unwrap_or(1);
            let text = parts::text(part, bytes, &mut random);
            out.write_all(text.as_bytes())?;
            written += text.len();
        }
    }
    out.flush()
}
