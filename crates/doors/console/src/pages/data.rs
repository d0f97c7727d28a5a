//! The pages of data: where sensitive data lies, what was found, one finding, sources, a test box.

use crate::elements::{
    Pager, State, ago, capitalised, command, count, counted, duration, empty, form_token, moment,
    table,
};
use crate::frame::{Frame, Source, Title, page};
use discover::{Act, Class, Finding, Live, Progress, ScanState, Tried};
use kernel::Timestamp;
use maud::{Markup, html};

/// One store in the heat map.
#[derive(Debug, Clone)]
pub(crate) struct Heat {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) counts: Vec<(Class, u64)>,
    pub(crate) scanned: Option<Timestamp>,
}

/// Sensitive data outside Hong Kong.
#[derive(Debug, Clone)]
pub(crate) struct Border {
    pub(crate) place: String,
    pub(crate) source: String,
    pub(crate) id: String,
    pub(crate) class: Class,
    pub(crate) objects: u64,
}

/// The overview.
#[derive(Debug, Clone, Default)]
pub(crate) struct DataOverview {
    pub(crate) rows: Vec<Heat>,
    pub(crate) borders: Vec<Border>,
    pub(crate) top: Vec<FindingRow>,
}

/// One finding in a list.
#[derive(Debug, Clone)]
pub(crate) struct FindingRow {
    pub(crate) id: String,
    pub(crate) object: String,
    pub(crate) source: String,
    pub(crate) class: Class,
    pub(crate) score: u8,
    pub(crate) level: State,
    pub(crate) standing: State,
    pub(crate) kinds: String,
    pub(crate) seen: Timestamp,
}

/// The list of findings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    pub(crate) rows: Vec<FindingRow>,
    pub(crate) sources: Vec<(String, String)>,
    pub(crate) source: String,
    pub(crate) class: String,
    pub(crate) standing: String,
    pub(crate) level: String,
    pub(crate) kind: String,
    pub(crate) pager: Pager,
}

/// One finding.
#[derive(Debug, Clone)]
pub(crate) struct FindingView {
    pub(crate) finding: Finding,
    pub(crate) shown: String,
    pub(crate) source_name: String,
    pub(crate) accepted: Option<(String, Timestamp, String)>,
    pub(crate) decides: bool,
    pub(crate) acts: Vec<Act>,
    pub(crate) deletes: bool,
    pub(crate) level: State,
    pub(crate) standing: State,
}

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

/// The test box.
#[derive(Debug, Clone, Default)]
pub(crate) struct TryBox {
    pub(crate) text: String,
    pub(crate) tried: Option<Tried>,
}

const ADD: &str = "lionrock discover source add --name statements --folder /srv/statements";

/// `/data`: which stores hold what?
pub(crate) fn overview(frame: &Frame, source: &Source, view: &DataOverview) -> Markup {
    let body = html! {
        (tabs())
        @if view.rows.is_empty() {
            (empty(frame.language, "No source is known yet; a source is a place where data is looked for.", ADD))
        } @else {
            section {
                h2 { (frame.language.term("Stores by class")) }
                (heat_map(frame, view))
                (command(frame.language, "lionrock discover source list"))
            }
            section {
                h2 { (frame.language.term("Outside Hong Kong")) }
                @if view.borders.is_empty() {
                    p { "No sensitive data was found outside Hong Kong in the sources that were scanned." }
                } @else { (borders(frame, view)) }
            }
            section {
                h2 { (frame.language.term("Highest risks")) }
                @if view.top.is_empty() { p { "No finding is open." } }
                @else { (rows(frame, &view.top)) }
            }
        }
    };
    page(frame, &Title::of("Sensitive data"), source, &body)
}

fn tabs() -> Markup {
    html! {
        p.tally {
            a href="/data/findings" { "All findings" } " "
            a href="/data/sources" { "Sources and scans" } " "
            a href="/data/try" { "Try a text" }
        }
    }
}

/// How many objects of a class make a cell how dark: three steps beside none.
const fn step(count: u64) -> &'static str {
    match count {
        0 => "heat",
        1..10 => "heat h1",
        10..1_000 => "heat h2",
        _ => "heat h3",
    }
}

