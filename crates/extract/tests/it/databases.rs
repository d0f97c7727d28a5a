//! SQLite, Parquet and Avro.

use crate::support::{card, count, look, look_within, part, total, troubles};
use detect::Kind;
use extract::{Coverage, Format, KindName, Limits, TroubleKind};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

pub(crate) fn sqlite(statements: &str) -> Vec<u8> {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.execute_batch(statements).unwrap();
    connection.serialize("main").unwrap().to_vec()
}

pub(crate) fn clients(rows: u32, extra: &str) -> String {
    let values: Vec<String> = (0..rows)
        .map(|i| {
            format!(
                "({i}, '陳大文', '{}', '{}')",
                card(i * 101),
                "x".repeat((i % 7 * 900) as usize)
            )
        })
        .collect();
    format!(
        "CREATE TABLE clients(id INTEGER PRIMARY KEY, \"客戶姓名\" TEXT, id_no TEXT, remark TEXT){extra}; \
         INSERT INTO clients VALUES {}; CREATE INDEX i ON clients(id_no); CREATE VIEW v AS SELECT 1;",
        values.join(",")
    )
}

#[test]
fn a_database_file_is_read_by_table_and_column() {
    for setup in
        ["", "PRAGMA encoding='UTF-16le';", "PRAGMA page_size=512; PRAGMA encoding='UTF-16be';"]
    {
        let found = look(&sqlite(&format!("{setup}{}", clients(3_000, ""))), "a.db");
        assert_eq!(
            (found.format, found.coverage),
            (Format::Sqlite, Coverage::Whole),
            "{:?}",
            found.troubles
        );
        let part = part(&found, &["table clients"]);
        assert_eq!(count(part, Kind::HongKongIdentityCard), 3_000);
        assert_eq!(count(part, Kind::PersonName), 3_000);
        let names: Vec<&str> = part.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["客戶姓名", "id_no"]);
        assert_eq!(part.kinds[0].samples[0].at, "row 0, column id_no");
    }
}

#[test]
fn a_table_without_row_numbers_is_read() {
    let found = look(&sqlite(&clients(2_000, " WITHOUT ROWID")), "a.db");
    assert_eq!(count(part(&found, &["table clients"]), Kind::HongKongIdentityCard), 2_000);
}

#[test]
fn a_damaged_database_is_read_as_far_as_it_goes() {
    let mut bytes = sqlite(&clients(3_000, ""));
    let half = bytes.len() / 2;
    bytes[half..half + 4_096].fill(0xff);
    let found = look(&bytes, "a.db");
    assert_eq!(troubles(&found), [TroubleKind::Corrupt]);
    assert!(total(&found, Kind::HongKongIdentityCard) > 2_000);

    // Every page of the table is the child of every other.
    let mut circle = sqlite(&clients(3_000, ""));
    for page in circle.chunks_mut(4_096).skip(1).filter(|page| page[0] == 0x05) {
        for place in 0..20 {
            let child = u16::from_be_bytes([page[12 + place * 2], page[13 + place * 2]]) as usize;
            if child + 4 <= page.len() {
                page[child..child + 4].copy_from_slice(&2u32.to_be_bytes());
            }
        }
    }
    assert_eq!(troubles(&look(&circle, "a.db")), [TroubleKind::Corrupt]);
}

#[test]
fn cells_of_tables_are_counted_up_to_the_limit() {
    let limits = Limits { cells_max: 400, ..Limits::default() };
    let found = look_within(&sqlite(&clients(3_000, "")), "a.db", &limits);
    assert_eq!(troubles(&found), [TroubleKind::TooMany]);
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 100);
}

