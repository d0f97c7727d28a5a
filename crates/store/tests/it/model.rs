//! Random batches against a map: the same answers, refusals and log, over restarts.

use crate::support::*;
use kernel::{Epoch, Epochs as _, Guard};
use proptest::prelude::*;
use std::collections::BTreeMap;
use store::{Batch, Expect, Idempotency, KeyRange, Store, StoreError};

#[derive(Clone, Debug)]
enum Change {
    Put { key: u64, name: u8, colour: u8, expect: Want },
    Delete { key: u64, expect: Want },
}

#[derive(Clone, Copy, Debug)]
enum Want {
    Any,
    Absent,
    /// The version that is there.
    Current,
    /// A version that was never there.
    Wrong,
}

#[derive(Clone, Debug)]
struct Step {
    changes: Vec<Change>,
    events: u8,
    /// Guard domain 1 with its epoch moved by this much.
    guard: Option<u64>,
    raise: bool,
    /// The idempotency key and the request.
    idempotency: Option<(u8, u8)>,
    reopen: bool,
}

#[derive(Default)]
struct Model {
    things: BTreeMap<u64, (u64, Thing)>,
    epoch: u64,
    outcomes: BTreeMap<u8, (u8, Vec<u8>)>,
    log: Vec<String>,
}

/// What the model says of a step.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Replayed(Vec<u8>),
    Exists,
    VersionConflict,
    NotUnique,
    StaleEpoch,
    IdempotencyMismatch,
}

