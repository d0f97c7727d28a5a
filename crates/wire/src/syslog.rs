//! Syslog messages (RFC 5424) and their framing over TLS (RFC 5425, octet counting).

use std::fmt::Write as _;

/// The facility `log audit` (RFC 5424, section 6.2.1).
const FACILITY_LOG_AUDIT: u8 = 13;
/// Longest message that a receiver must be able to take is 2048 (RFC 5425, section 4.3.1); ours are
/// cut here, far above, because receivers in banks take 64 kB and a cut record is lost evidence.
pub const MESSAGE_BYTES_MAX: usize = 60 * 1024;

/// How grave a message is (RFC 5424, section 6.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// Something that was allowed did not work.
    Error = 3,
    /// Somebody was refused.
    Warning = 4,
    /// As it should be.
    Informational = 6,
}

/// One message, before it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// How grave.
    pub severity: Severity,
    /// The time as RFC 3339 with at most six digits of a second.
    pub timestamp: &'a str,
    /// The host that speaks.
    pub host: &'a str,
    /// The program that speaks.
    pub app: &'a str,
    /// The kind of message.
    pub message_id: &'a str,
    /// The name of the structured data, such as `lionrock@32473`.
    pub data_id: &'a str,
    /// Structured data.
    pub data: &'a [(&'a str, &'a str)],
    /// The text.
    pub text: &'a str,
}

impl Message<'_> {
    /// The message with its length before it (RFC 5425, section 4.3).
    #[must_use]
    pub fn framed(&self) -> Vec<u8> {
        let mut line = self.line();
        if line.len() > MESSAGE_BYTES_MAX {
            let mut end = MESSAGE_BYTES_MAX;
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            line.truncate(end);
        }
        format!("{} {line}", line.len()).into_bytes()
    }

    /// The message itself (RFC 5424, section 6).
    #[must_use]
    pub fn line(&self) -> String {
        let priority = FACILITY_LOG_AUDIT * 8 + self.severity as u8;
        let mut line = format!("<{priority}>1 ");
        header(&mut line, self.timestamp, 32);
        header(&mut line, self.host, 255);
        header(&mut line, self.app, 48);
        line.push_str("- ");
        header(&mut line, self.message_id, 32);
        if self.data.is_empty() {
            line.push('-');
        } else {
            let _ = write!(line, "[{}", name(self.data_id));
            for (key, value) in self.data {
                let _ = write!(line, " {}=\"", name(key));
                escape(&mut line, value);
                line.push('"');
            }
            line.push(']');
        }
        // The byte order mark says that the text is UTF-8 (RFC 5424, section 6.4).
        if !self.text.is_empty() {
            line.push_str(" \u{feff}");
            line.extend(self.text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
        line
    }
}

/// A field of the header: printable ASCII up to a length, or `-`.
fn header(line: &mut String, value: &str, length_max: usize) {
    let before = line.len();
    line.extend(value.chars().filter(char::is_ascii_graphic).take(length_max));
    if line.len() == before {
        line.push('-');
    }
    line.push(' ');
}

/// An SD-NAME: printable ASCII without `=`, `]`, `"`, up to 32 characters.
fn name(text: &str) -> String {
    let fits = |c: &char| c.is_ascii_graphic() && !matches!(c, '=' | ']' | '"');
    let name: String = text.chars().filter(fits).take(32).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// Escapes a PARAM-VALUE (RFC 5424, section 6.3.3): `"`, `\` and `]`; control characters, which
/// would break a receiver that reads by lines, become spaces.
fn escape(line: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '"' | '\\' | ']' => line.extend(['\\', c]),
            c if c.is_control() => line.push(' '),
            c => line.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message<'a>(data: &'a [(&'a str, &'a str)], text: &'a str) -> Message<'a> {
        Message {
            severity: Severity::Warning,
            timestamp: "2026-11-21T04:05:06.789012Z",
            host: "hsm 1",
            app: "lionrock",
            message_id: "key.encrypt",
            data_id: "lionrock@32473",
            data,
            text,
        }
    }

    #[test]
    fn a_message_has_the_form_of_the_standard() {
        let line = message(&[("who", "a\"b\\c]d\ne")], "x\ny").line();
        assert_eq!(
            line,
            "<108>1 2026-11-21T04:05:06.789012Z hsm1 lionrock - key.encrypt \
             [lionrock@32473 who=\"a\\\"b\\\\c\\]d e\"] \u{feff}x y"
        );
        let framed = message(&[], "").framed();
        let text = String::from_utf8(framed).unwrap();
        let (length, rest) = text.split_once(' ').unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), rest.len());
        assert!(rest.ends_with(" -"));
    }

    #[test]
    fn a_message_over_the_limit_is_cut_between_characters() {
        let text = "密".repeat(MESSAGE_BYTES_MAX / 2);
        let framed = String::from_utf8(message(&[], &text).framed()).unwrap();
        let (length, rest) = framed.split_once(' ').unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), rest.len());
        assert!(rest.len() <= MESSAGE_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn no_value_ends_the_structured_data_early(value in "(?s).{0,60}", key in "(?s).{0,9}") {
            let data = [(key.as_str(), value.as_str())];
            let line = message(&data, "").line();
            let body = line.split_once('[').unwrap().1;
            let mut escaped = false;
            let mut ends = 0;
            for c in body.chars() {
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    ']' => ends += 1,
                    _ => {}
                }
            }
            prop_assert_eq!(ends, 1);
            prop_assert!(!line.contains(char::is_control));
        }
    }
}
