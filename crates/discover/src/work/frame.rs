//! Frames between the server and a worker: bytes in, frames out, no input or output here.
//!
//! A frame is `LRWK`, a version, its kind, two zero bytes, the length of its body (four bytes, big
//! end first) and the body, JSON. Neither side believes the other: lengths are limited by kind, a
//! body grows as its bytes arrive and never as its length claims, and anything unexpected ends the
//! talk.

use super::PlainSpan;
use super::sandbox::Layers;
use extract::Inspection;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a request may weigh: settings with dictionaries and sets of the bank's own.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What an answer may weigh: an archive of some ten thousand members that all hold something.
pub const REPLY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A worker says how far it is after each so many bytes.
pub const PROGRESS_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes of an object elsewhere that a worker asks for at once, at most.
pub const RANGE_BYTES_MAX: u32 = 2 * 1024 * 1024;
/// A hint is a file name.
pub(super) const HINT_BYTES_MAX: usize = 4_096;

const MAGIC: [u8; 4] = *b"LRWK";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 12;

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Not the protocol, or not this version of it.
    #[error("the bytes are no frame")]
    Header,
    /// A kind that this side does not take.
    #[error("the frame is of a kind that is not expected")]
    Kind,
    /// Longer than its kind may be.
    #[error("the frame is longer than it may be")]
    TooLong,
    /// The body is not what the kind says.
    #[error("the frame's body cannot be read")]
    Body,
    /// Something came that nobody asked for.
    #[error("more came than was asked for")]
    Unasked,
    /// No descriptor came with a request, or more than one.
    #[error("a request needs exactly one descriptor, or none when its object is elsewhere")]
    Descriptor,
}

/// What the server asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// A name whose ending hints at the format.
    pub(super) hint: String,
    /// What the inspector understands.
    pub(super) instructions: Box<RawValue>,
    /// The size of an object that is elsewhere: no descriptor comes with it, ranges are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) elsewhere: Option<u64>,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Reply {
    /// It is in its sandbox and waits.
    Ready(Layers),
    /// It is not, and will not work.
    Refused(String),
    /// So many bytes of the object are done.
    Progress(u64),
    /// It wants a range of an object that is elsewhere.
    Want(Want),
    /// Hits of a text, some of them; asked for by instructions of that kind only.
    Places(Vec<PlainSpan>),
    /// The object is done.
    Finished(Box<Inspection>),
}

/// A range of an object that is elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Want {
    /// Its first byte.
    pub(super) from: u64,
    /// How many: from one to [`RANGE_BYTES_MAX`].
    pub(super) bytes: u32,
}

/// The kind of the frame that holds the bytes of a range as they are.
const RANGE_KIND: u8 = 3;

/// The frame of a range; an empty one says that it cannot be had.
pub(super) fn range(bytes: &[u8]) -> Result<Vec<u8>, FrameError> {
    let length = u32::try_from(bytes.len()).map_err(|_| FrameError::TooLong)?;
    if length > RANGE_BYTES_MAX {
        return Err(FrameError::TooLong);
    }
    let header = [VERSION, RANGE_KIND, 0, 0];
    Ok([&MAGIC[..], &header, &length.to_be_bytes(), bytes].concat())
}

/// What travels in one direction.
pub(super) trait Body: Serialize + for<'de> Deserialize<'de> {
    /// The kind in the header.
    const KIND: u8;
    /// The longest body.
    const BYTES_MAX: usize;
}

impl Body for Request {
    const KIND: u8 = 1;
    const BYTES_MAX: usize = REQUEST_BYTES_MAX;
}

impl Body for Reply {
    const KIND: u8 = 2;
    const BYTES_MAX: usize = REPLY_BYTES_MAX;
}

/// The bytes of a frame.
pub(super) fn encode<B: Body>(body: &B) -> Result<Vec<u8>, FrameError> {
    encode_as::<B, B>(body)
}

/// The bytes of a frame whose body is written by something that borrows what it says.
pub(super) fn encode_as<B: Body, W: Serialize>(body: &W) -> Result<Vec<u8>, FrameError> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[VERSION, B::KIND, 0, 0, 0, 0, 0, 0]);
    serde_json::to_writer(&mut bytes, body).map_err(|_| FrameError::Body)?;
    let length = bytes.len().saturating_sub(HEADER_BYTES);
    if length > B::BYTES_MAX {
        return Err(FrameError::TooLong);
    }
    let length = u32::try_from(length).map_err(|_| FrameError::TooLong)?;
    if let Some(field) = bytes.get_mut(8..HEADER_BYTES) {
        field.copy_from_slice(&length.to_be_bytes());
    }
    Ok(bytes)
}

/// Gathers bytes until they are a frame.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    held: Vec<u8>,
}

impl Assembler {
    /// Takes bytes as they arrived.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Whether nothing is waiting to become a frame.
    pub(super) const fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The next frame, or `None` while it is not all there.
    pub(super) fn next<B: Body>(&mut self) -> Result<Option<B>, FrameError> {
        let read = |body: &[u8]| serde_json::from_slice(body).map_err(|_| FrameError::Body);
        self.frame(B::KIND, B::BYTES_MAX, read)
    }

    /// The next frame, which must be a range of at most so many bytes.
    pub(super) fn next_range(&mut self, bytes_max: u32) -> Result<Option<Vec<u8>>, FrameError> {
        let most = usize::try_from(bytes_max).map_err(|_| FrameError::TooLong)?;
        self.frame(RANGE_KIND, most, |body| Ok(body.to_vec()))
    }

