//! Wiping what hash functions leave on the stack.
//!
//! Our own copies of key material lie in buffers that are wiped when dropped, and aws-lc wipes its
//! heap. What remains is the input block of a hash context on the stack of a call that has
//! returned. It would be overwritten sooner or later; this makes it sooner.

use zeroize::Zeroize;

/// Bytes below the caller's frame that are overwritten: deeper than any call chain measured.
const DEPTH_WORDS: usize = 2_048;

/// Overwrites the stack below the caller. About a microsecond: call it where keys are expanded, not
/// where they are used.
#[inline(never)]
pub(crate) fn scrub_stack() {
    let mut below = [0u64; DEPTH_WORDS];
    below.zeroize();
    std::hint::black_box(&below);
}
