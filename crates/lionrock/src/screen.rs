//! The one place that writes to standard output and standard error.

use std::io::{self, Write};

/// Writes a line for the reader; a reader that has gone is not our trouble.
pub fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Writes bytes as they are.
pub fn bytes(bytes: &[u8]) {
    let _ = io::stdout().lock().write_all(bytes);
}

/// Writes a line beside the result: progress, questions, reasons of failure.
pub fn aside(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes an error with its causes, one a line.
pub fn failure(error: &dyn std::error::Error) {
    aside(&format!("error: {error}"));
    let mut cause = error.source();
    while let Some(error) = cause {
        aside(&format!("  because: {error}"));
        cause = error.source();
    }
}

/// Asks for a secret on the terminal without showing it.
///
/// # Errors
/// When there is no terminal to ask on.
pub fn ask_secret(question: &str) -> io::Result<kernel::Secret<String>> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use std::io::BufRead;
    let terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let before = tcgetattr(&terminal)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    // Quiet first: what is typed the moment the question appears is neither shown nor lost.
    tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
    (&terminal).write_all(question.as_bytes())?;
    let mut answer = String::new();
    let read = io::BufReader::with_capacity(1_024, &terminal).read_line(&mut answer);
    tcsetattr(&terminal, OptionalActions::Flush, &before)?;
    (&terminal).write_all(b"\n")?;
    read?;
    let length = answer.trim_end_matches(['\r', '\n']).len();
    answer.truncate(length);
    Ok(kernel::Secret::new(answer))
}
