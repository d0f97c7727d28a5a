//! The policies: Cedar text kept in this crate, sliced by action, asked with the few entities that
//! a decision needs.
//!
//! Nothing here knows the store or the clock: a [`Question`] goes in, an [`Answer`] comes out.

mod entities;
mod groups;
mod schema;

pub use entities::{GroupPosts, Relations, Subject};
pub use groups::{ActionGroup, lists};
pub use schema::cedar_schema;

use cedar_policy::{
    ActionConstraint, Authorizer, Context, Decision, Entities, Entity, Policy, PolicyId, PolicySet,
    Request, RestrictedExpression, Schema,
};
use entities::Names;
use kernel::{Action, Door, Resource, Timestamp};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

/// The policy texts, by file name.
pub const POLICY_TEXTS: [(&str, &str); 3] = [
    ("roles.cedar", include_str!("policy/roles.cedar")),
    ("separation.cedar", include_str!("policy/separation.cedar")),
    ("proof.cedar", include_str!("policy/proof.cedar")),
];

/// Why the policies cannot be loaded or asked. None of these depends on what a caller sends.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The schema does not parse.
    #[error("the policy schema does not parse")]
    Schema(#[source] Box<cedar_policy::CedarSchemaError>),
    /// A policy does not parse.
    #[error("policy file `{file}` does not parse")]
    Parse {
        /// The file.
        file: &'static str,
        /// What Cedar says.
        #[source]
        cause: Box<cedar_policy::ParseErrors>,
    },
    /// A policy has no `@id`.
    #[error("a policy in `{file}` has no `@id`")]
    Unnamed {
        /// The file.
        file: &'static str,
    },
    /// Two policies have one name, or a policy does not fit its set.
    #[error("policy `{id}` cannot be added to its set")]
    Add {
        /// The policy.
        id: String,
        /// What Cedar says.
        #[source]
        cause: Box<cedar_policy::PolicySetError>,
    },
    /// A name in the schema is not a name.
    #[error("an entity type's name does not parse")]
    Name(#[source] Box<cedar_policy::ParseErrors>),
    /// An attribute of an entity cannot be evaluated.
    #[error("an attribute of an entity cannot be evaluated")]
    Attribute(#[source] Box<cedar_policy::EntityAttrEvaluationError>),
    /// Entities do not fit together.
    #[error("the entities of a request do not fit together")]
    Entities(#[source] Box<cedar_policy::entities_errors::EntitiesError>),
    /// The context cannot be evaluated.
    #[error("the context of a request cannot be evaluated")]
    Context(#[source] Box<cedar_policy::ContextCreationError>),
    /// The request does not fit the schema.
    #[error("the request does not fit the policy schema")]
    Request(#[source] Box<cedar_policy::RequestValidationError>),
    /// A kind of resource or an action has no type in the schema.
    #[error("a kind of resource or an action has no type in the policy schema")]
    Kind,
}

impl EngineError {
    fn name(cause: cedar_policy::ParseErrors) -> Self {
        Self::Name(Box::new(cause))
    }
    fn attribute(cause: cedar_policy::EntityAttrEvaluationError) -> Self {
        Self::Attribute(Box::new(cause))
    }
    fn entities(cause: cedar_policy::entities_errors::EntitiesError) -> Self {
        Self::Entities(Box::new(cause))
    }
}

/// With what the caller proves itself, as the policies see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CredentialKind {
    /// A signed-in session.
    Session,
    /// An API token.
    Token,
    /// A TLS client certificate.
    Certificate,
    /// None: the installation itself.
    None,
}

impl CredentialKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::Certificate => "certificate",
            Self::None => "none",
        }
    }
}

/// One question to the policies.
#[derive(Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub subject: &'a Subject,
    /// What for.
    pub action: Action,
    /// On what.
    pub resource: &'a Resource,
    /// To whom the thing belongs.
    pub relations: Relations,
    /// Whether two factors, or a certificate, were shown.
    pub strong: bool,
    /// With what.
    pub credential: CredentialKind,
    /// Through which door.
    pub door: Door,
    /// Seconds since the newest proof.
    pub factor_age_seconds: i64,
    /// The time.
    pub now: Timestamp,
}

/// What the policies say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// `Ok` when allowed, else the code of the refusal.
    pub verdict: Result<(), Cow<'static, str>>,
    /// The policies that decided, by their `@id`, in order.
    pub because: Vec<String>,
}

struct Slice {
    policies: PolicySet,
    /// The action with its groups, for `action in Action::"read"`.
    action: Entity,
    reads_time: bool,
}

/// The loaded policies.
pub struct Engine {
    authorizer: Authorizer,
    names: Names,
    slices: HashMap<Action, Slice>,
    codes: HashMap<PolicyId, String>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("policies", &self.codes.len()).finish_non_exhaustive()
    }
}

impl Engine {
    /// Loads the policies that this build carries.
    ///
    /// # Errors
    /// When they do not parse; a test shows that they do, and that they fit the schema.
    pub fn load() -> Result<Self, EngineError> {
        let schema = Schema::from_str(&cedar_schema())
            .map_err(|cause| EngineError::Schema(Box::new(cause)))?;
        let all = parse_all()?;
        let codes = all
            .iter()
            .filter_map(|p| Some((p.id().clone(), p.annotation("code")?.to_owned())))
            .collect();
        let names = Names::new()?;
        let groups = schema.action_entities().map_err(EngineError::entities)?;
        let mut slices = HashMap::new();
        for action in Action::ALL {
            let own = names.action(*action).ok_or(EngineError::Kind)?;
            let entity = groups.get(own).ok_or(EngineError::Kind)?.clone();
            let mut policies = PolicySet::new();
            let mut reads_time = false;
            for policy in &all {
                let concerns = match policy.action_constraint() {
                    ActionConstraint::Any => true,
                    ActionConstraint::Eq(one) => one == *own,
                    ActionConstraint::In(some) => {
                        some.iter().any(|one| one == own || groups.is_ancestor_of(one, own))
                    }
                };
                if concerns {
                    reads_time |= policy_reads_time(policy);
                    add(&mut policies, policy.clone())?;
                }
            }
            slices.insert(*action, Slice { policies, action: entity, reads_time });
        }
        Ok(Self { authorizer: Authorizer::new(), names, slices, codes })
    }

