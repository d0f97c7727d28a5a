//! Addresses of networks: Internet addresses, hardware addresses, web addresses.

use crate::text::{border_after, border_before};
use crate::{Hit, Kind};

/// The longest web address that is read, in bytes; what follows is cut.
const URL_BYTES_MAX: usize = 200;
/// The longest text form of an Internet address, version 6.
const VERSION_SIX_BYTES_MAX: usize = 45;

/// Four numbers up to 255 with dots between.
pub(crate) fn version_four(text: &[u8], start: usize) -> Option<Hit> {
    let end = quad(text, start)?;
    let next = text.get(end).copied().unwrap_or(b' ');
    let more = matches!((next, text.get(end + 1)), (b'.', Some(c)) if c.is_ascii_alphanumeric());
    if more || next.is_ascii_alphanumeric() || matches!(next, b'_' | b'-') {
        return None;
    }
    // Four numbers below ten after the word are a version of some program.
    let window = text.get(start.saturating_sub(12)..start)?;
    let version = window.windows(7).any(|w| w.eq_ignore_ascii_case(b"version"))
        || window.windows(5).any(|w| w.eq_ignore_ascii_case(b"build"))
        || window.last().is_some_and(|b| matches!(b, b'v' | b'V'));
    let special =
        matches!(text.get(start..start + 2)?, b"0.") || text.get(start..end)? == b"255.255.255.255";
    (!version && !special).then_some(Hit::sure(Kind::IpAddress, start, end))
}

fn quad(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    for part in 0..4 {
        if part > 0 {
            (text.get(at) == Some(&b'.')).then_some(())?;
            at += 1;
        }
        let digits = text.get(at..)?.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        let number = text.get(at..at + digits)?;
        let value = number.iter().fold(0u32, |n, d| n * 10 + u32::from(d - b'0'));
        let padded = digits > 1 && number.first() == Some(&b'0');
        if digits == 0 || digits > 3 || value > 255 || padded {
            return None;
        }
        at += digits;
    }
    Some(at)
}

/// A hardware address or an Internet address, version 6, that starts here.
pub(crate) fn hexadecimal(text: &[u8], start: usize) -> Option<Hit> {
    // The first group has at most four digits: what has no joint so soon is neither.
    let head = text.get(start..)?.iter().take(5);
    if !head.clone().any(|b| *b == b':') && text.get(start + 2) != Some(&b'-') {
        return None;
    }
    if !border_before(text, start) || inside_groups(text, start) {
        return None;
    }
    hardware(text, start).or_else(|| version_six(text, start))
}

/// Whether a group of hexadecimal digits and a colon stand right before: a part of something
/// longer, such as the fingerprint of a key.
fn inside_groups(text: &[u8], start: usize) -> bool {
    let head = text.get(..start).unwrap_or_default();
    let Some(head) = head.strip_suffix(b":") else { return false };
    let word = head.iter().rev().take(5).take_while(|b| b.is_ascii_alphanumeric());
    let length = word.clone().count();
    (1..=4).contains(&length) && word.clone().all(u8::is_ascii_hexdigit)
}

/// Six pairs of hexadecimal digits, all parted by a colon or all by a hyphen.
fn hardware(text: &[u8], start: usize) -> Option<Hit> {
    let joint = *text.get(start + 2).filter(|b| matches!(b, b':' | b'-'))?;
    let token = text.get(start..start + 17)?;
    let fits = token.chunks(3).all(|pair| {
        pair.iter().take(2).all(u8::is_ascii_hexdigit) && pair.get(2).is_none_or(|b| *b == joint)
    });
    let end = start + 17;
    let ends = border_after(text, end) && text.get(end) != Some(&joint);
    (fits && ends).then_some(Hit::sure(Kind::MacAddress, start, end))
}

