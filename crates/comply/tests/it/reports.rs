//! The report, and the inventory as a source of facts.

use crate::world::{World, key, now, run_id};
use comply::{
    CheckRun, Fact, Facts, Institution, Origin, Outcome, Period, Profile, Report, ReportParts,
    Signatories, Signatory, Status, inventory_facts, report, run,
};
use inventory::{
    AssetFact, Attributes, KnownBy, Publication, Regions, Register, RelationFact, RelationKind,
};
use kernel::{AssetId, DomainId, HeldClock, LogPosition, SeededRng};
use std::collections::BTreeMap;

static NOWHERE: std::sync::OnceLock<BTreeMap<kernel::RunId, LogPosition>> =
    std::sync::OnceLock::new();

pub(crate) fn facts_of(world: &World, facts: Vec<Fact>) -> Facts {
    let kinds: std::collections::BTreeSet<_> = facts.iter().map(|f| f.kind.clone()).collect();
    let kinds: Vec<_> = kinds.iter().map(String::as_str).collect();
    crate::world::given(world, &kinds, Ok(facts))
}

pub(crate) fn parts<'a>(
    world: &'a World,
    runs: &'a [CheckRun],
    standings: &'a BTreeMap<comply::RequirementId, comply::Standing>,
    show_designation: bool,
) -> ReportParts<'a> {
    ReportParts {
        catalogue: &world.catalogue,
        checks: &world.checks,
        profile: Some(Profile {
            institution: Institution::LicensedBank,
            origin: Origin::Local,
            critical_infrastructure_operator: true,
        }),
        standings,
        runs,
        recorded: NOWHERE.get_or_init(BTreeMap::new),
        period: Period::new(now().plus_days(-1), now()).unwrap(),
        made_at: now(),
        sample: true,
        show_designation,
        checkpoint: None,
        witnessed: None,
        signatories: Signatories::default(),
    }
}

#[test]
fn a_report_holds_every_requirement_and_every_check_and_reads_back() {
    let world = World::new();
    let gathered = facts_of(&world, vec![key("a", "active"), key("b", "destroyed")]);
    let runs = [run(&world.checks, &gathered, run_id(), now(), Some(LogPosition(41)))];
    let standings = BTreeMap::new();
    let made = report(parts(&world, &runs, &standings, true));
    assert_eq!((made.requirements.len(), made.checks.len()), (378, world.checks.all().len()));
    assert_eq!(made.counts.iter().map(|source| source.total).sum::<usize>(), 378);
    let own = made.checks.iter().find(|c| c.id.as_str() == "keys-in-own-custody").unwrap();
    let latest = own.latest.as_ref().unwrap();
    assert_eq!((latest.outcome, latest.population), (Outcome::Pass, 1));
    assert_eq!((own.log_position, own.period.runs), (Some(LogPosition(41)), 1));
    assert!(!own.filter.is_empty() && !own.expect.is_empty());
    let not_run = made.checks.iter().find(|c| c.kind == "token").unwrap();
    assert_eq!(not_run.latest.as_ref().unwrap().outcome, Outcome::NotRun);
    let json = serde_json::to_string(&made).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), made);
}

#[test]
fn what_ran_after_the_period_does_not_count() {
    let world = World::new();
    let gathered = facts_of(&world, vec![key("a", "active")]);
    let late = run(&world.checks, &gathered, run_id(), now().plus_seconds(1), None);
    let (runs, standings) = ([late], BTreeMap::new());
    let made = report(parts(&world, &runs, &standings, true));
    assert!(made.checks.iter().all(|check| check.latest.is_none()));
    assert!(made.requirements.iter().all(|r| !r.status.is_good()));
}

#[test]
fn a_report_for_readers_without_leave_does_not_tell_the_designation() {
    let world = World::new();
    let standings = BTreeMap::new();
    let made = report(parts(&world, &[], &standings, false));
    assert!(made.designation_withheld);
    assert!(!made.profile.unwrap().critical_infrastructure_operator);
    let ci = made.requirements.iter().filter(|r| r.source == "ci");
    assert!(ci.map(|r| r.status).all(|status| status == Status::Withheld));
}

#[test]
fn three_different_signatories_make_a_report_final() {
    let of = |a: &str, b: &str, c: &str| {
        let name = |text: &str| {
            let (who, name, role) = (text.to_owned(), text.to_owned(), String::new());
            (!text.is_empty()).then(|| Signatory { who, name, role, at: now() })
        };
        let (preparer, reviewer, approver) = (name(a), name(b), name(c));
        Signatories { preparer, reviewer, approver }.is_final()
    };
    assert!(of("A", "B", "C"));
    for (a, b, c) in [("A", "A", "C"), ("A", "B", "A"), ("A", "B", ""), ("", "", "")] {
        assert!(!of(a, b, c), "{a}{b}{c}");
    }
}

