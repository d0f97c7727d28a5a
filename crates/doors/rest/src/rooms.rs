//! The handles of the rooms that this door opens, once the installation is unsealed.

use kernel::{Clock, Gate};
use std::fmt;
use std::sync::Arc;

/// What the handlers work with; the binary wires it after unsealing.
pub struct Rooms {
    /// Decides.
    pub gate: Arc<Gate>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rooms")
    }
}
