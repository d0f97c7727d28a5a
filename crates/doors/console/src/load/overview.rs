//! The three sentences, and what needs the one who looks.

use crate::desk::Desk;
use crate::elements::{State, Tone, count, counted, query_value};
use crate::frame::Source;
use crate::load::map::place;
use crate::load::{requests, requirements};
use crate::pages::overview::{Need, Overview, Sentence};
use crate::pages::requests::Offer;
use audit::Query;
use comply::Status;
use inventory::{Break, MapRow, key_control_map};
use kernel::actions::{ApprovalRead, AssetRead, KeyList, LogRead, RequirementRead};
use kernel::{Action, Decision, Outcome, Problem, Scope};
use keys::{Census, StateName};

/// Hours that "what changed" looks back.
const CHANGES_HOURS: i64 = 24;
/// Most events that are looked at for it; beyond, the sentence says "more than".
const CHANGES_EVENTS_MAX: usize = 1_000;
/// Most late keys among what needs someone, by name; the rest are counted.
const LATE_SHOWN: usize = 5;
/// Most requirements among what needs someone; the page of requirements has the rest.
const REQUIREMENTS_SHOWN: usize = 5;

/// The overview as far as the caller may see.
pub(crate) fn read(desk: &Desk) -> Result<(Source, Overview), Problem> {
    let rows = data_rows(desk)?;
    let census = census(desk)?;
    let sentences = [data(rows.as_deref()), keys(census.as_ref(), rows.as_deref()), changes(desk)?];
    let mut needs = asked(desk)?;
    needs.extend(census.iter().flat_map(|census| late(desk, census)));
    needs.extend(failing(desk)?);
    Ok((desk.live("live state, the inventory and the log"), Overview { sentences, needs }))
}

/// A sentence about what the caller may not see.
fn closed(what: &str, to: &str) -> Sentence {
    Sentence {
        tone: Tone::Quiet,
        before: String::from("None of your roles shows "),
        link: what.to_owned(),
        to: to.to_owned(),
        after: String::from("."),
        note: String::from("Someone with another role sees more here."),
    }
}

fn data_rows(desk: &Desk) -> Result<Option<Vec<MapRow>>, Problem> {
    let Some(permit) = desk.scope_if_allowed::<AssetRead>() else { return Ok(None) };
    let snapshot = desk.rooms.inventory.read(permit, None)?;
    Ok(Some(key_control_map(&snapshot, &desk.rooms.comply.data().regions).rows))
}

/// What restricted data others can read.
fn data(rows: Option<&[MapRow]>) -> Sentence {
    let Some(rows) = rows else { return closed("the inventory", "/map") };
    let broken: Vec<_> = rows.iter().filter(|row| row.is_broken()).collect();
    let unknown = rows.iter().filter(|row| row.unknown).count() as u64;
    let known = format!(
        "{} in the inventory; for {} the class or the place is not known, so nothing can be said.",
        counted(rows.len() as u64, "data set", "data sets"),
        count(unknown)
    );
    let note = if rows.is_empty() {
        String::from("Fill it with `lionrock assets import FILE`.")
    } else {
        known
    };
    let sentence = |tone, link: String, after: String| Sentence {
        tone,
        before: String::new(),
        link,
        to: String::from("/map#broken"),
        after,
        note: note.clone(),
    };
    match broken.as_slice() {
        [] if rows.is_empty() => sentence(
            Tone::Quiet,
            String::from("No data set"),
            String::from(" is in the inventory, so nobody knows who can read what."),
        ),
        [] => sentence(
            if unknown == 0 { Tone::Good } else { Tone::Quiet },
            String::from("No data set"),
            String::from(" that we know of can be read by others or lies where it must not."),
        ),
        [worst, rest @ ..] => {
            let all_sensitive = broken.iter().all(|row| row.is_sensitive());
            let (one, more) = match all_sensitive {
                true => ("set of sensitive data", "sets of sensitive data"),
                false => ("data set", "data sets"),
            };
            let many = counted(broken.len() as u64, one, more);
            let others = if rest.is_empty() { String::from("is") } else { String::from("are") };
            let why: Vec<_> = worst.breaks.iter().map(|b| Break::sentence(*b)).collect();
            let first = format!(
                " {others} outside our control: {} lies in {}; {}.",
                worst.name,
                place(&worst.place),
                why.join(", ")
            );
            sentence(Tone::Bad, many, first)
        }
    }
}