fn heat_map(frame: &Frame, view: &DataOverview) -> Markup {
    html! {
        div.scroll role="region" aria-label="Stores by class" tabindex="0" {
            table {
                caption { "Objects of each class; the darker the cell, the more." }
                thead { tr {
                    th scope="col" { "Store" }
                    th scope="col" { "Place" }
                    @for class in Class::ALL { th.n scope="col" {
                        (frame.language.term(&capitalised(class.word())))
                    } }
                    th scope="col" { "Scanned" }
                } }
                tbody { @for row in &view.rows { tr {
                    th scope="row" {
                        a href=(format!("/data/findings?source={}", row.id)) { (row.name) }
                    }
                    td { (row.place) }
                    @for (class, objects) in &row.counts {
                        td.n {
                            @if *objects == 0 { span.soft { "0" } }
                            @else {
                                a class=(format!("{} {}", step(*objects), class.word()))
                                    href=(format!("/data/findings?source={}&class={class}", row.id)) {
                                    (count(*objects)) span.away { " " (class.word()) }
                                }
                            }
                        }
                    }
                    td { @match row.scanned {
                        Some(at) => (moment(at)),
                        None => span.soft { "never" },
                    } }
                } } }
            }
        }
    }
}

fn borders(frame: &Frame, view: &DataOverview) -> Markup {
    table(
        frame.language,
        "Outside Hong Kong",
        &["Place", "Store", "Class", "Objects"],
        &html! { @for border in &view.borders { tr {
            td { (border.place) }
            th scope="row" {
                a href=(format!("/data/findings?source={}", border.id)) { (border.source) }
            }
            td { (frame.language.term(&capitalised(border.class.word()))) }
            td { (count(border.objects)) }
        } } },
    )
}

fn rows(frame: &Frame, rows: &[FindingRow]) -> Markup {
    table(
        frame.language,
        "Findings",
        &["Object", "Risk", "Class", "Standing", "Store", "Holds", "Last seen"],
        &html! { @for row in rows { tr {
            th scope="row" { a href=(format!("/data/findings/{}", row.id)) { (row.object) } }
            td.nowrap { (row.score) " " (row.level.show(frame.language)) }
            td { (frame.language.term(&capitalised(row.class.word()))) }
            td { (row.standing.show(frame.language)) }
            td { (row.source) }
            td { (row.kinds) }
            td { (ago(frame.now, row.seen)) }
        } } },
    )
}

/// `/data/findings`: what was found, and what matters first?
pub(crate) fn findings(frame: &Frame, source: &Source, view: &Findings) -> Markup {
    let body = html! {
        (filter(view))
        @if view.rows.is_empty() {
            (empty(frame.language, "Nothing was found that fits.", "lionrock discover findings"))
        } @else {
            (rows(frame, &view.rows))
            (view.pager.show(frame.language, "findings"))
            (command(frame.language, "lionrock discover report --format xlsx --out findings.xlsx"))
        }
    };
    let title = Title { text: "Findings", within: Some(("/data", "Sensitive data")) };
    page(frame, &title, source, &body)
}

fn filter(view: &Findings) -> Markup {
    let classes: Vec<_> = Class::ALL.iter().map(|c| c.word().to_owned()).collect();
    let standings: Vec<_> = discover::Standing::ALL.iter().map(|s| s.word().to_owned()).collect();
    let levels: Vec<_> = ["low", "medium", "high", "critical"].map(str::to_owned).to_vec();
    let plain = |words: Vec<String>| words.into_iter().map(|w| (w.clone(), w)).collect::<Vec<_>>();
    html! {
        form.row method="get" action="/data/findings" {
            label { "Store" (select("source", &view.sources, &view.source, "Every store")) }
            label { "Class" (select("class", &plain(classes), &view.class, "Every class")) }
            label { "Standing" (select("standing", &plain(standings), &view.standing, "All that are there")) }
            label { "Risk from" (select("level", &plain(levels), &view.level, "Any")) }
            label { "Kind" input name="kind" value=(view.kind) maxlength="40"; }
            button type="submit" { "Show" }
        }
    }
}

fn select(name: &str, choices: &[(String, String)], chosen: &str, all: &str) -> Markup {
    html! {
        select name=(name) {
            option value="" { (all) }
            @for (value, shown) in choices {
                option value=(value) selected[value == chosen] { (shown) }
            }
        }
    }
}

