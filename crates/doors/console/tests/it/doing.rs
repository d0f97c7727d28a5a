//! What people do from the console: alone, and with the approval of others.

use crate::bench::*;
use access::roles::Role;
use http::StatusCode;

#[tokio::test]
async fn a_key_is_rotated_and_its_page_shows_the_new_version() {
    let bench = Bench::new();
    let key = bench.key("customer-files").await;
    let mut browser = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    browser.get(&format!("/keys/{key}")).await;
    let done = browser.post(&format!("/keys/{key}/rotate"), &[]).await;
    assert_eq!(done.goes_to(), format!("/keys/{key}"), "{}", done.text);
    let page = browser.get(&format!("/keys/{key}")).await;
    assert!(page.text.contains("<th scope=\"row\">2</th>"));
}

#[tokio::test]
async fn a_key_is_made_from_the_form() {
    let bench = Bench::new();
    bench.key("first").await;
    let mut browser = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let list = browser.get("/keys").await;
    let domain = list.between("<select name=\"domain\" required><option value=\"", "\"");
    let fields = [
        ("name", "分行文件"),
        ("domain", domain.as_str()),
        ("algorithm", "aes-256-gcm"),
        ("workload", "branches"),
        ("criticality", "critical"),
    ];
    let made = browser.post("/keys", &fields).await;
    assert!(made.goes_to().starts_with("/keys/key_"), "{}", made.text);
    let page = browser.get(made.goes_to()).await;
    assert!(page.text.contains("criticality: critical"));
    let wrong = browser.post("/keys", &[("name", ""), ("domain", &domain)]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_destruction_needs_the_name_a_reason_and_two_others() {
    let bench = Bench::new();
    let key = bench.key("statements-2024").await;
    let mut custodian = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let mut first = bench.signed_in("officer-b", &[Role::CryptoOfficer]).await;
    let mut second = bench.signed_in("officer-c", &[Role::CryptoOfficer]).await;
    let path = format!("/keys/{key}/destroy");
    let wrong = [("reason", "retention has ended"), ("typed_name", "statements-2023")];
    let refused = custodian.post(&path, &wrong).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text.contains("nothing was done"));

    let right = [("reason", "retention has ended"), ("typed_name", "statements-2024")];
    let asked = custodian.post(&path, &right).await;
    let id = asked.goes_to().strip_prefix("/requests#").unwrap_or_else(|| panic!("{}", asked.text));
    let request = format!("/requests/{id}");
    let inbox = custodian.get("/requests").await;
    assert!(inbox.text.contains("whoever asks does not approve"));
    let own = custodian.post(&request, &[("decision", "approve")]).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN);
    let early = custodian.post(&request, &[("decision", "carry-out")]).await;
    assert_eq!(early.status, StatusCode::FORBIDDEN, "{}", early.text);

    for officer in [&mut first, &mut second] {
        assert!(officer.get("/requests").await.text.contains("statements-2024"));
        let said = officer.post(&request, &[("decision", "approve")]).await;
        assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.text);
    }
    let ready = custodian.get("/requests").await;
    assert!(ready.text.contains("value=\"carry-out\""), "{}", ready.text);
    let done = custodian.post(&request, &[("decision", "carry-out")]).await;
    assert_eq!(done.goes_to(), format!("/keys/{key}"), "{}", done.text);
    let page = custodian.get(&format!("/keys/{key}")).await;
    assert!(page.text.contains(">Destroyed</span>"), "{}", page.text);
    let again = custodian.post(&request, &[("decision", "carry-out")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "it is done once");
}

#[tokio::test]
async fn one_rejection_ends_a_request() {
    let bench = Bench::new();
    let key = bench.key("statements-2024").await;
    let mut custodian = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let mut officer = bench.signed_in("officer-b", &[Role::CryptoOfficer]).await;
    let fields = [("reason", "drill"), ("typed_name", "statements-2024")];
    let asked = custodian.post(&format!("/keys/{key}/suspend"), &fields).await;
    let id = asked.goes_to().strip_prefix("/requests#").unwrap_or_else(|| panic!("{}", asked.text));
    let request = format!("/requests/{id}");
    officer.get("/requests").await;
    let silent = officer.post(&request, &[("decision", "reject")]).await;
    assert_eq!(silent.status, StatusCode::BAD_REQUEST, "a rejection has a reason");
    officer.post(&request, &[("decision", "reject"), ("reason", "not now")]).await;
    assert!(custodian.get("/requests").await.text.contains(">Rejected</span>"));
    let page = custodian.get(&format!("/keys/{key}")).await;
    assert!(page.text.contains(">Active</span>"));
}

