//! The configuration file: TOML, strict, with a default for everything but where the seal opens
//! from.
//!
//! ```toml
//! listen = "0.0.0.0:8443"
//! data = "/var/lib/lionrock"
//! names = ["lionrock.bank.example", "10.0.0.5"]
//! origin = "lionrock.bank.example/log/1"
//!
//! [seal]
//! key-file = "/run/credentials/lionrock.service/seal"
//! ```

use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The file is not what we expect.
    #[error("`{path}` is not a configuration of lionrock")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: Box<toml::de::Error>,
    },
    /// A value breaks a rule.
    #[error("`{name}`: {rule}")]
    Rule {
        /// The setting.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

/// Everything that can be set. What stands on the command line wins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Config {
    /// The address that the server listens on.
    pub listen: SocketAddr,
    /// The data folder; made with mode 0700 if there is none.
    pub data: PathBuf,
    /// Names and addresses by which clients reach the server; they stand in its certificate.
    pub names: Vec<String>,
    /// The origin of the log: stands in every checkpoint and never changes afterwards.
    pub origin: String,
    /// How the seal opens.
    pub seal: SealConfig,
    /// Certificates (PEM) of the bank's own authorities, whose client certificates may be shown
    /// beside those of the installation's authority. Which service a certificate is, is bound to
    /// its key: an authority lets nobody in by itself.
    pub client_authorities: Option<PathBuf>,
    /// Where checkpoints go.
    pub checkpoints: CheckpointConfig,
    /// The receiver of every event, as syslog over TLS (RFC 5425).
    pub syslog: Option<SyslogConfig>,
    /// When the checks run by themselves.
    pub checks: ChecksConfig,
    /// Everything is a sample: set by the demonstration, never by a file.
    #[serde(skip)]
    pub sample: bool,
    /// The program whose `work` subcommand parses found files, where the running one has none: set
    /// by whoever holds a server inside another program, never by a file.
    #[serde(skip)]
    pub worker: Option<PathBuf>,
}

/// How the seal opens at start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct SealConfig {
    /// A file that holds the seal's key; 32 bytes or more, mode 0600 or stricter. A path below
    /// `$CREDENTIALS_DIRECTORY` works with systemd's `LoadCredentialEncrypted=`.
    pub key_file: Option<PathBuf>,
    /// Acts by hand on the stopped server want two people who name themselves; a passphrase is then
    /// asked of them in two parts.
    pub two_custodians: bool,
}

/// When the checks run by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ChecksConfig {
    /// Hours between two runs, 1 to 168. A reading that is older than its check allows shows as
    /// stale, so more than 24 makes many of them stale between the runs.
    pub every_hours: u32,
}

impl Default for ChecksConfig {
    fn default() -> Self {
        Self { every_hours: 24 }
    }
}

/// A receiver of events: RFC 5424 messages over TLS (RFC 5425).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SyslogConfig {
    /// The name of the receiver, which its certificate must carry.
    pub host: String,
    /// Its port.
    #[serde(default = "syslog_port")]
    pub port: u16,
}

/// The port of syslog over TLS (RFC 5425, section 4.1).
const fn syslog_port() -> u16 {
    6514
}

/// Where checkpoints of the log go, outside the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct CheckpointConfig {
    /// A folder, best on another machine's file system; each checkpoint is a file of its own.
    pub folder: Option<PathBuf>,
    /// An address that takes each checkpoint as a POST, such as internal audit's mailbox gateway.
    pub webhook: Option<String>,
    /// Witnesses that are asked to cosign each checkpoint, such as internal audit's.
    pub witnesses: Vec<WitnessConfig>,
    /// Certificates (PEM) of authorities that vouch for webhook and syslog receivers.
    pub authorities: Option<PathBuf>,
    /// The file outside the data folder that holds the newest head; a start behind it is refused.
    pub anchor: Option<PathBuf>,
}

