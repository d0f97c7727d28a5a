//! Looking for damage: quickly at each start, deeply on demand.

use super::apply::entry;
use super::names::{BlockCache, Entry, Overlay, Source};
use super::rows;
use crate::codec::{Header, damaged_record};
use crate::digest::Multiset;
use crate::sealing::{Digests, Sealing};
use crate::state::{CollectionId, CollectionState, NAMES, State};
use crate::{Damage, StoreError};
use kernel::LogPosition;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// Most findings of one examination; a file that is damaged throughout needs no longer list.
pub(crate) const FINDINGS_MAX: usize = 100;

/// Compares every collection with its digests, by version and tag of each record: the check of each
/// start. `newer` gets the records above the floor of their names. Records and terms are read at
/// the same time, since the start waits for both; nobody writes yet, so both connections see the
/// same.
pub(crate) fn check_at_start(
    connection: &Connection,
    second: Connection,
    sealing: &Sealing,
    state: &State,
    newer: impl FnMut(&CollectionState, &[u8]),
) -> Result<Vec<Damage>, StoreError> {
    let (of_records, of_terms) = std::thread::scope(|scope| {
        let of_terms = scope.spawn(move || check_terms(&second, sealing, state));
        (check_records(connection, sealing, state, newer), of_terms.join())
    });
    let of_terms = of_terms.map_err(|_| StoreError::Closed)?;
    together(connection, state, of_records?, of_terms?)
}

fn check_digests(
    connection: &Connection,
    sealing: &Sealing,
    state: &State,
) -> Result<Vec<Damage>, StoreError> {
    let of_records = check_records(connection, sealing, state, |_, _| {})?;
    let of_terms = check_terms(connection, sealing, state)?;
    together(connection, state, of_records, of_terms)
}

fn together(
    connection: &Connection,
    state: &State,
    mut damages: Vec<Damage>,
    of_terms: Vec<Damage>,
) -> Result<Vec<Damage>, StoreError> {
    damages.extend(of_terms);
    let end = rows::log_end(connection)?;
    if end != state.log.size {
        damages.push(Damage::Log { position: LogPosition(end.min(state.log.size)) });
    }
    damages.sort();
    damages.dedup();
    Ok(damages)
}

/// What was found of each collection.
type Sums = BTreeMap<CollectionId, Multiset>;

fn check_records(
    connection: &Connection,
    sealing: &Sealing,
    state: &State,
    mut newer: impl FnMut(&CollectionState, &[u8]),
) -> Result<Vec<Damage>, StoreError> {
    let mut sums = Sums::default();
    let mut damages = Vec::new();
    let mut at: Option<(&CollectionState, Digests)> = None;
    rows::scan_tags(connection, |id, key, version, tag| {
        if at.as_ref().is_none_or(|(known, _)| known.id != id) {
            let known = state.by_id(id).ok_or_else(|| stranger(id, key))?;
            at = Some((known, sealing.digests(&known.name)));
        }
        let Some((known, digests)) = &mut at else { return Ok(()) };
        let sum = sums.entry(id).or_default();
        sum.add(&digests.record(key, version, tag));
        if sum.count > known.records.count {
            return Err(StoreError::Damaged(digest_of(known)));
        }
        if known.sorted && version > known.names_floor {
            newer(known, key);
        }
        Ok(())
    })
    .or_else(|error| keep(error, &mut damages))?;
    let differs = |c: &&CollectionState| sums.get(&c.id).copied().unwrap_or_default() != c.records;
    damages.extend(state.collections.iter().filter(differs).map(digest_of));
    Ok(damages)
}

fn check_terms(
    connection: &Connection,
    sealing: &Sealing,
    state: &State,
) -> Result<Vec<Damage>, StoreError> {
    let mut sums = Sums::default();
    let mut damages = Vec::new();
    let mut at: Option<(&CollectionState, Digests)> = None;
    rows::scan_terms(connection, |id, term, key| {
        if at.as_ref().is_none_or(|(known, _)| known.id != id) {
            let known = state.by_id(id).ok_or_else(|| stranger(id, key))?;
            at = Some((known, sealing.digests(&known.name)));
        }
        let Some((known, digests)) = &mut at else { return Ok(()) };
        let sum = sums.entry(id).or_default();
        sum.add(&digests.term(term, key));
        if sum.count > known.terms.count {
            return Err(StoreError::Damaged(index_of(known)));
        }
        Ok(())
    })
    .or_else(|error| keep(error, &mut damages))?;
    let differs = |c: &&CollectionState| sums.get(&c.id).copied().unwrap_or_default() != c.terms;
    damages.extend(state.collections.iter().filter(differs).map(index_of));
    Ok(damages)
}

