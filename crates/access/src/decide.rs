//! The decision, as the gate asks for it: memory only, no store, no clock but the one it was opened
//! with.
//!
//! 1. Does the credential's own scope cover it?
//! 2. Do the policies allow it? Remembered, when the policies that matched read no time.
//! 3. Does a rule want others to approve first, and have they?

use crate::access::Access;
use crate::approvals::{ApprovalRule, Occasion};
use crate::held::HeldRole;
use crate::policy::{
    Answer, CredentialKind, EngineError, Question, Relations, Subject, Surroundings, lists,
};
use crate::roles::Role;
use kernel::{
    Action, AuthStrength, Caller, Decider, DomainId, Door, Factor, Grant, PolicyVersion, Principal,
    Refusal, Resource, ResourceKind, Timestamp,
};
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

/// Most callers whose standing in a key domain is kept ready.
pub const STANDINGS_MAX: usize = 4_096;
/// Most answers that are remembered.
pub const ANSWERS_MAX: usize = 16_384;

/// A caller's roles in one key domain, ready for the engine.
#[derive(Debug)]
pub(crate) struct Standing {
    generation: u64,
    until: Option<Timestamp>,
    subject: Subject,
    around: Surroundings,
}

impl Standing {
    fn holds(&self, generation: u64, now: Timestamp) -> bool {
        self.generation == generation && self.until.is_none_or(|until| now < until)
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct AnswerKey {
    principal: Principal,
    action: Action,
    domain: DomainId,
    labels: (u64, u64),
    strong: bool,
    credential: CredentialKind,
    door: u8,
}

#[derive(Debug)]
struct Remembered {
    generation: u64,
    until: Option<Timestamp>,
    answer: Answer,
}

/// What was worked out before. Everything in it carries the directory's generation and is worth
/// nothing in the next one.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    standings: RwLock<HashMap<(Principal, DomainId), Arc<Standing>>>,
    answers: RwLock<HashMap<AnswerKey, Remembered>>,
    hashers: (RandomState, RandomState),
}

impl Standings {
    /// Labels as two keyed hashes: 128 bits that nobody can aim at.
    fn labels(&self, resource: &Resource) -> (u64, u64) {
        let one = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            for pair in resource.labels.iter() {
                pair.hash(&mut hasher);
            }
            hasher.finish()
        };
        (one(&self.hashers.0), one(&self.hashers.1))
    }
}

/// Why something is or is not allowed, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// What the gate would say.
    pub verdict: Result<(), Cow<'static, str>>,
    /// The policies that decide, by their `@id`.
    pub because: Vec<String>,
    /// The roles of the caller that count here and now, with the groups by which they are held.
    pub roles: Vec<HeldRole>,
    /// Rules by which others must approve.
    pub approvals: Vec<ApprovalRule>,
    /// The policy version.
    pub policy_version: PolicyVersion,
}

