//! People, services and their roles: invited, listed, locked, given roles.

use super::CliError;
use super::args::Remote;
use super::show;
use super::verb::Verb;
use crate::{folder, screen};
use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use http::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Verbs of people.
#[derive(Debug, Subcommand)]
pub enum People {
    /// Lists people.
    List,
    /// Shows one person with all roles.
    Show {
        /// The person.
        person: String,
    },
    /// Makes an account, and the one-time link by which the person sets password and second factor.
    Invite {
        /// The name to sign in with: lower-case letters, digits, `.`, `-` and `_`.
        #[arg(long)]
        sign_in_name: String,
        /// The name on screen, in any script.
        #[arg(long)]
        name: String,
        /// Writes the link into a file of mode 0600, in place of showing it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Voids password and second factor of a person, ends its sessions, and makes a new link.
    ResetFactors {
        /// The person.
        person: String,
        /// Writes the link into a file of mode 0600, in place of showing it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Locks a person out at once: sessions and tokens end.
    Lock {
        /// The person.
        person: String,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
    },
    /// Lets a locked person in again.
    Unlock {
        /// The person.
        person: String,
    },
}

/// Verbs of services.
#[derive(Debug, Subcommand)]
pub enum Services {
    /// Lists services.
    List,
    /// Shows one service with its roles and certificates.
    Show {
        /// The service.
        service: String,
    },
    /// Makes a service; it gets in by a token or a client certificate.
    Create {
        /// The name; no two services have one.
        #[arg(long)]
        name: String,
        /// The platform engineer who makes its tokens.
        #[arg(long, value_name = "PERSON")]
        owner: Option<String>,
        /// A workload whose keys it may use; may be repeated [default: all of its key domain]
        #[arg(long = "workload", value_name = "NAME")]
        workloads: Vec<String>,
    },
    /// Lets the holder of a client certificate's key in as the service.
    BindCertificate {
        /// The service.
        service: String,
        /// The certificate, in PEM.
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
        /// What it is called.
        #[arg(long)]
        name: String,
    },
    /// Takes a client certificate's key away at once.
    UnbindCertificate {
        /// The service.
        service: String,
        /// SHA-256 of the key (SubjectPublicKeyInfo), as `show` prints it.
        #[arg(long, value_name = "HASH")]
        key: String,
    },
    /// Locks a service out at once.
    Lock {
        /// The service.
        service: String,
        /// Why: stands in the log.
        #[arg(long)]
        reason: String,
    },
    /// Lets a locked service in again.
    Unlock {
        /// The service.
        service: String,
    },
}

/// Verbs of roles.
#[derive(Debug, Subcommand)]
pub enum Roles {
    /// Lists the roles of a person, service or group, with the group by which each is held.
    List {
        /// The person, service or group.
        holder: String,
    },
    /// Gives a role; where the rule says so, after others have approved.
    Grant {
        /// The person, service or group.
        holder: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        role: RoleNamed,
        /// Until when, such as 2027-01-31T18:00:00+08:00; an examiner's role must have an end.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Takes a role at once.
    Revoke {
        /// The person, service or group.
        holder: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        role: RoleNamed,
    },
}

/// A role and how far it reaches.
#[derive(Debug, Clone, clap::Args)]
pub struct RoleNamed {
    /// The role.
    #[arg(long, value_parser = role_words())]
    pub role: String,
    /// The key domain it reaches [default: the whole installation]
    #[arg(long)]
    pub domain: Option<String>,
}

impl RoleNamed {
    /// The body of the API for it.
    pub(super) fn body(self) -> Value {
        let mut body = json!({ "role": self.role });
        if let Some(domain) = self.domain {
            put(&mut body, "domain", domain);
        }
        body
    }
}

/// The roles that can be given on the command line.
fn role_words() -> PossibleValuesParser {
    let given = access::roles::Role::ALL.iter();
    let given = given.filter(|role| **role != access::roles::Role::BootstrapAdministrator);
    PossibleValuesParser::new(given.map(|role| role.word()))
}

/// Sets a field of an object.
pub(super) fn put(body: &mut Value, field: &str, value: impl Into<Value>) {
    if let Some(object) = body.as_object_mut() {
        object.insert(field.into(), value.into());
    }
}

pub(super) async fn people(verb: Verb, people: People) -> Result<(), CliError> {
    match people {
        People::List => {
            let columns = ["id", "sign_in_name", "name", "active", "locked"];
            verb.get(&["people"], &[], show::table(&columns)).await
        }
        People::Show { person } => verb.get(&["people", &person], &[], show::fields).await,
        People::Invite { sign_in_name, name, out } => {
            let body = json!({ "sign_in_name": sign_in_name, "name": name });
            let made = verb.send(&["people"], Some(&body)).await?;
            invitation(&verb, &made, out.as_deref())
        }
        People::ResetFactors { person, out } => {
            let made = verb.send(&["people", &person, "reset-factors"], None).await?;
            invitation(&verb, &made, out.as_deref())
        }
        People::Lock { person, reason } => lock(&verb, &person, &reason).await,
        People::Unlock { person } => unlock(&verb, &person).await,
    }
}

async fn lock(verb: &Verb, holder: &str, reason: &str) -> Result<(), CliError> {
    let body = json!({ "reason": reason });
    verb.done(Method::POST, &["identities", holder, "lock"], Some(&body), "locked").await
}

async fn unlock(verb: &Verb, holder: &str) -> Result<(), CliError> {
    verb.done(Method::POST, &["identities", holder, "unlock"], None, "unlocked").await
}

/// Shows a one-time link, or writes it where only the caller can read it.
fn invitation(verb: &Verb, made: &Value, out: Option<&Path>) -> Result<(), CliError> {
    let text = |field| made.get(field).and_then(Value::as_str).unwrap_or_default();
    let link = format!("{}/set-up?link={}", verb.client.address(), text("link"));
    let Some(out) = out else {
        let people = |_: &Value| {
            let (person, ends) = (text("person"), text("ends"));
            format!("person: {person}\nlink: {link}\nends: {ends}\n")
        };
        show::answer(verb.json, made, people);
        return Ok(());
    };
    folder::write_private(out, format!("{link}\n").as_bytes())?;
    let rest = json!({ "person": text("person"), "ends": text("ends") });
    show::answer(verb.json, &rest, show::fields);
    Ok(())
}

pub(super) async fn services(verb: Verb, services: Services) -> Result<(), CliError> {
    match services {
        Services::List => {
            let columns = ["id", "name", "owner", "workloads", "locked"];
            verb.get(&["services"], &[], show::table(&columns)).await
        }
        Services::Show { service } => verb.get(&["services", &service], &[], show::fields).await,
        Services::Create { name, owner, workloads } => {
            let mut body = json!({ "name": name, "workloads": workloads });
            if let Some(owner) = owner {
                put(&mut body, "owner", owner);
            }
            verb.post(&["services"], Some(&body), show::fields).await
        }
        Services::BindCertificate { service, certificate, name } => {
            let key = key_of(&certificate)?;
            let body = json!({ "spki_sha256": key, "name": name });
            let path = ["services", &service, "certificates"];
            let said = format!("bound the key {key}");
            verb.done(Method::POST, &path, Some(&body), &said).await
        }
        Services::UnbindCertificate { service, key } => {
            let path = ["services", &service, "certificates", &key];
            verb.done(Method::DELETE, &path, None, "taken away").await
        }
        Services::Lock { service, reason } => lock(&verb, &service, &reason).await,
        Services::Unlock { service } => unlock(&verb, &service).await,
    }
}

/// SHA-256 of the SubjectPublicKeyInfo of a certificate (RFC 7469, section 2.4), in hexadecimal.
fn key_of(certificate: &Path) -> Result<String, CliError> {
    let der = super::paths::read_certificate(certificate)?;
    let wrong = |_| CliError::Authority(certificate.into());
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(wrong)?;
    let hash = audit::Hash::of(parsed.public_key().raw).0;
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(super) async fn roles(verb: Verb, roles: Roles) -> Result<(), CliError> {
    match roles {
        Roles::List { holder } => {
            let kind = match holder.split('_').next() {
                Some("svc") => "services",
                Some("grp") => "groups",
                _ => "people",
            };
            let columns = show::table_of("roles", &["role", "domain", "since", "until", "group"]);
            verb.get(&[kind, &holder], &[], columns).await
        }
        Roles::Grant { holder, role, until } => {
            let mut body = role.body();
            if let Some(until) = until {
                put(&mut body, "until", until);
            }
            let path = ["identities", &holder, "roles"];
            verb.done(Method::PUT, &path, Some(&body), "given").await
        }
        Roles::Revoke { holder, role } => {
            let path = ["identities", &holder, "roles", "take"];
            verb.done(Method::POST, &path, Some(&role.body()), "taken").await
        }
    }
}

/// Uses a one-time link up: shows the seed of codes, asks for a password and the first code, and
/// keeps the session as `login` does.
pub(super) async fn enrol(remote: &Remote, link_file: Option<&Path>) -> Result<(), CliError> {
    let client = super::client_with(remote, None)?;
    let link = match link_file {
        Some(path) => super::read_token(path)?,
        None => screen::ask_secret("One-time link: ").map_err(CliError::Terminal)?,
    };
    // The whole address or the link's own part: whatever was handed over.
    let link = link.expose().rsplit("link=").next().unwrap_or_default().trim().to_owned();
    let asked = crate::client::Sent::Json(&json!({ "link": link }));
    let begun = client.ask(Method::POST, "/api/v1/enrolments/begin", asked).await?.json()?;
    let told = |field| begun.get(field).and_then(Value::as_str).unwrap_or_default();
    screen::aside(&format!("account: {} ({})", told("sign_in_name"), told("name")));
    screen::aside(&format!("seed of one-time codes: {}", told("seed")));
    screen::aside(&format!("for an authenticator: {}", told("otpauth")));
    let password = super::login::new_password()?;
    let code = screen::ask_secret("One-time code: ").map_err(CliError::Terminal)?;
    let body = json!({ "link": link, "password": password.expose(), "code": code.expose() });
    let asked = crate::client::Sent::Json(&body);
    let session = client.ask(Method::POST, "/api/v1/enrolments", asked).await?.json()?;
    super::login::keep(&session)
}
