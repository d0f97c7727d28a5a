//! Power-on self-tests: known answers, run each time before a root opens.

use aws_lc_rs::{digest, hmac};
use kernel::Problem;

/// A known answer did not come out: the machine or the library computes wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the self-test of `{0}` failed; no key is opened on this machine")]
pub struct SelfTestFailed(pub &'static str);

impl From<SelfTestFailed> for Problem {
    fn from(cause: SelfTestFailed) -> Self {
        Self::new(kernel::ProblemKind::Unavailable, "self-test-failed", cause.to_string())
    }
}

/// Runs every self-test.
///
/// # Errors
/// The first one that fails.
pub fn self_test() -> Result<(), SelfTestFailed> {
    let sha = digest::digest(&digest::SHA256, b"abc");
    same(
        "sha-256",
        sha.as_ref(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    )?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
    let tag = hmac::sign(&key, b"what do ya want for nothing?");
    same(
        "hmac-sha-256",
        tag.as_ref(),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    )
}

fn same(name: &'static str, got: &[u8], wanted_hex: &str) -> Result<(), SelfTestFailed> {
    let wanted = unhex(wanted_hex);
    if !wanted.is_empty() && got == wanted { Ok(()) } else { Err(SelfTestFailed(name)) }
}

/// Reads hexadecimal; empty when it is none.
fn unhex(text: &str) -> Vec<u8> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let pairs = digits.unwrap_or_default();
    let bytes = pairs.chunks_exact(2).map(|pair| pair.iter().fold(0, |acc, d| acc * 16 + d));
    bytes.filter_map(|byte| u8::try_from(byte).ok()).collect()
}
