//! Typed collections: what a slice says about its records.

use kernel::{
    ApprovalId, AssetId, DomainId, FindingId, GroupId, KeyId, PersonId, ReportId, RequestId, RunId,
    ScanId, ServiceId, SessionId, SourceId, TokenId, VersionNo,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// A kind of record that one slice owns.
///
/// The value is stored as sealed JSON: fields may be added with `#[serde(default)]`, never retyped.
///
/// ```
/// use store::{Collection, IndexTerm};
/// use std::borrow::Cow;
/// use kernel::{DomainId, KeyId, Name};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Key { domain: DomainId, name: Name }
///
/// enum Keys {}
/// impl Collection for Keys {
///     const NAME: &'static str = "keys";
///     type Key = KeyId;
///     type Value = Key;
///     fn domain(key: &Key) -> DomainId { key.domain }
///     fn indexes(key: &Key) -> Vec<IndexTerm> {
///         vec![IndexTerm::new("name", key.name.as_str()).within(key.domain).unique()]
///     }
///     fn sort_name(key: &Key) -> Option<Cow<'_, str>> { Some(key.name.as_str().into()) }
/// }
/// ```
pub trait Collection: 'static {
    /// The name of the collection, unique in the program; it is bound into each seal.
    const NAME: &'static str;
    /// The key of a record.
    type Key: RecordKey;
    /// The value of a record.
    type Value: Serialize + DeserializeOwned;

    /// The key domain that the record belongs to; lists are filtered by it.
    fn domain(value: &Self::Value) -> DomainId {
        let _ = value;
        DomainId::SYSTEM
    }

    /// The terms by which [`crate::Store::find`] finds the record.
    fn indexes(value: &Self::Value) -> Vec<IndexTerm> {
        let _ = value;
        Vec::new()
    }

    /// The name by which [`crate::Store::page`] sorts it, case aside; `None` leaves it out of
    /// pages.
    fn sort_name(value: &Self::Value) -> Option<Cow<'_, str>> {
        let _ = value;
        None
    }
}

/// A record as it was read.
pub struct Record<C: Collection> {
    /// Its key.
    pub key: C::Key,
    /// Its version: a number that no other write ever has. For [`crate::Expect::Version`].
    pub version: u64,
    /// Its value.
    pub value: C::Value,
}

impl<C: Collection> std::fmt::Debug for Record<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(C::NAME).field("version", &self.version).finish_non_exhaustive()
    }
}

/// One term of an equality index: the name of the index, a value, and whether it is unique.
///
/// The database sees a keyed hash of it, so it can tell equal values of one index from different
/// ones and nothing else; with [`IndexTerm::within`], only inside one key domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexTerm {
    pub(crate) index: &'static str,
    pub(crate) domain: Option<DomainId>,
    pub(crate) value: Vec<u8>,
    pub(crate) unique: bool,
}

impl IndexTerm {
    /// The value in this index, over the whole installation.
    #[must_use]
    pub fn new(index: &'static str, value: impl AsRef<[u8]>) -> Self {
        Self { index, domain: None, value: value.as_ref().to_vec(), unique: false }
    }

    /// The same value inside one key domain: other domains do not meet it.
    #[must_use]
    pub const fn within(mut self, domain: DomainId) -> Self {
        self.domain = Some(domain);
        self
    }

    /// No two records may have it: a commit that would make it so fails with
    /// [`crate::StoreError::NotUnique`].
    #[must_use]
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// What is hashed: the domain (or none) and the value, told apart by the first byte.
    pub(crate) fn hashed_value(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(17 + self.value.len());
        match self.domain {
            None => bytes.push(0),
            Some(domain) => {
                bytes.push(1);
                bytes.extend_from_slice(&domain.to_bytes());
            }
        }
        bytes.extend_from_slice(&self.value);
        bytes
    }
}

