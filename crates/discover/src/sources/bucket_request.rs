//! Requests to object stores, signed as each of them wants it, tried again when that may help.

use super::SourceError;
use super::http::{Answer, Hyper};
use ::http::{HeaderValue, Method, Request, StatusCode, header};
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::azure::{AzureAuthorizer, AzureCredentialProvider};
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::gcp::GcpCredentialProvider;
use std::fmt::Write;
use std::ops::Range;
use std::time::Duration;

/// Bytes of an answer that is a list: a thousand keys of a thousand bytes, escaped, with what each
/// store says about them.
const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A request is tried so often; between tries the wait doubles.
const TRIES_MAX: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Which store's manner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    S3,
    Azure,
    Google,
}

/// Whose name stands under a request.
pub(super) enum Signing {
    Nobody,
    S3 { credentials: AwsCredentialProvider, region: String },
    Azure { credentials: AzureCredentialProvider, account: String },
    Google(GcpCredentialProvider),
}

/// Asks one bucket.
pub(super) struct Asker {
    client: Hyper,
    dialect: Dialect,
    /// The address of the bucket, without a slash at its end.
    base: String,
    /// How messages call it.
    name: String,
    signing: Signing,
}

impl Asker {
    pub(super) fn new(
        client: Hyper,
        dialect: Dialect,
        base: String,
        name: String,
        signing: Signing,
    ) -> Result<Self, SourceError> {
        // The library that signs takes addresses apart without asking whether they are any.
        let sound = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        let sound = sound && !name.is_empty() && base.parse::<::http::Uri>().is_ok();
        let asker = Self { client, dialect, base, name, signing };
        sound.then_some(asker).ok_or(SourceError::Setting("bucket"))
    }

    /// How messages call the bucket.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether an address can carry this key: a step `.` or `..` is taken out by whoever reads one,
    /// the library that signs among them.
    pub(super) fn can_name(&self, key: &str) -> bool {
        let steps = |step: &str| step == "." || step == "..";
        match self.dialect {
            // A slash is escaped, and so the key one step.
            Dialect::Google => !steps(key),
            Dialect::S3 | Dialect::Azure => !key.split('/').any(steps),
        }
    }

    /// A page of the list, as the store wrote it.
    pub(super) async fn list(
        &self,
        prefix: Option<&str>,
        after: Option<&str>,
        max: usize,
    ) -> Result<String, SourceError> {
        let max = max.to_string();
        let max = max.as_str();
        let mut query = match self.dialect {
            Dialect::Azure => vec![("restype", "container"), ("comp", "list"), ("maxresults", max)],
            Dialect::Google => vec![("list-type", "2"), ("max-keys", max)],
            Dialect::S3 => vec![("encoding-type", "url"), ("list-type", "2"), ("max-keys", max)],
        };
        let go_on = if self.dialect == Dialect::Azure { "marker" } else { "continuation-token" };
        query.extend(after.map(|after| (go_on, after)));
        query.extend(prefix.map(|prefix| ("prefix", prefix)));
        let mut address = format!("{}?", self.base);
        if self.dialect != Dialect::Azure && !self.base_has_path() {
            address = format!("{}/?", self.base);
        }
        for (place, (name, value)) in query.iter().enumerate() {
            let and = if place > 0 { "&" } else { "" };
            let _ = write!(address, "{and}{name}={}", escaped(value, false));
        }
        let answer = self.ask(&address, &[], LIST_BYTES_MAX, &self.name).await?;
        if answer.status != StatusCode::OK {
            return Err(self.refusal(answer.status, &self.name));
        }
        let unreadable = || SourceError::Unreadable(self.name.clone());
        String::from_utf8(answer.body.into()).map_err(|_| unreadable())
    }

    fn base_has_path(&self) -> bool {
        self.base.parse::<::http::Uri>().is_ok_and(|address| address.path().len() > 1)
    }

    /// A range of an object, all of it; `Gone` when the object is no longer of this version.
    pub(super) async fn read(
        &self,
        key: &str,
        version: Option<&str>,
        range: Range<u64>,
    ) -> Result<Vec<u8>, SourceError> {
        let gone = || SourceError::Gone(key.to_owned());
        let wanted = usize::try_from(range.end.saturating_sub(range.start)).map_err(|_| gone())?;
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let address = format!("{}/{}", self.base, escaped(key, self.dialect != Dialect::Google));
        let bytes = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        let mut headers = vec![(header::RANGE, bytes)];
        headers.extend(version.map(|version| (header::IF_MATCH, version.to_owned())));
        let answer = self.ask(&address, &headers, wanted, key).await?;
        match answer.status {
            StatusCode::PARTIAL_CONTENT | StatusCode::OK if answer.body.len() == wanted => {
                Ok(answer.body.into())
            }
            StatusCode::PARTIAL_CONTENT | StatusCode::OK => Err(gone()),
            status => Err(self.refusal(status, key)),
        }
    }

