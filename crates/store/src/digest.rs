//! The keyed multiset hash of a collection: the sum, modulo 2^256, of one keyed hash for each
//! record (MSet-Add-Hash of Clarke and others, ASIACRYPT 2003). Order does not matter, so one
//! record is taken out and another put in at the same cost whatever the size of the collection.

use crate::codec::{Reader, Unreadable, Writer};

/// How many, and the sum of their hashes. Never shown to the database unsealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Multiset {
    pub(crate) count: u64,
    /// Little-endian limbs.
    sum: [u64; 4],
}

fn limbs(element: &[u8; 32]) -> [u64; 4] {
    let mut limbs = [0u64; 4];
    for (limb, bytes) in limbs.iter_mut().zip(element.chunks_exact(8)) {
        *limb = bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte));
    }
    limbs
}

impl Multiset {
    pub(crate) fn add(&mut self, element: &[u8; 32]) {
        self.count = self.count.wrapping_add(1);
        let mut carry = false;
        for (limb, other) in self.sum.iter_mut().zip(limbs(element)) {
            let (sum, over) = limb.overflowing_add(other);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = over || over_again;
        }
    }

    pub(crate) fn remove(&mut self, element: &[u8; 32]) {
        self.count = self.count.wrapping_sub(1);
        let mut borrow = false;
        for (limb, other) in self.sum.iter_mut().zip(limbs(element)) {
            let (rest, under) = limb.overflowing_sub(other);
            let (rest, under_again) = rest.overflowing_sub(u64::from(borrow));
            *limb = rest;
            borrow = under || under_again;
        }
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.u64(self.count);
        for limb in self.sum {
            to.u64(limb);
        }
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let count = from.u64()?;
        let mut sum = [0u64; 4];
        for limb in &mut sum {
            *limb = from.u64()?;
        }
        Ok(Self { count, sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(elements: &[[u8; 32]]) -> Multiset {
        elements.iter().fold(Multiset::default(), |mut set, element| {
            set.add(element);
            set
        })
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_removal_undoes(mut elements: Vec<[u8; 32]>, extra: [u8; 32]) {
            let forward = of(&elements);
            elements.reverse();
            let mut backward = of(&elements);
            prop_assert_eq!(forward, backward);
            backward.add(&extra);
            prop_assert_ne!(forward, backward);
            backward.remove(&extra);
            prop_assert_eq!(forward, backward);
        }
    }

    #[test]
    fn carries_run_through_all_limbs() {
        let mut set = of(&[[0xff; 32]]);
        let mut one = [0u8; 32];
        one[0] = 1;
        set.add(&one);
        assert_eq!(set.sum, [0; 4]);
        set.remove(&one);
        assert_eq!(set.sum, [u64::MAX; 4]);
    }
}
