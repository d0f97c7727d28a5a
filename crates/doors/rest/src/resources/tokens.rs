//! API tokens: shown once, stored hashed, narrowed, ending.

use super::identities::{Holder, identity};
use crate::Rooms;
use crate::answer::{Created, CreatedShown, Done, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::fields::SecretText;
use crate::shape;
use crate::table::{Needs, Table, delete, get, post};
use access::{NewToken, Token};
use kernel::{Action, DomainId, Name, Principal, Problem, Timestamp, TokenId, actions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "tokens";

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::IdentityRead);
    let manage = Needs::Permit(Action::TokenManage);
    table.closed(AREA, get("/tokens", read, "Lists tokens, never their texts."), list);
    table.closed(
        AREA,
        post("/tokens", manage, "Makes a token; its text is shown once.").repeatable(),
        create,
    );
    table.closed(AREA, delete("/tokens/{token}", manage, "Revokes a token at once."), revoke);
}

/// A token without its text.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Token")]
struct TokenBody {
    /// Its identifier.
    #[schemars(with = "shape::Id<TokenId>")]
    id: TokenId,
    /// Whose it is.
    holder: String,
    /// What it is called.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// The actions it is good for; absent: all that its holder may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<String>>,
    /// The key domains it is good in; absent: all of its holder's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<shape::Id<DomainId>>>")]
    domains: Option<Vec<DomainId>>,
    /// When it ends.
    #[schemars(with = "shape::When")]
    ends: Timestamp,
    /// Whether it was revoked.
    revoked: bool,
}

impl From<Token> for TokenBody {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            holder: token.holder.to_string(),
            name: token.name,
            actions: token.actions,
            domains: token.domains,
            ends: token.expires_at,
            revoked: token.revoked.is_some(),
        }
    }
}

/// Tokens that the caller may see.
#[derive(Debug, Serialize, JsonSchema)]
struct TokenList {
    /// In the order of their making.
    items: Vec<TokenBody>,
}

/// Whose tokens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TokenQuery {
    /// Only tokens of this person or service.
    #[schemars(with = "Option<shape::Holder>")]
    holder: Option<Holder>,
}

async fn list(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, TokenQuery, ()>,
) -> Result<Json<TokenList>, Problem> {
    let permit = match call.query.holder {
        Some(holder) => rooms.permit::<actions::IdentityRead>(&call.caller, identity(holder))?,
        None => rooms.permit_in::<actions::IdentityRead>(&call.caller, DomainId::SYSTEM)?,
    };
    let items = rooms.access.tokens(permit).into_iter().map(TokenBody::from).collect();
    Ok(Json(TokenList { items }))
}

/// What a new token is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateTokenRequest {
    /// Whose it is to be; the caller's own when not said.
    #[schemars(with = "Option<shape::Holder>")]
    holder: Option<Holder>,
    /// What it is called.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// The actions it is good for; all that its holder may do when not said.
    #[schemars(with = "Option<Vec<shape::ActionWord>>")]
    actions: Option<Vec<String>>,
    /// The key domains it is good in; all of its holder's when not said.
    #[schemars(with = "Option<Vec<shape::Id<DomainId>>>")]
    domains: Option<Vec<DomainId>>,
    /// When it ends, at most a year ahead.
    #[schemars(with = "shape::When")]
    ends: Timestamp,
}

/// A new token.
#[derive(Debug, Serialize, JsonSchema)]
struct CreatedToken {
    /// Its identifier.
    #[schemars(with = "shape::Id<TokenId>")]
    id: TokenId,
    /// Its text, `lr_…`: send it as `Authorization: Bearer`. It is shown once.
    token: SecretText,
    /// When it ends.
    #[schemars(with = "shape::When")]
    ends: Timestamp,
}

fn action_of((index, word): (usize, String)) -> Result<Action, Problem> {
    let wrong = || Problem::field(format!("/actions/{index}"), "expected an action's word");
    Action::from_word(&word).ok_or_else(wrong)
}

/// The field at fault by the name that it has in this API.
fn in_our_words(cause: access::AccessError) -> Problem {
    let mut problem = Problem::from(cause);
    if let Some(field) = problem.fields.iter_mut().find(|field| field.pointer == "/expires_at") {
        field.pointer = "/ends".into();
        field.detail = field.detail.replace("`expires_at`", "`ends`");
        problem.detail = format!("`/ends`: {}", field.detail);
    }
    problem
}

async fn create(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<CreateTokenRequest>>,
) -> Result<CreatedShown<CreatedToken>, Problem> {
    let body = call.body.0;
    let actions = body.actions.map(|words| words.into_iter().enumerate().map(action_of).collect());
    let new = NewToken {
        name: body.name,
        actions: actions.transpose()?,
        domains: body.domains,
        expires_at: body.ends,
    };
    let holder = match (body.holder, call.caller.principal) {
        (Some(holder), _) => identity(holder),
        (None, Principal::Person(id)) => identity(id),
        (None, Principal::Service(id)) => identity(id),
        (None, Principal::System) => return Err(Problem::not_found("identity")),
    };
    let permit = rooms.permit::<actions::TokenManage>(&call.caller, holder)?;
    let made = rooms.access.create_token(permit, new, call.repeat).await.map_err(in_our_words)?;
    let token = SecretText::new(made.text.expose().clone());
    let body = CreatedToken { id: made.id, token, ends: made.expires_at };
    Ok(CreatedShown(Created { at: format!("/tokens/{}", made.id), body }))
}

/// A token in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TokenPath {
    /// The token.
    #[schemars(with = "shape::Id<TokenId>")]
    token: TokenId,
}

async fn revoke(
    rooms: Arc<Rooms>,
    call: Call<TokenPath, NoParameters, ()>,
) -> Result<Done, Problem> {
    let resource = identity(call.path.token);
    let permit = rooms.permit::<actions::TokenManage>(&call.caller, resource)?;
    rooms.access.revoke_token(permit).await?;
    Ok(Done)
}