pub(crate) fn parquet(groups: u32, rows: u32) -> Vec<u8> {
    let schema = "message m { required int32 id; required binary id_no (UTF8); \
        optional group list (LIST) { repeated group list { required binary element (UTF8); } } }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties =
        WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
    for group in 0..groups {
        let mut rows_writer = writer.next_row_group().unwrap();
        let numbers: Vec<i32> = (0..rows as i32).collect();
        let cards: Vec<ByteArray> =
            (0..rows).map(|i| ByteArray::from(card(group * rows + i).as_str())).collect();
        let mails: Vec<ByteArray> =
            (0..rows).map(|i| ByteArray::from(format!("a{i}@example.com").as_str())).collect();
        let mut column = rows_writer.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&numbers, None, None).unwrap();
        column.close().unwrap();
        let mut column = rows_writer.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&cards, None, None).unwrap();
        column.close().unwrap();
        let mut column = rows_writer.next_column().unwrap().unwrap();
        let levels = vec![2i16; rows as usize];
        let repeats = vec![0i16; rows as usize];
        column.typed::<ByteArrayType>().write_batch(&mails, Some(&levels), Some(&repeats)).unwrap();
        column.close().unwrap();
        rows_writer.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

#[test]
fn parquet_is_read_by_column_with_what_is_nested() {
    let found = look(&parquet(3, 500), "a.parquet");
    assert_eq!(
        (found.format, found.coverage),
        (Format::Parquet, Coverage::Whole),
        "{:?}",
        found.troubles
    );
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 1_500);
    assert_eq!(total(&found, Kind::Email), 1_500);
    let column = &found.parts[0].columns[0];
    assert_eq!(
        (column.name.as_str(), column.kind),
        ("id_no", KindName(Kind::HongKongIdentityCard))
    );
}

#[test]
fn of_many_rows_in_parquet_groups_over_the_whole_file_are_read() {
    let limits = Limits { parquet_rows_max: 1_000, ..Limits::default() };
    let found = look_within(&parquet(6, 500), "a.parquet", &limits);
    assert_eq!(found.coverage, Coverage::Part);
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 1_000);
    let samples = &found.parts[0].kinds[0].samples;
    assert_eq!(samples[0].at, "row 1, column id_no");
}

#[test]
fn damaged_and_encrypted_parquet_is_called_so() {
    let whole = parquet(1, 100);
    let mut cut = whole.clone();
    cut.truncate(whole.len() - 9);
    assert_eq!(troubles(&look(&cut, "x")), [TroubleKind::Corrupt]);
    let mut locked = whole.clone();
    let end = locked.len();
    locked[end - 4..].copy_from_slice(b"PARE");
    locked[..4].copy_from_slice(b"PARE");
    assert_eq!(troubles(&look(&locked, "x")), [TroubleKind::Protected]);
    for place in (4..whole.len()).step_by(37) {
        let mut broken = whole.clone();
        broken[place] ^= 0xff;
        let found = look(&broken, "x");
        assert!(found.troubles.iter().all(|t| t.kind != TroubleKind::Unreadable));
    }
}

fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = Vec::new();
    loop {
        let byte = (rest & 0x7f) as u8;
        rest >>= 7;
        if rest == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

fn text(value: &str) -> Vec<u8> {
    [long(value.len() as i64), value.as_bytes().to_vec()].concat()
}

pub(crate) fn avro(codec: &str, pack: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let schema = r#"{"type":"record","name":"client","namespace":"bank","fields":[
        {"name":"id_no","type":["null","string"]},
        {"name":"出生日期","type":{"type":"int","logicalType":"date"}},
        {"name":"mails","type":{"type":"array","items":"string"}},
        {"name":"kind","type":{"type":"enum","name":"k","symbols":["A","B"]}}]}"#;
    let mut file = b"Obj\x01".to_vec();
    file.extend(
        [long(2), text("avro.schema"), text(schema), text("avro.codec"), text(codec), long(0)]
            .concat(),
    );
    file.extend([7; 16]);
    for block in 0..3 {
        let rows: Vec<u8> = (0..100)
            .flat_map(|i| {
                let mails = [long(1), text(&format!("a{i}@example.com")), long(0)].concat();
                [long(1), text(&card(block * 100 + i)), long(3_000 + i64::from(i)), mails, long(1)]
                    .concat()
            })
            .collect();
        let packed = pack(&rows);
        file.extend([long(100), long(packed.len() as i64), packed].concat());
        file.extend([7; 16]);
    }
    file
}

