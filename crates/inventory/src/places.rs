//! Where a provider's region lies: a dated table, because names lie.

use crate::Attributes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const BUILTIN: &str = include_str!("../data/regions.yaml");
/// The place of Hong Kong in ISO 3166-1.
const HONG_KONG: &str = "HK";
/// The provider word of the bank's own machine rooms.
const ON_PREMISES: &str = "on-premises";

/// Why a table of regions is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RegionsError {
    /// Not the shape of the table.
    #[error("the table of regions does not read")]
    Shape(#[from] serde_yaml_ng::Error),
    /// One region twice.
    #[error("`{provider}` `{region}` stands twice in the table of regions")]
    Twice {
        /// The provider.
        provider: String,
        /// The region.
        region: String,
    },
}

/// One region of one provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The provider's word: `aws`, `azure`, `google-cloud`, `alibaba-cloud`.
    pub provider: String,
    /// The provider's name of the region.
    pub region: String,
    /// ISO 3166-1 alpha-2.
    pub place: String,
    /// The city, as people say it.
    pub city: String,
    /// Zones that we know of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// Where geo-redundant copies go by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
    /// Whether we have seen it in the provider's own list.
    pub verified: bool,
    /// Where it is from.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    as_of: String,
    regions: Vec<Region>,
}

/// The table of regions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Regions {
    as_of: String,
    rows: BTreeMap<(String, String), Region>,
}

/// Where something lies, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "known")]
pub enum Place {
    /// In a country or territory.
    At {
        /// ISO 3166-1 alpha-2.
        place: String,
        /// For people: `Hong Kong`, `Singapore`.
        city: String,
        /// Whether the table's row was verified, or the place was only declared.
        verified: bool,
    },
    /// Nobody said, or the table does not know the region. Never counts as Hong Kong.
    Unknown,
}

impl Place {
    /// Whether this is known to be Hong Kong.
    #[must_use]
    pub fn is_hong_kong(&self) -> bool {
        matches!(self, Self::At { place, .. } if place == HONG_KONG)
    }

    /// The country or territory, or `unknown`.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::At { place, .. } => place,
            Self::Unknown => "unknown",
        }
    }
}

impl Regions {
    /// The table that ships with this version.
    ///
    /// # Errors
    /// Never for a released version; a test reads the table.
    pub fn builtin() -> Result<Self, RegionsError> {
        Self::read(BUILTIN)
    }

    /// A table from YAML, such as the bank's own corrected copy.
    ///
    /// # Errors
    /// When it does not have the table's shape or names one region twice.
    pub fn read(yaml: &str) -> Result<Self, RegionsError> {
        let table: Table = serde_yaml_ng::from_str(yaml)?;
        let mut rows = BTreeMap::new();
        for row in table.regions {
            let key = (row.provider.clone(), row.region.clone());
            if let Some(first) = rows.insert(key, row) {
                let Region { provider, region, .. } = first;
                return Err(RegionsError::Twice { provider, region });
            }
        }
        Ok(Self { as_of: table.as_of, rows })
    }

    /// The day of the table.
    #[must_use]
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// Every row, by provider and region.
    pub fn rows(&self) -> impl Iterator<Item = &Region> {
        self.rows.values()
    }

    /// One region of one provider; the same word at another provider is another place.
    #[must_use]
    pub fn find(&self, provider: &str, region: &str) -> Option<&Region> {
        self.rows.get(&(provider.to_ascii_lowercase(), region.to_ascii_lowercase()))
    }

    /// Where a provider's region lies.
    #[must_use]
    pub fn place(&self, provider: &str, region: &str) -> Place {
        self.find(provider, region).map_or(Place::Unknown, |row| Place::At {
            place: row.place.clone(),
            city: row.city.clone(),
            verified: row.verified,
        })
    }

    /// Where a thing lies by its attributes: `provider` and `region`; or `provider: on-premises`
    /// with `place` (ISO 3166-1). A cloud's place is never taken from a declaration.
    #[must_use]
    pub fn place_of(&self, attributes: &Attributes) -> Place {
        let provider = attributes.text("provider").unwrap_or_default();
        if provider == ON_PREMISES {
            return attributes.text("place").filter(|place| is_iso_3166(place)).map_or(
                Place::Unknown,
                |place| Place::At {
                    place: place.to_owned(),
                    city: attributes.text("city").unwrap_or_else(|| self.name_of(place)).to_owned(),
                    verified: false,
                },
            );
        }
        self.place(provider, attributes.text("region").unwrap_or_default())
    }

