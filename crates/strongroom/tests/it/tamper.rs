//! Every byte counts: one error, no panic, no second answer.

use crate::hall::{Hall, key_file};
use kernel::actions as a;
use std::sync::Arc;
use strongroom::{Algorithm, KeyError, MemoryRoot, SealError, Strongroom};

#[test]
fn every_altered_byte_of_a_wrapped_key_is_refused() {
    let hall = Hall::new();
    for algorithm in [Algorithm::Aes256Gcm, Algorithm::Ed25519, Algorithm::EcdsaP256] {
        let slot = hall.slot();
        let wrapped = hall.generate(slot, algorithm).wrapped;
        // Even when the key is expanded already.
        let _held = hall.room.open_key(slot, algorithm, &wrapped).unwrap();
        for i in 0..wrapped.len() {
            let mut altered = wrapped.clone();
            altered[i] ^= 0x40;
            let opened = hall.room.open_key(slot, algorithm, &altered);
            assert!(matches!(opened, Err(KeyError::NotOpened)), "byte {i}");
            let opened = hall.room.open_key(slot, algorithm, &wrapped[..i]);
            assert!(matches!(opened, Err(KeyError::NotOpened)), "cut at {i}");
        }
    }
}

#[test]
fn every_altered_byte_of_a_ciphertext_is_refused() {
    let hall = Hall::new();
    for algorithm in [Algorithm::Aes128Gcm, Algorithm::ChaCha20Poly1305, Algorithm::RsaOaep2048] {
        let key = hall.key(algorithm);
        let slot = key.slot();
        let text = key.encrypt(&hall.permit::<a::KeyEncrypt>(slot), b"plain", b"ctx").unwrap();
        let permit = hall.permit::<a::KeyDecrypt>(slot);
        let step = if algorithm == Algorithm::RsaOaep2048 { 16 } else { 1 };
        for i in (0..text.len()).step_by(step) {
            let mut altered = text.clone();
            altered[i] ^= 1;
            let opened = key.decrypt(&permit, &altered, b"ctx");
            assert!(matches!(opened, Err(KeyError::NotOpened)), "{algorithm} byte {i}");
            let opened = key.decrypt(&permit, &text[..i], b"ctx");
            assert!(matches!(opened, Err(KeyError::NotOpened)), "{algorithm} cut at {i}");
        }
        let mut longer = text.clone();
        longer.push(0);
        assert!(key.decrypt(&permit, &longer, b"ctx").is_err());
    }
}

#[test]
fn every_altered_byte_of_a_root_file_is_refused_with_one_message() {
    let hall = Hall::new();
    drop(hall.generate(hall.slot(), Algorithm::Aes256Gcm));
    hall.room.tls_key("server").unwrap();
    let root = hall.root_bytes();
    let unseal = |bytes: Vec<u8>| {
        let file = Arc::new(MemoryRoot::holding(bytes));
        Strongroom::unseal(file, &key_file(), hall.clock.clone())
    };
    assert!(unseal(root.clone()).is_ok());
    let half = MemoryRoot::holding(root[..100].to_vec());
    assert!(matches!(Strongroom::describe(&half), Err(SealError::Damaged)));
    for i in 0..root.len() - 1 {
        let mut altered = root.clone();
        altered[i] ^= 1;
        let refused = unseal(altered).unwrap_err();
        assert!(matches!(refused, SealError::NotOpened), "byte {i}: {refused}");
        let refused = unseal(root[..i].to_vec()).unwrap_err();
        assert!(matches!(refused, SealError::NotOpened), "cut at {i}: {refused}");
    }
}
