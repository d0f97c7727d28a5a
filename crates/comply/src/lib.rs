//! comply.
