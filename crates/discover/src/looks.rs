//! Looking into the objects of one partition, several at once, and reporting as it goes.
//!
//! The server and an agent do the same; what differs is the [`Desk`] to which they report. What
//! was seen is reported at the end, and every ten seconds before it: that renews the lease, and a
//! runner that dies costs no more than that.

use crate::lease::LEASE_SECONDS;
use crate::seams::Looking;
use crate::sources::{Object, Source, SourceError};
use extract::{Coverage, Inspection, Trouble, TroubleKind};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// Between two reports of one partition: three chances to renew a lease before it is over.
const REPORT_SECONDS: u64 = LEASE_SECONDS as u64 / 3;

/// What a look into the object at a place of a partition brought.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) place: u16,
    pub(crate) object: Object,
    pub(crate) inspection: Inspection,
}

/// Where a runner reports, and what tells it to wait or to stop.
pub(crate) trait Desk: Send + Sync {
    /// Why a report is not taken: the partition is not this runner's any more, or worse.
    type Error: Send;

    /// Takes a report; none of it counts when it fails.
    fn report(&self, looked: Vec<Looked>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Says that the runner is still at it.
    fn renew(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Ends when the runner has to stop.
    fn stopped(&self) -> impl Future<Output = ()> + Send;

    /// Microseconds that the runner is ahead of the rate at which it may read.
    fn ahead_micros(&self) -> u64;

    /// Counts bytes and objects for everybody who watches.
    fn tally(&self) -> Arc<dyn Tally>;
}

/// Counts what is done while it is done.
pub(crate) trait Tally: Send + Sync {
    /// So many more bytes were read.
    fn bytes_done(&self, bytes: u64);
    /// One more object is done.
    fn object_done(&self);
}

/// How a partition ended.
#[derive(Debug)]
pub(crate) enum Worked {
    /// All of it is reported.
    Done,
    /// The runner had to stop; what was seen and not reported counts for nothing.
    Stopped,
}

/// Eyes on one source.
#[derive(Clone)]
pub(crate) struct Looks {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) looking: Arc<dyn Looking>,
    pub(crate) at_once: usize,
}

impl Looks {
    /// Looks into each object and reports it.
    ///
    /// # Errors
    /// As the desk says; what was not reported counts for nothing.
    pub(crate) async fn work<D: Desk>(
        &self,
        objects: BTreeMap<u16, Object>,
        desk: &D,
    ) -> Result<Worked, D::Error> {
        let mut left = objects.clone();
        let mut waiting = objects.into_iter();
        let mut looked: Vec<Looked> = Vec::new();
        let mut looks: JoinSet<Looked> = JoinSet::new();
        let mut tick = tokio::time::interval(Duration::from_secs(REPORT_SECONDS));
        tick.tick().await;
        loop {
            while looks.len() < self.at_once.max(1)
                && let Some((place, object)) = waiting.next()
            {
                self.begin(&mut looks, place, object, desk.tally());
            }
            if looks.is_empty() {
                break;
            }
            tokio::select! {
                () = desk.stopped() => return Ok(Worked::Stopped),
                done = looks.join_next() => {
                    if let Some(Ok(one)) = done {
                        left.remove(&one.place);
                        looked.push(one);
                    }
                    if !wait(desk).await {
                        return Ok(Worked::Stopped);
                    }
                }
                _ = tick.tick() => match looked.is_empty() {
                    true => desk.renew().await?,
                    false => desk.report(std::mem::take(&mut looked)).await?,
                },
            }
        }
        // A look that ended without a word is told as what it is, so that nothing is lost.
        let lost = left.into_iter().map(|(place, object)| Looked {
            place,
            object,
            inspection: unread(TroubleKind::Killed, "the look into it ended"),
        });
        looked.extend(lost);
        desk.report(looked).await?;
        Ok(Worked::Done)
    }

    fn begin(
        &self,
        looks: &mut JoinSet<Looked>,
        place: u16,
        object: Object,
        tally: Arc<dyn Tally>,
    ) {
        let (source, looking) = (Arc::clone(&self.source), Arc::clone(&self.looking));
        looks.spawn(async move {
            let inspection = look(&*source, &*looking, &*tally, &object).await;
            tally.object_done();
            Looked { place, object, inspection }
        });
    }
}

/// Waits as long as the rate asks for; false when it was told to stop.
async fn wait<D: Desk>(desk: &D) -> bool {
    let ahead = desk.ahead_micros();
    if ahead == 0 {
        return true;
    }
    // A long wait is cut, so that the lease is renewed in between.
    let ahead = Duration::from_micros(ahead).min(Duration::from_secs(REPORT_SECONDS));
    tokio::select! {
        () = desk.stopped() => false,
        () = tokio::time::sleep(ahead) => true,
    }
}

/// Looks into one object; what the source cannot open comes back as a trouble.
async fn look(
    source: &dyn Source,
    looking: &dyn Looking,
    tally: &dyn Tally,
    object: &Object,
) -> Inspection {
    let opened = match source.open(object).await {
        Ok(opened) => opened,
        Err(cause) => return unopened(&cause),
    };
    let told = AtomicU64::new(0);
    let progress = |done: u64| {
        let before = told.fetch_max(done, Ordering::Relaxed);
        tally.bytes_done(done.saturating_sub(before));
    };
    let inspection = looking.look(opened, &progress).await;
    progress(inspection.bytes);
    inspection
}

fn unopened(cause: &SourceError) -> Inspection {
    let detail = match cause {
        // The name of the object is shown beside it, masked; the cause would repeat it.
        SourceError::Unreachable(_) => "its store cannot be reached",
        SourceError::Refused(_) => "its store refuses access",
        SourceError::Gone(_) => "it went while it was scanned",
        _ => "it cannot be read",
    };
    unread(TroubleKind::Unreadable, detail)
}

fn unread(kind: TroubleKind, detail: &str) -> Inspection {
    Inspection {
        format: extract::Format::Binary,
        bytes: 0,
        text_bytes: 0,
        coverage: Coverage::None,
        parts: Vec::new(),
        troubles: vec![Trouble { path: Vec::new(), kind, detail: detail.to_owned() }],
    }
}
