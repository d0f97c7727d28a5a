//! The command line as a process: what people and scripts type, against a running server.

use crate::whole::{Scratch, code_at, first_link};
use kernel::{Clock, HeldClock};
use lionrock::clock::SystemClock;
use lionrock::serve::{Extras, Server};
use serde_json::Value;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

const PASSWORD: &str = "correct horse battery";

/// A server whose clock is the test's, and what its clients need.
pub(crate) struct House {
    pub(crate) scratch: Scratch,
    pub(crate) server: Server,
    pub(crate) clock: Arc<HeldClock>,
}

/// Somebody at a terminal with a home folder.
pub(crate) struct Seat<'h> {
    pub(crate) house: &'h House,
    pub(crate) home: PathBuf,
}

impl House {
    pub(crate) async fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        // The client's clock is the machine's: the server's stays within its certificate.
        let clock = Arc::new(HeldClock::at(SystemClock.wall().plus_days(-2)));
        let extras = Extras::default();
        let server = Server::start(scratch.config(), clock.clone(), extras).await.unwrap();
        Self { scratch, server, clock }
    }

    pub(crate) fn seat(&self, name: &str) -> Seat<'_> {
        let home = self.scratch.0.join(name);
        std::fs::create_dir_all(&home).unwrap();
        Seat { house: self, home }
    }
}

impl Seat<'_> {
    fn settle(&self, command: &mut Command) {
        let address = format!("https://localhost:{}", self.house.server.address.port());
        command.env("HOME", &self.home).env_remove("XDG_CONFIG_HOME");
        command.env("LIONROCK_ADDRESS", address).env_remove("LIONROCK_TOKEN_FILE");
        command.env("LIONROCK_AUTHORITY", self.house.scratch.0.join("data/authority.crt"));
    }

    pub(crate) fn types(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lionrock"));
        self.settle(&mut command);
        tokio::task::block_in_place(|| command.args(words).output().unwrap())
    }

    /// What the API said to a verb that went well.
    pub(crate) fn told(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let output = self.types(&words);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {errors}");
        if output.stdout.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&output.stdout).unwrap()
        }
    }

    /// The exit code and the reason of a verb that was refused.
    pub(crate) fn refused(&self, words: &[&str]) -> (i32, String) {
        let output = self.types(words);
        let reason = String::from_utf8(output.stderr).unwrap();
        assert_ne!(output.status.code(), Some(0), "{words:?}");
        assert!(output.stdout.is_empty(), "{words:?}");
        (output.status.code().unwrap(), reason)
    }

    /// Types a verb that asks on the terminal: each answer follows its question.
    pub(crate) fn converses(
        &self,
        words: &str,
        mut answer: impl FnMut(&str) -> Option<String>,
    ) -> String {
        let line = format!("{} {words}", env!("CARGO_BIN_EXE_lionrock"));
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]);
        self.settle(&mut command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        tokio::task::block_in_place(|| {
            let (mut input, mut output) =
                (child.stdin.take().unwrap(), child.stdout.take().unwrap());
            let (mut said, mut answered) = (String::new(), 0);
            let mut byte = [0];
            while output.read(&mut byte).unwrap() == 1 {
                said.push(char::from(byte[0]));
                let asked = said.get(answered..).filter(|asked| asked.ends_with(": "));
                if let Some(text) = asked.and_then(&mut answer) {
                    answered = said.len();
                    input.write_all(format!("{text}\n").as_bytes()).unwrap();
                }
            }
            assert!(child.wait().unwrap().success(), "{said}");
            said
        })
    }

    /// Enrols with a link at the terminal; gives the seed of codes.
    pub(crate) fn enrols(&self, link: &str) -> String {
        let file = self.home.join("link");
        std::fs::write(&file, link).unwrap();
        let mut seed = String::new();
        let said = self.converses(&format!("enrol --link-file {}", file.display()), |asked| {
            let shown = asked.split_once("seed of one-time codes: ");
            if let Some((found, _)) = shown.and_then(|(_, rest)| rest.split_once('\r')) {
                seed = found.to_owned();
            }
            let asks = |question| asked.ends_with(question);
            if asks("New password: ") || asks("The same again: ") {
                return Some(PASSWORD.to_owned());
            }
            asks("One-time code: ").then(|| code_at(&seed, self.house.clock.wall()))
        });
        assert!(said.contains("signed in until"), "{said}");
        seed
    }

    pub(crate) fn signs_in(&self, name: &str, seed: &str) {
        self.converses(&format!("login --name {name}"), |asked| {
            if asked.ends_with("Password: ") {
                return Some(PASSWORD.to_owned());
            }
            asked.ends_with("One-time code: ").then(|| code_at(seed, self.house.clock.wall()))
        });
    }
}

