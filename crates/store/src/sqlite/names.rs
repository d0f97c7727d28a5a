//! Names in order: sealed sorted blocks, and what has changed since they were written.
//!
//! A collection's names lie in sealed blocks of about 500 entries with a directory of their first
//! entries. Rewriting a block for each put would write 25 kB for a name of 20 bytes; so what
//! changed since is kept in memory and written into the blocks when it has grown. It is never lost:
//! every record carries its name, and at the next start the records with a version above the
//! collection's *floor* are opened and their names taken up again. So the order is part of the same
//! commit as the record, without a write of its own.
//!
//! An entry is a hint: a page shows a record only if the record, read in the same snapshot, has the
//! entry's name. An entry that no longer tells the truth is skipped and removed with the next
//! merge.

use super::rows;
use crate::codec::{Reader, Unreadable, Writer};
use crate::limits::NAMES_BLOCK_ENTRIES;
use crate::sealing::Sealing;
use crate::state::{CollectionId, NAMES};
use crate::{Damage, StoreError};
use rusqlite::Connection;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Blocks that stay decoded in memory: 128 of about 100 kB.
const CACHED_BLOCKS_MAX: usize = 128;
/// Changes that are kept in memory before they are merged, at least …
const MERGE_CHANGES_MIN: usize = 2_048;
/// … and at most; between them one sixteenth of the collection, so that merging costs each put the
/// same whatever the size. A start opens at most so many records.
const MERGE_CHANGES_MAX: usize = 16_384;

/// One name: sorted by text, then key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Entry {
    pub(crate) text: String,
    pub(crate) key: Vec<u8>,
    pub(crate) domain: [u8; 16],
}

/// What has changed since the blocks were written.
#[derive(Clone, Default)]
pub(crate) struct Overlay {
    pub(crate) added: BTreeSet<Entry>,
    pub(crate) removed: BTreeSet<Entry>,
    /// Puts above the floor, whether or not they changed a name.
    pub(crate) puts: usize,
}

impl Overlay {
    pub(crate) fn change(&mut self, change: NameChange) {
        match change {
            NameChange::Put { old, new } => {
                self.puts += 1;
                if old == new {
                    return;
                }
                if let Some(old) = old {
                    self.added.remove(&old);
                    self.removed.insert(old);
                }
                if let Some(new) = new {
                    self.removed.remove(&new);
                    self.added.insert(new);
                }
            }
            NameChange::Delete { old } => {
                self.added.remove(&old);
                self.removed.insert(old);
            }
        }
    }

    pub(crate) fn is_due(&self, records: u64) -> bool {
        let records = usize::try_from(records).unwrap_or(usize::MAX);
        let limit = (records / 16).clamp(MERGE_CHANGES_MIN, MERGE_CHANGES_MAX);
        self.puts.max(self.added.len() + self.removed.len()) > limit
    }
}

/// What a commit does to the names of a collection.
#[derive(Clone, Debug)]
pub(crate) enum NameChange {
    Put { old: Option<Entry>, new: Option<Entry> },
    Delete { old: Entry },
}

/// The first entry of a block, and how many it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fence {
    pub(crate) block: u64,
    text: String,
    key: Vec<u8>,
    count: u32,
}

/// The blocks of a collection in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Directory {
    pub(crate) fences: Vec<Fence>,
}

/// The directory lies where block 0 would.
const DIRECTORY: u64 = 0;

pub(crate) fn block_key(collection: CollectionId, block: u64) -> [u8; 12] {
    let mut key = [0; 12];
    let (front, back) = key.split_at_mut(4);
    front.copy_from_slice(&collection.to_be_bytes());
    back.copy_from_slice(&block.to_be_bytes());
    key
}

impl Directory {
    /// The index of the block in which an entry of this text and key would lie.
    fn position(&self, text: &str, key: &[u8]) -> usize {
        let behind = self.fences.partition_point(|f| (f.text.as_str(), &*f.key) <= (text, key));
        behind.saturating_sub(1)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.u32(u32::try_from(self.fences.len()).unwrap_or(u32::MAX));
        for fence in &self.fences {
            to.u64(fence.block);
            to.u32(fence.count);
            to.bytes(fence.text.as_bytes());
            to.bytes(&fence.key);
        }
        to.0
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut from = Reader(bytes);
        let mut fences = Vec::new();
        for _ in 0..from.u32()? {
            let (block, count) = (from.u64()?, from.u32()?);
            let (text, key) = (from.text()?.to_owned(), from.bytes()?.to_vec());
            fences.push(Fence { block, text, key, count });
        }
        Ok(Self { fences })
    }
}

