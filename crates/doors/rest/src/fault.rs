//! From a [`Problem`] to a response (RFC 9457): the one place that knows statuses.

use crate::answer::Outgoing;
use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use kernel::{Problem, ProblemKind};
use schemars::JsonSchema;
use serde::Serialize;

/// A problem that may carry a status of HTTP's own.
#[derive(Debug)]
pub(crate) struct Fault {
    problem: Problem,
    status: StatusCode,
    allow: Option<String>,
}

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

const fn title_of(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Invalid => "The request is not valid",
        ProblemKind::Unauthenticated => "Not signed in",
        ProblemKind::Refused => "Not allowed",
        ProblemKind::NotFound => "Not found",
        ProblemKind::Conflict => "The state does not allow this",
        ProblemKind::TooLarge => "Too large",
        ProblemKind::TooManyRequests => "Too many requests",
        ProblemKind::Unavailable => "Not available now",
        ProblemKind::StorageFull => "No room to write",
        ProblemKind::Internal => "Internal error",
    }
}

/// A problem as it is sent: `application/problem+json` (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemBody {
    /// Names the kind of problem; the same text for the same code, always.
    #[serde(rename = "type")]
    kind: String,
    /// The family of the problem, for people.
    title: &'static str,
    /// The status of this response.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What happened and what to do next, for people.
    detail: String,
    /// A stable code for programs, such as `key-suspended`.
    code: String,
    /// The fields at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("minItems" = 1))]
    errors: Vec<FieldBody>,
    /// The id under which the log knows this request.
    correlation: String,
}

/// One field at fault: `pointer` into the body, or the name of a parameter.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FieldProblem")]
struct FieldBody {
    /// JSON pointer (RFC 6901) into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// A parameter of the path, the query or the headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// What is wrong and what would be right.
    detail: String,
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let status = status_of(problem.kind);
        Self { problem, status, allow: None }
    }
}

/// A problem with one parameter that is not part of the body.
pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Problem {
    let detail = detail.into();
    let mut problem = Problem::field("", detail.clone());
    problem.detail = format!("parameter `{name}`: {detail}");
    problem.code = "invalid-parameter".into();
    for field in &mut problem.fields {
        field.pointer = format!("{PARAMETER}{name}");
    }
    problem
}

/// Marks a field problem that names a parameter; no JSON pointer begins so.
const PARAMETER: &str = "parameter:";

impl Fault {
    fn http(
        status: StatusCode,
        kind: ProblemKind,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { problem: Problem::new(kind, code, detail), status, allow: None }
    }

    pub(crate) fn no_such_path() -> Self {
        Problem::new(ProblemKind::NotFound, "no-such-path", "there is nothing at this path").into()
    }

    pub(crate) fn method(allow: String) -> Self {
        let detail = format!("this path answers to {allow}");
        let mut fault = Self::http(
            StatusCode::METHOD_NOT_ALLOWED,
            ProblemKind::Invalid,
            "method-not-allowed",
            detail,
        );
        fault.allow = Some(allow);
        fault
    }

    pub(crate) fn media(expected: &str) -> Self {
        let detail = format!("expected content type `{expected}`");
        Self::http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ProblemKind::Invalid,
            "wrong-content-type",
            detail,
        )
    }

    pub(crate) fn body_too_slow() -> Self {
        Self::http(
            StatusCode::REQUEST_TIMEOUT,
            ProblemKind::Invalid,
            "body-too-slow",
            "the body did not arrive in time",
        )
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> &str {
        &self.problem.code
    }

    /// Writes the response.
    pub(crate) fn respond(self, correlation: &str) -> Outgoing {
        let body = ProblemBody {
            kind: format!("urn:lionrock:problem:{}", self.problem.code),
            title: title_of(self.problem.kind),
            status: self.status.as_u16(),
            detail: self.problem.detail,
            code: self.problem.code.into_owned(),
            errors: self.problem.fields.into_iter().map(field).collect(),
            correlation: correlation.to_owned(),
        };
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let media = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, media);
        if let Some(allow) = self.allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
            headers.insert(header::ALLOW, allow);
        }
        match self.status {
            StatusCode::UNAUTHORIZED => {
                let challenge = HeaderValue::from_static("Bearer realm=\"lionrock\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

fn field(field: kernel::FieldProblem) -> FieldBody {
    let parameter = field.pointer.strip_prefix(PARAMETER).map(str::to_owned);
    let pointer = if parameter.is_some() { None } else { Some(field.pointer) };
    FieldBody { pointer, parameter, detail: field.detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_a_status_of_four_or_five_hundred() {
        for kind in [
            ProblemKind::Invalid,
            ProblemKind::Unauthenticated,
            ProblemKind::Refused,
            ProblemKind::NotFound,
            ProblemKind::Conflict,
            ProblemKind::TooLarge,
            ProblemKind::TooManyRequests,
            ProblemKind::Unavailable,
            ProblemKind::StorageFull,
            ProblemKind::Internal,
        ] {
            let status = status_of(kind);
            assert!(status.is_client_error() || status.is_server_error(), "{kind:?}");
        }
    }

    #[test]
    fn a_wrong_method_names_the_right_ones() {
        let response = Fault::method("GET, HEAD".into()).respond("c-1");
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], "GET, HEAD");
    }
}
