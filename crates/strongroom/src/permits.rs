//! Which actions allow which operation, as sealed traits, and the check that a permit is for this
//! key.

use crate::key_error::KeyError;
use crate::slot::KeySlot;
use kernel::{Action, ActionType, Clock, KeyId, Permit, ResourceKind, actions};

mod sealed {
    pub trait Sealed {}
}

macro_rules! markers {
    ($($(#[$doc:meta])* $marker:ident: $($action:ident),+;)*) => {$(
        $(#[$doc])*
        pub trait $marker: ActionType + sealed::Sealed {}
        $(impl $marker for actions::$action {})+
    )*};
}

impl sealed::Sealed for actions::KeyCreate {}
impl sealed::Sealed for actions::KeyRotate {}
impl sealed::Sealed for actions::KeyEncrypt {}
impl sealed::Sealed for actions::KeyDecrypt {}
impl sealed::Sealed for actions::KeyReencrypt {}
impl sealed::Sealed for actions::KeyDataKey {}
impl sealed::Sealed for actions::KeySign {}
impl sealed::Sealed for actions::KeyVerify {}
impl sealed::Sealed for actions::KeyMac {}
impl sealed::Sealed for actions::KeyMacVerify {}
impl sealed::Sealed for actions::KeyAgree {}
impl sealed::Sealed for actions::KeyExport {}

markers! {
    /// May make a version of a key.
    MayGenerate: KeyCreate, KeyRotate;
    /// May encrypt; the plaintext is the caller's or never shown.
    MayEncrypt: KeyEncrypt;
    /// May decrypt and see the plaintext.
    MayDecrypt: KeyDecrypt;
    /// May decrypt and encrypt in one step, without seeing the plaintext.
    MayReencrypt: KeyReencrypt;
    /// May make a data key.
    MayMakeDataKey: KeyDataKey;
    /// May sign.
    MaySign: KeySign;
    /// May verify a signature.
    MayVerify: KeyVerify;
    /// May compute a message authentication code.
    MayMac: KeyMac;
    /// May verify a message authentication code.
    MayMacVerify: KeyMacVerify;
    /// May agree on a secret, encapsulate or decapsulate one.
    MayAgree: KeyAgree;
    /// May export a key.
    MayExport: KeyExport;
}

/// Whether the permit is for this key, in this key domain, and still live.
pub(crate) fn check<A: ActionType>(
    permit: &Permit<A>,
    slot: &KeySlot,
    clock: &dyn Clock,
) -> Result<(), KeyError> {
    let resource = permit.resource();
    let names_it = permit.resource_id::<KeyId>() == Some(slot.key);
    // A key that does not exist yet has no resource of its own.
    let makes_it = A::ACTION == Action::KeyCreate && resource.id == "*";
    let fits = resource.kind == ResourceKind::Key
        && resource.domain == slot.domain
        && (names_it || makes_it);
    if !fits {
        return Err(KeyError::WrongPermit);
    }
    if permit.is_live(clock) { Ok(()) } else { Err(KeyError::PermitExpired) }
}
