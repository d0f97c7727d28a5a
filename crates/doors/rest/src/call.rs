//! Reading a request strictly: path, query and body into parsed types, or a problem that names the
//! field at fault.

use crate::fault::{Fault, parameter};
use crate::openapi::ShapeOf;
use crate::strict::Strict;
use kernel::limits::BODY_BYTES_MAX;
use kernel::{Caller, Problem, ProblemKind, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use std::fmt::{Display, Write};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A request as a handler sees it: who, and what, parsed.
#[derive(Debug)]
pub(crate) struct Call<P, Q, B> {
    /// Who asks; a stranger's caller where the endpoint needs nobody.
    pub(crate) caller: Arc<Caller>,
    /// Parameters of the path.
    pub(crate) path: P,
    /// Parameters of the query.
    pub(crate) query: Q,
    /// The body.
    pub(crate) body: B,
    /// The caller's `Idempotency-Key`, where the endpoint takes one.
    pub(crate) idempotency_key: Option<String>,
    /// The same with a hash of all that was asked, byte by byte.
    pub(crate) repeat: Option<access::Repeat>,
    /// The token by which the caller proved itself, for ending its session.
    pub(crate) bearer: Option<Arc<Secret<String>>>,
}

/// No parameters at all.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParameters {}

/// How an endpoint takes its body.
pub(crate) trait Body: Sized + Send + 'static {
    /// Media types with their shapes; empty when no body is taken.
    fn shapes() -> Vec<(&'static str, Option<ShapeOf>)>;

    /// Reads the body.
    ///
    /// # Errors
    /// A problem with the pointer of the field at fault.
    fn read(media: &str, bytes: &[u8]) -> Result<Self, Problem>;
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct FromJson<T>(pub T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Body for FromJson<T> {
    fn shapes() -> Vec<(&'static str, Option<ShapeOf>)> {
        vec![("application/json", Some(|generator| generator.subschema_for::<T>()))]
    }
    fn read(_: &str, bytes: &[u8]) -> Result<Self, Problem> {
        read_json(bytes).map(Self)
    }
}

/// No body.
impl Body for () {
    fn shapes() -> Vec<(&'static str, Option<ShapeOf>)> {
        Vec::new()
    }
    fn read(_: &str, bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.is_empty() {
            return Ok(());
        }
        Err(Problem::new(ProblemKind::Invalid, "unexpected-body", "no body is expected here"))
    }
}

/// A table of assets as somebody else's tool wrote it.
#[derive(Debug)]
pub(crate) struct Upload {
    /// The media type.
    pub(crate) media: String,
    /// The content.
    pub(crate) bytes: Vec<u8>,
}

impl Body for Upload {
    fn shapes() -> Vec<(&'static str, Option<ShapeOf>)> {
        vec![("application/yaml", None), ("text/csv", None), ("application/json", None)]
    }
    fn read(media: &str, bytes: &[u8]) -> Result<Self, Problem> {
        Ok(Self { media: media.to_owned(), bytes: bytes.to_vec() })
    }
}

/// Reads JSON into its type.
pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // What chooses its reader by a field would still take an array: every body is an object.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(Problem::field("", "expected an object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Strict(&mut reader)).map_err(|error| {
        if error.inner().is_data() {
            let (pointer, detail) = place(error.path(), error.inner());
            return Problem::field(pointer, detail);
        }
        malformed(error.inner())
    })?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    let detail =
        format!("the body is not JSON at line {}, column {}", error.line(), error.column());
    Problem::new(ProblemKind::Invalid, "malformed-json", detail)
}

/// Reads `a=b&c=d` into its type; also used for the parameters of a path.
pub(crate) fn read_parameters<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let (pointer, detail) = place(error.path(), error.inner());
        parameter(pointer.trim_start_matches('/'), detail)
    })
}

