//! Discovery over a real store, log and folder; objects come from memory or from a folder on disk.
//! Workers are real processes.

#[cfg(test)]
mod acting;
#[cfg(test)]
mod deciding;
mod editing;
#[cfg(test)]
mod folders;
#[cfg(test)]
mod house;
#[cfg(test)]
mod profiling;
mod scanning;
#[cfg(test)]
mod workers;
