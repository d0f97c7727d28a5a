//! `/requirements`: where do we stand, source by source? Never one percentage.

use crate::elements::{
    Pager, State, command, count, empty, form_token, moment, query_value, table,
};
use crate::frame::{Frame, Source, Title, page};
use comply::RunSchedule;
use maud::{Markup, html};

/// One source of requirements with its counts.
#[derive(Debug, Clone)]
pub(crate) struct SourceRow {
    /// Its short key, for the filter.
    pub(crate) key: String,
    /// Its title.
    pub(crate) title: String,
    /// How many requirements have each status, in the order of [`Requirements::statuses`].
    pub(crate) counts: Vec<u64>,
}

/// One requirement in the list.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its identifier.
    pub(crate) id: String,
    /// The paragraph of its source.
    pub(crate) section: String,
    /// Its title.
    pub(crate) title: String,
    /// Its source, short.
    pub(crate) source: String,
    /// Its status.
    pub(crate) status: State,
    /// Kind of evidence.
    pub(crate) evidence: String,
    /// Who answers for it.
    pub(crate) owner: Option<String>,
}

/// The page's content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requirements {
    /// The profile that decides what applies, in words.
    pub(crate) profile: String,
    /// Statuses that occur, with the word sent in the filter, worst first.
    pub(crate) statuses: Vec<(String, State)>,
    /// Sources.
    pub(crate) sources: Vec<SourceRow>,
    /// The page of requirements.
    pub(crate) rows: Vec<Row>,
    /// The source chosen.
    pub(crate) chosen_source: String,
    /// The status chosen.
    pub(crate) chosen_status: String,
    /// Where one is in the list.
    pub(crate) pager: Pager,
    /// The one who looks may run the checks.
    pub(crate) may_run: bool,
    /// When the checks run by themselves.
    pub(crate) schedule: Option<RunSchedule>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Requirements) -> Markup {
    let body = html! {
        p { (view.profile) }
        section {
            h2 { (frame.language.term("Where we stand, by source")) }
            @if view.sources.is_empty() {
                (empty(frame.language, "The catalogue is empty.", "lionrock requirements list"))
            } @else { (by_source(frame, view)) }
            @if let Some(schedule) = &view.schedule { (runs(frame, schedule)) }
            @if view.may_run {
                form.row.acts method="post" action="/requirements/run" {
                    (form_token(&frame.form_token))
                    button type="submit" { (frame.language.term("Run the checks now")) }
                }
                (command(frame.language, "lionrock checks run"))
            }
        }
        section {
            h2 { (frame.language.term("Requirements")) }
            (filter(frame, view))
            @if view.rows.is_empty() {
                (empty(frame.language, "No requirement is of this source and status.", "lionrock requirements list"))
            } @else { (list(frame, view)) (view.pager.show(frame.language, "requirements")) }
        }
    };
    page(frame, &Title::of("Requirements"), source, &body)
}

/// When the checks ran and run again.
fn runs(frame: &Frame, schedule: &RunSchedule) -> Markup {
    let hours = if schedule.every_hours == 1 { "hour" } else { "hours" };
    html! {
        p {
            (frame.language.term("Checks run by themselves every")) " "
            (schedule.every_hours) " " (frame.language.term(hours)) ". "
            @match schedule.last {
                Some(last) => { (frame.language.term("Last run")) ": " (moment(last)) ". " }
                None => { (frame.language.term("They have not run yet")) ". " }
            }
            @if let Some(next) = schedule.next {
                (frame.language.term("Next run")) ": " (moment(next)) "."
            }
        }
    }
}

fn by_source(frame: &Frame, view: &Requirements) -> Markup {
    html! {
        div.scroll role="region" aria-label="Where we stand, by source" tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { (frame.language.term("Source")) }
                    @for (_, state) in &view.statuses {
                        th.n scope="col" { (state.show(frame.language)) }
                    }
                    th.n scope="col" { (frame.language.term("All")) }
                } }
                tbody {
                    @for row in &view.sources { tr {
                        th scope="row" {
                            a href=(format!("/requirements?source={}#list", query_value(&row.key))) {
                                (row.title)
                            }
                        }
                        @for (n, (word, _)) in row.counts.iter().zip(&view.statuses) {
                            td.n { (cell(*n, &row.key, word)) }
                        }
                        td.n { (count(row.counts.iter().sum())) }
                    } }
                }
            }
        }
    }
}

/// A number that leads to the rows that it counts.
fn cell(n: u64, source: &str, status: &str) -> Markup {
    let (source, status) = (query_value(source), query_value(status));
    html! {
        @if n == 0 { span.soft { "0" } } @else {
            a href=(format!("/requirements?source={source}&status={status}#list")) { (count(n)) }
        }
    }
}

