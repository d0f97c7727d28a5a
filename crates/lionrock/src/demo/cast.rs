//! The people of the sample: roles with letters, enrolled by the real code, each signed in.
//!
//! The demonstration holds their devices: it sets passwords nobody will need and answers the
//! one-time codes. Everything they do goes through the gate like everybody's.

use access::roles::{Reach, Role};
use access::{
    Access, AccessError, Arrival, GiveRole, Invitation, NewGroup, NewPerson, NewService, NewToken,
};
use kernel::actions::{IdentityManage, PolicyChange, TokenManage};
use kernel::{
    Action, ActionType, Caller, Clock, DomainId, Door, Gate, GroupId, LabelError, Name, Origin,
    Permit, PersonId, Principal, Problem, Refusal, Resource, ResourceKind, Rng, RngUnavailable,
    Secret,
};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Days that the tokens of the sample live.
const TOKEN_DAYS: i64 = 7;
/// Days that the examiner may look.
const EXAMINER_DAYS: i64 = 30;

/// Why the sample did not come to life.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CastError {
    /// A name of the sample is no name.
    #[error("a name of the sample is not accepted")]
    Name(#[from] LabelError),
    /// Access refused.
    #[error("access refused the sample")]
    Access(#[from] AccessError),
    /// The gate refused.
    #[error("the gate refused `{action}`: {}", refusal.code)]
    Refused {
        /// What was asked for.
        action: Action,
        /// Why not.
        refusal: Refusal,
    },
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
    /// The device shows no code.
    #[error("the device of the sample shows no code")]
    Device,
    /// A thread ended before its work.
    #[error("the enrolment did not end")]
    Interrupted,
    /// Nobody plays this part.
    #[error("nobody in the sample is a {0}")]
    NoPart(&'static str),
    /// A slice says why not.
    #[error(transparent)]
    Problem(#[from] Problem),
}

/// Somebody of the sample, signed in.
#[derive(Debug)]
pub(super) struct Player {
    /// Who.
    pub id: PersonId,
    /// The role.
    pub role: Role,
    /// The name on screen.
    pub name: Name,
    cookie: Secret<String>,
    token: Option<Secret<String>>,
}

/// A service of the sample with its token.
#[derive(Debug)]
pub(super) struct Workload {
    /// Its key domain.
    pub domain: DomainId,
    token: Secret<String>,
}

/// Everybody.
pub(super) struct Cast {
    access: Access,
    clock: Arc<dyn Clock>,
    /// People, the first administrator not among them.
    pub players: Vec<Player>,
    /// Services.
    pub workloads: Vec<Workload>,
}

impl fmt::Debug for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cast({} people)", self.players.len())
    }
}

/// The parts, in the order of their entrance: the two administrators come last, because with them
/// the first administrator's rights end.
const PARTS: [(Role, &str); 12] = [
    (Role::KeyCustodian, "Key Custodian A 密碼匙保管人甲"),
    (Role::CryptoOfficer, "Crypto Officer A 密碼主任甲"),
    (Role::CryptoOfficer, "Crypto Officer B 密碼主任乙"),
    (Role::PlatformEngineer, "Platform Engineer A 平台工程師甲"),
    (Role::SecurityOperations, "Security Operations A 資訊保安運作主任甲"),
    (Role::RiskOfficer, "Technology Risk Officer A 科技風險主任甲"),
    (Role::RiskOfficer, "Technology Risk Officer B 科技風險主任乙"),
    (Role::Auditor, "Auditor A 審計員甲"),
    (Role::Examiner, "Examiner A 監管審查員甲"),
    (Role::Application, ""),
    (Role::IdentityAdministrator, "Identity Administrator A 身分管理員甲"),
    (Role::PolicyAdministrator, "Policy Administrator A 政策管理員甲"),
];

/// What the cast stands on.
#[derive(Clone)]
pub(super) struct Stage<'a> {
    /// Access.
    pub access: &'a Access,
    /// The gate.
    pub gate: &'a Gate,
    /// Time.
    pub clock: &'a Arc<dyn Clock>,
    /// Randomness.
    pub rng: &'a dyn Rng,
}

impl fmt::Debug for Stage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}

