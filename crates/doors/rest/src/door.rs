//! The door: from a request to the line of the table and back.

use crate::answer::Outgoing;
use crate::call::{media_type, read_body};
use crate::fault::{Fault, parameter};
use crate::meters::Meters;
use crate::routes::{Route, Routes};
use crate::table::{Endpoint, HEALTH, Incoming, Needs, Table};
use crate::{Rooms, credentials};
use access::Arrival;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use kernel::limits::BODY_BYTES_MAX;
use kernel::{
    Caller, Clock, Door as DoorKind, Origin, Problem, ProblemKind, RequestId, Rng, Secret,
};
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Most requests in work at one time: beyond it memory grows and nobody is served sooner.
pub const IN_FLIGHT_MAX: usize = 512;
/// Longest time that a body may take to arrive.
const BODY_SECONDS_MAX: u64 = 30;
/// Longest `Idempotency-Key`, in characters.
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;

/// A future of a ceremony.
pub type Ceremonial<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a stranger may know about the seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealState {
    /// Sealed: the rooms are closed; a person with the passphrase must come.
    SealedNeedsPassphrase,
    /// Sealed: the key file could not be read or does not fit.
    SealedNeedsKeyFile,
    /// Opening: replaying what was last written.
    Opening,
    /// Unsealed.
    Unsealed,
}

/// Seals and unseals; the binary implements it.
pub trait Ceremony: Send + Sync {
    /// Where the seal stands.
    fn state(&self) -> SealState;
    /// The rooms, once unsealed.
    fn rooms(&self) -> Option<Arc<Rooms>>;
    /// Opens the seal with a passphrase.
    fn unseal(&self, passphrase: Secret<String>) -> Ceremonial<'_, Result<(), Problem>>;
    /// Closes the rooms and forgets every key.
    fn seal(&self) -> Ceremonial<'_, Result<(), Problem>>;
}

/// The certificate that a client showed in TLS; the handshake proved that it holds the key.
#[derive(Debug, Clone, Copy)]
pub struct ClientCertificate {
    /// SHA-256 of its SubjectPublicKeyInfo (RFC 7469, section 2.4).
    pub spki_sha256: [u8; 32],
}

/// Who is at the other end of a connection, as the listener knows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Peer {
    /// Its address; none without a socket.
    pub address: Option<IpAddr>,
    /// The certificate that it showed.
    pub certificate: Option<ClientCertificate>,
}