    /// What people call a place: its city, where the table knows no other there; else its letters.
    fn name_of<'a>(&'a self, place: &'a str) -> &'a str {
        let mut cities = self.rows().filter(|row| row.place == place).map(|row| row.city.as_str());
        match cities.next() {
            Some(city) if cities.all(|other| other == city) => city,
            _ => place,
        }
    }

    /// Where the provider puts geo-redundant copies of this region, if the table knows a pair.
    #[must_use]
    pub fn pair(&self, provider: &str, region: &str) -> Option<Place> {
        let pair = self.find(provider, region)?.pair.as_deref()?;
        Some(self.place(provider, pair))
    }
}

fn is_iso_3166(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions() -> Regions {
        Regions::builtin().unwrap()
    }

    #[test]
    fn the_same_word_is_another_place_at_another_provider() {
        let regions = regions();
        assert_eq!(regions.place("aws", "ap-southeast-1").word(), "SG");
        assert_eq!(regions.place("alibaba-cloud", "ap-southeast-1").word(), "SG");
        assert!(regions.place("huawei-cloud", "ap-southeast-1").is_hong_kong());
        assert_eq!(regions.place("google-cloud", "asia-east1").word(), "TW");
        assert!(regions.place("google-cloud", "asia-east2").is_hong_kong());
    }

    #[test]
    fn an_unknown_region_is_not_hong_kong() {
        let regions = regions();
        for (provider, region) in [
            ("aws", "ap-hongkong-9"),
            ("nobody", "cn-hongkong"),
            ("", ""),
            ("aws", "cn-hongkong"),
            ("azure", "Hong Kong"),
        ] {
            assert_eq!(regions.place(provider, region), Place::Unknown, "{provider} {region}");
            assert!(!regions.place(provider, region).is_hong_kong());
        }
    }

    #[test]
    fn a_declared_place_counts_on_premises_only() {
        let regions = regions();
        let read = |json: &str| serde_json::from_str::<Attributes>(json).unwrap();
        let own = read(r#"{"provider":"on-premises","place":"HK"}"#);
        assert!(regions.place_of(&own).is_hong_kong());
        let cloud = read(r#"{"provider":"aws","region":"xx-1","place":"HK"}"#);
        assert_eq!(regions.place_of(&cloud), Place::Unknown);
        let words = read(r#"{"provider":"on-premises","place":"Hong Kong"}"#);
        assert_eq!(regions.place_of(&words), Place::Unknown);
        assert_eq!(regions.place_of(&Attributes::default()), Place::Unknown);
    }

    #[test]
    fn geo_redundant_copies_of_a_hong_kong_region_may_leave() {
        let pair = regions().pair("azure", "eastasia").unwrap();
        assert_eq!(pair.word(), "SG");
        assert_eq!(regions().pair("aws", "ap-east-1"), None);
    }

    #[test]
    fn every_row_says_where_it_is_from_and_no_row_stands_twice() {
        assert_eq!(regions().as_of(), "2026-11-21");
        for row in regions().rows() {
            assert!(!row.source.is_empty() && is_iso_3166(&row.place), "{row:?}");
        }
        let row = "{provider: a, region: b, place: HK, city: x, verified: true, source: y}";
        let twice = format!("as_of: 2026-01-01\nregions:\n- {row}\n- {row}\n");
        assert!(matches!(Regions::read(&twice), Err(RegionsError::Twice { .. })));
        assert!(matches!(Regions::read("regions: 7"), Err(RegionsError::Shape(_))));
    }

    #[test]
    fn one_place_has_one_name_wherever_it_is_said() {
        let regions = Regions::builtin().unwrap();
        let said = |place: &str| {
            let json = format!(r#"{{"provider":"on-premises","place":"{place}"}}"#);
            match regions.place_of(&serde_json::from_str(&json).unwrap()) {
                Place::At { city, .. } => city,
                Place::Unknown => String::new(),
            }
        };
        let Place::At { city, .. } = regions.place("aws", "ap-east-1") else { panic!("unknown") };
        assert_eq!(said("HK"), city);
        assert_eq!(said("ZZ"), "ZZ");
    }
}
