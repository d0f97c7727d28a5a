//! `/people`: who has which rights, of their own and by which group?

use crate::elements::{State, command, day, empty, form_token, table};
use crate::frame::{Frame, Source, Title, page};
use crate::pages::keys::Choice;
use kernel::Timestamp;
use maud::{Markup, html};

/// A person or service in the list.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The name.
    pub(crate) name: String,
    /// The name to sign in with, or who owns the service.
    pub(crate) known_as: String,
    /// Whether it gets in.
    pub(crate) state: State,
    /// Its roles in words: reach, end, and the group by which each is held.
    pub(crate) roles: Vec<String>,
    /// When a person last signed in.
    pub(crate) signed_in: Option<Timestamp>,
}

/// A group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Its identifier.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) description: String,
    /// Its members: identifier and name.
    pub(crate) members: Vec<Choice>,
    /// Its roles: what a form sends to take it, and the role in words.
    pub(crate) roles: Vec<Choice>,
}

/// What can be chosen in the forms, for those who may change rights.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changing {
    /// People and services.
    pub(crate) candidates: Vec<Choice>,
    /// Roles.
    pub(crate) roles: Vec<Choice>,
    /// Key domains.
    pub(crate) domains: Vec<Choice>,
}

/// Everybody whom the one who looks may see.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    /// People, by name.
    pub(crate) people: Vec<Row>,
    /// Services, by name.
    pub(crate) services: Vec<Row>,
    /// Groups, by name.
    pub(crate) groups: Vec<Group>,
    /// The forms; none when the one who looks may not.
    pub(crate) changing: Option<Changing>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &People) -> Markup {
    let body = html! {
        section {
            h2 { (frame.language.term("People")) }
            @if view.people.is_empty() {
                (empty(frame.language, "Nobody has an account that you may see.",
                       "lionrock people list"))
            } @else {
                (rows(frame, "People", "Signs in as", &view.people))
                (command(frame.language, "lionrock people list"))
            }
        }
        @if !view.services.is_empty() {
            section {
                h2 { (frame.language.term("Services")) }
                (rows(frame, "Services", "Owner", &view.services))
                (command(frame.language, "lionrock services list"))
            }
        }
        section {
            h2 { (frame.language.term("Groups")) }
            @if view.groups.is_empty() {
                (empty(frame.language,
                       "There is no group: whoever is in one holds the roles given to it.",
                       "lionrock groups create --name \"Retail custodians\""))
            }
            @for group in &view.groups { (one(frame, group, view.changing.as_ref())) }
            @if view.changing.is_some() { (make(frame)) }
        }
    };
    page(frame, &Title::of("People"), source, &body)
}

fn rows(frame: &Frame, label: &str, known_as: &str, rows: &[Row]) -> Markup {
    let people = known_as == "Signs in as";
    let heads = ["Name", known_as, "State", "Roles", "Last signed in"];
    let heads = if people { heads.as_slice() } else { heads.split_at(4).0 };
    table(
        frame.language,
        label,
        heads,
        &html! {
            @for row in rows {
                tr {
                    th scope="row" { (row.name) }
                    td { (row.known_as) }
                    td { (row.state.show(frame.language)) }
                    td {
                        @if row.roles.is_empty() { span.soft { "none" } }
                        @for (n, role) in row.roles.iter().enumerate() {
                            @if n > 0 { br; }
                            (role)
                        }
                    }
                    @if people {
                        td { @match row.signed_in {
                            Some(at) => (day(at)),
                            None => span.soft { "never" },
                        } }
                    }
                }
            }
        },
    )
}

fn one(frame: &Frame, group: &Group, changing: Option<&Changing>) -> Markup {
    let path = format!("/people/groups/{}", group.id);
    html! {
        article.point id=(group.id) {
            div {
                h3 { (group.name) }
                @if !group.description.is_empty() { p { (group.description) } }
                p.note { code { (group.id) } }
            }
            div {
                dl {
                    dt { "Roles" }
                    dd { (held(frame, &path, "take", "role", &group.roles, changing.is_some())) }
                    dt { "Members" }
                    dd { (held(frame, &path, "put-out", "holder", &group.members,
                               changing.is_some())) }
                }
                @if let Some(changing) = changing { (forms(frame, &path, changing)) }
                (command(frame.language, &format!("lionrock groups show {}", group.id)))
            }
        }
    }
}

