//! `/reports`: packs that were made, who signed them, and how a stranger verifies them.

use crate::elements::{State, ago_in, command, count, empty, form_token, moment, table};
use crate::frame::{Frame, Source, Title, page};
use kernel::Timestamp;
use maud::{Markup, html};

const HOW_TO_SIGN: &str = "Preparer, reviewer and approver are three different people. Fetch the pack, \
     read it, then sign: your signature is recorded in the log over the pack's SHA-256.";
const HOW_TO_VERIFY: &str = "The pack carries the records, their proofs and the checkpoint, and once it \
     is approved the three signatures. With the log's public key from another source than the pack, \
     anyone can verify it offline:";
const NO_WITNESS: &str = "No independent witness has signed the log: nobody outside can say that it was \
     not rewritten before a report.";

/// One signature under a pack.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// What was done: `prepared`, `reviewed`, `approved`, `returned`.
    pub(crate) what: &'static str,
    /// By whom.
    pub(crate) name: String,
    /// In which role.
    pub(crate) role: String,
    /// When.
    pub(crate) at: Timestamp,
    /// Why it was returned.
    pub(crate) reason: Option<String>,
}

/// The signature that the one who looks may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToSign {
    /// As the second person.
    Review,
    /// As the third.
    Approve,
}

/// One finished pack.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// Its identifier.
    pub(crate) id: String,
    /// Its title.
    pub(crate) title: String,
    /// When it was made.
    pub(crate) made_at: Timestamp,
    /// Who prepared, reviewed, approved or returned it.
    pub(crate) signed: Vec<Signed>,
    /// Where it stands.
    pub(crate) state: State,
    /// Its size in bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of the pack that is signed.
    pub(crate) pack: String,
    /// What the one who looks may sign.
    pub(crate) to_sign: Option<ToSign>,
}

/// The last time that somebody outside signed the log.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    /// The witness.
    pub(crate) name: String,
    /// When.
    pub(crate) at: Timestamp,
    /// How many records it saw.
    pub(crate) size: u64,
}

/// The packs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reports {
    /// Packs, newest first.
    pub(crate) reports: Vec<Report>,
    /// The one who looks may make one.
    pub(crate) may_make: bool,
    /// The last independent witness; none when there never was one.
    pub(crate) witness: Option<Witness>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Reports) -> Markup {
    let waiting: Vec<&Report> = view.reports.iter().filter(|r| r.to_sign.is_some()).collect();
    let body = html! {
        @if view.may_make {
            form.row.acts method="post" action="/reports" {
                (form_token(&frame.form_token))
                button.first type="submit" { (frame.language.term("Make a report now")) }
            }
            (command(frame.language, "lionrock reports make"))
        }
        (witness(frame, view.witness.as_ref()))
        @if !waiting.is_empty() {
            section {
                h2 { (frame.language.term("Waiting for your signature")) }
                p { (frame.language.term(HOW_TO_SIGN)) }
                @for report in waiting { (to_sign(frame, report)) }
            }
        }
        section {
            h2 { (frame.language.term("Packs")) }
            @if view.reports.is_empty() {
                (empty(frame.language, "No report was made yet; a report is a pack of evidence that verifies \
                        without us.", "lionrock reports make"))
            } @else { (list(frame, view)) }
        }
        section {
            h2 { (frame.language.term("How a stranger verifies a pack")) }
            p { (frame.language.term(HOW_TO_VERIFY)) }
            pre tabindex="0" role="region" aria-label="Command to verify a pack" {
                "lionrock verify PACK.zip --origin-key KEY"
            }
        }
    };
    page(frame, &Title::of("Reports"), source, &body)
}

fn witness(frame: &Frame, witness: Option<&Witness>) -> Markup {
    html! {
        p {
            @match witness {
                Some(seen) => {
                    (frame.language.term("Last independent witness")) ": " (seen.name) ", "
                    (moment(seen.at)) " (" (ago_in(frame.language, frame.now, seen.at)) "), "
                    (count(seen.size)) " " (frame.language.term("records"))
                }
                None => (frame.language.term(NO_WITNESS)),
            }
        }
    }
}

