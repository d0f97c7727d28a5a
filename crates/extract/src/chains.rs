//! Whether the chains of a compound file end: parsers that follow one in a circle never do.

/// Where the sectors of the table are listed in the header, and how many of them.
const LIST: usize = 76;
const LISTED: usize = 109;
/// The largest number of a sector; above are marks for ends and free ones.
const SECTOR_MAX: u32 = 0xffff_fffa;

/// Whether every chain of sectors ends, in the table of sectors and in that of small ones.
pub(crate) fn all_end(file: &[u8]) -> bool {
    let word = |place: usize| -> Option<u32> {
        file.get(place..).and_then(|rest| rest.first_chunk()).map(|four| u32::from_le_bytes(*four))
    };
    let shift = file.get(30).copied().unwrap_or(0);
    if !matches!(shift, 9 | 12) {
        return false;
    }
    let size = 1usize << shift;
    let sector = |number: u32| -> Vec<u32> {
        let start = usize::try_from(number).ok().and_then(|n| n.checked_add(1)?.checked_mul(size));
        let words = (0..size / 4).map_while(|i| word(start?.checked_add(i * 4)?));
        words.collect()
    };
    let sectors = file.len() / size;
    let mut table = Vec::new();
    let mut put = |number: u32| {
        if number <= SECTOR_MAX && table.len() <= sectors + size {
            table.extend(sector(number));
        }
    };
    (0..LISTED).filter_map(|i| word(LIST + i * 4)).for_each(&mut put);
    // More of the list, in sectors that name the next one at their end.
    let (mut next, mut read) = (word(68).unwrap_or(u32::MAX), 0);
    while next <= SECTOR_MAX {
        read += 1;
        let list = sector(next);
        let Some((last, more)) = list.split_last() else { break };
        if read > sectors {
            return false;
        }
        more.iter().copied().for_each(&mut put);
        next = *last;
    }
    table.truncate(sectors);
    if !acyclic(&table) {
        return false;
    }
    let mut small = Vec::new();
    let mut next = word(60).unwrap_or(u32::MAX);
    while next <= SECTOR_MAX && small.len() <= file.len() {
        small.extend(sector(next));
        let place = usize::try_from(next).unwrap_or(usize::MAX);
        next = table.get(place).copied().unwrap_or(u32::MAX);
    }
    acyclic(&small)
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
        assert!(!all_end(b""));
    }
}
