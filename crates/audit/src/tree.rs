//! The Merkle tree (RFC 6962, section 2.1), append-only, with its hashes in tiles of 256.
//!
//! [`Tip`] is the growing right edge: the compact range (the roots of the complete subtrees,
//! largest first) and the hashes of the tiles that are not full yet. It never grows beyond 64
//! hashes and a partial tile for each level. Full tiles leave it and are kept in the batch records
//! of the log, see
//! `record`.

use crate::hash::Hash;
use crate::tile::{HEIGHT, Tile, WIDTH};

/// The right edge of a tree: everything that is needed to append.
#[derive(Debug, PartialEq, Eq)]
pub struct Tip {
    size: u64,
    /// Roots of the complete subtrees, largest first: one for each set bit of `size`.
    frontier: Vec<Hash>,
    /// For each level, the hashes of the tile that is not full yet.
    partial: Vec<Vec<Hash>>,
}

impl Clone for Tip {
    fn clone(&self) -> Self {
        let Self { size, frontier, partial } = self;
        Self { size: *size, frontier: frontier.clone(), partial: partial.clone() }
    }

    // Called once for each group commit: keeps the allocations.
    fn clone_from(&mut self, other: &Self) {
        self.size = other.size;
        self.frontier.clone_from(&other.frontier);
        self.partial.truncate(other.partial.len());
        for (to, from) in self.partial.iter_mut().zip(&other.partial) {
            to.clone_from(from);
        }
        let have = self.partial.len();
        self.partial.extend(other.partial.iter().skip(have).cloned());
    }
}

impl Default for Tip {
    fn default() -> Self {
        Self::new()
    }
}

impl Tip {
    /// The edge of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, frontier: Vec::new(), partial: Vec::new() }
    }

    /// The edge of a tree of `size` entries from its compact range and its partial tiles, lowest
    /// level first. `None` when their numbers do not fit the size.
    #[must_use]
    pub fn resume(size: u64, frontier: Vec<Hash>, mut partial: Vec<Vec<Hash>>) -> Option<Self> {
        let fits = u64::try_from(frontier.len()).ok()? == u64::from(size.count_ones());
        while partial.last().is_some_and(Vec::is_empty) {
            partial.pop();
        }
        let mut rest = size;
        for level in &partial {
            if u64::try_from(level.len()).ok()? != rest % WIDTH as u64 {
                return None;
            }
            rest >>= HEIGHT;
        }
        (fits && rest == 0).then_some(Self { size, frontier, partial })
    }

    /// The number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The compact range: roots of the complete subtrees, largest first.
    #[must_use]
    pub fn frontier(&self) -> &[Hash] {
        &self.frontier
    }

    /// The hashes of the partial tile of a level.
    #[must_use]
    pub fn partial(&self, level: u8) -> &[Hash] {
        self.partial.get(usize::from(level)).map_or(&[], Vec::as_slice)
    }

    /// The number of levels that have hashes.
    #[must_use]
    pub fn levels(&self) -> u8 {
        u8::try_from(self.partial.len()).unwrap_or(u8::MAX)
    }

    /// Appends the hash of an entry; tiles that became full are put into `full`, lowest first.
    pub fn push(&mut self, leaf: Hash, full: &mut Vec<Tile>) {
        let mut hash = leaf;
        let mut complete = self.size;
        let mut height: u8 = 0;
        self.place(0, hash);
        while complete & 1 == 1 {
            let Some(left) = self.frontier.pop() else { break };
            hash = Hash::node(&left, &hash);
            complete >>= 1;
            height += 1;
            if height.is_multiple_of(HEIGHT) {
                let level = height / HEIGHT;
                full.extend(self.take(level - 1, complete));
                self.place(level, hash);
            }
        }
        self.frontier.push(hash);
        self.size += 1;
    }

    fn place(&mut self, level: u8, hash: Hash) {
        let level = usize::from(level);
        if self.partial.len() <= level {
            self.partial.resize_with(level + 1, || Vec::with_capacity(WIDTH));
        }
        if let Some(tile) = self.partial.get_mut(level) {
            tile.push(hash);
        }
    }

    fn take(&mut self, level: u8, index: u64) -> Option<Tile> {
        let tile = self.partial.get_mut(usize::from(level))?;
        let hashes = std::mem::replace(tile, Vec::with_capacity(WIDTH));
        Some(Tile { level, index, hashes })
    }

    /// The root over all entries.
    #[must_use]
    pub fn root(&self) -> Hash {
        root_of(&self.frontier)
    }
}

