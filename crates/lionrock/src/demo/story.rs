//! The story that the sample tells: real work by the real code, in the order of a first day.

use super::cast::{Cast, CastError};
use super::files;
use crate::evidence::publishing::{PublishError, publish_keys};
use access::approvals::Occasion;
use access::roles::Role;
use access::{AccessError, NewApproval};
use comply::{Change, ComplyError, Institution, Layer, Profile, ReportsError, TextStatus};
use discover::sources::FolderSetting;
use discover::{Discover, DiscoverError, NewSource, SaidNoFind, SourceSetting, Wanted};
use extract::KindName;
use inventory::import::Format;
use inventory::{AssetKind, AssetRef, ImportFile, InventoryError};
use kernel::{
    Action, ActionType, Caller, DomainId, KeyId, LabelError, Labels, Permit, Problem, Refusal,
    Resource, ResourceKind, Secret, actions,
};
use keys::envelope::{self, DataKey, EnvelopeError, Header};
use keys::{
    Approvable, Compromise, CreateKey, Decrypt, Destroy, Encrypt, KeysError, MakeDataKey,
    Plaintext, Resume, Suspend, approval_hash,
};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the story broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoryError {
    /// The cast.
    #[error(transparent)]
    Cast(#[from] CastError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Access.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The inventory.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// Discovery.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// Telling keys to the inventory.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Compliance.
    #[error(transparent)]
    Comply(#[from] ComplyError),
    /// Reports.
    #[error(transparent)]
    Reports(#[from] ReportsError),
    /// Envelope files.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The disk.
    #[error("the sample's files cannot be read or written")]
    Disk(#[from] std::io::Error),
    /// A name is none.
    #[error(transparent)]
    Name(#[from] LabelError),
    /// A text of the sample is not accepted.
    #[error("a text of the sample is not accepted")]
    Text,
    /// The gate refused.
    #[error("the gate refused: {}", .0.code)]
    Refused(Refusal),
    /// The log or another room says why not.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// Something was possible that must not be.
    #[error("the story went wrong: {0}")]
    Wrong(&'static str),
}

impl From<Refusal> for StoryError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The rooms that the story walks through.
pub(super) struct Rooms<'a> {
    /// The gate.
    pub gate: &'a kernel::Gate,
    /// Keys.
    pub keys: &'a keys::Keys,
    /// Access.
    pub access: &'a access::Access,
    /// The inventory.
    pub inventory: &'a inventory::Inventory,
    /// Sources, scans and findings.
    pub discover: &'a Discover,
    /// Compliance.
    pub comply: &'a comply::Compliance,
    /// Randomness.
    pub rng: &'a dyn kernel::Rng,
}

impl fmt::Debug for Rooms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rooms")
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// The first key domain.
    pub retail: DomainId,
    /// A key that the first service may encrypt with.
    pub key: KeyId,
    /// A key that may be exported, once two officers approve.
    pub exportable: KeyId,
    /// From asking to durable, in microseconds.
    pub suspended_in_micros: u64,
    /// What happened, a sentence each.
    pub sentences: Vec<String>,
}

type Done<T> = Result<T, StoryError>;

/// Name, algorithm, workload, criticality, class, rotation in days.
type KeyPlan = (&'static str, &'static str, &'static str, &'static str, &'static str, Option<u32>);

const RETAIL_KEYS: [KeyPlan; 7] = [
    ("core-ledger-data", "aes-256-gcm", "core-banking", "critical", "restricted", Some(90)),
    ("statements-data", "aes-256-gcm", "statement-maker", "important", "restricted", Some(180)),
    ("loans-data", "aes-256-gcm", "loan-scoring", "critical", "restricted", Some(90)),
    ("statement-signing", "ecdsa-p-256", "statement-maker", "important", "internal", Some(365)),
    ("archive-signing", "ml-dsa-65", "statement-maker", "standard", "internal", None),
    ("campaign-data", "chacha20-poly1305", "campaign-sender", "standard", "confidential", None),
    ("migration-key", "aes-256-gcm", "core-banking", "standard", "internal", None),
];
const TREASURY_KEYS: [KeyPlan; 3] = [
    ("deals-data", "aes-256-gcm", "deal-capture", "critical", "confidential", Some(90)),
    ("deal-seal", "hmac-sha-256", "deal-capture", "critical", "internal", Some(90)),
    ("retired-rates", "aes-128-gcm", "deal-capture", "standard", "internal", None),
];

/// Which file is encrypted under which key.
const PROTECTED: [(&str, &str); 5] = [
    ("core-ledger", "core-ledger-data"),
    ("statements", "statements-data"),
    ("loans", "loans-data"),
    ("deals", "deals-data"),
    ("campaigns", "campaign-data"),
];

/// Tells the story.
#[derive(Debug)]
pub(super) struct Story<'a> {
    rooms: Rooms<'a>,
    cast: &'a Cast,
    domains: [DomainId; 2],
    keys: BTreeMap<&'static str, KeyId>,
    sentences: Vec<String>,
}

fn reason<T: TryFrom<String>>(text: &str) -> Done<T> {
    T::try_from(text.to_owned()).map_err(|_| StoryError::Text)
}

impl<'a> Story<'a> {
    /// The story of this cast in these two key domains: retail and treasury.
    #[must_use]
    pub(super) const fn new(rooms: Rooms<'a>, cast: &'a Cast, domains: [DomainId; 2]) -> Self {
        Self { rooms, cast, domains, keys: BTreeMap::new(), sentences: Vec::new() }
    }

    /// Everything up to the report.
    ///
    /// # Errors
    /// When anything goes otherwise than it must.
    pub(super) async fn tell(mut self, folder: &Path) -> Done<Told> {
        let files = files::lay_out(folder)?;
        self.profile().await?;
        self.inventory().await?;
        self.discover(&files).await?;
        self.make_keys().await?;
        publish_keys(self.rooms.inventory, self.rooms.keys, &[]).await?;
        // The first run finds every path broken: nothing is protected yet.
        self.run_checks().await?;
        let sealed = self.protect(&files).await?;
        self.rotate(&sealed).await?;
        let suspended_in_micros = self.suspend_and_resume().await?;
        self.destroy().await?;
        let protects = self.protected()?;
        publish_keys(self.rooms.inventory, self.rooms.keys, &protects).await?;
        self.decide_requirements().await?;
        self.run_checks().await?;
        let [retail, _] = self.domains;
        Ok(Told {
            retail,
            key: self.key("core-ledger-data")?,
            exportable: self.key("migration-key")?,
            suspended_in_micros,
            sentences: self.sentences,
        })
    }

    fn say(&mut self, sentence: String) {
        self.sentences.push(sentence);
    }

    fn key(&self, name: &str) -> Done<KeyId> {
        self.keys.get(name).copied().ok_or(StoryError::Wrong("a key of the sample is missing"))
    }

    fn permit<A: ActionType>(
        &self,
        caller: &Arc<Caller>,
        resource: Resource,
    ) -> Result<Permit<A>, Refusal> {
        self.rooms.gate.permit(caller, resource)
    }

    fn on_key<A: ActionType>(&self, caller: &Arc<Caller>, key: KeyId) -> Done<Permit<A>> {
        let resource = self.rooms.keys.resource(key, caller.domain)?;
        Ok(self.permit(caller, resource)?)
    }

    async fn profile(&self) -> Done<()> {
        let officer = self.cast.caller(Role::RiskOfficer)?;
        let all = Resource::all(ResourceKind::Requirement, DomainId::SYSTEM);
        let permit = self.permit::<actions::RequirementChange>(&officer, all)?;
        let profile = Profile {
            institution: Institution::LicensedBank,
            origin: comply::Origin::Local,
            critical_infrastructure_operator: false,
        };
        Ok(self.rooms.comply.set_profile(permit, profile).await?)
    }

    /// Imports the bank's own list; what lies in its stores nobody has said yet.
    async fn inventory(&mut self) -> Done<()> {
        let engineer = self.cast.caller(Role::PlatformEngineer)?;
        let all = Resource::all(ResourceKind::Asset, DomainId::SYSTEM);
        let permit = self.permit::<actions::AssetChange>(&engineer, all)?;
        let name = files::source()?;
        let bytes = files::INVENTORY.as_bytes();
        let file = ImportFile { name: &name, format: Format::Yaml, bytes };
        let report = self.rooms.inventory.import(permit, file, false, None).await?;
        if report.rejected_count > 0 {
            return Err(StoryError::Wrong("a row of the sample inventory was rejected"));
        }
        self.say(format!("{} rows of inventory imported", report.accepted.len()));
        Ok(())
    }

    /// Adds a source for each store, scans all of them with the sandboxed workers, and decides on
    /// two findings; the inventory has its classes from here, as observed.
    async fn discover(&mut self, files: &[(files::SampleFile, PathBuf)]) -> Done<()> {
        let engineer = self.cast.caller(Role::PlatformEngineer)?;
        let discover = self.rooms.discover;
        let mut sources = BTreeMap::new();
        for (file, path) in files {
            let folder = path.parent().ok_or(StoryError::Wrong("a file lies nowhere"))?;
            let (provider, region) = file.lies;
            let new = NewSource {
                name: file.reference.parse()?,
                setting: SourceSetting::Folder(FolderSetting {
                    path: folder.display().to_string(),
                    other_file_systems: false,
                }),
                profile: None,
                every_minutes: None,
                bytes_per_second: None,
                owner: None,
                asset: Some(AssetRef::new(AssetKind::FileSet, file.reference.parse()?)),
                provider: Some(provider.parse()?),
                region: Some(region.parse()?),
            };
            let all = Resource::all(ResourceKind::Data, DomainId::SYSTEM);
            let permit = self.permit::<actions::DataSource>(&engineer, all)?;
            let id = discover.add_source(permit, new, None).await?.id;
            let resource = discover.source_resource(id, DomainId::SYSTEM)?;
            let permit = self.permit::<actions::DataScan>(&engineer, resource)?;
            discover.start_scan(permit).await?;
            sources.insert(file.reference, id);
        }
        for id in sources.values() {
            discover.settled(*id).await;
        }
        let officer = self.cast.caller(Role::RiskOfficer)?;
        let all = Resource::all(ResourceKind::Data, DomainId::SYSTEM);
        let permit = self.permit::<actions::DataRead>(&officer, all)?;
        let wanted = Wanted { limit: files.len(), ..Wanted::default() };
        let found = discover.findings(permit, &wanted)?.items;
        let worst = found.first().ok_or(StoryError::Wrong("the scans found nothing"))?;
        let (score, name) = (worst.risk.score, discover.source_name(worst.source)?);
        self.say(format!(
            "{} stores scanned, something found in {}; the highest risk is {score} of 100: {name}",
            files.len(),
            found.len()
        ));
        let of = |reference: &str| {
            let source = sources.get(reference);
            found.iter().find(|finding| source == Some(&finding.source))
        };
        if let Some(deals) = of("deals") {
            let resource = discover.finding_resource(deals.id, DomainId::SYSTEM)?;
            let permit = self.permit::<actions::DataDecide>(&officer, resource)?;
            let until = permit.decided_at().plus_days(90);
            let reason = "counterparties are companies; reviewed every quarter";
            discover.accept(permit, until, reason).await?;
        }
        if let Some(campaigns) = of("campaigns") {
            let resource = discover.finding_resource(campaigns.id, DomainId::SYSTEM)?;
            let permit = self.permit::<actions::DataDecide>(&officer, resource)?;
            let kind = KindName(detect::Kind::Email);
            let reason = "addresses of a test list, made up by the agency";
            discover.no_find(permit, SaidNoFind::Object { kind }, reason).await?;
        }
        self.say("one risk accepted for 90 days, one finding said to be none".into());
        Ok(())
    }

    async fn make_keys(&mut self) -> Done<()> {
        let custodian = self.cast.caller(Role::KeyCustodian)?;
        let [retail, treasury] = self.domains;
        let retail = RETAIL_KEYS.iter().map(|plan| (retail, plan));
        let all = retail.chain(TREASURY_KEYS.iter().map(|plan| (treasury, plan)));
        for (domain, (name, algorithm, workload, criticality, class, days)) in all {
            let labels: Labels = serde_json::from_value(serde_json::json!({
                "workload": workload,
                "criticality": criticality,
                "data-class": class,
                "residency": "HK",
            }))
            .map_err(|_| StoryError::Text)?;
            let request = CreateKey {
                name: name.parse()?,
                algorithm: algorithm.parse().map_err(|_| StoryError::Text)?,
                labels,
                exportable: *name == "migration-key",
                rotation_days: days
                    .map(TryInto::try_into)
                    .transpose()
                    .map_err(|_| StoryError::Text)?,
                dates: keys::Dates::default(),
            };
            let permit = self.permit::<actions::KeyCreate>(&custodian, request.resource(domain))?;
            let made = self.rooms.keys.create(permit, &request, None).await?;
            self.keys.insert(name, made.id);
        }
        self.say(format!("{} keys created in two key domains, by workload", self.keys.len()));
        Ok(())
    }

    /// Envelope-encrypts five files and reads each back.
    async fn protect(&mut self, files: &[(files::SampleFile, PathBuf)]) -> Done<Vec<PathBuf>> {
        let mut sealed = Vec::new();
        for (reference, key) in PROTECTED {
            let path = files.iter().find(|(file, _)| file.reference == reference);
            let (_, path) = path.ok_or(StoryError::Wrong("a file of the sample is missing"))?;
            let key = self.key(key)?;
            let plain = std::fs::read(path)?;
            let target = path.with_extension("sealed");
            std::fs::write(&target, self.seal(key, &plain).await?)?;
            if self.open(key, &std::fs::read(&target)?).await? != plain {
                return Err(StoryError::Wrong("a file did not read back"));
            }
            std::fs::remove_file(path)?;
            sealed.push(target);
        }
        self.say(format!("{} files encrypted under our keys and read back", sealed.len()));
        Ok(sealed)
    }

    fn workload_of(&self, key: KeyId) -> Done<Arc<Caller>> {
        let [retail, treasury] = self.domains;
        let of_treasury = TREASURY_KEYS.iter().any(|plan| self.keys.get(plan.0) == Some(&key));
        Ok(self.cast.workload(if of_treasury { treasury } else { retail })?)
    }

    async fn seal(&self, key: KeyId, plain: &[u8]) -> Done<Vec<u8>> {
        let caller = self.workload_of(key)?;
        let request = MakeDataKey {
            length: envelope::DATA_KEY_BYTES,
            context: b"file".to_vec(),
            plaintext: Plaintext::Released,
        };
        let made = self.rooms.keys.once(self.on_key(&caller, key)?, &request).await?;
        let released = made.plaintext.ok_or(StoryError::Wrong("no data key came"))?;
        let data_key = DataKey::from_released(released)?;
        let header = Header::new(key, made.version, made.wrapped, self.rooms.rng)?;
        let mut sealed = Vec::new();
        envelope::seal(&header, &data_key, &mut &*plain, &mut sealed)?;
        Ok(sealed)
    }

    async fn open(&self, key: KeyId, sealed: &[u8]) -> Done<Vec<u8>> {
        let caller = self.workload_of(key)?;
        let mut from = sealed;
        let header = Header::read(&mut from)?;
        let request = Decrypt {
            ciphertext: header.wrapped_data_key.clone(),
            context: b"file".to_vec(),
            compromise: Compromise::Refuse,
        };
        let opened = self.rooms.keys.once(self.on_key(&caller, key)?, &request).await?;
        let data_key = DataKey::from_released(opened.plaintext)?;
        let mut plain = Vec::new();
        envelope::open(&header, &data_key, &mut from, &mut plain)?;
        Ok(plain)
    }

    async fn rotate(&mut self, sealed: &[PathBuf]) -> Done<()> {
        let key = self.key("core-ledger-data")?;
        let custodian = self.cast.caller(Role::KeyCustodian)?;
        let rotated = self.rooms.keys.rotate(self.on_key(&custodian, key)?, None).await?;
        let ledger = sealed.first().ok_or(StoryError::Wrong("nothing was encrypted"))?;
        self.open(key, &std::fs::read(ledger)?).await?;
        let versions = rotated.versions.len();
        self.say(format!("core-ledger-data rotated to version {versions}; old data still opens"));
        Ok(())
    }

    /// Asks for the approval of an act on a key, and has it given by as many as it needs.
    async fn approved(
        &self,
        by: &Arc<Caller>,
        approvers: &[Arc<Caller>],
        action: Action,
        key: KeyId,
        request: &(impl Approvable + Sync),
    ) -> Done<()> {
        let resource = self.rooms.keys.resource(key, by.domain)?;
        let domain = resource.domain;
        let about = Resource::all(ResourceKind::Approval, domain);
        let permit = self.permit::<actions::ApprovalRequest>(by, about)?;
        let wanted = NewApproval {
            action,
            occasion: Occasion::Always,
            request_hash: approval_hash(action, &resource, request),
            resource,
            reason: "part of the sample".into(),
            effect: vec!["the workload of this key stops".into()],
        };
        let id = self.rooms.access.request_approval(permit, wanted, None).await?;
        for approver in approvers {
            let about = Resource::new(ResourceKind::Approval, id.to_string(), domain);
            let permit = self.permit::<actions::ApprovalDecide>(approver, about)?;
            self.rooms.access.decide_approval(permit, true, "seen").await?;
        }
        Ok(())
    }

    async fn suspend_and_resume(&mut self) -> Done<u64> {
        let key = self.key("statements-data")?;
        let custodian = self.cast.caller(Role::KeyCustodian)?;
        let duty = [self.cast.caller(Role::SecurityOperations)?];
        let request = Suspend {
            reason: reason("rehearsal of the emergency stop")?,
            stops: vec!["Statement maker".parse()?],
        };
        self.approved(&custodian, &duty, Action::KeySuspend, key, &request).await?;
        let custodian = self.cast.caller(Role::KeyCustodian)?;
        let stopped = self.rooms.keys.suspend(self.on_key(&custodian, key)?, &request).await?;
        if self.seal(key, b"after the stop").await.is_ok() {
            return Err(StoryError::Wrong("a suspended key encrypted"));
        }
        let request = Resume { reason: reason("rehearsal over")? };
        self.approved(&custodian, &duty, Action::KeyResume, key, &request).await?;
        self.rooms.keys.resume(self.on_key(&custodian, key)?, &request).await?;
        self.seal(key, b"after the rehearsal").await?;
        self.say(format!(
            "statements-data suspended in {} ms, its next use refused, then resumed",
            stopped.took_micros.div_ceil(1_000)
        ));
        Ok(stopped.took_micros)
    }

    async fn destroy(&mut self) -> Done<()> {
        let key = self.key("retired-rates")?;
        let workload = self.workload_of(key)?;
        let request = Encrypt {
            plaintext: Secret::new(b"rates of an old year".to_vec()),
            context: Vec::new(),
        };
        let old = self.rooms.keys.once(self.on_key(&workload, key)?, &request).await?;
        let custodian = self.cast.caller(Role::KeyCustodian)?;
        let officers = self.cast.callers(Role::CryptoOfficer)?;
        let request = Destroy { reason: reason("the data may no longer be kept")? };
        self.approved(&custodian, &officers, Action::KeyDestroy, key, &request).await?;
        self.rooms.keys.destroy(self.on_key(&custodian, key)?, &request).await?;
        let request = Decrypt {
            ciphertext: old.ciphertext,
            context: Vec::new(),
            compromise: Compromise::Refuse,
        };
        let permit = self.on_key(&workload, key);
        let after = match permit {
            Ok(permit) => self.rooms.keys.once(permit, &request).await.map_err(StoryError::from),
            Err(refused) => Err(refused),
        };
        if after.is_ok() {
            return Err(StoryError::Wrong("a destroyed key decrypted"));
        }
        self.say("retired-rates destroyed with two approvals; what it encrypted is gone".into());
        Ok(())
    }

    fn protected(&self) -> Done<Vec<(KeyId, AssetRef)>> {
        PROTECTED
            .iter()
            .map(|(reference, key)| {
                let data = AssetRef::new(AssetKind::FileSet, reference.parse()?);
                Ok((self.key(key)?, data))
            })
            .collect()
    }

    async fn run_checks(&mut self) -> Done<()> {
        let officer = self.cast.caller(Role::RiskOfficer)?;
        let all = Resource::all(ResourceKind::Requirement, DomainId::SYSTEM);
        let permit = self.permit::<actions::CheckRun>(&officer, all)?;
        let run = self.rooms.comply.run_checks(permit, None).await?;
        let passed = run.results.iter().filter(|r| r.outcome == comply::Outcome::Pass).count();
        let all = run.results.len();
        self.say(format!("{all} checks run: {passed} hold, the rest does not or cannot be told"));
        Ok(())
    }

    /// The risk officer pastes two paragraphs from the bank's own copy and names owners.
    async fn decide_requirements(&self) -> Done<()> {
        let officer = self.cast.caller(Role::RiskOfficer)?;
        let confirm = |reference: &str, title: &str| -> Done<Change> {
            Ok(Change::ConfirmText {
                text_status: TextStatus::BanksCopy,
                reference: reference.parse()?,
                title: title.parse()?,
                layer: Layer::Principle,
            })
        };
        let owner =
            |role: &str| -> Done<Change> { Ok(Change::AssignOwner { owner: role.parse()? }) };
        for (id, change) in [
            ("hkma-tmg1-2.2", confirm("2.2", "Segregation of duties")?),
            ("hkma-tmg1-2.2", owner("Technology Risk Officer A")?),
            ("hkma-sa2-2.7.3", confirm("2.7.3", "Contingency planning")?),
            ("hkma-sa2-2.7.3", owner("Cloud Platform Team")?),
            ("hkma-pg-6.36", owner("Key Custodian A")?),
            ("hkma-pg-6.39", owner("Key Custodian A")?),
        ] {
            let one = Resource::new(ResourceKind::Requirement, id, DomainId::SYSTEM);
            let permit = self.permit::<actions::RequirementChange>(&officer, one)?;
            self.rooms.comply.change(permit, change).await?;
        }
        Ok(())
    }
}
