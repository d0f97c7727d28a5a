//! The lines of the table, one file for each kind of thing.

mod domains;
mod key_uses;
mod keys;
mod log;
mod system;

use crate::table::Table;

/// Every endpoint, in the order of the document.
pub(crate) fn table() -> Table {
    let mut table = Table::default();
    system::lines(&mut table);
    domains::lines(&mut table);
    keys::lines(&mut table);
    key_uses::lines(&mut table);
    log::lines(&mut table);
    table
}
