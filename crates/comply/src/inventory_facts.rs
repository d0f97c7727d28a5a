//! What the inventory knows, as facts: assets, data sets with their key control, arrangements,
//! providers, certificates, cloud accounts.

use crate::fact::{AttributeType, Fact, Vocabulary};
use inventory::{
    AssetKind, AssetView, Break, KnownBy, Place, Regions, RelationKind, Scalar, Snapshot,
    key_control_map,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Kinds of asset that are facts of kind `asset`.
const ASSET_KINDS: [AssetKind; 6] = [
    AssetKind::Application,
    AssetKind::Service,
    AssetKind::DataStore,
    AssetKind::Host,
    AssetKind::Endpoint,
    AssetKind::CloudAccount,
];

/// Every fact that follows from the inventory as of one instant. What a register does not say is
/// empty or false; what it says badly is passed on, so that the check names it.
#[must_use]
pub fn inventory_facts(
    snapshot: &Snapshot,
    regions: &Regions,
    vocabulary: &Vocabulary,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    for asset in snapshot.assets() {
        if ASSET_KINDS.contains(&asset.kind()) {
            facts.push(asset_fact(snapshot, regions, vocabulary, asset));
        }
        let kind = match asset.kind() {
            AssetKind::CloudAccount => "cloud-account",
            AssetKind::Certificate => "certificate",
            AssetKind::Arrangement => "arrangement",
            _ => continue,
        };
        let mut fact = register_fact(vocabulary, kind, snapshot, asset);
        if let Some(provider) = provider_of(snapshot, asset) {
            fact.attributes.insert("provider".to_owned(), Value::from(provider));
        }
        facts.push(fact);
    }
    facts.extend(data_sets(snapshot, regions));
    facts.extend(providers(snapshot, &facts));
    facts
}

fn register_fact(
    vocabulary: &Vocabulary,
    kind: &str,
    snapshot: &Snapshot,
    asset: &AssetView,
) -> Fact {
    let mut fact = Fact::new(kind, asset.reference.to_string(), asset.known_by, snapshot.at());
    let Some(kind) = vocabulary.kind(kind) else { return fact };
    for (word, wanted) in &kind.attributes {
        let value = match word.as_str() {
            "name" => Value::from(asset.name.as_str()),
            _ => value_of(asset.attributes.get(&word.replace('_', "-")), *wanted),
        };
        fact.attributes.insert(word.clone(), value);
    }
    fact
}

fn value_of(scalar: Option<&Scalar>, wanted: AttributeType) -> Value {
    let Some(scalar) = scalar else { return wanted.empty() };
    match (wanted, scalar) {
        (AttributeType::List, Scalar::Text(text)) => {
            let items = text.split([',', ';']).map(str::trim).filter(|item| !item.is_empty());
            items.map(Value::from).collect()
        }
        (AttributeType::Text, other) => Value::from(other.to_string()),
        (_, Scalar::Boolean(value)) => Value::from(*value),
        (_, Scalar::Integer(value)) => Value::from(*value),
        (_, Scalar::Text(text)) => Value::from(text.as_str()),
    }
}

fn provider_of(snapshot: &Snapshot, asset: &AssetView) -> Option<String> {
    let told = asset.attributes.text("provider").map(str::to_owned);
    told.or_else(|| {
        let related = snapshot.from(asset.id, RelationKind::SuppliedBy).next();
        related.map(|provider| provider.name.as_str().to_owned())
    })
}

fn asset_fact(
    snapshot: &Snapshot,
    regions: &Regions,
    vocabulary: &Vocabulary,
    asset: &AssetView,
) -> Fact {
    let place = regions.place_of(&asset.attributes);
    let provider = asset.attributes.text("provider").unwrap_or_default();
    register_fact(vocabulary, "asset", snapshot, asset)
        .with("kind_of", asset.kind().word())
        .with("place", place.word())
        .with("place_known", place != Place::Unknown)
        .with("in_cloud", is_cloud(provider))
}

fn is_cloud(provider: &str) -> bool {
    !matches!(provider, "" | "on-premises")
}

fn data_sets(snapshot: &Snapshot, regions: &Regions) -> Vec<Fact> {
    let map = key_control_map(snapshot, regions);
    let fact = |row: inventory::MapRow| {
        let asset = snapshot.asset(row.id)?;
        let broken: Vec<Value> = row.breaks.iter().map(|b| serde_json::json!(b)).collect();
        let lost = |reason: Break| row.breaks.contains(&reason);
        let own_key = row.keys.iter().any(|key| key.custody == "own")
            && !lost(Break::KeyLost)
            && !lost(Break::ProviderKey);
        let residency = asset.attributes.text("residency").unwrap_or_default();
        let id = asset.reference.to_string();
        Some(
            Fact::new("data-set", id, row.known_by, snapshot.at())
                .with("name", row.name.as_str())
                .with("class", row.class.as_str())
                .with("sensitive", row.is_sensitive())
                .with("cloud", row.cloud.as_str())
                .with("in_cloud", is_cloud(&row.cloud))
                .with("place", row.place.word())
                .with("place_known", row.place != Place::Unknown)
                .with("residency", residency)
                .with("own_key", own_key)
                .with("protected", !row.keys.is_empty())
                .with("broken", broken)
                .with("backup", row.kind == AssetKind::Backup),
        )
    };
    map.rows.into_iter().filter_map(fact).collect()
}

fn providers(snapshot: &Snapshot, facts: &[Fact]) -> Vec<Fact> {
    let mut critical: BTreeMap<&str, (i64, KnownBy)> = BTreeMap::new();
    let mut total = 0i64;
    for fact in facts.iter().filter(|fact| fact.kind == "arrangement") {
        let provider = fact.attributes.get("provider").and_then(Value::as_str).unwrap_or_default();
        let counts = critical.entry(provider).or_insert((0, fact.known_by));
        counts.1 = counts.1.weaker(fact.known_by);
        if fact.attributes.get("critical") == Some(&Value::Bool(true)) {
            counts.0 += 1;
            total += 1;
        }
    }
    critical.remove("");
    critical
        .into_iter()
        .map(|(provider, (count, known_by))| {
            // Rounded up, so that a share just over the threshold does not hide.
            let share = (count * 100 + total - 1).checked_div(total).unwrap_or(0);
            Fact::new("provider", format!("provider:{provider}"), known_by, snapshot.at())
                .with("name", provider)
                .with("critical_arrangements", count)
                .with("share_percent", share)
        })
        .collect()
}
