//! English, and Traditional Chinese where a reviewed translation exists.
//!
//! A word without a reviewed translation stays English and is marked as English, so that a screen
//! reader pronounces it rightly; nothing is translated by machine.

use comply::Glossary;
use maud::{Markup, html};
use std::sync::LazyLock;

/// The language in which a person wants titles and statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Language {
    /// English.
    #[default]
    English,
    /// Traditional Chinese as written in Hong Kong.
    TraditionalChinese,
}

impl Language {
    /// The language of a tag in a query or a cookie.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        match tag {
            "en" => Some(Self::English),
            "zh-Hant" => Some(Self::TraditionalChinese),
            _ => None,
        }
    }

    /// The tag (BCP 47).
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::TraditionalChinese => "zh-Hant",
        }
    }

    /// A term in this language, or `None` where it has no reviewed translation.
    pub(crate) fn translated(self, english: &str) -> Option<&'static str> {
        match self {
            Self::English => None,
            Self::TraditionalChinese => reviewed(english),
        }
    }

    /// A term: translated and marked as such, or English.
    pub(crate) fn term(self, english: &str) -> Markup {
        html! {
            @if let Some(chinese) = self.translated(english) {
                span lang="zh-Hant" { (chinese) }
            } @else { (english) }
        }
    }
}

/// The reviewed glossary that ships with this version.
static GLOSSARY: LazyLock<Option<Glossary>> = LazyLock::new(|| Glossary::builtin().ok());

/// The reviewed Chinese of a term. The glossary has terms as they stand inside a sentence, in lower
/// case and in the singular; Chinese knows neither capitals nor plurals.
fn reviewed(english: &str) -> Option<&'static str> {
    let glossary = GLOSSARY.as_ref()?;
    let term = english.to_lowercase();
    glossary.zh_hant(&term).or_else(|| glossary.zh_hant(term.strip_suffix('s')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_without_a_reviewed_translation_stays_english() {
        let zh = Language::TraditionalChinese;
        assert_eq!(zh.term("Keys").into_string(), "<span lang=\"zh-Hant\">密碼匙</span>");
        let status = zh.term("control not working").into_string();
        assert_eq!(status, "<span lang=\"zh-Hant\">管控失效</span>");
        assert_eq!(zh.term("No such word").into_string(), "No such word");
        assert_eq!(Language::English.term("Keys").into_string(), "Keys");
    }

    #[test]
    fn only_two_tags_are_known() {
        for language in [Language::English, Language::TraditionalChinese] {
            assert_eq!(Language::of_tag(language.tag()), Some(language));
        }
        assert_eq!(Language::of_tag("zh-CN"), None);
    }
}
