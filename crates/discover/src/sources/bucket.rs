//! Object stores: Amazon S3 and what speaks its protocol, Azure Blob Storage, Google Cloud Storage.
//!
//! An object comes in ranges into anonymous memory, each range of the version that was listed; of
//! an object larger than the setting allows, its beginning is the sample. What a store tells with
//! its list is known (size, version); policies and keys of a bucket are other questions, asked
//! elsewhere.

use super::http::Hyper;
use super::setting::{AzureSetting, GoogleSetting, S3Setting};
use super::spool::Spool;
use super::{Exposure, Listing, Object, Opened, Pending, Source, SourceError, tls};
use kernel::Secret;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, RetryConfig};
use std::time::Duration;

/// Bytes that are asked for at once.
const RANGE_BYTES: u64 = 8 * 1024 * 1024;
/// Objects that stores list at once.
const PAGE_MAX: usize = 1_000;
/// A store that fails for so long is not reached.
const RETRY_SECONDS: u64 = 30;

/// A bucket, or what is below a prefix of it.
struct Bucket<S> {
    store: S,
    client: Hyper,
    /// How messages call it.
    name: String,
    prefix: Option<String>,
    region: Option<String>,
    object_bytes_max: u64,
}

/// Opens a bucket that speaks the protocol of Amazon S3.
pub(super) fn s3(
    setting: &S3Setting,
    secret: Option<Secret<String>>,
) -> Result<Box<dyn Source>, SourceError> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&setting.bucket)
        .with_region(&setting.region)
        .with_virtual_hosted_style_request(!setting.path_style)
        .with_retry(retry());
    let plain = match &setting.endpoint {
        Some(endpoint) => {
            let (scheme, host) = parts(endpoint, setting.plain_http)?;
            let bucket = &setting.bucket;
            let address = match setting.path_style {
                true => format!("{scheme}://{host}"),
                false => format!("{scheme}://{bucket}.{host}"),
            };
            builder = builder.with_endpoint(address).with_allow_http(scheme == "http");
            scheme == "http"
        }
        None => false,
    };
    builder = match (&setting.access_key_id, secret) {
        (Some(id), Some(secret)) => {
            builder.with_access_key_id(id).with_secret_access_key(secret.expose())
        }
        (None, None) => builder.with_skip_signature(true),
        _ => return Err(SourceError::Setting("access_key_id")),
    };
    let client = Hyper::new(setting.authority.as_deref(), plain)?;
    let store = builder
        .with_http_connector(client.clone())
        .build()
        .map_err(|_| SourceError::Setting("bucket"))?;
    Ok(Box::new(Bucket {
        store,
        client,
        name: setting.bucket.clone(),
        prefix: setting.prefix.clone(),
        region: Some(setting.region.clone()),
        object_bytes_max: setting.object_bytes_max,
    }))
}

/// Opens a container of Azure Blob Storage.
pub(super) fn azure(
    setting: &AzureSetting,
    secret: Option<Secret<String>>,
) -> Result<Box<dyn Source>, SourceError> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(&setting.account)
        .with_container_name(&setting.container)
        .with_retry(retry());
    let mut plain = false;
    if let Some(endpoint) = &setting.endpoint {
        let (scheme, host) = parts(endpoint, setting.plain_http)?;
        plain = scheme == "http";
        builder = builder.with_endpoint(format!("{scheme}://{host}")).with_allow_http(plain);
    }
    builder = match secret {
        Some(key) => builder.with_access_key(key.expose()),
        None => builder.with_skip_signature(true),
    };
    let client = Hyper::new(setting.authority.as_deref(), plain)?;
    let store = builder
        .with_http_connector(client.clone())
        .build()
        .map_err(|_| SourceError::Setting("container"))?;
    Ok(Box::new(Bucket {
        store,
        client,
        name: setting.container.clone(),
        prefix: setting.prefix.clone(),
        region: setting.region.clone(),
        object_bytes_max: setting.object_bytes_max,
    }))
}

