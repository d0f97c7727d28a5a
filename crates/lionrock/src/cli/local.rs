//! Verbs that need no server: `verify`, `witness`, `doctor`, and the acts by hand on a stopped one.

use clap::{ArgGroup, Args};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What to verify, and the keys that came another way.
#[derive(Debug, Clone, Args)]
#[command(
    group(ArgGroup::new("what").required(true).args(["pack", "store"])),
    after_help = "\
A PACK is verified offline and as a stranger would: every document against the event of the\n\
log that vouches for it, every event against the signed checkpoint, the checkpoint against the\n\
older one and the keys that you name. A key that came in the pack, or together with it, proves\n\
nothing.\n\
\n\
With --store, the data folder of a stopped installation is examined: its root, the boot\n\
journal, every record, index and row of the store, the log hashed again from its events, and\n\
the anchor. It is refused while a server runs on the folder. Work on a copy if the folder\n\
itself is evidence.\n\
\n\
Examples:\n  \
    lionrock verify report.zip --origin-key origin.key\n  \
    lionrock verify report.zip --origin-key origin.key --since october.checkpoint \\\n    \
        --witness-key auditor.key\n  \
    lionrock verify --store /var/lib/lionrock --seal-key-file /etc/lionrock/seal\n\
\n\
Exit codes:\n  \
    0  proven; with --store: sound\n  \
    3  a fault was found: each line that begins with FAILED names its spot\n  \
    8  the pack is consistent, but no key says who signed it\n  \
    1, 2, 5, 6  nothing was verified: a file does not read, the command line is wrong, there\n     \
        is nothing there, a server runs on the folder"
)]
pub struct Verify {
    /// The pack, as `lionrock reports` or the console gave it.
    #[arg(value_name = "PACK.zip")]
    pub pack: Option<PathBuf>,
    /// The key of the log, or a file that holds it; from outside the pack
    #[arg(long, value_name = "KEY|FILE")]
    pub origin_key: Option<String>,
    /// An older signed checkpoint: the log must continue it
    #[arg(long, value_name = "CHECKPOINT")]
    pub since: Option<PathBuf>,
    /// The key of a witness, or a file that holds it; may be repeated
    #[arg(long, value_name = "KEY|FILE", conflicts_with = "store")]
    pub witness_key: Vec<String>,
    /// The data folder of a stopped installation, in place of a pack
    #[arg(long, value_name = "FOLDER")]
    pub store: Option<PathBuf>,
    /// The file that opens the seal of that installation [default: its passphrase is asked for]
    #[arg(long, value_name = "FILE", requires = "store")]
    pub seal_key_file: Option<PathBuf>,
    /// The anchor of that installation [default: `anchor` in the data folder]
    #[arg(long, value_name = "FILE", requires = "store")]
    pub anchor: Option<PathBuf>,
}

/// How to witness.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
A witness remembers the newest checkpoint of each log that it knows and cosigns a newer one\n\
only if it is proven to continue it (C2SP tlog-witness). Run it where the institution's\n\
administrators cannot reach it: on the auditor's machine. It has a root and a key of its own\n\
in its data folder.\n\
\n\
The first start prints the witness's verifier key, which also lies in the file `verifier-key`\n\
of the data folder: give it to whoever verifies packs (`lionrock verify --witness-key`). The\n\
name is part of the key and never changes. The address speaks plain HTTP; let a proxy end TLS\n\
before it when it is not on loopback. Checkpoints are public and signed: what TLS would add is\n\
who answers.\n\
\n\
Example:\n  \
    head -c 32 /dev/urandom > seal && chmod 600 seal\n  \
    lionrock witness --listen 127.0.0.1:8444 --origin-key origin.key --data witness-data \\\n    \
        --seal-key-file seal --name auditor.bank.example/w1\n\
\n\
Ctrl-C or SIGTERM ends it; what it has seen is on the disk before a cosignature leaves.")]
pub struct Witness {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// The key of a log to witness, or a file that holds it; may be repeated
    #[arg(long, value_name = "KEY|FILE", required = true)]
    pub origin_key: Vec<String>,
    /// The data folder of the witness; made with mode 0700 if there is none
    #[arg(long, value_name = "FOLDER")]
    pub data: PathBuf,
    /// The file that opens the seal of the witness's root: 32 bytes or more, mode 0600
    #[arg(long, value_name = "FILE")]
    pub seal_key_file: PathBuf,
    /// The name of the witness's key, such as `auditor.bank.example/w1`
    #[arg(long, value_name = "NAME")]
    pub name: String,
}

