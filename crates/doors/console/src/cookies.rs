//! The console's cookies: each bound to this host, to TLS and to our own pages.
//!
//! `__Host-` makes a browser refuse the cookie unless it is `Secure`, has no `Domain` and the path
//! `/`; so neither a sister host nor a plain connection can plant one (RFC 6265bis, section 4.1.3).

use http::{HeaderMap, HeaderValue, header};

/// Longest cookie value that is looked at; ours are shorter.
const VALUE_CHARS_MAX: usize = 512;

/// One of our cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The session: half open after the password, open after the code.
    Session,
    /// What every form must repeat.
    Form,
    /// The language of titles and statuses.
    Language,
}

impl Cookie {
    /// The cookie's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Session => "__Host-lionrock-session",
            Self::Form => "__Host-lionrock-form",
            Self::Language => "__Host-lionrock-language",
        }
    }

    /// The value that the browser sent, if any; of a cookie sent twice none counts.
    pub(crate) fn sent(self, headers: &HeaderMap) -> Option<&str> {
        let mut values = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name())
            .map(|(_, value)| value);
        let value = values.next()?;
        (values.next().is_none() && is_plain(value)).then_some(value)
    }

    /// The header that sets it until the browser closes; `None` when the value cannot be a cookie.
    pub(crate) fn set(self, value: &str) -> Option<HeaderValue> {
        if !is_plain(value) {
            return None;
        }
        let name = self.name();
        let mut line = HeaderValue::from_str(&format!(
            "{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict"
        ))
        .ok()?;
        line.set_sensitive(true);
        Some(line)
    }

    /// The header that takes it away.
    pub(crate) fn clear(self) -> Option<HeaderValue> {
        let name = self.name();
        HeaderValue::from_str(&format!(
            "{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
        ))
        .ok()
    }
}

/// The header that makes a browser come back with this session; for whoever signs people in by
/// other pages than ours.
#[must_use]
pub fn session_cookie(session: &str) -> Option<HeaderValue> {
    Cookie::Session.set(session)
}

fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= VALUE_CHARS_MAX
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(line: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(line).unwrap())])
    }

    #[test]
    fn a_cookie_is_bound_to_host_tls_and_our_own_pages() {
        let line = Cookie::Session.set("abc").unwrap();
        assert_eq!(
            line.to_str().unwrap(),
            "__Host-lionrock-session=abc; Path=/; Secure; HttpOnly; SameSite=Strict"
        );
        assert!(line.is_sensitive());
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let sent = headers("a=b; __Host-lionrock-session=tok-1; c=d");
        assert_eq!(Cookie::Session.sent(&sent), Some("tok-1"));
        assert_eq!(Cookie::Form.sent(&sent), None);
    }

    #[test]
    fn a_cookie_sent_twice_or_with_odd_characters_does_not_count() {
        for line in [
            "__Host-lionrock-session=a; __Host-lionrock-session=b",
            "__Host-lionrock-session=a b",
            "__Host-lionrock-session=",
            &format!("__Host-lionrock-session={}", "a".repeat(513)),
        ] {
            assert_eq!(Cookie::Session.sent(&headers(line)), None, "{line}");
        }
        assert_eq!(Cookie::Session.set("a; Domain=x"), None);
    }
}
