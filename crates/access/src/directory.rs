//! What this process remembers of people, services, tokens, sessions and approvals, so that a
//! decision reads memory and nothing else. The store stays the truth: everything here was
//! committed, except that what takes rights away is forgotten *before* its commit.

use crate::approvals::{Approval, ApprovalState, ApprovalSubject, Approvals};
use crate::enrolment::{Bootstrap, Installation, Settings};
use crate::groups::{Group, Groups};
use crate::held::{HeldRole, Proposed};
use crate::identity::{People, Person, PersonSecrets, Secrets, Service, Services};
use crate::policy::{GroupPosts, Relations, Subject};
use crate::roles::{Assignment, Reach, Role};
use crate::sessions::{Session, Sessions};
use crate::tokens::{Token, TokenUses, Tokens};
use crate::{AccessError, times::Times};
use kernel::{
    ApprovalId, Credential, CredentialScope, DomainId, GroupId, PersonId, PolicyVersion, Principal,
    Resource, ResourceKind, ServiceId, Timestamp, TokenId,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use store::{Collection, KeyRange, Store};

/// Most records read at once when the directory is filled.
const FILL_ROWS: usize = 1_000;

/// A record with the version that a change must still find.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T> {
    pub(crate) version: u64,
    pub(crate) value: T,
}

/// A session in memory: the record, and when it was last seen.
#[derive(Clone, Debug)]
pub(crate) struct KeptSession {
    pub(crate) session: Session,
    pub(crate) seen_at: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) people: BTreeMap<PersonId, Kept<Person>>,
    pub(crate) names: HashMap<String, PersonId>,
    pub(crate) signed_in: HashMap<PersonId, Timestamp>,
    pub(crate) services: BTreeMap<ServiceId, Kept<Service>>,
    pub(crate) groups: BTreeMap<GroupId, Kept<Group>>,
    /// In which groups somebody is.
    pub(crate) memberships: HashMap<Principal, BTreeSet<GroupId>>,
    pub(crate) certificates: HashMap<[u8; 32], ServiceId>,
    pub(crate) tokens: BTreeMap<TokenId, Kept<Token>>,
    /// What each token is good for, ready for every request that comes with it.
    pub(crate) token_scopes: HashMap<TokenId, Arc<CredentialScope>>,
    pub(crate) sessions: HashMap<[u8; 32], KeptSession>,
    pub(crate) approvals: BTreeMap<ApprovalId, Approval>,
    pub(crate) installation: Option<Kept<Installation>>,
    /// Raised by every change that a decision could see.
    pub(crate) generation: u64,
}

fn fill<C: Collection>(
    store: &Store,
    mut take: impl FnMut(C::Key, u64, C::Value),
) -> Result<(), AccessError> {
    let mut range = KeyRange::all();
    loop {
        let rows = store.scan::<C>(&range, FILL_ROWS)?;
        let more = rows.len() == FILL_ROWS;
        for row in rows {
            if more {
                range = KeyRange::all().after(&row.key);
            }
            take(row.key, row.version, row.value);
        }
        if !more {
            return Ok(());
        }
    }
}

impl Directory {
    pub(crate) fn read(store: &Store) -> Result<Self, AccessError> {
        let mut all = Self::default();
        fill::<People>(store, |_, version, value| all.keep_person(version, value))?;
        fill::<Services>(store, |_, version, value| all.keep_service(version, value))?;
        fill::<Groups>(store, |_, version, value| all.keep_group(version, value))?;
        fill::<Tokens>(store, |_, version, value| all.keep_token(version, value))?;
        fill::<Secrets>(store, |id, _, secrets: PersonSecrets| {
            all.signed_in.extend(secrets.signed_in_at.map(|at| (id, at)));
        })?;
        fill::<Sessions>(store, |hash, _, session: Session| {
            let seen_at = session.proven_at;
            all.sessions.insert(hash, KeptSession { session, seen_at });
        })?;
        fill::<Approvals>(store, |_, _, approval| all.keep_approval(approval))?;
        fill::<TokenUses>(store, |id, _, at| all.note_token_use(id, at))?;
        let settings = store.get::<Settings>(&())?;
        all.installation = settings.map(|r| Kept { version: r.version, value: r.value });
        Ok(all)
    }

