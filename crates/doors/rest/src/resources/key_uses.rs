//! Using a key: each endpoint is one permit and one use case.

use super::keys::{KeyPath, no_reason_to_wait};
use crate::Rooms;
use crate::answer::{Json, Shown};
use crate::call::{Call, FromJson, NoParameters};
use crate::fields::Base64;
use crate::shape;
use crate::table::{Needs, Table, post};
use kernel::limits::BATCH_ITEMS_MAX;
use kernel::{Action, Caller, KeyId, Problem, Secret, VersionNo};
use keys::{Compromise, KeysError, Plaintext, Use};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use strongroom::SignatureScheme;

const AREA: &str = "key use";

pub(crate) fn lines(table: &mut Table) {
    let on = |path, action, summary| post(path, Needs::Permit(action), summary);
    table.closed(
        AREA,
        on("/keys/{key}/encrypt", Action::KeyEncrypt, "Encrypts up to 1 MiB."),
        encrypt,
    );
    table.closed(
        AREA,
        on("/keys/{key}/decrypt", Action::KeyDecrypt, "Decrypts what encrypt made."),
        decrypt,
    );
    table.closed(
        AREA,
        on(
            "/keys/{key}/re-encrypt",
            Action::KeyReencrypt,
            "Encrypts under the newest version what an older one encrypted; shows no plaintext.",
        ),
        reencrypt,
    );
    table.closed(AREA, on("/keys/{key}/sign", Action::KeySign, "Signs a message."), sign);
    table.closed(
        AREA,
        on("/keys/{key}/verify", Action::KeyVerify, "Verifies a signature."),
        verify,
    );
    table.closed(
        AREA,
        on("/keys/{key}/mac", Action::KeyMac, "Computes a message authentication code."),
        mac,
    );
    table.closed(
        AREA,
        on(
            "/keys/{key}/mac-verify",
            Action::KeyMacVerify,
            "Verifies a message authentication code.",
        ),
        mac_verify,
    );
    table.closed(
        AREA,
        on(
            "/keys/{key}/data-key",
            Action::KeyDataKey,
            "Makes a data key: its plaintext leaves once, its wrapped form is yours to keep.",
        ),
        data_key,
    );
    table.closed(
        AREA,
        on("/batch/encrypt", Action::KeyEncrypt, "Encrypts up to 256 items in one commit."),
        batch_encrypt,
    );
    table.closed(
        AREA,
        on("/batch/decrypt", Action::KeyDecrypt, "Decrypts up to 256 items in one commit."),
        batch_decrypt,
    );
}

type On<B> = Call<KeyPath, NoParameters, FromJson<B>>;

/// Whether a version that others may know is used for old data.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum IfCompromised {
    /// Refuse.
    #[default]
    Refuse,
    /// Use it; the record says that this was accepted.
    Accept,
}

impl From<IfCompromised> for Compromise {
    fn from(choice: IfCompromised) -> Self {
        match choice {
            IfCompromised::Refuse => Self::Refuse,
            IfCompromised::Accept => Self::Accept,
        }
    }
}

fn context(context: Option<Base64>) -> Vec<u8> {
    context.map(|context| context.bytes().to_vec()).unwrap_or_default()
}

/// Takes the bytes out of what may leave once.
fn leaving(released: strongroom::Released) -> Base64 {
    released.expose_once(|bytes| Base64::new(bytes.to_vec()))
}

/// One use of one key. A revocation in between is decided again, three times at most.
async fn one<U: Use>(
    rooms: &Rooms,
    caller: &Arc<Caller>,
    key: KeyId,
    request: &U,
) -> Result<U::Answer, Problem> {
    let mut tries = 0;
    loop {
        let permit = rooms.key_permit::<U::Action>(caller, key)?;
        match rooms.keys.once(permit, request).await {
            Err(cause) if no_reason_to_wait(&cause, &mut tries) => {}
            done => return Ok(done?),
        }
    }
}

/// What to encrypt.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EncryptRequest {
    /// Up to 1 MiB.
    plaintext: Base64,
    /// What must be presented again when decrypting; authenticated, not encrypted.
    context: Option<Base64>,
}

/// What was encrypted.
#[derive(Debug, Serialize, JsonSchema)]
struct EncryptAnswer {
    /// In a format that names key version and algorithm.
    ciphertext: Base64,
    /// The version that encrypted.
    #[schemars(with = "u32")]
    version: VersionNo,
}

