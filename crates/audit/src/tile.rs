//! Tiles and entry bundles as C2SP `tlog-tiles` lays them out, for whoever mirrors the log.

use crate::hash::Hash;
use wire::checkpoint::parse_size;

/// Hashes of a full tile.
pub const WIDTH: usize = 256;
/// Levels of the tree that one tile spans.
pub const HEIGHT: u8 = 8;
/// Levels of tiles that a tree of 2^64 entries has.
pub const LEVELS: u8 = 8;

/// A run of hashes of one level of the tree, at most [`WIDTH`] of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tile {
    /// The level: 0 for hashes of entries, 1 for roots of full tiles of level 0, and so on.
    pub level: u8,
    /// The index of the tile within its level.
    pub index: u64,
    /// The hashes.
    pub hashes: Vec<Hash>,
}

impl Tile {
    /// The bytes that are served under [`Tile::path`].
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.0).collect()
    }

    /// The path under the log's prefix, such as `tile/0/x001/234.p/112`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, index_path(self.index, self.hashes.len()))
    }
}

/// The path of the entry bundle with this index, of which `width` entries exist.
#[must_use]
pub fn entries_path(index: u64, width: usize) -> String {
    format!("tile/entries/{}", index_path(index, width))
}

/// Entries, each with its length in two bytes before it. Ours are 65 bytes long.
#[must_use]
pub fn bundle(entries: &[[u8; 65]]) -> Vec<u8> {
    entries.iter().flat_map(|entry| [0u8, 65].into_iter().chain(*entry)).collect()
}

/// What a mirror asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Hashes of a level.
    Hashes {
        /// The level.
        level: u8,
        /// The tile.
        index: u64,
        /// How many hashes.
        width: usize,
    },
    /// Entries.
    Entries {
        /// The bundle.
        index: u64,
        /// How many entries.
        width: usize,
    },
}

impl Wanted {
    /// Reads a path such as `tile/0/x001/234.p/112` or `tile/entries/000`.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => {
                let width = usize::try_from(parse_size(width)?).ok()?;
                (index, (1..WIDTH).contains(&width).then_some(width)?)
            }
            None => (rest, WIDTH),
        };
        let index = parse_index(index)?;
        if level == "entries" {
            return Some(Self::Entries { index, width });
        }
        let level = u8::try_from(parse_size(level)?).ok().filter(|level| *level < LEVELS)?;
        Some(Self::Hashes { level, index, width })
    }
}

fn parse_index(text: &str) -> Option<u64> {
    let mut index = 0u64;
    let mut parts = text.split('/').peekable();
    while let Some(part) = parts.next() {
        let digits = if parts.peek().is_some() { part.strip_prefix('x')? } else { part };
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1_000)?.checked_add(digits.parse().ok()?)?;
    }
    // One tile has one path.
    (index_path(index, WIDTH) == text).then_some(index)
}

fn index_path(index: u64, width: usize) -> String {
    let mut path = format!("{:03}", index % 1_000);
    let mut rest = index / 1_000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1_000);
        rest /= 1_000;
    }
    if width < WIDTH { format!("{path}.p/{width}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_standard() {
        let tile = |index, width| Tile { level: 2, index, hashes: vec![Hash::ZERO; width] };
        assert_eq!(tile(1_234_067, 256).path(), "tile/2/x001/x234/067");
        assert_eq!(tile(0, 1).path(), "tile/2/000.p/1");
        assert_eq!(tile(1_000, 17).path(), "tile/2/x001/000.p/17");
        assert_eq!(entries_path(273, 112), "tile/entries/273.p/112");
        assert_eq!(tile(0, 256).bytes().len(), 8_192);
    }

    #[test]
    fn every_path_reads_back_and_no_tile_has_two() {
        for (index, width) in [(0, 256), (999, 1), (1_000, 255), (1_234_067, 256), (u64::MAX, 7)] {
            let tile = Tile { level: 3, index, hashes: vec![Hash::ZERO; width] };
            assert_eq!(
                Wanted::parse(&tile.path()),
                Some(Wanted::Hashes { level: 3, index, width })
            );
            let entries = entries_path(index, width);
            assert_eq!(Wanted::parse(&entries), Some(Wanted::Entries { index, width }));
        }
        for bad in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/1",
            "tile/0/x000/001",
            "tile/8/000",
            "tile/00/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/0x0",
            "tile/0/../000",
            "tile/0/001/000",
            "tile/-1/000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Wanted::parse(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_path_makes_it_panic(path in "(tile/)?[0-9a-z/.x]{0,40}") {
            let _ = Wanted::parse(&path);
        }
    }

    #[test]
    fn a_bundle_has_a_length_before_each_entry() {
        let bytes = bundle(&[[1; 65], [2; 65]]);
        assert_eq!((bytes.len(), bytes[1], bytes[2], bytes[68], bytes[69]), (134, 65, 1, 65, 2));
    }
}
