//! The clock of a whole server is moved: what waits goes on waiting, and what ends, ends.

use crate::whole::{Scratch, code_at, first_link, get, post, put, refused, text};
use http::Method;
use kernel::{Clock, HeldClock};
use lionrock::client::{Client, ClientError, Sent};
use lionrock::clock::SystemClock;
use lionrock::serve::{Extras, Server};
use serde_json::{Value, json};
use std::sync::Arc;

const PASSWORD: &str = "correct horse battery";
const DAY: i64 = 86_400;

/// A server with all its doors, on a clock of the test.
struct Bank {
    scratch: Scratch,
    clock: Arc<HeldClock>,
    server: Option<Server>,
}

/// A request without a body.
async fn bare(client: &Client, path: &str) -> Result<Value, ClientError> {
    let path = format!("/api/v1{path}");
    let reply = client.ask(Method::POST, &path, Sent::Nothing).await?;
    Ok(reply.json().unwrap_or_default())
}

/// Somebody with a device of one-time codes.
struct Person {
    id: String,
    name: &'static str,
    seed: String,
    token: String,
}

impl Bank {
    async fn open(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let clock = Arc::new(HeldClock::at(SystemClock.wall()));
        let mut bank = Self { scratch, clock, server: None };
        bank.start().await;
        bank
    }

    async fn start(&mut self) {
        let (config, extras) = (self.scratch.config(), Extras::default());
        let started = Server::start(config, self.clock.clone(), extras).await;
        self.server = Some(started.unwrap());
    }

