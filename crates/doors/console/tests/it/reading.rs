//! What the pages say, and to whom.

use crate::bench::*;
use access::roles::Role;
use http::StatusCode;

#[tokio::test]
async fn a_key_shows_its_state_its_holders_and_its_timeline() {
    let bench = Bench::new();
    let key = bench.key("customer-files").await;
    let mut browser = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let list = browser.get("/keys").await;
    assert!(list.text.contains("customer-files") && list.text.contains(">Active</span>"));
    let page = browser.get(&format!("/keys/{key}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("aes-256-gcm"));
    assert!(page.text.contains("key.create by system"));
    assert!(page.text.contains("2 other people with the role Crypto officer"));
}

#[tokio::test]
async fn every_page_that_is_read_is_in_the_log() {
    let bench = Bench::new();
    let key = bench.key("customer-files").await;
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    for (path, action) in [
        ("/keys".to_owned(), "key.list"),
        (format!("/keys/{key}"), "key.read"),
        ("/map".to_owned(), "asset.read"),
        ("/log".to_owned(), "log.read"),
        ("/requests".to_owned(), "approval.read"),
        ("/requirements".to_owned(), "requirement.read"),
        ("/requirements/hkma-tmg1-3.1.4".to_owned(), "requirement.read"),
        ("/guides/tm-g-1".to_owned(), "requirement.read"),
        ("/".to_owned(), "asset.read"),
    ] {
        let seen = bench.events().len();
        let shown = browser.get(&path).await;
        assert_eq!(shown.status, StatusCode::OK, "{path}: {}", shown.text);
        let events = bench.events();
        let found = events[seen..].iter().find(|event| event.action == action);
        let found = found.unwrap_or_else(|| panic!("{path}: {:?}", &events[seen..]));
        assert_eq!(found.door, kernel::Door::Console);
        assert!(found.personal.iter().any(|(_, value)| value == "192.0.2.7"), "{path}");
    }
}

#[tokio::test]
async fn a_refusal_is_in_the_log_before_it_is_told() {
    let bench = Bench::new();
    let key = bench.key("customer-files").await;
    let mut browser = bench.signed_in("admin-a", &[Role::IdentityAdministrator]).await;
    let shown = browser.get(&format!("/keys/{key}")).await;
    assert!(matches!(shown.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND));
    assert!(!shown.text.contains("customer-files"));
    let last = bench.events().into_iter().rfind(|event| event.action == "key.read").unwrap();
    assert_eq!(last.decision, kernel::Decision::Refused);
}

#[tokio::test]
async fn what_one_may_not_see_is_not_in_the_navigation() {
    let bench = Bench::new();
    let mut auditor = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    let mut admin = bench.signed_in("admin-a", &[Role::IdentityAdministrator]).await;
    let log = auditor.get("/log").await;
    assert!(log.text.contains("href=\"/keys\"") && log.text.contains("href=\"/map\""));
    let requests = admin.get("/requests").await;
    assert!(!requests.text.contains("href=\"/keys\""));
}

#[tokio::test]
async fn a_record_is_proven_to_be_in_the_log() {
    let bench = Bench::new();
    bench.key("customer-files").await;
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    let created = bench.events().iter().position(|e| e.action == "key.create").unwrap();
    let page = browser.get(&format!("/log/{created}")).await;
    assert!(page.text.contains("The proof leads to the root"), "{}", page.text);
    assert!(page.text.contains(footing::ORIGIN), "the checkpoint is shown");
    assert_eq!(browser.get("/log/999999").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/log/first").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_question_to_the_log_is_answered_or_said_to_be_wrong() {
    let bench = Bench::new();
    bench.key("customer-files").await;
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    let found = browser.get("/log?action=key.create").await;
    assert!(found.text.contains("key.create") && !found.text.contains(">log.read<"));
    let wrong = browser.get("/log?from=yesterday").await;
    assert!(wrong.text.contains("role=\"alert\"") && wrong.text.contains("`from`"));
    let twice = browser.get("/log?who=a&who=b").await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_language_is_kept_and_marked() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    browser.get("/keys?language=zh-Hant").await;
    let page = browser.get("/keys").await;
    assert!(page.text.contains("<h1><span lang=\"zh-Hant\">密碼匙</span>"));
    browser.get("/keys?language=en").await;
    assert!(browser.get("/keys").await.text.contains("<h1>Keys</h1>"));
}

#[tokio::test]
async fn the_overview_says_three_things_and_what_to_do() {
    let bench = Bench::new();
    bench.key("customer-files").await;
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    let page = browser.get("/").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(page.text.matches("<span class=\"dot\"").count(), 3);
    assert!(page.text.contains("No data set</a> is in the inventory"));
    assert!(page.text.contains(">1 key</a>: 1 active"), "{}", page.text);
    assert!(page.text.contains("In the last 24 hours there were"));
    assert!(page.text.contains("Run the checks</a>"));
    let mut administrator = bench.signed_in("admin-a", &[Role::IdentityAdministrator]).await;
    let page = administrator.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.text.matches("None of your roles shows").count(), 3);
    assert!(!page.text.contains("1 key</a>"));
}

#[tokio::test]
async fn requirements_show_no_verdict_before_a_run_and_one_after() {
    let bench = Bench::new();
    bench.key("customer-files").await;
    let mut browser = bench.signed_in("risk-a", &[Role::RiskOfficer]).await;
    let before = browser.get("/requirements").await;
    assert!(before.text.contains("no check has run yet"), "{}", before.text);
    assert!(!before.text.contains("Control working</span>"));
    let ran = browser.post("/requirements/run", &[]).await;
    assert_eq!(ran.goes_to(), "/requirements", "{}", ran.text);
    let after = browser.get("/requirements").await;
    assert!(after.text.contains("from the newest run of the checks"));
    assert!(!after.text.contains(" %"), "never one percentage");
    let first = after.between("<a href=\"/requirements/", "\"");
    let one = browser.get(&format!("/requirements/{first}")).await;
    assert_eq!(one.status, StatusCode::OK, "{}", one.text);
    assert!(one.text.contains("Until the bank confirms its own copy"));
    assert_eq!(browser.get("/requirements/no-such").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_guideline_is_answered_point_by_point() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    for guide in ["practice-guide", "sa-2", "tm-g-1"] {
        let page = browser.get(&format!("/guides/{guide}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let points = page.text.matches("<article class=\"point\"").count();
        assert!(points > 20, "{guide}: {points}");
        assert_eq!(page.text.matches("<dt>Owner</dt>").count(), points);
        assert!(page.text.contains(">Not built</span>"));
    }
    assert_eq!(browser.get("/guides/other").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_status_is_shown_in_chinese_and_marked_as_such() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    let page = browser.get("/requirements?language=zh-Hant").await;
    assert!(page.text.contains("<span lang=\"zh-Hant\">尚未評估</span>"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_are_listed_made_and_fetched() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("risk-a", &[Role::RiskOfficer]).await;
    assert!(browser.get("/reports").await.text.contains("No report was made yet"));
    let made = browser.post("/reports", &[]).await;
    let id = made.goes_to().strip_prefix("/reports#").unwrap().to_owned();
    let page = browser.get("/reports").await;
    assert!(page.text.contains(">Draft</span>") && page.text.contains("prepared by risk-a"));
    let file = browser.get(&format!("/reports/{id}")).await;
    assert_eq!(file.status, StatusCode::OK);
    let disposition = file.headers["content-disposition"].to_str().unwrap();
    assert_eq!(disposition, format!("attachment; filename=\"{id}.zip\""));
    assert!(file.headers["content-security-policy"].to_str().unwrap().starts_with("sandbox"));
    let other = format!("/reports/{}", kernel::ReportId::from_bytes([1; 16]));
    assert_eq!(browser.get(&other).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_broken_path_of_an_imported_inventory_is_said_drawn_and_listed() {
    let bench = Bench::new();
    let yaml = r#"
assets:
- {kind: file-set, reference: copy, name: "Analytics copy",
   attributes: {provider: aws, region: ap-southeast-1, data-class: restricted, residency: HK}}
- {kind: key, reference: theirs, name: "Provider's own key", attributes: {custody: provider}}
relations:
- {from: "key:theirs", relation: protects, to: "file-set:copy"}
"#;
    bench.import(yaml.as_bytes()).await;
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    let map = browser.get("/map").await;
    assert!(map.text.contains("1 broken path</strong> of 1 path"), "{}", map.text);
    assert!(map.text.contains("<path class=\"bad\"") && map.text.contains("Singapore"));
    let overview = browser.get("/").await;
    let said = overview.between("<ul class=\"says\">", "</p>");
    let expected = ">1 set of sensitive data</a> is outside our control: Analytics copy lies in \
                    Singapore; readable with the provider's own key";
    assert!(said.contains(expected), "{said}");
}
