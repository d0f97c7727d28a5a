//! An evidence pack: files in one ZIP archive with a manifest of their digests.
//!
//! The writer gives the same bytes for the same files. The reader takes hostile archives: it limits
//! entries, sizes and names, and never writes to a disk.

use crate::{Digest, hex};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// The manifest's name in the archive: lines of `sha256-hex`, two spaces, name, as `sha256sum`
/// reads.
pub const MANIFEST: &str = "SHA256SUMS";
/// Most files of a pack.
pub const FILES_MAX: usize = 4_096;
/// Largest file of a pack when read, in bytes.
pub const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Largest sum of all files of a pack when read, in bytes.
pub const PACK_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// The files of a pack by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Why a pack could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The archive is damaged or is none.
    #[error("the archive is damaged or is not a ZIP archive")]
    Archive(#[source] ZipError),
    /// The archive could not be written.
    #[error("the archive could not be written")]
    Io(#[from] std::io::Error),
    /// A file of the archive is not what was packed: its checksum does not fit.
    #[error("`{0}` was altered: it does not unpack")]
    Entry(String),
    /// More files, or larger ones, than a pack may have.
    #[error("the archive is larger than a pack may be, at `{0}`")]
    TooLarge(String),
    /// A name that would leave a folder, or stands twice.
    #[error("the archive has a name that a pack may not have: `{0}`")]
    Name(String),
    /// There is no manifest.
    #[error("the archive has no `SHA256SUMS`")]
    NoManifest,
}

/// One file that is not what the manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The bytes have another digest.
    Altered(String),
    /// The manifest names it, the archive lacks it.
    Missing(String),
    /// The archive has it, the manifest does not name it.
    Unlisted(String),
}

/// Whether a name may stand in a pack: relative, forward slashes, no step upward, plain characters.
fn fits(name: &str) -> bool {
    name.len() <= 200
        && !name.is_empty()
        && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'))
}

fn manifest(files: &Files, digest: Digest<'_>) -> String {
    files.iter().map(|(name, bytes)| format!("{}  {name}\n", hex(&digest(bytes)))).collect()
}

/// Writes the files and their manifest into one archive.
///
/// # Errors
/// When a name may not stand in a pack, or there are too many files.
pub fn write(files: &Files, digest: Digest<'_>) -> Result<Vec<u8>, PackError> {
    if files.len() >= FILES_MAX {
        return Err(PackError::TooLarge(format!("{} files", files.len())));
    }
    let bad = files.keys().find(|name| !fits(name) || *name == MANIFEST);
    if let Some(name) = bad {
        return Err(PackError::Name(name.clone()));
    }
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let listed = manifest(files, digest).into_bytes();
    let all = std::iter::once((MANIFEST, &listed))
        .chain(files.iter().map(|(name, bytes)| (name.as_str(), bytes)));
    for (name, bytes) in all {
        archive.start_file(name, options).map_err(PackError::Archive)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish().map_err(PackError::Archive)?.into_inner())
}

/// Reads an archive within the limits.
///
/// # Errors
/// When the archive is damaged, too large, or has names that a pack may not have.
pub fn read(bytes: &[u8]) -> Result<Files, PackError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(PackError::Archive)?;
    if archive.len() > FILES_MAX {
        return Err(PackError::TooLarge(format!("{} files", archive.len())));
    }
    let mut files = Files::new();
    let mut sum = 0u64;
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(PackError::Archive)?;
        let name = entry.name().map_err(PackError::Archive)?.into_owned();
        if !fits(&name) {
            return Err(PackError::Name(name));
        }
        // The size that the archive states may be a lie: read one byte past the limit and look.
        let mut content = Vec::new();
        let read = entry.take(FILE_BYTES_MAX + 1).read_to_end(&mut content);
        let read = read.map_err(|_| PackError::Entry(name.clone()))? as u64;
        sum += read;
        if read > FILE_BYTES_MAX || sum > PACK_BYTES_MAX {
            return Err(PackError::TooLarge(name));
        }
        if files.insert(name.clone(), content).is_some() {
            return Err(PackError::Name(name));
        }
    }
    Ok(files)
}

/// Compares the files with the manifest; empty when they agree.
///
/// # Errors
/// When there is no readable manifest.
pub fn compare(files: &Files, digest: Digest<'_>) -> Result<Vec<Mismatch>, PackError> {
    let text = files
        .get(MANIFEST)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .ok_or(PackError::NoManifest)?;
    let listed: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(digest, name)| (name, digest))
        .collect();
    let mut found = Vec::new();
    for (name, expected) in &listed {
        match files.get(*name) {
            None => found.push(Mismatch::Missing((*name).to_owned())),
            Some(bytes) if hex(&digest(bytes)) != *expected => {
                found.push(Mismatch::Altered((*name).to_owned()));
            }
            Some(_) => {}
        }
    }
    let unlisted =
        files.keys().filter(|name| *name != MANIFEST && !listed.contains_key(name.as_str()));
    found.extend(unlisted.cloned().map(Mismatch::Unlisted));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(bytes: &[u8]) -> [u8; 32] {
        let mut state = [1u8; 32];
        for (i, byte) in bytes.iter().enumerate() {
            state[i % 32] = state[i % 32].wrapping_mul(31).wrapping_add(*byte);
        }
        state
    }

    fn sample() -> Files {
        [("a.json", "{}"), ("evidence/b.txt", "hello")]
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn a_pack_reads_back_and_is_the_same_each_time() {
        let bytes = write(&sample(), &sum).unwrap();
        assert_eq!(bytes, write(&sample(), &sum).unwrap());
        let files = read(&bytes).unwrap();
        assert_eq!(files.len(), 3);
        assert_eq!(compare(&files, &sum).unwrap(), []);
    }

    #[test]
    fn each_kind_of_change_is_named() {
        let mut files = read(&write(&sample(), &sum).unwrap()).unwrap();
        files.get_mut("a.json").unwrap()[0] ^= 1;
        files.remove("evidence/b.txt");
        files.insert("c".into(), Vec::new());
        assert_eq!(
            compare(&files, &sum).unwrap(),
            [
                Mismatch::Altered("a.json".into()),
                Mismatch::Missing("evidence/b.txt".into()),
                Mismatch::Unlisted("c".into())
            ]
        );
        files.remove(MANIFEST);
        assert!(matches!(compare(&files, &sum), Err(PackError::NoManifest)));
    }

    #[test]
    fn a_file_that_does_not_unpack_is_named() {
        let mut bytes = write(&sample(), &sum).unwrap();
        let name = b"evidence/b.txt";
        let at = bytes.windows(name.len()).position(|part| part == name).unwrap();
        bytes[at + name.len() + 3] ^= 0x10;
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.contains("evidence/b.txt"), "{error}");
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for bad in ["../a", "/a", "a//b", "a/./b", "a\\b", "", "密", &"x".repeat(201)] {
            let files = Files::from([(bad.to_owned(), Vec::new())]);
            assert!(matches!(write(&files, &sum), Err(PackError::Name(_))), "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_flipped_bit_is_noticed_or_harmless(at in 0usize..400, bit in 0u8..8) {
            let mut bytes = write(&sample(), &sum).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Ok(files) = read(&bytes) {
                let clean = read(&write(&sample(), &sum).unwrap()).unwrap();
                let noticed = compare(&files, &sum).map(|found| !found.is_empty()).unwrap_or(true);
                prop_assert!(noticed || files == clean);
            }
        }
    }
}
