//! JSON of any shape as lines that detectors read: escapes undone where that changes no structure,
//! and long lines cut between members.

/// A line longer than this is cut after the next comma between members.
const LINE_BYTES: usize = 4_096;
/// An escape is at most `\uXXXX`.
const ESCAPE_BYTES: usize = 6;

/// Whether a text begins as JSON does.
pub(crate) fn is_json(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let second = text.get(1..).unwrap_or_default().trim_ascii_start().first().copied();
    match text.first() {
        Some(b'{') => matches!(second, Some(b'"' | b'}')) && text.contains(&b':'),
        Some(b'[') => matches!(second, Some(b'{' | b'[' | b'"')) && text.windows(2).any(is_joint),
        _ => false,
    }
}

/// What stands between the values of an array and not after a bracket in prose.
fn is_joint(pair: &[u8]) -> bool {
    matches!(pair, b"\":" | b"\"," | b"\"]" | b"}," | b"}]" | b"],")
}

/// Passes JSON through, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Shaper {
    in_text: bool,
    /// An escape that has begun.
    escape: Vec<u8>,
    /// The first half of a pair of surrogates.
    high: Option<u16>,
    line: usize,
    out: Vec<u8>,
}

impl Shaper {
    /// Takes the next piece.
    pub(crate) fn feed(&mut self, text: &[u8], emit: &mut dyn FnMut(&[u8])) {
        for byte in text {
            if self.escape.is_empty() {
                self.plain(*byte);
            } else {
                self.escaped(*byte);
            }
            if self.out.len() >= LINE_BYTES {
                self.flush(emit);
            }
        }
        self.flush(emit);
    }

    /// Ends the text.
    pub(crate) fn finish(&mut self, emit: &mut dyn FnMut(&[u8])) {
        let rest = std::mem::take(&mut self.escape);
        self.out.extend_from_slice(&rest);
        self.flush(emit);
    }

    fn flush(&mut self, emit: &mut dyn FnMut(&[u8])) {
        emit(&self.out);
        self.out.clear();
    }

    fn plain(&mut self, byte: u8) {
        if byte == b'\\' && self.in_text {
            self.escape.push(byte);
            return;
        }
        self.high = None;
        self.in_text ^= byte == b'"';
        // Text has no line ends: an unclosed quote ends with its line.
        self.in_text &= byte != b'\n';
        self.put(byte);
        if byte == b',' && !self.in_text && self.line >= LINE_BYTES {
            self.put(b'\n');
        }
    }

    fn put(&mut self, byte: u8) {
        self.line = if byte == b'\n' { 0 } else { self.line + 1 };
        self.out.push(byte);
    }

    fn escaped(&mut self, byte: u8) {
        self.escape.push(byte);
        let unicode = self.escape.get(1) == Some(&b'u');
        if unicode && self.escape.len() < ESCAPE_BYTES && byte.is_ascii_alphanumeric() {
            return;
        }
        let escape = std::mem::take(&mut self.escape);
        match (byte, unicode) {
            (_, true) => self.unicode(&escape),
            (b'/', _) => self.put(b'/'),
            (b'n' | b't' | b'r' | b'b' | b'f', _) => self.put(b' '),
            _ => escape.iter().for_each(|byte| self.put(*byte)),
        }
    }

    /// A character by its number; those that JSON needs stay as they are.
    fn unicode(&mut self, escape: &[u8]) {
        let digits = escape.get(2..).and_then(|d| std::str::from_utf8(d).ok());
        let unit = digits.and_then(|d| u16::from_str_radix(d, 16).ok());
        let high = self.high.take();
        match unit {
            Some(unit @ 0xd800..=0xdbff) => self.high = Some(unit),
            Some(unit) if unit >= 0x20 && unit != u16::from(b'"') && unit != u16::from(b'\\') => {
                let units = high.into_iter().chain([unit]);
                for c in char::decode_utf16(units).flatten() {
                    let mut buffer = [0; 4];
                    c.encode_utf8(&mut buffer).bytes().for_each(|byte| self.put(byte));
                }
            }
            Some(_) => self.put(b' '),
            None => escape.iter().for_each(|byte| self.put(*byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(text: &str) -> String {
        let mut out = Vec::new();
        let mut shaper = Shaper::default();
        for byte in text.as_bytes() {
            shaper.feed(&[*byte], &mut |line| out.extend_from_slice(line));
        }
        shaper.finish(&mut |line| out.extend_from_slice(line));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_are_undone_and_quotes_kept() {
        assert_eq!(
            shaped(r#"{"a":"\u9673\u5927\u6587","b":"x\/y"}"#),
            r#"{"a":"陳大文","b":"x/y"}"#
        );
        assert_eq!(shaped(r#"{"a":"q\"r\\ \n\u0022"}"#), r#"{"a":"q\"r\\   "}"#);
        assert_eq!(shaped(r#"{"a":"\ud842\udfb7\ud842"}"#), r#"{"a":"𠮷"}"#);
        assert_eq!(shaped(r#"{"a":"\u12"}"#), "{\"a\":\"\\u12\"}");
    }

    #[test]
    fn a_long_line_is_cut_between_members() {
        let text = format!("[{}]", vec![r#"{"id":"A123456(3), and"}"#; 1_000].join(","));
        let out = shaped(&text);
        assert!(out.lines().count() > 4 && out.lines().all(|line| line.len() < LINE_BYTES + 100));
        assert!(out.lines().all(|line| line.matches('"').count() % 4 == 0));
    }

    #[test]
    fn json_is_told_from_prose() {
        assert!(
            is_json(b"{\n  \"a\": 1}") && is_json(b" [{\"a\":1}]") && is_json(b"[\"a\",\"b\"]")
        );
        assert!(!is_json(b"[2025-01-01] log") && !is_json(b"{note} a") && !is_json(b"\"a\",1"));
    }
}
