//! The sink: every event as a syslog message (RFC 5424) over TLS (RFC 5425), in order, at least
//! once.
//!
//! It is a task of its own that reads the log behind a durable cursor, so it neither delays an
//! operation nor loses events while the receiver is away. The protocol has no acknowledgement: the
//! cursor moves when a batch has been written and the connection is found open afterwards; after a
//! break the last batch is sent again.

use crate::log::{Log, LogError};
use crate::outlet::{OutletKind, recall, remember};
use crate::post::client_config;
use crate::query::LoggedEvent;
use kernel::{Clock, LogPosition, Outcome, Problem, ProblemKind};
use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wire::syslog::{Message, Severity};

/// Events that are sent before the cursor moves.
const BATCH_EVENTS: usize = 256;
/// How long a connection must stay open after a batch before the cursor moves.
const SETTLE: Duration = Duration::from_millis(50);
/// Longest wait for a connection, and for a batch to be taken.
const EXCHANGE: Duration = Duration::from_secs(30);
/// First wait after a failure; it doubles up to [`RETRY_MAX`].
const RETRY_FIRST: Duration = Duration::from_millis(500);
/// Longest wait after a failure.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// The name of the structured data unless another is set: 32473 is the enterprise number that RFC
/// 5612 keeps for documentation; a bank sets its own.
pub const DATA_ID_DEFAULT: &str = "lionrock@32473";

/// Where events go, and as whose.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// The outlet's name.
    pub name: String,
    /// The receiver's host name or address, as in its certificate.
    pub host: String,
    /// Its port; 6514 is the one registered for syslog over TLS.
    pub port: u16,
    /// Certificate authorities that are trusted for it.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The host that the messages name.
    pub own_host: String,
    /// The name of the structured data.
    pub data_id: String,
}

/// Why events are not being sent.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The host cannot be a name in a certificate.
    #[error("`{host}` cannot be the name of a server")]
    Host {
        /// The host.
        host: String,
        /// Why.
        #[source]
        cause: InvalidDnsNameError,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The log cannot be read or the cursor not be kept.
    #[error(transparent)]
    Log(#[from] LogError),
    /// No connection, or it broke.
    #[error("the connection to the receiver failed")]
    Connection(#[source] io::Error),
    /// The receiver takes too long.
    #[error("the receiver takes longer than {} s", EXCHANGE.as_secs())]
    TooSlow,
}

impl From<SinkError> for Problem {
    fn from(cause: SinkError) -> Self {
        let (kind, code) = match cause {
            SinkError::Host { .. } => (ProblemKind::Invalid, "not-a-host"),
            SinkError::Tls(_) => (ProblemKind::Invalid, "not-an-authority"),
            SinkError::Log(cause) => return cause.into(),
            _ => (ProblemKind::Unavailable, "no-answer"),
        };
        Self::new(kind, code, cause.to_string())
    }
}

/// Sends events to one receiver.
pub struct Sink {
    options: SinkOptions,
    server: ServerName<'static>,
    tls: Arc<ClientConfig>,
    log: Log,
    store: Store,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sink({} to {self})", self.options.name)
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.options.host, self.options.port)
    }
}

