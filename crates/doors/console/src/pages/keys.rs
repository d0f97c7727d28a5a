//! `/keys`: which keys are there, in which state?

use crate::elements::{Pager, State, command, day, empty, form_token, table};
use crate::frame::{Frame, Source, Title, page};
use kernel::Timestamp;
use maud::{Markup, html};

/// One key in the list.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its identifier.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its key domain.
    pub(crate) domain: String,
    /// Its algorithm.
    pub(crate) algorithm: String,
    /// The state of its newest version.
    pub(crate) state: State,
    /// The number of its newest version.
    pub(crate) version: u32,
    /// What it is for: criticality and data class from its labels.
    pub(crate) serves: String,
    /// When it must rotate; none without a schedule.
    pub(crate) rotation_due: Option<Timestamp>,
}

/// A value to choose from: what is sent and what is read.
pub(crate) type Choice = (String, String);

/// The form that makes a key, for those who may.
#[derive(Debug, Clone, Default)]
pub(crate) struct Making {
    /// Key domains in which the one who looks may make keys.
    pub(crate) domains: Vec<Choice>,
    /// Algorithms on offer.
    pub(crate) algorithms: Vec<Choice>,
}

/// The list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    /// The page of rows, by name.
    pub(crate) rows: Vec<Row>,
    /// The state chosen; empty for every state.
    pub(crate) chosen: String,
    /// States to choose from, as their words.
    pub(crate) states: Vec<&'static str>,
    /// Where one is in the list.
    pub(crate) pager: Pager,
    /// The form to make a key; none when the one who looks may not.
    pub(crate) making: Option<Making>,
}

/// The command that makes a key.
const MAKE: &str =
    "lionrock keys create --domain retail --name customer-files --algorithm aes-256-gcm";

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Keys) -> Markup {
    let body = html! {
        (filter(view))
        @if view.rows.is_empty() && view.chosen.is_empty() {
            (empty(frame.language, "There is no key yet that you may see; a key protects the data of one workload.",
                   MAKE))
        } @else if view.rows.is_empty() {
            (empty(frame.language, "No key is in this state.", "lionrock keys list"))
        } @else {
            (rows(frame, view))
            (view.pager.show(frame.language, "keys"))
            (command(frame.language, "lionrock keys list"))
        }
        @if let Some(making) = &view.making { (make(frame, making)) }
    };
    page(frame, &Title::of("Keys"), source, &body)
}

fn filter(view: &Keys) -> Markup {
    html! {
        form.row method="get" action="/keys" {
            label { "State" select name="state" {
                option value="" { "Every state" }
                @for state in &view.states {
                    option value=(state) selected[*state == view.chosen] { (state) }
                }
            } }
            button type="submit" { "Show" }
        }
    }
}

fn rows(frame: &Frame, view: &Keys) -> Markup {
    let heads = ["Name", "State", "Key domain", "Algorithm", "Version", "Serves", "Rotates by"];
    table(
        frame.language,
        "Keys",
        &heads,
        &html! {
            @for row in &view.rows {
                tr {
                    th scope="row" { a href=(format!("/keys/{}", row.id)) { (row.name) } }
                    td { (row.state.show(frame.language)) }
                    td { (row.domain) }
                    td.nowrap { (row.algorithm) }
                    td { (row.version) }
                    td { (row.serves) }
                    td { @match row.rotation_due {
                        None => span.soft { "no schedule" },
                        Some(due) if due < frame.now => span.warn { (day(due)) " late" },
                        Some(due) => (day(due)),
                    } }
                }
            }
        },
    )
}

fn make(frame: &Frame, making: &Making) -> Markup {
    html! {
        section.acts {
            details {
                summary { "Make a key" }
                div {
                    form.stack method="post" action="/keys" {
                        (form_token(&frame.form_token))
                        label { "Name" input name="name" required maxlength="128"; }
                        label { "Key domain" (choices("domain", &making.domains)) }
                        label { "Algorithm" (choices("algorithm", &making.algorithms)) }
                        label { "Workload" input name="workload" maxlength="128"; }
                        label {
                            "Criticality"
                            select name="criticality" {
                                @for level in ["critical", "important", "standard"] {
                                    option value=(level) { (level) }
                                }
                            }
                        }
                        button.first type="submit" { "Make the key" }
                    }
                    (command(frame.language, MAKE))
                }
            }
        }
    }
}

fn choices(name: &str, choices: &[Choice]) -> Markup {
    html! {
        select name=(name) required {
            @for (value, shown) in choices { option value=(value) { (shown) } }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::elements::Tone;
    use crate::frame::tests::{frame, now, source};

    pub(crate) fn row(n: usize, name: &str, state: State) -> Row {
        Row {
            id: format!("key_{n:026}"),
            name: name.into(),
            domain: "retail".into(),
            algorithm: "AES-256-GCM".into(),
            state,
            version: 2,
            serves: "critical · restricted".into(),
            rotation_due: (!n.is_multiple_of(3)).then(|| now().plus_days(40 * (n as i64) - 60)),
        }
    }

    pub(crate) fn sample() -> Keys {
        Keys {
            rows: vec![
                row(1, "card-tokens", State::new(Tone::Good, "Active")),
                row(2, "customer-files", State::new(Tone::Warn, "Suspended")),
                row(3, "分行文件", State::new(Tone::Good, "Active")),
                row(4, "payments-mac", State::new(Tone::Bad, "Compromised")),
                row(5, "statements-2024", State::new(Tone::Quiet, "Destroyed")),
            ],
            chosen: String::new(),
            states: vec!["active", "suspended"],
            pager: Pager {
                shown: "1 to 5 of 100,000 keys".into(),
                first: None,
                next: Some("/keys?after=statements-2024".into()),
            },
            making: Some(Making {
                domains: vec![("dom_1".into(), "retail".into())],
                algorithms: vec![("aes-256".into(), "AES-256".into())],
            }),
        }
    }

    #[test]
    fn a_late_rotation_is_said_in_words() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains(" late</span>"));
        assert!(text.contains("no schedule"));
        assert!(text.contains("1 to 5 of 100,000 keys"));
    }

    #[test]
    fn no_key_is_one_sentence_and_one_command() {
        let text = show(&frame(), &source(), &Keys::default()).into_string();
        assert!(text.contains("There is no key yet"));
        assert!(text.contains("lionrock keys create"));
        assert!(!text.contains("Make a key"), "who may not make keys sees no form");
    }

    #[test]
    fn hostile_names_and_many_rows_stay_rows() {
        let rows = (0..500)
            .map(|n| row(n, "\"><script>alert(1)</script>", State::new(Tone::Good, "Active")))
            .collect();
        let view = Keys { rows, chosen: "\" autofocus onfocus=\"x".into(), ..Keys::default() };
        let text = show(&frame(), &source(), &view).into_string();
        assert!(!text.contains("<script>alert"));
        assert!(!text.contains("\" autofocus"));
        assert_eq!(text.matches("<th scope=\"row\">").count(), 500);
    }
}
