//! Who is asking: a bearer token, a session's token or a client certificate. A cookie is never
//! read.

use crate::Rooms;
use crate::door::ClientCertificate;
use access::{Arrival, PreAuthRefusal, TOKEN_PREFIX};
use http::header::{self, HeaderMap};
use kernel::{Caller, Problem, ProblemKind, Secret};
use std::sync::Arc;

/// Longest credential that is looked at, in bytes.
const CREDENTIAL_BYTES_MAX: usize = 256;

/// A caller, and the text by which it proved itself, if it was one.
pub(crate) type Proven = (Caller, Option<Arc<Secret<String>>>);

/// The caller of a request, and the text by which it proved itself, for ending a session.
pub(crate) fn caller(
    rooms: &Rooms,
    headers: &HeaderMap,
    certificate: Option<ClientCertificate>,
    arrival: &Arrival,
) -> Result<Proven, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        let Some(text) = bearer(headers) else {
            rooms.access.turned_away(arrival.origin, PreAuthRefusal::Token);
            let detail = "`Authorization` must stand once, as `Bearer` and a token";
            return Err(Problem::new(ProblemKind::Unauthenticated, "no-bearer-token", detail));
        };
        let caller = if text.expose().starts_with(TOKEN_PREFIX) {
            rooms.access.caller_for_token(text.expose(), arrival)?
        } else {
            rooms.access.caller_for_session(text.expose(), arrival)?
        };
        return Ok((caller, Some(Arc::new(text))));
    }
    if let Some(certificate) = certificate {
        return Ok((rooms.access.caller_for_certificate(&certificate.spki_sha256, arrival)?, None));
    }
    rooms.access.turned_away(arrival.origin, PreAuthRefusal::NoCredential);
    let detail = "sign in, or send an API token as `Authorization: Bearer`";
    Err(Problem::new(ProblemKind::Unauthenticated, "no-credential", detail))
}

fn bearer(headers: &HeaderMap) -> Option<Secret<String>> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?.to_str().ok()?;
    let (scheme, text) = value.split_once(' ')?;
    let fits = scheme.eq_ignore_ascii_case("bearer")
        && !text.is_empty()
        && text.len() <= CREDENTIAL_BYTES_MAX
        && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| Secret::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn one_bearer_token_and_nothing_else_is_read() {
        let headers = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            bearer(&headers).map(|secret| secret.expose().clone())
        };
        assert_eq!(headers(&["Bearer lr_x"]).as_deref(), Some("lr_x"));
        assert_eq!(headers(&["bearer lr_x"]).as_deref(), Some("lr_x"));
        for bad in [
            &[][..],
            &["Bearer"],
            &["Bearer "],
            &["Basic lr_x"],
            &["Bearer a b"],
            &["Bearer lr_x", "Bearer lr_y"],
        ] {
            assert_eq!(headers(bad), None, "{bad:?}");
        }
    }
}
