//! Classification profiles: rules as data, from what was found to how sensitive it is and why.

use crate::class::{Category, Class};
use extract::KindName;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const BUILTIN: &str = include_str!("../data/profile.yaml");

/// Most rules of one profile: an order of magnitude more than the default has.
pub const RULES_MAX: usize = 200;
/// Longest reason of a rule, in characters.
pub const REASON_CHARS_MAX: usize = 500;
/// Longest profile as written, in bytes.
pub const PROFILE_BYTES_MAX: usize = 256 * 1024;

/// Longest name of a profile or a rule, in characters.
const NAME_CHARS_MAX: usize = 64;
/// Kinds that a list of a rule names at most: all of ours and a hundred of the bank's own.
const KINDS_MAX: usize = 200;
/// Highest number of occurrences that a rule may want: beyond it nothing is ever told.
const AT_LEAST_MAX: u64 = 1_000_000_000;

/// Why a profile is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Not the shape of a profile.
    #[error("`{pointer}` does not read: {cause}")]
    Shape {
        /// The JSON pointer of the field.
        pointer: String,
        /// What the reader says.
        #[source]
        cause: serde_yaml_ng::Error,
    },
    /// Longer than any profile is.
    #[error("a profile has at most 256 KiB")]
    TooLong,
    /// A field that breaks a rule.
    #[error("`{pointer}` {rule}")]
    Field {
        /// The JSON pointer of the field.
        pointer: String,
        /// What it must be.
        rule: &'static str,
    },
}

impl ProfileError {
    /// The JSON pointer of the field at fault, inside the profile.
    #[must_use]
    pub fn pointer(&self) -> &str {
        match self {
            Self::Shape { pointer, .. } | Self::Field { pointer, .. } => pointer,
            Self::TooLong => "",
        }
    }

    fn field(pointer: impl Into<String>, rule: &'static str) -> Self {
        Self::Field { pointer: pointer.into(), rule }
    }
}

/// How often one kind occurs, false positives left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Occurrences that are sure.
    pub sure: u64,
    /// Occurrences that are likely.
    pub likely: u64,
    /// Different values.
    pub distinct: u64,
}

impl Tally {
    /// Sure and likely together.
    #[must_use]
    pub const fn all(self) -> u64 {
        self.sure.saturating_add(self.likely)
    }

    /// Both tallies together; different values may be counted twice.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            sure: self.sure.saturating_add(other.sure),
            likely: self.likely.saturating_add(other.likely),
            distinct: self.distinct.saturating_add(other.distinct),
        }
    }
}

impl Tally {
    /// The tally with so many occurrences and different values fewer: the likely ones go first.
    #[must_use]
    pub(crate) const fn without(self, fewer: u64, values: u64) -> Self {
        let likely = self.likely.saturating_sub(fewer);
        let left = fewer.saturating_sub(self.likely);
        let sure = self.sure.saturating_sub(left);
        let distinct = match (sure.saturating_add(likely), self.distinct.saturating_sub(values)) {
            (0, _) => 0,
            // Where something is left there is at least one value, if values were told apart.
            (_, 0) if self.distinct > 0 => 1,
            (_, distinct) => distinct,
        };
        Self { sure, likely, distinct }
    }
}

/// What an object holds, by kind.
pub type Tallies = BTreeMap<KindName, Tally>;

/// One rule of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique in the profile.
    pub id: String,
    /// The class that it leads to.
    pub class: Class,
    /// Any of these kinds, counted together.
    pub any: Vec<KindName>,
    /// For each list, at least one of its kinds must occur too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Vec<KindName>>,
    /// Occurrences that make it hold.
    #[serde(default = "one")]
    pub at_least: u64,
    /// Different values that make it hold.
    #[serde(default)]
    pub distinct: u64,
    /// Counts only what is sure.
    #[serde(default)]
    pub sure: bool,
    /// Under whose rules the data falls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// Why, as a whole sentence.
    pub reason: String,
}

const fn one() -> u64 {
    1
}

