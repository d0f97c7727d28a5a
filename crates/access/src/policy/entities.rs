//! What Cedar is told about a request: the caller with its posts, the key domain, the one thing.
//!
//! ```text
//! Person ── Post "key-custodian@dom_…" ── Role "key-custodian" ── Duty "manages-keys"
//!    └── Group "grp_…" ── Post …
//!           Post "auditor@*" ── Post "auditor@dom_…"   (installation-wide lies in every domain)
//! ```

use super::EngineError;
use super::schema::type_name;
use crate::duties::Duty;
use crate::roles::{Reach, Role};
use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use kernel::{Action, DomainId, GroupId, PersonId, Principal, Resource, ResourceKind};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;

/// What the policies know about one who acts, at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Who.
    pub principal: Principal,
    /// Whether an administrator locked it.
    pub locked: bool,
    /// Roles of its own that count now.
    pub posts: Vec<(Role, Reach)>,
    /// Groups by which it holds more.
    pub groups: Vec<GroupPosts>,
    /// Workloads to which a service is tied; empty means none in particular.
    pub workloads: Vec<String>,
}

/// A group with those of its roles that count now for one of its members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupPosts {
    /// The group.
    pub group: GroupId,
    /// Its roles.
    pub posts: Vec<(Role, Reach)>,
}

/// What the policies know of a thing beyond [`Resource`]: who it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Relations {
    /// The person that an identity is.
    pub person: Option<PersonId>,
    /// The person who owns a service.
    pub owned_by: Option<PersonId>,
    /// The person who asked for an approval.
    pub requested_by: Option<PersonId>,
}

/// Posts as they are gathered, and the roles that they are of.
#[derive(Default)]
struct Gathered {
    entities: Vec<Entity>,
    known: HashSet<EntityUid>,
    roles: BTreeSet<Role>,
}

/// Names of entity types, parsed once.
#[derive(Debug)]
pub(super) struct Names {
    person: EntityTypeName,
    service: EntityTypeName,
    installation: EntityTypeName,
    group: EntityTypeName,
    post: EntityTypeName,
    role: EntityTypeName,
    duty: EntityTypeName,
    kinds: Vec<(ResourceKind, EntityTypeName)>,
    actions: HashMap<Action, EntityUid>,
}

impl Names {
    pub(super) fn new() -> Result<Self, EngineError> {
        let name = |text: &str| EntityTypeName::from_str(text).map_err(EngineError::name);
        let action = name("Action")?;
        Ok(Self {
            person: name("Person")?,
            service: name("Service")?,
            installation: name("Installation")?,
            group: name("Group")?,
            post: name("Post")?,
            role: name("Role")?,
            duty: name("Duty")?,
            kinds: ResourceKind::ALL
                .into_iter()
                .map(|kind| Ok((kind, name(type_name(kind))?)))
                .collect::<Result<_, EngineError>>()?,
            actions: Action::ALL.iter().map(|a| (*a, uid(&action, a.word()))).collect(),
        })
    }

    pub(super) fn action(&self, action: Action) -> Option<&EntityUid> {
        self.actions.get(&action)
    }

    pub(super) fn principal(&self, principal: Principal) -> EntityUid {
        match principal {
            Principal::Person(id) => uid(&self.person, &id.to_string()),
            Principal::Service(id) => uid(&self.service, &id.to_string()),
            Principal::System => uid(&self.installation, "self"),
        }
    }

    fn kind(&self, kind: ResourceKind) -> Option<&EntityTypeName> {
        self.kinds.iter().find(|(k, _)| *k == kind).map(|(_, name)| name)
    }

    /// A key domain is named by its own identifier, whatever the request called it.
    pub(super) fn resource(&self, resource: &Resource) -> Option<EntityUid> {
        let name = self.kind(resource.kind)?;
        Some(match resource.kind {
            ResourceKind::Domain => uid(name, &resource.domain.to_string()),
            _ => uid(name, &resource.id),
        })
    }

    fn domain(&self, domain: DomainId) -> Option<EntityUid> {
        Some(uid(self.kind(ResourceKind::Domain)?, &domain.to_string()))
    }

    fn post(&self, role: Role, domain: DomainId) -> EntityUid {
        uid(&self.post, &format!("{role}@{domain}"))
    }

