//! Where a store is and how to reach it, as a customer says it.

use super::{Source, SourceError, bucket, folder, git, mysql, postgres};
use kernel::Secret;
use serde::{Deserialize, Serialize};

/// A store, without the secret that opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SourceSetting {
    /// A folder of this machine, or one that is mounted here; no secret.
    Folder(FolderSetting),
    /// A Git repository on this machine, with its whole history; no secret.
    Git(GitSetting),
    /// A bucket of Amazon S3 or of what speaks its protocol (MinIO, Ceph, Alibaba Cloud OSS); the
    /// secret is the secret access key.
    S3(S3Setting),
    /// A container of Azure Blob Storage; the secret is an access key of the account.
    Azure(AzureSetting),
    /// A bucket of Google Cloud Storage; the secret is a service account's key file in JSON.
    Google(GoogleSetting),
    /// A PostgreSQL database; the secret is the user's password.
    Postgres(DatabaseSetting),
    /// The databases of a MySQL or MariaDB server; the secret is the user's password.
    Mysql(DatabaseSetting),
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderSetting {
    /// Its absolute path on the machine that scans.
    pub path: String,
    /// Whether to go on into other file systems that are mounted below it.
    #[serde(default)]
    pub other_file_systems: bool,
}

/// A Git repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitSetting {
    /// Its absolute path on the machine that scans.
    pub path: String,
    /// Whether it has no working tree: the path itself is what `.git` would be.
    #[serde(default)]
    pub bare: bool,
}

/// A bucket that speaks the protocol of Amazon S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Setting {
    /// The bucket.
    pub bucket: String,
    /// Its region, for the signature and for the table of regions.
    pub region: String,
    /// The service's address without the bucket; none is Amazon's own for the region.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Whether the bucket stands in the path and not in the host's name, as MinIO and Ceph want it.
    #[serde(default)]
    pub path_style: bool,
    /// Whose key the secret is; without it the bucket is read as anybody would.
    #[serde(default)]
    pub access_key_id: Option<String>,
    /// Only what begins so.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Whether an address without TLS is taken although it is another machine's.
    #[serde(default)]
    pub plain_http: bool,
    /// The authority to believe, in PEM; none is those that this machine believes.
    #[serde(default)]
    pub authority: Option<String>,
    /// Of larger objects the beginning is looked at, in bytes; at most a gigabyte.
    #[serde(default = "object_bytes_max")]
    pub object_bytes_max: u64,
}

/// A container of Azure Blob Storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AzureSetting {
    /// The storage account.
    pub account: String,
    /// The container.
    pub container: String,
    /// The region as Azure names it, for the table of regions.
    #[serde(default)]
    pub region: Option<String>,
    /// The service's address with the account; none is Azure's own.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Only what begins so.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Whether an address without TLS is taken although it is another machine's.
    #[serde(default)]
    pub plain_http: bool,
    /// The authority to believe, in PEM; none is those that this machine believes.
    #[serde(default)]
    pub authority: Option<String>,
    /// Of larger objects the beginning is looked at, in bytes; at most a gigabyte.
    #[serde(default = "object_bytes_max")]
    pub object_bytes_max: u64,
}

/// A bucket of Google Cloud Storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoogleSetting {
    /// The bucket.
    pub bucket: String,
    /// The region as Google names it, for the table of regions.
    #[serde(default)]
    pub region: Option<String>,
    /// The service's address; none is Google's own.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Only what begins so.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Whether an address without TLS is taken although it is another machine's.
    #[serde(default)]
    pub plain_http: bool,
    /// The authority to believe, in PEM; none is those that this machine believes.
    #[serde(default)]
    pub authority: Option<String>,
    /// Of larger objects the beginning is looked at, in bytes; at most a gigabyte.
    #[serde(default = "object_bytes_max")]
    pub object_bytes_max: u64,
}

