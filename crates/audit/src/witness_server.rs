//! A witness behind HTTP/1.1: `POST /add-checkpoint` and nothing else.

use crate::witness::{Declined, REQUEST_BYTES_MAX, Witness};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections served at once; more wait.
pub const CONNECTIONS_MAX: usize = 64;
/// Longest wait for the head of a request, and for its body.
pub const READ_SECONDS_MAX: u64 = 10;

/// Serves until `stop` ends; then open connections are dropped. TLS, where it is wanted, is ended
/// before this listener.
pub async fn serve(listener: TcpListener, witness: Arc<Witness>, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, place)) = accepted else { continue };
        let witness = Arc::clone(&witness);
        connections.spawn(async move {
            let answer = |request| {
                let witness = Arc::clone(&witness);
                async move { Ok::<_, Infallible>(answer(&witness, request).await) }
            };
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(READ_SECONDS_MAX))
                .serve_connection(TokioIo::new(stream), service_fn(answer))
                .await;
            drop(place);
        });
    }
    connections.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, place))
}

async fn answer(witness: &Arc<Witness>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.uri().path() != "/add-checkpoint" {
        return text(StatusCode::NOT_FOUND, "there is nothing here\n".into());
    }
    if request.method() != Method::POST {
        return text(StatusCode::METHOD_NOT_ALLOWED, "use POST\n".into());
    }
    let body = Limited::new(request.into_body(), REQUEST_BYTES_MAX).collect();
    let body = match tokio::time::timeout(Duration::from_secs(READ_SECONDS_MAX), body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return text(StatusCode::BAD_REQUEST, "the request is too long\n".into()),
        Err(_) => return text(StatusCode::REQUEST_TIMEOUT, "the request is too slow\n".into()),
    };
    let witness = Arc::clone(witness);
    // It waits for the disk.
    let judged = tokio::task::spawn_blocking(move || witness.add_checkpoint(&body)).await;
    match judged {
        Ok(Ok(signature)) => text(StatusCode::OK, signature),
        Ok(Err(declined)) => decline(&declined),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the witness has failed\n".into()),
    }
}

fn decline(declined: &Declined) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(declined.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Declined::Conflict(size) = declined {
        return respond(status, "text/x.tlog.size", format!("{size}\n"));
    }
    text(status, format!("{declined}\n"))
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", body)
}

fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
