//! A whole text with what its layout says: hits of the scan, raised, corrected or lowered by the
//! columns in which they stand.

use crate::layout::{self, Layout, Records};
use crate::table::{Column, Verdict};
use crate::{Confidence, Hit, Kind, cell, scan, terms};
use std::collections::HashMap;
use std::ops::Range;

/// Columns of one text; later ones are not judged.
const COLUMNS_MAX: usize = 1_024;
/// The longest name of a column that is kept, in bytes: names are held over all pieces.
const NAME_BYTES_MAX: usize = 256;

/// A column of a text and what it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedColumn {
    /// The name in the header or the key; empty without a header.
    pub name: Vec<u8>,
    /// What the column holds.
    pub verdict: Verdict,
}

/// What a text holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// How it is laid out.
    pub layout: Layout,
    /// Its columns; none in prose.
    pub columns: Vec<NamedColumn>,
    /// The hits in order, without overlaps. A value is sensitive from [`Confidence::Likely`] on.
    pub hits: Vec<Hit>,
}

/// Scans a whole text and lets its columns judge.
///
/// ```
/// let text = b"c1,c2\n1,A1234563\n2,E3649125\n3,D2887542\n";
/// let found = detect::document(text);
/// assert!(found.hits.iter().all(|hit| hit.confidence == detect::Confidence::Sure));
/// ```
#[must_use]
pub fn document(text: &[u8]) -> Document {
    document_as(text, layout::sniff(text))
}

/// Scans a text whose layout is known, such as a piece of a longer text with the header before it,
/// or the rows of a workbook.
///
/// ```
/// use detect::{Kind, Layout, document_as};
/// let layout = Layout::Delimited { delimiter: b'\t', header: true };
/// let found = document_as(b"passport_no\nH12345678\n", layout);
/// assert_eq!(found.columns[0].verdict.kind, Some(Kind::HongKongPassport));
/// ```
#[must_use]
pub fn document_as(text: &[u8], layout: Layout) -> Document {
    document_piece(text, layout, &mut Columns::default())
}

/// The columns of a table that comes in pieces, and what was seen of them so far.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    columns: Vec<(Vec<u8>, Column)>,
    /// Columns of JSON are known by name.
    known: HashMap<Vec<u8>, usize>,
}

/// Scans a piece of a long text whose layout is known. Its columns are judged by all pieces so far:
/// by a thousand cells of the first and a hundred of each further one. A table with a header has it
/// at the head of each piece.
#[must_use]
pub fn document_piece(text: &[u8], layout: Layout, columns: &mut Columns) -> Document {
    let hits = scan(text);
    columns.columns.iter_mut().for_each(|(_, column)| column.see_more());
    let mut table = Table { seen: columns, cells: Vec::new() };
    table.read(text, layout);
    let cells = table.cells;
    let judged = columns
        .columns
        .iter()
        .map(|(name, column)| NamedColumn { name: name.clone(), verdict: column.verdict() });
    let judged: Vec<NamedColumn> = judged.collect();
    let hits = judge(text, &hits, &cells, &judged);
    let hits = merge(hits, terms::health(text));
    Document { layout, columns: judged, hits }
}

/// Adds hits that overlap none of the others.
fn merge(hits: Vec<Hit>, more: Vec<Hit>) -> Vec<Hit> {
    if more.is_empty() {
        return hits;
    }
    let mut merged = Vec::with_capacity(hits.len() + more.len());
    let mut more = more.into_iter().peekable();
    for hit in hits {
        while let Some(next) = more.next_if(|next| next.start < hit.start) {
            if next.end <= hit.start {
                merged.push(next);
            }
        }
        while more.next_if(|next| next.start < hit.end).is_some() {}
        merged.push(hit);
    }
    merged.extend(more);
    merged
}

/// The columns of a text, and every cell with its column.
struct Table<'a> {
    seen: &'a mut Columns,
    cells: Vec<(usize, Range<usize>)>,
}

impl Table<'_> {
    fn read(&mut self, text: &[u8], layout: Layout) {
        match layout {
            Layout::Prose => {}
            Layout::Delimited { delimiter, header } => self.delimited(text, delimiter, header),
            Layout::JsonLines => self.json(text),
        }
    }

    fn delimited(&mut self, text: &[u8], delimiter: u8, header: bool) {
        let (mut records, mut fields, mut row) = (Records::new(text, delimiter), Vec::new(), 0);
        while records.read(&mut fields).is_some() {
            for (index, cell) in fields.iter().cloned().enumerate().take(COLUMNS_MAX) {
                let value = text.get(cell.clone()).unwrap_or_default();
                let name = if header && row == 0 { value } else { b"" };
                let name = name.get(..NAME_BYTES_MAX).unwrap_or(name);
                if self.seen.columns.len() <= index {
                    self.seen.columns.push((name.to_vec(), Column::named(name)));
                }
                if !(header && row == 0) {
                    self.see(index, value, cell);
                }
            }
            row += 1;
        }
    }

    fn json(&mut self, text: &[u8]) {
        let mut start = 0;
        for line in text.split_inclusive(|b| *b == b'\n') {
            for (key, value) in layout::members(text, start..start + line.len()) {
                let name = text.get(key).unwrap_or_default();
                let name = name.get(..NAME_BYTES_MAX).unwrap_or(name);
                let index = match self.seen.known.get(name) {
                    Some(index) => *index,
                    None if self.seen.columns.len() < COLUMNS_MAX => {
                        self.seen.known.insert(name.to_vec(), self.seen.columns.len());
                        self.seen.columns.push((name.to_vec(), Column::named(name)));
                        self.seen.columns.len() - 1
                    }
                    None => continue,
                };
                self.see(index, text.get(value.clone()).unwrap_or_default(), value);
            }
            start += line.len();
        }
    }

    fn see(&mut self, index: usize, value: &[u8], place: Range<usize>) {
        if let Some((_, column)) = self.seen.columns.get_mut(index) {
            column.see(value);
        }
        if !place.is_empty() {
            self.cells.push((index, place));
        }
    }
}

