//! API tokens and client certificates.

use crate::house::{House, Staff, identity, key, name, retail, treasury, wait};
use access::{AccessError, MadeToken, NewToken, TOKEN_DAYS_MAX, TOKENS_MAX};
use kernel::actions::{IdentityManage, IdentityRead, TokenManage};
use kernel::{Action, Caller, Factor, Principal, Resource, ResourceKind, ServiceId};

fn with_service() -> (House, Staff, ServiceId) {
    let (house, staff) = House::settled();
    let service = staff.service;
    (house, staff, service)
}

fn new_token(house: &House, actions: Option<Vec<Action>>) -> NewToken {
    let expires_at = access_now(house).plus_days(30);
    NewToken { name: name("payments in production"), actions, domains: None, expires_at }
}

fn access_now(house: &House) -> kernel::Timestamp {
    kernel::Clock::wall(&*house.clock)
}

fn make(house: &House, staff: &Staff, service: ServiceId, new: NewToken) -> MadeToken {
    let permit = house.permit::<TokenManage>(&staff.engineer, identity(service)).unwrap();
    wait(house.access().create_token(permit, new, None)).unwrap()
}

fn caller(house: &House, token: &MadeToken) -> Result<Caller, AccessError> {
    house.access().caller_for_token(token.text.expose(), &house.arrival(crate::house::desk()))
}

#[test]
fn a_token_uses_keys_within_its_scope_and_its_holders_key_domain_only() {
    let (house, staff, service) = with_service();
    let mut new = new_token(&house, Some(vec![Action::KeyEncrypt]));
    new.domains = Some(vec![retail(), treasury()]);
    let token = make(&house, &staff, service, new);
    assert!(token.text.expose().starts_with("lr_"));
    let caller = caller(&house, &token).unwrap();
    assert_eq!(caller.principal, Principal::Service(service));
    assert_eq!((caller.domain, caller.factors.as_slice()), (retail(), &[Factor::Token][..]));
    assert_eq!(house.may(&caller, Action::KeyEncrypt, &key(retail())), "allowed");
    assert_eq!(house.may(&caller, Action::KeyDecrypt, &key(retail())), "token-scope");
    assert_eq!(house.may(&caller, Action::KeyEncrypt, &key(treasury())), "no-policy-allows");

    let mut new = new_token(&house, None);
    new.domains = Some(vec![treasury()]);
    let elsewhere = make(&house, &staff, service, new);
    let elsewhere = self::caller(&house, &elsewhere).unwrap();
    assert_eq!(house.may(&elsewhere, Action::KeyEncrypt, &key(retail())), "token-scope");
    let list = Resource::all(ResourceKind::Key, retail());
    assert_eq!(house.may(&elsewhere, Action::KeyList, &list), "token-scope");
}

#[test]
fn a_token_ends_at_its_date_and_a_clock_set_back_does_not_revive_it() {
    let (house, staff, service) = with_service();
    let mut new = new_token(&house, None);
    new.expires_at = access_now(&house).plus_days(10);
    let token = make(&house, &staff, service, new);
    house.clock.advance_millis(10 * 86_400_000 - 1);
    assert!(caller(&house, &token).is_ok());
    house.clock.advance_millis(1);
    assert!(matches!(caller(&house, &token), Err(AccessError::TokenRefused)));
    house.clock.jump_wall_seconds(-5 * 86_400);
    assert!(matches!(caller(&house, &token), Err(AccessError::TokenRefused)));
}

#[test]
fn a_revoked_token_is_refused_at_once_and_after_a_restart() {
    let (mut house, staff, service) = with_service();
    let token = make(&house, &staff, service, new_token(&house, None));
    let other = make(&house, &staff, service, new_token(&house, None));
    let early = caller(&house, &token).unwrap();
    assert_eq!(house.may(&early, Action::KeyEncrypt, &key(retail())), "allowed");
    let permit = house.permit::<TokenManage>(&staff.engineer, identity(token.id)).unwrap();
    wait(house.access().revoke_token(permit)).unwrap();
    assert!(caller(&house, &token).is_err());
    // Nor does it serve a request that came in before and asks only now.
    let word = house.may(&early, Action::KeyEncrypt, &key(retail()));
    assert_eq!(word, "credential-revoked");
    house.restart();
    assert!(caller(&house, &token).is_err());
    assert!(caller(&house, &other).is_ok());
}

#[test]
fn a_changed_token_and_one_of_another_are_refused() {
    let (house, staff, service) = with_service();
    let token = make(&house, &staff, service, new_token(&house, None));
    let other = make(&house, &staff, service, new_token(&house, None));
    let arrival = house.arrival(crate::house::desk());
    let text = token.text.expose().clone();
    let (head, _) = text.split_at(30);
    let (_, tail) = other.text.expose().split_at(30);
    for bad in [format!("{head}{tail}"), text.to_uppercase(), text.replace("lr_", "lr")] {
        assert!(house.access().caller_for_token(&bad, &arrival).is_err(), "{bad}");
    }
    let last = if text.ends_with('A') { "B" } else { "A" };
    let flipped = format!("{}{last}", text.split_at(text.len() - 1).0);
    assert!(house.access().caller_for_token(&flipped, &arrival).is_err());
}

