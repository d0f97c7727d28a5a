//! Classification profiles: rules as data, from what was found to how sensitive it is and why.

use crate::class::{Category, Class};
use extract::KindName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const BUILTIN: &str = include_str!("../data/profile.yaml");

/// Most rules of one profile: an order of magnitude more than the default has.
pub const RULES_MAX: usize = 200;
/// Longest reason of a rule, in characters.
pub const REASON_CHARS_MAX: usize = 500;
/// Longest profile as written, in bytes.
pub const PROFILE_BYTES_MAX: usize = 256 * 1024;

/// Why a profile is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Not the shape of a profile.
    #[error("the profile does not read")]
    Shape(#[from] serde_yaml_ng::Error),
    /// Longer than any profile is.
    #[error("a profile has at most 256 KiB")]
    TooLong,
    /// Too many rules.
    #[error("a profile has at most {RULES_MAX} rules")]
    TooMany,
    /// Two rules of one name.
    #[error("the rule `{0}` stands twice in the profile")]
    Twice(String),
    /// A rule that names no kind, wants nothing or gives no reason.
    #[error("the rule `{0}` needs kinds in `any`, an `at_least` from 1 and a reason")]
    Rule(String),
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

    /// A profile of the bank's own, in YAML.
    ///
    /// # Errors
    /// When it does not have the shape of a profile or breaks a limit.
    pub fn read(yaml: &str) -> Result<Self, ProfileError> {
        if yaml.len() > PROFILE_BYTES_MAX {
            return Err(ProfileError::TooLong);
        }
        let profile: Self = serde_yaml_ng::from_str(yaml)?;
        if profile.rules.len() > RULES_MAX {
            return Err(ProfileError::TooMany);
        }
        let mut seen = std::collections::BTreeSet::new();
        for rule in &profile.rules {
            if !seen.insert(rule.id.as_str()) {
                return Err(ProfileError::Twice(rule.id.clone()));
            }
            let reason = (1..=REASON_CHARS_MAX).contains(&rule.reason.chars().count());
            if rule.any.is_empty() || rule.at_least == 0 || !reason {
                return Err(ProfileError::Rule(rule.id.clone()));
            }
        }
        Ok(profile)
    }

    /// The class of what was found, and why.
    #[must_use]
    pub fn classify(&self, found: &Tallies) -> Classified {
        let mut because: Vec<_> = self.rules.iter().filter_map(|rule| rule.holds(found)).collect();
        because.sort_by_key(|one| std::cmp::Reverse(one.class));
        let class = because.first().map_or(self.floor, |first| first.class.max(self.floor));
        let held = |rule: &&Rule| because.iter().any(|one| one.rule == rule.id);
        let categories: std::collections::BTreeSet<_> = self
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
        assert!(Profile::read(&with(&rule("a"))).is_ok());
        let twice = with(&(rule("a") + &rule("a")));
        assert!(matches!(Profile::read(&twice), Err(ProfileError::Twice(_))));
        let many: String = (0..=RULES_MAX).map(|n| rule(&format!("r{n}"))).collect();
        assert!(matches!(Profile::read(&with(&many)), Err(ProfileError::TooMany)));
        let empty = with("- {id: a, class: secret, any: [], reason: x}\n");
        assert!(matches!(Profile::read(&empty), Err(ProfileError::Rule(_))));
        let unknown = with("- {id: a, class: secret, any: [tooth], reason: x}\n");
        assert!(matches!(Profile::read(&unknown), Err(ProfileError::Shape(_))));
        let long = " ".repeat(PROFILE_BYTES_MAX + 1);
        assert!(matches!(Profile::read(&long), Err(ProfileError::TooLong)));
    }

    proptest! {
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
