//! GZIP and Zstandard: one thing inside.

use crate::door::{enter, with_stream};
use crate::input::{Metered, Source};
use crate::obstacle::Obstacle;
use crate::session::Session;
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::rc::Rc;

/// The largest window of a Zstandard frame, as a power of two: 32 MiB. Levels up to 20 need no
/// more; what was packed with `--ultra` or `--long` is reported.
const WINDOW_LOG_MAX: u32 = 25;

/// How a thing is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

/// Unpacks while reading.
pub(crate) fn read(
    session: &mut Session<'_>,
    source: Source<'_>,
    head: &[u8],
    hint: &str,
    packing: Packing,
) -> Result<(), Obstacle> {
    let name = inner_name(hint);
    with_stream(source, head, false, |stream| {
        session.deeper(|session| {
            session.member()?;
            let unpacked: Box<dyn Read + '_> = match packing {
                Packing::Gzip => Box::new(MultiGzDecoder::new(stream)),
                Packing::Zstd => {
                    let mut decoder = zstd::Decoder::new(stream)?;
                    decoder.window_log_max(WINDOW_LOG_MAX)?;
                    Box::new(decoder)
                }
            };
            let mut unpacked = Metered::new(unpacked, Rc::clone(&session.budget));
            session.inside(&name, |session| {
                enter(session, Source::Stream(&mut unpacked), &name);
            });
            Ok(())
        })
    })
}

/// `a.tar` for `b/a.tar.gz` and `a.tgz`.
fn inner_name(hint: &str) -> String {
    let file = hint.rsplit('/').next().unwrap_or(hint);
    let lower = file.to_ascii_lowercase();
    for (end, instead) in [(".tgz", ".tar"), (".tzst", ".tar"), (".gz", ""), (".zst", "")] {
        if lower.ends_with(end) {
            let kept = file.get(..file.len() - end.len()).unwrap_or(file);
            return format!("{kept}{instead}");
        }
    }
    "content".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_named_after_the_outside() {
        assert_eq!(inner_name("b/a.tar.gz"), "a.tar");
        assert_eq!(inner_name("客戶.TGZ"), "客戶.tar");
        assert_eq!(inner_name("x"), "content");
    }
}
