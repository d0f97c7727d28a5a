//! YAML and JSON documents as facts: read strictly, so that nothing is dropped in silence.

use super::{IMPORT_ROWS_MAX, Reading, Rejection, Row};
use crate::{AssetFact, AssetKind, AssetRef, Attributes, RelationFact, RelationKind, Scalar};
use kernel::{DomainId, Label, Name};
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

/// Most values in one document, so that aliases of YAML cannot make a small file large.
const NODES_MAX: usize = 500_000;

/// A value with its keys in order and none swallowed.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Null,
    Boolean(bool),
    Integer(i64),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
    Other(&'static str),
}

impl Node {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "yes or no",
            Self::Integer(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Other(kind) => kind,
        }
    }
}

#[derive(Clone, Copy)]
struct Budget<'b>(&'b Cell<usize>);

impl<'de> DeserializeSeed<'de> for Budget<'_> {
    type Value = Node;
    fn deserialize<D: de::Deserializer<'de>>(self, d: D) -> Result<Node, D::Error> {
        let left = self.0.get().checked_sub(1);
        self.0.set(left.ok_or_else(|| de::Error::custom("more than 500,000 values"))?);
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Budget<'_> {
    type Value = Node;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, a map, text, a whole number, yes or no")
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Boolean(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or(Node::Other("a number too large"), Node::Integer))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other("a number with a fraction"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            entries.push((key, map.next_value_seed(self)?));
        }
        Ok(Node::Map(entries))
    }
}

pub(super) fn read_json(text: &str, domain: DomainId) -> Result<Reading, Rejection> {
    let budget = Cell::new(NODES_MAX);
    let mut reader = serde_json::Deserializer::from_str(text);
    let node = Budget(&budget).deserialize(&mut reader);
    let node = node.and_then(|node| reader.end().map(|()| node));
    read_node(node.map_err(|e| Rejection::document(e.to_string()))?, domain)
}

pub(super) fn read_yaml(text: &str, domain: DomainId) -> Result<Reading, Rejection> {
    let budget = Cell::new(NODES_MAX);
    let node = Budget(&budget).deserialize(serde_yaml_ng::Deserializer::from_str(text));
    read_node(node.map_err(|e| Rejection::document(e.to_string()))?, domain)
}

fn read_node(node: Node, domain: DomainId) -> Result<Reading, Rejection> {
    let Node::Map(entries) = node else {
        return Err(Rejection::document("expected a map with `assets` and `relations`"));
    };
    let mut reading = Reading::default();
    let mut seen = Vec::new();
    for (key, value) in entries {
        if seen.contains(&key) {
            return Err(Rejection::new("document", &key, "stands twice"));
        }
        let items = match (key.as_str(), value) {
            ("assets" | "relations", Node::List(items)) => items,
            ("assets" | "relations", other) => {
                let reason = format!("expected a list, found {}", other.kind());
                return Err(Rejection::new("document", &key, reason));
            }
            _ => return Err(Rejection::new("document", &key, "use `assets` and `relations`")),
        };
        if items.len() > IMPORT_ROWS_MAX {
            return Err(Rejection::document(format!("more than {IMPORT_ROWS_MAX} rows")));
        }
        for (i, item) in items.into_iter().enumerate() {
            let at = format!("{key}/{i}");
            let allowed: &[&str] = if key == "assets" {
                &["kind", "reference", "name"]
            } else {
                &["from", "relation", "to"]
            };
            let row = fields_of(&at, item, allowed).and_then(|fields| {
                if key == "assets" {
                    let fact = asset_of(&at, fields, domain)?;
                    reading.assets.push(Row { at: at.clone(), fact });
                } else {
                    let fact = relation_of(&at, fields)?;
                    reading.relations.push(Row { at: at.clone(), fact });
                }
                Ok(())
            });
            if let Err(rejection) = row {
                reading.rejected.push(rejection);
            }
        }
        seen.push(key);
    }
    Ok(reading)
}

/// The parts of one row, of whatever format.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) named: BTreeMap<String, String>,
    pub(super) attributes: Vec<(String, Scalar)>,
}

