//! One finding: why it is a risk, what it holds, what can be decided and done.

use crate::elements::{State, capitalised, command, count, form_token, moment, table};
use crate::frame::{Frame, Source, Title, page};
use discover::{Act, Finding};
use kernel::Timestamp;
use maud::{Markup, html};

/// One finding.
#[derive(Debug, Clone)]
pub(crate) struct FindingView {
    pub(crate) finding: Finding,
    pub(crate) shown: String,
    pub(crate) source_name: String,
    pub(crate) accepted: Option<(String, Timestamp, String)>,
    pub(crate) decides: bool,
    pub(crate) acts: Vec<Act>,
    pub(crate) deletes: bool,
    pub(crate) level: State,
    pub(crate) standing: State,
}

/// `/data/findings/{finding}`: why is this a risk, and what can be done?
pub(crate) fn finding(frame: &Frame, source: &Source, view: &FindingView) -> Markup {
    let finding = &view.finding;
    let body = html! {
        dl {
            dt { "Risk" } dd { (finding.risk.score) " of 100, " (view.level.show(frame.language)) }
            dt { "Class" } dd { (frame.language.term(&capitalised(finding.class.word()))) }
            dt { "Standing" } dd {
                (view.standing.show(frame.language))
                @if let Some((by, until, reason)) = &view.accepted {
                    " by " (by) " until " (moment(*until)) ": " (reason)
                }
            }
            dt { "Store" } dd {
                a href=(format!("/data/findings?source={}", finding.source)) { (view.source_name) }
            }
            @if !finding.categories.is_empty() {
                dt { "Falls under" } dd { @for category in &finding.categories {
                    (category.title()) br;
                } }
            }
            dt { "First found" } dd { (moment(finding.first_seen)) }
        }
        section {
            h2 { "Why this risk" }
            (table(frame.language, "Why this risk", &["Factor", "Share", "Because"], &html! {
                @for factor in &finding.risk.factors { tr {
                    th scope="row" { (capitalised(factor.aspect.word())) }
                    td.n { (factor.percent) " %" }
                    td { (factor.sentence) }
                } }
            }))
        }
        section {
            h2 { "Why this class" }
            ul { @for because in &finding.because { li {
                (frame.language.term(&capitalised(because.class.word()))) ": " (because.sentence)
            } } }
        }
        (holds(frame, view))
        @if view.decides { (decisions(frame, view)) }
        @if !view.acts.is_empty() || view.deletes { (acts(frame, view)) }
        (command(frame.language, &format!("lionrock discover show {}", finding.id)))
    };
    let title = Title { text: &view.shown, within: Some(("/data/findings", "Findings")) };
    page(frame, &title, source, &body)
}

const HOLDS: &[&str] = &["Kind", "Sure", "Likely", "Different", "Set aside", "For example"];

fn holds(frame: &Frame, view: &FindingView) -> Markup {
    html! {
        section {
            h2 { "What it holds" }
            (table(frame.language, "What it holds", HOLDS, &html! { @for kind in &view.finding.kinds { tr {
                    th scope="row" { (crate::load::data::called(kind.kind)) }
                    td.n { (count(kind.tally.sure)) }
                    td.n { (count(kind.tally.likely)) }
                    td.n { (count(kind.tally.distinct)) }
                    td.n { (count(kind.set_aside)) }
                    td { @for sample in kind.samples.iter().take(3) {
                        code { (sample.masked) } " " span.soft { (sample.at) } br;
                    } }
                } } }))
            p.note { "Values stand behind a mask. Where identity card numbers are found, no names are shown." }
        }
    }
}

fn decisions(frame: &Frame, view: &FindingView) -> Markup {
    let at = |verb: &str| format!("/data/findings/{}/{verb}", view.finding.id);
    html! {
        section.acts {
            h2 { "Decide" }
            details { summary { "No find" } div {
                form.stack method="post" action=(at("no-find")) {
                    (form_token(&frame.form_token))
                    label { "Kind" select name="kind" required {
                        @for kind in &view.finding.kinds {
                            option { (String::from(kind.kind)) }
                        }
                    } }
                    label { "Value, when only this one is none, wherever it occurs"
                        select name="value" {
                            option value="" { "not one value" }
                            @for kind in &view.finding.kinds { @for sample in &kind.samples {
                                option value=(format!("{} {}", String::from(kind.kind),
                                    discover::hexadecimal(sample.fingerprint))) {
                                    (sample.masked) ", " (sample.at)
                                }
                            } }
                        } }
                    label { "Column, when all columns of this name in the store are none"
                        input name="column" maxlength="200"; }
                    label { "Reason" textarea name="reason" required maxlength="2000" {} }
                    button type="submit" { "It is no find" }
                }
            } }
            @if view.finding.accepted.is_none() {
                details { summary { "Accept the risk for a time" } div {
                    form.stack method="post" action=(at("accept")) {
                        (form_token(&frame.form_token))
                        label { "Days" input type="number" name="days" min="1" max="366" value="90" required; }
                        label { "Reason" textarea name="reason" required maxlength="2000" {} }
                        button type="submit" { "Accept" }
                    }
                } }
            } @else {
                details { summary { "Open it again" } div {
                    form.stack method="post" action=(at("reopen")) {
                        (form_token(&frame.form_token))
                        label { "Reason" textarea name="reason" required maxlength="2000" {} }
                        button type="submit" { "Open again" }
                    }
                } }
            }
        }
    }
}

fn acts(frame: &Frame, view: &FindingView) -> Markup {
    let at = |verb: &str| format!("/data/findings/{}/{verb}", view.finding.id);
    let why = html! { label { "Reason" textarea name="reason" required maxlength="2000" {} } };
    html! {
        section.acts {
            h2 { "Act" }
            @for act in &view.acts {
                @match act {
                    Act::Quarantine => details { summary { "Quarantine" } div {
                        p { "The file is moved where only the server reads it. It can be brought back." }
                        form.stack method="post" action=(at("quarantine")) {
                            (form_token(&frame.form_token)) (why)
                            button type="submit" { "Quarantine" }
                        }
                    } },
                    Act::Restore => details { summary { "Bring it back" } div {
                        form.stack method="post" action=(at("restore")) {
                            (form_token(&frame.form_token)) (why)
                            button type="submit" { "Bring it back" }
                        }
                    } },
                    Act::Encrypt => details { summary { "Encrypt in place" } div {
                        p { "The file is replaced by an envelope file under a key that is labelled "
                            code { "found-data=encrypt" } ". Applications without that key no longer read it." }
                        form.stack method="post" action=(at("encrypt")) {
                            (form_token(&frame.form_token))
                            label { "Key" input name="key" required maxlength="64"; }
                            (why)
                            button type="submit" { "Encrypt" }
                        }
                    } },
                    Act::Delete => {},
                }
            }
            @if view.deletes {
                details { summary { "Delete" } div {
                    p { "The file is lost for good. Somebody who answers for the data has to approve "
                        "first; afterwards you carry it out from the page of requests. Should the "
                        "file change until then, nothing is deleted." }
                    form.stack method="post" action=(at("ask-delete")) {
                        (form_token(&frame.form_token)) (why)
                        button.danger type="submit" { "Ask for the deletion" }
                    }
                } }
            }
        }
    }
}
