//! The states of a version of a key and the ways between them (NIST SP 800-57 part 1, section 7).
//!
//! ```text
//! pre-active ──► active ──► deactivated        any living state ──► compromised
//!      │           │  ▲          │             living            ──► destroyed
//!      ▼           ▼  │          ▼             compromised       ──► destroyed-compromised
//!      └───────► suspended ◄─────┴─────────── compromised
//! ```
//!
//! Choices beyond the standard: a suspended version processes nothing either (the standard leaves
//! that to the recipient's risk); pre-active, deactivated and compromised versions can be suspended
//! too, so that suspending a key stops all of it; and only resumption or destruction leads out of
//! suspension. A suspended version that is deactivated or declared compromised stays suspended and
//! returns to that state: neither step may give back what the switch took away, nor is a compromise
//! ever forgotten.

use crate::purpose::StateName;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of one version, with what only that state has. `M` is the wrapped material: a version
/// that is destroyed has no such field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State<M> {
    /// Made, not yet allowed to be used.
    PreActive {
        /// The wrapped material.
        material: M,
        /// When it becomes active by itself; none: when somebody activates it.
        activate_at: Option<Timestamp>,
        /// When it ends by itself.
        deactivate_at: Option<Timestamp>,
    },
    /// Protects and processes.
    Active {
        /// The wrapped material.
        material: M,
        /// Since when.
        since: Timestamp,
        /// When it ends by itself.
        deactivate_at: Option<Timestamp>,
    },
    /// Stopped; can come back.
    Suspended {
        /// The wrapped material.
        material: M,
        /// Since when.
        since: Timestamp,
        /// What it returns to.
        was: Before,
    },
    /// At its end: decrypts and verifies what was protected before.
    Deactivated {
        /// The wrapped material.
        material: M,
        /// Since when.
        since: Timestamp,
    },
    /// Known or feared to be known to others: decrypts and verifies only where the caller accepts
    /// it.
    Compromised {
        /// The wrapped material.
        material: M,
        /// Since when.
        since: Timestamp,
    },
    /// Gone.
    Destroyed {
        /// When.
        at: Timestamp,
    },
    /// Gone, and known to others before.
    DestroyedCompromised {
        /// When.
        at: Timestamp,
    },
}

/// What a suspended version was before, with its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    /// Pre-active.
    PreActive {
        /// When it becomes active by itself.
        activate_at: Option<Timestamp>,
        /// When it ends by itself.
        deactivate_at: Option<Timestamp>,
    },
    /// Active.
    Active {
        /// Since when.
        since: Timestamp,
        /// When it ends by itself.
        deactivate_at: Option<Timestamp>,
    },
    /// Deactivated.
    Deactivated {
        /// Since when.
        since: Timestamp,
    },
    /// Compromised.
    Compromised {
        /// Since when.
        since: Timestamp,
    },
}

/// A step from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transition {
    /// Lets a pre-active version be used.
    Activate,
    /// Stops a version at once.
    Suspend,
    /// Lets a suspended version return to what it was.
    Resume,
    /// Ends a version: it protects no more.
    Deactivate,
    /// Declares that others know the version.
    Compromise,
    /// Takes the material away for good.
    Destroy,
}

impl Transition {
    /// Every transition.
    pub const ALL: [Self; 6] = [
        Self::Activate,
        Self::Suspend,
        Self::Resume,
        Self::Deactivate,
        Self::Compromise,
        Self::Destroy,
    ];

    /// The word used in records.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Deactivate => "deactivate",
            Self::Compromise => "compromise",
            Self::Destroy => "destroy",
        }
    }
}

/// A step that the state forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version that is {from} cannot {}", transition.word())]
pub struct NotAllowed {
    /// The state it is in.
    pub from: StateName,
    /// The step asked for.
    pub transition: Transition,
}

impl<M> State<M> {
    /// The state of a new version: pre-active until its date, or active now.
    #[must_use]
    pub fn new(material: M, dates: Dates, now: Timestamp) -> Self {
        let Dates { activate, deactivate_at } = dates;
        let activate_at = match activate {
            Activation::Now => Some(now),
            Activation::At(at) => Some(at),
            Activation::ByHand => None,
        };
        Self::PreActive { material, activate_at, deactivate_at }.settled(now)
    }

