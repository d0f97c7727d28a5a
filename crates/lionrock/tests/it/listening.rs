//! TLS and HTTP on loopback, with an installation that stays sealed.

use kernel::{Clock, Problem, ProblemKind, Secret};
use lionrock::authority;
use lionrock::client::{Client, ClientError, Sent};
use lionrock::clock::SystemClock;
use lionrock::listener::{Doors, Listener};
use lionrock::tls::{self, Shown};
use rest::{Ceremonial, Ceremony, Door, Rooms, SealState};
use rustls_pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

struct Sealed;
impl Ceremony for Sealed {
    fn state(&self) -> SealState {
        SealState::SealedNeedsPassphrase
    }
    fn rooms(&self) -> Option<Arc<Rooms>> {
        None
    }
    fn unseal(&self, _: Secret<String>) -> Ceremonial<'_, Result<(), Problem>> {
        Box::pin(async { Err(Problem::new(ProblemKind::Refused, "wrong-seal", "no")) })
    }
    fn seal(&self) -> Ceremonial<'_, Result<(), Problem>> {
        Box::pin(async { Ok(()) })
    }
}

struct Server {
    address: SocketAddr,
    authority: CertificateDer<'static>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

async fn server() -> Server {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = authority::create("Test authority", &key, clock.wall()).unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let identity = authority::issue_listener(&authority, key, &names, clock.wall()).unwrap();
    let shown = Shown::new(&identity, &authority).unwrap();
    let config = tls::server(shown, &authority, &[], clock.clone()).unwrap();
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), config).await.unwrap();
    let address = listener.address().unwrap();
    let door = Door::new(Arc::new(Sealed), clock, Arc::new(kernel::SeededRng::new(1)));
    let (stop, stopped) = watch::channel(false);
    let doors = Doors { api: door, pages: axum::Router::new() };
    let task = tokio::spawn(listener.serve(doors, stopped));
    Server { address, authority, stop, task }
}

impl Server {
    fn client(&self) -> Client {
        let address = format!("https://localhost:{}", self.address.port());
        Client::new(&address, &self.authority, None, Arc::new(SystemClock)).unwrap()
    }
}

#[tokio::test]
async fn a_client_that_knows_the_authority_is_served_and_another_is_not() {
    let server = server().await;
    let reply = server.client().ask(http::Method::GET, "/healthz", Sent::Nothing).await.unwrap();
    assert_eq!(&reply.body[..], b"ok\n");
    let key = rcgen::KeyPair::generate().unwrap();
    let stranger = authority::create("Another", &key, SystemClock.wall()).unwrap();
    let address = format!("https://localhost:{}", server.address.port());
    let client = Client::new(&address, &stranger, None, Arc::new(SystemClock)).unwrap();
    let refused = client.ask(http::Method::GET, "/healthz", Sent::Nothing).await;
    assert!(matches!(refused, Err(ClientError::Unreachable { .. })));
    let plain = format!("http://localhost:{}", server.address.port());
    let plain = Client::new(&plain, &server.authority, None, Arc::new(SystemClock));
    assert!(matches!(plain, Err(ClientError::Address(_))));
}

#[tokio::test]
async fn the_hybrid_post_quantum_group_is_agreed_first() {
    let server = server().await;
    let config = tls::client(&server.authority, Arc::new(SystemClock)).unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = connector.connect(name, stream).await.unwrap();
    let (_, session) = stream.get_ref();
    let group = session.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
    assert_eq!(session.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
}

#[tokio::test]
async fn a_refusal_reaches_the_client_as_a_problem() {
    let server = server().await;
    let body = serde_json::json!({ "passphrase": "wrong" });
    let refused = server
        .client()
        .ask(http::Method::POST, "/api/v1/sys/unseal", Sent::Json(&body))
        .await
        .unwrap_err();
    let ClientError::Refused(refused) = refused else { panic!("{refused}") };
    assert_eq!((refused.status, refused.code.as_str()), (403, "wrong-seal"));
    assert!(refused.correlation.starts_with("req_"));
}

#[tokio::test]
async fn the_listener_ends_when_told_and_takes_nobody_after() {
    let server = server().await;
    server.client().ask(http::Method::GET, "/healthz", Sent::Nothing).await.unwrap();
    server.stop.send(true).unwrap();
    server.task.await.unwrap();
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err());
}
