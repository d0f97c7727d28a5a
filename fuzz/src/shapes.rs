//! Formats around an input, where checksums and compression would undo whatever the fuzzer changes.

use std::fmt::Write as _;
use std::io::{Cursor, Write};

/// Bytes that no text of ours has: what stands between them goes into members of its own.
const SEPARATOR: &[u8] = b"\xff\xfe\xff";
/// Bytes of a sector of a compound file.
const SECTOR: usize = 512;
/// Marks in the table of sectors: free, the end of a chain, the table itself.
const FREE: u32 = 0xffff_ffff;
const END: u32 = 0xffff_fffe;
const TABLE: u32 = 0xffff_fffd;
/// Bytes of a header of TAR, and where its checksum stands.
const TAR_HEADER: usize = 512;
const TAR_CHECKSUM: std::ops::Range<usize> = 148..156;

/// The bytes behind a beginning that makes the format; once, when they have it already.
pub(crate) fn begin(beginning: &[u8], bytes: &[u8]) -> Vec<u8> {
    if bytes.starts_with(beginning) { bytes.to_vec() } else { [beginning, bytes].concat() }
}

/// The pieces of an input; those that are missing are empty.
pub(crate) fn split<const PIECES: usize>(bytes: &[u8]) -> [&[u8]; PIECES] {
    let mut rest = bytes;
    std::array::from_fn(|_| {
        let found = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        let (piece, after) = match found {
            Some(place) => (rest.get(..place), rest.get(place.saturating_add(SEPARATOR.len())..)),
            None => (Some(rest), None),
        };
        rest = after.unwrap_or_default();
        piece.unwrap_or_default()
    })
}

/// A ZIP archive of these members, stored as they are; empty ones are left out.
pub(crate) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let plain =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in members.iter().filter(|(_, body)| !body.is_empty()) {
        if writer.start_file(*name, plain).and_then(|()| Ok(writer.write_all(body)?)).is_err() {
            break;
        }
    }
    writer.finish().map(Cursor::into_inner).unwrap_or_default()
}

/// The bytes in a sound GZIP.
pub(crate) fn deflated_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// A Git pack of the pieces, each a soundly deflated object: its first byte is its kind, for a
/// delta the second says how far back its base lies.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    let objects: [&[u8]; 6] = split(bytes);
    let objects: Vec<&[u8]> = objects.into_iter().filter(|object| object.len() > 1).collect();
    let count = u32::try_from(objects.len()).unwrap_or(0);
    let mut pack = [&b"PACK\0\0\0\x02"[..], &count.to_be_bytes()].concat();
    let mut starts: Vec<usize> = Vec::new();
    for object in objects {
        let Some(([kind, back], body)) = object.split_first_chunk::<2>() else { continue };
        let place = pack.len();
        let kind = kind & 7;
        size(&mut pack, kind, body.len());
        match kind {
            6 => {
                let steps = usize::from(*back) % (starts.len() + 1);
                let base = starts.iter().rev().nth(steps).copied().unwrap_or(0);
                let distance = place.saturating_sub(base);
                // Distances of seven bits each, the later ones one more than written.
                if let Some(high) = (distance >> 7).checked_sub(1) {
                    pack.push(0x80 | u8::try_from(high & 0x7f).unwrap_or(0));
                }
                pack.push(u8::try_from(distance & 0x7f).unwrap_or(0));
            }
            7 => pack.extend_from_slice(&[*back; 20]),
            _ => {}
        }
        starts.push(place);
        pack.extend_from_slice(&deflated(body));
    }
    pack.extend_from_slice(&[0; 20]);
    pack
}

/// The kind and the size of an object: four bits, then seven at a time.
fn size(pack: &mut Vec<u8>, kind: u8, bytes: usize) {
    let mut first = (kind << 4) | u8::try_from(bytes & 0x0f).unwrap_or(0);
    let mut rest = bytes >> 4;
    while rest > 0 {
        pack.push(first | 0x80);
        first = u8::try_from(rest & 0x7f).unwrap_or(0);
        rest >>= 7;
    }
    pack.push(first);
}

/// Parquet whose footer is the second piece, of the length that it has.
pub(crate) fn parquet(bytes: &[u8]) -> Vec<u8> {
    if bytes.ends_with(b"PAR1") {
        return begin(b"PAR1", bytes);
    }
    let [body, footer] = split(bytes);
    let length = u32::try_from(footer.len()).unwrap_or(0).to_le_bytes();
    [&b"PAR1"[..], body, footer, &length, b"PAR1"].concat()
}

