//! What leaves the house: checkpoints to a folder, a webhook and a witness; events to a receiver of
//! syslog, ours and rsyslog.

use crate::house::{Folder, House, ORIGIN, event};
use audit::deliver::{Courier, DeliveryError, Destination};
use audit::post::{Address, Poster};
use audit::sink::{DATA_ID_DEFAULT, Sink, SinkOptions};
use audit::{Log, LogOptions, Outside, outside, start};
use kernel::SeededRng;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Batch, Store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

struct Open {
    house: House,
    store: Store,
    log: Log,
}

fn open() -> Open {
    let house = House::new();
    let folder = house.folder.path().join("store");
    std::fs::create_dir_all(&folder).unwrap();
    let options = store::Options { reserve_bytes: 0, ..store::Options::default() };
    let opened = Store::open(&folder, house.room.records(), house.clock.clone(), options).unwrap();
    let options = LogOptions {
        origin: ORIGIN.into(),
        anchor: house.anchor(),
        strongroom: house.room.clone(),
        clock: house.clock.clone(),
        rng: Arc::new(SeededRng::new(3)),
        rollback: None,
    };
    let (store, log) = start(opened, options).unwrap();
    Open { house, store, log }
}

impl Open {
    async fn grow(&self, count: u64) {
        let first = self.log.head().size;
        for number in first..first + count {
            let batch = Batch::new().event(event(&self.house.clock, number));
            self.store.commit(batch).await.unwrap();
        }
    }

    fn courier(&self, name: &str, destination: Destination) -> Courier {
        let every = Duration::from_millis(1);
        let (log, store) = (self.log.clone(), self.store.clone());
        Courier::new(name, destination, log, store, self.house.clock.clone(), every)
    }

    fn sink(&self, port: u16, authority: &Authority) -> Sink {
        let options = SinkOptions {
            name: "siem".into(),
            host: "localhost".into(),
            port,
            authorities: vec![authority.certificate.clone()],
            own_host: "hsm1.sample".into(),
            data_id: DATA_ID_DEFAULT.into(),
        };
        let (log, store) = (self.log.clone(), self.store.clone());
        Sink::new(options, log, store, self.house.clock.clone()).unwrap()
    }

    /// Waits until the state of the outlets is as wished; fails after ten seconds.
    async fn until(&self, wished: impl Fn(&Outside) -> bool) {
        let wait = async {
            let mut revision = 0;
            while !wished(&outside(&self.store).unwrap()) {
                revision = self.store.watch(revision).await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
    }
}

struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    leaf: CertificateDer<'static>,
    leaf_pem: String,
    key: Vec<u8>,
    key_pem: String,
}

fn authority() -> Authority {
    let own = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&own).unwrap();
    let issuer = rcgen::Issuer::new(params, own);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    Authority {
        pem: certificate.pem(),
        certificate: certificate.der().clone(),
        leaf_pem: leaf.pem(),
        leaf: leaf.der().clone(),
        key: key.serialize_der(),
        key_pem: key.serialize_pem(),
    }
}

impl Authority {
    fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.leaf.clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn accept(listener: &TcpListener, acceptor: &TlsAcceptor) -> TlsStream<TcpStream> {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(stream) = acceptor.accept(stream).await {
            return stream;
        }
    }
}

#[tokio::test]
async fn a_checkpoint_goes_to_a_folder_once_and_is_never_written_over() {
    let open = open();
    assert_eq!(
        outside(&open.store).unwrap().to_string(),
        "no witness has seen this log; no checkpoint was delivered"
    );
    open.grow(3).await;
    let mailbox = Folder::new();
    let courier = open.courier("mailbox", Destination::Folder(mailbox.path().to_owned()));
    assert_eq!(courier.deliver().await.unwrap(), 3);
    let file = mailbox.path().join("00000000000000000003.checkpoint");
    let first = std::fs::read_to_string(&file).unwrap();
    assert!(first.starts_with(&format!("{ORIGIN}\n3\n")));
    // The state of the outlet has changed the store's digest since: another note of the same size.
    courier.deliver().await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), first);
    let state = outside(&open.store).unwrap();
    assert_eq!(state.last_delivery().unwrap().1.size, 3);
    assert_eq!(state.last_witness(), None);
    assert!(state.to_string().starts_with("no witness has seen this log; last delivery `mailbox`"));
}

