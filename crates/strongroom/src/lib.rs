//! The only room where key bytes exist.
//!
//! **For:** the root and its seals, the keys of our own records, log and credentials, and every
//! operation with a customer's key. Others hold handles ([`KeyHandle`], [`RecordKeys`],
//! [`LogSigner`], [`PersonalKey`], [`TlsKey`]) that compute and never show what they compute with.
//!
//! **Not for:** deciding who may (the gate does, and its permit is asked for here), states and
//! schedules of keys (`keys`), storing anything but the root (`store`), time (a parameter).
//!
//! **The way of a request:** `keys` reads a key's wrapped form from the store →
//! [`Strongroom::open_key`] unwraps and expands it, or finds it expanded → the operation checks
//! that the permit is for this key and still live → ciphertexts, signatures and codes come back as
//! bytes, secrets as [`Released`], which is written once into a [`ResponseBuffer`].
//!
//! **The tree of keys:** seal → barrier key → (record, index, digest, pepper, token, one-time-code
//! and credential keys by derivation; log signer, TLS keys and each key domain's key-encryption key
//! by wrapping, in the root) → shred keys of the domain, in the root → key material, in the store.
//!
//! **Invariants:** nothing opens before the self-tests pass; what the root says is authenticated
//! before it is believed; every failed check of a cipher is one error with one message; no type
//! that holds key bytes has `Clone` of the bytes, comparison, serialisation or a telling `Debug`;
//! deleting a shred key from the root makes every copy of what it wrapped unreadable ([`shred`]).

mod agree;
mod algorithm;
mod argon2id;
mod bytes;
mod cache;
mod credentials;
mod derive;
mod encrypt;
mod export;
mod handle;
mod harden;
mod journal;
mod key_error;
mod log_signer;
mod material;
mod passwords;
mod permits;
mod personal;
mod random;
mod records;
mod released;
mod room;
mod root;
mod root_file;
mod scrub;
mod seal;
mod self_test;
pub mod shred;
mod sign;
mod slot;
mod totp;

pub use agree::{AGREED_BYTES_MAX, Encapsulated, PEER_BYTES_MAX};
pub use algorithm::{Algorithm, Capability, SignatureScheme, UnknownAlgorithm};
pub use argon2id::{Argon2Cost, CostOutOfBounds};
pub use bytes::Bytes;
pub use cache::{EXPANDED_IDLE_MICROS_MAX, EXPANDED_KEYS_MAX};
pub use credentials::{CredentialError, TlsKey};
pub use encrypt::{
    CIPHERTEXT_OVERHEAD, CONTEXT_BYTES_MAX, DATA_KEY_BYTES_MAX, DATA_KEY_BYTES_MIN, DataKey,
    ciphertext_version,
};
pub use export::{RECIPIENT_BITS_MIN, RECIPIENT_BYTES_MAX};
pub use handle::KeyHandle;
pub use harden::{Hardening, harden_process};
pub use journal::{JOURNAL_BYTES_MAX, JOURNAL_ENTRIES_MAX, JOURNAL_START, Journal, JournalError};
pub use key_error::KeyError;
pub use log_signer::LogSigner;
pub use passwords::{PASSWORD_BYTES_MAX, PasswordError};
pub use permits::{
    MayAgree, MayDecrypt, MayEncrypt, MayExport, MayGenerate, MayMac, MayMacVerify, MayMakeDataKey,
    MayReencrypt, MaySign, MayVerify,
};
pub use personal::PersonalKey;
pub use random::SystemRng;
pub use records::{CollectionDigests, Place, RECORD_OVERHEAD, RecordError, RecordKeys};
pub use released::{MayRelease, Released, ResponseBuffer};
pub use room::{RootDescription, RootError, SealError, Strongroom};
pub use root::{ShredFamily, ShredId};
pub use root_file::{FileRoot, MemoryRoot, ROOT_BYTES_MAX, RootFile, RootFileError};
pub use seal::{
    KEY_FILE_BYTES_MAX, KEY_FILE_BYTES_MIN, PASSPHRASE_BYTES_MAX, PASSPHRASE_CHARS_MIN, Seal,
    SealDescriptor,
};
pub use self_test::{SelfTestFailed, self_test};
pub use slot::{KeySlot, Lease, Month, PersonalSlot, SUBJECT_BYTES_MAX, Slot, StoredKey};
pub use totp::{TOTP_STEP_SECONDS, TotpSeed, device_code};
