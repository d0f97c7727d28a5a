//! The HTTP client under the object stores: hyper and rustls, as everywhere in the house.

use super::{SourceError, tls};
use http_body_util::BodyExt;
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
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// Longest wait for a connection.
const CONNECT_SECONDS: u64 = 15;
/// Longest wait for the head of an answer; the body has as long for each of its pieces.
const ANSWER_SECONDS: u64 = 60;

/// A client of one store.
#[derive(Clone)]
pub(super) struct Hyper {
    client: Client<HttpsConnector<Tcp>, HttpRequestBody>,
    status: Arc<AtomicU16>,
}

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
        Ok(Self { client, status: Arc::default() })
    }

    /// The status of the last answer; the library above keeps it to itself when a list is refused.
    pub(super) fn status(&self) -> u16 {
        self.status.load(Ordering::Relaxed)
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
            self.status.store(answer.status().as_u16(), Ordering::Relaxed);
            Ok(answer.map(|body| {
                let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
                HttpResponseBody::new(body)
            }))
        })
    }
}
