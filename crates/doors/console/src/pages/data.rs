//! The pages of data: where sensitive data lies, and what was found there.

pub(crate) mod finding;
pub(crate) mod profiles;
pub(crate) mod source;
pub(crate) mod sources;
pub(crate) mod trial;

use crate::elements::{Pager, State, ago, capitalised, command, count, empty, moment, table};
use crate::frame::{Frame, Source, Title, page};
use discover::Class;
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
    /// The filters as a query says them.
    pub(crate) filters: String,
    pub(crate) pager: Pager,
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
            a href="/data/profiles" { "Classification profiles" } " "
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
            p.tally {
                a href=(format!("/data/report?form=xlsx&{}", view.filters)) download {
                    "All of these as a workbook (XLSX)"
                } " "
                a href=(format!("/data/report?form=csv&{}", view.filters)) download { "as CSV" }
            }
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
    fn a_hostile_object_is_only_text() {
        let view = Findings {
            rows: vec![row("<script>alert(1)</script>")],
            filters: "class=secret".into(),
            ..Findings::default()
        };
        let text = findings(&frame(), &source(), &view).into_string();
        assert!(text.contains("/data/report?form=xlsx&amp;class=secret"), "{text}");
        assert!(!text.contains("<script>alert"));
    }
}