fn to_sign(frame: &Frame, report: &Report) -> Markup {
    let (word, label) = match report.to_sign {
        Some(ToSign::Approve) => ("approve", "Approve"),
        _ => ("review", "Sign as reviewer"),
    };
    let id = &report.id;
    html! {
        h3 { a href=(format!("/reports/{id}")) download { (report.title) } }
        (people(frame, report))
        p { (frame.language.term("SHA-256 of the pack")) ": " code { (report.pack) } }
        form.row.acts method="post" action=(format!("/reports/{id}/sign")) {
            (form_token(&frame.form_token))
            input type="hidden" name="pack" value=(report.pack);
            button.first type="submit" name="step" value=(word) { (frame.language.term(label)) }
            label { (frame.language.term("Reason, needed to return it")) " " input name="reason" maxlength="1000"; }
            button type="submit" name="step" value="return" { (frame.language.term("Return")) }
        }
    }
}

fn people(frame: &Frame, report: &Report) -> Markup {
    html! {
        @for signed in &report.signed {
            div {
                @let what = format!("{} by", signed.what);
                @match frame.language.translated(&what) {
                    Some(_) => { (frame.language.term(&what)) ": " (signed.name) }
                    None => { (what) " " (signed.name) }
                }
                @if !signed.role.is_empty() { ", " (frame.language.term(&signed.role)) }
                ", " (moment(signed.at))
                @if let Some(reason) = &signed.reason { ": " (reason) }
            }
        }
    }
}

fn list(frame: &Frame, view: &Reports) -> Markup {
    let heads = ["Report", "Made", "Signed", "State", "Size"];
    table(
        frame.language,
        "Reports",
        &heads,
        &html! {
            @for report in &view.reports {
                tr id=(report.id) {
                    th scope="row" {
                        a href=(format!("/reports/{}", report.id)) download { (report.title) }
                    }
                    td { (moment(report.made_at)) }
                    td { (people(frame, report)) }
                    td { (report.state.show(frame.language)) }
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
                signed: vec![Signed {
                    what: "prepared",
                    name: "Technology Risk Officer A".into(),
                    role: "Technology risk officer".into(),
                    at: now(),
                    reason: None,
                }],
                state: State::new(Tone::Warn, "draft"),
                bytes: 412_000,
                pack: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
                to_sign: Some(ToSign::Review),
            }],
            may_make: true,
            witness: None,
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
    fn only_who_may_sign_sees_the_form_and_it_names_the_pack() {
        let mut view = sample();
        let text = show(&frame(), &source(), &view).into_string();
        assert!(text.contains("value=\"review\"") && text.contains("value=\"return\""));
        assert!(text.contains("name=\"pack\" value=\"9f86d081"));
        view.reports[0].to_sign = Some(ToSign::Approve);
        assert!(show(&frame(), &source(), &view).into_string().contains("value=\"approve\""));
        view.reports[0].to_sign = None;
        assert!(!show(&frame(), &source(), &view).into_string().contains("name=\"step\""));
    }

    #[test]
    fn the_last_witness_is_told_or_that_there_is_none() {
        let mut view = sample();
        let text = show(&frame(), &source(), &view).into_string();
        assert!(text.contains("No independent witness"));
        let at = now().plus_seconds(-3_600);
        view.witness = Some(Witness { name: "witness-1".into(), at, size: 1_413 });
        let text = show(&frame(), &source(), &view).into_string();
        assert!(text.contains("witness-1") && text.contains("1,413 records"), "{text}");
    }

    #[test]
    fn a_hostile_title_is_only_text() {
        let mut view = sample();
        view.reports[0].title = "<script>alert(1)</script>".into();
        assert!(!show(&frame(), &source(), &view).into_string().contains("<script>alert"));
    }
}
