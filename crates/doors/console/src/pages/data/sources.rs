//! Sources and their scans: where is looked, and how far?

use super::ADD;
use crate::elements::{
    ago, capitalised, command, count, counted, duration, empty, form_token, moment, table,
};
use crate::frame::{Frame, Source, Title, page};
use discover::{Class, Live, Progress, ScanState};
use kernel::Timestamp;
use maud::{Markup, html};

/// The newest scan of a source.
#[derive(Debug, Clone)]
pub(crate) struct ScanLine {
    pub(crate) state: ScanState,
    pub(crate) started: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) progress: Progress,
    pub(crate) live: Option<Live>,
    pub(crate) troubles: u64,
    pub(crate) failure: Option<String>,
}

/// One source.
#[derive(Debug, Clone)]
pub(crate) struct SourceRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) place: String,
    pub(crate) objects: u64,
    pub(crate) class: Option<Class>,
    pub(crate) score: u8,
    pub(crate) due: Option<Timestamp>,
    pub(crate) scan: Option<ScanLine>,
}

/// The list of sources.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    pub(crate) rows: Vec<SourceRow>,
    /// Whether the one who looks may scan.
    pub(crate) scans: bool,
    /// Whether the one who looks may add sources.
    pub(crate) adds: bool,
}

/// `/data/sources`: where is looked, and how far?
pub(crate) fn sources(frame: &Frame, source: &Source, view: &Sources) -> Markup {
    let going = view.rows.iter().any(|row| row.scan.as_ref().is_some_and(|s| s.live.is_some()));
    let body = html! {
        @if view.rows.is_empty() {
            (empty(frame.language, "No source is known yet; a source is a place where data is looked for.", ADD))
        } @else {
            div id="sources" data-refresh[going] { (source_table(frame, view)) }
            @if going { p.note { a href="/data/sources" { "Read again" } } }
            @if view.adds { (command(frame.language, ADD)) }
        }
    };
    let title = Title { text: "Sources", within: Some(("/data", "Sensitive data")) };
    page(frame, &title, source, &body)
}

fn source_table(frame: &Frame, view: &Sources) -> Markup {
    table(
        frame.language,
        "Sources",
        &["Name", "Owner", "Place", "Objects", "Highest class", "Risk", "Newest scan", "Scan"],
        &html! { @for row in &view.rows { tr {
            th scope="row" { a href=(format!("/data/sources/{}", row.id)) { (row.name) } }
            td { (row.owner) }
            td { (row.place) }
            td.n { (count(row.objects)) }
            td { @match row.class {
                Some(class) => (frame.language.term(&capitalised(class.word()))),
                None => span.soft { "nothing found" },
            } }
            td.n { (row.score) }
            td {
                @match &row.scan { Some(scan) => (scan_line(frame, scan)), None => span.soft { "never" } }
                @if let Some(due) = row.due { br; span.soft { "next " (moment(due)) } }
            }
            td { @if view.scans { (scan_button(frame, row)) } }
        } } },
    )
}

fn scan_button(frame: &Frame, row: &SourceRow) -> Markup {
    let going = row.scan.as_ref().is_some_and(|scan| scan.state == ScanState::Running);
    let (verb, word) = if going { ("cancel", "Cancel") } else { ("scan", "Scan") };
    html! {
        form method="post" action=(format!("/data/sources/{}/{verb}", row.id)) {
            (form_token(&frame.form_token))
            button type="submit" { (word) span.away { " " (row.name) } }
        }
    }
}

pub(crate) fn scan_line(frame: &Frame, scan: &ScanLine) -> Markup {
    html! {
        @match (&scan.live, scan.state) {
            (Some(live), _) => {
                @if live.expected.complete && live.expected.objects > 0 {
                    progress max=(live.expected.objects) value=(live.objects)
                        aria-label="Objects scanned" {}
                    br;
                }
                (count(live.objects))
                @if live.expected.objects > 0 { " of " (count(live.expected.objects)) }
                " objects, " (rate(live.bytes_per_second))
                @if let Some(left) = live.seconds_left {
                    ", " (duration(i64::try_from(left).unwrap_or(i64::MAX))) " left"
                }
                @if live.cancelling { ", stopping" }
            }
            (None, state) => {
                (capitalised(state.word())) " " (ago(frame.now, scan.ended.unwrap_or(scan.started)))
                ": " (counted(scan.progress.objects, "object", "objects"))
                @if scan.progress.unchanged > 0 { ", " (count(scan.progress.unchanged)) " unchanged" }
            }
        }
        @if scan.troubles > 0 { br; span.warn { (counted(scan.troubles, "trouble", "troubles")) } }
        @if let Some(failure) = &scan.failure { br; span.bad { (failure) } }
    }
}

/// Bytes a second as people say them.
fn rate(bytes: f64) -> String {
    if bytes >= 1e6 {
        format!("{:.1} MB/s", bytes / 1e6)
    } else {
        format!("{:.0} kB/s", bytes / 1e3)
    }
}
