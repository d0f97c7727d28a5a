//! What keys do, and under which permits.

use crate::hall::{Hall, shown};
use aws_lc_rs::{agreement, signature};
use kernel::limits::PLAINTEXT_BYTES_MAX;
use kernel::{Resource, ResourceKind, VersionNo, actions as a};
use proptest::prelude::*;
use strongroom::{
    Algorithm, CONTEXT_BYTES_MAX, Capability, DATA_KEY_BYTES_MAX, EXPANDED_IDLE_MICROS_MAX,
    EXPANDED_KEYS_MAX, KeyError, KeySlot, SignatureScheme, ciphertext_version,
};

const SYMMETRIC: [Algorithm; 3] =
    [Algorithm::Aes128Gcm, Algorithm::Aes256Gcm, Algorithm::ChaCha20Poly1305];

/// RSA keys take seconds to make in a debug build: one size stands for the three here.
fn is_slow(algorithm: Algorithm) -> bool {
    use Algorithm::{RsaOaep3072, RsaOaep4096, RsaSign3072, RsaSign4096};
    matches!(algorithm, RsaOaep3072 | RsaOaep4096 | RsaSign3072 | RsaSign4096)
}

fn quick() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.iter().copied().filter(|a| !is_slow(*a))
}

#[test]
fn every_key_does_what_its_table_says_and_nothing_else() {
    let hall = Hall::new();
    for algorithm in quick() {
        let key = hall.key(algorithm);
        let slot = key.slot();
        let can = |capability| algorithm.can(capability);

        let encrypted = key.encrypt(&hall.permit::<a::KeyEncrypt>(slot), b"plain", b"context");
        assert_eq!(encrypted.is_ok(), can(Capability::Encrypt), "{algorithm} encrypt");
        if let Ok(text) = encrypted {
            assert_eq!(ciphertext_version(&text), Some(VersionNo(1)));
            let opened = key.decrypt(&hall.permit::<a::KeyDecrypt>(slot), &text, b"context");
            assert_eq!(shown(opened.unwrap()), b"plain", "{algorithm}");
            let other = key.decrypt(&hall.permit::<a::KeyDecrypt>(slot), &text, b"another");
            assert!(matches!(other, Err(KeyError::NotOpened)), "{algorithm}");
        }

        let made = key.data_key(&hall.permit::<a::KeyDataKey>(slot), 32, b"context");
        assert_eq!(made.is_ok(), can(Capability::DataKey), "{algorithm} data key");
        if let Ok(made) = made {
            let permit = hall.permit::<a::KeyDecrypt>(slot);
            let opened = shown(key.decrypt(&permit, &made.wrapped, b"context").unwrap());
            assert_eq!((opened.len(), opened), (32, shown(made.plaintext)), "{algorithm}");
        }

        for scheme in ALL_SCHEMES {
            let signed = key.sign(&hall.permit::<a::KeySign>(slot), scheme, b"message");
            let fits = algorithm.schemes().contains(&scheme);
            assert_eq!(signed.is_ok(), fits, "{algorithm} {scheme:?}");
            if let Ok(signature) = signed {
                let permit = hall.permit::<a::KeyVerify>(slot);
                let verify = |text: &[u8]| key.verify(&permit, scheme, text, &signature).unwrap();
                assert!(verify(b"message") && !verify(b"massage"), "{algorithm} {scheme:?}");
            }
        }

        let code = key.mac(&hall.permit::<a::KeyMac>(slot), b"message");
        assert_eq!(code.is_ok(), can(Capability::Mac), "{algorithm} mac");
        if let Ok(code) = code {
            let permit = hall.permit::<a::KeyMacVerify>(slot);
            assert!(key.mac_verify(&permit, b"message", &code).unwrap());
            assert!(!key.mac_verify(&permit, b"massage", &code).unwrap());
            assert!(!key.mac_verify(&permit, b"message", &code[1..]).unwrap());
        }

        let encapsulated = key.encapsulate(&hall.permit::<a::KeyAgree>(slot));
        assert_eq!(encapsulated.is_ok(), can(Capability::Encapsulate), "{algorithm}");
        if let Ok(made) = encapsulated {
            let permit = hall.permit::<a::KeyAgree>(slot);
            let opened = shown(key.decapsulate(&permit, &made.ciphertext).unwrap());
            assert_eq!(opened, shown(made.secret), "{algorithm}");
            let short = key.decapsulate(&permit, &made.ciphertext[1..]);
            assert!(short.is_err(), "{algorithm}");
        }

        let exported = key.export_to_rsa(&hall.permit::<a::KeyExport>(slot), b"");
        let lacking = matches!(exported, Err(KeyError::NotCapable { .. }));
        assert_eq!(lacking, !can(Capability::Export), "{algorithm} export");
        let agreed = key.agree(&hall.permit::<a::KeyAgree>(slot), b"", b"", 32);
        let lacking = matches!(agreed, Err(KeyError::NotCapable { .. }));
        assert_eq!(lacking, !can(Capability::Agree), "{algorithm} agree");
    }
}