/// Groups of hexadecimal digits with colons, read by the standard library's own parser.
fn version_six(text: &[u8], start: usize) -> Option<Hit> {
    let token = text.get(start..)?.iter().take(VERSION_SIX_BYTES_MAX + 1);
    let length = token.take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')).count();
    let token = text.get(start..start + length)?;
    let token = token.strip_suffix(b".").unwrap_or(token);
    let end = start + token.len();
    // Two colons and no more are a time of day.
    if token.iter().filter(|b| **b == b':').count() < 3 || !border_after(text, end) {
        return None;
    }
    // Eight pairs are a fingerprint or a hardware address of eight bytes.
    if token.len() == 23 && token.split(|b| *b == b':').all(|group| group.len() == 2) {
        return None;
    }
    let address: std::net::Ipv6Addr = std::str::from_utf8(token).ok()?.parse().ok()?;
    let real = !address.is_loopback() && !address.is_unspecified();
    real.then_some(Hit::sure(Kind::IpAddress, start, end))
}

/// A web address up to its query, which may hold other finds, around the `://` whose colon stands
/// here.
pub(crate) fn url(text: &[u8], colon: usize) -> Option<Hit> {
    let scheme = [b"https".as_slice(), b"http", b"ftp", b"ftps", b"sftp"];
    let start = scheme.iter().find_map(|name| {
        let start = colon.checked_sub(name.len())?;
        let same = text.get(start..colon)?.eq_ignore_ascii_case(name);
        (same && border_before(text, start)).then_some(start)
    })?;
    let rest = text.get(colon + 3..)?;
    let run = rest.iter().take(URL_BYTES_MAX).take_while(|b| is_part(**b)).count();
    let mut length = run;
    while length > 0 && matches!(rest.get(length - 1), Some(b'.' | b',' | b')' | b';' | b':')) {
        length -= 1;
    }
    let host = rest.get(..length)?.split(|b| matches!(b, b'/' | b'?' | b'#')).next()?;
    let named = host.len() > 2 && host.iter().any(u8::is_ascii_alphanumeric);
    named.then_some(Hit::sure(Kind::Url, start, colon + 3 + length))
}

const fn is_part(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'?' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b'|')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(found: Option<Hit>) -> Option<(Kind, usize)> {
        found.map(|hit| (hit.kind, hit.end))
    }

    #[test]
    fn addresses_of_machines_are_found() {
        // Documentation addresses: RFC 5737 and RFC 3849.
        assert_eq!(end(version_four(b"192.0.2.1", 0)), Some((Kind::IpAddress, 9)));
        assert_eq!(end(version_four(b"203.0.113.255.", 0)), Some((Kind::IpAddress, 13)));
        assert_eq!(end(hexadecimal(b"2001:db8::8a2e:370:7334", 0)), Some((Kind::IpAddress, 23)));
        assert_eq!(end(hexadecimal(b"00:00:5e:00:53:af", 0)), Some((Kind::MacAddress, 17)));
        assert_eq!(end(hexadecimal(b"00-00-5E-00-53-AF", 0)), Some((Kind::MacAddress, 17)));
        assert_eq!(end(url(b"see https://example.com/a?b=1.", 9)), Some((Kind::Url, 25)));
    }

    #[test]
    fn versions_times_and_identifiers_are_not() {
        for text in ["256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0.1.2.3", "1.2.3.4-rc1"] {
            assert_eq!(version_four(text.as_bytes(), 0), None, "{text}");
        }
        assert!(version_four(b"server 10.2.3.4", 7).is_some());
        assert_eq!(version_four(b"version 10.2.3.4", 8), None);
        assert!(hexadecimal(b"mac:00:00:5e:00:53:af", 4).is_some());
        assert!(hexadecimal(b"ab:cd:00:00:5e:00:53:af", 6).is_none());
        for text in [
            "12:30:45",
            "43:29:e0:50:f6:c9:cc:34",
            "00:00:5e:00:53",
            "00:00:5e:00:53:af:00",
            "::1",
            "ab:cd",
        ] {
            assert_eq!(hexadecimal(text.as_bytes(), 0), None, "{text}");
        }
        assert_eq!(url(b"x://y", 1), None);
    }
}
