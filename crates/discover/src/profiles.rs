//! Profiles of the bank's own: written, tried, put in force; every version is kept.
//!
//! The one that ships is always there to return to. A source follows the profile that it names, or
//! the default; what it follows is the version that is in force, never one that is only written.

use crate::class::Class;
use crate::detectors::Detector;
use crate::discover::{Discover, Inner};
use crate::error::DiscoverError;
use crate::finding::Standing;
use crate::profile::{Profile, ProfileError};
use crate::records::{
    DefaultProfile, Findings, ProfileTexts, Profiles, Relabels, Sources, profile_key,
};
use kernel::actions::{DataRead, DataSource};
use kernel::{FindingId, Outcome, Permit, Principal, Recorder, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Batch, Expect, KeyRange};

/// Most profiles of the bank's own.
pub const PROFILES_MAX: usize = 50;
/// Most versions of one profile: one a day for more than a year.
pub const PROFILE_VERSIONS_MAX: u32 = 500;
/// Findings on which a profile is tried before it is in force.
pub const TRIED_FINDINGS_MAX: usize = 20_000;
/// Findings that are read at once when a profile is tried.
const READ_AT_ONCE: usize = 500;

/// One version of a profile: who wrote it, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileVersion {
    /// Its number, from 1.
    pub version: u32,
    /// When it was written.
    pub at: Timestamp,
    /// By whom.
    pub by: Principal,
    /// Why.
    pub reason: String,
    /// What is different from the version before, a few words each.
    pub changes: Vec<String>,
}

/// A profile of the bank's own, without its rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnProfile {
    /// The version that is in force, if one ever was put there.
    pub(crate) in_force: Option<u32>,
    /// The title of the newest version.
    pub(crate) title: String,
    /// Its versions, oldest first.
    pub(crate) versions: Vec<ProfileVersion>,
}

/// A profile as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProfileView {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub title: String,
    /// Whether it ships with this version; then it has no versions of its own.
    pub ships: bool,
    /// Whether sources that name no profile follow it.
    pub default: bool,
    /// The version that is in force.
    pub in_force: Option<u32>,
    /// Its versions, newest first.
    pub versions: Vec<ProfileVersion>,
    /// Sources that name it.
    pub named_by: u64,
}

/// Findings that a profile would label otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Their class now.
    pub from: Class,
    /// Their class by the profile that is tried.
    pub to: Class,
    /// How many.
    pub findings: u64,
    /// One of them.
    pub example: FindingId,
}

/// What a profile would do with what was found already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProfileTrial {
    /// Findings that were looked at; those that are gone are not.
    pub findings: u64,
    /// Whether there are more than were looked at.
    pub more: bool,
    /// What would change.
    pub moves: Vec<Move>,
}

