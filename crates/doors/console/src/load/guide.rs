//! A guideline answered point by point.

use crate::desk::Desk;
use crate::elements::{State, Tone};
use crate::frame::Source;
use crate::load::requirements::{state, text_status, word};
use crate::pages::guide::{Chapter, Guide, Point, not_built};
use comply::{GuideItem, GuideView, Layer, LiveResult, Outcome};
use kernel::Problem;
use kernel::actions::RequirementRead;

/// The guideline of a word in the address.
pub(crate) fn one(desk: &Desk, word: &str) -> Result<(Source, Guide), Problem> {
    let which = comply::Guide::from_word(word).ok_or_else(|| Problem::not_found("guideline"))?;
    let found = desk.rooms.comply.guide(desk.scope::<RequirementRead>()?, which)?;
    let source = desk.rooms.comply.data().catalogue.source(which.source());
    let working = source.is_some_and(|source| source.working_titles);
    Ok((desk.assessed()?, view(&found, working)))
}

fn view(found: &GuideView, working_titles: bool) -> Guide {
    let source = found.guide.source();
    let tally = found.counts.iter().map(|(status, n)| {
        let to = format!("/requirements?source={source}&status={}#list", word(*status));
        (state(*status), *n as u64, to)
    });
    let chapters = found.sections.iter().map(|section| Chapter {
        title: section.heading.clone(),
        points: section.items.iter().map(|item| point(item, &section.heading)).collect(),
    });
    let unbuilt = found.not_built;
    Guide {
        title: found.title.clone(),
        version: format!(
            "{}. Nothing that is built answers {unbuilt} of its points.",
            found.version
        ),
        caution: Some(caution(working_titles).to_owned()),
        note: found.note.clone(),
        tally: tally.collect(),
        chapters: chapters.collect(),
    }
}

const fn caution(working_titles: bool) -> &'static str {
    if working_titles {
        "The official text could not be read. Numbers and titles here are working titles and never \
         the official ones; the bank enters the official references from its own copy."
    } else {
        "The points are in our own words. Until the bank confirms its own copy of the text, a result \
         says whether the control works, never that the point is met."
    }
}

fn point(item: &GuideItem, heading: &str) -> Point {
    let oldest = item.live.iter().filter_map(|live| live.at).min();
    let layer = (item.layer != Layer::Unknown).then(|| item.layer.word().replace('-', " "));
    let section = (item.section != heading).then(|| item.section.clone());
    let parts: Vec<_> = section.into_iter().chain(layer).collect();
    Point {
        id: item.requirement.as_str().to_owned(),
        section: parts.join(" · "),
        title: item.title.clone(),
        text: item.text.clone(),
        text_status: text_status(item.text_status).to_owned(),
        answer: item.answers.iter().map(|answer| (answer.text.clone(), answer.built)).collect(),
        result: if item.built { state(item.status) } else { not_built() },
        live: item.live.iter().map(live).collect(),
        checked_at: oldest,
        evidence: item.known_by.map_or("none", |known| known.word()).to_owned(),
        gap: Some(item.gap.clone()).filter(|gap| !gap.is_empty()),
        owner: item.owner.clone(),
    }
}

fn live(live: &LiveResult) -> (String, State) {
    let says = match live.outcome {
        Outcome::NotRun => live.title.clone(),
        _ => format!("{} ({} of {} fail)", live.title, live.failing, live.population),
    };
    (says, outcome(live.outcome))
}

/// How the outcome of a check is shown; only a pass is good.
pub(crate) fn outcome(outcome: Outcome) -> State {
    let tone = match outcome {
        Outcome::Pass => Tone::Good,
        Outcome::Fail => Tone::Bad,
        Outcome::Error | Outcome::Stale => Tone::Warn,
        Outcome::EmptyPopulation | Outcome::NotRun => Tone::Quiet,
    };
    State::new(tone, outcome.word().replace('-', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pass_is_good() {
        for other in [
            Outcome::Fail,
            Outcome::Error,
            Outcome::Stale,
            Outcome::EmptyPopulation,
            Outcome::NotRun,
        ] {
            assert_ne!(outcome(other).tone, Tone::Good);
        }
        assert_eq!(outcome(Outcome::Pass).tone, Tone::Good);
    }
}
