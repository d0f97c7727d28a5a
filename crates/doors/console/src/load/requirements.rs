//! Where the bank stands, source by source.

use crate::desk::Desk;
use crate::elements::{Pager, State, Tone, count, query_value};
use crate::frame::Source;
use crate::pages::requirements::{Requirements, Row, SourceRow};
use comply::{Assessment, Judged, Profile, Status, TextStatus};
use kernel::actions::RequirementRead;
use kernel::limits::PAGE_ITEMS_DEFAULT;
use kernel::{Action, Problem};

/// The page that the query asks for.
pub(crate) fn list(desk: &Desk) -> Result<(Source, Requirements), Problem> {
    let assessment = assessment(desk)?;
    let comply = &desk.rooms.comply;
    let catalogue = &comply.data().catalogue;
    let counts = assessment.counts(catalogue);
    let occurs = |status: &&Status| counts.iter().any(|source| source.counts.contains_key(status));
    let statuses: Vec<Status> = Status::ALL.iter().filter(occurs).copied().collect();
    let sources = counts.iter().map(|source| SourceRow {
        key: source.source.clone(),
        title: source.title.clone(),
        counts: statuses.iter().map(|s| source.counts.get(s).map_or(0, |n| *n as u64)).collect(),
    });
    let chosen_source = desk.query.text("source").to_owned();
    let chosen_status = desk.query.text("status").to_owned();
    let chosen = |judged: &&Judged| {
        (chosen_source.is_empty() || judged.source == chosen_source)
            && (chosen_status.is_empty() || word(judged.judgement.status) == chosen_status)
    };
    let found: Vec<_> = assessment.judged.iter().filter(chosen).collect();
    let skipped = desk.query.text("skip").parse().unwrap_or(0usize);
    let standings = comply.standings()?;
    let rows = found.iter().skip(skipped).take(PAGE_ITEMS_DEFAULT).filter_map(|judged| {
        let (source, requirement) = catalogue.find(&judged.requirement)?;
        let owner = standings.get(&judged.requirement).and_then(|s| s.owner.as_ref());
        Some(Row {
            id: judged.requirement.as_str().to_owned(),
            section: requirement.section.clone(),
            title: requirement.title.clone(),
            source: source.title.clone(),
            status: state(judged.judgement.status),
            evidence: judged.judgement.known_by.map_or("none", |known| known.word()).to_owned(),
            owner: owner.map(|owner| owner.as_str().to_owned()),
        })
    });
    let rows: Vec<_> = rows.collect();
    let pager = pager(found.len(), skipped, rows.len(), &chosen_source, &chosen_status);
    let view = Requirements {
        profile: profile(comply.profile()?.as_ref(), &assessment),
        statuses: statuses.iter().map(|s| (word(*s), state(*s))).collect(),
        sources: sources.collect(),
        rows,
        pager,
        may_run: desk.rooms.may(&desk.caller, Action::CheckRun),
        schedule: comply.schedule()?,
        chosen_source,
        chosen_status,
    };
    Ok((desk.assessed()?, view))
}

/// Every requirement judged now, as far as the caller may know.
pub(crate) fn assessment(desk: &Desk) -> Result<Assessment, Problem> {
    let permit = desk.scope::<RequirementRead>()?;
    Ok(desk.rooms.comply.assessment(permit, desk.may_know_designation())?)
}

fn pager(all: usize, skipped: usize, shown: usize, source: &str, status: &str) -> Pager {
    let link = |skip: usize| {
        let (source, status) = (query_value(source), query_value(status));
        format!("/requirements?source={source}&status={status}&skip={skip}#list")
    };
    let end = skipped + shown;
    let first = if shown == 0 { 0 } else { skipped + 1 };
    Pager {
        shown: format!("{first} to {end} of {} requirements", count(all as u64)),
        first: (skipped > 0).then(|| link(0)),
        next: (end < all && shown > 0).then(|| link(end)),
    }
}

/// The profile in words; the designation is not among them.
fn profile(profile: Option<&Profile>, assessment: &Assessment) -> String {
    let excluded = assessment
        .judged
        .iter()
        .filter(|judged| judged.judgement.status == Status::NotApplicableByProfile)
        .count();
    let all = assessment.judged.len();
    match profile {
        None => format!(
            "The institution has not said what it is: all {all} requirements count until it does."
        ),
        Some(profile) => {
            let title = profile.institution.title();
            let origin = profile.origin.word().replace('-', " ");
            let applies = all - excluded;
            format!("Profile: {title}, {origin}. {applies} requirements apply, {excluded} do not.")
        }
    }
}

/// The word of a status in an address.
pub(crate) fn word(status: Status) -> String {
    status.title().replace(' ', "-")
}

/// How a status is shown.
pub(crate) fn state(status: Status) -> State {
    let tone = match status {
        Status::NotMet | Status::ControlNotWorking => Tone::Bad,
        Status::InsufficientEvidence | Status::Stale | Status::RiskAccepted => Tone::Warn,
        Status::ControlWorking | Status::Met => Tone::Good,
        Status::NoData
        | Status::NotYetAssessed
        | Status::NotAdopted
        | Status::NotApplicable
        | Status::NotApplicableByProfile
        | Status::HistoryOnly
        | Status::Withheld => Tone::Quiet,
    };
    State::new(tone, status.title())
}

/// What a text is, in words.
pub(crate) const fn text_status(status: TextStatus) -> &'static str {
    match status {
        TextStatus::Official => "official",
        TextStatus::BanksCopy => "the bank's copy",
        TextStatus::PublicCopy => "our words, from a public copy",
        TextStatus::Paraphrase => "our words, from summaries; not the official wording",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_news_is_green_and_nothing_else() {
        for status in Status::ALL {
            assert_eq!(state(status).tone == Tone::Good, status.is_good(), "{status:?}");
        }
    }

    #[test]
    fn the_pager_walks_to_the_end_and_back() {
        let first = pager(120, 0, 50, "pg", "");
        assert_eq!(first.shown, "1 to 50 of 120 requirements");
        assert!(first.first.is_none());
        let next = first.next.unwrap();
        assert_eq!(next, "/requirements?source=pg&status=&skip=50#list");
        let last = pager(120, 100, 20, "pg", "");
        assert!(last.next.is_none() && last.first.is_some());
        assert_eq!(pager(0, 0, 0, "", "").shown, "0 to 0 of 0 requirements");
        assert!(pager(120, 4_000, 0, "", "").next.is_none());
    }
}
