//! The story that a bank is shown: roles kept apart, a key used and stopped by two, a report that
//! verifies offline.

use crate::whole::{Scratch, code_at, first_link, get, post, put, refused, text};
use clap::Parser;
use http::Method;
use kernel::{Clock, HeldClock, Timestamp};
use lionrock::cli::{Cli, Command};
use lionrock::client::{Client, Sent};
use lionrock::exit::Exit;
use lionrock::serve::{Extras, Server};
use serde_json::{Value, json};
use std::sync::Arc;

const PASSWORD: &str = "correct horse battery";

struct House {
    scratch: Scratch,
    server: Server,
    clock: Arc<HeldClock>,
}

/// Somebody with an account.
struct Someone {
    client: Client,
    seed: String,
    name: &'static str,
}

impl House {
    async fn new() -> Self {
        let scratch = Scratch::new("story");
        let now = Timestamp::parse_rfc3339("2026-11-21T01:00:00Z").unwrap();
        let clock = Arc::new(HeldClock::at(now));
        let server =
            Server::start(scratch.config(), clock.clone(), Extras::default()).await.unwrap();
        Self { scratch, server, clock }
    }

    fn client(&self, token: Option<&str>) -> Client {
        self.scratch.client_at(&self.server, token, self.clock.clone())
    }

    async fn enrol(&self, name: &'static str, link: &str) -> Someone {
        let stranger = self.client(None);
        let begun = post(&stranger, "/enrolments/begin", json!({ "link": link })).await.unwrap();
        let seed = text(&begun, "seed").to_owned();
        let code = code_at(&seed, self.clock.wall());
        let body = json!({ "link": link, "password": PASSWORD, "code": code });
        let session = post(&stranger, "/enrolments", body).await.unwrap();
        Someone { client: self.client(Some(text(&session, "token"))), seed, name }
    }

    async fn hire(
        &self,
        admin: &Someone,
        name: &'static str,
        role: &str,
        domain: Option<&str>,
    ) -> (Someone, String) {
        let new = json!({ "sign_in_name": name, "name": name });
        let invited = post(&admin.client, "/people", new).await.unwrap();
        let id = text(&invited, "person").to_owned();
        let mut gift = json!({ "role": role });
        if let Some(domain) = domain {
            gift["domain"] = domain.into();
        }
        put(&admin.client, &format!("/identities/{id}/roles"), gift).await.unwrap();
        (self.enrol(name, text(&invited, "link")).await, id)
    }

