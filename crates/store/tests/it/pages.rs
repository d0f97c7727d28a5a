//! Lists in order of names: blocks, what changed since, merges, restarts.

use crate::support::*;
use kernel::Scope;
use proptest::prelude::*;
use std::collections::BTreeMap;
use store::{Batch, Expect, PageCursor, Store};

type Shown = Vec<(String, u64)>;

/// The whole list, page by page.
fn list(store: &Store, scope: &Scope, limit: usize) -> Shown {
    let (mut shown, mut after): (Shown, Option<PageCursor>) = (Vec::new(), None);
    loop {
        let page = store.page::<Things>(scope, after.as_ref(), limit, |_| true).unwrap();
        assert!(page.items.len() <= limit);
        shown.extend(page.items.into_iter().map(|r| (r.value.name, r.key)));
        match page.next {
            None => return shown,
            // What a door sends out and gets back is text.
            Some(next) => after = Some(next.to_string().parse().unwrap()),
        }
    }
}

fn expected(model: &BTreeMap<u64, Thing>, scope: &Scope) -> Shown {
    let mut all: Vec<_> = model.iter().filter(|(_, t)| scope.allows(t.domain)).collect();
    all.sort_by_key(|(key, thing)| (thing.name.to_lowercase(), key.to_be_bytes()));
    all.into_iter().map(|(key, thing)| (thing.name.clone(), *key)).collect()
}

fn put_all(store: &Store, things: impl IntoIterator<Item = (u64, Thing)>) {
    let mut things = things.into_iter().peekable();
    while things.peek().is_some() {
        let batch = things.by_ref().take(1_000).fold(Batch::new(), |batch, (key, thing)| {
            batch.put::<Things>(&key, &thing, Expect::Any)
        });
        store.commit(batch).wait().unwrap();
    }
}

/// A name that scatters over the alphabet.
fn scattered(n: u64) -> String {
    format!("Key {:08x}", n.wrapping_mul(0x9e37_79b9) & 0xffff_ffff)
}

