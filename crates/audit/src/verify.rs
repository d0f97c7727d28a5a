//! The offline verifier: pure functions over bytes, with no access to an installation.
//!
//! A pack proves nothing about who made it unless the origin's key comes from outside the pack;
//! without it the verdict is "consistent, signer unproven".

use crate::hash::{Hash, NoteVerifier};
use crate::line::Line;
use crate::proof::{extends, includes};
use kernel::Timestamp;
use serde::Serialize;
use std::fmt;
use wire::checkpoint::{Checkpoint, CheckpointError};
use wire::note::{KeyName, Note, NoteError, VerifierKey};

/// What is claimed: events in a log at a checkpoint, perhaps as the continuation of an older one.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The checkpoint as a signed note.
    pub checkpoint: &'a [u8],
    /// Events, each with its inclusion proof.
    pub lines: &'a [Line],
    /// An older checkpoint that the newer one must continue.
    pub since: Option<Since<'a>>,
}

/// An older checkpoint and the proof that the newer one continues it.
#[derive(Clone, Copy, Debug)]
pub struct Since<'a> {
    /// The older checkpoint as a signed note.
    pub checkpoint: &'a [u8],
    /// The consistency proof from the older to the newer size.
    pub proof: &'a [Hash],
}

/// The keys that came from outside the pack.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trust<'a> {
    /// The key of the log.
    pub origin: Option<&'a VerifierKey>,
    /// Keys of witnesses.
    pub witnesses: &'a [VerifierKey],
}

/// Whether the log's own signature is proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signer {
    /// The checkpoint is signed by the key that came from outside.
    Proven,
    /// No key came from outside: everything fits together, and anybody could have made it.
    Unproven,
}

/// A witness that has seen the checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Witnessed {
    /// The name of the witness's key.
    pub name: String,
    /// When it cosigned.
    pub at: Timestamp,
}

/// Which of two checkpoints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// The one that everything is measured against.
    Newer,
    /// The one that it continues.
    Older,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Newer => "the checkpoint",
            Self::Older => "the older checkpoint",
        })
    }
}

/// The exact spot at which a claim fails.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// A checkpoint is not a signed note.
    #[error("{0}: {1}")]
    Note(Which, #[source] NoteError),
    /// The note is not a checkpoint.
    #[error("{0}: {1}")]
    Checkpoint(Which, #[source] CheckpointError),
    /// A witness's cosignature is bad.
    #[error("the cosignature of witness `{0}` does not match the checkpoint")]
    Witness(KeyName),
    /// The key that came from outside belongs to another log.
    #[error("the checkpoint is of `{origin}`, and the key given is of `{key}`")]
    OtherOrigin {
        /// The origin in the checkpoint.
        origin: String,
        /// The name of the key.
        key: String,
    },
    /// An event is not in the log at this place.
    #[error(
        "the event at position {0} is not what the log has there: its text, its salt, its personal \
         hash or its proof was altered"
    )]
    Event(u64),
    /// The personal part shown is not the one that was recorded.
    #[error("the personal part of the event at position {0} is not what was recorded")]
    Personal(u64),
    /// Two lines stand for one position.
    #[error("the event at position {0} is there twice with different text")]
    Twice(u64),
    /// The newer checkpoint does not continue the older one.
    #[error("the log of {new} events does not continue the log of {old} events: it was rewritten")]
    Rewritten {
        /// Size of the older checkpoint.
        old: u64,
        /// Size of the newer checkpoint.
        new: u64,
    },
    /// The older checkpoint belongs to another log.
    #[error("the older checkpoint is of `{older}`, the newer of `{newer}`")]
    OtherLog {
        /// Origin of the older.
        older: String,
        /// Origin of the newer.
        newer: String,
    },
}

/// What verification found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Whether the log's signature is proven.
    pub signer: Signer,
    /// The checkpoint, if it could be read.
    pub checkpoint: Option<Checkpoint>,
    /// Witnesses that have seen it.
    pub witnessed: Vec<Witnessed>,
    /// Events that are in the log as shown.
    pub events_proven: usize,
    /// The size of the older checkpoint that the log provably continues.
    pub continues: Option<u64>,
    /// What failed, first things first; empty means that the claim holds.
    pub faults: Vec<Fault>,
}