    async fn sign_in(&self, someone: &Someone) -> Someone {
        let code = code_at(&someone.seed, self.clock.wall());
        let body = json!({ "name": someone.name, "password": PASSWORD, "code": code });
        let session = post(&self.client(None), "/sessions", body).await.unwrap();
        let client = self.client(Some(text(&session, "token")));
        Someone { client, seed: someone.seed.clone(), name: someone.name }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_used_stopped_by_two_and_proven_in_a_report() {
    let house = House::new().await;
    let admin = house.enrol("administrator", &first_link(&house.scratch)).await;
    let domain = post(&admin.client, "/domains", json!({ "name": "retail" })).await.unwrap();
    let domain = text(&domain, "id").to_owned();
    let retail = Some(domain.as_str());
    let (custodian, _) = house.hire(&admin, "custodian", "key-custodian", retail).await;
    let (officer, _) = house.hire(&admin, "officer", "crypto-officer", retail).await;
    let (engineer, owner) = house.hire(&admin, "engineer", "platform-engineer", retail).await;
    let (risk, _) = house.hire(&admin, "risk", "risk-officer", None).await;
    let (auditor, _) = house.hire(&admin, "auditor", "auditor", None).await;
    let (second, _) = house.hire(&admin, "second", "risk-officer", None).await;
    let service = json!({ "name": "core-banking", "owner": owner });
    let service = post(&admin.client, "/services", service).await.unwrap();
    let service = text(&service, "id").to_owned();
    let role = json!({ "role": "application", "domain": domain });
    put(&admin.client, &format!("/identities/{service}/roles"), role).await.unwrap();
    let token = json!({
        "holder": service, "name": "batch", "ends": "2026-12-01T00:00:00Z",
        "actions": ["key.encrypt", "key.decrypt"],
    });
    let token = post(&engineer.client, "/tokens", token).await.unwrap();
    let workload = house.client(Some(text(&token, "token")));

    let key = json!({ "domain": domain, "name": "ledger", "algorithm": "aes-256-gcm" });
    let key = post(&custodian.client, "/keys", key).await.unwrap();
    let key = text(&key, "id").to_owned();
    let encrypt = format!("/keys/{key}/encrypt");
    let made = post(&workload, &encrypt, json!({ "plaintext": "aGVsbG8=" })).await.unwrap();
    let opened = json!({ "ciphertext": text(&made, "ciphertext") });
    let opened = post(&workload, &format!("/keys/{key}/decrypt"), opened).await.unwrap();
    assert_eq!(text(&opened, "plaintext"), "aGVsbG8=");
    let beyond = post(&workload, &format!("/keys/{key}/mac"), json!({ "message": "aGk=" })).await;
    assert_eq!(refused(beyond), (403, "token-scope".into()));

    // A new approver counts after a day; sessions have ended by then.
    house.clock.advance_millis(25 * 3_600_000);
    let (custodian, officer) = (house.sign_in(&custodian).await, house.sign_in(&officer).await);
    let suspend = format!("/keys/{key}/suspend");
    let body = json!({ "reason": "drill", "stops": ["core-banking"] });
    let alone = post(&custodian.client, &suspend, body.clone()).await;
    assert_eq!(refused(alone), (403, "approval-needed".into()));
    let asked =
        json!({ "act": { "suspend-key": { "key": key, "body": body } }, "reason": "drill" });
    let asked = post(&custodian.client, "/approvals", asked).await.unwrap();
    let approve = format!("/api/v1/approvals/{}/approve", text(&asked, "id"));
    officer.client.ask(Method::POST, &approve, Sent::Nothing).await.unwrap();
    let other = json!({ "reason": "another reason", "stops": ["core-banking"] });
    assert_eq!(refused(post(&custodian.client, &suspend, other).await).1, "approval-needed");
    let stopped = post(&custodian.client, &suspend, body).await.unwrap();
    assert_eq!(stopped["keys"], json!([key]));
    let refusal = post(&workload, &encrypt, json!({ "plaintext": "aGVsbG8=" })).await;
    assert_eq!(refused(refusal), (409, "key-suspended".into()));

    let (risk, auditor) = (house.sign_in(&risk).await, house.sign_in(&auditor).await);
    let second = house.sign_in(&second).await;
    let run = risk.client.ask(Method::POST, "/api/v1/runs", Sent::Nothing).await.unwrap();
    assert!(!run.json().unwrap()["results"].as_array().unwrap().is_empty());
    let requirements: Value = get(&auditor.client, "/requirements").await.unwrap();
    assert!(requirements["items"].as_array().unwrap().len() > 100);
    let report = post(&risk.client, "/reports", json!({})).await.unwrap();
    let path = format!("/api/v1/reports/{}", text(&report, "id"));
    let pack = auditor.client.ask(Method::GET, &path, Sent::Nothing).await.unwrap();
    assert_eq!(pack.media, "application/zip");
    let vkey = auditor.client.ask(Method::GET, "/api/v1/log/key", Sent::Nothing).await.unwrap();

    let file = house.scratch.0.join("pack.zip");
    let vkey = String::from_utf8(vkey.body.to_vec()).unwrap();
    let verify = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let file = file.to_str().unwrap();
        let said = ["lionrock", "verify", file, "--origin-key", vkey.trim()];
        let Command::Verify(args) = Cli::parse_from(said).command else { panic!("{said:?}") };
        lionrock::verify::run(true, &args)
    };
    assert_eq!(verify(&pack.body), Exit::Done);
    let mut altered = pack.body.to_vec();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    assert_eq!(verify(&altered), Exit::NotVerified);

    // Reviewed and approved by two others, over the pack's hash; then one file proves all three.
    let hash = documents::hex(&audit::Hash::of(&pack.body).0);
    let sign = async |who: &Someone, step: &str, pack: &str| {
        let path = format!("/reports/{}/signatures", text(&report, "id"));
        post(&who.client, &path, json!({ "step": step, "pack": pack })).await
    };
    assert_eq!(refused(sign(&risk, "review", &hash).await), (403, "forbidden".into()));
    assert_eq!(refused(sign(&officer, "review", &hash).await).0, 403);
    assert_eq!(refused(sign(&auditor, "approve", &hash).await), (409, "not-reviewed".into()));
    let other = refused(sign(&auditor, "review", &"0".repeat(64)).await);
    assert_eq!(other, (409, "other-pack".into()));
    let reviewed = sign(&auditor, "review", &hash).await.unwrap();
    assert_eq!(text(&reviewed, "state"), "reviewed");
    assert_eq!(refused(sign(&auditor, "approve", &hash).await), (403, "forbidden".into()));
    let approved = sign(&second, "approve", &hash).await.unwrap();
    assert_eq!(approved["signatures"][1]["name"], "second");
    assert_eq!(refused(sign(&auditor, "return", &hash).await).0, 403);
    let last = auditor.client.ask(Method::GET, &path, Sent::Nothing).await.unwrap();
    assert_eq!(verify(&last.body), Exit::Done);
    let key = comply::pack::read_key(&vkey).unwrap();
    let trust = audit::verify::Trust { origin: Some(&key), witnesses: &[] };
    let verdict = comply::pack::verify(&last.body, &trust, None);
    let shown = verdict.to_string();
    for words in ["prepared by risk", "reviewed by auditor, Auditor", "approved by second"] {
        assert!(shown.contains(words), "{shown}");
    }
    house.server.stop().await;
}
