//! Rows of a table whose columns are known, looked at in windows like a delimited text.

use crate::flow::WINDOW_BYTES;
use crate::ledger::Ledger;
use crate::locate::{Locator, Numbers};
use detect::{Columns, Layout};

/// The longest cell that stands in its row; a longer one is looked at by itself.
const CELL_BYTES_MAX: usize = 16 << 10;
/// The longest name of a column.
const NAME_BYTES_MAX: usize = 256;
const DELIMITER: u8 = b'\t';

/// A table on its way into a ledger.
pub(crate) struct Sheet {
    header: bool,
    /// The header, then rows.
    buffer: Vec<u8>,
    header_bytes: usize,
    columns_max: usize,
    rows: Vec<u64>,
    seen: Columns,
}

impl Sheet {
    /// A table with these columns; names may be empty. Without columns there is no header.
    pub(crate) fn new<T: AsRef<[u8]>>(names: &[T], columns_max: usize) -> Self {
        let mut buffer = Vec::new();
        for (place, name) in names.iter().take(columns_max).enumerate() {
            if place > 0 {
                buffer.push(DELIMITER);
            }
            let name = name.as_ref();
            write(&mut buffer, name.get(..name.len().min(NAME_BYTES_MAX)).unwrap_or_default());
        }
        if !names.is_empty() {
            buffer.push(b'\n');
        }
        let header_bytes = buffer.len();
        Self {
            header: header_bytes > 0,
            buffer,
            header_bytes,
            columns_max,
            rows: Vec::new(),
            seen: Columns::default(),
        }
    }

    /// Takes the next row, which has this number.
    pub(crate) fn row<T: AsRef<[u8]>>(&mut self, ledger: &mut Ledger, number: u64, cells: &[T]) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                // Cells of columns that are not judged stand in the last one.
                self.buffer.push(if place < self.columns_max { DELIMITER } else { b' ' });
            }
            let cell = cell.as_ref();
            if cell.len() <= CELL_BYTES_MAX {
                write(&mut self.buffer, cell);
            } else {
                let at = format!("row {number}, column {}", place + 1);
                ledger.look_at_passage(cell, &at);
            }
        }
        self.buffer.push(b'\n');
        self.rows.push(number);
        if self.buffer.len() >= WINDOW_BYTES {
            self.finish(ledger);
        }
    }

    /// Looks at the rows that have come.
    pub(crate) fn finish(&mut self, ledger: &mut Ledger) {
        if !self.rows.is_empty() {
            let layout = Layout::Delimited { delimiter: DELIMITER, header: self.header };
            let numbers = Numbers::Each(&self.rows);
            let locator = Locator::rows(&self.buffer, DELIMITER, self.header, numbers);
            let counted = self.header_bytes..self.buffer.len();
            ledger.look(&self.buffer, layout, counted, locator, &mut self.seen);
        }
        self.buffer.truncate(self.header_bytes);
        self.rows.clear();
    }
}

/// Writes a cell without what would end it.
fn write(buffer: &mut Vec<u8>, cell: &[u8]) {
    let plain = cell.iter().enumerate().map(|(place, byte)| match byte {
        b'\t' | b'\n' | b'\r' => b' ',
        b'"' if place == 0 => b' ',
        byte => *byte,
    });
    buffer.extend(plain);
}
