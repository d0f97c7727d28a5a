//! Files too large for one call: a data key encrypts the file, the key wraps the data key.
//!
//! ```text
//! magic            "lionrock-envelope/1\n"
//! header length    4 bytes, big-endian: the bytes from here to the first chunk
//! key              16 bytes     identifier of the key that wraps the data key
//! version          4 bytes      its version
//! chunk bytes      4 bytes      plaintext bytes of every chunk but the last
//! salt             16 bytes     random
//! wrapped data key the rest     as `data_key` gave it
//! chunks           AES-256-GCM, each chunk's plaintext and a 16-byte tag
//! ```
//!
//! The chunk key is HKDF-SHA-256 (RFC 5869) of the data key with the salt and, as info, the words
//! `lionrock envelope 1` and the SHA-256 of everything before the first chunk: a changed header
//! changes the key. A chunk's nonce and associated data are its index (8 bytes, big-endian), three
//! noughts and one byte that is 1 for the last chunk: chunks that are missing, swapped, repeated or
//! cut fail. The last chunk is empty only when the file is.
//!
//! Nothing here asks for a permit: the data key comes from [`crate::Keys::data_key`] or, on
//! opening, from [`crate::Keys::decrypt`], which do and which leave the record.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{digest, hkdf};
use kernel::{KeyId, Rng, RngUnavailable, VersionNo};
use std::io::{self, Read, Write};
use strongroom::Released;
use zeroize::Zeroizing;

const MAGIC: &[u8; 20] = b"lionrock-envelope/1\n";
const FIXED_BYTES: usize = 16 + 4 + 4 + 16;
const TAG_BYTES: usize = 16;
const INFO: &[u8] = b"lionrock envelope 1";

/// Bytes of a data key.
pub const DATA_KEY_BYTES: usize = 32;
/// Longest wrapped data key: room for an RSA-4096 or ML-KEM-1024 block.
pub const WRAPPED_BYTES_MAX: usize = 4096;
/// Smallest chunk: below it the tags weigh more than they are worth.
pub const CHUNK_BYTES_MIN: u32 = 1024;
/// Largest chunk: a reader holds one chunk in memory before it believes it.
pub const CHUNK_BYTES_MAX: u32 = 1024 * 1024;
/// Chunk that [`seal`] uses unless told otherwise.
pub const CHUNK_BYTES_DEFAULT: u32 = 64 * 1024;
/// Most chunks of one file: a key never sees 2^32 nonces (SP 800-38D, section 8.3).
pub const CHUNKS_MAX: u64 = 1 << 32;

/// Why a file could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// The input or the output failed.
    #[error("the file could not be read or written")]
    Io(#[from] io::Error),
    /// Not an envelope, or one whose header breaks a limit.
    #[error("this is not an envelope file that Lionrock made")]
    Format,
    /// Wrong data key, or the file was changed, cut or mixed up.
    #[error("the file does not open")]
    DoesNotOpen,
    /// More than [`CHUNKS_MAX`] chunks.
    #[error("the file is too long for its chunk size")]
    TooLong,
    /// No randomness for the salt.
    #[error(transparent)]
    Randomness(#[from] RngUnavailable),
}

/// A data key that has left the strongroom, wiped when dropped: whoever seals or opens a file holds
/// it for that long.
pub struct DataKey(Zeroizing<[u8; DATA_KEY_BYTES]>);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[data key]")
    }
}

impl DataKey {
    /// The data key of these [`DATA_KEY_BYTES`] bytes.
    ///
    /// # Errors
    /// When there are more or fewer.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut key = Zeroizing::new([0; DATA_KEY_BYTES]);
        if bytes.len() != DATA_KEY_BYTES {
            return Err(EnvelopeError::DoesNotOpen);
        }
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }

    /// The data key that was released by [`crate::Keys::data_key`] or [`crate::Keys::decrypt`].
    ///
    /// # Errors
    /// When it is not [`DATA_KEY_BYTES`] long.
    pub fn from_released(released: Released) -> Result<Self, EnvelopeError> {
        released.expose_once(Self::from_slice)
    }
}

/// What stands before the chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The key that wraps the data key.
    pub key: KeyId,
    /// Its version.
    pub version: VersionNo,
    /// Plaintext bytes of a chunk, from [`CHUNK_BYTES_MIN`] to [`CHUNK_BYTES_MAX`].
    pub chunk_bytes: u32,
    /// The data key as `data_key` wrapped it, up to [`WRAPPED_BYTES_MAX`] bytes.
    pub wrapped_data_key: Vec<u8>,
    salt: [u8; 16],
}

