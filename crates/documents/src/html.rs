//! Printable HTML pages that stand alone: one file, no script, nothing fetched.

use crate::table::{Cell, Table};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// How something stands, shown as a dot and a word, never as colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Works, met.
    Good,
    /// Needs attention soon.
    Warn,
    /// Does not work, not met.
    Bad,
    /// Not known, not assessed.
    Unknown,
}

/// One part of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading with an anchor.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A paragraph that must not be overlooked.
    Notice(String),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// A state with its word and what it is about.
    Status(State, String, String),
    /// A table.
    Table(Table),
    /// Text as it is, such as a signed note or a command.
    Verbatim(String),
}

/// A page: title, what it is about, and its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Language of the page: `en` or `zh-Hant-HK`.
    pub language: String,
    /// The title.
    pub title: String,
    /// First line: how fresh, where from.
    pub freshness: String,
    /// Marked as a sample on every sheet of paper.
    pub sample: bool,
    /// The parts, in order.
    pub blocks: Vec<Block>,
}

const STYLE: &str = include_str!("page.css");

/// The page as one HTML file.
#[must_use]
pub fn write(page: &Page) -> String {
    let headings: Vec<&str> = page
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Heading(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let mut number = 0;
    let markup: Markup = html! {
        (DOCTYPE)
        html lang=(page.language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'";
                title { (page.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @if page.sample { p.sample { "SAMPLE" } }
                main {
                    h1 { (page.title) }
                    p.sub { (page.freshness) }
                    @if headings.len() > 2 {
                        nav aria-label="Contents" { ol {
                            @for (i, heading) in headings.iter().enumerate() {
                                li { a href={ "#s" (i + 1) } { (heading) } }
                            }
                        } }
                    }
                    @for block in &page.blocks { (self::block(block, &mut number)) }
                }
            }
        }
    };
    markup.into_string()
}

fn block(block: &Block, headings: &mut usize) -> Markup {
    match block {
        Block::Heading(text) => {
            *headings += 1;
            html! { h2 id={ "s" (headings) } { (text) } }
        }
        Block::Text(text) => html! { p { (text) } },
        Block::Notice(text) => html! { p.notice { (text) } },
        Block::Facts(facts) => html! {
            dl { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
        },
        Block::Status(state, word, about) => html! {
            p { span.s.(class(*state)) { (word) } " " (about) }
        },
        Block::Table(table) => table_markup(table),
        Block::Verbatim(text) => html! { pre { (text) } },
    }
}

const fn class(state: State) -> &'static str {
    match state {
        State::Good => "ok",
        State::Warn => "warn",
        State::Bad => "bad",
        State::Unknown => "unknown",
    }
}

fn table_markup(table: &Table) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(table.title) {
            table {
                caption { (table.title) }
                thead { tr { @for column in &table.columns { th scope="col" { (column) } } } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (i, _) in table.columns.iter().enumerate() {
                                (cell(row.get(i).unwrap_or(&Cell::Empty)))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    match cell {
        Cell::Number(_) => html! { td.n { (cell.plain()) } },
        Cell::Time(at) => html! {
            td { time datetime=(at.rfc3339()) title=(at.rfc3339()) { (cell.plain()) } }
        },
        Cell::Text(_) | Cell::Empty => html! { td { (cell.plain()) } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut table = Table::new("<t>", &["<c>"]);
        table.push(vec![Cell::text("<script>alert(1)</script>")]);
        let page = Page {
            language: "en".into(),
            title: "</title><script>".into(),
            freshness: "\"'><img src=x>".into(),
            sample: true,
            blocks: vec![
                Block::Heading("<h>".into()),
                Block::Facts(vec![("<a>".into(), "<b>".into())]),
                Block::Table(table),
                Block::Verbatim("</pre><script>".into()),
            ],
        };
        let text = write(&page);
        assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
        assert!(text.contains("SAMPLE") && text.contains("&lt;script&gt;alert(1)"));
    }

    #[test]
    fn a_page_refers_to_nothing_outside_itself() {
        let page = Page {
            language: "zh-Hant-HK".into(),
            title: "t".into(),
            freshness: String::new(),
            sample: false,
            blocks: vec![Block::Status(State::Bad, "Not working".into(), "x".into())],
        };
        let text = write(&page);
        for outside in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!text.contains(outside), "{outside}");
        }
    }
}