    /// The name of the state.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::PreActive { .. } => StateName::PreActive,
            Self::Active { .. } => StateName::Active,
            Self::Suspended { .. } => StateName::Suspended,
            Self::Deactivated { .. } => StateName::Deactivated,
            Self::Compromised { .. } => StateName::Compromised,
            Self::Destroyed { .. } => StateName::Destroyed,
            Self::DestroyedCompromised { .. } => StateName::DestroyedCompromised,
        }
    }

    /// The name of the state once the dates have taken effect.
    #[must_use]
    pub fn name_at(&self, now: Timestamp) -> StateName {
        let due = |at: &Option<Timestamp>| at.is_some_and(|at| at <= now);
        match self {
            Self::PreActive { activate_at, deactivate_at, .. } if due(activate_at) => {
                if due(deactivate_at) { StateName::Deactivated } else { StateName::Active }
            }
            Self::Active { deactivate_at, .. } if due(deactivate_at) => StateName::Deactivated,
            state => state.name(),
        }
    }

    /// The material, while there is any.
    #[must_use]
    pub const fn material(&self) -> Option<&M> {
        match self {
            Self::PreActive { material, .. }
            | Self::Active { material, .. }
            | Self::Suspended { material, .. }
            | Self::Deactivated { material, .. }
            | Self::Compromised { material, .. } => Some(material),
            Self::Destroyed { .. } | Self::DestroyedCompromised { .. } => None,
        }
    }

    /// The same version once the dates that have passed took effect.
    #[must_use]
    pub fn settled(self, now: Timestamp) -> Self {
        match self {
            Self::PreActive { material, activate_at: Some(since), deactivate_at }
                if since <= now =>
            {
                Self::Active { material, since, deactivate_at }.settled(now)
            }
            Self::Active { material, deactivate_at: Some(since), .. } if since <= now => {
                Self::Deactivated { material, since }
            }
            state => state,
        }
    }

    /// The version after a step, dates that have passed first.
    ///
    /// # Errors
    /// When no such step leads out of the state.
    pub fn after(self, transition: Transition, now: Timestamp) -> Result<Self, NotAllowed> {
        let settled = self.settled(now);
        let from = settled.name();
        let next = match (transition, settled) {
            (Transition::Activate, Self::PreActive { material, deactivate_at, .. }) => {
                Self::Active { material, since: now, deactivate_at }
            }
            (Transition::Suspend, state) => state.suspended(now, transition)?,
            (Transition::Resume, Self::Suspended { material, was, .. }) => match was {
                Before::PreActive { activate_at, deactivate_at } => {
                    Self::PreActive { material, activate_at, deactivate_at }
                }
                Before::Active { since, deactivate_at } => {
                    Self::Active { material, since, deactivate_at }
                }
                Before::Deactivated { since } => Self::Deactivated { material, since },
                Before::Compromised { since } => Self::Compromised { material, since },
            },
            (
                Transition::Deactivate,
                Self::Suspended {
                    material,
                    since,
                    was: Before::PreActive { .. } | Before::Active { .. },
                },
            ) => Self::Suspended { material, since, was: Before::Deactivated { since: now } },
            (Transition::Compromise, Self::Suspended { material, since, was })
                if !matches!(was, Before::Compromised { .. }) =>
            {
                Self::Suspended { material, since, was: Before::Compromised { since: now } }
            }
            (Transition::Deactivate, Self::Active { material, .. }) => {
                Self::Deactivated { material, since: now }
            }
            (
                Transition::Compromise,
                Self::PreActive { material, .. }
                | Self::Active { material, .. }
                | Self::Deactivated { material, .. },
            ) => Self::Compromised { material, since: now },
            (
                Transition::Destroy,
                Self::Compromised { .. } | Self::Suspended { was: Before::Compromised { .. }, .. },
            ) => Self::DestroyedCompromised { at: now },
            (
                Transition::Destroy,
                Self::PreActive { .. }
                | Self::Active { .. }
                | Self::Suspended { .. }
                | Self::Deactivated { .. },
            ) => Self::Destroyed { at: now },
            _ => return Err(NotAllowed { from, transition }),
        };
        Ok(next.settled(now))
    }

    fn suspended(self, now: Timestamp, transition: Transition) -> Result<Self, NotAllowed> {
        let from = self.name();
        let (material, was) = match self {
            Self::PreActive { material, activate_at, deactivate_at } => {
                (material, Before::PreActive { activate_at, deactivate_at })
            }
            Self::Active { material, since, deactivate_at } => {
                (material, Before::Active { since, deactivate_at })
            }
            Self::Deactivated { material, since } => (material, Before::Deactivated { since }),
            Self::Compromised { material, since } => (material, Before::Compromised { since }),
            _ => return Err(NotAllowed { from, transition }),
        };
        Ok(Self::Suspended { material, since: now, was })
    }
}

/// When a new version begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dates {
    /// When it becomes active.
    #[serde(default)]
    pub activate: Activation,
    /// When it ends by itself; none: at the next rotation.
    #[serde(default)]
    pub deactivate_at: Option<Timestamp>,
}

