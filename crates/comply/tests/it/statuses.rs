//! Statuses: the table, and what nothing may turn into good news.

use crate::world::{World, now};
use comply::{
    Assessment, Change, CheckId, CheckResult, Institution, Layer, Origin, Outcome, Period,
    PeriodError, Profile, RequirementId, Standing, StandingError, Status, TextStatus, assess,
    over_period,
};
use inventory::KnownBy::{self, Attested, Declared, Observed, Reported};
use kernel::{Principal, Timestamp};
use std::collections::BTreeMap;

/// Automated, with the one check `password-rules-in-force`.
const AUTOMATED: &str = "hkma-tmg1-3.2.2";
const AUTOMATED_CHECK: &str = "password-rules-in-force";
/// Hybrid, with the one check `agreements-hold-the-clauses`.
const HYBRID: &str = "hkma-sa2-2.8.2";
const HYBRID_CHECK: &str = "agreements-hold-the-clauses";
const MANUAL: &str = "hkma-sa2-2.1.1";
/// A good practice, with the one check `subcontractors-listed`.
const PRACTICE: &str = "hkma-orgp26-4";

const PROFILE: Profile = Profile {
    institution: Institution::LicensedBank,
    origin: Origin::Local,
    critical_infrastructure_operator: false,
};

fn standing(id: &str) -> Standing {
    Standing::new(RequirementId::from(id))
}

fn change(standing: &Standing, change: Change) -> Result<Standing, StandingError> {
    let layer = if standing.requirement.as_str() == PRACTICE {
        Layer::GoodPractice
    } else {
        Layer::Principle
    };
    standing.after(change, layer, Principal::System, now())
}

fn confirmed(id: &str) -> Standing {
    let layer = if id == PRACTICE { Layer::GoodPractice } else { Layer::Principle };
    let text = Change::ConfirmText {
        text_status: TextStatus::BanksCopy,
        reference: "3.2.2".parse().unwrap(),
        title: "Passwords".parse().unwrap(),
        layer,
    };
    change(&standing(id), text).unwrap()
}

fn reason() -> String {
    "decided by the committee".to_owned()
}

fn judged(
    world: &World,
    id: &str,
    standing: Option<Standing>,
    results: &[CheckResult],
) -> comply::Judgement {
    let standings: BTreeMap<_, _> =
        standing.into_iter().map(|s| (s.requirement.clone(), s)).collect();
    let latest = results.iter().map(|r| (r.check.clone(), r.clone())).collect();
    let all = assess(&world.catalogue, &world.checks, Some(&PROFILE), &standings, &latest, now());
    all.of(&RequirementId::from(id)).unwrap().clone()
}

#[test]
fn the_table_of_statuses() {
    let world = World::new();
    use Outcome::{EmptyPopulation, Error, Fail, NotRun, Pass, Stale};
    let table: &[(Outcome, KnownBy, Status, Status)] = &[
        (Pass, Observed, Status::ControlWorking, Status::Met),
        (Pass, Reported, Status::ControlWorking, Status::Met),
        (Pass, Attested, Status::ControlWorking, Status::Met),
        (Pass, Declared, Status::ControlWorking, Status::InsufficientEvidence),
        (Fail, Observed, Status::ControlNotWorking, Status::NotMet),
        (Fail, Declared, Status::ControlNotWorking, Status::NotMet),
        (Error, Observed, Status::NoData, Status::InsufficientEvidence),
        (NotRun, Observed, Status::NoData, Status::InsufficientEvidence),
        (EmptyPopulation, Observed, Status::NoData, Status::InsufficientEvidence),
        (Stale, Observed, Status::Stale, Status::Stale),
    ];
    for (outcome, known_by, unconfirmed, with_text) in table {
        let result = [world.result(AUTOMATED_CHECK, *outcome, *known_by)];
        let judge = |standing| judged(&world, AUTOMATED, standing, &result);
        assert_eq!(judge(None).status, *unconfirmed, "{outcome:?} {known_by:?}");
        let judgement = judge(Some(confirmed(AUTOMATED)));
        assert_eq!(judgement.status, *with_text, "{outcome:?} {known_by:?}");
        assert_eq!(judgement.known_by, Some(*known_by), "never stronger than the weakest input");
        assert_eq!(judgement.gap.is_empty(), judgement.status.is_good(), "{outcome:?}");
    }
}

