//! Prints how fast files of each format are inspected, and what memory that took at most:
//! `rates [FORMAT]`. MB of 1,000,000 bytes for each second of processor time; the files are made
//! here, of customers' rows and letters.
#![expect(clippy::print_stdout, reason = "an example speaks on standard output")]

use extract::{Detectors, Limits, Settings, inspect};
use lopdf::{Dictionary, Document, Object, Stream, dictionary};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use rustix::time::{ClockId, clock_gettime};
use std::error::Error;
use std::io::{Cursor, Write};
use std::sync::Arc;
use zip::write::SimpleFileOptions;

const ROWS: u32 = 300_000;
const PAGES: u32 = 2_000;
const FORMATS: [&str; 8] = ["text", "csv", "big5", "json", "docx", "xlsx", "pdf", "parquet"];

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(1);
    println!(
        "{:10} {:>9} {:>9} {:>12} {:>12} {:>9}",
        "format", "MB", "text MB", "MB/s", "text MB/s", "peak MB"
    );
    for format in FORMATS.into_iter().filter(|f| wanted.as_deref().is_none_or(|w| w == *f)) {
        let path = std::env::temp_dir().join(format!("lionrock-rates-{}", std::process::id()));
        std::fs::write(&path, make(format)?)?;
        let mut file = std::fs::File::open(&path)?;
        std::fs::remove_file(&path)?;
        // What making the file took is not counted.
        std::fs::write("/proc/self/clear_refs", "5")?;
        let detectors = Arc::new(Detectors::new(&Settings::everything([1; 32]))?);
        let limits = Limits { held_bytes_max: 256 << 20, ..Limits::default() };
        let before = peak()?;
        let start = processor_seconds();
        let found = inspect(&mut file, format, &detectors, &limits, &mut |_| {});
        let seconds = processor_seconds() - start;
        let (bytes, text) = (mega(found.bytes), mega(found.text_bytes));
        println!(
            "{format:10} {bytes:9.1} {text:9.1} {:12.1} {:12.1} {:9} {:?}",
            bytes / seconds,
            text / seconds,
            peak()?.saturating_sub(before) / 1_024,
            found.troubles,
        );
    }
    Ok(())
}

/// Seconds of processor time that this process has had.
#[expect(clippy::cast_precision_loss, reason = "seconds with some digits")]
fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "megabytes with one digit")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The most memory that the process had, in KiB.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.and_then(|line| line.split_whitespace().next()).unwrap_or("0").parse()?)
}

fn cells(row: u32) -> [String; 5] {
    [
        row.to_string(),
        "陳大文".to_owned(),
        card(row),
        format!("9{:07}", u64::from(row) * 7_919 % 9_999_999),
        format!("client {row} wrote about the statement of last month and asked for a copy"),
    ]
}

const NAMES: [&str; 5] = ["no", "姓名", "hkid", "mobile", "remark"];

fn letter(row: u32) -> String {
    format!(
        "Dear customer {row}, we refer to your letter of last week about the account statement and \
         confirm that your HKID {} was noted. 本行已收到閣下的來信，並會於七個工作天內回覆。 Yours.",
        card(row)
    )
}

/// An identity card number with its check digit.
fn card(number: u32) -> String {
    let digits = format!("{:06}", number % 1_000_000);
    let values = [36, 10].into_iter().chain(digits.bytes().map(|b| u32::from(b - b'0')));
    let sum: u32 = values.zip([9, 8, 7, 6, 5, 4, 3, 2]).map(|(v, w)| v * w).sum();
    let check = (11 - sum % 11) % 11;
    let check = if check == 10 { 'A' } else { char::from_digit(check, 10).unwrap_or('0') };
    format!("A{digits}({check})")
}

fn make(format: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let csv = || {
        let rows = (0..ROWS).map(|row| cells(row).join(",") + "\n");
        format!("{}\n{}", NAMES.join(","), rows.collect::<String>())
    };
    Ok(match format {
        "text" => (0..ROWS).map(|row| letter(row) + "\n").collect::<String>().into_bytes(),
        "csv" => csv().into_bytes(),
        "big5" => encoding_rs::BIG5.encode(&csv()).0.into_owned(),
        "json" => {
            let row = |row| {
                let members = NAMES.into_iter().zip(cells(row));
                let members: Vec<String> =
                    members.map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
                format!("{{{}}}\n", members.join(","))
            };
            (0..ROWS).map(row).collect::<String>().into_bytes()
        }
        "docx" => docx()?,
        "xlsx" => xlsx()?,
        "pdf" => pdf()?,
        _ => parquet()?,
    })
}

