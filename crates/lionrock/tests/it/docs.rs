//! What the user guide says exists: every command parses, every path is in the API, every
//! configuration reads, and the help of every verb is the one that is checked in.

use clap::{Command, CommandFactory, Parser};
use lionrock::cli::Cli;
use lionrock::config::Config;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Columns at which help is written down.
const COLUMNS: usize = 100;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn pages() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    pages.map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

/// Fenced blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in page.lines() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(_), Some((wanted, text))) => {
                if *wanted {
                    blocks.push(std::mem::take(text));
                }
                open = None;
            }
            (Some(found), None) => open = Some((found.trim() == language, String::new())),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block without an end");
    blocks
}

/// What is typed at `$ `, with continued lines joined.
fn typed(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    joined.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}

/// Words of a command up to a pipe or redirection; quotes as a shell reads them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut is_word) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => (quote, is_word) = (Some(c), true),
            (None, c) if c.is_whitespace() => {
                if is_word || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                is_word = false;
            }
            (None, '|' | '>' | '<' | '&' | ';') => break,
            (None, c) => word.push(c),
        }
    }
    assert!(quote.is_none(), "a quote without an end: {line}");
    if is_word || !word.is_empty() {
        words.push(word);
    }
    words
}

fn commands() -> Vec<(String, String)> {
    let of_page = |(name, page): (&String, &String)| -> Vec<(String, String)> {
        let lines = blocks(page, "console");
        lines.iter().flat_map(|b| typed(b)).map(|line| (name.clone(), line)).collect()
    };
    pages().iter().flat_map(of_page).collect()
}

#[test]
fn every_documented_command_is_one_that_the_binary_knows() {
    let mut seen = 0;
    for (page, line) in commands() {
        let line = line.strip_prefix("sudo -u lionrock ").unwrap_or(&line);
        if !line.starts_with("lionrock ") {
            continue;
        }
        seen += 1;
        if let Err(error) = Cli::try_parse_from(words(line)) {
            panic!("{page}: `{line}`: {error}");
        }
    }
    assert!(seen >= 20, "only {seen} commands");
}

#[test]
fn every_documented_path_is_in_the_api() {
    let api = std::fs::read_to_string(docs().join("openapi.json")).unwrap();
    let api: serde_json::Value = serde_json::from_str(&api).unwrap();
    let paths = api["paths"].as_object().unwrap();
    for (page, line) in commands() {
        let words = words(&line);
        let below = words.iter().find_map(|word| word.split_once("/api/v1/"));
        let Some((_, below)) = below else { continue };
        let path = format!("/api/v1/{}", below.split('?').next().unwrap());
        let at = words.iter().position(|word| word == "-X" || word == "--request");
        let data = words.iter().any(|word| word.starts_with("--json") || word == "-d");
        let method = match at {
            Some(at) => words[at + 1].to_lowercase(),
            None if data => "post".into(),
            None => "get".into(),
        };
        let is = |template: &str| {
            let (ours, theirs): (Vec<_>, Vec<_>) =
                (path.split('/').collect(), template.split('/').collect());
            let same = |(a, b): (&&str, &&str)| a == b || (b.starts_with('{') && !a.is_empty());
            ours.len() == theirs.len() && ours.iter().zip(&theirs).all(same)
        };
        let known = paths.iter().any(|(p, methods)| is(p) && methods.get(&method).is_some());
        assert!(known, "{page}: no `{method} {path}`");
    }
}

#[test]
fn every_documented_configuration_reads() {
    let mut seen = 0;
    for (name, page) in pages() {
        for block in blocks(&page, "toml") {
            seen += 1;
            if let Err(error) = toml::from_str::<Config>(&block) {
                panic!("{name}: {error}\n{block}");
            }
        }
    }
    assert!(seen > 0);
}

#[test]
fn every_page_is_reached_from_the_first() {
    let pages = pages();
    for name in pages.keys().filter(|name| *name != "README.md") {
        assert!(pages["README.md"].contains(&format!("]({name})")), "{name} is not listed");
    }
}

/// The help of a verb and of every verb below it.
fn help(command: &Command, text: &mut String) {
    text.push_str(&command.clone().render_long_help().to_string());
    for below in command.get_subcommands().filter(|c| c.get_name() != "help") {
        text.push_str("\n────────\n\n");
        help(below, text);
    }
}

/// What the environment of a tester says has no place in a golden file.
fn plain(command: Command) -> Command {
    let command = command.term_width(COLUMNS).mut_args(|argument| argument.hide_env_values(true));
    command.mut_subcommands(plain)
}

#[test]
fn the_help_of_every_verb_is_the_one_that_is_checked_in() {
    let mut command = plain(Cli::command());
    command.build();
    let mut texts = BTreeMap::new();
    texts.insert("lionrock.txt".to_owned(), command.clone().render_long_help().to_string());
    let said = |verb: &&Command| verb.get_name() != "help" && !verb.is_hide_set();
    for verb in command.get_subcommands().filter(said) {
        let mut text = String::new();
        help(verb, &mut text);
        texts.insert(format!("{}.txt", verb.get_name()), text);
    }
    let folder = docs().join("cli");
    if std::env::var_os("LIONROCK_GOLDEN").is_some_and(|value| value == "write") {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &texts {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &texts {
        let known = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(&known, text, "docs/cli/{name}: rerun with LIONROCK_GOLDEN=write");
    }
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, texts.len(), "docs/cli has files of verbs that are gone");
}
