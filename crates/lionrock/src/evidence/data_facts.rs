//! Sources of data as facts: scanned when, holding what, under whose key, decided by whom.

use comply::{Fact, FactSource, SourceFailure};
use discover::{Discover, SourceReading};
use inventory::{AssetKind, Inventory, KeyControlMap, KnownBy, Place, Regions, Snapshot};
use kernel::actions::CheckRun;
use kernel::{Permit, Timestamp};
use std::sync::{Arc, OnceLock};

pub(super) struct DataFacts {
    /// Opened after the checks are: it stands on more.
    pub(super) discover: Arc<OnceLock<Discover>>,
    pub(super) inventory: Inventory,
}

impl FactSource for DataFacts {
    fn kinds(&self) -> &[&'static str] {
        &["scanned-store"]
    }

    fn facts(&self, permit: &Permit<CheckRun>, now: Timestamp) -> Result<Vec<Fact>, SourceFailure> {
        let discover = self.discover.get().ok_or(SourceFailure::Unavailable)?;
        let readings = discover.reading(permit).map_err(|_| SourceFailure::Unavailable)?;
        let snapshot = self.inventory.current().map_err(|_| SourceFailure::Unavailable)?;
        let regions = Regions::builtin().map_err(|_| SourceFailure::Unavailable)?;
        let map = inventory::key_control_map(&snapshot, &regions);
        Ok(readings.iter().map(|one| fact(one, &snapshot, &map, now)).collect())
    }
}

fn date(at: Option<Timestamp>) -> String {
    at.map(Timestamp::rfc3339).unwrap_or_default()
}

fn fact(one: &SourceReading, snapshot: &Snapshot, map: &KeyControlMap, now: Timestamp) -> Fact {
    Fact::new("scanned-store", one.source.to_string(), KnownBy::Observed, now)
        .with("name", one.name.as_str())
        .with("owner", one.owner.as_str())
        .with("class", one.class.map_or("", |class| class.word()))
        .with("place", one.place.word())
        .with("place_known", one.place != Place::Unknown)
        .with("own_key", own_key(one, snapshot, map))
        .with("arrangement", arrangement(one, snapshot))
        .with("scanned_at", date(one.scanned_at))
        .with("restricted", one.restricted)
        .with("restricted_public", one.restricted_public)
        .with("high_open", one.high_open)
        .with("high_open_since", date(one.high_open_since))
        .with("accepted", one.accepted)
        .with("lapsed", one.lapsed)
}

/// Whether a key of ours that holds lies over the asset, by the key control map.
fn own_key(one: &SourceReading, snapshot: &Snapshot, map: &KeyControlMap) -> bool {
    use inventory::Break;
    let Some(asset) = snapshot.find(&one.asset) else { return false };
    let row = map.rows.iter().find(|row| row.id == asset.id);
    row.is_some_and(|row| {
        row.keys.iter().any(|key| key.custody == "own")
            && !row.breaks.contains(&Break::KeyLost)
            && !row.breaks.contains(&Break::ProviderKey)
    })
}

/// Whether the register of arrangements has one with the source's provider.
fn arrangement(one: &SourceReading, snapshot: &Snapshot) -> bool {
    !one.provider.is_empty()
        && snapshot.assets().any(|asset| {
            asset.kind() == AssetKind::Arrangement
                && asset.attributes.text("provider") == Some(one.provider.as_str())
        })
}
