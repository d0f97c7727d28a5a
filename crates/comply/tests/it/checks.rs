//! Checks: what passes, what fails, and what is never a pass.

use crate::world::{World, given, key, now, run_id};
use comply::{
    Answered, Catalogue, Check, CheckError, Checks, ExpressionError, Fact, Facts, Outcome,
    SourceFailure, Vocabulary, run,
};
use inventory::KnownBy;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::OnceLock;

fn read(rows: &str) -> Result<Checks, CheckError> {
    static DATA: OnceLock<(Catalogue, Vocabulary)> = OnceLock::new();
    let read = || (Catalogue::builtin().unwrap(), Vocabulary::builtin().unwrap());
    let (catalogue, vocabulary) = DATA.get_or_init(read);
    Checks::read(&format!("checks:\n{rows}"), catalogue, vocabulary)
}

fn row(filter: &str, expect: &str) -> String {
    let quote = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let filter =
        if filter.is_empty() { String::new() } else { format!("  where: {}\n", quote(filter)) };
    format!(
        "- id: c\n  title: t\n  requirements: [hkma-pg-6.32]\n  for: key\n{filter}  expect: {}\n  \
         severity: low\n",
        quote(expect)
    )
}

fn expression_error(filter: &str, expect: &str) -> ExpressionError {
    match read(&row(filter, expect)) {
        Err(CheckError::Expression { cause, .. }) => cause,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_check_names_requirements_that_machines_can_assess() {
    let world = World::new();
    assert!(world.checks.all().len() >= 25);
    let versions: BTreeSet<_> = world.checks.all().iter().map(|c| c.version.as_str()).collect();
    assert_eq!(versions.len(), world.checks.all().len());
    for check in world.checks.all() {
        assert!(!check.requirements.is_empty() && !check.title.is_empty(), "{}", check.id);
    }
}

#[test]
fn checks_that_dangle_are_refused_with_what_is_wrong() {
    let swap = |from: &str, to: &str| read(&row("", "true").replace(from, to)).unwrap_err();
    let none = swap("hkma-pg-6.32", "hkma-pg-99");
    assert!(matches!(none, CheckError::NoRequirement { .. }));
    let manual = swap("hkma-pg-6.32", "hkma-pg-1.1");
    assert!(matches!(manual, CheckError::ManualRequirement { .. }));
    assert!(matches!(swap("for: key", "for: castle"), CheckError::NoKind { .. }));
    assert!(matches!(swap("severity: low", "severity: dire"), CheckError::Shape(_)));
    let twice = format!("{0}{0}", row("", "true"));
    assert!(matches!(read(&twice), Err(CheckError::Twice(_))));
}

#[test]
fn expressions_are_short_shallow_and_have_one_comprehension() {
    let long = |n: usize| format!("name == \"{}\"", "x".repeat(n - 10));
    assert!(read(&row("", &long(2_048))).is_ok());
    assert_eq!(expression_error("", &long(2_049)), ExpressionError::TooLong);
    let nested = |n: usize| format!("{}asymmetric{}", "(".repeat(n), ")".repeat(n));
    assert!(read(&row("", &nested(16))).is_ok());
    assert_eq!(expression_error("", &nested(17)), ExpressionError::TooDeep);
    let not = |n: usize| format!("{}asymmetric", "!".repeat(n));
    assert_eq!(expression_error("", &not(17)), ExpressionError::TooDeep);
    let select = |n: usize| format!("labels{} == \"\"", ".a".repeat(n));
    assert!(read(&row("", &select(14))).is_ok());
    assert_eq!(expression_error("", &select(15)), ExpressionError::TooDeep);
    let one = "[\"a\"].all(x, x in labels)";
    assert!(read(&row("", one)).is_ok());
    let two = format!("{one} && {one}");
    assert_eq!(expression_error("", &two), ExpressionError::TooManyComprehensions);
    let inside = "[\"a\"].all(x, [x].exists(y, y == x))";
    assert_eq!(expression_error("", inside), ExpressionError::TooManyComprehensions);
}

#[test]
fn an_expression_names_only_what_its_facts_say() {
    let unknown = ExpressionError::UnknownName("colour".to_owned());
    assert_eq!(expression_error("colour == \"red\"", "true"), unknown);
    assert!(matches!(expression_error("", "name =="), ExpressionError::Syntax(_)));
    assert!(matches!(expression_error("", ""), ExpressionError::Syntax(_)));
}

proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(text in "[a-c.,!(){}\\[\\]\"'?:&|+\\- 0-9]{0,120}") {
        let _ = read(&row("", &text));
    }
}

#[test]
fn the_longest_nasty_texts_neither_hang_nor_overflow() {
    let fill = |part: &str| part.repeat(2_048 / part.len());
    for part in ["(", "[", "{", "!", "-", "a.", "a+", "a?b:", "a&&", "\"", "[a,", "{1:", "a(", "!("]
    {
        assert!(read(&row("", &fill(part))).is_err(), "{part}");
    }
}

#[test]
fn a_check_passes_only_when_it_holds_for_all() {
    let world = World::new();
    let good = world.hold("keys-in-own-custody", vec![key("a", "active"), key("b", "suspended")]);
    assert_eq!((good.outcome, good.population, good.passed), (Outcome::Pass, 2, 2));
    assert_eq!(good.known_by, Some(KnownBy::Observed));
    let theirs = key("c", "active").with("custody", "provider");
    let bad = world.hold("keys-in-own-custody", vec![key("a", "active"), theirs]);
    assert_eq!((bad.outcome, bad.failing_count), (Outcome::Fail, 1));
    assert_eq!((bad.failing[0].id.as_str(), bad.failing[0].name.as_str()), ("c", "name of c"));
}

#[test]
fn an_empty_population_is_not_a_pass() {
    let world = World::new();
    for facts in [Vec::new(), vec![key("a", "destroyed")]] {
        let result = world.hold("keys-in-own-custody", facts);
        assert_eq!((result.outcome, result.population), (Outcome::EmptyPopulation, 0));
    }
}

#[test]
fn facts_that_say_too_little_or_wrongly_make_an_error() {
    let world = World::new();
    let mut less = key("a", "active");
    less.attributes.shift_remove("custody");
    let text = key("a", "active").with("rotation_days", "90");
    let date = key("a", "active").with("rotated_at", "soon");
    let twice = vec![key("a", "active"), key("a", "active")];
    for (facts, reason) in [
        (vec![less], "`a` does not say `custody`"),
        (vec![text], "`rotation_days` of `a` is not a whole number"),
        (vec![date], "`rotated_at` of `a` is not a date such as 2026-11-21"),
        (twice, "`a` is told twice"),
    ] {
        let result = world.hold("keys-in-own-custody", facts);
        assert_eq!((result.outcome, result.errors[0].reason.as_str()), (Outcome::Error, reason));
    }
}

#[test]
fn an_error_in_where_is_an_error_of_the_check_and_never_a_smaller_population() {
    let world = World::new();
    let checks = read(&row("labels.criticality == \"critical\"", "custody == \"own\"")).unwrap();
    let labelled =
        key("b", "active").with("labels", serde_json::json!({"criticality": "critical"}));
    let facts = given(&world, &["key"], Ok(vec![key("a", "active"), labelled]));
    let result = &run(&checks, &facts, run_id(), now(), None).results[0];
    assert_eq!((result.outcome, result.population), (Outcome::Error, 0));
    assert!(result.errors[0].reason.starts_with("`where` of `a`"), "{:?}", result.errors);
}

#[test]
fn an_error_in_expect_is_never_a_pass_and_a_failure_outweighs_it() {
    let world = World::new();
    let checks = read(&row("", "labels.residency == \"HK\"")).unwrap();
    let at = |place: &str| serde_json::json!({ "residency": place });
    let outcome = |facts: Vec<Fact>| {
        let facts = given(&world, &["key"], Ok(facts));
        run(&checks, &facts, run_id(), now(), None).results[0].outcome
    };
    let home = key("a", "active").with("labels", at("HK"));
    let away = key("b", "active").with("labels", at("SG"));
    assert_eq!(outcome(vec![home.clone()]), Outcome::Pass);
    assert_eq!(outcome(vec![home.clone(), key("c", "active")]), Outcome::Error);
    assert_eq!(outcome(vec![home, key("c", "active"), away]), Outcome::Fail);
}

#[test]
fn an_answer_that_is_not_yes_or_no_is_an_error() {
    let world = World::new();
    let checks = read(&row("", "rotation_days")).unwrap();
    let facts = given(&world, &["key"], Ok(vec![key("a", "active")]));
    assert_eq!(run(&checks, &facts, run_id(), now(), None).results[0].outcome, Outcome::Error);
}

#[test]
fn a_source_that_fails_is_an_error_and_a_missing_source_is_not_run() {
    let world = World::new();
    let facts = given(&world, &["key"], Err(SourceFailure::Sealed));
    let run = run(&world.checks, &facts, run_id(), now(), None);
    for (check, result) in world.checks.all().iter().zip(&run.results) {
        let expected = if check.kind == "key" { Outcome::Error } else { Outcome::NotRun };
        assert_eq!(result.outcome, expected, "{}", check.id);
    }
    let answered = |answer| Answered { kinds: vec!["key".to_owned()], answer };
    let answers =
        vec![answered(Ok(vec![key("a", "active")])), answered(Err(SourceFailure::Unavailable))];
    let both = Facts::of(answers, &world.vocabulary);
    assert!(both.of_kind("key").is_none(), "half a population is no population");
}

#[test]
fn old_facts_are_stale() {
    let world = World::new();
    let mut fact = key("a", "active");
    fact.as_of = now().plus_seconds(-24 * 3_600);
    assert_eq!(world.hold("keys-in-own-custody", vec![fact.clone()]).outcome, Outcome::Pass);
    fact.as_of = now().plus_seconds(-24 * 3_600 - 1);
    assert_eq!(world.hold("keys-in-own-custody", vec![fact]).outcome, Outcome::Stale);
}

#[test]
fn the_weakest_knowledge_of_the_population_is_the_results() {
    let world = World::new();
    let mut told = key("b", "active");
    told.known_by = KnownBy::Declared;
    let result = world.hold("keys-in-own-custody", vec![key("a", "active"), told]);
    assert_eq!((result.outcome, result.known_by), (Outcome::Pass, Some(KnownBy::Declared)));
}

#[test]
fn the_same_facts_have_the_same_digest_in_any_order_and_others_another() {
    let world = World::new();
    let digest = |facts| world.hold("keys-in-own-custody", facts).inputs;
    let (a, b) = (key("a", "active"), key("b", "active"));
    let mut reordered = a.clone();
    let first = reordered.attributes.shift_remove("name").unwrap();
    reordered.attributes.insert("name".to_owned(), first);
    assert_eq!(digest(vec![a.clone(), b.clone()]), digest(vec![b.clone(), reordered]));
    assert_ne!(digest(vec![a.clone(), b.clone()]), digest(vec![a.with("state", "suspended"), b]));
    assert_eq!(digest(vec![]).len(), 64);
}

#[test]
fn dates_count_whole_days_in_hong_kong() {
    let world = World::new();
    let rotated = |date: &str, days: i64| {
        let fact = key("a", "active").with("rotated_at", date).with("rotation_days", days);
        world.hold("keys-rotated-on-time", vec![fact]).outcome
    };
    // It is noon in Hong Kong on 21 November.
    assert_eq!(rotated("2026-11-20", 1), Outcome::Pass);
    assert_eq!(rotated("2026-11-19", 1), Outcome::Fail);
    assert_eq!(rotated("2026-11-21", 0), Outcome::Fail);
    assert_eq!(rotated("2026-11-22", 1), Outcome::Pass, "a clock a little ahead");
    assert_eq!(rotated("2027-11-21", 1), Outcome::Error, "a date that lies in the future");
}

#[test]
fn long_lists_of_failures_are_cut_and_counted() {
    let world = World::new();
    let keys = (0..250).map(|i| key(&format!("k{i:03}"), "active").with("custody", "provider"));
    let result = world.hold("keys-in-own-custody", keys.collect());
    assert_eq!((result.failing.len(), result.failing_count), (200, 250));
    assert_eq!(result.failing[0].id, "k000");
}

#[test]
fn another_definition_is_another_version_and_another_title_is_not() {
    let version = |rows: &str| {
        let checks = read(rows).unwrap();
        let check: &Check = &checks.all()[0];
        check.version.clone()
    };
    let base = version(&row("", "asymmetric"));
    assert_eq!(base, version(&row("", "asymmetric").replace("title: t", "title: other")));
    assert_ne!(base, version(&row("", "!asymmetric")));
    assert_ne!(base, version(&row("asymmetric", "asymmetric")));
}

/// Each check can pass and can fail, over facts that say everything that their kind must say.
#[test]
fn every_check_has_an_answer_over_facts_of_its_kind() {
    let world = World::new();
    for check in world.checks.all() {
        let mut fact = Fact::new(&check.kind, "x", KnownBy::Observed, now());
        let kinds: Vec<_> = world.vocabulary.kinds().collect();
        let (_, _, words) = kinds.iter().find(|(kind, ..)| *kind == check.kind).unwrap();
        // Try values of each type until the vocabulary is content.
        for word in words {
            let candidates = [
                serde_json::json!(""),
                serde_json::json!(0),
                serde_json::json!(false),
                serde_json::json!([]),
                serde_json::json!({}),
            ];
            for candidate in candidates {
                let tried = fact.clone().with(word, candidate);
                let text = world.vocabulary.defect(&tried).unwrap_or_default();
                if !text.contains(&format!("`{word}` of")) {
                    fact = tried;
                    break;
                }
            }
        }
        assert_eq!(world.vocabulary.defect(&fact), None, "{}", check.kind);
        let result = world.hold(check.id.as_str(), vec![fact]);
        assert!(
            matches!(result.outcome, Outcome::Pass | Outcome::Fail | Outcome::EmptyPopulation),
            "{}: {:?}",
            check.id,
            result.errors
        );
    }
}

fn store() -> Fact {
    let clean = [("name", "retail"), ("owner", "Retail"), ("class", "restricted"), ("place", "SG")];
    let fact = Fact::new("scanned-store", "src_0", KnownBy::Observed, now());
    let fact = clean.into_iter().fold(fact, |fact, (word, value)| fact.with(word, value));
    let fact = ["place_known", "own_key", "arrangement"]
        .into_iter()
        .fold(fact, |fact, word| fact.with(word, word == "place_known"));
    let counts = ["restricted", "restricted_public", "high_open", "accepted", "lapsed"];
    let fact = counts.into_iter().fold(fact, |fact, word| fact.with(word, 0));
    fact.with("scanned_at", now().plus_days(-2).rfc3339()).with("high_open_since", "")
}

#[test]
fn what_scans_found_is_judged_by_age_exposure_control_and_decisions() {
    let world = World::new();
    let outcome = |check: &str, fact: Fact| world.hold(check, vec![fact]).outcome;
    let long_ago = || now().plus_days(-31).rfc3339();
    let old = store().with("scanned_at", long_ago());
    assert_eq!(outcome("data-stores-scanned-monthly", store()), Outcome::Pass);
    assert_eq!(outcome("data-stores-scanned-monthly", old), Outcome::Fail);
    let never = store().with("scanned_at", "");
    assert_eq!(outcome("data-stores-scanned-monthly", never), Outcome::Fail);

    let none = outcome("restricted-data-is-not-public", store());
    assert_eq!(none, Outcome::EmptyPopulation, "nothing restricted, nothing said");
    let private = store().with("restricted", 3);
    assert_eq!(outcome("restricted-data-is-not-public", private.clone()), Outcome::Pass);
    let public = private.clone().with("restricted_public", 1);
    assert_eq!(outcome("restricted-data-is-not-public", public), Outcome::Fail);

    let abroad = "restricted-data-abroad-is-controlled";
    assert_eq!(outcome(abroad, private.clone()), Outcome::Fail);
    assert_eq!(outcome(abroad, private.clone().with("place", "unknown")), Outcome::Fail);
    assert_eq!(outcome(abroad, private.clone().with("own_key", true)), Outcome::Pass);
    assert_eq!(outcome(abroad, private.clone().with("arrangement", true)), Outcome::Pass);
    assert_eq!(outcome(abroad, private.with("place", "HK")), Outcome::EmptyPopulation);

    let decided = "high-data-risks-are-decided";
    let fresh = store().with("high_open", 1).with("high_open_since", now().rfc3339());
    assert_eq!(outcome(decided, fresh.clone()), Outcome::Pass);
    assert_eq!(outcome(decided, fresh.clone().with("owner", "")), Outcome::Fail);
    assert_eq!(outcome(decided, fresh.with("high_open_since", long_ago())), Outcome::Fail);

    let current = "accepted-data-risks-are-current";
    assert_eq!(outcome(current, store().with("accepted", 2)), Outcome::Pass);
    assert_eq!(outcome(current, store().with("lapsed", 1)), Outcome::Fail);
}