fn block_to_bytes(entries: &[Entry]) -> Vec<u8> {
    let mut to = Writer::default();
    to.u32(u32::try_from(entries.len()).unwrap_or(u32::MAX));
    for entry in entries {
        to.bytes(entry.text.as_bytes());
        to.bytes(&entry.key);
        to.raw(&entry.domain);
    }
    to.0
}

fn block_from_bytes(bytes: &[u8]) -> Result<Vec<Entry>, Unreadable> {
    let mut from = Reader(bytes);
    let mut entries = Vec::new();
    for _ in 0..from.u32()? {
        let (text, key) = (from.text()?.to_owned(), from.bytes()?.to_vec());
        entries.push(Entry { text, key, domain: from.array()? });
    }
    Ok(entries)
}

/// What a merge does to one record of the blocks.
pub(crate) enum BlockChange {
    /// A new block, or the directory, by the key of its record.
    Put([u8; 12], Vec<u8>),
    /// A block that is gone.
    Delete([u8; 12]),
}

/// Where blocks are read from, for one collection in one snapshot.
pub(crate) struct Source<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) sealing: &'a Sealing,
    /// The number of [`NAMES`]; none when nothing was ever merged.
    pub(crate) names_id: Option<CollectionId>,
    pub(crate) collection: CollectionId,
    pub(crate) name: &'a str,
    pub(crate) cache: &'a BlockCache,
}

