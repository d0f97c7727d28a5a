//! Passwords, tokens and one-time codes.

use crate::hall::Hall;
use aws_lc_rs::hmac;
use kernel::{Secret, Timestamp};
use proptest::prelude::*;
use strongroom::{Argon2Cost, PASSWORD_BYTES_MAX, PasswordError, Strongroom};

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.into())
}

#[test]
fn a_password_verifies_and_its_hash_is_useless_elsewhere() {
    let hall = Hall::new();
    let stored = hall.room.hash_password(&secret("hunter2hunter2"), Argon2Cost::LEAST).unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=8192,t=1,p=1$"));
    let verify = |room: &Strongroom, text: &str| room.verify_password(&secret(text), &stored);
    assert!(verify(&hall.room, "hunter2hunter2").unwrap());
    assert!(verify(&hall.restarted(), "hunter2hunter2").unwrap());
    assert!(!verify(&hall.room, "hunter2hunter3").unwrap());
    assert!(!verify(&Hall::new().room, "hunter2hunter2").unwrap(), "another pepper");
    let again = hall.room.hash_password(&secret("hunter2hunter2"), Argon2Cost::LEAST).unwrap();
    assert_ne!(stored, again);
    assert!(!Strongroom::password_needs_rehash(&stored, Argon2Cost::LEAST));
    assert!(Strongroom::password_needs_rehash(&stored, Argon2Cost::STANDARD));
}

#[test]
fn unreadable_hashes_and_endless_passwords_are_refused() {
    let room = Hall::new().room;
    for stored in [
        "",
        "$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHQ$AAAA",
        "$argon2i$v=19$m=8192,t=1,p=1$c2FsdHNhbHQ$AAAA",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHRzYWx0$AAAA",
        &"$".repeat(300),
    ] {
        let refused = room.verify_password(&secret("x"), stored);
        assert!(matches!(refused, Err(PasswordError::Stored)), "{stored}");
    }
    let hostile = format!("$argon2id$v=19$m=4294967295,t=9,p=1$c2FsdHNhbHQ${}", "A".repeat(43));
    let refused = room.verify_password(&secret("x"), &hostile);
    assert!(matches!(refused, Err(PasswordError::Cost(_))));
    let endless = secret(&"x".repeat(PASSWORD_BYTES_MAX + 1));
    let refused = room.hash_password(&endless, Argon2Cost::LEAST);
    assert!(matches!(refused, Err(PasswordError::TooLong)));
}

#[test]
fn tokens_are_long_unlike_and_found_by_their_hash() {
    let hall = Hall::new();
    let (one, two) = (hall.room.new_token().unwrap(), hall.room.new_token().unwrap());
    assert_eq!(one.expose().len(), 43);
    assert_ne!(one.expose(), two.expose());
    assert_eq!(hall.room.hash_token(&one), hall.restarted().hash_token(&one));
    assert_ne!(hall.room.hash_token(&one), hall.room.hash_token(&two));
    assert_ne!(hall.room.hash_token(&one), Hall::new().room.hash_token(&one));
}

/// What the person's device computes from the base32 text.
fn device_code(base32: &str, at: Timestamp) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bits, mut count, mut seed) = (0u32, 0, Vec::new());
    for digit in base32.chars() {
        bits = (bits << 5) | u32::try_from(alphabet.find(digit).unwrap()).unwrap();
        count += 5;
        if count >= 8 {
            count -= 8;
            seed.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &seed);
    let step = u64::try_from(at.unix_seconds() / 30).unwrap();
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let four: [u8; 4] = tag[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

#[test]
fn a_one_time_code_counts_one_step_around_now_and_names_its_step() {
    let hall = Hall::new();
    let now = Timestamp::from_unix_millis(1_790_000_010_000);
    let seed = hall.room.new_totp_seed("per_1").unwrap();
    let current = u64::try_from(now.unix_seconds() / 30).unwrap();
    let step_at = |seconds: i64| {
        let code = device_code(seed.base32.expose(), now.plus_seconds(seconds));
        hall.room.verify_totp("per_1", &seed.sealed, &secret(&code), now).unwrap()
    };
    assert_eq!(step_at(0), Some(current));
    assert_eq!(step_at(-30), Some(current - 1));
    assert_eq!(step_at(30), Some(current + 1));
    assert_eq!((step_at(-90), step_at(90)), (None, None));
    for wrong in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
        let code = hall.room.verify_totp("per_1", &seed.sealed, &secret(wrong), now);
        assert_eq!(code.unwrap(), None);
    }
    let swapped = hall.room.verify_totp("per_2", &seed.sealed, &secret("000000"), now);
    assert!(matches!(swapped, Err(PasswordError::Stored)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_in_the_place_of_a_hash_is_refused(
        stored in prop_oneof![
            ".{0,120}",
            "\\$argon2id\\$v=19\\$m=[0-9]{1,12},t=[0-9]{1,12},p=[0-9]{1,4}\\$[A-Za-z0-9]{0,9}\\$[a-z]{0,9}",
        ],
    ) {
        let refused = hall().room.verify_password(&secret("x"), &stored);
        prop_assert!(matches!(refused, Err(PasswordError::Stored)));
    }
}

/// One hall for all cases: making one tests the machine each time.
fn hall() -> &'static Hall {
    static HALL: std::sync::OnceLock<Hall> = std::sync::OnceLock::new();
    HALL.get_or_init(Hall::new)
}

#[test]
fn nobodys_password_reads_like_a_real_one_and_fits_nothing() {
    let room = Hall::new().room;
    let stored = Strongroom::password_of_nobody(Argon2Cost::LEAST).unwrap();
    let real = room.hash_password(&secret("hunter2hunter2"), Argon2Cost::LEAST).unwrap();
    assert_eq!(stored.len(), real.len());
    assert!(!Strongroom::password_needs_rehash(&stored, Argon2Cost::LEAST));
    assert!(!room.verify_password(&secret("hunter2hunter2"), &stored).unwrap());
    let endless = Argon2Cost { memory_kib: u32::MAX, ..Argon2Cost::LEAST };
    let refused = Strongroom::password_of_nobody(endless);
    assert!(matches!(refused, Err(PasswordError::Cost(_))));
}