const ALL_SCHEMES: [SignatureScheme; 11] = [
    SignatureScheme::RsaPssSha256,
    SignatureScheme::RsaPssSha384,
    SignatureScheme::RsaPssSha512,
    SignatureScheme::RsaPkcs1Sha256,
    SignatureScheme::RsaPkcs1Sha384,
    SignatureScheme::RsaPkcs1Sha512,
    SignatureScheme::EcdsaSha256,
    SignatureScheme::EcdsaSha384,
    SignatureScheme::EcdsaSha512,
    SignatureScheme::Ed25519,
    SignatureScheme::MlDsa,
];

#[test]
fn a_permit_for_another_key_another_domain_or_another_time_opens_nothing() {
    let hall = Hall::new();
    let key = hall.key(Algorithm::Aes256Gcm);
    let other = hall.slot();
    let wrong = key.encrypt(&hall.permit::<a::KeyEncrypt>(other), b"x", b"");
    assert!(matches!(wrong, Err(KeyError::WrongPermit)));
    let elsewhere = KeySlot { domain: kernel::DomainId::SYSTEM, ..key.slot() };
    let wrong = key.encrypt(&hall.permit::<a::KeyEncrypt>(elsewhere), b"x", b"");
    assert!(matches!(wrong, Err(KeyError::WrongPermit)));
    let all = Resource::all(ResourceKind::Key, hall.domain);
    let wrong = key.encrypt(&hall.permit_for::<a::KeyEncrypt>(all.clone()), b"x", b"");
    assert!(matches!(wrong, Err(KeyError::WrongPermit)));
    let late = hall.permit::<a::KeyEncrypt>(key.slot());
    hall.clock.advance_millis(5_001);
    assert!(matches!(key.encrypt(&late, b"x", b""), Err(KeyError::PermitExpired)));

    // A key is made under a permit for the kind, rotated only under its own.
    let slot = hall.slot();
    let create = hall.permit_for::<a::KeyCreate>(all.clone());
    assert!(hall.room.generate(&create, slot, Algorithm::Aes256Gcm).is_ok());
    let rotate = hall.permit_for::<a::KeyRotate>(all);
    let wrong = hall.room.generate(&rotate, slot, Algorithm::Aes256Gcm);
    assert!(matches!(wrong, Err(KeyError::WrongPermit)));
}

#[test]
fn a_key_opens_only_in_its_own_slot_and_as_what_it_is() {
    let hall = Hall::new();
    let slot = hall.slot();
    let stored = hall.generate(slot, Algorithm::Aes256Gcm);
    let refused = |slot, algorithm| {
        let opened = hall.room.open_key(slot, algorithm, &stored.wrapped);
        assert!(matches!(opened, Err(KeyError::NotOpened)));
    };
    refused(KeySlot { version: VersionNo(2), ..slot }, Algorithm::Aes256Gcm);
    refused(KeySlot { key: hall.slot().key, ..slot }, Algorithm::Aes256Gcm);
    refused(KeySlot { domain: kernel::DomainId::SYSTEM, ..slot }, Algorithm::Aes256Gcm);
    refused(slot, Algorithm::ChaCha20Poly1305);
    refused(slot, Algorithm::HmacSha256);
    let again = hall.restarted().open_key(slot, Algorithm::Aes256Gcm, &stored.wrapped);
    assert!(again.is_ok());
}

