//! People, services, tokens and password rules as facts.

use access::checks::{ApprovalReading, PersonReading, ServiceReading, TokenReading};
use access::duties::{Conflict, Duty};
use access::roles::Role;
use access::throttle::Throttle;
use access::{Access, PASSWORD_CHARS_MIN, PasswordProblem, check_password};
use comply::{Fact, FactSource, SourceFailure};
use inventory::KnownBy;
use kernel::actions::CheckRun;
use kernel::{MonotonicMicros, Permit, Secret, Timestamp};

/// Long and varied enough, and still refused: for being common.
const COMMON: &str = "password12345";
/// More wrong passwords than anybody types by mistake.
const WRONG_TRIES: usize = 20;

pub(super) struct Identities {
    pub(super) access: Access,
}

impl FactSource for Identities {
    fn kinds(&self) -> &[&'static str] {
        &["identity", "token", "approval", "password-rules"]
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
        facts.extend(reading.approvals.iter().map(|a| approval(a, now)));
        facts.push(password_rules(now));
        Ok(facts)
    }
}

/// The rules as they act, not as they are written: a common password is really tried, and so are
/// twenty wrong ones in a row.
fn password_rules(now: Timestamp) -> Fact {
    let tried = check_password(&Secret::new(COMMON.to_owned()), &[]);
    Fact::new("password-rules", "password-rules", KnownBy::Observed, now)
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

fn approval(approval: &ApprovalReading, now: Timestamp) -> Fact {
    let by: Vec<String> = approval.approved_by.iter().map(ToString::to_string).collect();
    Fact::new("approval", approval.approval.to_string(), KnownBy::Observed, now)
        .with("action", approval.action.as_str())
        .with("state", approval.state.word())
        .with("requested_by", approval.requested_by.to_string())
        .with("decided_by", by)
        .with("needed", approval.needed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use access::duties::conflicts_within;
    use comply::Vocabulary;
    use kernel::{PersonId, Principal, ServiceId, TokenId};

    fn told(roles: &[Role]) -> Fact {
        let reading = PersonReading {
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
        person(&reading, Timestamp::EPOCH)
    }

    #[test]
    fn people_services_tokens_approvals_and_rules_say_what_the_vocabulary_asks() {
        let vocabulary = Vocabulary::builtin().unwrap();
        let now = Timestamp::EPOCH;
        let a_service = ServiceReading {
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
        let a_token = TokenReading {
            token: TokenId::from_bytes([3; 16]),
            holder: Principal::System,
            name: "nightly".parse().unwrap(),
            is_narrowed: true,
            made_at: now,
            expires_at: now.plus_days(30),
            used_at: None,
        };
        let an_approval = ApprovalReading {
            approval: kernel::ApprovalId::from_bytes([4; 16]),
            action: "key.destroy".into(),
            state: access::approvals::ApprovalState::Used,
            requested_by: Principal::Person(PersonId::from_bytes([1; 16])),
            approved_by: vec![PersonId::from_bytes([2; 16]), PersonId::from_bytes([3; 16])],
            needed: 2,
        };
        let facts = [
            told(Role::ALL),
            service(&a_service, None, now),
            token(&a_token, now),
            approval(&an_approval, now),
            password_rules(now),
        ];
        for fact in facts {
            assert_eq!(vocabulary.defect(&fact), None, "{}", fact.kind);
        }
    }

    #[test]
    fn roles_that_do_not_go_together_are_told() {
        let both = told(&[Role::IdentityAdministrator, Role::KeyCustodian]);
        assert_eq!(both.attributes["conflicts"].as_array().map(Vec::len), Some(1));
        assert_eq!(both.attributes["privileged"], true);
        let one = told(&[Role::KeyCustodian]);
        assert_eq!(one.attributes["conflicts"].as_array().map(Vec::len), Some(0));
        assert_eq!(one.attributes["privileged"], false);
    }

    #[test]
    fn the_rules_for_passwords_are_tried_and_hold() {
        let rules = password_rules(Timestamp::EPOCH);
        assert_eq!(rules.attributes["common_refused"], true);
        assert_eq!(rules.attributes["lock_out"], true);
    }
}