/// Opens a bucket of Google Cloud Storage; the secret is the key file of a service account, in
/// JSON.
pub(super) fn google(
    setting: &GoogleSetting,
    secret: Option<Secret<String>>,
) -> Result<Box<dyn Source>, SourceError> {
    let mut builder =
        GoogleCloudStorageBuilder::new().with_bucket_name(&setting.bucket).with_retry(retry());
    let mut plain = false;
    if let Some(endpoint) = &setting.endpoint {
        let (scheme, host) = parts(endpoint, setting.plain_http)?;
        plain = scheme == "http";
        builder = builder.with_base_url(&format!("{scheme}://{host}"));
    }
    builder = match secret {
        Some(key) => builder.with_service_account_key(key.expose().as_str()),
        None => builder.with_skip_signature(true),
    };
    let client = Hyper::new(setting.authority.as_deref(), plain)?;
    let store = builder
        .with_http_connector(client.clone())
        .build()
        .map_err(|_| SourceError::Setting("bucket"))?;
    Ok(Box::new(Bucket {
        store,
        client,
        name: setting.bucket.clone(),
        prefix: setting.prefix.clone(),
        region: setting.region.clone(),
        object_bytes_max: setting.object_bytes_max,
    }))
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

fn retry() -> RetryConfig {
    let retry_timeout = Duration::from_secs(RETRY_SECONDS);
    RetryConfig { max_retries: 4, retry_timeout, ..RetryConfig::default() }
}

impl<S: ObjectStore + PaginatedListStore> Source for Bucket<S> {
    fn list<'a>(&'a self, after: Option<&'a str>, max: usize) -> Pending<'a, Listing> {
        Box::pin(async move {
            let options = PaginatedListOptions {
                max_keys: Some(max.clamp(1, PAGE_MAX)),
                page_token: after.map(str::to_owned),
                ..PaginatedListOptions::default()
            };
            let page = self
                .store
                .list_paginated(self.prefix.as_deref(), options)
                .await
                .map_err(|error| self.failure(error, &self.name))?;
            let objects = page.result.objects.into_iter().map(|meta| self.object(meta)).collect();
            Ok(Listing { objects, next: page.page_token, unreadable: Vec::new() })
        })
    }

    fn open<'a>(&'a self, object: &'a Object) -> Pending<'a, Opened> {
        Box::pin(self.fetch(object))
    }
}

impl<S: ObjectStore> Bucket<S> {
    fn object(&self, meta: ObjectMeta) -> Object {
        let exposure = Exposure { region: self.region.clone(), ..Exposure::default() };
        let bytes = Some(meta.size);
        Object { name: meta.location.to_string(), bytes, version: meta.e_tag, exposure }
    }

    fn failure(&self, error: object_store::Error, name: &str) -> SourceError {
        use object_store::Error;
        let name = name.to_owned();
        match (error, self.client.status()) {
            (Error::NotFound { .. } | Error::Precondition { .. }, _) => SourceError::Gone(name),
            (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }, _) => {
                SourceError::Refused(name)
            }
            (Error::InvalidPath { .. }, _) => SourceError::Unreadable(name),
            (Error::Generic { .. }, 401 | 403) => SourceError::Refused(name),
            (Error::Generic { .. }, 404) => SourceError::Gone(name),
            _ => SourceError::Unreachable(name),
        }
    }

    async fn fetch(&self, object: &Object) -> Result<Opened, SourceError> {
        let gone = || SourceError::Gone(object.name.clone());
        let place = Path::parse(&object.name).map_err(|_| gone())?;
        let bytes = object.bytes.ok_or_else(gone)?;
        let wanted = bytes.min(self.object_bytes_max);
        let mut spool = Spool::new(wanted)?;
        let mut from = 0;
        while from < wanted {
            let to = from.saturating_add(RANGE_BYTES).min(wanted);
            let options = GetOptions {
                range: Some(GetRange::Bounded(from..to)),
                if_match: object.version.clone(),
                ..GetOptions::default()
            };
            let refused = |error| self.failure(error, &object.name);
            let piece = self.store.get_opts(&place, options).await.map_err(refused)?;
            let piece = tokio::time::timeout(Duration::from_secs(RETRY_SECONDS * 4), piece.bytes())
                .await
                .map_err(|_| SourceError::Unreachable(self.name.clone()))?
                .map_err(refused)?;
            spool.write(&piece)?;
            from = to;
        }
        let hint = object.name.rsplit('/').next().unwrap_or_default();
        spool.opened(hint, wanted < bytes)
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