impl Header {
    /// A header for a new file, with a fresh salt.
    ///
    /// # Errors
    /// When the wrapped data key is empty or too long, or there is no randomness.
    pub fn new(
        key: KeyId,
        version: VersionNo,
        wrapped_data_key: Vec<u8>,
        rng: &dyn Rng,
    ) -> Result<Self, EnvelopeError> {
        let mut salt = [0; 16];
        rng.fill(&mut salt)?;
        let chunk_bytes = CHUNK_BYTES_DEFAULT;
        Self { key, version, chunk_bytes, wrapped_data_key, salt }.checked()
    }

    /// The same header with another chunk size.
    ///
    /// # Errors
    /// When the size is out of range.
    pub fn with_chunk_bytes(mut self, chunk_bytes: u32) -> Result<Self, EnvelopeError> {
        self.chunk_bytes = chunk_bytes;
        self.checked()
    }

    /// Reads a header and leaves the reader at the first chunk.
    ///
    /// # Errors
    /// When the file cannot be read, is no envelope or breaks a limit.
    pub fn read(from: &mut impl Read) -> Result<Self, EnvelopeError> {
        let mut start = [0; MAGIC.len() + 4];
        exactly(from, &mut start)?;
        let (magic, length) = start.split_at(MAGIC.len());
        let length = length.iter().fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte));
        if magic != MAGIC || !(FIXED_BYTES + 1..=FIXED_BYTES + WRAPPED_BYTES_MAX).contains(&length)
        {
            return Err(EnvelopeError::Format);
        }
        let mut body = vec![0; length];
        exactly(from, &mut body)?;
        let read = || {
            let (key, rest) = body.split_first_chunk::<16>()?;
            let (version, rest) = rest.split_first_chunk::<4>()?;
            let (chunk_bytes, rest) = rest.split_first_chunk::<4>()?;
            let (salt, wrapped) = rest.split_first_chunk::<16>()?;
            Some(Self {
                key: KeyId::from_bytes(*key),
                version: VersionNo(u32::from_be_bytes(*version)),
                chunk_bytes: u32::from_be_bytes(*chunk_bytes),
                wrapped_data_key: wrapped.to_vec(),
                salt: *salt,
            })
        };
        read().ok_or(EnvelopeError::Format)?.checked()
    }

    fn checked(self) -> Result<Self, EnvelopeError> {
        let fits = (CHUNK_BYTES_MIN..=CHUNK_BYTES_MAX).contains(&self.chunk_bytes)
            && (1..=WRAPPED_BYTES_MAX).contains(&self.wrapped_data_key.len())
            && self.version.0 > 0;
        if fits { Ok(self) } else { Err(EnvelopeError::Format) }
    }

    fn to_bytes(&self) -> Result<Vec<u8>, EnvelopeError> {
        let length = FIXED_BYTES + self.wrapped_data_key.len();
        let length = u32::try_from(length).map_err(|_| EnvelopeError::Format)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.key.to_bytes());
        bytes.extend_from_slice(&self.version.0.to_be_bytes());
        bytes.extend_from_slice(&self.chunk_bytes.to_be_bytes());
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.wrapped_data_key);
        Ok(bytes)
    }

    fn chunk_key(&self, data_key: &DataKey) -> Result<LessSafeKey, EnvelopeError> {
        let header = digest::digest(&digest::SHA256, &self.to_bytes()?);
        let info = [INFO, header.as_ref()];
        let broken = |_| EnvelopeError::DoesNotOpen;
        let pseudo_random =
            hkdf::Salt::new(hkdf::HKDF_SHA256, &self.salt).extract(data_key.0.as_slice());
        let derived = pseudo_random.expand(&info, &AES_256_GCM).map_err(broken)?;
        Ok(LessSafeKey::new(UnboundKey::from(derived)))
    }
}

/// Encrypts everything that `plain` gives; returns the number of plaintext bytes.
///
/// # Errors
/// When reading or writing fails or the file has too many chunks; what was written is then useless.
pub fn seal(
    header: &Header,
    data_key: &DataKey,
    plain: &mut impl Read,
    sealed: &mut impl Write,
) -> Result<u64, EnvelopeError> {
    let key = header.chunk_key(data_key)?;
    sealed.write_all(&header.to_bytes()?)?;
    let chunk_bytes = size(header.chunk_bytes)?;
    let mut total = 0;
    for_each_chunk(plain, chunk_bytes, |index, last, chunk| {
        total += chunk.len() as u64;
        let place = place(index, last);
        let nonce = Nonce::assume_unique_for_key(place);
        key.seal_in_place_append_tag(nonce, Aad::from(place), chunk)
            .map_err(|_| EnvelopeError::DoesNotOpen)?;
        Ok(sealed.write_all(chunk)?)
    })?;
    Ok(total)
}

