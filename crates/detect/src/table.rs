//! Reasoning about columns: what a column holds is said by its name and by what most of its cells
//! are, never by one of them.

use crate::topic;
use crate::{Confidence, Kind, cell, date, numbers};

/// Cells that are looked at in each column; more do not change a share by much.
const SAMPLE_CELLS_MAX: u32 = 1_000;
/// Cells that are looked at in each further piece of a long table, so that what changes is noticed.
const SAMPLE_CELLS_LATER: u32 = 100;
/// A column whose name says what it holds: at least half of the cells must agree.
const NAMED_SHARE: f64 = 0.5;
/// A column without a telling name whose values check themselves: chance agrees with one in ten.
const CHECKED_SHARE: f64 = 0.8;
/// Names and addresses in a column without a telling name.
const WRITTEN_SHARE: f64 = 0.6;
/// Values that only have a form: nearly all must have it, and of enough cells, for chance gives
/// seven in ten random numbers of eight digits the form of a telephone number.
const FORMED_SHARE: f64 = 0.95;
const FORMED_CELLS_MIN: u32 = 10;
/// Cells that a column without a telling name must have.
const CELLS_MIN: u32 = 3;
/// Cells of digits as long as cards, of which fewer than half are cards, are something else.
const CARD_SHAPED_MIN: u32 = 20;
/// The normal distribution's value for 95 % on both sides, for Wilson's interval.
const NORMAL_95: f64 = 1.96;

/// Kinds with a check or a form so narrow that chance rarely gives it.
const CHECKED: [Kind; 8] = [
    Kind::HongKongIdentityCard,
    Kind::MainlandIdentity,
    Kind::PaymentCard,
    Kind::Iban,
    Kind::Email,
    Kind::IpAddress,
    Kind::MacAddress,
    Kind::TaiwanIdentity,
];
const WRITTEN: [Kind; 2] = [Kind::PersonName, Kind::Address];
const FORMED: [Kind; 3] = [Kind::BankAccount, Kind::Phone, Kind::Bic];

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The kind, if the column is of one.
    pub kind: Option<Kind>,
    /// How sure: sure if name and values agree.
    pub confidence: Confidence,
    /// Cells looked at, empty ones left out.
    pub cells: u32,
    /// Cells of the kind.
    pub matching: u32,
    /// With 95 % confidence at least this share of the column's cells is of the kind (Wilson).
    pub share_at_least: f64,
    /// The name says that the column holds the kind.
    pub named: bool,
    /// Numbers as long as payment cards fill the column, and most fail a card's check: the few that
    /// pass do so by chance.
    pub not_cards: bool,
}

/// Counts of one column, from its name and the cells shown to it.
///
/// ```
/// use detect::{Column, Kind};
/// let mut column = Column::named(b"mobile_no");
/// column.see(b"9123 4567");
/// column.see(b"6123 4567");
/// assert_eq!(column.verdict().kind, Some(Kind::Phone));
/// ```
#[derive(Debug, Clone)]
pub struct Column {
    /// What the name says.
    wanted: Option<&'static [Kind]>,
    named_counts: Vec<u32>,
    counts: [u32; CHECKED.len() + WRITTEN.len() + FORMED.len()],
    cells: u32,
    cells_max: u32,
    card_shaped: u32,
    dates: u32,
}

impl Column {
    /// A column with a name; a name that says nothing is as good as none.
    #[must_use]
    pub fn named(name: &[u8]) -> Self {
        let wanted = topic::of_name(name).map(topic::Topic::kinds);
        Self {
            wanted,
            named_counts: vec![0; wanted.map_or(0, <[Kind]>::len)],
            counts: [0; CHECKED.len() + WRITTEN.len() + FORMED.len()],
            cells: 0,
            cells_max: SAMPLE_CELLS_MAX,
            card_shaped: 0,
            dates: 0,
        }
    }

    /// Looks at one cell. Cells beyond a thousand are not looked at.
    pub fn see(&mut self, cell: &[u8]) {
        if self.cells >= self.cells_max {
            return;
        }
        let cell = cell.trim_ascii();
        let drawn = cell.iter().all(|b| matches!(b, b'-' | b':' | b'='));
        if cell.is_empty() || drawn {
            return;
        }
        self.cells += 1;
        let wanted = self.wanted.unwrap_or_default();
        for (kind, count) in wanted.iter().zip(&mut self.named_counts) {
            *count += u32::from(cell::may_be(*kind, cell));
        }
        let kinds = CHECKED.iter().chain(&WRITTEN).chain(&FORMED);
        for (kind, count) in kinds.zip(&mut self.counts) {
            *count += u32::from(cell::is(*kind, cell));
        }
        self.card_shaped += u32::from(numbers::card_shaped(cell));
        self.dates += u32::from(cell.len() == 8 && date::cell(cell));
    }

    /// Lets a further piece of the table be sampled as well.
    pub(crate) const fn see_more(&mut self) {
        if self.cells >= self.cells_max {
            self.cells_max = self.cells_max.saturating_add(SAMPLE_CELLS_LATER);
        }
    }