#[test]
fn thousands_of_names_stay_in_order_through_merges_renames_and_restarts() {
    let folder = Folder::new();
    let store = open(&folder);
    let all = Scope::All;
    let one = Scope::Domains(vec![domain(2)]);
    let mut model: BTreeMap<u64, Thing> = (0..5_000)
        .map(|n| {
            (n, Thing { domain: domain(u8::from(n % 50 == 0) + 1), ..thing(&scattered(n), "x") })
        })
        .collect();
    put_all(&store, model.clone());
    assert_eq!(list(&store, &all, 500), expected(&model, &all));
    assert_eq!(list(&store, &one, 7), expected(&model, &one));
    drop(store);
    let store = open(&folder);
    let renamed = (0..5_000).step_by(3).map(|n| (n, thing(&scattered(n + 50_000), "x")));
    let renamed: BTreeMap<_, _> = renamed.collect();
    put_all(&store, renamed.clone());
    model.extend(renamed);
    for n in (0..5_000).step_by(7) {
        drop(store.commit(Batch::new().delete::<Things>(&n, Expect::Any)));
        model.remove(&n);
    }
    store.flush().wait().unwrap();
    assert_eq!(list(&store, &all, 333), expected(&model, &all));
    assert_eq!(store.verify().unwrap(), []);
    drop(store);
    // Removals are not remembered over a restart: entries that no longer hold are skipped.
    let store = open(&folder);
    assert_eq!(list(&store, &all, 500), expected(&model, &all));
    assert_eq!(list(&store, &one, 500), expected(&model, &one));
    put_all(&store, (10_000..12_100).map(|n| (n, thing(&scattered(n), "x"))));
    model.extend((10_000..12_100).map(|n| (n, thing(&scattered(n), "x"))));
    assert_eq!(list(&store, &all, 500), expected(&model, &all));
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn a_filter_and_a_limit_meet() {
    let folder = Folder::new();
    let store = open(&folder);
    put_all(
        &store,
        (0..100).map(|n| (n, thing(&format!("n{n:03}"), if n % 2 == 0 { "red" } else { "blue" }))),
    );
    let red = |record: &store::Record<Things>| record.value.colour == "red";
    let page = store.page::<Things>(&Scope::All, None, 10, red).unwrap();
    let keys: Vec<_> = page.items.iter().map(|record| record.key).collect();
    assert_eq!(keys, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    let rest = store.page::<Things>(&Scope::All, page.next.as_ref(), 100, red).unwrap();
    assert_eq!((rest.items.len(), rest.next), (40, None));
    let exact = store.page::<Things>(&Scope::All, None, 100, |_| true).unwrap();
    assert_eq!((exact.items.len(), exact.next), (100, None));
    let none = store.page::<Things>(&Scope::Domains(vec![]), None, 10, |_| true).unwrap();
    assert!(none.items.is_empty() && none.next.is_none());
}

#[test]
fn a_name_in_use_by_readers_never_goes_missing_while_it_changes() {
    let folder = Folder::new();
    let store = open(&folder);
    put_all(&store, (0..20).map(|n| (n, thing(&format!("n{n}"), "x"))));
    std::thread::scope(|scope| {
        let writer = store.clone();
        let done = scope.spawn(move || {
            for turn in 0..200u64 {
                let name = format!("{} {turn}", if turn % 2 == 0 { "a" } else { "z" });
                put_all(&writer, [(turn % 20, thing(&name, "x"))]);
            }
        });
        while !done.is_finished() {
            let page = store.page::<Things>(&Scope::All, None, 50, |_| true).unwrap();
            assert_eq!(page.items.len(), 20);
        }
    });
}

#[test]
fn nonsense_is_not_a_cursor() {
    for text in ["", "zz.00", "00", "ff.00", "6.1", "61.0"] {
        assert!(text.parse::<PageCursor>().is_err(), "{text}");
    }
    assert_eq!("61.00ff".parse::<PageCursor>().unwrap().to_string(), "61.00ff");
}

proptest! {
    #[test]
    fn no_text_makes_a_cursor_panic(text: String) {
        let _ = text.parse::<PageCursor>().is_ok();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn lists_agree_with_a_sorted_map(
        steps in prop::collection::vec((0u64..40, prop::option::of("[a-cA-C]{1,3}"), 1u8..3), 1..60),
        limit in 1usize..12,
        reopen in 0usize..60,
    ) {
        let folder = Folder::new();
        let mut store = open(&folder);
        let mut model = BTreeMap::new();
        for (at, (key, name, in_domain)) in steps.into_iter().enumerate() {
            if at == reopen {
                drop(store);
                store = open(&folder);
            }
            match name {
                None => {
                    let batch = Batch::new().delete::<Things>(&key, Expect::Any);
                    store.commit(batch).wait().unwrap();
                    model.remove(&key);
                }
                Some(name) => {
                    let thing = Thing { domain: domain(in_domain), ..thing(&name, "x") };
                    let batch = Batch::new().put::<Things>(&key, &thing, Expect::Any);
                    if store.commit(batch).wait().is_ok() {
                        model.insert(key, thing);
                    }
                }
            }
        }
        for scope in [Scope::All, Scope::Domains(vec![domain(1)])] {
            prop_assert_eq!(list(&store, &scope, limit), expected(&model, &scope));
        }
    }
}

/// The keys on a page of some terms, how many records were opened for it, and where it ends.
fn opened_for(
    store: &Store,
    terms: &[store::IndexTerm],
    after: Option<&PageCursor>,
    limit: usize,
) -> (Vec<u64>, usize, Option<PageCursor>) {
    let mut opened = 0;
    let page = store.page_of::<Things>(terms, &Scope::All, after, limit, |_| {
        opened += 1;
        true
    });
    let page = page.unwrap();
    (page.items.iter().map(|record| record.key).collect(), opened, page.next)
}

#[test]
fn a_page_of_a_term_opens_only_the_records_that_have_it() {
    let folder = Folder::new();
    let store = open(&folder);
    // Red is rare: one in a hundred. Blue are more than are held in memory.
    let colour = |n: u64| if n.is_multiple_of(100) { "red" } else { "blue" };
    put_all(&store, (0..6_000).map(|n| (n, thing(&format!("n{n:05}"), colour(n)))));
    let (red, blue) = ([coloured("red")], [coloured("blue")]);
    let (keys, opened, next) = opened_for(&store, &red, None, 50);
    assert_eq!(keys, (0..50).map(|n| n * 100).collect::<Vec<_>>());
    assert_eq!(opened, 50);
    let (keys, opened, next) = opened_for(&store, &red, next.as_ref(), 50);
    assert_eq!((keys.len(), opened, next), (10, 10, None), "no page follows the last");
    let (keys, opened, next) = opened_for(&store, &blue, None, 50);
    assert_eq!(keys, (1..=50).collect::<Vec<_>>());
    assert_eq!((opened, next.is_some()), (50, true));
    let both = [named(domain(1), "n00300"), coloured("red")];
    assert_eq!(opened_for(&store, &both, None, 50).0, [300]);
    let nobody = opened_for(&store, &[coloured("green"), coloured("blue")], None, 50);
    assert_eq!(nobody, (Vec::new(), 0, None));

    // What was recoloured or is gone shows at once, and after a start anew.
    put_all(&store, [(100, thing("n00100", "blue")), (101, thing("n00101", "red"))]);
    store.commit(Batch::new().delete::<Things>(&200, Expect::Any)).wait().unwrap();
    assert_eq!(opened_for(&store, &red, None, 4).0, [0, 101, 300, 400]);
    drop(store);
    let store = open(&folder);
    let (keys, opened, _) = opened_for(&store, &red, None, 4);
    assert_eq!((keys, opened), (vec![0, 101, 300, 400], 4));
}

#[test]
fn two_common_terms_that_never_meet_end_a_page_short_with_a_place_to_go_on_from() {
    let folder = Folder::new();
    let store = open(&folder);
    // Both colours are common, and no thing has both.
    let colour = |n: u64| if n.is_multiple_of(2) { "red" } else { "blue" };
    put_all(&store, (0..12_000).map(|n| (n, thing(&format!("n{n:05}"), colour(n)))));
    let both = [coloured("red"), coloured("blue")];
    let (keys, opened, next) = opened_for(&store, &both, None, 50);
    assert_eq!((keys.len(), opened, next.is_some()), (0, 0, true));
    let (keys, opened, next) = opened_for(&store, &both, next.as_ref(), 50);
    assert_eq!((keys.len(), opened, next), (0, 0, None));
}
