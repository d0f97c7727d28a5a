//! The verbs: each is one or two requests to the API.

use super::args::{
    Approvals, Assets, Checks, Command, Domains, Keys, Log, People, Remote, Reports, Requirements,
    Streams, Tokens,
};
use super::{CliError, client, client_with, login, show};
use crate::client::{Client, Sent};
use crate::{folder, screen};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Map, Value, json};
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// A verb on its way: the client, and how to show what it says.
struct Verb {
    client: Client,
    json: bool,
}

pub(super) async fn run(json: bool, command: Command) -> Result<(), CliError> {
    match command {
        // These need no server: the binary runs them.
        Command::Serve(_)
        | Command::Demo(_)
        | Command::Verify(_)
        | Command::Witness(_)
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
        Command::People { verb: People::List, remote } => {
            let columns = show::table(&["id", "sign_in_name", "name", "active", "locked"]);
            Verb::to(&remote, json)?.get(&["people"], &[], columns).await
        }
        Command::Tokens { verb, remote } => tokens(Verb::to(&remote, json)?, verb).await,
        Command::Approvals { verb, remote } => approvals(Verb::to(&remote, json)?, verb).await,
        Command::Log { verb, remote } => log(Verb::to(&remote, json)?, verb).await,
        Command::Assets { verb, remote } => assets(Verb::to(&remote, json)?, verb).await,
        Command::Requirements { verb, remote } => {
            requirements(Verb::to(&remote, json)?, verb).await
        }
        Command::Checks { verb: Checks::Run, remote } => {
            Verb::to(&remote, json)?.post(&["runs"], None, show::fields).await
        }
        Command::Reports { verb, remote } => reports(Verb::to(&remote, json)?, verb).await,
    }
}

impl Verb {
    fn to(remote: &Remote, json: bool) -> Result<Self, CliError> {
        Ok(Self { client: client(remote)?, json })
    }

    async fn get(
        &self,
        path: &[&str],
        query: &[(&str, Option<String>)],
        people: impl FnOnce(&Value) -> String,
    ) -> Result<(), CliError> {
        let path = format!("{}{}", below(path), question(query));
        let reply = self.client.ask(Method::GET, &path, Sent::Nothing).await?;
        show::answer(self.json, &reply.json()?, people);
        Ok(())
    }

    /// What the API gives as text, as it is.
    async fn text(&self, path: &[&str]) -> Result<(), CliError> {
        let reply = self.client.ask(Method::GET, &below(path), Sent::Nothing).await?;
        screen::bytes(&reply.body);
        Ok(())
    }

    async fn post(
        &self,
        path: &[&str],
        body: Option<&Value>,
        people: impl FnOnce(&Value) -> String,
    ) -> Result<(), CliError> {
        let reply = self.send(path, body).await?;
        show::answer(self.json, &reply, people);
        Ok(())
    }

    async fn send(&self, path: &[&str], body: Option<&Value>) -> Result<Value, CliError> {
        let sent = body.map_or(Sent::Nothing, Sent::Json);
        Ok(self.client.ask(Method::POST, &below(path), sent).await?.json()?)
    }
}

/// A path of the API; what comes from the command line cannot leave its place in it.
fn below(segments: &[&str]) -> String {
    let mut path = String::from(rest::PREFIX);
    for segment in segments {
        path.push('/');
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
                path.push(char::from(byte));
            } else {
                path.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    path
}

fn question(pairs: &[(&str, Option<String>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
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
        Keys::Suspend { key, reason } => {
            let body = json!({ "reason": reason });
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
    let text = reply.get(received).and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD.decode(text).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| crate::client::ClientError::Strange)?;
    match &streams.output {
        Some(path) => folder::write_private(path, &bytes).map(drop).map_err(CliError::from),
        None => {
            screen::bytes(&bytes);
            Ok(())
        }
    }
}

fn read(path: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let named = path.unwrap_or_else(|| Path::new("-"));
    let mut bytes = Zeroizing::new(Vec::new());
    let done = match path {
        Some(path) => std::fs::File::open(path).and_then(|mut f| f.read_to_end(&mut bytes)),
        None => std::io::stdin().lock().read_to_end(&mut bytes),
    };
    done.map_err(|cause| CliError::File { path: named.into(), cause })?;
    Ok(bytes)
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

async fn tokens(verb: Verb, tokens: Tokens) -> Result<(), CliError> {
    match tokens {
        Tokens::List => {
            verb.get(&["tokens"], &[], show::table(&["id", "name", "holder", "ends"])).await
        }
        Tokens::Revoke { token } => {
            verb.client.ask(Method::DELETE, &below(&["tokens", &token]), Sent::Nothing).await?;
            Ok(())
        }
    }
}

async fn approvals(verb: Verb, approvals: Approvals) -> Result<(), CliError> {
    match approvals {
        Approvals::List => {
            let columns =
                show::table(&["id", "action", "resource", "requested_by", "state", "ends"]);
            verb.get(&["approvals"], &[], columns).await
        }
        Approvals::Approve { approval } => {
            verb.post(&["approvals", &approval, "approve"], None, show::fields).await
        }
        Approvals::Reject { approval, reason } => {
            let body = json!({ "reason": reason });
            verb.post(&["approvals", &approval, "reject"], Some(&body), show::fields).await
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
            verb.get(&["reports"], &[], show::table(&["id", "made", "made_by", "from", "to"])).await
        }
        Reports::Get { report, out } => {
            let path = below(&["reports", &report]);
            let reply = verb.client.ask(Method::GET, &path, Sent::Nothing).await?;
            folder::write_private(&out, &reply.body)?;
            Ok(())
        }
        Reports::Make => verb.post(&["reports"], Some(&json!({})), show::fields).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_cannot_leave_its_place_in_the_path() {
        assert_eq!(below(&["keys", "../sys/seal?x=1"]), "/api/v1/keys/..%2Fsys%2Fseal%3Fx%3D1");
        assert_eq!(question(&[("a", Some("b&c".into())), ("d", None)]), "?a=b%26c");
        assert_eq!(question(&[("d", None)]), "");
    }
}
