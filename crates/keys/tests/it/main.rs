//! The keys on a real store, a real strongroom and a real gate.

mod bench;
mod destroying;
mod files;
mod life;
mod listing;
mod switching;
mod using;
