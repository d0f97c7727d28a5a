//! The route table: the single source from which the router, the OpenAPI document and the
//! authorization tests are made. An endpoint cannot exist outside it.

use crate::Rooms;
use crate::answer::{Answer, Outgoing};
use crate::call::{Body, Call, read_parameters};
use crate::door::Door;
use crate::openapi::ShapeOf;
use http::{Method, StatusCode};
use kernel::{Action, Caller, Problem};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// The area whose paths lie outside the API, where load balancers and monitors look for them.
pub(crate) const HEALTH: &str = "health";

/// Who may call an endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Anybody, also while sealed: health and the ceremony.
    Nobody,
    /// Anybody, once unsealed: signing in.
    Unsealed,
    /// Whoever is signed in, for what is the caller's own.
    SignedIn,
    /// Whoever the gate allows this action.
    Permit(Action),
}

/// What came over the wire, decoded as far as the table can without knowing the types.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) caller: Arc<Caller>,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) media: &'static str,
    pub(crate) body: zeroize::Zeroizing<Vec<u8>>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) bearer: Option<Arc<kernel::Secret<String>>>,
}

type Working = Pin<Box<dyn Future<Output = Result<Outgoing, Problem>> + Send>>;

enum Work {
    Open(Box<dyn Fn(Arc<Door>, Incoming) -> Working + Send + Sync>),
    Closed(Box<dyn Fn(Arc<Rooms>, Incoming) -> Working + Send + Sync>),
}

/// One endpoint: everything that is known about it.
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path below the prefix of its table, with `{name}` for each parameter.
    pub path: &'static str,
    /// Who may call it.
    pub needs: Needs,
    /// What it does, in one line.
    pub summary: &'static str,
    /// The part of the API it belongs to.
    pub area: &'static str,
    /// The status when it went well.
    pub success: StatusCode,
    /// Whether it takes an `Idempotency-Key`.
    pub idempotent: bool,
    pub(crate) path_shape: ShapeOf,
    pub(crate) query_shape: ShapeOf,
    pub(crate) bodies: Vec<(&'static str, Option<ShapeOf>)>,
    pub(crate) answer: Option<(&'static str, Option<ShapeOf>)>,
    media: Vec<&'static str>,
    work: Work,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Endpoint {
    /// The name of the operation in the OpenAPI document: `post-keys-key-encrypt`.
    #[must_use]
    pub fn operation(&self) -> String {
        let words = self.path.split(['/', '{', '}', '.']).filter(|word| !word.is_empty());
        std::iter::once(self.method.as_str().to_lowercase())
            .chain(words.map(str::to_owned))
            .collect::<Vec<_>>()
            .join("-")
    }

    /// The path from the root: health and metrics lie outside the API.
    #[must_use]
    pub fn full_path(&self) -> String {
        let prefix = if self.area == HEALTH { "" } else { crate::PREFIX };
        format!("{prefix}{}", self.path)
    }

    /// Media types of bodies that it takes.
    pub(crate) fn media(&self) -> &[&'static str] {
        &self.media
    }

    /// Does the work.
    pub(crate) async fn answer(
        &self,
        door: &Arc<Door>,
        rooms: Option<Arc<Rooms>>,
        incoming: Incoming,
    ) -> Result<Outgoing, Problem> {
        match (&self.work, rooms) {
            (Work::Open(work), _) => work(Arc::clone(door), incoming).await,
            (Work::Closed(work), Some(rooms)) => work(rooms, incoming).await,
            (Work::Closed(_), None) => Err(door.closed()),
        }
    }
}

/// All endpoints, in the order of the document.
#[derive(Debug, Default)]
pub struct Table {
    endpoints: Vec<Endpoint>,
}

/// The words about an endpoint that its types do not say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) method: Verb,
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    pub(crate) summary: &'static str,
    pub(crate) repeatable: bool,
}

impl About {
    /// The endpoint takes an `Idempotency-Key`.
    pub(crate) const fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }
}

/// The methods that we use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Patch,
    Delete,
    Put,
}

