//! Arithmetic of bits over blocks: one word at a time, or as many as the processor takes at once.

use crate::masks::{Form, Row, STRETCH};
#[cfg(target_arch = "x86_64")]
use fearless_simd::prelude::*;
#[cfg(target_arch = "x86_64")]
use fearless_simd::{Simd, u64x4, u64x8};
use std::ops::{BitAnd, BitOr, Not, Shl, Shr};

/// Words of bits: one, or as many as the processor takes at once.
pub(crate) trait Lanes:
    Copy
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + Not<Output = Self>
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
{
}

impl<T> Lanes for T where
    T: Copy
        + BitAnd<Output = T>
        + BitOr<Output = T>
        + Not<Output = T>
        + Shl<u32, Output = T>
        + Shr<u32, Output = T>
{
}

/// Bits of a block and of the one after it.
#[derive(Clone, Copy)]
pub(crate) struct Ahead<T> {
    pub(crate) here: T,
    pub(crate) after: T,
}

impl<T: Lanes> BitAnd for Ahead<T> {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self { here: self.here & other.here, after: self.after & other.after }
    }
}

impl<T: Lanes> BitOr for Ahead<T> {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self { here: self.here | other.here, after: self.after | other.after }
    }
}

impl<T: Lanes> Not for Ahead<T> {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self { here: !self.here, after: !self.after }
    }
}

/// Bit i becomes what bit i + `by` was, `by` from 1 to 63.
impl<T: Lanes> Shr<u32> for Ahead<T> {
    type Output = Self;

    #[inline(always)]
    fn shr(self, by: u32) -> Self {
        Self { here: self.here >> by | self.after << (64 - by), after: self.after >> by }
    }
}

/// Where runs of at least `count` bytes of a class stand, from their first byte on.
#[inline(always)]
pub(crate) fn run<T: Lanes>(bits: Ahead<T>, count: u32) -> Ahead<T> {
    let (mut bits, mut length) = (bits, 1);
    while length < count {
        let step = if length * 2 <= count { length } else { count - length };
        bits = bits & bits >> step;
        length += step;
    }
    bits
}

/// Reading and writing `N` words at once.
pub(crate) trait Load<const N: usize> {
    type Lanes: Lanes;

    fn load(&self, words: &[u64; N]) -> Self::Lanes;
    fn store(&self, lanes: Self::Lanes) -> [u64; N];
}

pub(crate) struct Word;

impl Load<1> for Word {
    type Lanes = u64;

    #[inline(always)]
    fn load(&self, [word]: &[u64; 1]) -> u64 {
        *word
    }

    #[inline(always)]
    fn store(&self, word: u64) -> [u64; 1] {
        [word]
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) struct Four<S>(pub(crate) S);

#[cfg(target_arch = "x86_64")]
impl<S: Simd> Load<4> for Four<S> {
    type Lanes = u64x4<S>;

    #[inline(always)]
    fn load(&self, words: &[u64; 4]) -> u64x4<S> {
        u64x4::from_slice(self.0, words)
    }

    #[inline(always)]
    fn store(&self, lanes: u64x4<S>) -> [u64; 4] {
        let mut words = [0u64; 4];
        lanes.store_slice(&mut words);
        words
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) struct Eight<S>(pub(crate) S);

#[cfg(target_arch = "x86_64")]
impl<S: Simd> Load<8> for Eight<S> {
    type Lanes = u64x8<S>;

    #[inline(always)]
    fn load(&self, words: &[u64; 8]) -> u64x8<S> {
        u64x8::from_slice(self.0, words)
    }

    #[inline(always)]
    fn store(&self, lanes: u64x8<S>) -> [u64; 8] {
        let mut words = [0u64; 8];
        lanes.store_slice(&mut words);
        words
    }
}

/// The words of a row from one block on.
pub(crate) struct At<'a, L, const N: usize>(pub(crate) &'a L, pub(crate) usize);

impl<const N: usize, L: Load<N>> Form<Row, L::Lanes> for At<'_, L, N> {
    #[inline(always)]
    fn form(&self, row: &Row) -> L::Lanes {
        let words = row.get(self.1..).and_then(<[u64]>::first_chunk::<N>);
        match words {
            Some(words) => self.0.load(words),
            None => self.0.load(&[0; N]),
        }
    }
}

#[inline(always)]
pub(crate) fn store<const N: usize, L: Load<N>>(
    lanes: &L,
    words: L::Lanes,
    row: &mut [u64; STRETCH],
    first: usize,
) {
    if let Some(room) = row.get_mut(first..).and_then(<[u64]>::first_chunk_mut::<N>) {
        *room = lanes.store(words);
    }
}