#[test]
fn an_old_version_is_re_encrypted_without_showing_the_plaintext() {
    let hall = Hall::new();
    let old = hall.key(Algorithm::Aes256Gcm);
    let slot = KeySlot { version: VersionNo(2), ..old.slot() };
    let rotate = hall.permit::<a::KeyRotate>(slot);
    let stored = hall.room.generate(&rotate, slot, Algorithm::Aes256Gcm).unwrap();
    let new = hall.room.open_key(slot, Algorithm::Aes256Gcm, &stored.wrapped).unwrap();
    let before = old.encrypt(&hall.permit::<a::KeyEncrypt>(slot), b"plain", b"c").unwrap();
    let permit = hall.permit::<a::KeyReencrypt>(slot);
    let after = new.reencrypt(&permit, &old, &before, b"c").unwrap();
    assert_eq!(ciphertext_version(&after), Some(VersionNo(2)));
    let decrypt = hall.permit::<a::KeyDecrypt>(slot);
    assert_eq!(shown(new.decrypt(&decrypt, &after, b"c").unwrap()), b"plain");
    assert!(matches!(new.decrypt(&decrypt, &before, b"c"), Err(KeyError::NotOpened)));
    let stranger = hall.key(Algorithm::Aes256Gcm);
    let wrong = new.reencrypt(&permit, &stranger, &before, b"c");
    assert!(matches!(wrong, Err(KeyError::WrongPermit)));
}

#[test]
fn two_sides_agree_on_the_same_secret_with_any_library() {
    let hall = Hall::new();
    for (algorithm, theirs) in [
        (Algorithm::EcdhP256, &agreement::ECDH_P256),
        (Algorithm::EcdhP384, &agreement::ECDH_P384),
        (Algorithm::EcdhP521, &agreement::ECDH_P521),
        (Algorithm::X25519, &agreement::X25519),
    ] {
        let slot = hall.slot();
        let stored = hall.generate(slot, algorithm);
        let key = hall.room.open_key(slot, algorithm, &stored.wrapped).unwrap();
        let peer = agreement::PrivateKey::generate(theirs).unwrap();
        let point = peer.compute_public_key().unwrap();
        let permit = hall.permit::<a::KeyAgree>(slot);
        let ours = shown(key.agree(&permit, point.as_ref(), b"info", 48).unwrap());
        let own = agreement::UnparsedPublicKey::new(theirs, stored.public_der.unwrap());
        let expected = agreement::agree(&peer, own, (), |z| {
            let prk = aws_lc_rs::hkdf::Salt::new(aws_lc_rs::hkdf::HKDF_SHA256, &[]).extract(z);
            let mut out = [0; 48];
            prk.expand(&[b"info"], aws_lc_rs::hkdf::HKDF_SHA384).unwrap().fill(&mut out).unwrap();
            Ok(out)
        });
        assert_eq!(ours, expected.unwrap(), "{algorithm}");
        let nonsense = key.agree(&permit, &[4; 65], b"info", 48);
        assert!(matches!(nonsense, Err(KeyError::Malformed { field: "peer", .. })));
    }
}

