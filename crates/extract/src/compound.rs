//! Compound files: workbooks in XLS, and office documents under a password, which hide in them.
//! Other old formats (DOC, PPT, MSG) are read by their printable runs, and reported.

use crate::chains::Chains;
use crate::obstacle::Obstacle;
use crate::session::Session;
use crate::{Format, biff, binary};
use std::io::Cursor;

/// Reads a compound file that is held in memory.
pub(crate) fn read(
    session: &mut Session<'_>,
    bytes: &[u8],
    format: &mut Format,
) -> Result<(), Obstacle> {
    *format = Format::Binary;
    // The names of its streams stand in the file in UTF-16.
    let has = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.windows(wide.len()).any(|window| window == wide)
    };
    if has("EncryptedPackage") {
        return Err(biff::LOCKED);
    }
    if has("Workbook") || has("Book") {
        *format = Format::Workbook;
        let chains =
            Chains::of(bytes).ok_or(Obstacle::corrupt("sectors of the file run in circles"))?;
        let stream = chains
            .stream(bytes, &["Workbook", "Book"])
            .ok_or(Obstacle::corrupt("the workbook is damaged"))?;
        return session.holding(stream.len(), |session| biff::read(session, &stream));
    }
    binary::read(session, &mut Cursor::new(bytes))?;
    Err(Obstacle::unsupported("an old office format: only its printable runs were read"))
}
