//! The key control map: which sensitive data lies where, under whose key, readable by whom.
//!
//! Attributes that it reads, all text unless said: on data `data-class` (`secret`, `restricted`,
//! `confidential`, `internal`, `public`), `provider`, `region` (or `place` on premises),
//! `residency` (`HK` when it must stay), `geo-redundant` (yes/no); on keys `custody` (`own` or
//! `provider`), `state`, `root-kind`, `root-place`. Missing words count as unknown, never as good.

use crate::{AssetKind, AssetView, KnownBy, Place, Regions, RelationKind, Scalar, Snapshot};
use kernel::{AssetId, Timestamp};
use serde::Serialize;

const DATA_KINDS: [AssetKind; 4] =
    [AssetKind::DataStore, AssetKind::ColumnSet, AssetKind::FileSet, AssetKind::Backup];

/// One reason why the bank does not control a path to its data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Break {
    /// Sensitive data under no key at all.
    Unprotected,
    /// The only keys are the provider's own.
    ProviderKey,
    /// Every key of ours is compromised or destroyed.
    KeyLost,
    /// A provider is among the readers.
    ProviderReads,
    /// It must stay in Hong Kong and lies elsewhere.
    OutsideHongKong,
    /// It must stay in Hong Kong and its geo-redundant copies leave.
    CopiesLeave,
    /// It must stay in Hong Kong and nobody knows where it lies.
    PlaceUnknown,
}

impl Break {
    /// The reason as a sentence for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Unprotected => "no key protects it",
            Self::ProviderKey => "readable with the provider's own key",
            Self::KeyLost => "no protecting key of ours is usable and safe",
            Self::ProviderReads => "the provider is among its readers",
            Self::OutsideHongKong => "it must stay in Hong Kong and lies elsewhere",
            Self::CopiesLeave => "its geo-redundant copies leave Hong Kong",
            Self::PlaceUnknown => "it must stay in Hong Kong and its place is unknown",
        }
    }
}

/// A key that protects data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProtectingKey {
    /// The key's asset.
    pub id: AssetId,
    /// Its name.
    pub name: String,
    /// `own`, `provider`, or empty when nobody said.
    pub custody: String,
    /// Its state (SP 800-57), or empty.
    pub state: String,
    /// The kind of its root: `validated-hsm`, `unvalidated-token`, `software`, or empty.
    pub root_kind: String,
    /// The place of its root, or empty.
    pub root_place: String,
}

impl ProtectingKey {
    fn of(key: &AssetView) -> Self {
        let text = |word| key.attributes.text(word).unwrap_or_default().to_owned();
        Self {
            id: key.id,
            name: key.name.as_str().to_owned(),
            custody: text("custody"),
            state: text("state"),
            root_kind: text("root-kind"),
            root_place: text("root-place"),
        }
    }

    fn is_ours(&self) -> bool {
        self.custody == "own"
    }

    fn holds(&self) -> bool {
        self.is_ours()
            && !matches!(self.state.as_str(), "compromised" | "destroyed" | "destroyed-compromised")
    }
}

/// Somebody or something that can read the data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reader {
    /// For people.
    pub name: String,
    /// `identity`, `application`, `provider` …
    pub kind: AssetKind,
    /// Whether it follows from the key alone and nobody listed it.
    pub implied: bool,
}

/// One data set and the path of control over it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MapRow {
    /// The data's asset.
    pub id: AssetId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: AssetKind,
    /// Its class, or empty when it is not classified.
    pub class: String,
    /// The provider, `on-premises`, or empty.
    pub cloud: String,
    /// Where it lies.
    pub place: Place,
    /// The keys over it.
    pub keys: Vec<ProtectingKey>,
    /// Who reads it.
    pub readers: Vec<Reader>,
    /// Why the path is broken; empty when it is whole or when nobody can say.
    pub breaks: Vec<Break>,
    /// The class or the place is not known, so that the row is no comfort.
    pub unknown: bool,
    /// The weakest knowledge in this row.
    pub known_by: KnownBy,
}

impl MapRow {
    /// Whether the path is broken.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        !self.breaks.is_empty()
    }

    /// Whether the class is one that others must not read.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        is_sensitive(&self.class)
    }
}

