//! The chains of a compound file: whether they end (parsers that follow one in a circle never do),
//! and the bytes of a stream.

/// Where the sectors of the table are listed in the header, and how many of them.
const LIST: usize = 76;
const LISTED: usize = 109;
/// The largest number of a sector; above are marks for ends and free ones.
const SECTOR_MAX: u32 = 0xffff_fffa;
/// Bytes of an entry of the folder of streams.
const ENTRY_BYTES: usize = 128;
/// Streams shorter than this stand in small sectors, inside the stream of the root.
const SMALL_BYTES: usize = 4_096;
const SMALL_SECTOR_BYTES: usize = 64;

/// The table of a compound file's sectors, and that of its small ones.
pub(crate) struct Chains {
    sector_bytes: usize,
    table: Vec<u32>,
    small: Vec<u32>,
}

impl Chains {
    /// The tables of a file; none when a chain runs in a circle, or the header is damaged.
    pub(crate) fn of(file: &[u8]) -> Option<Self> {
        let shift = file.get(30).copied().unwrap_or(0);
        if !matches!(shift, 9 | 12) {
            return None;
        }
        let sector_bytes = 1usize << shift;
        let sector = |number: u32| -> Vec<u32> {
            let start = place(number, sector_bytes);
            let words = (0..sector_bytes / 4).map_while(|i| word(file, start?.checked_add(i * 4)?));
            words.collect()
        };
        let sectors = file.len() / sector_bytes;
        let mut table = Vec::new();
        let mut put = |number: u32| {
            if number <= SECTOR_MAX && table.len() <= sectors + sector_bytes {
                table.extend(sector(number));
            }
        };
        (0..LISTED).filter_map(|i| word(file, LIST + i * 4)).for_each(&mut put);
        // More of the list, in sectors that name the next one at their end.
        let (mut next, mut read) = (word(file, 68).unwrap_or(u32::MAX), 0);
        while next <= SECTOR_MAX {
            read += 1;
            let list = sector(next);
            let Some((last, more)) = list.split_last() else { break };
            if read > sectors {
                return None;
            }
            more.iter().copied().for_each(&mut put);
            next = *last;
        }
        table.truncate(sectors);
        if !acyclic(&table) {
            return None;
        }
        let mut small = Vec::new();
        let mut next = word(file, 60).unwrap_or(u32::MAX);
        while next <= SECTOR_MAX && small.len() <= file.len() {
            small.extend(sector(next));
            next = after(&table, next);
        }
        acyclic(&small).then_some(Self { sector_bytes, table, small })
    }

    /// The bytes of the first of these streams that the file has, as parsers choose it: by name in
    /// any case, names tried in order. None when there is none.
    pub(crate) fn stream(&self, file: &[u8], names: &[&str]) -> Option<Vec<u8>> {
        let folder = self.chain(file, word(file, 48)?, usize::MAX);
        let root = folder.get(..ENTRY_BYTES)?;
        let entry = names.iter().find_map(|name| {
            folder.chunks_exact(ENTRY_BYTES).find(|entry| is_named(entry, name))
        })?;
        let (start, bytes) = (word(entry, 116)?, usize::try_from(word(entry, 120)?).ok()?);
        if bytes >= SMALL_BYTES {
            return Some(self.chain(file, start, bytes));
        }
        let container = self.chain(file, word(root, 116)?, usize::MAX);
        let mut stream = Vec::new();
        let mut next = start;
        while next <= SECTOR_MAX && stream.len() < bytes {
            let from = usize::try_from(next).ok()?.checked_mul(SMALL_SECTOR_BYTES)?;
            let Some(rest) = container.get(from..) else { break };
            stream.extend_from_slice(rest.get(..rest.len().min(SMALL_SECTOR_BYTES))?);
            next = after(&self.small, next);
        }
        stream.truncate(bytes);
        Some(stream)
    }

    fn chain(&self, file: &[u8], first: u32, bytes: usize) -> Vec<u8> {
        let (mut found, mut next) = (Vec::new(), first);
        while next <= SECTOR_MAX && found.len() < bytes {
            let from = place(next, self.sector_bytes).unwrap_or(usize::MAX);
            let Some(rest) = file.get(from..).filter(|rest| !rest.is_empty()) else { break };
            found.extend_from_slice(
                rest.get(..rest.len().min(self.sector_bytes)).unwrap_or_default(),
            );
            next = after(&self.table, next);
        }
        found.truncate(bytes);
        found
    }
}

/// Whether an entry of the folder has this name: UTF-16 up to a zero, letters in any case.
fn is_named(entry: &[u8], name: &str) -> bool {
    let units = entry.chunks_exact(2).take(32).map(|unit| match unit {
        [low, 0] => *low,
        _ => 0xff,
    });
    let found: Vec<u8> = units.take_while(|byte| *byte != 0).collect();
    found.eq_ignore_ascii_case(name.as_bytes())
}

fn word(bytes: &[u8], place: usize) -> Option<u32> {
    bytes.get(place..).and_then(|rest| rest.first_chunk()).map(|four| u32::from_le_bytes(*four))
}

/// Where a sector begins: the header takes the place of one.
fn place(sector: u32, sector_bytes: usize) -> Option<usize> {
    usize::try_from(sector).ok()?.checked_add(1)?.checked_mul(sector_bytes)
}

fn after(table: &[u32], sector: u32) -> u32 {
    usize::try_from(sector).ok().and_then(|at| table.get(at).copied()).unwrap_or(u32::MAX)
}

/// Whether no way through the table comes back to where it was.
fn acyclic(table: &[u32]) -> bool {
    // In which walk each place was first met.
    let mut met = vec![0usize; table.len()];
    for start in 0..table.len() {
        let mut at = start;
        while let Some(walk) = met.get_mut(at) {
            if *walk == start + 1 {
                return false;
            }
            if *walk != 0 {
                break;
            }
            *walk = start + 1;
            let next = table.get(at).copied().filter(|next| *next <= SECTOR_MAX);
            let Some(next) = next.and_then(|next| usize::try_from(next).ok()) else { break };
            at = next;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_noticed() {
        assert!(acyclic(&[1, 2, u32::MAX, 2, u32::MAX]));
        assert!(!acyclic(&[1, 2, 0]) && !acyclic(&[0]) && !acyclic(&[u32::MAX, 2, 3, 2]));
        assert!(Chains::of(b"").is_none());
    }
}
