//! Compliance on a store: runs, decisions and reports that are durable, permitted and recorded.

use crate::house::House;
use audit::outlet::{Left, Outlet, OutletKind, Outlets};
use audit::verify::Trust;
use comply::pack::{EVENTS, verify};
use comply::{
    Change, ComplyError, Guide, Institution, JSON, Layer, Origin, Outcome, Period, Profile, Report,
    ReportRequest, ReportsError, RequirementId, Signer, Status, TextStatus, run_digest,
};
use kernel::actions::{CheckRun, ReportMake, ReportRead, RequirementChange, RequirementRead};
use kernel::{Clock, Problem, ProblemKind, Timestamp};
use store::{Batch, Expect, Repeat};

const KEYS: &str = "hkma-pg-6.36";

fn period(house: &House) -> Period {
    let now = house.clock.wall();
    Period::new(now.plus_days(-1), now.plus_seconds(1)).unwrap()
}

pub(crate) fn request(house: &House) -> ReportRequest {
    ReportRequest {
        period: period(house),
        sample: true,
        show_designation: true,
        preparer: Signer { name: "A".into(), role: "Technology risk officer".into() },
    }
}

fn confirm() -> Change {
    Change::ConfirmText {
        text_status: TextStatus::BanksCopy,
        reference: "6.4".parse().unwrap(),
        title: "Rotation".parse().unwrap(),
        layer: Layer::Principle,
    }
}

#[tokio::test]
async fn a_run_is_kept_with_an_event_that_carries_its_hash() {
    let house = House::new();
    let run = house.compliance.run_checks(house.permit::<CheckRun>("*"), None).await.unwrap();
    let events = house.events();
    let event = events.iter().find(|event| event.action == "check.run").unwrap();
    assert_eq!(event.detail("run"), Some(run.id.to_string().as_str()));
    assert_eq!(event.detail("results-sha-256"), Some(run_digest(&run).unwrap().as_str()));
    let house = house.restarted();
    assert_eq!(house.compliance.latest_run().unwrap(), Some(run.clone()));
    assert_eq!(house.compliance.runs(period(&house)).unwrap(), [run]);
}

#[tokio::test]
async fn runs_are_found_by_period_and_only_the_newest_keeps_its_lists() {
    let house = House::new();
    let before = house.clock.wall().plus_seconds(-1);
    for _ in 0..3 {
        house.compliance.run_checks(house.permit::<CheckRun>("*"), None).await.unwrap();
        house.clock.advance_millis(3_600_000);
    }
    let at = |hours: i64| before.plus_seconds(hours * 3_600);
    let count = |from, to| {
        let period = Period::new(at(from), at(to)).unwrap();
        house.compliance.runs(period).unwrap().len()
    };
    assert_eq!([count(0, 9), count(1, 9), count(0, 1), count(2, 3), count(5, 9)], [3, 2, 1, 1, 0]);
    let all = house.compliance.runs(Period::new(at(0), at(9)).unwrap()).unwrap();
    let lists = |i: usize| all[i].results.iter().any(|result| !result.errors.is_empty());
    let counts = |i: usize| all[i].results.iter().map(|r| r.population).sum::<usize>();
    assert_eq!((lists(0), counts(0)), (false, counts(2)));
}

#[tokio::test]
async fn a_requirement_goes_from_working_to_met_once_its_text_is_confirmed() {
    let house = House::new();
    let status = |house: &House| {
        let all = house.compliance.assessment(house.permit::<RequirementRead>("*"), true);
        all.unwrap().of(&RequirementId::from(KEYS)).unwrap().status
    };
    assert_eq!(status(&house), Status::NoData);
    house.compliance.run_checks(house.permit::<CheckRun>("*"), None).await.unwrap();
    assert_eq!(status(&house), Status::ControlWorking);
    let permit = house.permit::<RequirementChange>(KEYS);
    let standing = house.compliance.change(permit, confirm()).await.unwrap();
    assert_eq!(standing.confirmed.unwrap().reference.as_str(), "6.4");
    assert_eq!(status(&house), Status::Met);
    let house = house.restarted();
    assert_eq!(status(&house), Status::Met);
    house.clock.advance_millis(31 * 3_600_000);
    assert_eq!(status(&house), Status::Stale);
}