/// Rules from what was found to a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name, by which sources choose it.
    pub name: String,
    /// What it is for.
    pub title: String,
    /// The class of what holds nothing that a rule knows.
    pub floor: Class,
    /// Why that class.
    pub floor_reason: String,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A rule that held, and its sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// The rule.
    pub rule: String,
    /// The class that it leads to.
    pub class: Class,
    /// What was counted, and the reason.
    pub sentence: String,
}

/// A class with everything that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classified {
    /// The class.
    pub class: Class,
    /// Under whose rules the data falls.
    pub categories: Vec<Category>,
    /// The rules that held, the highest class first.
    pub because: Vec<Because>,
}

impl Profile {
    /// The profile that ships with this version.
    ///
    /// # Errors
    /// Never for a released version; a test reads it.
    pub fn builtin() -> Result<Self, ProfileError> {
        Self::read(BUILTIN)
    }

    /// A profile of the bank's own, in YAML or JSON.
    ///
    /// # Errors
    /// When it does not have the shape of a profile or breaks a limit; the field is named.
    pub fn read(text: &str) -> Result<Self, ProfileError> {
        if text.len() > PROFILE_BYTES_MAX {
            return Err(ProfileError::TooLong);
        }
        let reader = serde_yaml_ng::Deserializer::from_str(text);
        let profile: Self = serde_path_to_error::deserialize(reader).map_err(|error| {
            let pointer = pointer(error.path());
            ProfileError::Shape { pointer, cause: error.into_inner() }
        })?;
        profile.checked()
    }

    /// The profile when it keeps every limit.
    ///
    /// # Errors
    /// The first field that does not.
    pub fn checked(self) -> Result<Self, ProfileError> {
        let word = "is a word of small letters, digits and hyphens, at most 64";
        let sentence = "is a text of 1 to 500 characters";
        if !is_word(&self.name) {
            return Err(ProfileError::field("/name", word));
        }
        for (pointer, text) in [("/title", &self.title), ("/floor_reason", &self.floor_reason)] {
            if !is_sentence(text) {
                return Err(ProfileError::field(pointer, sentence));
            }
        }
        if self.rules.len() > RULES_MAX {
            return Err(ProfileError::field("/rules", "has at most 200 rules"));
        }
        let mut seen = BTreeSet::new();
        for (place, rule) in self.rules.iter().enumerate() {
            let fault =
                |field: &str, why| ProfileError::field(format!("/rules/{place}/{field}"), why);
            if !is_word(&rule.id) {
                return Err(fault("id", word));
            }
            if !seen.insert(rule.id.as_str()) {
                return Err(fault("id", "stands twice in the profile"));
            }
            if !(1..=KINDS_MAX).contains(&rule.any.len()) {
                return Err(fault("any", "names 1 to 200 kinds"));
            }
            if rule.with.len() > KINDS_MAX
                || rule.with.iter().any(|some| !(1..=KINDS_MAX).contains(&some.len()))
            {
                return Err(fault("with", "has lists of 1 to 200 kinds"));
            }
            if !(1..=AT_LEAST_MAX).contains(&rule.at_least) {
                return Err(fault("at_least", "is from 1 to 1,000,000,000"));
            }
            if rule.distinct > AT_LEAST_MAX {
                return Err(fault("distinct", "is at most 1,000,000,000"));
            }
            if !is_sentence(&rule.reason) {
                return Err(fault("reason", sentence));
            }
        }
        Ok(self)
    }

    /// What is different from an earlier version, a few words each: rules added, gone, changed.
    #[must_use]
    pub fn changes(&self, before: &Self) -> Vec<String> {
        let rule = |profile: &Self, id: &str| profile.rules.iter().find(|r| r.id == id).cloned();
        let mut changes = Vec::new();
        for (word, other) in [
            ("title", self.title != before.title),
            ("floor", self.floor != before.floor || self.floor_reason != before.floor_reason),
        ] {
            changes.extend(other.then(|| format!("{word} changed")));
        }
        for now in &self.rules {
            match rule(before, &now.id) {
                None => changes.push(format!("rule {} added", now.id)),
                Some(then) if then != *now => changes.push(format!("rule {} changed", now.id)),
                Some(_) => {}
            }
        }
        let gone = before.rules.iter().filter(|then| rule(self, &then.id).is_none());
        changes.extend(gone.map(|then| format!("rule {} removed", then.id)));
        changes
    }