impl Sink {
    /// A sink over this log, with its cursor in this store.
    ///
    /// # Errors
    /// When the host or an authority cannot be one.
    pub fn new(
        options: SinkOptions,
        log: Log,
        store: Store,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SinkError> {
        let host = options.host.clone();
        let server =
            ServerName::try_from(host.clone()).map_err(|cause| SinkError::Host { host, cause })?;
        let tls = client_config(&options.authorities)?;
        Ok(Self { options, server, tls, log, store, clock })
    }

    /// Sends until `stop` ends. After a failure it waits, up to a minute, and goes on at the
    /// cursor.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => {}
            () = self.forever() => {}
        }
    }

    async fn forever(&self) {
        let mut wait = RETRY_FIRST;
        loop {
            let before = self.cursor();
            let Err(cause) = self.session().await;
            if matches!(cause, SinkError::Log(LogError::Closed)) {
                return;
            }
            // A reason that cannot be kept is no reason to stop.
            let _ = self.note_failure(&cause).await;
            let came_on = matches!((before, self.cursor()), (Ok(a), Ok(b)) if b > a);
            wait = if came_on { RETRY_FIRST } else { (wait * 2).min(RETRY_MAX) };
            tokio::time::sleep(wait).await;
        }
    }

    async fn session(&self) -> Result<std::convert::Infallible, SinkError> {
        let mut stream = timely(self.connect()).await?;
        loop {
            let from = self.cursor()?;
            self.log.wait_durable(from).await?;
            let events = self.log.events_from(from, BATCH_EVENTS)?;
            let mut bytes = Vec::new();
            for event in &events {
                bytes.extend(message(event, &self.options));
            }
            timely(async {
                stream.write_all(&bytes).await?;
                stream.flush().await
            })
            .await?;
            still_open(&mut stream).await?;
            let mut outlet = recall(&self.store, &self.options.name, OutletKind::Syslog, &self)?;
            outlet.succeeded(from.0 + events.len() as u64, self.clock.wall());
            remember(&self.store, &self.options.name, &outlet).await?;
        }
    }

    async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect((self.options.host.as_str(), self.options.port)).await?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        connector.connect(self.server.clone(), tcp).await
    }

    /// The position of the next event to send.
    fn cursor(&self) -> Result<LogPosition, LogError> {
        let outlet = recall(&self.store, &self.options.name, OutletKind::Syslog, &self)?;
        // After a rollback the cursor may lie beyond the log's end.
        Ok(LogPosition(outlet.next().0.min(self.log.head().size)))
    }

    async fn note_failure(&self, cause: &SinkError) -> Result<(), LogError> {
        let mut outlet = recall(&self.store, &self.options.name, OutletKind::Syslog, &self)?;
        outlet.failed(cause, self.clock.as_ref());
        remember(&self.store, &self.options.name, &outlet).await
    }
}

async fn timely<T>(exchange: impl Future<Output = io::Result<T>>) -> Result<T, SinkError> {
    match tokio::time::timeout(EXCHANGE, exchange).await {
        Ok(done) => done.map_err(SinkError::Connection),
        Err(_) => Err(SinkError::TooSlow),
    }
}

/// A receiver of syslog says nothing; if it does close, what was written may not have arrived.
async fn still_open(stream: &mut TlsStream<TcpStream>) -> Result<(), SinkError> {
    let mut said = [0u8; 64];
    match tokio::time::timeout(SETTLE, stream.read(&mut said)).await {
        Ok(Ok(0)) => Err(SinkError::Connection(io::ErrorKind::ConnectionReset.into())),
        Ok(Err(cause)) => Err(SinkError::Connection(cause)),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

/// One event as a framed message.
fn message(logged: &LoggedEvent, options: &SinkOptions) -> Vec<u8> {
    let event = &logged.event;
    let (severity, outcome, reason) = match &event.outcome {
        Outcome::Done => (Severity::Informational, "done", ""),
        Outcome::Refused(reason) => (Severity::Warning, "refused", reason.as_ref()),
        Outcome::Failed(reason) => (Severity::Error, "failed", reason.as_ref()),
    };
    let own = [
        ("position", logged.position.0.to_string()),
        ("logged", logged.logged.rfc3339()),
        ("principal", event.principal.to_string()),
        ("resource", event.resource.clone()),
        ("domain", event.domain.to_string()),
        ("outcome", outcome.to_owned()),
        ("reason", reason.to_owned()),
        ("correlation", event.correlation.clone()),
        ("policy", event.policy_version.to_string()),
        ("micros", event.latency_micros.to_string()),
    ];
    let own = own.iter().map(|(name, value)| ((*name).to_owned(), value.as_str()));
    let prefixed = |prefix: &'static str| move |name: &str| format!("{prefix}.{name}");
    let details = event.details.iter().map(|(k, v)| (prefixed("detail")(k), v.as_str()));
    let personal = event.personal.iter().map(|(k, v)| (prefixed("personal")(k), v.as_str()));
    let data: Vec<(String, &str)> =
        own.chain(details).chain(personal).filter(|(_, value)| !value.is_empty()).collect();
    let data: Vec<(&str, &str)> =
        data.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let text = format!("{} on {} by {}: {outcome}", event.action, event.resource, event.principal);
    Message {
        severity,
        timestamp: &event.at.rfc3339(),
        host: &options.own_host,
        app: "lionrock",
        message_id: &event.action,
        data_id: &options.data_id,
        data: &data,
        text: &text,
    }
    .framed()
}
