//! Profiles of the bank's own: written, tried, in force, and back to the one that ships.

use crate::house::House;
use discover::*;

const CARD: &str = "HKID A123456(3)\n";

fn profile(class: &str, at_least: u64) -> Profile {
    let text = format!(
        "name: retail\ntitle: Retail\nfloor: public\nfloor_reason: nothing found\nrules:\n\
         - {{id: cards, class: {class}, any: [hk-identity-card], at_least: {at_least}, \
         categories: [pdpo-identity], reason: ours}}\n"
    );
    Profile::read(&text.replace("at_least: 0", "at_least: 1"))
        .map(|mut p| {
            p.rules[0].at_least = at_least;
            p
        })
        .unwrap()
}

async fn scanned() -> (House, kernel::SourceId) {
    let house = House::new().await;
    house.shelf.put("one.txt", CARD);
    let source = house.source("retail", "/shelf").await;
    house.scan(source).await;
    (house, source)
}

fn class(house: &House) -> Class {
    house.findings(Wanted::default())[0].class
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_labels_what_was_found_when_it_is_put_in_force_and_not_before() {
    let (house, source) = scanned().await;
    assert_eq!(class(&house), Class::Restricted);
    let trial = house.discover.try_profile(house.permit("*"), profile("secret", 1)).unwrap();
    assert_eq!((trial.findings, trial.moves.len()), (1, 1));
    assert_eq!((trial.moves[0].from, trial.moves[0].to), (Class::Restricted, Class::Secret));
    let write = |p| house.discover.write_profile(house.permit("*"), p, "our own rules");
    let written = write(profile("secret", 1)).await.unwrap();
    assert_eq!(written.version, 1);
    assert!(written.changes.contains(&"rule cards added".to_owned()));
    house.discover.labelled().await;
    assert_eq!(class(&house), Class::Restricted, "written is not in force");
    let force = |name: &'static str, version| {
        let permit = house.permit("*");
        house.discover.put_in_force(permit, name, version, true, "agreed by the committee")
    };
    let view = force("retail", None).await.unwrap();
    assert_eq!((view.in_force, view.default), (Some(1), true));
    house.discover.labelled().await;
    assert_eq!(class(&house), Class::Secret);
    assert_eq!(house.summary(source).class(), Some(Class::Secret));
    assert_eq!(house.scans(source).len(), 1, "no scan was needed");
    write(profile("confidential", 1)).await.unwrap();
    house.discover.labelled().await;
    assert_eq!(class(&house), Class::Secret);
    force("retail", Some(2)).await.unwrap();
    house.discover.labelled().await;
    assert_eq!(class(&house), Class::Confidential);
    // A scan afterwards labels by what is in force, and so does a server that starts again.
    house.shelf.put("one.txt", &format!("{CARD} again"));
    house.scan(source).await;
    assert_eq!(class(&house), Class::Confidential);
    let house = house.restarted().await;
    assert_eq!(class(&house), Class::Confidential);
    let permit = house.permit("*");
    let back = house.discover.put_in_force(permit, "bank", None, true, "back to the usual").await;
    assert!(back.unwrap().default);
    house.discover.labelled().await;
    assert_eq!(class(&house), Class::Restricted);
    let told: Vec<_> = house.events().into_iter().filter(|e| e.action == "data.source").collect();
    assert!(format!("{told:?}").contains("agreed by the committee"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_may_follow_a_profile_of_its_own() {
    let (house, source) = scanned().await;
    let permit = house.permit("*");
    house.discover.write_profile(permit, profile("internal", 1), "for archives").await.unwrap();
    let follow = || SourceChange { profile: Edit::To("retail".into()), ..SourceChange::default() };
    let early = house.discover.edit_source(house.permit(&source.to_string()), follow()).await;
    assert!(matches!(early, Err(DiscoverError::NoProfile(_))), "only what is in force: {early:?}");
    let permit = house.permit("*");
    house.discover.put_in_force(permit, "retail", None, false, "for archives").await.unwrap();
    house.discover.labelled().await;
    assert_eq!(class(&house), Class::Restricted, "the default stays");
    house.discover.edit_source(house.permit(&source.to_string()), follow()).await.unwrap();
    house.discover.labelled().await;
    assert_eq!(class(&house), Class::Internal);
    let views = house.discover.profiles(house.permit("*")).unwrap();
    assert_eq!(views.iter().map(|v| v.named_by).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_profile_that_ships_cannot_be_written_over_and_versions_differ() {
    let (house, _) = scanned().await;
    let write = |p| house.discover.write_profile(house.permit("*"), p, "why not");
    let mut ships = profile("secret", 1);
    ships.name = "bank".into();
    let refused = write(ships).await;
    assert!(matches!(&refused, Err(DiscoverError::Profile(e)) if e.pointer() == "/name"));
    write(profile("secret", 1)).await.unwrap();
    let same = write(profile("secret", 1)).await;
    assert!(matches!(&same, Err(DiscoverError::Profile(e)) if e.pointer() == "/name"), "{same:?}");
    let wrong = write(profile("secret", 0)).await;
    let pointer = "/rules/0/at_least";
    assert!(matches!(&wrong, Err(DiscoverError::Profile(e)) if e.pointer() == pointer));
    let (view, text) = house.discover.profile_text(house.permit("*"), "bank", None).unwrap();
    assert!(view.ships && text.rules.len() > 5);
}
