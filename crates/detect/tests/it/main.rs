//! What the detectors promise together: order, borders, linear time, no panic.

use detect::{Confidence, Kind, scan};
use proptest::prelude::*;

fn kinds(text: &str) -> Vec<(Kind, &str)> {
    scan(text.as_bytes())
        .into_iter()
        .map(|h| (h.kind, text.get(h.start..h.end).unwrap_or_default()))
        .collect()
}

#[test]
fn a_mixed_text_gives_its_hits_in_order() {
    let text = "客戶陳小姐（身份證A123456(3)）卡4111111111111111，電郵a@example.com；\
        內地證件11010519491231002X IBAN GB29NWBK60161331926819.";
    assert_eq!(
        kinds(text),
        [
            (Kind::HongKongIdentityCard, "A123456(3)"),
            (Kind::PaymentCard, "4111111111111111"),
            (Kind::Email, "a@example.com"),
            (Kind::MainlandIdentity, "11010519491231002X"),
            (Kind::Iban, "GB29NWBK60161331926819"),
        ]
    );
}

#[test]
fn tokens_inside_longer_tokens_are_left_alone() {
    for text in [
        "xA123456(3)",
        "841becbd-A1234563-0000",
        "0x4111111111111111",
        "41111111111111119",
        "1.4111111111111111",
        "_4111111111111111",
        "A1234563f00",
        "11010519491231002X0",
    ] {
        assert!(kinds(text).is_empty(), "{text}: {:?}", kinds(text));
    }
}

#[test]
fn a_bare_number_without_a_word_is_only_possible() {
    let hit = scan(b"ref A1234563 end")[0];
    assert_eq!((hit.kind, hit.confidence), (Kind::HongKongIdentityCard, Confidence::Possible));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_bytes_make_it_panic_and_spans_are_ordered(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), b'0'..=b'9', b'A'..=b'Z'], 0..600)
    ) {
        let mut last = 0;
        for hit in scan(&bytes) {
            prop_assert!(last <= hit.start && hit.start < hit.end && hit.end <= bytes.len());
            last = hit.end;
        }
    }

    #[test]
    fn a_hit_does_not_depend_on_what_stands_far_away(before in "[a-z ]{0,200}", after in "[a-z ]{0,200}") {
        let text = format!("{before}\nHKID A123456(3)\n{after}");
        prop_assert!(kinds(&text).contains(&(Kind::HongKongIdentityCard, "A123456(3)")));
    }
}
