//! Health, the seal, and what the installation says about itself.

use crate::Rooms;
use crate::answer::{Done, Json, Text};
use crate::call::{Call, FromJson, NoParameters};
use crate::door::{Door, SealState};
use crate::fields::SecretText;
use crate::shape;
use crate::table::{HEALTH, Needs, Table, get, post};
use kernel::{Action, DomainId, Problem, Timestamp, actions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub(crate) fn lines(table: &mut Table) {
    let health = HEALTH;
    table.open(health, get("/healthz", Needs::Nobody, "Says that the process answers."), alive);
    table.open(
        health,
        get("/readyz", Needs::Nobody, "Says whether keys can be used: 503 while sealed."),
        ready,
    );
    let system = "system";
    table.open(
        system,
        get("/sys/seal-status", Needs::Nobody, "Says whether the installation is sealed."),
        seal_status,
    );
    table.open(
        system,
        post("/sys/unseal", Needs::Nobody, "Opens the seal with its passphrase."),
        unseal,
    );
    table.open(
        system,
        post(
            "/sys/seal",
            Needs::Permit(Action::SystemSeal),
            "Seals the installation at once: no key works until somebody unseals it.",
        ),
        seal,
    );
    let read = Needs::Permit(Action::SystemRead);
    table.closed(system, get("/sys/clock", read, "Says whether the clock is believed."), clock);
    let configure = Needs::Permit(Action::SystemConfigure);
    let confirm = post(
        "/sys/clock/confirm",
        configure,
        "Says that the clock was compared and is right: what waits for that goes on.",
    );
    table.closed(system, confirm, confirm_clock);
    table.open(
        health,
        get(
            "/metrics",
            Needs::Permit(Action::SystemRead),
            "Counts and latencies for Prometheus (text format 0.0.4).",
        ),
        metrics,
    );
}

type Plain = Call<NoParameters, NoParameters, ()>;

async fn alive(_: Arc<Door>, _: Plain) -> Result<Text, Problem> {
    Ok(Text("ok\n".into()))
}

async fn ready(door: Arc<Door>, _: Plain) -> Result<Text, Problem> {
    door.rooms().map(|_| Text("ready\n".into()))
}

/// Where the seal stands.
#[derive(Debug, Serialize, JsonSchema)]
struct SealStatus {
    /// Whether keys cannot be used.
    sealed: bool,
    /// What is needed to open it, while it is sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<SealNeeds>,
}

/// What opens a seal.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum SealNeeds {
    /// The passphrase, brought by a custodian.
    Passphrase,
    /// The key file, which could not be read or does not fit.
    KeyFile,
    /// Nothing but time: the installation is opening.
    Patience,
}

async fn seal_status(door: Arc<Door>, _: Plain) -> Result<Json<SealStatus>, Problem> {
    let needs = match door.ceremony.state() {
        SealState::Unsealed => None,
        SealState::Opening => Some(SealNeeds::Patience),
        SealState::SealedNeedsPassphrase => Some(SealNeeds::Passphrase),
        SealState::SealedNeedsKeyFile => Some(SealNeeds::KeyFile),
    };
    Ok(Json(SealStatus { sealed: needs.is_some(), needs }))
}

/// The passphrase of the seal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UnsealRequest {
    /// As it was chosen when the installation was made.
    passphrase: SecretText,
}

async fn unseal(
    door: Arc<Door>,
    call: Call<NoParameters, NoParameters, FromJson<UnsealRequest>>,
) -> Result<Done, Problem> {
    door.ceremony.unseal(call.body.0.passphrase.into_secret()).await?;
    Ok(Done)
}

async fn seal(door: Arc<Door>, call: Plain) -> Result<Done, Problem> {
    let rooms = door.rooms()?;
    let permit = rooms.permit_in::<actions::SystemSeal>(&call.caller, DomainId::SYSTEM)?;
    // First the keys are gone, then the record says so: sealing must not wait for a full disk.
    door.ceremony.seal().await?;
    rooms.note_read(permit);
    rooms.recorded().await?;
    Ok(Done)
}

/// The server's clock.
#[derive(Debug, Serialize, JsonSchema)]
struct ClockState {
    /// What it shows.
    #[schemars(with = "shape::When")]
    shows: Timestamp,
    /// Whether acts that cannot be undone happen by it. Not after it parted from the machine's own
    /// count by more than five seconds, until somebody confirms it.
    believed: bool,
    /// When it was found to have parted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::When>")]
    parted: Option<Timestamp>,
}

async fn clock(rooms: Arc<Rooms>, call: Plain) -> Result<Json<ClockState>, Problem> {
    let permit = rooms.permit_in::<actions::SystemRead>(&call.caller, DomainId::SYSTEM)?;
    let parted = rooms.keys.clock_diverged_at();
    rooms.note_read(permit);
    Ok(Json(ClockState { shows: rooms.clock.wall(), believed: parted.is_none(), parted }))
}

async fn confirm_clock(rooms: Arc<Rooms>, call: Plain) -> Result<Done, Problem> {
    let permit = rooms.permit_in::<actions::SystemConfigure>(&call.caller, DomainId::SYSTEM)?;
    rooms.keys.confirm_clock(permit).await?;
    Ok(Done)
}

async fn metrics(door: Arc<Door>, call: Plain) -> Result<Text, Problem> {
    let rooms = door.rooms()?;
    let permit = rooms.permit_in::<actions::SystemRead>(&call.caller, DomainId::SYSTEM)?;
    rooms.note_read(permit);
    let mut text = String::new();
    door.meters.write(&door.table, &mut text);
    rooms.meters(&mut text);
    Ok(Text(text))
}
