//! How often a key is to be rotated, and when the next rotation is due.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// Days between rotations, from 1 to [`RotationPeriod::DAYS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct RotationPeriod(u32);

/// Why a number of days is no rotation period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rotation period has 1 to 3653 days, not {0}")]
pub struct RotationPeriodError(u32);

impl RotationPeriod {
    /// Longest period: ten years, beyond every originator-usage period of SP 800-57 part 1, table
    /// 1.
    pub const DAYS_MAX: u32 = 3_653;

    /// The number of days.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.0
    }

    /// When the rotation after a version made at `newest` is due.
    #[must_use]
    pub fn due_after(self, newest: Timestamp) -> Timestamp {
        newest.plus_days(i64::from(self.0))
    }
}

impl TryFrom<u32> for RotationPeriod {
    type Error = RotationPeriodError;
    fn try_from(days: u32) -> Result<Self, RotationPeriodError> {
        if (1..=Self::DAYS_MAX).contains(&days) {
            Ok(Self(days))
        } else {
            Err(RotationPeriodError(days))
        }
    }
}

impl From<RotationPeriod> for u32 {
    fn from(period: RotationPeriod) -> Self {
        period.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_keeps_its_limits() {
        for days in [0, RotationPeriod::DAYS_MAX + 1, u32::MAX] {
            assert_eq!(RotationPeriod::try_from(days), Err(RotationPeriodError(days)));
            assert!(serde_json::from_str::<RotationPeriod>(&days.to_string()).is_err());
        }
        let quarter = RotationPeriod::try_from(90).unwrap();
        let due = quarter.due_after(Timestamp::EPOCH);
        assert_eq!(due.seconds_since(Timestamp::EPOCH), 90 * 86_400);
    }
}