#[tokio::test]
async fn a_change_that_breaks_a_rule_changes_nothing_and_is_recorded() {
    let house = House::new();
    let permit = house.permit::<RequirementChange>("hkma-nothing");
    let error = house.compliance.change(permit, confirm()).await.unwrap_err();
    assert_eq!(Problem::from(error).kind, ProblemKind::NotFound);
    let permit = house.permit::<RequirementChange>(KEYS);
    let until = Timestamp::EPOCH;
    let late = Change::AcceptRisk { until, reason: "why not".to_owned() };
    let problem = Problem::from(house.compliance.change(permit, late).await.unwrap_err());
    assert_eq!(
        (problem.kind, problem.fields[0].pointer.as_str()),
        (ProblemKind::Invalid, "/until")
    );
    assert!(house.compliance.standings().unwrap().is_empty());
    let outcomes: Vec<_> = house.events().into_iter().map(|event| event.outcome).collect();
    let failed = |code: &'static str| kernel::Outcome::Failed(code.into());
    assert_eq!(outcomes, [failed("no-requirement"), failed("expiry")]);
}

#[tokio::test]
async fn the_profile_is_kept_and_the_log_does_not_tell_the_designation() {
    let house = House::new();
    let profile = Profile {
        institution: Institution::DigitalBank,
        origin: Origin::Local,
        critical_infrastructure_operator: true,
    };
    let one = house.permit::<RequirementChange>(KEYS);
    assert!(house.compliance.set_profile(one, profile).await.is_err());
    assert_eq!(house.compliance.profile().unwrap(), None);
    let all = house.permit::<RequirementChange>("*");
    house.compliance.set_profile(all, profile).await.unwrap();
    assert_eq!(house.compliance.profile().unwrap(), Some(profile));
    let events = house.events();
    let told = serde_json::to_string(events.last().unwrap()).unwrap();
    assert!(told.contains("digital bank"));
    for word in ["critical", "designat", "true"] {
        assert!(!told.contains(word), "{told}");
    }
}

#[tokio::test]
async fn an_old_permit_does_nothing() {
    let house = House::new();
    let (run, read) = (house.permit::<CheckRun>("*"), house.permit::<RequirementRead>("*"));
    house.clock.advance_millis(5_001);
    assert!(house.compliance.run_checks(run, None).await.unwrap_err().decide_again());
    assert!(house.compliance.assessment(read, true).unwrap_err().decide_again());
    assert_eq!(house.compliance.latest_run().unwrap(), None);
}

#[tokio::test]
async fn pages_guides_and_reports_stand_on_the_same_run() {
    let house = House::new();
    let run = house.compliance.run_checks(house.permit::<CheckRun>("*"), None).await.unwrap();
    let permit = house.permit::<RequirementRead>(KEYS);
    let page = house.compliance.requirement(permit, period(&house), true).unwrap();
    assert_eq!(page.judgement.status, Status::ControlWorking);
    assert_eq!(page.checks[0].latest.as_ref().unwrap().outcome, Outcome::Pass);
    let permit = house.permit::<RequirementRead>("*");
    let guide = house.compliance.guide(permit, Guide::PracticeGuide).unwrap();
    assert_eq!(guide.counts.values().sum::<usize>(), 79);
    let reports = house.reports();
    let permit = house.permit::<ReportMake>("*");
    let kept = reports.make(permit, request(&house), None).await.unwrap();
    let list = reports.list(house.permit::<ReportRead>("*")).await.unwrap();
    assert_eq!(list, [(kept.clone(), true)]);
    let permit = house.permit::<ReportRead>(&kept.id.to_string());
    let (_, pack) = reports.read(permit).await.unwrap();
    let trust = Trust { origin: Some(house.log.origin_key()), witnesses: &[] };
    let verdict = verify(&pack, &trust, None);
    assert!(verdict.is_proven(), "{verdict}");
    let files = documents::pack::read(&pack).unwrap();
    let report: Report = serde_json::from_slice(&files[JSON]).unwrap();
    assert_eq!(report.requirements.len(), 378);
    let check = report.checks.iter().find(|c| c.id.as_str() == "keys-rotated-on-time").unwrap();
    assert_eq!(check.run, Some(run.id));
    let position = check.recorded_at.unwrap();
    let event = house.log.event(position).unwrap().event;
    assert_eq!(event.detail("run"), Some(run.id.to_string().as_str()));
    let shown = audit::line::read_lines(&files[EVENTS]).unwrap();
    assert!(shown.iter().any(|line| line.position == position.0), "the run is not proven");
}

