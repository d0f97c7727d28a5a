//! What is sent again because an answer was lost is done once.

use crate::house::{House, identity, name, wait};
use access::{AccessError, NewPerson, NewService, Repeat};
use kernel::actions::IdentityManage;

fn under(key: &str, request: u8) -> Option<Repeat> {
    Some(Repeat { key: key.into(), request: [request; 32] })
}

#[test]
fn a_service_made_twice_under_one_key_exists_once() {
    let (house, first) = House::founded();
    let make = |called: &str, repeat| {
        let permit = house.permit::<IdentityManage>(&first, identity("*")).unwrap();
        let new = NewService { name: name(called), owner: None, workloads: Vec::new() };
        wait(house.access().create_service(permit, new, repeat))
    };
    let one = make("core", under("k", 1)).unwrap();
    assert_eq!(make("core", under("k", 1)).unwrap(), one);
    assert!(make("core", under("another", 1)).is_err(), "the name is taken");
    assert!(matches!(make("other", under("k", 2)), Err(AccessError::Store(_))));
    assert_ne!(make("other", under("k2", 2)).unwrap(), one);
    let events = house.events();
    let made = events.iter().filter(|e| e.event.detail("did") == Some("service-created"));
    assert_eq!(made.count(), 2);
    assert_eq!(events.iter().filter(|e| e.event.detail("replayed").is_some()).count(), 1);
}

#[test]
fn a_link_that_was_shown_is_not_shown_again_nor_made_again() {
    let (house, first) = House::founded();
    let make = |repeat| {
        let permit = house.permit::<IdentityManage>(&first, identity("*")).unwrap();
        let new = NewPerson { sign_in_name: "ada".parse().unwrap(), name: name("Ada") };
        wait(house.access().create_person(permit, new, repeat))
    };
    let link = make(under("k", 1)).unwrap();
    assert!(matches!(make(under("k", 1)), Err(AccessError::ShownOnce)));
    house.enrol(&link, "ada");
}