    /// The newest time of any record: the clock cannot truly stand before it.
    pub(crate) fn newest(&self) -> Timestamp {
        let people = self.people.values().map(|p| p.value.made.at);
        let services = self.services.values().map(|s| s.value.made.at);
        let groups = self.groups.values().flat_map(|group| {
            let members = group.value.members.iter().map(|member| member.since);
            std::iter::once(group.value.made.at).chain(members)
        });
        let tokens = self.tokens.values().map(|t| t.value.made.at);
        let sessions = self.sessions.values().map(|s| s.session.opened_at);
        let approvals = self.approvals.values().flat_map(|a| {
            std::iter::once(a.requested_at)
                .chain(a.used_at)
                .chain(a.verdicts.iter().map(|verdict| verdict.at))
        });
        let signed_in = self.signed_in.values().copied();
        let all =
            people.chain(services).chain(groups).chain(tokens).chain(sessions).chain(approvals);
        all.chain(signed_in).max().unwrap_or(Timestamp::EPOCH)
    }

    pub(crate) fn keep_person(&mut self, version: u64, person: Person) {
        self.generation += 1;
        self.names.insert(person.sign_in_name.as_str().to_owned(), person.id);
        self.people.insert(person.id, Kept { version, value: person });
    }

    pub(crate) fn keep_service(&mut self, version: u64, service: Service) {
        self.generation += 1;
        self.certificates.retain(|_, id| *id != service.id);
        let certificates = service.certificates.iter().map(|c| (c.spki_sha256, service.id));
        self.certificates.extend(certificates);
        self.services.insert(service.id, Kept { version, value: service });
    }

    pub(crate) fn keep_token(&mut self, version: u64, token: Token) {
        self.token_scopes.insert(token.id, Arc::new(token.scope()));
        self.tokens.insert(token.id, Kept { version, value: token });
    }

    pub(crate) fn note_token_use(&mut self, id: TokenId, at: Timestamp) {
        if let Some(kept) = self.tokens.get_mut(&id) {
            kept.value.used_at = Some(at);
        }
    }

    pub(crate) fn keep_approval(&mut self, approval: Approval) {
        self.approvals.insert(approval.id, approval);
    }

    pub(crate) fn keep_installation(&mut self, version: u64, value: Installation) {
        self.generation += 1;
        self.installation = Some(Kept { version, value });
    }

    /// Forgets sessions that are over, at most `most` of them.
    pub(crate) fn take_sessions_over(&mut self, now: Timestamp, most: usize) -> Vec<[u8; 32]> {
        let over = self.sessions.iter().filter(|(_, kept)| kept.session.is_over(kept.seen_at, now));
        let over: Vec<_> = over.map(|(hash, _)| *hash).take(most).collect();
        for hash in &over {
            self.sessions.remove(hash);
        }
        over
    }

