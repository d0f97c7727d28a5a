//! What discovery says of itself to the checks: each source with its scans, risks and decisions.

use crate::class::Class;
use crate::discover::Discover;
use crate::error::DiscoverError;
use crate::finding::{Finding, Standing};
use crate::risk::Level;
use inventory::{AssetRef, Place};
use kernel::actions::CheckRun;
use kernel::{Permit, SourceId, Timestamp};

/// One source as the checks see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReading {
    /// Which.
    pub source: SourceId,
    /// Its name.
    pub name: String,
    /// Whose data it is; empty when nobody said.
    pub owner: String,
    /// The asset that it is in the inventory.
    pub asset: AssetRef,
    /// The provider in the table of regions; empty when nobody said.
    pub provider: String,
    /// Where it lies.
    pub place: Place,
    /// The highest class among what is there.
    pub class: Option<Class>,
    /// When its last complete scan ended.
    pub scanned_at: Option<Timestamp>,
    /// Objects of class restricted or above that are there and readable as they are.
    pub restricted: u64,
    /// How many of those anybody can read.
    pub restricted_public: u64,
    /// Findings of high or critical risk on which nobody has decided or acted.
    pub high_open: u64,
    /// Since when the oldest of them is known.
    pub high_open_since: Option<Timestamp>,
    /// Findings whose risk was accepted until now or longer.
    pub accepted: u64,
    /// Findings whose risk was accepted until a day that is over.
    pub lapsed: u64,
}

impl Discover {
    /// Every source within the permit's scope as the checks see it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reading(&self, permit: &Permit<CheckRun>) -> Result<Vec<SourceReading>, DiscoverError> {
        let now = self.inner.clock.wall();
        let views = self.inner.sources_within(&permit.scope())?;
        let one = |view: crate::SourceView| {
            let text = |name: &Option<kernel::Name>| {
                name.as_ref().map_or_else(String::new, |name| name.as_str().to_owned())
            };
            let mut reading = SourceReading {
                source: view.source.id,
                name: view.source.name.as_str().to_owned(),
                owner: text(&view.source.owner),
                asset: view.source.asset.clone(),
                provider: text(&view.source.provider),
                place: view.place,
                class: view.summary.class(),
                scanned_at: view.summary.complete_at,
                restricted: 0,
                restricted_public: 0,
                high_open: 0,
                high_open_since: None,
                accepted: 0,
                lapsed: 0,
            };
            self.inner.each_finding(view.source.id, |finding| reading.count(&finding, now))?;
            Ok(reading)
        };
        views.into_iter().map(one).collect()
    }
}

impl SourceReading {
    fn count(&mut self, finding: &Finding, now: Timestamp) {
        let standing = finding.standing();
        let readable = matches!(standing, Standing::Open | Standing::Accepted);
        if !readable {
            return;
        }
        if finding.class >= Class::Restricted {
            self.restricted += 1;
            self.restricted_public += u64::from(finding.exposure.public == Some(true));
        }
        match &finding.accepted {
            Some(accepted) if accepted.until <= now => self.lapsed += 1,
            Some(_) => self.accepted += 1,
            None if finding.risk.level() >= Level::High => {
                self.high_open += 1;
                let since = self
                    .high_open_since
                    .map_or(finding.first_seen, |oldest| oldest.min(finding.first_seen));
                self.high_open_since = Some(since);
            }
            None => {}
        }
    }
}
