//! lionrock
pub mod authority;
pub mod clock;
pub mod folder;
pub mod listener;
pub mod tls;
