//! One record of the log with its proof, computed when it is looked at.

use crate::desk::Desk;
use crate::frame::Source;
use crate::load::log::outcome;
use crate::pages::record::{Proof, Record};
use audit::proof::includes;
use audit::{LogError, LoggedEvent};
use kernel::actions::LogRead;
use kernel::{LogPosition, Problem};

/// The record at a position, if the caller may read the log of its key domain.
pub(crate) fn one(desk: &Desk, position: LogPosition) -> Result<(Source, Record), Problem> {
    let permit = desk.scope::<LogRead>()?;
    let found = desk.rooms.log.event(position);
    let scope = permit.scope();
    desk.rooms.note_read(permit);
    let logged = found?;
    if !scope.allows(logged.event.domain) {
        return Err(Problem::not_found("record"));
    }
    let view = Record {
        position: position.0,
        at: logged.logged,
        action: logged.event.action.to_string(),
        outcome: outcome(&logged.event.outcome),
        facts: facts(desk, &logged)?,
        personal: pairs(&logged.event.personal),
        proof: proof(desk, position)?,
    };
    Ok((desk.live("the log"), view))
}

fn facts(desk: &Desk, logged: &LoggedEvent) -> Result<Vec<(String, String)>, Problem> {
    let event = &logged.event;
    let names = desk.domain_names()?;
    let mut facts = vec![
        ("Who", format!("{} ({})", desk.name_of(event.principal), event.principal)),
        ("Thing", event.resource.clone()),
        ("Key domain", names.of(event.domain)),
        ("Through", word(&event.door)),
        ("Decision", word(&event.decision)),
        ("Decided", event.at.hong_kong()),
        ("Policy version", event.policy_version.to_string()),
        ("Correlation id", event.correlation.clone()),
        ("Took", format!("{} µs until it was written", event.latency_micros)),
    ]
    .into_iter()
    .map(|(term, fact)| (term.to_owned(), fact))
    .collect::<Vec<_>>();
    facts.retain(|(_, fact)| !fact.is_empty());
    facts.extend(pairs(&event.details));
    Ok(facts)
}

/// The word that stands in the record itself.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn pairs(pairs: &[(std::borrow::Cow<'static, str>, String)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| (k.to_string(), v.clone())).collect()
}

/// The inclusion proof under the newest checkpoint, verified here as a stranger would; none when
/// the checkpoint does not reach the record yet.
fn proof(desk: &Desk, position: LogPosition) -> Result<Option<Proof>, LogError> {
    let log = &desk.rooms.log;
    let note = log.checkpoint()?;
    // A checkpoint's second line is its size (C2SP tlog-checkpoint).
    let size = note.text().lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or(0);
    if position.0 >= size {
        return Ok(None);
    }
    let root = log.root_at(size)?;
    let line = log.evidence(position, size)?;
    let leaf = line.leaf();
    Ok(Some(Proof {
        leaf: leaf.to_string(),
        holds: includes(position.0, size, leaf, &line.path, root),
        path: line.path.iter().map(ToString::to_string).collect(),
        size,
        root: root.to_string(),
        note: note.to_string(),
    }))
}