/// The REST door. One for each process.
pub struct Door {
    pub(crate) table: Table,
    routes: Routes,
    health: Vec<String>,
    /// Seals and unseals.
    pub ceremony: Arc<dyn Ceremony>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    in_flight: Arc<Semaphore>,
    pub(crate) meters: Meters,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

impl Door {
    /// The door with its table.
    #[must_use]
    pub fn new(ceremony: Arc<dyn Ceremony>, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Arc<Self> {
        let table = crate::table();
        let meters = Meters::of(&table);
        let routes = Routes::of(&table);
        let health = table.endpoints().iter().filter(|endpoint| endpoint.area == HEALTH);
        let health = health.map(Endpoint::full_path).collect();
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        Arc::new(Self { table, routes, health, ceremony, clock, rng, in_flight, meters })
    }

    /// Whether a path is this door's: everything below `/api/`, and where monitors look.
    #[must_use]
    pub fn takes(&self, path: &str) -> bool {
        path.starts_with("/api/") || self.health.iter().any(|health| health == path)
    }

    /// One request, from its path to the response.
    pub async fn answer(
        self: Arc<Self>,
        peer: Peer,
        request: Request<axum::body::Body>,
    ) -> Response<axum::body::Body> {
        match self.routes.find(request.uri().path()) {
            Some(route) => self.receive(peer, route, request).await,
            None => finish(Err(Fault::no_such_path()), &self.correlation(request.headers())),
        }
    }

    /// One request, from its line of the table to the response.
    async fn receive(
        self: Arc<Self>,
        peer: Peer,
        route: Route,
        request: Request<axum::body::Body>,
    ) -> Outgoing {
        let arrived = self.clock.monotonic();
        let correlation = self.correlation(request.headers());
        let method = match *request.method() {
            Method::HEAD => Method::GET,
            ref method => method.clone(),
        };
        let found = route.line.iter().find_map(|index| {
            let endpoint = self.table.endpoints().get(*index)?;
            (endpoint.method == method).then_some((*index, endpoint))
        });
        let Some((index, endpoint)) = found else {
            return finish(Err(Fault::method(self.allowed(&route.line))), &correlation);
        };
        let (parts, body) = request.into_parts();
        let path = route.parameters;
        let knock = Knock { arrived, correlation: &correlation, path, peer };
        let result = self.serve(endpoint, parts, body, knock).await;
        let status = result.as_ref().map_or_else(Fault::status, Response::status);
        let micros = self.clock.monotonic().0.saturating_sub(arrived.0);
        self.meters.count(index, status, micros);
        let code = result.as_ref().err().map_or("", Fault::code);
        tracing::debug!(
            method = %endpoint.method, path = endpoint.path, status = status.as_u16(),
            micros, correlation, code, "request"
        );
        finish(result, &correlation)
    }

    async fn serve(
        self: &Arc<Self>,
        endpoint: &Endpoint,
        parts: Parts,
        body: axum::body::Body,
        knock: Knock<'_>,
    ) -> Result<Outgoing, Fault> {
        let _slot = Arc::clone(&self.in_flight).try_acquire_owned().map_err(|_| busy())?;
        let rooms = match endpoint.needs {
            Needs::Nobody => self.ceremony.rooms(),
            _ => Some(self.rooms()?),
        };
        let (caller, bearer) = self.caller(endpoint, rooms.as_deref(), &parts, &knock)?;
        let idempotency_key = idempotency_key(endpoint, &parts.headers)?;
        let path = knock.path.ok_or_else(|| parameter("path", "expected UTF-8"))?;
        let (media, body) = read_within_limits(endpoint, &parts.headers, body).await?;
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let caller = Arc::new(caller);
        let incoming = Incoming { caller, path, query, media, body, idempotency_key, bearer };
        let answered = endpoint.answer(self, rooms.clone(), incoming).await;
        if let (Err(problem), Some(rooms)) = (&answered, &rooms)
            && matches!(problem.kind, ProblemKind::Refused | ProblemKind::NotFound)
        {
            // No answer without a record, and a refusal is an answer.
            rooms.recorded().await?;
        }
        answered.map_err(Fault::from)
    }

    /// The rooms, or the problem that they are closed: for good until somebody comes, or for the
    /// moment that opening takes.
    pub(crate) fn rooms(&self) -> Result<Arc<Rooms>, Problem> {
        self.ceremony.rooms().ok_or_else(|| self.closed())
    }

    pub(crate) fn closed(&self) -> Problem {
        let (code, detail) = match self.ceremony.state() {
            // Between the two questions the rooms may have opened.
            SealState::Opening | SealState::Unsealed => {
                ("opening", "the server is opening: try again in a moment")
            }
            SealState::SealedNeedsPassphrase | SealState::SealedNeedsKeyFile => {
                ("sealed", "the server is sealed: a custodian must unseal it first")
            }
        };
        Problem::new(ProblemKind::Unavailable, code, detail)
    }

    fn caller(
        &self,
        endpoint: &Endpoint,
        rooms: Option<&Rooms>,
        parts: &Parts,
        knock: &Knock<'_>,
    ) -> Result<credentials::Proven, Problem> {
        let origin = Origin { address: knock.peer.address, door: DoorKind::Rest };
        if let (Needs::SignedIn | Needs::Permit(_), Some(rooms)) = (endpoint.needs, rooms) {
            let (correlation, arrived) = (knock.correlation.to_owned(), knock.arrived);
            let arrival = Arrival { origin, correlation, arrived };
            return credentials::caller(rooms, &parts.headers, knock.peer.certificate, &arrival);
        }
        let mut stranger = Caller::system(knock.correlation, self.clock.wall(), knock.arrived);
        stranger.origin = origin;
        Ok((stranger, None))
    }

    fn allowed(&self, line: &[usize]) -> String {
        let mut methods: Vec<&str> = line
            .iter()
            .filter_map(|index| self.table.endpoints().get(*index))
            .map(|endpoint| endpoint.method.as_str())
            .collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods.join(", ")
    }

    /// The id by which the caller knows the request: `X-Request-Id`, the trace id of `traceparent`
    /// (W3C Trace Context), or one of ours.
    fn correlation(&self, headers: &HeaderMap) -> String {
        let given = |name: &HeaderName| {
            headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok())
        };
        given(&REQUEST_ID)
            .and_then(Caller::clean_correlation)
            .or_else(|| given(&TRACE_PARENT).and_then(trace_id))
            .or_else(|| RequestId::generate(&*self.clock, &*self.rng).ok().map(|id| id.to_string()))
            .unwrap_or_default()
    }
}

/// What is known about a request before its body is read.
struct Knock<'a> {
    arrived: kernel::MonotonicMicros,
    correlation: &'a str,
    path: Option<String>,
    peer: Peer,
}

fn trace_id(traceparent: &str) -> Option<String> {
    let mut parts = traceparent.split('-');
    let (version, id) = (parts.next()?, parts.next()?);
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let fits = version.len() == 2 && hex(version) && id.len() == 32 && hex(id);
    (fits && id.bytes().any(|b| b != b'0')).then(|| id.to_owned())
}

fn idempotency_key(endpoint: &Endpoint, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let wrong = |detail: &str| parameter("Idempotency-Key", detail);
    if !endpoint.idempotent {
        return Err(wrong("is not known here"));
    }
    let text = value.to_str().ok().filter(|text| {
        (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_graphic())
    });
    let text = text.ok_or_else(|| wrong("expected 1 to 128 visible ASCII characters"))?;
    Ok(Some(text.to_owned()))
}

async fn read_within_limits(
    endpoint: &Endpoint,
    headers: &HeaderMap,
    body: axum::body::Body,
) -> Result<(&'static str, Zeroizing<Vec<u8>>), Fault> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if declared.and_then(|text| text.parse::<u64>().ok()).is_some_and(|n| n > BODY_BYTES_MAX as u64)
    {
        return Err(crate::call::too_large());
    }
    let taken = endpoint.media();
    let media = if taken.is_empty() {
        ""
    } else {
        let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        media_type(given, taken)?
    };
    let limit = Duration::from_secs(BODY_SECONDS_MAX);
    let bytes = tokio::time::timeout(limit, read_body(body))
        .await
        .map_err(|_| Fault::body_too_slow())??;
    Ok((media, bytes))
}

fn busy() -> Problem {
    Problem::new(ProblemKind::Unavailable, "busy", "too many requests are in work; try again")
}

/// Headers that every response carries: nothing of ours may be framed, sniffed, cached or referred.
static HEADERS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

fn finish(result: Result<Outgoing, Fault>, correlation: &str) -> Outgoing {
    let mut response = match result {
        Ok(response) => response,
        Err(fault) => fault.respond(correlation),
    };
    let headers = response.headers_mut();
    headers.reserve(HEADERS.len() + 1);
    for (name, value) in &HEADERS {
        headers.entry(name).or_insert_with(|| HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::try_from(correlation) {
        headers.insert(&REQUEST_ID, value);
    }
    response
}
