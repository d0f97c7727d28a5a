//! What the root file says: a JSON object `{"root": …, "mac": …}`.
//!
//! `mac` is HMAC-SHA-256 over the exact bytes of `root` under a key derived from the barrier key,
//! so the whole is authenticated right after unsealing; before that only the seal's descriptor is
//! read. Nothing in it is of use without the seal: every key in it is wrapped.

use crate::bytes::Bytes;
use crate::derive::{Label, derive_mac};
use crate::seal::SealDescriptor;
use aws_lc_rs::hmac;
use kernel::{DomainId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The version of the format written here.
pub(crate) const ROOT_FORMAT: u32 = 1;

/// The number of a shred key; never used twice in one root.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShredId(pub u64);

/// What a shred key protects; its survivors are looked for there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShredFamily {
    /// Versions of keys.
    Keys,
    /// Personal-data keys.
    Personal,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShredEntry {
    pub(crate) domain: DomainId,
    pub(crate) family: ShredFamily,
    /// The shred key, wrapped under the domain's key-encryption key.
    pub(crate) key: Bytes,
    /// The shred key to which survivors move while this one is being deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moving_to: Option<ShredId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Root {
    pub(crate) format: u32,
    /// Counts replacements; a restored older root is told by it.
    pub(crate) revision: u64,
    pub(crate) created: Timestamp,
    pub(crate) seal: SealDescriptor,
    /// The barrier key, wrapped under the seal's key.
    pub(crate) barrier: Bytes,
    /// Key-encryption keys, wrapped under the barrier.
    pub(crate) domains: BTreeMap<DomainId, Bytes>,
    pub(crate) shred_next: u64,
    pub(crate) shred_keys: BTreeMap<ShredId, ShredEntry>,
    pub(crate) log_signer: Bytes,
    pub(crate) tls: BTreeMap<String, Bytes>,
    /// Hash of the last entry of the boot journal that the log has taken over.
    pub(crate) journal_head: Option<Bytes>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    root: Box<RawValue>,
    mac: Bytes,
}

/// The bytes are not a root file of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotARoot;

/// A root file that was read and is not yet believed.
pub(crate) struct UnverifiedRoot {
    signed: Signed,
    root: Root,
}

impl UnverifiedRoot {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, NotARoot> {
        let signed: Signed = serde_json::from_slice(bytes).map_err(|_| NotARoot)?;
        let root: Root = serde_json::from_str(signed.root.get()).map_err(|_| NotARoot)?;
        if root.format == ROOT_FORMAT { Ok(Self { signed, root }) } else { Err(NotARoot) }
    }

    /// What may be read before the MAC is checked.
    pub(crate) const fn claims(&self) -> &Root {
        &self.root
    }

    /// The root, once its MAC holds under the barrier key.
    pub(crate) fn verify(self, barrier: &[u8]) -> Result<Root, NotARoot> {
        let key = mac_key(barrier);
        hmac::verify(&key, self.signed.root.get().as_bytes(), &self.signed.mac)
            .map_err(|_| NotARoot)?;
        Ok(self.root)
    }
}

impl Root {
    /// The bytes of the file.
    pub(crate) fn to_bytes(&self, barrier: &[u8]) -> Result<Vec<u8>, NotARoot> {
        let root = serde_json::value::to_raw_value(self).map_err(|_| NotARoot)?;
        let mac = hmac::sign(&mac_key(barrier), root.get().as_bytes());
        let signed = Signed { root, mac: Bytes::from(mac.as_ref().to_vec()) };
        let mut bytes = serde_json::to_vec(&signed).map_err(|_| NotARoot)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

fn mac_key(barrier: &[u8]) -> hmac::Key {
    derive_mac(Label::RootMac, barrier, &[])
}

/// What the wrapped barrier key is bound to.
pub(crate) fn barrier_aad(seal: &SealDescriptor) -> Result<Vec<u8>, NotARoot> {
    serde_json::to_vec(&(ROOT_FORMAT, seal)).map_err(|_| NotARoot)
}
