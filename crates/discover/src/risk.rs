//! A risk score from 0 to 100 that says why: sensitivity × volume × exposure × protection.
//!
//! Each factor is a share of the whole with a sentence. What is not known counts as almost as bad
//! as the worst, and says so: unknown exposure is not safe.

use crate::class::Class;
use crate::sources::Exposure;
use inventory::Place;
use serde::{Deserialize, Serialize};

/// More readers than this are many: nobody can say of each why.
pub const FEW_READERS: usize = 10;

/// Which side of the risk a factor speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// How sensitive the data is.
    Sensitivity,
    /// How much of it there is.
    Volume,
    /// Who can reach it, and where it lies.
    Exposure,
    /// What keeps it unreadable.
    Protection,
}

impl Aspect {
    /// The word on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sensitivity => "sensitivity",
            Self::Volume => "volume",
            Self::Exposure => "exposure",
            Self::Protection => "protection",
        }
    }
}

/// One factor of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// Which.
    pub aspect: Aspect,
    /// Its share of the whole, in per cent.
    pub percent: u8,
    /// Why, as a whole sentence.
    pub sentence: String,
}

/// A score with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// From 0 to 100.
    pub score: u8,
    /// The four factors whose product it is.
    pub factors: Vec<Factor>,
}

/// How a score is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Below 20.
    Low,
    /// From 20.
    Medium,
    /// From 45.
    High,
    /// From 70.
    Critical,
}

impl Level {
    /// The word on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What keeps an object unreadable, as far as we did it ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safeguard {
    /// Nothing of ours.
    None,
    /// It lies in quarantine.
    Quarantined,
    /// It is an envelope file under a key of ours.
    Encrypted,
}

/// What a score is made of.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The class.
    pub class: Class,
    /// Different sensitive values, where they were counted, else occurrences.
    pub values: u64,
    /// What the store says about who can reach it.
    pub exposure: &'a Exposure,
    /// Where it lies, by the table of regions.
    pub place: &'a Place,
    /// What we did about it.
    pub safeguard: Safeguard,
}

impl Risk {
    /// The score of these circumstances.
    #[must_use]
    pub fn of(circumstances: &Circumstances<'_>) -> Self {
        let factors = vec![
            sensitivity(circumstances.class),
            volume(circumstances.values),
            exposure(circumstances),
            protection(circumstances),
        ];
        let product =
            factors.iter().map(|factor| f64::from(factor.percent) / 100.0).product::<f64>();
        // A product of shares is between 0 and 1.
        let score = (0..=100u8).find(|n| product * 100.0 < f64::from(*n) + 0.5).unwrap_or(100);
        Self { score, factors }
    }

    /// How the score is to be taken.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self.score {
            70.. => Level::Critical,
            45.. => Level::High,
            20.. => Level::Medium,
            _ => Level::Low,
        }
    }
}

fn factor(aspect: Aspect, percent: u8, sentence: impl Into<String>) -> Factor {
    Factor { aspect, percent, sentence: sentence.into() }
}

fn sensitivity(class: Class) -> Factor {
    let (percent, what) = match class {
        Class::Public => (0, "anybody may know it"),
        Class::Internal => (20, "the staff may know it"),
        Class::Confidential => (60, "whoever needs it for the work may know it"),
        Class::Restricted => (95, "named people only may know it"),
        Class::Secret => (100, "it opens other systems"),
    };
    factor(Aspect::Sensitivity, percent, format!("It is {class}: {what}."))
}

fn volume(values: u64) -> Factor {
    let percent = match values {
        0 => 10,
        1..10 => 50,
        10..100 => 65,
        100..1_000 => 80,
        1_000..10_000 => 90,
        _ => 100,
    };
    let sentence = match values {
        0 => "Nothing sensitive was counted in it.".to_owned(),
        1 => "One sensitive value was counted.".to_owned(),
        n => format!("{n} sensitive values were counted."),
    };
    factor(Aspect::Volume, percent, sentence)
}

