//! Sources: added, changed, removed.

use super::CliError;
use super::show;
use super::verb::{Verb, below, read};
use crate::client::Sent;
use clap::{ArgGroup, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Verbs of sources.
#[derive(Debug, Subcommand)]
pub enum Sources {
    /// Lists sources with what was found in them.
    List,
    /// Adds a source: a folder, or any other kind by its setting in JSON.
    #[command(group(ArgGroup::new("where").required(true).args(["folder", "setting"])))]
    Add {
        /// The name, unique in its key domain.
        #[arg(long)]
        name: String,
        /// The absolute path of a folder on the server's machine.
        #[arg(long)]
        folder: Option<String>,
        /// A file with the setting: `{"kind": "s3", "bucket": …}`; see the page on sources.
        #[arg(long, value_name = "FILE")]
        setting: Option<PathBuf>,
        /// A file that holds the secret which opens it.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// Whose data it is.
        #[arg(long)]
        owner: Option<String>,
        /// The asset that it is in the inventory, such as `file-set:statements`.
        #[arg(long)]
        asset: Option<String>,
        /// The provider in the table of regions: `aws`, `on-premises`.
        #[arg(long)]
        provider: Option<String>,
        /// The provider's region; on premises the place (`HK`).
        #[arg(long)]
        region: Option<String>,
        /// Scans it every so many minutes.
        #[arg(long, value_name = "MINUTES")]
        every: Option<u32>,
        /// Reads no more than so many bytes a second.
        #[arg(long, value_name = "BYTES")]
        throttle: Option<u64>,
        /// The classification profile.
        #[arg(long)]
        profile: Option<String>,
    },
    /// Changes a source; what is not named stays. A scan that is under way goes on as it began.
    #[command(after_help = "An empty text empties a field: --owner '' --every 0 --throttle 0")]
    Edit {
        /// The source, by its name or identifier.
        source: String,
        /// Another name.
        #[arg(long)]
        name: Option<String>,
        /// The absolute path of another folder.
        #[arg(long, conflicts_with = "setting")]
        folder: Option<String>,
        /// A file with another setting, as a whole.
        #[arg(long, value_name = "FILE")]
        setting: Option<PathBuf>,
        /// A file that holds the new secret; the old one is shown to nobody.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// Whose data it is.
        #[arg(long)]
        owner: Option<String>,
        /// The provider in the table of regions.
        #[arg(long)]
        provider: Option<String>,
        /// The provider's region; on premises the place (`HK`).
        #[arg(long)]
        region: Option<String>,
        /// Scans it every so many minutes; 0 is by hand only.
        #[arg(long, value_name = "MINUTES")]
        every: Option<u32>,
        /// Reads no more than so many bytes a second; 0 is as fast as it goes.
        #[arg(long, value_name = "BYTES")]
        throttle: Option<u64>,
        /// The classification profile.
        #[arg(long)]
        profile: Option<String>,
    },
    /// Lists what was changed about a source, newest first.
    Edits {
        /// The source, by its name or identifier.
        source: String,
    },
    /// Removes a source with its findings.
    Remove {
        /// The source, by its name or identifier.
        source: String,
    },
}

pub(super) async fn run(verb: Verb, sources: Sources) -> Result<(), CliError> {
    match sources {
        Sources::List => {
            let columns = ["id", "name", "owner", "place", "scanned_at", "due_at"];
            verb.get(&["data", "sources"], &[], show::table(&columns)).await
        }
        Sources::Remove { source } => {
            let id = named(&verb, &source).await?;
            verb.done(Method::DELETE, &["data", "sources", &id], None, "removed").await
        }
        Sources::Edits { source } => {
            let id = named(&verb, &source).await?;
            let columns = show::table(&["at", "by", "changes"]);
            verb.get(&["data", "sources", &id, "edits"], &[], columns).await
        }
        adds @ Sources::Add { .. } => add(verb, adds).await,
        edits @ Sources::Edit { .. } => edit(verb, edits).await,
    }
}

async fn add(verb: Verb, adds: Sources) -> Result<(), CliError> {
    let Sources::Add {
        name,
        folder,
        setting,
        secret_file,
        owner,
        asset,
        provider,
        region,
        every,
        throttle,
        profile,
    } = adds
    else {
        return Ok(());
    };
    let setting = where_it_is(folder, setting)?;
    let mut body = Map::new();
    body.insert("name".into(), name.into());
    body.insert("setting".into(), setting);
    let mut put = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(field.to_owned(), value);
        }
    };
    if let Some(file) = secret_file {
        let secret = read(Some(&file))?;
        put("secret", Some(String::from_utf8_lossy(&secret).trim_end().into()));
    }
    put("owner", owner.map(Value::from));
    put("asset", asset.map(Value::from));
    put("provider", provider.map(Value::from));
    put("region", region.map(Value::from));
    put("every_minutes", every.map(Value::from));
    put("bytes_per_second", throttle.map(Value::from));
    put("profile", profile.map(Value::from));
    verb.post(&["data", "sources"], Some(&Value::Object(body)), show::fields).await
}

