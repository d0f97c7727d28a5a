//! The server's clock: whether it is believed, and confirming it.

use super::CliError;
use super::show;
use super::verb::Verb;
use clap::Subcommand;
use http::Method;

/// Verbs of the server's clock.
#[derive(Debug, Subcommand)]
pub enum ServerClock {
    /// Shows the server's time, and whether acts that cannot be undone happen by it.
    Show,
    /// Says that somebody has compared it with another clock and that it is right.
    Confirm,
}

pub(super) async fn clock(verb: Verb, clock: ServerClock) -> Result<(), CliError> {
    match clock {
        ServerClock::Show => verb.get(&["sys", "clock"], &[], show::fields).await,
        ServerClock::Confirm => {
            let path = ["sys", "clock", "confirm"];
            verb.done(Method::POST, &path, None, "confirmed").await
        }
    }
}
