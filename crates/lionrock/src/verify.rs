//! `lionrock verify`: a pack, the keys that came from elsewhere, and what is proven.

use crate::cli::args::Verify;
use crate::exit::Exit;
use crate::screen;
use audit::verify::Trust;
use comply::pack::{self, PackVerdict};
use std::path::{Path, PathBuf};
use wire::note::{NoteError, VerifierKey};

/// Longest pack that is read.
const PACK_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file cannot be read.
    #[error("`{path}` cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A file is larger than anything that we make.
    #[error("`{path}` has more than {PACK_BYTES_MAX} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A key is not one.
    #[error("`{argument}` is neither a key nor a file with one")]
    Key {
        /// The argument.
        argument: &'static str,
        /// Why.
        #[source]
        cause: NoteError,
    },
}

/// Verifies, says what is proven, and exits with 3 when something is not as claimed.
#[must_use]
pub fn run(args: &Verify, json: bool) -> Exit {
    match verdict(args) {
        Ok(verdict) => {
            if json {
                let faults: Vec<String> = verdict.faults.iter().map(ToString::to_string).collect();
                let value = serde_json::json!({
                    "consistent": verdict.is_consistent(),
                    "signer_proven": verdict.is_proven(),
                    "documents": verdict.documents,
                    "faults": faults,
                    "log": verdict.log.as_ref().map(ToString::to_string),
                });
                screen::line(&format!("{value:#}"));
            } else {
                screen::line(verdict.to_string().trim_end());
            }
            if verdict.is_consistent() { Exit::Done } else { Exit::NotVerified }
        }
        Err(error) => {
            screen::failure(&error);
            Exit::Failed
        }
    }
}

fn verdict(args: &Verify) -> Result<PackVerdict, VerifyError> {
    let pack = read(&args.pack)?;
    let since = args.since.as_deref().map(read).transpose()?;
    let origin = args.origin_key.as_deref().map(|text| key("--origin-key", text)).transpose()?;
    let witnesses: Result<Vec<VerifierKey>, VerifyError> =
        args.witness_keys.iter().map(|text| key("--witness-key", text)).collect();
    let witnesses = witnesses?;
    let trust = Trust { origin: origin.as_ref(), witnesses: &witnesses };
    Ok(pack::verify(&pack, &trust, since.as_deref()))
}

fn read(path: &Path) -> Result<Vec<u8>, VerifyError> {
    let failed = |cause| VerifyError::File { path: path.into(), cause };
    if path.metadata().map_err(failed)?.len() > PACK_BYTES_MAX {
        return Err(VerifyError::TooLarge { path: path.into() });
    }
    std::fs::read(path).map_err(failed)
}

/// A key as text, or in a file.
fn key(argument: &'static str, text: &str) -> Result<VerifierKey, VerifyError> {
    let parsed = match std::fs::read_to_string(text) {
        Ok(text) => pack::read_key(&text),
        Err(_) => pack::read_key(text),
    };
    parsed.map_err(|cause| VerifyError::Key { argument, cause })
}
