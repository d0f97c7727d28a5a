//! Doors to knock at.

use rest::{Ceremonial, Ceremony, Door, Rooms, SealState};
use std::sync::{Arc, Mutex};

/// A ceremony that never gets further than the passphrase it was told to expect.
#[derive(Debug, Default)]
pub(crate) struct StaysSealed {
    pub(crate) tried: Mutex<Vec<String>>,
    pub(crate) opening: bool,
}

impl Ceremony for StaysSealed {
    fn state(&self) -> SealState {
        if self.opening { SealState::Opening } else { SealState::SealedNeedsPassphrase }
    }
    fn rooms(&self) -> Option<Arc<Rooms>> {
        None
    }
    fn unseal(
        &self,
        passphrase: kernel::Secret<String>,
    ) -> Ceremonial<'_, Result<(), kernel::Problem>> {
        self.tried.lock().unwrap().push(passphrase.expose().clone());
        Box::pin(async {
            let kind = kernel::ProblemKind::Refused;
            Err(kernel::Problem::new(kind, "wrong-seal", "the seal does not open"))
        })
    }
    fn seal(&self) -> Ceremonial<'_, Result<(), kernel::Problem>> {
        Box::pin(async { Ok(()) })
    }
}

/// A door whose installation stays sealed.
pub(crate) fn sealed_door() -> (Arc<Door>, Arc<StaysSealed>) {
    door_of(StaysSealed::default())
}

/// A door whose installation is opening.
pub(crate) fn opening_door() -> Arc<Door> {
    door_of(StaysSealed { opening: true, ..StaysSealed::default() }).0
}

fn door_of(ceremony: StaysSealed) -> (Arc<Door>, Arc<StaysSealed>) {
    let ceremony = Arc::new(ceremony);
    let clock = Arc::new(kernel::HeldClock::at(kernel::Timestamp::from_unix_millis(1)));
    let door = Door::new(ceremony.clone(), clock, Arc::new(kernel::SeededRng::new(1)));
    (door, ceremony)
}

/// One request to a door, without a socket in between.
pub(crate) fn ask(
    door: &Arc<Door>,
    request: http::Request<axum::body::Body>,
) -> (http::response::Parts, Vec<u8>) {
    use http_body_util::BodyExt;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = Arc::clone(door).answer(rest::Peer::default(), request).await;
        let (parts, body) = answer.into_parts();
        (parts, body.collect().await.unwrap().to_bytes().to_vec())
    })
}
