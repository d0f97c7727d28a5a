//! The data folder: nobody but its owner may look into it or into anything in it.

use super::{Finding, Grade};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Entries that are looked at; a data folder has a few dozen, and one file for each report.
const ENTRIES_MAX: usize = 100_000;
/// Offenders that are named.
const NAMED_MAX: usize = 5;

const ABOUT: &str = "data folder";

pub(super) fn examine(data: &Path) -> Vec<Finding> {
    if !data.exists() {
        let says = format!("`{}` is not there yet; the first start makes it", data.display());
        return vec![Finding::good(ABOUT, says)];
    }
    vec![match open_to_others(data, rustix::process::geteuid().as_raw()) {
        Ok(Looked { offenders, entries }) if offenders.is_empty() => {
            let says = format!("{entries} files and folders, none open to others");
            Finding::good(ABOUT, says)
        }
        Ok(Looked { offenders, .. }) => {
            let names: Vec<String> = offenders.iter().take(NAMED_MAX).cloned().collect();
            let more = offenders.len().saturating_sub(NAMED_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let says = format!("open to others, or not ours: {}{more}", names.join(", "));
            Finding::new(ABOUT, Grade::Bad, says)
                .advise("`chown -R` it to the server's account, then `chmod -R go=` it")
        }
        Err(cause) => Finding::new(ABOUT, Grade::Unknown, format!("it cannot be read: {cause}"))
            .advise("run this as the account of the server"),
    }]
}

struct Looked {
    entries: usize,
    offenders: Vec<String>,
}

fn open_to_others(data: &Path, owner: u32) -> io::Result<Looked> {
    let mut looked = Looked { entries: 0, offenders: Vec::new() };
    let mut waiting: Vec<PathBuf> = vec![data.to_owned()];
    while let Some(path) = waiting.pop() {
        looked.entries += 1;
        if looked.entries > ENTRIES_MAX {
            break;
        }
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => metadata,
            // A running server may have removed it meanwhile.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue,
            Err(cause) => return Err(cause),
        };
        let mode = metadata.mode() & 0o7777;
        if metadata.is_symlink() {
            looked.offenders.push(format!("`{}` (a link)", path.display()));
        } else if mode & 0o077 != 0 {
            looked.offenders.push(format!("`{}` (mode {mode:o})", path.display()));
        } else if metadata.uid() != owner {
            looked.offenders.push(format!("`{}` (of user {})", path.display(), metadata.uid()));
        }
        if metadata.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        }
    }
    looked.offenders.sort();
    Ok(looked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_open_to_others_is_named_and_a_private_folder_is_good() {
        let folder = std::env::temp_dir().join(format!("lionrock-modes-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        assert_eq!(examine(&folder)[0].grade, Grade::Good);
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        std::fs::create_dir_all(folder.join("store")).unwrap();
        std::fs::write(folder.join("store/store.db"), b"x").unwrap();
        mode(&folder, 0o700);
        mode(&folder.join("store"), 0o700);
        mode(&folder.join("store/store.db"), 0o600);
        let good = examine(&folder);
        assert_eq!(good[0].grade, Grade::Good, "{}", good[0]);
        assert!(good[0].says.starts_with("3 files"), "{}", good[0]);
        mode(&folder.join("store/store.db"), 0o640);
        std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).unwrap();
        let bad = examine(&folder);
        assert_eq!(bad[0].grade, Grade::Bad);
        assert!(bad[0].says.contains("store.db` (mode 640)"), "{}", bad[0]);
        assert!(bad[0].says.contains("link` (a link)"), "{}", bad[0]);
        let stranger = open_to_others(&folder, u32::MAX).unwrap();
        assert!(stranger.offenders.iter().any(|name| name.contains("(of user ")));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
