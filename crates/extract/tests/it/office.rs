//! Office documents, made of the few members that matter.

use crate::archives::zipped;
use crate::support::{count, look, look_within, part, total, troubles};
use detect::Kind;
use extract::{Coverage, Format, KindName, Limits, TroubleKind};

const TYPES: (&str, &[u8]) = ("[Content_Types].xml", b"<Types/>");

pub(crate) fn word(body: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let document =
        format!("<?xml version=\"1.0\"?><w:document><w:body>{body}</w:body></w:document>");
    let mut members = vec![TYPES, ("word/document.xml", document.as_bytes())];
    members.extend_from_slice(more);
    zipped(&members)
}

#[test]
fn a_letter_in_docx_is_read_with_its_margins() {
    let body = "<w:p><w:r><w:t>身份證</w:t></w:r><w:r><w:t>號碼：A123</w:t></w:r><w:r>\
        <w:t>456(3)</w:t></w:r></w:p><w:p><w:r><w:t>Tel: 9123 4567</w:t></w:r></w:p>";
    let header: &[u8] =
        "<w:hdr><w:p><w:t>內地證件11010519491231002X</w:t></w:p></w:hdr>".as_bytes();
    let comment: &[u8] = b"<w:comments><w:p><w:t>HKID E364912(5)</w:t></w:p></w:comments>";
    let bytes = word(body, &[("word/header1.xml", header), ("word/comments.xml", comment)]);
    let found = look(&bytes, "a.docx");
    assert_eq!((found.format, found.coverage), (Format::Docx, Coverage::Whole), "{found:?}");
    assert_eq!(count(part(&found, &[]), Kind::HongKongIdentityCard), 1);
    assert_eq!(count(part(&found, &[]), Kind::Phone), 1);
    assert_eq!(count(part(&found, &["header1"]), Kind::MainlandIdentity), 1);
    assert_eq!(count(part(&found, &["comments"]), Kind::HongKongIdentityCard), 1);
}

#[test]
fn a_table_in_docx_has_columns() {
    let row = |cells: [&str; 2]| {
        let cell = |t| format!("<w:tc><w:p><w:r><w:t>{t}</w:t></w:r></w:p></w:tc>");
        format!("<w:tr>{}{}</w:tr>", cell(cells[0]), cell(cells[1]))
    };
    let rows = [["編號", "回鄉證號碼"], ["1", "H12345678"], ["2", "M87654321"]].map(row).concat();
    let found = look(&word(&format!("<w:tbl>{rows}</w:tbl>"), &[]), "a");
    assert_eq!(total(&found, Kind::HomeReturnPermit), 2);
    assert_eq!(found.parts[0].columns[0].name, "回鄉證號碼");
}

#[test]
fn what_is_embedded_in_a_document_comes_through_the_door() {
    let inner = workbook(
        &[("s", "<row r='1'><c r='A1' t='inlineStr'><is><t>HKID A123456(3)</t></is></c></row>")],
        "",
        "",
    );
    let bytes = word("", &[("word/embeddings/book.xlsx", &inner)]);
    let found = look(&bytes, "a.docx");
    assert_eq!(found.parts[0].path, ["word/embeddings/book.xlsx", "sheet s"]);
}

#[test]
fn slides_and_their_notes_are_read() {
    let slide = |text: &str| format!("<p:sld><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>");
    let (one, two) = (slide("客戶身份證A123456(3)"), slide("HKID E364912(5)"));
    let bytes = zipped(&[
        TYPES,
        ("ppt/presentation.xml", b"<p/>"),
        ("ppt/slides/slide7.xml", one.as_bytes()),
        ("ppt/notesSlides/notesSlide7.xml", two.as_bytes()),
    ]);
    let found = look(&bytes, "a.pptx");
    assert_eq!(found.format, Format::Pptx);
    assert_eq!(count(part(&found, &["slide 7"]), Kind::HongKongIdentityCard), 1);
    assert_eq!(count(part(&found, &["notes of slide 7"]), Kind::HongKongIdentityCard), 1);
}