fn census(desk: &Desk) -> Result<Option<Census>, Problem> {
    let Some(permit) = desk.scope_if_allowed::<KeyList>() else { return Ok(None) };
    let census = desk.rooms.keys.census(&permit.scope())?;
    desk.rooms.note_read(permit);
    Ok(Some(census))
}

/// Which keys are not ours, and in what state ours are.
fn keys(census: Option<&Census>, rows: Option<&[MapRow]>) -> Sentence {
    let Some(census) = census else { return closed("the keys", "/keys") };
    let foreign = rows.unwrap_or_default().iter().flat_map(|row| &row.keys);
    let mut foreign: Vec<_> =
        foreign.filter(|key| key.custody != "own").map(|key| key.id).collect();
    foreign.sort_unstable();
    foreign.dedup();
    let states = census.states.iter().map(|(state, n)| format!("{} {}", count(*n), state.word()));
    let states: Vec<_> = states.collect();
    let bad = census.states.contains_key(&StateName::Compromised);
    let tone = match (bad, foreign.is_empty() && census.late == 0, census.keys()) {
        (true, ..) => Tone::Bad,
        (_, _, 0) => Tone::Quiet,
        (_, true, _) => Tone::Good,
        _ => Tone::Warn,
    };
    let ours =
        if states.is_empty() { String::from(" yet") } else { format!(": {}", states.join(", ")) };
    let others = match foreign.len() {
        0 if rows.is_none_or(<[MapRow]>::is_empty) => String::from("."),
        0 => String::from("; no key over our data is known to be another's."),
        1 => String::from("; 1 key over our data is not ours."),
        n => format!("; {} keys over our data are not ours.", count(n as u64)),
    };
    Sentence {
        tone,
        before: String::from("We hold "),
        link: match census.keys() {
            0 => String::from("no keys"),
            n => counted(n, "key", "keys"),
        },
        to: String::from("/keys"),
        after: ours + &others,
        note: String::from("Every root here is software; none is a validated hardware module."),
    }
}

/// Whether an event changed something: not a read, and not the use of a key.
fn is_change(action: &str) -> bool {
    Action::from_word(action).is_none_or(|action| {
        !matches!(
            action,
            Action::SystemRead
                | Action::DomainRead
                | Action::KeyRead
                | Action::KeyList
                | Action::KeyEncrypt
                | Action::KeyDecrypt
                | Action::KeyReencrypt
                | Action::KeySign
                | Action::KeyVerify
                | Action::KeyMac
                | Action::KeyMacVerify
                | Action::KeyDataKey
                | Action::KeyAgree
                | Action::IdentityRead
                | Action::PolicyRead
                | Action::ApprovalRead
                | Action::LogRead
                | Action::LogExport
                | Action::AssetRead
                | Action::RequirementRead
                | Action::ReportRead
        )
    })
}

/// What changed since yesterday.
fn changes(desk: &Desk) -> Result<Sentence, Problem> {
    let Some(permit) = desk.scope_if_allowed::<LogRead>() else {
        return Ok(closed("the log", "/log"));
    };
    let domains = match permit.scope() {
        Scope::All => None,
        Scope::Domains(domains) => Some(domains),
    };
    let from = desk.now().plus_seconds(-3_600 * CHANGES_HOURS);
    let asked = Query { from: Some(from), domains, ..Query::default() };
    let page = desk.rooms.log.query(&asked, CHANGES_EVENTS_MAX)?;
    desk.rooms.note_read(permit);
    let events = || page.events.iter().map(|logged| &logged.event);
    let changed = |e: &&kernel::Event| e.outcome == Outcome::Done && is_change(&e.action);
    let changes = events().filter(changed).count() as u64;
    let refused = events().filter(|e| e.decision == Decision::Refused).count() as u64;
    let failed = events().filter(|e| matches!(e.outcome, Outcome::Failed(_))).count() as u64;
    let more = if page.next.is_some() { "more than " } else { "" };
    Ok(Sentence {
        tone: if refused + failed > 0 { Tone::Warn } else { Tone::Good },
        before: format!("In the last {CHANGES_HOURS} hours there were {more}"),
        link: counted(changes, "change", "changes"),
        to: format!("/log?from={}", query_value(&from.hong_kong_date())),
        after: match (refused, failed) {
            (0, 0) => String::from("; nothing was refused and nothing failed."),
            _ => format!(
                "; {} refused and {} failed.",
                counted(refused, "attempt was", "attempts were"),
                count(failed)
            ),
        },
        note: format!("The log has {} records.", count(desk.rooms.log.head().size)),
    })
}

