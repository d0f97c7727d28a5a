//! Plain texts and tables in any encoding.

use crate::support::{card, count, look, part, total, troubles};
use detect::Kind;
use encoding_rs::{BIG5, GB18030};
use extract::{Coverage, Format, KindName};

const LETTER: &str = "敬啟者：本行客戶陳大文先生（身份證號碼A123456(3)）已於上月更改地址，\
    新地址為香港西營盤德輔道西718號太平樓36樓D室，聯絡電話：9123 4567。\n此致\n";
const LETTER_SIMPLIFIED: &str = "您好：客户陈大文先生（身份证号码11010519491231002X）的地址已经更改，\
    联系电话：13812345678，请贵部门在系统内更新资料。\n";

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

fn with_mark(mark: &[u8], text: &[u8]) -> Vec<u8> {
    [mark, text].concat()
}

#[test]
fn a_letter_holds_the_same_in_every_encoding() {
    let utf8 = look(LETTER.as_bytes(), "a.txt");
    assert_eq!((utf8.format, utf8.coverage), (Format::Text, Coverage::Whole));
    let expected = &utf8.parts[0].kinds;
    assert_eq!(count(&utf8.parts[0], Kind::HongKongIdentityCard), 1);
    assert_eq!(count(&utf8.parts[0], Kind::Address), 1);
    let big = |text| BIG5.encode(text).0.into_owned();
    for (bytes, name) in [
        (big(LETTER), "Big5"),
        (GB18030.encode(LETTER).0.into_owned(), "gb18030"),
        (utf16(LETTER, false), "UTF-16LE"),
        (utf16(LETTER, true), "UTF-16BE"),
        (with_mark(&[0xff, 0xfe], &utf16(LETTER, false)), "UTF-16LE"),
        (with_mark(&[0xfe, 0xff], &utf16(LETTER, true)), "UTF-16BE"),
        (with_mark(&[0xef, 0xbb, 0xbf], LETTER.as_bytes()), "UTF-8"),
    ] {
        let found = look(&bytes, "a.txt");
        assert_eq!(found.parts[0].encoding.as_deref(), Some(name));
        assert_eq!(&found.parts[0].kinds, expected, "{name}");
    }
    let found = look(&GB18030.encode(LETTER_SIMPLIFIED).0, "b.txt");
    assert_eq!(found.parts[0].encoding.as_deref(), Some("gb18030"));
    assert_eq!(total(&found, Kind::MainlandIdentity), 1);
}

#[test]
fn the_encoding_is_told_where_ascii_ends_however_late() {
    let mut bytes = b"INFO nothing happened here at all\n".repeat(9_000);
    bytes.extend_from_slice(&BIG5.encode(LETTER).0);
    let found = look(&bytes, "a.log");
    assert_eq!(found.parts[0].encoding.as_deref(), Some("Big5"));
    assert_eq!(total(&found, Kind::Address), 1);
    let sample = &found.parts[0].kinds[0].samples[0];
    assert_eq!(sample.at, "line 9001");
}

#[test]
fn a_table_in_chinese_tells_its_columns() {
    let rows: String = (0..40).map(|i| format!("{i},{},客戶\n", card(i * 7_919))).collect();
    let text = format!("編號,身份證號碼,備註\n{rows}");
    for bytes in [text.clone().into_bytes(), BIG5.encode(&text).0.into_owned()] {
        let found = look(&bytes, "x");
        assert_eq!(found.format, Format::Csv);
        let column = &found.parts[0].columns[0];
        assert_eq!(column.name, "身份證號碼");
        assert_eq!(column.kind, KindName(Kind::HongKongIdentityCard));
        assert_eq!((column.cells, column.matching), (40, 40));
        assert!(column.share_at_least > 0.9);
        let kinds = &found.parts[0].kinds[0];
        assert_eq!((kinds.sure, kinds.distinct, kinds.samples.len()), (40, 40, 3));
        assert_eq!(kinds.samples[0].at, "row 2, column 身份證號碼");
        assert_eq!(kinds.samples[0].masked, "A00****(*)");
    }
}

