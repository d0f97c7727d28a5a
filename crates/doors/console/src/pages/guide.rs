//! `/guides/…`: a guideline answered point by point: left the item, right what answers it.

use crate::elements::{State, Tone, count, empty, moment};
use crate::frame::{Frame, Source, Title, page};
use kernel::Timestamp;
use maud::{Markup, html};

/// One item of the guideline and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// Identifier of the requirement: the link and the anchor.
    pub(crate) id: String,
    /// The paragraph of the source, as the source numbers it.
    pub(crate) section: String,
    /// The title.
    pub(crate) title: String,
    /// The text as we have it.
    pub(crate) text: String,
    /// Whose words the text is: official, the bank's copy, public copy, paraphrase.
    pub(crate) text_status: String,
    /// What answers it, and whether that is built; empty when nothing would.
    pub(crate) answer: Vec<(String, bool)>,
    /// The live result.
    pub(crate) result: State,
    /// What each check says now.
    pub(crate) live: Vec<(String, State)>,
    /// When the result was computed.
    pub(crate) checked_at: Option<Timestamp>,
    /// Kind of evidence: observed, reported, declared, attested, none.
    pub(crate) evidence: String,
    /// What is missing.
    pub(crate) gap: Option<String>,
    /// Who answers for it.
    pub(crate) owner: Option<String>,
}

/// Points under one heading of the guideline.
#[derive(Debug, Clone)]
pub(crate) struct Chapter {
    /// The heading.
    pub(crate) title: String,
    /// Its points.
    pub(crate) points: Vec<Point>,
}

/// A guideline.
#[derive(Debug, Clone)]
pub(crate) struct Guide {
    /// Its title.
    pub(crate) title: String,
    /// Its version and date.
    pub(crate) version: String,
    /// What must be known about the text, such as that the titles are working titles.
    pub(crate) caution: Option<String>,
    /// What is known and not known about the text, in full.
    pub(crate) note: Option<String>,
    /// How many points have each result, worst first, with the page that lists them.
    pub(crate) tally: Vec<(State, u64, String)>,
    /// The points.
    pub(crate) chapters: Vec<Chapter>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Guide) -> Markup {
    let body = html! {
        p.soft { (view.version) }
        @if let Some(caution) = &view.caution { div.callout { p { (caution) } } }
        (tally(frame, &view.tally))
        @if let Some(note) = &view.note {
            section {
                details { summary { (frame.language.term("What is known about this text")) } div { p { (note) } } }
            }
        }
        @if view.chapters.is_empty() {
            (empty(frame.language, "No point of this guideline is in the catalogue.", "lionrock requirements list"))
        }
        @for chapter in &view.chapters {
            section {
                h2 { (frame.language.term(&chapter.title)) }
                @for point in &chapter.points { (one(frame, point)) }
            }
        }
    };
    page(frame, &Title::of(&view.title), source, &body)
}

/// What is said of that which does not exist yet.
pub(crate) fn not_built() -> State {
    State::new(Tone::Quiet, "not built")
}

/// How many have each result: what was not assessed is counted too.
pub(crate) fn tally(frame: &Frame, tally: &[(State, u64, String)]) -> Markup {
    let total: u64 = tally.iter().map(|(_, n, _)| n).sum();
    html! {
        ul.tally aria-label="Results" {
            @for (state, n, to) in tally {
                li { a href=(to) { b { (count(*n)) } } " " (state.show(frame.language)) }
            }
            li.soft { (frame.language.term("of")) " " (count(total)) }
        }
    }
}

