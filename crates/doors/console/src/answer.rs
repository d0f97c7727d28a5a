//! What leaves the console: pages, ways on and files, each with the headers that protect it.

use crate::cookies::Cookie;
use crate::pages;
use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use kernel::{Problem, ProblemKind};
use maud::Markup;

/// What a page may load and where its forms may go: our own host, nothing inline.
pub(crate) const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every answer of the console.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer` a browser would hide the origin of our own forms from us as well.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The status of each family of problems.
pub(crate) const fn status_of(kind: ProblemKind) -> StatusCode {
    match kind {
        ProblemKind::Invalid => StatusCode::BAD_REQUEST,
        ProblemKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ProblemKind::Refused => StatusCode::FORBIDDEN,
        ProblemKind::NotFound => StatusCode::NOT_FOUND,
        ProblemKind::Conflict => StatusCode::CONFLICT,
        ProblemKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ProblemKind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ProblemKind::Unavailable | ProblemKind::StorageFull => StatusCode::SERVICE_UNAVAILABLE,
        ProblemKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An answer with its status and headers.
pub(crate) type Answer = Response<Body>;

/// An answer with the headers that protect it; never kept by a cache.
fn protected(status: StatusCode, media_type: &'static str, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A page.
pub(crate) fn page(status: StatusCode, markup: Markup) -> Answer {
    protected(status, "text/html; charset=utf-8", Body::from(markup.into_string()))
}

/// The page of a problem.
pub(crate) fn problem(problem: &Problem, correlation: &str, sample: bool) -> Answer {
    let mut answer =
        page(status_of(problem.kind), pages::problem::show(problem, correlation, sample));
    if matches!(problem.kind, ProblemKind::Unavailable) {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

/// The way on after a form: the browser asks for `path` anew, so a reload repeats nothing.
pub(crate) fn see_other(path: &str) -> Answer {
    let mut answer = protected(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Body::empty());
    let place = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    answer.headers_mut().insert(header::LOCATION, place);
    answer
}

/// One of our own files under its content-hashed name.
pub(crate) fn asset(media_type: &'static str, text: &'static str) -> Answer {
    let mut answer = protected(StatusCode::OK, media_type, Body::from(text));
    let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
    answer.headers_mut().insert(header::CACHE_CONTROL, keep);
    answer
}

/// A file to be kept by the one who asked: never shown, and in a sandbox if it is shown after all.
pub(crate) fn attachment(media_type: &'static str, name: &str, bytes: Vec<u8>) -> Answer {
    let mut answer = protected(StatusCode::OK, media_type, Body::from(bytes));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    let headers = answer.headers_mut();
    if let Ok(line) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, line);
    }
    let sandbox = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, sandbox);
    answer
}

/// Sets a cookie on an answer.
pub(crate) fn with_cookie(mut answer: Answer, cookie: Cookie, value: &str) -> Answer {
    if let Some(line) = cookie.set(value) {
        answer.headers_mut().append(header::SET_COOKIE, line);
    }
    answer
}

/// Takes a cookie away with an answer.
pub(crate) fn without_cookie(mut answer: Answer, cookie: Cookie) -> Answer {
    if let Some(line) = cookie.clear() {
        answer.headers_mut().append(header::SET_COOKIE, line);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_protected_and_a_page_is_never_kept() {
        for answer in [
            page(StatusCode::OK, maud::html! {}),
            problem(&Problem::not_found("key"), "req_1", false),
            see_other("/keys"),
        ] {
            let headers = answer.headers();
            assert_eq!(headers["content-security-policy"], CONTENT_POLICY);
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["cache-control"], "no-store");
        }
        assert!(!CONTENT_POLICY.contains("unsafe"));
    }

    #[test]
    fn a_file_is_an_attachment_in_a_sandbox() {
        let answer = attachment("application/zip", "a\"\r\nb/../密.zip", Vec::new());
        let name = answer.headers()["content-disposition"].to_str().unwrap();
        assert_eq!(name, "attachment; filename=\"a---b-..--.zip\"");
        assert!(
            answer.headers()["content-security-policy"].to_str().unwrap().starts_with("sandbox")
        );
    }

    #[test]
    fn a_way_on_with_a_line_break_leads_home() {
        assert_eq!(see_other("/a\r\nSet-Cookie: x").headers()["location"], "/");
    }
}
