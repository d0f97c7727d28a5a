//! The batch record: the events of one group commit as the store keeps them, sealed, in one row.
//!
//! ```text
//! 0x01 ‖ first position u64 ‖ events u32
//!   each event: length u32 ‖ public salt 16 ‖ public text
//!               ‖ 0x00, or 0x01 ‖ personal hash 32 ‖ part u16
//! ‖ personal parts u16
//!   each: key: position u64, number u16 ‖ length u32 ‖ sealed part
//! ‖ tiles u16
//!   each tile: level u8 ‖ index u64 ‖ hashes u16 ‖ 32 bytes each
//! ‖ carried keys u16
//!   each: length u32 ‖ slot as JSON ‖ length u32 ‖ wrapped key
//! ```
//! Numbers are big-endian. A personal part holds, sealed once, what the events of one batch have
//! under one key: each `position u64 ‖ salt 16 ‖ length u32 ‖ text`. The tiles are those that this
//! batch made full and, after them, what the levels above have so far: whoever looks for the tile
//! that ends before position `p` finds it in the record that contains `p - 1`, and a start needs
//! that record and at most 255 events after it. Carried keys are the wrapped keys of people and
//! months that had none before; see [`crate::personal`].

use crate::hash::Hash;
use crate::leaf::{ENTRY_BYTES, SALT_BYTES, Salt, entry, leaf_hash, salted};
use crate::tile::{Tile, WIDTH};
use strongroom::PersonalSlot;

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 13;

/// Why a record cannot be read; it was sealed, so this is a fault of ours and not of the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a batch record of the log is malformed")]
pub struct MalformedRecord;

/// Where a wrapped personal-data key lies: in the record that begins at this position, at this
/// place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct KeyPlace {
    pub(crate) record: u64,
    pub(crate) number: u16,
}

/// The hash of an event's personal part, and in which sealed part of the record it lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PersonalHash {
    pub(crate) hash: Hash,
    pub(crate) part: u16,
}

/// What the events of one record have under one personal-data key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PersonalPart<'a> {
    pub(crate) key: KeyPlace,
    pub(crate) sealed: &'a [u8],
}

/// One event as the record holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RecordedEvent<'a> {
    pub(crate) position: u64,
    pub(crate) public_salt: Salt,
    pub(crate) public: &'a str,
    pub(crate) personal: Option<PersonalHash>,
}

impl RecordedEvent<'_> {
    pub(crate) fn leaf(&self) -> Hash {
        leaf_hash(&self.public_hash(), &self.personal_hash())
    }

    pub(crate) fn entry(&self) -> [u8; ENTRY_BYTES] {
        entry(&self.public_hash(), &self.personal_hash())
    }

    fn public_hash(&self) -> Hash {
        salted(&self.public_salt, self.public.as_bytes())
    }

    pub(crate) fn personal_hash(&self) -> Hash {
        self.personal.map_or(Hash::ZERO, |part| part.hash)
    }
}

/// A wrapped personal-data key that has no row of its own yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CarriedKey {
    pub(crate) slot: PersonalSlot,
    pub(crate) wrapped: Vec<u8>,
}

/// A record, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) first: u64,
    pub(crate) events: Vec<RecordedEvent<'a>>,
    pub(crate) parts: Vec<PersonalPart<'a>>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) carried: Vec<CarriedKey>,
}

/// Writes a record event by event.
#[derive(Debug)]
pub(crate) struct RecordWriter {
    body: Vec<u8>,
}

impl RecordWriter {
    pub(crate) fn new(first: u64, count: u32, capacity: usize) -> Self {
        let mut body = Vec::with_capacity(capacity + HEADER_BYTES);
        body.push(FORMAT);
        body.extend_from_slice(&first.to_be_bytes());
        body.extend_from_slice(&count.to_be_bytes());
        Self { body }
    }