fn exposure(circumstances: &Circumstances<'_>) -> Factor {
    let Circumstances { exposure, place, .. } = circumstances;
    let (base, who) = match (exposure.public, exposure.readers.len()) {
        (Some(true), _) => (100, "Anybody can read it".to_owned()),
        (None, 0) => (85, "Who can read it is not known, which is not safe".to_owned()),
        (_, 0) => (70, "It is not public; who else can read it is not known".to_owned()),
        (_, n) if n > FEW_READERS => (75, format!("{n} readers can reach it, which is many")),
        (_, 1) => (50, "One reader can reach it".to_owned()),
        (_, n) => (55, format!("{n} readers can reach it")),
    };
    let (more, where_to) = match place {
        Place::Unknown => (5, "nobody knows in which place it lies".to_owned()),
        place if place.is_hong_kong() => (0, "it lies in Hong Kong".to_owned()),
        Place::At { city, .. } => (10, format!("it lies in {city}, outside Hong Kong")),
    };
    factor(Aspect::Exposure, (base + more).min(100), format!("{who}; {where_to}."))
}

fn protection(circumstances: &Circumstances<'_>) -> Factor {
    let Exposure { encrypted, key, .. } = circumstances.exposure;
    let (percent, sentence) = match (circumstances.safeguard, encrypted, key) {
        (Safeguard::Encrypted, ..) => (5, "It is encrypted under a key of ours.".to_owned()),
        (Safeguard::Quarantined, ..) => {
            (20, "It lies in quarantine, where only the installation reads.".to_owned())
        }
        (_, Some(false), _) => (100, "Its store does not encrypt it.".to_owned()),
        (_, None, _) => (95, "Whether its store encrypts it is not known.".to_owned()),
        (_, Some(true), Some(key)) => (
            60,
            format!("Its store encrypts it under `{key}`; whoever may read it still reads it."),
        ),
        (_, Some(true), None) => {
            (75, "Its store encrypts it, under a key that it does not name.".to_owned())
        }
    };
    factor(Aspect::Protection, percent, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hong_kong() -> Place {
        Place::At { place: "HK".into(), city: "Hong Kong".into(), verified: true }
    }

    fn score(class: Class, values: u64, exposure: &Exposure, place: &Place) -> Risk {
        let safeguard = Safeguard::None;
        Risk::of(&Circumstances { class, values, exposure, place, safeguard })
    }

    #[test]
    fn unknown_exposure_is_not_safe() {
        let unknown = Exposure::default();
        let few = Exposure {
            public: Some(false),
            readers: vec!["retail".into()],
            encrypted: Some(true),
            key: Some("k".into()),
            ..Exposure::default()
        };
        let place = hong_kong();
        let blind = score(Class::Restricted, 600, &unknown, &place);
        let seen = score(Class::Restricted, 600, &few, &place);
        assert!(blind.score > seen.score);
        assert!(blind.factors.iter().any(|f| f.sentence.contains("not known, which is not safe")));
    }

    #[test]
    fn the_worst_is_a_hundred_and_public_data_is_nothing() {
        let open = Exposure { public: Some(true), encrypted: Some(false), ..Exposure::default() };
        let away = Place::At { place: "SG".into(), city: "Singapore".into(), verified: true };
        let worst = score(Class::Secret, 10_000, &open, &away);
        assert_eq!((worst.score, worst.level()), (100, Level::Critical));
        assert_eq!(score(Class::Public, 10_000, &open, &away).score, 0);
    }

    #[test]
    fn what_we_encrypted_is_a_small_risk() {
        let (exposure, place) = (Exposure::default(), hong_kong());
        let circumstances = Circumstances {
            class: Class::Restricted,
            values: 600,
            exposure: &exposure,
            place: &place,
            safeguard: Safeguard::Encrypted,
        };
        assert_eq!(Risk::of(&circumstances).level(), Level::Low);
    }

    proptest! {
        #[test]
        fn a_score_is_the_product_of_its_factors_and_more_is_never_less(
            class in 0usize..5, values in 0u64..20_000, more in 0u64..20_000,
            public in proptest::option::of(any::<bool>()), readers in 0usize..30,
        ) {
            let class = Class::ALL[class];
            let readers = (0..readers).map(|n| n.to_string()).collect();
            let exposure = Exposure { public, readers, ..Exposure::default() };
            let place = Place::Unknown;
            let one = score(class, values, &exposure, &place);
            let product: f64 = one.factors.iter().map(|f| f64::from(f.percent) / 100.0).product();
            prop_assert!((f64::from(one.score) - product * 100.0).abs() <= 0.5001);
            prop_assert!(score(class, values + more, &exposure, &place).score >= one.score);
            prop_assert!(one.factors.iter().all(|f| f.sentence.ends_with('.')));
        }
    }
}
