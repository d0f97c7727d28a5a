//! The page of people: who holds what by which group, and what its forms do.

use crate::bench::*;
use access::roles::Role;
use http::StatusCode;

#[tokio::test]
async fn a_team_is_made_filled_and_given_its_role_from_the_page() {
    let bench = Bench::new();
    bench.key("customer-files").await;
    bench.person("custodian-a", &[]).await;
    let mut rules = bench.signed_in("policy-a", &[Role::PolicyAdministrator]).await;
    assert!(rules.get("/people").await.text.contains("There is no group"));
    let fields = [("name", "分行保管人"), ("description", "Keys of the branches")];
    let made = rules.post("/people/groups", &fields).await;
    let group = made.goes_to().strip_prefix("/people#").unwrap_or_else(|| panic!("{}", made.text));
    let path = |verb: &str| format!("/people/groups/{group}/{verb}");
    let page = rules.get("/people").await;
    assert!(page.text.contains("分行保管人") && page.text.contains("Keys of the branches"));
    let chosen = page.between("<select name=\"holder\" required>", "</select>");
    assert!(
        chosen.contains("custodian-a") && !chosen.contains("policy-a"),
        "nobody lets in themselves"
    );
    let (person, _) = chosen.split_once(">custodian-a").unwrap();
    let person = person.rsplit("value=\"").next().unwrap().trim_end_matches('"').to_owned();
    let domain = page.between("The whole installation</option><option value=\"", "\"");

    let let_in = rules.post(&path("let-in"), &[("holder", &person)]).await;
    assert_eq!(let_in.goes_to(), format!("/people#{group}"), "{}", let_in.text);
    let role = [("role", "key-custodian"), ("domain", domain.as_str())];
    let given = rules.post(&path("give"), &role).await;
    assert_eq!(given.goes_to(), format!("/people#{group}"), "{}", given.text);
    let page = rules.get("/people").await;
    assert!(
        page.text.contains("Key custodian in of-customer-files, by 分行保管人"),
        "{}",
        page.text
    );
    let refused = rules.post(&path("give"), &[("role", "crypto-officer"), ("domain", "")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("whoever approves is not whoever asks"), "{}", refused.text);
    for wrong in [[("role", "root"), ("domain", "")], [("role", "auditor"), ("domain", "dom_1")]] {
        assert_eq!(rules.post(&path("give"), &wrong).await.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(rules.post(&path("fly"), &[]).await.status, StatusCode::NOT_FOUND);

    let out = rules.post(&path("put-out"), &[("holder", &person)]).await;
    assert_eq!(out.goes_to(), format!("/people#{group}"), "{}", out.text);
    assert!(!rules.get("/people").await.text.contains("by 分行保管人"));
    let taken = [("role", &*format!("key-custodian {domain}"))];
    let taken = rules.post(&path("take"), &taken).await;
    assert_eq!(taken.goes_to(), format!("/people#{group}"), "{}", taken.text);
}

#[tokio::test]
async fn after_the_first_days_the_form_asks_others_and_then_carries_it_out() {
    let bench = Bench::new();
    bench.first_link().await;
    let _users = bench.signed_in("users-a", &[Role::IdentityAdministrator]).await;
    let mut risk = bench.signed_in("risk-a", &[Role::RiskOfficer]).await;
    let mut rules = bench.signed_in("policy-a", &[Role::PolicyAdministrator]).await;
    let made = rules.post("/people/groups", &[("name", "Auditors")]).await;
    let group = made.goes_to().strip_prefix("/people#").unwrap_or_else(|| panic!("{}", made.text));
    let give = format!("/people/groups/{group}/give");
    let fields = [("role", "auditor"), ("domain", ""), ("reason", "internal audit starts")];
    let silent = rules.post(&give, &fields[..2]).await;
    assert_eq!(silent.status, StatusCode::BAD_REQUEST, "whoever approves is told why");
    let asked = rules.post(&give, &fields).await;
    let id = asked.goes_to().strip_prefix("/requests#").unwrap_or_else(|| panic!("{}", asked.text));
    let inbox = risk.get("/requests").await;
    assert!(
        inbox.text.contains("internal audit starts")
            && inbox.text.contains("holds the role Auditor")
    );
    let said = risk.post(&format!("/requests/{id}"), &[("decision", "approve")]).await;
    assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.text);
    let given = rules.post(&give, &fields).await;
    assert_eq!(given.goes_to(), format!("/people#{group}"), "{}", given.text);
    let auditor = bench.person("auditor-a", &[]).await;
    assert!(!auditor.is_empty());
    let page = rules.get("/people").await;
    let chosen = page.between("<select name=\"holder\" required>", "</select>");
    let (person, _) = chosen.split_once(">auditor-a").unwrap();
    let person = person.rsplit("value=\"").next().unwrap().trim_end_matches('"').to_owned();
    let fields = [("holder", person.as_str()), ("reason", "joins internal audit")];
    let asked = rules.post(&format!("/people/groups/{group}/let-in"), &fields).await;
    assert!(asked.goes_to().starts_with("/requests#"), "{}", asked.text);
}

#[tokio::test]
async fn the_page_shows_forms_to_those_who_change_rights_and_itself_to_those_who_may_look() {
    let bench = Bench::new();
    let mut operator = bench.signed_in("operator-a", &[Role::SecurityOperations]).await;
    let page = operator.get("/people").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Security operations") && !page.text.contains("/people/groups"));
    let refused = operator.post("/people/groups", &[("name", "Mine")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let mut custodian = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    assert_eq!(custodian.get("/people").await.status, StatusCode::FORBIDDEN);
    assert!(!custodian.get("/keys").await.text.contains("href=\"/people\""));
}
