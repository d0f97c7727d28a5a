//! The shapes of kernel types in JSON Schema (2020-12): what a stranger may send and will get.
//!
//! A wire type names the shape of a field with `#[schemars(with = "shape::Name")]`; the value
//! itself keeps the kernel's type, so that parsing and documentation cannot drift apart in two
//! structs.

use kernel::limits::{NAME_CHARS_MAX, TEXT_CHARS_MAX};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::marker::PhantomData;

/// An identifier type with its prefix.
pub trait Prefixed {
    /// The text before the underscore.
    const PREFIX: &'static str;
}

macro_rules! prefixed {
    ($($id:ident),*) => { $(
        impl Prefixed for kernel::$id { const PREFIX: &'static str = Self::PREFIX; }
    )* };
}
prefixed!(
    DomainId, KeyId, PersonId, ServiceId, TokenId, SessionId, ApprovalId, AssetId, RunId, ReportId,
    SourceId, ScanId, FindingId, GroupId
);

/// The shape of an identifier.
#[derive(Debug)]
pub struct Id<T>(PhantomData<T>);

impl<T: Prefixed> JsonSchema for Id<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Id_{}", T::PREFIX).into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": format!("^{}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$", T::PREFIX),
        })
    }
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident = $schema:tt;)*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl JsonSchema for $name {
            fn inline_schema() -> bool { true }
            fn schema_name() -> Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut SchemaGenerator) -> Schema { json_schema!($schema) }
        }
    )* };
}

