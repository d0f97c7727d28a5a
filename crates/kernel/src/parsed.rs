//! Reading a type from the text where the reader has it: no copy is made to be parsed and dropped.

use serde::Deserializer;
use serde::de::{Error, Visitor};
use std::fmt;

/// Reads a text and parses it; `expected` says what is right where something else than a text
/// stands.
pub(crate) fn parsed<'de, D: Deserializer<'de>, T, E: fmt::Display>(
    reader: D,
    expected: &'static str,
    parse: fn(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    reader.deserialize_str(Parse { expected, parse })
}

struct Parse<T, E> {
    expected: &'static str,
    parse: fn(&str) -> Result<T, E>,
}

impl<T, E: fmt::Display> Visitor<'_> for Parse<T, E> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<F: Error>(self, text: &str) -> Result<T, F> {
        (self.parse)(text).map_err(F::custom)
    }
}
