//! Signed notes as C2SP `signed-note` v1 has them: text, an empty line, and signature lines of the
//! form `— name base64(key id ‖ signature)`; verifier keys of the form `name+hash+base64`; timed
//! witness cosignatures as C2SP `tlog-cosignature` v1 has them.
//!
//! The text of a note means nothing before [`Note::verify`] has said who signed it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::str::FromStr;

/// Longest note in bytes: room for a checkpoint and its cosignatures, post-quantum ones included.
pub const NOTE_BYTES_MAX: usize = 128 * 1024;
/// Most signatures of one note; the standard asks for at least 16.
pub const SIGNATURES_MAX: usize = 64;
/// Longest name of a key, in bytes.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// What a note needs from a cryptographic library; `audit` implements it.
pub trait Verifier {
    /// SHA-256 (FIPS 180-4) of the parts, one after the other.
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32];
    /// Whether an Ed25519 signature (RFC 8032) is good.
    fn ed25519(&self, public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool;
}

/// Why a note or a verifier key is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("the note is longer than {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// Not text, an empty line at the wrong place, a control character.
    #[error("not a signed note: text, an empty line and signature lines are expected")]
    Malformed,
    /// A line after the empty line is not a signature line.
    #[error("signature line {0} of the note is malformed")]
    MalformedSignature(usize),
    /// More than [`SIGNATURES_MAX`] signatures.
    #[error("the note has more than {SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// The key is not `name+hash+base64`, or its hash does not belong to it.
    #[error("not a verifier key of the form `name+hash+base64`")]
    MalformedKey,
    /// The name of a key is empty, too long, or has a space or a plus sign.
    #[error("the name of a note's key must be non-empty, without spaces and plus signs")]
    BadName,
    /// A known key's signature does not match the text.
    #[error("a signature of a known key does not match the note")]
    BadSignature,
    /// No known key has signed.
    #[error("no known key has signed the note")]
    Unsigned,
}

/// What a signature says, by its type byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SignatureType {
    /// Ed25519 over the text (type byte 0x01).
    Ed25519,
    /// A witness's timed cosignature, Ed25519 (type byte 0x04).
    Cosignature,
}

impl SignatureType {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct KeyHash(pub [u8; 4]);

/// A name under which a key signs: non-empty, no spaces, no plus sign.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyName {
    type Err = NoteError;
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let bad = |c: char| c.is_whitespace() || c == '+' || c.is_control();
        if text.is_empty() || text.len() > KEY_NAME_BYTES_MAX || text.contains(bad) {
            return Err(NoteError::BadName);
        }
        Ok(Self(text.to_owned()))
    }
}

/// A public key with its name and the type of its signatures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: KeyName,
    hash: KeyHash,
    kind: SignatureType,
    public_key: [u8; 32],
}

impl VerifierKey {
    /// The key of this name, type and Ed25519 public key.
    #[must_use]
    pub fn new(
        name: KeyName,
        kind: SignatureType,
        public_key: [u8; 32],
        crypto: &dyn Verifier,
    ) -> Self {
        let digest = crypto.sha256(&[name.as_str().as_bytes(), b"\n", &[kind.byte()], &public_key]);
        let [a, b, c, d, ..] = digest;
        Self { name, hash: KeyHash([a, b, c, d]), kind, public_key }
    }

    /// Reads `name+hash+base64`; the hash must belong to the name and the key.
    ///
    /// # Errors
    /// [`NoteError::MalformedKey`] or [`NoteError::BadName`].
    pub fn parse(text: &str, crypto: &dyn Verifier) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::MalformedKey);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::MalformedKey)?;
        let (kind, public_key) = match bytes.split_first() {
            Some((0x01, rest)) => (SignatureType::Ed25519, rest),
            Some((0x04, rest)) => (SignatureType::Cosignature, rest),
            _ => return Err(NoteError::MalformedKey),
        };
        let public_key = public_key.try_into().map_err(|_| NoteError::MalformedKey)?;
        let key = Self::new(name.parse()?, kind, public_key, crypto);
        if hash != hex(key.hash) {
            return Err(NoteError::MalformedKey);
        }
        Ok(key)
    }

    /// The name under which the key signs.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key's short identifier.
    #[must_use]
    pub const fn hash(&self) -> KeyHash {
        self.hash
    }

    /// What its signatures say.
    #[must_use]
    pub const fn kind(&self) -> SignatureType {
        self.kind
    }

    /// The Ed25519 public key (RFC 8032, section 5.1.5).
    #[must_use]
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    /// The line that carries a signature which the holder of the key has made over the text.
    #[must_use]
    pub fn signature(&self, signature: &[u8; 64]) -> NoteSignature {
        let (name, hash) = (self.name.clone(), self.hash);
        NoteSignature { name, hash, bytes: signature.to_vec() }
    }

    /// The line that carries a cosignature made over [`cosigned_message`] at `seconds` after 1970.
    #[must_use]
    pub fn cosignature(&self, seconds: u64, signature: &[u8; 64]) -> NoteSignature {
        let (name, hash) = (self.name.clone(), self.hash);
        let bytes = [&seconds.to_be_bytes()[..], signature].concat();
        NoteSignature { name, hash, bytes }
    }

    fn check(
        &self,
        text: &str,
        signature: &NoteSignature,
        crypto: &dyn Verifier,
    ) -> Result<Option<u64>, NoteError> {
        let (seconds, message, bytes) = match self.kind {
            SignatureType::Ed25519 => (None, text.as_bytes().to_vec(), signature.bytes.as_slice()),
            SignatureType::Cosignature => {
                let (time, rest) =
                    signature.bytes.split_first_chunk::<8>().ok_or(NoteError::BadSignature)?;
                let seconds = u64::from_be_bytes(*time);
                (Some(seconds), cosigned_message(text, seconds), rest)
            }
        };
        let bytes: &[u8; 64] = bytes.try_into().map_err(|_| NoteError::BadSignature)?;
        if crypto.ed25519(&self.public_key, &message, bytes) {
            Ok(seconds)
        } else {
            Err(NoteError::BadSignature)
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[self.kind.byte()][..], &self.public_key].concat();
        write!(f, "{}+{}+{}", self.name, hex(self.hash), STANDARD.encode(bytes))
    }
}

