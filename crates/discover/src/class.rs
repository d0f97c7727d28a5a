//! How sensitive data is, and under whose rules it falls.

kernel::words! {
    /// How sensitive something is, the least first.
    Class {
        /// Anybody may know it.
        Public = "public",
        /// The staff may know it.
        Internal = "internal",
        /// Whoever needs it for the work may know it.
        Confidential = "confidential",
        /// Named people only; losing it is an incident to be told.
        Restricted = "restricted",
        /// What opens other things: passwords, keys, tokens.
        Secret = "secret",
    }
}

kernel::words! {
    /// Under whose rules data falls.
    Category {
        /// Personal data (Personal Data (Privacy) Ordinance, section 2).
        PdpoPersonal = "pdpo-personal",
        /// Personal identifiers (PCPD, Code of Practice on the Identity Card Number).
        PdpoIdentity = "pdpo-identity",
        /// Data about health, which the Commissioner counts as sensitive.
        PdpoHealth = "pdpo-health",
        /// Account data of payment cards (PCI DSS 4.0, section 2).
        PciAccountData = "pci-account-data",
        /// What a bank owes its customer silence about.
        BankingSecrecy = "banking-secrecy",
    }
}

impl Category {
    /// The category as people read it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::PdpoPersonal => "PDPO personal data",
            Self::PdpoIdentity => "PDPO personal identifiers",
            Self::PdpoHealth => "PDPO health data",
            Self::PciAccountData => "PCI DSS account data",
            Self::BankingSecrecy => "Customer confidentiality",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_in_the_order_of_sensitivity_and_read_back() {
        assert!(Class::Public < Class::Internal && Class::Restricted < Class::Secret);
        for class in Class::ALL {
            assert_eq!(Class::from_word(class.word()), Some(*class));
            assert_eq!(serde_json::to_value(class).unwrap(), class.word());
        }
        assert_eq!(Class::from_word("top-secret"), None);
    }
}