pub(crate) fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_is_staffed_and_a_key_is_stopped_from_the_command_line() {
    let house = House::new("commanding").await;
    let admin = house.seat("administrator");
    admin.enrols(&first_link(&house.scratch));
    let domain = admin.told(&["domains", "create", "--name", "retail"]);
    let domain = field(&domain, "id");
    let hire = |name: &str, role: &str| {
        let seat = house.seat(name);
        let link = seat.home.join("invitation");
        let said = admin.told(&[
            "people",
            "invite",
            "--sign-in-name",
            name,
            "--name",
            name,
            "--out",
            link.to_str().unwrap(),
        ]);
        assert!(said.get("link").is_none(), "{said}");
        let person = field(&said, "person").to_owned();
        admin.told(&["roles", "grant", &person, "--role", role, "--domain", domain]);
        let seed = seat.enrols(&std::fs::read_to_string(link).unwrap());
        (seat, person, seed)
    };
    let (custodian, custodian_id, custodian_seed) = hire("custodian", "key-custodian");
    let (officer, _, officer_seed) = hire("officer", "crypto-officer");
    let (second, _, second_seed) = hire("second", "crypto-officer");
    let (engineer, engineer_id, _) = hire("engineer", "platform-engineer");
    let roles = admin.types(&["roles", "list", &custodian_id]);
    let roles = String::from_utf8(roles.stdout).unwrap();
    assert!(roles.starts_with("ROLE") && roles.contains("key-custodian"), "{roles}");

    let service = admin.told(&["services", "create", "--name", "core", "--owner", &engineer_id]);
    let service = field(&service, "id");
    admin.told(&["roles", "grant", service, "--role", "application", "--domain", domain]);
    let token_file = house.scratch.0.join("token");
    let token_path = token_file.to_str().unwrap();
    let token = engineer.told(&[
        "tokens",
        "create",
        "--name",
        "batch",
        "--holder",
        service,
        "--action",
        "key.encrypt",
        "--days",
        "30",
        "--out",
        token_path,
    ]);
    assert!(token.get("token").is_none(), "{token}");

    let key = custodian.told(&[
        "keys",
        "create",
        "--domain",
        domain,
        "--name",
        "ledger",
        "--algorithm",
        "aes-256-gcm",
    ]);
    let key = field(&key, "id");
    let plain = house.scratch.0.join("plain");
    std::fs::write(&plain, "hello").unwrap();
    let encrypt =
        ["keys", "encrypt", key, "--in", plain.to_str().unwrap(), "--token-file", token_path];
    assert_eq!(engineer.types(&encrypt).status.code(), Some(0));

    // A new approver counts after a day; sessions have ended by then.
    house.clock.advance_millis(25 * 3_600_000);
    assert_eq!(custodian.refused(&["keys", "list"]).0, 4);
    custodian.signs_in("custodian", &custodian_seed);
    officer.signs_in("officer", &officer_seed);
    second.signs_in("second", &second_seed);
    let suspend = ["keys", "suspend", key, "--reason", "drill", "--stops", "core"];
    let (code, reason) = custodian.refused(&suspend);
    assert_eq!(code, 4);
    assert!(reason.contains("approval-needed"), "{reason}");
    let ask = ["approvals", "ask", "suspend-key", key, "--reason", "drill", "--stops", "core"];
    let asked = custodian.told(&ask);
    let asked = field(&asked, "id");
    assert_eq!(custodian.refused(&["approvals", "approve", asked]).0, 4);
    let shown = officer.told(&["approvals", "show", asked]);
    assert_eq!((field(&shown, "action"), field(&shown, "state")), ("key.suspend", "requested"));
    assert_eq!(field(&officer.told(&["approvals", "approve", asked]), "state"), "approved");
    assert_eq!(custodian.told(&suspend)["stops"], serde_json::json!(["core"]));
    assert_eq!(engineer.types(&encrypt).status.code(), Some(6));

    let ask = ["approvals", "ask", "destroy-key", key, "--reason", "over"];
    let asked = custodian.told(&ask);
    for approver in [&officer, &second] {
        assert_eq!(custodian.refused(&["keys", "destroy", key, "--reason", "over"]).0, 4);
        approver.told(&["approvals", "approve", field(&asked, "id")]);
    }
    let gone = custodian.told(&["keys", "destroy", key, "--reason", "over"]);
    assert_eq!(field(&gone, "destruction"), "scheduled");
    let back = custodian.told(&["keys", "recover", key, "--reason", "a mistake"]);
    assert_eq!(field(&back, "id"), key);
    let leaked = custodian.told(&[
        "keys",
        "create",
        "--domain",
        domain,
        "--name",
        "old",
        "--algorithm",
        "aes-256-gcm",
    ]);
    let leaked = field(&leaked, "id");
    let leaked = custodian.told(&["keys", "compromise", leaked, "--reason", "a leak"]);
    assert_eq!(field(&leaked, "state"), "compromised", "{leaked}");
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_is_taken_on_the_command_line_has_ended() {
    let house = House::new("taking").await;
    let admin = house.seat("administrator");
    admin.enrols(&first_link(&house.scratch));
    let invited =
        admin.told(&["people", "invite", "--sign-in-name", "auditor", "--name", "Auditor"]);
    let person = field(&invited, "person");
    admin.told(&["roles", "grant", person, "--role", "auditor"]);
    let auditor = house.seat("auditor");
    let link = field(&invited, "link");
    auditor.enrols(link);
    auditor.told(&["people", "list"]);
    let token = house.scratch.0.join("token");
    let token = token.to_str().unwrap();
    let made = auditor.told(&["tokens", "create", "--name", "reading", "--out", token]);
    let with = ["people", "list", "--token-file", token];
    assert_eq!(auditor.types(&with).status.code(), Some(0));
    auditor.told(&["tokens", "revoke", field(&made, "id")]);
    assert_eq!(auditor.refused(&with).0, 4);

    admin.told(&["roles", "revoke", person, "--role", "auditor"]);
    assert_eq!(auditor.refused(&["people", "list"]).0, 4);
    admin.told(&["people", "lock", person, "--reason", "has left"]);
    assert_eq!(admin.told(&["people", "show", person])["locked"], true);
    assert_eq!(auditor.refused(&["tokens", "list"]).0, 4);
    admin.told(&["people", "unlock", person]);
    let again = admin.told(&["people", "reset-factors", person]);
    assert_ne!(field(&again, "link"), link);

    // What the server does not know and what the command line does not know are told apart.
    let (code, reason) = admin.refused(&["people", "show", "per_00000000000000000000000000"]);
    assert_eq!(code, 5, "{reason}");
    let (code, reason) = admin.refused(&["roles", "grant", person, "--role", "emperor"]);
    assert_eq!(code, 2);
    assert!(reason.contains("[possible values: key-custodian,"), "{reason}");
    assert_eq!(admin.refused(&["people", "invite", "--sign-in-name", "x y", "--name", "X"]).0, 1);
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_bound_to_the_key_of_its_certificate() {
    let house = House::new("binding").await;
    let admin = house.seat("administrator");
    admin.enrols(&first_link(&house.scratch));
    let service = admin.told(&["services", "create", "--name", "core"]);
    let service = field(&service, "id");
    let authority = house.scratch.0.join("data/authority.crt");
    let bind = [
        "services",
        "bind-certificate",
        service,
        "--certificate",
        authority.to_str().unwrap(),
        "--name",
        "node-1",
    ];
    admin.told(&bind);
    let shown = admin.told(&["services", "show", service]);
    let key = shown["certificates"][0].as_str().unwrap();
    assert_eq!(key.len(), 64);
    admin.told(&["services", "unbind-certificate", service, "--key", key]);
    assert_eq!(admin.told(&["services", "show", service])["certificates"], serde_json::json!([]));
    house.server.stop().await;
}