/// The whole map at one instant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeyControlMap {
    /// As of when.
    pub at: Timestamp,
    /// Broken paths first, then unknown ones, then by sensitivity and name.
    pub rows: Vec<MapRow>,
}

impl KeyControlMap {
    /// How many paths are broken.
    #[must_use]
    pub fn broken(&self) -> usize {
        self.rows.iter().filter(|row| row.is_broken()).count()
    }
}

fn is_sensitive(class: &str) -> bool {
    matches!(class, "secret" | "restricted" | "confidential")
}

fn rank(class: &str) -> u8 {
    match class {
        "secret" | "restricted" => 0,
        "confidential" => 1,
        "" => 2,
        "internal" => 3,
        _ => 4,
    }
}

/// Draws the map from what is known.
#[must_use]
pub fn key_control_map(snapshot: &Snapshot, regions: &Regions) -> KeyControlMap {
    let data = snapshot.assets().filter(|asset| DATA_KINDS.contains(&asset.kind()));
    let mut rows: Vec<_> = data.map(|asset| row(snapshot, regions, asset)).collect();
    rows.sort_by(|a, b| {
        let order = |r: &MapRow| (!r.is_broken(), !r.unknown, rank(&r.class));
        order(a).cmp(&order(b)).then_with(|| a.name.cmp(&b.name)).then(a.id.cmp(&b.id))
    });
    KeyControlMap { at: snapshot.at(), rows }
}

fn row(snapshot: &Snapshot, regions: &Regions, data: &AssetView) -> MapRow {
    let text = |word| data.attributes.text(word).unwrap_or_default();
    let protecting: Vec<_> = snapshot.to(data.id, RelationKind::Protects).collect();
    let keys: Vec<_> = protecting.iter().map(|key| ProtectingKey::of(key)).collect();
    let place = regions.place_of(&data.attributes);
    let cloud = text("provider");
    let class = text("data-class");
    let mut readers: Vec<_> = snapshot
        .to(data.id, RelationKind::Reads)
        .map(|reader| Reader {
            name: reader.name.as_str().to_owned(),
            kind: reader.kind(),
            implied: false,
        })
        .collect();
    let held = keys.iter().any(ProtectingKey::holds);
    let in_cloud = !matches!(cloud, "" | "on-premises");
    if in_cloud && !held {
        readers.push(Reader { name: cloud.to_owned(), kind: AssetKind::Provider, implied: true });
    }
    let breaks = breaks(regions, data, &keys, &readers, &place);
    let relations = snapshot
        .relations()
        .filter(|r| r.key.to == data.id && r.key.kind == RelationKind::Protects)
        .map(|r| r.known_by);
    let known = protecting.iter().map(|key| key.known_by).chain(relations);
    MapRow {
        id: data.id,
        name: data.name.as_str().to_owned(),
        kind: data.kind(),
        class: class.to_owned(),
        cloud: cloud.to_owned(),
        unknown: class.is_empty() || place == Place::Unknown,
        place,
        keys,
        readers,
        breaks,
        known_by: known.fold(data.known_by, KnownBy::weaker),
    }
}

fn breaks(
    regions: &Regions,
    data: &AssetView,
    keys: &[ProtectingKey],
    readers: &[Reader],
    place: &Place,
) -> Vec<Break> {
    let text = |word| data.attributes.text(word).unwrap_or_default();
    let mut found = Vec::new();
    if is_sensitive(text("data-class")) {
        if keys.is_empty() {
            found.push(Break::Unprotected);
        } else if !keys.iter().any(ProtectingKey::holds) {
            let ours = keys.iter().any(ProtectingKey::is_ours);
            found.push(if ours { Break::KeyLost } else { Break::ProviderKey });
        }
        if readers.iter().any(|r| r.kind == AssetKind::Provider && !r.implied) {
            found.push(Break::ProviderReads);
        }
    }
    if text("residency") == "HK" {
        match place {
            Place::Unknown => found.push(Break::PlaceUnknown),
            at if !at.is_hong_kong() => found.push(Break::OutsideHongKong),
            _ => {}
        }
        let copies = data.attributes.get("geo-redundant") == Some(&Scalar::Boolean(true));
        let pair = regions.pair(text("provider"), text("region"));
        if copies && !pair.is_some_and(|at| at.is_hong_kong()) {
            found.push(Break::CopiesLeave);
        }
    }
    found
}