#[tokio::test]
async fn an_old_code_is_asked_for_again_before_a_sensitive_act() {
    let bench = Bench::new();
    let key = bench.key("customer-files").await;
    let mut custodian = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let mut officer = bench.signed_in("officer-b", &[Role::CryptoOfficer]).await;
    let fields = [("reason", "drill"), ("typed_name", "customer-files")];
    let asked = custodian.post(&format!("/keys/{key}/suspend"), &fields).await;
    let id = asked.goes_to().strip_prefix("/requests#").unwrap().to_owned();
    let request = format!("/requests/{id}");
    for _ in 0..3 {
        bench.clock.advance_millis(10 * 60 * 1_000);
        assert_eq!(officer.get("/requests").await.status, StatusCode::OK);
    }
    let tried = officer.post(&request, &[("decision", "approve")]).await;
    assert_eq!(tried.goes_to(), "/sign-in/code?then=%2Frequests", "{}", tried.text);
    let code = officer.next_code();
    let done = officer.post("/sign-in/code", &[("code", &code), ("then", "/requests")]).await;
    assert_eq!(done.goes_to(), "/requests");
    let said = officer.post(&request, &[("decision", "approve")]).await;
    assert_eq!(said.goes_to(), format!("/requests#{id}"), "{}", said.text);
}

#[tokio::test]
async fn an_act_that_is_none_and_a_key_that_is_none_are_not_found() {
    let bench = Bench::new();
    let key = bench.key("customer-files").await;
    let mut browser = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let odd = browser.post(&format!("/keys/{key}/explode"), &[]).await;
    assert_eq!(odd.status, StatusCode::NOT_FOUND);
    let none = browser.get("/keys/key_00000000000000000000000001").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND, "{}", none.text);
    assert_eq!(browser.get("/keys/not-a-key").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_that_others_know_is_declared_so_with_name_and_reason() {
    let bench = Bench::new();
    let key = bench.key("customer-files").await;
    let mut browser = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let path = format!("/keys/{key}/compromise");
    let silent = browser.post(&path, &[("typed_name", "customer-files")]).await;
    assert_eq!(silent.status, StatusCode::BAD_REQUEST);
    let fields = [("reason", "a laptop is lost"), ("typed_name", "customer-files")];
    let done = browser.post(&path, &fields).await;
    assert_eq!(done.goes_to(), format!("/keys/{key}"), "{}", done.text);
    let page = browser.get(&format!("/keys/{key}")).await;
    assert!(page.text.contains(">Compromised</span>"));
    assert!(!page.text.contains("Declare compromised"), "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_signed_by_three_and_each_sees_only_what_is_theirs_to_sign() {
    let bench = Bench::new();
    let mut first = bench.signed_in("risk-a", &[Role::RiskOfficer]).await;
    let mut second = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    let mut third = bench.signed_in("risk-b", &[Role::RiskOfficer]).await;
    let mut reader = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let made = first.post("/reports", &[]).await;
    let id = made.goes_to().strip_prefix("/reports#").unwrap().to_owned();
    let sign = format!("/reports/{id}/sign");
    for browser in [&mut first, &mut reader] {
        let page = browser.get("/reports").await;
        assert!(!page.text.contains("name=\"step\""), "{}", page.text);
    }
    let page = second.get("/reports").await;
    assert!(page.text.contains("value=\"review\""), "{}", page.text);
    let pack = page.between("name=\"pack\" value=\"", "\"");
    let with = |step: &'static str| vec![("step", step), ("pack", pack.as_str())];
    let own = first.post(&sign, &with("review")).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN);
    let stranger = reader.post(&sign, &with("review")).await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    let other = second.post(&sign, &[("step", "review"), ("pack", "0")]).await;
    assert_eq!(other.status, StatusCode::CONFLICT, "{}", other.text);
    let done = second.post(&sign, &with("review")).await;
    assert_eq!(done.goes_to(), format!("/reports#{id}"), "{}", done.text);
    assert!(!second.get("/reports").await.text.contains("name=\"step\""));
    assert!(third.get("/reports").await.text.contains("value=\"approve\""));
    let silent = third.post(&sign, &with("return")).await;
    assert_eq!(silent.status, StatusCode::BAD_REQUEST, "a return has a reason");
    let done = third.post(&sign, &with("approve")).await;
    assert_eq!(done.goes_to(), format!("/reports#{id}"), "{}", done.text);
    let page = reader.get("/reports").await;
    assert!(page.text.contains(">Approved</span>"), "{}", page.text);
    assert!(
        page.text.contains("reviewed by auditor-a") && page.text.contains("approved by risk-b")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_returned_with_its_reason() {
    let bench = Bench::new();
    let mut first = bench.signed_in("risk-a", &[Role::RiskOfficer]).await;
    let mut second = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    let made = first.post("/reports", &[]).await;
    let id = made.goes_to().strip_prefix("/reports#").unwrap().to_owned();
    let pack = second.get("/reports").await.between("name=\"pack\" value=\"", "\"");
    let fields = [("step", "return"), ("pack", &pack), ("reason", "the period is wrong")];
    let done = second.post(&format!("/reports/{id}/sign"), &fields).await;
    assert_eq!(done.goes_to(), format!("/reports#{id}"), "{}", done.text);
    let page = first.get("/reports").await;
    assert!(page.text.contains(">Returned</span>") && page.text.contains("the period is wrong"));
}
