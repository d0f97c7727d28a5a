//! What happens by itself: every second and every minute, each task owned by whoever opened the
//! rooms.

use super::checking::keep_checking;
use super::outlets::Outlets;
use kernel::{Caller, DomainId, Scope, actions};
use rest::Rooms;
use std::sync::Arc;
use std::time::Duration;
use strongroom::Strongroom;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often refusals are summed up, idle keys let go, counters written, and what is due is done.
const MINUTE: Duration = Duration::from_secs(60);

/// How often the anchor catches up with commits that came too close together to write each.
const SECOND: Duration = Duration::from_secs(1);

/// The running schedules.
#[derive(Debug)]
pub(super) struct Schedules {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Schedules {
    /// Begins.
    pub(super) fn begin(rooms: Arc<Rooms>, room: Strongroom, outlets: Outlets) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        outlets.begin(&mut tasks, &stopped);
        tasks.spawn(keep_checking(Arc::clone(&rooms), stopped.clone()));
        tasks.spawn(async move {
            let mut seconds = tokio::time::interval(SECOND);
            seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut minutes = tokio::time::interval(MINUTE);
            minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                let told = async {
                    let _ = stopped.wait_for(|stop| *stop).await;
                };
                tokio::select! {
                    () = told => return,
                    _ = seconds.tick() => rooms.log.refresh_anchor(),
                    _ = minutes.tick() => every_minute(&rooms, &room).await,
                }
            }
        });
        Self { stop, tasks }
    }

    /// Ends after what is under way.
    pub(super) async fn end(self) {
        let _ = self.stop.send(true);
        let mut tasks = self.tasks;
        while let Some(ended) = tasks.join_next().await {
            if ended.is_err() {
                tracing::error!("a schedule ended badly");
            }
        }
    }
}

/// What is due each minute: refusals summed up, counters written, idle keys let go, waiting
/// destructions carried out, rotations and scans begun.
pub(super) async fn every_minute(rooms: &Rooms, room: &Strongroom) {
    rooms.access.tell_refusals(false);
    room.expire_idle_keys();
    if let Err(cause) = rooms.keys.flush_usage().await {
        tracing::warn!(%cause, "usage counters could not be written");
    }
    if room.is_sealed() {
        return;
    }
    match rooms.keys.sweep().await {
        Ok(sweep) => {
            for key in &sweep.destroyed {
                tracing::info!(%key, "a key was destroyed after its waiting period");
            }
            for (key, cause) in &sweep.failed {
                tracing::warn!(%key, %cause, "a key that is due could not be destroyed");
            }
            if sweep.clock_diverged_at.is_some() {
                tracing::warn!("the clocks disagree: nothing is destroyed until that is confirmed");
            }
        }
        Err(cause) => tracing::warn!(%cause, "waiting destructions could not be looked at"),
    }
    rotate_due(rooms).await;
    scan_due(rooms).await;
}

/// Begins every scan that is due by the schedule of its source, each under a permit of its own.
async fn scan_due(rooms: &Rooms) {
    let due = match rooms.discover.due() {
        Ok(due) => due,
        Err(cause) => {
            tracing::warn!(%cause, "scans that are due could not be looked for");
            return;
        }
    };
    let (wall, now) = (rooms.clock.wall(), rooms.clock.monotonic());
    let caller = Arc::new(Caller::system("scan-schedule", wall, now));
    for source in due {
        let begun = async {
            let resource = rooms.discover.source_resource(source, DomainId::SYSTEM)?;
            let permit = rooms.gate.permit::<actions::DataScan>(&caller, resource)?;
            Ok::<_, kernel::Problem>(rooms.discover.start_scan(permit).await?)
        };
        match begun.await {
            Ok(scan) => tracing::info!(%source, scan = %scan.id, "a scan began on schedule"),
            Err(cause) => tracing::warn!(%source, %cause, "a due scan did not begin"),
        }
    }
}

/// Rotates every key whose rotation is due, each under a permit of its own.
async fn rotate_due(rooms: &Rooms) {
    let keys = rooms.keys.clone();
    let due = tokio::task::spawn_blocking(move || keys.due(&Scope::All)).await;
    let Ok(Ok(due)) = due else {
        tracing::warn!("rotations that are due could not be looked for");
        return;
    };
    let (wall, now) = (rooms.clock.wall(), rooms.clock.monotonic());
    let caller = Arc::new(Caller::system("rotation-schedule", wall, now));
    for one in due {
        let resource = match rooms.keys.resource(one.key, DomainId::SYSTEM) {
            Ok(resource) => resource,
            Err(cause) => {
                tracing::warn!(key = %one.key, %cause, "a due rotation did not happen");
                continue;
            }
        };
        match rooms.gate.permit::<actions::KeyRotate>(&caller, resource) {
            Err(refusal) => {
                tracing::warn!(key = %one.key, code = %refusal.code, "a rotation was refused");
            }
            Ok(permit) => match rooms.keys.rotate(permit, None).await {
                Ok(_) => tracing::info!(key = %one.key, "a key was rotated on schedule"),
                Err(cause) => {
                    tracing::warn!(key = %one.key, %cause, "a due rotation did not happen");
                }
            },
        }
    }
}
