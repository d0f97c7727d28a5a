//! A whole house behind the console, on a clock that stands still: real store, log, people, policy
//! and keys. A [`Browser`] keeps cookies, sends forms as a browser does, and reads what it is
//! shown.

use access::roles::{Reach, Role};
use access::{Access, GiveRole, NewPerson};
use aws_lc_rs::hmac;
use axum::body::Body;
use axum::extract::ConnectInfo;
use comply::{Compliance, Reports};
use console::{Console, House, Rooms};
use footing::Footing;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use inventory::import::Format;
use inventory::{ImportFile, Inventory};
use kernel::*;
use keys::{CreateDomain, CreateKey, Keys};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use strongroom::{Algorithm, Argon2Cost};
use tower_service::Service;

/// A password that the rules take.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A door that can be closed, as when the installation is sealed.
struct Front {
    rooms: Mutex<Option<Arc<Rooms>>>,
    opening: AtomicBool,
}

impl House for Front {
    fn rooms(&self) -> Option<Arc<Rooms>> {
        self.rooms.lock().unwrap().clone()
    }

    fn is_opening(&self) -> bool {
        self.opening.load(Ordering::SeqCst)
    }
}

/// Allows everything: for laying out the scene, never for what is tested.
struct Founder;

impl Decider for Founder {
    fn decide(&self, _: &Caller, _: Action, _: &Resource, _: Timestamp) -> Result<Grant, Refusal> {
        Ok(Grant { policy_version: PolicyVersion(0), because: Vec::new(), domains: None })
    }
}

pub(crate) struct Bench {
    founding: Gate,
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) router: axum::Router,
    front: Arc<Front>,
    _footing: Footing,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let now = Timestamp::from_unix_millis(1_790_000_000_000);
        let footing = Footing::lay("console", now).unwrap();
        let (store, log) = footing.start().unwrap();
        let (clock, room) = (footing.clock.clone(), footing.room.clone());
        let rng = Arc::new(SeededRng::new(1));
        let cost = Argon2Cost::LEAST;
        let access =
            Access::open(store.clone(), room.clone(), clock.clone(), rng.clone(), cost).unwrap();
        let keys = Keys::open(
            store.clone(),
            room,
            log.clone(),
            access.clone(),
            clock.clone(),
            rng.clone(),
        )
        .unwrap();
        let inventory = Inventory::open(store.clone(), clock.clone(), rng.clone()).unwrap();
        let gate = Gate::new(
            Arc::new(access.clone()),
            Arc::new(store.clone()),
            Arc::new(store.clone()),
            clock.clone(),
        );
        let comply = Compliance::open(
            store.clone(),
            clock.clone(),
            rng.clone(),
            inventory.clone(),
            Vec::new(),
        )
        .unwrap();
        let reports = Reports::open(
            comply.clone(),
            store.clone(),
            log.clone(),
            footing.folder.path().join("reports"),
            clock.clone(),
            rng.clone(),
        )
        .unwrap();
        let founding = Gate::new(
            Arc::new(Founder),
            Arc::new(store.clone()),
            Arc::new(store.clone()),
            clock.clone(),
        );
        let ground = discover::Ground {
            store: store.clone(),
            access: access.clone(),
            keys: keys.clone(),
            inventory: inventory.clone(),
            opener: Arc::new(discover::OpenSources),
            inspector: Arc::new(discover::Sandboxed::new(
                discover::work::WorkerOptions::this_program(1),
            )),
            clock: clock.clone(),
            rng: rng.clone(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let opening =
            std::thread::spawn(move || runtime.block_on(discover::Discover::open(ground)).unwrap());
        let discover = opening.join().unwrap();
        let rooms = Arc::new(Rooms {
            gate: Arc::new(gate),
            access,
            keys,
            inventory,
            discover,
            comply,
            reports,
            log,
            store,
            clock: clock.clone(),
        });
        let front = Arc::new(Front {
            rooms: Mutex::new(Some(rooms.clone())),
            opening: AtomicBool::new(false),
        });
        let console = Console::new(front.clone(), true, clock.clone(), rng);
        Self { founding, rooms, clock, router: console.router(), front, _footing: footing }
    }

    /// Seals the installation.
    pub(crate) fn seal(&self) {
        *self.front.rooms.lock().unwrap() = None;
    }

    /// The installation is opening by itself.
    pub(crate) fn opening(&self) {
        self.seal();
        self.front.opening.store(true, Ordering::SeqCst);
    }

    pub(crate) fn system(&self) -> Arc<Caller> {
        Arc::new(Caller::system("t-1", self.clock.wall(), self.clock.monotonic()))
    }

    fn permit<A: ActionType>(&self, resource: Resource) -> Permit<A> {
        self.founding.permit(&self.system(), resource).unwrap()
    }

    /// The link of the first administrator.
    pub(crate) async fn first_link(&self) -> String {
        let name = "admin".parse().unwrap();
        let made = self.rooms.access.first_administrator(name, "Admin".parse().unwrap()).await;
        made.unwrap().link.expose().clone()
    }

    /// A person with roles for the whole installation, and the link that lets them in.
    pub(crate) async fn person(&self, name: &str, roles: &[Role]) -> String {
        let all = Resource::all(ResourceKind::Identity, DomainId::SYSTEM);
        let new = NewPerson { sign_in_name: name.parse().unwrap(), name: name.parse().unwrap() };
        let made = self.rooms.access.create_person(self.permit(all), new, None).await.unwrap();
        for role in roles {
            let of = Resource::new(ResourceKind::Policy, made.person.to_string(), DomainId::SYSTEM);
            let give = GiveRole { role: *role, reach: Reach::Installation, until: None };
            self.rooms.access.give_role(self.permit(of), give).await.unwrap();
        }
        made.link.expose().clone()
    }

    /// A browser in which this person has set up an account and is signed in.
    pub(crate) async fn signed_in(&self, name: &str, roles: &[Role]) -> Browser {
        let link = self.person(name, roles).await;
        let mut browser = self.browser();
        browser.enrol(&link).await;
        browser
    }

    pub(crate) fn browser(&self) -> Browser {
        let (router, clock) = (self.router.clone(), self.clock.clone());
        Browser { router, clock, cookies: BTreeMap::new(), seed: String::new() }
    }

    /// A key in a new key domain.
    pub(crate) async fn key(&self, name: &str) -> KeyId {
        let all = Resource::all(ResourceKind::Domain, DomainId::SYSTEM);
        let request =
            CreateDomain { name: format!("of-{name}").parse().unwrap(), waiting_period_seconds: 0 };
        let domain =
            self.rooms.keys.create_domain(self.permit(all), &request, None).await.unwrap().id;
        let request = CreateKey {
            name: name.parse().unwrap(),
            algorithm: Algorithm::Aes256Gcm,
            labels: Labels::default(),
            exportable: false,
            rotation_days: None,
            dates: keys::Dates::default(),
        };
        let permit = self.permit(request.resource(domain));
        self.rooms.keys.create(permit, &request, None).await.unwrap().id
    }

    /// Imports a file of assets (YAML).
    pub(crate) async fn import(&self, bytes: &[u8]) {
        let name: Name = "inventory.yaml".parse().unwrap();
        let file = ImportFile { name: &name, format: Format::Yaml, bytes };
        let all = Resource::all(ResourceKind::Asset, DomainId::SYSTEM);
        self.rooms.inventory.import(self.permit(all), file, false, None).await.unwrap();
    }

    /// Words of the events of the log, oldest first.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.rooms.store.flush().wait().unwrap();
        let all = self.rooms.log.events_from(LogPosition(0), usize::MAX).unwrap();
        all.into_iter().map(|logged| logged.event).collect()
    }
}

