//! Bytes that may leave: made from a permit that allows it, written once, wiped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::{ActionType, Permit, actions};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// A secret on its way out: a data key, a decrypted text, an exported key, an agreed secret.
///
/// It has no `Clone`, no comparison, no serialisation and prints as `[released]`; it is taken by
/// value when it is written, so it leaves once.
///
/// ```compile_fail,E0382
/// fn twice(key: strongroom::Released, out: &mut strongroom::ResponseBuffer) {
///     key.write_once(out);
///     key.write_once(out);
/// }
/// ```
///
/// ```compile_fail,E0599
/// fn copy(key: strongroom::Released) { let _ = key.clone(); }
/// ```
#[must_use = "bytes that were released and not written help nobody"]
pub struct Released(Zeroizing<Vec<u8>>);

impl fmt::Debug for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[released]")
    }
}

mod sealed {
    pub trait Releasing: kernel::ActionType {}
}

/// The actions under which bytes may leave.
pub trait MayRelease: sealed::Releasing {}

macro_rules! releasing {
    ($($action:ident),*) => {$(
        impl sealed::Releasing for actions::$action {}
        impl MayRelease for actions::$action {}
    )*};
}
releasing!(KeyDecrypt, KeyDataKey, KeyAgree, KeyExport);

impl Released {
    pub(crate) const fn under<A: MayRelease + ActionType>(
        _permit: &Permit<A>,
        bytes: Zeroizing<Vec<u8>>,
    ) -> Self {
        Self(bytes)
    }

    /// How many bytes leave.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the bytes into the response.
    pub fn write_once(self, out: &mut ResponseBuffer) {
        out.push(&self.0);
    }

    /// Writes the bytes as base64 (RFC 4648, section 4), for a string in JSON.
    pub fn write_base64_once(self, out: &mut ResponseBuffer) {
        let mut text = Zeroizing::new(vec![0; self.0.len().div_ceil(3) * 4]);
        let length = STANDARD.encode_slice(self.0.as_slice(), &mut text).unwrap_or_default();
        out.push(text.get(..length).unwrap_or_default());
    }

    /// Shows the bytes to one function and wipes them: for protocols that encode as they write.
    pub fn expose_once<R>(self, write: impl FnOnce(&[u8]) -> R) -> R {
        write(&self.0)
    }
}

/// The body of one response; wiped when dropped and whenever it grows.
#[derive(Default)]
pub struct ResponseBuffer(Vec<u8>);

impl fmt::Debug for ResponseBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[response]")
    }
}

impl ResponseBuffer {
    /// An empty buffer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Appends bytes. When there is no room, the old place is wiped after the move.
    pub fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.max(self.0.capacity().saturating_mul(2)));
            larger.extend_from_slice(&self.0);
            std::mem::swap(&mut self.0, &mut larger);
            larger.zeroize();
        }
        self.0.extend_from_slice(bytes);
    }

    /// How many bytes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl AsRef<[u8]> for ResponseBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for ResponseBuffer {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
