//! Posting to somebody outside: HTTPS through rustls, with limits on time and answer.

use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kernel::{Problem, ProblemKind};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Longest time for one exchange.
pub const EXCHANGE_SECONDS_MAX: u64 = 20;
/// Longest answer that is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Why an exchange did not come about.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The address is not one.
    #[error("`{0}` is not an http or https address with a host")]
    Address(String),
    /// A certificate authority is not one, or TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// No connection, or it broke.
    #[error("no answer from `{host}`")]
    Exchange {
        /// The host.
        host: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took longer than [`EXCHANGE_SECONDS_MAX`].
    #[error("`{host}` did not answer within {EXCHANGE_SECONDS_MAX} s")]
    TooSlow {
        /// The host.
        host: String,
    },
}

impl From<PostError> for Problem {
    fn from(cause: PostError) -> Self {
        let (kind, code) = match cause {
            PostError::Address(_) => (ProblemKind::Invalid, "not-an-address"),
            PostError::Tls(_) => (ProblemKind::Invalid, "not-an-authority"),
            _ => (ProblemKind::Unavailable, "no-answer"),
        };
        Self::new(kind, code, cause.to_string())
    }
}

/// An http or https address with a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address(Uri);

impl std::str::FromStr for Address {
    type Err = PostError;
    fn from_str(text: &str) -> Result<Self, PostError> {
        let wrong = || PostError::Address(text.chars().take(200).collect());
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        if scheme && uri.host().is_some() { Ok(Self(uri)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Vec<u8>,
}

/// Posts. Cheap to clone; keeps connections open.
#[derive(Clone)]
pub struct Poster {
    client: Arc<Client<HttpsConnector<HttpConnector>, Full<Bytes>>>,
}

impl fmt::Debug for Poster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Poster")
    }
}

/// The client side of TLS: only these authorities are trusted.
///
/// # Errors
/// When an authority's certificate is not one.
pub fn client_config(
    authorities: &[CertificateDer<'static>],
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority.clone())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Poster {
    /// A poster that trusts these certificate authorities and no others.
    ///
    /// # Errors
    /// When a certificate is not one.
    pub fn new(authorities: &[CertificateDer<'static>]) -> Result<Self, PostError> {
        let config = client_config(authorities)?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config.as_ref().clone())
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client: Arc::new(client) })
    }

    /// Posts one body and reads the answer.
    ///
    /// # Errors
    /// When there is no whole answer in time.
    pub async fn post(
        &self,
        to: &Address,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Answer, PostError> {
        let host = to.0.host().unwrap_or_default().to_owned();
        let limit = Duration::from_secs(EXCHANGE_SECONDS_MAX);
        match tokio::time::timeout(limit, self.exchange(to, content_type, body)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(cause)) => Err(PostError::Exchange { host, cause }),
            Err(_) => Err(PostError::TooSlow { host }),
        }
    }

    async fn exchange(
        &self,
        to: &Address,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(to.0.clone())
            .header(header::CONTENT_TYPE, content_type)
            .body(Full::new(Bytes::from(body)))?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await?;
        Ok(Answer { status, body: body.to_bytes().to_vec() })
    }
}