#[test]
fn met_and_not_met_are_said_only_of_confirmed_text() {
    let world = World::new();
    for outcome in [Outcome::Pass, Outcome::Fail] {
        let latest = world.all(outcome);
        let nothing = BTreeMap::new();
        let all = assess(&world.catalogue, &world.checks, None, &nothing, &latest, now());
        let said = |s| all.judged.iter().filter(|j| j.judgement.status == s).count();
        assert_eq!((said(Status::Met), said(Status::NotMet)), (0, 0));
    }
}

#[test]
fn a_hybrid_requirement_is_not_met_by_machines_alone() {
    let world = World::new();
    let pass = [world.result(HYBRID_CHECK, Outcome::Pass, Observed)];
    assert_eq!(judged(&world, HYBRID, None, &pass).status, Status::ControlWorking);
    let judgement = judged(&world, HYBRID, Some(confirmed(HYBRID)), &pass);
    assert_eq!(judgement.status, Status::InsufficientEvidence);
    assert!(judgement.gap.contains("people"));
}

#[test]
fn what_only_people_can_assess_is_not_yet_assessed() {
    let world = World::new();
    let judgement = judged(&world, MANUAL, Some(confirmed(MANUAL)), &[]);
    assert_eq!(judgement.status, Status::NotYetAssessed);
}

#[test]
fn the_worst_check_decides() {
    let world = World::new();
    let id = "hkma-tmg1-3.4.l";
    let checks = [
        "log-verifies-without-gaps",
        "checkpoints-leave-our-hands",
        "an-independent-witness-signed",
    ];
    let status = |outcomes: [Outcome; 3]| {
        let results: Vec<_> = checks
            .iter()
            .zip(outcomes)
            .map(|(check, outcome)| world.result(check, outcome, Observed))
            .collect();
        judged(&world, id, None, &results)
    };
    use Outcome::{Error, Fail, Pass, Stale};
    assert_eq!(status([Pass, Pass, Pass]).status, Status::ControlWorking);
    assert_eq!(status([Pass, Stale, Pass]).status, Status::Stale);
    assert_eq!(status([Error, Stale, Pass]).status, Status::NoData);
    let worst = status([Error, Stale, Fail]);
    assert_eq!(worst.status, Status::ControlNotWorking);
    assert!(worst.gap.starts_with("An independent witness"), "{}", worst.gap);
    let two = [world.result(checks[0], Pass, Observed), world.result(checks[1], Pass, Observed)];
    let judgement = judged(&world, id, None, &two);
    assert_eq!(judgement.status, Status::NoData, "a check that never ran is not a pass");
}

#[test]
fn a_pass_grows_stale_and_a_changed_check_counts_as_not_run() {
    let world = World::new();
    let mut result = world.result(AUTOMATED_CHECK, Outcome::Pass, Observed);
    result.at = now().plus_seconds(-30 * 3_600);
    assert_eq!(judged(&world, AUTOMATED, None, &[result.clone()]).status, Status::ControlWorking);
    result.at = now().plus_seconds(-30 * 3_600 - 1);
    assert_eq!(judged(&world, AUTOMATED, None, &[result.clone()]).status, Status::Stale);
    result.at = now();
    result.version = "another".to_owned();
    assert_eq!(judged(&world, AUTOMATED, None, &[result]).status, Status::NoData);
}

