//! Every capability has a state, and what is called built is shown.

use crate::world::World;
use comply::CapabilityState;
use std::collections::BTreeSet;

#[test]
fn every_capability_has_a_state_and_what_is_built_is_shown_by_a_check_or_test() {
    let world = World::new();
    let all = world.capabilities.all();
    assert_eq!(all.len(), 156);
    let bullets = all.iter().filter(|c| {
        let mut parts = c.id.trim_start_matches("S0-").split('.');
        c.id.starts_with("S0-") && parts.all(|p| p.parse::<u8>().is_ok())
    });
    assert_eq!(bullets.count(), 95);
    let tests = [include_str!("statuses.rs"), include_str!("checks.rs")].concat();
    let mut shown = 0;
    for capability in all {
        shown += usize::from(match &capability.state {
            CapabilityState::ShownByCheck { check } => {
                assert!(world.checks.find(check).is_some(), "{}: {check}", capability.id);
                true
            }
            CapabilityState::ShownByTest { test } => {
                assert!(tests.contains(&format!("fn {test}()")), "{}: {test}", capability.id);
                true
            }
            CapabilityState::NotBuilt => false,
        });
    }
    assert_eq!(all.iter().filter(|c| c.is_built()).count(), shown);
    assert!(shown < all.len(), "a first day has gaps, and the guides say so");
}

#[test]
fn every_capability_answers_requirements_that_exist() {
    let world = World::new();
    let ids: BTreeSet<_> = world.catalogue.requirements().map(|(_, r)| r.id.clone()).collect();
    for capability in world.capabilities.all() {
        assert!(!capability.requirements.is_empty() && !capability.answer.is_empty());
        for requirement in &capability.requirements {
            assert!(ids.contains(requirement), "{}: {requirement}", capability.id);
        }
    }
}
