//! The binary's own room: configuration, wiring, the server, the verbs of the command line.
//!
//! **For:** reading what was said on the command line and in the configuration ([`cli`],
//! [`config`]); taking the data folder and opening the rooms in their order ([`installation`]); TLS
//! and sockets ([`tls`], [`listener`], [`authority`]); the machine's clock ([`clock`]); talking to
//! a server ([`client`]); acts on a stopped one ([`by_hand`]); exit codes and the one writer to the
//! terminal ([`exit`], [`screen`]).
//!
//! **Not for:** decisions, use cases, formats: each has its room, this one only joins them.
//!
//! **The way of a request:** `listener` ends TLS and hands HTTP to the doors' router; whatever the
//! doors need, [`installation`] opened for them. `lionrock serve` listens first and opens then, so
//! that a sealed server can be asked for its state and unsealed.
//!
//! **Invariants:** one gate for each process, made in [`installation`]; one owner for each task,
//! which awaits it; one process for each data folder; nothing private is logged.

pub mod authority;
pub mod by_hand;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod evidence;
pub mod exit;
pub mod folder;
pub mod installation;
pub mod listener;
pub mod screen;
pub mod serve;
pub mod tls;
pub mod verify;
pub mod witness;

use clap::Parser;
use cli::args::Work;
use cli::{Cli, Command};
use discover::work::Bounds;
use exit::Exit;
use std::process::ExitCode;

/// Does what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Work(work) = &cli.command {
        // Before anything starts a thread: the sandbox binds the one that enters it.
        return parse_for_a_server(work).into();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => {
            screen::failure(&cause);
            return Exit::Failed.into();
        }
    };
    let exit = match cli.command {
        Command::Serve(serve) => {
            log_to_stderr();
            runtime.block_on(serve::run(serve))
        }
        Command::Verify(verify) => verify::run(cli.json, &verify),
        Command::Witness(witness) => runtime.block_on(witness::run(&witness)),
        Command::BreakGlass(args) => runtime.block_on(by_hand::break_glass(cli.json, &args)),
        Command::AcceptRollback(args) => {
            runtime.block_on(by_hand::accept_rollback(cli.json, &args))
        }
        Command::Doctor(doctor) => doctor::run(cli.json, &doctor),
        Command::Demo(demo) => runtime.block_on(demo::run(demo, cli.json)),
        _ => runtime.block_on(cli::run(cli)),
    };
    exit.into()
}

/// What a server starts to have files parsed; its standard input is the socket to that server.
fn parse_for_a_server(work: &Work) -> Exit {
    let Work { memory_bytes, cpu_seconds } = *work;
    match discover::work::run(Bounds { memory_bytes, cpu_seconds }) {
        Ok(()) => Exit::Done,
        Err(error) => {
            screen::failure(&error);
            Exit::Failed
        }
    }
}

/// Logs lines to standard error; `RUST_LOG` says how much, `info` when it says nothing.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let logged = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
    if let Err(cause) = logged {
        screen::aside(&format!("the log does not start: {cause}"));
    }
}
