//! A test of the house itself. Each rule says where it is broken and what would be right.

mod direction;
mod files;
mod licences;
mod tree;

use crate::say;
use std::path::Path;

/// One broken rule at one place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Where: a path, with a line where there is one.
    place: String,
    /// What is wrong and what would be right.
    what: String,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

/// Checks everything; true when nothing was found.
pub(crate) fn run(root: &Path) -> bool {
    let tree = tree::read(root);
    let mut findings = files::check(&tree);
    findings.extend(direction::check(&tree));
    findings.extend(licences::check(root, &tree));
    for Finding { place, what } in &findings {
        say(&format!("tidy: {place}: {what}"));
    }
    say(&format!("== tidy: {} findings in {} files", findings.len(), tree.len()));
    findings.is_empty()
}
