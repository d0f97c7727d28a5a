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