#[test]
fn avro_is_read_however_its_blocks_are_packed() {
    let deflate = |rows: &[u8]| {
        use std::io::Write;
        let mut writer =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(rows).unwrap();
        writer.finish().unwrap()
    };
    let snappy =
        |rows: &[u8]| [snap::raw::Encoder::new().compress_vec(rows).unwrap(), vec![0; 4]].concat();
    for bytes in [
        avro("null", <[u8]>::to_vec),
        avro("deflate", deflate),
        avro("snappy", snappy),
        avro("zstandard", |rows| zstd::encode_all(rows, 3).unwrap()),
    ] {
        let found = look(&bytes, "a.avro");
        assert_eq!(
            (found.format, found.coverage),
            (Format::Avro, Coverage::Whole),
            "{:?}",
            found.troubles
        );
        assert_eq!(total(&found, Kind::HongKongIdentityCard), 300);
        assert_eq!(total(&found, Kind::Email), 300);
        let names: Vec<&str> = found.parts[0].columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["id_no", "出生日期"]);
        let cut = look(&bytes[..bytes.len() - 20], "a.avro");
        assert_eq!(troubles(&cut), [TroubleKind::Corrupt]);
        assert_eq!(total(&cut, Kind::HongKongIdentityCard), 200);
    }
    assert_eq!(troubles(&look(&avro("xz", <[u8]>::to_vec), "a")), [TroubleKind::Unsupported]);
}

/// A database in a folder of its own and its write-ahead log, as they lie on a disk that nobody has
/// closed.
fn with_log(name: &str, statements: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let folder = std::env::temp_dir().join(format!("lionrock-wal-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;").unwrap();
    statements.iter().for_each(|statement| connection.execute_batch(statement).unwrap());
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let both = (read("a.db"), read("a.db-wal"));
    drop(connection);
    std::fs::remove_dir_all(&folder).unwrap();
    both
}

#[test]
fn rows_that_stand_only_in_the_write_ahead_log_are_found_in_it() {
    let table = clients(300, "");
    let (database, log) = with_log(
        "rows",
        &[
            &table,
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "UPDATE clients SET id_no = 'none'",
            &format!("INSERT INTO clients VALUES (1000, '陳大文', '{}', '')", card(77)),
            "DELETE FROM clients WHERE id < 5",
        ],
    );
    assert_eq!(total(&look(&database, "a.db"), Kind::HongKongIdentityCard), 300);
    let found = look(&log, "a.db-wal");
    assert_eq!((found.format, troubles(&found)), (Format::Sqlite, vec![]), "{found:?}");
    let rows = part(&found, &["write-ahead log"]);
    // The row and its entry in the index.
    assert_eq!(count(rows, Kind::HongKongIdentityCard), 2, "the newest version of each page");
    assert!(rows.kinds.iter().flat_map(|kind| &kind.samples).any(|s| s.at.starts_with("row 1000")));
}

#[test]
fn what_was_never_committed_or_was_altered_in_a_log_is_not_of_the_database() {
    let (_, log) = with_log("torn", &[&format!("BEGIN; {} COMMIT;", clients(300, ""))]);
    let whole = total(&look(&log, "a.db-wal"), Kind::HongKongIdentityCard);
    assert!(whole >= 300, "{whole}");
    // The last frame says that all before it counts.
    let cut = look(&log[..log.len() - 4_120], "a.db-wal");
    assert_eq!(total(&cut, Kind::HongKongIdentityCard), 0, "nothing was committed");
    let mut altered = log.clone();
    altered[5_000] ^= 1;
    assert_eq!(total(&look(&altered, "a.db-wal"), Kind::HongKongIdentityCard), 0);
    let mut header = log;
    header[20] ^= 1;
    assert_eq!(troubles(&look(&header, "a.db-wal")), [TroubleKind::Corrupt]);
}