/// A witness (`lionrock witness`, or any other that speaks C2SP tlog-witness).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WitnessConfig {
    /// Its address, such as `https://witness.example/add-checkpoint`.
    pub address: String,
    /// Its verifier key, as its first start printed it.
    pub key: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            data: PathBuf::from("lionrock-data"),
            names: vec!["localhost".into(), "127.0.0.1".into(), "::1".into()],
            origin: "lionrock.internal/log/1".into(),
            seal: SealConfig::default(),
            client_authorities: None,
            checkpoints: CheckpointConfig::default(),
            sample: false,
            worker: None,
            syslog: None,
            checks: ChecksConfig::default(),
        }
    }
}

/// Most names of one server: a certificate with more is a mistake.
const NAMES_MAX: usize = 32;
/// Longest time between two runs of the checks, in hours: a week.
const CHECK_HOURS_MAX: u32 = 168;
/// Most witnesses: each is asked every minute.
const WITNESSES_MAX: usize = 8;

impl Config {
    /// Reads a file, or takes the defaults.
    ///
    /// # Errors
    /// When the file cannot be read, has a setting that we do not know, or breaks a rule.
    pub fn read(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError::Unreadable { path: path.into(), cause })?;
        let config: Self = toml::from_str(&text).map_err(|cause| ConfigError::Malformed {
            path: path.into(),
            cause: Box::new(cause),
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.names.is_empty() || self.names.len() > NAMES_MAX {
            return Err(ConfigError::Rule { name: "names", rule: "expected 1 to 32 names" });
        }
        if self.checkpoints.witnesses.len() > WITNESSES_MAX {
            let rule = "expected at most 8 witnesses";
            return Err(ConfigError::Rule { name: "checkpoints.witnesses", rule });
        }
        if !(1..=CHECK_HOURS_MAX).contains(&self.checks.every_hours) {
            let rule = "expected 1 to 168 hours";
            return Err(ConfigError::Rule { name: "checks.every-hours", rule });
        }
        let fits = |c: char| c.is_ascii_graphic() && c != '+';
        if self.origin.is_empty() || self.origin.len() > 255 || !self.origin.chars().all(fits) {
            let rule = "expected visible ASCII characters without spaces or `+`";
            return Err(ConfigError::Rule { name: "origin", rule });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(parse("").unwrap(), Config::default());
        assert!(Config::default().check().is_ok());
    }

    #[test]
    fn the_example_is_read() {
        let config = parse(
            "listen = \"0.0.0.0:8443\"\nnames = [\"a.example\"]\n\
             [seal]\nkey-file = \"/run/seal\"\n[checkpoints]\nfolder = \"/mnt/audit\"\n",
        )
        .unwrap();
        assert_eq!(config.seal.key_file.as_deref(), Some(Path::new("/run/seal")));
        assert_eq!(config.listen.port(), 8443);
    }

    #[test]
    fn unknown_settings_and_wrong_values_are_refused() {
        for bad in
            ["colour = 1", "listen = \"localhost\"", "[seal]\npassphrase = \"x\"", "data = 7"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let origin = |origin: &str| Config { origin: origin.into(), ..Config::default() };
        for bad in ["", "a b", "a+b", "é"] {
            assert!(origin(bad).check().is_err(), "{bad}");
        }
        assert!(Config { names: Vec::new(), ..Config::default() }.check().is_err());
        let hours = |every_hours| {
            let checks = ChecksConfig { every_hours };
            Config { checks, ..Config::default() }.check().is_ok()
        };
        assert!(hours(1) && hours(CHECK_HOURS_MAX) && !hours(0) && !hours(CHECK_HOURS_MAX + 1));
        let witnesses = |count| {
            let witness = WitnessConfig { address: "http://w".into(), key: "k".into() };
            let mut config = Config::default();
            config.checkpoints.witnesses = vec![witness; count];
            config.check().is_ok()
        };
        assert!(witnesses(WITNESSES_MAX) && !witnesses(WITNESSES_MAX + 1));
    }
}