    /// Writes one event: `public` writes its text behind the salt, in place, so that salt and text
    /// are hashed where they lie. Gives the hash of the public part.
    pub(crate) fn event<E>(
        &mut self,
        salt: &Salt,
        public: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Hash, E> {
        let at = self.body.len();
        self.body.extend_from_slice(&[0; 4]);
        self.body.extend_from_slice(&salt.0);
        public(&mut self.body)?;
        let text = self.body.len() - at - 4 - SALT_BYTES;
        let length = u32::try_from(text).unwrap_or(u32::MAX).to_be_bytes();
        for (to, from) in self.body.iter_mut().skip(at).zip(length) {
            *to = from;
        }
        Ok(self.body.get(at + 4..).map_or(Hash::ZERO, Hash::of))
    }

    pub(crate) fn no_personal(&mut self) {
        self.body.push(0);
    }

    pub(crate) fn personal(&mut self, hash: &Hash, part: u16) {
        self.body.push(1);
        self.body.extend_from_slice(&hash.0);
        self.body.extend_from_slice(&part.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.body.extend_from_slice(bytes);
    }

    fn count(&mut self, count: usize) {
        self.body.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
    }

    pub(crate) fn finish<'t>(
        mut self,
        parts: &[(KeyPlace, Vec<u8>)],
        tiles: impl ExactSizeIterator<Item = (u8, u64, &'t [Hash])>,
        carried: &[CarriedKey],
    ) -> Vec<u8> {
        self.count(parts.len());
        for (key, sealed) in parts {
            self.body.extend_from_slice(&key.record.to_be_bytes());
            self.body.extend_from_slice(&key.number.to_be_bytes());
            self.bytes(sealed);
        }
        self.count(tiles.len());
        for (level, index, hashes) in tiles {
            self.body.push(level);
            self.body.extend_from_slice(&index.to_be_bytes());
            self.count(hashes.len());
            hashes.iter().for_each(|hash| self.body.extend_from_slice(&hash.0));
        }
        self.count(carried.len());
        for key in carried {
            self.bytes(&serde_json::to_vec(&key.slot).unwrap_or_default());
            self.bytes(&key.wrapped);
        }
        self.body
    }
}

/// Takes bytes from the front; never past the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], MalformedRecord> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(MalformedRecord)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], MalformedRecord> {
        self.take(N)?.try_into().map_err(|_| MalformedRecord)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, MalformedRecord> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, MalformedRecord> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, MalformedRecord> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, MalformedRecord> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn counted(&mut self) -> Result<&'a [u8], MalformedRecord> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| MalformedRecord)?)
    }
}

impl<'a> Record<'a> {
    /// Reads a record.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, MalformedRecord> {
        let mut bytes = Bytes(body);
        if bytes.u8()? != FORMAT {
            return Err(MalformedRecord);
        }
        let first = bytes.u64()?;
        let count = bytes.u32()?;
        let mut events = Vec::new();
        for at in 0..count {
            let position = first.checked_add(u64::from(at)).ok_or(MalformedRecord)?;
            events.push(event(&mut bytes, position)?);
        }
        let parts = (0..bytes.u16()?).map(|_| part(&mut bytes)).collect::<Result<_, _>>()?;
        let tiles = (0..bytes.u16()?).map(|_| tile(&mut bytes)).collect::<Result<_, _>>()?;
        let carried = (0..bytes.u16()?).map(|_| carried(&mut bytes)).collect::<Result<_, _>>()?;
        if !bytes.0.is_empty() {
            return Err(MalformedRecord);
        }
        Ok(Self { first, events, parts, tiles, carried })
    }
}

fn event<'a>(bytes: &mut Bytes<'a>, position: u64) -> Result<RecordedEvent<'a>, MalformedRecord> {
    let length = usize::try_from(bytes.u32()?).map_err(|_| MalformedRecord)?;
    let public_salt = Salt(bytes.array()?);
    let public = std::str::from_utf8(bytes.take(length)?).map_err(|_| MalformedRecord)?;
    let personal = match bytes.u8()? {
        0 => None,
        1 => {
            let hash = Hash(bytes.array()?);
            Some(PersonalHash { hash, part: bytes.u16()? })
        }
        _ => return Err(MalformedRecord),
    };
    Ok(RecordedEvent { position, public_salt, public, personal })
}

