//! The Cedar schema, written from the kernel's actions and kinds so that the two cannot differ.

use super::groups::ActionGroup;
use crate::roles::Role;
use kernel::{Action, ResourceKind};
use std::fmt::Write;

/// The entity type of a kind of resource: its word with a capital.
#[must_use]
pub(super) fn type_name(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::System => "System",
        ResourceKind::Domain => "Domain",
        ResourceKind::Key => "Key",
        ResourceKind::Identity => "Identity",
        ResourceKind::Policy => "Policy",
        ResourceKind::Approval => "Approval",
        ResourceKind::Log => "Log",
        ResourceKind::Asset => "Asset",
        ResourceKind::Data => "Data",
        ResourceKind::Requirement => "Requirement",
        ResourceKind::Report => "Report",
    }
}

/// The schema as Cedar text. `tests/golden/schema.cedarschema` keeps it for readers.
#[must_use]
pub fn cedar_schema() -> String {
    let mut text = String::from(
        "// Written by the program from its actions, kinds and roles.\n\
         // A post is a role in one key domain; that of the installation lies in all of them.\n\
         entity Duty;\n\
         entity Role in [Duty];\n\
         entity Post in [Post, Role];\n\
         entity Group in [Post];\n\
         entity Person in [Post, Group] { locked: Bool };\n\
         entity Service in [Post, Group] { locked: Bool, workloads: Set<String> };\n\
         entity Installation;\n\
         type Surroundings = {\n  \
           strong: Bool, credential: String, door: String, factorAgeSeconds: Long, nowSeconds: Long,\n\
         };\n",
    );
    for kind in ResourceKind::ALL {
        let more = match kind {
            ResourceKind::Domain => {
                Role::ALL.iter().map(|role| format!(", \"{role}\": Post")).collect()
            }
            ResourceKind::Identity => String::from(", person?: Person, ownedBy?: Person"),
            ResourceKind::Approval => String::from(", requestedBy?: Person"),
            ResourceKind::Report => String::from(", preparedBy?: Person, reviewedBy?: Person"),
            _ => String::new(),
        };
        let _ =
            writeln!(text, "entity {} {{ domain: Domain{more} }} tags String;", type_name(kind));
    }
    for group in ActionGroup::ALL {
        let _ = writeln!(text, "action \"{}\";", group.word());
    }
    for action in Action::ALL {
        let groups: Vec<_> =
            ActionGroup::of(*action).iter().map(|g| format!("\"{}\"", g.word())).collect();
        let within =
            if groups.is_empty() { String::new() } else { format!(" in [{}]", groups.join(", ")) };
        let _ = writeln!(
            text,
            "action \"{action}\"{within} appliesTo {{ principal: [Person, Service, Installation], \
             resource: [{}], context: Surroundings }};",
            type_name(action.resource_kind()),
        );
    }
    text
}