fn zipped(members: &[(&str, String)]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in members {
        writer.start_file(*name, SimpleFileOptions::default())?;
        writer.write_all(body.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}

fn docx() -> Result<Vec<u8>, Box<dyn Error>> {
    let paragraph = |row| {
        let text = letter(row);
        format!("<w:p><w:pPr><w:jc w:val=\"both\"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
    };
    let body: String = (0..ROWS / 3).map(paragraph).collect();
    zipped(&[
        ("[Content_Types].xml", String::new()),
        ("word/document.xml", format!("<w:document><w:body>{body}</w:body></w:document>")),
    ])
}

fn xlsx() -> Result<Vec<u8>, Box<dyn Error>> {
    let row = |number: u32| {
        let cells = if number == 0 { NAMES.map(str::to_owned) } else { cells(number) };
        let cell = |(place, text): (usize, String)| {
            let letter = char::from(b'A' + u8::try_from(place).unwrap_or(0));
            let at = format!("{letter}{}", number + 1);
            format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
        };
        let cells: String = cells.into_iter().enumerate().map(cell).collect();
        format!("<row r=\"{}\">{cells}</row>", number + 1)
    };
    let rows: String = (0..ROWS / 3).map(row).collect();
    let link =
        "<Relationships><Relationship Id=\"r\" Target=\"worksheets/s.xml\"/></Relationships>";
    zipped(&[
        ("[Content_Types].xml", String::new()),
        ("xl/workbook.xml", "<workbook><sheet name=\"s\" r:id=\"r\"/></workbook>".to_owned()),
        ("xl/_rels/workbook.xml.rels", link.to_owned()),
        ("xl/worksheets/s.xml", format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")),
    ])
}

fn pdf() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut document = Document::with_version("1.7");
    let tree = document.new_object_id();
    let font = document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
    });
    let mut kids: Vec<Object> = Vec::new();
    for page in 0..PAGES {
        let line = |line: u32| {
            format!(
                "({} for {line}) Tj 0 -12 Td ",
                card(page * 50 + line).replace('(', "\\(").replace(')', "\\)")
            )
        };
        let lines: String =
            (0..50).map(|n| format!("(Dear customer, we note the HKID ) Tj {}", line(n))).collect();
        let content = format!("BT /F 10 Tf 50 800 Td {lines} ET").into_bytes();
        let content = document.add_object(Stream::new(Dictionary::new(), content));
        let page = dictionary! {
            "Type" => "Page", "Parent" => tree, "Contents" => content,
            "Resources" => dictionary! { "Font" => dictionary! { "F" => font } },
        };
        kids.push(document.add_object(page).into());
    }
    let pages = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => i64::from(PAGES) };
    document.objects.insert(tree, Object::Dictionary(pages));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    document.compress();
    let mut bytes = Vec::new();
    document.save_to(&mut bytes)?;
    Ok(bytes)
}

fn parquet() -> Result<Vec<u8>, Box<dyn Error>> {
    let fields: String = NAMES.map(|name| format!("required binary {name} (UTF8); ")).concat();
    let schema = parquet::schema::parser::parse_message_type(&format!("message m {{ {fields} }}"))?;
    let properties =
        WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties))?;
    for group in 0..6 {
        let rows: Vec<[String; 5]> =
            (0..ROWS / 6).map(|row| cells(group * ROWS / 6 + row)).collect();
        let mut row_group = writer.next_row_group()?;
        let mut place = 0;
        while let Some(mut column) = row_group.next_column()? {
            let values = rows.iter().filter_map(|row| row.get(place));
            let values: Vec<ByteArray> =
                values.map(|text| ByteArray::from(text.as_str())).collect();
            column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
            column.close()?;
            place += 1;
        }
        row_group.close()?;
    }
    writer.close()?;
    Ok(bytes)
}
