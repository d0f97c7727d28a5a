//! Keys told to the inventory: what exists, in which state, so that the key control map and the
//! checks read live state.

use inventory::{
    AssetFact, AssetKind, AssetRef, Attributes, Inventory, InventoryError, KnownBy, Publication,
    RelationFact, RelationKind, Scalar,
};
use kernel::{KeyId, Label, LabelError, Scope};
use keys::{KeyFact, Keys, KeysError};
use std::collections::BTreeMap;

/// Why keys were not told.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The inventory does not take it.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// An attribute is none.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// Too many attributes.
    #[error(transparent)]
    Attributes(#[from] inventory::AttributeError),
}

/// The name of a key in the inventory: its identifier.
///
/// # Errors
/// Never; an identifier is a name.
pub fn reference(key: KeyId) -> Result<AssetRef, LabelError> {
    Ok(AssetRef::new(AssetKind::Key, key.to_string().parse()?))
}

/// Keys told in one commit: well within what the inventory takes at once.
const KEYS_AT_ONCE: usize = 2_000;

/// Tells every key with its state, and which data each protects, as the one who protected it knows.
/// What is known already is not written again.
///
/// # Errors
/// When keys cannot be read or the inventory does not take them.
pub async fn publish_keys(
    inventory: &Inventory,
    keys: &Keys,
    protects: &[(KeyId, AssetRef)],
) -> Result<(), PublishError> {
    let empty = Publication::new("keys".parse()?, KnownBy::Observed);
    for some in keys.key_facts(&Scope::All)?.chunks(KEYS_AT_ONCE) {
        let mut publication = empty.clone();
        publication.assets = some.iter().map(asset).collect::<Result<_, _>>()?;
        inventory.publish(&publication).await?;
    }
    let mut publication = empty;
    for (key, data) in protects {
        publication.relations.push(RelationFact {
            from: reference(*key)?,
            kind: RelationKind::Protects,
            to: data.clone(),
            attributes: Attributes::default(),
        });
    }
    if !publication.is_empty() {
        inventory.publish(&publication).await?;
    }
    Ok(())
}

fn asset(fact: &KeyFact) -> Result<AssetFact, PublishError> {
    let mut attributes: BTreeMap<Label, Scalar> = BTreeMap::new();
    let mut tell = |name: &str, value: &str| {
        let label = Label::try_from(name.to_owned())?;
        attributes.insert(label, Scalar::Text(value.to_owned()));
        Ok::<(), LabelError>(())
    };
    for (name, value) in fact.labels.iter() {
        tell(name, value)?;
    }
    tell("custody", "own")?;
    tell("state", fact.state.word())?;
    tell("root-kind", fact.root.word())?;
    tell("algorithm", fact.algorithm.name.name())?;
    Ok(AssetFact {
        reference: reference(fact.key)?,
        name: fact.name.clone(),
        domain: fact.domain,
        attributes: Attributes::try_from(attributes)?,
    })
}