#[test]
fn an_accepted_risk_covers_a_failure_until_it_expires_and_hides_nothing() {
    let world = World::new();
    let until = now().plus_days(1);
    let accept = Change::AcceptRisk { until, reason: reason() };
    let accepted = change(&standing(AUTOMATED), accept).unwrap();
    let fail = [world.result(AUTOMATED_CHECK, Outcome::Fail, Observed)];
    let judgement = judged(&world, AUTOMATED, Some(accepted.clone()), &fail);
    assert_eq!(judgement.status, Status::RiskAccepted);
    assert_eq!(judgement.underneath, Some(Status::ControlNotWorking));
    assert_eq!(judgement.gap, reason());
    let pass = [world.result(AUTOMATED_CHECK, Outcome::Pass, Observed)];
    let judgement = judged(&world, AUTOMATED, Some(accepted.clone()), &pass);
    assert_eq!(judgement.status, Status::ControlWorking, "a control that works needs none");
    let mut expired = accepted;
    if let Some(decision) = &mut expired.decision {
        decision.kind = comply::DecisionKind::RiskAccepted { until: now() };
    }
    let judgement = judged(&world, AUTOMATED, Some(expired), &fail);
    assert_eq!(judgement.status, Status::ControlNotWorking);
}

#[test]
fn decisions_keep_to_their_rules() {
    let fresh = standing(AUTOMATED);
    let accept = |days| {
        let until = now().plus_days(days);
        change(&fresh, Change::AcceptRisk { until, reason: reason() })
    };
    assert_eq!(accept(0).unwrap_err(), StandingError::Expiry);
    assert_eq!(accept(367).unwrap_err(), StandingError::Expiry);
    assert!(accept(366).is_ok());
    for text in [String::new(), "  ".to_owned(), "x".repeat(2_001)] {
        let silent = change(&fresh, Change::DeclareNotApplicable { reason: text });
        assert_eq!(silent.unwrap_err(), StandingError::Reason);
    }
    let left_out = change(&fresh, Change::DoNotAdopt { reason: reason() });
    assert_eq!(left_out.unwrap_err(), StandingError::NotGoodPractice);
    assert_eq!(change(&fresh, Change::TakeBack).unwrap_err(), StandingError::Nothing);
    let text = |text_status, layer| {
        let (reference, title) = ("1".parse().unwrap(), "t".parse().unwrap());
        change(&fresh, Change::ConfirmText { text_status, reference, title, layer })
    };
    let paraphrase = text(TextStatus::Paraphrase, Layer::Principle);
    assert_eq!(paraphrase.unwrap_err(), StandingError::TextStatus);
    let layerless = text(TextStatus::Official, Layer::Unknown);
    assert_eq!(layerless.unwrap_err(), StandingError::Layer);
}

#[test]
fn a_good_practice_may_be_left_out_with_a_reason_until_its_text_binds() {
    let world = World::new();
    let left_out = change(&standing(PRACTICE), Change::DoNotAdopt { reason: reason() }).unwrap();
    let judgement = judged(&world, PRACTICE, Some(left_out.clone()), &[]);
    assert_eq!((judgement.status, judgement.gap), (Status::NotAdopted, reason()));
    let binds = Change::ConfirmText {
        text_status: TextStatus::Official,
        reference: "4".parse().unwrap(),
        title: "t".parse().unwrap(),
        layer: Layer::Principle,
    };
    let bound = change(&left_out, binds).unwrap();
    assert_eq!((bound.decision, bound.past.len()), (None, 1));
}

#[test]
fn a_decision_that_is_replaced_or_taken_back_stays_in_the_past() {
    let not_applicable = Change::DeclareNotApplicable { reason: reason() };
    let one = change(&standing(AUTOMATED), not_applicable.clone()).unwrap();
    let two = change(&one, not_applicable).unwrap();
    let none = change(&two, Change::TakeBack).unwrap();
    assert_eq!((none.decision, none.past.len()), (None, 2));
}