    fn frame<T>(
        &mut self,
        wanted: u8,
        bytes_max: usize,
        read: impl FnOnce(&[u8]) -> Result<T, FrameError>,
    ) -> Result<Option<T>, FrameError> {
        let Some((header, rest)) = self.held.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let [m0, m1, m2, m3, version, kind, z0, z1, l0, l1, l2, l3] = *header;
        if [m0, m1, m2, m3] != MAGIC || version != VERSION || [z0, z1] != [0, 0] {
            return Err(FrameError::Header);
        }
        if kind != wanted {
            return Err(FrameError::Kind);
        }
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3]))
            .map_err(|_| FrameError::TooLong)?;
        if length > bytes_max {
            return Err(FrameError::TooLong);
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        let frame = read(body)?;
        self.held.drain(..HEADER_BYTES.saturating_add(length));
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request() -> Vec<u8> {
        let instructions = serde_json::value::to_raw_value(&[1, 2]).unwrap();
        encode(&Request { hint: "a.csv".to_owned(), instructions, elsewhere: None }).unwrap()
    }

    #[test]
    fn a_frame_survives_any_cut() {
        let bytes = [request(), request()].concat();
        for cut in 0..bytes.len() {
            let mut assembler = Assembler::default();
            assembler.feed(&bytes[..cut]);
            let early = usize::from(assembler.next::<Request>().unwrap().is_some());
            assembler.feed(&bytes[cut..]);
            let mut seen = early;
            while let Some(frame) = assembler.next::<Request>().unwrap() {
                assert_eq!((frame.hint.as_str(), frame.instructions.get()), ("a.csv", "[1,2]"));
                seen += 1;
            }
            assert_eq!(seen, 2);
            assert!(assembler.is_empty());
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_its_body_comes() {
        let mut header = request()[..HEADER_BYTES].to_vec();
        let over = u32::try_from(REQUEST_BYTES_MAX + 1).unwrap();
        header[8..].copy_from_slice(&over.to_be_bytes());
        let mut assembler = Assembler::default();
        assembler.feed(&header);
        assert_eq!(assembler.next::<Request>().unwrap_err(), FrameError::TooLong);
        let long = Reply::Refused("x".repeat(REPLY_BYTES_MAX));
        assert_eq!(encode(&long).unwrap_err(), FrameError::TooLong);
    }

    #[test]
    fn what_is_no_frame_of_this_direction_is_refused() {
        let cases: [(usize, u8, FrameError); 4] = [
            (0, b'X', FrameError::Header),
            (4, VERSION + 1, FrameError::Header),
            (5, Reply::KIND, FrameError::Kind),
            (7, 1, FrameError::Header),
        ];
        for (place, byte, expected) in cases {
            let mut bytes = request();
            bytes[place] = byte;
            let mut assembler = Assembler::default();
            assembler.feed(&bytes);
            assert_eq!(assembler.next::<Request>().unwrap_err(), expected);
        }
        let mut more = Assembler::default();
        let body = br#"{"hint":"a","instructions":1,"also":2}"#;
        more.feed(b"LRWK\x01\x01\0\0\0\0\0");
        more.feed(&[u8::try_from(body.len()).unwrap()]);
        more.feed(body);
        assert_eq!(more.next::<Request>().unwrap_err(), FrameError::Body);
    }

    #[test]
    fn a_range_travels_as_it_is_and_has_its_limit() {
        let mut assembler = Assembler::default();
        assembler.feed(&range(b"\0{}").unwrap());
        assembler.feed(&range(b"").unwrap());
        assert_eq!(assembler.next_range(3).unwrap().unwrap(), b"\0{}");
        assert_eq!(assembler.next_range(3).unwrap().unwrap(), b"");
        assembler.feed(&range(b"four").unwrap());
        assert_eq!(assembler.next_range(3).unwrap_err(), FrameError::TooLong);
        let long = vec![0; usize::try_from(RANGE_BYTES_MAX).unwrap() + 1];
        assert_eq!(range(&long).unwrap_err(), FrameError::TooLong);
        assert!(range(&long[1..]).is_ok());
        let mut other = Assembler::default();
        other.feed(&request());
        assert_eq!(other.next_range(3).unwrap_err(), FrameError::Kind);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200) {
            let framed = [b"LRWK\x01\x02\0\0\0\0\0".as_slice(), &bytes].concat();
            for bytes in [&bytes, &framed] {
                let (first, second) = bytes.split_at(cut.min(bytes.len()));
                let mut assembler = Assembler::default();
                assembler.feed(first);
                let _ = assembler.next::<Reply>();
                assembler.feed(second);
                let _ = assembler.next::<Reply>();
                let _ = assembler.next::<Request>();
                let _ = assembler.next_range(100);
            }
        }

        #[test]
        fn no_damage_to_a_frame_makes_it_panic(place in 0_usize..500, byte in any::<u8>()) {
            let mut bytes = encode(&Reply::Ready(Layers { landlock_abi: Some(7), user: None })).unwrap();
            let place = place % bytes.len();
            bytes[place] = byte;
            let mut assembler = Assembler::default();
            assembler.feed(&bytes);
            let _ = assembler.next::<Reply>();
        }
    }
}