fn part<'a>(bytes: &mut Bytes<'a>) -> Result<PersonalPart<'a>, MalformedRecord> {
    let key = KeyPlace { record: bytes.u64()?, number: bytes.u16()? };
    Ok(PersonalPart { key, sealed: bytes.counted()? })
}

fn tile(bytes: &mut Bytes<'_>) -> Result<Tile, MalformedRecord> {
    let (level, index, width) = (bytes.u8()?, bytes.u64()?, usize::from(bytes.u16()?));
    if width > WIDTH {
        return Err(MalformedRecord);
    }
    let hashes = (0..width).map(|_| bytes.array().map(Hash)).collect::<Result<_, _>>()?;
    Ok(Tile { level, index, hashes })
}

fn carried(bytes: &mut Bytes<'_>) -> Result<CarriedKey, MalformedRecord> {
    let slot = serde_json::from_slice(bytes.counted()?).map_err(|_| MalformedRecord)?;
    Ok(CarriedKey { slot, wrapped: bytes.counted()?.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{DomainId, Timestamp};
    use proptest::prelude::*;
    use std::convert::Infallible;
    use strongroom::Month;

    fn slot() -> PersonalSlot {
        let month = Month::of(Timestamp::EPOCH);
        PersonalSlot { domain: DomainId::SYSTEM, subject: "per_1".into(), month }
    }

    fn sample() -> Vec<u8> {
        let mut writer = RecordWriter::new(7, 2, 0);
        let put = |text: &'static str| {
            move |body: &mut Vec<u8>| {
                body.extend_from_slice(text.as_bytes());
                Ok::<(), Infallible>(())
            }
        };
        let hash = writer.event(&Salt([1; 16]), put("{\"a\":1}")).unwrap();
        assert_eq!(hash, salted(&Salt([1; 16]), b"{\"a\":1}"));
        writer.no_personal();
        writer.event(&Salt([2; 16]), put("密")).unwrap();
        writer.personal(&Hash([3; 32]), 0);
        let hashes = vec![Hash([4; 32]); 256];
        let key = CarriedKey { slot: slot(), wrapped: vec![5; 40] };
        let place = KeyPlace { record: 5, number: 1 };
        let parts = [(place, b"sealed".to_vec())];
        writer.finish(&parts, [(0, 0, hashes.as_slice())].into_iter(), &[key])
    }

    #[test]
    fn a_record_reads_back() {
        let body = sample();
        let record = Record::read(&body).unwrap();
        assert_eq!((record.first, record.events.len(), record.tiles.len()), (7, 2, 1));
        assert_eq!(record.events[0].public, "{\"a\":1}");
        assert_eq!(record.events[0].personal_hash(), Hash::ZERO);
        let second = &record.events[1];
        assert_eq!((second.position, second.public), (8, "密"));
        assert_eq!(second.personal, Some(PersonalHash { hash: Hash([3; 32]), part: 0 }));
        let key = KeyPlace { record: 5, number: 1 };
        assert_eq!(record.parts, [PersonalPart { key, sealed: b"sealed" }]);
        assert_eq!(record.carried[0].slot, slot());
    }

    #[test]
    fn a_record_cut_anywhere_or_lengthened_is_refused() {
        let mut body = sample();
        for length in 0..body.len() {
            assert_eq!(Record::read(&body[..length]), Err(MalformedRecord));
        }
        body.push(0);
        assert_eq!(Record::read(&body), Err(MalformedRecord));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Record::read(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = FORMAT;
            }
            let _ = Record::read(&bytes);
        }
    }
}