    fn refusal(&self, status: StatusCode, name: &str) -> SourceError {
        let name = name.to_owned();
        match status.as_u16() {
            401 | 403 => SourceError::Refused(name),
            404 | 410 | 412 | 416 => SourceError::Gone(name),
            400..500 => SourceError::Unreadable(name),
            _ => SourceError::Unreachable(name),
        }
    }

    /// Asks until there is an answer that another try would not change.
    async fn ask(
        &self,
        address: &str,
        headers: &[(header::HeaderName, String)],
        bytes_max: usize,
        name: &str,
    ) -> Result<Answer, SourceError> {
        let mut wait = FIRST_WAIT;
        let mut tries = 1;
        loop {
            let request = self.signed(address, headers, name).await?;
            let answer = self.client.ask(request, bytes_max).await;
            let again = match &answer {
                Ok(answer) => answer.status.is_server_error() || answer.status.as_u16() == 429,
                Err(_) => true,
            };
            if !again || tries >= TRIES_MAX {
                return answer.map_err(|_| SourceError::Unreachable(name.to_owned()));
            }
            tries += 1;
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2);
        }
    }

    async fn signed(
        &self,
        address: &str,
        headers: &[(header::HeaderName, String)],
        name: &str,
    ) -> Result<HttpRequest, SourceError> {
        let wrong = || SourceError::Unreadable(name.to_owned());
        let refused = |_| SourceError::Refused(self.name.clone());
        let mut request = Request::builder()
            .method(Method::GET)
            .uri(address)
            .body(HttpRequestBody::empty())
            .map_err(|_| wrong())?;
        for (header, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            request.headers_mut().insert(header, value);
        }
        match &self.signing {
            Signing::Nobody => {}
            Signing::S3 { credentials, region } => {
                let credential = credentials.get_credential().await.map_err(refused)?;
                AwsAuthorizer::new(&credential, "s3", region)
                    .try_authorize(&mut request, None)
                    .map_err(refused)?;
            }
            Signing::Azure { credentials, account } => {
                let credential = credentials.get_credential().await.map_err(refused)?;
                AzureAuthorizer::new(&credential, account)
                    .try_authorize(&mut request)
                    .map_err(refused)?;
            }
            Signing::Google(credentials) => {
                let credential = credentials.get_credential().await.map_err(refused)?;
                let bearer = format!("Bearer {}", credential.bearer);
                let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| wrong())?;
                bearer.set_sensitive(true);
                request.headers_mut().insert(header::AUTHORIZATION, bearer);
            }
        }
        Ok(request)
    }
}

/// Everything escaped that an address might read as something else.
fn escaped(text: &str, slash_stays: bool) -> String {
    let mut address = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain || (slash_stays && byte == b'/') {
            address.push(char::from(byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_becomes_one_address() {
        assert_eq!(escaped("a//b c+%/客?#", true), "a//b%20c%2B%25/%E5%AE%A2%3F%23");
        assert_eq!(escaped("a/b", false), "a%2Fb");
    }

    #[test]
    fn keys_that_no_address_can_carry_are_known() {
        let asker = |dialect| {
            let client = Hyper::new(None, false).unwrap();
            let base = "https://store.example/bank".to_owned();
            Asker::new(client, dialect, base, "bank".to_owned(), Signing::Nobody).unwrap()
        };
        for (key, s3, google) in [
            ("a//b/", true, true),
            ("a/../b", false, true),
            ("..", false, false),
            ("..a", true, true),
        ] {
            assert_eq!(asker(Dialect::S3).can_name(key), s3, "{key}");
            assert_eq!(asker(Dialect::Google).can_name(key), google, "{key}");
        }
        let client = Hyper::new(None, false).unwrap();
        let odd = ["", "a b", "a/b", "a?b"];
        for name in odd {
            let base = format!("https://store.example/{name}");
            let made =
                Asker::new(client.clone(), Dialect::S3, base, name.to_owned(), Signing::Nobody);
            assert!(made.is_err(), "{name}");
        }
    }
}
