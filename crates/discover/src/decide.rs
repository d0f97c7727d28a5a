//! Decisions about findings: what is no find, and which risk is accepted until when.

use crate::discover::{Discover, Inner};
use crate::error::DiscoverError;
use crate::finding::{Acceptance, Finding, Judge};
use crate::judgement::{FALSE_POSITIVES_MAX, FalsePositive, Judged, NoFind};
use crate::profile::Tally;
use crate::records::{FalsePositives, Findings, ObjectStates, Sources, Summaries, TakenBack};
use extract::{Fingerprint, KindName};
use kernel::actions::{DataDecide, DataRead};
use kernel::limits::TEXT_CHARS_MAX;
use kernel::{
    DomainId, Event, Outcome, Permit, Recorder, Resource, ResourceKind, SourceId, Timestamp,
};
use std::collections::{BTreeSet, HashSet};
use store::{Batch, Expect, KeyRange, Record, StoreError};

/// Longest time for which a risk is accepted, in days: somebody looks again within a year.
pub const ACCEPT_DAYS_MAX: i64 = 366;
/// How often a change of a finding is tried anew when a scan wrote it meanwhile.
const TRIES_MAX: u32 = 5;
/// Findings to which a decision is applied in one commit.
const APPLIED_AT_ONCE: usize = 200;

/// What a person says is no find, on one finding.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "what")]
pub enum SaidNoFind {
    /// This value, wherever it occurs.
    Value {
        /// The kind.
        kind: KindName,
        /// The value's fingerprint, as a sample of the finding shows it.
        fingerprint: Fingerprint,
    },
    /// Columns of this name in the finding's source.
    Column {
        /// The column's name.
        column: String,
        /// The kind.
        kind: KindName,
    },
    /// This kind in the finding's object.
    Object {
        /// The kind.
        kind: KindName,
    },
}

impl SaidNoFind {
    fn on(self, finding: &Finding) -> NoFind {
        let source = finding.source;
        match self {
            Self::Value { kind, fingerprint } => NoFind::Value { kind, fingerprint },
            Self::Column { column, kind } => NoFind::Column { source, column, kind },
            Self::Object { kind } => NoFind::Object { source, object: finding.id, kind },
        }
    }
}

impl Finding {
    /// Sets aside what was said to be no find; says whether anything was.
    fn set_aside(&mut self, said: &NoFind) -> bool {
        let columns: u64 = match said {
            NoFind::Column { source, column, kind } if *source == self.source => self
                .columns
                .iter()
                .filter(|one| one.name == *column && one.kind == *kind)
                .map(|one| one.matching)
                .fold(0, u64::saturating_add),
            _ => 0,
        };
        let (source, id) = (self.source, self.id);
        let Some(found) = self.kinds.iter_mut().find(|found| found.kind == said.kind()) else {
            return false;
        };
        let before = found.tally;
        match said {
            NoFind::Object { source: of, object, .. } if *of == source && *object == id => {
                found.tally = Tally::default();
            }
            NoFind::Value { fingerprint, .. } => {
                let known = found.samples.iter().filter(|s| s.fingerprint == *fingerprint).count();
                found.samples.retain(|sample| sample.fingerprint != *fingerprint);
                if known > 0 && before.distinct <= 1 {
                    found.tally = Tally::default();
                } else if known > 0 {
                    found.tally = before.without(known as u64, 1);
                }
            }
            NoFind::Column { .. } => found.tally = before.without(columns, columns),
            NoFind::Object { .. } => {}
        }
        let fewer = before.all() - found.tally.all();
        found.set_aside = found.set_aside.saturating_add(fewer);
        fewer > 0
    }
}

impl Discover {
    /// Says that something on the permit's finding is no find. It holds at once wherever it applies
    /// among the findings that are there, and for every scan to come.
    ///
    /// # Errors
    /// When the finding holds nothing of it, the reason is empty or too long, or the store fails.
    pub async fn no_find(
        &self,
        permit: Permit<DataDecide>,
        said: SaidNoFind,
        reason: &str,
    ) -> Result<Finding, DiscoverError> {
        self.live(&permit)?;
        let reason = text(reason)?;
        let inner = &self.inner;
        if inner.store.count::<FalsePositives>() >= FALSE_POSITIVES_MAX as u64 {
            return Err(DiscoverError::TooMany("false positives"));
        }
        let record = inner.finding_of(&permit)?;
        let no_find = said.on(&record.value);
        if !record.value.clone().set_aside(&no_find) {
            let rule = "the finding holds nothing of it that is not set aside already";
            return Err(DiscoverError::Value { field: "/no_find", rule });
        }
        let judged = FalsePositive {
            domain: record.value.domain,
            no_find: no_find.clone(),
            by: permit.caller().principal,
            at: inner.clock.wall(),
            reason,
        };
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("decision", "false-positive")
            .with("kind", String::from(no_find.kind()))
            .with("scope", scope(&no_find))
            .with("reason", judged.reason.clone());
        let first = || {
            Batch::new()
                .put::<FalsePositives>(&no_find.key(), &judged, Expect::Any)
                .guard(guard)
                .event(event.clone())
        };
        let changed = inner.change(record.key, first, |finding| {
            finding.set_aside(&no_find);
            Ok(())
        });
        let finding = changed.await?;
        inner.apply_everywhere(&no_find).await?;
        Ok(finding)
    }