/// The root that a compact range stands for.
#[must_use]
pub fn root_of(frontier: &[Hash]) -> Hash {
    frontier
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| Hash::node(&left, &right))
        .unwrap_or_else(Hash::empty_root)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::proof::TileSource;
    use std::collections::HashMap;
    use std::sync::Arc;

    /// A whole tree in memory, as the oracle's counterpart.
    #[derive(Default)]
    pub(crate) struct Grown {
        pub(crate) tip: Tip,
        pub(crate) tiles: HashMap<(u8, u64), Arc<[Hash]>>,
        pub(crate) leaves: Vec<Hash>,
    }

    impl Grown {
        pub(crate) fn of(size: u64) -> Self {
            let mut grown = Self::default();
            for i in 0..size {
                grown.push(Hash::leaf(&i.to_be_bytes()));
            }
            grown
        }

        pub(crate) fn push(&mut self, leaf: Hash) {
            let mut full = Vec::new();
            self.tip.push(leaf, &mut full);
            self.leaves.push(leaf);
            for tile in full {
                self.tiles.insert((tile.level, tile.index), tile.hashes.into());
            }
        }
    }

    impl TileSource for Grown {
        type Error = ();
        fn tile(&self, level: u8, index: u64) -> Result<Arc<[Hash]>, ()> {
            let full = self.tiles.get(&(level, index)).cloned();
            Ok(full.unwrap_or_else(|| self.tip.partial(level).into()))
        }
    }

    /// RFC 6962, section 2.1, word for word.
    pub(crate) fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::empty_root(),
            [one] => *one,
            many => {
                let half = many.len().next_power_of_two() / 2;
                Hash::node(&naive_root(&many[..half]), &naive_root(&many[half..]))
            }
        }
    }

    fn hex(hash: Hash) -> String {
        hash.0.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The eight entries and roots that Certificate Transparency's implementations share.
    #[test]
    fn the_well_known_roots_come_out() {
        let entries: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tip = Tip::new();
        assert_eq!(hex(tip.root()), hex(Hash::of(b"")));
        for (entry, root) in entries.iter().zip(roots) {
            tip.push(Hash::leaf(entry), &mut Vec::new());
            assert_eq!(hex(tip.root()), root);
        }
    }

    #[test]
    fn every_root_up_to_six_hundred_is_the_standards() {
        let mut grown = Grown::default();
        for i in 0..600u64 {
            grown.push(Hash::leaf(&i.to_be_bytes()));
            assert_eq!(grown.tip.root(), naive_root(&grown.leaves));
        }
    }

    #[test]
    fn tiles_are_full_and_in_place() {
        let grown = Grown::of(70_000);
        assert_eq!(grown.tiles.keys().filter(|(level, _)| *level == 0).count(), 273);
        assert_eq!(grown.tiles.keys().filter(|(level, _)| *level == 1).count(), 1);
        assert_eq!(grown.tiles[&(0, 272)][..], grown.leaves[272 * 256..273 * 256]);
        assert_eq!(grown.tiles[&(1, 0)][3], naive_root(&grown.leaves[768..1024]));
        let widths: Vec<usize> = (0..4).map(|level| grown.tip.partial(level).len()).collect();
        assert_eq!(widths, [112, 17, 1, 0]);
        assert_eq!(grown.tip.partial(2)[0], naive_root(&grown.leaves[..65_536]));
    }

    #[test]
    fn a_tip_resumes_where_it_stopped_and_not_elsewhere() {
        let mut grown = Grown::of(1_000);
        let tip = &grown.tip;
        let parts: Vec<Vec<Hash>> = (0..tip.levels()).map(|l| tip.partial(l).to_vec()).collect();
        let resumed = Tip::resume(1_000, tip.frontier().to_vec(), parts.clone());
        let mut resumed = resumed.unwrap();
        assert!(Tip::resume(1_001, tip.frontier().to_vec(), parts).is_none());
        assert!(Tip::resume(1_000, tip.frontier().to_vec(), Vec::new()).is_none());
        for i in 0..600u64 {
            resumed.push(Hash::leaf(&i.to_be_bytes()), &mut Vec::new());
            grown.push(Hash::leaf(&i.to_be_bytes()));
        }
        assert_eq!(resumed, grown.tip);
        let mut target = Tip::new();
        target.clone_from(&resumed);
        assert_eq!(target, resumed);
    }
}
