//! How sensitive data is, and under whose rules it falls.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! words {
    ($(#[$top:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $word:literal,)* }) => {
        $(#[$top])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        pub enum $type { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl $type {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in records, labels and on screen.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The one of a word, if there is one.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
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

words! {
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
