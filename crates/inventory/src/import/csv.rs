//! CSV as RFC 4180 has it: quotes doubled inside quotes, line breaks allowed there.

/// Longest cell, in bytes: an attribute of 1,000 characters in any script fits.
pub(super) const CELL_BYTES_MAX: usize = 4_096;
/// Most columns.
pub(super) const COLUMNS_MAX: usize = 80;

/// Why a text is not CSV; the number is the line, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CsvError {
    #[error("a quoted cell that begins on line {0} does not end")]
    Open(usize),
    #[error("line {0} has text after a closing quote, or a quote inside an unquoted cell")]
    Quote(usize),
    #[error("line {0} has a cell longer than 4,096 bytes")]
    CellTooLong(usize),
    #[error("line {0} has more than 80 columns")]
    TooManyColumns(usize),
}

/// One record and the line on which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

/// Reads records; lines that are empty are skipped.
pub(super) fn records(text: &str) -> impl Iterator<Item = Result<Record, CsvError>> {
    let mut reader = Reader { chars: text.chars().peekable(), line: 1, failed: false };
    std::iter::from_fn(move || reader.record())
}

struct Reader<'t> {
    chars: std::iter::Peekable<std::str::Chars<'t>>,
    line: usize,
    failed: bool,
}

enum End {
    Cell,
    Record,
}

impl Reader<'_> {
    fn record(&mut self) -> Option<Result<Record, CsvError>> {
        loop {
            if self.failed {
                return None;
            }
            self.chars.peek()?;
            let (line, mut cells) = (self.line, Vec::new());
            loop {
                match self.cell() {
                    Ok((cell, end)) => {
                        cells.push(cell);
                        if cells.len() > COLUMNS_MAX {
                            self.failed = true;
                            return Some(Err(CsvError::TooManyColumns(line)));
                        }
                        if matches!(end, End::Record) {
                            break;
                        }
                    }
                    Err(error) => {
                        // After a broken quote nobody can tell where the next record begins.
                        self.failed = true;
                        return Some(Err(error));
                    }
                }
            }
            if cells.iter().any(|cell| !cell.is_empty()) {
                return Some(Ok(Record { line, cells }));
            }
        }
    }

    fn cell(&mut self) -> Result<(String, End), CsvError> {
        let line = self.line;
        let mut cell = String::new();
        if self.chars.next_if_eq(&'"').is_some() {
            loop {
                match self.chars.next() {
                    None => return Err(CsvError::Open(line)),
                    Some('"') if self.chars.next_if_eq(&'"').is_some() => cell.push('"'),
                    Some('"') => break,
                    Some(c) => {
                        self.line += usize::from(c == '\n');
                        cell.push(c);
                    }
                }
                if cell.len() > CELL_BYTES_MAX {
                    return Err(CsvError::CellTooLong(line));
                }
            }
            return match self.end() {
                Some(end) => Ok((cell, end)),
                None => Err(CsvError::Quote(self.line)),
            };
        }
        loop {
            if let Some(end) = self.end() {
                return Ok((cell, end));
            }
            match self.chars.next() {
                Some('"') => return Err(CsvError::Quote(self.line)),
                Some(c) => cell.push(c),
                None => return Ok((cell, End::Record)),
            }
            if cell.len() > CELL_BYTES_MAX {
                return Err(CsvError::CellTooLong(line));
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        match self.chars.peek() {
            None => Some(End::Record),
            Some(',') => {
                self.chars.next();
                Some(End::Cell)
            }
            Some('\n') => {
                self.chars.next();
                self.line += 1;
                Some(End::Record)
            }
            Some('\r') => {
                self.chars.next();
                self.chars.next_if_eq(&'\n');
                self.line += 1;
                Some(End::Record)
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<Vec<String>>, CsvError> {
        records(text).map(|r| r.map(|r| r.cells)).collect()
    }

    #[test]
    fn quotes_commas_and_line_breaks_survive() {
        let text = "a,\"b,c\",\"d\"\"e\"\r\n\r\n\"two\nlines\",,z";
        let rows = read(text).unwrap();
        assert_eq!(rows, [vec!["a", "b,c", "d\"e"], vec!["two\nlines", "", "z"]]);
        let lines: Vec<_> = records(text).map(|r| r.unwrap().line).collect();
        assert_eq!(lines, [1, 3]);
    }

    #[test]
    fn broken_quotes_and_limits_are_named_with_their_line() {
        assert_eq!(read("a\n\"b"), Err(CsvError::Open(2)));
        assert_eq!(read("a\n\"b\"c"), Err(CsvError::Quote(2)));
        assert_eq!(read("a\nb\"c"), Err(CsvError::Quote(2)));
        assert_eq!(read(&"x".repeat(CELL_BYTES_MAX + 1)), Err(CsvError::CellTooLong(1)));
        assert!(read(&"x".repeat(CELL_BYTES_MAX)).is_ok());
        assert_eq!(read(&",".repeat(COLUMNS_MAX)), Err(CsvError::TooManyColumns(1)));
        assert!(read(&format!("x{}", ",".repeat(COLUMNS_MAX - 1))).is_ok());
    }

    proptest! {
        #[test]
        fn what_was_quoted_reads_back(
            rows in proptest::collection::vec(
                proptest::collection::vec("[a-c\",\r\n é]{0,6}", 1..5), 1..6),
        ) {
            let quote = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line = |row: &Vec<String>| row.iter().map(quote).collect::<Vec<_>>().join(",");
            let text = rows.iter().map(line).collect::<Vec<_>>().join("\r\n");
            let expected: Vec<_> =
                rows.into_iter().filter(|row| row.iter().any(|c| !c.is_empty())).collect();
            prop_assert_eq!(read(&text), Ok(expected));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,80}") {
            let _ = read(&text);
        }
    }
}
