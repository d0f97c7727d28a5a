//! `lionrock doctor`: examines the data folder of a server that does not run, and changes nothing.

use crate::authority;
use crate::cli::args::Doctor;
use crate::clock::SystemClock;
use crate::exit::Exit;
use crate::folder::{DataFolder, FolderError};
use crate::installation::read_key_file;
use crate::screen;
use kernel::Clock;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::sync::Arc;
use store::{Store, StoreError};
use strongroom::{FileRoot, Seal, SealError, Strongroom};

/// Why the examination did not end.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// The folder cannot be taken: it is open to others, or a server runs on it.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The root does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The key file cannot be read.
    #[error(transparent)]
    KeyFile(#[from] crate::installation::StartError),
    /// The store cannot be examined.
    #[error("the store cannot be examined")]
    Store(#[from] StoreError),
}

/// Examines and says what was found; exits with 3 when something is damaged.
#[must_use]
pub fn run(args: &Doctor) -> Exit {
    match examine(args) {
        Ok(true) => Exit::Done,
        Ok(false) => Exit::NotVerified,
        Err(error) => {
            screen::failure(&error);
            Exit::Failed
        }
    }
}

fn examine(args: &Doctor) -> Result<bool, DoctorError> {
    let folder = DataFolder::take_existing(&args.data)?;
    screen::line(&format!("folder       {}: private, no server runs on it", args.data.display()));
    let root = FileRoot::at(folder.file("root"));
    let described = Strongroom::describe(&root)?;
    screen::line(&format!(
        "root         made {}, replaced {} times, {} key domains, opens with a {}",
        described.created,
        described.revision,
        described.domains,
        described.seal.kind()
    ));
    let sound = certificate(&folder)?;
    let Some(key_file) = &args.seal_key_file else {
        screen::line("store        not examined: name the seal's key file");
        return Ok(sound);
    };
    let seal = Seal::KeyFile(read_key_file(key_file)?);
    let room = Strongroom::unseal(Arc::new(root), &seal, Arc::new(SystemClock))?;
    let damage = Store::examine(&folder.file("store"), room.records())?;
    if damage.is_empty() {
        screen::line("store        every record and every row of the log is sound");
    }
    for place in &damage {
        screen::line(&format!("store        DAMAGED: {place}"));
    }
    Ok(sound && damage.is_empty())
}

fn certificate(folder: &DataFolder) -> Result<bool, DoctorError> {
    let Some(pem) = folder.read("listener.crt")? else {
        screen::line("certificate  none yet");
        return Ok(true);
    };
    let ends = CertificateDer::from_pem_slice(&pem).ok();
    let ends = ends.and_then(|certificate| authority::ends(&certificate).ok());
    match ends {
        Some(ends) if ends > SystemClock.wall() => {
            screen::line(&format!("certificate  good until {ends}"));
            Ok(true)
        }
        Some(ends) => {
            screen::line(&format!("certificate  ENDED {ends}: start the server unsealed to renew"));
            Ok(false)
        }
        None => {
            screen::line("certificate  DAMAGED: remove the three files listener.* to have it made");
            Ok(false)
        }
    }
}