    async fn restart(&mut self) {
        self.server.take().unwrap().stop().await;
        self.start().await;
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn stranger(&self) -> Client {
        self.scratch.client_at(self.server(), None, self.clock.clone())
    }

    fn client(&self, token: &str) -> Client {
        self.scratch.client_at(self.server(), Some(token), self.clock.clone())
    }

    /// What the schedule does each minute, now.
    async fn minute(&self) {
        self.server().installation.opened().unwrap().do_what_is_due().await;
    }

    /// Lets both hands move on, an hour at a time, as a running server sees them.
    async fn pass(&self, hours: u32) {
        for _ in 0..hours {
            self.clock.advance_millis(3_600_000);
            self.minute().await;
        }
    }

    fn code(&self, seed: &str) -> String {
        code_at(seed, self.clock.wall())
    }

    async fn enrol(&self, link: &str, name: &'static str) -> Person {
        let begun = post(&self.stranger(), "/enrolments/begin", json!({ "link": link })).await;
        let begun = begun.unwrap();
        let seed = text(&begun, "seed").to_owned();
        let body = json!({ "link": link, "password": PASSWORD, "code": self.code(&seed) });
        let done = post(&self.stranger(), "/enrolments", body).await.unwrap();
        let token = text(&done, "token").to_owned();
        let me = get(&self.client(&token), "/whoami").await.unwrap();
        Person { id: text(&me, "principal").to_owned(), name, seed, token }
    }

    async fn sign_in(&self, person: &mut Person) {
        let code = self.code(&person.seed);
        let body = json!({ "name": person.name, "password": PASSWORD, "code": code });
        let done = post(&self.stranger(), "/sessions", body).await;
        let done = done.unwrap_or_else(|cause| panic!("{}: {cause}", person.name));
        person.token = text(&done, "token").to_owned();
    }

    async fn invited(&self, by: &Person, name: &str) -> Value {
        let body = json!({ "sign_in_name": name, "name": name });
        post(&self.client(&by.token), "/people", body).await.unwrap()
    }

    async fn hire(&self, by: &Person, name: &'static str, role: &str) -> Person {
        let invited = self.invited(by, name).await;
        let roles = format!("/identities/{}/roles", text(&invited, "person"));
        put(&self.client(&by.token), &roles, json!({ "role": role })).await.unwrap();
        self.enrol(text(&invited, "link"), name).await
    }

    async fn founded(&self) -> Person {
        self.enrol(&first_link(&self.scratch), "administrator").await
    }

    /// A key of a custodian, in a key domain whose keys wait a week for their destruction.
    async fn key(&self, admin: &Person, custodian: &Person) -> String {
        let domain = json!({ "name": "retail", "waiting_period_seconds": 7 * DAY });
        let domain = post(&self.client(&admin.token), "/domains", domain).await.unwrap();
        let key = json!({
            "domain": text(&domain, "id"), "name": "ledger", "algorithm": "aes-256-gcm",
        });
        let key = post(&self.client(&custodian.token), "/keys", key).await.unwrap();
        text(&key, "id").to_owned()
    }

    /// Asks for the destruction and has it approved by two.
    async fn approved(&self, custodian: &Person, officers: [&Person; 2], key: &str) {
        let act = json!({ "destroy-key": { "key": key, "body": { "reason": "end of life" } } });
        let body = json!({ "act": act, "reason": "end of life" });
        let asked = post(&self.client(&custodian.token), "/approvals", body).await.unwrap();
        for officer in officers {
            let path = format!("/approvals/{}/approve", text(&asked, "id"));
            bare(&self.client(&officer.token), &path).await.unwrap();
        }
    }

    async fn destroy(&self, by: &Person, key: &str) -> Result<Value, ClientError> {
        let path = format!("/keys/{key}/destroy");
        post(&self.client(&by.token), &path, json!({ "reason": "end of life" })).await
    }

    async fn state(&self, who: &Person, key: &str) -> String {
        let key = get(&self.client(&who.token), &format!("/keys/{key}")).await.unwrap();
        text(&key, "state").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_jumped_a_year_ahead_destroys_nothing_until_it_is_confirmed_and_served() {
    let mut bank = Bank::open("clock-ahead").await;
    let admin = bank.founded().await;
    let mut custodian = bank.hire(&admin, "custodian", "key-custodian").await;
    let officers = [
        bank.hire(&admin, "officer", "crypto-officer").await,
        bank.hire(&admin, "second", "crypto-officer").await,
    ];
    let mut operator = bank.hire(&admin, "operator", "security-operations").await;
    let key = bank.key(&admin, &custodian).await;
    bank.approved(&custodian, [&officers[0], &officers[1]], &key).await;
    bank.destroy(&custodian, &key).await.unwrap();
    bank.minute().await;
    let believed = get(&bank.client(&operator.token), "/sys/clock").await.unwrap();
    assert_eq!(believed["believed"], true);

    bank.clock.jump_wall_seconds(365 * DAY);
    bank.minute().await;
    bank.sign_in(&mut custodian).await;
    bank.sign_in(&mut operator).await;
    assert_ne!(bank.state(&custodian, &key).await, "destroyed", "its date has long passed");
    let parted = get(&bank.client(&operator.token), "/sys/clock").await.unwrap();
    assert_eq!(parted["believed"], false);
    assert!(parted["parted"].is_string(), "{parted}");
    bank.pass(8 * 24).await;
    bank.sign_in(&mut custodian).await;
    let state = bank.state(&custodian, &key).await;
    assert_ne!(state, "destroyed", "served for longer than its period, the clock unconfirmed");

    // A start anew forgets none of it.
    bank.restart().await;
    bank.minute().await;
    bank.sign_in(&mut operator).await;
    let parted = get(&bank.client(&operator.token), "/sys/clock").await.unwrap();
    assert_eq!(parted["believed"], false);
    assert_ne!(bank.state(&custodian, &key).await, "destroyed");
    let confirm = "/sys/clock/confirm";
    assert_eq!(refused(bare(&bank.client(&custodian.token), confirm).await).0, 403);
    bare(&bank.client(&operator.token), confirm).await.unwrap();
    let believed = get(&bank.client(&operator.token), "/sys/clock").await.unwrap();
    assert_eq!(believed["believed"], true);
    bank.minute().await;
    assert_eq!(bank.state(&operator, &key).await, "destroyed");

    // The clock is put right: the certificate of the listener that was issued under the wrong one
    // counts for nobody, and is made anew.
    bank.clock.jump_wall_seconds(-365 * DAY);
    bank.restart().await;
    let sealed = get(&bank.stranger(), "/sys/seal-status").await.unwrap();
    assert_eq!(sealed["sealed"], false);
    bank.server.take().unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_a_day_prolongs_no_session_token_link_or_approval() {
    let mut bank = Bank::open("clock-behind").await;
    let admin = bank.founded().await;
    let mut custodian = bank.hire(&admin, "custodian", "key-custodian").await;
    let officers = [
        bank.hire(&admin, "officer", "crypto-officer").await,
        bank.hire(&admin, "second", "crypto-officer").await,
    ];
    let examiner = bank.invited(&admin, "examiner").await;
    let roles = format!("/identities/{}/roles", text(&examiner, "person"));
    let until = bank.clock.wall().plus_seconds(23 * 3_600).rfc3339();
    let role = json!({ "role": "examiner", "until": until });
    put(&bank.client(&admin.token), &roles, role).await.unwrap();
    let mut examiner = bank.enrol(text(&examiner, "link"), "examiner").await;
    assert!(get(&bank.client(&examiner.token), "/log/events").await.is_ok());
    let link = text(&bank.invited(&admin, "late").await, "link").to_owned();
    let key = bank.key(&admin, &custodian).await;
    bank.approved(&custodian, [&officers[0], &officers[1]], &key).await;
    let ends = bank.clock.wall().plus_seconds(3_600).rfc3339();
    let body = json!({ "holder": custodian.id, "name": "script", "ends": ends });
    let made = post(&bank.client(&custodian.token), "/tokens", body).await.unwrap();
    let token = text(&made, "token").to_owned();
    assert_eq!(get(&bank.client(&token), "/keys").await.unwrap()["items"][0]["name"], "ledger");
    assert!(get(&bank.client(&custodian.token), "/whoami").await.is_ok());

    bank.clock.jump_wall_seconds(-DAY);
    assert!(get(&bank.client(&custodian.token), "/whoami").await.is_ok(), "nothing has passed");
    bank.clock.advance_millis(16 * 60 * 1_000);
    let idle = get(&bank.client(&custodian.token), "/whoami").await;
    assert_eq!(refused(idle), (401, "session-over".into()), "a quarter of an hour has passed");
    bank.clock.advance_millis(45 * 60 * 1_000);
    let over = refused(get(&bank.client(&token), "/keys").await);
    assert_eq!(over, (401, "token-refused".into()), "an hour has passed");

    // What has ended by now is not revived by setting the clock back to before its end.
    bank.clock.jump_wall_seconds(DAY);
    bank.clock.advance_millis(24 * 3_600 * 1_000);
    bank.clock.jump_wall_seconds(-DAY);
    let begun = post(&bank.stranger(), "/enrolments/begin", json!({ "link": link })).await;
    assert_eq!(refused(begun), (401, "link-refused".into()));
    for again in [false, true] {
        if again {
            // Nor by a start under that clock.
            bank.minute().await;
            bank.restart().await;
            bank.clock.advance_millis(60_000);
        }
        assert_eq!(refused(get(&bank.client(&token), "/keys").await).1, "token-refused");
        let begun = post(&bank.stranger(), "/enrolments/begin", json!({ "link": link })).await;
        assert_eq!(refused(begun).1, "link-refused");
        bank.sign_in(&mut examiner).await;
        let ended = refused(get(&bank.client(&examiner.token), "/log/events").await);
        assert_eq!(ended.0, 403, "the examiner's time has passed");
        bank.sign_in(&mut custodian).await;
        let lapsed = refused(bank.destroy(&custodian, &key).await);
        assert_eq!(lapsed, (403, "approval-needed".into()), "the approval has lapsed");
    }
    bank.server.take().unwrap().stop().await;
}
