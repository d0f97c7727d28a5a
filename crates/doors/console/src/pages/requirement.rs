//! `/requirements/{id}`: one requirement: text, checks, evidence now, history, gap, owner.

use crate::elements::{State, command, count, counted, moment, paragraphs, table};
use crate::frame::{Frame, Source, Title, page};
use crate::pages::guide::not_built;
use kernel::Timestamp;
use maud::{Markup, html};

/// One check that speaks for the requirement.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    /// Its identifier.
    pub(crate) id: String,
    /// What it looks at and expects.
    pub(crate) rule: String,
    /// The newest result.
    pub(crate) result: State,
    /// How many things it looked at.
    pub(crate) population: u64,
    /// Those that failed: what and why.
    pub(crate) failing: Vec<String>,
    /// When it ran; none when it never ran.
    pub(crate) ran_at: Option<Timestamp>,
    /// The record of the run in the log.
    pub(crate) position: Option<u64>,
    /// Kind of evidence.
    pub(crate) evidence: String,
}

/// What one check saw over the period.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    /// The check.
    pub(crate) check: String,
    /// How often it ran.
    pub(crate) runs: u64,
    /// How often with which outcome.
    pub(crate) outcomes: String,
    /// Whether it passed throughout and somebody always looked.
    pub(crate) verdict: State,
    /// When it did not pass, and when nobody looked.
    pub(crate) remark: String,
}

/// One requirement.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    /// Its identifier, for the command line only: it is no paragraph number.
    pub(crate) id: String,
    /// Its title.
    pub(crate) title: String,
    /// The text.
    pub(crate) text: String,
    /// Whose words the text is.
    pub(crate) text_status: String,
    /// What must be known about the text.
    pub(crate) caution: Option<String>,
    /// Its status.
    pub(crate) status: State,
    /// Why it has that status, in one sentence.
    pub(crate) because: String,
    /// Source, paragraph, layer, responsibility and the like.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// What is missing.
    pub(crate) gap: Option<String>,
    /// Who answers for it.
    pub(crate) owner: Option<String>,
    /// The checks.
    pub(crate) checks: Vec<Check>,
    /// What evidence would show it, where no check exists.
    pub(crate) would_show: String,
    /// The period of the history, in words.
    pub(crate) period: String,
    /// What each check saw over the period.
    pub(crate) history: Vec<Past>,
    /// What answers it, and whether that is built.
    pub(crate) answer: Vec<(String, bool)>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Requirement) -> Markup {
    let body = html! {
        section {
            p { (view.status.show(frame.language))
                @if !view.because.is_empty() { " — " (view.because) } }
            blockquote { (paragraphs(&view.text)) }
            p.note { (frame.language.term("Text")) ": " (frame.language.term(&view.text_status)) }
            @if let Some(caution) = &view.caution { div.callout { p { (caution) } } }
        }
        section {
            h2 { (frame.language.term("What it is")) }
            dl {
                @for (term, fact) in &view.facts {
                    dt { (frame.language.term(term)) }
                    dd { (frame.language.term(fact)) }
                }
                dt { (frame.language.term("Owner")) }
                dd { @match &view.owner {
                    Some(owner) => (owner),
                    None => span.soft { (frame.language.term("nobody yet")) },
                } }
                dt { (frame.language.term("Gap")) }
                dd { @match &view.gap {
                    Some(gap) => (gap),
                    None => span.soft { (frame.language.term("none known")) },
                } }
            }
            (command(frame.language, &format!("lionrock requirements show {}", view.id)))
        }
        @if !view.answer.is_empty() {
            section {
                h2 { (frame.language.term("What answers it")) }
                ul { @for (line, built) in &view.answer {
                    li { (line) @if !built { " " (not_built().show(frame.language)) } }
                } }
            }
        }
        section {
            h2 { (frame.language.term("Evidence now")) }
            @if view.checks.is_empty() {
                p { "No check speaks for this requirement yet. Evidence would be: "
                    (view.would_show) }
            }
            @for check in &view.checks { (one(frame, check)) }
        }
        section {
            h2 { (frame.language.term("History")) }
            @if view.history.is_empty() {
                p.soft { "History starts with the first run of a check." }
            } @else {
                p.note { (view.period) }
                (past(frame, view))
            }
        }
    };
    let within = Some(("/requirements", "Requirements"));
    page(frame, &Title { text: &view.title, within }, source, &body)
}