/// Requests that the one who looks can decide or carry out.
fn asked(desk: &Desk) -> Result<Vec<Need>, Problem> {
    if !desk.rooms.may(&desk.caller, Action::ApprovalRead) {
        return Ok(Vec::new());
    }
    let permit = desk.scope::<ApprovalRead>()?;
    let waiting = requests::waiting(desk, permit)?;
    let mine = waiting.into_iter().filter(|r| matches!(r.offer, Offer::Decide | Offer::CarryOut));
    Ok(mine
        .map(|request| Need {
            what: request.what,
            to: format!("/requests#{}", request.id),
            why: format!("{} asks: {}", request.asked_by, request.reason),
            state: request.state,
            since: Some(request.asked_at),
        })
        .collect())
}

/// Keys that should have been rotated, for those who may: the latest, and how many more.
fn late(desk: &Desk, census: &Census) -> Vec<Need> {
    if !desk.rooms.may(&desk.caller, Action::KeyRotate) {
        return Vec::new();
    }
    let named = census.late_named.iter().take(LATE_SHOWN);
    let mut needs: Vec<Need> = named
        .map(|key| Need {
            what: format!("Rotate {}", key.name),
            to: format!("/keys/{}", key.key),
            why: String::from("its rotation is due"),
            state: State::new(Tone::Warn, format!("{} days late", key.late_days)),
            since: Some(key.due_at),
        })
        .collect();
    let more = census.late.saturating_sub(needs.len() as u64);
    if more > 0 {
        needs.push(Need {
            what: format!("Rotate {}", counted(more, "more key", "more keys")),
            to: String::from("/keys"),
            why: String::from("their rotation is due"),
            state: State::new(Tone::Warn, "late"),
            since: None,
        });
    }
    needs
}

/// Requirements whose controls do not work.
fn failing(desk: &Desk) -> Result<Vec<Need>, Problem> {
    if desk.scope_if_allowed::<RequirementRead>().is_none() {
        return Ok(Vec::new());
    }
    let assessment = requirements::assessment(desk)?;
    let catalogue = &desk.rooms.comply.data().catalogue;
    let bad = assessment.judged.iter().filter(|judged| {
        matches!(judged.judgement.status, Status::NotMet | Status::ControlNotWorking)
    });
    let mut needs: Vec<_> = bad
        .take(REQUIREMENTS_SHOWN)
        .filter_map(|judged| {
            let (_, requirement) = catalogue.find(&judged.requirement)?;
            Some(Need {
                what: requirement.title.clone(),
                to: format!("/requirements/{}", judged.requirement),
                why: judged.judgement.gap.clone(),
                state: requirements::state(judged.judgement.status),
                since: judged.judgement.as_of,
            })
        })
        .collect();
    if desk.rooms.comply.latest_run()?.is_none() && desk.rooms.may(&desk.caller, Action::CheckRun) {
        needs.push(Need {
            what: String::from("Run the checks"),
            to: String::from("/requirements"),
            why: String::from("no check has run yet, so nothing is known about any requirement"),
            state: State::new(Tone::Quiet, "not run"),
            since: None,
        });
    }
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_uses_are_no_changes() {
        for change in ["key.create", "key.rotate", "policy.change", "access.signed-in"] {
            assert!(is_change(change), "{change}");
        }
        for other in ["key.read", "key.list", "key.encrypt", "log.read", "asset.read"] {
            assert!(!is_change(other), "{other}");
        }
    }

    #[test]
    fn nothing_known_is_never_good_news() {
        assert_eq!(data(Some(&[])).tone, Tone::Quiet);
        assert_eq!(data(None).tone, Tone::Quiet);
        let (at, states) = (kernel::Timestamp::EPOCH, std::collections::BTreeMap::new());
        let none = Census { at, states, late: 0, late_named: Vec::new() };
        assert_eq!(keys(Some(&none), None).tone, Tone::Quiet);
        assert!(keys(Some(&none), None).link.contains("no keys"));
    }
}
