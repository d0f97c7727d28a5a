//! The committer: one thread that gathers what waits into one transaction and one flush.

use super::apply::{Applied, Group, Stop};
use super::folder::Reserve;
use super::names::{BlockCache, BlockChange, Directory, Next, Source};
use super::writes::Writes;
use super::{file, rows};
use crate::engine::{Core, Message};
use crate::epochs::EpochTable;
use crate::limits::{GROUP_BATCHES_MAX, GROUP_BYTES_MAX};
use crate::prepare::{Prepared, Preparer, expiry_term};
use crate::state::{CollectionId, NAMES, OUTCOMES, State};
use crate::{AppendError, Appender, Committed, LogRow, StoreError};
use kernel::{Event, Timestamp};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::mpsc::Receiver;

/// Pages of 4096 bytes that essential batches may use beyond the quota: 16 MiB.
const RESERVE_PAGES: u32 = 4_096;
/// Expired outcomes that one purge removes.
const PURGE_MAX: u32 = 1_024;
/// How often a group gives way to writers that are coming back.
const GIVE_WAY_MAX: u32 = 8;
/// How often expired outcomes are looked for.
const PURGE_EVERY_SECONDS: i64 = 600;

/// The thread's own things.
pub(crate) struct Committer {
    pub(crate) core: Arc<Core>,
    pub(crate) connection: Connection,
    pub(crate) appender: Box<dyn Appender>,
    pub(crate) reserve: Reserve,
    pub(crate) pages_max: Option<u32>,
    pub(crate) state: Arc<State>,
    pub(crate) epochs: EpochTable,
    /// Space has run out, and the reserve is being used for what is essential.
    pub(crate) tight: bool,
    /// A commit failed with an unknown outcome: no further commit until the next start.
    pub(crate) failed: bool,
    pub(crate) next_purge: Timestamp,
}

/// What the store does for itself, in a transaction of its own.
#[derive(Clone, Copy)]
enum Upkeep {
    Merge(CollectionId),
    Purge,
}

struct Filled {
    state: State,
    epochs: EpochTable,
    next: Option<Next>,
    results: Vec<Result<Committed, StoreError>>,
    events: u64,
    changed: bool,
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.core.latest.send_modify(|latest| latest.ended = true);
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the appender's rows do not follow the log")]
struct OutOfStep;

impl Committer {
    pub(crate) fn run(mut self, queue: &Receiver<Message>) {
        let mut expected = 0;
        while let Ok(first) = queue.recv() {
            let batches = gather(queue, first, expected);
            expected = batches.len();
            self.core.counters.waiting.fetch_sub(batches.len() as u64, Relaxed);
            self.group(batches);
            self.upkeep();
        }
        // Events that were recorded after the last batch.
        self.group(Vec::new());
    }

    fn group(&mut self, batches: Vec<Prepared>) {
        if self.failed {
            // What comes now was handed to nobody: where the disk is read-only, it is surely not
            // there. Only the commit that met the failure is in doubt.
            let read_only = self.reserve.disk_is_read_only();
            let refusal = if read_only { StoreError::ReadOnly } else { StoreError::OutcomeUnknown };
            return self.refuse(batches, &refusal);
        }
        let (events, dropped) = self.core.pending.take();
        if self.tight && self.regain().is_err() {
            let (essential, other): (Vec<_>, Vec<_>) =
                batches.into_iter().partition(|batch| batch.essential || batch.flush);
            self.refuse(other, &StoreError::StorageFull);
            return self.essential_group(essential, events, dropped);
        }
        let mut batches = batches;
        match self.attempt(&mut batches, &events, None) {
            Ok(results) => self.answer(batches, results, dropped),
            Err(StoreError::StorageFull) => {
                let (essential, other): (Vec<_>, Vec<_>) =
                    batches.into_iter().partition(|batch| batch.essential || batch.flush);
                self.refuse(other, &StoreError::StorageFull);
                self.tight = true;
                self.essential_group(essential, events, dropped);
            }
            Err(error) => {
                self.core.pending.put_back(events, dropped);
                self.refuse(batches, &error);
            }
        }
    }

