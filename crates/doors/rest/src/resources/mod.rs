//! The lines of the table, one file for each kind of thing.

mod account;
mod approvals;
mod assets;
mod data;
mod domains;
mod findings;
mod groups;
mod identities;
mod key_switches;
mod key_uses;
mod keys;
mod log;
mod profiles;
mod reports;
mod requirements;
mod sessions;
mod system;
mod tiles;
mod tokens;

use crate::table::Table;

/// Every endpoint, in the order of the document.
pub(crate) fn table() -> Table {
    let mut table = Table::default();
    system::lines(&mut table);
    sessions::lines(&mut table);
    account::lines(&mut table);
    identities::lines(&mut table);
    groups::lines(&mut table);
    tokens::lines(&mut table);
    approvals::lines(&mut table);
    domains::lines(&mut table);
    keys::lines(&mut table);
    key_switches::lines(&mut table);
    key_uses::lines(&mut table);
    log::lines(&mut table);
    tiles::lines(&mut table);
    assets::lines(&mut table);
    data::lines(&mut table);
    profiles::lines(&mut table);
    findings::lines(&mut table);
    requirements::lines(&mut table);
    reports::lines(&mut table);
    table
}
