//! What is looked for, and what never leaves.

use detect::{KeyedHash, Kind};
use extract::{
    CUSTOMS_MAX, CustomRule, CustomSpec, Detectors, Fingerprint, IGNORED_MAX, Ignored, Inspection,
    Key, KindName, Limits, SAMPLES_PER_KIND_MAX, Settings, SettingsError, inspect, spans,
};
use std::io::Cursor;
use std::sync::Arc;

fn look(settings: &Settings, text: &str) -> Inspection {
    // As it crosses a socket.
    let json = serde_json::to_string(settings).unwrap();
    let settings: Settings = serde_json::from_str(&json).unwrap();
    let detectors = Arc::new(Detectors::new(&settings).unwrap());
    inspect(&mut Cursor::new(text), "a.txt", &detectors, &Limits::default(), &mut |_| {})
}

struct Hmac(aws_lc_rs::hmac::Key);

impl KeyedHash for Hmac {
    fn hash(&self, value: &[u8]) -> [u8; 16] {
        aws_lc_rs::hmac::sign(&self.0, value).as_ref()[..16].try_into().unwrap()
    }
}

fn custom(number: u16, rule: CustomRule) -> CustomSpec {
    CustomSpec { number, rule }
}

#[test]
fn detectors_of_the_banks_own_report_beside_ours() {
    let key = Hmac(aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[9; 32]));
    let words = vec!["Project Lion".to_owned(), "獅子山".to_owned()];
    let settings = Settings {
        customs: vec![
            custom(1, CustomRule::Dictionary { words }),
            custom(2, CustomRule::Pattern { pattern: r"\bLR-\d{6}\b".to_owned() }),
            custom(
                7,
                CustomRule::Exact {
                    key: Key::new([9; 32]),
                    hashes: vec![key.hash(&detect::normal(b"C-001-2345"))],
                },
            ),
        ],
        ..Settings::everything([1; 32])
    };
    let found = look(&settings, "project lion 獅子山下 LR-123456 c0012345 HKID A123456(3)\n");
    let counts: Vec<(String, u64)> =
        found.parts[0].kinds.iter().map(|k| (k.kind.into(), k.sure)).collect();
    let expected = [("hk-identity-card", 1), ("custom-1", 2), ("custom-2", 1), ("custom-7", 1)];
    assert_eq!(counts, expected.map(|(word, count)| (word.to_owned(), count)));
}

#[test]
fn only_what_was_asked_for_is_reported() {
    let settings = Settings {
        detectors: vec![KindName(Kind::Email)],
        samples_per_kind_max: 0,
        ..Settings::everything([1; 32])
    };
    let found = look(&settings, "HKID A123456(3), a@example.com");
    let kinds: Vec<Kind> = found.parts[0].kinds.iter().map(|k| k.kind.0).collect();
    assert_eq!((kinds, found.parts[0].kinds[0].samples.len()), (vec![Kind::Email], 0));
}

#[test]
fn settings_that_cannot_be_used_say_which_detector_is_wrong() {
    let wrong =
        |customs| Detectors::new(&Settings { customs, ..Settings::everything([0; 32]) }).err();
    let pattern = |number| custom(number, CustomRule::Pattern { pattern: "(".to_owned() });
    assert!(matches!(wrong(vec![pattern(5)]), Some(SettingsError::Custom { number: 5, .. })));
    let many =
        vec![custom(1, CustomRule::Dictionary { words: vec!["ab".to_owned()] }); CUSTOMS_MAX + 1];
    assert!(matches!(wrong(many), Some(SettingsError::TooManyCustoms)));
}

#[test]
fn samples_are_masked_bounded_and_told_apart_by_the_key() {
    let text: String =
        (0..60).map(|i| format!("card 4111 1111 1111 1111, a{i}@example.com\n")).collect();
    let of = |key: u8| {
        let settings = Settings { samples_per_kind_max: 1_000, ..Settings::everything([key; 32]) };
        look(&settings, &text)
    };
    let (one, other) = (of(1), of(2));
    let mails = one.parts[0].kinds.iter().find(|k| k.kind == KindName(Kind::Email)).unwrap();
    assert_eq!((mails.samples.len(), mails.distinct), (SAMPLES_PER_KIND_MAX, 60));
    assert_eq!(mails.samples[1].masked, "a***@example.com");
    let print =
        |found: &Inspection| -> Fingerprint { found.parts[0].kinds[0].samples[0].fingerprint };
    assert_ne!(print(&one), print(&other));
    assert_eq!(print(&one), print(&of(1)));
    let json = serde_json::to_string(&one).unwrap();
    assert!(!json.contains("4111 1111") && !json.contains("a7@example"));
}

#[test]
fn spans_are_places_in_the_decoded_text() {
    let detectors = Detectors::new(&Settings::everything([1; 32])).unwrap();
    let text = "客戶身份證A123456(3)";
    for bytes in [text.as_bytes().to_vec(), encoding_rs::BIG5.encode(text).0.into_owned()] {
        let (decoded, found) = spans(&bytes, &detectors);
        assert_eq!(decoded, text.as_bytes());
        assert_eq!((found[0].start, found[0].end), (15, 25));
    }
}

#[test]
fn a_value_that_is_known_to_be_none_counts_nowhere_but_as_ignored() {
    let text = format!("{}HKID E364912(5)\n", "HKID A123456(3)\n".repeat(40));
    let plain = Settings::everything([1; 32]);
    let before = look(&plain, &text);
    let kind = &before.parts[0].kinds[0];
    assert_eq!((kind.sure, kind.distinct, kind.ignored), (41, 2, 0));
    let known = kind.samples.iter().find(|sample| sample.masked == "A12****(*)").unwrap();
    let ignored = vec![Ignored(kind.kind, known.fingerprint)];
    let after = look(&Settings { ignored, ..plain.clone() }, &text);
    let kind = &after.parts[0].kinds[0];
    assert_eq!((kind.sure, kind.distinct, kind.ignored), (1, 1, 40));
    assert!(kind.samples.iter().all(|sample| sample.masked != "A12****(*)"));
    let one = Ignored(kind.kind, Fingerprint([0; 16]));
    let full = |count| Detectors::new(&Settings { ignored: vec![one; count], ..plain.clone() });
    assert!(full(IGNORED_MAX).is_ok());
    assert!(matches!(full(IGNORED_MAX + 1), Err(SettingsError::TooManyIgnored)));
}
