//! A reading held against the register: what can be applied, and what is listed with its reason.

use super::{ImportReport, REJECTIONS_LISTED_MAX, Reading, Rejection};
use crate::{KnownBy, Publication, Register};
use kernel::Name;
use std::collections::HashSet;

/// Turns a reading into a publication that the register will take, and the report of it.
///
/// A row is rejected when it repeats an earlier one, when what it names is known better by another
/// source, or when an end of its relation is neither in the register nor an accepted row.
#[must_use]
pub fn plan(reading: Reading, register: &Register, source: Name) -> (Publication, ImportReport) {
    let Reading { assets, relations, mut rejected } = reading;
    let rows = assets.len() + relations.len() + rejected.len();
    let mut publication = Publication::new(source, KnownBy::Declared);
    let mut accepted = Vec::new();
    let mut told = HashSet::new();
    for row in assets {
        let reference = &row.fact.reference;
        if !told.insert(reference.clone()) {
            let reason = format!("`{reference}` stands twice in the file; the first row counts");
            rejected.push(Rejection::new(&row.at, "reference", reason));
            continue;
        }
        let current = register.find(reference).and_then(|asset| asset.history.current());
        let better = current.filter(|span| {
            span.source != publication.source
                && span.known_by.is_stronger_than(publication.known_by)
        });
        if let Some(span) = better {
            let (how, who) = (span.known_by, &span.source);
            let reason = format!("`{reference}` is {how} by `{who}`; a list cannot overwrite that");
            rejected.push(Rejection::new(&row.at, "reference", reason));
            told.remove(reference);
            continue;
        }
        accepted.push(row.at);
        publication.assets.push(row.fact);
    }
    let mut related = HashSet::new();
    for row in relations {
        let ends = [("from", &row.fact.from), ("to", &row.fact.to)];
        let here = |reference| {
            let current = register.find(reference).and_then(|asset| asset.history.current());
            told.contains(reference) || current.is_some()
        };
        if let Some((field, reference)) = ends.into_iter().find(|(_, end)| !here(end)) {
            let reason = format!("`{reference}` is neither in the inventory nor accepted here");
            rejected.push(Rejection::new(&row.at, field, reason));
            continue;
        }
        if !related.insert((row.fact.from.clone(), row.fact.kind, row.fact.to.clone())) {
            rejected.push(Rejection::new(&row.at, "", "the relation stands twice in the file"));
            continue;
        }
        accepted.push(row.at);
        publication.relations.push(row.fact);
    }
    let rejected_count = rejected.len();
    rejected.truncate(REJECTIONS_LISTED_MAX);
    (publication, ImportReport { rows, accepted, rejected, rejected_count })
}
