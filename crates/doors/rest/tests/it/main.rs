//! The REST door from outside: what it refuses, what it documents.

#[cfg(test)]
mod doors;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod sealed;
