//! The console: from a request to who asks, and from a page or an act to the answer.

use crate::answer::{self, Answer};
use crate::assets::Asset;
use crate::cookies::Cookie;
use crate::desk::Desk;
use crate::fields::{FORM_BYTES_MAX, Fields};
use crate::frame::{AREAS, Frame};
use crate::guard;
use crate::language::Language;
use crate::{House, Rooms};
use access::Arrival;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use kernel::{
    Caller, Clock, Door, Factor, Origin, Principal, Problem, ProblemKind, RequestId, Rng,
};
use maud::Markup;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

/// The console door. One for each process.
pub struct Console {
    house: Arc<dyn House>,
    sample: bool,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

/// A request before anybody knows who asks.
#[derive(Debug)]
pub(crate) struct Knock {
    /// Where from, when, under which id.
    pub(crate) arrival: Arrival,
    /// The token of forms: the browser's own, or a new one.
    pub(crate) form_token: String,
    /// The token is new and must be set.
    pub(crate) form_token_is_new: bool,
    /// Headers, target, extensions.
    pub(crate) parts: Parts,
}

impl Knock {
    /// The browser's session cookie, if it sent one.
    pub(crate) fn session(&self) -> Option<&str> {
        Cookie::Session.sent(&self.parts.headers)
    }

    /// The query of the address.
    pub(crate) fn query(&self) -> Result<Fields, Problem> {
        Fields::read(self.parts.uri.query().unwrap_or_default().as_bytes())
    }

    fn path(&self) -> String {
        self.parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned()
    }
}

impl Console {
    /// The console over a house. `sample` puts the sample banner on every page.
    #[must_use]
    pub fn new(
        house: Arc<dyn House>,
        sample: bool,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Arc<Self> {
        Arc::new(Self { house, sample, clock, rng })
    }

    /// Whether this is a sample installation.
    pub(crate) const fn is_sample(&self) -> bool {
        self.sample
    }

    /// The rooms, or the problem that they are closed.
    pub(crate) fn rooms(&self) -> Result<Arc<Rooms>, Problem> {
        self.house.rooms().ok_or_else(|| {
            let (code, detail) = if self.house.is_opening() {
                ("opening", "the installation is opening: load this page again in a moment")
            } else {
                (
                    "sealed",
                    "the installation is sealed: a holder of the passphrase runs `lionrock unseal`",
                )
            };
            Problem::new(ProblemKind::Unavailable, code, detail)
        })
    }

    /// What is known of a request before anybody knows who asks.
    pub(crate) fn knock(&self, parts: Parts) -> Result<Knock, Problem> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let arrival = Arrival {
            origin: Origin { address, door: Door::Console },
            correlation: RequestId::generate(&*self.clock, &*self.rng)?.to_string(),
            arrived: self.clock.monotonic(),
        };
        let sent = Cookie::Form.sent(&parts.headers).map(ToOwned::to_owned);
        let form_token_is_new = sent.is_none();
        let form_token = sent.map_or_else(|| guard::new_token(&*self.rng), Ok)?;
        Ok(Knock { arrival, form_token, form_token_is_new, parts })
    }

    /// Who asks, from the session; an open session has both factors.
    pub(crate) fn desk(&self, rooms: Arc<Rooms>, knock: &Knock) -> Result<Desk, Problem> {
        let cookie = knock.session().ok_or_else(no_session)?;
        let caller = rooms.access.caller_for_session(cookie, &knock.arrival)?;
        if !caller.factors.contains(&Factor::Totp) {
            return Err(no_session());
        }
        let query = knock.query()?;
        let frame = self.frame(&rooms, &caller, knock, &query);
        Ok(Desk { rooms, caller: Arc::new(caller), query, frame })
    }

    fn frame(&self, rooms: &Rooms, caller: &Caller, knock: &Knock, query: &Fields) -> Frame {
        let closed = AREAS
            .iter()
            .flat_map(|(_, pages)| pages.iter())
            .filter(|(_, _, action)| !rooms.may(caller, *action))
            .map(|(path, _, _)| *path)
            .collect();
        let name = rooms.access.display_name(caller.principal);
        Frame {
            language: language(&knock.parts.headers, query),
            sample: self.sample,
            broken_glass: rooms
                .access
                .broken_glass()
                .map(|glass| (glass.at, glass.role.english().to_owned())),
            name: name.map_or_else(|| caller.principal.to_string(), |n| n.as_str().to_owned()),
            roles: roles(rooms, caller),
            closed,
            form_token: knock.form_token.clone(),
            path: knock.path(),
            now: self.clock.wall(),
        }
    }

    /// Answers with a page that `show` reads and draws, off the threads that serve connections.
    pub(crate) async fn page<F>(self: &Arc<Self>, request: Request<Body>, show: F) -> Answer
    where
        F: FnOnce(&Desk) -> Result<Markup, Problem> + Send + 'static,
    {
        self.answer(request, |desk| Ok(answer::page(StatusCode::OK, show(desk)?))).await
    }

    /// Answers with what `make` reads and makes, off the threads that serve connections.
    pub(crate) async fn answer<F>(self: &Arc<Self>, request: Request<Body>, make: F) -> Answer
    where
        F: FnOnce(&Desk) -> Result<Answer, Problem> + Send + 'static,
    {
        let (parts, _) = request.into_parts();
        let knock = match self.knock(parts) {
            Ok(knock) => knock,
            Err(problem) => return answer::problem(&problem, "", self.sample),
        };
        let made = match self.rooms().and_then(|rooms| self.desk(rooms, &knock)) {
            Ok(desk) => blocking(move || make(&desk)).await,
            Err(problem) => Err(problem),
        };
        let answer = match made {
            Ok(answer) => answer,
            Err(problem) => self.trouble(&knock, &problem).await,
        };
        remembered(answer, &knock)
    }

