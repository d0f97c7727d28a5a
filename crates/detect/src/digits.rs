//! One reading of a number as people write it, from which every detector of numbers decides.

use crate::text::plain;

/// More digits than any number that we know; a longer run is none of them.
pub(crate) const DIGITS_MAX: usize = 24;
const GROUPS_MAX: usize = 8;

/// Digits in groups parted by one space or one hyphen, always the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    digits: [u8; DIGITS_MAX],
    lengths: [u8; GROUPS_MAX],
    /// Where each group ends, from the first digit on.
    ends: [u8; GROUPS_MAX],
    groups: u8,
    start: usize,
}

/// The first groups of a run, read as one number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number<'a> {
    /// The digits, 0 to 9.
    pub(crate) digits: &'a [u8],
    /// How many digits each group has.
    pub(crate) groups: &'a [u8],
    /// The byte after the last digit.
    pub(crate) end: usize,
}

impl Run {
    /// Reads the run that starts here; `None` if no digit does or a group is too long.
    pub(crate) fn read(text: &[u8], start: usize) -> Option<Self> {
        let mut run = Self {
            digits: [0; DIGITS_MAX],
            lengths: [0; GROUPS_MAX],
            ends: [0; GROUPS_MAX],
            groups: 0,
            start,
        };
        let (mut at, mut count, mut joint) = (start, 0usize, None);
        while usize::from(run.groups) < GROUPS_MAX {
            let mut length = 0u8;
            while let Some((digit, size)) = digit_at(text, at) {
                let Some(place) = run.digits.get_mut(count) else {
                    // Too many: what was whole before this group stands.
                    return (run.groups > 0).then_some(run);
                };
                *place = digit - b'0';
                count += 1;
                length += 1;
                at += size;
            }
            if length == 0 {
                break;
            }
            *run.lengths.get_mut(usize::from(run.groups))? = length;
            *run.ends.get_mut(usize::from(run.groups))? = u8::try_from(at - start).ok()?;
            run.groups += 1;
            match plain(text, at) {
                Some((c @ (b' ' | b'-'), size)) if joint.is_none_or(|j| j == c) => {
                    joint = Some(c);
                    at += size;
                }
                _ => break,
            }
        }
        (run.groups > 0).then_some(run)
    }

    /// The numbers that the first groups make, the longest first.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Number<'_>> {
        (1..=self.groups).rev().filter_map(|groups| {
            let groups = usize::from(groups);
            let lengths = self.lengths.get(..groups)?;
            let digits = lengths.iter().map(|n| usize::from(*n)).sum();
            Some(Number {
                digits: self.digits.get(..digits)?,
                groups: lengths,
                end: self.start + usize::from(*self.ends.get(groups - 1)?),
            })
        })
    }

    /// All groups as one number.
    pub(crate) fn whole(&self) -> Option<Number<'_>> {
        self.numbers().next()
    }

    /// The first group alone.
    pub(crate) fn first(&self) -> Option<Number<'_>> {
        self.numbers().last()
    }
}

/// The digit here and its length in bytes; nearly all are ASCII.
fn digit_at(text: &[u8], at: usize) -> Option<(u8, usize)> {
    match text.get(at)? {
        digit @ b'0'..=b'9' => Some((*digit, 1)),
        0xef => plain(text, at).filter(|(c, _)| c.is_ascii_digit()),
        _ => None,
    }
}

impl Number<'_> {
    /// The digits from one place up to another as a value.
    pub(crate) fn value(&self, from: usize, to: usize) -> Option<u32> {
        let part = self.digits.get(from..to)?;
        Some(part.iter().fold(0u32, |n, d| n.wrapping_mul(10) + u32::from(*d)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_while_the_joint_stays_the_same() {
        let run = Run::read(b"4111 1111 1111 1111 25-1", 0).unwrap();
        let ends: Vec<_> = run.numbers().map(|n| (n.digits.len(), n.end)).collect();
        assert_eq!(ends, [(18, 22), (16, 19), (12, 14), (8, 9), (4, 4)]);
        assert!(Run::read(b"x", 0).is_none());
        assert!(Run::read("1".repeat(DIGITS_MAX + 1).as_bytes(), 0).is_none());
        assert_eq!(Run::read("１２".as_bytes(), 0).unwrap().whole().unwrap().end, 6);
    }
}