fn index_of(known: &CollectionState) -> Damage {
    Damage::Index { collection: known.name.to_string() }
}

fn keep(error: StoreError, damages: &mut Vec<Damage>) -> Result<(), StoreError> {
    match error {
        StoreError::Damaged(damage) => {
            damages.push(damage);
            Ok(())
        }
        other => Err(other),
    }
}

fn stranger(id: CollectionId, key: &[u8]) -> StoreError {
    StoreError::Damaged(damaged_record(&format!("#{id}"), key))
}

fn digest_of(known: &CollectionState) -> Damage {
    Damage::Digest { collection: known.name.to_string() }
}

/// Opens every record and every row of the log, and compares every index and list of names with the
/// records. Names the place of each finding.
pub(crate) fn examine(
    connection: &Connection,
    sealing: &Sealing,
) -> Result<Vec<Damage>, StoreError> {
    let mut damages = Vec::new();
    pages(connection, &mut damages)?;
    let state = match rows::get_state(connection, sealing) {
        Ok(state) => state,
        Err(error) => {
            keep(error, &mut damages)?;
            return Ok(damages);
        }
    };
    check_digests(connection, sealing, &state)
        .map(|found| damages.extend(found))
        .or_else(|error| keep(error, &mut damages))?;
    for known in &state.collections {
        if damages.len() >= FINDINGS_MAX {
            break;
        }
        collection(connection, sealing, &state, known, &mut damages)
            .or_else(|error| keep(error, &mut damages))?;
    }
    log(connection, sealing, &state, &mut damages).or_else(|error| keep(error, &mut damages))?;
    damages.sort();
    damages.dedup();
    damages.truncate(FINDINGS_MAX);
    Ok(damages)
}

/// The engine's own check of its pages.
fn pages(connection: &Connection, damages: &mut Vec<Damage>) -> Result<(), StoreError> {
    let check = || -> Result<Vec<String>, StoreError> {
        let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        Ok(lines.collect::<Result<_, _>>()?)
    };
    match check() {
        Ok(lines) => {
            let findings = lines.into_iter().filter(|line| line != "ok");
            damages.extend(findings.map(|says| Damage::File { says }));
            Ok(())
        }
        Err(error) => keep(error, damages),
    }
}

fn collection(
    connection: &Connection,
    sealing: &Sealing,
    state: &State,
    known: &CollectionState,
    damages: &mut Vec<Damage>,
) -> Result<(), StoreError> {
    let names_id = state.collection(NAMES).map(|c| c.id);
    let (id, name, cache) = (known.id, &*known.name, BlockCache::default());
    let source = Source { connection, sealing, names_id, collection: id, name, cache: &cache };
    let mut listed = BTreeSet::new();
    if known.sorted {
        let visit = |entry: &Entry| {
            listed.insert(entry.clone());
            Ok(true)
        };
        source
            .directory()
            .and_then(|directory| source.walk(&directory, &Overlay::default(), None, visit))
            .or_else(|error| keep(error, damages))?;
    }
    rows::scan(connection, id, &[], false, |key, row| {
        let header = rows::open(sealing, name, key, &row)
            .and_then(|opened| opened.split(name, key).map(|(header, _)| header));
        match header {
            Err(error) => keep(error, damages)?,
            Ok(header) => {
                if !terms_are_there(connection, id, &header, key)? {
                    damages.push(Damage::Index { collection: name.to_owned() });
                }
                let named = entry(&header, key);
                if row.version <= known.names_floor && named.is_some_and(|e| !listed.contains(&e)) {
                    damages.push(Damage::Names { collection: name.to_owned() });
                }
            }
        }
        Ok(damages.len() < FINDINGS_MAX)
    })
}

fn terms_are_there(
    connection: &Connection,
    collection: CollectionId,
    header: &Header,
    key: &[u8],
) -> Result<bool, StoreError> {
    for term in &header.terms {
        if !rows::has_term(connection, collection, term, key)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn log(
    connection: &Connection,
    sealing: &Sealing,
    state: &State,
    damages: &mut Vec<Damage>,
) -> Result<(), StoreError> {
    let (mut sum, mut end) = (Multiset::default(), 0);
    let scanned = rows::scan_log(connection, sealing, LogPosition(0), |row, element| {
        sum.add(&element);
        end = row.first.0.saturating_add(u64::from(row.count));
        true
    });
    match scanned {
        Ok(()) if sum == state.log_rows && end == state.log.size => Ok(()),
        Ok(()) => {
            damages.push(Damage::Log { position: LogPosition(end.min(state.log.size)) });
            Ok(())
        }
        Err(error) => keep(error, damages),
    }
}
