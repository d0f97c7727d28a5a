//! Object stores: Amazon S3 and what speaks its protocol, Azure Blob Storage, Google Cloud Storage.
//!
//! An object is never held here: the worker asks for ranges of it as it reads, each of the version
//! that was listed; of an object larger than the setting allows, its beginning is the sample. What
//! a store tells with its list is known (size, version); policies and keys of a bucket are other
//! questions, asked elsewhere.
//!
//! Credentials are made by `object_store`; requests are our own, because that library knows no key
//! with an empty step (`a//b`) and would lose the page on which one stands.

use super::bucket_list::{Page, page};
use super::bucket_request::{Asker, Dialect, Signing};
use super::http::Hyper;
use super::setting::{AzureSetting, GoogleSetting, S3Setting};
use super::{
    Content, Exposure, Listing, Object, Opened, Pending, Ranges, Source, SourceError, tls,
};
use kernel::Secret;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use std::ops::Range;
use std::sync::Arc;

/// Objects that stores list at once.
const PAGE_MAX: usize = 1_000;
/// Of larger objects the beginning is looked at, whatever a setting says, in bytes.
const OBJECT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// A bucket, or what is below a prefix of it.
struct Bucket(Arc<Inner>);

struct Inner {
    asker: Asker,
    prefix: Option<String>,
    region: Option<String>,
    object_bytes_max: u64,
}

/// Opens a bucket that speaks the protocol of Amazon S3.
pub(super) fn s3(
    setting: &S3Setting,
    secret: Option<Secret<String>>,
) -> Result<Box<dyn Source>, SourceError> {
    let (bucket, region) = (&setting.bucket, &setting.region);
    let (scheme, host) = match &setting.endpoint {
        Some(endpoint) => parts(endpoint, setting.plain_http)?,
        None if region.starts_with("cn-") => ("https", format!("s3.{region}.amazonaws.com.cn")),
        None => ("https", format!("s3.{region}.amazonaws.com")),
    };
    let base = match setting.path_style {
        true => format!("{scheme}://{host}/{bucket}"),
        false => format!("{scheme}://{bucket}.{host}"),
    };
    let client = Hyper::new(setting.authority.as_deref(), scheme == "http")?;
    let signing = match (&setting.access_key_id, secret) {
        (Some(id), Some(secret)) => {
            let store = AmazonS3Builder::new()
                .with_bucket_name(bucket)
                .with_region(region)
                .with_access_key_id(id)
                .with_secret_access_key(secret.expose())
                .with_http_connector(client.clone())
                .build()
                .map_err(|_| SourceError::Setting("bucket"))?;
            Signing::S3 { credentials: Arc::clone(store.credentials()), region: region.clone() }
        }
        (None, None) => Signing::Nobody,
        _ => return Err(SourceError::Setting("access_key_id")),
    };
    let asker = Asker::new(client, Dialect::S3, base, bucket.clone(), signing)?;
    Ok(Box::new(Bucket(Arc::new(Inner {
        asker,
        prefix: setting.prefix.clone(),
        region: Some(region.clone()),
        object_bytes_max: setting.object_bytes_max.min(OBJECT_BYTES_MAX),
    }))))
}

/// Opens a container of Azure Blob Storage.
pub(super) fn azure(
    setting: &AzureSetting,
    secret: Option<Secret<String>>,
) -> Result<Box<dyn Source>, SourceError> {
    let (account, container) = (&setting.account, &setting.container);
    let (scheme, host) = match &setting.endpoint {
        Some(endpoint) => parts(endpoint, setting.plain_http)?,
        None => ("https", format!("{account}.blob.core.windows.net")),
    };
    let client = Hyper::new(setting.authority.as_deref(), scheme == "http")?;
    let signing = match secret {
        Some(key) => {
            let store = MicrosoftAzureBuilder::new()
                .with_account(account)
                .with_container_name(container)
                .with_access_key(key.expose())
                .with_http_connector(client.clone())
                .build()
                .map_err(|_| SourceError::Setting("container"))?;
            Signing::Azure {
                credentials: Arc::clone(store.credentials()),
                account: account.clone(),
            }
        }
        None => Signing::Nobody,
    };
    let base = format!("{scheme}://{host}/{container}");
    let asker = Asker::new(client, Dialect::Azure, base, container.clone(), signing)?;
    Ok(Box::new(Bucket(Arc::new(Inner {
        asker,
        prefix: setting.prefix.clone(),
        region: setting.region.clone(),
        object_bytes_max: setting.object_bytes_max.min(OBJECT_BYTES_MAX),
    }))))
}

