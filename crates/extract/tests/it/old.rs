//! Compound files: XLS, and what else hides in them.
#![expect(clippy::cast_possible_truncation, reason = "the files made here are small")]

use crate::support::{count, look, part, troubles};
use detect::Kind;
use extract::{Format, TroubleKind};

const SECTOR: usize = 512;
const FREE: u32 = 0xffff_ffff;
const END: u32 = 0xffff_fffe;

/// A compound file with one stream, which fills whole sectors of the normal kind.
pub(crate) fn compound(name: &str, stream: &[u8]) -> Vec<u8> {
    let mut stream = stream.to_vec();
    stream.resize(stream.len().max(4_096).next_multiple_of(SECTOR), 0);
    let sectors = stream.len() / SECTOR;
    let mut file = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    file.resize(24, 0);
    for half in [0x3e, 3, 0xfffe, 9, 6, 0, 0, 0u16] {
        file.extend(half.to_le_bytes());
    }
    for word in [0, 1, 1, 0, 4_096, END, 0, END, 0, 0u32] {
        file.extend(word.to_le_bytes());
    }
    file.resize(SECTOR, 0xff);
    // The table of sectors: itself, the directory, then the stream's chain.
    let mut table = vec![0xffff_fffd, END];
    table.extend((0..sectors as u32).map(|i| if i as usize == sectors - 1 { END } else { i + 3 }));
    table.resize(SECTOR / 4, FREE);
    file.extend(table.iter().flat_map(|word| word.to_le_bytes()));
    let entry = |name: &str, kind: u8, child: u32, start: u32, size: u32| {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entry.resize(64, 0);
        entry.extend(((name.len() + 1) as u16 * 2).to_le_bytes());
        entry.extend([kind, 1]);
        entry.extend([FREE, FREE, child].iter().flat_map(|word| word.to_le_bytes()));
        entry.resize(116, 0);
        entry.extend([start, size, 0].iter().flat_map(|word| word.to_le_bytes()));
        entry
    };
    file.extend(entry("Root Entry", 5, 1, END, 0));
    file.extend(entry(name, 2, FREE, 2, stream.len() as u32));
    file.resize(SECTOR * 3, 0);
    file.extend(stream);
    file
}

/// The same with a table of as many sectors as it takes.
fn compound_large(name: &str, stream: &[u8]) -> Vec<u8> {
    let sectors = stream.len().div_ceil(SECTOR);
    let tables = (sectors + 120).div_ceil(SECTOR / 4 - 1);
    let mut file = compound(name, &[])[..SECTOR * 3].to_vec();
    let mut words = vec![0xffff_fffdu32; tables];
    words.push(END);
    let first = words.len();
    words.extend((1..=sectors).map(|i| if i == sectors { END } else { (first + i) as u32 }));
    words.resize(tables * SECTOR / 4, FREE);
    let folder = file.split_off(SECTOR * 2);
    file.truncate(SECTOR);
    file[44..48].copy_from_slice(&(tables as u32).to_le_bytes());
    file[48..52].copy_from_slice(&(tables as u32).to_le_bytes());
    for table in 0..tables {
        file[76 + table * 4..80 + table * 4].copy_from_slice(&(table as u32).to_le_bytes());
    }
    file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    file.extend(folder);
    file[SECTOR * (tables + 1) + 128 + 116..][..8].copy_from_slice(
        &[(first as u32).to_le_bytes(), (stream.len() as u32).to_le_bytes()].concat(),
    );
    file.extend(stream);
    file.resize(file.len().next_multiple_of(SECTOR), 0);
    file
}

fn record(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(body.len() as u16).to_le_bytes(), body].concat()
}

fn cell(row: u16, column: u16, text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let place = [row, column, 0].map(u16::to_le_bytes).concat();
    let length = (text.encode_utf16().count() as u16).to_le_bytes();
    record(0x0204, &[&place[..], &length, &[1], &units].concat())
}

/// A workbook of Excel 97 with one sheet of these cells.
pub(crate) fn xls(cells: &[(u16, u16, &str)]) -> Vec<u8> {
    let begin = |kind: u16| {
        let halves = [0x0600, kind, 0x0dbb, 0x07cc].map(u16::to_le_bytes).concat();
        record(0x0809, &[&halves[..], &[0; 8]].concat())
    };
    let sheet_name = b"\x01\x00s";
    let list_bytes = 4 + 6 + sheet_name.len();
    let start = (begin(5).len() + list_bytes + 4) as u32;
    let list = record(0x0085, &[&start.to_le_bytes()[..], &[0, 0], sheet_name].concat());
    let body: Vec<u8> =
        cells.iter().flat_map(|(row, column, text)| cell(*row, *column, text)).collect();
    [begin(5), list, record(0x000a, &[]), begin(0x10), body, record(0x000a, &[])].concat()
}

