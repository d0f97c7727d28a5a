//! Classification profiles: which there are, and one with its rules, versions and what it would do.

use crate::elements::{capitalised, command, count, counted, form_token, moment, table};
use crate::frame::{Frame, Source, Title, page};
use discover::{Category, Class, Profile, ProfileTrial, Rule};
use extract::KindName;
use kernel::Timestamp;
use maud::{Markup, html};

/// One profile in the list.
#[derive(Debug, Clone)]
pub(crate) struct ProfileLine {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) ships: bool,
    pub(crate) default: bool,
    pub(crate) in_force: Option<u32>,
    pub(crate) newest: Option<u32>,
    pub(crate) named_by: u64,
}

/// The list of profiles.
#[derive(Debug, Clone)]
pub(crate) struct Profiles {
    pub(crate) rows: Vec<ProfileLine>,
    /// Whether the one who looks may write profiles.
    pub(crate) writes: bool,
}

/// One version.
#[derive(Debug, Clone)]
pub(crate) struct VersionLine {
    pub(crate) version: u32,
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    pub(crate) reason: String,
    pub(crate) changes: String,
}

/// One profile.
#[derive(Debug, Clone)]
pub(crate) struct ProfilePage {
    pub(crate) line: ProfileLine,
    /// The version that is shown; none for the profile that ships.
    pub(crate) shown: Option<u32>,
    /// The rule that is being changed; `+` for a new one.
    pub(crate) editing: String,
    pub(crate) versions: Vec<VersionLine>,
    pub(crate) profile: Profile,
    pub(crate) trial: ProfileTrial,
    pub(crate) writes: bool,
}

const WITHIN: Option<(&str, &str)> = Some(("/data", "Sensitive data"));

/// `/data/profiles`: by which rules is data classified?
pub(crate) fn list(frame: &Frame, source: &Source, view: &Profiles) -> Markup {
    let heads = ["Profile", "What it is for", "In force", "Followed by"];
    let body = html! {
        (table(frame.language, "Profiles", &heads, &html! { @for row in &view.rows { tr {
            th scope="row" { a href=(format!("/data/profiles/{}", row.name)) { (row.name) } }
            td { (row.title) }
            td { (in_force(row)) }
            td {
                @if row.default { "sources that name none" br; }
                @if row.named_by > 0 { (counted(row.named_by, "source by name", "sources by name")) }
            }
        } } }))
        @if view.writes {
            section.acts {
                h2 { "Write" }
                details { summary { "Bring a profile in YAML or JSON" } div {
                    p { "Nothing follows it before a version is put in force. The page of a profile "
                        "shows its rules as such a text to begin with." }
                    form.stack method="post" action="/data/profiles" {
                        (form_token(&frame.form_token))
                        label { "Profile"
                            textarea name="profile" rows="14" required maxlength="60000" {} }
                        label { "Reason" textarea name="reason" required maxlength="2000" {} }
                        button type="submit" { "Keep as a version" }
                    }
                } }
            }
        }
        (command(frame.language, "lionrock discover profile write retail.yaml --reason \"…\""))
    };
    page(frame, &Title { text: "Classification profiles", within: WITHIN }, source, &body)
}

fn in_force(line: &ProfileLine) -> Markup {
    html! { @match (line.ships, line.in_force) {
        (true, _) => { "as it ships" },
        (false, Some(version)) => {
            "version " (version)
            @if line.newest > Some(version) { span.soft { ", a newer one is written" } }
        },
        (false, None) => span.soft { "never" },
    } }
}

/// `/data/profiles/{profile}`: what does this profile say, and what would it do?
pub(crate) fn show(frame: &Frame, source: &Source, view: &ProfilePage) -> Markup {
    let (line, profile) = (&view.line, &view.profile);
    let body = html! {
        dl {
            dt { "What it is for" } dd { (profile.title) }
            dt { "In force" } dd { (in_force(line)) }
            @if let Some(shown) = view.shown { dt { "Shown" } dd { "version " (shown) } }
            dt { "Where no rule holds" } dd {
                (frame.language.term(&capitalised(profile.floor.word()))) ": " (profile.floor_reason)
            }
        }
        section { h2 { (frame.language.term("Rules")) } (rules(frame, view)) }
        section { h2 { "What it would do" } (would_do(frame, view)) }
        @if view.writes { (acts(frame, view)) }
        @if !view.versions.is_empty() { section { h2 { "Versions" } (versions(frame, view)) } }
        details { summary { "As a text" } div { pre { (as_text(profile)) } } }
        (command(frame.language, &format!("lionrock discover profile show {}", line.name)))
    };
    let title = Title { text: &line.name, within: Some(("/data/profiles", "Profiles")) };
    page(frame, &title, source, &body)
}

