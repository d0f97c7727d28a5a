//! Files of every format, opened as a worker opens them.

use crate::shapes;
use extract::{Detectors, Inspection, Limits, Settings};
use std::io::Cursor;
use std::sync::{Arc, OnceLock};

/// What a trouble may say, in characters.
const DETAIL_CHARS_MAX: usize = 200;

/// Everything of ours; none when that does not compile, which the replay would notice.
fn detectors() -> Option<Arc<Detectors>> {
    static DETECTORS: OnceLock<Option<Arc<Detectors>>> = OnceLock::new();
    let made = || Detectors::new(&Settings::everything([7; 32])).ok().map(Arc::new);
    DETECTORS.get_or_init(made).clone()
}

/// Inspects the bytes, and asserts what holds of every inspection.
fn look(bytes: &[u8], hint: &str) {
    let detectors = detectors();
    assert!(detectors.is_some(), "our own settings compile");
    let Some(detectors) = detectors else { return };
    let mut told = 0;
    let found = extract::inspect(
        &mut Cursor::new(bytes),
        hint,
        &detectors,
        &Limits::default(),
        &mut |read| {
            assert!(read >= told, "progress goes forward");
            told = read;
        },
    );
    holds(&found, bytes.len());
}

fn holds(found: &Inspection, bytes: usize) {
    assert!(found.bytes <= bytes as u64, "no more was read than there is");
    for trouble in &found.troubles {
        assert!(trouble.detail.chars().count() <= DETAIL_CHARS_MAX);
    }
    for part in &found.parts {
        for kind in &part.kinds {
            assert!(kind.distinct <= kind.sure + kind.likely, "{kind:?}");
            assert!(kind.samples.len() <= extract::SAMPLES_PER_KIND_MAX);
        }
        for column in &part.columns {
            assert!(column.matching <= column.cells, "{column:?}");
            assert!((0.0..=1.0).contains(&column.share_at_least), "{column:?}");
        }
    }
    // What crosses the socket comes back the same.
    let told = serde_json::to_string(found).ok();
    let back = told.as_deref().and_then(|text| serde_json::from_str::<Inspection>(text).ok());
    assert!(back.as_ref() == Some(found), "it crosses the socket: {told:?}");
}

pub(crate) fn avro(bytes: &[u8]) {
    look(&shapes::begin(b"Obj\x01", bytes), "a.avro");
}

pub(crate) fn csv(bytes: &[u8]) {
    look(bytes, "a.csv");
}

pub(crate) fn docx(bytes: &[u8]) {
    let [document, header, comments] = shapes::split(bytes);
    let members = [
        ("[Content_Types].xml", &b"<Types/>"[..]),
        ("word/document.xml", document),
        ("word/header1.xml", header),
        ("word/comments.xml", comments),
    ];
    look(&shapes::archive(&members), "a.docx");
}

pub(crate) fn eml(bytes: &[u8]) {
    look(&shapes::begin(b"From: a\nTo: b\nSubject: ", bytes), "a.eml");
}

pub(crate) fn encodings(bytes: &[u8]) {
    if let Some(detectors) = detectors() {
        let (text, spans) = extract::spans(bytes, &detectors);
        let mut start = 0;
        for span in spans {
            assert!(start <= span.start && span.start < span.end, "{span:?}");
            assert!(span.end <= text.len(), "{span:?}");
            start = span.start;
        }
    }
    look(bytes, "a.txt");
}

pub(crate) fn git_objects(bytes: &[u8]) {
    look(&shapes::pack(bytes), "a.pack");
}

pub(crate) fn git_pack(bytes: &[u8]) {
    look(&shapes::begin(b"PACK\0\0\0\x02\0\0", bytes), "a.pack");
}

pub(crate) fn gzip(bytes: &[u8]) {
    look(&shapes::begin(b"\x1f\x8b\x08", bytes), "a.gz");
    look(&shapes::deflated_gzip(bytes), "a.gz");
}

pub(crate) fn html(bytes: &[u8]) {
    look(&shapes::begin(b"<html>", bytes), "a.html");
}

pub(crate) fn json(bytes: &[u8]) {
    look(bytes, "a.json");
}

pub(crate) fn mbox(bytes: &[u8]) {
    look(&shapes::begin(b"From a@b Sat Jan  3\n", bytes), "a.mbox");
}

pub(crate) fn ods(bytes: &[u8]) {
    let kind = &b"application/vnd.oasis.opendocument.spreadsheet"[..];
    look(&shapes::archive(&[("mimetype", kind), ("content.xml", bytes)]), "a.ods");
}

pub(crate) fn odt(bytes: &[u8]) {
    let [content, styles] = shapes::split(bytes);
    let kind = &b"application/vnd.oasis.opendocument.text"[..];
    let members = [("mimetype", kind), ("content.xml", content), ("styles.xml", styles)];
    look(&shapes::archive(&members), "a.odt");
}

pub(crate) fn parquet(bytes: &[u8]) {
    look(&shapes::parquet(bytes), "a.parquet");
}

pub(crate) fn pdf(bytes: &[u8]) {
    look(&shapes::begin(b"%PDF-1.7\n", bytes), "a.pdf");
}

pub(crate) fn pdf_content(bytes: &[u8]) {
    look(&shapes::pdf(bytes), "a.pdf");
}

pub(crate) fn pptx(bytes: &[u8]) {
    let [slide, notes] = shapes::split(bytes);
    let members = [
        ("[Content_Types].xml", &b"<Types/>"[..]),
        ("ppt/presentation.xml", b"<p/>"),
        ("ppt/slides/slide7.xml", slide),
        ("ppt/notesSlides/notesSlide7.xml", notes),
    ];
    look(&shapes::archive(&members), "a.pptx");
}

pub(crate) fn sqlite(bytes: &[u8]) {
    look(&shapes::begin(b"SQLite format 3\0", bytes), "a.db");
}

pub(crate) fn sqlite_log(bytes: &[u8]) {
    look(&shapes::sqlite_log(bytes), "a.db-wal");
}

pub(crate) fn tar(bytes: &[u8]) {
    look(&shapes::tar(bytes), "a.tar");
}

pub(crate) fn xls(bytes: &[u8]) {
    look(&shapes::begin(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes), "a.xls");
}

pub(crate) fn xls_records(bytes: &[u8]) {
    look(&shapes::compound(bytes), "a.xls");
}

pub(crate) fn xlsx(bytes: &[u8]) {
    let [sheet, strings, styles, list] = shapes::split(bytes);
    let fallback = b"<workbook><sheets><sheet name='s' sheetId='1' r:id='r1'/></sheets></workbook>";
    let list = if list.is_empty() { &fallback[..] } else { list };
    let relations =
        b"<Relationships><Relationship Id='r1' Target='worksheets/sheet1.xml'/></Relationships>";
    let members = [
        ("[Content_Types].xml", &b"<Types/>"[..]),
        ("xl/workbook.xml", list),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/sharedStrings.xml", strings),
        ("xl/styles.xml", styles),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    look(&shapes::archive(&members), "a.xlsx");
}

pub(crate) fn xml(bytes: &[u8]) {
    look(&shapes::begin(b"<?xml version='1.0'?>", bytes), "a.xml");
}

pub(crate) fn zip(bytes: &[u8]) {
    look(&shapes::begin(b"PK\x03\x04", bytes), "a.zip");
}

pub(crate) fn zstd(bytes: &[u8]) {
    look(&shapes::begin(b"\x28\xb5\x2f\xfd", bytes), "a.zst");
}
