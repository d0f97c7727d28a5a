//! Files that people bring.

use crate::world::{World, at};
use inventory::import::{
    Format, IMPORT_BYTES_MAX, IMPORT_ROWS_MAX, REJECTIONS_LISTED_MAX, Rejection, plan, read,
};
use inventory::{AssetKind, Scalar};
use kernel::DomainId;
use proptest::prelude::*;

fn reading(format: Format, text: &str) -> inventory::import::Reading {
    read(format, text.as_bytes(), DomainId::SYSTEM)
}

fn rejections(format: Format, text: &str) -> Vec<(String, String)> {
    reading(format, text).rejected.into_iter().map(|r| (r.row, r.field)).collect()
}

fn pair(row: &str, field: &str) -> (String, String) {
    (row.to_owned(), field.to_owned())
}

#[test]
fn a_list_of_arrangements_arrives_with_types_and_history() {
    let csv = "kind,reference,name,tier,critical,account\n\
               arrangement,A-01,Core banking,1,true,007\n\
               provider,P-A,Provider A (sample),,,\n";
    let mut world = World::new();
    let (publication, report) =
        plan(reading(Format::Csv, csv), &world.register, "arrangements.csv".parse().unwrap());
    assert_eq!((report.rows, report.accepted.len(), report.rejected_count), (2, 2, 0));
    world.apply(&publication, at(0)).unwrap();
    let snapshot = world.register.as_of(at(0));
    let core = snapshot.of_kind(AssetKind::Arrangement).next().unwrap();
    assert_eq!(core.attributes.get("tier"), Some(&Scalar::Integer(1)));
    assert_eq!(core.attributes.get("critical"), Some(&Scalar::Boolean(true)));
    assert_eq!(core.attributes.text("account"), Some("007"));
}

#[test]
fn yaml_and_json_say_the_same() {
    let yaml = "assets:\n- {kind: key, reference: k, name: K, attributes: {custody: own, n: 3}}\n\
                - {kind: file-set, reference: f, name: 客戶檔案}\n\
                relations:\n- {from: 'key:k', relation: protects, to: 'file-set:f'}\n";
    let json = r#"{"assets":[
        {"kind":"key","reference":"k","name":"K","attributes":{"custody":"own","n":3}},
        {"kind":"file-set","reference":"f","name":"客戶檔案"}],
        "relations":[{"from":"key:k","relation":"protects","to":"file-set:f"}]}"#;
    let (a, b) = (reading(Format::Yaml, yaml), reading(Format::Json, json));
    assert_eq!(a, b);
    assert_eq!((a.assets.len(), a.relations.len(), a.rejected.len()), (2, 1, 0));
}

#[test]
fn every_bad_row_of_a_table_is_listed_with_its_line_and_field() {
    let csv = "kind,reference,name,tier\n\
               castle,A,A,1\n\
               key,,A,1\n\
               key,A,\" A\",1\n\
               key,A,A\n\
               key,B,B,ok\n";
    let reading = reading(Format::Csv, csv);
    assert_eq!(reading.assets.len(), 1);
    let found: Vec<_> =
        reading.rejected.iter().map(|r| (r.row.as_str(), r.field.as_str())).collect();
    let expected =
        [("line 2", "kind"), ("line 3", "reference"), ("line 4", "name"), ("line 5", "")];
    assert_eq!(found, expected);
    assert!(reading.rejected[0].reason.contains("data-store"), "says what would be right");
}

#[test]
fn every_bad_row_of_a_document_is_listed_with_its_place_and_field() {
    let json = r#"{"assets":[
        {"kind":"key","reference":"a","name":"a","colour":"red"},
        {"kind":"key","reference":"b","name":["b"]},
        {"kind":"key","reference":"c","name":"c","attributes":{"x":[1]}},
        {"kind":"key","reference":"d","name":"d","attributes":{"x":1.5}},
        {"kind":"key","reference":"e","name":"e","attributes":{"X":1}},
        {"kind":"key","reference":"f","name":"f","name":"g"},
        {"kind":"key","reference":"h","name":"h","attributes":{"x":1,"x":2}},
        7],
        "relations":[{"from":"key:a","relation":"eats","to":"key:b"},
        {"from":"key:a","relation":"protects","to":"key:a"}, {"from":"a","relation":"protects","to":"b"}]}"#;
    let expected = [
        pair("assets/0", "colour"),
        pair("assets/1", "name"),
        pair("assets/2", "x"),
        pair("assets/3", "x"),
        pair("assets/4", "X"),
        pair("assets/5", "name"),
        pair("assets/6", "x"),
        pair("assets/7", ""),
        pair("relations/0", "relation"),
        pair("relations/1", "to"),
        pair("relations/2", "from"),
    ];
    assert_eq!(rejections(Format::Json, json), expected);
}

