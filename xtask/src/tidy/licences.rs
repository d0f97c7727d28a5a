//! Licences and forbidden crates of everything that ships, from cargo's own knowledge.

use super::Finding;
use super::tree::File;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Licences we accept. An expression with OR needs one of them, with AND all.
const ACCEPTED: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MPL-2.0",
    "Zlib",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "CDLA-Permissive-2.0",
    "0BSD",
    "CC0-1.0",
    "OpenSSL",
    "BSL-1.0",
    "Unlicense",
];
/// A second TLS, cryptography, HTTP or SQL stack, or one with a known weakness.
const BANNED: &[&str] =
    &["ring", "openssl", "openssl-sys", "rsa", "reqwest", "native-tls", "sqlx", "actix-web"];

/// Checks the packages that the binary is built from.
pub(crate) fn check(root: &Path, _: &[File]) -> Vec<Finding> {
    let tree = cargo(
        root,
        &[
            "tree",
            "--package",
            "lionrock",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}|{l}",
            "--locked",
        ],
    );
    let mut lines: Vec<&str> = tree.lines().filter(|line| line.contains('|')).collect();
    lines.sort_unstable();
    lines.dedup();
    if lines.is_empty() {
        return vec![Finding::new("Cargo.lock", "cargo could not list what ships")];
    }
    let mut found = Vec::new();
    for line in lines {
        let (package, licence) = line.split_once('|').unwrap_or((line, ""));
        let name = package.split(' ').next().unwrap_or(package);
        let licence = licence.trim_end_matches(" (*)");
        if BANNED.contains(&name) {
            found.push(Finding::new("Cargo.lock", format!("`{name}` is banned from what ships")));
        }
        if !accepted(licence) {
            found.push(Finding::new("Cargo.lock", format!("`{name}`: licence `{licence}`")));
        }
    }
    found.extend(sources(root));
    found
}

/// Everything comes from the one registry or from this checkout.
fn sources(root: &Path) -> Vec<Finding> {
    let text = cargo(root, &["metadata", "--format-version", "1", "--locked", "--offline"]);
    let Ok(metadata) = serde_json::from_str::<Value>(&text) else { return Vec::new() };
    let packages = metadata.get("packages").and_then(Value::as_array).cloned().unwrap_or_default();
    packages
        .iter()
        .filter_map(|package| {
            let source = package.get("source")?.as_str()?;
            let name = package.get("name")?.as_str()?;
            let fine = source.starts_with("registry+") || source.starts_with("sparse+");
            (!fine)
                .then(|| Finding::new("Cargo.lock", format!("`{name}` is not from the registry")))
        })
        .collect()
}

fn cargo(root: &Path, arguments: &[&str]) -> String {
    Command::new("cargo")
        .args(arguments)
        .current_dir(root)
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}

/// Whether a licence expression (SPDX, or the old form with a slash) can be fulfilled.
fn accepted(expression: &str) -> bool {
    let flat = expression.replace('/', " OR ").replace(['(', ')'], " ");
    // AND binds tighter than OR; with brackets taken away this errs on the strict side only for
    // `A AND (B OR C)`, where B must then be acceptable together with A, or C alone.
    flat.split(" OR ")
        .any(|choice| choice.split(" AND ").map(str::trim).all(|one| ACCEPTED.contains(&one)))
}

#[cfg(test)]
mod tests {
    use super::accepted;

    #[test]
    fn expressions_are_read_as_their_authors_mean_them() {
        for good in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "ISC AND (Apache-2.0 OR ISC)"] {
            assert!(accepted(good), "{good}");
        }
        for bad in ["", "GPL-3.0", "MIT AND GPL-2.0", "AGPL-3.0 OR BUSL-1.1", "LGPL-2.1"] {
            assert!(!accepted(bad), "{bad}");
        }
    }
}