    /// Commits what must go on when the disk is full, in the space that was reserved for it.
    fn essential_group(&mut self, mut batches: Vec<Prepared>, events: Vec<Event>, dropped: u64) {
        if batches.is_empty() && events.is_empty() {
            self.core.pending.put_back(events, dropped);
            return;
        }
        let released = self.release();
        match released.and_then(|()| self.attempt(&mut batches, &events, None)) {
            Ok(results) => self.answer(batches, results, dropped),
            Err(error) => {
                self.core.pending.put_back(events, dropped);
                self.refuse(batches, &error);
            }
        }
    }

    fn release(&mut self) -> Result<(), StoreError> {
        if let Some(pages) = self.pages_max {
            file::set_pages_max(&self.connection, pages.saturating_add(RESERVE_PAGES))?;
        }
        if self.reserve.is_held() { self.reserve.release() } else { Ok(()) }
    }

    /// Takes the reserve again, now that there may be room.
    fn regain(&mut self) -> Result<(), StoreError> {
        self.reserve.retake()?;
        if let Some(pages) = self.pages_max {
            file::set_pages_max(&self.connection, pages)?;
        }
        self.tight = false;
        Ok(())
    }

    fn refuse(&self, batches: Vec<Prepared>, error: &StoreError) {
        self.core.counters.refused.fetch_add(batches.len() as u64, Relaxed);
        for mut batch in batches {
            batch.reply.send(Err(error.clone()));
        }
    }

    fn answer(
        &self,
        mut batches: Vec<Prepared>,
        results: Vec<Result<Committed, StoreError>>,
        mut dropped: u64,
    ) {
        // Whoever waits is woken before anything is put away: the next group is on its way sooner.
        for (batch, result) in batches.iter_mut().zip(results) {
            let counters = &self.core.counters;
            let counter = if result.is_ok() { &counters.commits } else { &counters.refused };
            counter.fetch_add(1, Relaxed);
            let result = match result {
                Ok(_) if batch.flush && dropped > 0 => {
                    Err(StoreError::EventsDropped { dropped: std::mem::take(&mut dropped) })
                }
                other => other,
            };
            batch.reply.send(result);
        }
        drop(batches);
        self.core.pending.put_back(Vec::new(), dropped);
    }

    /// One transaction. An error means that nothing of it is there (or that nobody knows: then
    /// `failed` is set).
    fn attempt(
        &mut self,
        batches: &mut [Prepared],
        events: &[Event],
        upkeep: Option<Upkeep>,
    ) -> Result<Vec<Result<Committed, StoreError>>, StoreError> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut appended = false;
        let filled = self.fill(batches, events, upkeep, &mut appended);
        let clock = &self.core.clock;
        let began = clock.monotonic();
        let mut handed_over = false;
        let committed = filled.and_then(|mut filled| {
            handed_over = filled.changed;
            if filled.changed {
                self.core.names.write().next = filled.next.take();
            }
            let end = if filled.changed { "COMMIT" } else { "ROLLBACK" };
            self.connection.prepare_cached(end)?.execute([])?;
            Ok(filled)
        });
        match committed {
            Ok(filled) => {
                let micros = clock.monotonic().0.saturating_sub(began.0);
                self.core.counters.sync_micros.fetch_add(micros, Relaxed);
                if appended {
                    self.appender.committed();
                }
                Ok(self.publish(filled))
            }
            Err(error) => {
                self.core.names.write().next = None;
                if appended {
                    self.appender.abandoned();
                }
                let rolled_back = self.connection.is_autocommit()
                    || self.connection.execute_batch("ROLLBACK").is_ok();
                // A full or read-only disk refused the write; after anything else nobody knows.
                let refused = matches!(error, StoreError::StorageFull | StoreError::ReadOnly);
                if !rolled_back || (handed_over && !refused) {
                    self.failed = true;
                    return Err(StoreError::OutcomeUnknown);
                }
                Err(error)
            }
        }
    }

