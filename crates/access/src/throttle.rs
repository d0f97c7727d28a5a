//! Slowing down guesses without letting anyone lock somebody else out.
//!
//! A delay belongs to one account *as tried from one source*; the account's owner elsewhere does
//! not notice. A second, looser delay belongs to the source alone, against one password tried on
//! many accounts. A third counts wrong one-time codes of one account wherever they come from: only
//! who knows the password can make it grow, so it slows a thief of passwords and no stranger can
//! turn it against the owner. All grow by doubling and are forgotten after a day. Sources are IPv4
//! addresses and IPv6 /64 networks, of which one subscriber has many.

use kernel::MonotonicMicros;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// Failures on one account from one source that cost nothing: everybody mistypes.
pub const FREE_FAILURES: u32 = 3;
/// Failures from one source over all accounts that cost nothing: a branch behind one address.
pub const FREE_FAILURES_OF_SOURCE: u32 = 30;
/// Wrong codes of one account, from anywhere, that cost nothing.
pub const FREE_CODES: u32 = 10;
/// Longest delay: a quarter of an hour, after which a person who waits may try again.
pub const DELAY_SECONDS_MAX: u64 = 900;
/// A row of failures is forgotten after a day without one.
pub const FORGET_SECONDS: u64 = 86_400;
/// Most counters kept; beyond it those closest to being forgotten go first.
pub const COUNTERS_MAX: usize = 65_536;

const MICROS: u64 = 1_000_000;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Counter {
    AccountAndSource(u64, IpAddr),
    Source(IpAddr),
    Codes(u64),
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: u64,
}

/// Counters of failed proofs, in memory: a restart forgives, which costs an attacker a restart.
#[derive(Debug, Default)]
pub struct Throttle {
    hasher: RandomState,
    counters: Mutex<HashMap<Counter, Failures>>,
}

/// The part of an address that one attacker cannot vary at will.
#[must_use]
pub fn source_of(address: Option<IpAddr>) -> IpAddr {
    match address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        },
    }
}

fn delay_seconds(failures: u32, free: u32) -> u64 {
    match failures.checked_sub(free + 1) {
        None => 0,
        Some(over) => {
            1u64.checked_shl(over).map_or(DELAY_SECONDS_MAX, |s| s.min(DELAY_SECONDS_MAX))
        }
    }
}

impl Throttle {
    fn both(&self, account: &str, address: Option<IpAddr>) -> [(Counter, u32); 2] {
        let source = source_of(address);
        [
            (Counter::AccountAndSource(self.hasher.hash_one(account), source), FREE_FAILURES),
            (Counter::Source(source), FREE_FAILURES_OF_SOURCE),
        ]
    }

    /// Seconds that this source must wait before it may try this account; 0 when it may try now.
    #[must_use]
    pub fn wait_seconds(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: MonotonicMicros,
    ) -> u64 {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |(counter, free)| {
            let failures = counters.get(&counter)?;
            let until = failures.last + delay_seconds(failures.count, free) * MICROS;
            Some(until.saturating_sub(now.0).div_ceil(MICROS))
        };
        self.both(account, address).into_iter().filter_map(left).max().unwrap_or(0)
    }

    /// Seconds before another code of this account is looked at.
    #[must_use]
    pub fn code_wait_seconds(&self, account: &str, now: MonotonicMicros) -> u64 {
        let counter = Counter::Codes(self.hasher.hash_one(account));
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.get(&counter).map_or(0, |failures| {
            let until = failures.last + delay_seconds(failures.count, FREE_CODES) * MICROS;
            until.saturating_sub(now.0).div_ceil(MICROS)
        })
    }

    /// Counts a wrong code after a right password.
    pub fn code_failed(&self, account: &str, now: MonotonicMicros) {
        self.count(&[Counter::Codes(self.hasher.hash_one(account))], now);
    }

    /// Forgets the wrong codes of an account.
    pub fn code_succeeded(&self, account: &str) {
        let counter = Counter::Codes(self.hasher.hash_one(account));
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).remove(&counter);
    }

    /// Counts a failure.
    pub fn failed(&self, account: &str, address: Option<IpAddr>, now: MonotonicMicros) {
        let [(one, _), (other, _)] = self.both(account, address);
        self.count(&[one, other], now);
    }

    fn count(&self, which: &[Counter], now: MonotonicMicros) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= COUNTERS_MAX {
            forget(&mut counters, now.0);
        }
        for counter in which {
            let failures = counters.entry(*counter).or_insert(Failures { count: 0, last: now.0 });
            let forgotten = now.0.saturating_sub(failures.last) >= FORGET_SECONDS * MICROS;
            failures.count = if forgotten { 1 } else { failures.count.saturating_add(1) };
            failures.last = now.0;
        }
    }

    /// Forgets the failures on this account from this source; those of the source stay, or an
    /// attacker with one good account could clear them between guesses.
    pub fn succeeded(&self, account: &str, address: Option<IpAddr>) {
        let [(counter, _), _] = self.both(account, address);
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).remove(&counter);
    }
}

