//! The whole server: first start, first administrator, keys in use, restart, sealing.

use http::Method;
use kernel::{Clock, Secret, Timestamp};
use lionrock::client::{Client, ClientError, Sent};
use lionrock::clock::SystemClock;
use lionrock::config::Config;
use lionrock::serve::{Extras, ServeError, Server};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder of a test, gone when it ends.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lionrock-it-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn config(&self) -> Config {
        let key = self.0.join("seal.key");
        if !key.exists() {
            lionrock::folder::write_private(&key, &[7; 32]).unwrap();
        }
        let mut config = Config { data: self.0.join("data"), ..Config::default() };
        config.worker = Some(env!("CARGO_BIN_EXE_lionrock").into());
        config.listen = ([127, 0, 0, 1], 0).into();
        config.seal.key_file = Some(key);
        config
    }

    pub(crate) fn client(&self, server: &Server, token: Option<&str>) -> Client {
        self.client_at(server, token, Arc::new(SystemClock))
    }

    pub(crate) fn client_at(
        &self,
        server: &Server,
        token: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Client {
        let authority = self.0.join("data/authority.crt");
        let authority = CertificateDer::from_pem_file(authority).unwrap();
        let address = format!("https://localhost:{}", server.address.port());
        let token = token.map(|token| Secret::new(token.to_owned()));
        Client::new(&address, &authority, token, clock).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) async fn started(scratch: &Scratch) -> Server {
    Server::start(scratch.config(), Arc::new(SystemClock), Extras::default()).await.unwrap()
}

pub(crate) async fn post(client: &Client, path: &str, body: Value) -> Result<Value, ClientError> {
    let path = format!("/api/v1{path}");
    client.ask(Method::POST, &path, Sent::Json(&body)).await.map(|reply| reply.json().unwrap())
}

pub(crate) async fn put(client: &Client, path: &str, body: Value) -> Result<Value, ClientError> {
    let path = format!("/api/v1{path}");
    client.ask(Method::PUT, &path, Sent::Json(&body)).await.map(|reply| reply.json().unwrap())
}

pub(crate) async fn get(client: &Client, path: &str) -> Result<Value, ClientError> {
    let path = format!("/api/v1{path}");
    client.ask(Method::GET, &path, Sent::Nothing).await.map(|reply| reply.json().unwrap())
}

pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}"))
}

pub(crate) fn refused(result: Result<Value, ClientError>) -> (u16, String) {
    match result {
        Err(ClientError::Refused(refused)) => (refused.status, refused.code),
        other => panic!("{other:?}"),
    }
}

/// The code of a seed at a time (RFC 6238).
pub(crate) fn code_at(seed: &str, at: Timestamp) -> String {
    let seed = base32(seed);
    let counter = (at.unix_seconds() / 30).unsigned_abs();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &seed);
    let tag = aws_lc_rs::hmac::sign(&key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[tag.len() - 1] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn base32(text: &str) -> Vec<u8> {
    let mut bits = 0u32;
    let mut held = 0;
    let mut bytes = Vec::new();
    for c in text.bytes().filter(|c| *c != b'=') {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'2'..=b'7' => c - b'2' + 26,
            _ => panic!("{text}"),
        };
        bits = (bits << 5) | u32::from(digit);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).unwrap());
        }
    }
    bytes
}

/// Enrols whoever holds the link; returns the session's token.
pub(crate) async fn enrol(client: &Client, link: &str) -> String {
    let begun = post(client, "/enrolments/begin", json!({ "link": link })).await.unwrap();
    let body = json!({
        "link": link, "password": "correct horse battery", "code": code_at(text(&begun, "seed"), SystemClock.wall()),
    });
    text(&post(client, "/enrolments", body).await.unwrap(), "token").to_owned()
}