#[test]
fn only_the_owner_makes_tokens_of_a_service() {
    let (house, staff, service) = with_service();
    for who in [&staff.users, &staff.policies, &staff.custodian, &staff.officer, &staff.operator] {
        let refused = house.permit::<TokenManage>(who, identity(service)).unwrap_err();
        assert_eq!(refused.code, "no-policy-allows", "{}", who.name);
    }
    assert!(house.permit::<TokenManage>(&staff.engineer, identity(service)).is_ok());
    // Everybody makes their own.
    assert!(house.permit::<TokenManage>(&staff.auditor, identity(staff.auditor.id)).is_ok());
    assert!(house.permit::<TokenManage>(&staff.auditor, identity(staff.officer.id)).is_err());
}

#[test]
fn a_persons_token_reads_but_does_nothing_sensitive() {
    let (house, staff, _) = with_service();
    let permit = house.permit::<TokenManage>(&staff.users, identity(staff.users.id)).unwrap();
    let token = wait(house.access().create_token(permit, new_token(&house, None), None)).unwrap();
    let caller = caller(&house, &token).unwrap();
    assert_eq!(house.may(&caller, Action::IdentityRead, &identity("*")), "allowed");
    let manage = house.may(&caller, Action::IdentityManage, &identity("*"));
    assert_eq!(manage, "second-factor-needed");
}

#[test]
fn dates_and_numbers_of_tokens_are_limited() {
    let (house, staff, service) = with_service();
    let now = access_now(&house);
    for expires_at in [now, now.plus_days(-1), now.plus_days(TOKEN_DAYS_MAX).plus_seconds(1)] {
        let permit = house.permit::<TokenManage>(&staff.engineer, identity(service)).unwrap();
        let new = NewToken { expires_at, ..new_token(&house, None) };
        let refused = wait(house.access().create_token(permit, new, None));
        assert!(matches!(refused, Err(AccessError::Date { .. })));
    }
    for _ in 0..TOKENS_MAX {
        make(&house, &staff, service, new_token(&house, None));
    }
    let permit = house.permit::<TokenManage>(&staff.engineer, identity(service)).unwrap();
    let over = wait(house.access().create_token(permit, new_token(&house, None), None));
    assert!(matches!(over, Err(AccessError::TooMany { .. })));
}

#[test]
fn the_use_of_a_token_is_noted_to_the_hour() {
    let (mut house, staff, service) = with_service();
    let token = make(&house, &staff, service, new_token(&house, None));
    let used = |house: &House| {
        let permit = house.permit::<IdentityRead>(&staff.users, identity(service)).unwrap();
        house.access().tokens(permit)[0].used_at
    };
    assert_eq!(used(&house), None);
    caller(&house, &token).unwrap();
    let at = used(&house).unwrap();
    house.clock.advance_millis(60_000);
    caller(&house, &token).unwrap();
    assert_eq!(used(&house), Some(at));
    house.restart();
    assert_eq!(used(&house), Some(at));
}

#[test]
fn a_client_certificate_stands_for_its_service_until_it_is_taken_away() {
    let (house, staff, service) = with_service();
    let spki = [7; 32];
    let arrival = house.arrival(crate::house::desk());
    assert!(house.access().caller_for_certificate(&spki, &arrival).is_err());
    let manage = || house.permit::<IdentityManage>(&staff.users, identity(service)).unwrap();
    wait(house.access().bind_certificate(manage(), spki, name("blue"))).unwrap();
    let caller = house.access().caller_for_certificate(&spki, &arrival).unwrap();
    assert_eq!(house.may(&caller, Action::KeyEncrypt, &key(retail())), "allowed");
    let other = house.service(&staff.users, "ledger", None);
    let permit = house.permit::<IdentityManage>(&staff.users, identity(other)).unwrap();
    let twice = wait(house.access().bind_certificate(permit, spki, name("stolen")));
    assert!(matches!(twice, Err(AccessError::Store(store::StoreError::NotUnique { .. }))));
    wait(house.access().unbind_certificate(manage(), spki)).unwrap();
    let late = house.may(&caller, Action::KeyEncrypt, &key(retail()));
    assert_eq!(late, "credential-revoked");
    assert!(house.access().caller_for_certificate(&spki, &arrival).is_err());
    let again = wait(house.access().unbind_certificate(manage(), spki));
    assert!(matches!(again, Err(AccessError::NoSuch("certificate"))));
}
