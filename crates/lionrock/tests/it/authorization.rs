//! Every endpoint of the table, asked by a stranger and by somebody without rights.

use crate::whole::{Scratch, enrol, first_link, post, started};
use http::Method;
use lionrock::client::{Client, ClientError, Sent};
use rest::{Endpoint, Needs};
use serde_json::{Value, json};

/// A valid request to an endpoint: what follows the path, and the body.
fn sample(endpoint: &Endpoint) -> Option<(&'static str, Option<Value>)> {
    let bytes = json!({ "message": "aGk=" });
    let reason = json!({ "reason": "because" });
    let key = "key_00000000000000000000000000";
    let domain = "dom_00000000000000000000000001";
    let body = match (endpoint.method.as_str(), endpoint.path) {
        ("GET", "/log/consistency") => return Some(("?from=0", None)),
        ("POST", "/assets/import") => return Some(("?name=list", Some(json!({})))),
        ("GET" | "DELETE", _) => None,
        ("POST", "/sys/seal" | "/sys/clock/confirm" | "/runs") => None,
        (
            "POST",
            "/data/sources/{source}/scans"
            | "/data/sources/{source}/cancel"
            | "/data/findings/{finding}/take-back",
        ) => None,
        ("POST", "/data/sources") => Some(json!({
            "name": "x", "setting": { "kind": "folder", "path": "/srv/x" },
        })),
        ("POST", "/data/detectors") => Some(json!({
            "name": "x", "rule": { "pattern": "LR-[0-9]{6}" }, "class": "internal",
        })),
        ("PATCH", "/data/sources/{source}") => Some(json!({ "owner": "Retail" })),
        ("POST", "/data/profiles") => Some(json!({ "profile": "name: x", "reason": "because" })),
        ("POST", "/data/profiles/try") => Some(json!({ "profile": "name: x" })),
        ("POST", "/data/profiles/{profile}/in-force") => {
            Some(json!({ "everywhere": false, "reason": "because" }))
        }
        ("POST", "/data/try") => Some(json!({ "text": "nothing" })),
        ("POST", "/data/findings/{finding}/no-find") => {
            Some(json!({ "kind": "hk-identity-card", "reason": "because" }))
        }
        ("POST", "/data/findings/{finding}/accept") => {
            Some(json!({ "until": "2027-01-01T00:00:00Z", "reason": "because" }))
        }
        ("POST", "/data/findings/{finding}/encrypt") => {
            Some(json!({ "key": key, "reason": "because" }))
        }
        (
            "POST",
            "/data/no-finds/{name}/withdraw"
            | "/data/findings/{finding}/reopen"
            | "/data/findings/{finding}/quarantine"
            | "/data/findings/{finding}/restore"
            | "/data/findings/{finding}/delete",
        ) => Some(reason),
        ("POST", "/keys/{key}/rotate" | "/people/{person}/reset-factors") => None,
        ("POST", "/identities/{holder}/unlock" | "/approvals/{approval}/approve") => None,
        ("POST", "/people") => Some(json!({ "sign_in_name": "x", "name": "X" })),
        ("POST", "/services" | "/domains") => Some(json!({ "name": "x" })),
        ("POST", "/groups") => Some(json!({ "name": "x" })),
        ("PATCH", "/groups/{group}") => Some(json!({ "description": "x" })),
        ("PUT", "/groups/{group}/members/{holder}") => None,
        ("POST", "/services/{service}/certificates") => {
            Some(json!({ "spki_sha256": "0".repeat(64), "name": "x" }))
        }
        ("POST", "/identities/{holder}/lock") => Some(reason),
        ("PUT", "/identities/{holder}/roles") => Some(json!({ "role": "auditor" })),
        ("POST", "/identities/{holder}/roles/take") => Some(json!({ "role": "auditor" })),
        ("POST", "/account/password") => Some(json!({
            "current_password": "x", "code": "000000", "password": "y",
        })),
        ("POST", "/account/device/begin") => {
            Some(json!({ "current_password": "x", "code": "000000" }))
        }
        ("POST", "/account/device") => Some(json!({ "code": "000000" })),
        ("POST", "/tokens") => Some(json!({
            "holder": "per_00000000000000000000000000", "name": "x",
            "ends": "2030-01-01T00:00:00Z",
        })),
        ("POST", "/approvals") => Some(json!({
            "act": { "destroy-key": { "key": key, "body": reason } }, "reason": "because",
        })),
        ("POST", "/approvals/{approval}/reject") => Some(reason),
        ("POST", "/keys") => {
            Some(json!({ "domain": domain, "name": "x", "algorithm": "aes-256-gcm" }))
        }
        ("PATCH", "/keys/{key}") => Some(json!({ "step": "deactivate" })),
        (
            "POST",
            "/keys/{key}/suspend"
            | "/keys/{key}/resume"
            | "/keys/{key}/destroy"
            | "/keys/{key}/recover"
            | "/keys/{key}/compromise",
        ) => Some(reason),
        ("POST", "/keys/{key}/export") => Some(json!({ "recipient": "aGk=", "reason": "because" })),
        ("POST", "/keys/{key}/encrypt") => Some(json!({ "plaintext": "aGk=" })),
        ("POST", "/keys/{key}/decrypt" | "/keys/{key}/re-encrypt") => {
            Some(json!({ "ciphertext": "aGk=" }))
        }
        ("POST", "/keys/{key}/sign" | "/keys/{key}/mac") => Some(bytes),
        ("POST", "/keys/{key}/verify") => Some(json!({ "message": "aGk=", "signature": "aGk=" })),
        ("POST", "/keys/{key}/mac-verify") => Some(json!({ "message": "aGk=", "code": "aGk=" })),
        ("POST", "/keys/{key}/data-key") => Some(json!({ "length": 32 })),
        ("POST", "/batch/encrypt") => {
            Some(json!({ "items": [{ "key": key, "plaintext": "aGk=" }] }))
        }
        ("POST", "/batch/decrypt") => {
            Some(json!({ "items": [{ "key": key, "ciphertext": "aGk=" }] }))
        }
        ("POST", "/requirements/{requirement}/changes") => Some(json!("take-back")),
        ("PUT", "/profile") => Some(json!({ "institution": "licensed-bank", "origin": "local" })),
        ("POST", "/reports") => Some(json!({})),
        ("POST", "/reports/{report}/signatures") => {
            Some(json!({ "step": "review", "pack": "0".repeat(64) }))
        }
        _ => return None,
    };
    Some(("", body))
}