async fn edit(verb: Verb, edits: Sources) -> Result<(), CliError> {
    let Sources::Edit {
        source,
        name,
        folder,
        setting,
        secret_file,
        owner,
        provider,
        region,
        every,
        throttle,
        profile,
    } = edits
    else {
        return Ok(());
    };
    let id = named(&verb, &source).await?;
    let mut body = Map::new();
    if folder.is_some() || setting.is_some() {
        body.insert("setting".into(), where_it_is(folder, setting)?);
    }
    if let Some(file) = secret_file {
        let secret = read(Some(&file))?;
        body.insert("secret".into(), String::from_utf8_lossy(&secret).trim_end().into());
    }
    body.extend(name.map(|name| ("name".to_owned(), name.into())));
    // An empty text and a zero empty a field.
    for (field, text) in
        [("owner", owner), ("provider", provider), ("region", region), ("profile", profile)]
    {
        let value = |text: String| if text.is_empty() { Value::Null } else { text.into() };
        body.extend(text.map(|text| (field.to_owned(), value(text))));
    }
    let number = |number: u64| if number == 0 { Value::Null } else { number.into() };
    body.extend(every.map(|every| ("every_minutes".to_owned(), number(every.into()))));
    body.extend(throttle.map(|rate| ("bytes_per_second".to_owned(), number(rate))));
    let (path, body) = (below(&["data", "sources", &id]), Value::Object(body));
    let reply = verb.client.ask(Method::PATCH, &path, Sent::Json(&body)).await?.json()?;
    show::answer(verb.json, &reply, show::fields);
    Ok(())
}

fn where_it_is(folder: Option<String>, file: Option<PathBuf>) -> Result<Value, CliError> {
    if let Some(path) = folder {
        return Ok(json!({ "kind": "folder", "path": path }));
    }
    let wrong = |_| CliError::Argument { argument: "--setting", rule: "expected JSON" };
    serde_json::from_slice(&read(file.as_deref())?).map_err(wrong)
}

/// The identifier of a source that is named by its name or its identifier.
pub(super) async fn named(verb: &Verb, source: &str) -> Result<String, CliError> {
    if source.starts_with("src_") {
        return Ok(source.to_owned());
    }
    let path = below(&["data", "sources"]);
    let all = verb.client.ask(Method::GET, &path, Sent::Nothing).await?.json()?;
    let items = all.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |item: &Value, field: &str| item.get(field).and_then(Value::as_str).map(str::to_owned);
    let mut found = items.iter().filter(|item| text(item, "name").as_deref() == Some(source));
    let id = match (found.next(), found.next()) {
        (Some(one), None) => text(one, "id"),
        _ => None,
    };
    id.ok_or(CliError::Argument {
        argument: "SOURCE",
        rule: "expected the name of one source that you may see, or its identifier",
    })
}