#[test]
fn a_workbook_of_excel_97_is_read() {
    let cells = [
        (0, 0, "編號"),
        (0, 1, "回鄉證號碼"),
        (1, 0, "1"),
        (1, 1, "H12345678"),
        (2, 0, "2"),
        (2, 1, "M12345678"),
    ];
    let found = look(&compound("Workbook", &xls(&cells)), "a.xls");
    assert_eq!((found.format, troubles(&found)), (Format::Workbook, vec![]), "{found:?}");
    let part = part(&found, &["sheet s"]);
    assert_eq!(count(part, Kind::HomeReturnPermit), 2);
    assert_eq!(part.columns[0].name, "回鄉證號碼");
    assert_eq!(part.kinds[0].samples[1].at, "row 3, column 回鄉證號碼");
}

#[test]
fn a_document_under_a_password_is_called_so() {
    let found = look(&compound("EncryptedPackage", b"secret"), "a.xlsx");
    assert_eq!(troubles(&found), [TroubleKind::Protected]);
    let locked =
        [record(0x0809, &[0, 6, 5, 0]), record(0x002f, &[1, 0, 1, 0]), record(0x000a, &[])];
    let found = look(&compound("Workbook", &locked.concat()), "a.xls");
    assert_eq!(troubles(&found), [TroubleKind::Protected]);
}

#[test]
fn an_old_letter_is_read_by_its_runs_and_reported() {
    let text: Vec<u8> =
        "the HKID A123456(3) of our client".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let found = look(&compound("WordDocument", &text), "a.doc");
    assert_eq!(troubles(&found), [TroubleKind::Unsupported]);
    assert_eq!(count(&found.parts[0], Kind::HongKongIdentityCard), 1);
}

#[test]
fn sectors_in_circles_do_not_fill_the_memory() {
    let mut file = compound("Workbook", &xls(&[(0, 0, "a")]));
    // The third entry of the table of sectors is the stream's first: its own successor.
    file[SECTOR + 8..SECTOR + 12].copy_from_slice(&2u32.to_le_bytes());
    assert_eq!(troubles(&look(&file, "a.xls")), [TroubleKind::Corrupt]);
}

/// A workbook of one sheet with these records, shared texts and styles.
fn book(globals: &[u8], cells: &[u8]) -> Vec<u8> {
    let begin = |kind: u16| {
        let halves = [0x0600, kind, 0x0dbb, 0x07cc].map(u16::to_le_bytes).concat();
        record(0x0809, &[&halves[..], &[0; 8]].concat())
    };
    let name = b"\x01\x00s";
    let start = (begin(5).len() + globals.len() + 4 + 6 + name.len() + 4) as u32;
    let list = record(0x0085, &[&start.to_le_bytes()[..], &[0, 0], name].concat());
    let end = record(0x000a, &[]);
    [&begin(5)[..], globals, &list, &end, &begin(0x10), cells, &end].concat()
}

fn place(row: u16, column: u16, style: u16) -> Vec<u8> {
    [row, column, style].map(u16::to_le_bytes).concat()
}

