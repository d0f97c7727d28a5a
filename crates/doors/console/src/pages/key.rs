//! `/keys/{id}`: one key: what it is, who may use it, what happened to it, and what can be done.

use crate::elements::{State, command, day, form_token, moment, table};
use crate::frame::{Frame, Source, Title, page};
use kernel::Timestamp;
use maud::{Markup, html};

/// One version of the key.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// Its number.
    pub(crate) number: u32,
    /// Its state (SP 800-57).
    pub(crate) state: State,
    /// When it was made.
    pub(crate) made_at: Timestamp,
    /// What new state it reached and when, in words.
    pub(crate) remark: String,
}

/// A place where the key is used.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    /// The thing.
    pub(crate) what: String,
    /// Where it is.
    pub(crate) place: String,
    /// How we know: observed, reported, declared, attested.
    pub(crate) known: String,
}

/// Someone who may do something with the key.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    /// The person, service or role.
    pub(crate) who: String,
    /// What they may do, in words of the policy.
    pub(crate) may: String,
    /// The policies that say so.
    pub(crate) because: String,
}

/// One record of the log about the key.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// When.
    pub(crate) at: Timestamp,
    /// Its position in the log.
    pub(crate) position: u64,
    /// What was done, by whom, and how it ended.
    pub(crate) what: String,
    /// How it ended.
    pub(crate) outcome: State,
}

/// Something that can be done to the key from here.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    /// The last part of the path that the form is sent to, such as `suspend`.
    pub(crate) verb: &'static str,
    /// The words of the button.
    pub(crate) button: &'static str,
    /// What will happen, and what will be lost or stop.
    pub(crate) consequences: Vec<String>,
    /// Who must approve before it happens; none when nobody must.
    pub(crate) approvers: Option<String>,
    /// The name must be typed and a reason given.
    pub(crate) dangerous: bool,
    /// Why the one who looks may not do it.
    pub(crate) refused: Option<String>,
    /// The command line that does the same, where there is one.
    pub(crate) cli: Option<String>,
}

/// One key.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Its identifier.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// The state of its newest version.
    pub(crate) state: State,
    /// A warning that matters before all else, such as a destruction that is scheduled.
    pub(crate) warning: Option<String>,
    /// What is known: domain, algorithm, protection, place, rotation, labels.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Versions, newest first.
    pub(crate) versions: Vec<Version>,
    /// Where it is used; none when the one who looks may not know.
    pub(crate) uses: Option<Vec<Use>>,
    /// Who may do what; none when the one who looks may not know.
    pub(crate) holders: Option<Vec<Holder>>,
    /// Records of the log, newest first.
    pub(crate) timeline: Vec<Step>,
    /// What can be done.
    pub(crate) acts: Vec<Act>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Key) -> Markup {
    let body = html! {
        @if let Some(warning) = &view.warning { div.callout.bad { p { (warning) } } }
        section {
            h2 { "What it is" }
            dl {
                dt { "State" } dd { (view.state.show(frame.language)) }
                dt { "Identifier" } dd { code { (view.id) } }
                @for (term, fact) in &view.facts { dt { (term) } dd { (fact) } }
            }
            (command(frame.language, &format!("lionrock keys show {}", view.id)))
        }
        section { h2 { "Versions" } (versions(frame, view)) }
        section { h2 { "Where it is used" } (uses(frame, view)) }
        section { h2 { "Who may" } (holders(frame, view)) }
        @if !view.acts.is_empty() {
            section.acts {
                h2 { "What can be done" }
                @for act in &view.acts { (form(frame, view, act)) }
            }
        }
        section { h2 { "What happened" } (timeline(frame, view)) }
    };
    page(frame, &Title { text: &view.name, within: Some(("/keys", "Keys")) }, source, &body)
}

fn versions(frame: &Frame, view: &Key) -> Markup {
    table(
        frame.language,
        "Versions",
        &["Version", "State", "Made", "Remark"],
        &html! {
            @for version in &view.versions {
                tr {
                    th scope="row" { (version.number) }
                    td { (version.state.show(frame.language)) }
                    td { (day(version.made_at)) }
                    td { (version.remark) }
                }
            }
        },
    )
}

fn uses(frame: &Frame, view: &Key) -> Markup {
    let Some(uses) = &view.uses else {
        return html! { p.soft { "None of your roles shows the inventory." } };
    };
    html! {
        @if uses.is_empty() {
            p.soft { "Nothing in the inventory says that it is protected by this key." }
        } @else {
            (table(frame.language, "Uses of the key", &["What", "Where", "How we know"], &html! {
                @for it in uses {
                    tr { th scope="row" { (it.what) } td { (it.place) } td { (it.known) } }
                }
            }))
        }
    }
}

fn holders(frame: &Frame, view: &Key) -> Markup {
    let Some(holders) = &view.holders else {
        return html! { p.soft { "None of your roles shows who else may use this key." } };
    };
    html! {
        @if holders.is_empty() {
            p.soft { "No role gives anyone leave to use this key." }
        } @else {
            (table(frame.language, "Who may use the key", &["Who", "May", "Because of"], &html! {
                @for it in holders {
                    tr { th scope="row" { (it.who) } td { (it.may) } td { code { (it.because) } } }
                }
            }))
        }
    }
}