pub(crate) fn first_link(scratch: &Scratch) -> String {
    let file = scratch.0.join("data/first-administrator.link");
    let text = std::fs::read_to_string(file).unwrap();
    text.trim().split_once("link=").unwrap().1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_starts_and_uses_a_key() {
    let scratch = Scratch::new("start");
    let server = started(&scratch).await;
    let stranger = scratch.client(&server, None);
    assert_eq!(refused(get(&stranger, "/keys").await), (401, "no-credential".into()));
    let admin = enrol(&stranger, &first_link(&scratch)).await;
    let admin = scratch.client(&server, Some(&admin));
    let me = get(&admin, "/whoami").await.unwrap();
    assert_eq!(text(&me, "name"), "First administrator");

    // The link is used up.
    let link = json!({ "link": first_link(&scratch) });
    assert_eq!(refused(post(&stranger, "/enrolments/begin", link).await).1, "link-refused");

    let domain = post(&admin, "/domains", json!({ "name": "retail" })).await.unwrap();
    let service = post(&admin, "/services", json!({ "name": "core-banking" })).await.unwrap();
    let custodian = json!({ "sign_in_name": "custodian-a", "name": "密碼匙保管人甲" });
    let custodian = post(&admin, "/people", custodian).await.unwrap();
    let (domain, service) = (text(&domain, "id"), text(&service, "id"));
    let person = text(&custodian, "person");
    for (holder, role) in [(service, "application"), (person, "key-custodian")] {
        let body = json!({ "role": role, "domain": domain });
        put(&admin, &format!("/identities/{holder}/roles"), body).await.unwrap();
    }
    let custodian = enrol(&stranger, text(&custodian, "link")).await;
    let custodian = scratch.client(&server, Some(&custodian));
    let body = json!({ "domain": domain, "name": "ledger", "algorithm": "aes-256-gcm" });
    let key = post(&custodian, "/keys", body).await.unwrap();
    let key = text(&key, "id");

    // Whoever manages users cannot use keys, and whoever keeps keys does not use them.
    let body = json!({ "plaintext": "aGVsbG8=" });
    let path = format!("/keys/{key}/encrypt");
    assert_eq!(refused(post(&admin, &path, body.clone()).await).0, 403);
    assert_eq!(refused(post(&custodian, &path, body).await).0, 403);

    let log = get(&admin, "/log/events?decision=refused&limit=5").await;
    let log = log.unwrap_or_else(|cause| panic!("{cause}"));
    assert!(log["items"].as_array().unwrap().iter().any(|e| e["action"] == "key.encrypt"), "{log}");
    let beyond = get(&admin, "/log/consistency?from=0&to=1000000").await;
    assert_eq!(refused(beyond), (400, "invalid-parameter".into()), "no proof of what is to come");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_one_folder_is_refused() {
    let scratch = Scratch::new("second");
    let first = started(&scratch).await;
    let second = Server::start(scratch.config(), Arc::new(SystemClock), Extras::default()).await;
    assert!(matches!(second, Err(ServeError::Start(_))), "{second:?}");
    first.stop().await;
    started(&scratch).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_file_opens_nothing() {
    let scratch = Scratch::new("wrong-key");
    started(&scratch).await.stop().await;
    lionrock::folder::write_private(Path::new(&scratch.0.join("seal.key")), &[8; 32]).unwrap();
    let wrong = Server::start(scratch.config(), Arc::new(SystemClock), Extras::default()).await;
    assert!(matches!(wrong, Err(ServeError::Start(_))), "{wrong:?}");
    let mut config = scratch.config();
    config.seal.key_file = None;
    let sealed = Server::start(config, Arc::new(SystemClock), Extras::default()).await.unwrap();
    let client = scratch.client(&sealed, None);
    let status = get(&client, "/sys/seal-status").await.unwrap();
    assert_eq!(status, json!({ "sealed": true, "needs": "key-file" }));
    assert_eq!(refused(get(&client, "/keys").await), (503, "sealed".into()));
    sealed.stop().await;
}
