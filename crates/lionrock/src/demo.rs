//! `lionrock demo`: a sample bank's first day on a throw-away installation, by the real code.
//!
//! The server is the one that `serve` runs, on loopback, with a data folder of its own. Everything
//! in the sample is done by its people through the gate; every time stamp is real. What the sample
//! has beyond a real installation: it prints one-time links that sign in as its people, and tokens.

mod cast;
mod files;
mod story;
mod way_in;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::exit::Exit;
use crate::folder::{FolderError, write_private};
use crate::installation::Opened;
use crate::screen;
use crate::serve::{Extras, ServeError, Server, until_told};
use access::roles::Role;
use audit::deliver::{Courier, DeliveryError, Destination};
use cast::{Cast, CastError, Stage};
use comply::{Period, ReportRecord, ReportRequest, Reports, ReportsError, Signer, Signing, Step};
use kernel::{
    Caller, Clock, DomainId, Problem, Refusal, ResourceKind, Rng, RngUnavailable, actions,
};
use keys::{CreateDomain, KeysError, WAITING_SECONDS_DEFAULT};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use story::{Story, StoryError, Told};
use strongroom::SystemRng;
use way_in::WaysIn;

/// How to show the sample.
#[derive(Debug, Clone, clap::Args)]
pub struct Demo {
    /// The address on loopback [default: a free port]
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// A new folder for the sample, kept afterwards [default: a throw-away folder]
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

/// Why the sample does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// Somebody else could reach it.
    #[error("the sample listens on loopback only, not on `{0}`")]
    NotLoopback(SocketAddr),
    /// The folder is there already.
    #[error("`{0}` is there already: name a new folder")]
    FolderThere(PathBuf),
    /// The disk refuses.
    #[error("the sample's folder cannot be used")]
    Disk(#[from] std::io::Error),
    /// A private file cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The server is sealed.
    #[error("the sample did not open")]
    Sealed,
    /// The people.
    #[error("the people of the sample were not enrolled")]
    Cast(#[from] CastError),
    /// The story.
    #[error("the story of the sample broke off")]
    Story(#[from] StoryError),
    /// The log.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// The log cannot be signed.
    #[error(transparent)]
    Log(#[from] audit::LogError),
    /// The report.
    #[error("the report of the sample was not made")]
    Report(#[from] ReportsError),
    /// The gate refused.
    #[error("the gate refused: {}", .0.code)]
    Refused(Refusal),
    /// The clock went back while the sample was told.
    #[error("the clock went back")]
    Clock(#[from] comply::PeriodError),
}

impl From<Refusal> for DemoError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Shows the sample until Ctrl-C.
pub async fn run(args: Demo, json: bool) -> Exit {
    let folder = match new_folder(args.folder.as_deref()) {
        Ok(folder) => folder,
        Err(error) => {
            screen::failure(&error);
            return Exit::Failed;
        }
    };
    let shown = show(&args, &folder, json).await;
    if args.folder.is_none() {
        // A throw-away folder goes; should it not, it lies where the system clears up.
        let _ = std::fs::remove_dir_all(&folder);
    }
    match shown {
        Ok(()) => Exit::Done,
        Err(error) => {
            screen::failure(&error);
            Exit::Failed
        }
    }
}

fn new_folder(named: Option<&Path>) -> Result<PathBuf, DemoError> {
    use std::os::unix::fs::DirBuilderExt;
    let folder = match named {
        Some(folder) if folder.exists() => return Err(DemoError::FolderThere(folder.into())),
        Some(folder) => std::path::absolute(folder)?,
        None => {
            let mut random = [0u8; 8];
            SystemRng.fill(&mut random)?;
            std::env::temp_dir().join(format!("lionrock-demo-{}", documents::hex(&random)))
        }
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    Ok(folder)
}

async fn show(args: &Demo, folder: &Path, json: bool) -> Result<(), DemoError> {
    let listen = args.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    if !listen.ip().is_loopback() {
        return Err(DemoError::NotLoopback(listen));
    }
    let mut key = [0u8; 32];
    SystemRng.fill(&mut key)?;
    let seal = write_private(&folder.join("seal.key"), &key)?;
    let mut config = Config { listen, data: folder.join("data"), ..Config::default() };
    config.origin = "lionrock.sample/log/0".into();
    config.seal.key_file = Some(seal);
    config.checkpoints.anchor = Some(folder.join("anchor"));
    let ways = WaysIn::default();
    config.sample = true;
    let extras = Extras { pages: ways.router() };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let server = Server::start(config, Arc::clone(&clock), extras).await?;
    let told = match server.installation.opened() {
        Some(opened) => tell(&opened, folder, &clock, &ways).await,
        None => Err(DemoError::Sealed),
    };
    let result = match told {
        Ok(sample) => {
            let shown = Shown { server: &server, folder, sample: &sample };
            if json {
                shown.as_json()
            } else {
                shown.as_text()
            }
            until_told().await.map_err(ServeError::Signals).map_err(DemoError::from)
        }
        Err(error) => Err(error),
    };
    server.stop().await;
    result
}

/// What the story left behind.
struct Sample {
    told: Told,
    pack: PathBuf,
    origin_key: String,
    older: PathBuf,
    links: Vec<(Role, String, String)>,
    tokens: Vec<(&'static str, String)>,
    sessions: Vec<(&'static str, String)>,
}

async fn tell(
    opened: &Opened,
    folder: &Path,
    clock: &Arc<dyn Clock>,
    ways: &WaysIn,
) -> Result<Sample, DemoError> {
    let began = clock.wall();
    let rooms = &opened.rooms;
    let stage = Stage { access: &rooms.access, gate: &rooms.gate, clock, rng: &SystemRng };
    let domains = async |first: Arc<Caller>| make_domains(rooms, first).await;
    let mut made = None;
    let cast = Cast::assemble(&stage, async |first| {
        let both = domains(first).await?;
        made = Some(both);
        Ok::<_, CastError>(both)
    })
    .await?;
    let both = made.ok_or(DemoError::Sealed)?;
    // The first checkpoint leaves the house before anything happens: the pack must continue it.
    let outside = folder.join("outside");
    std::fs::create_dir_all(&outside)?;
    let courier = Courier::new(
        "folder",
        Destination::Folder(outside),
        rooms.log.clone(),
        rooms.store.clone(),
        Arc::clone(clock),
        Duration::from_secs(60),
    );
    courier.deliver().await?;
    let older = folder.join("first.checkpoint");
    std::fs::write(&older, rooms.log.checkpoint()?.to_string())?;
    let scene = story::Rooms {
        gate: &rooms.gate,
        keys: &rooms.keys,
        access: &rooms.access,
        inventory: &rooms.inventory,
        discover: &rooms.discover,
        comply: &rooms.comply.compliance,
        rng: &SystemRng,
    };
    let told = Story::new(scene, &cast, both).tell(&folder.join("clouds")).await?;
    courier.deliver().await?;
    let officer = cast.caller(Role::RiskOfficer)?;
    let permit = rooms.gate.permit::<actions::ReportMake>(&officer, Reports::resource())?;
    let asked = (kernel::Action::ReportMake, Reports::resource());
    let (name, role) = rooms.access.signs_as(&officer, asked.0, &asked.1);
    let request = ReportRequest {
        period: Period::new(began, clock.wall())?,
        sample: true,
        show_designation: false,
        preparer: Signer { name, role },
    };
    let record = rooms.comply.reports.make(permit, request, None).await?;
    let auditor = cast.caller(Role::Auditor)?;
    sign(rooms, &auditor, &record, Step::Review).await?;
    let second = cast.callers(Role::RiskOfficer)?.pop().ok_or(DemoError::Sealed)?;
    sign(rooms, &second, &record, Step::Approve).await?;
    let links = cast.sessions().map(|(role, name, cookie)| {
        let token = ways.admit(cookie, &SystemRng)?;
        Ok((role, name.to_string(), token))
    });
    let sessions = cast.sessions().map(|(role, _, text)| (role.word(), text.expose().clone()));
    Ok(Sample {
        sessions: sessions.collect(),
        told,
        pack: rooms.comply.reports.final_path(record.id),
        origin_key: rooms.log.origin_key().to_string(),
        older,
        links: links.collect::<Result<_, RngUnavailable>>()?,
        tokens: cast.tokens().map(|(role, token)| (role, token.expose().clone())).collect(),
    })
}

/// Puts a name under the report of the sample.
async fn sign(
    rooms: &rest::Rooms,
    caller: &Arc<Caller>,
    record: &ReportRecord,
    step: Step,
) -> Result<(), DemoError> {
    let reports = &rooms.comply.reports;
    let resource = reports.resource_of(record.id)?;
    let (name, role) = rooms.access.signs_as(caller, kernel::Action::ReportSign, &resource);
    let permit = rooms.gate.permit::<actions::ReportSign>(caller, resource)?;
    let pack = record.pack.clone().unwrap_or_default();
    reports.sign(permit, Signer { name, role }, Signing { step, pack, reason: None }).await?;
    Ok(())
}

async fn make_domains(rooms: &rest::Rooms, first: Arc<Caller>) -> Result<[DomainId; 2], CastError> {
    let mut made = Vec::new();
    // Treasury destroys without waiting, so that the story can show the end of a key in a minute.
    for (name, waiting) in [("retail", WAITING_SECONDS_DEFAULT), ("treasury", 0)] {
        let all = kernel::Resource::all(ResourceKind::Domain, DomainId::SYSTEM);
        let permit = rooms.gate.permit::<actions::DomainCreate>(&first, all);
        let action = kernel::Action::DomainCreate;
        let refused = |refusal| CastError::Refused { action, refusal };
        let permit = permit.map_err(refused)?;
        let request = CreateDomain { name: name.parse()?, waiting_period_seconds: waiting };
        let domain = rooms.keys.create_domain(permit, &request, None).await;
        made.push(domain.map_err(|cause: KeysError| Problem::from(cause))?.id);
    }
    <[DomainId; 2]>::try_from(made).map_err(|_| CastError::NoPart("key domain"))
}

struct Shown<'a> {
    server: &'a Server,
    folder: &'a Path,
    sample: &'a Sample,
}

impl Shown<'_> {
    fn address(&self) -> String {
        format!("https://{}", self.server.address)
    }

    fn authority(&self) -> PathBuf {
        self.folder.join("data").join(crate::installation::AUTHORITY_FILE)
    }

    fn link(&self, token: &str) -> String {
        format!("{}/demo/enter/{token}", self.address())
    }

    /// Commands that alter one byte of a copy and have it verified.
    fn flips(&self) -> [(&'static str, String); 2] {
        let program = std::env::current_exe()
            .map_or_else(|_| "lionrock".to_owned(), |path| path.display().to_string());
        let (pack, key) = (self.sample.pack.display(), &self.sample.origin_key);
        let folder = self.folder.display();
        let flip = |file: &str| {
            format!(
                "python3 -c \"import sys; f = open(sys.argv[1], 'r+b'); f.seek(0, 2); \
                 f.seek(f.tell() // 2); b = f.read(1)[0]; f.seek(-1, 1); \
                 f.write(bytes([b ^ 1]))\" {file}"
            )
        };
        let altered = format!("{folder}/altered.zip");
        let copy = format!("{folder}/copy");
        [
            (
                "flip_pack",
                format!(
                    "cp {pack} {altered} && {} && {program} verify {altered} --origin-key '{key}'",
                    flip(&altered)
                ),
            ),
            (
                "flip_store",
                format!(
                    "rm -rf {copy} && cp -r {folder}/data {copy} && {} && \
                     {program} verify --store {copy} --seal-key-file {folder}/seal.key \
                     --anchor {folder}/anchor",
                    flip(&format!("{copy}/store/store.db-wal"))
                ),
            ),
        ]
    }

    fn as_text(&self) {
        let sample = self.sample;
        screen::line(
            "SAMPLE: a made-up bank's first day. Nobody in it exists; every time is real.\n",
        );
        for sentence in &sample.told.sentences {
            screen::line(&format!("  {sentence}"));
        }
        screen::line(&format!("\nConsole   {}/", self.address()));
        screen::line("Sign in   once with each link:");
        for (role, name, token) in &sample.links {
            let role = role.english();
            screen::line(&format!("          {role:<24} {}   {name}", self.link(token)));
        }
        let pack = sample.pack.display();
        screen::line(&format!("\nReport    {pack}"));
        screen::line(&format!(
            "Verify    lionrock verify {pack} --origin-key '{}' --since {}",
            sample.origin_key,
            sample.older.display()
        ));
        for (name, command) in self.flips() {
            let what = if name == "flip_pack" { "the pack" } else { "the store" };
            screen::line(&format!("\nAlter one byte of {what} and verify it:\n  {command}"));
        }
        screen::line("\nCtrl-C ends the sample.");
    }

    fn as_json(&self) {
        let sample = self.sample;
        let flips: serde_json::Map<_, _> =
            self.flips().into_iter().map(|(name, line)| (name.to_owned(), line.into())).collect();
        let tokens: serde_json::Map<String, serde_json::Value> = sample
            .tokens
            .iter()
            .map(|(role, token)| ((*role).to_owned(), token.as_str().into()))
            .collect();
        let links: serde_json::Map<String, serde_json::Value> = sample
            .links
            .iter()
            .map(|(role, _, token)| (role.word().to_owned(), self.link(token).into()))
            .collect();
        // Sessions can do what tokens cannot: acts that want a one-time code not long ago.
        let mut sessions: serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
        for (role, text) in &sample.sessions {
            let all = sessions.entry(*role).or_insert_with(|| serde_json::json!([]));
            if let Some(all) = all.as_array_mut() {
                all.push(text.as_str().into());
            }
        }
        let shown = serde_json::json!({
            "sessions": sessions,
            "console": format!("{}/", self.address()),
            "api": format!("{}/api/v1", self.address()),
            "authority": self.authority(),
            "folder": self.folder,
            "pack": sample.pack,
            "origin_key": sample.origin_key,
            "older_checkpoint": sample.older,
            "sign_in": links,
            "tokens": tokens,
            "domain": sample.told.retail.to_string(),
            "key": sample.told.key.to_string(),
            "exportable": sample.told.exportable.to_string(),
            "suspended_in_micros": sample.told.suspended_in_micros,
            "story": sample.told.sentences,
            "commands": flips,
        });
        screen::line(&shown.to_string());
    }
}
