//! The key control map: who really controls the path to the data.

use crate::world::{World, at};
use inventory::RelationKind::{Protects, Reads};
use inventory::{Break, KeyControlMap, KnownBy, Place, Regions, key_control_map};

const COPY: (&str, &str) = (
    "file-set:customers copy",
    r#"{"data-class":"restricted","provider":"aws","region":"ap-southeast-1"}"#,
);
const PROVIDER_KEY: (&str, &str) = ("key:aws/default", r#"{"custody":"provider"}"#);
const OWN_KEY: (&str, &str) = ("key:k1", r#"{"custody":"own","state":"active"}"#);

fn map(world: &World, second: i64) -> KeyControlMap {
    key_control_map(&world.register.as_of(at(second)), &Regions::builtin().unwrap())
}

#[test]
fn a_copy_under_the_providers_key_is_broken_until_our_key_protects_it() {
    let mut world = World::new();
    let path = (PROVIDER_KEY.0, Protects, COPY.0);
    world.tell(0, &[COPY, PROVIDER_KEY], &[path]);
    let before = map(&world, 0);
    assert_eq!(before.broken(), 1);
    assert_eq!(before.rows[0].breaks, [Break::ProviderKey]);
    assert_eq!(before.rows[0].place.word(), "SG");
    assert!(before.rows[0].readers.iter().any(|r| r.name == "aws" && r.implied));

    world.tell(10, &[COPY, PROVIDER_KEY, OWN_KEY], &[path, (OWN_KEY.0, Protects, COPY.0)]);
    let after = map(&world, 10);
    assert_eq!((after.broken(), after.rows[0].readers.len()), (0, 0));
    assert_eq!(map(&world, 9).broken(), 1, "the day before can be asked again");
}

#[test]
fn each_reason_for_a_broken_path_is_found() {
    let table: &[(&str, &str, Option<Break>)] = &[
        (
            r#"{"data-class":"restricted","provider":"aws","region":"ap-east-1"}"#,
            "",
            Some(Break::Unprotected),
        ),
        (r#"{"data-class":"public","provider":"aws","region":"ap-east-1"}"#, "", None),
        (
            r#"{"data-class":"confidential","provider":"aws","region":"ap-east-1"}"#,
            r#"{"custody":"own","state":"compromised"}"#,
            Some(Break::KeyLost),
        ),
        (
            r#"{"data-class":"restricted","provider":"aws","region":"ap-east-1"}"#,
            r#"{"state":"active"}"#,
            Some(Break::ProviderKey),
        ),
        (
            r#"{"data-class":"internal","provider":"aws","region":"nowhere","residency":"HK"}"#,
            "",
            Some(Break::PlaceUnknown),
        ),
        (
            r#"{"data-class":"internal","provider":"aws","region":"ap-southeast-1","residency":"HK"}"#,
            "",
            Some(Break::OutsideHongKong),
        ),
        (
            r#"{"data-class":"internal","provider":"azure","region":"eastasia","residency":"HK","geo-redundant":true}"#,
            "",
            Some(Break::CopiesLeave),
        ),
        (
            r#"{"data-class":"internal","provider":"azure","region":"eastasia","residency":"HK"}"#,
            "",
            None,
        ),
        (
            r#"{"data-class":"restricted","provider":"on-premises","place":"HK","residency":"HK"}"#,
            r#"{"custody":"own","state":"active"}"#,
            None,
        ),
    ];
    for (data, key, expected) in table {
        let mut world = World::new();
        let mut assets = vec![("data-store:d", *data)];
        let mut relations = Vec::new();
        if !key.is_empty() {
            assets.push(("key:k", *key));
            relations.push(("key:k", Protects, "data-store:d"));
        }
        world.tell(0, &assets, &relations);
        assert_eq!(map(&world, 0).rows[0].breaks.first(), expected.as_ref(), "{data} {key}");
    }
}

#[test]
fn a_provider_among_the_readers_breaks_even_a_protected_path() {
    let mut world = World::new();
    let relations = [(OWN_KEY.0, Protects, COPY.0), ("provider:aws", Reads, COPY.0)];
    world.tell(0, &[COPY, OWN_KEY, ("provider:aws", "{}")], &relations);
    assert_eq!(map(&world, 0).rows[0].breaks, [Break::ProviderReads]);
}

#[test]
fn broken_paths_come_first_and_unknown_ones_before_the_whole() {
    let mut world = World::new();
    let whole = r#"{"data-class":"public","provider":"aws","region":"ap-east-1"}"#;
    let unknown = r#"{"provider":"aws","region":"ap-east-1"}"#;
    world.tell(0, &[("data-store:a", whole), ("data-store:b", unknown), COPY], &[]);
    let map = map(&world, 0);
    let names: Vec<_> = map.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["customers copy", "b", "a"]);
    assert!(map.rows[1].unknown && !map.rows[1].is_broken());
    assert_eq!(map.rows[0].known_by, KnownBy::Observed);
    assert_ne!(map.rows[2].place, Place::Unknown);
}
