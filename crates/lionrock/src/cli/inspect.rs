//! `discover inspect`: files looked into here and now, by the same workers in the same sandbox that
//! scans use. No server, no store, no keys.

use super::CliError;
use crate::clock::SystemClock;
use crate::screen;
use clap::Args;
use detect::Kind;
use discover::sources::FolderSetting;
use discover::work::{Instructions, WorkerOptions, Workers};
use discover::{
    Inspector, LookFor, Looking, Object, Opened, Profile, Sandboxed, SourceSetting, Tallies, Tally,
};
use extract::{Inspection, KindName, Settings};
use kernel::{Clock, Rng};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use strongroom::SystemRng;
use tokio::task::JoinSet;

/// Objects that are listed at once.
const LISTED_AT_ONCE: usize = 500;
/// Most workers at once, as in a server.
const WORKERS_MAX: usize = 8;

/// What to inspect.
#[derive(Debug, Clone, Args)]
pub struct Inspect {
    /// Files and folders.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Prints each hit in a plain text as a line of JSON, for a score script.
    #[arg(long)]
    pub spans: bool,
    /// With --spans: the folder from which files are named.
    #[arg(long, requires = "spans")]
    pub root: Option<PathBuf>,
}

pub(super) async fn run(json: bool, wanted: Inspect) -> Result<(), CliError> {
    if wanted.spans {
        return spans(&wanted).await;
    }
    let mut key = [0; 32];
    // Fingerprints of one run are told apart from those of every other.
    SystemRng.fill(&mut key).map_err(|_| CliError::NoRandomness)?;
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let inspector = Sandboxed::new(WorkerOptions::this_program(processors.min(WORKERS_MAX)));
    let look_for = LookFor { detectors: Vec::new(), fingerprint_key: key, ignored: Vec::new() };
    let looking = inspector.ready(&look_for).await.map_err(CliError::Worker)?;
    let profile = Profile::builtin().map_err(|cause| CliError::Worker(cause.into()))?;
    let began = SystemClock.monotonic();
    let mut total = Total::default();
    for path in &wanted.paths {
        let path = std::path::absolute(path)
            .map_err(|cause| CliError::File { path: path.clone(), cause })?;
        each(&path, &looking, inspector.at_once(), &mut |name, found| {
            total.count(&found);
            tell(json, &profile, name, &found);
        })
        .await?;
    }
    if !json {
        let micros = SystemClock.monotonic().0.saturating_sub(began.0);
        screen::aside(&total.line(micros));
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Total {
    files: u64,
    bytes: u64,
    troubles: usize,
}

impl Total {
    fn count(&mut self, found: &Inspection) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(found.bytes);
        self.troubles += found.troubles.len();
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with one figure")]
    fn line(&self, micros: u64) -> String {
        let seconds = micros.max(1) as f64 / 1e6;
        let megabytes = self.bytes as f64 / 1e6;
        let Self { files, troubles, .. } = self;
        format!(
            "{files} files, {megabytes:.1} MB in {seconds:.1} s ({:.1} MB/s), {troubles} troubles",
            megabytes / seconds
        )
    }
}

/// Looks into a file, or into every file of a folder, several at once.
async fn each(
    path: &Path,
    looking: &Arc<dyn Looking>,
    at_once: usize,
    told: &mut (dyn FnMut(&str, Inspection) + Send),
) -> Result<(), CliError> {
    let unusable = |cause| CliError::File { path: path.into(), cause };
    if path.is_file() {
        let file = std::fs::File::open(path).map_err(unusable)?;
        let hint = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let opened = Opened { content: file.into(), hint, sampled: false };
        let found = looking.look(opened, &|_| ()).await;
        told(&path.display().to_string(), found);
        return Ok(());
    }
    let setting = SourceSetting::Folder(FolderSetting {
        path: path.display().to_string(),
        other_file_systems: true,
    });
    let source = discover::sources::open(&setting, None).await;
    let source: Arc<dyn discover::Source> =
        Arc::from(source.map_err(|cause| CliError::Worker(cause.into()))?);
    let (mut after, mut looks) = (None, JoinSet::new());
    loop {
        let listing = source.list(after.as_deref(), LISTED_AT_ONCE).await;
        let listing = listing.map_err(|cause| CliError::Worker(cause.into()))?;
        for (place, why) in &listing.unreadable {
            screen::aside(&format!("{place}: {why}"));
        }
        for object in listing.objects {
            while looks.len() >= at_once.max(1) {
                gather(&mut looks, path, told).await;
            }
            let (source, looking) = (Arc::clone(&source), Arc::clone(looking));
            looks.spawn(
                async move { (object.name.clone(), look(&*source, &*looking, &object).await) },
            );
        }
        after = listing.next;
        if after.is_none() {
            break;
        }
    }
    while !looks.is_empty() {
        gather(&mut looks, path, told).await;
    }
    Ok(())
}

type Looked = (String, Option<Inspection>);

async fn gather(
    looks: &mut JoinSet<Looked>,
    path: &Path,
    told: &mut (dyn FnMut(&str, Inspection) + Send),
) {
    match looks.join_next().await {
        Some(Ok((name, Some(found)))) => told(&path.join(name).display().to_string(), found),
        Some(Ok((name, None))) => screen::aside(&format!("{name}: cannot be read")),
        _ => {}
    }
}

async fn look(
    source: &dyn discover::Source,
    looking: &dyn Looking,
    object: &Object,
) -> Option<Inspection> {
    let opened = source.open(object).await.ok()?;
    Some(looking.look(opened, &|_| ()).await)
}

fn tell(json: bool, profile: &Profile, name: &str, found: &Inspection) {
    let mut tallies = Tallies::new();
    for kind in found.parts.iter().flat_map(|part| &part.kinds) {
        let tally = tallies.entry(kind.kind).or_default();
        let (sure, likely, distinct) = (kind.sure, kind.likely, kind.distinct);
        *tally = tally.plus(Tally { sure, likely, distinct });
    }
    let classified = profile.classify(&tallies);
    let shown = discover::shown_name(name);
    if json {
        let line = json!({
            "file": shown, "class": classified.class, "because": classified.because,
            "inspection": found,
        });
        screen::line(&line.to_string());
        return;
    }
    screen::line(&format!("{:<13} {shown}", classified.class.word()));
    for (kind, tally) in &tallies {
        screen::line(&format!("              {} × {}", tally.all(), String::from(*kind)));
    }
    for trouble in &found.troubles {
        let way = trouble.path.join(" › ");
        let way = if way.is_empty() { String::new() } else { format!("{way}: ") };
        screen::line(&format!("              ! {way}{}", trouble.detail));
    }
}

/// How long one text may take.
const TEXT_DEADLINE: Duration = Duration::from_secs(120);

/// The hits of plain texts by their places, from a worker in its sandbox.
async fn spans(wanted: &Inspect) -> Result<(), CliError> {
    let worker = |cause: discover::work::WorkError| CliError::Worker(cause.into());
    let instructions = Instructions::places(&Settings::everything([0; 32])).map_err(worker)?;
    let workers = Workers::start(WorkerOptions::this_program(1)).await.map_err(worker)?;
    let mut files = wanted.paths.clone();
    while let Some(file) = files.pop() {
        let path = wanted.root.as_ref().map_or_else(|| file.clone(), |root| root.join(&file));
        let unusable = |cause| CliError::File { path: path.clone(), cause };
        if path.is_dir() {
            for entry in std::fs::read_dir(&path).map_err(unusable)? {
                files.push(file.join(entry.map_err(unusable)?.file_name()));
            }
            continue;
        }
        let opened = std::fs::File::open(&path).map_err(unusable)?;
        let hint = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let opened = Opened { content: opened.into(), hint, sampled: false };
        let (found, inspection) = workers.places(opened, &instructions, TEXT_DEADLINE).await;
        for trouble in &inspection.troubles {
            screen::aside(&format!("{}: {}", path.display(), trouble.detail));
        }
        for span in &found {
            let line = json!({
                "file": file, "start": span.start, "end": span.end, "type": label(span.kind),
            });
            screen::line(&line.to_string());
        }
    }
    Ok(())
}

/// The word of a score script for a kind, where it has one; else our own.
fn label(kind: KindName) -> String {
    let word = match kind.0 {
        Kind::HongKongIdentityCard => "HKID",
        Kind::PaymentCard => "CREDIT_CARD",
        Kind::MainlandIdentity => "CN_RESIDENT_ID",
        Kind::Iban => "IBAN",
        Kind::Email => "EMAIL",
        Kind::HongKongPassport => "HK_PASSPORT",
        Kind::HomeReturnPermit => "HOME_RETURN_PERMIT",
        Kind::Phone => "PHONE",
        Kind::BankAccount => "HK_BANK_ACCOUNT",
        Kind::FpsIdentifier => "FPS_ID",
        Kind::Octopus => "OCTOPUS",
        Kind::BusinessRegistration => "HK_BR_NUMBER",
        Kind::Bic => "SWIFT_BIC",
        Kind::IpAddress => "IP_ADDRESS",
        Kind::PersonName => "PERSON",
        Kind::Address => "ADDRESS",
        _ => return String::from(kind),
    };
    word.to_owned()
}
