//! Fields that need more than their JSON type: binary data, secrets, pages.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use kernel::{Problem, Secret};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use zeroize::Zeroizing;

/// Binary data as base64 (RFC 4648, section 4) with padding; wiped when dropped, never printed.
pub struct Base64(Zeroizing<Vec<u8>>);

impl Base64 {
    /// The bytes to be sent.
    #[must_use]
    pub fn new(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the bytes away.
    #[must_use]
    pub fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Zeroizing::new(String::with_capacity(self.0.len().div_ceil(3) * 4));
        STANDARD.encode_string(&*self.0, &mut text);
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Base64Text)
    }
}

/// Decodes the text where the reader has it: no copy of it is made that would have to be wiped.
struct Base64Text;

impl de::Visitor<'_> for Base64Text {
    type Value = Base64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64 with padding (RFC 4648, section 4)")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Base64, E> {
        STANDARD
            .decode(text)
            .map(|bytes| Base64(Zeroizing::new(bytes)))
            .map_err(|_| E::custom("expected base64 with padding (RFC 4648, section 4)"))
    }
}

impl JsonSchema for Base64 {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Base64".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        crate::shape::Base64::json_schema(generator)
    }
}

/// A password, a one-time code or a token on its way in or out; up to 1,024 bytes.
#[derive(Debug)]
pub struct SecretText(Secret<String>);

/// Longest secret text: Argon2id reads all of it, so a longer one would be free work for a
/// stranger.
pub const SECRET_TEXT_BYTES_MAX: usize = 1_024;

impl SecretText {
    /// A secret to be shown once.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// The secret.
    #[must_use]
    pub const fn secret(&self) -> &Secret<String> {
        &self.0
    }

    /// Gives the secret away.
    #[must_use]
    pub fn into_secret(self) -> Secret<String> {
        self.0
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::new(String::deserialize(deserializer)?);
        if text.expose().is_empty() || text.expose().len() > SECRET_TEXT_BYTES_MAX {
            return Err(de::Error::custom("expected 1 to 1,024 bytes"));
        }
        Ok(Self(text))
    }
}

impl JsonSchema for SecretText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "SecretText".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Characters here, bytes in the check: 256 characters of any script fit into 1,024 bytes.
        json_schema!({ "type": "string", "format": "password", "minLength": 1, "maxLength": 256 })
    }
}

/// An answer whose fields the room that gives it describes; in the document it is an object.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Told<T>(pub T);

impl<T> JsonSchema for Told<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Object".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        crate::shape::Object::json_schema(generator)
    }
}

/// How much of a list is wanted.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(try_from = "u16")]
#[schemars(with = "u16", extend("minimum" = 1, "maximum" = PAGE_ITEMS_MAX))]
pub struct PageLimit(u16);

impl TryFrom<u16> for PageLimit {
    type Error = String;
    fn try_from(limit: u16) -> Result<Self, String> {
        if limit == 0 || usize::from(limit) > PAGE_ITEMS_MAX {
            return Err(format!("expected 1 to {PAGE_ITEMS_MAX}"));
        }
        Ok(Self(limit))
    }
}

impl PageLimit {
    /// The number of items: what was asked for, or 50.
    #[must_use]
    pub fn items(limit: Option<Self>) -> usize {
        limit.map_or(PAGE_ITEMS_DEFAULT, |limit| usize::from(limit.0))
    }
}

/// A text of one to `max` characters, or a problem that names the field.
///
/// # Errors
/// When it is empty or longer.
pub fn text_within(pointer: &str, text: &str, max: usize) -> Result<(), Problem> {
    let characters = text.chars().count();
    if characters == 0 || characters > max {
        return Err(Problem::field(pointer, format!("expected 1 to {max} characters")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base64_without_padding_with_line_breaks_or_stray_bits_is_refused() {
        for bad in ["\"QQ\"", "\"QQ=\"", "\"QR==\"", "\"Q Q=\"", "\"QQ==\\n\"", "\"-_==\"", "7"] {
            assert!(serde_json::from_str::<Base64>(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<Base64>("\"QQ==\"").unwrap().bytes(), b"A");
        assert_eq!(serde_json::from_str::<Base64>("\"\\u0051Q==\"").unwrap().bytes(), b"A");
    }

    #[test]
    fn secrets_do_not_print() {
        let secret: SecretText = serde_json::from_str("\"hunter2\"").unwrap();
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(format!("{:?}", Base64::new(vec![1, 2])), "[2 bytes]");
    }

    proptest! {
        #[test]
        fn bytes_survive_base64(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = serde_json::to_string(&Base64::new(bytes.clone())).unwrap();
            let back: Base64 = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(back.bytes(), bytes.as_slice());
        }
    }
}