/// One line of the table.
pub(crate) const fn get(path: &'static str, needs: Needs, summary: &'static str) -> About {
    About { method: Verb::Get, path, needs, summary, repeatable: false }
}
/// One line of the table.
pub(crate) const fn post(path: &'static str, needs: Needs, summary: &'static str) -> About {
    About { method: Verb::Post, path, needs, summary, repeatable: false }
}
/// One line of the table.
pub(crate) const fn patch(path: &'static str, needs: Needs, summary: &'static str) -> About {
    About { method: Verb::Patch, path, needs, summary, repeatable: false }
}
/// One line of the table.
pub(crate) const fn put(path: &'static str, needs: Needs, summary: &'static str) -> About {
    About { method: Verb::Put, path, needs, summary, repeatable: false }
}
/// One line of the table.
pub(crate) const fn delete(path: &'static str, needs: Needs, summary: &'static str) -> About {
    About { method: Verb::Delete, path, needs, summary, repeatable: false }
}

impl Table {
    /// Every endpoint.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Adds an endpoint that also works while sealed.
    pub(crate) fn open<P, Q, B, A, H, F>(&mut self, area: &'static str, about: About, handler: H)
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        Q: DeserializeOwned + JsonSchema + Send + 'static,
        B: Body,
        A: Answer,
        H: Fn(Arc<Door>, Call<P, Q, B>) -> F + Send + Sync + Copy + 'static,
        F: Future<Output = Result<A, Problem>> + Send + 'static,
    {
        let work: Box<dyn Fn(Arc<Door>, Incoming) -> Working + Send + Sync> =
            Box::new(move |door, incoming| {
                Box::pin(async move { handler(door, parse(incoming)?).await?.respond() })
            });
        self.add::<P, Q, B, A>(area, about, Work::Open(work));
    }

    /// Adds an endpoint that works on the rooms, once they are open.
    pub(crate) fn closed<P, Q, B, A, H, F>(&mut self, area: &'static str, about: About, handler: H)
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        Q: DeserializeOwned + JsonSchema + Send + 'static,
        B: Body,
        A: Answer,
        H: Fn(Arc<Rooms>, Call<P, Q, B>) -> F + Send + Sync + Copy + 'static,
        F: Future<Output = Result<A, Problem>> + Send + 'static,
    {
        let work: Box<dyn Fn(Arc<Rooms>, Incoming) -> Working + Send + Sync> =
            Box::new(move |rooms, incoming| {
                Box::pin(async move { handler(rooms, parse(incoming)?).await?.respond() })
            });
        self.add::<P, Q, B, A>(area, about, Work::Closed(work));
    }

    fn add<P, Q, B, A>(&mut self, area: &'static str, about: About, work: Work)
    where
        P: JsonSchema,
        Q: JsonSchema,
        B: Body,
        A: Answer,
    {
        let method = match about.method {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Patch => Method::PATCH,
            Verb::Put => Method::PUT,
            Verb::Delete => Method::DELETE,
        };
        let bodies = B::shapes();
        self.endpoints.push(Endpoint {
            method,
            path: about.path,
            needs: about.needs,
            summary: about.summary,
            area,
            success: A::status(),
            idempotent: about.repeatable,
            path_shape: |generator| P::json_schema(generator),
            query_shape: |generator| Q::json_schema(generator),
            media: bodies.iter().map(|(media, _)| *media).collect(),
            bodies,
            answer: A::shape(),
            work,
        });
    }
}

fn parse<P, Q, B>(incoming: Incoming) -> Result<Call<P, Q, B>, Problem>
where
    P: DeserializeOwned,
    Q: DeserializeOwned,
    B: Body,
{
    let repeat = incoming.idempotency_key.clone().map(|key| {
        let asked = [incoming.path.as_bytes(), incoming.query.as_bytes(), &incoming.body];
        access::Repeat { key, request: audit::Hash::of(&asked.join(&b'\n')).0 }
    });
    Ok(Call {
        repeat,
        path: read_parameters(&incoming.path)?,
        query: read_parameters(&incoming.query)?,
        body: B::read(incoming.media, &incoming.body)?,
        caller: incoming.caller,
        idempotency_key: incoming.idempotency_key,
        bearer: incoming.bearer,
    })
}