    /// What was said to be no find, in the key domains that the caller may see.
    ///
    /// # Errors
    /// When the permit has expired or the store cannot be read.
    pub fn no_finds(&self, permit: Permit<DataRead>) -> Result<Vec<FalsePositive>, DiscoverError> {
        self.live(&permit)?;
        let scope = permit.scope();
        let mut all = Vec::new();
        let mut range = KeyRange::all();
        loop {
            let found = self.inner.store.scan::<FalsePositives>(&range, 1_000)?;
            let Some(last) = found.last() else { break };
            range = range.after(&last.key);
            all.extend(found.into_iter().map(|r| r.value).filter(|one| scope.allows(one.domain)));
        }
        self.inner.store.record(permit.into_event(Outcome::Done, &*self.inner.clock));
        Ok(all)
    }

    /// Takes back everything that was said to be no find in the permit's object. The next scan
    /// looks at every object anew.
    ///
    /// # Errors
    /// When nothing was said about it, or the store fails.
    pub async fn take_back(&self, permit: Permit<DataDecide>) -> Result<(), DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let finding = inner.finding_of(&permit)?.value;
        let mut batch = Batch::new();
        let mut count = 0u64;
        for kind in finding.kinds.iter().map(|found| found.kind) {
            let (source, object) = (finding.source, finding.id);
            let said = NoFind::Object { source, object, kind };
            if inner.store.get::<FalsePositives>(&said.key())?.is_some() {
                batch = batch.delete::<FalsePositives>(&said.key(), Expect::Any);
                count += 1;
            }
            for column in finding.columns.iter().filter(|column| column.kind == kind) {
                let column = column.name.clone();
                let said = NoFind::Column { source, column, kind };
                if inner.store.get::<FalsePositives>(&said.key())?.is_some() {
                    batch = batch.delete::<FalsePositives>(&said.key(), Expect::Any);
                    count += 1;
                }
            }
        }
        if count == 0 {
            return Err(DiscoverError::Standing(finding.standing().word()));
        }
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("decision", "taken-back")
            .with("taken-back", count.to_string());
        let batch = batch
            .and(inner.look_at_all_again()?)
            .delete::<ObjectStates>(&(finding.source, finding.id), Expect::Any)
            .guard(guard)
            .event(event);
        inner.store.commit(batch).await?;
        Ok(())
    }

    /// The key domain in which something was said to be no find; the caller's own where there is
    /// no such thing, as a refusal would look.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn no_find_resource(&self, name: &str, own: DomainId) -> Result<Resource, DiscoverError> {
        let found = self.inner.no_find_of(name)?;
        let domain = found.map_or(own, |record| record.value.domain);
        Ok(Resource::new(ResourceKind::Data, name, domain))
    }

    /// Withdraws one thing that was said to be no find, by the name that the list gives it. The
    /// next scan looks at every object anew.
    ///
    /// # Errors
    /// When there is no such thing, the reason is empty or too long, or the store fails.
    pub async fn withdraw(
        &self,
        permit: Permit<DataDecide>,
        reason: &str,
    ) -> Result<FalsePositive, DiscoverError> {
        self.live(&permit)?;
        let reason = text(reason)?;
        let inner = &self.inner;
        let record = inner.no_find_of(&permit.resource().id)?.ok_or(DiscoverError::NoNoFind)?;
        if record.value.domain != permit.resource().domain {
            return Err(DiscoverError::NoNoFind);
        }
        let said = record.value;
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("decision", "withdrawn")
            .with("kind", String::from(said.no_find.kind()))
            .with("scope", scope(&said.no_find))
            .with("reason", reason);
        let batch = inner.look_at_all_again()?;
        let batch = batch
            .delete::<FalsePositives>(&record.key, Expect::Version(record.version))
            .guard(guard)
            .event(event);
        inner.store.commit(batch).await?;
        Ok(said)
    }

    /// Accepts the risk of the permit's finding until a day; afterwards it is open again.
    ///
    /// # Errors
    /// When the day is not within a year, the reason is empty or too long, or the store fails.
    pub async fn accept(
        &self,
        permit: Permit<DataDecide>,
        until: Timestamp,
        reason: &str,
    ) -> Result<Finding, DiscoverError> {
        self.live(&permit)?;
        let reason = text(reason)?;
        let inner = &self.inner;
        let now = inner.clock.wall();
        if until <= now || until > now.plus_days(ACCEPT_DAYS_MAX) {
            let rule = "is a time within the next 366 days";
            return Err(DiscoverError::Value { field: "/until", rule });
        }
        let key = inner.finding_of(&permit)?.key;
        let by = permit.caller().principal;
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("decision", "accept")
            .with("until", until.rfc3339())
            .with("reason", reason.clone());
        let accepted = Acceptance { by, at: now, until, reason };
        inner
            .change(
                key,
                || Batch::new().guard(guard).event(event.clone()),
                |finding| {
                    finding.accepted = Some(accepted.clone());
                    Ok(())
                },
            )
            .await
    }

    /// Opens the permit's finding again before its acceptance runs out.
    ///
    /// # Errors
    /// When its risk is not accepted, the reason is empty or too long, or the store fails.
    pub async fn reopen(
        &self,
        permit: Permit<DataDecide>,
        reason: &str,
    ) -> Result<Finding, DiscoverError> {
        self.live(&permit)?;
        let reason = text(reason)?;
        let inner = &self.inner;
        let record = inner.finding_of(&permit)?;
        if record.value.accepted.is_none() {
            return Err(DiscoverError::Standing(record.value.standing().word()));
        }
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("decision", "reopen")
            .with("reason", reason);
        inner
            .change(
                record.key,
                || Batch::new().guard(guard).event(event.clone()),
                |finding| {
                    finding.accepted = None;
                    Ok(())
                },
            )
            .await
    }
}

