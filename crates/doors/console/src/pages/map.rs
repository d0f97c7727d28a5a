//! `/map`: which sensitive data lies where, under whose key, readable by whom; broken paths first.

use crate::elements::{State, Tone, counted, empty, table};
use crate::frame::{Frame, Source, Title, page};
use crate::picture;
use maud::{Markup, html};

/// Most paths in the picture: more would not be read; the table shows all.
const PICTURE_PATHS_MAX: usize = 24;

/// One way from data to the one who can read it.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    /// The data and its class.
    pub(crate) data: String,
    /// The class, such as `restricted`.
    pub(crate) class: String,
    /// The provider or the premises where it lies.
    pub(crate) store: String,
    /// The place, as the table of regions knows it.
    pub(crate) place: String,
    /// The key under which it lies, or that it lies open.
    pub(crate) key: String,
    /// Whose key it is.
    pub(crate) holder: String,
    /// The page of the key, when it is ours.
    pub(crate) key_page: Option<String>,
    /// Who can read it.
    pub(crate) readers: String,
    /// What is to be said of it.
    pub(crate) state: State,
    /// Why.
    pub(crate) why: String,
}

/// The map.
#[derive(Debug, Clone, Default)]
pub(crate) struct Map {
    /// Every path, broken ones first.
    pub(crate) paths: Vec<Path>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Map) -> Markup {
    let broken = view.paths.iter().filter(|p| p.state.tone == Tone::Bad).count();
    let body = html! {
        @if view.paths.is_empty() {
            (empty(frame.language, "No data store is in the inventory yet, so there is no path to show.",
                   "lionrock assets import assets.yaml"))
        } @else {
            (verdict(broken as u64, view.paths.len() as u64))
            section {
                h2 { "The picture" }
                div.scroll role="region" aria-label="Picture of the key control map" tabindex="0" {
                    (picture::draw(&view.paths, PICTURE_PATHS_MAX))
                }
                @if view.paths.len() > PICTURE_PATHS_MAX {
                    p.note { "The picture shows the first " (PICTURE_PATHS_MAX) " paths." }
                }
            }
            section id="broken" {
                h2 { "Every path, broken ones first" }
                (paths(frame, view))
            }
        }
    };
    page(frame, &Title::of("Key control map"), source, &body)
}

fn verdict(broken: u64, all: u64) -> Markup {
    html! {
        @if broken == 0 {
            div.callout.good { p {
                "None of " (counted(all, "path", "paths")) " is broken."
            } }
        } @else {
            div.callout.bad { p {
                strong { (counted(broken, "broken path", "broken paths")) }
                " of " (counted(all, "path", "paths"))
                ": data that others can read, or that lies where it must not."
            } }
        }
    }
}

fn paths(frame: &Frame, view: &Map) -> Markup {
    let heads = ["Data", "Lies in", "Under the key", "Readable by", "State"];
    table(
        frame.language,
        "Every path of the key control map",
        &heads,
        &html! {
            @for path in &view.paths {
                tr {
                    th scope="row" { (path.data) br; span.note { (path.class) } }
                    td { (path.store) br; span.note { (path.place) } }
                    td {
                    @match &path.key_page {
                        Some(to) => a href=(to) { (path.key) },
                        None => (path.key),
                    }
                    br; span.note { (path.holder) }
                }
                    td { (path.readers) }
                    td { (path.state.show(frame.language)) br; span.note { (path.why) } }
                }
            }
        },
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::frame::tests::{frame, source};

    pub(crate) fn path(data: &str, place: &str, key: &str, tone: Tone) -> Path {
        Path {
            data: data.into(),
            class: "restricted: identity card numbers".into(),
            store: format!("{data} store"),
            place: place.into(),
            key: key.into(),
            holder: if tone == Tone::Good { "our key" } else { "the provider's own key" }.into(),
            key_page: (tone == Tone::Good).then(|| "/keys/key_1".into()),
            readers: if tone == Tone::Bad { "Provider A (sample)" } else { "retail-app" }.into(),
            state: State::new(tone, if tone == Tone::Bad { "Broken" } else { "Held by us" }),
            why: "the provider holds the key itself".into(),
        }
    }

    pub(crate) fn sample() -> Map {
        Map {
            paths: vec![
                path("Customer file, copy", "Singapore · ap-southeast-1", "Own key", Tone::Bad),
                path("Customer file", "Hong Kong · ap-east-1", "retail-files", Tone::Good),
                path("Card tokens", "Hong Kong · on premises", "card-tokens", Tone::Good),
                path("Ledger export", "Hong Kong · ap-east-1", "retail-files", Tone::Good),
            ],
        }
    }

    #[test]
    fn the_broken_path_is_said_drawn_and_listed() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("1 broken path</strong> of 4 paths"));
        assert!(text.contains("<path class=\"bad\""));
        assert!(text.contains("<span class=\"s bad\">Broken</span>"));
    }

    #[test]
    fn an_empty_map_says_how_to_fill_it() {
        let text = show(&frame(), &source(), &Map::default()).into_string();
        assert!(text.contains("lionrock assets import"));
        assert!(!text.contains("class=\"map\""));
    }

    #[test]
    fn many_paths_keep_the_picture_readable_and_the_table_whole() {
        let paths: Vec<_> =
            (0..300).map(|n| path(&format!("File {n}"), "HK", "k", Tone::Good)).collect();
        let text = show(&frame(), &source(), &Map { paths }).into_string();
        assert!(text.contains("File 299"));
        assert!(text.contains("The picture shows the first 24 paths."));
    }

    #[test]
    fn a_hostile_name_does_not_leave_the_picture() {
        let map = Map { paths: vec![path("</text><script>", "<b>", "'\"", Tone::Bad)] };
        let text = show(&frame(), &source(), &map).into_string();
        assert!(!text.contains("<script>") || !text.contains("</text><script>"));
        assert!(!text.contains("<b>"));
    }
}