    fn fill(
        &mut self,
        batches: &mut [Prepared],
        events: &[Event],
        upkeep: Option<Upkeep>,
        appended: &mut bool,
    ) -> Result<Filled, StoreError> {
        let core = Arc::clone(&self.core);
        let now = core.clock.wall().max(Timestamp::from_unix_micros(self.state.log_micros));
        let preparer = Preparer { sealing: &core.sealing, next_version: &core.next_version };
        let mut group = Group {
            connection: &self.connection,
            writes: Writes::new(&self.connection)?,
            sealing: &core.sealing,
            preparer,
            state: State::clone(&self.state),
            epochs: self.epochs.clone(),
            names: Vec::new(),
            now,
        };
        group.state.revision = group.state.revision.saturating_add(1);
        let mut log = events.to_vec();
        let mut changed = !log.is_empty();
        let mut results = Vec::with_capacity(batches.len());
        for batch in batches.iter_mut() {
            let first = group.state.log.size.saturating_add(log.len() as u64);
            match group.batch(batch) {
                Ok(applied) => {
                    let writes = !batch.changes.is_empty() || batch.outcome.is_some();
                    let raises = !batch.raises.is_empty() || batch.raise_all;
                    changed |= writes || raises || !batch.events.is_empty();
                    log.extend(batch_events(batch, &applied));
                    let end = group.state.log.size.saturating_add(log.len() as u64);
                    let Applied { versions, epochs, replayed } = applied;
                    let revision = group.state.revision;
                    results.push(Ok(Committed {
                        revision,
                        positions: first..end,
                        versions,
                        epochs,
                        replayed,
                    }));
                }
                Err(Stop::Batch(error)) => results.push(Err(error)),
                Err(Stop::Group(error)) => return Err(error),
            }
        }
        let mut merged = None;
        match upkeep {
            None => {}
            Some(Upkeep::Purge) => changed |= purge(&mut group)?,
            Some(Upkeep::Merge(id)) => {
                merged = merge(&mut group, &core, id)?.map(|directory| (id, directory));
                changed = true;
            }
        }
        let Group { mut state, epochs, names, .. } = group;
        let count = log.len() as u64;
        if changed {
            state.next_version = state.next_version.max(core.next_version.load(SeqCst));
            state.log_micros = now.unix_micros();
            let digest = state.digest(&core.sealing);
            *appended = true;
            let rows = self.appender.append(log, now, &digest).map_err(StoreError::append)?;
            let in_step = rows.first.0 == state.log.size && u64::from(rows.count) == count;
            if !in_step {
                return Err(AppendError::new(OutOfStep).into());
            }
            state.log.size = state.log.size.saturating_add(count);
            state.log.head = rows.head;
            if count > 0 {
                let row = LogRow { first: rows.first, count: rows.count, body: rows.body };
                let element = rows::put_log(&self.connection, &core.sealing, &row)?;
                state.log_rows.add(&element);
            }
            rows::put_state(&self.connection, &core.sealing, &state)?;
        } else {
            state = State::clone(&self.state);
            for result in results.iter_mut().flatten() {
                result.revision = state.revision;
            }
        }
        let next = Some(Next { revision: state.revision, changes: names, merged });
        Ok(Filled { state, epochs, next, results, events: count, changed })
    }

    /// Lets readers and waiters see what is durable.
    fn publish(&mut self, filled: Filled) -> Vec<Result<Committed, StoreError>> {
        let Filled { state, epochs, results, events, changed, .. } = filled;
        if !changed {
            return results;
        }
        let revision = state.revision;
        self.core.names.write().promote();
        self.state = Arc::new(state);
        self.core.publish(&self.state);
        if epochs != self.epochs {
            self.core.publish_epochs(&epochs);
            self.epochs = epochs;
        }
        self.core.counters.groups.fetch_add(1, Relaxed);
        self.core.counters.events.fetch_add(events, Relaxed);
        self.core.latest.send_modify(|latest| latest.revision = revision);
        results
    }

