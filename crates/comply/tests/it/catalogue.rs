//! The catalogue holds together and never says more than was read.

use crate::world::World;
use comply::{
    Catalogue, CatalogueError, CheckKind, Confidence, Institution, Layer, Origin, Profile,
    ReadDepth, TextStatus,
};
use std::collections::BTreeSet;

#[test]
fn there_are_378_requirements_of_26_sources_and_no_identifier_twice() {
    let catalogue = Catalogue::builtin().unwrap();
    assert_eq!((catalogue.len(), catalogue.sources().len()), (378, 26));
    let ids: BTreeSet<_> = catalogue.requirements().map(|(_, r)| r.id.clone()).collect();
    assert_eq!(ids.len(), 378);
    let kind = |k| catalogue.requirements().filter(|(_, r)| r.check == k).count();
    let kinds = [CheckKind::Automated, CheckKind::Hybrid, CheckKind::Manual].map(kind);
    assert_eq!(kinds, [176, 84, 118]);
    let read = catalogue.requirements().filter(|(_, r)| r.confidence == Confidence::Read);
    assert_eq!(read.count(), 275);
}

#[test]
fn the_text_status_follows_from_what_was_read_and_is_never_official_by_itself() {
    let catalogue = Catalogue::builtin().unwrap();
    for (_, r) in catalogue.requirements() {
        let wording = r.confidence == Confidence::Read && r.read_depth == Some(ReadDepth::Text);
        let expected = if wording { TextStatus::PublicCopy } else { TextStatus::Paraphrase };
        assert_eq!(r.text_status, expected, "{}", r.id);
        assert!(!r.title.is_empty() && !r.requirement.is_empty() && !r.evidence.is_empty());
    }
}

#[test]
fn the_practice_guides_layer_is_unknown_and_its_titles_are_working_titles() {
    let catalogue = Catalogue::builtin().unwrap();
    assert!(catalogue.source("pg").unwrap().working_titles);
    for (source, r) in catalogue.requirements() {
        assert_eq!(r.layer == Layer::Unknown, source.key == "pg", "{}", r.id);
    }
    let practices = catalogue.requirements().filter(|(_, r)| r.layer == Layer::GoodPractice);
    assert_eq!(practices.count(), 8);
}

#[test]
fn a_superseded_source_is_named_with_what_replaced_it() {
    let catalogue = Catalogue::builtin().unwrap();
    let superseded: Vec<_> = catalogue
        .sources()
        .iter()
        .filter(|source| source.is_superseded())
        .map(|source| source.key.as_str())
        .collect();
    assert_eq!(superseded, ["cc22", "vb"]);
}

#[test]
fn a_catalogue_that_repeats_or_dangles_is_refused() {
    let sources = "as_of: x\nseen_not_catalogued: y\nsources:\n\
                   - {key: a, title: A, version: v, url: u, applies_to: all}\n";
    let row = "{id: a-1, section: s, title: t, requirement: r, responsibility: shared, \
               capabilities: [keys], evidence: e, check: manual, url: u, confidence: read, \
               text_status: paraphrase, layer: principle, stage: plan}";
    let file = |source: &str, rows: &str| {
        format!("source: {source}\nsource_name: n\nsource_version: v\nrequirements: [{rows}]\n")
    };
    assert_eq!(Catalogue::read(sources, &[&file("a", row)]).unwrap().len(), 1);
    let twice = Catalogue::read(sources, &[&file("a", &format!("{row}, {row}"))]);
    assert!(matches!(twice, Err(CatalogueError::Twice(_))));
    let dangling = Catalogue::read(sources, &[&file("b", row)]);
    assert!(matches!(dangling, Err(CatalogueError::NoSource(_))));
    let unknown = row.replace("stage: plan", "stage: plan, colour: red");
    assert!(matches!(
        Catalogue::read(sources, &[&file("a", &unknown)]),
        Err(CatalogueError::Shape(_))
    ));
}

#[test]
fn the_profile_decides_what_applies() {
    let world = World::new();
    let excluded = |institution, origin, designated| {
        let profile = Profile { institution, origin, critical_infrastructure_operator: designated };
        let all = world.catalogue.requirements();
        let out = all.filter(|(s, r)| profile.excludes(s, r).is_some());
        out.map(|(s, _)| s.key.clone()).fold(Vec::new(), |mut keys: Vec<String>, key| {
            if keys.last() != Some(&key) {
                keys.push(key);
            }
            keys
        })
    };
    use Institution::{DepositTakingCompany, DigitalBank, LicensedBank, RestrictedLicenceBank};
    use Origin::{ForeignBranch, Local};
    assert_eq!(excluded(LicensedBank, Local, false), ["vb", "ci"]);
    assert_eq!(excluded(LicensedBank, Local, true), ["vb"]);
    assert_eq!(excluded(DigitalBank, Local, false), ["ci"]);
    assert_eq!(excluded(DigitalBank, Local, true), [""; 0]);
    assert_eq!(excluded(LicensedBank, ForeignBranch, false), ["sa2", "vb", "ci"]);
    assert_eq!(excluded(RestrictedLicenceBank, Local, false), ["vb", "ci"]);
    assert_eq!(excluded(DepositTakingCompany, ForeignBranch, true), ["sa2", "vb"]);
}