/// The profile as a text that the form takes back.
fn as_text(profile: &Profile) -> String {
    serde_json::to_string_pretty(profile).unwrap_or_default()
}

fn rules(frame: &Frame, view: &ProfilePage) -> Markup {
    let heads = ["Rule", "Class", "Any of", "Together with", "At least", "Falls under", "Why"];
    let edits = view.writes && !view.line.ships;
    let link = |rule: &str| {
        let version = view.shown.map_or_else(String::new, |v| format!("&version={v}"));
        let name = &view.line.name;
        format!("/data/profiles/{name}?rule={}{version}#rule", crate::elements::query_value(rule))
    };
    html! {
        (table(frame.language, "Rules", &heads, &html! { @for rule in &view.profile.rules { tr {
            th scope="row" {
                @if edits { a href=(link(&rule.id)) { (rule.id) } } @else { (rule.id) }
            }
            td { (frame.language.term(&capitalised(rule.class.word()))) }
            td { (called(&rule.any, ", ")) }
            td { @for some in &rule.with { (called(some, " or ")) br; } }
            td.n {
                (count(rule.at_least))
                @if rule.distinct > 0 { ", " (count(rule.distinct)) " different" }
                @if rule.sure { ", sure" }
            }
            td { @for category in &rule.categories { (category.title()) br; } }
            td { (rule.reason) }
        } } }))
        @if edits { p { a href=(link("+")) { "Add a rule" } } }
    }
}

fn called(kinds: &[KindName], between: &str) -> String {
    let names: Vec<_> = kinds.iter().map(|kind| crate::load::data::called(*kind)).collect();
    names.join(between)
}

fn would_do(frame: &Frame, view: &ProfilePage) -> Markup {
    let trial = &view.trial;
    html! {
        p {
            "Of " (counted(trial.findings, "finding", "findings")) " that are there"
            @if trial.more { " (the first ones; there are more)" }
            ", these would be labelled otherwise than now:"
            @if trial.moves.is_empty() { " none." }
        }
        @if !trial.moves.is_empty() {
            (table(frame.language, "What it would do", &["Now", "Then", "Findings", "For example"],
                &html! { @for one in &trial.moves { tr {
                    td { (frame.language.term(&capitalised(one.from.word()))) }
                    td { (frame.language.term(&capitalised(one.to.word()))) }
                    td.n { (count(one.findings)) }
                    td { a href=(format!("/data/findings/{}", one.example)) { "a finding" } }
                } } }))
        }
    }
}

fn acts(frame: &Frame, view: &ProfilePage) -> Markup {
    let at = |verb: &str| format!("/data/profiles/{}/{verb}", view.line.name);
    let why = html! { label { "Reason" textarea name="reason" required maxlength="2000" {} } };
    html! {
        section.acts {
            h2 { "Act" }
            @if !view.editing.is_empty() && !view.line.ships { (rule_form(frame, view)) }
            details { summary { "Put in force" } div {
                p { "What was found is labelled anew at once, without a scan." }
                form.stack method="post" action=(at("in-force")) {
                    (form_token(&frame.form_token))
                    @if let Some(shown) = view.shown {
                        input type="hidden" name="version" value=(shown);
                    }
                    label { "For" select name="everywhere" {
                        option value="yes" { "every source that names no profile" }
                        @if !view.line.ships {
                            option value="no" { "only sources that name it" }
                        }
                    } }
                    (why)
                    button type="submit" { "Put in force" }
                }
            } }
            details { summary { "Begin a profile of your own from this one" } div {
                form.stack method="post" action=(at("copy")) {
                    (form_token(&frame.form_token))
                    label { "Name, of small letters, digits and hyphens"
                        input name="name" required maxlength="64" pattern="[a-z0-9\\-]+"; }
                    label { "What it is for" input name="title" required maxlength="500"; }
                    (why)
                    button type="submit" { "Keep as its first version" }
                }
            } }
        }
    }
}

