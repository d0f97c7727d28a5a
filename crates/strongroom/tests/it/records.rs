//! Records are bound to their place; equal values have equal terms and nothing else shows.

use crate::hall::Hall;
use proptest::prelude::*;
use strongroom::{Place, RECORD_OVERHEAD, RecordError};

fn place<'a>(collection: &'a str, key: &'a [u8], version: u64) -> Place<'a> {
    Place { collection, key, version }
}

#[test]
fn a_record_opens_in_its_place_only() {
    let keys = Hall::new().room.records();
    let sealed = keys.seal(place("keys", b"k1", 7), b"value").unwrap();
    assert_eq!(sealed.len(), 5 + RECORD_OVERHEAD);
    assert_eq!(keys.open(place("keys", b"k1", 7), &sealed).unwrap().as_slice(), b"value");
    for other in [
        place("keyz", b"k1", 7),
        place("keys", b"k2", 7),
        place("keys", b"k1", 8),
        place("keysk", b"1", 7),
        place("key", b"sk1", 7),
        place("keys", b"", 7),
    ] {
        assert_eq!(keys.open(other, &sealed), Err(RecordError::NotOpened));
    }
    for i in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[i] ^= 1;
        assert_eq!(keys.open(place("keys", b"k1", 7), &altered), Err(RecordError::NotOpened));
        let cut = keys.open(place("keys", b"k1", 7), &sealed[..i]);
        assert_eq!(cut, Err(RecordError::NotOpened));
    }
}

#[test]
fn records_survive_a_restart_and_no_other_installation_opens_them() {
    let hall = Hall::new();
    let sealed = hall.room.records().seal(place("keys", b"k1", 7), b"value").unwrap();
    let keys = hall.restarted().records();
    assert!(keys.open(place("keys", b"k1", 7), &sealed).is_ok());
    let term = keys.index_term("keys", "name", b"ledger");
    assert_eq!(term, hall.room.records().index_term("keys", "name", b"ledger"));
    let stranger = Hall::new().room.records();
    assert!(stranger.open(place("keys", b"k1", 7), &sealed).is_err());
    assert_ne!(stranger.index_term("keys", "name", b"ledger"), term);
}

#[test]
fn terms_differ_by_collection_index_and_value() {
    let keys = Hall::new().room.records();
    let term = keys.index_term("keys", "name", b"ledger");
    for (collection, index, value) in [
        ("assets", "name", &b"ledger"[..]),
        ("keys", "label", b"ledger"),
        ("keys", "name", b"Ledger"),
        ("keys", "namel", b"edger"),
        ("keys", "nam", b"eledger"),
    ] {
        assert_ne!(keys.index_term(collection, index, value), term);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_opens_and_its_digest_follows_every_byte(
        key in proptest::collection::vec(any::<u8>(), 0..40),
        value in proptest::collection::vec(any::<u8>(), 0..600),
        version in any::<u64>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let keys = Hall::new().room.records();
        let here = place("c", &key, version);
        let sealed = keys.seal(here, &value).unwrap();
        let opened = keys.open(here, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), &value[..]);
        let digest = keys.digest_element(here, &sealed);
        prop_assert_eq!(digest, keys.digest_element(here, &sealed));
        let mut altered = sealed.clone();
        let at = flip.index(altered.len());
        altered[at] ^= 1;
        prop_assert_ne!(digest, keys.digest_element(here, &altered));
        prop_assert_ne!(digest, keys.digest_element(place("d", &key, version), &sealed));
    }
}
