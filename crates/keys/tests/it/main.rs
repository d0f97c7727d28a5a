//! The keys on a real store, a real strongroom and a real gate.

#[cfg(test)]
mod approving;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod destroying;
#[cfg(test)]
mod files;
#[cfg(test)]
mod life;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod model;
#[cfg(test)]
mod switching;
#[cfg(test)]
mod using;
