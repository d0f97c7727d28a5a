//! What a hit is, and how sure.

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A Hong Kong identity card number with its check digit.
    HongKongIdentityCard,
    /// A payment card number: issuer range, length and Luhn (ISO/IEC 7812).
    PaymentCard,
    /// A Mainland resident identity number (GB 11643).
    MainlandIdentity,
    /// An international bank account number (ISO 13616).
    Iban,
    /// An e-mail address.
    Email,
    /// A passport number of the Hong Kong Special Administrative Region.
    HongKongPassport,
    /// A Home Return Permit number (Mainland travel permit for residents of Hong Kong and Macau).
    HomeReturnPermit,
    /// A Macau resident identity card number.
    MacauIdentity,
    /// A Taiwan national identity number with its check digit.
    TaiwanIdentity,
    /// A telephone number.
    Phone,
    /// A bank account number in Hong Kong.
    BankAccount,
    /// An identifier of the Faster Payment System.
    FpsIdentifier,
    /// An Octopus card number with its check digit.
    Octopus,
    /// A business registration or company number.
    BusinessRegistration,
    /// A business identifier code of a bank (ISO 9362).
    Bic,
    /// An Internet address, version 4 or 6.
    IpAddress,
    /// A hardware address of a network card.
    MacAddress,
    /// A web address.
    Url,
    /// A date of birth.
    DateOfBirth,
    /// A person's name.
    PersonName,
    /// A postal address.
    Address,
    /// A line of a machine-readable travel document (ICAO 9303).
    TravelDocument,
    /// A vehicle's registration mark.
    VehiclePlate,
    /// A sum that someone earns.
    Salary,
    /// A word that speaks of someone's health.
    Health,
    /// A password, key or token.
    Secret,
    /// What a customer's own detector with this number finds.
    Custom(u16),
}

impl Kind {
    /// Every kind of ours.
    pub const ALL: [Self; 26] = [
        Self::HongKongIdentityCard,
        Self::PaymentCard,
        Self::MainlandIdentity,
        Self::Iban,
        Self::Email,
        Self::HongKongPassport,
        Self::HomeReturnPermit,
        Self::MacauIdentity,
        Self::TaiwanIdentity,
        Self::Phone,
        Self::BankAccount,
        Self::FpsIdentifier,
        Self::Octopus,
        Self::BusinessRegistration,
        Self::Bic,
        Self::IpAddress,
        Self::MacAddress,
        Self::Url,
        Self::DateOfBirth,
        Self::PersonName,
        Self::Address,
        Self::TravelDocument,
        Self::VehiclePlate,
        Self::Salary,
        Self::Health,
        Self::Secret,
    ];

    /// The word used in findings and labels.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::HongKongIdentityCard => "hk-identity-card",
            Self::PaymentCard => "payment-card",
            Self::MainlandIdentity => "mainland-identity",
            Self::Iban => "iban",
            Self::Email => "email",
            Self::HongKongPassport => "hk-passport",
            Self::HomeReturnPermit => "home-return-permit",
            Self::MacauIdentity => "macau-identity",
            Self::TaiwanIdentity => "taiwan-identity",
            Self::Phone => "phone",
            Self::BankAccount => "bank-account",
            Self::FpsIdentifier => "fps-identifier",
            Self::Octopus => "octopus",
            Self::BusinessRegistration => "business-registration",
            Self::Bic => "bic",
            Self::IpAddress => "ip-address",
            Self::MacAddress => "mac-address",
            Self::Url => "url",
            Self::DateOfBirth => "date-of-birth",
            Self::PersonName => "person-name",
            Self::Address => "address",
            Self::TravelDocument => "travel-document",
            Self::VehiclePlate => "vehicle-plate",
            Self::Salary => "salary",
            Self::Health => "health",
            Self::Secret => "secret",
            Self::Custom(_) => "custom",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::HongKongIdentityCard => "HK identity card",
            Self::PaymentCard => "payment card",
            Self::MainlandIdentity => "Mainland identity number",
            Self::Iban => "IBAN",
            Self::Email => "e-mail address",
            Self::HongKongPassport => "HKSAR passport",
            Self::HomeReturnPermit => "Home Return Permit",
            Self::MacauIdentity => "Macau identity card",
            Self::TaiwanIdentity => "Taiwan identity number",
            Self::Phone => "telephone number",
            Self::BankAccount => "bank account",
            Self::FpsIdentifier => "FPS identifier",
            Self::Octopus => "Octopus card",
            Self::BusinessRegistration => "business registration",
            Self::Bic => "BIC",
            Self::IpAddress => "IP address",
            Self::MacAddress => "MAC address",
            Self::Url => "web address",
            Self::DateOfBirth => "date of birth",
            Self::PersonName => "name",
            Self::Address => "address",
            Self::TravelDocument => "travel document (MRZ)",
            Self::VehiclePlate => "vehicle plate",
            Self::Salary => "salary",
            Self::Health => "health",
            Self::Secret => "secret",
            Self::Custom(_) => "detector of one's own",
        }
    }
}

/// How sure a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Right form and check digit, but chance alone would give such tokens now and then.
    Possible,
    /// Right form, and its column, its shape or a word nearby speaks for it.
    Likely,
    /// Right form and check digit, and a form or a word nearby that says so.
    Sure,
}

/// One hit: the bytes from `start` up to, not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// What.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// How sure.
    pub confidence: Confidence,
}

impl Hit {
    /// A hit that is sure.
    pub(crate) const fn sure(kind: Kind, start: usize, end: usize) -> Self {
        Self { kind, start, end, confidence: Confidence::Sure }
    }

    /// A hit that is likely.
    pub(crate) const fn likely(kind: Kind, start: usize, end: usize) -> Self {
        Self { kind, start, end, confidence: Confidence::Likely }
    }

    /// A hit that is possible.
    pub(crate) const fn possible(kind: Kind, start: usize, end: usize) -> Self {
        Self { kind, start, end, confidence: Confidence::Possible }
    }
}