/// The pointer to the field at fault and what is right instead.
fn place(path: &Path, error: &dyn Display) -> (String, String) {
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => {
                let _ = write!(pointer, "/{index}");
            }
            Segment::Map { key } => {
                let _ = write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let text = error.to_string();
    // The reader appends the place in the text; the pointer says it better.
    let text = text.split_once(" at line ").map_or(text.as_str(), |(before, _)| before);
    for (start, end) in [("missing field `", "is required"), ("duplicate field `", "stands twice")]
    {
        if let Some(name) = text.strip_prefix(start).and_then(|rest| rest.strip_suffix('`')) {
            let _ = write!(pointer, "/{name}");
            return (pointer, end.to_owned());
        }
    }
    if let Some(rest) = text.strip_prefix("unknown field `") {
        let name = rest.split('`').next().unwrap_or_default();
        let name = name.replace('~', "~0").replace('/', "~1");
        if !pointer.ends_with(&format!("/{name}")) {
            let _ = write!(pointer, "/{name}");
        }
        let known = text.rsplit_once(", expected ").map(|(_, known)| known);
        let known = known.map_or_else(String::new, |known| format!("; known: {known}"));
        return (pointer, format!("is not known here{known}"));
    }
    // What was sent is not repeated: it may be a secret.
    let detail = match text.split_once(", expected ") {
        Some((start, expected)) if start.starts_with("invalid ") => format!("expected {expected}"),
        _ => text.to_owned(),
    };
    (pointer, detail)
}

/// Checks the media type of a body against what the endpoint takes.
pub(crate) fn media_type(
    given: Option<&str>,
    taken: &[&'static str],
) -> Result<&'static str, Fault> {
    let expected = || Fault::media(&taken.join("` or `"));
    let given = given.ok_or_else(expected)?;
    let (essence, parameters) = given.split_once(';').unwrap_or((given, ""));
    let essence = essence.trim();
    let charset = parameters.trim();
    let utf_8 = charset.is_empty() || charset.eq_ignore_ascii_case("charset=utf-8");
    let found = taken.iter().find(|media| media.eq_ignore_ascii_case(essence));
    found.copied().filter(|_| utf_8).ok_or_else(expected)
}

pub(crate) fn too_large() -> Fault {
    let detail = format!("a body may have up to {BODY_BYTES_MAX} bytes");
    Problem::new(ProblemKind::TooLarge, "body-too-large", detail).into()
}

/// Most bytes that are set aside because a caller says that so many will come.
const BODY_RESERVED_MAX: usize = 64 * 1_024;

/// Reads a body within the limit, into a buffer that is wiped.
pub(crate) async fn read_body(body: axum::body::Body) -> Result<Zeroizing<Vec<u8>>, Fault> {
    use http_body_util::BodyExt;
    // A buffer that grows leaves copies behind, so it begins with the length that was declared.
    let declared = axum::body::HttpBody::size_hint(&body).lower();
    let declared = usize::try_from(declared).unwrap_or(usize::MAX).min(BODY_RESERVED_MAX);
    let mut body = http_body_util::Limited::new(body, BODY_BYTES_MAX);
    let mut bytes = Zeroizing::new(Vec::with_capacity(declared));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|cause| {
            if cause.is::<http_body_util::LengthLimitError>() {
                too_large()
            } else {
                let detail = "the body ended early";
                Fault::from(Problem::new(ProblemKind::Invalid, "broken-body", detail))
            }
        })?;
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{Base64, PageLimit, SecretText};
    use proptest::prelude::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "read for its refusals only")]
        items: Vec<Inner>,
        #[expect(dead_code, reason = "read for its refusals only")]
        secret: Option<SecretText>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "read for its refusals only")]
        data: Base64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        #[expect(dead_code, reason = "read for its refusals only")]
        limit: Option<PageLimit>,
    }

    fn refused(text: &str) -> (String, String) {
        let problem = read_json::<Outer>(text.as_bytes()).unwrap_err();
        let pointer = problem.fields.first().map(|f| f.pointer.clone());
        (problem.code.into_owned(), pointer.unwrap_or_default())
    }

    #[test]
    fn every_refusal_points_at_the_field() {
        for (text, code, pointer) in [
            ("", "malformed-json", ""),
            ("{", "malformed-json", ""),
            ("{\"items\":[]} x", "malformed-json", ""),
            ("[]", "invalid-field", ""),
            ("{}", "invalid-field", "/items"),
            ("{\"items\":7}", "invalid-field", "/items"),
            (
                "{\"items\":[{\"data\":\"QQ==\"},{\"data\":\"QQ\"}]}",
                "invalid-field",
                "/items/1/data",
            ),
            ("{\"items\":[{}]}", "invalid-field", "/items/0/data"),
            ("{\"items\":[[\"QQ==\"]]}", "invalid-field", "/items/0"),
            ("{\"items\":[{\"data\":\"\",\"x/y\":1}]}", "invalid-field", "/items/0/x~1y"),
            ("{\"items\":[],\"items\":[]}", "invalid-field", "/items"),
            ("{\"items\":[],\"secret\":\"\"}", "invalid-field", "/secret"),
            ("{\"items\":[],\"colour\":1}", "invalid-field", "/colour"),
        ] {
            let (c, p) = refused(text);
            assert_eq!((c.as_str(), p.as_str()), (code, pointer), "{text}");
        }
        assert_eq!(refused(&"[".repeat(100_000)).0, "invalid-field");
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        let problem = read_json::<Outer>(b"{\"items\":\"hunter2\"}").unwrap_err();
        assert!(!format!("{problem:?}").contains("hunter2"));
    }

    #[test]
    fn pages_have_limits_and_unknown_parameters_are_refused() {
        assert!(read_parameters::<Page>("limit=500").is_ok());
        for (query, name) in [
            ("limit=501", "limit"),
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("limit=ten", "limit"),
            ("limit=1&limit=2", "limit"),
            ("lmit=1", "lmit"),
        ] {
            let problem = read_parameters::<Page>(query).unwrap_err();
            assert_eq!(problem.fields[0].pointer, format!("parameter:{name}"), "{query}");
        }
    }

    #[test]
    fn media_types_are_read_without_their_parameters() {
        assert!(media_type(Some("application/json; charset=UTF-8"), &["application/json"]).is_ok());
        for bad in [None, Some("text/plain"), Some("application/json; charset=big5"), Some("")] {
            assert!(media_type(bad, &["application/json"]).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_json::<Outer>(&bytes);
            let _ = read_parameters::<Page>(&String::from_utf8_lossy(&bytes));
        }
    }
}
