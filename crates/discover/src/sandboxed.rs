//! The inspector of the product: objects go to workers in their sandbox.

use crate::detectors::DetectorRule;
use crate::seams::{Inspector, Look, LookFor, Looking, NotReady};
use crate::sources::Opened;
use crate::work::{Instructions, Workers};
use extract::{CustomRule, CustomSpec, Key, Limits, Settings};
use std::sync::Arc;
use std::time::Duration;

/// How long one object may take: the largest that the limits allow, on a slow disk.
const OBJECT_SECONDS_MAX: u64 = 1_800;

/// Workers in their sandbox, as the inspector of scans.
#[derive(Debug, Clone)]
pub struct Sandboxed {
    workers: Arc<Workers>,
    at_once: usize,
}

impl Sandboxed {
    /// These workers, of which so many work at once.
    #[must_use]
    pub const fn new(workers: Arc<Workers>, at_once: usize) -> Self {
        Self { workers, at_once }
    }
}

impl Inspector for Sandboxed {
    fn ready(&self, look_for: &LookFor) -> Result<Arc<dyn Looking>, NotReady> {
        let key = look_for.fingerprint_key;
        let mut settings = Settings::everything(key);
        settings.customs = look_for
            .detectors
            .iter()
            .map(|detector| CustomSpec {
                number: detector.number,
                rule: match &detector.rule {
                    DetectorRule::Dictionary(words) => {
                        CustomRule::Dictionary { words: words.clone() }
                    }
                    DetectorRule::Pattern(pattern) => {
                        CustomRule::Pattern { pattern: pattern.clone() }
                    }
                    DetectorRule::Exact(hashes) => {
                        CustomRule::Exact { key: Key::new(key), hashes: hashes.clone() }
                    }
                },
            })
            .collect();
        let instructions = Instructions::of(&(settings, Limits::default()))?;
        Ok(Arc::new(Ready { workers: Arc::clone(&self.workers), instructions }))
    }

    fn at_once(&self) -> usize {
        self.at_once
    }
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
