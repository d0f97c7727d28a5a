//! Groups: made, filled, ended. Their roles are given by `roles grant`, as anybody's.

use super::CliError;
use super::identities::put;
use super::show;
use super::verb::Verb;
use clap::Subcommand;
use http::Method;
use serde_json::json;

/// Verbs of groups.
#[derive(Debug, Subcommand)]
pub enum Groups {
    /// Lists groups.
    List,
    /// Shows one group with its members and roles.
    Show {
        /// The group.
        group: String,
    },
    /// Makes a group without members and roles.
    Create {
        /// The name; no two groups have one.
        #[arg(long)]
        name: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Changes name or description of a group.
    #[command(group(clap::ArgGroup::new("what").required(true).multiple(true)))]
    Change {
        /// The group.
        group: String,
        /// The new name.
        #[arg(long, group = "what")]
        name: Option<String>,
        /// What it is for from now on.
        #[arg(long, group = "what")]
        description: Option<String>,
    },
    /// Ends a group at once: whoever held roles by it holds them no more.
    Delete {
        /// The group.
        group: String,
    },
    /// Lets a person or service in; where the rule says so, after others have approved.
    Add {
        /// The group.
        group: String,
        /// The person or service.
        holder: String,
    },
    /// Puts a person or service out at once.
    Remove {
        /// The group.
        group: String,
        /// The person or service.
        holder: String,
    },
}

pub(super) async fn groups(verb: Verb, groups: Groups) -> Result<(), CliError> {
    match groups {
        Groups::List => {
            verb.get(&["groups"], &[], show::table(&["id", "name", "description"])).await
        }
        Groups::Show { group } => verb.get(&["groups", &group], &[], show::fields).await,
        Groups::Create { name, description } => {
            let body = json!({ "name": name, "description": description });
            verb.post(&["groups"], Some(&body), show::fields).await
        }
        Groups::Change { group, name, description } => {
            let mut body = json!({});
            if let Some(name) = name {
                put(&mut body, "name", name);
            }
            if let Some(description) = description {
                put(&mut body, "description", description);
            }
            verb.done(Method::PATCH, &["groups", &group], Some(&body), "changed").await
        }
        Groups::Delete { group } => {
            verb.done(Method::DELETE, &["groups", &group], None, "ended").await
        }
        Groups::Add { group, holder } => {
            let path = ["groups", &group, "members", &holder];
            verb.done(Method::PUT, &path, None, "let in").await
        }
        Groups::Remove { group, holder } => {
            let path = ["groups", &group, "members", &holder];
            verb.done(Method::DELETE, &path, None, "put out").await
        }
    }
}
