//! What a worker gives up before it reads its first byte.
//!
//! Each step is checked and a step that fails ends the process: the only one that may be missing is
//! Landlock on a kernel without it, because the list of system calls forbids files and sockets by
//! itself. Nothing here can be undone by the process afterwards.

use landlock::{ABI, Access, AccessFs, AccessNet, LandlockStatus, RulesetAttr, Scope};
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The user and group that a worker of a superuser becomes: the kernel's overflow identity,
/// `nobody`.
const NOBODY: u32 = 65_534;
/// Standard input, output and error, the object, and one to spare while Landlock is entered.
const DESCRIPTORS_MAX: u64 = 8;

/// What a worker may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of address space beyond what the process begins with.
    pub memory_bytes: u64,
    /// Seconds of processor time for the whole life of the process.
    pub cpu_seconds: u64,
}

/// The layers of a sandbox that was entered. System calls are always limited, privileges are never
/// gained, resources are always bounded: without those there is no worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layers {
    /// The version of Landlock's interface that is in force; `None` on a kernel without Landlock.
    pub landlock_abi: Option<u8>,
    /// The user that it became; `None` when it was not the superuser to begin with.
    pub user: Option<u32>,
}

/// The step that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// Something of the environment was inherited.
    #[error("the environment is not empty: this is a process of the server, not a command")]
    Environment,
    /// A descriptor stays open.
    #[error("descriptor {0} stays open")]
    Descriptor(i32),
    /// There is a second thread, which a filter would not bind.
    #[error("the process has more than one thread")]
    Threads,
    /// `/proc` cannot be read.
    #[error("`/proc` cannot be read")]
    Proc(#[source] std::io::Error),
    /// The superuser cannot become somebody else.
    #[error("the privileges of the superuser cannot be given up")]
    Privileges(#[source] rustix::io::Errno),
    /// A limit cannot be set.
    #[error("a resource cannot be limited")]
    Limit(#[source] rustix::io::Errno),
    /// The process stays traceable.
    #[error("the process cannot be made untraceable")]
    Traceable(#[source] rustix::io::Errno),
    /// Landlock is there and refuses.
    #[error("the file system cannot be closed off")]
    Landlock(#[source] landlock::RulesetError),
    /// The list of system calls cannot be made or installed.
    #[error("the system calls cannot be limited")]
    SystemCalls(#[source] seccompiler::Error),
    /// No list of system calls is known for this processor.
    #[error("no list of system calls is known for this processor")]
    Processor,
}

/// Enters the sandbox for good.
pub(super) fn enter(bounds: Bounds) -> Result<Layers, SandboxError> {
    if std::env::vars_os().next().is_some() {
        return Err(SandboxError::Environment);
    }
    only_standard_descriptors()?;
    let threads = std::fs::read_dir("/proc/self/task").map_err(SandboxError::Proc)?.count();
    if threads != 1 {
        return Err(SandboxError::Threads);
    }
    let address_space = address_space_bytes()?.saturating_add(bounds.memory_bytes);
    let user = become_nobody().map_err(SandboxError::Privileges)?;
    limit(address_space, bounds.cpu_seconds).map_err(SandboxError::Limit)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(SandboxError::Traceable)?;
    rustix::thread::set_no_new_privs(true).map_err(SandboxError::Privileges)?;
    let landlock_abi = close_off()?;
    seccompiler::apply_filter(&few_system_calls()?).map_err(SandboxError::SystemCalls)?;
    Ok(Layers { landlock_abi, user })
}

/// What the server opened has closed itself at the start of this program, and what it inherited was
/// marked to do the same; this makes sure.
fn only_standard_descriptors() -> Result<(), SandboxError> {
    // The folder that was read is among the numbers, and closed already.
    let still = |number: &i32| std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok();
    let left = open_descriptors()?.into_iter().find(still);
    left.map_or(Ok(()), |number| Err(SandboxError::Descriptor(number)))
}

/// The numbers above standard error.
fn open_descriptors() -> Result<Vec<i32>, SandboxError> {
    let mut open = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd").map_err(SandboxError::Proc)? {
        let entry = entry.map_err(SandboxError::Proc)?;
        open.extend(entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    open.retain(|number| *number > 2);
    Ok(open)
}

/// The address space that the program itself takes: the first number of `statm`, in pages.
fn address_space_bytes() -> Result<u64, SandboxError> {
    let text = std::fs::read_to_string("/proc/self/statm").map_err(SandboxError::Proc)?;
    let pages: u64 =
        text.split(' ').next().and_then(|pages| pages.parse().ok()).ok_or_else(|| {
            SandboxError::Proc(std::io::Error::from(std::io::ErrorKind::InvalidData))
        })?;
    Ok(pages.saturating_mul(rustix::param::page_size() as u64))
}

/// Gives up the superuser, its groups and every capability.
fn become_nobody() -> Result<Option<u32>, rustix::io::Errno> {
    let is_superuser = rustix::process::geteuid().is_root() || rustix::process::getuid().is_root();
    if is_superuser {
        let (user, group) =
            (rustix::process::Uid::from_raw(NOBODY), rustix::process::Gid::from_raw(NOBODY));
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(group, group, group)?;
        rustix::thread::set_thread_res_uid(user, user, user)?;
    }
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(
        None,
        CapabilitySets { effective: none, permitted: none, inheritable: none },
    )?;
    Ok(is_superuser.then_some(NOBODY))
}

/// Nothing can be written, started or dumped; memory, time and descriptors are bounded.
fn limit(address_space: u64, cpu_seconds: u64) -> Result<(), rustix::io::Errno> {
    let limits = [
        (Resource::As, address_space),
        (Resource::Cpu, cpu_seconds),
        (Resource::Nofile, DESCRIPTORS_MAX),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        (Resource::Nproc, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
    ];
    for (resource, most) in limits {
        let most = Rlimit { current: Some(most), maximum: Some(most) };
        rustix::process::setrlimit(resource, most)?;
    }
    Ok(())
}

/// A Landlock ruleset without a rule: no file, no TCP, no signal and no abstract socket of others,
/// as far as the kernel's version of Landlock goes.
fn close_off() -> Result<Option<u8>, SandboxError> {
    let newest = ABI::V9;
    let status = landlock::Ruleset::default()
        .handle_access(AccessFs::from_all(newest))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(newest)))
        .and_then(|rules| rules.scope(Scope::from_all(newest)))
        .and_then(landlock::Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(SandboxError::Landlock)?;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => {
            u8::try_from(effective_abi as i32).ok().filter(|abi| *abi > 0)
        }
        _ => None,
    })
}

/// What a worker may ask of the kernel; anything else kills it. No call that takes a path, makes a
/// descriptor, a socket or a process, or changes a limit is among them.
fn few_system_calls() -> Result<BpfProgram, SandboxError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|_| SandboxError::Processor)?;
    let broken = |cause| SandboxError::SystemCalls(seccompiler::Error::Backend(cause));
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    for (call, argument, operator, value) in conditions() {
        let value = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
            .and_then(|condition| SeccompRule::new(vec![condition]))
            .map_err(broken)?;
        rules.entry(call).or_default().push(value);
    }
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)
        .and_then(BpfProgram::try_from)
        .map_err(broken)
}

/// Reading what is open, memory, the end. The numbers are the system's own.
const ALWAYS: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Calls that are allowed with one value of one argument only: the socket, memory that cannot be
/// run, signals to itself.
fn conditions() -> [(i64, u8, SeccompCmpOp, u64); 6] {
    const RUNNABLE: u64 = libc::PROT_EXEC as u64;
    let own = u64::from(std::process::id());
    [
        (libc::SYS_recvmsg, 0, SeccompCmpOp::Eq, 0),
        (libc::SYS_write, 0, SeccompCmpOp::Eq, 0),
        (libc::SYS_mmap, 2, SeccompCmpOp::MaskedEq(RUNNABLE), 0),
        (libc::SYS_mprotect, 2, SeccompCmpOp::MaskedEq(RUNNABLE), 0),
        (libc::SYS_tgkill, 0, SeccompCmpOp::Eq, own),
        (libc::SYS_fcntl, 1, SeccompCmpOp::Eq, libc::F_GETFD as u64),
    ]
}
