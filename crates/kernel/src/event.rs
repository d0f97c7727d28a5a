//! What is written down: one event for each decision, allowed or refused.
//!
//! An event has a public part, which proofs are about, and a personal part (a name, an address)
//! that is encrypted under a key of its own and can be shredded without breaking a proof.

use crate::limits::{EVENT_DETAIL_BYTES_MAX, EVENT_DETAILS_MAX};
use crate::{Caller, DomainId, Principal, Resource, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The position of an event in the log, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogPosition(pub u64);

/// What the gate said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Allowed by policy.
    Allowed,
    /// Refused.
    Refused,
    /// No decision was needed: the installation speaks of itself.
    System,
}

/// How it ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused, for this reason (a stable code).
    Refused(Cow<'static, str>),
    /// It was allowed and failed, for this reason (a stable code).
    Failed(Cow<'static, str>),
}

/// One record of the log, before it has its position.
///
/// Field order is the order of the canonical JSON that is hashed; see `audit`.
/// ```
/// use kernel::{Event, Timestamp};
/// let event = Event::system("system.started", Timestamp::EPOCH)
///     .with("version", "1.0")
///     .with_personal("address", "192.0.2.7");
/// assert_eq!(event.detail("version"), Some("1.0"));
/// assert_eq!(event.personal.len(), 1, "sealed apart, and shredded without breaking the log");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// When it was decided.
    pub at: Timestamp,
    /// The action's word, or the word of a system event such as `system.started`.
    pub action: Cow<'static, str>,
    /// Kind and id of the resource, such as `key:key_01…`.
    pub resource: String,
    /// The key domain.
    pub domain: DomainId,
    /// Who.
    pub principal: Principal,
    /// The door it came through.
    pub door: crate::Door,
    /// What the gate said.
    pub decision: Decision,
    /// How it ended.
    pub outcome: Outcome,
    /// The version of the policy that decided.
    pub policy_version: u64,
    /// The id by which the caller knows the request.
    pub correlation: String,
    /// Time from arrival to the making of this record, in microseconds.
    pub latency_micros: u64,
    /// What else an auditor needs: algorithm, version, counts, reasons. Never a secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<(Cow<'static, str>, String)>,
    /// What identifies a natural person beyond the id: a name, an address. Hashed and kept apart.
    #[serde(skip)]
    pub personal: Vec<(Cow<'static, str>, String)>,
}

impl Event {
    /// An event by which the installation speaks of itself.
    #[must_use]
    pub fn system(action: &'static str, at: Timestamp) -> Self {
        Self {
            at,
            action: Cow::Borrowed(action),
            resource: String::from("system:*"),
            domain: DomainId::SYSTEM,
            principal: Principal::System,
            door: crate::Door::Internal,
            decision: Decision::System,
            outcome: Outcome::Done,
            policy_version: 0,
            correlation: String::new(),
            latency_micros: 0,
            details: Vec::new(),
            personal: Vec::new(),
        }
    }

    pub(crate) fn of(
        caller: &Caller,
        action: &'static str,
        resource: &Resource,
        at: Timestamp,
        policy_version: u64,
    ) -> Self {
        let mut event = Self::system(action, at);
        event.resource = format!("{}:{}", resource.kind.word(), resource.id);
        event.domain = resource.domain;
        event.principal = caller.principal;
        event.door = caller.origin.door;
        event.decision = Decision::Allowed;
        event.policy_version = policy_version;
        event.correlation.clone_from(&caller.correlation);
        if let Some(address) = caller.origin.address {
            event.personal.push((Cow::Borrowed("address"), address.to_string()));
        }
        event
    }

    /// Adds a detail; over-long values are cut and marked, details past the limit are dropped.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        if self.details.len() < EVENT_DETAILS_MAX {
            self.details.push((Cow::Borrowed(key), cut(value.into())));
        }
        self
    }

    /// Adds something that identifies a natural person.
    #[must_use]
    pub fn with_personal(mut self, key: &'static str, value: impl Into<String>) -> Self {
        if self.personal.len() < EVENT_DETAILS_MAX {
            self.personal.push((Cow::Borrowed(key), cut(value.into())));
        }
        self
    }

    /// The value of a detail.
    #[must_use]
    pub fn detail(&self, key: &str) -> Option<&str> {
        self.details.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}

fn cut(mut value: String) -> String {
    if value.len() > EVENT_DETAIL_BYTES_MAX {
        let mut end = EVENT_DETAIL_BYTES_MAX;
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        value.truncate(end);
        value.push('…');
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_and_leaves_the_personal_part_out() {
        let event = Event::system("system.started", Timestamp::EPOCH)
            .with("version", "0.1.0")
            .with_personal("address", "192.0.2.1");
        let json = serde_json::to_string(&event).unwrap();
        assert!(!json.contains("192.0.2.1"));
        let back: Event = serde_json::from_str(&json).unwrap();
        assert_eq!(back.details, event.details);
        assert_eq!(serde_json::to_string(&back).unwrap(), json);
    }

    #[test]
    fn details_are_limited_in_number_and_length() {
        let long = "密".repeat(1_000);
        let event =
            (0..100).fold(Event::system("x", Timestamp::EPOCH), |e, _| e.with("d", long.clone()));
        assert_eq!(event.details.len(), EVENT_DETAILS_MAX);
        assert!(event.details[0].1.len() <= EVENT_DETAIL_BYTES_MAX + '…'.len_utf8());
    }
}
