//! The inspector of the product: objects go to workers in their sandbox.

use crate::detectors::DetectorRule;
use crate::seams::{Inspector, Look, LookFor, Looking, Readying};
use crate::sources::Opened;
use crate::work::{Instructions, WorkError, WorkerOptions, Workers};
use extract::{CustomRule, CustomSpec, Key, Limits, Settings};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long one object may take: the largest that the limits allow, on a slow disk.
const OBJECT_SECONDS_MAX: u64 = 1_800;

/// Workers in their sandbox, as the inspector of scans. The first starts with the first scan.
#[derive(Debug, Clone)]
pub struct Sandboxed {
    options: WorkerOptions,
    workers: Arc<OnceCell<Arc<Workers>>>,
}

impl Sandboxed {
    /// Workers of these options.
    #[must_use]
    pub fn new(options: WorkerOptions) -> Self {
        Self { options, workers: Arc::new(OnceCell::new()) }
    }

    async fn workers(&self) -> Result<Arc<Workers>, WorkError> {
        let start = || async { Ok(Arc::new(Workers::start(self.options.clone()).await?)) };
        self.workers.get_or_try_init(start).await.map(Arc::clone)
    }
}

impl Inspector for Sandboxed {
    fn ready<'a>(&'a self, look_for: &'a LookFor) -> Readying<'a> {
        Box::pin(async move {
            let instructions = instructions(look_for)?;
            let ready: Arc<dyn Looking> =
                Arc::new(Ready { workers: self.workers().await?, instructions });
            Ok(ready)
        })
    }

    fn at_once(&self) -> usize {
        self.options.workers
    }
}

/// What each worker is told: every detector of ours, those of the bank's own, the usual limits.
fn instructions(look_for: &LookFor) -> Result<Instructions, WorkError> {
    let key = look_for.fingerprint_key;
    let mut settings = Settings::everything(key);
    settings.ignored.clone_from(&look_for.ignored);
    settings.customs = look_for
        .detectors
        .iter()
        .map(|detector| CustomSpec {
            number: detector.number,
            rule: match &detector.rule {
                DetectorRule::Dictionary(words) => CustomRule::Dictionary { words: words.clone() },
                DetectorRule::Pattern(pattern) => CustomRule::Pattern { pattern: pattern.clone() },
                DetectorRule::Exact(hashes) => {
                    CustomRule::Exact { key: Key::new(key), hashes: hashes.clone() }
                }
            },
        })
        .collect();
    Instructions::of(&(settings, Limits::default()))
}

struct Ready {
    workers: Arc<Workers>,
    instructions: Instructions,
}

impl Looking for Ready {
    fn look<'a>(&'a self, opened: Opened, progress: &'a (dyn Fn(u64) + Send + Sync)) -> Look<'a> {
        let deadline = Duration::from_secs(OBJECT_SECONDS_MAX);
        Box::pin(self.workers.inspect(opened, &self.instructions, deadline, progress))
    }
}