impl Verdict {
    /// Whether nothing failed. Does not say who signed: see [`Verdict::signer`].
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether nothing failed and the signer is proven by a key from outside.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.is_consistent() && self.signer == Signer::Proven
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "FAILED: {fault}")?;
        }
        if !self.is_consistent() {
            return f.write_str("not proven");
        }
        f.write_str(match self.signer {
            Signer::Proven => "proven",
            Signer::Unproven => "consistent, signer unproven",
        })?;
        if let Some(Checkpoint { origin, size, .. }) = &self.checkpoint {
            write!(f, ": {} events in `{origin}` at size {size}", self.events_proven)?;
        }
        if let Some(old) = self.continues {
            write!(f, ", which continues size {old}")?;
        }
        match self.witnessed.iter().max_by_key(|w| w.at) {
            Some(w) => write!(f, "; last witness `{}` at {}", w.name, w.at),
            None => f.write_str("; no witness"),
        }
    }
}

/// Verifies a claim. Everything that fails is named; nothing is believed that was not checked.
#[must_use]
pub fn verify(claim: &Claim<'_>, trust: &Trust<'_>) -> Verdict {
    let mut verdict = Verdict {
        signer: Signer::Unproven,
        checkpoint: None,
        witnessed: Vec::new(),
        events_proven: 0,
        continues: None,
        faults: Vec::new(),
    };
    let newer = match read(claim.checkpoint, Which::Newer, trust.origin) {
        Ok((note, checkpoint)) => {
            witnesses(&note, trust.witnesses, &mut verdict);
            checkpoint
        }
        Err(fault) => {
            verdict.faults.push(fault);
            return verdict;
        }
    };
    if trust.origin.is_some() {
        verdict.signer = Signer::Proven;
    }
    events(claim.lines, &newer, &mut verdict);
    if let Some(since) = &claim.since {
        match continues(since, &newer, trust.origin) {
            Ok(size) => verdict.continues = Some(size),
            Err(fault) => verdict.faults.push(fault),
        }
    }
    verdict.checkpoint = Some(newer);
    verdict
}

/// Reads a signed checkpoint and, when the log's key is known, verifies its signature and its name.
///
/// # Errors
/// The spot that fails.
pub fn read(
    bytes: &[u8],
    which: Which,
    origin: Option<&VerifierKey>,
) -> Result<(Note, Checkpoint), Fault> {
    let note = Note::parse(bytes).map_err(|cause| Fault::Note(which, cause))?;
    let checkpoint =
        Checkpoint::parse(note.text()).map_err(|cause| Fault::Checkpoint(which, cause))?;
    if let Some(key) = origin {
        if key.name().as_str() != checkpoint.origin {
            let key = key.name().to_string();
            return Err(Fault::OtherOrigin { origin: checkpoint.origin, key });
        }
        note.verify(std::slice::from_ref(key), &NoteVerifier)
            .map_err(|cause| Fault::Note(which, cause))?;
    }
    Ok((note, checkpoint))
}

fn witnesses(note: &Note, keys: &[VerifierKey], verdict: &mut Verdict) {
    for key in keys {
        match note.verify(std::slice::from_ref(key), &NoteVerifier) {
            Ok(signed) => verdict.witnessed.extend(signed.iter().filter_map(|by| {
                let seconds = i64::try_from(by.seconds?).ok()?;
                let at = Timestamp::EPOCH.plus_seconds(seconds);
                Some(Witnessed { name: key.name().to_string(), at })
            })),
            Err(NoteError::BadSignature) => {
                verdict.faults.push(Fault::Witness(key.name().clone()));
            }
            Err(_) => {}
        }
    }
}

fn events(lines: &[Line], checkpoint: &Checkpoint, verdict: &mut Verdict) {
    let root = Hash(checkpoint.root);
    let mut seen = std::collections::HashMap::new();
    for line in lines {
        let leaf = line.leaf();
        let before = seen.insert(line.position, leaf);
        if before.is_some_and(|before| before != leaf) {
            verdict.faults.push(Fault::Twice(line.position));
        } else if !includes(line.position, checkpoint.size, leaf, &line.path, root) {
            verdict.faults.push(Fault::Event(line.position));
        } else if !line.personal_fits() {
            verdict.faults.push(Fault::Personal(line.position));
        } else if before.is_none() {
            verdict.events_proven += 1;
        }
    }
}