    /// What the column holds, as far as seen.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let cards = CHECKED.iter().position(|k| *k == Kind::PaymentCard);
        let cards = cards.and_then(|i| self.counts.get(i)).copied().unwrap_or(0);
        let not_cards = self.card_shaped >= CARD_SHAPED_MIN && cards * 2 < self.card_shaped;
        let found = self.by_name().or_else(|| self.by_values());
        let (kind, confidence, matching, named) = match found {
            Some((kind, confidence, matching, named)) => (Some(kind), confidence, matching, named),
            None => (None, Confidence::Possible, 0, false),
        };
        let share_at_least = wilson(matching, self.cells);
        Verdict { kind, confidence, cells: self.cells, matching, share_at_least, named, not_cards }
    }

    fn share(&self, count: u32) -> f64 {
        if self.cells == 0 { 0.0 } else { f64::from(count) / f64::from(self.cells) }
    }

    fn by_name(&self) -> Option<(Kind, Confidence, u32, bool)> {
        let counted = self.wanted?.iter().zip(&self.named_counts);
        let (kind, count) = counted.max_by_key(|(_, count)| **count)?;
        (self.share(*count) >= NAMED_SHARE).then_some((*kind, Confidence::Sure, *count, true))
    }

    fn by_values(&self) -> Option<(Kind, Confidence, u32, bool)> {
        if self.cells < CELLS_MIN {
            return None;
        }
        let mut counts = CHECKED.iter().chain(&WRITTEN).chain(&FORMED).zip(&self.counts);
        let checked = counts
            .by_ref()
            .take(CHECKED.len())
            .find(|(_, count)| self.share(**count) >= CHECKED_SHARE);
        if let Some((kind, count)) = checked {
            return Some((*kind, Confidence::Sure, *count, false));
        }
        // A name that says something else speaks against values that only have a form, and against
        // names but for those that nothing else fits: `emergency_contact`.
        if let Some(wanted) = self.wanted {
            let fits = wanted.is_empty() || self.named_counts.iter().any(|count| *count > 0);
            let written = CHECKED.iter().chain(&WRITTEN).zip(&self.counts).skip(CHECKED.len());
            let mut named = written.filter(|(kind, _)| **kind == Kind::PersonName && !fits);
            return named
                .find(|(_, count)| self.share(**count) >= CHECKED_SHARE)
                .map(|(kind, count)| (*kind, Confidence::Likely, *count, false));
        }
        let skipped = CHECKED.len();
        let counts = CHECKED.iter().chain(&WRITTEN).chain(&FORMED).zip(&self.counts);
        let mut counts = counts.skip(skipped);
        let written = counts
            .by_ref()
            .take(WRITTEN.len())
            .find(|(_, count)| self.share(**count) >= WRITTEN_SHARE);
        if let Some((kind, count)) = written {
            return Some((*kind, Confidence::Likely, *count, false));
        }
        if self.cells < FORMED_CELLS_MIN || self.share(self.dates) >= NAMED_SHARE {
            return None;
        }
        let counts = CHECKED.iter().chain(&WRITTEN).chain(&FORMED).zip(&self.counts);
        counts
            .skip(CHECKED.len() + WRITTEN.len())
            .find(|(_, count)| self.share(**count) >= FORMED_SHARE)
            .map(|(kind, count)| (*kind, Confidence::Likely, *count, false))
    }
}

/// The lower end of Wilson's interval for a share.
fn wilson(matching: u32, cells: u32) -> f64 {
    if cells == 0 {
        return 0.0;
    }
    let (n, z) = (f64::from(cells), NORMAL_95);
    let share = f64::from(matching) / n;
    let centre = share + z * z / (2.0 * n);
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre - spread) / (1.0 + z * z / n)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(name: &str, cells: &[&str]) -> Verdict {
        let mut column = Column::named(name.as_bytes());
        cells.iter().for_each(|cell| column.see(cell.as_bytes()));
        column.verdict()
    }

    #[test]
    fn one_stray_match_does_not_label_a_column() {
        let cells = ["4111111111111111", "hello", "world", "x", "y"];
        assert_eq!(verdict("remark", &cells).kind, None);
        assert_eq!(verdict("card_no", &cells).kind, None);
    }

    #[test]
    fn a_name_and_half_of_the_values_do() {
        let found = verdict("身份證號碼", &["A1234563", "E3649125", "unknown"]);
        assert_eq!((found.kind, found.named), (Some(Kind::HongKongIdentityCard), true));
        assert_eq!(found.confidence, Confidence::Sure);
        assert!((0.2..0.67).contains(&found.share_at_least));
    }

    #[test]
    fn values_alone_do_when_nearly_all_agree() {
        let names = ["Carmen Lam", "李家豪", "Ho Lai Wah", "陳大文"];
        assert_eq!(verdict("c2", &names).kind, Some(Kind::PersonName));
        let phones: Vec<String> =
            (0..12).map(|i| format!("9{:07}", i * 811_111 % 9_999_999)).collect();
        let phones: Vec<&str> = phones.iter().map(String::as_str).collect();
        assert_eq!(verdict("c4", &phones).kind, Some(Kind::Phone));
        assert_eq!(verdict("ref", &phones).kind, None);
        let dates = ["20250101"; 12];
        assert_eq!(verdict("c5", &dates).kind, None);
    }

    #[test]
    fn a_column_for_telephones_that_holds_names_holds_names() {
        let names = ["陳大文", "李芳", "Chan Tai Man", "王小明"];
        assert_eq!(verdict("emergency_contact", &names).kind, Some(Kind::PersonName));
        assert_eq!(verdict("reference", &names).kind, None);
    }

    #[test]
    fn cards_by_chance_are_called_so() {
        let numbers: Vec<String> = (0..100).map(|i| format!("41111111111111{i:02}")).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let found = verdict("c1", &numbers);
        assert!(found.not_cards && found.kind.is_none());
    }
}
