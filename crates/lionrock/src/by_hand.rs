//! Acts by hand on the data folder of a stopped server, by whoever holds its seal: an administrator
//! is let in again when the last one is lost, a rollback is accepted by its name.
//!
//! **Way:** the folder is taken like by a server, so that none runs; the act begins in the boot
//! journal; the seal is opened with its key file or a passphrase asked for here; the rooms open,
//! which takes the journal into the log; the act is committed with its event; the rooms close.
//!
//! **Invariant:** nothing happens before the journal says that it begins.

use crate::cli::local::{AcceptRollback, AtRest, BreakGlass};
use crate::clock::SystemClock;
use crate::config::{Config, ConfigError};
use crate::exit::Exit;
use crate::folder::{FolderError, write_private};
use crate::installation::{Acceptance, Installation, OpenError, Opened, StartError};
use crate::screen;
use access::AccessError;
use access::roles::Role;
use kernel::{Clock, Event, LabelError, Name, Secret};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use strongroom::Seal;

/// Where the link of broken glass lies in the data folder.
const LINK_FILE: &str = "break-glass.link";

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ByHandError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no installation.
    #[error("`{path}` holds no installation: there is no `root` in it", path = path.display())]
    NoInstallation {
        /// The folder.
        path: PathBuf,
    },
    /// The folder, the seal or a room does not open.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A room does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The act was refused.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A name breaks the rule.
    #[error(transparent)]
    Name(#[from] LabelError),
    /// A word on the command line breaks a rule.
    #[error("`{argument}`: {rule}")]
    Argument {
        /// The argument.
        argument: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

impl ByHandError {
    fn exit(&self) -> Exit {
        match self {
            Self::Argument { .. } | Self::Name(_) | Self::Config(_) => Exit::Usage,
            Self::NoInstallation { .. } | Self::Access(AccessError::NoSuch(_)) => Exit::NotFound,
            Self::Start(StartError::Folder(FolderError::Taken { .. })) => Exit::Conflict,
            Self::Open(OpenError::Log(
                audit::OpenError::OtherRollback { .. } | audit::OpenError::NoRollback,
            )) => Exit::Conflict,
            Self::Access(
                AccessError::Separation(_) | AccessError::NameTaken | AccessError::NobodyLost,
            ) => Exit::Conflict,
            _ => Exit::Failed,
        }
    }
}

/// Lets an administrator in again when the last one is lost.
pub async fn break_glass(json: bool, args: &BreakGlass) -> Exit {
    ended(json, glass_broken(args).await)
}

/// Accepts a rollback by its name.
pub async fn accept_rollback(json: bool, args: &AcceptRollback) -> Exit {
    ended(json, rollback_accepted(args).await)
}

fn ended(json: bool, done: Result<Value, ByHandError>) -> Exit {
    match done {
        Ok(said) => {
            show(json, &said);
            Exit::Done
        }
        Err(error) => {
            screen::failure(&error);
            error.exit()
        }
    }
}

fn show(json: bool, said: &Value) {
    if json {
        return screen::line(&format!("{said:#}"));
    }
    for (name, value) in said.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        screen::line(&format!("{}: {text}", name.replace('_', " ")));
    }
}

async fn glass_broken(args: &BreakGlass) -> Result<Value, ByHandError> {
    let config = configured(&args.at)?;
    let custodians = people("--custodian", &args.custodians)?;
    if config.seal.two_custodians && custodians.len() != 2 {
        let rule = "this installation wants two custodians, each named";
        return Err(ByHandError::Argument { argument: "--custodian", rule });
    }
    let wrong = |rule| ByHandError::Argument { argument: "--role", rule };
    let role = Role::from_word(&args.role).ok_or_else(|| wrong("expected an administrator"))?;
    let ask = access::BreakGlass {
        person: args.person.parse()?,
        new: args.new.as_ref().map(|name| name.parse()).transpose()?,
        role,
        custodians: custodians.clone(),
        reason: args.reason.clone(),
    };
    let begun = Event::system("system.break-glass-begun", SystemClock.wall())
        .with("role", args.role.as_str())
        .with("reason", args.reason.as_str());
    let (house, opened) = opened(config, &begun, &custodians, None).await?;
    let done = opened.rooms.access.break_glass(ask).await;
    let written = match done {
        Ok(invitation) => {
            let link = house.link_of(&invitation);
            let file = house.file(LINK_FILE);
            write_private(&file, link.as_bytes()).map_err(ByHandError::from).map(|file| {
                json!({
                    "person": invitation.person.to_string(),
                    "link_file": file.display().to_string(),
                    "ends": invitation.expires_at.rfc3339(),
                    "approvals_count": "after 24 hours",
                })
            })
        }
        Err(cause) => Err(cause.into()),
    };
    house.close().await;
    written
}

async fn rollback_accepted(args: &AcceptRollback) -> Result<Value, ByHandError> {
    let config = configured(&args.at)?;
    let accepted_by = people("--accepted-by", &args.accepted_by)?;
    if accepted_by.len() != 2 {
        let rule = "two people accept a rollback";
        return Err(ByHandError::Argument { argument: "--accepted-by", rule });
    }
    let fits = (1..=kernel::limits::TEXT_CHARS_MAX).contains(&args.reason.trim().chars().count());
    if !fits {
        let rule = "expected 1 to 2000 characters";
        return Err(ByHandError::Argument { argument: "--reason", rule });
    }
    let rule = "expected a root as a checkpoint prints it, in base64";
    let wrong = || ByHandError::Argument { argument: "--known-root", rule };
    let known_root = match &args.known_root {
        Some(text) => Some(audit::Hash::parse(text).ok_or_else(wrong)?),
        None => None,
    };
    let (known_size, reason) = (args.known_size, args.reason.trim().to_owned());
    let begun = Event::system("system.rollback-accepting", SystemClock.wall())
        .with("known_size", known_size.to_string())
        .with("reason", reason.as_str());
    let acceptance =
        Acceptance { known_size, known_root, accepted_by: accepted_by.clone(), reason };
    let (house, opened) = opened(config, &begun, &accepted_by, Some(acceptance)).await?;
    let (origin, size) = (opened.rooms.log.origin(), opened.rooms.log.head().size);
    house.close().await;
    Ok(json!({ "origin": origin, "size": size, "known_size": known_size }))
}

fn configured(at: &AtRest) -> Result<Config, ByHandError> {
    let mut config = Config::read(at.config.as_deref())?;
    if let Some(data) = &at.data {
        config.data.clone_from(data);
    }
    if let Some(key_file) = &at.seal_key_file {
        config.seal.key_file = Some(key_file.clone());
    }
    if config.data.join("root").exists() {
        return Ok(config);
    }
    Err(ByHandError::NoInstallation { path: config.data })
}

/// Names of people, each another.
fn people(argument: &'static str, names: &[String]) -> Result<Vec<Name>, ByHandError> {
    let rule = "expected one or two names, each another";
    let people: Vec<Name> = names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
    match people.as_slice() {
        [_] => Ok(people),
        [one, other] if one != other => Ok(people),
        _ => Err(ByHandError::Argument { argument, rule }),
    }
}

/// Takes the folder, notes what begins, opens the seal and the rooms.
async fn opened(
    config: Config,
    begun: &Event,
    people: &[Name],
    acceptance: Option<Acceptance>,
) -> Result<(Arc<Installation>, Arc<Opened>), ByHandError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let parts = if config.seal.two_custodians { people } else { people.get(..1).unwrap_or(people) };
    let parts = parts.to_vec();
    let house = Installation::prepare_accepting(config, clock, acceptance)?;
    let words = ["by", "and-by"].into_iter().zip(people);
    let begun = words.fold(begun.clone(), |event, (word, name)| event.with(word, name.as_str()));
    house.note(&begun).await?;
    let room = match house.unattended()? {
        Some(room) => room,
        None => house.unsealed_by_hand(&passphrase(&parts)?).await?,
    };
    let rooms = house.open(room).await?;
    Ok((house, rooms))
}

/// The passphrase, in as many parts as there are people who hold it.
fn passphrase(people: &[Name]) -> Result<Seal, StartError> {
    let mut whole = zeroize::Zeroizing::new(String::new());
    for person in people {
        let question = match people {
            [_] => String::from("Passphrase of the seal: "),
            _ => format!("The part of the passphrase that {} holds: ", person.as_str()),
        };
        let part = screen::ask_secret(&question).map_err(StartError::NoTerminal)?;
        whole.push_str(part.expose());
    }
    Ok(Seal::Passphrase(Secret::new(std::mem::take(&mut *whole))))
}
