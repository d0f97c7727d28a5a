//! What this room can say about itself, as evidence: plain readings, no judgement.

use crate::access::Access;
use crate::approvals::{Approval, ApprovalState};
use crate::duties::{Conflict, conflicts_within};
use crate::enrolment::Bootstrap;
use crate::roles::{Role, TIME_BOX_DAYS_MAX};
use crate::tokens::Token;
use kernel::actions::CheckRun;
use kernel::{ApprovalId, Name, Permit, PersonId, PolicyVersion, Principal, Timestamp, TokenId};
use serde::Serialize;
use std::collections::BTreeMap;

/// One person as the checks see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PersonReading {
    /// Who.
    pub person: PersonId,
    /// The name on screen.
    pub name: Name,
    /// Roles that count now, of its own and by groups, each once.
    pub roles: Vec<Role>,
    /// Pairs of them that do not go together.
    pub conflicts: Vec<Conflict>,
    /// Whether both factors are enrolled.
    pub has_second_factor: bool,
    /// Whether an administrator locked it.
    pub is_locked: bool,
    /// When it last signed in.
    pub signed_in_at: Option<Timestamp>,
    /// When its roles were last confirmed.
    pub reviewed_at: Option<Timestamp>,
    /// When the account was made.
    pub made_at: Timestamp,
}

/// One token as the checks see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TokenReading {
    /// Which.
    pub token: TokenId,
    /// Whose.
    pub holder: Principal,
    /// What it is called.
    pub name: Name,
    /// Whether it is narrowed to some actions.
    pub is_narrowed: bool,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to the hour; none: never.
    pub used_at: Option<Timestamp>,
}

/// One request for approval as the checks see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ApprovalReading {
    /// Which.
    pub approval: ApprovalId,
    /// The action's word.
    pub action: String,
    /// Where it stands.
    pub state: ApprovalState,
    /// Who asked.
    pub requested_by: Principal,
    /// Who said yes.
    pub approved_by: Vec<PersonId>,
    /// How many must.
    pub needed: usize,
}

/// Everything that this room says, read at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AccessReading {
    /// When it was read.
    pub at: Timestamp,
    /// Policies and roles in this version.
    pub policy_version: PolicyVersion,
    /// Whether bootstrap is over, and since when.
    pub bootstrap: Bootstrap,
    /// Everybody.
    pub people: Vec<PersonReading>,
    /// Services and their roles, with conflicts.
    pub services: Vec<ServiceReading>,
    /// Tokens that are not over.
    pub tokens: Vec<TokenReading>,
    /// Requests for approval that are kept, whatever became of them.
    pub approvals: Vec<ApprovalReading>,
    /// How many people hold each role now, by its word; every role is named.
    pub holders: BTreeMap<&'static str, usize>,
    /// Time-boxed roles that were given for longer than allowed; empty unless the limit was
    /// lowered.
    pub overlong_time_boxes: Vec<PersonId>,
}

/// One service as the checks see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ServiceReading {
    /// Which.
    pub service: kernel::ServiceId,
    /// Its name.
    pub name: Name,
    /// Roles that count now, each once.
    pub roles: Vec<Role>,
    /// Pairs of them that do not go together.
    pub conflicts: Vec<Conflict>,
    /// Whether somebody is responsible for it.
    pub has_owner: bool,
    /// How many certificates stand for it.
    pub certificates: usize,
    /// Whether it is locked.
    pub is_locked: bool,
    /// When its roles were last confirmed.
    pub reviewed_at: Option<Timestamp>,
    /// When the service was made.
    pub made_at: Timestamp,
}

impl PersonReading {
    /// Whether the account is unused: no sign-in for this many days, or never since it was made.
    #[must_use]
    pub fn is_dormant(&self, now: Timestamp, days: i64) -> bool {
        let last = self.signed_in_at.unwrap_or(self.made_at);
        !self.is_locked && now >= last.plus_days(days)
    }
}

impl TokenReading {
    /// Whether it was made this many days ago and never used.
    #[must_use]
    pub fn is_unused(&self, now: Timestamp, days: i64) -> bool {
        self.used_at.is_none() && now >= self.made_at.plus_days(days)
    }
}

impl Access {
    /// Reads everything for the checks that run under this permit.
    #[must_use]
    pub fn reading(&self, _: &Permit<CheckRun>) -> AccessReading {
        let now = self.times().latest();
        self.look(|d| {
            let roles_of = |principal| {
                let mut roles: Vec<_> =
                    d.posts(principal, now).iter().map(|held| held.assignment.role).collect();
                roles.sort_unstable();
                roles.dedup();
                roles
            };
            let people: Vec<_> = d
                .people
                .values()
                .map(|kept| {
                    let person = &kept.value;
                    let roles = roles_of(Principal::Person(person.id));
                    PersonReading {
                        person: person.id,
                        name: person.name.clone(),
                        conflicts: conflicts_within(&roles),
                        roles,
                        has_second_factor: person.proofs.second_factor_at.is_some(),
                        is_locked: person.lock.is_some(),
                        signed_in_at: d.signed_in.get(&person.id).copied(),
                        reviewed_at: person.reviewed.as_ref().map(|made| made.at),
                        made_at: person.made.at,
                    }
                })
                .collect();
            let services = d
                .services
                .values()
                .map(|kept| {
                    let service = &kept.value;
                    let roles = roles_of(Principal::Service(service.id));
                    ServiceReading {
                        service: service.id,
                        name: service.name.clone(),
                        conflicts: conflicts_within(&roles),
                        roles,
                        has_owner: service.owner.is_some(),
                        certificates: service.certificates.len(),
                        is_locked: service.lock.is_some(),
                        reviewed_at: service.reviewed.as_ref().map(|made| made.at),
                        made_at: service.made.at,
                    }
                })
                .collect();
            let live = d.tokens.values().map(|kept| &kept.value).filter(|t| t.is_live(now));
            let holders = Role::ALL.iter().map(|role| {
                let holds = |p: &&PersonReading| !p.is_locked && p.roles.contains(role);
                (role.word(), people.iter().filter(holds).count())
            });
            let overlong = d.people.values().map(|kept| &kept.value).filter(|person| {
                d.held(Principal::Person(person.id)).map(|held| held.assignment).any(|a| {
                    let end = a.since.plus_days(TIME_BOX_DAYS_MAX);
                    a.role.is_time_boxed()
                        && a.is_current(now)
                        && a.until.is_none_or(|until| until > end)
                })
            });
            AccessReading {
                at: now,
                policy_version: d.policy_version(),
                bootstrap: d.bootstrap(),
                holders: holders.collect(),
                overlong_time_boxes: overlong.map(|person| person.id).collect(),
                people,
                services,
                tokens: live.map(token_reading).collect(),
                approvals: d.approvals.values().map(|one| approval_reading(one, now)).collect(),
            }
        })
    }
}

fn approval_reading(approval: &Approval, now: Timestamp) -> ApprovalReading {
    let yes = approval.verdicts.iter().filter(|verdict| verdict.approves);
    ApprovalReading {
        approval: approval.id,
        action: approval.subject.action.clone(),
        state: approval.state(now),
        requested_by: approval.requested_by,
        approved_by: yes.map(|verdict| verdict.by).collect(),
        needed: approval.needed,
    }
}

fn token_reading(token: &Token) -> TokenReading {
    TokenReading {
        token: token.id,
        holder: token.holder,
        name: token.name.clone(),
        is_narrowed: token.actions.is_some(),
        made_at: token.made.at,
        expires_at: token.expires_at,
        used_at: token.used_at,
    }
}