impl Stage<'_> {
    fn permit<A: ActionType>(
        &self,
        caller: &Arc<Caller>,
        kind: ResourceKind,
        id: &str,
    ) -> Result<Permit<A>, CastError> {
        let resource = Resource::new(kind, id, DomainId::SYSTEM);
        let permit = self.gate.permit(caller, resource);
        permit.map_err(|refusal| CastError::Refused { action: A::ACTION, refusal })
    }

    async fn enrol(&self, invitation: &Invitation) -> Result<Secret<String>, CastError> {
        let link = invitation.link.expose().clone();
        let enrolment = self.access.begin_enrolment(&link, desk()).await?;
        let code = strongroom::device_code(&enrolment.seed, self.clock.wall());
        let code = code.ok_or(CastError::Device)?;
        let mut random = [0u8; 16];
        self.rng.fill(&mut random)?;
        let password = Secret::new(documents::hex(&random));
        let access = self.access.clone();
        // Hashing a password keeps a thread busy for a tenth of a second.
        let done = tokio::task::spawn_blocking(move || {
            access.complete_enrolment(&link, &password, &code, desk(), "demo-enrolment")
        });
        Ok(done.await.map_err(|_| CastError::Interrupted)??.cookie)
    }

    async fn invite(&self, by: &Arc<Caller>, name: &str) -> Result<Invitation, CastError> {
        let permit = self.permit::<IdentityManage>(by, ResourceKind::Identity, "*")?;
        let sign_in: String = name
            .chars()
            .take_while(char::is_ascii)
            .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
            .collect();
        let new =
            NewPerson { sign_in_name: sign_in.trim_end_matches('-').parse()?, name: name.parse()? };
        Ok(self.access.create_person(permit, new, None).await?)
    }

    async fn give(
        &self,
        by: &Arc<Caller>,
        to: &str,
        role: Role,
        reach: Reach,
    ) -> Result<(), CastError> {
        let permit = self.permit::<PolicyChange>(by, ResourceKind::Policy, to)?;
        let until = role.is_time_boxed().then(|| self.clock.wall().plus_days(EXAMINER_DAYS));
        Ok(self.access.give_role(permit, GiveRole { role, reach, until }).await?)
    }

    /// The team of the crypto officers: the role is the group's, its members hold it.
    async fn officers(&self, by: &Arc<Caller>) -> Result<GroupId, CastError> {
        let permit = self.permit::<PolicyChange>(by, ResourceKind::Policy, "*")?;
        let new = NewGroup {
            name: "Crypto officers 密碼主任".parse()?,
            description: String::from("Approve what key custodians ask for"),
        };
        let group = self.access.create_group(permit, new, None).await?;
        let (of, reach) = (group.to_string(), Reach::Installation);
        self.give(by, &of, Role::CryptoOfficer, reach).await?;
        Ok(group)
    }

    async fn let_in(
        &self,
        by: &Arc<Caller>,
        group: GroupId,
        person: PersonId,
    ) -> Result<(), CastError> {
        let permit = self.permit::<PolicyChange>(by, ResourceKind::Policy, &group.to_string())?;
        Ok(self.access.add_member(permit, Principal::Person(person)).await?)
    }

    async fn token(
        &self,
        by: &Arc<Caller>,
        holder: &str,
        actions: Option<Vec<Action>>,
    ) -> Result<Secret<String>, CastError> {
        let permit = self.permit::<TokenManage>(by, ResourceKind::Identity, holder)?;
        let expires_at = self.clock.wall().plus_days(TOKEN_DAYS);
        let new = NewToken { name: "demo".parse()?, actions, domains: None, expires_at };
        Ok(self.access.create_token(permit, new, None).await?.text)
    }
}

fn desk() -> Origin {
    Origin { address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), door: Door::Console }
}

