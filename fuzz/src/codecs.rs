//! What strangers send in the log's formats: notes, checkpoints, proofs, evidence, packs.

use audit::verify::{Claim, Since, Trust};
use audit::witness::AddCheckpoint;
use audit::{Hash, NoteVerifier};
use wire::checkpoint::Checkpoint;
use wire::note::{Note, NoteSignature, VerifierKey};

fn text(bytes: &[u8]) -> &str {
    // As far as it is text: decoders of text see nothing else.
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes
            .get(..error.valid_up_to())
            .and_then(|sound| std::str::from_utf8(sound).ok())
            .unwrap_or_default(),
    }
}

pub(crate) fn signed_note(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert!(note.to_string().as_bytes() == bytes, "a note is written as it was read");
        let _ = note.verify(&[], &NoteVerifier);
    }
    if let Some(signature) = NoteSignature::parse(text(bytes)) {
        assert!(NoteSignature::parse(&signature.to_string()) == Some(signature));
    }
}

pub(crate) fn verifier_key(bytes: &[u8]) {
    if let Ok(key) = VerifierKey::parse(text(bytes), &NoteVerifier) {
        assert!(VerifierKey::parse(&key.to_string(), &NoteVerifier).as_ref() == Ok(&key));
    }
}

pub(crate) fn checkpoint(bytes: &[u8]) {
    if let Ok(checkpoint) = Checkpoint::parse(text(bytes)) {
        assert!(Checkpoint::parse(&checkpoint.to_string()).as_ref() == Ok(&checkpoint));
    }
    let trust = Trust::default();
    let since = Since { checkpoint: bytes, proof: &[] };
    let verdict =
        audit::verify::verify(&Claim { checkpoint: bytes, lines: &[], since: Some(since) }, &trust);
    assert!(!verdict.is_proven(), "nothing is proven without a key");
}

pub(crate) fn tile_paths(bytes: &[u8]) {
    let _ = audit::tile::Wanted::parse(text(bytes));
    let _ = wire::checkpoint::parse_size(text(bytes));
    let _ = wire::checkpoint::parse_hash(text(bytes));
}

pub(crate) fn witness_request(bytes: &[u8]) {
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert!(AddCheckpoint::parse(request.to_string().as_bytes()).as_ref() == Ok(&request));
    }
}

/// Two sizes and hashes: whether a proof of them panics or runs on, and that no proof of a log that
/// shrank is believed.
pub(crate) fn proofs(bytes: &[u8]) {
    let Some((sizes, rest)) = bytes.split_first_chunk::<16>() else { return };
    let (old, new) = sizes.split_at(8);
    let number = |half: &[u8]| half.iter().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let (old, new) = (number(old), number(new));
    let hashes: Vec<Hash> = rest.chunks(32).map(Hash::of).collect();
    let (first, path) = hashes.split_first().unwrap_or((&Hash([0; 32]), &[]));
    let (second, path) = path.split_first().unwrap_or((first, &[]));
    let extends = audit::proof::extends(old, *first, new, *second, path);
    assert!(!extends || old <= new, "a log does not shrink");
    let included = audit::proof::includes(old, new, *first, path, *second);
    assert!(!included || old < new, "an entry stands inside its log");
}

pub(crate) fn evidence_lines(bytes: &[u8]) {
    let Ok(lines) = audit::line::read_lines(bytes) else { return };
    for line in &lines {
        let told = serde_json::to_string(line).unwrap_or_default();
        let back = audit::line::read_lines(told.as_bytes()).unwrap_or_default();
        assert!(back.first() == Some(line), "a line comes back");
        let _ = (line.leaf(), line.personal_fits());
    }
}

pub(crate) fn pack(bytes: &[u8]) {
    let _ = documents::pack::read(bytes);
}