    /// The class of what was found, and why.
    #[must_use]
    pub fn classify(&self, found: &Tallies) -> Classified {
        let mut because: Vec<_> = self.rules.iter().filter_map(|rule| rule.holds(found)).collect();
        because.sort_by_key(|one| std::cmp::Reverse(one.class));
        let class = because.first().map_or(self.floor, |first| first.class.max(self.floor));
        let held = |rule: &&Rule| because.iter().any(|one| one.rule == rule.id);
        let categories: BTreeSet<_> = self
            .rules
            .iter()
            .filter(held)
            .flat_map(|rule| rule.categories.iter().copied())
            .collect();
        if because.is_empty() {
            let (rule, sentence) = ("floor".to_owned(), self.floor_reason.clone());
            because.push(Because { rule, class: self.floor, sentence });
        }
        Classified { class, categories: categories.into_iter().collect(), because }
    }
}

fn is_word(text: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_sentence(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= REASON_CHARS_MAX
}

/// The place of a field as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(key),
            Segment::Enum { variant } => pointer.push_str(variant),
            Segment::Unknown => pointer.push('?'),
        }
    }
    pointer
}

impl Rule {
    /// What it says about the tallies, when it holds.
    fn holds(&self, found: &Tallies) -> Option<Because> {
        let tally = |kind: &KindName| found.get(kind).copied().unwrap_or_default();
        let counts = |kind: &KindName| if self.sure { tally(kind).sure } else { tally(kind).all() };
        let occurrences: u64 = self.any.iter().map(counts).fold(0, u64::saturating_add);
        let distinct = self.any.iter().map(|k| tally(k).distinct).fold(0, u64::saturating_add);
        let together = self.with.iter().all(|some| some.iter().any(|kind| counts(kind) > 0));
        if occurrences < self.at_least || distinct < self.distinct || !together {
            return None;
        }
        let parts: Vec<String> = self
            .any
            .iter()
            .filter(|kind| counts(kind) > 0)
            .map(|kind| format!("{} × {}", counts(kind), String::from(*kind)))
            .collect();
        let sentence = format!("{}: {}", parts.join(", "), self.reason);
        Some(Because { rule: self.id.clone(), class: self.class, sentence })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use detect::Kind;
    use proptest::prelude::*;

    fn found(kinds: &[(Kind, u64)]) -> Tallies {
        let tally = |n| Tally { sure: n, likely: 0, distinct: n };
        kinds.iter().map(|(kind, n)| (KindName(*kind), tally(*n))).collect()
    }

    fn class(kinds: &[(Kind, u64)]) -> Class {
        Profile::builtin().unwrap().classify(&found(kinds)).class
    }

    #[test]
    fn the_default_profile_says_what_a_bank_expects() {
        assert_eq!(class(&[]), Class::Internal);
        assert_eq!(class(&[(Kind::HongKongIdentityCard, 1)]), Class::Restricted);
        assert_eq!(class(&[(Kind::PaymentCard, 1)]), Class::Restricted);
        assert_eq!(class(&[(Kind::Secret, 1), (Kind::Email, 1)]), Class::Secret);
        assert_eq!(class(&[(Kind::Email, 1)]), Class::Internal);
        assert_eq!(class(&[(Kind::Email, 25)]), Class::Confidential);
        assert_eq!(class(&[(Kind::Iban, 1)]), Class::Confidential);
        let file = [(Kind::PersonName, 50), (Kind::BankAccount, 1), (Kind::Phone, 1)];
        assert_eq!(class(&file), Class::Restricted);
    }

    #[test]
    fn a_class_says_why_and_under_whose_rules() {
        let profile = Profile::builtin().unwrap();
        let said = profile.classify(&found(&[(Kind::HongKongIdentityCard, 600)]));
        assert_eq!(said.categories, [Category::PdpoIdentity]);
        let first = said.because.first().unwrap();
        assert!(first.sentence.starts_with("600 × hk-identity-card: Identity card numbers"));
        let nothing = profile.classify(&Tallies::new());
        assert_eq!(nothing.because.first().unwrap().rule, "floor");
    }

    #[test]
    fn one_stray_contact_is_no_list_of_people() {
        let mut tallies = found(&[(Kind::Phone, 40)]);
        tallies.get_mut(&KindName(Kind::Phone)).unwrap().distinct = 1;
        assert_eq!(Profile::builtin().unwrap().classify(&tallies).class, Class::Internal);
    }

    #[test]
    fn what_is_set_aside_takes_the_likely_first_and_never_more_than_there_is() {
        let tally = |sure, likely, distinct| Tally { sure, likely, distinct };
        assert_eq!(tally(3, 2, 4).without(1, 1), tally(3, 1, 3));
        assert_eq!(tally(3, 2, 4).without(4, 4), tally(1, 0, 1));
        assert_eq!(tally(3, 2, 4).without(9, 9), Tally::default());
        assert_eq!(tally(3, 2, 0).without(1, 1), tally(3, 1, 0));
    }

    #[test]
    fn a_profile_keeps_its_limits() {
        let rule = |id: &str| format!("- {{id: {id}, class: secret, any: [iban], reason: x}}\n");
        let with = |rules: &str| {
            format!("name: a\ntitle: b\nfloor: internal\nfloor_reason: c\nrules:\n{rules}")
        };
        let fault = |text: &str| match Profile::read(text) {
            Ok(_) => String::from("taken"),
            Err(cause) => cause.pointer().to_owned(),
        };
        assert_eq!(fault(&with(&rule("a"))), "taken");
        assert_eq!(fault(&with(&(rule("a") + &rule("a")))), "/rules/1/id");
        let many: String = (0..=RULES_MAX).map(|n| rule(&format!("r{n}"))).collect();
        assert_eq!(fault(&with(&many)), "/rules");
        assert_eq!(fault(&with("- {id: a, class: secret, any: [], reason: x}\n")), "/rules/0/any");
        let unknown = with("- {id: a, class: secret, any: [iban, tooth], reason: x}\n");
        assert_eq!(fault(&unknown), "/rules/0/any/1");
        let class = with("- {id: a, class: hidden, any: [iban], reason: x}\n");
        assert_eq!(fault(&class), "/rules/0/class");
        let none = with("- {id: a, class: secret, any: [iban], at_least: 0, reason: x}\n");
        assert_eq!(fault(&none), "/rules/0/at_least");
        assert_eq!(
            fault(&with("- {id: a, class: secret, any: [iban], reason: ' '}\n")),
            "/rules/0/reason"
        );
        let long = " ".repeat(PROFILE_BYTES_MAX + 1);
        assert!(matches!(Profile::read(&long), Err(ProfileError::TooLong)));
    }

    #[test]
    fn a_version_says_what_is_different_from_the_one_before() {
        let before = Profile::builtin().unwrap();
        let mut after = before.clone();
        after.rules.retain(|rule| rule.id != "network");
        after.rules[0].at_least = 2;
        after.floor = Class::Public;
        let changes = after.changes(&before);
        assert_eq!(changes, ["floor changed", "rule secrets changed", "rule network removed"]);
        assert_eq!(before.changes(&before), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,300}") {
            let _ = Profile::read(&text);
        }

        #[test]
        fn more_of_something_never_lowers_the_class(
            counts in proptest::collection::vec(0u64..200, Kind::ALL.len()),
            more in 0usize..Kind::ALL.len(),
        ) {
            let profile = Profile::builtin().unwrap();
            let pairs: Vec<_> = Kind::ALL.into_iter().zip(counts).collect();
            let before = profile.classify(&found(&pairs)).class;
            let mut raised = pairs;
            raised[more].1 += 100;
            prop_assert!(profile.classify(&found(&raised)).class >= before);
        }
    }
}
