//! Where discovery meets what it stands on: who opens sources, and who looks into objects.
//!
//! In the product the opener is [`crate::sources`] and the inspector the sandboxed workers; tests
//! bring objects in memory.

use crate::detectors::Detector;
use crate::sources::{Opened, Pending, Source, SourceSetting};
use extract::Inspection;
use kernel::Secret;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Opens sources by their settings.
pub trait Opener: Send + Sync {
    /// The source of a setting, ready to list. Nothing is asked of a remote one before that.
    fn open<'a>(
        &'a self,
        setting: &'a SourceSetting,
        secret: Option<Secret<String>>,
    ) -> Pending<'a, Arc<dyn Source>>;
}

/// What a scan looks for.
#[derive(Clone)]
pub struct LookFor {
    /// Detectors of the bank's own.
    pub detectors: Vec<Detector>,
    /// The key of fingerprints and of exact values.
    pub fingerprint_key: [u8; 32],
    /// Values that somebody said are none.
    pub ignored: Vec<extract::Ignored>,
}

impl std::fmt::Debug for LookFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LookFor").field("detectors", &self.detectors.len()).finish_non_exhaustive()
    }
}

/// Why an inspector cannot be made ready.
pub type NotReady = Box<dyn std::error::Error + Send + Sync>;

/// An inspector on its way to being ready.
pub type Readying<'a> =
    Pin<Box<dyn Future<Output = Result<Arc<dyn Looking>, NotReady>> + Send + 'a>>;

/// Looks into opened objects.
pub trait Inspector: Send + Sync {
    /// Makes the detectors of one scan ready.
    ///
    /// # Errors
    /// When the detectors break a limit, or nobody can look.
    fn ready<'a>(&'a self, look_for: &'a LookFor) -> Readying<'a>;

    /// How many objects it looks into at once.
    fn at_once(&self) -> usize;
}

/// A look into one object on its way.
pub type Look<'a> = Pin<Box<dyn Future<Output = Inspection> + Send + 'a>>;

/// An inspector that is ready for the objects of one scan.
pub trait Looking: Send + Sync {
    /// Looks into an object. It never fails: what cannot be read comes back as an inspection that
    /// says so. `progress` is told the bytes done so far.
    fn look<'a>(&'a self, opened: Opened, progress: &'a (dyn Fn(u64) + Send + Sync)) -> Look<'a>;
}

/// Opens sources as [`crate::sources`] does.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenSources;

impl Opener for OpenSources {
    fn open<'a>(
        &'a self,
        setting: &'a SourceSetting,
        secret: Option<Secret<String>>,
    ) -> Pending<'a, Arc<dyn Source>> {
        Box::pin(async move { Ok(Arc::from(crate::sources::open(setting, secret).await?)) })
    }
}
