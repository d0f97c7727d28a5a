//! The workers of a server: so many at once, each replaced when it is no longer good.

use super::bounded::{killed, unreadable};
use super::sandbox::Layers;
use super::worker::{Handed, Worker};
use super::{Instructions, PlainSpan, WorkError, WorkerOptions};
use crate::Opened;
use extract::{Coverage, Inspection};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// An object whose worker ended is given to this many workers in all: somebody else may have ended
/// the first.
const ATTEMPTS_MAX: u32 = 2;

/// Workers that inspect objects. Dropped, all of them end.
#[derive(Debug)]
pub struct Workers {
    options: WorkerOptions,
    free: Semaphore,
    idle: Mutex<Vec<Worker>>,
}

impl Workers {
    /// Starts the first worker, so that a machine on which none can work is known now; the others
    /// start when they are needed.
    ///
    /// # Errors
    /// When a worker does not start, or cannot enter its sandbox.
    pub async fn start(mut options: WorkerOptions) -> Result<Self, WorkError> {
        if options.workers == 0 {
            return Err(WorkError::Nobody);
        }
        // Workers start in the root folder.
        options.program = std::path::absolute(&options.program).map_err(WorkError::Start)?;
        // Whatever this process inherited from its own starter is not for its workers.
        close_fds::set_fds_cloexec_threadsafe(3, &[]);
        let first = Worker::start(&options).await?;
        let free = Semaphore::new(options.workers.min(Semaphore::MAX_PERMITS));
        Ok(Self { options, free, idle: Mutex::new(vec![first]) })
    }

    /// The layers of the sandbox of a worker that is idle now, or of a new one.
    ///
    /// # Errors
    /// When none starts.
    pub async fn layers(&self) -> Result<Layers, WorkError> {
        if let Some(worker) = self.lock().last() {
            return Ok(worker.layers);
        }
        Ok(Worker::start(&self.options).await?.layers)
    }

    /// The processes that wait for an object now.
    #[must_use]
    pub fn idle_processes(&self) -> Vec<u32> {
        self.lock().iter().filter_map(Worker::process_id).collect()
    }

    /// Has an object inspected within a deadline; `progress` is told the bytes done so far.
    /// Dropping the future ends the work. It never fails: an object that cannot be handed on, that
    /// ends its worker or outlasts its deadline comes back as an inspection that says so.
    pub async fn inspect(
        &self,
        opened: Opened,
        instructions: &Instructions,
        deadline: Duration,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Inspection {
        let handed = match Handed::of(opened) {
            Ok(handed) => handed,
            Err(error) => return unreadable(&error.to_string()),
        };
        let Ok(_turn) = self.free.acquire().await else {
            return killed("the workers have ended");
        };
        let attempts = self.attempts(&handed, instructions, progress);
        let mut inspection = match tokio::time::timeout(deadline, attempts).await {
            Ok(inspection) => inspection,
            Err(_) => killed("not done before its deadline"),
        };
        if handed.sampled && inspection.coverage == Coverage::Whole {
            inspection.coverage = Coverage::Part;
        }
        inspection
    }

    /// The hits of a plain text by their places, told by instructions of that kind; and an
    /// inspection that says what could not be read, as [`Workers::inspect`] does.
    pub async fn places(
        &self,
        opened: Opened,
        instructions: &Instructions,
        deadline: Duration,
    ) -> (Vec<PlainSpan>, Inspection) {
        let handed = match Handed::of(opened) {
            Ok(handed) => handed,
            Err(error) => return (Vec::new(), unreadable(&error.to_string())),
        };
        let Ok(_turn) = self.free.acquire().await else {
            return (Vec::new(), killed("the workers have ended"));
        };
        let mut places = Vec::new();
        let attempt = self.attempt(&handed, instructions, &|_| {}, Some(&mut places));
        let inspection = match tokio::time::timeout(deadline, attempt).await {
            Ok(Ok(inspection)) => inspection,
            Ok(Err(error)) => killed(&error.to_string()),
            Err(_) => killed("not done before its deadline"),
        };
        (places, inspection)
    }

    async fn attempts(
        &self,
        handed: &Handed,
        instructions: &Instructions,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Inspection {
        let mut attempt = 1;
        loop {
            match self.attempt(handed, instructions, progress, None).await {
                Ok(inspection) => return inspection,
                Err(WorkError::Silent | WorkError::Socket(_)) if attempt < ATTEMPTS_MAX => {
                    attempt += 1;
                }
                Err(WorkError::Silent | WorkError::Socket(_)) => {
                    return killed("two workers ended over it");
                }
                Err(error) => return killed(&error.to_string()),
            }
        }
    }

    /// One worker, one try. Only a worker that answered is kept.
    async fn attempt(
        &self,
        handed: &Handed,
        instructions: &Instructions,
        progress: &(dyn Fn(u64) + Send + Sync),
        places: Option<&mut Vec<PlainSpan>>,
    ) -> Result<Inspection, WorkError> {
        let idle = self.lock().pop();
        let mut worker = match idle.filter(|worker| worker.is_good_for_another(&self.options)) {
            Some(worker) => worker,
            None => Worker::start(&self.options).await?,
        };
        let inspection = worker.inspect(handed, instructions, progress, places).await?;
        self.lock().push(worker);
        Ok(inspection)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        // A list of idle workers is whole at every moment, whoever panicked while holding it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
