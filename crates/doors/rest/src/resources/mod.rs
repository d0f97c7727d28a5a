//! The lines of the table, one file for each kind of thing.

mod system;

use crate::table::Table;

/// Every endpoint, in the order of the document.
pub(crate) fn table() -> Table {
    let mut table = Table::default();
    system::lines(&mut table);
    table
}
