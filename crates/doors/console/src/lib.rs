//! The web console: pages for people, drawn here, readable with scripts off.
//!
//! **For:** signing people in; one page for each question that an officer asks, with how fresh the
//! answer is in its first line; the few acts that people do by hand, each with the command line
//! that does the same.
//!
//! **Not for:** decisions (the gate), use cases (the rooms), TLS and sockets (the binary), programs
//! (the REST door): a token is never read here, a cookie nowhere else.
//!
//! **The way of a request:** [`Console::router`] names the page; the session's cookie becomes a
//! caller (`console`); a loader asks the gate for a permit and a room for the answer, and makes the
//! page's view (`load`); the page is a pure function from that view to markup (`pages`). A form
//! goes the same way after it has proven to be ours (`guard`), and ends in one use case of a room
//! (`acts`).
//!
//! **Invariants:** nothing but sign-in, set-up and our own files is shown to a stranger; every form
//! carries a token and comes from our own origin; no page has inline style or script, so the
//! content policy has no exception; no page is kept by a cache; what a person may not see is not in
//! the page.

mod account;
mod acts;
mod answer;
mod assets;
mod console;
mod cookies;
mod data_acts;
mod desk;
mod elements;
mod fields;
mod frame;
mod guard;
mod language;
mod load;
mod pages;
mod people_acts;
mod picture;
mod profile_acts;
mod qr;
mod rooms;
mod routes;
mod sign_in;

pub use console::Console;
pub use cookies::session_cookie;
pub use rooms::{House, Rooms};