fn path(endpoint: &Endpoint) -> String {
    let id = |prefix: &str| format!("{prefix}_00000000000000000000000000");
    let parts = endpoint.full_path();
    let parts = parts.split('/').map(|part| match part {
        "{key}" => id("key"),
        "{domain}" => id("dom"),
        "{person}" | "{holder}" => id("per"),
        "{service}" => id("svc"),
        "{token}" => id("tok"),
        "{group}" => id("grp"),
        "{approval}" => id("apr"),
        "{asset}" => id("ast"),
        "{source}" => id("src"),
        "{scan}" => id("scn"),
        "{finding}" => id("fnd"),
        "{detector}" => "1".into(),
        "{profile}" => "bank".into(),
        "{name}" => "0".repeat(64),
        "{report}" => id("rep"),
        "{requirement}" => "any".into(),
        "{guide}" => "sa-2".into(),
        "{position}" | "{level}" => "0".into(),
        "{one}" | "{two}" | "{three}" | "{four}" => "000".into(),
        "{spki_sha256}" => "0".repeat(64),
        part => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn status(client: &Client, endpoint: &Endpoint) -> Option<u16> {
    let (query, body) = sample(endpoint)?;
    let method: Method = endpoint.method.clone();
    let sent = body.as_ref().map_or(Sent::Nothing, Sent::Json);
    let asked = format!("{}{query}", path(endpoint));
    Some(match client.ask(method, &asked, sent).await {
        Ok(reply) => reply.status.as_u16(),
        Err(ClientError::Refused(refused)) => refused.status,
        Err(other) => panic!("{endpoint:?}: {other}"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_anything_without_a_right_and_no_endpoint_is_left_out() {
    let scratch = Scratch::new("walk");
    let server = started(&scratch).await;
    let stranger = scratch.client(&server, None);
    let admin = enrol(&stranger, &first_link(&scratch)).await;
    let admin = scratch.client(&server, Some(&admin));
    let nobody = json!({ "sign_in_name": "nobody", "name": "Nobody" });
    let nobody = post(&admin, "/people", nobody).await.unwrap();
    let nobody = enrol(&stranger, nobody["link"].as_str().unwrap()).await;
    let nobody = scratch.client(&server, Some(&nobody));
    let mut never_visited = Vec::new();
    let mut wrong = Vec::new();
    let table = rest::table();
    // Signing out ends the session of whoever walks: it comes last.
    let (last, first): (Vec<_>, Vec<_>) =
        table.endpoints().iter().partition(|endpoint| endpoint.path == "/sessions/current");
    for endpoint in first.into_iter().chain(last) {
        let expected = match endpoint.needs {
            Needs::Nobody | Needs::Unsealed => continue,
            // Who is signed in still has to give the old proofs.
            Needs::SignedIn if endpoint.path == "/account/device" => Some(409),
            Needs::SignedIn if endpoint.path.starts_with("/account/") => Some(403),
            Needs::SignedIn => None,
            // Refused items of a batch have results of their own.
            Needs::Permit(_) if endpoint.path.starts_with("/batch/") => Some(200),
            Needs::Permit(_) => Some(403),
        };
        let Some(strangers) = status(&stranger, endpoint).await else {
            never_visited.push(endpoint.operation());
            continue;
        };
        let without = status(&nobody, endpoint).await.unwrap();
        let right = expected.map_or(without < 300, |expected| without == expected);
        if strangers != 401 || !right {
            wrong.push(format!("{endpoint:?}: stranger {strangers}, without rights {without}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(never_visited, Vec::<String>::new());
    server.stop().await;
}
