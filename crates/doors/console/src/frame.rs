//! What every page shares: head, banner, navigation, title, and the line that says how fresh it is.

use crate::assets::{ICON, SCRIPT, STYLE};
use crate::elements::{ago, ago_in, form_token, mark, moment};
use crate::language::Language;
use kernel::{Action, Timestamp};
use maud::{DOCTYPE, Markup, html};

/// Who looks, where, and in which language: the same for every page of one request.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The language of titles and statuses.
    pub(crate) language: Language,
    /// The installation is a sample: every page says so.
    pub(crate) sample: bool,
    /// The glass was broken not long ago: when, and for which role; every page says so.
    pub(crate) broken_glass: Option<(Timestamp, String)>,
    /// The person signed in.
    pub(crate) name: String,
    /// The roles of that person, for the foot of the navigation.
    pub(crate) roles: String,
    /// Pages of the navigation that the one who looks may not see.
    pub(crate) closed: Vec<&'static str>,
    /// The token that every form carries.
    pub(crate) form_token: String,
    /// The path and query of this page.
    pub(crate) path: String,
    /// The time of the request.
    pub(crate) now: Timestamp,
}

/// Where an answer comes from and how old it is: the first line of a page.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// When the facts were read or computed.
    pub(crate) at: Timestamp,
    /// What they come from, as the end of "Read … from …".
    pub(crate) from: String,
}

/// The title of a page and its way back.
#[derive(Debug, Clone)]
pub(crate) struct Title<'a> {
    /// The question that the page answers, or the name of the thing.
    pub(crate) text: &'a str,
    /// The list that this page is one of: path and title.
    pub(crate) within: Option<(&'a str, &'a str)>,
}

impl<'a> Title<'a> {
    /// The title of a page that stands in the navigation.
    pub(crate) const fn of(text: &'a str) -> Self {
        Self { text, within: None }
    }
}

/// A page of the navigation: its path, its title, and the action without which it shows nothing.
pub(crate) type Entry = (&'static str, &'static str, Action);

/// The navigation: four areas, and only pages that exist.
pub(crate) const AREAS: &[(&str, &[Entry])] = &[
    ("Keys", &[("/keys", "Keys", Action::KeyList)]),
    (
        "Data",
        &[
            ("/map", "Key control map", Action::AssetRead),
            ("/data", "Sensitive data", Action::DataRead),
        ],
    ),
    (
        "Access",
        &[
            ("/people", "People", Action::IdentityRead),
            ("/requests", "Requests", Action::ApprovalRead),
            ("/log", "Log", Action::LogRead),
        ],
    ),
    (
        "Compliance",
        &[
            ("/requirements", "Requirements", Action::RequirementRead),
            ("/guides/practice-guide", "Practice Guide", Action::RequirementRead),
            ("/guides/sa-2", "SA-2", Action::RequirementRead),
            ("/guides/tm-g-1", "TM-G-1", Action::RequirementRead),
            ("/reports", "Reports", Action::ReportRead),
        ],
    ),
];

/// A page for someone who is signed in.
pub(crate) fn page(frame: &Frame, title: &Title<'_>, source: &Source, body: &Markup) -> Markup {
    let top = html! {
        header.top {
            @if let Some((path, name)) = title.within {
                p.crumb { a href=(path) { (frame.language.term(name)) } }
            }
            h1 {
                (frame.language.term(title.text))
                @if frame.language.translated(title.text).is_some() {
                    span.aka lang="en" { (title.text) }
                }
            }
            (freshness(frame, source))
        }
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title.text))
            body {
                a.skip href="#main" { (frame.language.term("Skip to the content")) }
                @if frame.sample { (sample_banner(frame.language)) }
                @if let Some((at, role)) = &frame.broken_glass { (glass_banner(*at, role)) }
                (side(frame))
                main id="main" tabindex="-1" { (top) (body) }
            }
        }
    }
}

/// The first line: how fresh the answer is, and where it comes from.
fn freshness(frame: &Frame, source: &Source) -> Markup {
    let language = frame.language;
    html! {
        p.sub {
            @if language.translated("Read").is_some() {
                (language.term("Read")) " " (ago_in(language, frame.now, source.at)) " ("
                (moment(source.at)) ") · " (language.term("Source")) " "
                (language.term(&source.from))
            } @else {
                "Read " (ago(frame.now, source.at)) " (" (moment(source.at)) ") from "
                (source.from) "."
            }
        }
    }
}

/// A page for someone who is not signed in: sign-in, set-up, errors.
pub(crate) fn bare_page(title: &str, sample: bool, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body.bare {
                @if sample { (sample_banner(Language::English)) }
                main id="main" {
                    a.brand href="/" { (mark()) "Lionrock" }
                    header.top { h1 { (title) } }
                    (body)
                }
            }
        }
    }
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="robots" content="noindex";
            title { (title) " · Lionrock" }
            link rel="stylesheet" href=(STYLE.path());
            link rel="icon" type="image/svg+xml" href=(ICON.path());
            script src=(SCRIPT.path()) defer {}
        }
    }
}

const SAMPLE: &str = "A throw-away installation with synthetic data. The times are real: history began \
     when it was started.";

fn sample_banner(language: Language) -> Markup {
    html! {
        aside.banner aria-label="Sample installation" {
            strong { "SAMPLE" @if let Some(word) = language.translated("sample") {
                " " span lang=(language.tag()) { (word) }
            } }
            (language.term(SAMPLE))
        }
    }
}

