//! From a path to its lines of the table, with the values of its parameters.

use crate::Table;
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The indexes of the lines that share a path: one for each method.
pub(crate) type Line = Arc<[usize]>;

/// Every path of the table.
#[derive(Debug)]
pub(crate) struct Routes(matchit::Router<Line>);

/// A path that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) line: Line,
    /// The parameters as `a=b&c=d`; none when a value is not UTF-8.
    pub(crate) parameters: Option<String>,
}

impl Routes {
    pub(crate) fn of(table: &Table) -> Self {
        let mut lines: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, endpoint) in table.endpoints().iter().enumerate() {
            lines.entry(endpoint.full_path()).or_default().push(index);
        }
        let mut routes = matchit::Router::new();
        for (path, line) in lines {
            if let Err(cause) = routes.insert(&path, Line::from(line)) {
                tracing::error!(%cause, path, "a path of the table cannot be reached");
            }
        }
        Self(routes)
    }

    pub(crate) fn find(&self, path: &str) -> Option<Route> {
        let found = self.0.at(path).ok()?;
        let line = Arc::clone(found.value);
        Some(Route { line, parameters: parameters(&found.params) })
    }
}

fn parameters(found: &matchit::Params<'_, '_>) -> Option<String> {
    // What needs no decoding and no encoding, such as an identifier, is taken as it stands.
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let mut one = found.iter();
    if let (Some((name, value)), None) = (one.next(), one.next())
        && value.bytes().all(plain)
    {
        return Some([name, "=", value].concat());
    }
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (name, value) in found.iter() {
        pairs.append_pair(name, &percent_decode_str(value).decode_utf8().ok()?);
    }
    Some(pairs.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn routes() -> Routes {
        Routes::of(&crate::table())
    }

    fn encode(pairs: &[(&str, &str)]) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(pairs);
        text.finish()
    }

    #[test]
    fn every_line_of_the_table_is_reached_by_its_path() {
        let (table, routes) = (crate::table(), routes());
        for (index, endpoint) in table.endpoints().iter().enumerate() {
            let path = endpoint.full_path().replace(['{', '}', '*'], "");
            assert!(routes.find(&path).unwrap().line.contains(&index), "{endpoint:?}");
        }
        for none in ["", "/", "/api", "/api/v1", "/api/v1/keys/", "/api/v1/nothing", "/healthz/x"] {
            assert_eq!(routes.find(none), None, "{none}");
        }
    }

    #[test]
    fn values_are_decoded_once_and_must_be_utf_8() {
        let given = |value: &str| routes().find(&format!("/api/v1/keys/{value}")).unwrap();
        assert_eq!(given("key_1-a.b").parameters.as_deref(), Some("key=key_1-a.b"));
        assert_eq!(given("a%2Fb+c%26%25").parameters, Some(encode(&[("key", "a/b+c&%")])));
        assert_eq!(given("%E5%AF%86").parameters, Some(encode(&[("key", "密")])));
        assert_eq!(given("%FF").parameters, None);
    }

    proptest! {
        #[test]
        fn any_path_is_found_or_not(path in "[/a-z0-9%+&=.~{}*]{0,60}", value in "[^/]{1,20}") {
            let _ = routes().find(&path);
            let written: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let path = format!("/api/v1/keys/{}", written.replace('+', "%20"));
            prop_assert_eq!(
                routes().find(&path).unwrap().parameters,
                Some(encode(&[("key", &value)]))
            );
        }
    }
}