fn continues(
    since: &Since<'_>,
    newer: &Checkpoint,
    origin: Option<&VerifierKey>,
) -> Result<u64, Fault> {
    let (_, older) = read(since.checkpoint, Which::Older, origin)?;
    if older.origin != newer.origin {
        return Err(Fault::OtherLog { older: older.origin, newer: newer.origin.clone() });
    }
    let (old, new) = (Hash(older.root), Hash(newer.root));
    if extends(older.size, old, newer.size, new, since.proof) {
        Ok(older.size)
    } else {
        Err(Fault::Rewritten { old: older.size, new: newer.size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf::Salt;
    use crate::proof::{consistency, inclusion, root_at};
    use crate::tree::tests::Grown;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use proptest::prelude::*;
    use wire::note::{SignatureType, cosigned_message};

    const ORIGIN: &str = "lionrock.sample/log/0";

    struct Keys {
        origin: Ed25519KeyPair,
        witness: Ed25519KeyPair,
        origin_key: VerifierKey,
        witness_key: VerifierKey,
    }

    fn key(name: &str, kind: SignatureType, pair: &Ed25519KeyPair) -> VerifierKey {
        let public = pair.public_key().as_ref().try_into().unwrap();
        VerifierKey::new(name.parse().unwrap(), kind, public, &NoteVerifier)
    }

    fn keys() -> Keys {
        let origin = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
        let witness = Ed25519KeyPair::from_seed_unchecked(&[2; 32]).unwrap();
        let origin_key = key(ORIGIN, SignatureType::Ed25519, &origin);
        let witness_key = key("auditor.sample/w", SignatureType::Cosignature, &witness);
        Keys { origin, witness, origin_key, witness_key }
    }

    impl Keys {
        fn note(&self, size: u64, root: Hash) -> Vec<u8> {
            let root = root.0;
            let text = Checkpoint {
                origin: ORIGIN.into(),
                size,
                root,
                extensions: vec!["state AA".into()],
            };
            let mut note = Note::new(text.to_string()).unwrap();
            let sign = |pair: &Ed25519KeyPair, m: &[u8]| pair.sign(m).as_ref().try_into().unwrap();
            let own = sign(&self.origin, note.text().as_bytes());
            note.push(self.origin_key.signature(&own)).unwrap();
            let other = sign(&self.witness, &cosigned_message(note.text(), 1_000));
            note.push(self.witness_key.cosignature(1_000, &other)).unwrap();
            note.to_string().into_bytes()
        }
    }

    struct Pack {
        grown: Grown,
        lines: Vec<Line>,
        note: Vec<u8>,
        older: Vec<u8>,
        proof: Vec<Hash>,
    }

    fn pack(keys: &Keys) -> Pack {
        let mut grown = Grown::default();
        let mut lines = Vec::new();
        for position in 0..20u64 {
            let line = Line {
                position,
                public: format!("{{\"n\":{position}}}"),
                public_salt: Salt([position.to_be_bytes()[7]; 16]),
                personal_hash: Hash::ZERO,
                personal: None,
                path: Vec::new(),
            };
            grown.push(line.leaf());
            lines.push(line);
        }
        for line in &mut lines {
            line.path = inclusion(&grown, line.position, 20).unwrap();
        }
        let note = keys.note(20, grown.tip.root());
        let older = keys.note(11, root_at(&grown, 11).unwrap());
        let proof = consistency(&grown, 11, 20).unwrap();
        Pack { grown, lines, note, older, proof }
    }

    impl Pack {
        fn claim(&self) -> Claim<'_> {
            let since = Since { checkpoint: &self.older, proof: &self.proof };
            Claim { checkpoint: &self.note, lines: &self.lines, since: Some(since) }
        }
    }

    #[test]
    fn a_whole_claim_is_proven_with_the_key_and_only_consistent_without() {
        let keys = keys();
        let pack = pack(&keys);
        let witnesses = [keys.witness_key.clone()];
        let trust = Trust { origin: Some(&keys.origin_key), witnesses: &witnesses };
        let verdict = verify(&pack.claim(), &trust);
        assert!(verdict.is_proven(), "{verdict}");
        assert_eq!(
            verdict.to_string(),
            "proven: 20 events in `lionrock.sample/log/0` at size 20, which continues size 11; \
             last witness `auditor.sample/w` at 1970-01-01T00:16:40Z"
        );
        let verdict = verify(&pack.claim(), &Trust::default());
        assert!(verdict.is_consistent() && !verdict.is_proven());
        assert!(verdict.to_string().starts_with("consistent, signer unproven"));
        assert!(verdict.to_string().ends_with("; no witness"));
    }

    #[test]
    fn each_alteration_is_named_at_its_spot() {
        let keys = keys();
        let witnesses = [keys.witness_key.clone()];
        let trust = Trust { origin: Some(&keys.origin_key), witnesses: &witnesses };
        let faults = |change: &dyn Fn(&mut Pack)| {
            let mut pack = pack(&keys);
            change(&mut pack);
            verify(&pack.claim(), &trust).faults
        };
        assert_eq!(faults(&|p| p.lines[7].public = "{\"n\":8}".into()), [Fault::Event(7)]);
        assert_eq!(faults(&|p| p.lines[7].public_salt.0[0] ^= 1), [Fault::Event(7)]);
        assert_eq!(faults(&|p| p.lines[7].personal_hash.0[0] ^= 1), [Fault::Event(7)]);
        assert_eq!(faults(&|p| p.lines[7].path[0].0[0] ^= 1), [Fault::Event(7)]);
        assert_eq!(faults(&|p| p.lines[7].position = 99), [Fault::Event(99)]);
        let double = faults(&|p| {
            let mut line = p.lines[7].clone();
            line.public.push(' ');
            p.lines.push(line);
        });
        assert_eq!(double, [Fault::Twice(7)]);
        let personal = faults(&|p| {
            let text = String::from("[]");
            p.lines[3].personal = Some(crate::line::PersonalText { salt: Salt([0; 16]), text });
        });
        assert_eq!(personal, [Fault::Personal(3)]);
        let rewritten = faults(&|p| p.proof[0].0[0] ^= 1);
        assert_eq!(rewritten, [Fault::Rewritten { old: 11, new: 20 }]);
        let unsigned = faults(&|p| p.note = change(&p.note, "state AA", "state AB"));
        assert_eq!(unsigned, [Fault::Note(Which::Newer, NoteError::BadSignature)]);
        let older = faults(&|p| p.older = change(&p.older, "\n11\n", "\n12\n"));
        assert_eq!(older, [Fault::Note(Which::Older, NoteError::BadSignature)]);
        let cut = faults(&|p| p.note.truncate(20));
        assert_eq!(cut, [Fault::Note(Which::Newer, NoteError::Malformed)]);
    }

    #[test]
    fn a_key_of_another_log_or_another_hand_proves_nothing() {
        let keys = keys();
        let pack = pack(&keys);
        let other = key(ORIGIN, SignatureType::Ed25519, &keys.witness);
        let verdict = verify(&pack.claim(), &Trust { origin: Some(&other), witnesses: &[] });
        assert_eq!(verdict.faults, [Fault::Note(Which::Newer, NoteError::Unsigned)]);
        let named = key("lionrock.other/log/0", SignatureType::Ed25519, &keys.origin);
        let verdict = verify(&pack.claim(), &Trust { origin: Some(&named), witnesses: &[] });
        assert!(matches!(verdict.faults[..], [Fault::OtherOrigin { .. }]));
        assert_eq!(verdict.signer, Signer::Unproven);
        assert_eq!(pack.grown.tip.size(), 20);
    }

    fn change(note: &[u8], from: &str, to: &str) -> Vec<u8> {
        String::from_utf8(note.to_vec()).unwrap().replace(from, to).into_bytes()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_byte_of_a_checkpoint_can_be_altered(at in any::<usize>(), bit in 0u8..8) {
            let keys = keys();
            let mut pack = pack(&keys);
            let text = pack.note.windows(2).position(|w| w == b"\n\n").unwrap();
            let at = at % text;
            pack.note[at] ^= 1 << bit;
            let trust = Trust { origin: Some(&keys.origin_key), witnesses: &[] };
            prop_assert!(!verify(&pack.claim(), &trust).is_consistent());
        }
    }
}