/// A reason of 1 to 2,000 characters.
pub(crate) fn text(reason: &str) -> Result<String, DiscoverError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > TEXT_CHARS_MAX {
        let rule = "is a text of 1 to 2,000 characters";
        return Err(DiscoverError::Value { field: "/reason", rule });
    }
    Ok(reason.to_owned())
}

/// Forgets how the objects of these findings were when they hold the kind.
fn look_again(found: &[Record<Findings>], kind: KindName) -> Batch {
    let holds = |record: &&Record<Findings>| record.value.kinds.iter().any(|k| k.kind == kind);
    found
        .iter()
        .filter(holds)
        .fold(Batch::new(), |batch, record| batch.delete::<ObjectStates>(&record.key, Expect::Any))
}

const fn scope(said: &NoFind) -> &'static str {
    match said {
        NoFind::Value { .. } => "value",
        NoFind::Column { .. } => "column",
        NoFind::Object { .. } => "object",
    }
}

impl Inner {
    fn no_find_of(&self, name: &str) -> Result<Option<Record<FalsePositives>>, DiscoverError> {
        let mut key = [0; 32];
        let digits = name.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).ok());
        let bytes: Option<Vec<u8>> = digits.map(|two| u8::from_str_radix(two?, 16).ok()).collect();
        match bytes {
            Some(bytes) if bytes.len() == key.len() && name.len() == 2 * key.len() => {
                key.copy_from_slice(&bytes);
                Ok(self.store.get::<FalsePositives>(&key)?)
            }
            _ => Ok(None),
        }
    }

    /// Makes every object worth another look.
    fn look_at_all_again(&self) -> Result<Batch, DiscoverError> {
        let taken = self.store.get::<TakenBack>(&())?;
        let expect = taken.as_ref().map_or(Expect::Absent, |taken| Expect::Version(taken.version));
        let times = taken.map_or(0, |taken| taken.value).saturating_add(1);
        Ok(Batch::new().put::<TakenBack>(&(), &times, expect))
    }

    /// Changes one finding with what rests on it, in one commit with `first`; anew when a scan
    /// wrote it meanwhile.
    pub(crate) async fn change(
        &self,
        key: (SourceId, kernel::FindingId),
        first: impl Fn() -> Batch + Send,
        apply: impl Fn(&mut Finding) -> Result<(), DiscoverError> + Send,
    ) -> Result<Finding, DiscoverError> {
        let mut tries = 1;
        loop {
            let record = self.store.get::<Findings>(&key)?.ok_or(DiscoverError::NoFinding)?;
            let (batch, finding) = self.changed(vec![record], &apply)?;
            match self.store.commit(first().and(batch)).await {
                Ok(_) => return finding.into_iter().next().ok_or(DiscoverError::NoFinding),
                Err(StoreError::VersionConflict { .. }) if tries < TRIES_MAX => tries += 1,
                Err(cause) => return Err(cause.into()),
            }
        }
    }

    /// Findings of one source after a change, with the batch that writes them and their summary.
    pub(crate) fn changed(
        &self,
        records: Vec<Record<Findings>>,
        apply: &impl Fn(&mut Finding) -> Result<(), DiscoverError>,
    ) -> Result<(Batch, Vec<Finding>), DiscoverError> {
        let Some(source) = records.first().map(|record| record.value.source) else {
            return Ok((Batch::new(), Vec::new()));
        };
        let kept = self.store.get::<Sources>(&source)?.ok_or(DiscoverError::NoSource)?.value;
        let (profile, judged) = (self.profile(kept.profile.as_deref())?, Judged::default());
        let place = kept.place(&self.regions);
        let judge = Judge { profile: &profile, judged: &judged, place: &place };
        let summary = self.store.get::<Summaries>(&source)?.ok_or(DiscoverError::NoSource)?;
        let (version, mut summary) = (summary.version, summary.value);
        let (mut batch, mut after) = (Batch::new(), Vec::new());
        for record in records {
            let mut finding = record.value;
            summary.remove(&finding);
            apply(&mut finding)?;
            finding.assess(&judge);
            summary.add(&finding);
            batch = batch.put::<Findings>(&record.key, &finding, Expect::Version(record.version));
            after.push(finding);
        }
        let batch = batch.put::<Summaries>(&source, &summary, Expect::Version(version));
        Ok((batch, after))
    }

    /// Has objects looked at again that hold a kind of which values were said to be none since a
    /// scan began: it still counted them.
    pub(crate) async fn look_again_since(
        &self,
        source: SourceId,
        then: &Judged,
    ) -> Result<(), DiscoverError> {
        let known: HashSet<_> = then.values().into_iter().map(|one| (one.0, one.1.0)).collect();
        let now = self.judged()?.values();
        let fresh: BTreeSet<KindName> =
            now.into_iter().filter(|o| !known.contains(&(o.0, o.1.0))).map(|o| o.0).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let mut range = KeyRange::prefix(&source);
        loop {
            let found = self.store.scan::<Findings>(&range, APPLIED_AT_ONCE)?;
            let Some(last) = found.last() else { return Ok(()) };
            range = range.after(&last.key);
            for kind in &fresh {
                self.store.commit(look_again(&found, *kind)).await?;
            }
        }
    }

    /// Applies what was said to be no find to every finding that is there.
    async fn apply_everywhere(&self, said: &NoFind) -> Result<(), DiscoverError> {
        let sources: Vec<SourceId> = match said {
            NoFind::Object { .. } => return Ok(()),
            NoFind::Column { source, .. } => vec![*source],
            NoFind::Value { .. } => {
                let all = self.store.scan::<Sources>(&KeyRange::all(), usize::MAX)?;
                all.into_iter().map(|record| record.key).collect()
            }
        };
        for source in sources {
            let mut range = KeyRange::prefix(&source);
            loop {
                let mut found = self.store.scan::<Findings>(&range, APPLIED_AT_ONCE)?;
                let Some(last) = found.last() else { break };
                let next = range.clone().after(&last.key);
                // A finding keeps a few values of many: the next scan counts them anew.
                let anew = match said {
                    NoFind::Value { kind, .. } => look_again(&found, *kind),
                    NoFind::Column { .. } | NoFind::Object { .. } => Batch::new(),
                };
                self.store.commit(anew).await?;
                found.retain(|record| record.value.clone().set_aside(said));
                if !found.is_empty() {
                    let told = Event::system("data.decision-applied", self.clock.wall())
                        .with("source", source.to_string())
                        .with("findings", found.len().to_string());
                    let (batch, _) = self.changed(found, &|finding: &mut Finding| {
                        finding.set_aside(said);
                        Ok(())
                    })?;
                    match self.store.commit(batch.event(told)).await {
                        Ok(_) => {}
                        // A scan wrote one of them: this page is read again.
                        Err(StoreError::VersionConflict { .. }) => continue,
                        Err(cause) => return Err(cause.into()),
                    }
                }
                range = next;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_text() {
        assert_eq!(text(" because ").unwrap(), "because");
        assert!(text("  ").is_err());
        assert!(text(&"x".repeat(TEXT_CHARS_MAX + 1)).is_err());
    }
}
