//! Where objects come from: one trait, one file for each kind of store.
//!
//! [`SourceSetting`] says where a store is; the one secret that opens it (a password, a secret
//! access key) is never part of it, so that a setting can be shown and stored as it is.

mod bucket;
mod bucket_list;
mod bucket_request;
mod folder;
mod git;
mod http;
mod mysql;
mod postgres;
mod postgres_tls;
mod setting;
mod spool;
mod tables;
mod throttle;
mod tls;

pub(crate) use folder::version_of;
pub use setting::{
    AzureSetting, DatabaseSetting, FolderSetting, GitSetting, GoogleSetting, S3Setting,
    SourceSetting, open,
};
pub use spool::{SPOOL_BYTES_MAX, SpoolRoom};
pub use throttle::{Rates, throttled};

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

/// What is known about who can reach an object, as its store tells it; `None` is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Exposure {
    /// Whether anybody at all can read it.
    pub public: Option<bool>,
    /// Who can read it: roles, groups or accounts, at most a hundred.
    pub readers: Vec<String>,
    /// Whether the store says that it encrypts it at rest.
    pub encrypted: Option<bool>,
    /// The key under which it is encrypted, as the store names it.
    pub key: Option<String>,
    /// The store's region, for the table of regions.
    pub region: Option<String>,
    /// Its owner, as the store names it.
    pub owner: Option<String>,
}

/// One thing that a source can open: a file, an object, a table, a version of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its name in the source, unique and stable: a path, a key, `schema.table`.
    pub name: String,
    /// Its size, if known before it is opened.
    pub bytes: Option<u64>,
    /// What changes whenever its content does (ETag, inode with time and size, LSN); `None` means
    /// that it has to be looked at each time.
    pub version: Option<String>,
    /// Who can reach it.
    pub exposure: Exposure,
}

/// A page of objects in the source's stable order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The objects.
    pub objects: Vec<Object>,
    /// From where to go on; `None` at the end.
    pub next: Option<String>,
    /// Places that could not be listed, and why; the scan reports them and goes on.
    pub unreadable: Vec<(String, String)>,
}

/// An opened object. What is far away is read by ranges as the worker asks for them; tables have no
/// places to ask for, and come as CSV with a header, spooled into anonymous memory under a limit of
/// the process.
#[derive(Debug)]
pub struct Opened {
    /// The bytes.
    pub content: Content,
    /// A name whose ending hints at the format.
    pub hint: String,
    /// The source gave a sample, not all of it.
    pub sampled: bool,
}

/// Where the bytes of an opened object are.
#[derive(Debug)]
pub enum Content {
    /// A file of this machine: the worker gets its descriptor.
    File(File),
    /// Anonymous memory, with its place in what the process may spool.
    Spooled(File, SpoolRoom),
    /// Elsewhere: the server fetches what the worker asks for.
    Ranges(Box<dyn Ranges>),
}

impl Content {
    /// The descriptor; none of what is elsewhere.
    #[must_use]
    pub fn into_file(self) -> Option<File> {
        match self {
            Self::File(file) | Self::Spooled(file, _) => Some(file),
            Self::Ranges(_) => None,
        }
    }
}

impl From<File> for Content {
    fn from(file: File) -> Self {
        Self::File(file)
    }
}

/// An object elsewhere, one version of it, read by ranges.
pub trait Ranges: Send + Sync + std::fmt::Debug {
    /// How many bytes may be asked for, from the start.
    fn bytes(&self) -> u64;

    /// All bytes of a range inside [`Ranges::bytes`].
    fn read(&self, range: Range<u64>) -> Pending<'_, Vec<u8>>;
}

/// The keys of a page of a list as an object store wrote it; none when it is no list. For whoever
/// tests what a store can send.
#[must_use]
pub fn keys_of_page(xml: &str) -> Option<Vec<String>> {
    let page = bucket_list::page(xml)?;
    Some(page.entries.into_iter().map(|entry| entry.key).collect())
}

/// Why a source cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The store cannot be reached.
    #[error("`{0}` cannot be reached")]
    Unreachable(String),
    /// The store refuses the credential or the right is missing.
    #[error("`{0}` refuses access")]
    Refused(String),
    /// The object is gone.
    #[error("`{0}` is gone")]
    Gone(String),
    /// The object or place cannot be read.
    #[error("`{0}` cannot be read")]
    Unreadable(String),
    /// A setting of the source is wrong.
    #[error("the setting `{0}` is wrong")]
    Setting(&'static str),
}

/// A future of a source.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>>;

/// A store of objects.
pub trait Source: Send + Sync {
    /// Lists at most `max` objects after a place that an earlier listing gave.
    fn list<'a>(&'a self, after: Option<&'a str>, max: usize) -> Pending<'a, Listing>;

    /// Opens an object for reading.
    fn open<'a>(&'a self, object: &'a Object) -> Pending<'a, Opened>;
}
