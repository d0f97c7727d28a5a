//! Tiles and entry bundles as C2SP `tlog-tiles` lays them out, for whoever mirrors the log.

use crate::hash::Hash;

/// Hashes of a full tile.
pub const WIDTH: usize = 256;
/// Levels of the tree that one tile spans.
pub const HEIGHT: u8 = 8;

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
    fn a_bundle_has_a_length_before_each_entry() {
        let bytes = bundle(&[[1; 65], [2; 65]]);
        assert_eq!((bytes.len(), bytes[1], bytes[2], bytes[68], bytes[69]), (134, 65, 1, 65, 2));
    }
}