impl Decider for Access {
    fn decide(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource,
        _: Timestamp,
    ) -> Result<Grant, Refusal> {
        let policy_version = self.policy_version();
        let refuse = |code: Cow<'static, str>, because: Vec<String>| Refusal {
            code,
            because,
            policy_version,
        };
        if resource.kind != action.resource_kind() {
            return Err(refuse(Cow::Borrowed("wrong-resource"), Vec::new()));
        }
        let scope = caller.scope.as_deref();
        // Revoked since the request came in: what this caller still holds is worth nothing.
        if let Some(credential) = scope.and_then(|scope| scope.credential)
            && !self.look(|d| d.is_live(credential, caller.principal, self.times().latest()))
        {
            return Err(refuse(Cow::Borrowed("credential-revoked"), Vec::new()));
        }
        let whole = is_whole_list(caller, action, resource);
        let covered = scope.is_none_or(|scope| {
            scope.covers(action, resource.domain)
                || (whole && scope.actions.as_ref().is_none_or(|a| a.contains(&action)))
        });
        if !covered {
            return Err(refuse(Cow::Borrowed("token-scope"), Vec::new()));
        }
        if whole {
            let (answer, domains) = self.list(caller, action, resource);
            let limits = scope.and_then(|scope| scope.domains.as_ref());
            let domains = match (domains, limits) {
                (domains, None) => domains,
                (None, Some(limits)) => Some(limits.clone()),
                (Some(domains), Some(limits)) => {
                    Some(domains.into_iter().filter(|d| limits.contains(d)).collect())
                }
            };
            return match answer.verdict {
                Err(code) => Err(refuse(code, answer.because)),
                Ok(()) if domains.as_ref().is_some_and(Vec::is_empty) => {
                    Err(refuse(Cow::Borrowed("token-scope"), Vec::new()))
                }
                Ok(()) => Ok(Grant { policy_version, because: answer.because, domains }),
            };
        }
        let answer = self.one(caller, action, resource);
        if let Err(code) = answer.verdict {
            return Err(refuse(code, answer.because));
        }
        if let Some(rule) = ApprovalRule::find(action, Occasion::Always)
            && caller.principal != Principal::System
        {
            let word = rule.action.word();
            let given =
                self.look(|d| d.has_approval(word, resource, caller.principal, self.times()));
            if !given {
                let because = vec![format!("approval-rule:{word}")];
                return Err(refuse(Cow::Borrowed("approval-needed"), because));
            }
        }
        let domains = (lists(action) && resource.id == "*").then(|| vec![resource.domain]);
        Ok(Grant { policy_version, because: answer.because, domains })
    }
}

/// A list without a key domain of its own shows all that the caller may see.
fn is_whole_list(caller: &Caller, action: Action, resource: &Resource) -> bool {
    lists(action)
        && resource.id == "*"
        && (resource.domain == DomainId::SYSTEM || resource.domain == caller.domain)
}

impl Access {
    /// Why this caller may or may not do this; nothing is recorded and no permit is made.
    #[must_use]
    pub fn explain(&self, caller: &Caller, action: Action, resource: &Resource) -> Explanation {
        let now = self.times().latest();
        let decision = self.decide(caller, action, resource, now);
        let policy_version = self.policy_version();
        let (verdict, because) = match decision {
            Ok(grant) => (Ok(()), grant.because),
            Err(refusal) => (Err(refusal.code), refusal.because),
        };
        let posts = self.look(|d| d.posts(caller.principal, now));
        let covers = |held: &HeldRole| held.assignment.reach.covers(resource.domain);
        let roles = posts.into_iter().filter(covers).collect();
        let approvals = ApprovalRule::of(action).copied().collect();
        Explanation { verdict, because, roles, approvals, policy_version }
    }

    /// How this caller signs what they do: the name on screen, and the roles whose policies allow
    /// it, in English. Needs no permit; says nothing of others.
    #[must_use]
    pub fn signs_as(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource,
    ) -> (String, String) {
        let decision = self.decide(caller, action, resource, self.times().latest());
        let because = decision.map(|grant| grant.because).unwrap_or_default();
        let roles = because.iter().filter_map(|policy| Role::from_word(policy));
        let roles: Vec<_> = roles.map(Role::english).collect();
        let name = self.display_name(caller.principal);
        let name = name.map_or_else(|| caller.principal.to_string(), String::from);
        (name, roles.join(", "))
    }

    /// The key domains of a list: `None` for all, when the caller may see the whole installation.
    fn list(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource,
    ) -> (Answer, Option<Vec<DomainId>>) {
        let everywhere = Resource { domain: DomainId::SYSTEM, ..resource.clone() };
        let answer = self.one(caller, action, &everywhere);
        let nowhere = answer.verdict == Err(Cow::Borrowed("no-policy-allows"));
        if !nowhere {
            return (answer, None);
        }
        let now = self.times().latest();
        let mut found = answer;
        let mut domains = Vec::new();
        for domain in self.look(|d| d.domains_of(caller.principal, now)) {
            let here = Resource { domain, ..resource.clone() };
            let answer = self.one(caller, action, &here);
            if answer.verdict.is_ok() {
                domains.push(domain);
                found = answer;
            }
        }
        (found, Some(domains))
    }

    fn one(&self, caller: &Caller, action: Action, resource: &Resource) -> Answer {
        self.ask(caller, action, resource).unwrap_or_else(|_| Answer {
            verdict: Err(Cow::Borrowed("policy-error")),
            because: Vec::new(),
        })
    }