    /// Caller, posts, roles, duties and the key domain: the part that many decisions share.
    pub(super) fn surroundings(
        &self,
        subject: &Subject,
        domain: DomainId,
    ) -> Result<Vec<Entity>, EngineError> {
        let mut gathered = Gathered::default();
        let mut above = self.posts(&subject.posts, domain, &mut gathered);
        for GroupPosts { group, posts } in &subject.groups {
            let held = self.posts(posts, domain, &mut gathered);
            let group = uid(&self.group, &group.to_string());
            gathered.entities.push(Entity::new_no_attrs(group.clone(), held));
            above.insert(group);
        }
        let Gathered { mut entities, roles, .. } = gathered;
        for role in roles {
            let duties = Duty::of(role).iter().map(|duty| uid(&self.duty, duty.word())).collect();
            entities.push(Entity::new_no_attrs(uid(&self.role, role.word()), duties));
        }
        entities.push(self.subject(subject, above)?);
        entities.push(self.domain_entity(domain)?);
        Ok(entities)
    }

    /// The posts of somebody or of a group; each becomes an entity once.
    fn posts(
        &self,
        posts: &[(Role, Reach)],
        domain: DomainId,
        gathered: &mut Gathered,
    ) -> HashSet<EntityUid> {
        let mut held = HashSet::new();
        for (role, reach) in posts {
            gathered.roles.insert(*role);
            let as_role = uid(&self.role, role.word());
            let (post, above) = match reach {
                Reach::Domain(own) => (self.post(*role, *own), HashSet::from([as_role])),
                Reach::Installation => {
                    let everywhere = uid(&self.post, &format!("{role}@*"));
                    (everywhere, HashSet::from([as_role, self.post(*role, domain)]))
                }
            };
            if gathered.known.insert(post.clone()) {
                gathered.entities.push(Entity::new_no_attrs(post.clone(), above));
            }
            held.insert(post);
        }
        held
    }

    fn subject(&self, subject: &Subject, held: HashSet<EntityUid>) -> Result<Entity, EngineError> {
        let mut attributes = HashMap::new();
        let locked = RestrictedExpression::new_bool(subject.locked);
        match subject.principal {
            Principal::Person(_) => {
                attributes.insert(String::from("locked"), locked);
            }
            Principal::Service(_) => {
                let texts = subject.workloads.iter().cloned();
                let workloads =
                    RestrictedExpression::new_set(texts.map(RestrictedExpression::new_string));
                attributes.insert(String::from("locked"), locked);
                attributes.insert(String::from("workloads"), workloads);
            }
            Principal::System => {}
        }
        Entity::new(self.principal(subject.principal), attributes, held)
            .map_err(EngineError::attribute)
    }

    fn domain_entity(&self, domain: DomainId) -> Result<Entity, EngineError> {
        let own = self.domain(domain).ok_or(EngineError::Kind)?;
        let mut attributes: HashMap<_, _> = Role::ALL
            .iter()
            .map(|role| {
                let post = RestrictedExpression::new_entity_uid(self.post(*role, domain));
                (role.word().to_owned(), post)
            })
            .collect();
        let itself = RestrictedExpression::new_entity_uid(own.clone());
        attributes.insert(String::from("domain"), itself);
        Entity::new(own, attributes, HashSet::new()).map_err(EngineError::attribute)
    }

    /// The thing itself; none for a key domain, which the surroundings hold already.
    pub(super) fn thing(
        &self,
        resource: &Resource,
        relations: Relations,
    ) -> Result<Option<Entity>, EngineError> {
        if resource.kind == ResourceKind::Domain {
            return Ok(None);
        }
        let own = self.resource(resource).ok_or(EngineError::Kind)?;
        let domain = self.domain(resource.domain).ok_or(EngineError::Kind)?;
        let mut attributes =
            HashMap::from([(String::from("domain"), RestrictedExpression::new_entity_uid(domain))]);
        for (name, person) in [
            ("person", relations.person),
            ("ownedBy", relations.owned_by),
            ("requestedBy", relations.requested_by),
        ] {
            if let Some(person) = person {
                let person = self.principal(Principal::Person(person));
                attributes.insert(name.to_owned(), RestrictedExpression::new_entity_uid(person));
            }
        }
        if resource.kind == ResourceKind::Report {
            // A report says itself, by its labels, who has put their name to it.
            for (label, name) in [("prepared-by", "preparedBy"), ("reviewed-by", "reviewedBy")] {
                let person = resource.labels.get(label).and_then(|id| id.parse().ok());
                if let Some(person) = person {
                    let person = self.principal(Principal::Person(person));
                    attributes.insert(name.into(), RestrictedExpression::new_entity_uid(person));
                }
            }
        }
        let tags = resource
            .labels
            .iter()
            .map(|(key, value)| (key.to_owned(), RestrictedExpression::new_string(value.into())));
        Entity::new_with_tags(own, attributes, HashSet::new(), tags)
            .map(Some)
            .map_err(EngineError::attribute)
    }
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}
