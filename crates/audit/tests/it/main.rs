//! The log as its users see it: from append to offline verification.

#[cfg(test)]
mod anchor;
#[cfg(test)]
mod house;
#[cfg(test)]
mod log;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod over_a_store;
#[cfg(test)]
mod rehash;
#[cfg(test)]
mod witness;
