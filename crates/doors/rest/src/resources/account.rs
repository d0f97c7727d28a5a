//! What is the caller's own: password and device of one-time codes.
//!
//! Both old proofs are given again with each change. The session goes on under a new token, and
//! every other one ends.

use super::sessions::{SessionAnswer, begun};
use crate::Rooms;
use crate::answer::{CreatedShown, Shown};
use crate::call::{Call, FromJson, NoParameters};
use crate::fields::SecretText;
use crate::rooms::blocking;
use crate::shape;
use crate::table::{Needs, Table, post};
use access::OldProofs;
use kernel::{Problem, Secret, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "sessions";

pub(crate) fn lines(table: &mut Table) {
    let own = |path, summary| post(path, Needs::SignedIn, summary);
    table.closed(
        AREA,
        own("/account/password", "Changes one's own password; other sessions end."),
        change_password,
    );
    table.closed(
        AREA,
        own("/account/device/begin", "Begins to change one's own device: shows the new seed."),
        begin_device_change,
    );
    table.closed(
        AREA,
        own("/account/device", "Makes the new device the one that counts; other sessions end."),
        complete_device_change,
    );
}

/// The token of the session that changes: an API token changes no proofs.
fn session(bearer: Option<&Arc<Secret<String>>>) -> Result<String, Problem> {
    let wrong = || Problem::field("", "only a session can change proofs, a token cannot");
    let bearer = bearer.map(|bearer| bearer.expose()).ok_or_else(wrong)?;
    if bearer.starts_with(access::TOKEN_PREFIX) { Err(wrong()) } else { Ok(bearer.clone()) }
}

/// The old password with a code, and the new password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PasswordRequest {
    /// The password until now.
    current_password: SecretText,
    /// A one-time code that was not used before.
    code: SecretText,
    /// The new password.
    password: SecretText,
}

async fn change_password(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<PasswordRequest>>,
) -> Result<CreatedShown<SessionAnswer>, Problem> {
    let cookie = session(call.bearer.as_ref())?;
    let PasswordRequest { current_password, code, password } = call.body.0;
    let caller = Arc::clone(&call.caller);
    let changed = blocking(move || {
        let old = OldProofs { password: current_password.into_secret(), code: code.into_secret() };
        let (new, correlation) = (password.into_secret(), &caller.correlation);
        Ok(rooms.access.change_password(&cookie, &old, &new, caller.origin, correlation)?)
    })
    .await?;
    Ok(begun(&changed))
}

/// The proofs until now.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProofsRequest {
    /// The password.
    current_password: SecretText,
    /// A one-time code of the old device that was not used before.
    code: SecretText,
}

/// The seed for the new device, shown once.
#[derive(Debug, Serialize, JsonSchema)]
struct NewSeedAnswer {
    /// The seed in base32 (RFC 6238).
    seed: SecretText,
    /// The same as an `otpauth` address for a QR code.
    otpauth: SecretText,
    /// When its first code must have been given.
    #[schemars(with = "shape::When")]
    ends: Timestamp,
}

async fn begin_device_change(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<ProofsRequest>>,
) -> Result<Shown<NewSeedAnswer>, Problem> {
    let cookie = session(call.bearer.as_ref())?;
    let ProofsRequest { current_password, code } = call.body.0;
    let caller = Arc::clone(&call.caller);
    let shown = blocking(move || {
        let old = OldProofs { password: current_password.into_secret(), code: code.into_secret() };
        let (origin, correlation) = (caller.origin, &caller.correlation);
        Ok(rooms.access.begin_device_change(&cookie, &old, origin, correlation)?)
    })
    .await?;
    Ok(Shown(NewSeedAnswer {
        seed: SecretText::new(shown.seed.expose().clone()),
        otpauth: SecretText::new(shown.otpauth.expose().clone()),
        ends: shown.expires_at,
    }))
}

/// The first code of the new device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeviceRequest {
    /// A one-time code of the new seed.
    code: SecretText,
}

async fn complete_device_change(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<DeviceRequest>>,
) -> Result<CreatedShown<SessionAnswer>, Problem> {
    let cookie = session(call.bearer.as_ref())?;
    let code = call.body.0.code;
    let caller = Arc::clone(&call.caller);
    let changed = blocking(move || {
        let (code, correlation) = (code.into_secret(), &caller.correlation);
        Ok(rooms.access.complete_device_change(&cookie, &code, caller.origin, correlation)?)
    })
    .await?;
    Ok(begun(&changed))
}
