//! What forms do about classification profiles: brought, begun from another, changed, in force.

use crate::desk::Desk;
use crate::fields::Fields;
use discover::{Category, Class, DiscoverError, Profile, Rule};
use extract::KindName;
use kernel::actions::{DataRead, DataSource};
use kernel::{DomainId, Permit, Problem, Resource, ResourceKind};
use std::sync::Arc;

fn permit(desk: &Desk) -> Result<Permit<DataSource>, Problem> {
    desk.permit(Resource::all(ResourceKind::Data, DomainId::SYSTEM))
}

/// Keeps a pasted profile as a version; goes on to its page.
pub(crate) async fn bring(desk: Arc<Desk>, fields: Fields) -> Result<String, Problem> {
    let profile = Profile::read(fields.exact("profile")).map_err(DiscoverError::from)?;
    keep(&desk, profile, fields.text("reason")).await
}

async fn keep(desk: &Desk, profile: Profile, reason: &str) -> Result<String, Problem> {
    let name = profile.name.clone();
    let written = desk.rooms.discover.write_profile(permit(desk)?, profile, reason).await?;
    Ok(format!("/data/profiles/{name}?version={}", written.version))
}

/// Changes a profile or puts it in force; goes on to its page.
pub(crate) async fn on_profile(
    desk: Arc<Desk>,
    fields: Fields,
    name: String,
    verb: String,
) -> Result<String, Problem> {
    let reason = fields.text("reason");
    let version = match fields.text("version") {
        "" => None,
        text => Some(number(text, "/version")?),
    };
    let version = version.map(|version| u32::try_from(version).unwrap_or(u32::MAX));
    match verb.as_str() {
        "in-force" => {
            let everywhere = fields.text("everywhere") == "yes";
            let discover = &desk.rooms.discover;
            discover.put_in_force(permit(&desk)?, &name, version, everywhere, reason).await?;
            Ok(format!("/data/profiles/{name}"))
        }
        "copy" => {
            let mut profile = text_of(&desk, &name, version)?;
            profile.name = fields.text("name").to_owned();
            profile.title = fields.text("title").to_owned();
            keep(&desk, profile, reason).await
        }
        "rule" => {
            let mut profile = text_of(&desk, &name, version)?;
            change(&mut profile, &fields)?;
            keep(&desk, profile, reason).await
        }
        _ => Err(Problem::not_found("act on a profile")),
    }
}

fn text_of(desk: &Desk, name: &str, version: Option<u32>) -> Result<Profile, Problem> {
    let permit = desk.scope::<DataRead>()?;
    Ok(desk.rooms.discover.profile_text(permit, name, version)?.1)
}

fn number(text: &str, pointer: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| Problem::field(pointer, "is a whole number"))
}

/// Puts the rule of a form where the rule that it was stands, or at the end.
fn change(profile: &mut Profile, fields: &Fields) -> Result<(), Problem> {
    let was = fields.text("was");
    let place = profile.rules.iter().position(|rule| rule.id == was && !was.is_empty());
    if fields.text("remove") == "yes" {
        if let Some(place) = place {
            profile.rules.remove(place);
        }
        return Ok(());
    }
    let rule = rule(fields)?;
    match place.and_then(|place| profile.rules.get_mut(place)) {
        Some(there) => *there = rule,
        None => profile.rules.push(rule),
    }
    Ok(())
}

fn rule(fields: &Fields) -> Result<Rule, Problem> {
    let class = Class::from_word(fields.text("class"));
    let lists = fields.text("with").split(';').map(str::trim).filter(|some| !some.is_empty());
    let with: Result<Vec<_>, _> = lists.map(|some| kinds(some, "/with")).collect();
    let distinct = match fields.text("distinct") {
        "" => 0,
        text => number(text, "/distinct")?,
    };
    let falls = |category: &&Category| fields.text(category.word()) == "yes";
    Ok(Rule {
        id: fields.text("id").to_owned(),
        class: class.ok_or_else(|| Problem::field("/class", "is not one of the choices"))?,
        any: kinds(fields.text("any"), "/any")?,
        with: with?,
        at_least: number(fields.text("at_least"), "/at_least")?,
        distinct,
        sure: fields.text("sure") == "yes",
        categories: Category::ALL.iter().filter(falls).copied().collect(),
        reason: fields.text("why").to_owned(),
    })
}

fn kinds(text: &str, pointer: &str) -> Result<Vec<KindName>, Problem> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let wrong = || Problem::field(pointer, format!("`{word}` is no kind"));
            KindName::try_from(word.to_owned()).map_err(|_| wrong())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "was=contacts&id=lists&class=restricted&any=phone%2C+email&\
        with=person-name%3B+iban%2Cbic&at_least=9&distinct=&sure=yes&pdpo-personal=yes&why=ours";

    fn changed(form: &str) -> Result<Profile, Problem> {
        let mut profile = Profile::builtin().unwrap();
        change(&mut profile, &Fields::read(form.as_bytes()).unwrap())?;
        Ok(profile)
    }

    #[test]
    fn the_form_of_a_rule_becomes_the_rule_in_its_place() {
        let before = Profile::builtin().unwrap();
        let after = changed(FORM).unwrap();
        let place = before.rules.iter().position(|rule| rule.id == "contacts").unwrap();
        let rule = &after.rules[place];
        assert_eq!((rule.id.as_str(), rule.class, rule.at_least), ("lists", Class::Restricted, 9));
        assert_eq!((rule.any.len(), rule.with.len(), rule.with[1].len()), (2, 2, 2));
        assert_eq!((rule.sure, rule.categories.as_slice()), (true, &[Category::PdpoPersonal][..]));
        assert_eq!(after.rules.len(), before.rules.len());
        let removed = changed(&format!("{FORM}&remove=yes")).unwrap();
        assert_eq!(removed.rules.len(), before.rules.len() - 1);
    }

    #[test]
    fn what_is_no_kind_or_no_number_is_named() {
        let field = |form: &str| changed(form).unwrap_err().fields[0].pointer.clone();
        assert_eq!(field(&FORM.replace("phone", "fax")), "/any");
        assert_eq!(field(&FORM.replace("iban", "tooth")), "/with");
        assert_eq!(field(&FORM.replace("at_least=9", "at_least=x")), "/at_least");
        assert_eq!(field(&FORM.replace("restricted", "hidden")), "/class");
    }
}
