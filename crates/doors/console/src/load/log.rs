//! Records of the log, as they were asked for.

use crate::desk::Desk;
use crate::elements::{Pager, State, Tone, count, query_value};
use crate::frame::Source;
use crate::pages::log::{Asked, Checkpoint, Log, Row};
use audit::{LoggedEvent, Query};
use kernel::actions::LogRead;
use kernel::limits::PAGE_ITEMS_DEFAULT;
use kernel::{LogPosition, Outcome, Principal, Problem, ProblemKind, Scope, Timestamp};

/// The records that the query asks for.
pub(crate) fn find(desk: &Desk) -> Result<(Source, Log), Problem> {
    let text = |name: &str| desk.query.text(name).to_owned();
    let asked = Asked {
        who: text("who"),
        action: text("action"),
        resource: text("resource"),
        correlation: text("correlation"),
        from: text("from"),
        to: text("to"),
    };
    let permit = desk.scope::<LogRead>()?;
    let scope = permit.scope();
    let size = desk.rooms.log.head().size;
    let source = desk.live(format!("the log of {} records", count(size)));
    let query = match query(desk, &asked, scope) {
        Ok(query) => query,
        Err(problem) => {
            desk.rooms.note_read(permit);
            let problem = Some(problem.detail);
            return Ok((source, Log { asked, problem, ..Log::default() }));
        }
    };
    let page = desk.rooms.log.query(&query, PAGE_ITEMS_DEFAULT)?;
    desk.rooms.note_read(permit);
    let pager = Pager {
        shown: format!("{} records on this page, newest first", page.events.len()),
        first: query.before.map(|_| link(&asked, None)),
        next: page.next.map(|next| link(&asked, Some(next))),
    };
    let rows = page.events.iter().map(|logged| row(desk, logged)).collect();
    let checkpoint = checkpoint(desk, size);
    Ok((source, Log { asked, problem: None, rows, pager, checkpoint }))
}

fn query(desk: &Desk, asked: &Asked, scope: Scope) -> Result<Query, Problem> {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let before = match desk.query.text("before") {
        "" => None,
        text => Some(LogPosition(text.parse().map_err(|_| wrong("before", "a position"))?)),
    };
    Ok(Query {
        principal: given(&asked.who).map(|who| principal(&who)).transpose()?,
        action: given(&asked.action),
        resource: given(&asked.resource),
        domains: match scope {
            Scope::All => None,
            Scope::Domains(domains) => Some(domains),
        },
        decision: None,
        correlation: given(&asked.correlation),
        from: given(&asked.from).map(|day| day_start(&day, "from")).transpose()?,
        until: given(&asked.to)
            .map(|day| day_start(&day, "to").map(|start| start.plus_days(1)))
            .transpose()?,
        before,
    })
}

/// The beginning of a day in Hong Kong.
fn day_start(day: &str, field: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse_rfc3339(&format!("{day}T00:00:00+08:00"))
        .ok_or_else(|| wrong(field, "a day such as 2026-11-21"))
}

/// Who is meant by an identifier or the word `system`.
fn principal(text: &str) -> Result<Principal, Problem> {
    if text == "system" {
        return Ok(Principal::System);
    }
    let person = text.parse().map(Principal::Person);
    person
        .or_else(|_| text.parse().map(Principal::Service))
        .map_err(|_| wrong("who", "`system` or an identifier such as `per_…` or `svc_…`"))
}

fn wrong(field: &str, right: &str) -> Problem {
    let detail = format!("`{field}` is not understood: give {right}");
    Problem::new(ProblemKind::Invalid, "invalid-parameter", detail)
}

fn link(asked: &Asked, before: Option<LogPosition>) -> String {
    let fields = [
        ("who", &asked.who),
        ("action", &asked.action),
        ("resource", &asked.resource),
        ("correlation", &asked.correlation),
        ("from", &asked.from),
        ("to", &asked.to),
    ];
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    let mut pairs: Vec<_> = given.map(|(k, v)| format!("{k}={}", query_value(v))).collect();
    pairs.extend(before.map(|at| format!("before={}", at.0)));
    format!("/log?{}", pairs.join("&"))
}

fn row(desk: &Desk, logged: &LoggedEvent) -> Row {
    Row {
        position: logged.position.0,
        at: logged.logged,
        action: logged.event.action.to_string(),
        who: desk.name_of(logged.event.principal),
        resource: logged.event.resource.clone(),
        outcome: outcome(&logged.event.outcome),
    }
}

/// How it ended, with the reason's code.
pub(crate) fn outcome(outcome: &Outcome) -> State {
    match outcome {
        Outcome::Done => State::new(Tone::Good, "Done"),
        Outcome::Refused(code) => State::new(Tone::Warn, format!("Refused: {code}")),
        Outcome::Failed(code) => State::new(Tone::Bad, format!("Failed: {code}")),
    }
}

fn checkpoint(desk: &Desk, size: u64) -> Option<Checkpoint> {
    let note = desk.rooms.log.checkpoint().ok()?;
    Some(Checkpoint {
        size: note.text().lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or(size),
        witnesses: match note.signatures().len() {
            0 | 1 => String::from("Signed by this installation alone; no witness has signed it."),
            n => format!("Signed by this installation and {} more.", n - 1),
        },
        note: note.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day_in_hong_kong() {
        let start = day_start("2026-11-21", "from").unwrap();
        assert_eq!(start.hong_kong(), "2026-11-21 00:00:00 HKT");
        for wrong in ["21/11/2026", "2026-11-21T00:00:00Z", "today"] {
            assert!(day_start(wrong, "from").unwrap_err().detail.contains("`from`"));
        }
    }

    #[test]
    fn who_is_an_identifier_or_the_system() {
        assert_eq!(principal("system").unwrap(), Principal::System);
        assert!(principal("per_01jd8y2v9m0000000000000000").is_ok());
        assert!(principal("svc_01jd8y2v9m0000000000000000").is_ok());
        assert!(principal("Mallory").is_err());
    }

    #[test]
    fn the_next_page_asks_the_same_question() {
        let asked = Asked { action: "key.".into(), who: "a&b".into(), ..Asked::default() };
        assert_eq!(link(&asked, Some(LogPosition(9))), "/log?who=a%26b&action=key.&before=9");
    }
}