#[test]
fn public_halves_verify_and_encrypt_in_a_strangers_hands() {
    let hall = Hall::new();
    let slot = hall.slot();
    let stored = hall.generate(slot, Algorithm::EcdsaP384);
    let key = hall.room.open_key(slot, Algorithm::EcdsaP384, &stored.wrapped).unwrap();
    let permit = hall.permit::<a::KeySign>(slot);
    let signature = key.sign(&permit, SignatureScheme::EcdsaSha384, b"message").unwrap();
    let public = stored.public_der.unwrap();
    let stranger = signature::UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_ASN1, &public);
    assert!(stranger.verify(b"message", &signature).is_ok());

    let slot = hall.slot();
    let stored = hall.generate(slot, Algorithm::RsaOaep2048);
    let key = hall.room.open_key(slot, Algorithm::RsaOaep2048, &stored.wrapped).unwrap();
    let public = stored.public_der.unwrap();
    let public = aws_lc_rs::rsa::PublicEncryptingKey::from_der(&public).unwrap();
    let public = aws_lc_rs::rsa::OaepPublicEncryptingKey::new(public).unwrap();
    let mut block = vec![0; public.ciphertext_size()];
    let oaep = &aws_lc_rs::rsa::OAEP_SHA256_MGF1SHA256;
    public.encrypt(oaep, b"from outside", &mut block, None).unwrap();
    let permit = hall.permit::<a::KeyDecrypt>(slot);
    assert_eq!(shown(key.decrypt_bare_oaep(&permit, &block).unwrap()), b"from outside");
    block[7] ^= 1;
    assert!(matches!(key.decrypt_bare_oaep(&permit, &block), Err(KeyError::NotOpened)));
}

#[test]
fn every_limit_is_kept() {
    let hall = Hall::new();
    let key = hall.key(Algorithm::Aes256Gcm);
    let encrypt = hall.permit::<a::KeyEncrypt>(key.slot());
    let largest = vec![0; PLAINTEXT_BYTES_MAX + 1];
    let sealed = key.encrypt(&encrypt, &largest[1..], &[0; CONTEXT_BYTES_MAX]).unwrap();
    let decrypt = hall.permit::<a::KeyDecrypt>(key.slot());
    assert!(key.decrypt(&decrypt, &sealed, &[0; CONTEXT_BYTES_MAX]).is_ok());
    let too_large = |result: Result<Vec<u8>, KeyError>, wanted: &str| {
        assert!(matches!(result, Err(KeyError::TooLarge { field, .. }) if field == wanted));
    };
    too_large(key.encrypt(&encrypt, &largest, b""), "plaintext");
    too_large(key.encrypt(&encrypt, b"", &[0; CONTEXT_BYTES_MAX + 1]), "context");
    let data = hall.permit::<a::KeyDataKey>(key.slot());
    for (length, fits) in [(15, false), (16, true), (DATA_KEY_BYTES_MAX, true), (129, false)] {
        assert_eq!(key.data_key_without_plaintext(&data, length, b"").is_ok(), fits);
    }
    let mac = hall.key(Algorithm::HmacSha512);
    too_large(mac.mac(&hall.permit::<a::KeyMac>(mac.slot()), &largest), "message");
    let signer = hall.key(Algorithm::Ed25519);
    let permit = hall.permit::<a::KeySign>(signer.slot());
    too_large(signer.sign(&permit, SignatureScheme::Ed25519, &largest), "message");
}

#[test]
fn a_forgotten_key_refuses_even_through_a_handle_that_is_still_held() {
    let hall = Hall::new();
    let key = hall.key(Algorithm::Aes256Gcm);
    let other = hall.key(Algorithm::Aes256Gcm);
    hall.room.forget(key.slot().key);
    let refused = key.encrypt(&hall.permit::<a::KeyEncrypt>(key.slot()), b"x", b"");
    assert!(matches!(refused, Err(KeyError::Forgotten)));
    assert!(other.encrypt(&hall.permit::<a::KeyEncrypt>(other.slot()), b"x", b"").is_ok());
    assert_eq!(hall.room.open_key_count(), 1);
}

#[test]
fn idle_keys_leave_memory_and_used_ones_stay() {
    let hall = Hall::new();
    let slot = hall.slot();
    let stored = hall.generate(slot, Algorithm::Aes256Gcm);
    drop(hall.room.open_key(slot, Algorithm::Aes256Gcm, &stored.wrapped).unwrap());
    drop(hall.key(Algorithm::Aes128Gcm));
    assert_eq!(hall.room.open_key_count(), 2);
    hall.clock.advance_millis(u32::try_from(EXPANDED_IDLE_MICROS_MAX / 1_000).unwrap());
    drop(hall.room.open_key(slot, Algorithm::Aes256Gcm, &stored.wrapped).unwrap());
    hall.clock.advance_millis(1);
    hall.room.expire_idle_keys();
    assert_eq!(hall.room.open_key_count(), 1);
}

