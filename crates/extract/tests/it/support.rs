//! What the tests share: inspecting bytes, and reading the answer.

use detect::Kind;
use extract::{Detectors, Inspection, KindName, Limits, Part, Settings, TroubleKind, inspect};
use std::io::Cursor;
use std::sync::Arc;

pub(crate) fn detectors() -> Arc<Detectors> {
    Arc::new(Detectors::new(&Settings::everything([1; 32])).unwrap())
}

pub(crate) fn look(bytes: &[u8], hint: &str) -> Inspection {
    look_within(bytes, hint, &Limits::default())
}

pub(crate) fn look_within(bytes: &[u8], hint: &str, limits: &Limits) -> Inspection {
    let found = inspect(&mut Cursor::new(bytes), hint, &detectors(), limits, &mut |_| {});
    // What crosses a socket comes back the same.
    let json = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Inspection>(&json).unwrap(), found);
    found
}

/// How often a kind was found in a part.
pub(crate) fn count(part: &Part, kind: Kind) -> u64 {
    let found = part.kinds.iter().find(|count| count.kind == KindName(kind));
    found.map_or(0, |count| count.sure + count.likely)
}

/// How often a kind was found in all.
pub(crate) fn total(found: &Inspection, kind: Kind) -> u64 {
    found.parts.iter().map(|part| count(part, kind)).sum()
}

/// The part at this path.
pub(crate) fn part<'a>(found: &'a Inspection, path: &[&str]) -> &'a Part {
    let part = found.parts.iter().find(|part| part.path == path);
    part.unwrap_or_else(|| panic!("no part {path:?} in {found:#?}"))
}

pub(crate) fn troubles(found: &Inspection) -> Vec<TroubleKind> {
    found.troubles.iter().map(|trouble| trouble.kind).collect()
}

/// The identity card number that begins with this letter and counts up, with its check digit.
pub(crate) fn card(number: u32) -> String {
    let letter = char::from(b'A' + (number / 1_000_000 % 26) as u8);
    let digits = format!("{:06}", number % 1_000_000);
    let values = [36, u32::from(letter) - u32::from('A') + 10].into_iter();
    let values = values.chain(digits.bytes().map(|b| u32::from(b - b'0')));
    let sum: u32 = values.zip([9, 8, 7, 6, 5, 4, 3, 2]).map(|(v, w)| v * w).sum();
    let check = match (11 - sum % 11) % 11 {
        10 => 'A',
        check => char::from_digit(check, 10).unwrap(),
    };
    format!("{letter}{digits}({check})")
}
