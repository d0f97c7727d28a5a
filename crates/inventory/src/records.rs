//! Assets and relations as the store keeps them: one record each, with its whole history.

use crate::{Asset, AssetRef, Relation, RelationKey, RelationKind};
use kernel::{AssetId, DomainId};
use std::borrow::Cow;
use store::{Collection, FixedKey, IndexTerm, RecordKey};

/// Every asset that ever was.
pub(crate) enum Assets {}

impl Collection for Assets {
    const NAME: &'static str = "assets";
    type Key = AssetId;
    type Value = Asset;

    fn domain(asset: &Asset) -> DomainId {
        asset.domain
    }

    fn indexes(asset: &Asset) -> Vec<IndexTerm> {
        vec![reference_term(&asset.reference)]
    }

    fn sort_name(asset: &Asset) -> Option<Cow<'_, str>> {
        asset.history.current().map(|span| Cow::Borrowed(span.value.name.as_str()))
    }
}

/// Two assets never share a reference, whichever source tells them.
fn reference_term(reference: &AssetRef) -> IndexTerm {
    IndexTerm::new("reference", reference.to_string()).unique()
}

/// Every relation that ever was.
pub(crate) enum Relations {}

impl Collection for Relations {
    const NAME: &'static str = "asset-relations";
    type Key = RelationKey;
    type Value = Relation;
}

impl RecordKey for RelationKey {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.from.to_bytes().to_vec();
        bytes.push(code(self.kind));
        bytes.extend_from_slice(&self.to.to_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (from, rest) = bytes.split_first_chunk::<16>()?;
        let (kind, to) = rest.split_first()?;
        let kind = RelationKind::ALL.iter().copied().find(|one| code(*one) == *kind)?;
        let to = AssetId::from_bytes(to.try_into().ok()?);
        Some(Self { from: AssetId::from_bytes(*from), kind, to })
    }
}

impl FixedKey for RelationKey {
    const WIDTH: usize = 33;
}

/// Stored for ever: a number is never given to another kind.
const fn code(kind: RelationKind) -> u8 {
    match kind {
        RelationKind::Protects => 1,
        RelationKind::StoredIn => 2,
        RelationKind::OperatedBy => 3,
        RelationKind::Reads => 4,
        RelationKind::DependsOn => 5,
        RelationKind::SuppliedBy => 6,
        RelationKind::CopyOf => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_relation_reads_back_and_a_stranger_is_refused() {
        for kind in RelationKind::ALL {
            let (from, to) = (AssetId::from_bytes([1; 16]), AssetId::from_bytes([2; 16]));
            let key = RelationKey { from, kind: *kind, to };
            let bytes = RecordKey::to_bytes(&key);
            assert_eq!(bytes.len(), RelationKey::WIDTH);
            assert_eq!(<RelationKey as RecordKey>::from_bytes(&bytes), Some(key));
        }
        for bad in [vec![], vec![0; 33], vec![1; 32], vec![1; 34]] {
            assert_eq!(<RelationKey as RecordKey>::from_bytes(&bad), None);
        }
    }
}
