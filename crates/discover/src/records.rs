//! What is kept, sealed: sources, scans, states of objects, findings, what was decided.
//!
//! An object's real name is kept because an act needs it, and shown only as [`crate::shown_name`]
//! leaves it: a file may be called after a customer and the number of the identity card.

use crate::detectors::Detector;
use crate::edit::SourceEdited;
use crate::finding::{Finding, Handled};
use crate::judgement::FalsePositive;
use crate::profile::Profile;
use crate::profiles::OwnProfile;
use crate::scan::Scan;
use crate::source::SourceRecord;
use crate::summary::Summary;
use kernel::{DomainId, FindingId, ScanId, SourceId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use store::{Collection, IndexTerm};

/// The index by which a finding is found without its source.
const FINDING_INDEX: &str = "finding";
/// The index of a source's name within its key domain.
const NAME_INDEX: &str = "name";
/// The index of scans that are under way.
const RUNNING_INDEX: &str = "running";

/// Sources by identifier.
pub(crate) enum Sources {}

impl Collection for Sources {
    const NAME: &'static str = "data-sources";
    type Key = SourceId;
    type Value = SourceRecord;

    fn domain(source: &SourceRecord) -> DomainId {
        source.domain
    }
    fn indexes(source: &SourceRecord) -> Vec<IndexTerm> {
        vec![name_term(source.name.as_str(), source.domain).unique()]
    }
    fn sort_name(source: &SourceRecord) -> Option<Cow<'_, str>> {
        Some(source.name.as_str().into())
    }
}

pub(crate) fn name_term(name: &str, domain: DomainId) -> IndexTerm {
    IndexTerm::new(NAME_INDEX, name).within(domain)
}

/// Scans by source, oldest first.
pub(crate) enum Scans {}

impl Collection for Scans {
    const NAME: &'static str = "data-scans";
    type Key = (SourceId, ScanId);
    type Value = Scan;

    fn domain(scan: &Scan) -> DomainId {
        scan.domain
    }
    fn indexes(scan: &Scan) -> Vec<IndexTerm> {
        let mut terms = vec![IndexTerm::new("scan", scan.id.to_bytes())];
        if scan.is_running() {
            terms.push(running_term());
        }
        terms
    }
}

pub(crate) fn running_term() -> IndexTerm {
    IndexTerm::new(RUNNING_INDEX, "yes")
}

pub(crate) fn scan_term(id: ScanId) -> IndexTerm {
    IndexTerm::new("scan", id.to_bytes())
}

/// How an object was when it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectState {
    /// Its version then.
    pub(crate) version: Option<String>,
    /// With which detectors and which profile it was looked at.
    pub(crate) lens: [u8; 16],
    /// The pass of its source that last saw it.
    pub(crate) pass: u32,
    /// Whether something was found in it.
    pub(crate) finding: bool,
}

/// States of objects, by source and object.
pub(crate) enum ObjectStates {}

impl Collection for ObjectStates {
    const NAME: &'static str = "data-objects";
    type Key = (SourceId, FindingId);
    type Value = ObjectState;
}

/// Findings, by source and object: what was found in one object.
pub(crate) enum Findings {}

impl Collection for Findings {
    const NAME: &'static str = "data-findings";
    type Key = (SourceId, FindingId);
    type Value = Finding;

    fn domain(finding: &Finding) -> DomainId {
        finding.domain
    }
    fn indexes(finding: &Finding) -> Vec<IndexTerm> {
        let mut terms = vec![finding_term(finding.id)];
        if matches!(finding.handled, Some(Handled::Begun { .. })) {
            terms.push(begun_term());
        }
        terms
    }
    fn sort_name(finding: &Finding) -> Option<Cow<'_, str>> {
        // The highest risk first.
        let rank = 100u8.saturating_sub(finding.risk.score);
        Some(Cow::Owned(format!("{rank:03} {} {}", finding.source, finding.id)))
    }
}

/// Findings whose act was begun and not settled.
pub(crate) fn begun_term() -> IndexTerm {
    IndexTerm::new("begun", "yes")
}

pub(crate) fn finding_term(id: FindingId) -> IndexTerm {
    IndexTerm::new(FINDING_INDEX, id.to_bytes())
}

/// The identifier of what is found in one object of one source: always the same one.
pub(crate) fn object_id(source: SourceId, object: &str) -> FindingId {
    let mut bytes = source.to_bytes().to_vec();
    bytes.extend_from_slice(object.as_bytes());
    let hash = audit::Hash::of(&bytes).0;
    FindingId::from_bytes(hash.first_chunk().copied().unwrap_or_default())
}

/// What was said to be no find, by a hash of what it covers.
pub(crate) enum FalsePositives {}

impl Collection for FalsePositives {
    const NAME: &'static str = "data-false-positives";
    type Key = [u8; 32];
    type Value = FalsePositive;

    fn domain(judged: &FalsePositive) -> DomainId {
        judged.domain
    }
}

/// Detectors of the bank's own, by number.
pub(crate) enum Detectors {}

impl Collection for Detectors {
    const NAME: &'static str = "data-detectors";
    type Key = u16;
    type Value = Detector;
}

/// Profiles of the bank's own, by name.
pub(crate) enum Profiles {}

impl Collection for Profiles {
    const NAME: &'static str = "data-profiles";
    type Key = String;
    type Value = OwnProfile;
}

/// Versions of profiles as they were written, by [`profile_key`].
pub(crate) enum ProfileTexts {}

impl Collection for ProfileTexts {
    const NAME: &'static str = "data-profile-texts";
    type Key = [u8; 32];
    type Value = Profile;
}

/// The key of one version of a profile.
pub(crate) fn profile_key(name: &str, version: u32) -> [u8; 32] {
    audit::Hash::of(format!("{name}\n{version}").as_bytes()).0
}

/// The profile of sources that name none, when it is not the one that ships.
pub(crate) enum DefaultProfile {}

impl Collection for DefaultProfile {
    const NAME: &'static str = "data-default-profile";
    type Key = ();
    type Value = String;
}

/// Sources whose findings have to be labelled anew; kept until they are.
pub(crate) enum Relabels {}

impl Collection for Relabels {
    const NAME: &'static str = "data-relabels";
    type Key = SourceId;
    type Value = ();
}

/// What was changed about sources, by source and number.
pub(crate) enum SourceEdits {}

impl Collection for SourceEdits {
    const NAME: &'static str = "data-source-edits";
    type Key = (SourceId, u32);
    type Value = SourceEdited;
}

/// Where each source stands, kept up to date with its findings.
pub(crate) enum Summaries {}

impl Collection for Summaries {
    const NAME: &'static str = "data-summaries";
    type Key = SourceId;
    type Value = Summary;
}

/// The key of the fingerprints: equal values of this installation are told to be equal, and nobody
/// who has only the fingerprints can try values.
pub(crate) enum FingerprintKeys {}

impl Collection for FingerprintKeys {
    const NAME: &'static str = "data-fingerprint-key";
    type Key = ();
    type Value = [u8; 32];
}

/// Secrets that open sources, kept apart from what is shown.
pub(crate) enum SourceSecrets {}

impl Collection for SourceSecrets {
    const NAME: &'static str = "data-source-secrets";
    type Key = SourceId;
    type Value = String;
}

/// How often something said to be no find was taken back: every object is worth another look then.
pub(crate) enum TakenBack {}

impl Collection for TakenBack {
    const NAME: &'static str = "data-taken-back";
    type Key = ();
    type Value = u64;
}
