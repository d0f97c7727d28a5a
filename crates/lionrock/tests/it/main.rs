//! The server from outside: real sockets, real TLS, real files.

mod authorization;
mod listening;
mod whole;
