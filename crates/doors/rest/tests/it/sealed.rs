//! What a sealed server serves, and what it refuses.

use crate::doors::{ask, opening_door, sealed_door};
use axum::body::Body;
use http::Request;

fn request(method: &str, path: &str, media: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = if media.is_empty() { request } else { request.header("content-type", media) };
    request.body(body.into()).unwrap()
}

const UNSEAL: &str = "/api/v1/sys/unseal";
const JSON: &str = "application/json";

#[test]
fn bad_input_is_refused_by_name_and_changes_nothing() {
    let (door, ceremony) = sealed_door();
    let huge = vec![b' '; kernel::limits::BODY_BYTES_MAX + 1];
    let cases: Vec<(Request<Body>, u16, &str, &str)> = vec![
        (request("POST", UNSEAL, JSON, "{"), 400, "malformed-json", ""),
        (request("POST", UNSEAL, JSON, ""), 400, "malformed-json", ""),
        (request("POST", UNSEAL, JSON, "[1]"), 400, "invalid-field", ""),
        (request("POST", UNSEAL, JSON, "{}"), 400, "invalid-field", "/passphrase"),
        (request("POST", UNSEAL, JSON, r#"{"passphrase":7}"#), 400, "invalid-field", "/passphrase"),
        (
            request("POST", UNSEAL, JSON, r#"{"passphrase":""}"#),
            400,
            "invalid-field",
            "/passphrase",
        ),
        (
            request("POST", UNSEAL, JSON, r#"{"passphrase":"x","force":true}"#),
            400,
            "invalid-field",
            "/force",
        ),
        (request("POST", UNSEAL, "text/plain", "x"), 415, "wrong-content-type", ""),
        (request("POST", UNSEAL, "", "{}"), 415, "wrong-content-type", ""),
        (request("POST", UNSEAL, JSON, huge), 413, "body-too-large", ""),
        (
            request("POST", &format!("{UNSEAL}?a=1"), JSON, r#"{"passphrase":"x"}"#),
            400,
            "invalid-parameter",
            "a",
        ),
        (request("GET", UNSEAL, "", ""), 405, "method-not-allowed", ""),
        (request("TRACE", "/healthz", "", ""), 405, "method-not-allowed", ""),
        (request("GET", "/healthz", "", "x"), 400, "unexpected-body", ""),
        (request("GET", "/healthz?x", "", ""), 400, "invalid-parameter", "x"),
        (request("GET", "/api/v1", "", ""), 404, "no-such-path", ""),
        (request("GET", "/api/v1/sys/../sys/seal-status", "", ""), 404, "no-such-path", ""),
        (request("GET", "/api/v1/sys%2Fseal-status", "", ""), 404, "no-such-path", ""),
        (request("GET", "/api/v1/%ff", "", ""), 404, "no-such-path", ""),
        (request("GET", "/api/v2/sys/seal-status", "", ""), 404, "no-such-path", ""),
    ];
    for (number, (request, status, code, field)) in cases.into_iter().enumerate() {
        let (parts, body) = ask(&door, request);
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let place = problem.pointer("/errors/0");
        let place = place.and_then(|e| e.get("pointer").or_else(|| e.get("parameter")));
        assert_eq!(parts.status, status, "case {number}: {problem}");
        assert_eq!(parts.headers["content-type"], "application/problem+json", "case {number}");
        assert_eq!(problem["code"], code, "case {number}");
        assert_eq!(problem["status"], status, "case {number}");
        assert_eq!(place.and_then(|p| p.as_str()).unwrap_or(""), field, "case {number}");
        assert_eq!(parts.headers["x-content-type-options"], "nosniff", "case {number}");
        assert_eq!(problem["correlation"], parts.headers["x-request-id"].to_str().unwrap());
    }
    assert!(ceremony.tried.lock().unwrap().is_empty());
}

#[test]
fn a_sealed_server_serves_health_and_the_ceremony_only() {
    let (door, ceremony) = sealed_door();
    assert_eq!(ask(&door, request("GET", "/healthz", "", "")).0.status, 200);
    let (parts, body) = ask(&door, request("GET", "/readyz", "", ""));
    assert_eq!(parts.status, 503);
    assert!(String::from_utf8_lossy(&body).contains("\"code\":\"sealed\""));
    let (_, body) = ask(&door, request("GET", "/api/v1/sys/seal-status", "", ""));
    assert_eq!(body, br#"{"sealed":true,"needs":"passphrase"}"#);
    let body = r#"{"passphrase":"not this one"}"#;
    let (parts, _) = ask(&door, request("POST", UNSEAL, JSON, body));
    assert_eq!(parts.status, 403);
    assert_eq!(*ceremony.tried.lock().unwrap(), ["not this one"]);
    for endpoint in rest::table().endpoints() {
        if endpoint.needs != rest::Needs::Nobody {
            let path = endpoint.full_path().replace(['{', '}'], "");
            let (parts, _) = ask(&door, request(endpoint.method.as_str(), &path, "", ""));
            assert_eq!(parts.status, 503, "{endpoint:?}");
        }
    }
}

#[test]
fn the_correlation_id_is_the_callers_or_ours() {
    let (door, _) = sealed_door();
    let with = |name: &str, value: &str| {
        let mut request = request("GET", "/healthz", "", "");
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        ask(&door, request).0.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(with("x-request-id", "case-7"), "case-7");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(with("traceparent", trace), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(with("traceparent", "00-zz-1").starts_with("req_"));
    assert!(with("x-request-id", "a b").starts_with("req_"));
    assert!(with("x-request-id", &"x".repeat(129)).starts_with("req_"));
}

#[test]
fn a_server_that_is_opening_asks_for_patience_and_for_no_custodian() {
    let door = opening_door();
    for path in ["/readyz", "/api/v1/keys"] {
        let (parts, body) = ask(&door, request("GET", path, "", ""));
        let text = String::from_utf8_lossy(&body);
        assert_eq!(
            (parts.status.as_u16(), &parts.headers["retry-after"]),
            (503, &"1".parse().unwrap())
        );
        assert!(text.contains("\"code\":\"opening\"") && !text.contains("custodian"), "{text}");
    }
    let (_, body) = ask(&door, request("GET", "/api/v1/sys/seal-status", "", ""));
    assert_eq!(body, br#"{"sealed":true,"needs":"patience"}"#);
}
