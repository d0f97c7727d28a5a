//! Review and approval: three people, one pack, one file that proves it.

use crate::house::House;
use crate::kept::request;
use audit::verify::Trust;
use comply::pack::{PACK_DETAIL, SIGNED_PACK, STATEMENT, STEP_DETAIL, verify};
use comply::{
    HTML, JSON, OSCAL_RESULTS, RETURN_REASON_CHARS_MAX, Report, ReportRecord, ReportState, Reports,
    ReportsError, Signer, Signing, SigningError, Step,
};
use documents::pack::Files;
use kernel::actions::{CheckRun, ReportMake, ReportRead, ReportSign};
use kernel::{Clock, Outcome};

struct Desk {
    house: House,
    reports: Reports,
    report: ReportRecord,
}

async fn prepared() -> Desk {
    let house = House::new();
    let reports = house.reports();
    house.compliance.run_checks(house.permit::<CheckRun>("*"), None).await.unwrap();
    let permit = house.permit_for::<ReportMake>(1, "*");
    let report = reports.make(permit, request(&house), None).await.unwrap();
    house.clock.advance_millis(60_000);
    Desk { house, reports, report }
}

impl Desk {
    fn signing(&self, step: Step) -> Signing {
        let reason = (step == Step::Return).then(|| "the period is wrong".to_owned());
        Signing { step, pack: self.report.pack.clone().unwrap(), reason }
    }

    async fn sign(&self, person: u8, signing: Signing) -> Result<ReportRecord, ReportsError> {
        let id = self.report.id.to_string();
        let permit = self.house.permit_for::<ReportSign>(person, &id);
        let signer = Signer { name: format!("Person {person}"), role: "Auditor".into() };
        self.reports.sign(permit, signer, signing).await
    }

    async fn step(&self, person: u8, step: Step) -> Result<ReportRecord, ReportsError> {
        self.sign(person, self.signing(step)).await
    }

    async fn approved(&self) -> Vec<u8> {
        self.step(2, Step::Review).await.unwrap();
        self.house.clock.advance_millis(60_000);
        self.step(3, Step::Approve).await.unwrap();
        self.pack().await
    }

    async fn pack(&self) -> Vec<u8> {
        let permit = self.house.permit::<ReportRead>(&self.report.id.to_string());
        self.reports.read(permit).await.unwrap().1
    }

    fn verdict(&self, pack: &[u8]) -> comply::pack::PackVerdict {
        verify(pack, &Trust { origin: Some(self.house.log.origin_key()), witnesses: &[] }, None)
    }
}

