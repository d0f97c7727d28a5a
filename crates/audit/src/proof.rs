//! Proofs: that an entry is in a tree, and that one tree is the beginning of another
//! (made as in RFC 6962, sections 2.1.1 and 2.1.2; verified as in RFC 9162, sections 2.1.3.2 and
//! 2.1.4.2).

use crate::hash::Hash;
use crate::tile::HEIGHT;
use std::sync::Arc;

/// Longest proof: one hash for each level of a tree of 2^63 entries; C2SP has the same limit.
pub const PROOF_HASHES_MAX: usize = 63;

/// Where the hashes of a tree lie.
pub trait TileSource {
    /// Why a tile cannot be had.
    type Error;
    /// The hashes of a tile, as many as there are.
    ///
    /// # Errors
    /// When it cannot be had.
    fn tile(&self, level: u8, index: u64) -> Result<Arc<[Hash]>, Self::Error>;
}

/// Why a proof cannot be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofError<E> {
    /// The entry or the older tree lies beyond the tree.
    #[error("a tree of {size} entries has no proof for {asked}")]
    Beyond {
        /// What was asked for: a position or a size.
        asked: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A tile has fewer hashes than the tree needs.
    #[error("tile {index} of level {level} of the log is too short")]
    ShortTile {
        /// Its level.
        level: u8,
        /// Its index.
        index: u64,
    },
    /// A tile cannot be had.
    #[error("the log's hashes cannot be read")]
    Tiles(#[source] E),
}

/// The largest power of two below `n`; `n` is at least 2.
const fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// The root over the entries `start..end`, where `start` is a multiple of the smallest power of two
/// that is not below the length (as in every range a proof needs).
fn range<T: TileSource>(tiles: &T, start: u64, end: u64) -> Result<Hash, ProofError<T::Error>> {
    let mut at = start;
    let mut roots = Vec::new();
    while at < end {
        let height = (63 - (end - at).leading_zeros()).min(at.trailing_zeros());
        roots.push(complete(tiles, at, u8::try_from(height).unwrap_or(u8::MAX))?);
        at += 1 << height;
    }
    Ok(crate::tree::root_of(&roots))
}

/// The root of the complete subtree of `2^height` entries from `start`.
fn complete<T: TileSource>(
    tiles: &T,
    start: u64,
    height: u8,
) -> Result<Hash, ProofError<T::Error>> {
    let (level, within) = (height / HEIGHT, height % HEIGHT);
    let first = start >> (level * HEIGHT);
    let (index, offset) = (first >> HEIGHT, usize::try_from(first % 256).unwrap_or(0));
    let tile = tiles.tile(level, index).map_err(ProofError::Tiles)?;
    let mut hashes = tile
        .get(offset..offset + (1 << within))
        .ok_or(ProofError::ShortTile { level, index })?
        .to_vec();
    while hashes.len() > 1 {
        hashes = hashes
            .chunks_exact(2)
            .filter_map(|pair| pair.first().zip(pair.last()))
            .map(|(left, right)| Hash::node(left, right))
            .collect();
    }
    hashes.first().copied().ok_or(ProofError::ShortTile { level, index })
}

/// The root of the tree when it had `size` entries.
///
/// # Errors
/// When a tile cannot be had.
pub fn root_at<T: TileSource>(tiles: &T, size: u64) -> Result<Hash, ProofError<T::Error>> {
    range(tiles, 0, size)
}

/// The proof that the entry at `position` is in the tree of `size` entries.
///
/// # Errors
/// When there is no such entry, or a tile cannot be had.
pub fn inclusion<T: TileSource>(
    tiles: &T,
    position: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError<T::Error>> {
    if position >= size {
        return Err(ProofError::Beyond { asked: position, size });
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if position < middle {
            path.push(range(tiles, middle, end)?);
            end = middle;
        } else {
            path.push(range(tiles, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `old` entries is the beginning of the tree of `new` entries; empty
/// when `old` is 0 or equal to `new`.
///
/// # Errors
/// When `old` is larger than `new`, or a tile cannot be had.
pub fn consistency<T: TileSource>(
    tiles: &T,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, ProofError<T::Error>> {
    if old > new {
        return Err(ProofError::Beyond { asked: old, size: new });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut start, mut end) = (0, new);
    let mut path = Vec::new();
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range(tiles, middle, end)?);
            end = middle;
        } else {
            path.push(range(tiles, start, middle)?);
            start = middle;
        }
    }
    // The whole older tree needs no hash: the verifier has its root.
    if start > 0 {
        path.push(range(tiles, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// The root that an inclusion proof leads to; `None` when its length does not fit.
#[must_use]
pub fn root_from_inclusion(position: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    if position >= size || path.len() > PROOF_HASHES_MAX {
        return None;
    }
    let (mut node, mut last) = (position, size - 1);
    let mut root = leaf;
    for hash in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            root = Hash::node(hash, &root);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            root = Hash::node(&root, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// Whether a proof shows that the entry with this hash stands at `position` of the tree.
#[must_use]
pub fn includes(position: u64, size: u64, leaf: Hash, path: &[Hash], root: Hash) -> bool {
    root_from_inclusion(position, size, leaf, path) == Some(root)
}

/// Whether a proof shows that the tree of `old` entries is the beginning of that of `new` entries.
#[must_use]
pub fn extends(old: u64, old_root: Hash, new: u64, new_root: Hash, path: &[Hash]) -> bool {
    if old == 0 {
        return path.is_empty()
            && old_root == Hash::empty_root()
            && (new > 0 || new_root == old_root);
    }
    if old >= new || path.len() > PROOF_HASHES_MAX {
        return old == new && path.is_empty() && old_root == new_root;
    }
    let mut hashes = path.iter();
    let first = if old.is_power_of_two() { Some(&old_root) } else { hashes.next() };
    let Some(first) = first else { return false };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut from_old, mut from_new) = (*first, *first);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from_old = Hash::node(hash, &from_old);
            from_new = Hash::node(hash, &from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = Hash::node(&from_new, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && from_old == old_root && from_new == new_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::{Grown, naive_root};
    use proptest::prelude::*;

    #[test]
    fn every_entry_of_every_tree_up_to_three_hundred_is_proven() {
        let grown = Grown::of(300);
        let sizes = (1..=300u64).filter(|s| *s < 70 || s % 17 == 0 || (250..262).contains(s));
        for size in sizes {
            let root = naive_root(&grown.leaves[..usize::try_from(size).unwrap()]);
            assert_eq!(root_at(&grown, size).unwrap(), root);
            for position in 0..size {
                let leaf = grown.leaves[usize::try_from(position).unwrap()];
                let path = inclusion(&grown, position, size).unwrap();
                assert!(includes(position, size, leaf, &path, root), "{position} of {size}");
                assert!(!includes(position ^ 1, size, leaf, &path, root) || size == 1);
            }
        }
    }

    #[test]
    fn every_tree_up_to_one_hundred_and_thirty_is_the_beginning_of_every_later_one() {
        let grown = Grown::of(130);
        let roots: Vec<Hash> = (0..=130).map(|n| naive_root(&grown.leaves[..n])).collect();
        for new in 0..=130u64 {
            for old in 0..=new {
                let path = consistency(&grown, old, new).unwrap();
                let root = |n: u64| roots[usize::try_from(n).unwrap()];
                assert!(extends(old, root(old), new, root(new), &path), "{old} to {new}");
                if old > 0 {
                    assert!(!extends(old, root(old - 1), new, root(new), &path));
                    assert!(!extends(old, root(old), new, root(old - 1), &path));
                }
            }
        }
    }

    #[test]
    fn what_lies_beyond_has_no_proof() {
        let grown = Grown::of(5);
        assert_eq!(inclusion(&grown, 5, 5), Err(ProofError::Beyond { asked: 5, size: 5 }));
        assert_eq!(consistency(&grown, 6, 5), Err(ProofError::Beyond { asked: 6, size: 5 }));
        assert!(matches!(inclusion(&grown, 1, 9), Err(ProofError::ShortTile { .. })));
        assert!(!includes(5, 5, Hash::ZERO, &[], Hash::ZERO));
        assert!(!extends(6, Hash::ZERO, 5, Hash::ZERO, &[]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]
        #[test]
        fn larger_trees_prove_as_well(
            size in 300u64..70_000, a in any::<u64>(), b in any::<u64>(),
        ) {
            thread_local!(static GROWN: Grown = Grown::of(70_000));
            GROWN.with(|grown| -> Result<(), TestCaseError> {
                let (position, old) = (a % size, b % size + 1);
                let root = root_at(grown, size).unwrap();
                prop_assert_eq!(root, naive_root(&grown.leaves[..usize::try_from(size).unwrap()]));
                let leaf = grown.leaves[usize::try_from(position).unwrap()];
                let path = inclusion(grown, position, size).unwrap();
                prop_assert!(includes(position, size, leaf, &path, root));
                let old_root = root_at(grown, old).unwrap();
                let mut path = consistency(grown, old, size).unwrap();
                prop_assert!(extends(old, old_root, size, root, &path));
                if let Some(hash) = path.first_mut() {
                    hash.0[3] ^= 4;
                    prop_assert!(!extends(old, old_root, size, root, &path));
                }
                Ok(())
            })?;
        }

        #[test]
        fn an_altered_proof_never_verifies(
            size in 2u64..300, at in any::<u64>(), hash in any::<usize>(), bit in 0usize..256,
        ) {
            let grown = Grown::of(size);
            let position = at % size;
            let leaf = grown.leaves[usize::try_from(position).unwrap()];
            let mut path = inclusion(&grown, position, size).unwrap();
            let which = hash % path.len();
            path[which].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!includes(position, size, leaf, &path, grown.tip.root()));
            path[which].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!includes(position, size, leaf, &path[1..], grown.tip.root()));
            path.push(Hash::ZERO);
            prop_assert!(!includes(position, size, leaf, &path, grown.tip.root()));
        }

        #[test]
        fn no_numbers_make_it_panic(
            old in any::<u64>(), new in any::<u64>(), n in 0usize..70, byte in any::<u8>(),
        ) {
            let path = vec![Hash([byte; 32]); n];
            let _ = extends(old, Hash::ZERO, new, Hash::ZERO, &path);
            let _ = root_from_inclusion(old, new, Hash::ZERO, &path);
        }
    }
}
