//! The listener: sockets, TLS handshakes, HTTP/1.1 and HTTP/2, limits, and an orderly end.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rest::{ClientCertificate, Door, Peer};
use rustls_pki_types::CertificateDer;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Most connections at one time: each holds two buffers and a TLS state, some 100 kB.
pub const CONNECTIONS_MAX: usize = 1_024;
/// Longest handshake.
const HANDSHAKE_SECONDS_MAX: u64 = 10;
/// Longest wait for the head of a request, idle time between two requests included.
const HEAD_SECONDS_MAX: u64 = 60;
/// Most headers of one request.
const HEADERS_MAX: usize = 64;
/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Most requests at one time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;
/// A peer that does not answer a ping within this time is gone.
const PING_SECONDS: u64 = 20;
/// Longest wait for requests in work when the server ends.
const DRAIN_SECONDS_MAX: u64 = 20;

/// What answers requests.
#[derive(Debug, Clone)]
pub struct Doors {
    /// The API, which is asked first: it is asked for every use of a key.
    pub api: Arc<Door>,
    /// Pages, for whatever the API does not take.
    pub pages: Router,
}

/// Listens on one address.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: TlsAcceptorDebug,
}

struct TlsAcceptorDebug(TlsAcceptor);

impl std::fmt::Debug for TlsAcceptorDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsAcceptor")
    }
}

impl Listener {
    /// Takes the address.
    ///
    /// # Errors
    /// When somebody else has it, or we may not.
    pub async fn bind(address: SocketAddr, tls: rustls::ServerConfig) -> std::io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        Ok(Self { socket, tls: TlsAcceptorDebug(TlsAcceptor::from(Arc::new(tls))) })
    }

    /// The address, with the port that the system chose.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop` says so; then takes no more connections, lets requests in work finish
    /// for up to twenty seconds, and cuts what is left.
    pub async fn serve(self, doors: Doors, mut stop: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = told(&mut stop) => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                accepted = self.socket.accept() => accepted,
            };
            let Ok((stream, peer)) = accepted else {
                // Out of descriptors: let a connection end before asking again.
                let _ = connections.join_next().await;
                continue;
            };
            let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                tracing::warn!("too many connections: one was closed at once");
                continue;
            };
            let (tls, doors, stop) = (self.tls.0.clone(), doors.clone(), stop.clone());
            connections.spawn(async move {
                let _slot = slot;
                connection(stream, peer, tls, doors, stop).await;
            });
        }
        drop(self.socket);
        let drained = async { while connections.join_next().await.is_some() {} };
        let limit = Duration::from_secs(DRAIN_SECONDS_MAX);
        if tokio::time::timeout(limit, drained).await.is_err() {
            tracing::warn!(left = connections.len(), "connections were cut");
            connections.shutdown().await;
        }
    }
}

impl Doors {
    async fn answer(
        self,
        peer: SocketAddr,
        certificate: Option<ClientCertificate>,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        if self.api.takes(request.uri().path()) {
            let peer = Peer { address: Some(peer.ip()), certificate };
            return Ok(self.api.answer(peer, request.map(Body::new)).await);
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        TowerToHyperService::new(self.pages).call(request).await
    }
}

/// Waits until the server is told to stop; a teller that is gone tells it too.
async fn told(stop: &mut watch::Receiver<bool>) {
    // The guard that this returns must not live across another wait.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: TlsAcceptor,
    doors: Doors,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let limit = Duration::from_secs(HANDSHAKE_SECONDS_MAX);
    let Ok(Ok(stream)) = tokio::time::timeout(limit, tls.accept(stream)).await else {
        tracing::debug!("a TLS handshake failed");
        return;
    };
    let certificate = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(<[_]>::first)
        .and_then(|certificate| shown_by(certificate));
    let service = service_fn(move |request: Request<Incoming>| {
        doors.clone().answer(peer, certificate, request)
    });
    let builder = http_builder();
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = told(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(cause, "a connection ended early");
    }
}

/// What identifies the client: its key, so that a renewed certificate is the same client.
fn shown_by(certificate: &CertificateDer<'_>) -> Option<ClientCertificate> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let spki_sha256 = audit::Hash::of(certificate.public_key().raw).0;
    Some(ClientCertificate { spki_sha256 })
}

fn http_builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX))
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(PING_SECONDS))
        .keep_alive_timeout(Duration::from_secs(PING_SECONDS));
    builder
}
