//! Where others speak to a running server: workers, object stores, files under our envelope, and
//! expressions that an administrator writes.

use comply::Expression;
use keys::envelope::Header;
use std::collections::BTreeSet;

/// Parts and troubles that a worker may be believed; the product's own tests cross each limit.
const PARTS_MAX: usize = 10_000;
const TROUBLES_MAX: usize = 1_000;

/// The bytes in two pieces: the first byte says where they are cut.
fn pieces(bytes: &[u8]) -> [&[u8]; 2] {
    let Some((cut, rest)) = bytes.split_first() else { return [&[], &[]] };
    let cut = usize::from(*cut).min(rest.len());
    let (first, second) = rest.split_at_checked(cut).unwrap_or((rest, &[]));
    [first, second]
}

/// Frames around a body, of the length that it has; every other run is without, with lengths that
/// lie.
fn framed(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let (how, body) = bytes.split_first().map_or((0, bytes), |(how, body)| (*how, body));
    let length = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
    let header = [&b"LRWK\x01"[..], &[kind, 0, 0], &length].concat();
    if how & 1 == 0 { [&[7], &header[..], body].concat() } else { bytes.to_vec() }
}

pub(crate) fn work_replies(bytes: &[u8]) {
    let bytes = framed(2, bytes);
    let Ok(found) = discover::work::believed(&pieces(&bytes)) else { return };
    for inspection in found {
        assert!(inspection.parts.len() <= PARTS_MAX && inspection.troubles.len() <= TROUBLES_MAX);
        for sample in inspection.parts.iter().flat_map(|p| &p.kinds).flat_map(|k| &k.samples) {
            assert!(!sample.masked.chars().any(char::is_control), "{sample:?}");
        }
    }
}

pub(crate) fn work_requests(bytes: &[u8]) {
    let bytes = framed(1, bytes);
    let _ = discover::work::asked(&pieces(&bytes));
}

pub(crate) fn store_list(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = discover::sources::keys_of_page(&text);
}

pub(crate) fn envelope(bytes: &[u8]) {
    let mut rest = bytes;
    let read = Header::read(&mut rest);
    assert!(read.is_err() || rest.len() < bytes.len());
}

pub(crate) fn expression(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let known: BTreeSet<&str> = ["age", "name", "list", "critical"].into();
    if let Ok(expression) = Expression::compile(&text, &known) {
        assert!(
            expression
                .names()
                .all(|name| known.contains(name) || ["id", "known_by"].contains(&name))
        );
    }
}
