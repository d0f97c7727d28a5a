//! A small world to speak about.

use inventory::{
    AssetFact, AssetKind, AssetRef, Attributes, KnownBy, Publication, Register, RelationFact,
    RelationKind,
};
use kernel::{AssetId, DomainId, HeldClock, SeededRng, Timestamp};

pub(crate) struct World {
    pub(crate) register: Register,
    clock: HeldClock,
    rng: SeededRng,
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_790_000_000_000).plus_seconds(second)
}

pub(crate) fn reference(text: &str) -> AssetRef {
    text.parse().unwrap()
}

pub(crate) fn attributes(json: &str) -> Attributes {
    serde_json::from_str(json).unwrap()
}

pub(crate) fn fact(text: &str, json: &str) -> AssetFact {
    let reference = reference(text);
    let name = reference.name.clone();
    AssetFact { reference, name, domain: DomainId::SYSTEM, attributes: attributes(json) }
}

pub(crate) fn relation(from: &str, kind: RelationKind, to: &str) -> RelationFact {
    let (from, to) = (reference(from), reference(to));
    RelationFact { from, kind, to, attributes: Attributes::default() }
}

pub(crate) fn publication(source: &str, known_by: KnownBy) -> Publication {
    Publication::new(source.parse().unwrap(), known_by)
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = HeldClock::at(at(0));
        Self { register: Register::default(), clock, rng: SeededRng::new(1) }
    }

    pub(crate) fn apply(
        &mut self,
        publication: &Publication,
        when: Timestamp,
    ) -> Result<inventory::Changes, inventory::RegisterError> {
        let (clock, rng) = (&self.clock, &self.rng);
        clock.advance_millis(1);
        self.register.apply(publication, when, &mut || AssetId::generate(clock, rng))
    }

    /// Tells assets and relations by the observing source `sample`.
    pub(crate) fn tell(
        &mut self,
        second: i64,
        assets: &[(&str, &str)],
        relations: &[(&str, RelationKind, &str)],
    ) {
        let mut told = publication("sample", KnownBy::Observed);
        told.assets = assets.iter().map(|(text, json)| fact(text, json)).collect();
        told.relations = relations.iter().map(|(f, k, t)| relation(f, *k, t)).collect();
        self.apply(&told, at(second)).unwrap();
    }

    pub(crate) fn names(&self, second: i64, kind: AssetKind) -> Vec<String> {
        let snapshot = self.register.as_of(at(second));
        snapshot.of_kind(kind).map(|asset| asset.name.as_str().to_owned()).collect()
    }
}