impl Source<'_> {
    fn damaged(&self) -> StoreError {
        StoreError::Damaged(Damage::Names { collection: self.name.to_owned() })
    }

    fn record(&self, block: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(names_id) = self.names_id else { return Ok(None) };
        let key = block_key(self.collection, block);
        let Some(row) = rows::get(self.connection, names_id, &key)? else { return Ok(None) };
        let opened = rows::open(self.sealing, NAMES, &key, &row).map_err(|_| self.damaged())?;
        let (_, value) = opened.split(NAMES, &key).map_err(|_| self.damaged())?;
        Ok(Some(value.to_vec()))
    }

    pub(crate) fn directory(&self) -> Result<Directory, StoreError> {
        match self.record(DIRECTORY)? {
            None => Ok(Directory::default()),
            Some(bytes) => Directory::from_bytes(&bytes).map_err(|_| self.damaged()),
        }
    }

    pub(crate) fn block(&self, block: u64) -> Result<Arc<Vec<Entry>>, StoreError> {
        if let Some(entries) = self.cache.get(self.collection, block) {
            return Ok(entries);
        }
        let entries = Arc::new(self.stored_block(block)?);
        self.cache.put(self.collection, block, Arc::clone(&entries));
        Ok(entries)
    }

    fn stored_block(&self, block: u64) -> Result<Vec<Entry>, StoreError> {
        let bytes = self.record(block)?.ok_or_else(|| self.damaged())?;
        block_from_bytes(&bytes).map_err(|_| self.damaged())
    }

    /// Writes the changes into the blocks they concern, one block after the other: all of a large
    /// collection's blocks would be more memory than everything else. `block_id` gives numbers
    /// never used before.
    pub(crate) fn merge(
        &self,
        directory: &Directory,
        overlay: &Overlay,
        mut block_id: impl FnMut() -> u64,
        mut write: impl FnMut(BlockChange) -> Result<(), StoreError>,
    ) -> Result<Directory, StoreError> {
        let mut by_block: Vec<Vec<(&Entry, bool)>> =
            vec![Vec::new(); directory.fences.len().max(1)];
        let removed = overlay.removed.iter().map(|entry| (entry, false));
        let added = overlay.added.iter().map(|entry| (entry, true));
        for (entry, add) in removed.chain(added) {
            if let Some(changes) = by_block.get_mut(directory.position(&entry.text, &entry.key)) {
                changes.push((entry, add));
            }
        }
        let mut fences = Vec::new();
        for (at, changes) in by_block.into_iter().enumerate() {
            let fence = directory.fences.get(at);
            if changes.is_empty() {
                fences.extend(fence.cloned());
                continue;
            }
            let mut entries: BTreeSet<Entry> = BTreeSet::new();
            if let Some(fence) = fence {
                entries.extend(self.stored_block(fence.block)?);
                write(BlockChange::Delete(block_key(self.collection, fence.block)))?;
            }
            for (entry, add) in changes {
                if add {
                    entries.insert(entry.clone());
                } else {
                    entries.remove(entry);
                }
            }
            let entries: Vec<Entry> = entries.into_iter().collect();
            let whole = entries.len() <= NAMES_BLOCK_ENTRIES * 2;
            let size = if whole { NAMES_BLOCK_ENTRIES * 2 } else { NAMES_BLOCK_ENTRIES };
            for chunk in entries.chunks(size) {
                let (Some(first), block) = (chunk.first(), block_id()) else { continue };
                fences.push(Fence {
                    block,
                    text: first.text.clone(),
                    key: first.key.clone(),
                    count: u32::try_from(chunk.len()).unwrap_or(u32::MAX),
                });
                let key = block_key(self.collection, block);
                write(BlockChange::Put(key, block_to_bytes(chunk)))?;
            }
        }
        let directory = Directory { fences };
        write(BlockChange::Put(block_key(self.collection, DIRECTORY), directory.to_bytes()))?;
        Ok(directory)
    }

    /// Entries behind `after`, in order, blocks and changes together; `visit` says whether to go
    /// on.
    pub(crate) fn walk(
        &self,
        directory: &Directory,
        overlay: &Overlay,
        after: Option<(&str, &[u8])>,
        mut visit: impl FnMut(&Entry) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let behind = |entry: &Entry| after.is_none_or(|a| (entry.text.as_str(), &*entry.key) > a);
        let first = after.map_or(0, |(text, key)| directory.position(text, key));
        let from = after.map(|(text, key)| Entry {
            text: text.to_owned(),
            key: key.to_vec(),
            domain: [u8::MAX; 16],
        });
        let mut added: Box<dyn Iterator<Item = &Entry>> = match &from {
            None => Box::new(overlay.added.iter()),
            Some(from) => Box::new(overlay.added.range(from.clone()..)),
        };
        let mut next_added = added.find(|entry| behind(entry));
        for fence in directory.fences.iter().skip(first) {
            let block = self.block(fence.block)?;
            for entry in block.iter().filter(|entry| behind(entry)) {
                while let Some(new) = next_added.filter(|new| *new <= entry) {
                    next_added = added.next();
                    if new != entry && !visit(new)? {
                        return Ok(());
                    }
                }
                if !visit(entry)? {
                    return Ok(());
                }
            }
        }
        while let Some(new) = next_added {
            if !visit(new)? {
                return Ok(());
            }
            next_added = added.next();
        }
        Ok(())
    }
}

type Blocks = HashMap<(CollectionId, u64), Arc<Vec<Entry>>>;

/// Decoded blocks. A block never changes under its number, so an entry here is never wrong.
#[derive(Default)]
pub(crate) struct BlockCache(Mutex<Blocks>);

impl BlockCache {
    fn lock(&self) -> MutexGuard<'_, Blocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, collection: CollectionId, block: u64) -> Option<Arc<Vec<Entry>>> {
        self.lock().get(&(collection, block)).map(Arc::clone)
    }

    fn put(&self, collection: CollectionId, block: u64, entries: Arc<Vec<Entry>>) {
        let mut blocks = self.lock();
        if blocks.len() >= CACHED_BLOCKS_MAX {
            blocks.clear();
        }
        blocks.insert((collection, block), entries);
    }
}

/// The names of one collection at one revision.
#[derive(Clone, Default)]
pub(crate) struct Listing {
    pub(crate) overlay: Arc<Overlay>,
    /// None until somebody lists.
    pub(crate) directory: Option<Arc<Directory>>,
}

/// What the commit that is on its way does to the names.
pub(crate) struct Next {
    pub(crate) revision: u64,
    pub(crate) changes: Vec<(CollectionId, NameChange)>,
    pub(crate) merged: Option<(CollectionId, Directory)>,
}

