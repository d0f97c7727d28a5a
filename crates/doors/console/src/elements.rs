//! The small things that pages are made of: states, times, counts, tables, command lines.

use crate::language::Language;
use kernel::Timestamp;
use maud::{Markup, PreEscaped, html};

/// How a state should be taken; shown as a dot beside its word, never by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    /// Someone must act.
    Bad,
    /// Someone should look.
    Warn,
    /// Nothing is known, or nothing is claimed: an open dot.
    Quiet,
    /// As it should be.
    Good,
}

impl Tone {
    /// The class that carries the colour and, for [`Tone::Quiet`], the open dot.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Bad => "s bad",
            Self::Warn => "s warn",
            Self::Quiet => "s open quiet",
            Self::Good => "s good",
        }
    }

    /// The colour alone, for what has its own shape.
    pub(crate) const fn colour(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Quiet => "quiet",
            Self::Good => "good",
        }
    }
}

/// A state: its word, and how to take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    /// How to take it.
    pub(crate) tone: Tone,
    /// The word, in English.
    pub(crate) word: String,
}

impl State {
    /// A state.
    pub(crate) fn new(tone: Tone, word: impl Into<String>) -> Self {
        Self { tone, word: word.into() }
    }

    /// The dot and the word.
    pub(crate) fn show(&self, language: Language) -> Markup {
        html! {
            span class=(self.tone.class()) {
                @if language.translated(&self.word).is_some() { (language.term(&self.word)) }
                @else { (capitalised(&self.word)) }
            }
        }
    }
}

/// A word as it stands at the beginning of a cell.
pub(crate) fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + characters.as_str()
}

/// A time in Hong Kong with its zone; UTC when pointed at.
pub(crate) fn moment(at: Timestamp) -> Markup {
    let utc = at.rfc3339();
    html! { time datetime=(utc) title=(format!("{utc} (UTC)")) { (at.hong_kong()) } }
}

/// A day in Hong Kong; the full time when pointed at.
pub(crate) fn day(at: Timestamp) -> Markup {
    html! { time datetime=(at.rfc3339()) title=(at.hong_kong()) { (at.hong_kong_date()) } }
}

/// A time that has not come: the script counts down to it.
pub(crate) fn until(at: Timestamp) -> Markup {
    html! {
        time datetime=(at.rfc3339()) title=(format!("{} (UTC)", at.rfc3339())) data-until {
            "until " (at.hong_kong())
        }
    }
}

/// How long ago, in words: `40 seconds ago`, `3 days ago`; `just now` under two seconds.
pub(crate) fn ago(now: Timestamp, then: Timestamp) -> String {
    match now.seconds_since(then) {
        s if s < 2 => String::from("just now"),
        s => format!("{} ago", duration(s)),
    }
}

/// How long ago, in a language; Chinese knows no plurals.
pub(crate) fn ago_in(language: Language, now: Timestamp, then: Timestamp) -> Markup {
    let seconds = now.seconds_since(then);
    let chinese = |term: &str| language.translated(term);
    let (n, unit) = largest(seconds);
    html! {
        @match (seconds < 2, chinese("just now"), chinese(unit), chinese("ago")) {
            (true, Some(now), ..) => span lang=(language.tag()) { (now) },
            (false, _, Some(unit), Some(ago)) => {
                span lang=(language.tag()) { (n) " " (unit) (ago) }
            }
            _ => (ago(now, then)),
        }
    }
}

fn largest(seconds: i64) -> (i64, &'static str) {
    match seconds.max(0) {
        s @ 0..=119 => (s, "second"),
        s @ 120..=7_199 => (s / 60, "minute"),
        s @ 7_200..=172_799 => (s / 3_600, "hour"),
        s => (s / 86_400, "day"),
    }
}

/// A length of time in its largest whole unit.
pub(crate) fn duration(seconds: i64) -> String {
    let (n, unit) = largest(seconds);
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

/// A number with its thousands set apart.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 key`, `2 keys`: a count with its noun.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A table that scrolls inside itself on a phone and can be scrolled by keyboard.
pub(crate) fn table(language: Language, label: &str, heads: &[&str], rows: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table {
                thead { tr { @for head in heads { th scope="col" { (language.term(head)) } } } }
                tbody { (rows) }
            }
        }
    }
}

/// The command line that does or shows the same.
pub(crate) fn command(language: Language, line: &str) -> Markup {
    html! { p.cli { (language.term("Same from the command line")) ": " code { (line) } } }
}

/// What stands where nothing is: one sentence, and one command that changes it.
pub(crate) fn empty(language: Language, sentence: &str, line: &str) -> Markup {
    html! { div.empty { p { (language.term(sentence)) } (command(language, line)) } }
}

/// Links to the pages before and after of a long list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pager {
    /// What is shown, such as `50 of 100,000 keys`.
    pub(crate) shown: String,
    /// Link to the first page, when this is not the first.
    pub(crate) first: Option<String>,
    /// Link to the page after.
    pub(crate) next: Option<String>,
}

impl Pager {
    /// The line under the list.
    pub(crate) fn show(&self, language: Language, label: &str) -> Markup {
        html! {
            nav.pager aria-label=(format!("Pages of {label}")) {
                span { (self.shown) }
                @if let Some(first) = &self.first {
                    a href=(first) { (language.term("First page")) }
                }
                @if let Some(next) = &self.next {
                    a href=(next) rel="next" { (language.term("Next page")) }
                }
            }
        }
    }
}

/// The hidden field that shows that a form was made by us for this browser.
pub(crate) fn form_token(token: &str) -> Markup {
    html! { input type="hidden" name="form_token" value=(token); }
}

/// A value for a query string, percent-encoded (RFC 3986, unreserved characters stay).
pub(crate) fn query_value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Marks up text with paragraphs at blank lines.
pub(crate) fn paragraphs(text: &str) -> Markup {
    html! { @for part in text.split("\n\n").filter(|p| !p.trim().is_empty()) { p { (part) } } }
}

/// Our mark: a ridge. Decoration only.
pub(crate) fn mark() -> Markup {
    PreEscaped(String::from(
        "<svg width=\"16\" height=\"16\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">\
         <path fill=\"currentColor\" d=\"M1 14 5.2 5.6l1.9 2.6L10 2l5 12z\"/></svg>",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_of_time_read_as_people_say_them() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_204), "1,204");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "key", "keys"), "1 key");
        assert_eq!(duration(1), "1 second");
        assert_eq!(duration(119), "119 seconds");
        assert_eq!(duration(120), "2 minutes");
        assert_eq!(duration(172_800), "2 days");
        let now = Timestamp::from_unix_millis(100_000);
        assert_eq!(ago(now, now), "just now");
        assert_eq!(ago(now, now.plus_seconds(-40)), "40 seconds ago");
    }

    #[test]
    fn a_time_shows_hong_kong_and_keeps_utc() {
        let at = Timestamp::parse_rfc3339("2026-11-20T20:05:06Z").unwrap();
        let markup = moment(at).into_string();
        assert!(markup.contains(">2026-11-21 04:05:06 HKT<"));
        assert!(markup.contains("2026-11-20T20:05:06Z (UTC)"));
    }

    #[test]
    fn a_state_has_a_word_beside_its_colour() {
        let markup = State::new(Tone::Bad, "Suspended <b>").show(Language::English).into_string();
        assert_eq!(markup, "<span class=\"s bad\">Suspended &lt;b&gt;</span>");
    }

    #[test]
    fn a_query_value_cannot_leave_its_place() {
        assert_eq!(query_value("a b&c=d#e/密"), "a%20b%26c%3Dd%23e%2F%E5%AF%86");
    }
}
