//! A source as it is kept: where to look, how often, how gently, and whose it is.

use crate::sources::SourceSetting;
use inventory::AssetRef;
use kernel::{DomainId, Name, Principal, SourceId, Timestamp};
use serde::{Deserialize, Serialize};

/// Shortest time between two scheduled scans, in minutes: a scan of everything is no monitoring.
pub const EVERY_MINUTES_MIN: u32 = 15;
/// Longest time between two scheduled scans, in minutes: a year.
pub const EVERY_MINUTES_MAX: u32 = 366 * 24 * 60;
/// Slowest throttle, in bytes a second: slower than this a scan of a terabyte takes years.
pub const THROTTLE_BYTES_MIN: u64 = 16 * 1024;

/// What a person says about a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    /// Its name, unique in its key domain.
    pub name: Name,
    /// Where it is and how it is reached.
    pub setting: SourceSetting,
    /// The classification profile; the default when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Scans it every so many minutes; by hand only when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_minutes: Option<u32>,
    /// Reads no more than so many bytes a second, over all workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<u64>,
    /// Whose data it is, as people say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Name>,
    /// The asset that it is in the inventory; one of its own when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<AssetRef>,
    /// The provider in the table of regions: `aws`, `on-premises`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Name>,
    /// The provider's region, or on premises the place (`HK`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Name>,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Its identifier.
    pub id: SourceId,
    /// The key domain it belongs to.
    pub domain: DomainId,
    /// Its name.
    pub name: Name,
    /// Where it is and how it is reached.
    pub setting: SourceSetting,
    /// The classification profile; the default when none is named.
    pub profile: Option<String>,
    /// Scans it every so many minutes.
    pub every_minutes: Option<u32>,
    /// Reads no more than so many bytes a second.
    pub bytes_per_second: Option<u64>,
    /// Whose data it is.
    pub owner: Option<Name>,
    /// The asset that it is in the inventory.
    pub asset: AssetRef,
    /// The provider in the table of regions.
    pub provider: Option<Name>,
    /// The provider's region, or on premises the place.
    pub region: Option<Name>,
    /// When it was added.
    pub added_at: Timestamp,
    /// By whom.
    pub added_by: Principal,
    /// How many passes over it have begun.
    pub passes: u32,
    /// When the newest pass began.
    pub scanned_at: Option<Timestamp>,
    /// How often it was edited.
    #[serde(default)]
    pub edits: u32,
}

impl SourceRecord {
    /// When its next scan is due by its schedule; `None` without one.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        let every = i64::from(self.every_minutes?) * 60;
        Some(self.scanned_at.map_or(self.added_at, |at| at.plus_seconds(every)))
    }

    /// Where it lies, by its own words and the table of regions.
    #[must_use]
    pub fn place(&self, regions: &inventory::Regions) -> inventory::Place {
        let text = |name: &Option<Name>| name.as_ref().map_or("", Name::as_str).to_owned();
        let (provider, region) = (text(&self.provider), text(&self.region));
        if provider == "on-premises" {
            let attributes = crate::publish::attributes([
                ("provider", provider.as_str().into()),
                ("place", region.as_str().into()),
            ]);
            return attributes.map_or(inventory::Place::Unknown, |a| regions.place_of(&a));
        }
        regions.place(&provider, &region)
    }
}
