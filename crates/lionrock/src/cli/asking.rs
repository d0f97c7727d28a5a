//! Approvals: asked for, looked at, given, refused.
//!
//! An approval is bound to the very body by which the act is carried out afterwards. The verbs here
//! make that body from the same words as the verb that carries it out, reason included.

use super::CliError;
use super::identities::{RoleNamed, put};
use super::show;
use super::verb::{Verb, read};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Verbs of approvals.
#[derive(Debug, Subcommand)]
pub enum Approvals {
    /// Lists requests that you may see.
    List,
    /// Shows one request: what it does, who asked, how many have approved.
    Show {
        /// The request.
        approval: String,
    },
    /// Asks others to approve an act; afterwards carry it out with the same words.
    Ask {
        /// The act.
        #[command(subcommand)]
        act: Act,
    },
    /// Approves a request of somebody else.
    Approve {
        /// The request.
        approval: String,
    },
    /// Rejects a request of somebody else.
    Reject {
        /// The request.
        approval: String,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
    },
}

/// An act that others approve.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// To destroy a key (`lionrock keys destroy`).
    DestroyKey {
        /// The key.
        key: String,
        /// Why; the same words carry it out.
        #[arg(long)]
        reason: String,
    },
    /// To suspend a key (`lionrock keys suspend`).
    SuspendKey {
        /// The key.
        key: String,
        /// Why; the same words carry it out.
        #[arg(long)]
        reason: String,
        /// What will stop, in the order in which it will be said again; may be repeated.
        #[arg(long = "stops", value_name = "NAME")]
        stops: Vec<String>,
    },
    /// To resume a key (`lionrock keys resume`).
    ResumeKey {
        /// The key.
        key: String,
        /// Why; the same words carry it out.
        #[arg(long)]
        reason: String,
    },
    /// To delete the object of a finding for good (`lionrock discover act delete`).
    DeleteData {
        /// The finding.
        finding: String,
        /// Why; the same words carry it out.
        #[arg(long)]
        reason: String,
    },
    /// To give a key out, wrapped (`lionrock keys export`).
    ExportKey {
        /// The key.
        key: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        leaving: Leaving,
    },
    /// To give a role (`lionrock roles grant`).
    GrantRole {
        /// The person, service or group.
        holder: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        role: RoleNamed,
        /// Until when; the same time carries it out.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// To let a person or service into a group, as its roles are now (`lionrock groups add`).
    AddMember {
        /// The group.
        group: String,
        /// The person or service.
        holder: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// To void a person's password and second factor (`lionrock people reset-factors`).
    ResetFactors {
        /// The person.
        person: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// How a key leaves.
#[derive(Debug, Clone, clap::Args)]
pub struct Leaving {
    /// The recipient's RSA public key, in PEM or DER (SubjectPublicKeyInfo), 2048 bits or more.
    #[arg(long, value_name = "FILE")]
    pub recipient: PathBuf,
    /// The version [default: the one that protects]
    #[arg(long)]
    pub version: Option<u32>,
    /// Why; the same words carry it out.
    #[arg(long)]
    pub reason: String,
}

impl Leaving {
    /// The body of the API for it.
    pub(super) fn body(&self) -> Result<Value, CliError> {
        let mut body = json!({
            "recipient": STANDARD.encode(recipient(&self.recipient)?), "reason": self.reason,
        });
        if let Some(version) = self.version {
            put(&mut body, "version", version);
        }
        Ok(body)
    }
}

/// A public key in DER, whichever way the file has it.
fn recipient(path: &Path) -> Result<Vec<u8>, CliError> {
    use rustls_pki_types::SubjectPublicKeyInfoDer;
    use rustls_pki_types::pem::PemObject;
    let bytes = read(Some(path))?;
    match SubjectPublicKeyInfoDer::from_pem_slice(&bytes) {
        Ok(key) => Ok(key.to_vec()),
        Err(_) => Ok(bytes.to_vec()),
    }
}

/// The body that suspends, as it is asked for and as it is carried out.
pub(super) fn suspension(reason: &str, stops: &[String]) -> Value {
    json!({ "reason": reason, "stops": stops })
}

impl Act {
    /// The act as the API names it, and the reason.
    fn asked(self) -> Result<(Value, String), CliError> {
        let on_key =
            |act: &str, key: String, body: Value| named(act, json!({ "key": key, "body": body }));
        Ok(match self {
            Self::DestroyKey { key, reason } => {
                (on_key("destroy-key", key, json!({ "reason": reason })), reason)
            }
            Self::SuspendKey { key, reason, stops } => {
                (on_key("suspend-key", key, suspension(&reason, &stops)), reason)
            }
            Self::ResumeKey { key, reason } => {
                (on_key("resume-key", key, json!({ "reason": reason })), reason)
            }
            Self::DeleteData { finding, reason } => {
                let with = json!({ "finding": finding, "body": { "reason": reason } });
                (named("delete-data", with), reason)
            }
            Self::ExportKey { key, leaving } => {
                (on_key("export-key", key, leaving.body()?), leaving.reason)
            }
            Self::GrantRole { holder, role, until, reason } => {
                let mut body = role.body();
                if let Some(until) = until {
                    put(&mut body, "until", until);
                }
                (named("give-role", json!({ "holder": holder, "body": body })), reason)
            }
            Self::AddMember { group, holder, reason } => {
                (named("add-member", json!({ "group": group, "holder": holder })), reason)
            }
            Self::ResetFactors { person, reason } => {
                (named("reset-factors", json!({ "person": person })), reason)
            }
        })
    }
}

fn named(act: &str, with: Value) -> Value {
    Map::from_iter([(act.to_owned(), with)]).into()
}

pub(super) async fn approvals(verb: Verb, approvals: Approvals) -> Result<(), CliError> {
    match approvals {
        Approvals::List => {
            let columns =
                show::table(&["id", "action", "resource", "requested_by", "state", "ends"]);
            verb.get(&["approvals"], &[], columns).await
        }
        Approvals::Show { approval } => {
            verb.get(&["approvals", &approval], &[], show::fields).await
        }
        Approvals::Ask { act } => {
            let (act, reason) = act.asked()?;
            let body = json!({ "act": act, "reason": reason });
            verb.post(&["approvals"], Some(&body), show::fields).await
        }
        Approvals::Approve { approval } => {
            verb.post(&["approvals", &approval, "approve"], None, show::fields).await
        }
        Approvals::Reject { approval, reason } => {
            let body = json!({ "reason": reason });
            verb.post(&["approvals", &approval, "reject"], Some(&body), show::fields).await
        }
    }
}
