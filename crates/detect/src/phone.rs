//! Telephone numbers: eight digits by Hong Kong's numbering plan, or a country code with a plus.

use crate::digits::{Number, Run};
use crate::text::border_after;
use crate::{Hit, Kind};

/// ITU-T E.164: at most fifteen digits with the country code.
const DIGITS_MAX: usize = 15;
const DIGITS_MIN: usize = 8;

/// A number after a plus, with its country code. The plus belongs to the hit.
pub(crate) fn international(text: &[u8], start: usize, run: &Run) -> Option<Hit> {
    let Some(before) = start.checked_sub(1).filter(|at| text.get(*at) == Some(&b'+')) else {
        return bare_code(text, start, run);
    };
    run.numbers().find_map(|number| {
        let fits = if number.digits.starts_with(&[8, 5, 2]) {
            with_code(&number)
        } else {
            (DIGITS_MIN..=DIGITS_MAX).contains(&number.digits.len())
                && number.digits.first() != Some(&0)
        };
        (fits && border_after(text, number.end)).then_some(Hit::sure(
            Kind::Phone,
            before,
            number.end,
        ))
    })
}

/// `852` or `00852` and eight digits in groups, without a plus.
fn bare_code(text: &[u8], start: usize, run: &Run) -> Option<Hit> {
    run.numbers().find_map(|number| {
        let fits = number.groups.len() > 1 && matches!(number.groups.first(), Some(3 | 5));
        (fits && with_code(&number) && border_after(text, number.end)).then_some(Hit::likely(
            Kind::Phone,
            start,
            number.end,
        ))
    })
}

/// Eight digits whose first is one that the numbering plan gives to subscribers.
pub(crate) fn local(number: &Number<'_>) -> bool {
    number.digits.len() == 8
        && matches!(number.groups, [8] | [4, 4])
        && matches!(number.digits.first(), Some(2 | 3 | 5..=9))
}

/// The same in groups that only a word for a telephone makes a number of one: `91 23 45 67`.
pub(crate) fn loose(number: &Number<'_>) -> bool {
    let part = |from, to| number.value(from, to).unwrap_or(0);
    let date = number.groups == [4, 2, 2]
        && (1900..=2099).contains(&part(0, 4))
        && (1..=12).contains(&part(4, 6))
        && (1..=31).contains(&part(6, 8));
    !date
        && number.digits.len() == 8
        && matches!(number.digits.first(), Some(2 | 3 | 5..=9))
        && matches!(
            number.groups,
            [4, 2, 2] | [2, 2, 2, 2] | [3, 3, 2] | [2, 3, 3] | [3, 5] | [2, 6]
        )
}

/// The same with a full stop in its midst: `9123.4567`.
pub(crate) fn dotted(text: &[u8], start: usize) -> Option<Hit> {
    let number: &[u8; 9] = text.get(start..)?.first_chunk()?;
    let (first, last) = (number.get(..4)?, number.get(5..)?);
    let digits = first.iter().chain(last).all(u8::is_ascii_digit) && number.get(4) == Some(&b'.');
    let plan = matches!(first.first(), Some(b'2' | b'3' | b'5'..=b'9'));
    let end = start + number.len();
    (digits && plan && border_after(text, end)).then_some(Hit::sure(Kind::Phone, start, end))
}

/// Where `(852) ` begins, if a number that starts here stands behind it.
pub(crate) fn code_in_brackets(text: &[u8], start: usize) -> Option<usize> {
    let head = text.get(start.saturating_sub(7)..start)?;
    let short = head.strip_suffix(b" ").unwrap_or(head);
    let short = short.strip_suffix(b"852)")?;
    let short = short.strip_suffix(b"+").unwrap_or(short);
    let rest = short.strip_suffix(b"(")?;
    Some(start - (head.len() - rest.len()))
}

/// A mobile number of the Mainland: eleven digits that begin with 13 to 19.
pub(crate) fn mainland_mobile(number: &Number<'_>) -> bool {
    number.digits.first() == Some(&1)
        && matches!(number.digits.get(1), Some(3..=9))
        && matches!(number.groups, [11] | [3, 4, 4])
}

/// Hong Kong's country code, perhaps after two zeros, and a local number.
pub(crate) fn with_code(number: &Number<'_>) -> bool {
    let local = match number.digits {
        [0, 0, 8, 5, 2, local @ ..] | [8, 5, 2, local @ ..] => local,
        _ => return false,
    };
    local.len() == 8
        && matches!(local.first(), Some(2 | 3 | 5..=9))
        && matches!(number.groups, [11 | 13] | [3 | 5, 8] | [3 | 5, 4, 4] | [7 | 9, 4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confidence;

    #[test]
    fn a_country_code_makes_a_number_sure() {
        for text in ["+852 9123 4567", "+852-9123-4567", "+85221234567", "+44 20 7946 0958"] {
            let run = Run::read(text.as_bytes(), 1).unwrap();
            let hit = international(text.as_bytes(), 1, &run).unwrap();
            assert_eq!((hit.start, hit.end), (0, text.len()), "{text}");
            assert_eq!(hit.confidence, Confidence::Sure);
        }
        for text in ["+852 1123 4567", "+852 9123", "+0 1234 5678"] {
            let run = Run::read(text.as_bytes(), 1).unwrap();
            assert!(international(text.as_bytes(), 1, &run).is_none(), "{text}");
        }
    }

    #[test]
    fn a_code_in_brackets_belongs_to_the_number() {
        for (text, begin) in [("(852) 9123 4567", 0), ("tel (+852)91234567", 4)] {
            let start = text.find("9").unwrap();
            assert_eq!(code_in_brackets(text.as_bytes(), start), Some(begin), "{text}");
        }
        assert_eq!(code_in_brackets(b"852) 9", 5), None);
    }

    #[test]
    fn a_date_is_no_number_in_loose_groups() {
        for (text, expected) in [("9123 45 67", true), ("91-23-45-67", true), ("2022-03-05", false)]
        {
            let run = Run::read(text.as_bytes(), 0).unwrap();
            assert_eq!(loose(&run.whole().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn two_zeros_may_stand_before_the_code() {
        for text in ["00852 9123 4567", "00852 91234567", "852-9123-4567"] {
            let run = Run::read(text.as_bytes(), 0).unwrap();
            let end = international(text.as_bytes(), 0, &run).map(|hit| hit.end);
            assert_eq!(end, Some(text.len()), "{text}");
        }
    }

    #[test]
    fn a_full_stop_may_part_a_number() {
        assert_eq!(dotted(b"9123.4567,", 0).map(|hit| hit.end), Some(9));
        for text in ["1123.4567", "9123.45678", "9123 4567", "9123.456"] {
            assert!(dotted(text.as_bytes(), 0).is_none(), "{text}");
        }
    }

    #[test]
    fn local_numbers_follow_the_plan() {
        for (text, expected) in
            [("2345 6789", true), ("91234567", true), ("1234 5678", false), ("234 56789", false)]
        {
            let run = Run::read(text.as_bytes(), 0).unwrap();
            assert_eq!(local(&run.whole().unwrap()), expected, "{text}");
        }
    }
}
