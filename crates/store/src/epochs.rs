//! Epochs of key domains: counters that every revocation raises.

use kernel::{DomainId, Epoch};
use std::collections::HashMap;

/// The counters: one for each domain that was ever raised and one for all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct EpochTable {
    pub(crate) all: u64,
    pub(crate) own: HashMap<DomainId, u64>,
}

impl EpochTable {
    /// What a guard of this domain must carry. Both counters only grow, so their sum never repeats.
    pub(crate) fn current(&self, domain: DomainId) -> Epoch {
        let own = self.own.get(&domain).copied().unwrap_or(0);
        Epoch(own.saturating_add(self.all))
    }

    /// Raises one domain; returns its own counter, to be stored.
    pub(crate) fn raise(&mut self, domain: DomainId) -> u64 {
        let own = self.own.entry(domain).or_insert(0);
        *own = own.saturating_add(1);
        *own
    }

    /// Raises every domain; returns the common counter, to be stored.
    pub(crate) const fn raise_all(&mut self) -> u64 {
        self.all = self.all.saturating_add(1);
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_one_leaves_others_and_raising_all_leaves_none() {
        let (a, b) = (DomainId::from_bytes([1; 16]), DomainId::from_bytes([2; 16]));
        let mut epochs = EpochTable::default();
        epochs.raise(a);
        assert_eq!((epochs.current(a), epochs.current(b)), (Epoch(1), Epoch(0)));
        epochs.raise_all();
        assert_eq!((epochs.current(a), epochs.current(b)), (Epoch(2), Epoch(1)));
    }
}
