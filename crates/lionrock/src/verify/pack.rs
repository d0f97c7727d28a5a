//! A pack: proven, consistent without a proven signer, or failed at a named spot.

use super::{VerifyError, file, key, small_file};
use crate::cli::local::Verify;
use crate::exit::Exit;
use crate::screen;
use audit::verify::{Signer, Trust};
use comply::pack::{PackVerdict, SignatureSeen, verify};
use documents::pack::PACK_BYTES_MAX;
use serde_json::{Value, json};
use std::path::Path;
use wire::note::VerifierKey;

pub(super) fn run(json: bool, path: &Path, args: &Verify) -> Result<Exit, VerifyError> {
    let origin = args.origin_key.as_deref().map(key).transpose()?;
    let witnesses: Result<Vec<VerifierKey>, VerifyError> =
        args.witness_key.iter().map(|given| key(given)).collect();
    let witnesses = witnesses?;
    let since = args.since.as_deref().map(small_file).transpose()?;
    let pack = file(path, PACK_BYTES_MAX)?;
    let trust = Trust { origin: origin.as_ref(), witnesses: &witnesses };
    let verdict = verify(&pack, &trust, since.as_deref());
    if json {
        screen::line(&format!("{:#}", as_json(&verdict)));
    } else {
        screen::line(&verdict.to_string());
        if verdict.is_consistent() && !verdict.is_proven() {
            screen::aside(
                "anybody could have made such a pack: ask the institution for the key of its log \
                 by another way, and give it with --origin-key",
            );
        }
    }
    Ok(exit(&verdict))
}

/// What the verdict means for a script.
#[must_use]
pub fn exit(verdict: &PackVerdict) -> Exit {
    if verdict.is_proven() {
        Exit::Done
    } else if verdict.is_consistent() {
        Exit::SignerUnproven
    } else {
        Exit::NotVerified
    }
}

/// The verdict for programs.
#[must_use]
pub fn as_json(verdict: &PackVerdict) -> Value {
    let faults = verdict.faults.iter().map(ToString::to_string);
    let of_log = verdict.log.iter().flat_map(|log| log.faults.iter().map(ToString::to_string));
    let log = verdict.log.as_ref().and_then(|log| {
        let checkpoint = log.checkpoint.as_ref()?;
        Some(json!({
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": audit::Hash(checkpoint.root),
            "signer": if log.signer == Signer::Proven { "proven" } else { "unproven" },
            "events_proven": log.events_proven,
            "continues": log.continues,
            "witnessed": log.witnessed,
        }))
    });
    let word = match exit(verdict) {
        Exit::Done => "proven",
        Exit::SignerUnproven => "signer-unproven",
        _ => "failed",
    };
    json!({
        "verdict": word,
        "faults": faults.chain(of_log).collect::<Vec<_>>(),
        "signatures": if verdict.is_consistent() { signatures(verdict) } else { Vec::new() },
        "documents": if verdict.is_consistent() { verdict.documents.clone() } else { Vec::new() },
        "log": log,
    })
}

fn signatures(verdict: &PackVerdict) -> Vec<Value> {
    let one = |seen: &SignatureSeen| {
        json!({
            "what": seen.what,
            "by": seen.by.who,
            "name": seen.by.name,
            "role": seen.by.role,
            "at": seen.by.at.rfc3339(),
            "position": seen.position.0,
        })
    };
    verdict.signatures.iter().map(one).collect()
}