/// What a browser was shown.
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Shown {
    pub(crate) fn goes_to(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |place| place.to_str().unwrap())
    }

    /// The text between two others.
    pub(crate) fn between(&self, before: &str, after: &str) -> String {
        let start =
            self.text.split_once(before).unwrap_or_else(|| panic!("{before}: {}", self.text));
        start.1.split_once(after).unwrap().0.to_owned()
    }
}

/// A browser that a person uses.
pub(crate) struct Browser {
    router: axum::Router,
    clock: Arc<HeldClock>,
    pub(crate) cookies: BTreeMap<String, String>,
    seed: String,
}

impl Browser {
    pub(crate) async fn send(&mut self, request: Request<Body>) -> Shown {
        let (mut parts, body) = request.into_parts();
        parts.headers.insert(header::HOST, "bank.test".parse().unwrap());
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        parts.headers.insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        parts.extensions.insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 50_000))));
        let answer: Response<Body> =
            self.router.call(Request::from_parts(parts, body)).await.unwrap();
        let (parts, body) = answer.into_parts();
        for line in parts.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            assert!(
                line.starts_with("__Host-") && line.contains("; Secure; HttpOnly; SameSite=Strict")
            );
            let (name, rest) = line.split_once('=').unwrap();
            match rest.split(';').next().unwrap() {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Shown { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Shown {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form as one of our own pages does.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let token = self.cookies.get("__Host-lionrock-form").cloned().unwrap_or_default();
        let mut fields = fields.to_vec();
        fields.push(("form_token", &token));
        self.post_from("https://bank.test", path, &fields).await
    }

    /// Sends a form from some origin, with these fields and no others.
    pub(crate) async fn post_from(
        &mut self,
        origin: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Shown {
        let pairs: Vec<_> = fields.iter().map(|(k, v)| format!("{k}={}", encoded(v))).collect();
        let request = Request::post(path)
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(pairs.join("&")))
            .unwrap();
        self.send(request).await
    }

    /// Sets an account up from its link, as a person does.
    pub(crate) async fn enrol(&mut self, link: &str) {
        assert_eq!(self.get(&format!("/set-up?link={link}")).await.status, StatusCode::OK);
        let shown = self.post("/set-up", &[("link", link)]).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
        self.seed = shown.between("Seed: <code>", "</code>");
        let code = self.code();
        let fields = [("link", link), ("password", PASSWORD), ("again", PASSWORD), ("code", &code)];
        let done = self.post("/set-up/finish", &fields).await;
        assert_eq!((done.status, done.goes_to()), (StatusCode::SEE_OTHER, "/"), "{}", done.text);
    }

    /// Has another device from now on.
    pub(crate) fn has_device(&mut self, seed: &str) {
        seed.clone_into(&mut self.seed);
    }

    /// The one-time code of now (RFC 6238).
    pub(crate) fn code(&self) -> String {
        let bits = self
            .seed
            .bytes()
            .filter_map(|c| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|a| *a == c));
        let bits: String = bits.map(|value| format!("{value:05b}")).collect();
        let key: Vec<u8> = bits
            .as_bytes()
            .chunks_exact(8)
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
            .collect();
        let step = (self.clock.wall().unix_seconds() / 30).to_be_bytes();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
        let tag = hmac::sign(&key, &step);
        let offset = usize::from(tag.as_ref()[19] & 15);
        let word: [u8; 4] = tag.as_ref()[offset..offset + 4].try_into().unwrap();
        format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000)
    }

    /// Lets time pass until the next code.
    pub(crate) fn next_code(&self) -> String {
        self.clock.advance_millis(30_000);
        self.code()
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }
        })
        .collect()
}
