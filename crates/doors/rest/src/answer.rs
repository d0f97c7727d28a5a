//! What a handler gives back, and how it becomes a response.

use crate::openapi::ShapeOf;
use axum::body::{Body, Bytes};
use http::{HeaderValue, Response, StatusCode, header};
use kernel::{Problem, ProblemKind};
use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

/// A response on its way out.
pub(crate) type Outgoing = Response<Body>;

/// Something that a handler may give back.
pub(crate) trait Answer: Send + 'static {
    /// The media type and the shape of the body; none when there is no body.
    fn shape() -> Option<(&'static str, Option<ShapeOf>)>;
    /// The status when it went well.
    fn status() -> StatusCode;
    /// Writes the response.
    ///
    /// # Errors
    /// When the body cannot be written, which is our fault.
    fn respond(self) -> Result<Outgoing, Problem>;
}

/// JSON with status 200.
#[derive(Debug)]
pub(crate) struct Json<T>(pub T);

/// JSON that holds a secret which leaves once: written into one buffer of the right size, which is
/// wiped when the connection has taken it.
#[derive(Debug)]
pub(crate) struct Shown<T>(pub T);

/// JSON with status 201 and the place of the new thing.
#[derive(Debug)]
pub(crate) struct Created<T> {
    /// The path below `/api/v1`.
    pub(crate) at: String,
    /// What was created.
    pub(crate) body: T,
}

/// Like [`Created`], for what holds a secret that is shown once.
#[derive(Debug)]
pub(crate) struct CreatedShown<T>(pub Created<T>);

/// Done; there is nothing to say (status 204).
#[derive(Debug)]
pub(crate) struct Done;

/// A file: bytes of one media type, as an attachment with a name.
#[derive(Debug)]
pub(crate) struct File {
    /// The media type.
    pub(crate) media: &'static str,
    /// The name under which it is saved.
    pub(crate) name: String,
    /// The content.
    pub(crate) bytes: Vec<u8>,
}

/// Plain text of one media type, shown in place.
#[derive(Debug)]
pub(crate) struct Text(pub String);

fn unwritable(cause: &serde_json::Error) -> Problem {
    tracing::error!(%cause, "an answer could not be written");
    Problem::new(ProblemKind::Internal, "internal", "the answer could not be written")
}

/// Headers that most answers have.
const HEADERS_USUAL: usize = 9;

fn response(status: StatusCode, media: &'static str, body: Body) -> Outgoing {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    // With those that every answer carries: the map need not grow.
    response.headers_mut().reserve(HEADERS_USUAL);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// Bytes that most answers fit into, so that the buffer need not grow.
const ANSWER_BYTES_USUAL: usize = 2 * 1024;

fn json<T: Serialize>(status: StatusCode, value: &T) -> Result<Outgoing, Problem> {
    let mut bytes = Vec::with_capacity(ANSWER_BYTES_USUAL);
    serde_json::to_writer(&mut bytes, value).map_err(|cause| unwritable(&cause))?;
    Ok(response(status, "application/json", Body::from(bytes)))
}

#[derive(Default)]
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn shown<T: Serialize>(status: StatusCode, value: &T) -> Result<Outgoing, Problem> {
    let mut length = Length::default();
    serde_json::to_writer(&mut length, value).map_err(|cause| unwritable(&cause))?;
    // Of the right size from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *bytes, value).map_err(|cause| unwritable(&cause))?;
    Ok(response(status, "application/json", Body::from(Bytes::from_owner(bytes))))
}

fn placed(mut response: Outgoing, at: &str) -> Outgoing {
    if let Ok(place) = HeaderValue::try_from(format!("{}{at}", crate::PREFIX)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Json<T> {
    fn shape() -> Option<(&'static str, Option<ShapeOf>)> {
        Some(("application/json", Some(|generator| generator.subschema_for::<T>())))
    }
    fn status() -> StatusCode {
        StatusCode::OK
    }
    fn respond(self) -> Result<Outgoing, Problem> {
        json(Self::status(), &self.0)
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Shown<T> {
    fn shape() -> Option<(&'static str, Option<ShapeOf>)> {
        Json::<T>::shape()
    }
    fn status() -> StatusCode {
        StatusCode::OK
    }
    fn respond(self) -> Result<Outgoing, Problem> {
        shown(Self::status(), &self.0)
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Created<T> {
    fn shape() -> Option<(&'static str, Option<ShapeOf>)> {
        Json::<T>::shape()
    }
    fn status() -> StatusCode {
        StatusCode::CREATED
    }
    fn respond(self) -> Result<Outgoing, Problem> {
        Ok(placed(json(Self::status(), &self.body)?, &self.at))
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for CreatedShown<T> {
    fn shape() -> Option<(&'static str, Option<ShapeOf>)> {
        Json::<T>::shape()
    }
    fn status() -> StatusCode {
        StatusCode::CREATED
    }
    fn respond(self) -> Result<Outgoing, Problem> {
        Ok(placed(shown(Self::status(), &self.0.body)?, &self.0.at))
    }
}

impl Answer for Done {
    fn shape() -> Option<(&'static str, Option<ShapeOf>)> {
        None
    }
    fn status() -> StatusCode {
        StatusCode::NO_CONTENT
    }
    fn respond(self) -> Result<Outgoing, Problem> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = Self::status();
        Ok(response)
    }
}

impl Answer for Text {
    fn shape() -> Option<(&'static str, Option<ShapeOf>)> {
        Some(("text/plain; charset=utf-8", None))
    }
    fn status() -> StatusCode {
        StatusCode::OK
    }
    fn respond(self) -> Result<Outgoing, Problem> {
        Ok(response(Self::status(), "text/plain; charset=utf-8", Body::from(self.0)))
    }
}

impl Answer for File {
    fn shape() -> Option<(&'static str, Option<ShapeOf>)> {
        Some(("*/*", None))
    }
    fn status() -> StatusCode {
        StatusCode::OK
    }
    fn respond(self) -> Result<Outgoing, Problem> {
        let mut response = response(Self::status(), self.media, Body::from(self.bytes));
        // Only plain characters reach the header, whatever the thing is called.
        let name: String = self
            .name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            .collect();
        if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
        let sandbox = HeaderValue::from_static("sandbox; default-src 'none'");
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, sandbox);
        Ok(response)
    }
}
