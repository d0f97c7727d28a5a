//! Traditional Chinese words that were reviewed; what is not here stays English.

use serde::Deserialize;
use std::collections::BTreeMap;

const BUILTIN: &str = include_str!("../data/glossary.yaml");

/// Words of other usages that must not appear in anything we print; escaped, so that no search for
/// them ends here.
pub const FORBIDDEN_WORDS: [&str; 8] = [
    "\u{5916}\u{5305}",
    "\u{59d4}\u{5916}",
    "\u{91d1}\u{9470}",
    "\u{5bc6}\u{9470}",
    "\u{6578}\u{4f4d}",
    "\u{670d}\u{52d9}\u{5668}",
    "\u{96f2}\u{8a08}\u{7b97}",
    "\u{8cc7}\u{8a0a}\u{5b89}\u{5168}",
];

/// Why a glossary is not taken.
#[derive(Debug, thiserror::Error)]
pub enum GlossaryError {
    /// Not the shape of a glossary.
    #[error("the glossary does not read")]
    Shape(#[from] serde_yaml_ng::Error),
    /// A word that must not be printed.
    #[error("`{term}` uses `{forbidden}`, which is not how it is said in Hong Kong")]
    Forbidden {
        /// The English term.
        term: String,
        /// The word.
        forbidden: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Term {
    en: String,
    zh_hant: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    terms: Vec<Term>,
}

/// English terms with their reviewed Chinese.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glossary(BTreeMap<String, String>);

impl Glossary {
    /// The glossary that ships with this version.
    ///
    /// # Errors
    /// Never for a released version; a test reads it.
    pub fn builtin() -> Result<Self, GlossaryError> {
        Self::read(BUILTIN)
    }

    /// A glossary from YAML.
    ///
    /// # Errors
    /// When it does not read or uses a forbidden word.
    pub fn read(yaml: &str) -> Result<Self, GlossaryError> {
        let file: File = serde_yaml_ng::from_str(yaml)?;
        for term in &file.terms {
            let found = FORBIDDEN_WORDS.into_iter().find(|word| term.zh_hant.contains(word));
            if let Some(forbidden) = found {
                return Err(GlossaryError::Forbidden { term: term.en.clone(), forbidden });
            }
        }
        Ok(Self(file.terms.into_iter().map(|term| (term.en, term.zh_hant)).collect()))
    }

    /// The Chinese of a term, if it was reviewed.
    #[must_use]
    pub fn zh_hant(&self, term: &str) -> Option<&str> {
        self.0.get(term).map(String::as_str)
    }

    /// A term in both languages, as headings have it; alone where it was not reviewed. Terms stand
    /// in the glossary as inside a sentence: in lower case, in the singular.
    #[must_use]
    pub fn both(&self, english: &str) -> String {
        let term = english.to_lowercase();
        let found = self.zh_hant(&term).or_else(|| self.zh_hant(term.strip_suffix('s')?));
        found.map_or_else(|| english.to_owned(), |zh| format!("{english} {zh}"))
    }

    /// Every term with its Chinese, by term.
    pub fn terms(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(en, zh)| (en.as_str(), zh.as_str()))
    }
}
