//! Argon2id (RFC 9106): the cost, its bounds, and the stretching itself with wiped memory.

use crate::derive::KeyBytes;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// What one guess costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argon2Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// The cost is out of bounds, or there is no memory for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the argon2id cost is outside 8 MiB to 1 GiB, 1 to 16 passes, 1 to 8 lanes")]
pub struct CostOutOfBounds;

impl Argon2Cost {
    /// RFC 9106, section 4, second recommendation: 64 MiB and three passes; one lane, because a
    /// server with many sign-ins has no idle processors to give.
    pub const STANDARD: Self = Self { memory_kib: 64 * 1_024, passes: 3, lanes: 1 };
    /// The least that is accepted: bounds what a hostile file can talk us down to, and up to.
    pub const LEAST: Self = Self { memory_kib: 8 * 1_024, passes: 1, lanes: 1 };
    const MOST: Self = Self { memory_kib: 1_024 * 1_024, passes: 16, lanes: 8 };

    pub(crate) fn check(self) -> Result<(), CostOutOfBounds> {
        let fits = (Self::LEAST.memory_kib..=Self::MOST.memory_kib).contains(&self.memory_kib)
            && (Self::LEAST.passes..=Self::MOST.passes).contains(&self.passes)
            && (Self::LEAST.lanes..=Self::MOST.lanes).contains(&self.lanes);
        if fits { Ok(()) } else { Err(CostOutOfBounds) }
    }

    /// Stretches `secret` to 32 bytes.
    pub(crate) fn stretch(self, secret: &[u8], salt: &[u8]) -> Result<KeyBytes, CostOutOfBounds> {
        self.check()?;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| CostOutOfBounds)?;
        let mut memory = Vec::new();
        memory.try_reserve_exact(params.block_count()).map_err(|_| CostOutOfBounds)?;
        memory.resize(params.block_count(), Block::default());
        let mut out = Zeroizing::new([0; 32]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let done =
            argon2.hash_password_into_with_memory(secret, salt, out.as_mut_slice(), &mut memory);
        memory.iter_mut().for_each(Zeroize::zeroize);
        done.map_err(|_| CostOutOfBounds).map(|()| out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_out_of_bounds_are_refused_before_any_memory_is_taken() {
        for (memory_kib, passes, lanes) in
            [(u32::MAX, 1, 1), (8 * 1_024, u32::MAX, 1), (8 * 1_024, 1, u32::MAX), (8, 1, 1)]
        {
            let cost = Argon2Cost { memory_kib, passes, lanes };
            assert_eq!(cost.stretch(b"p", &[0; 16]), Err(CostOutOfBounds));
        }
    }
}
