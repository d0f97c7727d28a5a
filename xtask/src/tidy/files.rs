//! Rules about single files: length, width, size, head comments, names, words.

use super::Finding;
use super::tree::File;

const LINE_CHARS_MAX: usize = 100;
/// Code that rustfmt cannot break, such as a literal inside a macro, may be this wide.
const CODE_CHARS_MAX: usize = 120;
const FILE_LINES_MAX: usize = 1_000;
/// Past this a file says in its head comment why it is long.
const FILE_LINES_EXPLAIN: usize = 800;
const FILE_BYTES_MAX: usize = 256 * 1_024;

/// Names that say nothing about what is inside.
const FORBIDDEN_NAMES: &[&str] =
    &["utils", "util", "common", "helpers", "helper", "misc", "core", "manager", "service"];
/// Words for which Hong Kong's regulator uses others.
const FORBIDDEN_CHINESE: &[&str] =
    &["外包", "委外", "金鑰", "密鑰", "數位", "服務器", "雲計算", "資訊安全"];

/// Files that may be larger: locks, pictures, and the API's golden document.
fn may_be_large(path: &str) -> bool {
    path == "docs/openapi.json"
        || path.ends_with(".lock")
        || path.ends_with("package-lock.json")
        || path.ends_with(".png")
}

/// Checks every file.
pub(crate) fn check(tree: &[File]) -> Vec<Finding> {
    tree.iter().flat_map(check_one).collect()
}

fn check_one(file: &File) -> Vec<Finding> {
    let path = file.path.as_str();
    let mut found = Vec::new();
    if file.bytes > FILE_BYTES_MAX && !may_be_large(path) {
        found.push(Finding::new(path, "larger than 256 kB: split it or make it at build time"));
    }
    for part in path.split('/') {
        let stem = part.split('.').next().unwrap_or(part);
        if FORBIDDEN_NAMES.contains(&stem) && !path.starts_with("tests/browser/node_modules") {
            found.push(Finding::new(path, format!("`{stem}` does not say what is inside")));
        }
    }
    let Some(text) = &file.text else { return found };
    found.extend(machine_paths(path, text));
    // Detectors look for words as customers write them.
    let quotes = path.starts_with("xtask/src/tidy/") || path.starts_with("crates/detect/");
    if !quotes && !path.ends_with("glossary.yaml") {
        for word in FORBIDDEN_CHINESE.iter().filter(|word| text.contains(**word)) {
            found.push(Finding::new(
                path,
                format!("`{word}`: Hong Kong's regulator says it otherwise"),
            ));
        }
    }
    if path.ends_with(".rs") {
        found.extend(rust(path, text));
    }
    found
}

/// A path of somebody's machine or a registry's host has no business in the tree.
fn machine_paths(path: &str, text: &str) -> Vec<Finding> {
    // Spelt in pieces so that this file does not find itself.
    let marks = [
        ["/wo", "rk/"].concat(),
        ["/ro", "ot/"].concat(),
        ["/ho", "me/"].concat(),
        ["/Us", "ers/"].concat(),
    ];
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| marks.iter().any(|mark| mentions(line, mark)))
        .map(|(i, _)| Finding::new(format!("{path}:{}", i + 1), "names a path of a machine"))
        .collect()
}

fn mentions(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| {
        // `https://host/home/` and `assets/work/` are not machine paths.
        !line
            .get(..at)
            .and_then(|before| before.chars().next_back())
            .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '}' | '.' | '_' | '-' | ')'))
    })
}

fn rust(path: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
    if head.is_empty() {
        found.push(Finding::new(path, "has no head comment (`//!`): say what it is for"));
    }
    if lines > FILE_LINES_MAX {
        found.push(Finding::new(path, format!("{lines} lines: more than {FILE_LINES_MAX}")));
    } else if lines > FILE_LINES_EXPLAIN && !head.contains("long because") {
        found.push(Finding::new(
            path,
            format!("{lines} lines: split it, or say in its head comment `long because …`"),
        ));
    }
    for (i, line) in text.lines().enumerate() {
        let comment = line.trim_start().starts_with("//");
        let limit = if comment { LINE_CHARS_MAX } else { CODE_CHARS_MAX };
        if line.chars().count() > limit {
            let what = format!("line over {limit} characters");
            found.push(Finding::new(format!("{path}:{}", i + 1), what));
        }
    }
    if !path.starts_with("xtask/") {
        let shipped = text.split("#[cfg(test)]").next().unwrap_or(text);
        let test = path.contains("/tests/");
        if shipped.contains("Gate::new(") && !test && !may_make_the_gate(path) {
            found.push(Finding::new(path, "`Gate::new` belongs to the binary and to tests"));
        }
        if text.contains("thread::sleep(") || text.contains("time::sleep(") && test {
            found.push(Finding::new(path, "sleeps: wait for a condition instead"));
        }
    }
    found
}

fn may_make_the_gate(path: &str) -> bool {
    path.starts_with("crates/lionrock/src/") || path == "crates/kernel/src/gate.rs"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        check_one(&File::of(path, text)).into_iter().map(|f| f.what).collect()
    }

    #[test]
    fn a_calm_file_is_left_alone() {
        assert!(whats("crates/keys/src/rotate.rs", "//! Rotates.\nfn f() {}\n").is_empty());
    }

    #[test]
    fn each_rule_finds_its_fault() {
        let long = format!("//! X.\n// {}\n", "x".repeat(100));
        for (path, text, word) in [
            ("crates/keys/src/utils.rs", "//! X.\n", "does not say"),
            ("crates/keys/src/a.rs", "fn f() {}\n", "head comment"),
            ("crates/keys/src/a.rs", long.as_str(), "100 characters"),
            ("crates/keys/src/a.rs", "//! X.\nlet g = Gate::new(d);\n", "belongs to the binary"),
            ("docs/a.md", &["see /ro", "ot/x"].concat(), "path of a machine"),
            ("docs/a.md", "資訊安全", "says it otherwise"),
        ] {
            let found = whats(path, text);
            assert!(found.iter().any(|what| what.contains(word)), "{path}: {found:?}");
        }
        let endless = "//! X.\n".to_owned() + &"fn f() {}\n".repeat(1_001);
        assert!(whats("crates/keys/src/a.rs", &endless)[0].contains("lines"));
    }

    #[test]
    fn an_address_on_the_web_is_not_a_machine_path() {
        let address = ["https://example.org/ho", "me/page"].concat();
        assert!(whats("docs/a.md", &address).is_empty());
    }
}