#[test]
fn one_stray_number_does_not_label_a_column() {
    let rows: String = (0..50).map(|i| format!("{i},note {i},x\n")).collect();
    let text = format!("id,remark,flag\n{rows}51,HKID A123456(3),y\n");
    let found = look(text.as_bytes(), "a.csv");
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 1);
    assert!(found.parts[0].columns.is_empty());
}

#[test]
fn no_name_is_shown_beside_an_identity_card_number() {
    let text = "姓名,身份證號碼\n陳大文,A123456(3)\n李家豪,E364912(5)\n何麗華,D288754(2)\n";
    let found = look(text.as_bytes(), "a.csv");
    let part = part(&found, &[]);
    assert_eq!(count(part, Kind::PersonName), 3);
    for kind in &part.kinds {
        assert_eq!(kind.samples.is_empty(), kind.kind == KindName(Kind::PersonName));
    }
    let alone = look("姓名,部門\n陳大文,甲\n李家豪,乙\n何麗華,丙\n".as_bytes(), "a.csv");
    assert_eq!(alone.parts[0].kinds[0].samples[0].masked, "陳***");
}

#[test]
fn a_long_table_counts_every_row_and_judges_by_samples() {
    let rows: String = (0..120_000).map(|i| format!("{i},{},\"a\nb\"\n", card(i))).collect();
    let text = format!("n,id_no,remark\n{rows}");
    assert!(text.len() > 2 << 20);
    let found = look(text.as_bytes(), "a.csv");
    let kind = &found.parts[0].kinds[0];
    assert_eq!((kind.sure, kind.distinct), (120_000, 100_000));
    let column = &found.parts[0].columns[0];
    assert_eq!((column.name.as_str(), column.matching), ("id_no", column.cells));
    assert!(column.cells >= 1_100 && column.share_at_least > 0.99);
    assert_eq!(found.text_bytes, text.len() as u64);
}

#[test]
fn a_long_prose_gives_each_hit_once_wherever_windows_end() {
    let line = "Our ref HKID A123456(3) and some words that fill the line to the end of it.\n";
    let text = line.repeat(60_000);
    let found = look(text.as_bytes(), "a.txt");
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 60_000);
    assert_eq!(found.parts[0].kinds[0].distinct, 1);
}

#[test]
fn json_of_any_shape_is_read() {
    let pretty = "{\n  \"clients\": [\n    {\"name\": \"\\u9673\\u5927\\u6587\",\n     \
        \"hrp\": \"H12345678\"},\n {\"name\": \"\\u674e\\u5bb6\\u8c6a\",\n \"hrp\": \"M12345678\"}]\n}\n";
    let line = pretty.replace('\n', " ");
    for text in [pretty, &line] {
        let found = look(text.as_bytes(), "a.json");
        assert_eq!(found.format, Format::Json);
        assert_eq!(total(&found, Kind::HomeReturnPermit), 2, "{text}");
        assert_eq!(total(&found, Kind::PersonName), 2, "{text}");
    }
}

#[test]
fn bytes_that_are_no_text_are_looked_at_with_care() {
    let mut bytes: Vec<u8> = (0..4_000u32).map(|i| (i * 7 % 31) as u8).collect();
    bytes.extend_from_slice(b"\0HKID A123456(3)\0\x01\x02");
    bytes.extend_from_slice(&utf16("identity card E364912(5) in it", false));
    bytes.extend_from_slice(b"\x00\x01 A1234563 \x02");
    let found = look(&bytes, "core");
    assert_eq!(found.format, Format::Binary);
    let kind = &found.parts[0].kinds[0];
    assert_eq!((kind.sure, kind.likely, kind.distinct), (0, 2, 2));
    assert!(troubles(&found).is_empty());
}

#[test]
fn nothing_is_in_an_empty_file() {
    let found = look(b"", "a.txt");
    assert_eq!(
        (found.format, found.coverage, found.parts.len()),
        (Format::Empty, Coverage::Whole, 0)
    );
}
