//! History of assets and relations.

use crate::world::{World, at, fact, publication, reference, relation};
use inventory::{AssetKind, KnownBy, RegisterError, RelationKind};
use kernel::{DomainId, Scope};

#[test]
fn yesterday_can_be_asked_again_after_today_changed() {
    let mut world = World::new();
    world.tell(0, &[("arrangement:A-1", r#"{"tier":"2"}"#)], &[]);
    world.tell(100, &[("arrangement:A-1", r#"{"tier":"1"}"#)], &[]);
    let tier = |second| {
        let snapshot = world.register.as_of(at(second));
        let asset = snapshot.find(&reference("arrangement:A-1"))?;
        asset.attributes.text("tier").map(str::to_owned)
    };
    assert_eq!(tier(-1), None);
    assert_eq!(tier(0).as_deref(), Some("2"));
    assert_eq!(tier(99).as_deref(), Some("2"));
    assert_eq!(tier(100).as_deref(), Some("1"));
}

#[test]
fn a_thing_that_ends_takes_its_relations_with_it_and_stays_in_history() {
    let mut world = World::new();
    let protects = [("key:k", RelationKind::Protects, "file-set:f")];
    world.tell(0, &[("key:k", "{}"), ("file-set:f", "{}")], &protects);
    let mut gone = publication("sample", KnownBy::Observed);
    gone.ended.push(reference("key:k"));
    let changes = world.apply(&gone, at(50)).unwrap();
    assert_eq!((changes.changed.len(), changes.relations.len()), (1, 1));
    let now = world.register.as_of(at(50));
    assert_eq!((now.assets().count(), now.relations().count()), (1, 0));
    let before = world.register.as_of(at(49));
    assert_eq!((before.assets().count(), before.relations().count()), (2, 1));
    assert!(world.apply(&gone, at(60)).unwrap().is_empty());
}

#[test]
fn a_publication_that_names_a_stranger_changes_nothing() {
    let mut world = World::new();
    let before = world.register.clone();
    let mut told = publication("sample", KnownBy::Observed);
    told.assets.push(fact("key:k", "{}"));
    told.relations.push(relation("key:k", RelationKind::Protects, "file-set:nowhere"));
    let error = world.apply(&told, at(0)).unwrap_err();
    assert_eq!(error, RegisterError::Unknown(reference("file-set:nowhere")));
    assert_eq!(world.register, before);
    told.relations.clear();
    told.assets.push(fact("key:k", "{}"));
    assert_eq!(world.apply(&told, at(0)), Err(RegisterError::Twice(reference("key:k"))));
    assert_eq!(world.register, before);
}

#[test]
fn a_declaration_never_overwrites_an_observation() {
    let mut world = World::new();
    world.tell(0, &[("key:k", r#"{"state":"suspended"}"#)], &[]);
    let mut list = publication("a list", KnownBy::Declared);
    list.assets.push(fact("key:k", r#"{"state":"active"}"#));
    let error = world.apply(&list, at(1)).unwrap_err();
    assert!(matches!(error, RegisterError::KnownBetter { .. }), "{error}");
    let mut better = publication("hsm", KnownBy::Observed);
    better.assets.push(fact("key:k", r#"{"state":"active"}"#));
    assert!(!world.apply(&better, at(2)).unwrap().is_empty());
}

#[test]
fn telling_the_same_again_touches_no_record() {
    let mut world = World::new();
    world.tell(0, &[("host:h", r#"{"os":"debian"}"#)], &[]);
    let mut same = publication("sample", KnownBy::Observed);
    same.assets.push(fact("host:h", r#"{"os":"debian"}"#));
    assert!(world.apply(&same, at(9)).unwrap().is_empty());
}

#[test]
fn a_reader_sees_only_its_own_key_domain() {
    let mut world = World::new();
    let retail = DomainId::from_bytes([7; 16]);
    let mut told = publication("sample", KnownBy::Observed);
    told.assets.push(fact("key:a", "{}"));
    told.assets.push(fact("file-set:b", "{}"));
    told.assets[1].domain = retail;
    told.relations.push(relation("key:a", RelationKind::Protects, "file-set:b"));
    world.apply(&told, at(0)).unwrap();
    let all = world.register.as_of(at(0));
    assert_eq!(all.clone().within(&Scope::All), all);
    let seen = all.within(&Scope::Domains(vec![retail]));
    assert_eq!((seen.assets().count(), seen.relations().count()), (1, 0));
    assert_eq!(world.names(0, AssetKind::FileSet), ["b"]);
}