fn one(frame: &Frame, point: &Point) -> Markup {
    html! {
        article.point id=(point.id) {
            div {
                @if !point.section.is_empty() { p.note { (point.section) } }
                h3 { a href=(format!("/requirements/{}", point.id)) { (point.title) } }
                p { (point.text) }
                p.note { (frame.language.term("Text")) ": " (frame.language.term(&point.text_status)) }
            }
            div {
                @for (line, built) in &point.answer {
                    p { (line) @if !built { " " (not_built().show(frame.language)) } }
                }
                dl {
                    dt { (frame.language.term("Result")) }
                    dd {
                        (point.result.show(frame.language))
                        @if let Some(at) = point.checked_at { " " span.note { (moment(at)) } }
                    }
                    @if !point.live.is_empty() {
                        dt { (frame.language.term("Checks")) }
                        dd { @for (says, state) in &point.live {
                            div { (state.show(frame.language)) " " (says) }
                        } }
                    }
                    dt { (frame.language.term("Evidence")) } dd { (frame.language.term(&point.evidence)) }
                    @if let Some(gap) = &point.gap { dt { (frame.language.term("Gap")) } dd { (gap) } }
                    dt { (frame.language.term("Owner")) }
                    dd { @match &point.owner {
                        Some(owner) => (owner),
                        None => span.soft { (frame.language.term("nobody yet")) },
                    } }
                }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::frame::tests::{frame, now, source};

    pub(crate) fn sample() -> Guide {
        let built = Point {
            id: "hkma-tmg1-3.1.4".into(),
            section: "3.1.4".into(),
            title: "Keys are managed through their life".into(),
            text: "Sound key-management practices cover generation, storage, use, rotation and \
                   destruction, so that keys are protected for as long as the data needs them."
                .into(),
            text_status: "paraphrase".into(),
            answer: vec![
                ("Keys are made, rotated, suspended and destroyed here; every act needs a decision \
                 and leaves a record."
                    .into(), true),
                ("Keys of clouds are rotated from here.".into(), false),
            ],
            live: vec![("Keys rotate: 2 of 12 fail".into(), State::new(Tone::Bad, "fail"))],
            result: State::new(Tone::Bad, "Control not working"),
            checked_at: Some(now().plus_seconds(-40)),
            evidence: "observed".into(),
            gap: Some("2 of 12 keys have no rotation schedule".into()),
            owner: Some("Technology Risk Officer".into()),
        };
        let missing = Point {
            id: "hkma-tmg1-5.2".into(),
            section: "5.2".into(),
            title: "Capacity is planned".into(),
            text: "Capacity is planned and watched so that peaks are served.".into(),
            answer: Vec::new(),
            live: Vec::new(),
            result: not_built(),
            checked_at: None,
            evidence: "none".into(),
            gap: Some("nothing here answers it yet".into()),
            owner: None,
            ..built.clone()
        };
        Guide {
            title: "TM-G-1 General Principles for Technology Risk Management".into(),
            version: "V.1, 24 Jun 2003".into(),
            caution: Some("The text is a paraphrase until the bank confirms its own copy.".into()),
            note: Some("All 26 pages were read in a public copy.".into()),
            tally: vec![
                (built.result.clone(), 1, "/requirements?source=tmg1".into()),
                (missing.result.clone(), 1, "/requirements?source=tmg1".into()),
            ],
            chapters: vec![Chapter {
                title: "3 Security management".into(),
                points: vec![built, missing],
            }],
        }
    }

    #[test]
    fn every_point_shows_result_evidence_gap_and_owner() {
        let text = show(&frame(), &source(), &sample()).into_string();
        for part in ["Control not working", "observed", "2 of 12 keys", "Technology Risk Officer"] {
            assert!(text.contains(part), "{part}");
        }
        assert!(text.contains(">Not built<") && text.contains("nobody yet"));
    }

    #[test]
    fn the_tally_keeps_what_was_not_assessed_in_the_denominator() {
        let text = tally(&frame(), &sample().tally).into_string();
        assert!(text.contains("of 2"));
    }

    #[test]
    fn a_hostile_text_is_only_text() {
        let mut view = sample();
        view.chapters[0].points[0].text = "<script>x</script>".into();
        assert!(!show(&frame(), &source(), &view).into_string().contains("<script>x"));
    }
}
