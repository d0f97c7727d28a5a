//! One-time links that sign in as somebody of the sample. Only `demo` mounts them, on loopback.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use kernel::{Rng, RngUnavailable, Secret};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The links that were not used yet, with the sessions they lead into.
#[derive(Clone, Default)]
pub(super) struct WaysIn(Arc<Mutex<HashMap<String, HeaderValue>>>);

impl fmt::Debug for WaysIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaysIn")
    }
}

impl WaysIn {
    /// A new link into a session: the last part of its path.
    ///
    /// # Errors
    /// When there is no randomness.
    pub(super) fn admit(
        &self,
        cookie: &Secret<String>,
        rng: &dyn Rng,
    ) -> Result<String, RngUnavailable> {
        let mut random = [0u8; 16];
        rng.fill(&mut random)?;
        let token = documents::hex(&random);
        if let Some(set) = console::session_cookie(cookie.expose()) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), set);
        }
        Ok(token)
    }

    /// The page behind the links.
    pub(super) fn router(&self) -> Router {
        Router::new().route("/demo/enter/{token}", get(enter)).with_state(self.clone())
    }
}

async fn enter(State(ways): State<WaysIn>, Path(token): Path<String>) -> Response {
    let cookie = ways.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&token);
    let mut response = Response::default();
    let (status, to) = match cookie {
        Some(cookie) => {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            (StatusCode::SEE_OTHER, "/")
        }
        None => (StatusCode::SEE_OTHER, "/sign-in"),
    };
    *response.status_mut() = status;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(to));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
