//! Signing in and out: password and one-time code become a session's token in a private file.

use super::args::Remote;
use super::{CliError, client, client_with, paths};
use crate::client::Sent;
use crate::{folder, screen};
use http::Method;
use kernel::Secret;
use serde_json::{Value, json};
use std::os::unix::fs::DirBuilderExt;

pub(super) async fn login(remote: &Remote, name: &str) -> Result<(), CliError> {
    let client = client_with(remote, None)?;
    let password = screen::ask_secret("Password: ").map_err(CliError::Terminal)?;
    let code = screen::ask_secret("One-time code: ").map_err(CliError::Terminal)?;
    let body = json!({ "name": name, "password": password.expose(), "code": code.expose() });
    let reply = client.ask(Method::POST, "/api/v1/sessions", Sent::Json(&body)).await?.json()?;
    keep(&reply)
}

/// Keeps the session that an answer gives.
pub(super) fn keep(reply: &Value) -> Result<(), CliError> {
    let token = reply.get("token").and_then(Value::as_str).unwrap_or_default();
    let path = paths::session()?;
    if let Some(folder) = path.parent() {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|cause| CliError::File { path: folder.into(), cause })?;
    }
    folder::write_private(&path, token.as_bytes())?;
    let ends = reply.get("ends").and_then(Value::as_str).unwrap_or_default();
    screen::aside(&format!("signed in until {ends}"));
    Ok(())
}

/// Asks for a new password twice.
pub(super) fn new_password() -> Result<Secret<String>, CliError> {
    let first = screen::ask_secret("New password: ").map_err(CliError::Terminal)?;
    let second = screen::ask_secret("The same again: ").map_err(CliError::Terminal)?;
    if first.expose() == second.expose() {
        return Ok(first);
    }
    Err(CliError::Argument { argument: "password", rule: "the two are not the same" })
}

pub(super) async fn logout(remote: &Remote) -> Result<(), CliError> {
    client(remote)?.ask(Method::DELETE, "/api/v1/sessions/current", Sent::Nothing).await?;
    let path = paths::session()?;
    std::fs::remove_file(&path).map_err(|cause| CliError::File { path, cause })?;
    screen::aside("signed out");
    Ok(())
}

pub(super) async fn unseal(remote: &Remote) -> Result<(), CliError> {
    let client = client_with(remote, None)?;
    let passphrase = screen::ask_secret("Passphrase of the seal: ").map_err(CliError::Terminal)?;
    let body = json!({ "passphrase": passphrase.expose() });
    client.ask(Method::POST, "/api/v1/sys/unseal", Sent::Json(&body)).await?;
    screen::aside("unsealed");
    Ok(())
}
