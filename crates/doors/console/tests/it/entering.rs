//! Coming in, staying in, and being kept out.

use crate::bench::*;
use access::roles::Role;
use http::StatusCode;

const CLOSED: [&str; 6] = ["/keys", "/log", "/log/0", "/map", "/requests", "/keys/key_1"];

#[tokio::test]
async fn a_stranger_is_sent_to_sign_in_and_brought_back() {
    let bench = Bench::new();
    let mut stranger = bench.browser();
    for path in CLOSED {
        let shown = stranger.get(path).await;
        assert_eq!(shown.status, StatusCode::SEE_OTHER, "{path}");
        assert!(shown.goes_to().starts_with("/sign-in?then=%2F"), "{path}");
        assert!(!shown.text.contains("Lionrock"));
    }
}

#[tokio::test]
async fn a_link_lets_one_person_in_once() {
    let bench = Bench::new();
    let link = bench.first_link().await;
    let mut browser = bench.browser();
    browser.enrol(&link).await;
    assert!(browser.cookies.contains_key("__Host-lionrock-session"));
    let again = bench.browser().post("/set-up", &[("link", &link)]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "no form token yet");
    let mut other = bench.browser();
    other.get("/set-up").await;
    let again = other.post("/set-up", &[("link", &link)]).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert!(again.text.contains("ask for a new one") && !again.text.contains("Seed:"));
}

#[tokio::test]
async fn a_link_that_is_only_looked_at_is_not_used_up() {
    let bench = Bench::new();
    let link = bench.first_link().await;
    for _ in 0..3 {
        assert_eq!(
            bench.browser().get(&format!("/set-up?link={link}")).await.status,
            StatusCode::OK
        );
    }
    bench.browser().enrol(&link).await;
}

#[tokio::test]
async fn a_wrong_code_at_set_up_leaves_another_try() {
    let bench = Bench::new();
    let link = bench.first_link().await;
    let mut browser = bench.browser();
    browser.get("/set-up").await;
    browser.post("/set-up", &[("link", &link)]).await;
    let fields = [("link", link.as_str()), ("password", PASSWORD), ("again", PASSWORD)];
    let wrong = [&fields[..], &[("code", "000000")]].concat();
    let shown = browser.post("/set-up/finish", &wrong).await;
    assert_eq!(shown.status, StatusCode::UNAUTHORIZED);
    assert!(shown.text.contains("role=\"alert\"") && shown.text.contains("Show a new seed"));
    let differ =
        [("link", link.as_str()), ("password", PASSWORD), ("again", "another"), ("code", "1")];
    assert_eq!(browser.post("/set-up/finish", &differ).await.status, StatusCode::BAD_REQUEST);
    browser.enrol(&link).await;
}

