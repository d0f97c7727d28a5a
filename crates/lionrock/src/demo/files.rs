//! The sample files: laid out as they would lie in four clouds and on premises. What is in them is
//! for a scan to find.

use kernel::Name;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// One sample file: its asset in the sample inventory, its place, its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampleFile {
    /// The reference of its asset, of kind `file-set`.
    pub reference: &'static str,
    /// Its path below the folder of the sample.
    pub path: &'static str,
    /// The provider and its region (on premises the place), for the source.
    pub lies: (&'static str, &'static str),
    bytes: &'static [u8],
}

macro_rules! sample_files {
    ($($reference:literal = $path:literal in ($provider:literal, $region:literal)),* $(,)?) => {
        /// Every sample file.
        pub(super) const SAMPLE_FILES: &[SampleFile] = &[$(SampleFile {
            reference: $reference,
            path: $path,
            lies: ($provider, $region),
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/files/", $path)),
        }),*];
    };
}

sample_files! {
    "core-ledger" = "on-premises/core-ledger/customers.csv"
        in ("on-premises", "HK"),
    "statements" = "aws-hong-kong/statements/letters-2026-10.txt"
        in ("aws", "ap-east-1"),
    "loans" = "azure-east-asia/loans/applications.jsonl"
        in ("azure", "eastasia"),
    "deals" = "google-hong-kong/deals/deals.csv"
        in ("google-cloud", "asia-east2"),
    "rates" = "google-hong-kong/rates/rates.csv"
        in ("google-cloud", "asia-east2"),
    "campaigns" = "alibaba-hong-kong/marketing/campaigns.csv"
        in ("alibaba-cloud", "cn-hongkong"),
    "analytics-copy" = "aws-singapore/analytics/customers-copy.csv"
        in ("aws", "ap-southeast-1"),
}

/// The sample bank's inventory, before anybody looked into the files.
pub(super) const INVENTORY: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/inventory.yaml"));

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
            // One copy lies open to everybody on the machine: that is what the scan has to tell.
            let mode = if file.reference == "analytics-copy" { 0o644 } else { 0o600 };
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
            Ok((*file, path))
        })
        .collect()
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
    fn every_file_is_an_asset_of_the_inventory_in_a_folder_of_its_own() {
        let reading = inventory::import::read(
            inventory::import::Format::Yaml,
            INVENTORY.as_bytes(),
            kernel::DomainId::SYSTEM,
        );
        assert_eq!((reading.assets.len(), reading.rejected.len()), (42, 0));
        let folders: std::collections::BTreeSet<_> =
            SAMPLE_FILES.iter().map(|file| file.path.rsplit_once('/').unwrap().0).collect();
        assert_eq!(folders.len(), SAMPLE_FILES.len());
        for file in SAMPLE_FILES {
            let reference = format!("file-set:{}", file.reference).parse().unwrap();
            assert!(reading.assets.iter().any(|row| row.fact.reference == reference));
        }
    }
}
