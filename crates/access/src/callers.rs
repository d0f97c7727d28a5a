//! From what a door received to a [`Caller`]: session, token or client certificate.

use crate::AccessError;
use crate::access::Access;
use crate::directory::Directory;
use crate::identity::home_of;
use crate::pre_auth::PreAuthRefusal;
use crate::tokens::{self, TOKEN_USE_SECONDS, TokenUses};
use kernel::{
    Caller, Credential, CredentialScope, Factor, MonotonicMicros, Origin, Principal, Timestamp,
    TokenId,
};
use std::sync::Arc;
use store::{Batch, Expect};

/// What a door knows of a request before it knows who asks.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Where from.
    pub origin: Origin,
    /// The id by which the caller knows the request; taken over if it is clean.
    pub correlation: String,
    /// When it arrived.
    pub arrived: MonotonicMicros,
}

/// What a request with a token needs to know of it, read at once.
struct KnownToken {
    id: TokenId,
    hash: [u8; 32],
    holder: Principal,
    made_at: Timestamp,
    used_at: Option<Timestamp>,
    scope: Arc<CredentialScope>,
    /// Neither revoked nor over, and its holder not locked.
    is_good: bool,
}

impl KnownToken {
    fn find(directory: &Directory, id: TokenId, now: Timestamp) -> Option<Self> {
        let token = &directory.tokens.get(&id)?.value;
        Some(Self {
            id,
            hash: token.hash,
            holder: token.holder,
            made_at: token.made.at,
            used_at: token.used_at,
            scope: Arc::clone(directory.token_scopes.get(&id)?),
            is_good: token.is_live(now) && !directory.is_locked(token.holder),
        })
    }
}

impl Access {
    /// The caller of a session's cookie. A half-open session makes a caller with one factor, whom
    /// the policies refuse everything.
    ///
    /// # Errors
    /// [`AccessError::SessionOver`], counted for the source.
    pub fn caller_for_session(
        &self,
        cookie: &str,
        arrival: &Arrival,
    ) -> Result<Caller, AccessError> {
        let (_, session) = self.session_of(cookie, arrival.origin)?;
        let principal = Principal::Person(session.person);
        if self.look(|d| d.is_locked(principal)) {
            self.turned_away(arrival.origin, PreAuthRefusal::Session);
            return Err(AccessError::SessionOver);
        }
        Ok(self.caller(principal, session.factors, session.proven_at, None, arrival))
    }

    /// The caller of an API token.
    ///
    /// # Errors
    /// [`AccessError::TokenRefused`] whatever is wrong with it, counted for the source.
    pub fn caller_for_token(&self, text: &str, arrival: &Arrival) -> Result<Caller, AccessError> {
        let now = self.times().latest();
        let found = tokens::parse(text).and_then(|(id, secret)| {
            let known = self.look(|d| KnownToken::find(d, id, now));
            // A stranger's token is hashed like a known one.
            let stored = known.as_ref().map_or([0; 32], |token| token.hash);
            let right = self.token_matches(&secret, &stored);
            known.filter(|token| right && token.is_good)
        });
        let Some(token) = found else {
            self.turned_away(arrival.origin, PreAuthRefusal::Token);
            return Err(AccessError::TokenRefused);
        };
        if token.used_at.is_none_or(|at| now >= at.plus_seconds(TOKEN_USE_SECONDS)) {
            self.change_directory(|d| d.note_token_use(token.id, now));
            // Nobody waits for this: it is a hint for those who tidy up.
            drop(self.store().commit(Batch::new().put::<TokenUses>(&token.id, &now, Expect::Any)));
        }
        Ok(self.caller(
            token.holder,
            vec![Factor::Token],
            token.made_at,
            Some(token.scope),
            arrival,
        ))
    }

    /// The caller of a TLS client certificate, by the SHA-256 of its SubjectPublicKeyInfo. The
    /// door's TLS has checked the handshake's signature; whom the key stands for is decided here
    /// alone.
    ///
    /// # Errors
    /// [`AccessError::CertificateRefused`], counted for the source.
    pub fn caller_for_certificate(
        &self,
        spki_sha256: &[u8; 32],
        arrival: &Arrival,
    ) -> Result<Caller, AccessError> {
        let found = self.look(|d| {
            let id = *d.certificates.get(spki_sha256)?;
            let principal = Principal::Service(id);
            (!d.is_locked(principal)).then_some(principal)
        });
        let Some(principal) = found else {
            self.turned_away(arrival.origin, PreAuthRefusal::Certificate);
            return Err(AccessError::CertificateRefused);
        };
        let now = self.times().latest();
        let credential = Some(Credential::Certificate(*spki_sha256));
        let scope = Some(Arc::new(CredentialScope { credential, ..CredentialScope::default() }));
        Ok(self.caller(principal, vec![Factor::Certificate], now, scope, arrival))
    }

    fn caller(
        &self,
        principal: Principal,
        factors: Vec<Factor>,
        proven_at: Timestamp,
        scope: Option<Arc<CredentialScope>>,
        arrival: &Arrival,
    ) -> Caller {
        Caller {
            principal,
            domain: self.look(|d| home_of(d.held(principal).map(|held| held.assignment.reach))),
            factors,
            proven_at,
            scope,
            origin: arrival.origin,
            correlation: Caller::clean_correlation(&arrival.correlation).unwrap_or_default(),
            arrived: arrival.arrived,
        }
    }
}
