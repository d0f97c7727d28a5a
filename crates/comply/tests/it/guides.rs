//! The guides: item, answer, live result, evidence, gap, owner.

use crate::world::{World, now};
use comply::{
    Change, Guide, GuideView, Layer, Outcome, RequirementId, Standing, Status, TextStatus, assess,
    guide,
};
use kernel::Principal;
use std::collections::BTreeMap;
use std::fmt::Write as _;

fn view(
    world: &World,
    which: Guide,
    outcome: Option<Outcome>,
    standings: &BTreeMap<RequirementId, Standing>,
) -> GuideView {
    let latest = outcome.map(|outcome| world.all(outcome)).unwrap_or_default();
    let all = assess(&world.catalogue, &world.checks, None, standings, &latest, now());
    let (catalogue, checks) = (&world.catalogue, &world.checks);
    guide(which, catalogue, &world.capabilities, checks, &all, standings, &latest).unwrap()
}

/// The first two sections as text, as a person would read them.
fn printed(view: &GuideView) -> String {
    let mut text = format!("{} | {}\n", view.guide.word(), view.title);
    for section in view.sections.iter().take(2) {
        let _ = writeln!(text, "== {}", section.heading);
        for item in &section.items {
            let _ =
                writeln!(text, "- {} | {} | {}", item.section, item.title, item.text_status.word());
            for answer in &item.answers {
                let state = if answer.built { "built" } else { "not built" };
                let _ = writeln!(text, "    answer: {} ({state}, {})", answer.text, answer.area);
            }
            for live in &item.live {
                let _ = writeln!(text, "    live: {}: {}", live.title, live.outcome.word());
            }
            let known = item.known_by.map_or("none", |k| k.word());
            let _ = writeln!(text, "    status: {} | evidence: {known}", item.status.title());
            let _ = writeln!(text, "    gap: {}", item.gap);
        }
    }
    text
}

#[test]
fn the_first_items_of_each_guide_read_as_they_should() {
    let world = World::new();
    let nothing = BTreeMap::new();
    for which in Guide::ALL {
        let text = printed(&view(&world, which, Some(Outcome::Fail), &nothing));
        let path = format!("{}/tests/golden/{}.txt", env!("CARGO_MANIFEST_DIR"), which.word());
        if std::env::var_os("LIONROCK_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, golden, "if this is meant: LIONROCK_GOLDEN=write cargo test -p comply");
    }
}

#[test]
fn a_guide_has_every_item_of_its_source_once() {
    let world = World::new();
    for (which, expected) in [(Guide::PracticeGuide, 79), (Guide::Sa2, 53), (Guide::TmG1, 67)] {
        let view = view(&world, which, None, &BTreeMap::new());
        let items: usize = view.sections.iter().map(|section| section.items.len()).sum();
        assert_eq!((items, view.counts.values().sum::<usize>()), (expected, expected));
        assert!(view.not_built > 0 && view.not_built < expected);
        assert_eq!(Guide::from_word(which.word()), Some(which));
    }
}

#[test]
fn what_nothing_answers_is_not_built() {
    let world = World::new();
    let view = view(&world, Guide::PracticeGuide, Some(Outcome::Pass), &BTreeMap::new());
    let items: Vec<_> = view.sections.iter().flat_map(|section| &section.items).collect();
    let waf = items.iter().find(|item| item.requirement.as_str() == "hkma-pg-6.8").unwrap();
    assert!(!waf.built && waf.live.is_empty());
    assert_eq!(waf.status, Status::NotYetAssessed);
    let rotation = items.iter().find(|item| item.requirement.as_str() == "hkma-pg-6.36").unwrap();
    assert!(rotation.built && rotation.answers[0].built);
    assert_eq!(rotation.status, Status::ControlWorking);
}

#[test]
fn a_working_title_is_never_printed_without_its_mark_until_the_bank_confirms_the_text() {
    let world = World::new();
    let id = RequirementId::from("hkma-pg-6.36");
    let before = view(&world, Guide::PracticeGuide, None, &BTreeMap::new());
    for section in &before.sections {
        assert!(section.heading.contains("(working title)"), "{}", section.heading);
        for item in &section.items {
            assert!(item.section.contains("(working title)") && item.layer == Layer::Unknown);
        }
    }
    let text = Change::ConfirmText {
        text_status: TextStatus::Official,
        reference: "6.4.2".parse().unwrap(),
        title: "Title from the bank's copy".parse().unwrap(),
        layer: Layer::Principle,
    };
    let standing = Standing::new(id.clone());
    let standing = standing.after(text, Layer::Unknown, Principal::System, now()).unwrap();
    let standings = BTreeMap::from([(id.clone(), standing)]);
    let after = view(&world, Guide::PracticeGuide, None, &standings);
    let items: Vec<_> = after.sections.iter().flat_map(|section| &section.items).collect();
    let item = items.iter().find(|item| item.requirement == id).unwrap();
    assert_eq!((item.section.as_str(), item.text_status), ("6.4.2", TextStatus::Official));
    assert_eq!(item.title, "Title from the bank's copy");
}
