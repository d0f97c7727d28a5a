//! People, services, tokens and password rules as facts.

use access::checks::{PersonReading, ServiceReading, TokenReading};
use access::duties::{Conflict, Duty};
use access::roles::Role;
use access::{Access, PASSWORD_CHARS_MIN};
use comply::{Fact, FactSource, SourceFailure};
use inventory::KnownBy;
use kernel::actions::CheckRun;
use kernel::{Permit, Timestamp};

pub(super) struct Identities {
    pub(super) access: Access,
}

impl FactSource for Identities {
    fn kinds(&self) -> &[&'static str] {
        &["identity", "token", "password-rules"]
    }

    fn facts(&self, permit: &Permit<CheckRun>, now: Timestamp) -> Result<Vec<Fact>, SourceFailure> {
        let reading = self.access.reading(permit);
        let used = |service: &ServiceReading| {
            let mine = kernel::Principal::Service(service.service);
            let used = reading.tokens.iter().filter(|token| token.holder == mine);
            used.filter_map(|token| token.used_at).max()
        };
        let mut facts: Vec<Fact> = reading.people.iter().map(|p| person(p, now)).collect();
        facts.extend(reading.services.iter().map(|s| service(s, used(s), now)));
        facts.extend(reading.tokens.iter().map(|t| token(t, now)));
        facts.push(
            Fact::new("password-rules", "password-rules", KnownBy::Observed, now)
                .with("length_min", PASSWORD_CHARS_MIN)
                // Both are built in: there is no switch that turns them off.
                .with("common_refused", true)
                .with("lock_out", true),
        );
        Ok(facts)
    }
}

fn date(at: Option<Timestamp>) -> String {
    at.map(Timestamp::rfc3339).unwrap_or_default()
}

fn words(roles: &[Role]) -> Vec<String> {
    roles.iter().map(|role| role.word().to_owned()).collect()
}

fn duties(roles: &[Role]) -> Vec<String> {
    let mut duties: Vec<Duty> = roles.iter().flat_map(|role| Duty::of(*role)).copied().collect();
    duties.sort_unstable();
    duties.dedup();
    duties.into_iter().map(|duty| duty.word().to_owned()).collect()
}

fn conflicts(conflicts: &[Conflict]) -> Vec<String> {
    conflicts.iter().map(|c| format!("{} with {}", c.held.word(), c.other.word())).collect()
}

fn privileged(roles: &[Role]) -> bool {
    let rules =
        |duty: &Duty| matches!(duty, Duty::ManagesUsers | Duty::ChangesPolicy | Duty::Operates);
    roles.iter().flat_map(|role| Duty::of(*role)).any(rules)
}

fn person(person: &PersonReading, now: Timestamp) -> Fact {
    Fact::new("identity", person.person.to_string(), KnownBy::Observed, now)
        .with("name", person.name.as_str())
        .with("type_of", "person")
        .with("enabled", !person.is_locked)
        .with("second_factor", person.has_second_factor)
        .with("privileged", privileged(&person.roles))
        .with("roles", words(&person.roles))
        .with("duties", duties(&person.roles))
        .with("conflicts", conflicts(&person.conflicts))
        .with("created_at", person.made_at.rfc3339())
        .with("last_used_at", date(person.signed_in_at))
        .with("reviewed_at", date(person.reviewed_at))
}

fn service(service: &ServiceReading, used_at: Option<Timestamp>, now: Timestamp) -> Fact {
    Fact::new("identity", service.service.to_string(), KnownBy::Observed, now)
        .with("name", service.name.as_str())
        .with("type_of", "service")
        .with("enabled", !service.is_locked)
        .with("second_factor", false)
        .with("privileged", privileged(&service.roles))
        .with("roles", words(&service.roles))
        .with("duties", duties(&service.roles))
        .with("conflicts", conflicts(&service.conflicts))
        .with("created_at", service.made_at.rfc3339())
        .with("last_used_at", date(used_at))
        .with("reviewed_at", date(service.reviewed_at))
}

fn token(token: &TokenReading, now: Timestamp) -> Fact {
    Fact::new("token", token.token.to_string(), KnownBy::Observed, now)
        .with("owner", token.holder.to_string())
        .with("scoped", token.is_narrowed)
        .with("created_at", token.made_at.rfc3339())
        .with("expires_at", token.expires_at.rfc3339())
        .with("last_used_at", date(token.used_at))
}