/// A database server. Other machines are asked for TLS always; this one is asked without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSetting {
    /// The server's name or address.
    pub host: String,
    /// Its port; none is the usual one.
    #[serde(default)]
    pub port: Option<u16>,
    /// The database; MySQL reads all that the user can see when there is none.
    #[serde(default)]
    pub database: Option<String>,
    /// The user, which needs no right but to read.
    pub user: String,
    /// The authority to believe, in PEM; none is those that this machine believes.
    #[serde(default)]
    pub authority: Option<String>,
    /// Larger tables are sampled to about this size, in bytes; at most 64 MiB.
    #[serde(default = "table_bytes_max")]
    pub table_bytes_max: u64,
    /// A statement that takes longer is ended, in seconds.
    #[serde(default = "statement_seconds_max")]
    pub statement_seconds_max: u32,
}

/// Most documents, workbooks and mailboxes are smaller.
const fn object_bytes_max() -> u64 {
    256 * 1024 * 1024
}

/// Some hundred thousand rows: enough to know a column with great confidence.
const fn table_bytes_max() -> u64 {
    32 * 1024 * 1024
}

/// A sample is read in seconds; ten minutes are for a server under load.
const fn statement_seconds_max() -> u32 {
    600
}

/// Opens a store. Nothing is asked of a remote one before the first listing.
///
/// # Errors
/// When a setting is wrong, or a secret is missing or superfluous.
pub async fn open(
    setting: &SourceSetting,
    secret: Option<Secret<String>>,
) -> Result<Box<dyn Source>, SourceError> {
    let needed = |secret: Option<Secret<String>>| secret.ok_or(SourceError::Setting("secret"));
    match setting {
        SourceSetting::Folder(folder) if secret.is_none() => {
            Ok(Box::new(folder::Folder::new(folder)?))
        }
        SourceSetting::Git(repository) if secret.is_none() => {
            Ok(Box::new(git::Git::new(repository)?))
        }
        SourceSetting::Folder(_) | SourceSetting::Git(_) => Err(SourceError::Setting("secret")),
        SourceSetting::S3(bucket) => bucket::s3(bucket, secret),
        SourceSetting::Azure(container) => bucket::azure(container, secret),
        SourceSetting::Google(bucket) => bucket::google(bucket, secret),
        SourceSetting::Postgres(database) => {
            Ok(Box::new(postgres::Postgres::new(database, needed(secret)?)?))
        }
        SourceSetting::Mysql(database) => {
            Ok(Box::new(mysql::Mysql::new(database, needed(secret)?)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_strictly_and_shows_no_secret() {
        let text =
            r#"{"kind":"s3","bucket":"b","region":"ap-east-1","endpoint":"http://localhost:1"}"#;
        let setting: SourceSetting = serde_json::from_str(text).unwrap();
        let again = serde_json::to_string(&setting).unwrap();
        assert_eq!(serde_json::from_str::<SourceSetting>(&again).unwrap(), setting);
        for wrong in [
            r#"{"kind":"s3","bucket":"b","region":"r","secret":"s"}"#,
            r#"{"kind":"folder"}"#,
            r#"{"kind":"tape","path":"/"}"#,
            r#"{"path":"/"}"#,
        ] {
            assert!(serde_json::from_str::<SourceSetting>(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_secret_too_many_or_too_few_is_refused() {
        let secret = || Some(Secret::new("s".to_owned()));
        let folder = SourceSetting::Folder(FolderSetting {
            path: "/tmp".to_owned(),
            other_file_systems: false,
        });
        assert!(open(&folder, None).await.is_ok());
        assert!(open(&folder, secret()).await.is_err());
        let bucket = r#"{"kind":"s3","bucket":"b","region":"r"}"#;
        let mut bucket: SourceSetting = serde_json::from_str(bucket).unwrap();
        assert!(open(&bucket, None).await.is_ok());
        assert!(open(&bucket, secret()).await.is_err());
        if let SourceSetting::S3(setting) = &mut bucket {
            setting.access_key_id = Some("AKIA".to_owned());
        }
        assert!(open(&bucket, secret()).await.is_ok());
        for kind in ["postgres", "mysql"] {
            let text =
                format!(r#"{{"kind":"{kind}","host":"localhost","user":"u","database":"d"}}"#);
            let database: SourceSetting = serde_json::from_str(&text).unwrap();
            assert!(open(&database, None).await.is_err());
            assert!(open(&database, secret()).await.is_ok());
        }
    }
}
