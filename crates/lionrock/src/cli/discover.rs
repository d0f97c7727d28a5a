//! Data: sources, scans, findings, decisions, acts, reports; and `inspect`, which needs no server.

use super::profiles::{self, Profiles};
use super::show;
use super::sources::{self, Sources, named};
use super::verb::{Verb, below, question, read};
use super::{CliError, inspect};
use crate::client::Sent;
use crate::{folder, screen};
use clap::{ArgGroup, Subcommand, ValueEnum};
use http::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// How often a waiting command asks how far a scan is.
const ASKED_EVERY: Duration = Duration::from_millis(500);

/// Verbs of data.
#[derive(Debug, Subcommand)]
pub enum Discover {
    /// Inspects files here and now, in the sandbox that scans use; no server is asked.
    #[command(after_help = "Examples:\n  \
        lionrock discover inspect letters/ customers.xlsx\n  \
        lionrock discover inspect --json backup.zip\n  \
        lionrock discover inspect --spans --root set letters/1.txt > hits.jsonl\n\n\
        With --spans, plain text of any encoding is read and each hit is a line of JSON:\n\
        {\"file\",\"start\",\"end\",\"type\"}, offsets in bytes of the text as UTF-8.")]
    Inspect(inspect::Inspect),
    /// Sources: the places where data is looked for.
    Source {
        /// What to do with sources.
        #[command(subcommand)]
        verb: Sources,
    },
    /// Begins a scan.
    Scan {
        /// The source, by its name or identifier.
        source: String,
        /// Waits for its end and shows how far it is.
        #[arg(long)]
        wait: bool,
    },
    /// Asks the scan of a source to stop; what it has found stays.
    Cancel {
        /// The source, by its name or identifier.
        source: String,
    },
    /// Lists scans of a source, newest first.
    Scans {
        /// The source, by its name or identifier.
        source: String,
    },
    /// Lists findings, the highest risk first.
    Findings {
        /// Only of this source, by its name or identifier.
        #[arg(long)]
        source: Option<String>,
        /// Only of this class: public, internal, confidential, restricted, secret.
        #[arg(long)]
        class: Option<String>,
        /// Only those that hold this kind, such as `hk-identity-card`.
        #[arg(long)]
        kind: Option<String>,
        /// Only those that stand so: open, accepted, protected, false-positive, gone.
        #[arg(long)]
        standing: Option<String>,
        /// Only of this level of risk or above: low, medium, high, critical.
        #[arg(long)]
        level: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u16,
        /// Goes on after this place.
        #[arg(long)]
        after: Option<String>,
    },
    /// Shows a finding with its reasons.
    Show {
        /// The finding.
        finding: String,
    },
    /// Decides about a finding.
    #[command(group(ArgGroup::new("what").required(true).args(
        ["no_find", "accept_until", "reopen", "take_back"])))]
    Decide {
        /// The finding.
        finding: String,
        /// Says that this kind is no find here; with --fingerprint or --column, wherever that is.
        #[arg(long, value_name = "KIND")]
        no_find: Option<String>,
        /// Only the value of this fingerprint, as a sample shows it.
        #[arg(long, requires = "no_find", conflicts_with = "column")]
        fingerprint: Option<String>,
        /// Only columns of this name in the finding's source.
        #[arg(long, requires = "no_find")]
        column: Option<String>,
        /// Accepts the risk until then (RFC 3339), within 366 days.
        #[arg(long, value_name = "TIME")]
        accept_until: Option<String>,
        /// Ends an acceptance before its time.
        #[arg(long)]
        reopen: bool,
        /// Takes back what was said to be no find.
        #[arg(long)]
        take_back: bool,
        /// Why: stands in the log.
        #[arg(long, required_unless_present = "take_back")]
        reason: Option<String>,
    },
    /// Lists what was said to be no find, with the name by which it is withdrawn.
    NoFinds,
    /// Withdraws something that was said to be no find; the next scan counts it again.
    Withdraw {
        /// Its name in the list.
        name: String,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
    },
    /// Acts on the object of a finding.
    Act {
        /// What to do.
        act: ActWord,
        /// The finding.
        finding: String,
        /// The key under which it is encrypted, labelled `found-data=encrypt`.
        #[arg(long, required_if_eq("act", "encrypt"))]
        key: Option<String>,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
    },
    /// Writes findings into a file that only you can read.
    Report {
        /// The form.
        #[arg(long, value_enum, default_value_t = Form::Csv)]
        format: Form,
        /// Only of this source, by its name or identifier.
        #[arg(long)]
        source: Option<String>,
        /// The file to write, mode 0600.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Tries every detector on a text; the server keeps nothing of it.
    Try {
        /// The file to read [default: standard input]
        #[arg(long = "in", value_name = "FILE")]
        input: Option<PathBuf>,
    },
    /// Detectors of the bank's own.
    Detector {
        /// What to do with detectors.
        #[command(subcommand)]
        verb: DetectorVerb,
    },
    /// Classification profiles: from what is found to how sensitive it is.
    Profile {
        /// What to do with profiles.
        #[command(subcommand)]
        verb: Profiles,
    },
}

