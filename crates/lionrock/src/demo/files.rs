//! The sample files: laid out as they would lie in four clouds and on premises, looked at by the
//! detectors, and described to the inventory by what was found.

use detect::{Confidence, Kind, scan};
use kernel::Name;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// One sample file: its asset in the sample inventory, its place, its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampleFile {
    /// The reference of its asset, of kind `file-set`.
    pub reference: &'static str,
    /// Its path below the folder of the sample.
    pub path: &'static str,
    bytes: &'static [u8],
}

macro_rules! sample_files {
    ($($reference:literal = $path:literal),* $(,)?) => {
        /// Every sample file.
        pub(super) const SAMPLE_FILES: &[SampleFile] = &[$(SampleFile {
            reference: $reference,
            path: $path,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/files/", $path)),
        }),*];
    };
}

sample_files! {
    "core-ledger" = "on-premises/core-ledger/customers.csv",
    "statements" = "aws-hong-kong/statements/letters-2026-10.txt",
    "loans" = "azure-east-asia/loans/applications.jsonl",
    "deals" = "google-hong-kong/treasury/deals.csv",
    "rates" = "google-hong-kong/treasury/rates.csv",
    "campaigns" = "alibaba-hong-kong/marketing/campaigns.csv",
    "analytics-copy" = "aws-singapore/analytics/customers-copy.csv",
}

/// The sample bank's inventory, before anybody looked into the files.
pub(super) const INVENTORY: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/inventory.yaml"));

/// What lies in a file, by what the detectors found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// `restricted` with identity or card numbers, `confidential` with accounts or addresses, else
    /// `internal`.
    pub class: &'static str,
    /// How many sure hits of each kind.
    pub counts: BTreeMap<&'static str, usize>,
}

/// Writes the sample files below a folder and gives their paths.
///
/// # Errors
/// When the disk refuses.
pub(super) fn lay_out(folder: &Path) -> io::Result<Vec<(SampleFile, PathBuf)>> {
    SAMPLE_FILES
        .iter()
        .map(|file| {
            let path = folder.join(file.path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&path, file.bytes)?;
            Ok((*file, path))
        })
        .collect()
}

/// Looks into a file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn look(path: &Path) -> io::Result<Found> {
    let text = std::fs::read(path)?;
    let mut counts = BTreeMap::new();
    for hit in scan(&text).into_iter().filter(|hit| hit.confidence == Confidence::Sure) {
        *counts.entry(hit.kind.word()).or_default() += 1;
    }
    let has = |kinds: &[Kind]| kinds.iter().any(|kind| counts.contains_key(kind.word()));
    let class = if has(&[Kind::HongKongIdentityCard, Kind::MainlandIdentity, Kind::PaymentCard]) {
        "restricted"
    } else if has(&[Kind::Iban, Kind::Email]) {
        "confidential"
    } else {
        "internal"
    };
    Ok(Found { class, counts })
}

/// The inventory with what was found in each file.
#[must_use]
pub(super) fn inventory(found: &BTreeMap<&str, Found>) -> String {
    let describe = |line: &str| {
        let file = line.strip_prefix("- {kind: file-set, reference: ")?;
        let (reference, _) = file.split_once(',')?;
        let Found { class, counts } = found.get(reference)?;
        let identities = counts.get(Kind::HongKongIdentityCard.word()).copied().unwrap_or(0);
        let known = format!("{{data-class: \"{class}\", identity-cards: {identities}, ");
        Some(line.replacen("attributes: {", &format!("attributes: {known}"), 1))
    };
    INVENTORY.lines().map(|l| describe(l).unwrap_or_else(|| l.to_owned()) + "\n").collect()
}

/// The name under which the inventory is imported.
///
/// # Errors
/// Never; the text is a name.
pub(super) fn source() -> Result<Name, kernel::LabelError> {
    "sample inventory".parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detectors_say_what_lies_where() {
        let folder = std::env::temp_dir().join(format!("lionrock-demo-{}", std::process::id()));
        let files = lay_out(&folder).unwrap();
        let found: BTreeMap<&str, Found> =
            files.iter().map(|(file, path)| (file.reference, look(path).unwrap())).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found["core-ledger"].counts["hk-identity-card"], 600);
        assert_eq!(found["analytics-copy"], found["core-ledger"]);
        assert_eq!(found["rates"].class, "internal");
        assert_eq!(found["deals"].class, "confidential");
        let text = inventory(&found);
        assert!(text.contains("reference: analytics-copy"));
        assert_eq!(text.matches("data-class: \"restricted\"").count(), 4);
        let reading = inventory::import::read(
            inventory::import::Format::Yaml,
            text.as_bytes(),
            kernel::DomainId::SYSTEM,
        );
        assert_eq!((reading.assets.len(), reading.rejected.len()), (42, 0));
    }
}