    /// All policies in one set, for validation and for people who read them.
    ///
    /// # Errors
    /// As [`Engine::load`].
    pub fn policy_set() -> Result<PolicySet, EngineError> {
        let mut set = PolicySet::new();
        for policy in parse_all()? {
            add(&mut set, policy)?;
        }
        Ok(set)
    }

    /// Whether an answer about this action depends on the time or on a factor's age; such answers
    /// are not remembered.
    #[must_use]
    pub fn reads_time(&self, action: Action) -> bool {
        self.slices.get(&action).is_none_or(|slice| slice.reads_time)
    }

    /// The part of the entities that depends on caller and key domain only, to be kept and used
    /// again.
    ///
    /// # Errors
    /// When the entities do not fit together.
    pub fn surroundings(
        &self,
        subject: &Subject,
        domain: kernel::DomainId,
    ) -> Result<Surroundings, EngineError> {
        let entities = self.names.surroundings(subject, domain)?;
        Entities::from_entities(entities, None).map(Surroundings).map_err(EngineError::entities)
    }

    /// Asks the policies.
    ///
    /// # Errors
    /// When the question cannot be put; the caller of this function refuses then.
    pub fn ask(
        &self,
        question: &Question<'_>,
        around: &Surroundings,
    ) -> Result<Answer, EngineError> {
        let slice = self.slices.get(&question.action).ok_or(EngineError::Kind)?;
        let thing = self.names.thing(question.resource, question.relations)?;
        let more = thing.into_iter().chain([slice.action.clone()]);
        let entities = around.0.clone().add_entities(more, None).map_err(EngineError::entities)?;
        let request = Request::new(
            self.names.principal(question.subject.principal),
            self.names.action(question.action).ok_or(EngineError::Kind)?.clone(),
            self.names.resource(question.resource).ok_or(EngineError::Kind)?,
            context(question)?,
            None,
        )
        .map_err(|cause| EngineError::Request(Box::new(cause)))?;
        let response = self.authorizer.is_authorized(&request, &slice.policies, &entities);
        let mut because: Vec<_> =
            response.diagnostics().reason().map(|id| id.to_string()).collect();
        because.sort_unstable();
        // A policy that failed to evaluate is never a reason to allow.
        let failed = response.diagnostics().errors().next().is_some();
        let verdict = match response.decision() {
            Decision::Allow if !failed => Ok(()),
            Decision::Allow => Err(Cow::Borrowed("policy-error")),
            Decision::Deny if because.is_empty() => Err(Cow::Borrowed("no-policy-allows")),
            Decision::Deny => Err(self.code(response.diagnostics().reason())),
        };
        Ok(Answer { verdict, because })
    }

    /// The most telling code of the policies that forbade.
    fn code<'a>(&self, policies: impl Iterator<Item = &'a PolicyId>) -> Cow<'static, str> {
        let found: BTreeSet<&str> =
            policies.filter_map(|id| self.codes.get(id)).map(String::as_str).collect();
        ["account-locked", "forbidden", "second-factor-needed"]
            .into_iter()
            .find(|code| found.contains(code))
            .map_or(Cow::Borrowed("forbidden"), Cow::Borrowed)
    }
}

/// Entities that many decisions share.
#[derive(Clone, Debug)]
pub struct Surroundings(Entities);

fn context(question: &Question<'_>) -> Result<Context, EngineError> {
    let door = match question.door {
        Door::Rest => "rest",
        Door::Console => "console",
        Door::Internal => "internal",
    };
    let text = |word: &str| RestrictedExpression::new_string(word.to_owned());
    let long = RestrictedExpression::new_long;
    Context::from_pairs([
        (String::from("strong"), RestrictedExpression::new_bool(question.strong)),
        (String::from("credential"), text(question.credential.word())),
        (String::from("door"), text(door)),
        (String::from("factorAgeSeconds"), long(question.factor_age_seconds)),
        (String::from("nowSeconds"), long(question.now.unix_seconds())),
    ])
    .map_err(|cause| EngineError::Context(Box::new(cause)))
}

fn parse_all() -> Result<Vec<Policy>, EngineError> {
    let mut all = Vec::new();
    for (file, text) in POLICY_TEXTS {
        let set = PolicySet::from_str(text)
            .map_err(|cause| EngineError::Parse { file, cause: Box::new(cause) })?;
        for policy in set.policies() {
            let id = policy.annotation("id").ok_or(EngineError::Unnamed { file })?;
            all.push(policy.new_id(PolicyId::new(id)));
        }
    }
    all.sort_by(|a, b| a.id().cmp(b.id()));
    Ok(all)
}

fn add(set: &mut PolicySet, policy: Policy) -> Result<(), EngineError> {
    let id = policy.id().to_string();
    set.add(policy).map_err(|cause| EngineError::Add { id, cause: Box::new(cause) })
}

fn policy_reads_time(policy: &Policy) -> bool {
    let text = policy.to_string();
    ["factorAgeSeconds", "nowSeconds"].iter().any(|word| text.contains(word))
}