/// `/data/findings/{finding}`: why is this a risk, and what can be done?
pub(crate) fn finding(frame: &Frame, source: &Source, view: &FindingView) -> Markup {
    let finding = &view.finding;
    let body = html! {
        dl {
            dt { "Risk" } dd { (finding.risk.score) " of 100, " (view.level.show(frame.language)) }
            dt { "Class" } dd { (frame.language.term(&capitalised(finding.class.word()))) }
            dt { "Standing" } dd {
                (view.standing.show(frame.language))
                @if let Some((by, until, reason)) = &view.accepted {
                    " by " (by) " until " (moment(*until)) ": " (reason)
                }
            }
            dt { "Store" } dd {
                a href=(format!("/data/findings?source={}", finding.source)) { (view.source_name) }
            }
            @if !finding.categories.is_empty() {
                dt { "Falls under" } dd { @for category in &finding.categories {
                    (category.title()) br;
                } }
            }
            dt { "First found" } dd { (moment(finding.first_seen)) }
        }
        section {
            h2 { "Why this risk" }
            (table(frame.language, "Why this risk", &["Factor", "Share", "Because"], &html! {
                @for factor in &finding.risk.factors { tr {
                    th scope="row" { (capitalised(factor.aspect.word())) }
                    td.n { (factor.percent) " %" }
                    td { (factor.sentence) }
                } }
            }))
        }
        section {
            h2 { "Why this class" }
            ul { @for because in &finding.because { li {
                (frame.language.term(&capitalised(because.class.word()))) ": " (because.sentence)
            } } }
        }
        (holds(frame, view))
        @if view.decides { (decisions(frame, view)) }
        @if !view.acts.is_empty() || view.deletes { (acts(frame, view)) }
        (command(frame.language, &format!("lionrock discover show {}", finding.id)))
    };
    let title = Title { text: &view.shown, within: Some(("/data/findings", "Findings")) };
    page(frame, &title, source, &body)
}

const HOLDS: &[&str] = &["Kind", "Sure", "Likely", "Different", "Set aside", "For example"];

fn holds(frame: &Frame, view: &FindingView) -> Markup {
    html! {
        section {
            h2 { "What it holds" }
            (table(frame.language, "What it holds", HOLDS, &html! { @for kind in &view.finding.kinds { tr {
                    th scope="row" { (crate::load::data::called(kind.kind)) }
                    td.n { (count(kind.tally.sure)) }
                    td.n { (count(kind.tally.likely)) }
                    td.n { (count(kind.tally.distinct)) }
                    td.n { (count(kind.set_aside)) }
                    td { @for sample in kind.samples.iter().take(3) {
                        code { (sample.masked) } " " span.soft { (sample.at) } br;
                    } }
                } } }))
            p.note { "Values stand behind a mask. Where identity card numbers are found, no names are shown." }
        }
    }
}

fn decisions(frame: &Frame, view: &FindingView) -> Markup {
    let at = |verb: &str| format!("/data/findings/{}/{verb}", view.finding.id);
    html! {
        section.acts {
            h2 { "Decide" }
            details { summary { "No find" } div {
                form.stack method="post" action=(at("no-find")) {
                    (form_token(&frame.form_token))
                    label { "Kind" select name="kind" required {
                        @for kind in &view.finding.kinds {
                            option { (String::from(kind.kind)) }
                        }
                    } }
                    label { "Column, when all columns of this name in the store are none"
                        input name="column" maxlength="200"; }
                    label { "Reason" textarea name="reason" required maxlength="2000" {} }
                    button type="submit" { "It is no find" }
                }
            } }
            @if view.finding.accepted.is_none() {
                details { summary { "Accept the risk for a time" } div {
                    form.stack method="post" action=(at("accept")) {
                        (form_token(&frame.form_token))
                        label { "Days" input type="number" name="days" min="1" max="366" value="90" required; }
                        label { "Reason" textarea name="reason" required maxlength="2000" {} }
                        button type="submit" { "Accept" }
                    }
                } }
            } @else {
                details { summary { "Open it again" } div {
                    form.stack method="post" action=(at("reopen")) {
                        (form_token(&frame.form_token))
                        label { "Reason" textarea name="reason" required maxlength="2000" {} }
                        button type="submit" { "Open again" }
                    }
                } }
            }
        }
    }
}

