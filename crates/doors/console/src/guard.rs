//! Whether a form was sent by one of our own pages.
//!
//! Two things must hold for every POST: the browser says that it comes from this very host
//! (`Origin`, and `Sec-Fetch-Site` where sent), and the form repeats the token that its cookie
//! holds. A page of another site can do neither: it cannot forge `Origin`, and it can neither read
//! nor plant a `__Host-` cookie.

use crate::cookies::Cookie;
use http::{HeaderMap, Uri, header};
use kernel::{Problem, ProblemKind, Rng, RngUnavailable};
use std::fmt::Write as _;
use subtle::ConstantTimeEq;

/// Bytes of randomness in a form token.
const TOKEN_BYTES: usize = 16;

/// A new form token: 128 random bits in hexadecimal.
///
/// # Errors
/// When there is no randomness to be had.
pub(crate) fn new_token(rng: &dyn Rng) -> Result<String, RngUnavailable> {
    let mut bytes = [0; TOKEN_BYTES];
    rng.fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::with_capacity(2 * TOKEN_BYTES), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Holds a POST against its origin and its form token.
///
/// # Errors
/// When one of them is missing or wrong; which one is not said.
pub(crate) fn own_form(uri: &Uri, headers: &HeaderMap, repeated: &str) -> Result<(), Problem> {
    let token = Cookie::Form.sent(headers).unwrap_or_default();
    let same: bool = token.as_bytes().ct_eq(repeated.as_bytes()).into();
    if from_this_host(uri, headers) && token.len() == 2 * TOKEN_BYTES && same {
        return Ok(());
    }
    Err(Problem::new(
        ProblemKind::Refused,
        "foreign-form",
        "this form was not sent by a page of this console, or it is too old; load the page again",
    ))
}

fn from_this_host(uri: &Uri, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = uri.authority().map(http::uri::Authority::as_str).or_else(|| text(header::HOST));
    let origin = text(header::ORIGIN).and_then(|origin| origin.strip_prefix("https://"));
    let site = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin");
    site && origin.is_some() && origin == host
}

/// A path of our own to go on to: anything else becomes `/`.
pub(crate) fn own_path(path: &str) -> &str {
    let ours = path.starts_with('/')
        && !path.starts_with("//")
        && !path.starts_with("/sign-")
        && path.len() <= 1_024
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if ours { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use kernel::SeededRng;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    #[test]
    fn a_form_of_our_own_page_passes_and_any_other_does_not() {
        let token = new_token(&SeededRng::new(1)).unwrap();
        let other = new_token(&SeededRng::new(2)).unwrap();
        let cookie = format!("__Host-lionrock-form={token}");
        let uri = Uri::from_static("/keys");
        let good = [("host", "bank:8443"), ("origin", "https://bank:8443"), ("cookie", &cookie)];
        assert!(own_form(&uri, &headers(&good), &token).is_ok());
        assert!(own_form(&uri, &headers(&good), &other).is_err());
        assert!(own_form(&uri, &headers(&good), "").is_err());
        for (at, wrong) in [
            (1, ("origin", "https://evil:8443")),
            (1, ("origin", "http://bank:8443")),
            (1, ("origin", "null")),
            (2, ("cookie", "__Host-lionrock-form=")),
            (0, ("host", "other")),
        ] {
            let mut pairs = good;
            pairs[at] = wrong;
            assert!(own_form(&uri, &headers(&pairs), &token).is_err(), "{wrong:?}");
        }
        assert!(own_form(&uri, &headers(&[good[0], good[2]]), &token).is_err(), "no origin");
        let mut cross = good.to_vec();
        cross.push(("sec-fetch-site", "cross-site"));
        assert!(own_form(&uri, &headers(&cross), &token).is_err());
    }

    #[test]
    fn an_empty_token_never_matches_an_empty_cookie() {
        let pairs = [("host", "bank"), ("origin", "https://bank")];
        assert!(own_form(&Uri::from_static("/"), &headers(&pairs), "").is_err());
    }

    #[test]
    fn the_way_on_stays_with_us() {
        assert_eq!(own_path("/keys?name=a"), "/keys?name=a");
        for path in ["", "https://evil", "//evil", "/\\evil", "/a b", "/sign-out", "keys"] {
            assert_eq!(own_path(path), "/", "{path}");
        }
    }
}