fn filter(frame: &Frame, view: &Requirements) -> Markup {
    html! {
        form.row id="list" method="get" action="/requirements" {
            label { (frame.language.term("Source")) " " select name="source" {
                option value="" { (frame.language.term("All")) }
                @for row in &view.sources {
                    option value=(row.key) selected[row.key == view.chosen_source] { (row.title) }
                }
            } }
            label { (frame.language.term("Status")) " " select name="status" {
                option value="" { (frame.language.term("All")) }
                @for (word, state) in &view.statuses {
                    option value=(word) selected[*word == view.chosen_status] {
                        (frame.language.translated(&state.word).unwrap_or(&state.word))
                    }
                }
            } }
            button type="submit" { (frame.language.term("Show")) }
        }
    }
}

fn list(frame: &Frame, view: &Requirements) -> Markup {
    let heads = ["Requirement", "Source", "Status", "Evidence", "Owner"];
    table(
        frame.language,
        "Requirements",
        &heads,
        &html! {
            @for row in &view.rows {
                tr {
                    td.nowrap { (row.section) }
                    th scope="row" { a href=(format!("/requirements/{}", row.id)) { (row.title) } }
                    td { (row.source) }
                    td { (row.status.show(frame.language)) }
                    td { (frame.language.term(&row.evidence)) }
                    td { @match &row.owner {
                        Some(owner) => (owner),
                        None => span.soft { (frame.language.term("nobody yet")) },
                    } }
                }
            }
        },
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::elements::Tone;
    use crate::frame::tests::{frame, now, source};

    pub(crate) fn sample() -> Requirements {
        let row = |section: &str, title: &str, status: State, owner: Option<&str>| Row {
            id: format!("hkma-tmg1-{section}"),
            section: section.into(),
            title: title.into(),
            source: "TM-G-1".into(),
            status,
            evidence: "observed".into(),
            owner: owner.map(Into::into),
        };
        let bad = State::new(Tone::Bad, "Control not working");
        let good = State::new(Tone::Good, "Control working");
        let none = State::new(Tone::Quiet, "No data");
        Requirements {
            profile: "Licensed bank, local; 351 requirements apply, 27 do not.".into(),
            statuses: vec![
                ("control-not-working".into(), bad.clone()),
                ("no-data".into(), none.clone()),
                ("control-working".into(), good.clone()),
            ],
            sources: vec![
                SourceRow { key: "tmg1".into(), title: "TM-G-1".into(), counts: vec![3, 40, 9] },
                SourceRow {
                    key: "sa2".into(), title: "SA-2 外判".into(), counts: vec![0, 31, 2]
                },
            ],
            rows: vec![
                row("3.1.4", "Keys are managed through their life", bad, Some("Risk Officer")),
                row("3.2.1", "Access is given by need", good, None),
                row("5.2", "Capacity is planned", none, None),
            ],
            chosen_source: "tmg1".into(),
            chosen_status: String::new(),
            pager: Pager { shown: "3 of 52 requirements".into(), ..Pager::default() },
            may_run: true,
            schedule: Some(RunSchedule {
                every_hours: 24,
                last: Some(now()),
                next: Some(now().plus_days(1)),
            }),
        }
    }

    #[test]
    fn counts_stand_by_source_and_lead_to_their_rows() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("/requirements?source=tmg1&amp;status=no-data#list\">40</a>"));
        assert!(!text.contains('%'), "no percentage is shown");
    }

    #[test]
    fn who_may_not_run_checks_sees_no_button() {
        let view = Requirements { may_run: false, ..sample() };
        assert!(!show(&frame(), &source(), &view).into_string().contains("Run the checks"));
    }

    #[test]
    fn the_page_says_when_the_checks_ran_and_run_again() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("every 24 hours") && text.contains("Next run: <time"), "{text}");
        let schedule = Some(RunSchedule { every_hours: 1, last: None, next: None });
        let text = show(&frame(), &source(), &Requirements { schedule, ..sample() }).into_string();
        assert!(text.contains("every 1 hour. ") && text.contains("They have not run yet."));
    }

    #[test]
    fn an_empty_catalogue_says_how_to_fill_it() {
        let text = show(&frame(), &source(), &Requirements::default()).into_string();
        assert!(text.contains("lionrock requirements list"));
    }

    #[test]
    fn a_hostile_source_stays_in_its_link() {
        let mut view = sample();
        view.sources[0].key = "\"><script>&status=met".into();
        let text = show(&frame(), &source(), &view).into_string();
        assert!(!text.contains("\"><script>"));
        assert!(text.contains("source=%22%3E%3Cscript%3E%26status%3Dmet"));
    }
}