/// Decrypts the chunks that follow a header; returns the number of plaintext bytes.
///
/// Each chunk is written once it is proven, the end of the file is proven last: whoever gets an
/// error must throw away what was written.
///
/// # Errors
/// When reading or writing fails, or the data key or any byte is not what it was.
pub fn open(
    header: &Header,
    data_key: &DataKey,
    sealed: &mut impl Read,
    plain: &mut impl Write,
) -> Result<u64, EnvelopeError> {
    let key = header.chunk_key(data_key)?;
    let chunk_bytes = size(header.chunk_bytes)? + TAG_BYTES;
    let mut total = 0;
    for_each_chunk(sealed, chunk_bytes, |index, last, chunk| {
        let place = place(index, last);
        let nonce = Nonce::assume_unique_for_key(place);
        let opened = key
            .open_in_place(nonce, Aad::from(place), chunk)
            .map_err(|_| EnvelopeError::DoesNotOpen)?;
        if opened.is_empty() && index > 0 {
            return Err(EnvelopeError::DoesNotOpen);
        }
        total += opened.len() as u64;
        Ok(plain.write_all(opened)?)
    })?;
    Ok(total)
}

fn size(chunk_bytes: u32) -> Result<usize, EnvelopeError> {
    usize::try_from(chunk_bytes).map_err(|_| EnvelopeError::Format)
}

fn place(index: u64, last: bool) -> [u8; 12] {
    let mut place = [0; 12];
    for (to, from) in place.iter_mut().zip(index.to_be_bytes()) {
        *to = from;
    }
    if let Some(flag) = place.last_mut() {
        *flag = u8::from(last);
    }
    place
}

/// Calls `each` with every chunk in turn; a chunk is known to be the last by reading past it.
fn for_each_chunk(
    from: &mut impl Read,
    chunk_bytes: usize,
    mut each: impl FnMut(u64, bool, &mut Vec<u8>) -> Result<(), EnvelopeError>,
) -> Result<(), EnvelopeError> {
    // Room for the tag: a buffer that grows would leave a copy of the plaintext behind.
    let buffer = || Zeroizing::new(Vec::with_capacity(chunk_bytes + TAG_BYTES));
    let (mut chunk, mut next) = (buffer(), buffer());
    read_chunk(from, chunk_bytes, &mut chunk)?;
    for index in 0..CHUNKS_MAX {
        read_chunk(from, chunk_bytes, &mut next)?;
        let last = next.is_empty();
        each(index, last, &mut chunk)?;
        if last {
            return Ok(());
        }
        std::mem::swap(&mut chunk, &mut next);
    }
    Err(EnvelopeError::TooLong)
}

fn read_chunk(from: &mut impl Read, bytes: usize, to: &mut Vec<u8>) -> Result<(), EnvelopeError> {
    to.clear();
    from.take(bytes as u64).read_to_end(to)?;
    Ok(())
}