fn glass_banner(at: Timestamp, role: &str) -> Markup {
    html! {
        aside.banner aria-label="Broken glass" {
            strong { "BREAK-GLASS" }
            "On " (moment(at)) " holders of the seal let somebody in as " (role) ". "
            a href="/log?action=access.break-glass" { "Who, and why" }
        }
    }
}

fn side(frame: &Frame) -> Markup {
    let path = frame.path.split('?').next().unwrap_or("/");
    html! {
        header.side {
            p.brand { (mark()) "Lionrock" }
            nav aria-label="Main" {
                ul { li { a href="/" aria-current=[(path == "/").then_some("page")] {
                    (frame.language.term("Overview"))
                } } }
                @for (area, pages) in AREAS { (entries(frame, area, pages, path)) }
            }
            div.me {
                p { a href="/account" { (frame.name) } br; span.soft { (frame.roles) } }
                p.tongues {
                    @for (tongue, name) in [
                        (Language::English, "English"),
                        (Language::TraditionalChinese, "繁體中文"),
                    ] {
                        a href=(format!("{path}?language={}", tongue.tag())) lang=(tongue.tag())
                            hreflang=(tongue.tag())
                            aria-current=[(frame.language == tongue).then_some("true")] { (name) }
                    }
                }
                form method="post" action="/sign-out" {
                    (form_token(&frame.form_token))
                    button type="submit" { (frame.language.term("Sign out")) }
                }
            }
        }
    }
}

/// One area of the navigation, without the pages that are closed to the one who looks.
fn entries(frame: &Frame, area: &str, pages: &[Entry], path: &str) -> Markup {
    let open: Vec<_> = pages.iter().filter(|(to, ..)| !frame.closed.contains(to)).collect();
    html! {
        @if !open.is_empty() {
            section {
                h2 { (frame.language.term(area)) }
                ul {
                    @for (to, name, _) in open {
                        li {
                            a href=(to) aria-current=[current(path, to)] {
                                (frame.language.term(name))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `page` on the page itself, `true` on a page below it.
fn current(path: &str, link: &str) -> Option<&'static str> {
    match path.strip_prefix(link) {
        Some("") => Some("page"),
        Some(rest) if rest.starts_with('/') => Some("true"),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A frame for the tests of pages.
    pub(crate) fn frame() -> Frame {
        Frame {
            language: Language::English,
            sample: true,
            broken_glass: None,
            name: String::from("Key Custodian A"),
            roles: String::from("key-custodian"),
            closed: Vec::new(),
            form_token: String::from("form-token-of-the-test"),
            path: String::from("/keys"),
            now: now(),
        }
    }

    /// The time of the tests: 21 November 2026, 12:05:06 in Hong Kong.
    pub(crate) fn now() -> Timestamp {
        Timestamp::parse_rfc3339("2026-11-21T04:05:06Z").unwrap()
    }

    /// A source forty seconds old.
    pub(crate) fn source() -> Source {
        Source { at: now().plus_seconds(-40), from: String::from("live state") }
    }

    #[test]
    fn a_page_says_how_fresh_it_is_and_where_one_stands() {
        let text = page(&frame(), &Title::of("Keys"), &source(), &html! {}).into_string();
        assert!(text.contains("Read 40 seconds ago ("));
        assert!(text.contains("from live state."));
        assert!(text.contains("href=\"/keys\" aria-current=\"page\""));
        assert!(text.contains("SAMPLE"));
        assert!(text.contains("<title>Keys · Lionrock</title>"));
    }

    #[test]
    fn every_page_says_that_the_glass_was_broken() {
        let mut frame = frame();
        assert!(!page(&frame, &Title::of("Keys"), &source(), &html! {}).0.contains("BREAK-GLASS"));
        frame.broken_glass = Some((now(), String::from("Identity administrator")));
        let text = page(&frame, &Title::of("Keys"), &source(), &html! {}).into_string();
        assert!(text.contains("BREAK-GLASS") && text.contains("as Identity administrator."));
        assert!(text.contains("href=\"/log?action=access.break-glass\""));
    }

    #[test]
    fn a_hostile_name_is_only_text() {
        let mut frame = frame();
        frame.name = String::from("<script>alert(1)</script>");
        frame.path = String::from("/keys?\"><script>");
        let text = page(&frame, &Title::of("<i>"), &source(), &html! {}).into_string();
        assert!(!text.contains("<script>alert"));
        assert!(!text.contains("<i>"));
    }

    #[test]
    fn a_chinese_title_is_marked_and_keeps_its_english() {
        let mut frame = frame();
        frame.language = Language::TraditionalChinese;
        let text = page(&frame, &Title::of("Keys"), &source(), &html! {}).into_string();
        assert!(text.contains("<h1><span lang=\"zh-Hant\">密碼匙</span>"));
        assert!(text.contains("<span class=\"aka\" lang=\"en\">Keys</span>"));
    }

    #[test]
    fn a_page_that_is_closed_to_someone_is_not_in_their_navigation() {
        let mut frame = frame();
        frame.closed = vec!["/map", "/data", "/log"];
        let text = page(&frame, &Title::of("Keys"), &source(), &html! {}).into_string();
        assert!(!text.contains("href=\"/map\"") && !text.contains("<h2>Data</h2>"));
        assert!(!text.contains("href=\"/log\"") && text.contains("href=\"/requests\""));
    }

    #[test]
    fn a_page_below_a_link_marks_the_link() {
        assert_eq!(current("/keys", "/keys"), Some("page"));
        assert_eq!(current("/keys/key_1", "/keys"), Some("true"));
        assert_eq!(current("/keysight", "/keys"), None);
    }
}