    /// Whether this change would leave nobody to manage users, or nobody to give roles.
    pub(crate) fn would_be_last(&self, change: Proposed<'_>, now: Timestamp) -> Option<Role> {
        if self.bootstrap() == Bootstrap::Open {
            return None;
        }
        let is_held = |role: Role, change: Proposed<'_>| {
            self.people_with(change).filter(|person| person.is_active()).any(|person| {
                self.held_with(Principal::Person(person.id), change)
                    .any(|held| held.assignment.role == role && held.assignment.is_current(now))
            })
        };
        [Role::IdentityAdministrator, Role::PolicyAdministrator]
            .into_iter()
            .find(|role| is_held(*role, Proposed::default()) && !is_held(*role, change))
    }

    pub(crate) fn policy_version(&self) -> PolicyVersion {
        PolicyVersion(self.installation.as_ref().map_or(0, |kept| kept.value.policy_version))
    }

    pub(crate) fn bootstrap(&self) -> Bootstrap {
        self.installation.as_ref().map_or(Bootstrap::Open, |kept| kept.value.bootstrap)
    }

    pub(crate) fn person(&self, id: PersonId) -> Result<&Kept<Person>, AccessError> {
        self.people.get(&id).ok_or(AccessError::NoSuch("person"))
    }

    pub(crate) fn service(&self, id: ServiceId) -> Result<&Kept<Service>, AccessError> {
        self.services.get(&id).ok_or(AccessError::NoSuch("service"))
    }

    pub(crate) fn roles_of(&self, principal: Principal) -> &[Assignment] {
        match principal {
            Principal::Person(id) => self.people.get(&id).map(|p| p.value.roles.as_slice()),
            Principal::Service(id) => self.services.get(&id).map(|s| s.value.roles.as_slice()),
            Principal::System => None,
        }
        .unwrap_or_default()
    }

    pub(crate) fn is_locked(&self, principal: Principal) -> bool {
        match principal {
            Principal::Person(id) => self.people.get(&id).is_none_or(|p| p.value.lock.is_some()),
            Principal::Service(id) => self.services.get(&id).is_none_or(|s| s.value.lock.is_some()),
            Principal::System => false,
        }
    }

    /// Whether a credential still stands for this principal.
    pub(crate) fn is_live(
        &self,
        credential: Credential,
        principal: Principal,
        now: Timestamp,
    ) -> bool {
        match credential {
            Credential::Token(id) => self
                .tokens
                .get(&id)
                .is_some_and(|t| t.value.holder == principal && t.value.is_live(now)),
            Credential::Certificate(spki) => {
                self.certificates.get(&spki).is_some_and(|id| Principal::Service(*id) == principal)
            }
        }
    }

    /// Roles that count at this moment, of one's own and by groups.
    pub(crate) fn posts(&self, principal: Principal, now: Timestamp) -> Vec<HeldRole> {
        let open = matches!(self.bootstrap(), Bootstrap::Open);
        let counts = |held: &HeldRole| {
            let role = held.assignment.role;
            held.assignment.is_current(now) && (open || role != Role::BootstrapAdministrator)
        };
        self.held(principal).filter(counts).collect()
    }

    pub(crate) fn subject(&self, principal: Principal, now: Timestamp) -> Subject {
        let workloads = match principal {
            Principal::Service(id) => self
                .services
                .get(&id)
                .map(|s| s.value.workloads.iter().map(|name| name.as_str().to_owned()).collect()),
            _ => None,
        };
        let mut posts = Vec::new();
        let mut groups: Vec<GroupPosts> = Vec::new();
        for HeldRole { assignment, group } in self.posts(principal, now) {
            let post = (assignment.role, assignment.reach);
            match (group, groups.last_mut()) {
                (None, _) => posts.push(post),
                (Some(group), Some(last)) if last.group == group => last.posts.push(post),
                (Some(group), _) => groups.push(GroupPosts { group, posts: vec![post] }),
            }
        }
        Subject {
            principal,
            locked: self.is_locked(principal),
            posts,
            groups,
            workloads: workloads.unwrap_or_default(),
        }
    }

    /// When the first of a principal's assignments ends: no answer is remembered beyond it.
    pub(crate) fn posts_end_at(&self, principal: Principal, now: Timestamp) -> Option<Timestamp> {
        self.held(principal)
            .map(|held| held.assignment)
            .filter(|a| a.is_current(now))
            .filter_map(|a| a.until)
            .min()
    }

    pub(crate) fn relations(&self, resource: &Resource) -> Relations {
        let mut relations = Relations::default();
        let text = resource.id.as_str();
        match resource.kind {
            ResourceKind::Identity => {
                let token = text.parse::<TokenId>().ok().and_then(|id| self.tokens.get(&id));
                let holder = token
                    .map(|kept| kept.value.holder)
                    .or_else(|| text.parse().ok().map(Principal::Person))
                    .or_else(|| text.parse().ok().map(Principal::Service));
                match holder {
                    Some(Principal::Person(id)) => relations.person = Some(id),
                    Some(Principal::Service(id)) => {
                        let service = self.services.get(&id);
                        relations.owned_by = service.and_then(|s| s.value.owner);
                    }
                    _ => {}
                }
            }
            ResourceKind::Approval => {
                let approval = text.parse().ok().and_then(|id: ApprovalId| self.approvals.get(&id));
                if let Some(Principal::Person(id)) = approval.map(|a| a.requested_by) {
                    relations.requested_by = Some(id);
                }
            }
            _ => {}
        }
        relations
    }

    /// Whether this requester has an approved, unused request for the action on the resource. The
    /// use case binds it to the exact request; this is what the gate asks.
    pub(crate) fn has_approval(
        &self,
        word: &str,
        resource: &Resource,
        requester: Principal,
        times: &Times,
    ) -> bool {
        let now = times.latest();
        self.approvals.values().any(|a| {
            a.requested_by == requester
                && a.subject.action == word
                && a.subject.resource == resource.id
                && a.subject.domain == resource.domain
                && a.state(now) == ApprovalState::Approved
        })
    }

    pub(crate) fn find_approval(
        &self,
        subject: &ApprovalSubject,
        requester: Principal,
        now: Timestamp,
    ) -> Option<ApprovalId> {
        self.approvals.values().find(|a| a.fits(subject, requester, now)).map(|a| a.id)
    }

    /// The key domains in which a principal holds something, the installation first.
    pub(crate) fn domains_of(&self, principal: Principal, now: Timestamp) -> Vec<DomainId> {
        let mut domains: Vec<_> = self
            .posts(principal, now)
            .into_iter()
            .filter_map(|held| match held.assignment.reach {
                Reach::Installation => None,
                Reach::Domain(domain) => Some(domain),
            })
            .collect();
        domains.sort_unstable();
        domains.dedup();
        domains
    }
}