    /// Merges names and removes expired outcomes. A failure here fails nobody: it is tried again.
    fn upkeep(&mut self) {
        if self.failed || self.tight {
            return;
        }
        let due: Vec<CollectionId> = {
            let listings = self.core.names.read();
            let sorted = self.state.collections.iter().filter(|c| c.sorted);
            sorted
                .filter(|c| {
                    let listing = listings.by_collection.get(&c.id);
                    listing.is_some_and(|l| l.overlay.is_due(c.records.count))
                })
                .map(|c| c.id)
                .collect()
        };
        for id in due {
            let _ = self.attempt(&mut [], &[], Some(Upkeep::Merge(id)));
        }
        let now = self.core.clock.wall();
        if now >= self.next_purge && self.state.collection(OUTCOMES).is_some() && !self.failed {
            let before = self.state.revision;
            let _ = self.attempt(&mut [], &[], Some(Upkeep::Purge));
            // A purge that found something is followed by another with the next group.
            if self.state.revision == before {
                self.next_purge = now.plus_seconds(PURGE_EVERY_SECONDS);
            }
        }
    }
}

/// What waits, up to a group. Writers that were just answered come back within microseconds, so a
/// group that would be much smaller than the last gives way to them a few times.
fn gather(queue: &Receiver<Message>, first: Message, expected: usize) -> Vec<Prepared> {
    let (mut batches, mut bytes, mut gave_way) = (Vec::with_capacity(expected), 0, 0);
    let mut next = Some(first);
    loop {
        while let Some(message) = next {
            if let Message::Commit(batch) = message {
                bytes += batch.bytes;
                batches.push(*batch);
            }
            if batches.len() >= GROUP_BATCHES_MAX || bytes >= GROUP_BYTES_MAX {
                return batches;
            }
            next = queue.try_recv().ok();
        }
        if gave_way >= GIVE_WAY_MAX || batches.len() * 4 >= expected * 3 {
            return batches;
        }
        gave_way += 1;
        std::thread::yield_now();
        next = queue.try_recv().ok();
    }
}

/// The events of a batch; those of a repeated request say so.
fn batch_events(batch: &mut Prepared, applied: &Applied) -> Vec<Event> {
    // An essential batch may be tried a second time, in reserved space.
    let events = if batch.essential || batch.flush {
        batch.events.clone()
    } else {
        std::mem::take(&mut batch.events)
    };
    if applied.replayed.is_none() {
        return events;
    }
    events.into_iter().map(|event| event.with("replayed", "true")).collect()
}

fn purge(group: &mut Group<'_>) -> Result<bool, StoreError> {
    let Some(outcomes) = group.state.collection(OUTCOMES) else { return Ok(false) };
    let below = expiry_term(group.now);
    let expired = rows::find_below(group.connection, outcomes.id, &below, PURGE_MAX)?;
    let any = !expired.is_empty();
    for key in expired {
        group.delete_own(OUTCOMES, key)?;
    }
    Ok(any)
}

fn merge(
    group: &mut Group<'_>,
    core: &Core,
    id: CollectionId,
) -> Result<Option<Directory>, StoreError> {
    let Some(name) = group.state.by_id(id).map(|c| Arc::clone(&c.name)) else { return Ok(None) };
    let listing = core.names.read().by_collection.get(&id).cloned().unwrap_or_default();
    // A merge reads each block once, so nothing is kept.
    let cache = BlockCache::default();
    let source = Source {
        connection: group.connection,
        sealing: group.sealing,
        names_id: group.state.collection(NAMES).map(|c| c.id),
        collection: id,
        name: &name,
        cache: &cache,
    };
    let next_block = || core.next_version.fetch_add(1, SeqCst);
    let before = source.directory()?;
    let directory = source.merge(&before, &listing.overlay, next_block, |change| match change {
        BlockChange::Delete(key) => group.delete_own(NAMES, key.to_vec()),
        BlockChange::Put(key, value) => group.put_own(NAMES, &key, &value),
    })?;
    // Whatever was given a version so far and is not committed yet takes a later one.
    let floor = core.next_version.load(SeqCst).saturating_sub(1);
    group.state.collection_mut(&name).names_floor = floor;
    Ok(Some(directory))
}
