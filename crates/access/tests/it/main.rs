//! Behaviour of the access room, in one binary.

#[cfg(test)]
mod permissions;
#[cfg(test)]
mod policies;
