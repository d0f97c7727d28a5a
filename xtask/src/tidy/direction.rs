//! Which room may use which, read from the manifests; and which outside crates each may see.

use super::Finding;
use super::tree::File;
use std::collections::{BTreeMap, BTreeSet};

/// The floors of the house, lowest first: a room may use rooms of lower floors only.
const FLOORS: &[&[&str]] = &[
    &["kernel"],
    &["wire", "detect", "documents", "strongroom"],
    &["store", "extract"],
    &["audit"],
    &["access", "inventory"],
    &["keys"],
    &["clouds", "protect", "guard", "discover", "watch", "gateway", "registers"],
    &["comply", "backup"],
    &["rest", "console", "kmip", "vault", "hyok"],
    &["lionrock"],
    // For tests: nothing that ships may stand on it.
    &["footing"],
];

/// Outside crates that only one room may see, and the reason.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("cedar-policy", &["access"]),
    ("argon2", &["strongroom"]),
    ("rusqlite", &["store", "extract"]),
    ("cel", &["comply"]),
    ("rust_xlsxwriter", &["documents"]),
];

/// A room and what its manifest asks for.
struct Room {
    path: String,
    name: String,
    uses: Vec<String>,
}

/// Checks the manifests of all rooms, and that ARCHITECTURE.md knows every outside crate.
pub(crate) fn check(tree: &[File]) -> Vec<Finding> {
    let rooms: Vec<Room> = tree.iter().filter_map(room).collect();
    let ours: BTreeSet<&str> = rooms.iter().map(|r| r.name.as_str()).collect();
    let mut found: Vec<Finding> = rooms.iter().flat_map(|room| check_room(room, &ours)).collect();
    found.extend(unexplained(tree, &rooms, &ours));
    found
}

fn room(file: &File) -> Option<Room> {
    if !file.path.starts_with("crates/") || !file.path.ends_with("/Cargo.toml") {
        return None;
    }
    let manifest: toml::Table = file.text.as_deref()?.parse().ok()?;
    let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
    let uses = manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default();
    Some(Room { path: file.path.clone(), name, uses })
}

fn check_room(room: &Room, ours: &BTreeSet<&str>) -> Vec<Finding> {
    let floors: BTreeMap<&str, usize> =
        FLOORS.iter().enumerate().flat_map(|(i, f)| f.iter().map(move |n| (*n, i))).collect();
    let Some(here) = floors.get(room.name.as_str()) else {
        return vec![Finding::new(&room.path, "stands on no floor: see FLOORS in tidy")];
    };
    let mut found = Vec::new();
    for used in &room.uses {
        if ours.contains(used.as_str())
            && floors.get(used.as_str()).is_none_or(|there| there >= here)
        {
            found.push(Finding::new(&room.path, format!("may not use `{used}`: it is not below")));
        }
        let only = ONLY_IN.iter().find(|(name, _)| name == used);
        if only.is_some_and(|(_, rooms)| !rooms.contains(&room.name.as_str())) {
            found.push(Finding::new(&room.path, format!("may not see `{used}`: one room does")));
        }
    }
    found
}

fn unexplained(tree: &[File], rooms: &[Room], ours: &BTreeSet<&str>) -> Vec<Finding> {
    let page = tree.iter().find(|f| f.path == "ARCHITECTURE.md");
    let text = page.and_then(|f| f.text.as_deref()).unwrap_or_default();
    let used: BTreeSet<&str> =
        rooms.iter().flat_map(|r| r.uses.iter().map(String::as_str)).collect();
    used.difference(ours)
        .filter(|name| !text.contains(&format!("`{name}`")))
        .map(|name| Finding::new("ARCHITECTURE.md", format!("has no line for the crate `{name}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(path: &str, name: &str, uses: &str) -> File {
        File::of(path, &format!("[package]\nname = \"{name}\"\n[dependencies]\n{uses}\n"))
    }

    #[test]
    fn an_arrow_that_runs_up_is_found() {
        let tree = [
            manifest("crates/store/Cargo.toml", "store", "kernel = {}\nkeys = {}"),
            manifest("crates/keys/Cargo.toml", "keys", "store = {}"),
            manifest("crates/kernel/Cargo.toml", "kernel", ""),
        ];
        let found = check(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.contains("may not use `keys`"));
    }

    #[test]
    fn nothing_that_ships_stands_on_what_is_for_tests() {
        let tree = [
            manifest("crates/lionrock/Cargo.toml", "lionrock", "footing = {}"),
            manifest("crates/footing/Cargo.toml", "footing", ""),
        ];
        let found = check(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.contains("may not use `footing`"));
    }

    #[test]
    fn a_crate_without_its_line_and_one_out_of_its_room_are_found() {
        let tree = [
            manifest("crates/keys/Cargo.toml", "keys", "rusqlite = {}\nserde = {}"),
            File::of("ARCHITECTURE.md", "`serde` for records"),
        ];
        let whats: Vec<String> = check(&tree).into_iter().map(|f| f.what).collect();
        assert!(whats.iter().any(|w| w.contains("may not see `rusqlite`")), "{whats:?}");
        assert!(whats.iter().any(|w| w.contains("no line for the crate `rusqlite`")), "{whats:?}");
        assert_eq!(whats.len(), 2);
    }
}
