//! The command line: what can be said, and what is done about it.
//!
//! Verbs of a client speak to the same API as everybody else; `--json` prints what the API said.

pub mod account;
pub mod args;
pub mod asking;
pub mod clock;
pub mod credentials;
pub mod discover;
pub mod groups;
pub mod identities;
pub mod inspect;
pub mod keys;
pub mod local;
mod login;
mod paths;
pub mod profiles;
mod show;
pub mod sources;
mod verb;
mod verbs;

pub use args::{Cli, Command};

use crate::client::{Client, ClientError};
use crate::clock::SystemClock;
use crate::exit::Exit;
use crate::screen;
use args::Remote;
use kernel::Secret;
use std::sync::Arc;

/// Why a command of a client failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The server refused or does not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A file of the client cannot be used.
    #[error("`{path}` cannot be used")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A private file cannot be written.
    #[error(transparent)]
    Folder(#[from] crate::folder::FolderError),
    /// The authority's certificate is not a certificate.
    #[error("`{0}` holds no certificate in PEM")]
    Authority(std::path::PathBuf),
    /// There is nobody to ask.
    #[error("there is no terminal to ask on")]
    Terminal(#[source] std::io::Error),
    /// No home folder to keep the session in.
    #[error("there is no home folder: set `HOME`, or name the files")]
    Homeless,
    /// Files cannot be inspected on this machine.
    #[error("files cannot be inspected here")]
    Worker(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The system has no randomness.
    #[error("the system's random generator does not answer")]
    NoRandomness,
    /// An argument breaks a rule that the command line cannot express.
    #[error("`{argument}`: {rule}")]
    Argument {
        /// The argument.
        argument: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

impl CliError {
    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Client(ClientError::Refused(refused)) => Exit::of_status(refused.status),
            Self::Client(ClientError::Unreachable { .. }) => Exit::Unavailable,
            Self::Argument { .. } | Self::Client(ClientError::Address(_)) => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

/// Runs a verb of the client.
pub async fn run(cli: Cli) -> Exit {
    match verbs::run(cli.json, cli.command).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            screen::failure(&error);
            error.exit()
        }
    }
}

/// The client of a command, with the token of the session or the one that was named.
fn client(remote: &Remote) -> Result<Client, CliError> {
    let token = match &remote.token_file {
        Some(path) => Some(read_token(path)?),
        None => {
            let path = paths::session()?;
            if path.exists() { Some(read_token(&path)?) } else { None }
        }
    };
    client_with(remote, token)
}

fn client_with(remote: &Remote, token: Option<Secret<String>>) -> Result<Client, CliError> {
    let path = match &remote.authority {
        Some(path) => path.clone(),
        None => paths::authority()?,
    };
    let authority = paths::read_certificate(&path)?;
    Ok(Client::new(&remote.address, &authority, token, Arc::new(SystemClock))?)
}

fn read_token(path: &std::path::Path) -> Result<Secret<String>, CliError> {
    let mut text = std::fs::read_to_string(path)
        .map_err(|cause| CliError::File { path: path.into(), cause })?;
    text.truncate(text.trim_end().len());
    Ok(Secret::new(text))
}
