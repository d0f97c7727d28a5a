//! The verbs: each is one or two requests to the API.

use super::args::{Assets, Checks, Command, Domains, Keys, Log, Reports, Requirements, Streams};
use super::verb::{Verb, below, question, read};
use super::{CliError, asking, client_with, credentials, discover, identities, login, show};
use crate::client::Sent;
use crate::{folder, screen};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Map, Value, json};
use std::path::Path;
use zeroize::Zeroizing;

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
        Command::Keys { verb, remote } => keys(Verb::to(&remote, json)?, verb).await,
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

async fn keys(verb: Verb, keys: Keys) -> Result<(), CliError> {
    match keys {
        Keys::List { domain, limit, after } => {
            let query = [("domain", domain), ("limit", Some(limit.to_string())), ("after", after)];
            let columns = show::table(&["id", "name", "domain", "algorithm", "state"]);
            verb.get(&["keys"], &query, columns).await
        }
        Keys::Create { domain, name, algorithm, labels, rotate_every } => {
            let mut body = json!({
                "domain": domain, "name": name, "algorithm": algorithm,
                "labels": labels_of(&labels)?,
            });
            if let (Some(days), Some(object)) = (rotate_every, body.as_object_mut()) {
                object.insert("rotate_every_days".into(), days.into());
            }
            verb.post(&["keys"], Some(&body), show::fields).await
        }
        Keys::Show { key } => verb.get(&["keys", &key], &[], show::fields).await,
        Keys::Rotate { key } => verb.post(&["keys", &key, "rotate"], None, show::fields).await,
        Keys::Suspend { key, reason, stops } => {
            let body = asking::suspension(&reason, &stops);
            verb.post(&["keys", &key, "suspend"], Some(&body), show::fields).await
        }
        Keys::Resume { key, reason } => {
            let body = json!({ "reason": reason });
            verb.post(&["keys", &key, "resume"], Some(&body), show::fields).await
        }
        Keys::Destroy { key, reason } => {
            let body = json!({ "reason": reason });
            verb.post(&["keys", &key, "destroy"], Some(&body), show::fields).await
        }
        Keys::Recover { key, reason } => {
            let body = json!({ "reason": reason });
            verb.post(&["keys", &key, "recover"], Some(&body), show::fields).await
        }
        Keys::Compromise { key, reason, versions } => {
            let mut body = json!({ "reason": reason });
            if !versions.is_empty() {
                identities::put(&mut body, "versions", versions);
            }
            verb.post(&["keys", &key, "compromise"], Some(&body), show::fields).await
        }
        Keys::Export { key, leaving, out } => {
            let reply = verb.send(&["keys", &key, "export"], Some(&leaving.body()?)).await?;
            folder::write_private(&out, &decoded(&reply, "wrapped")?)?;
            Ok(())
        }
        Keys::Encrypt { key, streams } => {
            through(&verb, &key, "encrypt", ("plaintext", "ciphertext"), &streams).await
        }
        Keys::Decrypt { key, streams } => {
            through(&verb, &key, "decrypt", ("ciphertext", "plaintext"), &streams).await
        }
        Keys::Sign { key, streams } => {
            through(&verb, &key, "sign", ("message", "signature"), &streams).await
        }
        Keys::Verify { key, signature, input } => {
            let body = json!({
                "message": STANDARD.encode(&*read(input.as_deref())?),
                "signature": STANDARD.encode(&*read(Some(&signature))?),
            });
            verb.post(&["keys", &key, "verify"], Some(&body), show::fields).await
        }
    }
}

/// Bytes in, one operation, bytes out.
async fn through(
    verb: &Verb,
    key: &str,
    operation: &str,
    (sent, received): (&str, &'static str),
    streams: &Streams,
) -> Result<(), CliError> {
    let mut body = Map::new();
    body.insert(sent.into(), STANDARD.encode(&*read(streams.input.as_deref())?).into());
    let reply = verb.send(&["keys", key, operation], Some(&body.into())).await?;
    let bytes = decoded(&reply, received)?;
    match &streams.output {
        Some(path) => folder::write_private(path, &bytes).map(drop).map_err(CliError::from),
        None => {
            screen::bytes(&bytes);
            Ok(())
        }
    }
}

/// A field of an answer that holds bytes.
fn decoded(reply: &Value, field: &str) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let text = reply.get(field).and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD.decode(text).map(Zeroizing::new);
    Ok(bytes.map_err(|_| crate::client::ClientError::Strange)?)
}

fn labels_of(labels: &[String]) -> Result<Value, CliError> {
    let mut map = Map::new();
    for label in labels {
        let wrong = CliError::Argument { argument: "--label", rule: "expected `key=value`" };
        let (key, value) = label.split_once('=').ok_or(wrong)?;
        map.insert(key.into(), value.into());
    }
    Ok(map.into())
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
