//! What the detectors promise together: order, borders, linear time, no panic.

#[cfg(test)]
mod forms;
#[cfg(test)]
mod further;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod values;
#[cfg(test)]
mod variety;

use detect::{Confidence, Hit, Kind, Scanner, document, scan};
use proptest::prelude::*;

fn kinds(text: &str) -> Vec<(Kind, &str)> {
    scan(text.as_bytes())
        .into_iter()
        .filter(|h| h.confidence > Confidence::Possible)
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
    let hit = scan(b"see A1234563 end")[0];
    assert_eq!((hit.kind, hit.confidence), (Kind::HongKongIdentityCard, Confidence::Possible));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_bytes_make_it_panic_and_spans_are_ordered(
        bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), b'0'..=b'9', b'A'..=b'Z'], 0..600)
    ) {
        let mut last = 0;
        for hit in scan(&bytes) {
            prop_assert!(last <= hit.start && hit.start < hit.end && hit.end <= bytes.len());
            last = hit.end;
        }
    }

    #[test]
    fn a_hit_does_not_depend_on_what_stands_far_away(
        before in "[a-z ]{0,200}",
        after in "[a-z ]{0,200}",
    ) {
        let text = format!("{before}\nHKID A123456(3)\n{after}");
        prop_assert!(kinds(&text).contains(&(Kind::HongKongIdentityCard, "A123456(3)")));
    }

    #[test]
    fn no_text_makes_a_document_panic(text in "[\\PC\n,\"{}:0-9]{0,300}") {
        let found = document(text.as_bytes());
        let mut last = 0;
        for hit in found.hits {
            prop_assert!(last <= hit.start && hit.start < hit.end && hit.end <= text.len());
            last = hit.end;
        }
    }

    #[test]
    fn where_a_text_is_cut_makes_no_difference(
        parts in proptest::collection::vec(0..PARTS.len(), 0..60),
        noise in proptest::collection::vec(any::<u8>(), 0..40),
        cuts in proptest::collection::vec(0usize..2_000, 0..12),
    ) {
        let mut text: Vec<u8> = parts.iter().flat_map(|i| PARTS[*i].bytes()).collect();
        let middle = text.len() / 2;
        text.splice(middle..middle, noise);
        prop_assert_eq!(in_pieces(&text, cuts), scan(&text));
    }
}

const PARTS: [&str; 16] = [
    "HKID A123456(3) ",
    "4111 1111 1111 1111,",
    "申請人何麗華（",
    "\n",
    "Dear Chan Tai Man,",
    "a@example.com ",
    "Tel: 2345 6789;",
    "Flat E, 27/F, Seaview Mansion, 263 Des Voeux Road West, Sai Ying Pun",
    "abcdefgh ijkl ",
    "香港西營盤德輔道西718號太平樓36樓D室",
    "192.0.2.1",
    "password=Ab3$xyz9 ",
    "https://example.com/x ",
    "銀行戶口",
    "-",
    "回鄉證號碼H12345678；",
];

/// The text fed in pieces of these lengths, again and again.
fn in_pieces(text: &[u8], cuts: Vec<usize>) -> Vec<Hit> {
    let mut scanner = Scanner::default();
    let mut hits = Vec::new();
    let mut rest = text;
    for cut in cuts {
        let (piece, more) = rest.split_at(cut.min(rest.len()));
        hits.extend(scanner.feed(piece));
        rest = more;
    }
    hits.extend(scanner.feed(rest));
    hits.extend(scanner.finish());
    hits
}

#[test]
fn a_long_text_in_small_pieces_gives_the_same_hits() {
    let text = PARTS.concat().repeat(70).into_bytes();
    assert!(text.len() > 20_000);
    let mut scanner = Scanner::default();
    let mut hits: Vec<Hit> = text.chunks(977).flat_map(|piece| scanner.feed(piece)).collect();
    assert!(hits.len() > 100, "hits are given while the text still comes");
    hits.extend(scanner.finish());
    let whole = scan(&text);
    let differs = hits.iter().zip(&whole).find(|(a, b)| a != b);
    assert_eq!((differs, hits.len()), (None, whole.len()));
}

#[test]
fn a_letter_of_another_hand_gives_what_it_holds() {
    let text = "茲證明本公司員工陳嘉琪小姐由2019年起任職，月薪港幣45,000元。現居於新界沙田馬鞍山新港城第3座\
        25樓F室。請致電2345 6789。\nApplicant: LEUNG Chiu Wai, passport no.: K01234567\nAddress: Room \
        1203, 12/F., Tower 2, Lippo Centre, 89 Queensway, Admiralty\nserver 10.0.0.5 build 1.2.3.4";
    assert_eq!(
        kinds(text),
        [
            (Kind::PersonName, "陳嘉琪"),
            (Kind::Salary, "45,000"),
            (Kind::Address, "新界沙田馬鞍山新港城第3座25樓F室"),
            (Kind::Phone, "2345 6789"),
            (Kind::PersonName, "LEUNG Chiu Wai"),
            (Kind::HongKongPassport, "K01234567"),
            (Kind::Address, "Room 1203, 12/F., Tower 2, Lippo Centre, 89 Queensway, Admiralty"),
            (Kind::IpAddress, "10.0.0.5"),
        ]
    );
}