fn inventory_of(
    assets: &[(&str, &str)],
    relations: &[(&str, RelationKind, &str)],
) -> inventory::Snapshot {
    let mut told = Publication::new("a list".parse().unwrap(), KnownBy::Declared);
    told.assets = assets
        .iter()
        .map(|(text, json)| {
            let reference: inventory::AssetRef = text.parse().unwrap();
            let attributes: Attributes = serde_json::from_str(json).unwrap();
            let name = reference.name.clone();
            AssetFact { reference, name, domain: DomainId::SYSTEM, attributes }
        })
        .collect();
    told.relations = relations
        .iter()
        .map(|(from, kind, to)| RelationFact {
            from: from.parse().unwrap(),
            kind: *kind,
            to: to.parse().unwrap(),
            attributes: Attributes::default(),
        })
        .collect();
    let (clock, rng) = (HeldClock::at(now()), SeededRng::new(3));
    let mut register = Register::default();
    register.apply(&told, now(), &mut || AssetId::generate(&clock, &rng)).unwrap();
    register.as_of(now())
}

fn outcomes(world: &World, snapshot: &inventory::Snapshot) -> BTreeMap<String, Outcome> {
    let facts = inventory_facts(snapshot, &Regions::builtin().unwrap(), &world.vocabulary);
    for fact in &facts {
        assert_eq!(world.vocabulary.defect(fact), None, "{}", fact.id);
    }
    let gathered = facts_of(world, facts);
    let run = run(&world.checks, &gathered, run_id(), now(), None);
    run.results.into_iter().map(|r| (r.check.as_str().to_owned(), r.outcome)).collect()
}

#[test]
fn a_copy_under_the_providers_key_turns_its_check_red_and_our_key_turns_it_green() {
    let world = World::new();
    let copy = r#"{"data-class":"restricted","provider":"aws","region":"ap-southeast-1"}"#;
    let assets = [
        ("file-set:copy", copy),
        ("key:theirs", r#"{"custody":"provider"}"#),
        ("key:ours", r#"{"custody":"own","state":"active"}"#),
    ];
    let theirs = ("key:theirs", RelationKind::Protects, "file-set:copy");
    let ours = ("key:ours", RelationKind::Protects, "file-set:copy");
    let before = outcomes(&world, &inventory_of(&assets, &[theirs]));
    assert_eq!(before["sensitive-cloud-data-under-own-key"], Outcome::Fail);
    assert_eq!(before["sensitive-data-is-protected"], Outcome::Pass);
    let after = outcomes(&world, &inventory_of(&assets, &[theirs, ours]));
    assert_eq!(after["sensitive-cloud-data-under-own-key"], Outcome::Pass);
}

#[test]
fn an_arrangement_that_says_nothing_fails_its_checks_and_a_full_one_passes() {
    let world = World::new();
    let full = r#"{"owner":"Head of Operations","provider":"Provider A","tier":1,"critical":true,
        "lifecycle-stage":"operate","responsibilities-assigned":true,"subcontractors-listed":true,
        "due-diligence-date":"2026-06-01","agreement-reviewed-date":"2026-06-01",
        "exit-plan-date":"2026-06-01","drill-date":"2026-06-01","annual-form-date":"2026-06-01",
        "clauses":"CLAUSES"}"#;
    let clauses = "confidentiality, supervisor-inspection, audit, sub-contracting, data-location, \
                   incident-notice, contingency, termination, exit-assistance, return-or-destroy, \
                   governing-law";
    let full = &full.replace("CLAUSES", clauses);
    let good = outcomes(&world, &inventory_of(&[("arrangement:A-1", full)], &[]));
    let bad = outcomes(&world, &inventory_of(&[("arrangement:A-2", r#"{"critical":true}"#)], &[]));
    for check in world.checks.all().iter().filter(|check| check.kind == "arrangement") {
        assert_eq!(good[check.id.as_str()], Outcome::Pass, "{}", check.id);
        assert_eq!(bad[check.id.as_str()], Outcome::Fail, "{}", check.id);
    }
    assert_eq!(good["no-provider-carries-too-much"], Outcome::Fail, "one provider has it all");
}

#[test]
fn a_date_that_does_not_read_makes_an_error_that_names_it() {
    let world = World::new();
    let snapshot = inventory_of(&[("certificate:C", r#"{"not-after":"next spring"}"#)], &[]);
    let facts = inventory_facts(&snapshot, &Regions::builtin().unwrap(), &world.vocabulary);
    let run = run(&world.checks, &facts_of(&world, facts), run_id(), now(), None);
    let result = run.results.iter().find(|r| r.check.as_str() == "certificates-do-not-run-out");
    let result = result.unwrap();
    assert_eq!(result.outcome, Outcome::Error);
    assert!(result.errors[0].reason.contains("`not_after` of `certificate:C`"));
}

#[test]
fn an_unknown_region_fails_the_check_of_places() {
    let world = World::new();
    let known = r#"{"provider":"aws","region":"ap-east-1"}"#;
    let unknown = r#"{"provider":"aws","region":"ap-hongkong-7"}"#;
    let seen = |json| outcomes(&world, &inventory_of(&[("service:s", json)], &[]));
    assert_eq!(seen(known)["assets-lie-in-known-places"], Outcome::Pass);
    assert_eq!(seen(unknown)["assets-lie-in-known-places"], Outcome::Fail);
}
