//! Keys of our own: made, used, rotated, suspended and destroyed.
mod ciphertext;
pub mod envelope;
mod reason;
mod schedule;
mod state;
mod waiting;
pub use ciphertext::{CIPHERTEXT_BYTES_MAX, Ciphertext, CiphertextError};
pub use reason::{Reason, ReasonError};
pub use schedule::{RotationPeriod, RotationPeriodError};
pub use state::{
    Activation, Before, Dates, Leave, NotAllowed, NotUsable, Purpose, State, StateName, Transition,
};
pub use waiting::{DIVERGENCE_MICROS_MAX, Served, ServedClock, StillWaiting, WaitingPeriod};
