//! Schemas of Avro and the rows that they describe, as text.

use crate::styles;
use serde_json::Value;
use std::collections::HashMap;

/// Types in types: deeper ones are an attack on the stack.
const DEPTH_MAX: usize = 32;
/// Values of one row: arrays of nothing may claim any number of them.
const VALUES_PER_ROW_MAX: usize = 100_000;

/// What stands in a file.
#[derive(Debug)]
pub(crate) struct Schema {
    root: Type,
    /// Types with names, which may speak of each other.
    named: Vec<Named>,
}

#[derive(Debug, Clone)]
enum Type {
    Null,
    Boolean,
    /// `int` and `long`.
    Whole,
    /// Days since 1970-01-01.
    Date,
    Float,
    Double,
    Bytes,
    Text,
    Array(Box<Self>),
    Map(Box<Self>),
    Union(Vec<Self>),
    Named(usize),
}

#[derive(Debug, Clone)]
enum Named {
    /// Spoken of before it was described.
    Open,
    Record(Vec<(String, Type)>),
    Enumeration(Vec<String>),
    Fixed(usize),
}

#[derive(Default)]
struct Parser {
    named: Vec<Named>,
    names: HashMap<String, usize>,
}

impl Schema {
    /// Reads a schema; none if it is not one.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(json).ok()?;
        let mut parser = Parser::default();
        let root = parser.parse(&value, 0)?;
        Some(Self { root, named: parser.named })
    }

    /// The columns: the fields of the record that rows are.
    pub(crate) fn names(&self) -> Vec<Vec<u8>> {
        match self.fields() {
            Some(fields) => fields.iter().map(|(name, _)| name.clone().into_bytes()).collect(),
            None => vec![b"value".to_vec()],
        }
    }

    fn fields(&self) -> Option<&[(String, Type)]> {
        let Type::Named(index) = self.root else { return None };
        match self.named.get(index)? {
            Named::Record(fields) => Some(fields),
            _ => None,
        }
    }
}

impl Parser {
    fn parse(&mut self, value: &Value, depth: usize) -> Option<Type> {
        if depth > DEPTH_MAX {
            return None;
        }
        match value {
            Value::String(name) => self.primitive(name),
            Value::Array(types) => {
                let types: Option<Vec<Type>> =
                    types.iter().map(|one| self.parse(one, depth + 1)).collect();
                types.map(Type::Union)
            }
            Value::Object(object) => match object.get("type")? {
                Value::String(name) => self.complex(name, value, depth),
                inner => self.parse(inner, depth + 1),
            },
            _ => None,
        }
    }

    fn primitive(&self, name: &str) -> Option<Type> {
        Some(match name {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "int" | "long" => Type::Whole,
            "float" => Type::Float,
            "double" => Type::Double,
            "bytes" => Type::Bytes,
            "string" => Type::Text,
            name => Type::Named(*self.names.get(last(name))?),
        })
    }

    fn complex(&mut self, name: &str, value: &Value, depth: usize) -> Option<Type> {
        match name {
            "array" => Some(Type::Array(Box::new(self.parse(value.get("items")?, depth + 1)?))),
            "map" => Some(Type::Map(Box::new(self.parse(value.get("values")?, depth + 1)?))),
            "record" | "error" => {
                let index = self.open(value)?;
                let mut fields = Vec::new();
                for field in value.get("fields")?.as_array()? {
                    let kind = self.parse(field.get("type")?, depth + 1)?;
                    fields.push((field.get("name")?.as_str()?.to_owned(), kind));
                }
                self.close(index, Named::Record(fields))
            }
            "enum" => {
                let index = self.open(value)?;
                let symbols = value.get("symbols")?.as_array()?.iter();
                let symbols: Option<Vec<String>> =
                    symbols.map(|symbol| symbol.as_str().map(str::to_owned)).collect();
                self.close(index, Named::Enumeration(symbols?))
            }
            "fixed" => {
                let index = self.open(value)?;
                let size = usize::try_from(value.get("size")?.as_u64()?).ok()?;
                self.close(index, Named::Fixed(size))
            }
            "int" if value.get("logicalType").and_then(Value::as_str) == Some("date") => {
                Some(Type::Date)
            }
            name => self.primitive(name),
        }
    }

    fn open(&mut self, value: &Value) -> Option<usize> {
        let name = last(value.get("name")?.as_str()?).to_owned();
        self.named.push(Named::Open);
        self.names.insert(name, self.named.len() - 1);
        Some(self.named.len() - 1)
    }

    fn close(&mut self, index: usize, named: Named) -> Option<Type> {
        *self.named.get_mut(index)? = named;
        Some(Type::Named(index))
    }
}

