//! A verb on its way: asks the API below its prefix, and shows what it says.

use super::args::Remote;
use super::{CliError, client, show};
use crate::client::{Client, Sent};
use crate::screen;
use http::Method;
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// A verb on its way: the client, and how to show what it says.
pub(super) struct Verb {
    pub(super) client: Client,
    pub(super) json: bool,
}

impl Verb {
    pub(super) fn to(remote: &Remote, json: bool) -> Result<Self, CliError> {
        Ok(Self { client: client(remote)?, json })
    }

    pub(super) async fn get(
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
    pub(super) async fn text(&self, path: &[&str]) -> Result<(), CliError> {
        let reply = self.client.ask(Method::GET, &below(path), Sent::Nothing).await?;
        screen::bytes(&reply.body);
        Ok(())
    }

    pub(super) async fn post(
        &self,
        path: &[&str],
        body: Option<&Value>,
        people: impl FnOnce(&Value) -> String,
    ) -> Result<(), CliError> {
        let reply = self.send(path, body).await?;
        show::answer(self.json, &reply, people);
        Ok(())
    }

    pub(super) async fn send(
        &self,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<Value, CliError> {
        let sent = body.map_or(Sent::Nothing, Sent::Json);
        Ok(self.client.ask(Method::POST, &below(path), sent).await?.json()?)
    }

    /// Asks for a change that answers with nothing; says so beside the result.
    pub(super) async fn done(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
        said: &str,
    ) -> Result<(), CliError> {
        let sent = body.map_or(Sent::Nothing, Sent::Json);
        self.client.ask(method, &below(path), sent).await?;
        screen::aside(said);
        Ok(())
    }
}

/// A path of the API; what comes from the command line cannot leave its place in it.
pub(super) fn below(segments: &[&str]) -> String {
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

pub(super) fn question(pairs: &[(&str, Option<String>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
}

/// Reads a file, or standard input where none is named.
pub(super) fn read(path: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let named = path.unwrap_or_else(|| Path::new("-"));
    let mut bytes = Zeroizing::new(Vec::new());
    let done = match path {
        Some(path) => std::fs::File::open(path).and_then(|mut f| f.read_to_end(&mut bytes)),
        None => std::io::stdin().lock().read_to_end(&mut bytes),
    };
    done.map_err(|cause| CliError::File { path: named.into(), cause })?;
    Ok(bytes)
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
