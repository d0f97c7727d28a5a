//! The clock: plausible, not gone back, not being moved, and kept by somebody.

use super::{Finding, Grade};
use kernel::{Clock, MonotonicMicros, Timestamp};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Before this release was made there can be no server of it.
const MADE: &str = "2026-11-01T00:00:00Z";
/// Seconds by which a file may be newer than the clock.
const AHEAD_SECONDS_MAX: i64 = 5;
/// Microseconds by which the clock may move against boot time while everything else is looked at.
const MOVED_MICROS_MAX: i64 = 500_000;
/// Where time services say that they run.
const SERVICES: [&str; 5] = [
    "/run/systemd/timesync/synchronized",
    "/run/chrony/chronyd.pid",
    "/run/chronyd.pid",
    "/run/ntpd.pid",
    "/run/ntpsec",
];

/// Both clocks at one moment.
pub(super) struct Reading {
    wall: Timestamp,
    boot: MonotonicMicros,
}

impl Reading {
    pub(super) fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.wall(), boot: clock.monotonic() }
    }
}

pub(super) fn examine(data: &Path, before: &Reading, now: &Reading) -> Vec<Finding> {
    let service = SERVICES.iter().any(|path| Path::new(path).exists());
    vec![clock(newest(data), before, now), time_service(service)]
}

/// When the newest file of the folder was written.
fn newest(data: &Path) -> Option<Timestamp> {
    let entries = std::fs::read_dir(data).ok()?;
    let written = entries.filter_map(|entry| {
        let modified = entry.ok()?.metadata().ok()?.modified().ok()?;
        let seconds = modified.duration_since(UNIX_EPOCH).ok()?.as_secs();
        Some(Timestamp::EPOCH.plus_seconds(i64::try_from(seconds).ok()?))
    });
    written.max()
}

fn clock(newest: Option<Timestamp>, before: &Reading, now: &Reading) -> Finding {
    let about = "clock";
    let shown = now.wall.rfc3339();
    if Timestamp::parse_rfc3339(MADE).is_some_and(|made| now.wall < made) {
        let says = format!("{shown} is before this release was made");
        return Finding::new(about, Grade::Bad, says).advise("set the clock");
    }
    if let Some(newest) = newest
        && newest.seconds_since(now.wall) > AHEAD_SECONDS_MAX
    {
        let says = format!("{shown}, and the data folder was written at {newest}: it went back");
        return Finding::new(about, Grade::Bad, says).advise("set the clock");
    }
    let by_wall = now.wall.unix_micros().saturating_sub(before.wall.unix_micros());
    let by_boot = i64::try_from(now.boot.0.saturating_sub(before.boot.0)).unwrap_or(i64::MAX);
    let moved = by_wall.saturating_sub(by_boot);
    if moved.abs() > MOVED_MICROS_MAX {
        let says = format!("{shown}, moved by {} ms against the time since boot", moved / 1_000);
        return Finding::new(about, Grade::Weak, says).advise(
            "let the time service slew, not step: past 5 s nothing is destroyed on schedule",
        );
    }
    Finding::good(about, shown)
}

fn time_service(runs: bool) -> Finding {
    let about = "time service";
    if runs {
        return Finding::good(about, "one runs");
    }
    Finding::new(about, Grade::Unknown, "no sign of systemd-timesyncd, chrony or ntpd")
        .advise("unless the host keeps the clock, run one: every event carries its time")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, boot: u64) -> Reading {
        let made = Timestamp::parse_rfc3339(MADE).unwrap();
        Reading { wall: made.plus_seconds(seconds), boot: MonotonicMicros(boot * 1_000_000) }
    }

    #[test]
    fn a_clock_that_cannot_be_right_is_bad_and_one_that_jumps_is_weak() {
        let grade = |newest, before, now| clock(newest, &before, &now).grade;
        assert_eq!(grade(None, at(10, 1), at(12, 3)), Grade::Good);
        assert_eq!(grade(None, at(-10, 1), at(-8, 3)), Grade::Bad);
        assert_eq!(grade(None, at(10, 1), at(14, 3)), Grade::Weak);
        assert_eq!(grade(None, at(14, 1), at(12, 3)), Grade::Weak);
        let written = |seconds| Some(at(seconds, 0).wall);
        assert_eq!(grade(written(17), at(10, 1), at(12, 3)), Grade::Good);
        assert_eq!(grade(written(18), at(10, 1), at(12, 3)), Grade::Bad);
        assert_eq!(time_service(false).grade, Grade::Unknown);
    }

    #[test]
    fn the_newest_file_tells_when_the_folder_was_written() {
        let folder = std::env::temp_dir().join(format!("lionrock-newest-{}", std::process::id()));
        assert_eq!(newest(&folder), None);
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(newest(&folder), None);
        std::fs::write(folder.join("a"), b"x").unwrap();
        assert!(
            newest(&folder).unwrap() > Timestamp::parse_rfc3339("2020-01-01T00:00:00Z").unwrap()
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
