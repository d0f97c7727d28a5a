//! What can be said on the command line.

use super::account::Account;
use super::asking::Approvals;
use super::clock::ServerClock;
use super::credentials::Tokens;
use super::discover::Discover;
use super::groups::Groups;
use super::identities::{People, Roles, Services};
use super::keys::Keys;
use super::local::{AcceptRollback, BreakGlass, Doctor, Verify, Witness};
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Holds an institution's keys, and proves what happens to them.
#[derive(Debug, Parser)]
#[command(name = "lionrock", version, max_term_width = 100, after_help = crate::exit::HELP)]
pub struct Cli {
    /// Prints JSON in place of text: the API's own where a server was asked.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Which server, and as whom.
#[derive(Debug, Clone, Args)]
pub struct Remote {
    /// The server.
    #[arg(
        long,
        global = true,
        env = "LIONROCK_ADDRESS",
        default_value = "https://localhost:8443",
        help_heading = "Server"
    )]
    pub address: String,
    /// The certificate of the server's authority, in PEM
    /// [default: ~/.config/lionrock/authority.crt]
    #[arg(long, global = true, env = "LIONROCK_AUTHORITY", help_heading = "Server")]
    pub authority: Option<PathBuf>,
    /// A file that holds an API token [default: the session of `lionrock login`]
    #[arg(long, global = true, env = "LIONROCK_TOKEN_FILE", help_heading = "Server")]
    pub token_file: Option<PathBuf>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the server.
    #[command(after_help = "Examples:\n  \
        lionrock serve --data /var/lib/lionrock --seal-key-file /run/credentials/lionrock/seal\n  \
        lionrock serve --config /etc/lionrock.toml\n\n\
        The first start makes the root, the certificate authority and a one-time link for the first\n\
        administrator (a file of mode 0600 in the data folder, good for 15 minutes and one use).\n\
        Without a key file, a passphrase is asked for on the terminal.")]
    Serve(Serve),
    /// Verifies a report pack offline, or the data folder of a stopped installation.
    Verify(Verify),
    /// Witnesses logs on a machine of its own: cosigns only what continues what it has seen.
    Witness(Witness),
    /// Parses hostile files for a server, in a sandbox: the server starts it.
    #[command(hide = true)]
    Work(Work),
    /// Lets an administrator in when the last one is lost: on a stopped server, with its seal.
    BreakGlass(BreakGlass),
    /// Accepts by name that an older database was put in place: on a stopped server, with its seal.
    AcceptRollback(AcceptRollback),
    /// Says what this machine offers a server: memory, disk, clock, file modes, and whether found
    /// files can be parsed in their sandbox.
    Doctor(Doctor),
    /// Shows a sample bank's first day on a throw-away installation.
    #[command(after_help = "Example:\n  lionrock demo\n\n\
        Runs the same server as `serve` on loopback, with a folder of its own that goes afterwards, and\n\
        prints links that sign in once as each of the sample's people. Ctrl-C ends it.")]
    Demo(crate::demo::Demo),
    /// Signs in with password and one-time code; keeps the session's token in a file of mode 0600.
    #[command(after_help = "Example:\n  lionrock login --name custodian-a")]
    Login {
        /// The name of the person.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Ends the session of `lionrock login`.
    Logout(Remote),
    /// Your own account: password and device of one-time codes.
    #[command(after_help = "Examples:\n  \
        lionrock account password\n  \
        lionrock account device\n\n\
        Both ask on the terminal for the password and a one-time code until now. Your other sessions end;\n\
        this one goes on.")]
    Account {
        /// What to change.
        #[command(subcommand)]
        verb: Account,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Uses a one-time link up: sets password and second factor, and signs in.
    #[command(after_help = "Examples:\n  \
        lionrock enrol --link-file first-administrator.link\n  \
        lionrock enrol\n\n\
        Shows the seed of one-time codes for an authenticator, then asks for a password (twice) and the\n\
        first code. Whoever has no browser at hand gets in this way; a link works once.")]
    Enrol {
        /// The file that holds the link [default: it is asked for on the terminal]
        #[arg(long, value_name = "FILE")]
        link_file: Option<PathBuf>,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Says whether the server is sealed and how it is.
    Status(Remote),
    /// Opens the seal of a server with its passphrase.
    Unseal(Remote),
    /// The server's clock: whether it is believed, and confirming it after it has jumped.
    #[command(after_help = "Examples:\n  \
        lionrock clock show\n  \
        lionrock clock confirm\n\n\
        After the clock has parted from the machine's own count by more than five seconds, no key is\n\
        destroyed at the end of its waiting period until somebody has compared it and says it is right.\n\
        No waiting period becomes shorter by that.")]
    Clock {
        /// What to do with the clock.
        #[command(subcommand)]
        verb: ServerClock,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Keys: create, list, use, rotate, suspend, destroy.
    #[command(after_help = "Examples:\n  \
        lionrock keys create --domain dom_… --name ledger --algorithm aes-256-gcm\n  \
        lionrock keys encrypt key_… --in plain.txt --out cipher.bin\n  \
        lionrock keys suspend key_… --reason \"incident 7\"")]
    Keys {
        /// What to do with keys.
        #[command(subcommand)]
        verb: Keys,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Key domains: tenants with roots of their own.
    Domains {
        /// What to do with key domains.
        #[command(subcommand)]
        verb: Domains,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// People with accounts: invite, list, lock, let set their factors anew.
    #[command(after_help = "Examples:\n  \
        lionrock people invite --sign-in-name custodian-a --name \"Key Custodian A\" --out a.link\n  \
        lionrock people list\n  \
        lionrock people lock per_… --reason \"has left\"")]
    People {
        /// What to do with people.
        #[command(subcommand)]
        verb: People,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Services: workloads that get in by token or client certificate.
    #[command(after_help = "Examples:\n  \
        lionrock services create --name core-banking --owner per_… --workload core-banking\n  \
        lionrock services bind-certificate svc_… --certificate client.crt --name node-1")]
    Services {
        /// What to do with services.
        #[command(subcommand)]
        verb: Services,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Groups: teams whose members hold the group's roles.
    #[command(after_help = "Examples:\n  \
        lionrock groups create --name \"Retail custodians\"\n  \
        lionrock roles grant grp_… --role key-custodian --domain dom_…\n  \
        lionrock groups add grp_… per_…")]
    Groups {
        /// What to do with groups.
        #[command(subcommand)]
        verb: Groups,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Roles of people, services and groups.
    #[command(after_help = "Examples:\n  \
        lionrock roles grant per_… --role key-custodian --domain dom_…\n  \
        lionrock roles grant per_… --role examiner --until 2027-01-31T18:00:00+08:00\n  \
        lionrock roles revoke per_… --role key-custodian --domain dom_…")]
    Roles {
        /// What to do with roles.
        #[command(subcommand)]
        verb: Roles,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// API tokens: shown once, narrowed, ending.
    #[command(after_help = "Examples:\n  \
        lionrock tokens create --name batch --holder svc_… --action key.encrypt --days 30 --out token\n  \
        lionrock tokens list --holder svc_…\n  \
        lionrock tokens revoke tok_…")]
    Tokens {
        /// What to do with tokens.
        #[command(subcommand)]
        verb: Tokens,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Requests that need the approval of others.
    #[command(after_help = "Examples:\n  \
        lionrock approvals ask suspend-key key_… --reason \"incident 7\"\n  \
        lionrock approvals show apr_…\n  \
        lionrock approvals approve apr_…")]
    Approvals {
        /// What to do with approvals.
        #[command(subcommand)]
        verb: Approvals,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// The log.
    #[command(after_help = "Examples:\n  \
        lionrock log query --action key.destroy --limit 20\n  \
        lionrock log checkpoint > today.checkpoint")]
    Log {
        /// What to do with the log.
        #[command(subcommand)]
        verb: Log,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// The inventory.
    Assets {
        /// What to do with assets.
        #[command(subcommand)]
        verb: Assets,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Sensitive data: where it is looked for, what was found, what is decided and done about it.
    #[command(after_help = "Examples:\n  \
        lionrock discover inspect /srv/files\n  \
        lionrock discover source add --name statements --folder /srv/statements --owner \"Retail\"\n  \
        lionrock discover scan statements --wait\n  \
        lionrock discover findings --level high\n  \
        lionrock discover report --format xlsx --out findings.xlsx")]
    Discover {
        /// What to do about data.
        #[command(subcommand)]
        verb: Discover,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Requirements of the regulator and where the bank stands.
    Requirements {
        /// What to do with requirements.
        #[command(subcommand)]
        verb: Requirements,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Checks of live state.
    Checks {
        /// What to do with checks.
        #[command(subcommand)]
        verb: Checks,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
    /// Reports and packs.
    Reports {
        /// What to do with reports.
        #[command(subcommand)]
        verb: Reports,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the group documents itself")]
        remote: Remote,
    },
}

/// What a worker may use.
#[derive(Debug, Clone, Args)]
pub struct Work {
    /// Bytes of memory beyond what the program begins with.
    #[arg(long)]
    pub memory_bytes: u64,
    /// Seconds of processor time.
    #[arg(long)]
    pub cpu_seconds: u64,
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// The configuration file (TOML).
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// The data folder, in place of the configured one.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// The address to listen on, in place of the configured one.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// The file that opens the seal, in place of the configured one.
    #[arg(long)]
    pub seal_key_file: Option<PathBuf>,
}

/// Verbs of key domains.
#[derive(Debug, Subcommand)]
pub enum Domains {
    /// Lists the key domains that you may see.
    List,
    /// Makes a key domain.
    Create {
        /// The name.
        #[arg(long)]
        name: String,
    },
}

/// Verbs of the log.
#[derive(Debug, Subcommand)]
pub enum Log {
    /// Finds events, newest first.
    Query {
        /// Only this action, such as `key.encrypt`.
        #[arg(long)]
        action: Option<String>,
        /// Only this resource, such as `key:key_…`.
        #[arg(long)]
        resource: Option<String>,
        /// Only this correlation id.
        #[arg(long)]
        correlation: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u16,
    },
    /// Prints the newest signed checkpoint.
    Checkpoint,
    /// Prints the key that verifies checkpoints, for whoever will verify packs.
    Key,
    /// Proves that the log of one size is the beginning of the log of another (RFC 9162).
    Consistency {
        /// The smaller size, such as that of a checkpoint that you kept.
        #[arg(long)]
        from: u64,
        /// The larger size [default: the newest checkpoint's]
        #[arg(long)]
        to: Option<u64>,
    },
}

/// Verbs of assets.
#[derive(Debug, Subcommand)]
pub enum Assets {
    /// Lists assets.
    List,
    /// Imports a table of assets (YAML, CSV or JSON, told by the file's ending).
    Import {
        /// The file.
        file: PathBuf,
        /// The name of the list: becomes the source of what it says [default: the file's name]
        #[arg(long)]
        name: Option<String>,
        /// Reads and judges, and changes nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Verbs of requirements.
#[derive(Debug, Subcommand)]
pub enum Requirements {
    /// Lists requirements with their status.
    List,
    /// Shows one requirement with its evidence.
    Show {
        /// The requirement.
        requirement: String,
    },
}

/// Verbs of checks.
#[derive(Debug, Subcommand)]
pub enum Checks {
    /// Runs every check now.
    Run,
    /// Says when the checks ran last and run next by themselves.
    Schedule,
}

/// Verbs of reports.
#[derive(Debug, Subcommand)]
pub enum Reports {
    /// Lists finished reports.
    List,
    /// Makes a report from the newest run.
    Make,
    /// Writes the pack of a report into a file that only you can read; the final one when approved.
    Get {
        /// The report.
        report: String,
        /// The file to write, mode 0600.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Signs a report as its reviewer, over the pack that you have read.
    Review {
        /// The report.
        report: String,
        /// The pack, as `get` wrote it: what is signed is its SHA-256.
        #[arg(long, value_name = "FILE")]
        pack: PathBuf,
    },
    /// Approves a reviewed report, over the pack that you have read; then it is final.
    Approve {
        /// The report.
        report: String,
        /// The pack, as `get` wrote it: what is signed is its SHA-256.
        #[arg(long, value_name = "FILE")]
        pack: PathBuf,
    },
    /// Returns a report to whoever prepared it; a new one must be made.
    Return {
        /// The report.
        report: String,
        /// The pack, as `get` wrote it.
        #[arg(long, value_name = "FILE")]
        pack: PathBuf,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