/// A name without its namespace.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Rows of one block as they come.
pub(crate) struct Decoder<'a> {
    schema: &'a Schema,
    rest: &'a [u8],
    values_left: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) const fn new(schema: &'a Schema, bytes: &'a [u8]) -> Self {
        Self { schema, rest: bytes, values_left: 0 }
    }

    /// The next row; none when the bytes are damaged.
    pub(crate) fn row(&mut self) -> Option<Vec<Vec<u8>>> {
        self.values_left = VALUES_PER_ROW_MAX;
        let schema = self.schema;
        let Some(fields) = schema.fields() else {
            let mut cell = Vec::new();
            self.value(&schema.root, &mut cell, 0)?;
            return Some(vec![cell]);
        };
        let cells = fields.iter().map(|(_, kind)| {
            let mut cell = Vec::new();
            self.value(kind, &mut cell, 0)?;
            Some(cell)
        });
        cells.collect()
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(long(&mut self.rest)?).ok()?;
        self.take(length)
    }

    /// Writes a value as text; nested ones as JSON shows them.
    fn value(&mut self, kind: &Type, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.values_left = self.values_left.checked_sub(1)?;
        if depth > DEPTH_MAX {
            return None;
        }
        match kind {
            Type::Null => {}
            Type::Boolean => {
                let byte = self.take(1)?;
                out.extend_from_slice(if byte == [0] { b"false" } else { b"true" });
            }
            Type::Whole => out.extend(long(&mut self.rest)?.to_string().bytes()),
            Type::Date => out.extend(styles::day(long(&mut self.rest)?).bytes()),
            Type::Float => {
                let bytes = self.take(4)?.first_chunk()?;
                out.extend(f32::from_le_bytes(*bytes).to_string().bytes());
            }
            Type::Double => {
                let bytes = self.take(8)?.first_chunk()?;
                out.extend(f64::from_le_bytes(*bytes).to_string().bytes());
            }
            Type::Text => out.extend_from_slice(self.sized()?),
            Type::Bytes => {
                let bytes = self.sized()?;
                write_bytes(bytes, out);
            }
            Type::Union(types) => {
                let index = usize::try_from(long(&mut self.rest)?).ok()?;
                self.value(types.get(index)?, out, depth + 1)?;
            }
            Type::Array(items) => self.items(items, false, out, depth)?,
            Type::Map(values) => self.items(values, true, out, depth)?,
            Type::Named(index) => self.named(*index, out, depth)?,
        }
        Some(())
    }

    fn named(&mut self, index: usize, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        let schema = self.schema;
        match schema.named.get(index)? {
            Named::Open => return None,
            Named::Fixed(size) => {
                let bytes = self.take(*size)?;
                write_bytes(bytes, out);
            }
            Named::Enumeration(symbols) => {
                let symbol = usize::try_from(long(&mut self.rest)?).ok()?;
                out.extend_from_slice(symbols.get(symbol)?.as_bytes());
            }
            Named::Record(fields) => {
                for (place, (name, kind)) in fields.iter().enumerate() {
                    out.extend_from_slice(if place == 0 { b"{\"" } else { b",\"" });
                    out.extend_from_slice(name.as_bytes());
                    out.extend_from_slice(b"\":\"");
                    self.value(kind, out, depth + 1)?;
                    out.push(b'"');
                }
                out.push(b'}');
            }
        }
        Some(())
    }

    /// Blocks of items until an empty one.
    fn items(&mut self, kind: &Type, keyed: bool, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        loop {
            let mut count = long(&mut self.rest)?;
            if count == 0 {
                return Some(());
            }
            if count < 0 {
                long(&mut self.rest)?;
                count = count.checked_neg()?;
            }
            for _ in 0..count {
                if keyed {
                    let key = self.sized()?;
                    out.extend_from_slice(key);
                    out.extend_from_slice(b": ");
                }
                self.value(kind, out, depth + 1)?;
                out.extend_from_slice(b", ");
            }
        }
    }
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    if std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')) {
        out.extend_from_slice(bytes);
    }
}

/// A whole number: seven bits a byte, zigzag.
pub(crate) fn long(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_zigzag() {
        for (bytes, value) in [(&[0][..], 0), (&[1], -1), (&[2], 1), (&[0x80, 1], 64)] {
            assert_eq!(long(&mut &*bytes), Some(value));
        }
        assert_eq!(long(&mut &[0xff; 11][..]), None);
    }

    #[test]
    fn a_schema_in_circles_or_too_deep_is_refused() {
        let circle = br#"{"type":"record","name":"a","fields":[{"name":"b","type":"a"}]}"#;
        let schema = Schema::parse(circle).unwrap();
        assert_eq!(Decoder::new(&schema, &[]).row(), None);
        let deep = format!("{}\"int\"{}", "[".repeat(50), "]".repeat(50));
        assert!(Schema::parse(deep.as_bytes()).is_none());
        let nulls = Schema::parse(br#"{"type":"array","items":"null"}"#).unwrap();
        let many = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(Decoder::new(&nulls, &many).row(), None);
    }
}