#[test]
fn numbers_dates_and_shared_texts_are_read_as_their_cells_show_them() {
    let text = |text: &str| {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        [&(text.encode_utf16().count() as u16).to_le_bytes()[..], &[1], &units].concat()
    };
    let texts = ["電話", "出生日期", "信用卡"].map(text).concat();
    let strings = record(0x00fc, &[&[3, 0, 0, 0, 3, 0, 0, 0][..], &texts].concat());
    let format = record(0x041e, &[&[164, 0][..], &[8, 0, 0], b"yyyy/m/d"].concat());
    let style =
        |format: u16| record(0x00e0, &[&[0, 0][..], &format.to_le_bytes(), &[0; 16]].concat());
    let globals = [strings, format, style(0), style(164)].concat();
    let shared = |column: u16, number: u32| {
        record(0x00fd, &[&place(0, column, 0)[..], &number.to_le_bytes()].concat())
    };
    // Two numbers of thirty bits side by side, then a double and the result of a formula.
    let whole = |number: i32| (number << 2 | 2).to_le_bytes();
    let short = [&[0, 0][..], &whole(91_234_567), &[1, 0], &whole(29_347)].concat();
    let numbers = record(0x00bd, &[&[1, 0, 0, 0][..], &short, &[1, 0]].concat());
    let card =
        record(0x0203, &[&place(1, 2, 0)[..], &4_111_111_111_111_111_f64.to_le_bytes()].concat());
    let formula = [&place(1, 3, 0)[..], &[0, 0, 0, 0, 0, 0, 0xff, 0xff], &[0; 8]].concat();
    let result = record(0x0207, &[&[16, 0, 0][..], b"HKID A123456(3) "].concat());
    let cells =
        [shared(0, 0), shared(1, 1), shared(2, 2), numbers, card, record(0x0006, &formula), result];
    let found = look(&compound("Workbook", &book(&globals, &cells.concat())), "a.xls");
    assert_eq!(troubles(&found), vec![], "{found:?}");
    let part = part(&found, &["sheet s"]);
    let kinds = [Kind::Phone, Kind::DateOfBirth, Kind::PaymentCard, Kind::HongKongIdentityCard];
    assert_eq!(kinds.map(|kind| count(part, kind)), [1; 4], "{part:?}");
}

#[test]
fn cells_far_apart_and_sheets_that_claim_to_be_large_take_no_memory() {
    let borders = [&0u32.to_le_bytes()[..], &65_536u32.to_le_bytes(), &[0, 0, 0, 1, 0, 0]].concat();
    let far = [cell(0, 0, "a"), cell(0, 1, "HKID"), cell(65_535, 255, "A123456(3)")].concat();
    let found =
        look(&compound("Workbook", &book(&[], &[record(0x0200, &borders), far].concat())), "a.xls");
    assert_eq!(
        (troubles(&found), count(part(&found, &["sheet s"]), Kind::HongKongIdentityCard)),
        (vec![], 1)
    );
    let outside = book(&[], &cell(65_535, 65_535, "A123456(3)"));
    assert_eq!(troubles(&look(&compound("Workbook", &outside), "a.xls")), [TroubleKind::Corrupt]);
}

#[test]
fn one_shared_text_in_many_cells_takes_no_more_time_than_an_archive_may() {
    let text = [&40_000u16.to_le_bytes()[..], &[0], &[b'x'; 8_000]].concat();
    let more = record(0x003c, &[&[0][..], &[b'x'; 8_000]].concat()).repeat(4);
    let strings = [record(0x00fc, &[&[0; 8][..], &text].concat()), more].concat();
    let cells: Vec<u8> = (0..30_000u16)
        .flat_map(|row| record(0x00fd, &[&place(row, 0, 0)[..], &[0; 4]].concat()))
        .collect();
    let found = look(&compound_large("Workbook", &book(&strings, &cells)), "a.xls");
    assert_eq!(troubles(&found), [TroubleKind::TooLarge]);
}

#[test]
fn workbooks_of_excel_95_are_read_in_their_code_page() {
    let begin = |kind: u16| record(0x0809, &[0x0500, kind, 0, 0].map(u16::to_le_bytes).concat());
    let page = record(0x0042, &950u16.to_le_bytes());
    let name = encoding_rs::BIG5.encode("客戶").0;
    let start = (begin(5).len() + page.len() + 4 + 7 + name.len() + 4) as u32;
    let list = [&start.to_le_bytes()[..], &[0, 0, name.len() as u8], &name].concat();
    let label = |row: u16, column: u16, text: &str| {
        let text = encoding_rs::BIG5.encode(text).0;
        record(
            0x0204,
            &[&place(row, column, 0)[..], &(text.len() as u16).to_le_bytes(), &text].concat(),
        )
    };
    let cells = [label(0, 0, "編號"), label(0, 1, "姓名"), label(1, 0, "1"), label(1, 1, "陳大文")]
        .concat();
    let end = record(0x000a, &[]);
    let stream =
        [begin(5), page, record(0x0085, &list), end.clone(), begin(0x10), cells, end].concat();
    let found = look(&compound("Book", &stream), "a.xls");
    assert_eq!(troubles(&found), vec![], "{found:?}");
    let part = part(&found, &["sheet 客戶"]);
    assert_eq!((count(part, Kind::PersonName), part.columns[0].name.as_str()), (1, "姓名"));
}
