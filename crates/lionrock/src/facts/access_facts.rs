//! People, services, tokens and the rules for passwords as facts.

use super::date;
use access::checks::{AccessReading, PersonReading, ServiceReading, TokenReading};
use access::duties::{Conflict, Duty};
use access::roles::Role;
use access::throttle::Throttle;
use access::{Access, PASSWORD_CHARS_MIN, PasswordProblem, check_password};
use comply::{Fact, FactSource, SourceFailure};
use inventory::KnownBy;
use kernel::actions::CheckRun;
use kernel::{MonotonicMicros, Permit, Secret, Timestamp};

/// A password that a strict rule refuses for nothing but its commonness.
const COMMON: &str = "password12345";

/// More wrong passwords than anybody types by mistake.
const WRONG_TRIES: usize = 20;

/// Facts of kinds `identity`, `token` and `password-rules`, observed: we let them in ourselves.
#[derive(Debug)]
pub struct AccessFacts(Access);

impl AccessFacts {
    /// Reads from here.
    #[must_use]
    pub const fn new(access: Access) -> Self {
        Self(access)
    }
}

impl FactSource for AccessFacts {
    fn kinds(&self) -> &[&'static str] {
        &["identity", "token", "password-rules"]
    }

    fn facts(&self, permit: &Permit<CheckRun>, now: Timestamp) -> Result<Vec<Fact>, SourceFailure> {
        Ok(of_reading(&self.0.reading(permit), now))
    }
}

fn of_reading(reading: &AccessReading, now: Timestamp) -> Vec<Fact> {
    let people = reading.people.iter().map(|person| of_person(person, now));
    let services = reading.services.iter().map(|service| of_service(service, now));
    let tokens = reading.tokens.iter().map(|token| of_token(token, now));
    people.chain(services).chain(tokens).chain([password_rules(now)]).collect()
}

fn of_person(person: &PersonReading, now: Timestamp) -> Fact {
    let fact = Fact::new("identity", person.person.to_string(), KnownBy::Observed, now)
        .with("name", person.name.as_str())
        .with("type_of", "person")
        .with("enabled", !person.is_locked)
        .with("second_factor", person.has_second_factor)
        .with("created_at", person.made_at.rfc3339())
        .with("last_used_at", date(person.signed_in_at))
        .with("reviewed_at", date(person.reviewed_at));
    with_roles(fact, &person.roles, &person.conflicts)
}

fn of_service(service: &ServiceReading, now: Timestamp) -> Fact {
    let fact = Fact::new("identity", service.service.to_string(), KnownBy::Observed, now)
        .with("name", service.name.as_str())
        .with("type_of", "service")
        .with("enabled", !service.is_locked)
        .with("second_factor", service.certificates > 0)
        .with("created_at", service.made_at.rfc3339())
        .with("last_used_at", "")
        .with("reviewed_at", date(service.reviewed_at));
    with_roles(fact, &service.roles, &service.conflicts)
}

fn with_roles(fact: Fact, roles: &[Role], conflicts: &[Conflict]) -> Fact {
    let mut duties: Vec<Duty> = roles.iter().flat_map(|role| Duty::of(*role)).copied().collect();
    duties.sort_unstable();
    duties.dedup();
    let privileged = [Duty::ManagesUsers, Duty::ChangesPolicy, Duty::Operates];
    let words = |conflict: &Conflict| format!("{} + {}", conflict.held, conflict.other);
    fact.with("privileged", duties.iter().any(|duty| privileged.contains(duty)))
        .with("roles", roles.iter().map(|role| role.word()).collect::<Vec<_>>())
        .with("duties", duties.iter().map(|duty| duty.word()).collect::<Vec<_>>())
        .with("conflicts", conflicts.iter().map(words).collect::<Vec<_>>())
}

fn of_token(token: &TokenReading, now: Timestamp) -> Fact {
    Fact::new("token", token.token.to_string(), KnownBy::Observed, now)
        .with("owner", token.holder.to_string())
        .with("scoped", token.is_narrowed)
        .with("created_at", token.made_at.rfc3339())
        .with("expires_at", token.expires_at.rfc3339())
        .with("last_used_at", date(token.used_at))
}

/// The rules as they act, not as they are written: a common password is really tried, and so are
/// twenty wrong ones in a row.
fn password_rules(now: Timestamp) -> Fact {
    let tried = check_password(&Secret::new(COMMON.to_owned()), &[]);
    Fact::new("password-rules", "password-rules:people", KnownBy::Observed, now)
        .with("length_min", PASSWORD_CHARS_MIN)
        .with("common_refused", tried == Err(PasswordProblem::Common))
        .with("lock_out", locks_out())
}

fn locks_out() -> bool {
    let (throttle, account, now) = (Throttle::default(), "somebody", MonotonicMicros(1));
    for _ in 0..WRONG_TRIES {
        throttle.failed(account, None, now);
    }
    throttle.wait_seconds(account, None, now) > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use access::duties::conflicts_within;
    use comply::Vocabulary;
    use kernel::{PersonId, Principal, ServiceId, TokenId};

    fn person(roles: &[Role]) -> Fact {
        let person = PersonReading {
            person: PersonId::from_bytes([1; 16]),
            name: "Key Custodian A".parse().unwrap(),
            roles: roles.to_vec(),
            conflicts: conflicts_within(roles),
            has_second_factor: true,
            is_locked: false,
            signed_in_at: None,
            reviewed_at: None,
            made_at: Timestamp::EPOCH,
        };
        of_person(&person, Timestamp::EPOCH)
    }

    #[test]
    fn people_services_tokens_and_rules_say_what_the_vocabulary_asks() {
        let vocabulary = Vocabulary::builtin().unwrap();
        let now = Timestamp::EPOCH;
        let service = ServiceReading {
            service: ServiceId::from_bytes([2; 16]),
            name: "core ledger".parse().unwrap(),
            roles: vec![Role::Application],
            conflicts: Vec::new(),
            has_owner: true,
            certificates: 0,
            is_locked: true,
            made_at: now,
            reviewed_at: None,
        };
        let token = TokenReading {
            token: TokenId::from_bytes([3; 16]),
            holder: Principal::System,
            name: "nightly".parse().unwrap(),
            is_narrowed: true,
            made_at: now,
            expires_at: now.plus_days(30),
            used_at: None,
        };
        let facts = [
            person(Role::ALL),
            of_service(&service, now),
            of_token(&token, now),
            password_rules(now),
        ];
        for fact in facts {
            assert_eq!(vocabulary.defect(&fact), None, "{}", fact.kind);
        }
    }

    #[test]
    fn roles_that_do_not_go_together_are_told() {
        let both = person(&[Role::IdentityAdministrator, Role::KeyCustodian]);
        assert_eq!(both.attributes["conflicts"].as_array().map(Vec::len), Some(1));
        assert_eq!(both.attributes["privileged"], true);
        let one = person(&[Role::KeyCustodian]);
        assert_eq!(one.attributes["conflicts"].as_array().map(Vec::len), Some(0));
        assert_eq!(one.attributes["privileged"], false);
    }

    #[test]
    fn the_rules_for_passwords_refuse_a_common_one() {
        let rules = password_rules(Timestamp::EPOCH);
        assert_eq!(rules.attributes["common_refused"], true);
        assert_eq!(rules.attributes["lock_out"], true);
    }
}
