//! What stays in memory: searched for in the memory of this very process.

use crate::hall::{Hall, shown};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use kernel::actions as a;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Once;
use strongroom::Algorithm;
use zeroize::Zeroize;

/// The search pattern is kept masked, so that the search does not find itself.
const MASK: u8 = 0xa5;

/// How often the pattern stands in writable memory.
fn copies(masked: &[u8]) -> usize {
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut buffer = vec![0; 1 << 20];
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let mut at = u64::from_str_radix(from, 16).unwrap();
        let end = u64::from_str_radix(to, 16).unwrap();
        while at < end {
            let wanted = usize::try_from(end - at).unwrap().min(buffer.len());
            let Ok(read) = memory.read_at(&mut buffer[..wanted], at) else { break };
            let first = masked[0] ^ MASK;
            for start in 0..read.saturating_sub(masked.len()) {
                let here = &buffer[start..start + masked.len()];
                if here[0] == first && here.iter().zip(masked).all(|(b, m)| *b == m ^ MASK) {
                    found += 1;
                }
            }
            if read < buffer.len() {
                break;
            }
            at += read as u64 - masked.len() as u64;
        }
        buffer.zeroize();
        buffer.resize(1 << 20, 0);
    }
    found
}

/// The raw key, masked, learnt by exporting it; every plain copy that this function made is wiped.
fn learn(hall: &Hall, handle: &strongroom::KeyHandle) -> Vec<u8> {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let public: PublicKeyX509Der<'_> = private.public_key().as_der().unwrap();
    let permit = hall.permit::<a::KeyExport>(handle.slot());
    let exported = shown(handle.export_to_rsa(&permit, public.as_ref()).unwrap());
    let private = OaepPrivateDecryptingKey::new(private).unwrap();
    let mut kek = vec![0; private.min_output_size()];
    let opened = private.decrypt(&OAEP_SHA256_MGF1SHA256, &exported[..256], &mut kek, None);
    let kek = AesKek::new(&AES_256, opened.unwrap()).unwrap();
    let mut raw = vec![0; exported.len()];
    let length = kek.unwrap_with_padding(&exported[256..], &mut raw).unwrap().len();
    let masked = raw[..length].iter().map(|b| b ^ MASK).collect();
    raw.zeroize();
    masked
}

#[test]
fn a_key_that_was_forgotten_is_nowhere_in_memory() {
    searched();
}

/// Searches once. A hardened process of an ordinary user cannot read its own memory file any more,
/// so whoever hardens this process calls this before.
pub(crate) fn searched() {
    static ONCE: Once = Once::new();
    ONCE.call_once(search);
}

fn search() {
    let hall = Hall::new();
    let marker: Vec<u8> = (0..32).map(|i: u8| i.wrapping_mul(37) ^ 0x5c).collect();
    let masked: Vec<u8> = marker.iter().map(|b| b ^ MASK).collect();
    assert!(copies(&masked) > 0, "the search finds what is there");
    drop(marker);
    // What is searched for: the raw key, the scalar inside PKCS #8 (RFC 5915), the seed at its end.
    for (algorithm, place, while_open) in [
        (Algorithm::Aes256Gcm, 0..32, Some(0)),
        (Algorithm::ChaCha20Poly1305, 0..32, Some(0)),
        (Algorithm::HmacSha256, 0..32, Some(0)),
        (Algorithm::Aes256Kwp, 0..32, None),
        (Algorithm::EcdsaP256, 36..68, None),
        (Algorithm::Ed25519, 16..48, None),
    ] {
        let handle = hall.key(algorithm);
        let masked = &learn(&hall, &handle)[place];
        assert_eq!(masked.len(), 32);
        if let Some(expected) = while_open {
            assert_eq!(copies(masked), expected, "{algorithm}: only derived keys are kept");
        }
        hall.room.forget(handle.slot().key);
        drop(handle);
        assert_eq!(copies(masked), 0, "{algorithm}");
    }
}
