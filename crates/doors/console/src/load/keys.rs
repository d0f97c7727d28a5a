//! The list of keys.

use crate::desk::{Desk, DomainNames};
use crate::elements::{Pager, State, Tone, counted, query_value};
use crate::frame::Source;
use crate::pages::keys::{Keys, Making, Row};
use kernel::actions::KeyList;
use kernel::limits::PAGE_ITEMS_DEFAULT;
use kernel::{Action, Labels, Problem, ProblemKind};
use keys::{KeyView, ListKeys, StateName};
use strongroom::Algorithm;

/// The page of keys that the query asks for.
pub(crate) fn list(desk: &Desk) -> Result<(Source, Keys), Problem> {
    let chosen = desk.query.text("state");
    let state = match chosen {
        "" => None,
        word => Some(state_of(word)?),
    };
    let after = Some(desk.query.exact("after")).filter(|after| !after.is_empty());
    let asked = ListKeys { after: after.map(Into::into), state, ..ListKeys::default() };
    let names = desk.domain_names()?;
    let page = desk.rooms.keys.list(desk.scope::<KeyList>()?, &asked)?;
    let link = |after: &str| {
        let state = query_value(chosen);
        format!("/keys?state={state}&after={}", query_value(after))
    };
    let pager = Pager {
        shown: counted(page.keys.len() as u64, "key", "keys") + " on this page, by name",
        first: after.map(|_| format!("/keys?state={}", query_value(chosen))),
        next: page.next.as_deref().filter(|_| page.keys.len() >= PAGE_ITEMS_DEFAULT).map(link),
    };
    let view = Keys {
        rows: page.keys.iter().map(|key| row(key, &names)).collect(),
        chosen: state.map(StateName::word).unwrap_or_default().to_owned(),
        states: StateName::ALL.iter().map(|state| state.word()).collect(),
        pager,
        making: making(desk, &names),
    };
    Ok((desk.live("live state"), view))
}

/// The state of a word in a query.
fn state_of(word: &str) -> Result<StateName, Problem> {
    StateName::ALL.into_iter().find(|state| state.word() == word).ok_or_else(|| {
        Problem::new(ProblemKind::Invalid, "invalid-parameter", "`state` is no state of a key")
    })
}

fn row(key: &KeyView, names: &DomainNames) -> Row {
    Row {
        id: key.id.to_string(),
        name: key.about.name.as_str().to_owned(),
        domain: names.of(key.domain),
        algorithm: key.about.algorithm.name().to_owned(),
        state: whole_state(key),
        version: key.versions.last().map_or(0, |version| version.number.0),
        serves: serves(&key.about.labels),
        rotation_due: key.rotation_due_at,
    }
}

/// The state of a key as a whole: a destruction that waits matters more than the state before it.
pub(crate) fn whole_state(key: &KeyView) -> State {
    if key.destruction.is_some() && !key.state.is_destroyed() {
        return State::new(Tone::Bad, "Waiting for destruction");
    }
    state(key.state)
}

/// How a state of SP 800-57 is shown.
pub(crate) fn state(state: StateName) -> State {
    match state {
        StateName::PreActive => State::new(Tone::Quiet, "Pre-active"),
        StateName::Active => State::new(Tone::Good, "Active"),
        StateName::Suspended => State::new(Tone::Warn, "Suspended"),
        StateName::Deactivated => State::new(Tone::Quiet, "Deactivated"),
        StateName::Compromised => State::new(Tone::Bad, "Compromised"),
        StateName::Destroyed => State::new(Tone::Quiet, "Destroyed"),
        StateName::DestroyedCompromised => State::new(Tone::Bad, "Destroyed, compromised"),
    }
}

/// What a key serves, from the labels that people look for first.
fn serves(labels: &Labels) -> String {
    let words = ["workload", "criticality", "data-class"];
    words.iter().filter_map(|word| labels.get(word)).collect::<Vec<_>>().join(" · ")
}

fn making(desk: &Desk, names: &DomainNames) -> Option<Making> {
    let domains: Vec<_> = names
        .choices()
        .filter(|(id, _)| {
            let Ok(domain) = id.parse() else { return false };
            let all = kernel::Resource::all(kernel::ResourceKind::Key, domain);
            desk.rooms.gate.explain(&desk.caller, Action::KeyCreate, &all).is_ok()
        })
        .collect();
    let algorithms = Algorithm::ALL.iter().map(|a| (a.name().to_owned(), a.name().to_owned()));
    (!domains.is_empty()).then(|| Making { domains, algorithms: algorithms.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> =
            StateName::ALL.into_iter().map(|s| state(s).word).collect();
        assert_eq!(words.len(), StateName::ALL.len());
    }

    #[test]
    fn a_state_in_a_query_is_a_word_or_a_problem() {
        assert_eq!(state_of("suspended").unwrap(), StateName::Suspended);
        assert_eq!(state_of("asleep").unwrap_err().kind, ProblemKind::Invalid);
    }
}