impl EncryptRequest {
    fn request(self) -> keys::Encrypt {
        let plaintext = Secret::new(std::mem::take(&mut *self.plaintext.into_bytes()));
        keys::Encrypt { plaintext, context: context(self.context) }
    }
}

impl From<keys::Encrypted> for EncryptAnswer {
    fn from(done: keys::Encrypted) -> Self {
        Self { ciphertext: Base64::new(done.ciphertext), version: done.version }
    }
}

async fn encrypt(
    rooms: Arc<Rooms>,
    call: On<EncryptRequest>,
) -> Result<Json<EncryptAnswer>, Problem> {
    let request = call.body.0.request();
    Ok(Json(one(&rooms, &call.caller, call.path.key, &request).await?.into()))
}

/// What to decrypt.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DecryptRequest {
    /// What encrypt gave.
    ciphertext: Base64,
    /// The context that was given to encrypt.
    context: Option<Base64>,
    /// Whether a compromised version may be used.
    #[serde(default)]
    if_compromised: IfCompromised,
}

/// What was decrypted; it leaves once.
#[derive(Debug, Serialize, JsonSchema)]
struct DecryptAnswer {
    /// The plaintext.
    plaintext: Base64,
    /// The version that had encrypted.
    #[schemars(with = "u32")]
    version: VersionNo,
}

impl DecryptRequest {
    fn request(self) -> keys::Decrypt {
        keys::Decrypt {
            ciphertext: self.ciphertext.bytes().to_vec(),
            context: context(self.context),
            compromise: self.if_compromised.into(),
        }
    }
}

impl From<keys::Decrypted> for DecryptAnswer {
    fn from(done: keys::Decrypted) -> Self {
        Self { plaintext: leaving(done.plaintext), version: done.version }
    }
}

async fn decrypt(
    rooms: Arc<Rooms>,
    call: On<DecryptRequest>,
) -> Result<Shown<DecryptAnswer>, Problem> {
    let request = call.body.0.request();
    Ok(Shown(one(&rooms, &call.caller, call.path.key, &request).await?.into()))
}

/// What to encrypt anew.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReencryptRequest {
    /// What encrypt gave.
    ciphertext: Base64,
    /// The context that was given to encrypt; it stays.
    context: Option<Base64>,
    /// Whether a compromised version may be used for decrypting.
    #[serde(default)]
    if_compromised: IfCompromised,
}

async fn reencrypt(
    rooms: Arc<Rooms>,
    call: On<ReencryptRequest>,
) -> Result<Json<EncryptAnswer>, Problem> {
    let body = call.body.0;
    let request = keys::Reencrypt {
        ciphertext: body.ciphertext.bytes().to_vec(),
        context: context(body.context),
        compromise: body.if_compromised.into(),
    };
    Ok(Json(one(&rooms, &call.caller, call.path.key, &request).await?.into()))
}

/// What to sign.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignRequest {
    /// The message itself, never a digest.
    message: Base64,
    /// How; the algorithm's first choice when not said.
    #[schemars(with = "Option<shape::SignatureScheme>")]
    scheme: Option<SignatureScheme>,
}

/// A signature.
#[derive(Debug, Serialize, JsonSchema)]
struct SignAnswer {
    /// The signature.
    signature: Base64,
    /// How it was made.
    #[schemars(with = "shape::SignatureScheme")]
    scheme: SignatureScheme,
    /// The version that signed.
    #[schemars(with = "u32")]
    version: VersionNo,
}

async fn sign(rooms: Arc<Rooms>, call: On<SignRequest>) -> Result<Json<SignAnswer>, Problem> {
    let body = call.body.0;
    let request = keys::Sign { message: body.message.bytes().to_vec(), scheme: body.scheme };
    let done = one(&rooms, &call.caller, call.path.key, &request).await?;
    let signature = Base64::new(done.signature);
    Ok(Json(SignAnswer { signature, scheme: done.scheme, version: done.version }))
}

/// What to verify.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    /// The message itself.
    message: Base64,
    /// The signature.
    signature: Base64,
    /// How it was made; the algorithm's first choice when not said.
    #[schemars(with = "Option<shape::SignatureScheme>")]
    scheme: Option<SignatureScheme>,
    /// The version; the newest that may verify when not said.
    #[schemars(with = "Option<shape::Version>")]
    version: Option<VersionNo>,
    /// Whether a compromised version may be used.
    #[serde(default)]
    if_compromised: IfCompromised,
}

/// Whether it holds.
#[derive(Debug, Serialize, JsonSchema)]
struct VerifyAnswer {
    /// Whether signature or code belong to message and key.
    valid: bool,
    /// The version that was asked.
    #[schemars(with = "u32")]
    version: VersionNo,
}