#[test]
fn no_more_keys_than_the_limit_are_open_at_one_time() {
    let hall = Hall::new();
    let held: Vec<_> = (0..EXPANDED_KEYS_MAX).map(|_| hall.key(Algorithm::Aes256Kwp)).collect();
    let slot = hall.slot();
    let stored = hall.generate(slot, Algorithm::Aes256Kwp);
    let open = || hall.room.open_key(slot, Algorithm::Aes256Kwp, &stored.wrapped);
    assert!(matches!(open(), Err(KeyError::AllInUse)));
    drop(held);
    assert!(open().is_ok());
    assert!(hall.room.open_key_count() <= EXPANDED_KEYS_MAX);
}

#[test]
fn nothing_prints_key_bytes() {
    let hall = Hall::new();
    let key = hall.key(Algorithm::Aes256Gcm);
    let permit = hall.permit::<a::KeyDataKey>(key.slot());
    let made = key.data_key(&permit, 32, b"").unwrap();
    assert_eq!(format!("{:?}", made.plaintext), "[released]");
    assert_eq!(format!("{key:?}"), format!("KeyHandle({}/1)", key.slot().key));
    assert_eq!(format!("{:?}", hall.room), "Strongroom");
    assert_eq!(format!("{:?}", hall.room.records()), "RecordKeys");
    assert_eq!(format!("{:?}", hall.room.log_signer()), "LogSigner");
    assert_eq!(format!("{:?}", crate::hall::key_file()), "KeyFile([secret])");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_encrypted_is_decrypted(
        plain in proptest::collection::vec(any::<u8>(), 0..600),
        context in proptest::collection::vec(any::<u8>(), 0..40),
        which in 0..3usize,
    ) {
        let hall = Hall::new();
        let key = hall.key(SYMMETRIC[which]);
        let text =
            key.encrypt(&hall.permit::<a::KeyEncrypt>(key.slot()), &plain, &context).unwrap();
        let permit = hall.permit::<a::KeyDecrypt>(key.slot());
        prop_assert_eq!(shown(key.decrypt(&permit, &text, &context).unwrap()), plain);
    }

    #[test]
    fn strangers_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let hall = Hall::new();
        let _ = ciphertext_version(&bytes);
        let _ = strongroom::shred::wrapped_under(&bytes);
        for algorithm in SYMMETRIC {
            let opened = hall.room.open_key(hall.slot(), algorithm, &bytes);
            prop_assert!(opened.is_err());
        }
        let key = hall.key(Algorithm::Aes256Gcm);
        let permit = hall.permit::<a::KeyDecrypt>(key.slot());
        prop_assert!(key.decrypt(&permit, &bytes, b"").is_err());
        let agree = hall.key(Algorithm::X25519);
        if bytes.len() != 32 {
            let permit = hall.permit::<a::KeyAgree>(agree.slot());
            prop_assert!(agree.agree(&permit, &bytes, b"", 32).is_err());
        }
        let signer = hall.key(Algorithm::EcdsaP256);
        let permit = hall.permit::<a::KeyVerify>(signer.slot());
        let scheme = SignatureScheme::EcdsaSha256;
        prop_assert!(!signer.verify(&permit, scheme, b"message", &bytes).unwrap());
    }
}

#[test]
fn a_larger_rsa_key_signs_with_a_larger_digest() {
    let hall = Hall::new();
    let key = hall.key(Algorithm::RsaSign3072);
    let scheme = SignatureScheme::RsaPssSha384;
    let signature = key.sign(&hall.permit::<a::KeySign>(key.slot()), scheme, b"m").unwrap();
    assert_eq!(signature.len(), 384);
    let permit = hall.permit::<a::KeyVerify>(key.slot());
    assert!(key.verify(&permit, scheme, b"m", &signature).unwrap());
}
