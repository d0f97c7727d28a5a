//! The machine's random generator, as aws-lc gives it (an AES-CTR DRBG seeded by the kernel).

use aws_lc_rs::rand;
use kernel::{Rng, RngUnavailable};

/// The generator that keys, salts and identifiers come from.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngUnavailable> {
        rand::fill(buffer).map_err(|_| RngUnavailable)
    }
}

/// `N` random bytes.
pub(crate) fn random_array<const N: usize>() -> Result<[u8; N], RngUnavailable> {
    let mut bytes = [0; N];
    SystemRng.fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let a: [u8; 16] = random_array().unwrap();
        let b: [u8; 16] = random_array().unwrap();
        assert_ne!(a, b);
    }
}
