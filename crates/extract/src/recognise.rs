//! What a format's first bytes say; a name is only asked where they say too little.

/// A format that its first bytes give away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Magic {
    Zip,
    Gzip,
    Zstd,
    Tar,
    Pdf,
    Sqlite,
    SqliteLog,
    Parquet,
    ParquetEncrypted,
    Avro,
    GitPack,
    GitObject,
    /// Compound files of old office programs, and of protected new ones.
    Compound,
    Mbox,
    Mail,
    /// Compressed in a way that is not opened: 7z, RAR, bzip2, xz.
    Packed,
    /// Nothing known.
    None,
}

const SIGNATURES: [(&[u8], Magic); 17] = [
    (b"PK\x03\x04", Magic::Zip),
    (b"PK\x05\x06", Magic::Zip),
    (b"PK\x07\x08", Magic::Zip),
    (b"\x1f\x8b\x08", Magic::Gzip),
    (b"\x28\xb5\x2f\xfd", Magic::Zstd),
    (b"SQLite format 3\0", Magic::Sqlite),
    (crate::sqlite_log::MAGIC_LOW, Magic::SqliteLog),
    (crate::sqlite_log::MAGIC_HIGH, Magic::SqliteLog),
    (b"PAR1", Magic::Parquet),
    (b"PARE", Magic::ParquetEncrypted),
    (b"Obj\x01", Magic::Avro),
    (crate::git::PACK, Magic::GitPack),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Magic::Compound),
    (b"7z\xbc\xaf\x27\x1c", Magic::Packed),
    (b"Rar!\x1a\x07", Magic::Packed),
    (b"BZh", Magic::Packed),
    (b"\xfd7zXZ\0", Magic::Packed),
];

/// PDF readers accept as much before the signature.
const PDF_LEAD_BYTES: usize = 1_024;
/// Bytes of a TAR header, and where its checksum and its signature stand.
const TAR_HEADER_BYTES: usize = 512;
const TAR_CHECKSUM: std::ops::Range<usize> = 148..156;
/// Fields of which a message has several before its first empty line.
const MAIL_FIELDS: [&str; 12] = [
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "received",
    "return-path",
    "content-type",
    "delivered-to",
    "reply-to",
];
/// So many of them make a message; with a name that says so, fewer do.
const MAIL_FIELDS_MIN: usize = 3;
const MAIL_FIELDS_MIN_NAMED: usize = 1;
/// Lines that are read for them.
const MAIL_LINES: usize = 60;

/// Recognises the beginning of a thing.
pub(crate) fn magic(head: &[u8], hint: &str) -> Magic {
    if let Some((_, found)) = SIGNATURES.iter().find(|(bytes, _)| head.starts_with(bytes)) {
        return *found;
    }
    let lead = head.get(..head.len().min(PDF_LEAD_BYTES)).unwrap_or_default();
    if lead.windows(5).any(|bytes| bytes == b"%PDF-") {
        return Magic::Pdf;
    }
    if crate::git::is_loose(head) {
        return Magic::GitObject;
    }
    if is_tar(head) {
        return Magic::Tar;
    }
    let name = hint.to_ascii_lowercase();
    if head.starts_with(b"From ") && is_message(after_line(head), 1) {
        return Magic::Mbox;
    }
    let named = [".eml", ".msg", ".mht", ".mhtml"].iter().any(|end| name.ends_with(end));
    if is_message(head, if named { MAIL_FIELDS_MIN_NAMED } else { MAIL_FIELDS_MIN }) {
        return Magic::Mail;
    }
    Magic::None
}

fn after_line(head: &[u8]) -> &[u8] {
    let end = head.iter().position(|b| *b == b'\n').map_or(head.len(), |end| end + 1);
    head.get(end..).unwrap_or_default()
}

/// The checksum of a TAR header is the sum of its bytes with the checksum's own as spaces.
fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..TAR_HEADER_BYTES) else { return false };
    let field = header.get(TAR_CHECKSUM).unwrap_or_default();
    let digits: Vec<u8> =
        field.iter().copied().skip_while(|b| *b == b' ').take_while(u8::is_ascii_digit).collect();
    let Ok(text) = std::str::from_utf8(&digits) else { return false };
    let Ok(stated) = u32::from_str_radix(text, 8) else { return false };
    let sum = header
        .iter()
        .enumerate()
        .map(|(place, byte)| u32::from(if TAR_CHECKSUM.contains(&place) { b' ' } else { *byte }));
    sum.sum::<u32>() == stated
}

/// Lines of a message's head, with at least so many of the fields that messages have.
fn is_message(head: &[u8], fields_min: usize) -> bool {
    let mut fields = 0;
    for (number, line) in head.split(|b| *b == b'\n').take(MAIL_LINES).enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if number > 0 && line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else { return false };
        let field = line.get(..colon).unwrap_or_default();
        if field.is_empty() || !field.iter().all(|b| b.is_ascii_graphic()) {
            return false;
        }
        let known = MAIL_FIELDS.iter().any(|name| field.eq_ignore_ascii_case(name.as_bytes()));
        fields += usize::from(known);
    }
    fields >= fields_min
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_bytes_whatever_their_name() {
        assert_eq!(magic(b"PK\x03\x04rest", "a.txt"), Magic::Zip);
        assert_eq!(magic(b"junk\n%PDF-1.7\n", "a"), Magic::Pdf);
        assert_eq!(magic(b"From: a\nTo: b\nSubject: c\n\nx", "a"), Magic::Mail);
        assert_eq!(magic(b"Subject: c\n\nx", "a.EML"), Magic::Mail);
        assert_eq!(magic(b"Subject: c\n\nx", "a.txt"), Magic::None);
        assert_eq!(magic(b"From a@b Sat Jan  3 01:05:34 2026\nFrom: a\n\n", "x"), Magic::Mbox);
        assert_eq!(magic(b"From here on: text\n\n", "x"), Magic::None);
        assert_eq!(magic(&[b'0'; 600], "a.tar"), Magic::None);
    }
}