fn rule_form(frame: &Frame, view: &ProfilePage) -> Markup {
    let found = view.profile.rules.iter().find(|rule| rule.id == view.editing);
    let words = |kinds: &[KindName]| {
        kinds.iter().map(|kind| String::from(*kind)).collect::<Vec<_>>().join(", ")
    };
    let with =
        |rule: &Rule| rule.with.iter().map(|some| words(some)).collect::<Vec<_>>().join("; ");
    let text = |of: &dyn Fn(&Rule) -> String| found.map(of).unwrap_or_default();
    let number = |of: fn(&Rule) -> u64, none: u64| found.map_or(none, of).to_string();
    html! {
        details open id="rule" {
            summary { @if found.is_some() { "Change the rule " (view.editing) } @else { "Add a rule" } }
            div { form.stack method="post" action=(format!("/data/profiles/{}/rule", view.line.name)) {
                (form_token(&frame.form_token))
                @if let Some(shown) = view.shown { input type="hidden" name="version" value=(shown); }
                input type="hidden" name="was" value=(text(&|rule| rule.id.clone()));
                label { "Name, of small letters, digits and hyphens"
                    input name="id" required maxlength="64" pattern="[a-z0-9\\-]+"
                        value=(text(&|rule| rule.id.clone())); }
                label { "Class" select name="class" { @for class in Class::ALL {
                    option value=(class.word()) selected[found.is_some_and(|r| r.class == *class)] {
                        (frame.language.term(&capitalised(class.word())))
                    }
                } } }
                label { "Any of these kinds, with commas between"
                    input name="any" required maxlength="2000" list="kinds"
                        value=(text(&|rule| words(&rule.any))); }
                label { "Together with: kinds with commas between, lists with semicolons"
                    input name="with" maxlength="4000" value=(text(&|rule| with(rule))); }
                label { "Occurrences at least"
                    input type="number" name="at_least" min="1" max="1000000000" required
                        value=(number(|rule| rule.at_least, 1)); }
                label { "Different values at least"
                    input type="number" name="distinct" min="0" max="1000000000"
                        value=(number(|rule| rule.distinct, 0)); }
                label { "Counts" select name="sure" {
                    option value="no" { "what is sure or likely" }
                    option value="yes" selected[found.is_some_and(|r| r.sure)] { "only what is sure" }
                } }
                fieldset { legend { "Falls under" } @for category in Category::ALL {
                    label.check {
                        input type="checkbox" name=(category.word()) value="yes"
                            checked[found.is_some_and(|r| r.categories.contains(category))];
                        (category.title())
                    }
                } }
                label { "Why, as a whole sentence"
                    textarea name="why" required maxlength="500" { (text(&|r| r.reason.clone())) } }
                label { "Reason for the change" textarea name="reason" required maxlength="2000" {} }
                @if found.is_some() {
                    label.check { input type="checkbox" name="remove" value="yes"; "Remove the rule" }
                }
                datalist id="kinds" { @for kind in kind_words() { option value=(kind) {} } }
                button type="submit" { "Keep as a new version" }
            } }
        }
    }
}

/// The words of every kind that a rule may name.
fn kind_words() -> Vec<String> {
    detect::Kind::ALL.into_iter().map(|kind| String::from(KindName(kind))).collect()
}

fn versions(frame: &Frame, view: &ProfilePage) -> Markup {
    let heads = ["Version", "When", "By", "Reason", "What changed"];
    table(
        frame.language,
        "Versions",
        &heads,
        &html! { @for one in &view.versions { tr {
            th scope="row" {
                a href=(format!("/data/profiles/{}?version={}", view.line.name, one.version)) {
                    (one.version)
                }
                @if view.line.in_force == Some(one.version) { span.soft { " in force" } }
            }
            td { (moment(one.at)) }
            td { (one.by) }
            td { (one.reason) }
            td { (one.changes) }
        } } },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::{frame, source};

    fn view() -> ProfilePage {
        ProfilePage {
            line: ProfileLine {
                name: "retail".into(),
                title: "Retail".into(),
                ships: false,
                default: false,
                in_force: None,
                newest: Some(2),
                named_by: 0,
            },
            shown: Some(2),
            editing: String::new(),
            versions: Vec::new(),
            profile: Profile::builtin().unwrap(),
            trial: ProfileTrial { findings: 3, more: false, moves: Vec::new() },
            writes: true,
        }
    }

    #[test]
    fn a_profile_shows_its_rules_and_what_it_would_do() {
        let text = show(&frame(), &source(), &view()).into_string();
        assert!(
            text.contains("Of 3 findings that are there")
                && text.contains("otherwise than now: none.")
        );
        assert!(text.contains("/data/profiles/retail?rule=secrets&amp;version=2#rule"), "{text}");
        assert!(text.contains("never") && text.contains("PDPO personal identifiers"));
    }

    #[test]
    fn the_form_of_a_rule_has_what_the_rule_says() {
        let editing = ProfilePage { editing: "contacts".into(), ..view() };
        let text = show(&frame(), &source(), &editing).into_string();
        assert!(text.contains("value=\"phone, email\"") && text.contains("value=\"25\""), "{text}");
        assert!(text.contains("Change the rule contacts"));
        let new = ProfilePage { editing: "+".into(), ..view() };
        assert!(show(&frame(), &source(), &new).into_string().contains("Add a rule"));
    }

    #[test]
    fn the_profile_that_ships_is_shown_and_not_changed() {
        let mut ships = view();
        ships.line.ships = true;
        ships.editing = "contacts".into();
        let text = show(&frame(), &source(), &ships).into_string();
        assert!(!text.contains("Change the rule") && text.contains("Begin a profile of your own"));
    }
}