fn forget(counters: &mut HashMap<Counter, Failures>, now: u64) {
    counters.retain(|_, f| now.saturating_sub(f.last) < FORGET_SECONDS * MICROS);
    if counters.len() >= COUNTERS_MAX {
        let mut times: Vec<_> = counters.values().map(|f| f.last).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        counters.retain(|_, f| f.last > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> MonotonicMicros {
        MonotonicMicros(seconds * MICROS)
    }
    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn delays_double_from_the_fourth_failure_and_end_at_a_quarter_of_an_hour() {
        let throttle = Throttle::default();
        let from = address("192.0.2.1");
        let mut waits = Vec::new();
        for n in 0..14 {
            throttle.failed("ada", from, at(n));
            waits.push(throttle.wait_seconds("ada", from, at(n)));
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]);
        assert_eq!(throttle.wait_seconds("ada", from, at(13 + 900)), 0);
        throttle.failed("ada", from, at(1_000));
        assert_eq!(throttle.wait_seconds("ada", from, at(1_000)), DELAY_SECONDS_MAX);
    }

    #[test]
    fn the_owner_elsewhere_does_not_notice_an_attack() {
        let throttle = Throttle::default();
        for n in 0..10_000 {
            throttle.failed("ada", address("198.51.100.7"), at(n / 100));
        }
        assert!(throttle.wait_seconds("ada", address("198.51.100.7"), at(100)) > 0);
        assert_eq!(throttle.wait_seconds("ada", address("192.0.2.1"), at(100)), 0);
    }

    #[test]
    fn one_source_cannot_try_many_accounts_nor_clear_itself_with_its_own() {
        let throttle = Throttle::default();
        let from = address("198.51.100.7");
        for n in 0..40 {
            throttle.failed(&format!("user{n}"), from, at(0));
            throttle.succeeded("mallory", from);
        }
        assert!(throttle.wait_seconds("another", from, at(0)) > 0);
    }

    #[test]
    fn a_whole_ipv6_network_is_one_source() {
        let throttle = Throttle::default();
        for n in 0..8 {
            throttle.failed("ada", address(&format!("2001:db8::{n}")), at(0));
        }
        assert!(throttle.wait_seconds("ada", address("2001:db8::ffff"), at(0)) > 0);
        assert_eq!(throttle.wait_seconds("ada", address("2001:db8:0:1::1"), at(0)), 0);
        assert_eq!(source_of(address("::ffff:192.0.2.1")), address("192.0.2.1").unwrap());
    }

    #[test]
    fn wrong_codes_are_counted_wherever_they_come_from_and_per_account() {
        let throttle = Throttle::default();
        for _ in 0..FREE_CODES {
            throttle.code_failed("ada", at(0));
        }
        assert_eq!(throttle.code_wait_seconds("ada", at(0)), 0);
        throttle.code_failed("ada", at(0));
        throttle.code_failed("ada", at(0));
        assert_eq!(throttle.code_wait_seconds("ada", at(0)), 2);
        assert_eq!(throttle.code_wait_seconds("bob", at(0)), 0);
        throttle.code_succeeded("ada");
        assert_eq!(throttle.code_wait_seconds("ada", at(0)), 0);
    }

    #[test]
    fn counters_are_limited() {
        let throttle = Throttle::default();
        for n in 0..u32::try_from(COUNTERS_MAX).unwrap() {
            let from = Some(IpAddr::V4(n.into()));
            throttle.failed("ada", from, MonotonicMicros(u64::from(n)));
        }
        assert!(throttle.counters.lock().unwrap().len() <= COUNTERS_MAX + 2);
    }

    #[test]
    fn success_and_a_day_forgive() {
        let throttle = Throttle::default();
        let from = address("192.0.2.1");
        for _ in 0..6 {
            throttle.failed("ada", from, at(0));
        }
        throttle.succeeded("ada", from);
        assert_eq!(throttle.wait_seconds("ada", from, at(0)), 0);
        for _ in 0..6 {
            throttle.failed("bob", from, at(0));
        }
        throttle.failed("bob", from, at(FORGET_SECONDS));
        assert_eq!(throttle.wait_seconds("bob", from, at(FORGET_SECONDS)), 0);
    }
}