fn timeline(frame: &Frame, view: &Key) -> Markup {
    html! {
        ol.steps {
            @for step in &view.timeline {
                li {
                    a href=(format!("/log/{}", step.position)) { (moment(step.at)) }
                    span { (step.what) " " (step.outcome.show(frame.language)) }
                }
            }
        }
        p.note { a href=(format!("/log?resource=key:{}", view.id)) { "Every record of this key" } }
    }
}

fn form(frame: &Frame, view: &Key, act: &Act) -> Markup {
    html! {
        details {
            summary { (act.button) }
            div {
                @for line in &act.consequences { p { (line) } }
                @if let Some(approvers) = &act.approvers {
                    p { strong { "Must be approved by: " } (approvers) "." }
                }
                @match &act.refused {
                    Some(reason) => p.soft { "You cannot do this: " (reason) "." },
                    None => form.stack method="post" action=(format!("/keys/{}/{}", view.id, act.verb)) {
                        (form_token(&frame.form_token))
                        @if act.dangerous {
                            label { "Reason" textarea name="reason" required maxlength="2000" {} }
                            label {
                                span { "Type the name of the key: " code { (view.name) } }
                                input name="typed_name" required autocomplete="off"
                                    spellcheck="false" data-must-equal=(view.name);
                            }
                        }
                        button type="submit" class=[act.dangerous.then_some("danger")] {
                            (act.button)
                        }
                    },
                }
                @if let Some(line) = &act.cli { (command(frame.language, line)) }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::elements::Tone;
    use crate::frame::tests::{frame, now, source};

    pub(crate) fn sample() -> Key {
        let active = State::new(Tone::Good, "Active");
        let version = |number, state: &State, remark: &str| Version {
            number,
            state: state.clone(),
            made_at: now().plus_days(-3),
            remark: remark.into(),
        };
        let step = |position, what: &str, outcome: State| Step {
            at: now().plus_seconds(-60),
            position,
            what: what.into(),
            outcome,
        };
        Key {
            id: "key_01jd8y2v9m0000000000000000".into(),
            name: "customer-files".into(),
            state: active.clone(),
            warning: None,
            facts: vec![
                ("Key domain", "retail".into()),
                ("Algorithm", "AES-256, encrypt and decrypt (GCM)".into()),
                ("Protection", "software root; not a validated HSM".into()),
                ("Rotation", "every 365 days, next 2027-11-21".into()),
                ("Labels", "criticality: critical · data-class: restricted".into()),
            ],
            versions: vec![
                version(2, &active, "in use for new data"),
                version(1, &State::new(Tone::Quiet, "Deactivated"), "still opens old data"),
            ],
            uses: Some(vec![Use {
                what: "Customer file".into(),
                place: "Hong Kong · ap-east-1".into(),
                known: "observed".into(),
            }]),
            holders: Some(vec![Holder {
                who: "retail-app".into(),
                may: "key.encrypt, key.decrypt".into(),
                because: "workloads-use-their-keys".into(),
            }]),
            timeline: vec![
                step(41, "key.encrypt by retail-app", State::new(Tone::Good, "Done")),
                step(40, "key.destroy by Key Custodian A", State::new(Tone::Bad, "Refused")),
            ],
            acts: vec![
                Act {
                    verb: "rotate",
                    button: "Rotate",
                    consequences: vec!["A new version is made; old data still opens.".into()],
                    approvers: None,
                    dangerous: false,
                    refused: None,
                    cli: Some("lionrock keys rotate key_01jd8y2v9m0000000000000000".into()),
                },
                Act {
                    verb: "destroy",
                    button: "Destroy",
                    consequences: vec![
                        "All data under this key is lost: Customer file.".into(),
                        "It can be taken back for 7 days; then no one can.".into(),
                    ],
                    approvers: Some("two of Key Custodian B, Duty Officer".into()),
                    dangerous: true,
                    refused: None,
                    cli: Some("lionrock keys destroy key_01jd8y2v9m0000000000000000".into()),
                },
                Act {
                    verb: "suspend",
                    button: "Suspend",
                    consequences: vec!["New use stops at once.".into()],
                    approvers: None,
                    dangerous: true,
                    refused: Some("the policy does not allow this".into()),
                    cli: Some("lionrock keys suspend key_01jd8y2v9m0000000000000000".into()),
                },
            ],
        }
    }

    #[test]
    fn a_dangerous_act_says_what_is_lost_who_approves_and_wants_the_name() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("All data under this key is lost"));
        assert!(text.contains("Must be approved by: </strong>two of"));
        assert!(text.contains("data-must-equal=\"customer-files\""));
        assert!(text.contains("action=\"/keys/key_01jd8y2v9m0000000000000000/destroy\""));
    }

    #[test]
    fn who_may_not_act_sees_why_and_no_form() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("You cannot do this: the policy does not allow this."));
        assert!(!text.contains("/suspend\""));
    }

    #[test]
    fn every_form_carries_the_form_token() {
        let text = show(&frame(), &source(), &sample()).into_string();
        let posts = text.matches("method=\"post\"").count();
        assert_eq!(text.matches("name=\"form_token\"").count(), posts);
    }

    #[test]
    fn a_hostile_name_cannot_leave_the_typed_name_field() {
        let mut view = sample();
        view.name = "\"><script>alert(1)</script>".into();
        let text = show(&frame(), &source(), &view).into_string();
        assert!(!text.contains("<script>alert"));
    }

    #[test]
    fn the_timeline_leads_to_the_records() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("href=\"/log/40\""));
        assert!(text.contains("href=\"/log?resource=key:key_01jd8y2v9m0000000000000000\""));
    }
}
