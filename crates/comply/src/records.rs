//! Runs, standings and the profile as the store keeps them.

use crate::profile::Profile;
use crate::run::CheckRun;
use crate::standing::Standing;
use kernel::{LogPosition, Principal, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Collection;

/// Every run of the checks, in the order of time.
pub(crate) enum CheckRuns {}

impl Collection for CheckRuns {
    const NAME: &'static str = "check-runs";
    type Key = RunId;
    type Value = CheckRun;
}

/// Where in the log a run was recorded: written right after it, and found again in the log if that
/// was interrupted.
pub(crate) enum RunPositions {}

impl Collection for RunPositions {
    const NAME: &'static str = "check-run-positions";
    type Key = RunId;
    type Value = LogPosition;
}

/// The newest run.
pub(crate) enum LatestRun {}

impl Collection for LatestRun {
    const NAME: &'static str = "check-run-latest";
    type Key = ();
    type Value = RunId;
}

/// What the bank decided, by requirement.
pub(crate) enum Standings {}

impl Collection for Standings {
    const NAME: &'static str = "requirement-standings";
    type Key = String;
    type Value = Standing;
}

/// The institution's profile with who set it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ProfileSet {
    pub(crate) profile: Profile,
    pub(crate) by: Principal,
    pub(crate) at: Timestamp,
}

/// The institution's profile.
pub(crate) enum Profiles {}

impl Collection for Profiles {
    const NAME: &'static str = "institution-profile";
    type Key = ();
    type Value = ProfileSet;
}
