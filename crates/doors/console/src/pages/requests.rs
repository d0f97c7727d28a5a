//! `/requests`: what waits for my approval, and until when?

use crate::elements::{State, command, empty, form_token, moment, until};
use crate::frame::{Frame, Source, Title, page};
use kernel::Timestamp;
use maud::{Markup, html};

/// What the one who looks can do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Offer {
    /// Nothing, and nothing is to be said.
    Nothing,
    /// Nothing, for this reason.
    No(&'static str),
    /// Approve or reject it.
    Decide,
    /// Carry out what was approved.
    CarryOut,
}

/// One request for approval.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Its identifier.
    pub(crate) id: String,
    /// What is asked for, in words: action and name of the thing.
    pub(crate) what: String,
    /// The page of the thing, where it has one.
    pub(crate) to: Option<String>,
    /// Who asks.
    pub(crate) asked_by: String,
    /// When.
    pub(crate) asked_at: Timestamp,
    /// Why.
    pub(crate) reason: String,
    /// What it will do, line by line.
    pub(crate) consequences: Vec<String>,
    /// How many have approved, of how many needed, and who.
    pub(crate) progress: String,
    /// The hash of the exact request: what an approval is bound to.
    pub(crate) digest: String,
    /// When it lapses.
    pub(crate) expires_at: Timestamp,
    /// Its state.
    pub(crate) state: State,
    /// What the one who looks can do.
    pub(crate) offer: Offer,
}

/// Requests that can be seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    /// Those that wait for others or to be carried out, the next to lapse first.
    pub(crate) waiting: Vec<Request>,
    /// Those that ended, newest first.
    pub(crate) ended: Vec<Request>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Requests) -> Markup {
    let body = html! {
        section {
            h2 { (frame.language.term("Waiting")) }
            @if view.waiting.is_empty() {
                (empty(frame.language, "Nothing waits for approval: some acts need others before they happen.",
                       "lionrock approvals list"))
            }
            @for request in &view.waiting { (one(frame, request)) }
        }
        @if !view.ended.is_empty() {
            section {
                h2 { (frame.language.term("Ended")) }
                @for request in &view.ended { (one(frame, request)) }
            }
        }
    };
    page(frame, &Title::of("Requests"), source, &body)
}

fn one(frame: &Frame, request: &Request) -> Markup {
    let open = request.offer != Offer::Nothing && request.expires_at > frame.now;
    html! {
        article.point id=(request.id) {
            div {
                h3 { @match &request.to {
                    Some(to) => a href=(to) { (request.what) },
                    None => (request.what),
                } }
                @if !request.consequences.is_empty() {
                    p { "What will stop or be lost:" }
                    ul { @for line in &request.consequences { li { (line) } } }
                }
                p.note {
                    "Asked by " (request.asked_by) ", " (moment(request.asked_at)) ": "
                    (request.reason)
                }
            }
            div {
                dl {
                    dt { "State" } dd { (request.state.show(frame.language)) }
                    dt { "Approvals" } dd { (request.progress) }
                    @if open { dt { "Lapses" } dd { (until(request.expires_at)) } }
                    dt { "Bound to" } dd { code { (request.digest) } }
                }
                @if open { (offer(frame, request)) }
            }
        }
    }
}

fn offer(frame: &Frame, request: &Request) -> Markup {
    let path = format!("/requests/{}", request.id);
    html! {
        @match &request.offer {
            Offer::Nothing => {},
            Offer::No(reason) => p.soft { "You cannot decide this: " (reason) "." },
            Offer::Decide => {
                form.stack.acts method="post" action=(path) {
                    (form_token(&frame.form_token))
                    label { "Reason, needed to reject" input name="reason" maxlength="2000"; }
                    div.pair {
                        button.first type="submit" name="decision" value="approve" { "Approve" }
                        button.danger type="submit" name="decision" value="reject" { "Reject" }
                    }
                }
                (command(frame.language, &format!("lionrock approvals approve {}", request.id)))
            },
            Offer::CarryOut => form.row.acts method="post" action=(path) {
                (form_token(&frame.form_token))
                button.danger type="submit" name="decision" value="carry-out" { "Carry it out" }
            },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::elements::Tone;
    use crate::frame::tests::{frame, now, source};

    pub(crate) fn sample() -> Requests {
        let request = Request {
            id: "apr_01jd8y2v9m0000000000000000".into(),
            what: "Destroy statements-2024".into(),
            asked_by: "Key Custodian B".into(),
            asked_at: now().plus_seconds(-5_400),
            reason: "retention has ended".into(),
            consequences: vec!["All data under this key is lost after 7 days.".into()],
            progress: "1 of 2: Key Custodian A".into(),
            digest: "9f86d081884c7d65".into(),
            expires_at: now().plus_seconds(9_000),
            state: State::new(Tone::Warn, "Waiting for approval"),
            offer: Offer::Decide,
            to: Some("/keys/key_1".into()),
        };
        let own = Request {
            id: "apr_01jd8y2v9m0000000000000001".into(),
            offer: Offer::No("whoever asks does not approve"),
            ..request.clone()
        };
        let done = Request {
            id: "apr_01jd8y2v9m0000000000000002".into(),
            state: State::new(Tone::Quiet, "Lapsed"),
            expires_at: now().plus_seconds(-10),
            offer: Offer::Nothing,
            ..request.clone()
        };
        let ready = Request {
            id: "apr_01jd8y2v9m0000000000000003".into(),
            state: State::new(Tone::Good, "Approved, not carried out"),
            offer: Offer::CarryOut,
            ..request.clone()
        };
        Requests { waiting: vec![request, own, ready], ended: vec![done] }
    }

    #[test]
    fn a_request_shows_what_it_binds_and_when_it_lapses() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("data-until") && text.contains("9f86d081884c7d65"));
        assert_eq!(text.matches("value=\"approve\"").count(), 1, "own and lapsed have no button");
        assert!(text.contains("whoever asks does not approve"));
    }

    #[test]
    fn what_was_approved_is_carried_out_once_by_whoever_asked() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert_eq!(text.matches("value=\"carry-out\"").count(), 1);
        let mut late = sample();
        late.waiting.iter_mut().for_each(|request| request.expires_at = now());
        let text = show(&frame(), &source(), &late).into_string();
        assert!(!text.contains("name=\"decision\""), "what has lapsed offers nothing");
    }

    #[test]
    fn an_empty_inbox_is_one_sentence_and_one_command() {
        let text = show(&frame(), &source(), &Requests::default()).into_string();
        assert!(text.contains("Nothing waits for approval"));
    }

    #[test]
    fn a_hostile_reason_is_only_text() {
        let mut view = sample();
        view.waiting[0].reason = "<script>alert(1)</script>".into();
        assert!(!show(&frame(), &source(), &view).into_string().contains("<script>alert"));
    }
}