#[test]
fn a_document_that_does_not_parse_gives_nothing_and_says_so() {
    for (format, text) in [
        (Format::Json, "{"),
        (Format::Json, "[]"),
        (Format::Json, r#"{"assets":[]} x"#),
        (Format::Json, r#"{"assets":{}}"#),
        (Format::Json, r#"{"things":[]}"#),
        (Format::Json, r#"{"assets":[],"assets":[]}"#),
        (Format::Yaml, "assets: [\n"),
        (Format::Yaml, "just text"),
        (Format::Csv, ""),
        (Format::Csv, "kind,name\nkey,a\n"),
        (Format::Csv, "kind,reference,name,name\n"),
    ] {
        let reading = reading(format, text);
        assert_eq!((reading.assets.len(), reading.rejected.len()), (0, 1), "{text}");
    }
    let latin1 = read(Format::Csv, b"kind,reference,name\nkey,a,caf\xe9\n", DomainId::SYSTEM);
    assert!(latin1.rejected[0].reason.contains("UTF-8"));
}

#[test]
fn limits_on_size_rows_and_aliases_are_kept() {
    let large = vec![b' '; IMPORT_BYTES_MAX + 1];
    assert_eq!(read(Format::Csv, &large, DomainId::SYSTEM).rejected.len(), 1);
    let rows = |n: usize| {
        let lines: String = (0..n).map(|i| format!("key,k{i},k\n")).collect();
        format!("kind,reference,name\n{lines}")
    };
    assert_eq!(reading(Format::Csv, &rows(IMPORT_ROWS_MAX)).assets.len(), IMPORT_ROWS_MAX);
    let over = reading(Format::Csv, &rows(IMPORT_ROWS_MAX + 1));
    assert_eq!((over.assets.len(), over.rejected.len()), (0, 1));
    let bomb = (1..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, i| {
        let list = format!("*a{}", i - 1);
        format!("{text}a{i}: &a{i} [{}]\n", [list.as_str(); 9].join(","))
    });
    assert_eq!(reading(Format::Yaml, &bomb).rejected.len(), 1);
}

#[test]
fn a_broken_quote_stops_the_file_there_and_says_where() {
    let csv = "kind,reference,name\nkey,a,a\nkey,b,\"b\nkey,c,c\n";
    let reading = reading(Format::Csv, csv);
    assert_eq!((reading.assets.len(), reading.rejected.len()), (1, 1));
    assert!(reading.rejected[0].reason.contains("line 3"));
}

#[test]
fn rows_that_the_register_will_not_take_are_rejected_before_anything_is_written() {
    let mut world = World::new();
    world.tell(0, &[("key:seen", r#"{"state":"active"}"#)], &[]);
    let yaml = "assets:\n- {kind: key, reference: seen, name: x}\n\
                - {kind: key, reference: new, name: x}\n- {kind: key, reference: new, name: y}\n\
                relations:\n- {from: 'key:new', relation: protects, to: 'file-set:none'}\n\
                - {from: 'key:new', relation: copy-of, to: 'key:seen'}\n\
                - {from: 'key:new', relation: copy-of, to: 'key:seen'}\n";
    let read = reading(Format::Yaml, yaml);
    let (publication, report) = plan(read, &world.register, "list".parse().unwrap());
    let places: Vec<_> = report.rejected.iter().map(|r| r.row.as_str()).collect();
    assert_eq!(places, ["assets/0", "assets/2", "relations/0", "relations/2"]);
    assert_eq!(report.accepted, ["assets/1", "relations/1"]);
    assert_eq!(report.rows, report.accepted.len() + report.rejected_count);
    world.apply(&publication, at(1)).unwrap();
}

#[test]
fn more_rejections_than_are_listed_are_still_counted() {
    let lines = "castle,x,x\n".repeat(REJECTIONS_LISTED_MAX + 5);
    let read = reading(Format::Csv, &format!("kind,reference,name\n{lines}"));
    let world = World::new();
    let (_, report) = plan(read, &world.register, "list".parse().unwrap());
    assert_eq!(report.rejected.len(), REJECTIONS_LISTED_MAX);
    assert_eq!(report.rejected_count, REJECTIONS_LISTED_MAX + 5);
}

proptest! {
    #[test]
    fn no_bytes_make_the_import_panic_and_each_row_is_counted(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        text in "(kind,reference,name\n)?(key,[a-c]?,[a-c\"]?(,|\n)){0,6}",
    ) {
        for format in [Format::Yaml, Format::Csv, Format::Json] {
            for input in [bytes.as_slice(), text.as_bytes()] {
                let reading = read(format, input, DomainId::SYSTEM);
                let world = World::new();
                let (publication, report) =
                    plan(reading, &world.register, "fuzz".parse().unwrap());
                prop_assert_eq!(report.rows, report.accepted.len() + report.rejected_count);
                let taken = publication.assets.len() + publication.relations.len();
                prop_assert_eq!(taken, report.accepted.len());
                let named = |r: &Rejection| !r.row.is_empty() && !r.reason.is_empty();
                prop_assert!(report.rejected.iter().all(named));
            }
        }
    }
}
