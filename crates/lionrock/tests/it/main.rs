//! The server from outside: real sockets, real TLS, real files.

mod listening;
mod whole;
