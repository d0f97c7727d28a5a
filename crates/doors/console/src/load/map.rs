//! The key control map as its page shows it.

use crate::desk::Desk;
use crate::elements::{State, Tone, counted};
use crate::frame::Source;
use crate::pages::map::{Map, Path};
use inventory::{Break, KeyControlMap, MapRow, Place, ProtectingKey, key_control_map};
use kernel::actions::AssetRead;
use kernel::{KeyId, Problem};

/// The map of what the caller may see.
pub(crate) fn read(desk: &Desk) -> Result<(Source, Map), Problem> {
    let snapshot = desk.rooms.inventory.read(desk.scope::<AssetRead>()?, None)?;
    let map = key_control_map(&snapshot, &desk.rooms.comply.data().regions);
    let page = |key: &ProtectingKey| {
        let id: KeyId = snapshot.asset(key.id)?.reference.name.as_str().parse().ok()?;
        Some(format!("/keys/{id}"))
    };
    let assets = counted(snapshot.assets().count() as u64, "asset", "assets");
    Ok((desk.live(format!("the inventory of {assets}")), view(&map, page)))
}

/// The view of the map. `key_page` tells the page of a key of ours.
pub(crate) fn view(
    map: &KeyControlMap,
    key_page: impl Fn(&ProtectingKey) -> Option<String>,
) -> Map {
    Map { paths: map.rows.iter().map(|row| path(row, &key_page)).collect() }
}

fn path(row: &MapRow, key_page: &impl Fn(&ProtectingKey) -> Option<String>) -> Path {
    let names = |empty: &str, names: Vec<&str>| {
        if names.is_empty() { empty.to_owned() } else { names.join(", ") }
    };
    let ours = row.keys.iter().filter(|key| key.custody == "own").find_map(key_page);
    Path {
        data: row.name.clone(),
        class: if row.class.is_empty() { "not classified".into() } else { row.class.clone() },
        store: if row.cloud.is_empty() { "provider unknown".into() } else { row.cloud.clone() },
        place: place(&row.place),
        key: names("no key", row.keys.iter().map(|key| key.name.as_str()).collect()),
        holder: holder(row),
        key_page: ours,
        readers: names("nobody listed", row.readers.iter().map(|r| r.name.as_str()).collect()),
        state: state(row),
        why: why(row),
    }
}

/// Where the data lies; a place that was only declared says so.
pub(crate) fn place(place: &Place) -> String {
    match place {
        Place::At { city, verified: true, .. } => city.clone(),
        Place::At { city, verified: false, .. } if city == "HK" => {
            String::from("Hong Kong, not verified")
        }
        Place::At { city, verified: false, .. } => format!("{city}, not verified"),
        Place::Unknown => String::from("place unknown"),
    }
}

fn holder(row: &MapRow) -> String {
    let word = |key: &ProtectingKey| match key.custody.as_str() {
        "own" => "our key",
        "provider" => "the provider's own key",
        _ => "nobody said whose key",
    };
    row.keys.first().map(word).unwrap_or_default().to_owned()
}

fn state(row: &MapRow) -> State {
    if row.is_broken() {
        State::new(Tone::Bad, "Broken")
    } else if row.unknown {
        State::new(Tone::Quiet, "Unknown")
    } else if row.is_sensitive() {
        State::new(Tone::Good, "Under our key")
    } else {
        State::new(Tone::Good, "Nothing sensitive")
    }
}

fn why(row: &MapRow) -> String {
    let mut parts: Vec<_> = row.breaks.iter().map(|b| Break::sentence(*b)).collect();
    if row.unknown && row.breaks.is_empty() {
        parts.push("its class or its place is not known");
    }
    parts.push(row.known_by.word());
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use inventory::{AssetKind, KnownBy, Reader};
    use kernel::{AssetId, Timestamp};

    fn row(breaks: Vec<Break>, class: &str, custody: &str) -> MapRow {
        let id = AssetId::from_bytes([1; 16]);
        MapRow {
            id,
            name: "Customer file".into(),
            kind: AssetKind::FileSet,
            class: class.into(),
            cloud: "aws".into(),
            place: Place::At { place: "SG".into(), city: "Singapore".into(), verified: true },
            keys: vec![ProtectingKey {
                id,
                name: "retail".into(),
                custody: custody.into(),
                state: "active".into(),
                root_kind: "software".into(),
                root_place: "HK".into(),
            }],
            readers: vec![Reader { name: "aws".into(), kind: AssetKind::Provider, implied: true }],
            unknown: class.is_empty(),
            breaks,
            known_by: KnownBy::Declared,
        }
    }

    fn one(row: MapRow) -> Path {
        let map = KeyControlMap { at: Timestamp::EPOCH, rows: vec![row] };
        view(&map, |_| Some("/keys/key_1".into())).paths.remove(0)
    }

    #[test]
    fn a_broken_path_says_every_reason_and_how_it_is_known() {
        let path =
            one(row(vec![Break::ProviderKey, Break::OutsideHongKong], "restricted", "provider"));
        assert_eq!(path.state, State::new(Tone::Bad, "Broken"));
        assert!(path.why.contains("the provider's own key; it must stay in Hong Kong"));
        assert!(path.why.ends_with("declared"));
        assert_eq!(path.key_page, None, "a provider's key has no page here");
    }

    #[test]
    fn what_nobody_knows_is_no_comfort() {
        assert_eq!(one(row(Vec::new(), "", "own")).state.tone, Tone::Quiet);
        assert_eq!(one(row(Vec::new(), "restricted", "own")).state.tone, Tone::Good);
    }
}