    fn ask(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource,
    ) -> Result<Answer, EngineError> {
        let now = self.times().latest();
        let own = matches!(resource.kind, ResourceKind::Identity | ResourceKind::Approval);
        let (generation, relations) = self.look(|d| {
            (d.generation, if own { d.relations(resource) } else { Relations::default() })
        });
        let strong = caller.strength() == AuthStrength::Multi;
        let credential = credential_of(caller);
        let key = AnswerKey {
            principal: caller.principal,
            action,
            domain: resource.domain,
            labels: self.standings().labels(resource),
            strong,
            credential,
            door: match caller.origin.door {
                Door::Rest => 0,
                Door::Console => 1,
                Door::Internal => 2,
            },
        };
        // What belongs to somebody, and what depends on time, is asked anew each time.
        let remember = !own && !self.engine().reads_time(action);
        if remember && let Some(answer) = self.remembered(&key, generation, now) {
            return Ok(answer);
        }
        let standing = self.standing(caller.principal, resource.domain, generation, now)?;
        let question = Question {
            subject: &standing.subject,
            action,
            resource,
            relations,
            strong,
            credential,
            door: caller.origin.door,
            factor_age_seconds: now.seconds_since(caller.proven_at),
            now,
        };
        let answer = self.engine().ask(&question, &standing.around)?;
        if remember {
            let remembered = Remembered {
                generation: standing.generation,
                until: standing.until,
                answer: answer.clone(),
            };
            let mut answers =
                self.standings().answers.write().unwrap_or_else(PoisonError::into_inner);
            keep_within(&mut answers, key, remembered, ANSWERS_MAX);
        }
        Ok(answer)
    }

    fn remembered(&self, key: &AnswerKey, generation: u64, now: Timestamp) -> Option<Answer> {
        let answers = self.standings().answers.read().unwrap_or_else(PoisonError::into_inner);
        let found = answers.get(key)?;
        let holds = found.generation == generation && found.until.is_none_or(|until| now < until);
        holds.then(|| found.answer.clone())
    }

    fn standing(
        &self,
        principal: Principal,
        domain: DomainId,
        generation: u64,
        now: Timestamp,
    ) -> Result<Arc<Standing>, EngineError> {
        let key = (principal, domain);
        {
            let all = self.standings().standings.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = all.get(&key).filter(|known| known.holds(generation, now)) {
                return Ok(Arc::clone(known));
            }
        }
        let (generation, until, subject) = self
            .look(|d| (d.generation, d.posts_end_at(principal, now), d.subject(principal, now)));
        let around = self.engine().surroundings(&subject, domain)?;
        let standing = Arc::new(Standing { generation, until, subject, around });
        let mut all = self.standings().standings.write().unwrap_or_else(PoisonError::into_inner);
        keep_within(&mut all, key, Arc::clone(&standing), STANDINGS_MAX);
        Ok(standing)
    }
}

fn credential_of(caller: &Caller) -> CredentialKind {
    if caller.principal == Principal::System {
        CredentialKind::None
    } else if caller.factors.contains(&Factor::Token) {
        CredentialKind::Token
    } else if caller.factors.contains(&Factor::Certificate) {
        CredentialKind::Certificate
    } else {
        CredentialKind::Session
    }
}

/// Keeps at most `most`: when it is full everything goes, which costs one slow decision for each
/// caller and needs no book of who was used last.
fn keep_within<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: K, value: V, most: usize) {
    if map.len() >= most && !map.contains_key(&key) {
        map.clear();
    }
    map.insert(key, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_limited() {
        let mut map = HashMap::new();
        for n in 0..=ANSWERS_MAX {
            keep_within(&mut map, n, n, ANSWERS_MAX);
            assert!(map.len() <= ANSWERS_MAX);
        }
        assert_eq!(map.get(&ANSWERS_MAX), Some(&ANSWERS_MAX));
        keep_within(&mut map, 1, 2, 1);
        keep_within(&mut map, 1, 3, 1);
        assert_eq!(map.get(&1), Some(&3));
    }
}
