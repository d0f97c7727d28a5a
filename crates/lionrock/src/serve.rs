//! `lionrock serve`: from the command line to an orderly end.

use crate::cli::args::Serve;
use crate::clock::SystemClock;
use crate::config::{Config, ConfigError};
use crate::exit::Exit;
use crate::installation::{Installation, StartError};
use crate::listener::{Doors, Listener};
use crate::screen;
use crate::tls::{self, Shown, TlsError};
use console::Console;
use kernel::Clock;
use rest::Door;
use std::sync::Arc;
use strongroom::SystemRng;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The installation.
    #[error("the installation does not start")]
    Start(#[from] StartError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address is taken, or we may not have it.
    #[error("`{address}` cannot be listened on")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Signals cannot be waited for.
    #[error("signals cannot be waited for")]
    Signals(#[source] std::io::Error),
}

/// The configuration of a command line: the file, and what was said beside it.
///
/// # Errors
/// When the file cannot be used.
pub fn configured(args: &Serve) -> Result<Config, ConfigError> {
    let mut config = Config::read(args.config.as_deref())?;
    if let Some(data) = &args.data {
        config.data.clone_from(data);
    }
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    if let Some(key_file) = &args.seal_key_file {
        config.seal.key_file = Some(key_file.clone());
    }
    Ok(config)
}

/// Serves until Ctrl-C or SIGTERM.
pub async fn run(args: Serve) -> Exit {
    match serve(args).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            screen::failure(&error);
            Exit::Failed
        }
    }
}

async fn serve(args: Serve) -> Result<(), ServeError> {
    let config = configured(&args)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let server = Server::start(config, clock, Extras::default()).await?;
    screen::aside(&format!("listening on https://{}", server.address));
    until_told().await.map_err(ServeError::Signals)?;
    tracing::info!("stopping: no new connections, then what is in work, then the rooms");
    server.stop().await;
    Ok(())
}

/// What a server has beyond what every server has.
#[derive(Debug, Default)]
pub struct Extras {
    /// Pages of the sample's own.
    pub pages: axum::Router,
}

/// A running server: also for tests and the demo, which stop it themselves.
#[derive(Debug)]
pub struct Server {
    /// The address, with the port that the system chose.
    pub address: std::net::SocketAddr,
    /// The installation behind it.
    pub installation: Arc<Installation>,
    stop: watch::Sender<bool>,
    listening: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Starts: listens first, so that a sealed server can be unsealed, then opens the rooms.
    ///
    /// # Errors
    /// When the folder is taken, the seal does not open, the address is taken, or a room does not
    /// open.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        extras: Extras,
    ) -> Result<Self, ServeError> {
        let (listen, sample) = (config.listen, config.sample);
        let installation = Installation::prepare(config, Arc::clone(&clock))?;
        let room = installation.unattended()?;
        let identity = installation.identity(room.as_ref()).map_err(StartError::from)?;
        let shown = Shown::new(&identity.listener, &identity.authority)?;
        let of_clients = installation.client_authorities().map_err(StartError::from)?;
        let config = tls::server(shown, &identity.authority, &of_clients, Arc::clone(&clock))?;
        let unavailable = |cause| ServeError::Listen { address: listen, cause };
        let listener = Listener::bind(listen, config).await.map_err(unavailable)?;
        let address = listener.address().map_err(unavailable)?;
        let (house, ceremony) = (Arc::clone(&installation), Arc::clone(&installation));
        let pages = Console::new(house, sample, Arc::clone(&clock), Arc::new(SystemRng));
        let api = Door::new(ceremony, clock, Arc::new(SystemRng));
        let doors = Doors { api, pages: extras.pages.merge(pages.router()) };
        let (stop, stopped) = watch::channel(false);
        let listening = tokio::spawn(listener.serve(doors, stopped));
        let server = Self { address, installation, stop, listening };
        match room {
            Some(room) => {
                if let Err(cause) = server.installation.open(room).await {
                    server.stop().await;
                    return Err(StartError::from(cause).into());
                }
            }
            None => screen::aside("sealed: run `lionrock unseal`"),
        }
        Ok(server)
    }

    /// Stops: no new connections, what is in work is finished, then the rooms are closed.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        if self.listening.await.is_err() {
            tracing::error!("the listener ended badly");
        }
        self.installation.close().await;
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn until_told() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
