//! Looking at bytes: full-width forms as their ASCII, borders of tokens.

/// The character at a place as ASCII, and its length: full-width forms (U+FF01 to U+FF5E) count as
/// the ASCII that they imitate. Other characters beyond ASCII give `None`.
pub(crate) fn plain(text: &[u8], at: usize) -> Option<(u8, usize)> {
    match text.get(at..)? {
        [0xef, 0xbc, low @ 0x81..=0xbf, ..] => Some((low - 0x60, 3)),
        [0xef, 0xbd, low @ 0x80..=0x9e, ..] => Some((low - 0x20, 3)),
        [ascii @ 0..=0x7f, ..] => Some((*ascii, 1)),
        _ => None,
    }
}

/// More digits in a row than any reader asks for.
pub(crate) const RUN_MAX: usize = 32;

/// How many ASCII digits stand in a row from this place on, up to [`RUN_MAX`].
#[inline]
pub(crate) fn digits(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let mut count = 0;
    for chunk in rest.as_chunks::<8>().0.iter().take(RUN_MAX / 8) {
        // A digit leaves 0 to 9; what is larger shows in the upper half of its byte.
        let value = u64::from_le_bytes(*chunk) ^ 0x3030_3030_3030_3030;
        let other = (value | value.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0;
        if other != 0 {
            return count + (other.trailing_zeros() / 8) as usize;
        }
        count += 8;
    }
    let tail = rest.get(count..).unwrap_or_default();
    count + tail.iter().take(RUN_MAX - count).take_while(|b| b.is_ascii_digit()).count()
}

/// Whether a token can start here: what stands before is no letter, no digit and no joint of one.
pub(crate) fn border_before(text: &[u8], at: usize) -> bool {
    let back = |n: usize| at.checked_sub(n).and_then(|i| text.get(i)).copied();
    let Some(before) = back(1) else { return true };
    if before.is_ascii_alphanumeric() || before == b'_' {
        return false;
    }
    // `3.14`, `a-1` and the like: a joint between letters or digits is inside a token.
    if matches!(before, b'.' | b'-' | b'/' | b'+' | b'%' | b'#' | b'=') {
        return back(2).is_none_or(|b| !b.is_ascii_alphanumeric())
            || before == b'='
            || before == b'/';
    }
    // The last byte of a full-width letter or digit.
    let wide = at.checked_sub(3).and_then(|i| plain(text, i));
    !matches!(wide, Some((c, 3)) if c.is_ascii_alphanumeric())
}

/// Whether a token can end here.
pub(crate) fn border_after(text: &[u8], end: usize) -> bool {
    match plain(text, end) {
        None => true,
        Some((c, _)) if c.is_ascii_alphanumeric() || c == b'_' => false,
        Some((b'-' | b'.', n)) => {
            !matches!(plain(text, end + n), Some((c, _)) if c.is_ascii_alphanumeric())
        }
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_up_to_the_first_other_byte() {
        for length in 0..=40 {
            for after in ["", "/", ":", "a", "\u{ff}", " 12345678"] {
                let text = format!("x{}{after}", "90".repeat(20).get(..length).unwrap());
                let wanted = length.min(RUN_MAX);
                assert_eq!(digits(text.as_bytes(), 1), wanted, "{text}");
            }
        }
    }
}
