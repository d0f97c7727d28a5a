//! Randomness as a parameter. The machine's generator lives in the strongroom.

use std::sync::Mutex;

/// The system has no randomness to give; whatever needed it must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random generator does not answer")]
pub struct RngUnavailable;

/// Where random bytes come from.
pub trait Rng: Send + Sync {
    /// Fills the whole buffer.
    ///
    /// # Errors
    /// When the generator does not answer; the buffer must then not be used.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngUnavailable>;
}

/// A predictable generator (SplitMix64): for tests only, never for keys.
/// ```
/// use kernel::{Rng, SeededRng};
/// let (one, same) = (SeededRng::new(7), SeededRng::new(7));
/// let (mut a, mut b) = ([0; 8], [0; 8]);
/// one.fill(&mut a).unwrap();
/// same.fill(&mut b).unwrap();
/// assert_eq!(a, b, "for tests: the same seed gives the same bytes");
/// ```
#[derive(Debug)]
pub struct SeededRng(Mutex<u64>);

impl SeededRng {
    /// The generator that starts from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Rng for SeededRng {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngUnavailable> {
        let mut state = self.0.lock().map_err(|_| RngUnavailable)?;
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let bytes = (z ^ (z >> 31)).to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(bytes) {
                *to = from;
            }
        }
        Ok(())
    }
}
