//! The personal part of events: sealed under a key for each key domain, person and month.
//!
//! A key is made when its first event comes and is carried, wrapped, by the record of that event;
//! later events say where. Its shred key lies in the root alone: when that is gone, every copy of the
//! record is unreadable in its personal parts and still proves its public ones.

use crate::leaf::{SALT_BYTES, Salt};
use crate::line::PersonalText;
use crate::record::{CarriedKey, KeyPlace, PersonalPart};
use kernel::{DomainId, Principal, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use strongroom::{KeyError, Lease, Month, PersonalKey, PersonalSlot, Strongroom};

/// Most keys that are held open for writing; beyond that all are let go and made anew.
const KEYS_OPEN_MAX: usize = 4_096;

/// Seals personal parts for the appender.
pub(crate) struct PersonalWriter {
    room: Strongroom,
    month: Month,
    open: HashMap<(DomainId, Principal), (KeyPlace, PersonalKey)>,
    /// Keys of the batch that is being written.
    carried: Vec<CarriedKey>,
    leases: Vec<Lease>,
    made: Vec<(DomainId, Principal)>,
}

impl std::fmt::Debug for PersonalWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonalWriter({} keys)", self.open.len())
    }
}

impl PersonalWriter {
    pub(crate) fn new(room: Strongroom) -> Self {
        Self {
            room,
            month: Month::of(Timestamp::EPOCH),
            open: HashMap::new(),
            carried: Vec::new(),
            leases: Vec::new(),
            made: Vec::new(),
        }
    }

    /// Keys are chosen for the month of the log's time.
    pub(crate) fn begin(&mut self, logged: Timestamp) {
        let month = Month::of(logged);
        if month != self.month || self.open.len() >= KEYS_OPEN_MAX {
            self.open.clear();
            self.month = month;
        }
    }

    /// Seals salt and text of the event at `position`, in the record that begins at `record`.
    pub(crate) fn seal(
        &mut self,
        record: u64,
        position: u64,
        (domain, principal): (DomainId, Principal),
        salted: &[u8],
    ) -> Result<(KeyPlace, Vec<u8>), KeyError> {
        let who = (domain, principal);
        if !self.open.contains_key(&who) {
            self.make(record, who)?;
        }
        let (place, key) = self.open.get(&who).ok_or(KeyError::NotOpened)?;
        Ok((*place, key.seal(&position.to_be_bytes(), salted)?))
    }

    fn make(&mut self, record: u64, who: (DomainId, Principal)) -> Result<(), KeyError> {
        let number = u16::try_from(self.carried.len()).map_err(|_| KeyError::NotOpened)?;
        let slot = |domain| PersonalSlot { domain, subject: who.1.to_string(), month: self.month };
        // A key domain that is sealed or gone has no key to give: the installation's own does it.
        let (slot, stored) = match self.room.create_personal_key(&slot(who.0)) {
            Ok(stored) => (slot(who.0), stored),
            Err(cause) if who.0 == DomainId::SYSTEM => return Err(cause),
            Err(_) => {
                (slot(DomainId::SYSTEM), self.room.create_personal_key(&slot(DomainId::SYSTEM))?)
            }
        };
        let key = self.room.open_personal_key(&slot, &stored.wrapped)?;
        self.open.insert(who, (KeyPlace { record, number }, key));
        self.made.push(who);
        self.leases.push(stored.lease);
        self.carried.push(CarriedKey { slot, wrapped: stored.wrapped });
        Ok(())
    }

    pub(crate) fn carried(&self) -> &[CarriedKey] {
        &self.carried
    }

    /// The batch is durable: its keys are stored.
    pub(crate) fn committed(&mut self) {
        self.carried.clear();
        self.leases.clear();
        self.made.clear();
    }

    /// The batch is void, and with it the keys that it carried.
    pub(crate) fn abandoned(&mut self) {
        for who in std::mem::take(&mut self.made) {
            self.open.remove(&who);
        }
        self.committed();
    }
}

/// Opens personal parts for readers, for as long as their shred key exists.
pub(crate) struct PersonalReader {
    room: Strongroom,
    open: Mutex<HashMap<KeyPlace, Option<Arc<PersonalKey>>>>,
}

impl PersonalReader {
    pub(crate) fn new(room: Strongroom) -> Self {
        Self { room, open: Mutex::default() }
    }

    /// The salt and the text of a personal part; `None` when its key was shredded. `carried` finds the
    /// wrapped key where it lies.
    pub(crate) fn open<E>(
        &self,
        position: u64,
        part: &PersonalPart<'_>,
        carried: impl FnOnce(KeyPlace) -> Result<Option<CarriedKey>, E>,
    ) -> Result<Option<PersonalText>, E> {
        let known = lock(&self.open).get(&part.key).cloned();
        let key = if let Some(key) = known {
            key
        } else {
            let key = carried(part.key)?
                .and_then(|key| self.room.open_personal_key(&key.slot, &key.wrapped).ok())
                .map(Arc::new);
            let mut open = lock(&self.open);
            if open.len() >= KEYS_OPEN_MAX {
                open.clear();
            }
            open.insert(part.key, key.clone());
            key
        };
        let opened = key.and_then(|key| key.open(&position.to_be_bytes(), part.sealed).ok());
        Ok(opened.and_then(|opened| split(&opened)))
    }

    /// Lets go of every key that is held open, so that a shredded one is missed at once.
    pub(crate) fn forget(&self) {
        lock(&self.open).clear();
    }
}

/// What a personal part opens to: the salt and the text behind it.
fn split(opened: &[u8]) -> Option<PersonalText> {
    let (salt, text) = opened.split_first_chunk::<SALT_BYTES>()?;
    let text = std::str::from_utf8(text).ok()?.to_owned();
    Some(PersonalText { salt: Salt(*salt), text })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