    /// Does what a form asks, and sends the browser on to the path that `act` names.
    pub(crate) async fn act<F, Fut>(self: &Arc<Self>, request: Request<Body>, act: F) -> Answer
    where
        F: FnOnce(Arc<Desk>, Fields) -> Fut + Send,
        Fut: Future<Output = Result<String, Problem>> + Send,
    {
        let (parts, body) = request.into_parts();
        let knock = match self.knock(parts) {
            Ok(knock) => knock,
            Err(problem) => return answer::problem(&problem, "", self.sample),
        };
        let result = async {
            let fields = own_fields(&knock, body).await?;
            let desk = Arc::new(self.desk(self.rooms()?, &knock)?);
            act(desk, fields).await
        }
        .await;
        let answer = match result {
            Ok(path) => answer::see_other(&path),
            Err(problem) => self.trouble(&knock, &problem).await,
        };
        remembered(answer, &knock)
    }

    /// Answers a form with a page, for what changes nothing: the text of a test box is in the body,
    /// where no log of addresses keeps it.
    pub(crate) async fn shown<F>(self: &Arc<Self>, request: Request<Body>, show: F) -> Answer
    where
        F: FnOnce(&Desk, &Fields) -> Result<Markup, Problem> + Send + 'static,
    {
        let (parts, body) = request.into_parts();
        let knock = match self.knock(parts) {
            Ok(knock) => knock,
            Err(problem) => return answer::problem(&problem, "", self.sample),
        };
        let made = async {
            let fields = own_fields(&knock, body).await?;
            let desk = self.desk(self.rooms()?, &knock)?;
            blocking(move || Ok(answer::page(StatusCode::OK, show(&desk, &fields)?))).await
        }
        .await;
        let answer = match made {
            Ok(answer) => answer,
            Err(problem) => self.trouble(&knock, &problem).await,
        };
        remembered(answer, &knock)
    }

    /// What is answered when something does not work: sign in, give the code again, or the page of
    /// the problem. A refusal is durable before it is told.
    pub(crate) async fn trouble(&self, knock: &Knock, problem: &Problem) -> Answer {
        if let Some(rooms) = self.house.rooms()
            && problem.kind == ProblemKind::Refused
            && let Err(cause) = rooms.store.flush().await
        {
            return self.told(knock, &cause.into());
        }
        self.told(knock, problem)
    }

    fn told(&self, knock: &Knock, problem: &Problem) -> Answer {
        // A form cannot be repeated by itself: after signing in one stands where the form was.
        let here =
            if knock.parts.method == http::Method::GET { knock.path() } else { referrer(knock) };
        let then = crate::elements::query_value(guard::own_path(&here));
        match (problem.kind, problem.code.as_ref()) {
            (ProblemKind::Unauthenticated, _) => {
                answer::see_other(&format!("/sign-in?then={then}"))
            }
            (_, "second-factor-needed") => answer::see_other(&format!("/sign-in/code?then={then}")),
            _ => answer::problem(problem, &knock.arrival.correlation, self.sample),
        }
    }
}

/// The way back after a form: the thing that the form was about.
fn referrer(knock: &Knock) -> String {
    let path = knock.parts.uri.path();
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["", area, id, _] => format!("/{area}/{id}"),
        ["", area, ..] => format!("/{area}"),
        _ => String::from("/"),
    }
}

/// The fields of a form that one of our own pages sent.
pub(crate) async fn own_fields(knock: &Knock, body: Body) -> Result<Fields, Problem> {
    let bytes = to_bytes(body, FORM_BYTES_MAX).await.map_err(|_| {
        Problem::new(ProblemKind::TooLarge, "too-large", "the form is too long or broke off")
    })?;
    let fields = Fields::read(&bytes)?;
    guard::own_form(&knock.parts.uri, &knock.parts.headers, fields.exact("form_token"))?;
    Ok(fields)
}

/// Sets the cookies that the next request needs.
pub(crate) fn remembered(mut answer: Answer, knock: &Knock) -> Answer {
    if knock.form_token_is_new {
        answer = answer::with_cookie(answer, Cookie::Form, &knock.form_token);
    }
    let chosen = knock.query().ok().and_then(|query| Language::of_tag(query.text("language")));
    match chosen {
        Some(language) => answer::with_cookie(answer, Cookie::Language, language.tag()),
        None => answer,
    }
}

/// Blocking work, off the threads that serve connections.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|cause| {
        tracing::error!(%cause, "the work of a page did not end");
        Err(Problem::new(ProblemKind::Internal, "internal", "the page could not be made"))
    })
}

/// An asset of ours by the path of the request.
pub(crate) fn asset(path: &str) -> Option<Answer> {
    let found = Asset::ALL.into_iter().find(|asset| asset.path() == path)?;
    Some(answer::asset(found.media_type, found.text))
}

fn no_session() -> Problem {
    Problem::new(ProblemKind::Unauthenticated, "no-session", "sign in first")
}

/// The language that the query asks for, else the one that the cookie remembers.
fn language(headers: &HeaderMap, query: &Fields) -> Language {
    Language::of_tag(query.text("language"))
        .or_else(|| Cookie::Language.sent(headers).and_then(Language::of_tag))
        .unwrap_or_default()
}

/// The roles that count here, in words.
fn roles(rooms: &Rooms, caller: &Caller) -> String {
    let Principal::Person(_) = caller.principal else { return String::new() };
    let system = kernel::Resource::system();
    let explained = rooms.access.explain(caller, kernel::Action::SystemRead, &system);
    let mut words: Vec<_> = Vec::new();
    for held in &explained.roles {
        let word = held.assignment.role.english();
        // A role may be held twice: given, and by a group.
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}
