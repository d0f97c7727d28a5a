//! lionrock
pub mod authority;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod evidence;
pub mod exit;
pub mod folder;
pub mod listener;
pub mod screen;
pub mod tls;
