//! What stands in the way of reading something, in words without any of its content.

use crate::TroubleKind;
use std::io;

/// Why a part could not be read, or not to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct Obstacle {
    pub(crate) kind: TroubleKind,
    pub(crate) detail: &'static str,
}

impl Obstacle {
    pub(crate) const fn corrupt(detail: &'static str) -> Self {
        Self { kind: TroubleKind::Corrupt, detail }
    }

    pub(crate) const fn protected(detail: &'static str) -> Self {
        Self { kind: TroubleKind::Protected, detail }
    }

    pub(crate) const fn too_large(detail: &'static str) -> Self {
        Self { kind: TroubleKind::TooLarge, detail }
    }

    pub(crate) const fn too_many(detail: &'static str) -> Self {
        Self { kind: TroubleKind::TooMany, detail }
    }

    pub(crate) const fn unsupported(detail: &'static str) -> Self {
        Self { kind: TroubleKind::Unsupported, detail }
    }

    /// The obstacle as an error of reading, for readers within readers.
    pub(crate) fn into_io(self) -> io::Error {
        io::Error::other(self)
    }
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(current) = cause {
            if let Some(inner) = current.downcast_ref::<Self>() {
                return *inner;
            }
            cause = match current.downcast_ref::<io::Error>() {
                Some(wrapped) => wrapped.get_ref().map(|e| e as &(dyn std::error::Error + 'static)),
                None => current.source(),
            };
        }
        Self::corrupt("the data is damaged or ends too early")
    }
}
