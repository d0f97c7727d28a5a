//! Where the client keeps its session and the certificate of the authority that it believes.

use super::CliError;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::{Path, PathBuf};

fn folder() -> Result<PathBuf, CliError> {
    let given = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = given("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| given("HOME").map(|home| PathBuf::from(home).join(".config")));
    base.map(|base| base.join("lionrock")).ok_or(CliError::Homeless)
}

/// The token of the signed-in session, mode 0600.
pub(super) fn session() -> Result<PathBuf, CliError> {
    Ok(folder()?.join("session"))
}

/// The certificate of the authority.
pub(super) fn authority() -> Result<PathBuf, CliError> {
    Ok(folder()?.join("authority.crt"))
}

/// Reads the first certificate of a PEM file.
pub(super) fn read_certificate(path: &Path) -> Result<CertificateDer<'static>, CliError> {
    let bytes = std::fs::read(path).map_err(|cause| CliError::File { path: path.into(), cause })?;
    CertificateDer::from_pem_slice(&bytes).map_err(|_| CliError::Authority(path.into()))
}