#[derive(Default)]
pub(crate) struct Listings {
    /// The revision that the listings belong to.
    pub(crate) revision: u64,
    pub(crate) by_collection: HashMap<CollectionId, Listing>,
    /// Put here before the engine commits, so that a reader whose snapshot is already the newer one
    /// need not wait for it.
    pub(crate) next: Option<Next>,
}

impl Listings {
    /// The names of a collection in a snapshot of this revision.
    pub(crate) fn at(&self, revision: u64, collection: CollectionId) -> Listing {
        let mut listing = self.by_collection.get(&collection).cloned().unwrap_or_default();
        let next = self.next.as_ref().filter(|next| next.revision == revision);
        let Some(next) = next.filter(|_| revision != self.revision) else { return listing };
        if let Some((_, directory)) = next.merged.as_ref().filter(|(id, _)| *id == collection) {
            let directory = Some(Arc::new(directory.clone()));
            return Listing { directory, ..Listing::default() };
        }
        let mut changes = next.changes.iter().filter(|(id, _)| *id == collection).peekable();
        if changes.peek().is_some() {
            let overlay = Arc::make_mut(&mut listing.overlay);
            changes.for_each(|(_, change)| overlay.change(change.clone()));
        }
        listing
    }

    /// The commit is durable: its names are the names.
    pub(crate) fn promote(&mut self) {
        let Some(next) = self.next.take() else { return };
        self.revision = next.revision;
        for (id, change) in next.changes {
            let listing = self.by_collection.entry(id).or_default();
            Arc::make_mut(&mut listing.overlay).change(change);
        }
        if let Some((id, directory)) = next.merged {
            let directory = Some(Arc::new(directory));
            self.by_collection.insert(id, Listing { directory, ..Listing::default() });
        }
    }
}

/// The names of all collections, shared by readers and the committer.
#[derive(Default)]
pub(crate) struct Names {
    listings: RwLock<Listings>,
    pub(crate) blocks: BlockCache,
}

impl Names {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Listings> {
        self.listings.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Listings> {
        self.listings.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let entry = (any::<String>(), any::<Vec<u8>>(), any::<[u8; 16]>());
        prop::collection::vec(entry, 0..20).prop_map(|all| {
            all.into_iter().map(|(text, key, domain)| Entry { text, key, domain }).collect()
        })
    }

    proptest! {
        #[test]
        fn blocks_and_directories_read_back(entries in entries(), blocks: Vec<(u64, u32)>) {
            prop_assert_eq!(block_from_bytes(&block_to_bytes(&entries)), Ok(entries.clone()));
            let fences = entries.into_iter().zip(blocks).map(|(entry, (block, count))| {
                Fence { block, text: entry.text, key: entry.key, count }
            });
            let directory = Directory { fences: fences.collect() };
            prop_assert_eq!(Directory::from_bytes(&directory.to_bytes()), Ok(directory));
        }

        #[test]
        fn no_bytes_make_a_block_or_a_directory_panic(bytes: Vec<u8>) {
            let _ = (block_from_bytes(&bytes).is_ok(), Directory::from_bytes(&bytes).is_ok());
        }
    }

    #[test]
    fn a_directory_points_at_the_block_that_would_hold_a_name() {
        let fence =
            |text: &str, block| Fence { block, text: text.to_owned(), key: vec![5], count: 1 };
        let directory = Directory { fences: vec![fence("b", 1), fence("d", 2)] };
        for (text, key, at) in [
            ("a", 5, 0),
            ("b", 4, 0),
            ("b", 5, 0),
            ("c", 5, 0),
            ("d", 4, 0),
            ("d", 5, 1),
            ("e", 0, 1),
        ] {
            assert_eq!(directory.position(text, &[key]), at, "{text} {key}");
        }
        assert_eq!(Directory::default().position("a", &[]), 0);
    }

    #[test]
    fn merging_is_due_with_the_size_of_the_collection() {
        let overlay = |puts| Overlay { puts, ..Overlay::default() };
        assert!(!overlay(MERGE_CHANGES_MIN).is_due(10));
        assert!(overlay(MERGE_CHANGES_MIN + 1).is_due(10));
        assert!(!overlay(6_250).is_due(100_000) && overlay(6_251).is_due(100_000));
        assert!(overlay(MERGE_CHANGES_MAX + 1).is_due(u64::MAX));
    }
}
