//! The register of sources: added and removed.

use crate::discover::{Discover, Inner};
use crate::error::DiscoverError;
use crate::records::{
    Findings, ObjectStates, Relabels, Scans, SourceEdits, SourceSecrets, Sources, Summaries,
};
use crate::source::{
    EVERY_MINUTES_MAX, EVERY_MINUTES_MIN, NewSource, SourceRecord, THROTTLE_BYTES_MIN,
};
use crate::summary::Summary;
use inventory::{AssetKind, AssetRef};
use kernel::actions::DataSource;
use kernel::{Outcome, Permit, Secret, SourceId};
use store::{Batch, Expect, KeyRange, StoreError};

/// Most sources of one installation.
pub const SOURCES_MAX: usize = 2_000;
/// Longest secret of a source, in bytes: a private key in PEM fits.
pub const SECRET_BYTES_MAX: usize = 16 * 1024;

impl Discover {
    /// Adds a source in the permit's key domain. Nothing is asked of it before its first scan.
    ///
    /// # Errors
    /// When a value breaks a rule, the name is taken, or the store fails.
    pub async fn add_source(
        &self,
        permit: Permit<DataSource>,
        new: NewSource,
        secret: Option<Secret<String>>,
    ) -> Result<SourceRecord, DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        check(&new, secret.as_ref())?;
        inner.profile(new.profile.as_deref())?;
        if inner.store.count::<Sources>() >= SOURCES_MAX as u64 {
            return Err(DiscoverError::TooMany("sources"));
        }
        let copy = secret.as_ref().map(|secret| Secret::new(secret.expose().clone()));
        drop(inner.opener.open(&new.setting, copy).await?);
        let id = SourceId::generate(&*inner.clock, &*inner.rng)?;
        let own = || id.to_string().parse().map(|name| AssetRef::new(AssetKind::DataStore, name));
        let asset = match new.asset {
            Some(asset) => asset,
            None => own().map_err(|_| DiscoverError::NoSource)?,
        };
        let source = SourceRecord {
            id,
            domain: permit.resource().domain,
            name: new.name,
            setting: new.setting,
            profile: new.profile,
            every_minutes: new.every_minutes,
            bytes_per_second: new.bytes_per_second,
            owner: new.owner,
            asset,
            provider: new.provider,
            region: new.region,
            added_at: inner.clock.wall(),
            added_by: permit.caller().principal,
            passes: 0,
            scanned_at: None,
            edits: 0,
        };
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("source", id.to_string())
            .with("name", source.name.as_str())
            .with("asset", source.asset.to_string());
        let mut batch = Batch::new()
            .put::<Sources>(&id, &source, Expect::Absent)
            .put::<Summaries>(&id, &Summary::default(), Expect::Absent)
            .guard(guard)
            .event(event);
        if let Some(secret) = secret {
            batch = batch.put::<SourceSecrets>(&id, secret.expose(), Expect::Absent);
        }
        match inner.store.commit(batch).await {
            Ok(_) => Ok(source),
            Err(StoreError::NotUnique { .. }) => Err(DiscoverError::NameTaken),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Removes a source with its findings and scans. What it told the inventory stays as history.
    ///
    /// # Errors
    /// When it is being scanned, there is none, or the store fails.
    pub async fn remove_source(&self, permit: Permit<DataSource>) -> Result<(), DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let record = inner.source_of(&permit)?;
        let id = record.key;
        if inner.running().contains_key(&id) {
            return Err(DiscoverError::Scanning);
        }
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("name", record.value.name.as_str())
            .with("removed", "true");
        let batch = Batch::new()
            .delete::<Sources>(&id, Expect::Version(record.version))
            .delete::<SourceSecrets>(&id, Expect::Any)
            .delete::<Summaries>(&id, Expect::Any)
            .delete::<Relabels>(&id, Expect::Any)
            .guard(guard)
            .event(event);
        inner.store.commit(batch).await?;
        // What belongs to it follows page by page; whatever is left of a crash harms nobody.
        inner.drop_all::<Findings>(id).await?;
        inner.drop_all::<ObjectStates>(id).await?;
        inner.drop_all::<SourceEdits>(id).await?;
        inner.drop_all::<Scans>(id).await
    }
}

pub(crate) fn check(new: &NewSource, secret: Option<&Secret<String>>) -> Result<(), DiscoverError> {
    let every = new.every_minutes;
    if every.is_some_and(|every| !(EVERY_MINUTES_MIN..=EVERY_MINUTES_MAX).contains(&every)) {
        let rule = "is 15 minutes to a year";
        return Err(DiscoverError::Value { field: "/every_minutes", rule });
    }
    if new.bytes_per_second.is_some_and(|rate| rate < THROTTLE_BYTES_MIN) {
        let rule = "is at least 16,384";
        return Err(DiscoverError::Value { field: "/bytes_per_second", rule });
    }
    if secret.is_some_and(|secret| secret.expose().len() > SECRET_BYTES_MAX) {
        let rule = "has at most 16 KiB";
        return Err(DiscoverError::Value { field: "/secret", rule });
    }
    if let Some(asset) = &new.asset
        && !matches!(
            asset.kind,
            AssetKind::DataStore | AssetKind::FileSet | AssetKind::ColumnSet | AssetKind::Backup
        )
    {
        let rule = "is a data-store, file-set, column-set or backup";
        return Err(DiscoverError::Value { field: "/asset", rule });
    }
    Ok(())
}

impl Inner {
    async fn drop_all<C>(&self, source: SourceId) -> Result<(), DiscoverError>
    where
        C: store::Collection,
        C::Key: store::RecordKey,
    {
        loop {
            let found = self.store.scan::<C>(&KeyRange::prefix(&source), 1_000)?;
            if found.is_empty() {
                return Ok(());
            }
            let batch = found.iter().fold(Batch::new(), |b, r| b.delete::<C>(&r.key, Expect::Any));
            self.store.commit(batch).await?;
        }
    }
}
