//! The HTTP client of the object stores: hyper and rustls, as everywhere in the house.

use super::{SourceError, tls};
use ::http::StatusCode;
use http_body_util::{BodyExt, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector as Tcp};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Longest wait for a connection.
const CONNECT_SECONDS: u64 = 15;
/// Longest wait for the head of an answer; the body has as long for each of its pieces.
const ANSWER_SECONDS: u64 = 60;

/// A client of one store.
#[derive(Clone)]
pub(super) struct Hyper {
    client: Client<HttpsConnector<Tcp>, HttpRequestBody>,
}

/// An answer with its whole body.
#[derive(Debug)]
pub(super) struct Answer {
    /// What became of the request.
    pub(super) status: StatusCode,
    /// What came.
    pub(super) body: Bytes,
}

/// No answer came, or not all of it, or more than was asked for.
#[derive(Debug)]
pub(super) struct NoAnswer;

impl Hyper {
    /// Believes an authority, or the machine's; speaks without TLS only if that is allowed.
    pub(super) fn new(authority: Option<&str>, plain: bool) -> Result<Self, SourceError> {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(Duration::from_secs(CONNECT_SECONDS)));
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls::client(authority)?);
        let tls = if plain { tls.https_or_http() } else { tls.https_only() };
        let connector = tls.enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(ANSWER_SECONDS))
            .build(connector);
        Ok(Self { client })
    }

    /// Asks, and takes the whole answer when it has no more than so many bytes. What is refused may
    /// say so in more words than that; they are passed over.
    pub(super) async fn ask(
        &self,
        request: HttpRequest,
        bytes_max: usize,
    ) -> Result<Answer, NoAnswer> {
        let within = Duration::from_secs(ANSWER_SECONDS);
        let answer = tokio::time::timeout(within, self.client.request(request));
        let answer = answer.await.map_err(|_| NoAnswer)?.map_err(|_| NoAnswer)?;
        let status = answer.status();
        if !status.is_success() {
            return Ok(Answer { status, body: Bytes::new() });
        }
        let body = Limited::new(answer.into_body(), bytes_max).collect();
        let body = tokio::time::timeout(within.saturating_mul(2), body).await;
        let body = body.map_err(|_| NoAnswer)?.map_err(|_| NoAnswer)?;
        Ok(Answer { status, body: body.to_bytes() })
    }
}

impl fmt::Debug for Hyper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hyper")
    }
}

impl HttpConnector for Hyper {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl HttpService for Hyper {
    fn call<'life, 'result>(
        &'life self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'result>>
    where
        'life: 'result,
        Self: 'result,
    {
        Box::pin(async move {
            let answer = self.client.request(request);
            let answer = tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS), answer)
                .await
                .map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?
                .map_err(|error| {
                    let connect = error.is_connect();
                    let kind =
                        if connect { HttpErrorKind::Connect } else { HttpErrorKind::Request };
                    HttpError::new(kind, error)
                })?;
            Ok(answer.map(|body| {
                let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
                HttpResponseBody::new(body)
            }))
        })
    }
}
