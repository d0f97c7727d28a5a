//! Mainland resident identity numbers (GB 11643-1999): region, date of birth, order, check
//! character.

use crate::text::border_after;
use crate::{Confidence, Hit, Kind};

const LENGTH: usize = 18;
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";
/// First two digits: provinces, and 81 to 83 for residents from Hong Kong, Macau and Taiwan.
const REGIONS: [u32; 35] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
    53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83,
];

/// The number that starts here, if one does.
pub(crate) fn at(text: &[u8], start: usize) -> Option<Hit> {
    let end = start + LENGTH;
    let token = text.get(start..end)?;
    let (check, digits) = token.split_last()?;
    if !digits.iter().all(u8::is_ascii_digit) || !border_after(text, end) {
        return None;
    }
    let number = |from: usize, to: usize| {
        digits.get(from..to).map(|part| part.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')))
    };
    let (region, year) = (number(0, 2)?, number(6, 10)?);
    let (month, day) = (number(10, 12)?, number(12, 14)?);
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(d, w)| u32::from(d - b'0') * w).sum();
    let right = CHECKS.get((sum % 11) as usize) == Some(&check.to_ascii_uppercase());
    let fits = right && REGIONS.contains(&region) && is_date(year, month, day);
    fits.then_some(Hit { kind: Kind::MainlandIdentity, start, end, confidence: Confidence::Sure })
}

fn is_date(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1900..=2099).contains(&year) && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_found() {
        for text in ["11010519491231002X", "11010519491231002x", "440524188001010014"] {
            let found = at(text.as_bytes(), 0).is_some();
            // The second example of the standard is born in 1880, before the range that we accept.
            assert_eq!(found, !text.starts_with("4405241880"), "{text}");
        }
    }

    #[test]
    fn wrong_dates_regions_and_checks_are_not() {
        for text in [
            "110105194912310021",
            "110105194902300020",
            "990105194912310027",
            "11010519491331002X",
            "11010519491231002",
            "11010519491231002X1",
        ] {
            assert!(at(text.as_bytes(), 0).is_none(), "{text}");
        }
    }
}