pub(crate) fn workbook(sheets: &[(&str, &str)], strings: &str, styles: &str) -> Vec<u8> {
    let mut list = String::new();
    let mut relations = String::new();
    let mut bodies = Vec::new();
    for (number, (name, rows)) in sheets.iter().enumerate() {
        list += &format!("<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>");
        relations +=
            &format!("<Relationship Id=\"rId{number}\" Target=\"worksheets/s{number}.xml\"/>");
        let body = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
        bodies.push((format!("xl/worksheets/s{number}.xml"), body));
    }
    let list = format!("<workbook><sheets>{list}</sheets></workbook>");
    let relations = format!("<Relationships>{relations}</Relationships>");
    let mut members: Vec<(&str, &[u8])> = vec![
        TYPES,
        ("xl/workbook.xml", list.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
    ];
    members.extend(bodies.iter().map(|(name, body)| (name.as_str(), body.as_bytes())));
    zipped(&members)
}

#[test]
fn a_workbook_is_read_by_sheet_row_and_column() {
    let strings = "<sst><si><t>客戶名單</t></si><si><t>姓名</t></si><si><r><t>電</t></r><r><t>話</t></r></si>\
        <si><t>出生日期</t></si><si><t>陳大文</t><rPh><t>x</t></rPh></si><si><t>李家豪</t></si></sst>";
    let styles = "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='yyyy/mm/dd'/></numFmts>\
        <cellXfs><xf numFmtId='0'/><xf numFmtId='164'/></cellXfs></styleSheet>";
    let rows = "<row r='1'><c r='A1' t='s'><v>0</v></c></row>\
        <row r='3'><c r='B3' t='s'><v>1</v></c><c r='C3' t='s'><v>2</v></c><c r='D3' t='s'><v>3</v></c></row>\
        <row r='4'><c r='B4' t='s'><v>4</v></c><c r='C4'><v>9.1234567E7</v></c><c r='D4' s='1'><v>29347</v></c></row>\
        <row r='6'><c r='B6' t='s'><v>5</v></c><c r='C6'><v>61234567</v></c><c r='D6' s='1'><v>33000</v></c></row>";
    let found = look(&workbook(&[("客戶", rows), ("空", "")], strings, styles), "a.xlsx");
    assert_eq!((found.format, found.coverage), (Format::Workbook, Coverage::Whole), "{found:?}");
    let part = part(&found, &["sheet 客戶"]);
    for kind in [Kind::Phone, Kind::DateOfBirth, Kind::PersonName] {
        assert_eq!(count(part, kind), 2, "{kind:?}");
    }
    let phones = part.kinds.iter().find(|k| k.kind == KindName(Kind::Phone)).unwrap();
    assert_eq!(phones.samples[1].at, "row 6, column 電話");
    let names: Vec<&str> = part.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["姓名", "電話", "出生日期"]);
}

#[test]
fn cells_and_shared_texts_are_bounded() {
    let rows: String = (1..=100)
        .map(|r| format!("<row r='{r}'><c r='A{r}'><v>{r}</v></c><c r='B{r}'><v>1</v></c></row>"))
        .collect();
    let bytes =
        workbook(&[("s", &rows)], &format!("<sst><si><t>{}</t></si></sst>", "x".repeat(5_000)), "");
    let limits = Limits { cells_max: 50, ..Limits::default() };
    assert_eq!(troubles(&look_within(&bytes, "x", &limits)), [TroubleKind::TooMany]);
    let limits = Limits { strings_bytes_max: 1_000, ..Limits::default() };
    assert_eq!(troubles(&look_within(&bytes, "x", &limits)), [TroubleKind::TooLarge]);
    // A row that claims the last column costs no memory.
    let far = "<row r='1'><c r='XFD1048576'><v>1</v></c></row>".repeat(1_000);
    assert!(troubles(&look(&workbook(&[("s", &far)], "", ""), "x")).is_empty());
}

#[test]
fn opendocument_is_read() {
    let cell = |text: &str| format!("<table:table-cell><text:p>{text}</text:p></table:table-cell>");
    let row = |a: &str, b: &str| {
        format!(
            "<table:table-row>{}<table:table-cell table:number-columns-repeated=\"2\"/>{}</table:table-row>",
            cell(a),
            cell(b)
        )
    };
    let rows =
        [row("No.", "Passport number"), row("1", "H12345678"), row("2", "K12345678")].concat();
    let content = format!(
        "<office:document><table:table table:name='s'>{rows}</table:table></office:document>"
    );
    let bytes = zipped(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
    ]);
    let found = look(&bytes, "a.ods");
    assert_eq!(found.format, Format::Workbook);
    assert_eq!(total(&found, Kind::HongKongPassport), 2);
    assert_eq!(found.parts[0].columns[0].name, "Passport number");
}
