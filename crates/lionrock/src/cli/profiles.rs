//! Classification profiles: written, tried, put in force.

use super::CliError;
use super::show;
use super::verb::{Verb, read};
use clap::Subcommand;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Verbs of profiles.
#[derive(Debug, Subcommand)]
pub enum Profiles {
    /// Lists profiles, the one that ships first.
    List,
    /// Shows a profile with the rules of one version.
    Show {
        /// The profile's name; `bank` is the one that ships.
        profile: String,
        /// The version [default: the one in force, else the newest]
        #[arg(long)]
        version: Option<u32>,
    },
    /// Writes a version of a profile, in YAML or JSON; nothing follows it yet.
    Write {
        /// The file; its `name` says of which profile it is a version.
        file: PathBuf,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
    },
    /// Says what a profile would do: with what was found, or with a text.
    Try {
        /// The file with the profile, in YAML or JSON; it is not kept.
        file: PathBuf,
        /// A file with a text to try it on, instead of what was found.
        #[arg(long, value_name = "FILE")]
        text: Option<PathBuf>,
    },
    /// Puts a version in force; findings are labelled anew without a scan.
    #[command(after_help = "Back to the profile that ships:\n  \
        lionrock discover profile in-force bank --everywhere --reason \"…\"")]
    InForce {
        /// The profile's name.
        profile: String,
        /// The version [default: the newest]
        #[arg(long)]
        version: Option<u32>,
        /// Also for every source that names no profile.
        #[arg(long)]
        everywhere: bool,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(verb: Verb, profiles: Profiles) -> Result<(), CliError> {
    let text = |file: &PathBuf| -> Result<String, CliError> {
        Ok(String::from_utf8_lossy(&read(Some(file))?).into_owned())
    };
    match profiles {
        Profiles::List => {
            let columns = show::table(&["name", "title", "in_force", "default", "named_by"]);
            verb.get(&["data", "profiles"], &[], columns).await
        }
        Profiles::Show { profile, version } => {
            let query = [("version", version.map(|version| version.to_string()))];
            verb.get(&["data", "profiles", &profile], &query, show::fields).await
        }
        Profiles::Write { file, reason } => {
            let body = json!({ "profile": text(&file)?, "reason": reason });
            verb.post(&["data", "profiles"], Some(&body), show::fields).await
        }
        Profiles::Try { file, text: Some(on) } => {
            let body = json!({ "text": text(&on)?, "draft": text(&file)? });
            verb.post(&["data", "try"], Some(&body), show::fields).await
        }
        Profiles::Try { file, text: None } => {
            let body = json!({ "profile": text(&file)? });
            verb.post(&["data", "profiles", "try"], Some(&body), show::fields).await
        }
        Profiles::InForce { profile, version, everywhere, reason } => {
            let mut body = Map::new();
            body.insert("everywhere".into(), everywhere.into());
            body.insert("reason".into(), reason.into());
            body.extend(version.map(|version| ("version".to_owned(), version.into())));
            let path = ["data", "profiles", &profile, "in-force"];
            verb.post(&path, Some(&Value::Object(body)), show::fields).await
        }
    }
}