/// Goes through cells and hits together, both in order.
fn judge(
    text: &[u8],
    hits: &[Hit],
    cells: &[(usize, Range<usize>)],
    columns: &[NamedColumn],
) -> Vec<Hit> {
    let mut judged: Vec<Hit> = Vec::with_capacity(hits.len());
    let mut hits = hits;
    for (index, place) in cells {
        let Some(NamedColumn { verdict, .. }) = columns.get(*index) else { continue };
        while let Some((hit, rest)) = hits.split_first().filter(|(h, _)| h.end <= place.start) {
            judged.push(*hit);
            hits = rest;
        }
        let mine = verdict.kind.filter(|kind| {
            // What the scan has read whole and checked need not be read again.
            let read = hits.first().is_some_and(|hit| {
                hit.kind == *kind && hit.start == place.start && hit.end == place.end
            });
            let value = || text.get(place.clone()).unwrap_or_default();
            let known = || checked(*kind) || verdict.named && is_named(*kind, value());
            read && known() || holds(*kind, value(), verdict.named)
        });
        if let Some(kind) = mine {
            let (start, end) = (place.start, place.end);
            judged.push(Hit { kind, start, end, confidence: verdict.confidence });
        }
        while let Some((hit, rest)) = hits.split_first().filter(|(h, _)| h.start < place.end) {
            hits = rest;
            // What the scan saw in this cell gives way to what the column says it is.
            if mine.is_none() {
                let mut hit = *hit;
                if hit.kind == Kind::PaymentCard && verdict.not_cards {
                    hit.confidence = Confidence::Possible;
                }
                judged.push(hit);
            }
        }
    }
    judged.extend_from_slice(hits);
    judged
}

/// Kinds of which a hit over the whole of a cell is a cell of the kind: form and check say all.
const fn checked(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::HongKongIdentityCard
            | Kind::PaymentCard
            | Kind::MainlandIdentity
            | Kind::Iban
            | Kind::Email
            | Kind::MacAddress
    )
}

/// Whether a name that fills a cell of a column for names is one: it has no more words than cells
/// of such columns may have.
fn is_named(kind: Kind, value: &[u8]) -> bool {
    kind == Kind::PersonName && value.iter().filter(|b| **b == b' ').count() < cell::NAME_WORDS_MAX
}

fn holds(kind: Kind, value: &[u8], named: bool) -> bool {
    if named { cell::may_be(kind, value) } else { cell::is(kind, value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str, Confidence)> {
        let found = document(text.as_bytes());
        found
            .hits
            .iter()
            .map(|h| (h.kind, text.get(h.start..h.end).unwrap(), h.confidence))
            .collect()
    }

    #[test]
    fn a_header_names_what_the_values_are() {
        let text = "id,passport_no,pax\n1,H12345678,Kowalczyk Jan\n2,K87654321,x\n3,KJ12345678,y\n";
        let passport = |number| (Kind::HongKongPassport, number, Confidence::Sure);
        assert_eq!(kinds(text), ["H12345678", "K87654321", "KJ12345678"].map(passport));
    }

    #[test]
    fn keys_of_json_lines_are_columns() {
        let text =
            "{\"name\":\"x\",\"hrp\":\"H12345678\"}\n{\"name\":\"y\",\"hrp\":\"M12345678\"}\n";
        let found = document(text.as_bytes());
        assert_eq!(found.layout, Layout::JsonLines);
        assert_eq!(found.columns[1].verdict.kind, Some(Kind::HomeReturnPermit));
        assert_eq!(found.hits.len(), 2);
    }

    #[test]
    fn counters_that_pass_a_cards_check_by_chance_are_lowered() {
        let rows: String = (0..100).map(|i| format!("{i},41111111111111{i:02}\n")).collect();
        let found = document(format!("n,seq\n{rows}").as_bytes());
        assert!(!found.hits.is_empty());
        assert!(found.hits.iter().all(|hit| hit.confidence == Confidence::Possible));
    }
}
