//! The files of the checkout, as git sees them.

use std::path::Path;
use std::process::Command;

/// One file: its path from the root, its length, and its text when it is text.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) bytes: usize,
    pub(crate) text: Option<String>,
}

impl File {
    /// A file with this path and text, for tests of rules.
    #[cfg(test)]
    pub(crate) fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), bytes: text.len(), text: Some(text.to_owned()) }
    }
}

/// Reads all files that git tracks or would track.
pub(crate) fn read(root: &Path) -> Vec<File> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .filter_map(|path| {
            let bytes = std::fs::read(root.join(path)).ok()?;
            let length = bytes.len();
            let text = String::from_utf8(bytes).ok();
            Some(File { path: path.to_owned(), bytes: length, text })
        })
        .collect()
}