#[tokio::test]
async fn a_report_prints_its_checkpoint_and_the_last_witness_with_its_age() {
    let house = House::new();
    let reports = house.reports();
    let report = async |reports: &comply::Reports| {
        let made =
            reports.make(house.permit::<ReportMake>("*"), request(&house), None).await.unwrap();
        let pack = reports.pack(made.id).unwrap().unwrap();
        let files = documents::pack::read(&pack).unwrap();
        let html = String::from_utf8(files[comply::HTML].clone()).unwrap();
        (serde_json::from_slice::<Report>(&files[JSON]).unwrap(), html, pack)
    };
    house.compliance.run_checks(house.permit::<CheckRun>("*"), None).await.unwrap();
    let (alone, html, _) = report(&reports).await;
    assert!(alone.checkpoint.is_some() && alone.witnessed.is_none());
    assert!(html.contains("No independent witness") && html.contains("there is none"));

    let older = house.log.checkpoint().unwrap().to_string();
    let left = Left { size: house.log.head().size, at: house.clock.wall() };
    let mut outlet = Outlet::new(OutletKind::Witness, "https://auditor.sample");
    outlet.left = Some(left.clone());
    outlet.sent = vec![left.clone()];
    outlet.cosigned = Some("the note of the witness".into());
    let batch = Batch::new().put::<Outlets>(&"witness-1".into(), &outlet, Expect::Any);
    house.store.commit(batch).await.unwrap();
    house.clock.advance_millis(3 * 3_600_000);
    let (seen, html, pack) = report(&reports).await;
    let witnessed = seen.witnessed.clone().unwrap();
    assert_eq!((witnessed.size, witnessed.at), (left.size, left.at));
    assert!(witnessed.sentence(seen.made_at).contains("3 hours before"), "{witnessed:?}");
    assert!(html.contains("3 hours before") && html.contains("the note of the witness"));
    // Whoever kept the checkpoint that left the house sees that the pack continues it.
    let trust = Trust { origin: Some(house.log.origin_key()), witnesses: &[] };
    let verdict = verify(&pack, &trust, Some(older.as_bytes()));
    assert!(verdict.is_proven(), "{verdict}");
    assert!(verdict.to_string().contains("which continues size"), "{verdict}");
}

#[tokio::test]
async fn a_report_whose_pack_is_gone_says_so_and_an_unknown_one_is_not_found() {
    let house = House::new();
    let reports = house.reports();
    let permit = house.permit::<ReportMake>("*");
    let kept = reports.make(permit, request(&house), None).await.unwrap();
    std::fs::remove_file(reports.path(kept.id)).unwrap();
    let permit = house.permit::<ReportRead>(&kept.id.to_string());
    assert!(matches!(reports.read(permit).await, Err(ReportsError::NoPack)));
    for id in ["*", "rep_00000000000000000000000000", "../anchor"] {
        let permit = house.permit::<ReportRead>(id);
        assert!(matches!(reports.read(permit).await, Err(ReportsError::NoReport)), "{id}");
    }
    let list = reports.list(house.permit::<ReportRead>("*")).await.unwrap();
    assert!(!list[0].1);
}

#[tokio::test]
async fn a_requirement_that_tells_the_designation_is_withheld_from_its_page() {
    let house = House::new();
    let permit = house.permit::<RequirementRead>("hk-ci-2");
    let page = house.compliance.requirement(permit, period(&house), false).unwrap();
    assert_eq!(page.judgement.status, Status::Withheld);
    assert!(page.checks.is_empty() && page.standing.is_none());
    let permit = house.permit::<RequirementRead>("hkma-nothing");
    assert!(house.compliance.requirement(permit, period(&house), true).is_err());
}

#[tokio::test]
async fn a_run_and_a_report_asked_for_twice_under_one_key_are_made_once() {
    let house = House::new();
    let under = |request| Some(Repeat { key: "k".into(), request: [request; 32] });
    let run = |repeat| house.compliance.run_checks(house.permit::<CheckRun>("*"), repeat);
    let first = run(under(1)).await.unwrap();
    house.clock.advance_millis(60_000);
    assert_eq!(run(under(1)).await.unwrap(), first);
    assert!(matches!(run(under(2)).await, Err(ComplyError::Store(_))), "another request");
    assert_eq!(house.compliance.runs(period(&house)).unwrap(), [first]);
    // At one time: both have found nothing to be answered with.
    let repeat = Some(Repeat { key: "both".into(), request: [1; 32] });
    let (one, two) = tokio::join!(run(repeat.clone()), run(repeat));
    assert_eq!(one.unwrap().id, two.unwrap().id);
    assert_eq!(house.compliance.runs(period(&house)).unwrap().len(), 2);

    let reports = house.reports();
    let make = |repeat| reports.make(house.permit::<ReportMake>("*"), request(&house), repeat);
    let first = make(under(1)).await.unwrap();
    assert_eq!(make(under(1)).await.unwrap(), first);
    assert_ne!(make(None).await.unwrap().id, first.id);
    assert_eq!(reports.list(house.permit::<ReportRead>("*")).await.unwrap().len(), 2);
    let replayed = house.events().into_iter().filter(|event| event.detail("replayed").is_some());
    assert_eq!(replayed.count(), 3);
}