fn why(result: Result<ReportRecord, ReportsError>) -> SigningError {
    match result {
        Err(ReportsError::Signing(cause)) => cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn three_people_sign_and_one_file_proves_it() {
    let desk = prepared().await;
    let draft = desk.pack().await;
    let verdict = desk.verdict(&draft);
    assert!(verdict.is_proven() && verdict.signatures.len() == 1, "{verdict}");
    assert!(verdict.to_string().contains("a draft: the pack has no proof of review"), "{verdict}");

    let pack = desk.approved().await;
    let verdict = desk.verdict(&pack);
    assert!(verdict.is_proven(), "{verdict}");
    let seen: Vec<_> =
        verdict.signatures.iter().map(|seen| (seen.what, seen.by.name.as_str())).collect();
    assert_eq!(seen, [("prepared", "A"), ("reviewed", "Person 2"), ("approved", "Person 3")]);
    assert!(verdict.to_string().contains("approved by Person 3, Auditor"), "{verdict}");
    let files = documents::pack::read(&pack).unwrap();
    assert_eq!(files[SIGNED_PACK], draft, "what was signed is inside, byte for byte");
    let report: Report = serde_json::from_slice(&files[JSON]).unwrap();
    assert!(report.signatories.is_final());
    for name in [HTML, OSCAL_RESULTS] {
        let text = String::from_utf8(files[name].clone()).unwrap();
        for words in ["Person 2", "Person 3", "Auditor"] {
            assert!(text.contains(words), "{name}: {words}");
        }
    }
}

#[tokio::test]
async fn each_signature_is_an_event_over_the_packs_hash() {
    let desk = prepared().await;
    let pack = desk.approved().await;
    let draft = std::fs::read(desk.reports.path(desk.report.id)).unwrap();
    let hash = documents::hex(&audit::Hash::of(&draft).0);
    let events = desk.house.events();
    let signed: Vec<_> = events.iter().filter(|event| event.action == "report.sign").collect();
    let steps: Vec<_> = signed.iter().map(|event| event.detail(STEP_DETAIL).unwrap()).collect();
    assert_eq!(steps, ["review", "approve"]);
    for event in &signed {
        assert_eq!(event.detail(PACK_DETAIL), Some(hash.as_str()));
        assert_eq!(event.resource, format!("report:{}", desk.report.id));
    }
    let files = documents::pack::read(&pack).unwrap();
    let statement = documents::hex(&audit::Hash::of(&files[STATEMENT]).0);
    assert_eq!(signed[1].detail("statement-sha256"), Some(statement.as_str()));
}

#[tokio::test]
async fn order_and_separation_are_kept_and_each_refusal_is_recorded() {
    let desk = prepared().await;
    assert_eq!(why(desk.step(1, Step::Review).await), SigningError::SamePerson);
    assert_eq!(why(desk.step(2, Step::Approve).await), SigningError::NotReviewed);
    let other = Signing { pack: "0".repeat(64), ..desk.signing(Step::Review) };
    assert_eq!(why(desk.sign(2, other).await), SigningError::OtherPack);
    let talkative = Signing { reason: Some("fine".into()), ..desk.signing(Step::Review) };
    assert_eq!(why(desk.sign(2, talkative).await), SigningError::Reason);
    let permit = desk.house.permit::<ReportSign>(&desk.report.id.to_string());
    let system = desk.reports.sign(permit, Signer::default(), desk.signing(Step::Review)).await;
    assert_eq!(why(system), SigningError::NotAPerson);
    desk.step(2, Step::Review).await.unwrap();
    assert_eq!(why(desk.step(3, Step::Review).await), SigningError::AlreadyReviewed);
    assert_eq!(why(desk.step(2, Step::Approve).await), SigningError::SamePerson);
    assert_eq!(why(desk.step(1, Step::Approve).await), SigningError::SamePerson);
    let permit = desk.house.permit_for::<ReportSign>(3, "rep_00000000000000000000000000");
    let none = desk.reports.sign(permit, Signer::default(), desk.signing(Step::Review)).await;
    assert!(matches!(none, Err(ReportsError::NoReport)));
    let codes: Vec<String> = desk
        .house
        .events()
        .into_iter()
        .filter_map(|event| match event.outcome {
            Outcome::Failed(code) => Some(code.into_owned()),
            _ => None,
        })
        .collect();
    let expected = [
        "same-person",
        "not-reviewed",
        "other-pack",
        "reason",
        "not-a-person",
        "already-reviewed",
        "same-person",
        "same-person",
        "no-report",
    ];
    assert_eq!(codes, expected);
}

#[tokio::test]
async fn a_returned_report_stays_returned_and_says_why() {
    let desk = prepared().await;
    for reason in [None, Some("  ".to_owned()), Some("x".repeat(RETURN_REASON_CHARS_MAX + 1))] {
        let signing = Signing { reason, ..desk.signing(Step::Return) };
        assert_eq!(why(desk.sign(2, signing).await), SigningError::Reason);
    }
    desk.step(2, Step::Review).await.unwrap();
    let returned = desk.step(3, Step::Return).await.unwrap();
    assert_eq!(returned.state(), ReportState::Returned);
    let reason = returned.signatures.last().unwrap().reason.as_deref();
    assert_eq!(reason, Some("the period is wrong"));
    let closed = SigningError::Closed(ReportState::Returned);
    for step in [Step::Review, Step::Approve, Step::Return] {
        assert_eq!(why(desk.step(4, step).await), closed);
    }
    let events = desk.house.events();
    let event = events.iter().rfind(|event| event.detail("reason").is_some()).unwrap();
    assert_eq!(event.detail("reason"), Some("the period is wrong"));
    assert!(desk.verdict(&desk.pack().await).is_proven(), "the draft is still what it was");
}

#[tokio::test]
async fn a_pack_altered_on_disk_is_not_signed() {
    let desk = prepared().await;
    let path = desk.reports.path(desk.report.id);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(why(desk.step(2, Step::Review).await), SigningError::PackAltered);
    std::fs::remove_file(path).unwrap();
    assert!(matches!(desk.step(2, Step::Review).await, Err(ReportsError::NoPack)));
}

#[tokio::test]
async fn a_final_pack_that_a_stop_kept_from_the_disk_is_made_again() {
    let desk = prepared().await;
    desk.approved().await;
    std::fs::remove_file(desk.reports.final_path(desk.report.id)).unwrap();
    let again = desk.pack().await;
    let verdict = desk.verdict(&again);
    assert!(verdict.is_proven() && verdict.signatures.len() == 3, "{verdict}");
}

fn rewritten(files: &Files) -> Vec<u8> {
    let mut files = files.clone();
    files.remove(documents::pack::MANIFEST);
    documents::pack::write(&files, &|bytes| audit::Hash::of(bytes).0).unwrap()
}

#[tokio::test]
async fn an_approval_that_is_not_proven_is_named() {
    let desk = prepared().await;
    let pack = desk.approved().await;
    let clean = documents::pack::read(&pack).unwrap();
    let broken = |change: &dyn Fn(&mut Files)| {
        let mut files = clean.clone();
        change(&mut files);
        let verdict = desk.verdict(&rewritten(&files));
        assert!(!verdict.is_consistent(), "{verdict}");
        verdict.to_string()
    };
    // The review is left out of the evidence.
    let said = broken(&|files| {
        let events = String::from_utf8(files["evidence/events.jsonl"].clone()).unwrap();
        let kept = events.lines().filter(|line| !line.contains("\\\"review\\\""));
        let kept: String = kept.map(|line| format!("{line}\n")).collect();
        assert_ne!(kept, events);
        files.insert("evidence/events.jsonl".into(), kept.into_bytes());
    });
    assert!(said.contains("no event before it reviews `draft.zip`"), "{said}");
    // Another pack lies where the signed one was.
    let said = broken(&|files| {
        files.insert(SIGNED_PACK.into(), b"PK".to_vec());
    });
    assert!(said.contains("signed another pack"), "{said}");
    let said = broken(&|files| {
        files.remove(SIGNED_PACK);
    });
    assert!(said.contains("`draft.zip` is missing"), "{said}");
    // A name is changed in the document, and the lists with it: nobody vouches for that.
    let said = broken(&|files| {
        let json = String::from_utf8(files[JSON].clone()).unwrap();
        let json = json.replace("Person 3", "Person 9").into_bytes();
        let (old, new) = (&files[JSON], &json);
        let digest = |bytes: &[u8]| documents::hex(&audit::Hash::of(bytes).0);
        let statement = String::from_utf8(files[STATEMENT].clone()).unwrap();
        let statement = statement.replace(&digest(old), &digest(new));
        files.insert(JSON.into(), json);
        files.insert(STATEMENT.into(), statement.into_bytes());
    });
    assert!(said.contains("no event of the log vouches"), "{said}");
}

#[tokio::test]
async fn the_gate_is_told_who_has_signed() {
    let desk = prepared().await;
    let resource = desk.reports.resource_of(desk.report.id).unwrap();
    assert_eq!(resource.labels.get("prepared-by"), Some(desk.report.made_by.as_str()));
    assert_eq!(resource.labels.get("reviewed-by"), None);
    desk.step(2, Step::Review).await.unwrap();
    let resource = desk.reports.resource_of(desk.report.id).unwrap();
    assert!(resource.labels.get("reviewed-by").is_some_and(|who| who.starts_with("per_")));
    assert!(desk.report.made_at <= desk.house.clock.wall());
}