#[test]
fn a_superseded_source_is_history_only() {
    let world = World::new();
    let latest = world.all(Outcome::Pass);
    let digital = Profile { institution: Institution::DigitalBank, ..PROFILE };
    let nothing = BTreeMap::new();
    let profile = Some(&digital);
    let all = assess(&world.catalogue, &world.checks, profile, &nothing, &latest, now());
    for judged in all.judged.iter().filter(|j| ["cc22", "vb"].contains(&j.source.as_str())) {
        assert_eq!(judged.judgement.status, Status::HistoryOnly, "{}", judged.requirement);
        assert!(judged.judgement.gap.starts_with("superseded by"));
    }
}

#[test]
fn the_counts_of_every_assessment_add_up_to_the_whole_catalogue() {
    let world = World::new();
    let institutions = [
        Institution::LicensedBank,
        Institution::RestrictedLicenceBank,
        Institution::DepositTakingCompany,
        Institution::DigitalBank,
    ];
    let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::Error, Outcome::EmptyPopulation];
    for institution in institutions {
        for origin in [Origin::Local, Origin::ForeignBranch] {
            for designated in [false, true] {
                let profile =
                    Profile { institution, origin, critical_infrastructure_operator: designated };
                for outcome in outcomes {
                    let latest = world.all(outcome);
                    let (catalogue, nothing) = (&world.catalogue, BTreeMap::new());
                    let all =
                        assess(catalogue, &world.checks, Some(&profile), &nothing, &latest, now());
                    let sum = |all: &Assessment| -> usize {
                        all.counts(catalogue).iter().map(|source| source.total).sum()
                    };
                    assert_eq!(sum(&all), 378);
                    assert_eq!(sum(&all.without_designation(catalogue)), 378);
                }
            }
        }
    }
}

#[test]
fn a_reader_without_leave_cannot_tell_who_is_a_designated_operator() {
    let world = World::new();
    let seen = |designated| {
        let profile = Profile { critical_infrastructure_operator: designated, ..PROFILE };
        let (latest, nothing) = (world.all(Outcome::Fail), BTreeMap::new());
        let profile = Some(&profile);
        let all = assess(&world.catalogue, &world.checks, profile, &nothing, &latest, now());
        all.without_designation(&world.catalogue)
    };
    assert_eq!(seen(true), seen(false));
}

#[test]
fn a_period_shows_what_did_not_pass_and_when_nobody_looked() {
    let world = World::new();
    let check = world.check(AUTOMATED_CHECK);
    let at = |hour: i64| Timestamp::EPOCH.plus_seconds(hour * 3_600);
    let ran = |hour, outcome| {
        let mut result = world.result(AUTOMATED_CHECK, outcome, Observed);
        result.at = at(hour);
        result
    };
    use Outcome::{Error, Fail, Pass};
    let results = [
        ran(-5, Fail),
        ran(10, Pass),
        ran(34, Fail),
        ran(58, Error),
        ran(82, Pass),
        ran(150, Pass),
        ran(400, Fail),
    ];
    let results: Vec<_> = results.iter().collect();
    let period = Period::new(at(0), at(200)).unwrap();
    let seen = over_period(check, &results, period);
    assert_eq!((seen.runs, seen.outcomes[&Pass], seen.outcomes[&Fail]), (5, 3, 1));
    let stretches: Vec<_> = seen.not_passing.iter().map(|s| (s.from, s.to)).collect();
    assert_eq!(stretches, [(at(34), at(82))]);
    let gaps: Vec<_> = seen.gaps.iter().map(|s| (s.from, s.to)).collect();
    assert_eq!(gaps, [(at(82), at(150)), (at(150), at(200))]);
    assert!(!seen.is_unbroken());
    let nothing = over_period(check, &[], period);
    assert_eq!((nothing.runs, nothing.gaps.len(), nothing.is_unbroken()), (0, 1, false));
    let short = Period::new(at(9), at(11)).unwrap();
    assert!(over_period(check, &results, short).is_unbroken());
    assert_eq!(Period::new(at(1), at(1)), Err(PeriodError));
    let _: &CheckId = &seen.check;
}
