//! The targets over what is committed.

#[cfg(test)]
mod replay;
