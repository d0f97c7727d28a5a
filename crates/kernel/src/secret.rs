//! A value that must not be seen: passwords, tokens, one-time codes on their way in or out.
//!
//! Key bytes are stricter still and never leave the strongroom; this type is for what a person or a
//! program hands us at a door.

use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Holds a secret until it is used; wiped when dropped.
///
/// It has no `Clone`, no comparison, no serialisation, and prints as `[secret]`.
/// ```
/// use kernel::Secret;
/// let secret = Secret::new(String::from("tram kettle violet"));
/// assert_eq!(format!("{secret:?}"), "[secret]");
/// assert_eq!(secret.expose().len(), 18);
/// ```
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes the secret in.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The one way to look: the name makes each place where it happens easy to find.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::new(String::from("hunter2"));
        assert_eq!(format!("{secret:?}"), "[secret]");
        assert_eq!(secret.expose(), "hunter2");
    }
}
