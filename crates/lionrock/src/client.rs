//! A client of our own API, for the verbs of the command line.

use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client as Http, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use kernel::{Clock, Secret};
use rustls_pki_types::CertificateDer;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Longest answer that we read: the export of a log is larger and is streamed to a file by pages.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Longest wait for an answer.
const ANSWER_SECONDS_MAX: u64 = 120;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not one of ours.
    #[error("`{0}` is not an address such as https://localhost:8443")]
    Address(String),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
    /// The server does not answer, or is not the one whose authority we know.
    #[error("`{address}` does not answer, or is not who it should be")]
    Unreachable {
        /// The address.
        address: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server refused.
    #[error("{0}")]
    Refused(Box<Refused>),
    /// The answer is not what the API promises.
    #[error("the answer is not what the API promises")]
    Strange,
}

/// A problem as the server tells it (RFC 9457).
#[derive(Debug, Deserialize)]
pub struct Refused {
    /// The status.
    pub status: u16,
    /// For people.
    pub detail: String,
    /// For programs.
    pub code: String,
    /// The id under which the log knows the request.
    #[serde(default)]
    pub correlation: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code `{}`, request `{}`)", self.detail, self.code, self.correlation)
    }
}

/// What is sent.
#[derive(Debug)]
pub enum Sent<'a> {
    /// No body.
    Nothing,
    /// JSON.
    Json(&'a Value),
    /// Bytes of a media type.
    Bytes(&'static str, Vec<u8>),
}

/// What came back, when it went well.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The media type, without parameters.
    pub media: String,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON; null when there is none.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn json(&self) -> Result<Value, ClientError> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|_| ClientError::Strange)
    }
}

/// A client of one server.
pub struct Client {
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: String,
    token: Option<Secret<String>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.address)
    }
}

impl Client {
    /// A client that believes this authority alone.
    ///
    /// # Errors
    /// When the address is not `https`, or the authority cannot be used.
    pub fn new(
        address: &str,
        authority: &CertificateDer<'static>,
        token: Option<Secret<String>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        let address = address.trim_end_matches('/').to_owned();
        let uri: http::Uri = address.parse().map_err(|_| ClientError::Address(address.clone()))?;
        if uri.scheme_str() != Some("https") || uri.path() != "/" || uri.query().is_some() {
            return Err(ClientError::Address(address));
        }
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(crate::tls::client(authority, clock)?)
            .https_only()
            .enable_http1()
            .enable_http2()
            .build();
        let http = Http::builder(TokioExecutor::new()).build(connector);
        Ok(Self { http, address, token })
    }

    /// The address, without a slash at its end.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends one request below the root, such as `/api/v1/keys`.
    ///
    /// # Errors
    /// When there is no answer, or the server refuses.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        sent: Sent<'_>,
    ) -> Result<Reply, ClientError> {
        let (media, body) = match sent {
            Sent::Nothing => (None, Vec::new()),
            Sent::Json(value) => (Some("application/json"), value.to_string().into_bytes()),
            Sent::Bytes(media, bytes) => (Some(media), bytes),
        };
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        if let Some(media) = media {
            request = request.header(header::CONTENT_TYPE, media);
        }
        if let Some(token) = &self.token {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
                .map_err(|_| ClientError::Strange)?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| ClientError::Address(format!("{}{path}", self.address)))?;
        let limit = Duration::from_secs(ANSWER_SECONDS_MAX);
        tokio::time::timeout(limit, self.exchange(request))
            .await
            .map_err(|cause| self.unreachable(cause))?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Reply, ClientError> {
        let response = self.http.request(request).await.map_err(|cause| self.unreachable(cause))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|cause| self.unreachable(cause))?
            .to_bytes();
        let media = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|media| media.split(';').next()).unwrap_or_default().to_owned();
        if parts.status.is_success() {
            return Ok(Reply { status: parts.status, media, body });
        }
        match serde_json::from_slice(&body) {
            Ok(refused) => Err(ClientError::Refused(Box::new(refused))),
            Err(_) => Err(ClientError::Strange),
        }
    }

    fn unreachable(
        &self,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> ClientError {
        ClientError::Unreachable { address: self.address.clone(), cause: cause.into() }
    }
}