/// By which profile a text is tried.
#[derive(Debug, Clone, Copy)]
pub enum Under<'a> {
    /// The one in force of this name; the default when none is named.
    Named(Option<&'a str>),
    /// This one, which is nowhere kept.
    Draft(&'a Profile),
}

impl Discover {
    /// Every profile, the one that ships first.
    ///
    /// # Errors
    /// When the permit has expired or the store cannot be read.
    pub fn profiles(&self, permit: Permit<DataRead>) -> Result<Vec<ProfileView>, DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let own = inner.store.scan::<Profiles>(&KeyRange::all(), PROFILES_MAX)?;
        let names = std::iter::once(inner.builtin.name.clone());
        let names = names.chain(own.into_iter().map(|record| record.key));
        let views: Result<Vec<_>, _> = names.map(|name| inner.profile_view(&name)).collect();
        inner.store.record(permit.into_event(Outcome::Done, &*inner.clock));
        views
    }

    /// A profile with the rules of a version: the one in force when none is said, else the newest.
    ///
    /// # Errors
    /// When there is none, the permit has expired or the store cannot be read.
    pub fn profile_text(
        &self,
        permit: Permit<DataRead>,
        name: &str,
        version: Option<u32>,
    ) -> Result<(ProfileView, Profile), DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let view = inner.profile_view(name)?;
        let newest = view.versions.first().map(|newest| newest.version);
        let profile = match version.or(view.in_force).or(newest) {
            Some(version) if !view.ships => inner.profile_version(name, version)?,
            _ => inner.builtin.clone(),
        };
        inner.store.record(permit.into_event(Outcome::Done, &*inner.clock));
        Ok((view, profile))
    }

    /// Writes a version of a profile. Nothing follows it before it is put in force.
    ///
    /// # Errors
    /// When it has the name of the one that ships, changes nothing, breaks a limit, or the store
    /// fails.
    pub async fn write_profile(
        &self,
        permit: Permit<DataSource>,
        profile: Profile,
        reason: &str,
    ) -> Result<ProfileVersion, DiscoverError> {
        self.live(&permit)?;
        let reason = crate::decide::text(reason)?;
        let inner = &self.inner;
        let profile = profile.checked()?;
        let fault = |rule| ProfileError::Field { pointer: "/name".to_owned(), rule };
        if profile.name == inner.builtin.name {
            return Err(fault("is the name of the profile that ships; take another").into());
        }
        let name = profile.name.clone();
        let kept = inner.store.get::<Profiles>(&name)?;
        if kept.is_none() && inner.store.count::<Profiles>() >= PROFILES_MAX as u64 {
            return Err(DiscoverError::TooMany("profiles"));
        }
        let expect = kept.as_ref().map_or(Expect::Absent, |kept| Expect::Version(kept.version));
        let empty = || OwnProfile { in_force: None, title: String::new(), versions: Vec::new() };
        let mut own = kept.map_or_else(empty, |kept| kept.value);
        let newest = own.versions.last().map_or(0, |newest| newest.version);
        if newest >= PROFILE_VERSIONS_MAX {
            return Err(DiscoverError::TooMany("versions of the profile"));
        }
        let before = match newest {
            0 => inner.builtin.clone(),
            newest => inner.profile_version(&name, newest)?,
        };
        let changes = profile.changes(&before);
        if newest > 0 && changes.is_empty() {
            return Err(fault("says the same as its newest version").into());
        }
        let (at, by) = (inner.clock.wall(), permit.caller().principal);
        let version = ProfileVersion { version: newest + 1, at, by, reason, changes };
        own.title.clone_from(&profile.title);
        own.versions.push(version.clone());
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("profile", name.as_str())
            .with("version", version.version.to_string())
            .with("changes", shortened(&version.changes))
            .with("reason", version.reason.clone());
        let key = profile_key(&name, version.version);
        let batch = Batch::new()
            .put::<ProfileTexts>(&key, &profile, Expect::Any)
            .put::<Profiles>(&name, &own, expect)
            .guard(guard)
            .event(event);
        inner.store.commit(batch).await?;
        Ok(version)
    }

    /// Puts a version in force: for the sources that name the profile, and `everywhere` for those
    /// that name none. Findings are labelled anew without a scan.
    ///
    /// # Errors
    /// When there is no such version, the reason is empty or too long, or the store fails.
    pub async fn put_in_force(
        &self,
        permit: Permit<DataSource>,
        name: &str,
        version: Option<u32>,
        everywhere: bool,
        reason: &str,
    ) -> Result<ProfileView, DiscoverError> {
        self.live(&permit)?;
        let reason = crate::decide::text(reason)?;
        let inner = &self.inner;
        let view = inner.profile_view(name)?;
        let mut batch = Batch::new();
        let newest = view.versions.first().map(|newest| newest.version);
        let chosen = if view.ships { None } else { version.or(newest) };
        if let Some(chosen) = chosen {
            inner.profile_version(name, chosen)?;
            let missing = || DiscoverError::NoProfile(name.to_owned());
            let kept = inner.store.get::<Profiles>(&name.to_owned())?.ok_or_else(missing)?;
            let own = OwnProfile { in_force: Some(chosen), ..kept.value };
            batch = batch.put::<Profiles>(&name.to_owned(), &own, Expect::Version(kept.version));
        }
        if everywhere {
            batch = match view.ships {
                true => batch.delete::<DefaultProfile>(&(), Expect::Any),
                false => batch.put::<DefaultProfile>(&(), &name.to_owned(), Expect::Any),
            };
        }
        let sources =
            inner.store.scan::<Sources>(&KeyRange::all(), crate::register::SOURCES_MAX)?;
        let sources: Vec<_> = sources.into_iter().map(|record| record.key).collect();
        for source in &sources {
            batch = batch.put::<Relabels>(source, &(), Expect::Any);
        }
        let guard = permit.guard();
        let shown = chosen.map_or_else(|| "as it ships".to_owned(), |chosen| chosen.to_string());
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("profile", name)
            .with("in-force", shown)
            .with("everywhere", everywhere.to_string())
            .with("reason", reason);
        inner.store.commit(batch.guard(guard).event(event)).await?;
        inner.relabel_soon(sources);
        inner.profile_view(name)
    }

    /// What a profile would do with the findings that the caller may see; nothing is changed.
    ///
    /// # Errors
    /// When the profile breaks a limit, the permit has expired or the store cannot be read.
    pub fn try_profile(
        &self,
        permit: Permit<DataRead>,
        profile: Profile,
    ) -> Result<ProfileTrial, DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let profile = inner.with_detectors(profile.checked()?)?;
        let scope = permit.scope();
        let mut trial = ProfileTrial { findings: 0, more: false, moves: Vec::new() };
        let mut moves: BTreeMap<(Class, Class), (u64, FindingId)> = BTreeMap::new();
        let mut range = KeyRange::all();
        loop {
            let found = inner.store.scan::<Findings>(&range, READ_AT_ONCE)?;
            let Some(last) = found.last() else { break };
            range = range.after(&last.key);
            if trial.findings >= TRIED_FINDINGS_MAX as u64 {
                trial.more = true;
                break;
            }
            for finding in found.into_iter().map(|record| record.value) {
                if !scope.allows(finding.domain) || finding.standing() == Standing::Gone {
                    continue;
                }
                trial.findings += 1;
                let to = profile.classify(&finding.tallies()).class;
                if to != finding.class {
                    moves.entry((finding.class, to)).or_insert((0, finding.id)).0 += 1;
                }
            }
        }
        let line = |((from, to), (findings, example))| Move { from, to, findings, example };
        trial.moves = moves.into_iter().map(line).collect();
        inner.store.record(permit.into_event(Outcome::Done, &*inner.clock));
        Ok(trial)
    }
}

