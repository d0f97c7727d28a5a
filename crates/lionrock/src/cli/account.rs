//! One's own account: password and device of one-time codes, changed with both proofs until now.
//!
//! Other sessions end with each change; this one goes on under a new token.

use super::CliError;
use super::args::Remote;
use super::login::{keep, new_password};
use crate::client::{Client, Sent};
use crate::screen;
use clap::Subcommand;
use http::Method;
use kernel::Secret;
use serde_json::{Value, json};

/// Verbs of one's own account.
#[derive(Debug, Subcommand)]
pub enum Account {
    /// Changes your password.
    Password,
    /// Changes the device that shows your one-time codes.
    Device,
}

pub(super) async fn account(remote: &Remote, account: &Account) -> Result<(), CliError> {
    let client = super::client(remote)?;
    match account {
        Account::Password => password(&client).await,
        Account::Device => device(&client).await,
    }
}

fn ask(question: &str) -> Result<Secret<String>, CliError> {
    screen::ask_secret(question).map_err(CliError::Terminal)
}

async fn send(client: &Client, path: &str, body: &Value) -> Result<Value, CliError> {
    Ok(client.ask(Method::POST, path, Sent::Json(body)).await?.json()?)
}

async fn password(client: &Client) -> Result<(), CliError> {
    let (old, code) = (ask("Password until now: ")?, ask("One-time code: ")?);
    let new = new_password()?;
    let body = json!({
        "current_password": old.expose(), "code": code.expose(), "password": new.expose(),
    });
    keep(&send(client, "/api/v1/account/password", &body).await?)
}

async fn device(client: &Client) -> Result<(), CliError> {
    let (old, code) = (ask("Password until now: ")?, ask("One-time code of the old device: ")?);
    let body = json!({ "current_password": old.expose(), "code": code.expose() });
    let begun = send(client, "/api/v1/account/device/begin", &body).await?;
    let told = |field| begun.get(field).and_then(Value::as_str).unwrap_or_default();
    screen::aside(&format!("seed of one-time codes: {}", told("seed")));
    screen::aside(&format!("for an authenticator: {}", told("otpauth")));
    let code = ask("One-time code of the new device: ")?;
    let body = json!({ "code": code.expose() });
    keep(&send(client, "/api/v1/account/device", &body).await?)
}