fn want() -> impl Strategy<Value = Want> {
    prop_oneof![
        4 => Just(Want::Any),
        2 => Just(Want::Absent),
        2 => Just(Want::Current),
        1 => Just(Want::Wrong),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (0u64..8, 0u8..6, 0u8..3, want())
            .prop_map(|(key, name, colour, expect)| Change::Put { key, name, colour, expect }),
        1 => (0u64..8, want()).prop_map(|(key, expect)| Change::Delete { key, expect }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    (
        prop::collection::vec(change(), 0..4),
        0u8..3,
        prop::option::weighted(0.4, prop_oneof![4 => Just(0u64), 1 => Just(1u64)]),
        prop::bool::weighted(0.15),
        prop::option::weighted(0.3, (0u8..3, 0u8..2)),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(mut changes, events, guard, raise, idempotency, reopen)| {
            // A batch names a record once; the conformance suite crosses that limit.
            let mut seen = std::collections::HashSet::new();
            changes.retain(|change| match change {
                Change::Put { key, .. } | Change::Delete { key, .. } => seen.insert(*key),
            });
            Step { changes, events, guard, raise, idempotency, reopen }
        })
}

impl Model {
    fn expect(&self, key: u64, want: Want) -> Expect {
        match (want, self.things.get(&key)) {
            (Want::Any, _) => Expect::Any,
            (Want::Absent, _) => Expect::Absent,
            (Want::Current, Some((version, _))) => Expect::Version(*version),
            (Want::Current, None) | (Want::Wrong, _) => Expect::Version(u64::MAX),
        }
    }

    fn apply(&mut self, step: &Step, number: usize) -> (Batch, Answer) {
        let mut batch = Batch::new();
        let mut after = self.things.clone();
        let mut wrong = None;
        let mut names = Vec::new();
        for change in &step.changes {
            let (key, want) = match change {
                Change::Put { key, expect, .. } | Change::Delete { key, expect } => (*key, *expect),
            };
            let (expect, there) = (self.expect(key, want), self.things.get(&key));
            let holds = match expect {
                Expect::Any => true,
                Expect::Absent => there.is_none(),
                Expect::Version(version) => there.is_some_and(|(v, _)| *v == version),
            };
            if !holds && wrong.is_none() {
                let absent = expect == Expect::Absent;
                wrong = Some(if absent { Answer::Exists } else { Answer::VersionConflict });
            }
            if let Change::Put { name, colour, .. } = change {
                let thing = thing(&format!("Name {name}"), &colour.to_string());
                batch = batch.put::<Things>(&key, &thing, expect);
                names.push(thing.name.clone());
                after.insert(key, (0, thing));
            } else {
                batch = batch.delete::<Things>(&key, expect);
                after.remove(&key);
            }
        }
        let named = |name: &String| after.values().filter(|(_, t)| t.name == *name).count();
        let unique = names.iter().all(|name| named(name) == 1);
        let words: Vec<_> = (0..step.events).map(|n| format!("{number}.{n}")).collect();
        batch = words.iter().fold(batch, |batch, word| batch.event(event(word)));
        let stale = step.guard.is_some_and(|moved| moved > 0);
        if let Some(moved) = step.guard {
            let epoch = Epoch(self.epoch.wrapping_add(moved));
            batch = batch.guard(Guard { domain: domain(1), epoch });
        }
        if step.raise {
            batch = batch.raise_epoch(domain(1));
        }
        let outcome = number.to_string().into_bytes();
        if let Some((key, request)) = step.idempotency {
            batch = batch.idempotent(Idempotency {
                domain: domain(1),
                caller: String::from("caller"),
                key: key.to_string(),
                request: [request; 32],
                outcome: outcome.clone(),
            });
        }
        let kept = step.idempotency.and_then(|(key, request)| {
            self.outcomes.get(&key).map(|(first, outcome)| (*first == request, outcome.clone()))
        });
        let answer = match (stale, kept, wrong, unique) {
            (true, ..) => Answer::StaleEpoch,
            (_, Some((false, _)), ..) => Answer::IdempotencyMismatch,
            (_, Some((true, outcome)), ..) => {
                self.log.extend(words);
                Answer::Replayed(outcome)
            }
            (_, _, Some(wrong), _) => wrong,
            (.., false) => Answer::NotUnique,
            _ => {
                self.things = after;
                self.log.extend(words);
                self.epoch += u64::from(step.raise);
                if let Some((key, request)) = step.idempotency {
                    self.outcomes.insert(key, (request, outcome));
                }
                Answer::Done
            }
        };
        (batch, answer)
    }

    fn agrees(&self, store: &Store) {
        let all = store.scan::<Things>(&KeyRange::all(), 100).unwrap();
        let all: BTreeMap<_, _> = all.into_iter().map(|r| (r.key, (r.version, r.value))).collect();
        assert_eq!(all, self.things);
        assert_eq!(store.count::<Things>(), self.things.len() as u64);
        for colour in ["0", "1", "2"] {
            let found = store.find::<Things>(&coloured(colour), 100).unwrap();
            let found: Vec<_> = found.into_iter().map(|record| record.key).collect();
            let expected = self.things.iter().filter(|(_, (_, t))| t.colour == colour);
            assert_eq!(found, expected.map(|(key, _)| *key).collect::<Vec<_>>());
        }
        assert_eq!(store.current(domain(1)), Epoch(self.epoch));
        assert_eq!(logged(store), self.log);
    }
}

fn answer(result: Result<store::Committed, StoreError>) -> (Answer, Vec<u64>) {
    match result {
        Ok(committed) => match committed.replayed {
            Some(outcome) => (Answer::Replayed(outcome), Vec::new()),
            None => (Answer::Done, committed.versions),
        },
        Err(StoreError::Exists { .. }) => (Answer::Exists, Vec::new()),
        Err(StoreError::VersionConflict { .. }) => (Answer::VersionConflict, Vec::new()),
        Err(StoreError::NotUnique { .. }) => (Answer::NotUnique, Vec::new()),
        Err(StoreError::StaleEpoch { .. }) => (Answer::StaleEpoch, Vec::new()),
        Err(StoreError::IdempotencyMismatch) => (Answer::IdempotencyMismatch, Vec::new()),
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_store_agrees_with_a_map(steps in prop::collection::vec(step(), 1..40)) {
        let folder = Folder::new();
        let mut store = open(&folder);
        let mut model = Model::default();
        for (number, step) in steps.iter().enumerate() {
            if step.reopen {
                drop(store);
                store = open(&folder);
                model.agrees(&store);
            }
            let (batch, expected) = model.apply(step, number);
            let (given, versions) = answer(store.commit(batch).wait());
            prop_assert_eq!(&given, &expected, "step {} {:?}", number, step);
            let puts = step.changes.iter().filter_map(|change| match change {
                Change::Put { key, .. } => Some(*key),
                Change::Delete { .. } => None,
            });
            for (key, version) in puts.zip(versions) {
                if let Some(stored) = model.things.get_mut(&key) {
                    stored.0 = version;
                }
            }
        }
        model.agrees(&store);
        assert_eq!(store.verify().unwrap(), []);
    }
}