/// Opens a bucket of Google Cloud Storage; the secret is the key file of a service account, in
/// JSON.
pub(super) fn google(
    setting: &GoogleSetting,
    secret: Option<Secret<String>>,
) -> Result<Box<dyn Source>, SourceError> {
    let bucket = &setting.bucket;
    let (scheme, host) = match &setting.endpoint {
        Some(endpoint) => parts(endpoint, setting.plain_http)?,
        None => ("https", "storage.googleapis.com".to_owned()),
    };
    let client = Hyper::new(setting.authority.as_deref(), scheme == "http")?;
    let signing = match secret {
        Some(key) => {
            // Its tokens are fetched with the same client.
            let store = GoogleCloudStorageBuilder::new()
                .with_bucket_name(bucket)
                .with_service_account_key(key.expose().as_str())
                .with_http_connector(client.clone())
                .build()
                .map_err(|_| SourceError::Setting("bucket"))?;
            Signing::Google(Arc::clone(store.credentials()))
        }
        None => Signing::Nobody,
    };
    let base = format!("{scheme}://{host}/{bucket}");
    let asker = Asker::new(client, Dialect::Google, base, bucket.clone(), signing)?;
    Ok(Box::new(Bucket(Arc::new(Inner {
        asker,
        prefix: setting.prefix.clone(),
        region: setting.region.clone(),
        object_bytes_max: setting.object_bytes_max.min(OBJECT_BYTES_MAX),
    }))))
}

/// The scheme of an endpoint and the rest of it. Without TLS only to this machine, unless the
/// setting says that the network in between may read everything.
fn parts(endpoint: &str, plain_allowed: bool) -> Result<(&'static str, String), SourceError> {
    let wrong = || SourceError::Setting("endpoint");
    let address: ::http::Uri = endpoint.parse().map_err(|_| wrong())?;
    let host = address.host().ok_or_else(wrong)?;
    let scheme = match address.scheme_str() {
        Some("https") => "https",
        Some("http") if plain_allowed || tls::is_loopback(host) => "http",
        _ => return Err(wrong()),
    };
    let authority = address.authority().ok_or_else(wrong)?.as_str();
    if authority.contains('@') || address.query().is_some() {
        return Err(wrong());
    }
    let path = address.path().trim_end_matches('/');
    Ok((scheme, format!("{authority}{path}")))
}

impl Source for Bucket {
    fn list<'a>(&'a self, after: Option<&'a str>, max: usize) -> Pending<'a, Listing> {
        Box::pin(async move {
            let inner = &self.0;
            let max = max.clamp(1, PAGE_MAX);
            let answer = inner.asker.list(inner.prefix.as_deref(), after, max).await?;
            let unreadable = || SourceError::Unreadable(inner.asker.name().to_owned());
            let Page { entries, strange, next } = page(&answer).ok_or_else(unreadable)?;
            let objects = entries.into_iter().map(|entry| {
                let exposure = Exposure { region: inner.region.clone(), ..Exposure::default() };
                let bytes = Some(entry.bytes);
                Object { name: entry.key, bytes, version: entry.version, exposure }
            });
            let why = "its name is no text".to_owned();
            let unreadable = strange.into_iter().map(|name| (name, why.clone())).collect();
            Ok(Listing { objects: objects.collect(), next, unreadable })
        })
    }

    fn open<'a>(&'a self, object: &'a Object) -> Pending<'a, Opened> {
        Box::pin(async move {
            let bytes = object.bytes.ok_or_else(|| SourceError::Gone(object.name.clone()))?;
            if !self.0.asker.can_name(&object.name) {
                return Err(SourceError::Unreadable(object.name.clone()));
            }
            let wanted = bytes.min(self.0.object_bytes_max);
            let remote = Remote {
                inner: Arc::clone(&self.0),
                key: object.name.clone(),
                version: object.version.clone(),
                bytes: wanted,
            };
            let hint = object.name.rsplit('/').next().unwrap_or_default().to_owned();
            let content = Content::Ranges(Box::new(remote));
            Ok(Opened { content, hint, sampled: wanted < bytes })
        })
    }
}

/// One version of one object.
struct Remote {
    inner: Arc<Inner>,
    key: String,
    version: Option<String>,
    bytes: u64,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Ranges for Remote {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read(&self, range: Range<u64>) -> Pending<'_, Vec<u8>> {
        Box::pin(self.inner.asker.read(&self.key, self.version.as_deref(), range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_machine_without_tls_unless_it_is_said() {
        assert!(parts("http://127.0.0.1:9000", false).is_ok());
        assert!(parts("http://store.example", false).is_err());
        assert_eq!(parts("http://store.example/", true).unwrap().0, "http");
        assert_eq!(
            parts("https://store.example:9000/base/", false).unwrap(),
            ("https", "store.example:9000/base".to_owned())
        );
        for wrong in ["", "store.example", "ftp://store.example", "https://a:b@store.example"] {
            assert!(parts(wrong, true).is_err(), "{wrong}");
        }
    }
}