#[tokio::test]
async fn a_folder_that_is_gone_is_noted_and_the_next_checkpoint_is_tried() {
    let open = open();
    open.grow(1).await;
    let mailbox = Folder::new();
    let path = mailbox.path().join("later");
    let courier = open.courier("mailbox", Destination::Folder(path.clone()));
    assert!(matches!(courier.deliver().await, Err(DeliveryError::Folder { .. })));
    let state = outside(&open.store).unwrap();
    assert!(state.outlets[0].1.failed.as_ref().unwrap().reason.contains("does not take"));
    assert_eq!(state.last_delivery(), None);
    std::fs::create_dir(&path).unwrap();
    courier.deliver().await.unwrap();
    let state = outside(&open.store).unwrap();
    assert_eq!(state.outlets[0].1.failed, None);
}

#[tokio::test]
async fn a_running_courier_posts_to_a_webhook_over_tls_whenever_the_log_has_grown() {
    let open = open();
    let authority = authority();
    let (listener, port) = listen().await;
    let acceptor = authority.acceptor();
    let (bodies, mut posted) = tokio::sync::mpsc::unbounded_channel();
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener, &acceptor).await;
        let mut request = Vec::new();
        loop {
            let mut some = [0; 4_096];
            let read = stream.read(&mut some).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            request.extend_from_slice(&some[..read]);
            if request.ends_with(b"=\n") {
                let whole = String::from_utf8(std::mem::take(&mut request)).unwrap();
                bodies.send(whole).unwrap();
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    });
    let address: Address = format!("https://localhost:{port}/checkpoints").parse().unwrap();
    let poster = Poster::new(std::slice::from_ref(&authority.certificate)).unwrap();
    let courier = open.courier("hook", Destination::Webhook(address, poster));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(courier.run(async {
        let _ = stopped.await;
    }));
    open.grow(2).await;
    open.until(|o| o.last_delivery().is_some()).await;
    open.grow(2).await;
    open.until(|o| o.last_delivery().unwrap().1.size == 4).await;
    stop.send(()).unwrap();
    running.await.unwrap();
    server.abort();
    let mut last = posted.recv().await.unwrap();
    assert!(last.starts_with("POST /checkpoints HTTP/1.1\r\n"));
    while let Some(body) = posted.recv().await {
        last = body;
    }
    assert!(last.contains(&format!("\r\n\r\n{ORIGIN}\n4\n")), "{last}");
}

#[tokio::test]
async fn a_webhook_of_an_unknown_authority_gets_nothing() {
    let open = open();
    open.grow(1).await;
    let (theirs, trusted) = (authority(), authority());
    let (listener, port) = listen().await;
    let acceptor = theirs.acceptor();
    let server = tokio::spawn(async move { accept(&listener, &acceptor).await });
    let address: Address = format!("https://localhost:{port}/").parse().unwrap();
    let poster = Poster::new(std::slice::from_ref(&trusted.certificate)).unwrap();
    let courier = open.courier("hook", Destination::Webhook(address, poster));
    assert!(matches!(courier.deliver().await, Err(DeliveryError::Post(_))));
    server.abort();
    for text in ["", "localhost", "ftp://x/", "/x", "https://", "http:// x"] {
        assert!(text.parse::<Address>().is_err(), "{text}");
    }
}

/// The receiving end of a sink.
struct Receiver {
    stream: TlsStream<TcpStream>,
    bytes: Vec<u8>,
}

impl Receiver {
    async fn of(listener: &TcpListener, acceptor: &TlsAcceptor) -> Self {
        Self { stream: accept(listener, acceptor).await, bytes: Vec::new() }
    }

    /// The position that the next message names.
    async fn position(&mut self) -> u64 {
        loop {
            if let Some(message) = self.message() {
                assert!(message.starts_with("<110>1 ") && message.contains("[lionrock@32473 "));
                let value = message.split_once("position=\"").unwrap().1;
                return value.split_once('"').unwrap().0.parse().unwrap();
            }
            let mut some = [0; 4_096];
            let read = self.stream.read(&mut some).await.unwrap();
            assert!(read > 0, "the sink hung up");
            self.bytes.extend_from_slice(&some[..read]);
        }
    }

    fn message(&mut self) -> Option<String> {
        let space = self.bytes.iter().position(|b| *b == b' ')?;
        let length = std::str::from_utf8(&self.bytes[..space]).unwrap();
        let end = space + 1 + length.parse::<usize>().unwrap();
        if self.bytes.len() < end {
            return None;
        }
        let framed: Vec<u8> = self.bytes.drain(..end).collect();
        Some(String::from_utf8(framed[space + 1..].to_vec()).unwrap())
    }
}