fn past(frame: &Frame, view: &Requirement) -> Markup {
    let heads = ["Check", "Runs", "Outcomes", "Over the period", "Remark"];
    table(
        frame.language,
        "History of the checks",
        &heads,
        &html! {
            @for past in &view.history {
                tr {
                    th scope="row" { code { (past.check) } }
                    td { (count(past.runs)) }
                    td { (past.outcomes) }
                    td { (past.verdict.show(frame.language)) }
                    td { (past.remark) }
                }
            }
        },
    )
}

fn one(frame: &Frame, check: &Check) -> Markup {
    html! {
        article.point id=(check.id) {
            div {
                h3 { code { (check.id) } }
                p { (check.rule) }
            }
            div {
                dl {
                    dt { (frame.language.term("Result")) } dd { (check.result.show(frame.language)) }
                    dt { (frame.language.term("Population")) } dd { (counted(check.population, "item", "items")) }
                    dt { (frame.language.term("Failing")) }
                    dd {
                        @if check.failing.is_empty() { (frame.language.term("none")) }
                        @for item in &check.failing { div { (item) } }
                    }
                    dt { (frame.language.term("Ran")) }
                    dd { @match check.ran_at {
                        Some(at) => (moment(at)),
                        None => span.soft { (frame.language.term("never")) },
                    } }
                    dt { (frame.language.term("Evidence")) } dd { (frame.language.term(&check.evidence)) }
                    @if let Some(position) = check.position {
                        dt { (frame.language.term("Proof")) }
                        dd { a href=(format!("/log/{position}")) { (frame.language.term("record")) " " (position) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::elements::Tone;
    use crate::frame::tests::{frame, now, source};

    pub(crate) fn sample() -> Requirement {
        let bad = State::new(Tone::Bad, "Control not working");
        Requirement {
            id: "hkma-tmg1-3.1.4".into(),
            title: "Keys are managed through their life".into(),
            text: "Sound key-management practices cover generation, storage, use, rotation and \
                   destruction.\n\nKeys are protected for as long as the data needs them."
                .into(),
            text_status: "paraphrase".into(),
            caution: Some(
                "Until the bank confirms its own copy, this is neither met nor not met.".into(),
            ),
            status: bad.clone(),
            because: "2 of 12 keys have no rotation schedule.".into(),
            facts: vec![
                ("Source", "TM-G-1, V.1, 24 Jun 2003".into()),
                ("Paragraph", "3.1.4".into()),
                ("Responsibility", "institution".into()),
            ],
            gap: Some("A rotation schedule for 2 keys".into()),
            owner: None,
            checks: vec![Check {
                id: "keys-rotate-within-a-year".into(),
                rule: "for each key: rotation.days <= 365".into(),
                result: bad.clone(),
                population: 12,
                failing: vec!["payments-mac: no schedule".into(), "分行文件: no schedule".into()],
                ran_at: Some(now().plus_seconds(-40)),
                position: Some(412),
                evidence: "observed".into(),
            }],
            would_show: "a list of keys with their rotation".into(),
            period: "Over the last 90 days.".into(),
            history: vec![Past {
                check: "keys-rotate-within-a-year".into(),
                runs: 3,
                outcomes: "pass 1, fail 2".into(),
                verdict: bad,
                remark: "did not pass for 2 hours; nobody looked for 89 days".into(),
            }],
            answer: vec![("Keys rotate on schedule.".into(), true)],
        }
    }

    #[test]
    fn proof_is_one_click_from_the_evidence() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("<a href=\"/log/412\">record 412</a>"));
        assert!(text.contains("12 items") && text.contains("payments-mac: no schedule"));
    }

    #[test]
    fn no_check_is_said_and_never_taken_for_a_pass() {
        let view = Requirement { checks: Vec::new(), history: Vec::new(), ..sample() };
        let text = show(&frame(), &source(), &view).into_string();
        assert!(text.contains("No check speaks for this requirement yet."));
        assert!(text.contains("History starts with the first run"));
    }

    #[test]
    fn a_hostile_failing_item_is_only_text() {
        let mut view = sample();
        view.checks[0].failing = vec!["<script>alert(1)</script>".into()];
        assert!(!show(&frame(), &source(), &view).into_string().contains("<script>alert"));
    }
}