fn acts(frame: &Frame, view: &FindingView) -> Markup {
    let at = |verb: &str| format!("/data/findings/{}/{verb}", view.finding.id);
    let why = html! { label { "Reason" textarea name="reason" required maxlength="2000" {} } };
    html! {
        section.acts {
            h2 { "Act" }
            @for act in &view.acts {
                @match act {
                    Act::Quarantine => details { summary { "Quarantine" } div {
                        p { "The file is moved where only the server reads it. It can be brought back." }
                        form.stack method="post" action=(at("quarantine")) {
                            (form_token(&frame.form_token)) (why)
                            button type="submit" { "Quarantine" }
                        }
                    } },
                    Act::Restore => details { summary { "Bring it back" } div {
                        form.stack method="post" action=(at("restore")) {
                            (form_token(&frame.form_token)) (why)
                            button type="submit" { "Bring it back" }
                        }
                    } },
                    Act::Encrypt => details { summary { "Encrypt in place" } div {
                        p { "The file is replaced by an envelope file under a key that is labelled "
                            code { "found-data=encrypt" } ". Applications without that key no longer read it." }
                        form.stack method="post" action=(at("encrypt")) {
                            (form_token(&frame.form_token))
                            label { "Key" input name="key" required maxlength="64"; }
                            (why)
                            button type="submit" { "Encrypt" }
                        }
                    } },
                    Act::Delete => {},
                }
            }
            @if view.deletes {
                details { summary { "Delete" } div {
                    p { "The file is lost for good. Somebody who answers for the data has to approve first:" }
                    (command(frame.language, &format!(
                        "lionrock discover act delete {} --reason \"…\"", view.finding.id)))
                } }
            }
        }
    }
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
        &["Name", "Owner", "Place", "Objects", "Highest class", "Risk", "Newest scan", ""],
        &html! { @for row in &view.rows { tr {
            th scope="row" { a href=(format!("/data/findings?source={}", row.id)) { (row.name) } }
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

fn scan_line(frame: &Frame, scan: &ScanLine) -> Markup {
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

/// `/data/try`: what do the detectors see in a text?
pub(crate) fn try_box(frame: &Frame, source: &Source, view: &TryBox) -> Markup {
    let body = html! {
        form.stack method="post" action="/data/try" {
            (form_token(&frame.form_token))
            label { "Text, a few pages; nothing of it is kept"
                textarea name="text" rows="8" required maxlength="20000" { (view.text) } }
            button.first type="submit" { "Try it" }
        }
        @if let Some(tried) = &view.tried {
            section {
                h2 { "What the detectors see" }
                @if tried.spans.is_empty() { p { "Nothing." } }
                pre { (marked(&view.text, tried)) }
                p { "An object with this text is "
                    (frame.language.term(&capitalised(tried.class.word()))) ":" }
                ul { @for because in &tried.because { li { (because.sentence) } } }
            }
        }
        (command(frame.language, "lionrock discover try --in letter.txt"))
    };
    let title = Title { text: "Try a text", within: Some(("/data", "Sensitive data")) };
    page(frame, &title, source, &body)
}

/// The text with every find marked and named.
fn marked(text: &str, tried: &Tried) -> Markup {
    let mut at = 0;
    let mut parts = Vec::new();
    for span in &tried.spans {
        if let (Some(before), Some(found)) =
            (text.get(at..span.start), text.get(span.start..span.end))
        {
            parts.push((before, Some((found, String::from(span.kind)))));
            at = span.end;
        }
    }
    let rest = text.get(at..).unwrap_or_default();
    html! {
        @for (before, found) in &parts {
            (before)
            @if let Some((found, kind)) = found {
                mark title=(kind) { (found) } span.tag { "‹" (kind) "›" }
            }
        }
        (rest)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::elements::Tone;
    use crate::frame::tests::{frame, now, source};

    fn row(object: &str) -> FindingRow {
        FindingRow {
            id: "fnd_0".into(),
            object: object.into(),
            source: "retail".into(),
            class: Class::Restricted,
            score: 61,
            level: State::new(Tone::Bad, "high"),
            standing: State::new(Tone::Bad, "open"),
            kinds: "600 × hk-identity-card".into(),
            seen: now(),
        }
    }

    #[test]
    fn the_heat_map_says_its_counts_in_text() {
        let counts = Class::ALL.iter().map(|class| (*class, 12)).collect();
        let heat = Heat {
            id: "src_0".into(),
            name: "retail".into(),
            place: "Singapore".into(),
            counts,
            scanned: None,
        };
        let view = DataOverview { rows: vec![heat], borders: Vec::new(), top: vec![row("a.csv")] };
        let text = overview(&frame(), &source(), &view).into_string();
        assert!(text.contains("heat h2 restricted") && text.contains(">12<span class=\"away\">"));
        assert!(text.contains("never"));
    }

    #[test]
    fn no_source_is_one_sentence_and_one_command() {
        let text = overview(&frame(), &source(), &DataOverview::default()).into_string();
        assert!(text.contains("No source is known yet") && text.contains("discover source add"));
    }

    #[test]
    fn a_hostile_object_or_text_is_only_text() {
        let view = Findings { rows: vec![row("<script>alert(1)</script>")], ..Findings::default() };
        let text = findings(&frame(), &source(), &view).into_string();
        assert!(!text.contains("<script>alert"));
        let tried = Tried {
            spans: vec![discover::TriedSpan {
                start: 0,
                end: 8,
                kind: extract::KindName::try_from(String::from("hk-identity-card")).unwrap(),
                sure: true,
            }],
            class: Class::Restricted,
            because: Vec::new(),
        };
        let view = TryBox { text: "<script>x".into(), tried: Some(tried) };
        let text = try_box(&frame(), &source(), &view).into_string();
        assert!(text.contains("<mark title=\"hk-identity-card\">&lt;script&gt;</mark>"), "{text}");
        assert!(!text.contains("<script>x"));
    }
}