#[tokio::test]
async fn a_sink_sends_in_order_and_goes_on_after_a_break_at_least_once() {
    let open = open();
    open.grow(300).await;
    let authority = authority();
    let (listener, port) = listen().await;
    let acceptor = authority.acceptor();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(open.sink(port, &authority).run(async {
        let _ = stopped.await;
    }));
    let mut seen = Vec::new();
    let mut first = Receiver::of(&listener, &acceptor).await;
    for _ in 0..200 {
        seen.push(first.position().await);
    }
    // The receiver goes away in the middle of a batch.
    drop(first);
    let mut second = Receiver::of(&listener, &acceptor).await;
    open.grow(5).await;
    while seen.last() != Some(&304) {
        seen.push(second.position().await);
    }
    let mut once = seen.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once, (0..305).collect::<Vec<_>>());
    // In order: it only ever steps back at a break.
    assert!(seen.windows(2).filter(|pair| pair[1] <= pair[0]).count() <= 1);
    open.until(|o| o.outlets[0].1.next().0 == 305).await;
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_is_away_delays_no_commit_and_is_noted() {
    let open = open();
    let (listener, port) = listen().await;
    drop(listener);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(open.sink(port, &authority()).run(async {
        let _ = stopped.await;
    }));
    open.grow(10).await;
    open.until(|o| o.outlets.first().is_some_and(|(_, siem)| siem.failed.is_some())).await;
    let state = outside(&open.store).unwrap();
    assert_eq!(state.outlets[0].1.left, None);
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn rsyslog_receives_every_event_over_tls() {
    let installed = Path::new("/usr/sbin/rsyslogd").exists()
        && Path::new("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so").exists();
    if !installed {
        println!("skipped: rsyslogd with the gtls driver is not installed");
        return;
    }
    let open = open();
    open.grow(40).await;
    let authority = authority();
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("ca.pem"), &authority.pem).unwrap();
    std::fs::write(path("cert.pem"), &authority.leaf_pem).unwrap();
    std::fs::write(path("key.pem"), &authority.key_pem).unwrap();
    let config = format!(
        r#"global(workDirectory="{work}" defaultNetstreamDriver="gtls" maxMessageSize="64k"
  defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{cert}"
  defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="all" type="string" string="%pri% %hostname% %app-name% %msgid% %structured-data%\n")
ruleset(name="out") {{ action(type="omfile" file="{out}" template="all") }}
input(type="imtcp" port="0" listenPortFileName="{port}" ruleset="out")
"#,
        work = folder.path().display(),
        ca = path("ca.pem"),
        cert = path("cert.pem"),
        key = path("key.pem"),
        out = path("out.log"),
        port = path("port"),
    );
    std::fs::write(path("rsyslog.conf"), config).unwrap();
    let mut rsyslog = std::process::Command::new("/usr/sbin/rsyslogd")
        .args(["-n", "-f", &path("rsyslog.conf"), "-i", &path("pid")])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let port = wait_for(|| std::fs::read_to_string(path("port")).ok()?.trim().parse().ok()).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(open.sink(port.unwrap_or(1), &authority).run(async {
        let _ = stopped.await;
    }));
    let lines = wait_for(|| {
        let text = std::fs::read_to_string(path("out.log")).ok()?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        (lines.len() >= 40).then_some(lines)
    })
    .await;
    let _ = stop.send(());
    running.await.unwrap();
    rsyslog.kill().unwrap();
    rsyslog.wait().unwrap();
    let lines = lines.expect("rsyslog has received 40 messages");
    for (number, line) in lines.iter().enumerate() {
        let head = "110 hsm1.sample lionrock key.encrypt [lionrock@32473 ";
        assert!(line.starts_with(&format!("{head}position=\"{number}\"")), "{line}");
        assert!(line.contains(&format!("correlation=\"c-{number}\"")));
        assert!(line.contains(r#"detail.said="\"密碼\"\\  \]""#), "{line}");
    }
    assert!(lines[3].contains("personal.address=\"192.0.2.3\""));
}

/// Looks again and again until there is something; `None` after fifteen seconds.
async fn wait_for<T>(look: impl Fn() -> Option<T>) -> Option<T> {
    let mut beat = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..750 {
        beat.tick().await;
        if let Some(found) = look() {
            return Some(found);
        }
    }
    None
}
