//! The personal part of events: sealed under a key for each key domain, person and month.
//!
//! A key is made when its first event comes and is carried, wrapped, by the record of that event;
//! later events say where. Its shred key lies in the root alone: when that is gone, every copy of
//! the record is unreadable in its personal parts and still proves its public ones.

use crate::leaf::{SALT_BYTES, Salt};
use crate::line::PersonalText;
use crate::record::{Bytes, CarriedKey, KeyPlace, PersonalPart};
use kernel::{DomainId, Principal, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use strongroom::{
    KeyError, Lease, Month, PersonalKey, PersonalSlot, RootError, RootFileError, Strongroom,
};

/// Most keys that are held open for writing; beyond that all are let go and made anew.
const KEYS_OPEN_MAX: usize = 4_096;

/// Who, in which key domain: what a key is chosen by, beside the month.
type Subject = (DomainId, Principal);

/// Seals personal parts for the appender.
pub(crate) struct PersonalWriter {
    room: Strongroom,
    month: Month,
    open: HashMap<Subject, OpenKey>,
    /// What the batch that is being written has under each key, not sealed yet.
    plain: Vec<(Subject, Vec<u8>)>,
    /// Keys of the batch that is being written.
    carried: Vec<CarriedKey>,
    leases: Vec<Lease>,
    made: Vec<Subject>,
}

struct OpenKey {
    place: KeyPlace,
    key: PersonalKey,
    /// The record for which a part was begun last, and the part's number.
    part: Option<(u64, u16)>,
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
            plain: Vec::new(),
            carried: Vec::new(),
            leases: Vec::new(),
            made: Vec::new(),
        }
    }

    /// Keys are chosen for the month of the log's time; all are let go when one is to be shredded.
    pub(crate) fn begin(&mut self, logged: Timestamp, let_go: bool) {
        let month = Month::of(logged);
        if let_go || month != self.month || self.open.len() >= KEYS_OPEN_MAX {
            self.open.clear();
            self.month = month;
        }
    }

    /// Takes salt and text of the event at `position` into a part of the record that begins at
    /// `record`; gives the number of the part.
    pub(crate) fn add(
        &mut self,
        record: u64,
        position: u64,
        subject: Subject,
        salted: &[u8],
    ) -> Result<u16, KeyError> {
        if !self.open.contains_key(&subject) {
            self.make(record, subject)?;
        }
        let open = self.open.get_mut(&subject).ok_or(KeyError::NotOpened)?;
        let part = match open.part {
            Some((begun, part)) if begun == record => part,
            _ => {
                let part = u16::try_from(self.plain.len()).map_err(|_| KeyError::NotOpened)?;
                self.plain.push((subject, Vec::with_capacity(256)));
                open.part = Some((record, part));
                part
            }
        };
        let (_, plain) = self.plain.get_mut(usize::from(part)).ok_or(KeyError::NotOpened)?;
        let (salt, text) = salted.split_at_checked(SALT_BYTES).ok_or(KeyError::NotOpened)?;
        plain.extend_from_slice(&position.to_be_bytes());
        plain.extend_from_slice(salt);
        plain.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        plain.extend_from_slice(text);
        Ok(part)
    }

    /// Seals the parts of the record, each once.
    pub(crate) fn seal(&mut self, record: u64) -> Result<Vec<(KeyPlace, Vec<u8>)>, KeyError> {
        let mut parts = Vec::with_capacity(self.plain.len());
        for (number, (subject, plain)) in self.plain.drain(..).enumerate() {
            let open = self.open.get(&subject).ok_or(KeyError::NotOpened)?;
            parts.push((open.place, open.key.seal(&bound(record, number), &plain)?));
        }
        Ok(parts)
    }

    fn make(&mut self, record: u64, subject: Subject) -> Result<(), KeyError> {
        let number = u16::try_from(self.carried.len()).map_err(|_| KeyError::NotOpened)?;
        let who = subject.1.to_string();
        let slot = |domain| PersonalSlot { domain, subject: who.clone(), month: self.month };
        // A key domain that is sealed or gone has no key to give: the installation's own does it.
        let (slot, stored) = match self.room.create_personal_key(&slot(subject.0)) {
            Ok(stored) => (slot(subject.0), stored),
            Err(cause) if subject.0 == DomainId::SYSTEM || at_disk(&cause).is_some() => {
                return Err(cause);
            }
            Err(_) => {
                (slot(DomainId::SYSTEM), self.room.create_personal_key(&slot(DomainId::SYSTEM))?)
            }
        };
        let key = self.room.open_personal_key(&slot, &stored.wrapped)?;
        let place = KeyPlace { record, number };
        self.open.insert(subject, OpenKey { place, key, part: None });
        self.made.push(subject);
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
        for subject in std::mem::take(&mut self.made) {
            self.open.remove(&subject);
        }
        // The next batch begins at the same record.
        self.open.values_mut().for_each(|open| open.part = None);
        self.plain.clear();
        self.committed();
    }
}

/// What the disk said, when it refused the root that was to hold a new shred key.
pub(crate) fn at_disk(cause: &KeyError) -> Option<std::io::ErrorKind> {
    match cause {
        KeyError::Root(RootError::RootFile(RootFileError::Disk { source, .. })) => {
            Some(source.kind())
        }
        _ => None,
    }
}

/// What a part is bound to: its record and its number.
fn bound(record: u64, number: usize) -> [u8; 16] {
    let mut bytes = [0; 16];
    let both = record.to_be_bytes().into_iter().chain((number as u64).to_be_bytes());
    for (to, from) in bytes.iter_mut().zip(both) {
        *to = from;
    }
    bytes
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

    /// The salt and the text of the event at `position`; `None` when the key was shredded.
    /// `carried` finds the wrapped key where it lies, older form and newer.
    pub(crate) fn open<E>(
        &self,
        (record, number): (u64, u16),
        position: u64,
        part: &PersonalPart<'_>,
        carried: impl FnOnce(KeyPlace) -> Result<Vec<CarriedKey>, E>,
    ) -> Result<Option<PersonalText>, E> {
        let known = lock(&self.open).get(&part.key).cloned();
        let key = if let Some(key) = known {
            key
        } else {
            let key = carried(part.key)?
                .into_iter()
                .find_map(|key| self.room.open_personal_key(&key.slot, &key.wrapped).ok())
                .map(Arc::new);
            let mut open = lock(&self.open);
            if open.len() >= KEYS_OPEN_MAX {
                open.clear();
            }
            open.insert(part.key, key.clone());
            key
        };
        let place = bound(record, usize::from(number));
        let opened = key.and_then(|key| key.open(&place, part.sealed).ok());
        Ok(opened.and_then(|opened| find(&opened, position)))
    }

    /// Lets go of every key that is held open, so that a shredded one is missed at once.
    pub(crate) fn forget(&self) {
        lock(&self.open).clear();
    }
}

/// What a personal part has for a position: the salt and the text.
fn find(opened: &[u8], position: u64) -> Option<PersonalText> {
    let mut bytes = Bytes(opened);
    while !bytes.0.is_empty() {
        let at = bytes.u64().ok()?;
        let salt = Salt(bytes.array().ok()?);
        let text = bytes.counted().ok()?;
        if at == position {
            let text = std::str::from_utf8(text).ok()?.to_owned();
            return Some(PersonalText { salt, text });
        }
    }
    None
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
