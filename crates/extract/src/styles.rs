//! Numbers of workbooks as people see them: days instead of counts, whole numbers in full.

use crate::markup::{Token, attributes};
use std::collections::HashSet;

/// Formats of the programs' own that show days.
const DATE_FORMATS: [std::ops::RangeInclusive<u32>; 4] = [14..=17, 22..=22, 27..=36, 50..=58];
/// Styles of one workbook; the programs allow 65,490.
const STYLES_MAX: usize = 65_490;
/// Workbooks count this day as 1970-01-01.
const EPOCH_DAYS: i64 = 25_569;
/// Days that can be a date in a workbook: up to the year 9999.
const DAYS_MAX: f64 = 2_958_465.0;
/// Whole numbers that a double holds exactly.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Which cell styles show days.
#[derive(Debug, Default)]
pub(crate) struct Styles {
    formats: HashSet<u32>,
    dates: Vec<bool>,
    in_cells: bool,
}

impl Styles {
    /// Takes a token of the styles' member.
    pub(crate) fn take(&mut self, token: Token<'_>) {
        let number = |rest: &[u8]| {
            let found = attributes(rest).into_iter().find(|(name, _)| *name == b"numFmtId");
            found.and_then(|(_, value)| std::str::from_utf8(&value).ok()?.parse::<u32>().ok())
        };
        match token {
            Token::Open(b"numFmt", rest) if self.formats.len() < STYLES_MAX => {
                let code = attributes(rest).into_iter().find(|(name, _)| *name == b"formatCode");
                if let (Some(id), Some((_, code))) = (number(rest), code)
                    && shows_days(&code)
                {
                    self.formats.insert(id);
                }
            }
            Token::Open(b"cellXfs", _) => self.in_cells = true,
            Token::Close(b"cellXfs") => self.in_cells = false,
            Token::Open(b"xf", rest) if self.in_cells && self.dates.len() < STYLES_MAX => {
                let date = number(rest).is_some_and(|id| {
                    self.formats.contains(&id) || DATE_FORMATS.iter().any(|own| own.contains(&id))
                });
                self.dates.push(date);
            }
            _ => {}
        }
    }

    /// A format of the workbook's own in its old form.
    pub(crate) fn format(&mut self, id: u32, code: &[u8]) {
        if self.formats.len() < STYLES_MAX && shows_days(code) {
            self.formats.insert(id);
        }
    }

    /// The next cell style in its old form: the number of its format.
    pub(crate) fn style(&mut self, format: u32) {
        if self.dates.len() < STYLES_MAX {
            let own = || DATE_FORMATS.iter().any(|own| own.contains(&format));
            self.dates.push(self.formats.contains(&format) || own());
        }
    }

    /// Whether cells of this style show days.
    pub(crate) fn is_date(&self, style: usize) -> bool {
        self.dates.get(style).copied().unwrap_or(false)
    }
}

/// A format with a year or a day outside of quotes and brackets.
fn shows_days(code: &[u8]) -> bool {
    let (mut quoted, mut brackets) = (false, false);
    code.iter().any(|byte| {
        match byte {
            b'"' => quoted = !quoted,
            b'[' => brackets = true,
            b']' => brackets = false,
            _ => {}
        }
        !quoted && !brackets && matches!(byte, b'y' | b'Y' | b'd' | b'D')
    })
}

/// A number as its cell shows it.
#[expect(clippy::cast_possible_truncation, reason = "the bounds are checked before")]
pub(crate) fn shown(value: &[u8], date: bool) -> Vec<u8> {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok());
    match number {
        Some(days) if date && (1.0..=DAYS_MAX).contains(&days) => {
            day(days as i64 - EPOCH_DAYS).into_bytes()
        }
        Some(whole) if whole.fract() == 0.0 && whole.abs() <= WHOLE_MAX => {
            format!("{}", whole as i64).into_bytes()
        }
        _ => value.to_vec(),
    }
}

/// The calendar day of a count of days since 1970-01-01, after Howard Hinnant's `civil_from_days`.
pub(crate) fn day(days: i64) -> String {
    let z = days.saturating_add(719_468);
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_people_see_them() {
        assert_eq!(shown(b"4.111111111111111E15", false), b"4111111111111111");
        assert_eq!(shown(b"91234567", false), b"91234567");
        assert_eq!(shown(b"0.5", false), b"0.5");
        assert_eq!(shown(b"29347", true), b"1980-05-06");
        assert_eq!(shown(b"1e300", true), b"1e300");
        assert!(shows_days(b"yyyy\\-mm") && !shows_days(b"[Red]0.00\"days\""));
    }
}
