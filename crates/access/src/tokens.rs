//! API tokens: shown once, stored as a keyed hash, narrowed to actions and key domains, with an
//! end.
//!
//! ```text
//! lr_06xk…26 characters…_43 characters of base64url
//!    the token's identifier  256 random bits
//! ```

use crate::AccessError;
use crate::access::{Access, Change, holder_of};
use crate::directory::Directory;
use crate::identity::Made;
use kernel::actions::{IdentityRead, TokenManage};
use kernel::{
    Action, Credential, CredentialScope, DomainId, Name, Outcome, Permit, Principal, Secret,
    Timestamp, TokenId,
};
use serde::{Deserialize, Serialize};
use store::Repeat;
use store::{Batch, Collection, Expect, IndexTerm};

/// What every token begins with, so that scanners for leaked secrets find it.
pub const TOKEN_PREFIX: &str = "lr_";
/// Longest life of a token.
pub const TOKEN_DAYS_MAX: i64 = 366;
/// Most tokens of one holder that are not over.
pub const TOKENS_MAX: usize = 64;
/// The use of a token is written down at most this often.
pub const TOKEN_USE_SECONDS: i64 = 3_600;

/// A token as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token {
    /// Its identifier, the first part of its text.
    pub id: TokenId,
    /// Whose it is.
    pub holder: Principal,
    /// What it is called.
    pub name: Name,
    /// Words of the actions it is good for; `None` means all that its holder may do.
    pub actions: Option<Vec<String>>,
    /// The key domains it is good for; `None` means all of its holder's.
    pub domains: Option<Vec<DomainId>>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to the hour.
    #[serde(skip)]
    pub used_at: Option<Timestamp>,
    /// Who made it.
    pub made: Made,
    /// Who revoked it.
    pub revoked: Option<Made>,
    pub(crate) hash: [u8; 32],
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Token {
    /// Whether it is accepted at a time.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires_at
    }

    /// Its limits as a caller carries them. A word that this release does not know gives nothing.
    #[must_use]
    pub fn scope(&self) -> CredentialScope {
        let known =
            |words: &Vec<String>| words.iter().filter_map(|w| Action::from_word(w)).collect();
        CredentialScope {
            credential: Some(Credential::Token(self.id)),
            actions: self.actions.as_ref().map(known),
            domains: self.domains.clone(),
        }
    }
}

/// Tokens, by id.
#[derive(Debug)]
pub(crate) enum Tokens {}
impl Collection for Tokens {
    const NAME: &'static str = "access.tokens";
    type Key = TokenId;
    type Value = Token;
    fn indexes(token: &Token) -> Vec<IndexTerm> {
        vec![IndexTerm::new("holder", token.holder.to_string())]
    }
}

/// When tokens were last used, by token: written without an event, so apart from the token itself.
#[derive(Debug)]
pub(crate) enum TokenUses {}
impl Collection for TokenUses {
    const NAME: &'static str = "access.token-uses";
    type Key = TokenId;
    type Value = Timestamp;
}

/// What a new token shall be good for.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is called.
    pub name: Name,
    /// Only these actions; `None` means all that its holder may do.
    pub actions: Option<Vec<Action>>,
    /// Only these key domains; `None` means all of its holder's.
    pub domains: Option<Vec<DomainId>>,
    /// When it ends, at most [`TOKEN_DAYS_MAX`] days ahead.
    pub expires_at: Timestamp,
}

