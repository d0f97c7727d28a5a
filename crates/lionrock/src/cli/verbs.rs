//! The verbs: each is one or two requests to the API.

use super::args::{Assets, Checks, Command, Domains, Log, Reports, Requirements};
use super::verb::{Verb, below, question, read};
use super::{CliError, asking, client_with, credentials, discover, identities, login, show};
use crate::client::Sent;
use crate::folder;
use http::Method;
use serde_json::json;
use std::path::Path;

pub(super) async fn run(json: bool, command: Command) -> Result<(), CliError> {
    match command {
        // These need no server: the binary runs them.
        Command::Serve(_)
        | Command::Demo(_)
        | Command::Verify(_)
        | Command::Witness(_)
        | Command::Work(_)
        | Command::BreakGlass(_)
        | Command::AcceptRollback(_)
        | Command::Doctor(_) => Ok(()),
        Command::Login { name, remote } => login::login(&remote, &name).await,
        Command::Logout(remote) => login::logout(&remote).await,
        Command::Unseal(remote) => login::unseal(&remote).await,
        Command::Status(remote) => {
            let verb = Verb { client: client_with(&remote, None)?, json };
            verb.get(&["sys", "seal-status"], &[], show::fields).await
        }
        Command::Account { verb, remote } => super::account::account(&remote, &verb).await,
        Command::Clock { verb, remote } => {
            super::clock::clock(Verb::to(&remote, json)?, verb).await
        }
        Command::Keys { verb, remote } => super::keys::keys(Verb::to(&remote, json)?, verb).await,
        Command::Domains { verb, remote } => domains(Verb::to(&remote, json)?, verb).await,
        Command::Enrol { link_file, remote } => {
            identities::enrol(&remote, link_file.as_deref()).await
        }
        Command::Groups { verb, remote } => {
            super::groups::groups(Verb::to(&remote, json)?, verb).await
        }
        Command::People { verb, remote } => {
            identities::people(Verb::to(&remote, json)?, verb).await
        }
        Command::Services { verb, remote } => {
            identities::services(Verb::to(&remote, json)?, verb).await
        }
        Command::Roles { verb, remote } => identities::roles(Verb::to(&remote, json)?, verb).await,
        Command::Tokens { verb, remote } => {
            credentials::tokens(Verb::to(&remote, json)?, verb).await
        }
        Command::Approvals { verb, remote } => {
            asking::approvals(Verb::to(&remote, json)?, verb).await
        }
        Command::Log { verb, remote } => log(Verb::to(&remote, json)?, verb).await,
        Command::Assets { verb, remote } => assets(Verb::to(&remote, json)?, verb).await,
        Command::Discover { verb, remote } => discover::run(json, &remote, verb).await,
        Command::Requirements { verb, remote } => {
            requirements(Verb::to(&remote, json)?, verb).await
        }
        Command::Checks { verb: Checks::Run, remote } => {
            Verb::to(&remote, json)?.post(&["runs"], None, show::fields).await
        }
        Command::Checks { verb: Checks::Schedule, remote } => {
            Verb::to(&remote, json)?.get(&["runs", "schedule"], &[], show::fields).await
        }
        Command::Reports { verb, remote } => reports(Verb::to(&remote, json)?, verb).await,
    }
}

async fn domains(verb: Verb, domains: Domains) -> Result<(), CliError> {
    match domains {
        Domains::List => verb.get(&["domains"], &[], show::table(&["id", "name", "created"])).await,
        Domains::Create { name } => {
            verb.post(&["domains"], Some(&json!({ "name": name })), show::fields).await
        }
    }
}

async fn log(verb: Verb, log: Log) -> Result<(), CliError> {
    match log {
        Log::Query { action, resource, correlation, limit } => {
            let query = [
                ("action", action),
                ("resource", resource),
                ("correlation", correlation),
                ("limit", Some(limit.to_string())),
            ];
            let columns =
                show::table(&["position", "at", "principal", "action", "resource", "outcome"]);
            verb.get(&["log", "events"], &query, columns).await
        }
        Log::Checkpoint => verb.text(&["log", "checkpoint"]).await,
        Log::Key => verb.text(&["log", "key"]).await,
        Log::Consistency { from, to } => {
            let query = [("from", Some(from.to_string())), ("to", to.map(|to| to.to_string()))];
            verb.get(&["log", "consistency"], &query, show::fields).await
        }
    }
}

async fn assets(verb: Verb, assets: Assets) -> Result<(), CliError> {
    match assets {
        Assets::List => {
            verb.get(&["assets"], &[], show::table(&["id", "name", "reference", "source"])).await
        }
        Assets::Import { file, name, dry_run } => {
            let ending = file.extension().and_then(|ending| ending.to_str());
            let media = match ending {
                Some("yaml" | "yml") => "application/yaml",
                Some("csv") => "text/csv",
                Some("json") => "application/json",
                _ => {
                    let rule = "expected a file that ends in .yaml, .csv or .json";
                    return Err(CliError::Argument { argument: "FILE", rule });
                }
            };
            let bytes = read(Some(&file))?.to_vec();
            let stem = || file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            let query =
                [("name", name.or_else(stem)), ("dry_run", dry_run.then(|| "true".to_owned()))];
            let path = format!("{}{}", below(&["assets", "import"]), question(&query));
            let reply = verb.client.ask(Method::POST, &path, Sent::Bytes(media, bytes)).await?;
            show::answer(verb.json, &reply.json()?, show::fields);
            Ok(())
        }
    }
}

async fn requirements(verb: Verb, requirements: Requirements) -> Result<(), CliError> {
    match requirements {
        Requirements::List => {
            let columns = show::table(&["id", "source", "status", "title"]);
            verb.get(&["requirements"], &[], columns).await
        }
        Requirements::Show { requirement } => {
            verb.get(&["requirements", &requirement], &[], show::fields).await
        }
    }
}

async fn reports(verb: Verb, reports: Reports) -> Result<(), CliError> {
    match reports {
        Reports::List => {
            let columns = show::table(&["id", "made", "made_by", "from", "to", "state"]);
            verb.get(&["reports"], &[], columns).await
        }
        Reports::Get { report, out } => {
            let path = below(&["reports", &report]);
            let reply = verb.client.ask(Method::GET, &path, Sent::Nothing).await?;
            folder::write_private(&out, &reply.body)?;
            Ok(())
        }
        Reports::Make => verb.post(&["reports"], Some(&json!({})), show::fields).await,
        Reports::Review { report, pack } => sign(&verb, &report, &pack, "review", None).await,
        Reports::Approve { report, pack } => sign(&verb, &report, &pack, "approve", None).await,
        Reports::Return { report, pack, reason } => {
            sign(&verb, &report, &pack, "return", Some(&reason)).await
        }
    }
}

/// Signs the pack in hand: its hash is taken here, from the bytes that were read.
async fn sign(
    verb: &Verb,
    report: &str,
    pack: &Path,
    step: &str,
    reason: Option<&str>,
) -> Result<(), CliError> {
    let hash = audit::Hash::of(&read(Some(pack))?);
    let mut body = json!({ "step": step, "pack": documents::hex(&hash.0) });
    if let (Some(reason), Some(object)) = (reason, body.as_object_mut()) {
        object.insert("reason".into(), reason.into());
    }
    verb.post(&["reports", report, "signatures"], Some(&body), show::fields).await
}
