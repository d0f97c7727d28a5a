//! lionrock
pub mod authority;
pub mod client;
pub mod clock;
pub mod config;
pub mod folder;
pub mod listener;
pub mod tls;
