//! One small honest file of every format, for hostile ones to grow from.

use crate::archives::{CARD, gzipped, tarred, zipped};
use crate::{databases, gits, mails, office, old, pdfs};

pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let cells = [(0, 0, "a"), (0, 1, "HKID"), (1, 1, "A123456(3)")];
    let rows = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' s='1'><v>30000</v></c></row>";
    let pdf = pdfs::pdf("BT /F 12 Tf (A123456\\(3\\)) Tj [(x) -300 <0001>] TJ ET", pdfs::helvetica);
    let mapped = pdfs::pdf("BT /F 12 Tf <00010002> Tj ET", pdfs::mapped("陳大"));
    let packed = |rows: &[u8]| snap::raw::Encoder::new().compress_vec(rows).unwrap();
    vec![
        ("zip", zipped(&[("a.txt", CARD), ("b.zip", &zipped(&[("c", CARD)]))])),
        ("tar", tarred(&[("a.txt", CARD), (&"long/".repeat(30), CARD)])),
        ("gz", gzipped(CARD)),
        ("zst", zstd::encode_all(CARD, 3).unwrap()),
        ("docx", office::word("<w:p><w:t>HKID A123456(3)</w:t></w:p>", &[])),
        ("xlsx", office::workbook(&[("s", rows)], "<sst><si><t>x</t></si></sst>", "<x/>")),
        ("xls", old::compound("Workbook", &old::xls(&cells))),
        ("pdf", pdfs::bytes(pdf)),
        ("pdf", pdfs::bytes(mapped)),
        ("db", databases::sqlite(&databases::clients(30, ""))),
        ("db", databases::sqlite(&databases::clients(20, " WITHOUT ROWID"))),
        ("parquet", databases::parquet(1, 20)),
        ("avro", databases::avro("null", <[u8]>::to_vec)),
        ("avro", databases::avro("snappy", |rows| [packed(rows), vec![0; 4]].concat())),
        ("eml", mails::message(CARD)),
        (
            "mbox",
            [&b"From a@b Sat Jan  3\n"[..], &mails::message(CARD), b"\n\nFrom x\nFrom: a\n\n"]
                .concat(),
        ),
        ("pack", gits::by_hand()),
        ("0123", gits::loose()),
        ("html", "<html><table><tr><td>姓名<td>x</tr></table>&amp;<!-- c --></html>".into()),
        ("xml", "<?xml version='1.0'?><a b='1'><![CDATA[x]]>&#x4e00;</a>".into()),
        ("json", r#"{"a":"\u9673\ud842","b":[1,{"c":"d"}]}"#.into()),
        ("csv", "a,b\n\"x\ny\",A123456(3)\n1,2\n".into()),
        ("txt", encoding_rs::BIG5.encode("客戶陳大文身份證A123456(3)").0.into_owned()),
    ]
}
