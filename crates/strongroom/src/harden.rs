//! The process that holds keys: no core dumps, no debugger, memory that is not swapped.

use rustix::mm::MlockAllFlags;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use std::fmt;

/// What was achieved; nothing is claimed that the kernel did not confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardening {
    /// Core dumps are limited to nothing.
    pub no_core_dumps: bool,
    /// Other processes of the same user can neither trace this one nor read its memory.
    pub not_dumpable: bool,
    /// All memory, now and later, stays out of swap.
    pub memory_locked: bool,
}

impl Hardening {
    /// Whether everything was achieved.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        self.no_core_dumps && self.not_dumpable && self.memory_locked
    }
}

impl fmt::Display for Hardening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |done| if done { "yes" } else { "no" };
        write!(
            f,
            "core dumps off: {}, not traceable: {}, memory locked: {}",
            word(self.no_core_dumps),
            word(self.not_dumpable),
            word(self.memory_locked)
        )
    }
}

/// Hardens this process as far as the kernel allows. Call it once, before any key is there.
#[must_use]
pub fn harden_process() -> Hardening {
    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    let no_core_dumps = rustix::process::setrlimit(Resource::Core, nothing).is_ok();
    let not_dumpable =
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok();
    Hardening { no_core_dumps, not_dumpable, memory_locked: lock_memory() }
}

/// Locks only where the kernel sets no limit: with a limit, locking would succeed now and a later
/// allocation would fail in the middle of an operation.
fn lock_memory() -> bool {
    let limit = rustix::process::getrlimit(Resource::Memlock);
    if limit.maximum.is_none() && limit.current.is_some() {
        let raised = Rlimit { current: None, maximum: None };
        if rustix::process::setrlimit(Resource::Memlock, raised).is_err() && !may_lock_anything() {
            return false;
        }
    } else if limit.current.is_some() && !may_lock_anything() {
        return false;
    }
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    rustix::mm::mlockall(flags).is_ok()
}

/// Whether the process has CAP_IPC_LOCK (bit 14), for which the limit does not count.
fn may_lock_anything() -> bool {
    const CAP_IPC_LOCK: u32 = 14;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << CAP_IPC_LOCK) != 0)
}
