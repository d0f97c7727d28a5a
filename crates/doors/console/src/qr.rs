//! A QR code as inline SVG: one path, no style.

use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Modules of empty margin that a reader needs (ISO/IEC 18004, section 6.3.8).
const QUIET_ZONE: usize = 4;

/// The picture; nothing when the text is too long for a QR code (over 2,331 bytes).
pub(crate) fn picture(text: &str, says: &str) -> Markup {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else {
        return html! {};
    };
    let side = code.width() + 2 * QUIET_ZONE;
    html! {
        svg.qr role="img" aria-label=(says) viewBox=(format!("0 0 {side} {side}"))
            shape-rendering="crispEdges" {
            path d=(path(&code)) {}
        }
    }
}

/// One square for each dark module.
fn path(code: &QrCode) -> String {
    let width = code.width();
    let dark = |(_, colour): &(usize, Color)| *colour == Color::Dark;
    code.to_colors().into_iter().enumerate().filter(dark).fold(String::new(), |mut d, (at, _)| {
        let (x, y) = (at % width + QUIET_ZONE, at / width + QUIET_ZONE);
        let _ = write!(d, "M{x} {y}h1v1h-1z");
        d
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finder_pattern_stands_in_three_corners() {
        let code = QrCode::with_error_correction_level("otpauth://x", EcLevel::M).unwrap();
        let d = path(&code);
        let far = code.width() + QUIET_ZONE - 1;
        let row = |x: usize, y: usize| (x..x + 7).all(|x| d.contains(&format!("M{x} {y}h1v1h-1z")));
        assert!(row(4, 4) && row(far - 6, 4) && row(4, far));
        assert!(!row(far - 6, far), "the fourth corner has none");
    }

    #[test]
    fn a_text_too_long_gives_no_picture() {
        assert_eq!(picture(&"x".repeat(4_000), "x").into_string(), "");
    }
}