impl From<keys::Verified> for VerifyAnswer {
    fn from(done: keys::Verified) -> Self {
        Self { valid: done.valid, version: done.version }
    }
}

async fn verify(rooms: Arc<Rooms>, call: On<VerifyRequest>) -> Result<Json<VerifyAnswer>, Problem> {
    let body = call.body.0;
    let request = keys::Verify {
        message: body.message.bytes().to_vec(),
        signature: body.signature.bytes().to_vec(),
        scheme: body.scheme,
        version: body.version,
        compromise: body.if_compromised.into(),
    };
    Ok(Json(one(&rooms, &call.caller, call.path.key, &request).await?.into()))
}

/// What to authenticate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MacRequest {
    /// The message.
    message: Base64,
}

/// A message authentication code.
#[derive(Debug, Serialize, JsonSchema)]
struct MacAnswer {
    /// The code.
    code: Base64,
    /// The version that computed it.
    #[schemars(with = "u32")]
    version: VersionNo,
}

async fn mac(rooms: Arc<Rooms>, call: On<MacRequest>) -> Result<Json<MacAnswer>, Problem> {
    let request = keys::Mac { message: call.body.0.message.bytes().to_vec() };
    let done = one(&rooms, &call.caller, call.path.key, &request).await?;
    Ok(Json(MacAnswer { code: Base64::new(done.code), version: done.version }))
}

/// What to verify.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MacVerifyRequest {
    /// The message.
    message: Base64,
    /// The code.
    code: Base64,
    /// The version; the newest that may verify when not said.
    #[schemars(with = "Option<shape::Version>")]
    version: Option<VersionNo>,
    /// Whether a compromised version may be used.
    #[serde(default)]
    if_compromised: IfCompromised,
}

async fn mac_verify(
    rooms: Arc<Rooms>,
    call: On<MacVerifyRequest>,
) -> Result<Json<VerifyAnswer>, Problem> {
    let body = call.body.0;
    let request = keys::MacVerify {
        message: body.message.bytes().to_vec(),
        code: body.code.bytes().to_vec(),
        version: body.version,
        compromise: body.if_compromised.into(),
    };
    Ok(Json(one(&rooms, &call.caller, call.path.key, &request).await?.into()))
}

/// Whether the plaintext of a data key leaves.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum DataKeyPlaintext {
    /// It leaves, once.
    #[default]
    Released,
    /// It stays: only the wrapped form is given.
    Withheld,
}

/// Which data key is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DataKeyRequest {
    /// Its length in bytes.
    #[schemars(range(min = DATA_KEY_MIN, max = DATA_KEY_MAX))]
    length: u16,
    /// What must be presented again when it is unwrapped.
    context: Option<Base64>,
    /// Whether its plaintext leaves.
    #[serde(default)]
    plaintext: DataKeyPlaintext,
}

const DATA_KEY_MIN: usize = strongroom::DATA_KEY_BYTES_MIN;
const DATA_KEY_MAX: usize = strongroom::DATA_KEY_BYTES_MAX;

/// A data key; its plaintext leaves once.
#[derive(Debug, Serialize, JsonSchema)]
struct DataKeyAnswer {
    /// The key itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<Base64>,
    /// Its wrapped form, for decrypt with the same context.
    wrapped: Base64,
    /// The version that wrapped it.
    #[schemars(with = "u32")]
    version: VersionNo,
}

async fn data_key(
    rooms: Arc<Rooms>,
    call: On<DataKeyRequest>,
) -> Result<Shown<DataKeyAnswer>, Problem> {
    let body = call.body.0;
    let length = usize::from(body.length);
    if !(DATA_KEY_MIN..=DATA_KEY_MAX).contains(&length) {
        let detail = format!("expected {DATA_KEY_MIN} to {DATA_KEY_MAX}");
        return Err(Problem::field("/length", detail));
    }
    let plaintext = match body.plaintext {
        DataKeyPlaintext::Released => Plaintext::Released,
        DataKeyPlaintext::Withheld => Plaintext::Withheld,
    };
    let request = keys::MakeDataKey { length, context: context(body.context), plaintext };
    let made = one(&rooms, &call.caller, call.path.key, &request).await?;
    let plaintext = made.plaintext.map(leaving);
    let wrapped = Base64::new(made.wrapped);
    Ok(Shown(DataKeyAnswer { plaintext, wrapped, version: made.version }))
}