/// Verbs of detectors.
#[derive(Debug, Subcommand)]
pub enum DetectorVerb {
    /// Lists the bank's own detectors.
    List,
    /// Adds a detector.
    #[command(group(ArgGroup::new("rule").required(true).args(["words", "pattern", "values"])))]
    Add {
        /// The name.
        #[arg(long)]
        name: String,
        /// The class of an object in which it finds something.
        #[arg(long)]
        class: String,
        /// A file with a word or phrase a line.
        #[arg(long, value_name = "FILE")]
        words: Option<PathBuf>,
        /// A regular expression.
        #[arg(long)]
        pattern: Option<String>,
        /// A file with a value a line; only keyed hashes of them are kept.
        #[arg(long, value_name = "FILE")]
        values: Option<PathBuf>,
    },
    /// Removes a detector.
    Remove {
        /// Its number.
        detector: u16,
    },
}

/// What is done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ActWord {
    /// Moves it where only the server reads.
    Quarantine,
    /// Brings it back.
    Restore,
    /// Replaces it by an envelope file.
    Encrypt,
    /// Deletes it; others must have approved it.
    Delete,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Comma-separated values.
    Csv,
    /// A workbook.
    Xlsx,
    /// A page for paper.
    Html,
}

impl Form {
    const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Html => "html",
        }
    }
}

pub(super) async fn run(
    json: bool,
    remote: &super::args::Remote,
    discover: Discover,
) -> Result<(), CliError> {
    if let Discover::Inspect(wanted) = discover {
        return inspect::run(json, wanted).await;
    }
    asked(Verb::to(remote, json)?, discover).await
}

async fn asked(verb: Verb, discover: Discover) -> Result<(), CliError> {
    match discover {
        Discover::Inspect(_) => Ok(()),
        Discover::Source { verb: sources } => sources::run(verb, sources).await,
        Discover::Profile { verb: profiles } => profiles::run(verb, profiles).await,
        Discover::Scan { source, wait } => scan(verb, &source, wait).await,
        Discover::Cancel { source } => {
            let id = named(&verb, &source).await?;
            let path = ["data", "sources", &id, "cancel"];
            verb.done(Method::POST, &path, None, "the scan was asked to stop").await
        }
        Discover::Scans { source } => {
            let id = named(&verb, &source).await?;
            let columns = show::table(&["id", "state", "started_at", "ended_at", "troubles_total"]);
            verb.get(&["data", "sources", &id, "scans"], &[], columns).await
        }
        Discover::Findings { source, class, kind, standing, level, limit, after } => {
            let source = match source {
                Some(source) => Some(named(&verb, &source).await?),
                None => None,
            };
            let limit = Some(limit.to_string());
            let query = [
                ("source", source),
                ("class", class),
                ("kind", kind),
                ("standing", standing),
                ("level", level),
                ("limit", limit),
                ("after", after),
            ];
            let columns = ["id", "level", "class", "standing", "source_name", "object"];
            verb.get(&["data", "findings"], &query, show::table(&columns)).await
        }
        Discover::Show { finding } => {
            verb.get(&["data", "findings", &finding], &[], show::fields).await
        }
        Discover::NoFinds => {
            let columns = show::table(&["name", "no_find", "reason", "at"]);
            verb.get(&["data", "no-finds"], &[], columns).await
        }
        Discover::Withdraw { name, reason } => {
            let body = json!({ "reason": reason });
            verb.post(&["data", "no-finds", &name, "withdraw"], Some(&body), show::fields).await
        }
        Discover::Decide { .. } => decide(verb, discover).await,
        Discover::Act { act, finding, key, reason } => {
            let word = match act {
                ActWord::Quarantine => "quarantine",
                ActWord::Restore => "restore",
                ActWord::Encrypt => "encrypt",
                ActWord::Delete => "delete",
            };
            let mut body = json!({ "reason": reason });
            if let (ActWord::Encrypt, Some(key), Some(fields)) = (act, key, body.as_object_mut()) {
                fields.insert("key".into(), key.into());
            }
            verb.post(&["data", "findings", &finding, word], Some(&body), show::fields).await
        }
        Discover::Report { format, source, out } => {
            let source = match source {
                Some(source) => Some(named(&verb, &source).await?),
                None => None,
            };
            let query = [("form", Some(format.word().to_owned())), ("source", source)];
            let path = format!("{}{}", below(&["data", "report"]), question(&query));
            let reply = verb.client.ask(Method::GET, &path, Sent::Nothing).await?;
            folder::write_private(&out, &reply.body)?;
            Ok(())
        }
        Discover::Try { input } => {
            let text = read(input.as_deref())?;
            let body = json!({ "text": String::from_utf8_lossy(&text) });
            verb.post(&["data", "try"], Some(&body), show::fields).await
        }
        Discover::Detector { verb: detectors } => detector(verb, detectors).await,
    }
}