fn exactly(from: &mut impl Read, to: &mut [u8]) -> Result<(), EnvelopeError> {
    from.read_exact(to).map_err(|cause| match cause.kind() {
        io::ErrorKind::UnexpectedEof => EnvelopeError::Format,
        _ => EnvelopeError::Io(cause),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::SeededRng;
    use proptest::prelude::*;

    fn data_key() -> DataKey {
        DataKey::from_slice(&[0x42; DATA_KEY_BYTES]).unwrap()
    }
    const CHUNK: usize = CHUNK_BYTES_MIN as usize;

    fn header() -> Header {
        let rng = SeededRng::new(1);
        Header::new(KeyId::from_bytes([1; 16]), VersionNo(3), vec![9; 61], &rng)
            .and_then(|h| h.with_chunk_bytes(CHUNK_BYTES_MIN))
            .unwrap()
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let written = seal(&header(), &data_key(), &mut &plain[..], &mut out).unwrap();
        assert_eq!(written, plain.len() as u64);
        out
    }

    fn opened(mut file: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        let header = Header::read(&mut file)?;
        let mut out = Vec::new();
        open(&header, &data_key(), &mut file, &mut out)?;
        Ok(out)
    }

    #[test]
    fn a_file_of_any_length_around_a_chunk_comes_back() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7] {
            let plain: Vec<u8> = (0..=250).cycle().take(length).collect();
            let file = sealed(&plain);
            assert_eq!(opened(&file).unwrap(), plain, "{length}");
            assert_eq!(Header::read(&mut &file[..]).unwrap(), header());
        }
    }

    #[test]
    fn a_file_cut_anywhere_does_not_open() {
        let file = sealed(&vec![7; 3 * CHUNK + 5]);
        for length in 0..file.len() {
            assert!(opened(&file[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn chunks_swapped_repeated_left_out_or_added_do_not_open() {
        let file = sealed(&vec![7; 4 * CHUNK]);
        let body = header().to_bytes().unwrap().len();
        let (head, chunks) = file.split_at(body);
        let chunks: Vec<&[u8]> = chunks.chunks(CHUNK + TAG_BYTES).collect();
        assert_eq!(chunks.len(), 4);
        for order in
            [&[1, 0, 2, 3][..], &[0, 0, 1, 2, 3], &[0, 2, 3], &[0, 1, 2], &[0, 1, 2, 3, 3], &[3]]
        {
            let mixed: Vec<&[u8]> = order.iter().map(|n| chunks[*n]).collect();
            assert!(opened(&[head, &mixed.concat()].concat()).is_err(), "{order:?}");
        }
        let mut long = file.clone();
        long.push(0);
        assert!(opened(&long).is_err());
    }

    #[test]
    fn chunks_of_another_file_under_the_same_data_key_do_not_open() {
        let (one, mut two) = (sealed(&[1; 100]), Vec::new());
        let rng = SeededRng::new(2);
        let other = Header::new(KeyId::from_bytes([1; 16]), VersionNo(3), vec![9; 61], &rng)
            .and_then(|h| h.with_chunk_bytes(CHUNK_BYTES_MIN))
            .unwrap();
        seal(&other, &data_key(), &mut &[1; 100][..], &mut two).unwrap();
        let body = header().to_bytes().unwrap().len();
        assert!(opened(&[&one[..body], &two[body..]].concat()).is_err());
    }

    /// The format is a promise: these bytes were also opened by 15 lines of Python with its
    /// `cryptography` (HKDF and AESGCM), written from the head of this file alone.
    #[test]
    fn the_format_is_what_it_was() {
        let plain: Vec<u8> = (0..=250).cycle().take(2 * CHUNK + 9).collect();
        let file = sealed(&plain);
        let digest = digest::digest(&digest::SHA256, &file);
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "40351f9db01054bc6a5a88ff63d88d139fe17087b17efb0bc46f1b51646ee141");
    }

    #[test]
    fn a_data_key_has_its_length_and_does_not_print() {
        for length in [0, DATA_KEY_BYTES - 1, DATA_KEY_BYTES + 1] {
            assert!(DataKey::from_slice(&vec![0; length]).is_err(), "{length}");
        }
        assert_eq!(format!("{:?}", data_key()), "[data key]");
    }

    #[test]
    fn another_data_key_does_not_open() {
        let file = sealed(b"text");
        let header = Header::read(&mut &file[..]).unwrap();
        let chunks = &file[header.to_bytes().unwrap().len()..];
        let other = DataKey::from_slice(&[0x43; DATA_KEY_BYTES]).unwrap();
        assert!(open(&header, &other, &mut &chunks[..], &mut Vec::new()).is_err());
    }

    #[test]
    fn a_header_out_of_limits_is_refused() {
        let rng = SeededRng::new(1);
        let key = KeyId::from_bytes([1; 16]);
        let with = |wrapped: usize| Header::new(key, VersionNo(1), vec![0; wrapped], &rng);
        assert!(with(0).is_err() && with(WRAPPED_BYTES_MAX + 1).is_err());
        assert!(with(WRAPPED_BYTES_MAX).is_ok());
        for chunk_bytes in [0, CHUNK_BYTES_MIN - 1, CHUNK_BYTES_MAX + 1, u32::MAX] {
            assert!(header().with_chunk_bytes(chunk_bytes).is_err(), "{chunk_bytes}");
        }
    }

    proptest! {
        #[test]
        fn any_changed_bit_is_noticed(at in 0usize..4096, bit in 0u8..8) {
            let mut file = sealed(&vec![7; 2 * CHUNK + 9]);
            let at = at % file.len();
            file[at] ^= 1 << bit;
            prop_assert!(opened(&file).is_err());
        }

        #[test]
        fn any_bytes_are_refused_without_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..256),
        ) {
            prop_assert!(opened(&bytes).is_err());
            let mut behind_magic = MAGIC.to_vec();
            behind_magic.extend_from_slice(&bytes);
            prop_assert!(opened(&behind_magic).is_err());
        }
    }
}