/// Items, each with its key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EncryptBatch {
    /// In any mixture of keys.
    #[schemars(length(min = 1, max = BATCH_ITEMS_MAX))]
    items: Vec<EncryptItem>,
}

/// One item to encrypt.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EncryptItem {
    /// The key.
    #[schemars(with = "shape::Id<KeyId>")]
    key: KeyId,
    /// What to encrypt.
    plaintext: Base64,
    /// What must be presented again when decrypting.
    context: Option<Base64>,
}

/// Items, each with its key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DecryptBatch {
    /// In any mixture of keys.
    #[schemars(length(min = 1, max = BATCH_ITEMS_MAX))]
    items: Vec<DecryptItem>,
}

/// One item to decrypt.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DecryptItem {
    /// The key.
    #[schemars(with = "shape::Id<KeyId>")]
    key: KeyId,
    /// What encrypt gave.
    ciphertext: Base64,
    /// The context that was given to encrypt.
    context: Option<Base64>,
    /// Whether a compromised version may be used.
    #[serde(default)]
    if_compromised: IfCompromised,
}

/// Results in the order of the items.
#[derive(Debug, Serialize, JsonSchema)]
struct BatchAnswer<T> {
    /// One for each item.
    results: Vec<ItemAnswer<T>>,
}

/// What became of one item.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ItemAnswer<T> {
    /// It was done.
    Done(T),
    /// It was refused or failed; the others are not touched by that.
    Problem {
        /// A stable code for programs.
        code: String,
        /// For people.
        detail: String,
    },
}

fn item<T, U: Into<T>>(result: Result<U, Problem>) -> ItemAnswer<T> {
    match result {
        Ok(done) => ItemAnswer::Done(done.into()),
        Err(problem) => {
            ItemAnswer::Problem { code: problem.code.into_owned(), detail: problem.detail }
        }
    }
}

fn within_batch(items: usize) -> Result<(), Problem> {
    if items == 0 || items > BATCH_ITEMS_MAX {
        let detail = format!("expected 1 to {BATCH_ITEMS_MAX} items");
        return Err(Problem::field("/items", detail));
    }
    Ok(())
}

/// Many uses in one commit. An item that the gate refuses has its own result; when something was
/// revoked meanwhile, nothing was answered and the caller sends the batch again.
async fn many<U: Use>(
    rooms: &Rooms,
    caller: &Arc<Caller>,
    items: Vec<(KeyId, U)>,
) -> Result<Vec<Result<U::Answer, Problem>>, Problem> {
    within_batch(items.len())?;
    let mut order = Vec::with_capacity(items.len());
    let mut permitted = Vec::with_capacity(items.len());
    for (key, request) in items {
        match rooms.key_permit::<U::Action>(caller, key) {
            Ok(permit) => {
                permitted.push((permit, request));
                order.push(None);
            }
            Err(problem) => order.push(Some(problem)),
        }
    }
    let refused = order.iter().any(Option::is_some);
    let done: Result<Vec<_>, KeysError> = rooms.keys.batch(permitted).await;
    let mut done = done?.into_iter();
    if refused {
        rooms.recorded().await?;
    }
    let missing = || Problem::not_found("result");
    Ok(order
        .into_iter()
        .map(|refusal| match refusal {
            Some(problem) => Err(problem),
            None => done.next().ok_or_else(missing)?.map_err(Problem::from),
        })
        .collect())
}

type OnMany<B> = Call<NoParameters, NoParameters, FromJson<B>>;

async fn batch_encrypt(
    rooms: Arc<Rooms>,
    call: OnMany<EncryptBatch>,
) -> Result<Json<BatchAnswer<EncryptAnswer>>, Problem> {
    let items = call.body.0.items.into_iter().map(|item| {
        let request = EncryptRequest { plaintext: item.plaintext, context: item.context };
        (item.key, request.request())
    });
    let results = many(&rooms, &call.caller, items.collect()).await?;
    Ok(Json(BatchAnswer { results: results.into_iter().map(item).collect() }))
}

async fn batch_decrypt(
    rooms: Arc<Rooms>,
    call: OnMany<DecryptBatch>,
) -> Result<Shown<BatchAnswer<DecryptAnswer>>, Problem> {
    let items = call.body.0.items.into_iter().map(|item| {
        let DecryptItem { key, ciphertext, context, if_compromised } = item;
        (key, DecryptRequest { ciphertext, context, if_compromised }.request())
    });
    let results = many(&rooms, &call.caller, items.collect()).await?;
    Ok(Shown(BatchAnswer { results: results.into_iter().map(item).collect() }))
}
