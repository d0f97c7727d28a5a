//! lionrock
fn main() {}