/// When a new version becomes active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// At once.
    #[default]
    Now,
    /// At a date.
    At(Timestamp),
    /// When somebody activates it.
    ByHand,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The model: the arrows of SP 800-57 part 1 revision 5, section 7, and ours, as a table that
    /// shares no code with the machine. What happens to a suspended version happens to what it was
    /// before.
    const ARROWS: &[(StateName, Transition, StateName)] = {
        use StateName as S;
        use Transition as T;
        &[
            (S::PreActive, T::Activate, S::Active),
            (S::PreActive, T::Suspend, S::Suspended),
            (S::PreActive, T::Compromise, S::Compromised),
            (S::PreActive, T::Destroy, S::Destroyed),
            (S::Active, T::Suspend, S::Suspended),
            (S::Active, T::Deactivate, S::Deactivated),
            (S::Active, T::Compromise, S::Compromised),
            (S::Active, T::Destroy, S::Destroyed),
            (S::Deactivated, T::Suspend, S::Suspended),
            (S::Deactivated, T::Compromise, S::Compromised),
            (S::Deactivated, T::Destroy, S::Destroyed),
            (S::Compromised, T::Suspend, S::Suspended),
            (S::Compromised, T::Destroy, S::DestroyedCompromised),
        ]
    };

    /// What the model remembers: where it is, where it was before a suspension, and the two dates.
    #[derive(Debug, Clone)]
    struct Model {
        state: StateName,
        before: StateName,
        activate_at: Option<i64>,
        deactivate_at: Option<i64>,
    }

    impl Model {
        fn pass_time(&mut self, now: i64) {
            if self.state == StateName::PreActive && self.activate_at.is_some_and(|at| at <= now) {
                self.state = StateName::Active;
            }
            if self.state == StateName::Active && self.deactivate_at.is_some_and(|at| at <= now) {
                self.state = StateName::Deactivated;
            }
        }

        fn step(&mut self, transition: Transition, now: i64) -> bool {
            self.pass_time(now);
            let suspended = self.state == StateName::Suspended;
            if transition == Transition::Resume {
                if suspended {
                    self.state = self.before;
                }
                self.pass_time(now);
                return suspended;
            }
            let at = if suspended { self.before } else { self.state };
            let arrow = |(from, by, _): &&(StateName, Transition, StateName)| {
                *from == at && *by == transition
            };
            let to = ARROWS.iter().find(arrow).map(|(_, _, to)| *to);
            // A version that waited for its date when it was stopped can still be ended.
            let ended =
                suspended && at == StateName::PreActive && transition == Transition::Deactivate;
            let Some(to) = to.or_else(|| ended.then_some(StateName::Deactivated)) else {
                return false;
            };
            match (suspended, to) {
                (true, StateName::Suspended | StateName::Active) => return false,
                (true, to) if !to.is_destroyed() => self.before = to,
                (_, to) => {
                    self.before = self.state;
                    self.state = to;
                }
            }
            self.pass_time(now);
            true
        }
    }

    fn any_transition() -> impl Strategy<Value = Transition> {
        prop::sample::select(&Transition::ALL[..])
    }

    fn second(n: i64) -> Timestamp {
        Timestamp::EPOCH.plus_seconds(n)
    }

    proptest! {
        #[test]
        fn every_walk_through_the_states_agrees_with_the_model(
            activate in prop::option::of(0i64..40),
            deactivate in prop::option::of(0i64..60),
            steps in prop::collection::vec((0i64..8, any_transition()), 0..24),
        ) {
            let dates = Dates {
                activate: activate.map_or(Activation::ByHand, |n| Activation::At(second(n))),
                deactivate_at: deactivate.map(second),
            };
            let mut now = 0;
            let mut state = State::new("material", dates, second(now));
            let mut model = Model {
                state: StateName::PreActive,
                before: StateName::PreActive,
                activate_at: activate,
                deactivate_at: deactivate,
            };
            model.pass_time(now);
            prop_assert_eq!(state.name(), model.state);
            for (pause, transition) in steps {
                now += pause;
                let expected = model.step(transition, now);
                let name_before = state.name_at(second(now));
                match state.clone().after(transition, second(now)) {
                    Ok(next) => {
                        prop_assert!(expected, "{:?} from {} was allowed", transition, name_before);
                        state = next;
                    }
                    Err(refused) => {
                        prop_assert!(!expected, "{refused}");
                        prop_assert_eq!(refused.from, name_before);
                    }
                }
                prop_assert_eq!(state.name_at(second(now)), model.state);
                prop_assert_eq!(state.clone().settled(second(now)).name(), model.state);
                prop_assert_eq!(state.material().is_none(), model.state.is_destroyed());
                let json = serde_json::to_string(&state).unwrap();
                prop_assert_eq!(&json.contains("material"), &!model.state.is_destroyed());
            }
        }
    }

    #[test]
    fn nothing_leads_out_of_destruction() {
        for state in [
            State::<u8>::Destroyed { at: second(1) },
            State::DestroyedCompromised { at: second(1) },
        ] {
            for transition in Transition::ALL {
                assert!(state.clone().after(transition, second(2)).is_err(), "{transition:?}");
            }
        }
    }

    #[test]
    fn a_suspended_version_does_not_become_active_when_its_date_comes() {
        let dates = Dates { activate: Activation::At(second(10)), deactivate_at: None };
        let state = State::new((), dates, second(0)).after(Transition::Suspend, second(1)).unwrap();
        assert_eq!(state.name_at(second(11)), StateName::Suspended);
        let back = state.after(Transition::Resume, second(12)).unwrap();
        assert_eq!(back, State::Active { material: (), since: second(10), deactivate_at: None });
    }
}
