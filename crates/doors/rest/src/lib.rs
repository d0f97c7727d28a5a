//! The REST door: `/api/v1` over HTTP, its OpenAPI document, health and metrics.
//!
//! **For:** decoding strictly, establishing the caller, calling one use case, encoding. Every
//! endpoint is a line of one [`Table`], from which the router, the OpenAPI 3.1 document and the
//! authorization tests are made.
//!
//! **Not for:** decisions (the gate), use cases (the slices), TLS and sockets (the binary), pages
//! (the console), sessions in cookies: a cookie is never read here.
//!
//! **The way of a request:** the [`Door`] finds the line of the table, refuses a wrong method,
//! refuses while sealed what needs the rooms, establishes the caller (`credentials`), reads the
//! body within limits (`call`), and gives parsed types to the handler (`resources`). The handler
//! asks the gate for a permit and calls one use case with it. A problem becomes a response in one
//! place (`fault`).
//!
//! **Invariants:** an endpoint cannot exist outside the table; unknown paths, methods, parameters,
//! fields and media types are refused and change nothing; every response carries `X-Request-Id` and
//! the security headers; a refusal is durable in the log before it is answered; buffers that held
//! secrets are wiped.

mod answer;
mod call;
mod credentials;
mod door;
mod fault;
pub mod fields;
mod meters;
pub mod openapi;
mod resources;
mod rooms;
mod routes;
pub mod shape;
mod strict;
mod table;

pub use door::{Ceremonial, Ceremony, ClientCertificate, Door, IN_FLIGHT_MAX, Peer, SealState};
pub use rooms::{Comply, Rooms};
pub use table::{Endpoint, Needs, Table};

/// The path below which the API lies.
pub const PREFIX: &str = "/api/v1";

/// The table of every endpoint.
#[must_use]
pub fn table() -> Table {
    resources::table()
}