/// What a group has, each with the form that ends it at once.
fn held(
    frame: &Frame,
    path: &str,
    verb: &str,
    field: &str,
    held: &[Choice],
    changing: bool,
) -> Markup {
    let word = if verb == "take" { "Take" } else { "Put out" };
    html! {
        @if held.is_empty() { span.soft { "none" } }
        @for (value, shown) in held {
            @if changing {
                form.row.acts method="post" action=(format!("{path}/{verb}")) {
                    (form_token(&frame.form_token))
                    input type="hidden" name=(field) value=(value);
                    span { (shown) }
                    button type="submit" aria-label=(format!("{word}: {shown}")) { (word) }
                }
            } @else { p { (shown) } }
        }
    }
}

fn forms(frame: &Frame, path: &str, changing: &Changing) -> Markup {
    html! {
        details.acts {
            summary { "Let somebody in" }
            div {
                form.stack method="post" action=(format!("{path}/let-in")) {
                    (form_token(&frame.form_token))
                    label { "Person or service" (select("holder", &changing.candidates)) }
                    (reason())
                    button type="submit" { "Let in" }
                }
                (others())
            }
        }
        details.acts {
            summary { "Give a role" }
            div {
                form.stack method="post" action=(format!("{path}/give")) {
                    (form_token(&frame.form_token))
                    label { "Role" (select("role", &changing.roles)) }
                    label { "Key domain" select name="domain" {
                        option value="" { "The whole installation" }
                        @for (value, shown) in &changing.domains {
                            option value=(value) { (shown) }
                        }
                    } }
                    (reason())
                    button type="submit" { "Give the role" }
                }
                (others())
            }
        }
    }
}

fn others() -> Markup {
    html! {
        p.note {
            "Once the installation has its own administrators, somebody else approves this: the \
             form asks for it. Send the same form again when it is approved."
        }
    }
}

fn reason() -> Markup {
    html! {
        label { "Reason, for whoever approves" input name="reason" maxlength="2000"; }
    }
}

fn select(name: &str, choices: &[Choice]) -> Markup {
    html! {
        select name=(name) required {
            @for (value, shown) in choices { option value=(value) { (shown) } }
        }
    }
}

fn make(frame: &Frame) -> Markup {
    html! {
        details.acts {
            summary { "Make a group" }
            div {
                form.stack method="post" action="/people/groups" {
                    (form_token(&frame.form_token))
                    label { "Name" input name="name" required maxlength="128"; }
                    label { "What it is for" input name="description" maxlength="2000"; }
                    button.first type="submit" { "Make the group" }
                }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::elements::Tone;
    use crate::frame::tests::{frame, now, source};

    pub(crate) fn sample() -> People {
        let ada = Row {
            name: "Key Custodian A".into(),
            known_as: "custodian-a".into(),
            state: State::new(Tone::Good, "Active"),
            roles: vec!["Key custodian in retail, by Retail custodians".into()],
            signed_in: Some(now()),
        };
        let service = Row {
            name: "core-banking".into(),
            known_as: "Platform Engineer A".into(),
            state: State::new(Tone::Bad, "Locked"),
            roles: Vec::new(),
            signed_in: None,
        };
        let group = Group {
            id: "grp_01jd8y2v9m0000000000000000".into(),
            name: "Retail custodians".into(),
            description: "Keys of the retail bank".into(),
            members: vec![("per_1".into(), "Key Custodian A".into())],
            roles: vec![("key-custodian dom_1".into(), "Key custodian in retail".into())],
        };
        let choice = |text: &str| (text.to_owned(), text.to_owned());
        let changing = Changing {
            candidates: vec![choice("Key Custodian B")],
            roles: vec![choice("auditor")],
            domains: vec![choice("retail")],
        };
        People {
            people: vec![ada],
            services: vec![service],
            groups: vec![group],
            changing: Some(changing),
        }
    }

    #[test]
    fn a_role_by_a_group_names_the_group() {
        let text = show(&frame(), &source(), &sample()).into_string();
        assert!(text.contains("Key custodian in retail, by Retail custodians"));
        assert!(text.contains("id=\"grp_01jd8y2v9m0000000000000000\""));
    }

    #[test]
    fn whoever_may_not_change_rights_sees_no_form() {
        let with = show(&frame(), &source(), &sample()).into_string();
        assert_eq!(with.matches("action=\"/people/groups").count(), 5);
        let view = People { changing: None, ..sample() };
        let without = show(&frame(), &source(), &view).into_string();
        assert!(!without.contains("action=\"/people/groups") && without.contains("<dd><p>Key"));
    }

    #[test]
    fn a_hostile_name_is_only_text() {
        let mut view = sample();
        view.groups[0].name = "<script>alert(1)</script>".into();
        assert!(!show(&frame(), &source(), &view).into_string().contains("<script>alert"));
    }
}
