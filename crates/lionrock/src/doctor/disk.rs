//! The disk under the data folder: what kind, how much is free, how fast it is durable.

use super::{Finding, Grade};
use kernel::Clock;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Less than this is gone within days under load.
const FREE_BYTES_WANTED: u64 = 4 * 1024 * 1024 * 1024;
/// Flushes that are measured at most, and for how long at most.
const FLUSHES_MAX: u64 = 200;
const FLUSH_MICROS_MAX: u64 = 1_000_000;
/// Flushes a second below which people notice: each waits for one.
const FLUSHES_MIN: u64 = 100;
const PAGE: [u8; 4_096] = [0x5a; 4_096];

const TMPFS_MAGIC: u64 = 0x0102_1994;
const NFS_MAGIC: u64 = 0x6969;
const SMB2_MAGIC: u64 = 0xfe53_4d42;

pub(super) fn examine(data: &Path, clock: &dyn Clock) -> Vec<Finding> {
    let Some(folder) = nearest(data) else {
        let says = format!("neither `{}` nor any folder above it is there", data.display());
        return vec![Finding::new("disk", Grade::Bad, says)];
    };
    vec![
        kind(rustix::fs::statfs(&folder).ok().and_then(|s| u64::try_from(s.f_type).ok())),
        free(rustix::fs::statvfs(&folder).ok().map(|s| s.f_bavail.saturating_mul(s.f_frsize))),
        flushes(&measured(&folder, clock)),
    ]
}

/// The folder, or the nearest one above it that is there.
fn nearest(data: &Path) -> Option<PathBuf> {
    let data = std::path::absolute(data).ok()?;
    data.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned)
}

fn kind(magic: Option<u64>) -> Finding {
    let about = "file system";
    match magic {
        Some(TMPFS_MAGIC) => {
            Finding::new(about, Grade::Bad, "in memory: everything is gone after a restart")
                .advise("put the data folder on a disk")
        }
        Some(NFS_MAGIC | SMB2_MAGIC) => {
            let says = "on the network: locks and flushes are promises of another machine";
            Finding::new(about, Grade::Weak, says).advise("put the data folder on a local disk")
        }
        Some(_) => Finding::good(about, "on a disk of this machine"),
        None => Finding::new(about, Grade::Unknown, "the kernel does not say"),
    }
}

fn free(bytes: Option<u64>) -> Finding {
    let about = "free space";
    let Some(bytes) = bytes else {
        return Finding::new(about, Grade::Unknown, "the kernel does not say");
    };
    let says = format!("{} MiB", bytes / 1_048_576);
    let reserve = store::limits::RESERVE_BYTES;
    if bytes < reserve {
        let advice = "free some space: below the reserve, key use is refused";
        return Finding::new(about, Grade::Bad, says).advise(advice);
    }
    let grade = if bytes < FREE_BYTES_WANTED { Grade::Weak } else { Grade::Good };
    Finding::new(about, grade, says).advise("plan for 4 GiB and more")
}

/// A file that is removed when it has been measured with.
struct Probe(PathBuf);

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Durable flushes a second of one page, one after the other.
fn measured(folder: &Path, clock: &dyn Clock) -> io::Result<u64> {
    let path = folder.join(format!(".lionrock-doctor-{}", std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    let _probe = Probe(path);
    prepared(&file)?;
    let begun = clock.monotonic();
    let mut done = 0;
    let mut micros = 0;
    while done < FLUSHES_MAX && micros < FLUSH_MICROS_MAX {
        file.write_all_at(&PAGE, 0)?;
        file.sync_data()?;
        done += 1;
        micros = clock.monotonic().0.saturating_sub(begun.0);
    }
    Ok(done.saturating_mul(1_000_000) / micros.max(1))
}

fn prepared(mut file: &File) -> io::Result<()> {
    file.write_all(&PAGE)?;
    file.sync_all()
}

fn flushes(measured: &io::Result<u64>) -> Finding {
    let about = "durable flushes";
    match measured {
        Ok(rate) => {
            let grade = if *rate < FLUSHES_MIN { Grade::Weak } else { Grade::Good };
            Finding::new(about, grade, format!("{rate} a second (fdatasync of 4 KiB)"))
                .advise("a change waits for one flush: use a disk with a protected write cache")
        }
        Err(cause) => {
            let full = cause.kind() == io::ErrorKind::StorageFull
                || cause.kind() == io::ErrorKind::ReadOnlyFilesystem;
            let grade = if full { Grade::Bad } else { Grade::Unknown };
            Finding::new(about, grade, format!("no file could be written to measure it: {cause}"))
                .advise("run this as the account of the server")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_disk_is_measured_and_nothing_is_left_on_it() {
        let folder = std::env::temp_dir().join(format!("lionrock-disk-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let rate = measured(&folder, &SystemClock).unwrap();
        assert!(rate > 0);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir(&folder).unwrap();
        let missing = measured(&folder, &SystemClock);
        assert_eq!(flushes(&missing).grade, Grade::Unknown);
        assert_eq!(nearest(&folder.join("a/b")).as_deref(), folder.parent());
    }

    #[test]
    fn what_a_disk_cannot_do_is_graded_by_what_it_costs() {
        assert_eq!(kind(Some(TMPFS_MAGIC)).grade, Grade::Bad);
        assert_eq!(kind(Some(NFS_MAGIC)).grade, Grade::Weak);
        assert_eq!((kind(Some(0xef53)).grade, kind(None).grade), (Grade::Good, Grade::Unknown));
        assert_eq!(free(Some(store::limits::RESERVE_BYTES - 1)).grade, Grade::Bad);
        assert_eq!(free(Some(FREE_BYTES_WANTED - 1)).grade, Grade::Weak);
        assert_eq!(
            (free(Some(FREE_BYTES_WANTED)).grade, free(None).grade),
            (Grade::Good, Grade::Unknown)
        );
        assert_eq!(flushes(&Ok(FLUSHES_MIN - 1)).grade, Grade::Weak);
        assert_eq!(flushes(&Ok(FLUSHES_MIN)).grade, Grade::Good);
        let full = Err(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(flushes(&full).grade, Grade::Bad);
    }
}