fn fields_of(at: &str, item: Node, allowed: &[&str]) -> Result<Fields, Rejection> {
    let Node::Map(entries) = item else {
        return Err(Rejection::new(at, "", format!("expected a map, found {}", item.kind())));
    };
    let mut fields = Fields::default();
    let mut has_attributes = false;
    for (key, value) in entries {
        if key == "attributes" && !has_attributes {
            has_attributes = true;
            fields.attributes = attributes_of(at, value)?;
            continue;
        }
        if !allowed.contains(&key.as_str()) && key != "attributes" {
            let known = allowed.join("`, `");
            let reason = format!("not a field here; use `{known}` and `attributes`");
            return Err(Rejection::new(at, &key, reason));
        }
        let text = match value {
            Node::Text(text) => text,
            Node::Integer(number) => number.to_string(),
            other => {
                let reason = format!("expected text, found {}", other.kind());
                return Err(Rejection::new(at, &key, reason));
            }
        };
        if fields.named.insert(key.clone(), text).is_some() || key == "attributes" {
            return Err(Rejection::new(at, &key, "stands twice"));
        }
    }
    Ok(fields)
}

fn attributes_of(at: &str, node: Node) -> Result<Vec<(String, Scalar)>, Rejection> {
    let Node::Map(entries) = node else {
        let reason = format!("expected a map, found {}", node.kind());
        return Err(Rejection::new(at, "attributes", reason));
    };
    let mut attributes = Vec::new();
    for (key, value) in entries {
        let scalar = match value {
            Node::Null => continue,
            Node::Boolean(value) => Scalar::Boolean(value),
            Node::Integer(value) => Scalar::Integer(value),
            Node::Text(text) => Scalar::Text(text),
            other => {
                let reason =
                    format!("expected text, a whole number or yes/no, found {}", other.kind());
                return Err(Rejection::new(at, &key, reason));
            }
        };
        attributes.push((key, scalar));
    }
    Ok(attributes)
}

/// A cell of a table: `true`, `false` and whole numbers keep their type, all else is text.
pub(super) fn scalar_of_text(text: &str) -> Scalar {
    match text {
        "true" => Scalar::Boolean(true),
        "false" => Scalar::Boolean(false),
        _ => {
            // A leading zero or plus is part of an identifier, not of a number.
            let number = text.parse::<i64>().ok().filter(|n| n.to_string() == text);
            number.map_or_else(|| Scalar::Text(text.to_owned()), Scalar::Integer)
        }
    }
}

fn take(at: &str, fields: &mut Fields, field: &str) -> Result<String, Rejection> {
    let found = fields.named.remove(field).filter(|text| !text.is_empty());
    found.ok_or_else(|| Rejection::new(at, field, "is needed"))
}

fn typed_attributes(at: &str, list: Vec<(String, Scalar)>) -> Result<Attributes, Rejection> {
    let mut map = BTreeMap::new();
    for (key, value) in list {
        let label = Label::try_from(key.clone())
            .map_err(|error| Rejection::new(at, &key, error.to_string()))?;
        if map.insert(label, value).is_some() {
            return Err(Rejection::new(at, &key, "stands twice"));
        }
    }
    Attributes::try_from(map).map_err(|e| Rejection::new(at, "attributes", e.to_string()))
}

pub(super) fn asset_of(
    at: &str,
    mut fields: Fields,
    domain: DomainId,
) -> Result<AssetFact, Rejection> {
    let kind = take(at, &mut fields, "kind")?;
    let kind = AssetKind::from_word(&kind).ok_or_else(|| {
        let known: Vec<_> = AssetKind::ALL.iter().map(|kind| kind.word()).collect();
        Rejection::new(at, "kind", format!("`{kind}` is none of {}", known.join(", ")))
    })?;
    let name_of = |field: &'static str, text: String| {
        let name = Name::try_from(text);
        name.map_err(|error| Rejection::new(at, field, error.to_string()))
    };
    let reference = name_of("reference", take(at, &mut fields, "reference")?)?;
    let name = name_of("name", take(at, &mut fields, "name")?)?;
    let attributes = typed_attributes(at, fields.attributes)?;
    Ok(AssetFact { reference: AssetRef::new(kind, reference), name, domain, attributes })
}

pub(super) fn relation_of(at: &str, mut fields: Fields) -> Result<RelationFact, Rejection> {
    let end = |field: &'static str, text: String| {
        text.parse::<AssetRef>().map_err(|error| Rejection::new(at, field, error.to_string()))
    };
    let from = end("from", take(at, &mut fields, "from")?)?;
    let to = end("to", take(at, &mut fields, "to")?)?;
    let kind = take(at, &mut fields, "relation")?;
    let kind = RelationKind::from_word(&kind).ok_or_else(|| {
        let known: Vec<_> = RelationKind::ALL.iter().map(|kind| kind.word()).collect();
        Rejection::new(at, "relation", format!("`{kind}` is none of {}", known.join(", ")))
    })?;
    if from == to {
        return Err(Rejection::new(at, "to", "a thing cannot relate to itself"));
    }
    let attributes = typed_attributes(at, fields.attributes)?;
    Ok(RelationFact { from, kind, to, attributes })
}