async fn scan(verb: Verb, source: &str, wait: bool) -> Result<(), CliError> {
    let id = named(&verb, source).await?;
    let begun = verb.send(&["data", "sources", &id, "scans"], None).await?;
    let scan = begun.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !wait {
        show::answer(verb.json, &begun, show::fields);
        return Ok(());
    }
    let path = below(&["data", "scans", &scan]);
    let mut tick = tokio::time::interval(ASKED_EVERY);
    let mut last = String::new();
    loop {
        tick.tick().await;
        let now = verb.client.ask(Method::GET, &path, Sent::Nothing).await?.json()?;
        if now.get("state").and_then(Value::as_str) != Some("running") {
            show::answer(verb.json, &now, show::fields);
            return Ok(());
        }
        let line = progress(&now);
        if line != last {
            screen::aside(&line);
            last = line;
        }
    }
}

/// How far a scan is, in one line: objects, bytes, rate, time left.
fn progress(scan: &Value) -> String {
    let Some(live) = scan.get("live") else { return "waiting for its first page".to_owned() };
    let number = |field: &str| live.get(field).and_then(Value::as_u64).unwrap_or(0);
    let rate = live.get("bytes_per_second").and_then(Value::as_f64).unwrap_or(0.0);
    let expected = live.get("expected").and_then(|e| e.get("objects")).and_then(Value::as_u64);
    let of = expected.filter(|n| *n > 0).map_or_else(String::new, |n| format!(" of {n}"));
    let left = live.get("seconds_left").and_then(Value::as_u64);
    let left = left.map_or_else(String::new, |seconds| format!(", {seconds} s left"));
    let (objects, bytes) = (number("objects"), number("bytes"));
    format!("{objects}{of} objects, {:.1} MB, {:.1} MB/s{left}", megabytes(bytes), rate / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one figure after the point")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

async fn decide(verb: Verb, discover: Discover) -> Result<(), CliError> {
    let Discover::Decide {
        finding,
        no_find,
        fingerprint,
        column,
        accept_until,
        reopen,
        take_back: _,
        reason,
    } = discover
    else {
        return Ok(());
    };
    let on = |word| ["data", "findings", finding.as_str(), word];
    let reason = reason.unwrap_or_default();
    if let Some(kind) = no_find {
        let mut body = json!({ "kind": kind, "reason": reason });
        if let Some(fields) = body.as_object_mut() {
            fields.extend(fingerprint.map(|print| ("fingerprint".to_owned(), print.into())));
            fields.extend(column.map(|column| ("column".to_owned(), column.into())));
        }
        return verb.post(&on("no-find"), Some(&body), show::fields).await;
    }
    if let Some(until) = accept_until {
        let body = json!({ "until": until, "reason": reason });
        return verb.post(&on("accept"), Some(&body), show::fields).await;
    }
    if reopen {
        let body = json!({ "reason": reason });
        return verb.post(&on("reopen"), Some(&body), show::fields).await;
    }
    verb.done(Method::POST, &on("take-back"), None, "taken back").await
}

async fn detector(verb: Verb, detectors: DetectorVerb) -> Result<(), CliError> {
    match detectors {
        DetectorVerb::List => {
            let columns = show::table(&["number", "kind", "name", "class"]);
            verb.get(&["data", "detectors"], &[], columns).await
        }
        DetectorVerb::Remove { detector } => {
            let number = detector.to_string();
            verb.done(Method::DELETE, &["data", "detectors", &number], None, "removed").await
        }
        DetectorVerb::Add { name, class, words, pattern, values } => {
            let lines = |file: &PathBuf| -> Result<Vec<String>, CliError> {
                let text = read(Some(file))?;
                let text = String::from_utf8_lossy(&text).into_owned();
                Ok(text
                    .lines()
                    .map(str::trim)
                    .filter(|l| !l.is_empty())
                    .map(String::from)
                    .collect())
            };
            let rule = match (words, pattern, values) {
                (Some(file), _, _) => json!({ "dictionary": lines(&file)? }),
                (_, Some(pattern), _) => json!({ "pattern": pattern }),
                (_, _, Some(file)) => json!({ "exact": lines(&file)? }),
                _ => Value::Null,
            };
            let body = json!({ "name": name, "class": class, "rule": rule });
            verb.post(&["data", "detectors"], Some(&body), show::fields).await
        }
    }
}
