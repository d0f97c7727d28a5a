//! Workers as real processes, sources over real folders.

#[cfg(test)]
mod workers;