/// Changes for the log, where a text has its limit.
fn shortened(changes: &[String]) -> String {
    let mut text: String = changes.join(", ").chars().take(1_000).collect();
    if text.is_empty() {
        text.push_str("none");
    }
    text
}

impl Inner {
    /// The profile by which a source is labelled, with the rules of the bank's own detectors.
    pub(crate) fn profile(&self, name: Option<&str>) -> Result<Profile, DiscoverError> {
        let default = match name {
            Some(_) => None,
            None => self.store.get::<DefaultProfile>(&())?.map(|record| record.value),
        };
        let name = name.map(str::to_owned).or(default);
        let profile = match name {
            None => self.builtin.clone(),
            Some(name) if name == self.builtin.name => self.builtin.clone(),
            Some(name) => {
                let kept = self.store.get::<Profiles>(&name)?;
                match kept.and_then(|kept| kept.value.in_force) {
                    Some(version) => self.profile_version(&name, version)?,
                    None => return Err(no_profile(&name)),
                }
            }
        };
        self.with_detectors(profile)
    }

    pub(crate) fn with_detectors(&self, mut profile: Profile) -> Result<Profile, DiscoverError> {
        profile.rules.extend(self.all_detectors()?.iter().map(Detector::classifies));
        Ok(profile)
    }

    fn profile_version(&self, name: &str, version: u32) -> Result<Profile, DiscoverError> {
        let found = self.store.get::<ProfileTexts>(&profile_key(name, version))?;
        found.map(|record| record.value).ok_or_else(|| no_profile(name))
    }

    fn profile_view(&self, name: &str) -> Result<ProfileView, DiscoverError> {
        let ships = name == self.builtin.name;
        let own = match ships {
            true => None,
            false => {
                let found = self.store.get::<Profiles>(&name.to_owned())?;
                Some(found.ok_or_else(|| no_profile(name))?.value)
            }
        };
        let default = self.store.get::<DefaultProfile>(&())?.map(|record| record.value);
        let default = default.as_deref().map_or(ships, |default| default == name);
        let sources = self.store.scan::<Sources>(&KeyRange::all(), crate::register::SOURCES_MAX)?;
        let named = sources.iter().filter(|one| one.value.profile.as_deref() == Some(name));
        let named_by = named.count() as u64;
        Ok(match own {
            None => ProfileView {
                name: name.to_owned(),
                title: self.builtin.title.clone(),
                ships,
                default,
                in_force: None,
                versions: Vec::new(),
                named_by,
            },
            Some(OwnProfile { in_force, title, mut versions }) => {
                versions.reverse();
                let name = name.to_owned();
                ProfileView { name, title, ships, default, in_force, versions, named_by }
            }
        })
    }
}

fn no_profile(name: &str) -> DiscoverError {
    DiscoverError::NoProfile(name.chars().take(128).collect())
}