/// What to look at.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Looks at the machine and, if there is one, at the data folder; changes nothing but for a small\n\
file that it writes and removes to measure the disk. Each line is `good`, `weak` (works, with\n\
the stated loss), `bad` (the server would refuse or lose something) or `unknown`.\n\
\n\
Examples:\n  \
    lionrock doctor --data /var/lib/lionrock\n  \
    lionrock doctor --json\n\
\n\
Exit codes:\n  \
    0  nothing is bad\n  \
    1  something is bad")]
pub struct Doctor {
    /// The data folder, or where it will be
    #[arg(long, value_name = "FOLDER", default_value = "lionrock-data")]
    pub data: PathBuf,
}

/// A stopped server's data folder and its seal.
#[derive(Debug, Clone, Args)]
pub struct AtRest {
    /// The configuration file (TOML) of the server
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data folder, in place of the configured one
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// The file that opens the seal, in place of the configured one [default: its passphrase is
    /// asked for]
    #[arg(long, value_name = "FILE")]
    pub seal_key_file: Option<PathBuf>,
}

/// Whom to let in when the last administrator is lost.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
For the day on which nobody is left who could invite people or give roles. It works on the data\n\
folder of a stopped server and needs its seal: whoever can run it could read everything anyway.\n\
Both proofs of the person are void, sessions end, and a one-time link (15 minutes, mode 0600) lets\n\
the person set new ones once the server runs again. What the person approves counts after 24 hours.\n\
\n\
It is loud: the boot journal and the log record it with the names of the custodians and the reason,\n\
and every page of the console says so for 30 days. With `two-custodians = true` under `[seal]` two\n\
people must name themselves, and a passphrase is asked of them in two parts.\n\
\n\
Examples:\n  \
    lionrock break-glass --config /etc/lionrock.toml --person administrator \\\n    \
        --role identity-administrator --custodian \"Custodian A\" --reason \"both have left\"\n  \
    lionrock break-glass --config /etc/lionrock.toml --person successor --new \"The successor\" \\\n    \
        --role policy-administrator --custodian \"Custodian A\" --reason \"both have left\"\n\
\n\
Exit codes:\n  \
    0  the link is in the file that was named\n  \
    2  the command line is wrong, or a second custodian is wanted\n  \
    5  there is no installation or no such person\n  \
    6  a server runs on the folder, or duties forbid it\n  \
    1  the seal does not open, or something else failed")]
pub struct BreakGlass {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub at: AtRest,
    /// The sign-in name of the person
    #[arg(long, value_name = "NAME")]
    pub person: String,
    /// The name on screen of somebody who has no account yet
    #[arg(long, value_name = "NAME")]
    pub new: Option<String>,
    /// The role
    #[arg(long, value_parser = ["identity-administrator", "policy-administrator"])]
    pub role: String,
    /// Who holds the seal; twice where two must come
    #[arg(long = "custodian", value_name = "NAME", required = true)]
    pub custodians: Vec<String>,
    /// Why: stands in the log
    #[arg(long)]
    pub reason: String,
}

/// Which rollback to accept, on whose word, and why.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
When the newest database is lost and an older one was put in place, every start is refused: the\n\
anchor knows a newer log. Restore the newer database if there is any way. If there is none, two\n\
people accept the rollback by its name, the size of the log that the refusal tells. The log then\n\
goes on under a new origin (`…/r2`), and its first event states the gap, the reason and who accepted\n\
it; whoever kept a checkpoint of the lost part can show what is missing.\n\
\n\
What was revoked, locked or suspended after the older database was made is in force as it was then:\n\
go through the gap before the server runs again.\n\
\n\
Example:\n  \
    lionrock accept-rollback --config /etc/lionrock.toml --known-size 18204 \\\n    \
        --accepted-by \"Head of technology risk\" --accepted-by \"Crypto officer A\" \\\n    \
        --reason \"disk lost, newest copy of 3 a.m.\"\n\
\n\
Exit codes:\n  \
    0  accepted: the server starts\n  \
    2  the command line is wrong\n  \
    5  there is no installation\n  \
    6  a server runs on the folder, or this is not the rollback that the anchor shows\n  \
    1  the seal does not open, or something else failed")]
pub struct AcceptRollback {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub at: AtRest,
    /// The size of the newest log that is known: the refusal of the start tells it
    #[arg(long, value_name = "EVENTS")]
    pub known_size: u64,
    /// Its root, as a checkpoint that was kept prints it; only when the anchor is lost as well
    #[arg(long, value_name = "HASH")]
    pub known_root: Option<String>,
    /// Who accepts it; two people
    #[arg(long = "accepted-by", value_name = "NAME", required = true)]
    pub accepted_by: Vec<String>,
    /// Why: stands in the log
    #[arg(long)]
    pub reason: String,
}
