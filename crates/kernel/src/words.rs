//! Enums of words, written once.

/// An enum whose every variant is one word: in files, in records, on screen. The crate that uses it
/// depends on `serde`.
///
/// ```
/// kernel::words! {
///     /// How a door stands.
///     Door {
///         /// Anybody may go through.
///         Open = "open",
///         /// Nobody may.
///         Shut = "shut",
///     }
/// }
/// assert_eq!(Door::from_word("shut"), Some(Door::Shut));
/// assert_eq!(Door::Open.to_string(), "open");
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$top:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $word:literal,)* }) => {
        $(#[$top])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug,
            ::serde::Serialize, ::serde::Deserialize,
        )]
        pub enum $type { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl $type {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in files, records and on screen.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The one of a word, if there is one.
            #[must_use]
            pub fn from_word(word: &str) -> ::std::option::Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}
