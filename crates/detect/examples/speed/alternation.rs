//! Patterns of the `regex` crate to stand beside: one alternation of nine kinds, and one of all
//! kinds that the detectors find by default, made of the same tables.

use regex::bytes::{Regex, RegexBuilder};

/// Room for the automaton of all kinds and for the states that it makes as it goes, in bytes.
const SIZE_MAX: usize = 256 << 20;
/// A character of three bytes, as Chinese ones are.
const WIDE: &str = r"[\xe4-\xe9][\x80-\xbf]{2}";

const NINE: &[&str] = &[
    r"\b[A-Z]{1,2}[0-9]{6}\(?[0-9A]\)?",
    r"\b(?:[0-9][ -]?){12,18}[0-9]\b",
    r"\b[0-9]{17}[0-9X]\b",
    r"\b[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\b",
    r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}\.[A-Za-z]{2,24}",
    r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b",
    r"\b[2-9][0-9]{3}[ -]?[0-9]{4}\b",
    r"\b[HKM][0-9]{8}\b",
    r"AKIA[A-Z0-9]{16}",
];

/// What a word of each topic may be followed by.
const AFTER: &[(&str, &str)] = &[
    ("passport", r"(?:[HK]J?[0-9]{8})"),
    ("permit", r"(?:[HM][0-9]{8,10}|[HM]A[0-9]{7})"),
    ("macau", r"[157][0-9]{6}\(?[0-9]\)?"),
    ("taiwan", r"[A-Z][1289][0-9]{8}"),
    ("bank", r"[0-9]{3}-?[0-9-]{6,14}"),
    ("fps", r"(?:[0-9]{9}|[0-9]{7})\b"),
    ("octopus", r"[0-9]{8,9}\(?[0-9]\)?"),
    ("business", r"[0-9]{7,8}(?:-[0-9-]{3,12})?"),
    ("bic", r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b"),
    ("birth", r"[0-9]{1,4}[-/. ][0-9A-Za-z]{1,9}[-/. ][0-9]{2,4}"),
    ("plate", r"[A-Z]{2} ?[1-9][0-9]{0,3}\b"),
    ("salary", r"[0-9][0-9,]{3,10}"),
    ("person", r"[A-Z][a-z]+(?: [A-Z][a-z]+){1,3}"),
];

/// Kinds whose form says enough.
const FORMS: &[&str] = &[
    r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b",
    r"\b(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f]{1,4}\b",
    r#"\b(?:https?|s?ftps?)://[^\s"'<>]{3,200}"#,
    r"\+[0-9]{1,3}[ -]?[0-9][0-9 -]{6,14}",
    r"\b[A-Z]{4}HKHH(?:[A-Z0-9]{3})?\b",
    r"\b[P][A-Z<][A-Z]{3}[A-Z<]{39}|\b[A-Z0-9<]{9}[0-9][A-Z]{3}[0-9]{7}[MF<][0-9]{7}[A-Z0-9<]{16}",
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----",
    r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
    r"\$(?:1|5|6|y|2[aby]|apr1|argon2id?)\$[A-Za-z0-9./$+=,]{22,}",
    r"\b[a-z][a-z0-9+-]{1,20}://[^\s:/@]{0,64}:[^\s:/@]{1,64}@[A-Za-z0-9.-]+",
];

/// One alternation without Unicode; no pattern validates what it finds, and no two overlap.
fn alternation(patterns: &[String]) -> Result<Regex, regex::Error> {
    let joined = patterns.join("|");
    RegexBuilder::new(&joined).unicode(false).size_limit(SIZE_MAX).dfa_size_limit(SIZE_MAX).build()
}

/// Nine kinds.
pub(crate) fn nine() -> Result<Regex, regex::Error> {
    alternation(&NINE.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// All kinds, with the words of our tables.
pub(crate) fn all() -> Result<Regex, regex::Error> {
    let mut patterns: Vec<String> = NINE.iter().chain(FORMS).map(ToString::to_string).collect();
    let topics = lines(include_str!("../../data/keywords.tsv")).filter_map(|l| l.split_once('\t'));
    for (topic, words) in topics {
        let Some((_, value)) = AFTER.iter().find(|(name, _)| *name == topic) else { continue };
        let words = any(words.split('|')).replace(' ', "[ _-]");
        patterns.push(format!(r"(?i:{words})[^\n0-9]{{0,24}}?{value}"));
    }
    patterns.push(english_names());
    patterns.extend(chinese_names());
    patterns.extend(addresses());
    patterns.extend(secrets());
    alternation(&patterns)
}

/// A family name and syllables, or a given name and a family name.
fn english_names() -> String {
    let names = include_str!("../../data/names-en.tsv");
    let list = |role: &str| {
        let found = lines(names).filter_map(|l| l.split_once('\t')).find(|(r, _)| *r == role);
        any(found.map_or("", |(_, words)| words).split_ascii_whitespace())
    };
    let (surname, syllable, given) = (list("surname"), list("syllable"), list("given"));
    format!(r"\b(?i:(?:{surname}),? (?:{syllable})[ -](?:{syllable})|(?:{given}) (?:{surname}))\b")
}

/// A family name, one or two characters and a title, or the same after a word that announces it.
fn chinese_names() -> [String; 2] {
    let surnames =
        any(lines(include_str!("../../data/surnames-zh.txt")).flat_map(str::split_whitespace));
    let context = include_str!("../../data/context-zh.tsv");
    let list = |role: &str| {
        let found = lines(context).filter_map(|l| l.split_once('\t')).find(|(r, _)| *r == role);
        any(found.map_or("", |(_, words)| words).split('|'))
    };
    let (before, title) = (list("before"), list("title"));
    [
        format!("(?:{surnames})(?:{WIDE}){{1,2}}(?:{title})"),
        format!("(?:{before})(?:：|: ?)?(?:{surnames})(?:{WIDE}){{1,2}}"),
    ]
}

fn addresses() -> [String; 2] {
    let words = include_str!("../../data/address-words.tsv");
    let list = |role: &str| {
        let found = lines(words).filter_map(|l| l.split_once('\t')).find(|(r, _)| *r == role);
        any(found.map_or("", |(_, words)| words).split_ascii_whitespace())
    };
    let (flat, street) = (list("flat"), list("street"));
    let places = any(lines(include_str!("../../data/places-en.txt")).flat_map(|l| l.split('|')));
    let chinese = any(lines(include_str!("../../data/places-zh.txt")).flat_map(|l| l.split('|')));
    [
        format!(
            r"\b(?i:(?:(?:{flat})\.? [A-Z0-9]{{1,5}},? )?[0-9]{{1,4}}[A-Z]?(?:/F)? \
            (?:[A-Z][a-z']+ ){{1,3}}(?:{street})\b[^\n]{{0,40}}?(?:{places})?)"
        ),
        format!("(?:{chinese})(?:{WIDE}){{2,20}}[0-9]{{1,4}}(?:號|号|樓|楼|座)"),
    ]
}

/// Issuers' prefixes, and names whose values are secret.
fn secrets() -> Vec<String> {
    let prefixes = lines(include_str!("../../data/secret-prefixes.tsv")).filter_map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [prefix, least, most, alphabet] = fields.as_slice() else { return None };
        let class = match *alphabet {
            "hex" => "[0-9a-f]",
            "upper" => "[A-Z0-9]",
            "letters" => "[A-Za-z0-9]",
            _ => "[A-Za-z0-9_.-]",
        };
        Some(format!("{}{class}{{{least},{most}}}", regex::escape(prefix)))
    });
    let names = lines(include_str!("../../data/secret-names.txt")).flat_map(str::split_whitespace);
    let names = any(names.map(|name| name.trim_start_matches('=')));
    prefixes.chain([format!(r#"(?i:{names})["']? ?[=:>] ?["']?[^\s"',;]{{6,512}}"#)]).collect()
}

fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn any<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.filter(|w| !w.is_empty()).map(regex::escape).collect();
    format!("(?:{})", words.join("|"))
}