fn hex(hash: KeyHash) -> String {
    format!("{:08x}", u32::from_be_bytes(hash.0))
}

/// What a witness signs: the header, the time and the whole text of the checkpoint.
#[must_use]
pub fn cosigned_message(text: &str, seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

/// One signature line of a note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteSignature {
    name: KeyName,
    hash: KeyHash,
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// Reads one line without its line break.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        let (hash, rest) = bytes.split_first_chunk::<4>()?;
        if rest.is_empty() {
            return None;
        }
        Some(Self { name: name.parse().ok()?, hash: KeyHash(*hash), bytes: rest.to_vec() })
    }

    /// The name of the key that is said to have signed.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The identifier of the key that is said to have signed.
    #[must_use]
    pub const fn hash(&self) -> KeyHash {
        self.hash
    }

    /// Whether this line is said to come from this key.
    #[must_use]
    pub fn is_by(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.hash == key.hash
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.hash.0[..], &self.bytes].concat();
        write!(f, "— {} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A key that has signed a note, and when, if its signatures carry a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedBy<'a> {
    /// The key.
    pub key: &'a VerifierKey,
    /// Seconds since 1970, for cosignatures.
    pub seconds: Option<u64>,
}

/// A text and the signatures under it.
/// ```
/// use wire::note::Note;
/// let mut text = String::from("log\n7\n");
/// let note = Note::new(text.clone()).unwrap();
/// assert_eq!((note.text(), note.signatures().len()), (text.as_str(), 0));
/// // What is signed are whole lines.
/// text.push('x');
/// assert!(Note::new(text).is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// A note of this text, which must end in a line break, with no signature yet.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] for a text that a note cannot carry.
    pub fn new(text: String) -> Result<Self, NoteError> {
        let control = |c: char| c < ' ' && c != '\n';
        if !text.ends_with('\n') || text.contains(control) {
            return Err(NoteError::Malformed);
        }
        if text.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Reads a note with at least one signature line.
    ///
    /// # Errors
    /// What is wrong with the form; nothing is verified here.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed)?;
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let mut note = Self::new(format!("{text}\n"))?;
        for (number, line) in lines.split('\n').enumerate() {
            let signature =
                NoteSignature::parse(line).ok_or(NoteError::MalformedSignature(number + 1))?;
            note.push(signature)?;
        }
        Ok(note)
    }

    /// Adds a signature line.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`].
    pub fn push(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.len() >= SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// The text, its final line break included. Not to be believed before [`Note::verify`].
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Which of these keys have signed; signatures of unknown keys are ignored.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] when a known key's signature does not match,
    /// [`NoteError::Unsigned`] when no known key has signed.
    pub fn verify<'a>(
        &self,
        keys: &'a [VerifierKey],
        crypto: &dyn Verifier,
    ) -> Result<Vec<SignedBy<'a>>, NoteError> {
        let mut signed: Vec<SignedBy<'a>> = Vec::new();
        for signature in &self.signatures {
            let Some(key) = keys.iter().find(|key| signature.is_by(key)) else { continue };
            let seconds = key.check(&self.text, signature, crypto)?;
            if !signed.iter().any(|s| s.key == key && s.seconds == seconds) {
                signed.push(SignedBy { key, seconds });
            }
        }
        if signed.is_empty() { Err(NoteError::Unsigned) } else { Ok(signed) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hashes and verifies nothing real: the form is what is tested here. Real vectors are in
    /// `audit`, which has the cryptography.
    struct Formal;
    impl Verifier for Formal {
        fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
            let mut state = 7u64;
            for byte in parts.iter().flat_map(|p| p.iter()) {
                state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(9) ^ u64::from(*byte);
            }
            let mut out = [0u8; 32];
            out[..8].copy_from_slice(&state.to_be_bytes());
            out
        }
        fn ed25519(&self, key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
            signature[..32] == self.sha256(&[key, message])
        }
    }

    fn key(name: &str, kind: SignatureType) -> VerifierKey {
        VerifierKey::new(name.parse().unwrap(), kind, [7; 32], &Formal)
    }

    fn sign(key: &VerifierKey, message: &[u8]) -> [u8; 64] {
        let mut signature = [0u8; 64];
        signature[..32].copy_from_slice(&Formal.sha256(&[key.public_key(), message]));
        signature
    }

    #[test]
    fn a_note_reads_back_and_names_its_signers_only() {
        let (origin, witness) =
            (key("log", SignatureType::Ed25519), key("wit", SignatureType::Cosignature));
        let stranger = key("stranger", SignatureType::Ed25519);
        let mut note = Note::new("a\n\nb\n".into()).unwrap();
        for signer in [&stranger, &origin] {
            note.push(signer.signature(&sign(signer, note.text().as_bytes()))).unwrap();
        }
        let cosigned = sign(&witness, &cosigned_message(note.text(), 99));
        note.push(witness.cosignature(99, &cosigned)).unwrap();
        let back = Note::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(back, note);
        let keys = [origin, witness];
        let signed = back.verify(&keys, &Formal).unwrap();
        assert_eq!(signed.iter().map(|s| s.seconds).collect::<Vec<_>>(), [None, Some(99)]);
    }

    #[test]
    fn an_altered_text_or_time_is_refused() {
        let witness = key("wit", SignatureType::Cosignature);
        let mut note = Note::new("a\n".into()).unwrap();
        let signature = sign(&witness, &cosigned_message("a\n", 99));
        note.push(witness.cosignature(98, &signature)).unwrap();
        let keys = [witness];
        assert_eq!(note.verify(&keys, &Formal), Err(NoteError::BadSignature));
        assert_eq!(note.verify(&[], &Formal), Err(NoteError::Unsigned));
    }

    #[test]
    fn a_verifier_key_reads_back_and_a_wrong_hash_is_refused() {
        let text = key("log.example/a", SignatureType::Ed25519).to_string();
        assert_eq!(VerifierKey::parse(&text, &Formal).unwrap().to_string(), text);
        let wrong = text.replace("log.example/a+", "log.example/b+");
        assert_eq!(VerifierKey::parse(&wrong, &Formal), Err(NoteError::MalformedKey));
        for name in ["", "a b", "a+b", "a\u{a0}b", &"x".repeat(KEY_NAME_BYTES_MAX + 1)] {
            assert_eq!(name.parse::<KeyName>(), Err(NoteError::BadName));
        }
    }

    #[test]
    fn limits_hold() {
        let signer = key("log", SignatureType::Ed25519);
        let mut note = Note::new("a\n".into()).unwrap();
        for _ in 0..SIGNATURES_MAX {
            note.push(signer.signature(&[1; 64])).unwrap();
        }
        let one_more = signer.signature(&[1; 64]);
        assert_eq!(note.push(one_more), Err(NoteError::TooManySignatures));
        let long = vec![b'a'; NOTE_BYTES_MAX + 1];
        assert_eq!(Note::parse(&long), Err(NoteError::TooLong));
    }

    #[test]
    fn what_is_not_a_note_is_refused() {
        for text in [
            "",
            "\n",
            "a",
            "a\n",
            "a\n\n",
            "a\n\n\n",
            "a\n\n— x\n",
            "a\n\n— x AAAA\n",
            "a\r\n\n— x AAAAAA==\n",
            "a\n\n- x AAAAAAA=\n",
            "a\n\n— x AAAAAAA=",
            "a\n\n—  AAAAAAA=\n",
        ] {
            assert!(Note::parse(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Note::parse(&bytes);
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let _ = VerifierKey::parse(text, &Formal);
                let _ = NoteSignature::parse(text);
            }
        }

        #[test]
        fn what_reads_is_written_the_same(
            text in "[a-z\n ]{0,40}",
            name in "[a-z./]{1,9}",
            bytes in prop::collection::vec(any::<u8>(), 5..80),
        ) {
            let whole = format!("{text}\n\n— {name} {}\n", STANDARD.encode(&bytes));
            if let Ok(note) = Note::parse(whole.as_bytes()) {
                prop_assert_eq!(note.to_string(), whole);
            }
        }
    }
}
