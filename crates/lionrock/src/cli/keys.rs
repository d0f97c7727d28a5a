//! Keys: created, listed, used, switched, let go.

use super::CliError;
use super::asking::{self, Leaving};
use super::identities;
use super::show;
use super::verb::{Verb, read};
use crate::{folder, screen};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Reads from a file or from standard input, writes to a file or to standard output.
#[derive(Debug, Clone, Args)]
pub struct Streams {
    /// The file to read [default: standard input]
    #[arg(long = "in", value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// The file to write, mode 0600 [default: standard output]
    #[arg(long = "out", value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Verbs of keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Lists the keys that you may see, by name.
    List {
        /// Only keys of this key domain.
        #[arg(long)]
        domain: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u16,
        /// Names after this one.
        #[arg(long)]
        after: Option<String>,
    },
    /// Makes a key.
    Create {
        /// The key domain.
        #[arg(long)]
        domain: String,
        /// The name, unique in its key domain.
        #[arg(long)]
        name: String,
        /// Such as `aes-256-gcm`, `rsa-3072`, `ec-p-256`, `ed25519`, `ml-dsa-65`.
        #[arg(long)]
        algorithm: String,
        /// A label, `key=value`; may be repeated.
        #[arg(long = "label", value_name = "KEY=VALUE")]
        labels: Vec<String>,
        /// Makes a new version every so many days.
        #[arg(long, value_name = "DAYS")]
        rotate_every: Option<u32>,
    },
    /// Shows what is known about a key.
    Show {
        /// The key.
        key: String,
    },
    /// Makes a new version.
    Rotate {
        /// The key.
        key: String,
    },
    /// Stops a key at once.
    Suspend {
        /// The key.
        key: String,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
        /// What will stop, as it was asked; may be repeated.
        #[arg(long = "stops", value_name = "NAME")]
        stops: Vec<String>,
    },
    /// Lets a suspended key work again.
    Resume {
        /// The key.
        key: String,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
    },
    /// Schedules the destruction of a key; its ciphertext never opens again afterwards.
    Destroy {
        /// The key.
        key: String,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
    },
    /// Takes a scheduled destruction back while it waits.
    Recover {
        /// The key.
        key: String,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
    },
    /// Declares versions known or feared to be known to others: they protect nothing more.
    Compromise {
        /// The key.
        key: String,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
        /// A version; may be repeated [default: all that have material]
        #[arg(long = "version", value_name = "NUMBER")]
        versions: Vec<u32>,
    },
    /// Gives a key out, wrapped for the holder of an RSA key, after others have approved.
    Export {
        /// The key.
        key: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        leaving: Leaving,
        /// The file to write, mode 0600 (CKM_RSA_AES_KEY_WRAP of PKCS #11).
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Encrypts up to 1 MiB; larger data is encrypted under a data key.
    Encrypt {
        /// The key.
        key: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        streams: Streams,
    },
    /// Decrypts what `encrypt` made.
    Decrypt {
        /// The key.
        key: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        streams: Streams,
    },
    /// Signs.
    Sign {
        /// The key.
        key: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        streams: Streams,
    },
    /// Verifies a signature.
    Verify {
        /// The key.
        key: String,
        /// The file that holds the signature.
        #[arg(long)]
        signature: PathBuf,
        /// The file that was signed [default: standard input]
        #[arg(long = "in", value_name = "FILE")]
        input: Option<PathBuf>,
    },
}

pub(super) async fn keys(verb: Verb, keys: Keys) -> Result<(), CliError> {
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
