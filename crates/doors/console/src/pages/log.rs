//! `/log`: who did what, when, to which thing?

use crate::elements::{Pager, State, command, count, empty, moment, table};
use crate::frame::{Frame, Source, Title, page};
use kernel::Timestamp;
use maud::{Markup, html};

/// One record in the list.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its position in the log.
    pub(crate) position: u64,
    /// When.
    pub(crate) at: Timestamp,
    /// The action's word.
    pub(crate) action: String,
    /// Who.
    pub(crate) who: String,
    /// On what: kind and identifier.
    pub(crate) resource: String,
    /// How it ended.
    pub(crate) outcome: State,
}

/// What was asked for; an empty field asks for nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Who: a person's, a service's id, or `system`.
    pub(crate) who: String,
    /// The action's word.
    pub(crate) action: String,
    /// Kind and identifier of the thing.
    pub(crate) resource: String,
    /// The id by which the caller knows the request.
    pub(crate) correlation: String,
    /// From this day in Hong Kong, `YYYY-MM-DD`.
    pub(crate) from: String,
    /// To this day in Hong Kong, inclusive.
    pub(crate) to: String,
}

/// The newest signed statement about the whole log.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    /// The signed note.
    pub(crate) note: String,
    /// How many records it covers.
    pub(crate) size: u64,
    /// Who else has seen it, or that nobody has.
    pub(crate) witnesses: String,
}

/// The log as asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    /// What was asked for.
    pub(crate) asked: Asked,
    /// What is wrong with what was asked for.
    pub(crate) problem: Option<String>,
    /// Records, newest first.
    pub(crate) rows: Vec<Row>,
    /// Where one is in the list.
    pub(crate) pager: Pager,
    /// The checkpoint.
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Log) -> Markup {
    let body = html! {
        (form(&view.asked))
        @if let Some(problem) = &view.problem {
            div.callout.bad role="alert" { p { (problem) } }
        } @else if view.rows.is_empty() {
            (empty(frame.language, "No record answers to this.", "lionrock log query"))
        } @else {
            (rows(frame, view))
            (view.pager.show(frame.language, "records"))
        }
        @if let Some(line) = line(&view.asked) { (command(frame.language, &line)) }
        @if let Some(checkpoint) = &view.checkpoint { (signed(frame, checkpoint)) }
    };
    page(frame, &Title::of("Log"), source, &body)
}

fn form(asked: &Asked) -> Markup {
    html! {
        form.row method="get" action="/log" role="search" aria-label="Records of the log" {
            label { "Who" input type="search" name="who" value=(asked.who); }
            label { "Action" input name="action" value=(asked.action); }
            label { "Thing" input name="resource" value=(asked.resource); }
            label { "Correlation id" input name="correlation" value=(asked.correlation); }
            label { "From day"
                input.day name="from" value=(asked.from) placeholder="YYYY-MM-DD"
                    pattern="[0-9]{4}-[0-9]{2}-[0-9]{2}"; }
            label { "To day"
                input.day name="to" value=(asked.to) placeholder="YYYY-MM-DD"
                    pattern="[0-9]{4}-[0-9]{2}-[0-9]{2}"; }
            button type="submit" { "Show" }
        }
    }
}

fn rows(frame: &Frame, view: &Log) -> Markup {
    table(
        frame.language,
        "Records of the log",
        &["Record", "When", "Action", "Who", "Thing", "Outcome"],
        &html! {
            @for row in &view.rows {
                tr {
                    th scope="row" {
                        a href=(format!("/log/{}", row.position)) { (count(row.position)) }
                    }
                    td { (moment(row.at)) }
                    td.nowrap { (row.action) }
                    td { (row.who) }
                    td { code { (row.resource) } }
                    td { (row.outcome.show(frame.language)) }
                }
            }
        },
    )
}

fn signed(frame: &Frame, checkpoint: &Checkpoint) -> Markup {
    html! {
        section {
            h2 { "Checkpoint" }
            p {
                "Signed over the first " (count(checkpoint.size)) " records. "
                (checkpoint.witnesses)
            }
            pre tabindex="0" role="region" aria-label="Checkpoint" { (checkpoint.note) }
            (command(frame.language, "lionrock log checkpoint"))
        }
    }
}

/// The command line that asks the same; none where it has no word for what was asked.
fn line(asked: &Asked) -> Option<String> {
    if !(asked.who.is_empty() && asked.from.is_empty() && asked.to.is_empty()) {
        return None;
    }
    let flags = [
        ("action", &asked.action),
        ("resource", &asked.resource),
        ("correlation", &asked.correlation),
    ];
    let given = flags.iter().filter(|(_, value)| !value.is_empty());
    Some(given.fold(String::from("lionrock log query"), |line, (flag, value)| {
        format!("{line} --{flag} '{}'", value.replace('\'', "'\\''"))
    }))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::elements::Tone;
    use crate::frame::tests::{frame, now, source};

    pub(crate) fn sample() -> Log {
        let row = |position, action: &str, outcome: State| Row {
            position,
            at: now().plus_seconds(-60),
            action: action.into(),
            who: "Key Custodian A".into(),
            resource: "key:key_01jd8y2v9m0000000000000000".into(),
            outcome,
        };
        Log {
            asked: Asked { action: "key.destroy".into(), ..Asked::default() },
            problem: None,
            rows: vec![
                row(1_412, "key.destroy", State::new(Tone::Bad, "Refused: approval-needed")),
                row(1_398, "key.suspend", State::new(Tone::Good, "Done")),
            ],
            pager: Pager { shown: "2 of 1,413 records".into(), ..Pager::default() },
            checkpoint: Some(Checkpoint {
                note:
                    "lionrock.example/log/1\n1413\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n\
                       — lionrock.example/log/1 Az3grl…\n"
                        .into(),
                size: 1_413,
                witnesses: "No independent witness has seen it.".into(),
            }),
        }
    }

    #[test]
    fn every_record_has_its_own_address() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("<a href=\"/log/1412\">1,412</a>"));
        assert!(text.contains("No independent witness has seen it."));
        assert!(text.contains("lionrock log query --action 'key.destroy'"));
    }

    #[test]
    fn the_command_line_cannot_be_broken_out_of() {
        let asked = Asked { action: "a'; rm -rf / #".into(), ..Asked::default() };
        let line = line(&asked).unwrap();
        assert_eq!(line, "lionrock log query --action 'a'\\''; rm -rf / #'");
    }

    #[test]
    fn a_wrong_question_is_told_and_shows_no_rows() {
        let view = Log { problem: Some("`from` is not a day".into()), ..sample() };
        let text = show(&frame(), &source(), &view).into_string();
        assert!(text.contains("role=\"alert\"") && !text.contains("/log/1412"));
    }

    #[test]
    fn a_hostile_record_is_only_text() {
        let mut view = sample();
        view.rows[0].resource = "key:<script>alert(1)</script>".into();
        view.asked.who = "\"><script>alert(2)</script>".into();
        assert!(!show(&frame(), &source(), &view).into_string().contains("<script>alert"));
    }
}
