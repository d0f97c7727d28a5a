//! JSON read strictly: where a struct is expected, an object is, at every depth.
//!
//! The derived readers also take an array for a struct, field by field in the order of their
//! declaration. No caller was ever told so, the document does not say it, and an order of fields is
//! nothing to depend on. This adapter stands between the JSON reader and the derived one and turns
//! such arrays away; everything else passes as it is.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use std::fmt;

/// A reader that takes objects alone for structs.
pub(crate) struct Strict<D>(pub(crate) D);

/// Passes what was read on; `object` when a struct is expected.
struct Passing<V> {
    inner: V,
    object: bool,
}

fn as_it_is<V>(inner: V) -> Passing<V> {
    Passing { inner, object: false }
}

fn objects_only<V>(inner: V) -> Passing<V> {
    Passing { inner, object: true }
}

macro_rules! forwarded {
    ($($method:ident($($name:ident: $kind:ty),*);)*) => { $(
        fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* as_it_is(visitor))
        }
    )* };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;
    forwarded! {
        deserialize_any(); deserialize_bool();
        deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64();
        deserialize_i128(); deserialize_u8(); deserialize_u16(); deserialize_u32();
        deserialize_u64(); deserialize_u128(); deserialize_f32(); deserialize_f64();
        deserialize_char(); deserialize_str(); deserialize_string(); deserialize_bytes();
        deserialize_byte_buf(); deserialize_option(); deserialize_unit(); deserialize_seq();
        deserialize_map(); deserialize_identifier(); deserialize_ignored_any();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, objects_only(visitor))
    }
    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! visited {
    ($($method:ident($kind:ty);)*) => { $(
        fn $method<E: Error>(self, value: $kind) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )* };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Passing<V> {
    type Value = V::Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.object { f.write_str("an object") } else { self.inner.expecting(f) }
    }
    visited! {
        visit_bool(bool); visit_i8(i8); visit_i16(i16); visit_i32(i32); visit_i64(i64);
        visit_i128(i128); visit_u8(u8); visit_u16(u16); visit_u32(u32); visit_u64(u64);
        visit_u128(u128); visit_f32(f32); visit_f64(f64); visit_char(char); visit_str(&str);
        visit_borrowed_str(&'de str); visit_string(String); visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]); visit_byte_buf(Vec<u8>);
    }
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }
    fn visit_some<D: Deserializer<'de>>(self, reader: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Strict(reader))
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, reader: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Strict(reader))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        if self.object {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        self.inner.visit_seq(Within(seq))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Within(map))
    }
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Within(data))
    }
}

/// What lies within a list, an object or a variant: read as strictly.
struct Within<A>(A);

struct Seed<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<S> {
    type Value = S::Value;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(reader))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Within<A> {
    type Error = A::Error;
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Seed(seed))
    }
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Within<A> {
    type Error = A::Error;
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(Seed(seed))
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(Seed(seed))
    }
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Within<A> {
    type Error = A::Error;
    type Variant = Within<A::Variant>;
    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), A::Error> {
        self.0.variant_seed(Seed(seed)).map(|(value, variant)| (value, Within(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Within<A> {
    type Error = A::Error;
    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.0.newtype_variant_seed(Seed(seed))
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, as_it_is(visitor))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, objects_only(visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Leaf {
        a: u8,
        b: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    enum Act {
        Plain,
        One(Leaf),
        Named { leaf: Leaf },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(Leaf);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tree {
        leaf: Leaf,
        maybe: Option<Leaf>,
        list: Vec<Leaf>,
        map: BTreeMap<String, Leaf>,
        acts: Vec<Act>,
        wrapped: Wrapped,
        pair: (u8, Leaf),
        number: i64,
    }

    fn read<T: for<'de> Deserialize<'de>>(value: &Value) -> Result<T, serde_json::Error> {
        let text = value.to_string();
        T::deserialize(Strict(&mut serde_json::Deserializer::from_str(&text)))
    }

    fn tree() -> Value {
        let leaf = || json!({ "a": 1, "b": "x" });
        json!({
            "leaf": leaf(), "maybe": leaf(), "list": [leaf(), leaf()], "map": { "k": leaf() },
            "acts": ["plain", { "one": leaf() }, { "named": { "leaf": leaf() } }],
            "wrapped": leaf(), "pair": [7, leaf()], "number": -3,
        })
    }

    /// Every object within a value by its path; a variant's name is no place of a struct.
    fn objects(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                let is_variant =
                    map.len() == 1 && (map.contains_key("one") || map.contains_key("named"));
                if !is_variant && !path.ends_with("/map") {
                    found.push(path.to_owned());
                }
                map.iter().for_each(|(k, v)| objects(v, &format!("{path}/{k}"), found));
            }
            Value::Array(list) => {
                list.iter()
                    .enumerate()
                    .for_each(|(n, v)| objects(v, &format!("{path}/{n}"), found));
            }
            _ => {}
        }
    }

    #[test]
    fn whatever_the_derived_reader_takes_as_objects_passes_unchanged() {
        let plain: Tree = serde_json::from_str(&tree().to_string()).unwrap();
        assert_eq!(read::<Tree>(&tree()).unwrap(), plain);
    }

    #[test]
    fn an_array_in_the_place_of_any_struct_is_refused() {
        let mut places = Vec::new();
        objects(&tree(), "", &mut places);
        assert!(places.len() >= 9, "{places:?}");
        for place in places {
            let mut value = tree();
            let spot = value.pointer_mut(&place).unwrap();
            // What the derived reader alone would take: the fields in their order.
            let fields: Vec<Value> = match spot.as_object().unwrap() {
                leaf if leaf.contains_key("a") => vec![leaf["a"].clone(), leaf["b"].clone()],
                named if named.len() == 1 => named.values().cloned().collect(),
                tree => ["leaf", "maybe", "list", "map", "acts", "wrapped", "pair", "number"]
                    .map(|name| tree[name].clone())
                    .to_vec(),
            };
            *spot = Value::Array(fields);
            assert!(
                serde_json::from_str::<Tree>(&value.to_string()).is_ok(),
                "{place}: a fair test"
            );
            let refused = read::<Tree>(&value).unwrap_err().to_string();
            assert!(refused.contains("expected an object"), "{place}: {refused}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i8>().prop_map(Value::from),
            "[ab]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            let names = prop_oneof![
                Just("a"),
                Just("b"),
                Just("leaf"),
                Just("one"),
                Just("named"),
                Just("list"),
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(names.prop_map(str::to_owned), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Whether the value reads as an act without an array anywhere: acts hold no lists.
    fn no_array(value: &Value) -> bool {
        match value {
            Value::Array(_) => false,
            Value::Object(map) => map.values().all(no_array),
            _ => true,
        }
    }

    proptest! {
        #[test]
        fn it_takes_exactly_what_the_derived_reader_takes_without_arrays(value in any_json()) {
            let derived = serde_json::from_str::<Act>(&value.to_string()).ok();
            let ours = read::<Act>(&value).ok();
            prop_assert_eq!(ours, derived.filter(|_| no_array(&value)));
        }
    }
}
