//! `/`: where do we stand, and what needs me now?

use crate::elements::{State, Tone, ago_in, empty, moment, table};
use crate::frame::{Frame, Source, Title, page};
use kernel::Timestamp;
use maud::{Markup, html};

/// One of the three sentences. Its number links to the rows that it counts.
#[derive(Debug, Clone)]
pub(crate) struct Sentence {
    /// How to take it.
    pub(crate) tone: Tone,
    /// Text before the link.
    pub(crate) before: String,
    /// The linked text.
    pub(crate) link: String,
    /// Where the link leads.
    pub(crate) to: String,
    /// Text after the link.
    pub(crate) after: String,
    /// What it rests on, in small print.
    pub(crate) note: String,
}

/// Something that waits for the one who looks.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    /// What it is.
    pub(crate) what: String,
    /// The page where it is done.
    pub(crate) to: String,
    /// Why it matters.
    pub(crate) why: String,
    /// Its state.
    pub(crate) state: State,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
}

/// The overview.
#[derive(Debug, Clone)]
pub(crate) struct Overview {
    /// Data that others can read, our keys, what changed.
    pub(crate) sentences: [Sentence; 3],
    /// What needs the one who looks, worst first.
    pub(crate) needs: Vec<Need>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Overview) -> Markup {
    let body = html! {
        ul.says {
            @for sentence in &view.sentences {
                li class=(sentence.tone.colour()) {
                    span.dot aria-hidden="true" {}
                    (said(sentence))
                    small { (sentence.note) }
                }
            }
        }
        section {
            h2 { (frame.language.term("What needs you now")) }
            @if view.needs.is_empty() {
                (empty(frame.language, "Nothing waits for you.", "lionrock status"))
            } @else {
                (table(frame.language, "What needs you now", &["What", "Why", "State", "Since"], &html! {
                    @for need in &view.needs {
                        tr {
                            th scope="row" { a href=(need.to) { (need.what) } }
                            td { (need.why) }
                            td { (need.state.show(frame.language)) }
                            td.nowrap { @match need.since {
                                Some(since) => span title=(since.rfc3339()) {
                                    (ago_in(frame.language, frame.now, since))
                                    span.away { " (" (moment(since)) ")" }
                                },
                                None => span.soft { "—" },
                            } }
                        }
                    }
                }))
            }
        }
    };
    page(frame, &Title::of("Overview"), source, &body)
}

/// The sentence itself in the colour of the ink: the dot alone carries the tone's colour.
fn said(sentence: &Sentence) -> Markup {
    html! {
        p {
            (sentence.before) a href=(sentence.to) { (sentence.link) } (sentence.after)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::frame::tests::{frame, now, source};

    fn sentence(tone: Tone, before: &str, link: &str, to: &str, after: &str) -> Sentence {
        Sentence {
            tone,
            before: before.into(),
            link: link.into(),
            to: to.into(),
            after: after.into(),
            note: "30 assets in the inventory; observed 14, declared 16".into(),
        }
    }

    /// An overview as on a first day.
    pub(crate) fn sample() -> Overview {
        Overview {
            sentences: [
                sentence(
                    Tone::Bad,
                    "",
                    "1 copy of restricted data",
                    "/map#broken",
                    " can be read by others: it lies in Singapore under Provider A's own key.",
                ),
                sentence(
                    Tone::Warn,
                    "We hold ",
                    "12 keys",
                    "/keys",
                    " in a software root, 1 of them suspended; no root is a validated HSM.",
                ),
                sentence(
                    Tone::Good,
                    "In the last 24 hours ",
                    "18 changes",
                    "/log",
                    " were made; 3 attempts were refused.",
                ),
            ],
            needs: vec![
                Need {
                    what: "Destroy card-tokens-2024".into(),
                    to: "/requests".into(),
                    why: "Key Custodian B asks; two of two approvals missing".into(),
                    state: State::new(Tone::Warn, "Waiting for approval"),
                    since: Some(now().plus_seconds(-5_400)),
                },
                Need {
                    what: "Keys rotate within 365 days".into(),
                    to: "/requirements/hkma-tmg1-3.1.4".into(),
                    why: "TM-G-1 3.1.4".into(),
                    state: State::new(Tone::Bad, "Control not working"),
                    since: None,
                },
            ],
        }
    }

    #[test]
    fn three_sentences_lead_to_the_rows_they_count() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert_eq!(text.matches("<span class=\"dot\"").count(), 3);
        assert!(text.contains("<a href=\"/map#broken\">1 copy of restricted data</a>"));
        assert!(text.contains("Waiting for approval"));
    }

    #[test]
    fn nothing_to_do_is_one_sentence_and_one_command() {
        let mut view = sample();
        view.needs.clear();
        let text = show(&frame(), &source(), &view).into_string();
        assert!(text.contains("Nothing waits for you."));
        assert!(text.contains("<code>lionrock status</code>"));
    }

    #[test]
    fn a_hostile_name_in_a_sentence_is_only_text() {
        let mut view = sample();
        view.sentences[0].link = "<img src=x onerror=alert(1)>".into();
        view.needs[0].what = "\"><script>".into();
        let text = show(&frame(), &source(), &view).into_string();
        assert!(!text.contains("<img") && !text.contains("\"><script>"));
    }
}
