//! What a scanned source tells the inventory: its class, counts, exposure and place, as observed.
//!
//! An asset has one source of knowledge. What somebody else had told about it before (its owner,
//! its tier, where it must stay) is kept, and the attribute `declared` names those words: they are
//! not ours, only what lies in the store is.

use crate::class::Class;
use crate::discover::Inner;
use crate::error::DiscoverError;
use crate::records::Summaries;
use crate::source::SourceRecord;
use inventory::{AssetFact, Attributes, KnownBy, Publication, Scalar};
use kernel::{Label, Name};

/// Kinds whose counts are told to the inventory, the most frequent first.
const KINDS_TOLD: usize = 12;
/// Who speaks in the inventory.
const SPEAKER: &str = "discover";

/// Attributes of words and values; `None` when one of them is none.
pub(crate) fn attributes<'a>(
    pairs: impl IntoIterator<Item = (&'a str, Scalar)>,
) -> Option<Attributes> {
    pairs.into_iter().try_fold(Attributes::default(), |all, (word, value)| {
        all.with(Label::try_from(word.to_owned()).ok()?, value).ok()
    })
}

fn whole(count: u64) -> Scalar {
    Scalar::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

impl Inner {
    /// Tells the inventory where a source stands after a complete pass.
    ///
    /// # Errors
    /// When the store or the inventory fails.
    pub(crate) async fn publish(&self, source: &SourceRecord) -> Result<(), DiscoverError> {
        let summary = self.store.get::<Summaries>(&source.id)?.map(|found| found.value);
        let summary = summary.unwrap_or_default();
        let snapshot = self.inventory.current()?;
        let known = snapshot.find(&source.asset);
        let class = summary.class().unwrap_or(Class::Internal);
        let mut ours: Vec<(String, Scalar)> = vec![
            ("data-class".into(), class.word().into()),
            ("objects".into(), whole(summary.objects)),
            ("findings".into(), whole(summary.classes.values().sum())),
            ("risk".into(), whole(summary.score.into())),
        ];
        if let Some(at) = summary.complete_at {
            ours.push(("scanned-at".into(), at.rfc3339().as_str().into()));
        }
        for class in Class::ALL.iter().filter(|class| **class > Class::Internal) {
            ours.push((format!("objects-{class}"), whole(summary.of_class(*class))));
        }
        let mut kinds: Vec<_> = summary.kinds.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (kind, count) in kinds.into_iter().take(KINDS_TOLD) {
            ours.push((format!("found.{}", String::from(*kind)), whole(*count)));
        }
        let cards = extract::KindName(detect::Kind::HongKongIdentityCard);
        let cards = summary.kinds.get(&cards).copied().unwrap_or(0);
        ours.push(("identity-cards".into(), whole(cards)));
        if summary.public > 0 {
            ours.push(("public".into(), true.into()));
        }
        let mut told = Vec::new();
        let said = |name: &Option<Name>| name.as_ref().map(|name| Scalar::from(name.as_str()));
        let place = match source.provider.as_ref().map(Name::as_str) {
            Some("on-premises") => "place",
            _ => "region",
        };
        for (word, value) in [
            ("provider", said(&source.provider)),
            (place, said(&source.region)),
            ("owner", said(&source.owner)),
        ] {
            told.extend(value.map(|value| (word.to_owned(), value)));
        }
        let before = known.map(|asset| asset.attributes.clone()).unwrap_or_default();
        let was_ours = known.is_some_and(|asset| asset.source.as_str() == SPEAKER);
        let declared_before = before.text("declared").unwrap_or_default().to_owned();
        let mut declared = Vec::new();
        for (word, value) in before.iter() {
            let replaced = word == "declared"
                || ours.iter().chain(&told).any(|(own, _)| own == word)
                || (was_ours && !declared_before.split(", ").any(|one| one == word));
            if !replaced {
                told.push((word.to_owned(), value.clone()));
            }
        }
        declared.extend(told.iter().map(|(word, _)| word.clone()));
        declared.sort_unstable();
        let joined = declared.join(", ");
        let mut pairs: Vec<(&str, Scalar)> =
            ours.iter().chain(&told).map(|(word, value)| (word.as_str(), value.clone())).collect();
        if !declared.is_empty() {
            pairs.push(("declared", joined.as_str().into()));
        }
        let too_many = DiscoverError::TooMany("attributes of the asset");
        let attributes = attributes(pairs).ok_or(too_many)?;
        let name = known.map_or_else(|| source.name.clone(), |asset| asset.name.clone());
        let domain = known.map_or(source.domain, |asset| asset.domain);
        let reference = source.asset.clone();
        let speaker = SPEAKER.parse().map_err(|_| DiscoverError::TooMany("letters"))?;
        let mut publication = Publication::new(speaker, KnownBy::Observed);
        publication.assets.push(AssetFact { reference, name, domain, attributes });
        self.inventory.publish(&publication).await?;
        Ok(())
    }
}
