//! Signing in without a browser: a password and a one-time code become a token that lasts hours; a
//! one-time link lets a new person in.

use crate::Rooms;
use crate::answer::{Created, CreatedShown, Done, Json, Shown};
use crate::call::{Call, FromJson, NoParameters};
use crate::fields::SecretText;
use crate::rooms::blocking;
use crate::shape;
use crate::table::{Needs, Table, delete, get, post};
use access::{SignIn, SignedIn};
use kernel::{DomainId, Factor, Name, Problem, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "sessions";

pub(crate) fn lines(table: &mut Table) {
    table.closed(
        AREA,
        post("/sessions", Needs::Unsealed, "Signs a person in: password and one-time code."),
        sign_in,
    );
    table.closed(
        AREA,
        delete("/sessions/current", Needs::SignedIn, "Ends the session of this token."),
        sign_out,
    );
    table.closed(AREA, get("/whoami", Needs::SignedIn, "Says who the caller is."), whoami);
    table.closed(
        AREA,
        post(
            "/enrolments/begin",
            Needs::Unsealed,
            "Opens a one-time link: shows the seed of codes.",
        ),
        begin_enrolment,
    );
    table.closed(
        AREA,
        post(
            "/enrolments",
            Needs::Unsealed,
            "Uses a one-time link up: sets password and second factor, and signs in.",
        ),
        complete_enrolment,
    );
}

/// Password and one-time code.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignInRequest {
    /// The name to sign in with.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// The password.
    password: SecretText,
    /// The one-time code.
    code: SecretText,
}

/// A session that has begun.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SessionAnswer {
    /// The session's token: send it as `Authorization: Bearer`. It is shown once.
    token: SecretText,
    /// When it ends at the latest; earlier when it is not used.
    #[schemars(with = "shape::When")]
    ends: Timestamp,
}

pub(super) fn begun(signed_in: &SignedIn) -> CreatedShown<SessionAnswer> {
    let token = SecretText::new(signed_in.cookie.expose().clone());
    let body = SessionAnswer { token, ends: signed_in.expires_at };
    CreatedShown(Created { at: "/sessions/current".into(), body })
}

async fn sign_in(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<SignInRequest>>,
) -> Result<CreatedShown<SessionAnswer>, Problem> {
    let SignInRequest { name, password, code } = call.body.0;
    let (origin, caller) = (call.caller.origin, Arc::clone(&call.caller));
    let signed_in = blocking(move || {
        let (password, code) = (password.into_secret(), Some(code.into_secret()));
        let form = SignIn { name, password, code };
        Ok(rooms.access.sign_in(form, origin, &caller.correlation)?)
    })
    .await?;
    Ok(begun(&signed_in))
}

type Plain = Call<NoParameters, NoParameters, ()>;

async fn sign_out(rooms: Arc<Rooms>, call: Plain) -> Result<Done, Problem> {
    let wrong = || Problem::field("", "only a session can be ended; a token is revoked");
    let bearer = call.bearer.as_ref().ok_or_else(wrong)?;
    if bearer.expose().starts_with(access::TOKEN_PREFIX) {
        return Err(wrong());
    }
    let (origin, correlation) = (call.caller.origin, &call.caller.correlation);
    rooms.access.sign_out(bearer.expose(), origin, correlation).await?;
    Ok(Done)
}

/// Who the caller is.
#[derive(Debug, Serialize, JsonSchema)]
struct WhoAmI {
    /// The person or service.
    principal: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::Name>")]
    name: Option<Name>,
    /// Its home key domain.
    #[schemars(with = "shape::Id<DomainId>")]
    domain: DomainId,
    /// The proofs given.
    #[schemars(with = "Vec<shape::FactorWord>")]
    factors: Vec<Factor>,
    /// When the newest proof was given.
    #[schemars(with = "shape::When")]
    proven: Timestamp,
}

async fn whoami(rooms: Arc<Rooms>, call: Plain) -> Result<Json<WhoAmI>, Problem> {
    let caller = &call.caller;
    Ok(Json(WhoAmI {
        principal: caller.principal.to_string(),
        name: rooms.access.display_name(caller.principal),
        domain: caller.domain,
        factors: caller.factors.clone(),
        proven: caller.proven_at,
    }))
}

/// A one-time link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LinkRequest {
    /// The part that begins with `lri_`.
    link: SecretText,
}

/// The seed of one-time codes, shown once.
#[derive(Debug, Serialize, JsonSchema)]
struct EnrolmentAnswer {
    /// The name to sign in with.
    sign_in_name: String,
    /// The name on screen.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// The seed in base32 (RFC 6238).
    seed: SecretText,
    /// The same as an `otpauth` address for a QR code.
    otpauth: SecretText,
}

async fn begin_enrolment(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<LinkRequest>>,
) -> Result<Shown<EnrolmentAnswer>, Problem> {
    let link = call.body.0.link;
    let begun = rooms.access.begin_enrolment(link.secret().expose(), call.caller.origin).await?;
    Ok(Shown(EnrolmentAnswer {
        sign_in_name: begun.sign_in_name.as_str().to_owned(),
        name: begun.name,
        seed: SecretText::new(begun.seed.expose().clone()),
        otpauth: SecretText::new(begun.otpauth.expose().clone()),
    }))
}

/// A link with a password and the first one-time code.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EnrolmentRequest {
    /// The part that begins with `lri_`.
    link: SecretText,
    /// The new password.
    password: SecretText,
    /// A one-time code of the new seed.
    code: SecretText,
}

async fn complete_enrolment(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<EnrolmentRequest>>,
) -> Result<CreatedShown<SessionAnswer>, Problem> {
    let EnrolmentRequest { link, password, code } = call.body.0;
    let (origin, caller) = (call.caller.origin, Arc::clone(&call.caller));
    let signed_in = blocking(move || {
        let (link, password, code) = (link.secret(), password.secret(), code.secret());
        let correlation = &caller.correlation;
        let access = &rooms.access;
        Ok(access.complete_enrolment(link.expose(), password, code, origin, correlation)?)
    })
    .await?;
    Ok(begun(&signed_in))
}