shapes! {
    /// An instant: RFC 3339 with an offset.
    When = { "type": "string", "format": "date-time" };
    /// A name in any script, without control or direction characters at either end.
    Name = {
        "type": "string", "minLength": 1, "maxLength": NAME_CHARS_MAX,
        "pattern": NAME_PATTERN,
    };
    /// Labels: up to 32 words with their values.
    Labels = {
        "type": "object", "maxProperties": kernel::limits::LABELS_MAX,
        "propertyNames": { "pattern": "^[a-z0-9._-]{1,63}$" },
        "additionalProperties": {
            "type": "string", "minLength": 1, "maxLength": NAME_CHARS_MAX,
            "pattern": NAME_PATTERN,
        },
    };
    /// A reason or a description.
    Text = { "type": "string", "minLength": 1, "maxLength": TEXT_CHARS_MAX };
    /// Binary data in base64 (RFC 4648, section 4) with padding.
    Base64 = { "type": "string", "contentEncoding": "base64", "pattern": BASE64_PATTERN };
    /// SHA-256 in lower-case hexadecimal.
    Sha256 = { "type": "string", "pattern": "^[0-9a-f]{64}$" };
    /// The number of a version, from 1.
    Version = { "type": "integer", "minimum": 1, "maximum": u32::MAX };
    /// The algorithm of a key.
    Algorithm = {
        "type": "string",
        "enum": strongroom::Algorithm::ALL.iter().map(|a| a.name()).collect::<Vec<_>>(),
    };
    /// How a signature is made.
    SignatureScheme = {
        "type": "string",
        "enum": [
            "rsa-pss-sha-256", "rsa-pss-sha-384", "rsa-pss-sha-512", "rsa-pkcs1-sha-256",
            "rsa-pkcs1-sha-384", "rsa-pkcs1-sha-512", "ecdsa-sha-256", "ecdsa-sha-384",
            "ecdsa-sha-512", "ed25519", "ml-dsa",
        ],
    };
    /// The state of a version of a key (SP 800-57 part 1, section 7).
    KeyState = {
        "type": "string",
        "enum": [
            "pre-active", "active", "suspended", "deactivated", "compromised", "destroyed",
            "destroyed-compromised",
        ],
    };
    /// How sensitive data is.
    DataClass = {
        "type": "string",
        "enum": discover::Class::ALL.iter().map(|class| class.word()).collect::<Vec<_>>(),
    };
    /// A kind of sensitive data, or a detector of the bank's own.
    DataKind = { "type": "string", "pattern": "^[a-z][a-z0-9-]{0,40}$" };
    /// Where a finding stands.
    DataStanding = {
        "type": "string",
        "enum": discover::Standing::ALL.iter().map(|one| one.word()).collect::<Vec<_>>(),
    };
    /// A level of risk.
    RiskLevel = { "type": "string", "enum": ["low", "medium", "high", "critical"] };
    /// A keyed hash of a value, as a sample shows it.
    Fingerprint = { "type": "string", "pattern": "^[0-9a-f]{32}$" };
    /// The `next` of a page.
    PageCursor = { "type": "string", "pattern": "^[0-9a-f]*[.][0-9a-f]*$" };
    /// Days between rotations.
    RotationDays = { "type": "integer", "minimum": 1, "maximum": keys::RotationPeriod::DAYS_MAX };
    /// A waiting period: none, or a day to a year.
    WaitingSeconds = { "anyOf": [
        { "type": "integer", "const": 0 },
        {
            "type": "integer",
            "minimum": keys::WAITING_SECONDS_MIN, "maximum": keys::WAITING_SECONDS_MAX,
        },
    ] };
    /// A label with its value.
    LabelFilter = { "type": "string", "pattern": "^[a-z0-9._-]{1,63}=[!-~]{1,128}$" };
    /// What the gate said.
    DecisionWord = { "type": "string", "enum": ["allowed", "refused", "system"] };
    /// A person, a service, or the installation itself.
    Principal = {
        "type": "string", "pattern": "^((per|svc)_[0-7][0-9a-hjkmnp-tv-z]{25}|system)$",
    };
    /// A person or a service.
    Holder = { "type": "string", "pattern": "^(per|svc)_[0-7][0-9a-hjkmnp-tv-z]{25}$" };
    /// A person, a service or a group.
    RoleHolder = {
        "type": "string", "pattern": "^(per|svc|grp)_[0-7][0-9a-hjkmnp-tv-z]{25}$",
    };
    /// A name to sign in with.
    SignInName = { "type": "string", "pattern": "^[a-z0-9._-]{1,64}$" };
    /// A way of proving oneself.
    FactorWord = {
        "type": "string",
        "enum": ["password", "totp", "token", "certificate", "bootstrap-link"],
    };
    /// A role.
    Role = {
        "type": "string",
        "enum": access::roles::Role::ALL.iter().map(|role| role.word()).collect::<Vec<_>>(),
    };
    /// An action.
    ActionWord = {
        "type": "string",
        "enum": kernel::Action::ALL.iter().map(|action| action.word()).collect::<Vec<_>>(),
    };
    /// What a confirmed text is.
    ConfirmedTextStatus = { "type": "string", "enum": ["official", "banks-copy"] };
    /// Whether a requirement binds.
    LayerWord = { "type": "string", "enum": ["principle", "good-practice"] };
    /// A guide.
    GuideWord = {
        "type": "string",
        "enum": comply::Guide::ALL.iter().map(|guide| guide.word()).collect::<Vec<_>>(),
    };
    /// A kind of institution.
    InstitutionWord = {
        "type": "string",
        "enum": [
            "licensed-bank", "restricted-licence-bank", "deposit-taking-company", "digital-bank",
        ],
    };
    /// Where an institution is incorporated.
    OriginWord = { "type": "string", "enum": ["local", "foreign-branch"] };
    /// Any JSON object: its fields are described by the room that reads it.
    Object = { "type": "object" };
}

/// Visible characters, no white space at either end; what `kernel::Name` reads.
const NAME_PATTERN: &str = "^[!-~\u{a1}-\u{ac}\u{ae}-\u{167f}\u{3001}-\u{d7ff}]\
    ([ -~\u{a1}-\u{ac}\u{ae}-\u{167f}\u{3001}-\u{d7ff}]*\
    [!-~\u{a1}-\u{ac}\u{ae}-\u{167f}\u{3001}-\u{d7ff}])?$";

/// Whole groups of four, padding only at the end, no stray bits in the last character.
const BASE64_PATTERN: &str = "^(?:[A-Za-z0-9+/]{4})*\
    (?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";