#[tokio::test]
async fn signing_in_takes_a_password_and_then_a_code() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    browser.post("/sign-out", &[]).await;
    assert!(!browser.cookies.contains_key("__Host-lionrock-session"));
    assert_eq!(browser.get("/keys").await.status, StatusCode::SEE_OTHER);

    let form = [("name", "custodian-a"), ("password", PASSWORD), ("then", "/keys")];
    let half = browser.post("/sign-in", &form).await;
    assert_eq!(half.goes_to(), "/sign-in/code?then=%2Fkeys");
    let kept_out = browser.get("/keys").await;
    assert_eq!(kept_out.status, StatusCode::SEE_OTHER, "a password alone opens nothing");

    let wrong = browser.post("/sign-in/code", &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let before = browser.cookies["__Host-lionrock-session"].clone();
    let code = browser.next_code();
    let done = browser.post("/sign-in/code", &[("code", &code), ("then", "/keys")]).await;
    assert_eq!(done.goes_to(), "/keys");
    assert_ne!(browser.cookies["__Host-lionrock-session"], before, "the cookie changes");
    assert_eq!(browser.get("/keys").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_alike() {
    let bench = Bench::new();
    bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let mut browser = bench.browser();
    browser.get("/sign-in").await;
    let mut answers = Vec::new();
    for name in ["custodian-a", "nobody"] {
        let shown = browser.post("/sign-in", &[("name", name), ("password", "wrong wrong")]).await;
        answers.push((shown.status, shown.text.replace(name, "")));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn after_signing_in_one_never_lands_elsewhere() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    browser.post("/sign-out", &[]).await;
    for then in ["https://evil.test/", "//evil.test", "/sign-out", "\\evil"] {
        let form = [("name", "custodian-a"), ("password", PASSWORD), ("then", then)];
        let half = browser.post("/sign-in", &form).await;
        assert_eq!(half.goes_to(), "/sign-in/code?then=%2F", "{then}");
    }
}

#[tokio::test]
async fn a_session_ends_when_nobody_uses_it() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    assert_eq!(browser.get("/log").await.status, StatusCode::OK);
    bench.clock.advance_millis(16 * 60 * 1_000);
    assert_eq!(browser.get("/log").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    let token = browser.cookies["__Host-lionrock-form"].clone();
    for (origin, token) in [
        ("https://evil.test", token.as_str()),
        ("null", token.as_str()),
        ("https://bank.test", ""),
        ("https://bank.test", "00000000000000000000000000000000"),
    ] {
        let shown = browser.post_from(origin, "/sign-out", &[("form_token", token)]).await;
        assert_eq!(shown.status, StatusCode::FORBIDDEN, "{origin} {token}");
    }
    assert_eq!(browser.get("/log").await.status, StatusCode::OK, "still signed in");
}

#[tokio::test]
async fn a_sealed_installation_says_who_must_come() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("auditor-a", &[Role::Auditor]).await;
    bench.seal();
    let shown = browser.get("/log").await;
    assert_eq!(shown.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(shown.text.contains("lionrock unseal"));
}

#[tokio::test]
async fn our_own_files_are_kept_for_a_year_and_pages_never() {
    let bench = Bench::new();
    let mut browser = bench.browser();
    let page = browser.get("/sign-in").await;
    assert_eq!(page.headers["cache-control"], "no-store");
    let style = page.between("rel=\"stylesheet\" href=\"", "\"");
    let file = browser.get(&style).await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(file.headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(file.headers["x-content-type-options"], "nosniff");
    assert_eq!(browser.get("/assets/../secret").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/nothing").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_opening_installation_asks_to_come_back_and_for_no_passphrase() {
    let bench = Bench::new();
    bench.opening();
    let page = bench.browser().get("/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.headers["retry-after"], "1");
    assert!(page.text.contains("is opening") && !page.text.contains("passphrase"), "{}", page.text);
}

#[tokio::test]
async fn a_new_password_asks_for_the_old_proofs_and_ends_other_sessions() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let account = browser.get("/account").await;
    assert!(account.text.contains("Change your password"));
    let new = "tram kettle violet 9";
    let form = |password: &str, code: &str, again: &str| {
        [("password", password), ("code", code), ("new", new), ("again", again)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let old = browser.cookies["__Host-lionrock-session"].clone();
    for (fields, status, words) in [
        (form(PASSWORD, &browser.next_code(), "another"), 400, "not the same"),
        (form("wrong wrong wrong", &browser.next_code(), new), 403, "nothing was changed"),
        (form(PASSWORD, "000000", new), 403, "nothing was changed"),
    ] {
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let shown = browser.post("/account/password", &fields).await;
        assert_eq!(shown.status.as_u16(), status, "{}", shown.text);
        assert!(shown.text.contains(words) && shown.text.contains("role=\"alert\""));
        bench.clock.advance_millis(60_000);
    }
    assert_eq!(browser.cookies["__Host-lionrock-session"], old);
    let fields = form(PASSWORD, &browser.next_code(), new);
    let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let done = browser.post("/account/password", &fields).await;
    assert_eq!(done.goes_to(), "/account?changed=password", "{}", done.text);
    assert_ne!(browser.cookies["__Host-lionrock-session"], old);
    let told = browser.get("/account?changed=password").await;
    assert!(told.text.contains("other sessions have ended"));
    browser.post("/sign-out", &[]).await;
    let half = browser.post("/sign-in", &[("name", "custodian-a"), ("password", new)]).await;
    assert_eq!(half.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_new_device_is_shown_its_seed_and_proves_that_it_arrived() {
    let bench = Bench::new();
    let mut browser = bench.signed_in("custodian-a", &[Role::KeyCustodian]).await;
    let code = browser.next_code();
    let fields = [("password", PASSWORD), ("code", code.as_str())];
    let shown = browser.post("/account/device", &fields).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    let wrong = browser.post("/account/device/finish", &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.text.contains("Use this device") && !wrong.text.contains("Seed:"));
    browser.has_device(&shown.between("Seed: <code>", "</code>"));
    let code = browser.next_code();
    let done = browser.post("/account/device/finish", &[("code", &code)]).await;
    assert_eq!(done.goes_to(), "/account?changed=device", "{}", done.text);
    assert_eq!(browser.get("/keys").await.status, StatusCode::OK);
}