impl Cast {
    /// Enrols everybody. `domains` are made by the caller that is handed in, the first
    /// administrator, before bootstrap ends.
    ///
    /// # Errors
    /// When access or the gate refuses.
    pub(super) async fn assemble<F>(stage: &Stage<'_>, domains: F) -> Result<Self, CastError>
    where
        F: AsyncFnOnce(Arc<Caller>) -> Result<[DomainId; 2], CastError>,
    {
        let Stage { access, clock, .. } = *stage;
        let mut cast = Self {
            access: access.clone(),
            clock: Arc::clone(clock),
            players: Vec::new(),
            workloads: Vec::new(),
        };
        let name = "First administrator".parse()?;
        let invitation = access.first_administrator("administrator".parse()?, name).await?;
        let first = stage.enrol(&invitation).await?;
        let first = cast.signed_in(&first)?;
        let domains = domains(Arc::clone(&first)).await?;
        let officers = stage.officers(&first).await?;
        for (role, name) in PARTS {
            if role == Role::Application {
                cast.workloads(stage, &first, domains).await?;
                continue;
            }
            let invitation = stage.invite(&first, name).await?;
            let id = invitation.person;
            if role == Role::CryptoOfficer {
                stage.let_in(&first, officers, id).await?;
            } else {
                stage.give(&first, &id.to_string(), role, Reach::Installation).await?;
            }
            let cookie = stage.enrol(&invitation).await?;
            let caller = cast.signed_in(&cookie)?;
            let token = match stage.token(&caller, &id.to_string(), None).await {
                Ok(token) => Some(token),
                // Who only reads makes no tokens either.
                Err(CastError::Refused { .. }) => None,
                Err(error) => return Err(error),
            };
            let name = name.parse()?;
            cast.players.push(Player { id, role, name, cookie, token });
        }
        Ok(cast)
    }

    /// The services, owned by the platform engineer, who makes their tokens.
    async fn workloads(
        &mut self,
        stage: &Stage<'_>,
        first: &Arc<Caller>,
        domains: [DomainId; 2],
    ) -> Result<(), CastError> {
        let engineer = self.player(Role::PlatformEngineer)?;
        let (owner, engineer) = (engineer.id, self.signed_in(&engineer.cookie)?);
        for (name, domain) in ["core-banking", "deal-capture"].into_iter().zip(domains) {
            let permit = stage.permit::<IdentityManage>(first, ResourceKind::Identity, "*")?;
            let new = NewService { name: name.parse()?, owner: Some(owner), workloads: Vec::new() };
            let id = stage.access.create_service(permit, new, None).await?;
            let reach = Reach::Domain(domain);
            stage.give(first, &id.to_string(), Role::Application, reach).await?;
            let uses = [
                Action::KeyRead,
                Action::KeyList,
                Action::KeyEncrypt,
                Action::KeyDecrypt,
                Action::KeyReencrypt,
                Action::KeySign,
                Action::KeyVerify,
                Action::KeyMac,
                Action::KeyMacVerify,
                Action::KeyDataKey,
            ];
            let token = stage.token(&engineer, &id.to_string(), Some(uses.to_vec())).await?;
            self.workloads.push(Workload { domain, token });
        }
        Ok(())
    }

    /// Who plays a role; the first of them where there are two.
    ///
    /// # Errors
    /// [`CastError::NoPart`].
    pub(super) fn player(&self, role: Role) -> Result<&Player, CastError> {
        self.players.iter().find(|p| p.role == role).ok_or(CastError::NoPart(role.word()))
    }

    fn arrival(&self) -> Arrival {
        let (origin, arrived) = (desk(), self.clock.monotonic());
        Arrival { origin, correlation: "demo".into(), arrived }
    }

    fn signed_in(&self, cookie: &Secret<String>) -> Result<Arc<Caller>, CastError> {
        Ok(Arc::new(self.access.caller_for_session(cookie.expose(), &self.arrival())?))
    }

    /// Somebody with a role, as the gate sees them.
    ///
    /// # Errors
    /// When nobody plays it, or the session is over.
    pub(super) fn caller(&self, role: Role) -> Result<Arc<Caller>, CastError> {
        self.signed_in(&self.player(role)?.cookie)
    }

    /// Everybody with a role.
    ///
    /// # Errors
    /// When a session is over.
    pub(super) fn callers(&self, role: Role) -> Result<Vec<Arc<Caller>>, CastError> {
        let played = self.players.iter().filter(|player| player.role == role);
        played.map(|player| self.signed_in(&player.cookie)).collect()
    }

    /// The service of a key domain, as the gate sees it.
    ///
    /// # Errors
    /// When there is none, or its token is over.
    pub(super) fn workload(&self, domain: DomainId) -> Result<Arc<Caller>, CastError> {
        let found = self.workloads.iter().find(|workload| workload.domain == domain);
        let found = found.ok_or(CastError::NoPart(Role::Application.word()))?;
        Ok(Arc::new(self.access.caller_for_token(found.token.expose(), &self.arrival())?))
    }

    /// Sessions with their roles, to be entered by a one-time link.
    pub(super) fn sessions(&self) -> impl Iterator<Item = (Role, &Name, &Secret<String>)> {
        self.players.iter().map(|player| (player.role, &player.name, &player.cookie))
    }

    /// Tokens by the word of their role, for programs; the application's is that of the first
    /// service.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (&'static str, &Secret<String>)> {
        let people = self.players.iter().filter_map(|p| Some((p.role.word(), p.token.as_ref()?)));
        let workload = self.workloads.first();
        people.chain(workload.map(|w| (Role::Application.word(), &w.token)))
    }
}
