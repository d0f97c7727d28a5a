//! `/reports`: packs that were made, and how a stranger verifies them.

use crate::elements::{State, command, count, empty, form_token, moment, table};
use crate::frame::{Frame, Source, Title, page};
use kernel::Timestamp;
use maud::{Markup, html};

/// One finished pack.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// Its identifier.
    pub(crate) id: String,
    /// Its title.
    pub(crate) title: String,
    /// When it was made.
    pub(crate) made_at: Timestamp,
    /// Who prepared, reviewed and approved it, in words.
    pub(crate) signed: String,
    /// Whether it was reviewed and approved.
    pub(crate) state: State,
    /// How many records of the log its checkpoint covers, or none.
    pub(crate) checkpoint: Option<u64>,
    /// Its size in bytes.
    pub(crate) bytes: u64,
}

/// The packs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reports {
    /// Packs, newest first.
    pub(crate) reports: Vec<Report>,
    /// The one who looks may make one.
    pub(crate) may_make: bool,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Reports) -> Markup {
    let body = html! {
        @if view.may_make {
            form.row.acts method="post" action="/reports" {
                (form_token(&frame.form_token))
                button.first type="submit" { "Make a report now" }
            }
            (command("lionrock reports make"))
        }
        section {
            h2 { "Packs" }
            @if view.reports.is_empty() {
                (empty("No report was made yet; a report is a pack of evidence that verifies \
                        without us.", "lionrock reports make"))
            } @else { (list(frame, view)) }
        }
        section {
            h2 { "How a stranger verifies a pack" }
            p {
                "The pack carries the records, their proofs and the checkpoint. With the log's public \
                 key from another source than the pack, anyone can verify it offline:"
            }
            pre tabindex="0" role="region" aria-label="Command to verify a pack" {
                "lionrock verify PACK.zip --origin-key KEY"
            }
        }
    };
    page(frame, &Title::of("Reports"), source, &body)
}

fn list(frame: &Frame, view: &Reports) -> Markup {
    let heads = ["Report", "Made", "Signed", "State", "Checkpoint", "Size"];
    table(
        "Reports",
        &heads,
        &html! {
            @for report in &view.reports {
                tr id=(report.id) {
                    th scope="row" {
                        a href=(format!("/reports/{}", report.id)) download { (report.title) }
                    }
                    td { (moment(report.made_at)) }
                    td { (report.signed) }
                    td { (report.state.show(frame.language)) }
                    td { @match report.checkpoint {
                        Some(size) => { "first " (count(size)) " records" },
                        None => span.soft { "none" },
                    } }
                    td.n { (count(report.bytes / 1_000)) " kB" }
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

    pub(crate) fn sample() -> Reports {
        Reports {
            reports: vec![Report {
                id: "rep_01jd8y2v9m0000000000000000".into(),
                title: "Cloud adoption, all sources".into(),
                made_at: now(),
                signed: "prepared by Technology Risk Officer; not reviewed".into(),
                state: State::new(Tone::Warn, "Not reviewed"),
                checkpoint: Some(1_413),
                bytes: 412_000,
            }],
            may_make: true,
        }
    }

    #[test]
    fn a_pack_can_be_fetched_and_verified_by_a_stranger() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("href=\"/reports/rep_01jd8y2v9m0000000000000000\" download"));
        assert!(text.contains("lionrock verify PACK.zip --origin-key KEY"));
        assert!(text.contains("412 kB"));
    }

    #[test]
    fn no_report_is_one_sentence_and_one_command() {
        let text = show(&frame(), &source(), &Reports::default()).into_string();
        assert!(text.contains("No report was made yet") && !text.contains("Make a report now"));
    }

    #[test]
    fn a_hostile_title_is_only_text() {
        let mut view = sample();
        view.reports[0].title = "<script>alert(1)</script>".into();
        assert!(!show(&frame(), &source(), &view).into_string().contains("<script>alert"));
    }
}
