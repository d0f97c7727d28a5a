//! API tokens: made, listed, revoked.

use super::CliError;
use super::identities::put;
use super::show;
use super::verb::Verb;
use crate::clock::SystemClock;
use crate::folder;
use clap::Subcommand;
use http::Method;
use kernel::Clock;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Verbs of tokens.
#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// Lists your tokens and those of services that you own, never their texts.
    List {
        /// Only tokens of this person or service.
        #[arg(long)]
        holder: Option<String>,
    },
    /// Makes a token; its text is given once.
    Create {
        /// What it is called.
        #[arg(long)]
        name: String,
        /// Whose it is to be: a service that you own [default: yourself]
        #[arg(long)]
        holder: Option<String>,
        /// An action that it is good for, such as `key.encrypt`; may be repeated [default: all of
        /// its holder's]
        #[arg(long = "action", value_name = "ACTION")]
        actions: Vec<String>,
        /// A key domain that it is good in; may be repeated [default: all of its holder's]
        #[arg(long = "domain", value_name = "DOMAIN")]
        domains: Vec<String>,
        /// How long it is good, at most a year.
        #[arg(long, value_name = "DAYS", default_value_t = 90)]
        #[arg(value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
        /// Writes the text into a file of mode 0600, in place of showing it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Revokes a token at once.
    Revoke {
        /// The token's id.
        token: String,
    },
}

pub(super) async fn tokens(verb: Verb, tokens: Tokens) -> Result<(), CliError> {
    match tokens {
        Tokens::List { holder } => {
            let columns = show::table(&["id", "name", "holder", "ends", "revoked"]);
            verb.get(&["tokens"], &[("holder", holder)], columns).await
        }
        Tokens::Create { name, holder, actions, domains, days, out } => {
            let ends = SystemClock.wall().plus_days(i64::from(days)).rfc3339();
            let mut body = json!({ "name": name, "ends": ends });
            if let Some(holder) = holder {
                put(&mut body, "holder", holder);
            }
            for (field, words) in [("actions", actions), ("domains", domains)] {
                if !words.is_empty() {
                    put(&mut body, field, words);
                }
            }
            let mut made = verb.send(&["tokens"], Some(&body)).await?;
            if let Some(out) = out {
                let token = made.as_object_mut().and_then(|object| object.remove("token"));
                let token = token.as_ref().and_then(Value::as_str).unwrap_or_default();
                folder::write_private(&out, token.as_bytes())?;
            }
            show::answer(verb.json, &made, show::fields);
            Ok(())
        }
        Tokens::Revoke { token } => {
            verb.done(Method::DELETE, &["tokens", &token], None, "revoked").await
        }
    }
}