/// A key of a record: bytes whose order is the order of [`crate::Store::scan`].
pub trait RecordKey: Clone {
    /// The bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// The key of these bytes; `None` if no key has them.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// A key whose bytes are always as many, so that another can follow it in a pair.
pub trait FixedKey: RecordKey {
    /// How many bytes.
    const WIDTH: usize;
}

macro_rules! id_keys {
    ($($id:ty),*) => {$(
        impl RecordKey for $id {
            fn to_bytes(&self) -> Vec<u8> {
                (*self).to_bytes().to_vec()
            }
            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(<$id>::from_bytes)
            }
        }
        impl FixedKey for $id {
            const WIDTH: usize = 16;
        }
    )*};
}

id_keys!(
    ApprovalId, AssetId, DomainId, FindingId, GroupId, KeyId, PersonId, ReportId, RequestId, RunId,
    ScanId, ServiceId, SessionId, SourceId, TokenId
);

macro_rules! number_keys {
    ($($number:ty),*) => {$(
        impl RecordKey for $number {
            fn to_bytes(&self) -> Vec<u8> {
                self.to_be_bytes().to_vec()
            }
            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(<$number>::from_be_bytes)
            }
        }
        impl FixedKey for $number {
            const WIDTH: usize = size_of::<$number>();
        }
    )*};
}

number_keys!(u8, u16, u32, u64, u128);

impl RecordKey for VersionNo {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        u32::from_bytes(bytes).map(Self)
    }
}

impl FixedKey for VersionNo {
    const WIDTH: usize = 4;
}

impl<const N: usize> RecordKey for [u8; N] {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

impl<const N: usize> FixedKey for [u8; N] {
    const WIDTH: usize = N;
}

impl RecordKey for String {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.to_vec()).ok()
    }
}

/// The key of a collection that has one record.
impl RecordKey for () {
    fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(())
    }
}

impl<A: FixedKey, B: RecordKey> RecordKey for (A, B) {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.to_bytes();
        bytes.extend_from_slice(&self.1.to_bytes());
        bytes
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (first, second) = bytes.split_at_checked(A::WIDTH)?;
        Some((A::from_bytes(first)?, B::from_bytes(second)?))
    }
}

impl<A: FixedKey, B: FixedKey> FixedKey for (A, B) {
    const WIDTH: usize = A::WIDTH + B::WIDTH;
}

/// Which keys a scan visits, in the order of their bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyRange {
    pub(crate) prefix: Vec<u8>,
    pub(crate) after: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The keys that begin with this one: with a pair `(A, B)` as the key, all of one `A`.
    #[must_use]
    pub fn prefix(first: &impl RecordKey) -> Self {
        Self { prefix: first.to_bytes(), after: None }
    }

    /// Only those behind this key, which is how the next scan goes on.
    #[must_use]
    pub fn after(mut self, key: &impl RecordKey) -> Self {
        self.after = Some(key.to_bytes());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_pairs_keep_their_order() {
        let pair = (KeyId::from_bytes([7; 16]), VersionNo(258));
        assert_eq!(<(KeyId, VersionNo)>::from_bytes(&pair.to_bytes()), Some(pair));
        let later = (KeyId::from_bytes([7; 16]), VersionNo(259));
        assert!(pair.to_bytes() < later.to_bytes());
        assert_eq!(String::from_bytes("密".as_bytes()), Some(String::from("密")));
        assert_eq!(<() as RecordKey>::from_bytes(&[]), Some(()));
    }

    #[test]
    fn bytes_that_no_key_has_are_refused() {
        assert_eq!(u64::from_bytes(&[1, 2]), None);
        assert_eq!(<(u64, u64)>::from_bytes(&[0; 15]), None);
        assert_eq!(<() as RecordKey>::from_bytes(&[0]), None);
        assert_eq!(String::from_bytes(&[0xff]), None);
    }

    #[test]
    fn the_same_value_in_two_domains_hashes_differently() {
        let plain = IndexTerm::new("name", "a");
        let here = IndexTerm::new("name", "a").within(DomainId::SYSTEM);
        assert_ne!(plain.hashed_value(), here.hashed_value());
    }
}