/// A token that was just made: the only time that its text is seen.
#[derive(Debug)]
pub struct MadeToken {
    /// Its identifier.
    pub id: TokenId,
    /// Its text, `lr_…`.
    pub text: Secret<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Takes a text apart; any text may come here.
pub(crate) fn parse(text: &str) -> Option<(TokenId, Secret<String>)> {
    let (id, secret) = text.strip_prefix(TOKEN_PREFIX)?.split_once('_')?;
    let id = format!("{}_{id}", TokenId::PREFIX).parse().ok()?;
    (secret.len() == 43).then(|| (id, Secret::new(secret.to_owned())))
}

impl Access {
    /// Makes a token for the holder whom the permit names: a person or a service.
    ///
    /// # Errors
    /// When the date or the number of tokens is beyond its limit, or the store does not take it;
    /// [`AccessError::ShownOnce`] when the same request was done before.
    pub async fn create_token(
        &self,
        permit: Permit<TokenManage>,
        new: NewToken,
        repeat: Option<Repeat>,
    ) -> Result<MadeToken, AccessError> {
        if self.answered_before::<_, TokenId>(&permit, repeat.as_ref())?.is_some() {
            self.answer_again(permit).await?;
            return Err(AccessError::ShownOnce);
        }
        let (permit, holder) = self.checked(permit, |permit| self.check_token(permit, &new))?;
        let id = TokenId::generate(self.clock(), self.rng())?;
        let secret = self.room().new_token()?;
        let words = |actions: Vec<Action>| actions.iter().map(|a| a.word().to_owned()).collect();
        let token = Token {
            id,
            holder,
            name: new.name,
            actions: new.actions.map(words),
            domains: new.domains,
            expires_at: new.expires_at,
            used_at: None,
            made: self.made_by(&permit),
            revoked: None,
            hash: self.room().hash_token(&secret),
        };
        let id_text = id.to_string();
        let bare = id_text.strip_prefix("tok_").unwrap_or(&id_text);
        let text = Secret::new(format!("{TOKEN_PREFIX}{bare}_{}", secret.expose()));
        let guard = permit.guard();
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &id));
        let event = permit
            .into_event(Outcome::Done, self.clock())
            .with("token", id_text.as_str())
            .with("holder", holder.to_string())
            .with("expires_at", token.expires_at.rfc3339())
            .with("actions", token.actions.as_ref().map_or_else(|| "all".into(), |a| a.join(" ")));
        let batch =
            Batch::new().put::<Tokens>(&id, &token, Expect::Absent).event(event).guard(guard);
        let expires_at = token.expires_at;
        let keep = |d: &mut Directory, v: &[u64]| d.keep_token(first(v), token);
        match self.save_new::<TokenId>(batch, repeat, keep).await? {
            Some(_) => Err(AccessError::ShownOnce),
            None => Ok(MadeToken { id, text, expires_at }),
        }
    }

    fn check_token(
        &self,
        permit: &Permit<TokenManage>,
        new: &NewToken,
    ) -> Result<Principal, AccessError> {
        let holder = holder_of(&permit.resource().id).ok_or(AccessError::NoSuch("identity"))?;
        let now = self.times().latest();
        let end = now.plus_days(TOKEN_DAYS_MAX);
        if new.expires_at <= now || new.expires_at > end {
            return Err(AccessError::Date { field: "expires_at", days_max: TOKEN_DAYS_MAX });
        }
        let held = self.look(|d| {
            d.tokens.values().filter(|t| t.value.holder == holder && t.value.is_live(now)).count()
        });
        if held >= TOKENS_MAX {
            return Err(AccessError::TooMany {
                what: "live tokens of one holder",
                max: TOKENS_MAX,
            });
        }
        Ok(holder)
    }

    /// Revokes the token that the permit names. When this returns, no use of it can be recorded.
    ///
    /// # Errors
    /// When there is no such token or the store does not take it.
    pub async fn revoke_token(&self, permit: Permit<TokenManage>) -> Result<(), AccessError> {
        let (permit, (id, kept)) = self.checked(permit, |permit| {
            let id: TokenId = permit.resource_id().ok_or(AccessError::NoSuch("token"))?;
            let kept = self.look(|d| d.tokens.get(&id).cloned());
            Ok((id, kept.ok_or(AccessError::NoSuch("token"))?))
        })?;
        let made = self.made_by(&permit);
        let mut token = kept.value;
        if token.revoked.is_none() {
            token.revoked = Some(made);
        }
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, self.clock()).with("revoked", id.to_string());
        self.change_directory(|d| d.keep_token(kept.version, token.clone()));
        let batch = Batch::new()
            .put::<Tokens>(&id, &token, Expect::Version(kept.version))
            .event(event)
            .guard(guard);
        self.save(batch, Change::Narrows, |d, versions| d.keep_token(first(versions), token)).await
    }

    /// The tokens of the holder whom the permit names, or all of them; never their texts.
    #[must_use]
    pub fn tokens(&self, permit: Permit<IdentityRead>) -> Vec<Token> {
        let resource = permit.resource().id.clone();
        let (all, holder) = (resource == "*", holder_of(&resource));
        self.read_under(permit);
        self.look(|d| {
            let tokens = d.tokens.values().map(|kept| &kept.value);
            tokens.filter(|t| all || Some(t.holder) == holder).cloned().collect()
        })
    }
}

pub(crate) fn first(versions: &[u64]) -> u64 {
    versions.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_reads_back_and_a_stranger_does_not() {
        let secret = "A".repeat(43);
        let id = "00000000000000000000000001";
        let (parsed, rest) = parse(&format!("lr_{id}_{secret}")).unwrap();
        assert_eq!((parsed.to_string(), rest.expose().len()), (format!("tok_{id}"), 43));
        for bad in
            ["", "lr_", "lr__", "Bearer", &format!("lr_{id}_short"), &format!("xx_{id}_{secret}")]
        {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text in ".{0,200}") {
            let _ = parse(&text);
        }
    }
}
