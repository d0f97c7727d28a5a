//! What others must approve first: stopping a key, letting it work again, destroying it, giving it
//! out.

use super::keys::{KeyPath, ReasonRequest, no_reason_to_wait};
use crate::Rooms;
use crate::answer::{Json, Shown};
use crate::call::{Call, FromJson, NoParameters};
use crate::fields::Base64;
use crate::shape;
use crate::table::{Needs, Table, post};
use kernel::{Action, KeyId, Name, Problem, Timestamp, VersionNo, actions};
use keys::{Destroy, Destroyed, Export, Reason, Resume, Suspend, Switched};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "keys";

pub(crate) fn lines(table: &mut Table) {
    let on = |path, action, summary| post(path, Needs::Permit(action), summary);
    table.closed(
        AREA,
        on("/keys/{key}/suspend", Action::KeySuspend, "Stops a key at once; others approve."),
        suspend,
    );
    table.closed(
        AREA,
        on("/keys/{key}/resume", Action::KeyResume, "Lets a key work again; others approve."),
        resume,
    );
    table.closed(
        AREA,
        on("/keys/{key}/destroy", Action::KeyDestroy, "Asks for destruction; others approve."),
        destroy,
    );
    table.closed(
        AREA,
        on(
            "/keys/{key}/export",
            Action::KeyExport,
            "Gives a key out, wrapped for the holder of an RSA key; others approve.",
        ),
        export,
    );
}

/// Why a key is stopped, and what stops with it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuspendBody {
    /// Why.
    #[schemars(with = "shape::Text")]
    reason: Reason,
    /// What will stop, as shown to those who approve.
    #[serde(default)]
    #[schemars(with = "Vec<shape::Name>", length(max = keys::STOPS_MAX))]
    stops: Vec<Name>,
}

impl From<SuspendBody> for Suspend {
    fn from(body: SuspendBody) -> Self {
        Self { reason: body.reason, stops: body.stops }
    }
}

/// Why a key may work again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResumeBody {
    /// Why.
    #[schemars(with = "shape::Text")]
    pub(super) reason: Reason,
}

/// What a suspension or resumption did.
#[derive(Debug, Serialize, JsonSchema)]
struct SwitchedAnswer {
    /// The keys that changed.
    #[schemars(with = "Vec<shape::Id<KeyId>>")]
    keys: Vec<KeyId>,
    /// When it was decided.
    #[schemars(with = "shape::When")]
    decided: Timestamp,
    /// From the arrival of the request to the moment when it was durable, in microseconds.
    took_micros: u64,
    /// What stops, as the request said.
    #[schemars(with = "Vec<shape::Name>")]
    stops: Vec<Name>,
}

impl From<Switched> for SwitchedAnswer {
    fn from(switched: Switched) -> Self {
        Self {
            keys: switched.keys.into_iter().map(|one| one.key).collect(),
            decided: switched.decided_at,
            took_micros: switched.took_micros,
            stops: switched.stops,
        }
    }
}

async fn suspend(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, NoParameters, FromJson<SuspendBody>>,
) -> Result<Json<SwitchedAnswer>, Problem> {
    let request = Suspend::from(call.body.0);
    let mut tries = 0;
    loop {
        let permit = rooms.key_permit::<actions::KeySuspend>(&call.caller, call.path.key)?;
        match rooms.keys.suspend(permit, &request).await {
            Err(cause) if no_reason_to_wait(&cause, &mut tries) => {}
            done => return Ok(Json(done?.into())),
        }
    }
}

async fn resume(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, NoParameters, FromJson<ResumeBody>>,
) -> Result<Json<SwitchedAnswer>, Problem> {
    let request = Resume { reason: call.body.0.reason };
    let mut tries = 0;
    loop {
        let permit = rooms.key_permit::<actions::KeyResume>(&call.caller, call.path.key)?;
        match rooms.keys.resume(permit, &request).await {
            Err(cause) if no_reason_to_wait(&cause, &mut tries) => {}
            done => return Ok(Json(done?.into())),
        }
    }
}

/// How far a destruction has come.
#[derive(Debug, Serialize, JsonSchema)]
struct DestroyAnswer {
    /// `scheduled`: it waits and can be taken back; `done`: the material is gone.
    destruction: &'static str,
    /// The earliest end of the waiting period, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::When>")]
    not_before: Option<Timestamp>,
}

impl From<Destroyed> for DestroyAnswer {
    fn from(destroyed: Destroyed) -> Self {
        match destroyed {
            Destroyed::Scheduled { not_before } => {
                Self { destruction: "scheduled", not_before: Some(not_before) }
            }
            Destroyed::Done { .. } => Self { destruction: "done", not_before: None },
        }
    }
}

async fn destroy(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, NoParameters, FromJson<ReasonRequest>>,
) -> Result<Json<DestroyAnswer>, Problem> {
    let request = Destroy { reason: call.body.0.reason };
    let mut tries = 0;
    loop {
        let permit = rooms.key_permit::<actions::KeyDestroy>(&call.caller, call.path.key)?;
        match rooms.keys.destroy(permit, &request).await {
            Err(cause) if no_reason_to_wait(&cause, &mut tries) => {}
            done => return Ok(Json(done?.into())),
        }
    }
}

/// To whom a key is given out, and why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportBody {
    /// The recipient's RSA public key: SubjectPublicKeyInfo in DER, 2048 bits or more.
    recipient: Base64,
    /// The version; the one that protects when not said.
    #[schemars(with = "Option<shape::Version>")]
    version: Option<VersionNo>,
    /// Why.
    #[schemars(with = "shape::Text")]
    reason: Reason,
}

impl From<ExportBody> for Export {
    fn from(body: ExportBody) -> Self {
        let recipient_der = body.recipient.bytes().to_vec();
        Self { recipient_der, version: body.version, reason: body.reason }
    }
}

/// A key on its way out.
#[derive(Debug, Serialize, JsonSchema)]
struct ExportAnswer {
    /// RSA-OAEP of a fresh AES-256 key, then the material under it (RFC 5649): the bytes of
    /// PKCS #11's `CKM_RSA_AES_KEY_WRAP`.
    wrapped: Base64,
    /// The version that left.
    #[schemars(with = "u32")]
    version: VersionNo,
}

async fn export(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, NoParameters, FromJson<ExportBody>>,
) -> Result<Shown<ExportAnswer>, Problem> {
    let request = Export::from(call.body.0);
    let mut tries = 0;
    loop {
        let permit = rooms.key_permit::<actions::KeyExport>(&call.caller, call.path.key)?;
        match rooms.keys.export(permit, &request).await {
            Err(cause) if no_reason_to_wait(&cause, &mut tries) => {}
            done => {
                let done = done?;
                let wrapped = done.wrapped.expose_once(|bytes| Base64::new(bytes.to_vec()));
                return Ok(Shown(ExportAnswer { wrapped, version: done.version }));
            }
        }
    }
}
