//! `/log/{position}`: one record, and the proof that it is in the log.

use crate::elements::{State, count, moment};
use crate::frame::{Frame, Source, Title, page};
use kernel::Timestamp;
use maud::{Markup, html};

/// The proof that a record is in the log of a checkpoint (RFC 6962, section 2.1.1).
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    /// The hash of the record as a leaf, in hexadecimal.
    pub(crate) leaf: String,
    /// Hashes of the siblings from the leaf up, in hexadecimal.
    pub(crate) path: Vec<String>,
    /// How many records the root covers.
    pub(crate) size: u64,
    /// The root, in hexadecimal.
    pub(crate) root: String,
    /// The proof leads to the root: computed now.
    pub(crate) holds: bool,
    /// The signed note with that root.
    pub(crate) note: String,
}

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its position.
    pub(crate) position: u64,
    /// When.
    pub(crate) at: Timestamp,
    /// The action's word.
    pub(crate) action: String,
    /// How it ended.
    pub(crate) outcome: State,
    /// Who, on what, through which door, under which policy, and the details.
    pub(crate) facts: Vec<(String, String)>,
    /// What identifies a natural person, kept apart and destroyed on its own date.
    pub(crate) personal: Vec<(String, String)>,
    /// The proof.
    pub(crate) proof: Option<Proof>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Record) -> Markup {
    let body = html! {
        section {
            h2 { "What is written" }
            dl {
                dt { "When" } dd { (moment(view.at)) }
                dt { "Action" } dd { (view.action) }
                dt { "Outcome" } dd { (view.outcome.show(frame.language)) }
                @for (term, fact) in &view.facts { dt { (term) } dd { (fact) } }
                @for (term, fact) in &view.personal {
                    dt { (term) }
                    dd { (fact) " " span.note { "personal: kept apart, can be destroyed alone" } }
                }
            }
        }
        section {
            h2 { "Proof that it is in the log" }
            @match &view.proof {
                Some(proof) => (proven(frame, proof)),
                None => p.soft { "The newest checkpoint does not reach this record yet; load the page again." },
            }
        }
    };
    let title = format!("Record {}", count(view.position));
    page(frame, &Title { text: &title, within: Some(("/log", "Log")) }, source, &body)
}

fn proven(frame: &Frame, proof: &Proof) -> Markup {
    let verdict = if proof.holds {
        State::new(crate::elements::Tone::Good, "The proof leads to the root")
    } else {
        State::new(crate::elements::Tone::Bad, "The proof does not lead to the root")
    };
    html! {
        p { (verdict.show(frame.language)) }
        dl {
            dt { "Hash of the record" } dd { code { (proof.leaf) } }
            dt { "Path (RFC 6962)" }
            dd {
                @if proof.path.is_empty() { "empty: it is the only record" }
                ol.proof { @for hash in &proof.path { li { code { (hash) } } } }
            }
            dt { "Root" } dd { code { (proof.root) } }
            dt { "Records under it" } dd { (count(proof.size)) }
        }
        p.note { "The root is signed in this checkpoint:" }
        pre tabindex="0" role="region" aria-label="Checkpoint" { (proof.note) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::elements::Tone;
    use crate::frame::tests::{frame, now, source};

    pub(crate) fn sample() -> Record {
        Record {
            position: 1_412,
            at: now().plus_seconds(-60),
            action: "key.destroy".into(),
            outcome: State::new(Tone::Bad, "Refused: approval-needed"),
            facts: vec![
                ("Who".into(), "Key Custodian A".into()),
                ("Thing".into(), "key:key_01jd8y2v9m0000000000000000".into()),
                ("Policy version".into(), "3".into()),
            ],
            personal: vec![("address".into(), "192.0.2.7".into())],
            proof: Some(Proof {
                leaf: "5d53469f20fef4f8eab52b88044ede69c77a6a68a60728609fc4a65ff531e7d0".into(),
                path: vec!["0bc80a1f".repeat(8), "ab1f6e02".repeat(8)],
                size: 1_413,
                root: "aa1f0c9e".repeat(8),
                holds: true,
                note: "lionrock.example/log/1\n1413\nqg==\n".into(),
            }),
        }
    }

    #[test]
    fn the_record_shows_its_proof_and_its_checkpoint() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("The proof leads to the root"));
        assert!(text.contains("Record 1,412") && text.contains("aria-label=\"Checkpoint\""));
        assert_eq!(text.matches("<li><code>").count(), 2);
    }

    #[test]
    fn a_proof_that_fails_is_never_shown_as_good() {
        let mut view = sample();
        if let Some(proof) = &mut view.proof {
            proof.holds = false;
        }
        let text = show(&frame(), &source(), &view).into_string();
        assert!(text.contains("<span class=\"s bad\">The proof does not lead to the root"));
    }

    #[test]
    fn hostile_details_are_only_text() {
        let mut view = sample();
        view.facts.push(("<b>".into(), "</dd><script>alert(1)</script>".into()));
        let text = show(&frame(), &source(), &view).into_string();
        assert!(!text.contains("<script>alert") && !text.contains("<b>"));
    }
}
