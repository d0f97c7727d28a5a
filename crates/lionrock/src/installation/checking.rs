//! Checks on a schedule, and the keys told to the inventory before them and after changes.
//!
//! A task of its own looks once a minute. It runs the checks when they are due: the interval after
//! the last run, whoever asked for that one, so a start after a long stop runs them at once. Before
//! anybody has an account there is nothing to check and nobody to read it. A run is the system's
//! own act, permitted by the gate and recorded like everybody's.

use crate::evidence::publishing::{PublishError, publish_keys};
use comply::ComplyError;
use kernel::{Caller, DomainId, MonotonicMicros, Refusal, Resource, ResourceKind, actions};
use rest::Rooms;
use std::sync::Arc;
use std::time::Duration;
use store::Stamp;
use tokio::sync::watch;

/// How often it is asked whether something is due.
const LOOK: Duration = Duration::from_secs(60);
/// Microseconds after a run that failed before the next attempt: a quarter of an hour.
const RETRY_MICROS: u64 = 15 * 60 * 1_000_000;

/// Why a run did not happen.
#[derive(Debug, thiserror::Error)]
enum RunError {
    /// The gate refused.
    #[error("the gate refused: {}", .0.code)]
    Refused(Refusal),
    /// The run failed.
    #[error(transparent)]
    Comply(#[from] ComplyError),
    /// Keys were not told.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The thread is gone.
    #[error("the work did not end")]
    Interrupted,
}

/// What was done last.
#[derive(Default)]
struct Done {
    told: Option<Stamp>,
    /// By the machine's own count: a clock set back must not keep the checks waiting.
    not_before: Option<MonotonicMicros>,
}

/// Looks until told to stop.
pub(super) async fn keep_checking(rooms: Arc<Rooms>, mut stopped: watch::Receiver<bool>) {
    let mut minutes = tokio::time::interval(LOOK);
    minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut done = Done::default();
    loop {
        let stop = async {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        tokio::select! {
            () = stop => return,
            _ = minutes.tick() => look(&rooms, &mut done).await,
        }
    }
}

async fn look(rooms: &Arc<Rooms>, done: &mut Done) {
    // Taken before the keys are read: what changes meanwhile is told the next time.
    let stamp = rooms.keys.stamp();
    if done.told != Some(stamp) {
        match aside(rooms, |rooms| async move { tell_keys(&rooms).await }).await {
            Ok(()) => done.told = Some(stamp),
            Err(cause) => tracing::warn!(%cause, "the keys could not be told to the inventory"),
        }
    }
    let now = rooms.clock.wall();
    let due = match rooms.comply.compliance.schedule() {
        Ok(schedule) => schedule.is_some_and(|schedule| schedule.is_due(now)),
        Err(cause) => {
            tracing::warn!(%cause, "the last run of the checks could not be read");
            false
        }
    };
    let counted = rooms.clock.monotonic();
    let waits = done.not_before.is_some_and(|until| counted < until);
    if !due || waits || !rooms.access.has_enrolled() {
        return;
    }
    match aside(rooms, |rooms| async move { run(&rooms).await }).await {
        Ok(()) => {
            done.not_before = None;
            tracing::info!("the checks ran on schedule");
        }
        Err(cause) => {
            let retry = counted.0.saturating_add(RETRY_MICROS);
            done.not_before = Some(MonotonicMicros(retry));
            tracing::warn!(%cause, "the checks that are due did not run");
        }
    }
}

/// Long work, off the threads that serve connections.
async fn aside<F, Fut>(rooms: &Arc<Rooms>, work: F) -> Result<(), RunError>
where
    F: FnOnce(Arc<Rooms>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), RunError>>,
{
    let (rooms, runtime) = (Arc::clone(rooms), tokio::runtime::Handle::current());
    let worked = tokio::task::spawn_blocking(move || runtime.block_on(work(rooms))).await;
    worked.unwrap_or(Err(RunError::Interrupted))
}

async fn tell_keys(rooms: &Rooms) -> Result<(), RunError> {
    Ok(publish_keys(&rooms.inventory, &rooms.keys, &[]).await?)
}

async fn run(rooms: &Rooms) -> Result<(), RunError> {
    let (wall, now) = (rooms.clock.wall(), rooms.clock.monotonic());
    let caller = Arc::new(Caller::system("check-schedule", wall, now));
    let all = Resource::all(ResourceKind::Requirement, DomainId::SYSTEM);
    let permit = rooms.gate.permit::<actions::CheckRun>(&caller, all).map_err(RunError::Refused)?;
    rooms.comply.compliance.run_checks(permit, None).await?;
    Ok(())
}