/// A PDF of one page: its content, the map of its font, and more objects.
pub(crate) fn pdf(bytes: &[u8]) -> Vec<u8> {
    let [content, map, more] = split(bytes);
    let stream = |body: &[u8]| {
        [format!("<</Length {}>>stream\n", body.len()).as_bytes(), body, b"\nendstream"].concat()
    };
    let objects: [Vec<u8>; 6] = [
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>".to_vec(),
        stream(content),
        match map.is_empty() {
            true => {
                b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_vec()
            }
            false => b"<</Type/Font/Subtype/Type0/BaseFont/M/Encoding/Identity-H/ToUnicode 6 0 R>>"
                .to_vec(),
        },
        stream(map),
    ];
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(&objects) {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        file.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    file.extend_from_slice(more);
    let start = file.len();
    let _ = write!(
        table,
        "trailer<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    );
    file.extend_from_slice(table.as_bytes());
    file
}

/// The bytes as blocks of TAR, each checksum of a header set right: the first block is one, and
/// every later one that says `ustar` where a header does.
pub(crate) fn tar(bytes: &[u8]) -> Vec<u8> {
    let mut file = bytes.to_vec();
    file.resize(bytes.len().next_multiple_of(TAR_HEADER).max(TAR_HEADER), 0);
    for (number, block) in file.chunks_exact_mut(TAR_HEADER).enumerate() {
        if number > 0 && block.get(257..262) != Some(b"ustar") {
            continue;
        }
        if let Some(field) = block.get_mut(TAR_CHECKSUM) {
            field.fill(b' ');
        }
        let sum: u32 = block.iter().copied().map(u32::from).sum();
        if let Some(field) = block.get_mut(TAR_CHECKSUM) {
            let text = format!("{sum:06o}\0 ");
            for (to, from) in field.iter_mut().zip(text.bytes()) {
                *to = from;
            }
        }
    }
    file
}

/// A compound file with one stream, `Workbook`, in sectors of the normal kind.
pub(crate) fn compound(bytes: &[u8]) -> Vec<u8> {
    let mut stream = bytes.to_vec();
    stream.resize(stream.len().max(4_096).next_multiple_of(SECTOR), 0);
    let sectors = u32::try_from(stream.len() / SECTOR).unwrap_or(0);
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
    let mut table = vec![TABLE, END];
    table.extend((1..=sectors).map(|place| if place == sectors { END } else { place + 2 }));
    table.resize(SECTOR / 4, FREE);
    file.extend(table.iter().flat_map(|word| word.to_le_bytes()));
    let entry = |name: &str, kind: u8, child: u32, start: u32, size: u32| {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = u16::try_from(entry.len() + 2).unwrap_or(0);
        entry.resize(64, 0);
        entry.extend(length.to_le_bytes());
        entry.extend([kind, 1]);
        entry.extend([FREE, FREE, child].iter().flat_map(|word| word.to_le_bytes()));
        entry.resize(116, 0);
        entry.extend([start, size, 0].iter().flat_map(|word| word.to_le_bytes()));
        entry
    };
    file.extend(entry("Root Entry", 5, 1, END, 0));
    file.extend(entry("Workbook", 2, FREE, 2, sectors * 512));
    file.resize(SECTOR * 3, 0);
    file.extend(stream);
    file
}

/// A write-ahead log of pages of 512 bytes, its checksums set right: the checksums of SQLite are
/// sums over pairs of words, carried from frame to frame.
pub(crate) fn sqlite_log(bytes: &[u8]) -> Vec<u8> {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 512;
    let mut log = begin(b"\x37\x7f\x06\x82", bytes);
    let frames = log.len().saturating_sub(HEADER) / FRAME;
    log.resize(HEADER + frames * FRAME, 0);
    let (header, rest) = log.split_at_mut(HEADER);
    if let Some(size) = header.get_mut(8..12) {
        size.copy_from_slice(&512u32.to_be_bytes());
    }
    let mut sum = (0u32, 0u32);
    let add = |sum: &mut (u32, u32), bytes: &[u8]| {
        for pair in bytes.chunks_exact(8) {
            let [a, b, c, d, e, f, g, h] = pair else { continue };
            sum.0 = sum.0.wrapping_add(u32::from_le_bytes([*a, *b, *c, *d])).wrapping_add(sum.1);
            sum.1 = sum.1.wrapping_add(u32::from_le_bytes([*e, *f, *g, *h])).wrapping_add(sum.0);
        }
    };
    let told = |sum: (u32, u32)| [sum.0.to_be_bytes(), sum.1.to_be_bytes()].concat();
    add(&mut sum, header.get(..24).unwrap_or_default());
    if let Some(field) = header.get_mut(24..) {
        field.copy_from_slice(&told(sum));
    }
    let salt = header.get(16..24).unwrap_or_default().to_vec();
    for frame in rest.chunks_exact_mut(FRAME) {
        if let Some(field) = frame.get_mut(8..16) {
            field.copy_from_slice(&salt);
        }
        add(&mut sum, frame.get(..8).unwrap_or_default());
        add(&mut sum, frame.get(24..).unwrap_or_default());
        if let Some(field) = frame.get_mut(16..24) {
            field.copy_from_slice(&told(sum));
        }
    }
    log
}
