//! Where checkpoints and events leave the house: a folder, a webhook, a syslog receiver.

use crate::config::Config;
use audit::WitnessClient;
use audit::deliver::{Courier, Destination};
use audit::post::{PostError, Poster};
use audit::sink::{DATA_ID_DEFAULT, Sink, SinkError, SinkOptions};
use rest::Rooms;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Rest between two checkpoints to one destination.
const CHECKPOINT_REST: Duration = Duration::from_secs(60);

/// Why an outlet cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum OutletError {
    /// The file of authorities holds none.
    #[error("`{0}` holds no certificates in PEM")]
    Authorities(PathBuf),
    /// The address or TLS settings of a webhook or witness.
    #[error("a webhook or witness for checkpoints cannot be set up")]
    Webhook(#[from] PostError),
    /// The key of a witness.
    #[error("`{0}` is not the key of a witness")]
    WitnessKey(String),
    /// The syslog receiver.
    #[error("the syslog receiver cannot be set up")]
    Syslog(#[from] SinkError),
}

/// The outlets of this installation, not yet running.
#[derive(Debug)]
pub(super) struct Outlets {
    couriers: Vec<Courier>,
    sink: Option<Sink>,
}

impl Outlets {
    /// What the configuration asks for.
    pub(super) fn of(config: &Config, rooms: &Rooms) -> Result<Self, OutletError> {
        let settings = &config.checkpoints;
        let authorities = match &settings.authorities {
            Some(path) => certificates(path)?,
            None => Vec::new(),
        };
        let courier = |name: &str, destination| {
            let (log, store, clock) =
                (rooms.log.clone(), rooms.store.clone(), Arc::clone(&rooms.clock));
            Courier::new(name, destination, log, store, clock, CHECKPOINT_REST)
        };
        let mut couriers = Vec::new();
        if let Some(folder) = &settings.folder {
            couriers.push(courier("checkpoint-folder", Destination::Folder(folder.clone())));
        }
        if let Some(address) = &settings.webhook {
            let destination = Destination::Webhook(address.parse()?, Poster::new(&authorities)?);
            couriers.push(courier("checkpoint-webhook", destination));
        }
        for (i, witness) in settings.witnesses.iter().enumerate() {
            let key = comply::pack::read_key(&witness.key);
            let key = key.map_err(|_| OutletError::WitnessKey(witness.key.clone()))?;
            let (address, poster) = (witness.address.parse()?, Poster::new(&authorities)?);
            let client = WitnessClient { address, key, poster };
            let name = format!("witness-{}", i + 1);
            couriers.push(courier(&name, Destination::Witness(Box::new(client))));
        }
        let sink = config.syslog.as_ref().map(|syslog| {
            let options = SinkOptions {
                name: "syslog".into(),
                host: syslog.host.clone(),
                port: syslog.port,
                authorities,
                own_host: config.names.first().cloned().unwrap_or_else(|| "-".into()),
                data_id: DATA_ID_DEFAULT.into(),
            };
            let (log, store) = (rooms.log.clone(), rooms.store.clone());
            Sink::new(options, log, store, Arc::clone(&rooms.clock))
        });
        Ok(Self { couriers, sink: sink.transpose()? })
    }

    /// Sets them to work until told to stop.
    pub(super) fn begin(self, tasks: &mut JoinSet<()>, stopped: &watch::Receiver<bool>) {
        let told = || {
            let mut stopped = stopped.clone();
            async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            }
        };
        for courier in self.couriers {
            tasks.spawn(courier.run(told()));
        }
        if let Some(sink) = self.sink {
            tasks.spawn(sink.run(told()));
        }
    }
}

pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, OutletError> {
    let none = || OutletError::Authorities(path.into());
    let read = CertificateDer::pem_file_iter(path).map_err(|_| none())?;
    let found: Vec<_> = read.collect::<Result<_, _>>().map_err(|_| none())?;
    if found.is_empty() { Err(none()) } else { Ok(found) }
}
