//! Envelope files with a data key of a real key.

use crate::bench::*;
use kernel::*;
use keys::envelope::{DATA_KEY_BYTES, DataKey, EnvelopeError, Header, open, seal};
use keys::*;

async fn sealed(bench: &Bench, id: KeyId, plain: &[u8]) -> Vec<u8> {
    let request = MakeDataKey {
        length: DATA_KEY_BYTES,
        context: b"file".to_vec(),
        plaintext: Plaintext::Released,
    };
    let made = bench.keys.data_key(bench.on_key(id), &request).await.unwrap();
    let rng = SeededRng::new(5);
    let header = Header::new(id, made.version, made.wrapped, &rng).unwrap();
    let mut file = Vec::new();
    let data_key = DataKey::from_released(made.plaintext.unwrap()).unwrap();
    seal(&header, &data_key, &mut &plain[..], &mut file).unwrap();
    file
}

async fn opened(bench: &Bench, mut file: &[u8]) -> Result<Vec<u8>, KeysError> {
    let header = Header::read(&mut file).unwrap();
    let request = Decrypt {
        ciphertext: header.wrapped_data_key.clone(),
        context: b"file".to_vec(),
        compromise: Compromise::Refuse,
    };
    let data_key = bench.keys.decrypt(bench.on_key(header.key), &request).await?;
    let mut plain = Vec::new();
    let data_key = DataKey::from_released(data_key.plaintext).unwrap();
    open(&header, &data_key, &mut file, &mut plain).unwrap();
    Ok(plain)
}

#[tokio::test]
async fn a_file_is_read_back_after_a_rotation_and_not_after_a_destruction() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "files").await;
    let plain: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let file = sealed(&bench, id, &plain).await;
    assert!(!file.windows(64).any(|window| window == &plain[..64]));
    bench.keys.rotate(bench.on_key(id), None).await.unwrap();
    assert_eq!(opened(&bench, &file).await.unwrap(), plain);
    let destroy = Destroy { reason: why() };
    bench.keys.destroy(bench.on_key(id), &destroy).await.unwrap();
    assert_eq!(opened(&bench, &file).await.unwrap_err().code(), "key-destroyed");
}

#[tokio::test]
async fn a_withheld_data_key_does_not_leave_but_opens_later() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let id = bench.aes(retail, "files").await;
    let request = MakeDataKey { length: 32, context: vec![], plaintext: Plaintext::Withheld };
    let made = bench.keys.data_key(bench.on_key(id), &request).await.unwrap();
    assert!(made.plaintext.is_none());
    assert_eq!(bench.last_event("key.data-key").detail("released"), Some("false"));
    let request =
        Decrypt { ciphertext: made.wrapped, context: vec![], compromise: Compromise::Refuse };
    let opened = bench.keys.decrypt(bench.on_key(id), &request).await.unwrap();
    assert_eq!(opened.plaintext.len(), 32);
}

#[tokio::test]
async fn a_header_that_names_another_key_opens_nothing() {
    let bench = Bench::new();
    let retail = bench.domain("retail", 0).await;
    let (one, other) = (bench.aes(retail, "one").await, bench.aes(retail, "other").await);
    let mut file = sealed(&bench, one, b"text").await;
    // The key's identifier follows magic and length.
    file[24..40].copy_from_slice(&other.to_bytes());
    let refused = opened(&bench, &file).await.unwrap_err();
    assert_eq!(refused.code(), "not-opened");
    let header = Header::read(&mut &file[..]).unwrap();
    let wrong =
        open(&header, &DataKey::from_slice(&[0; 32]).unwrap(), &mut &file[..], &mut Vec::new());
    assert!(matches!(wrong, Err(EnvelopeError::DoesNotOpen)));
}
