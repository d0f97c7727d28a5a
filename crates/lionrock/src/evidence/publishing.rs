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

/// Tells every key with its state, and which data each protects, as the one who protected it knows.
///
/// # Errors
/// When keys cannot be read or the inventory does not take them.
pub async fn publish_keys(
    inventory: &Inventory,
    keys: &Keys,
    protects: &[(KeyId, AssetRef)],
) -> Result<(), PublishError> {
    let mut publication = Publication::new("keys".parse()?, KnownBy::Observed);
    for fact in keys.key_facts(&Scope::All)? {
        publication.assets.push(asset(&fact)?);
    }
    for (key, data) in protects {
        publication.relations.push(RelationFact {
            from: reference(*key)?,
            kind: RelationKind::Protects,
            to: data.clone(),
            attributes: Attributes::default(),
        });
    }
    inventory.publish(&publication).await?;
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
