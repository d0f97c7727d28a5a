//! Documents of marked-up text: lines of prose and tables, in the dialects of HTML, of office
//! programs, and of plain XML, whose elements are the columns of their values.

use crate::Format;
use crate::flow::Flow;
use crate::ledger::Ledger;
use crate::markup::{Markup, Token, attributes};
use crate::obstacle::Obstacle;
use crate::sheet::Sheet;
use detect::Layout;

/// A row of a table longer than this is read as prose.
const ROW_BYTES_MAX: usize = 256 << 10;
/// Repeated cells that are written out, to keep columns in line.
const REPEATED_MAX: usize = 256;

/// What elements mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Html,
    /// DOCX and PPTX, which agree in the names that matter.
    Office,
    /// OpenDocument.
    OpenDocument,
    /// Anything else.
    Xml,
}

impl Dialect {
    /// The dialect that a text begins in, if it is marked up.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        let text = head.trim_ascii_start();
        if text.first() != Some(&b'<') {
            return None;
        }
        let lower = text.get(..text.len().min(1_024)).unwrap_or_default().to_ascii_lowercase();
        let has = |word: &[u8]| lower.windows(word.len()).any(|bytes| bytes == word);
        if [&b"<!doctype html"[..], b"<html", b"<head", b"<body", b"<table", b"<div", b"<p>"]
            .iter()
            .any(|word| has(word))
        {
            return Some(Self::Html);
        }
        let named = text.get(1).is_some_and(|b| b.is_ascii_alphabetic() || b"?!_".contains(b));
        (named && (lower.starts_with(b"<?xml") || has(b"</") || has(b"/>") || has(b"<!")))
            .then_some(Self::Xml)
    }

    /// The format that a text of this dialect has when nothing around it says more.
    pub(crate) const fn format(self) -> Format {
        match self {
            Self::Html => Format::Html,
            _ => Format::Xml,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Table,
    Row,
    Cell,
    Line,
    Space,
    Other,
}

fn role(dialect: Dialect, name: &[u8]) -> Role {
    let lower = name.to_ascii_lowercase();
    match (dialect, lower.as_slice()) {
        (Dialect::Html | Dialect::OpenDocument, b"table") | (Dialect::Office, b"tbl") => {
            Role::Table
        }
        (Dialect::Html | Dialect::Office, b"tr") | (Dialect::OpenDocument, b"table-row") => {
            Role::Row
        }
        (Dialect::Html, b"td" | b"th")
        | (Dialect::Office, b"tc")
        | (Dialect::OpenDocument, b"table-cell" | b"covered-table-cell") => Role::Cell,
        (Dialect::Office | Dialect::OpenDocument, b"tab" | b"s") => Role::Space,
        (Dialect::Office, b"p" | b"br" | b"cr") => Role::Line,
        (Dialect::OpenDocument, b"p" | b"h" | b"line-break") => Role::Line,
        (
            Dialect::Html,
            b"p" | b"div" | b"br" | b"li" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"ul"
            | b"ol" | b"hr" | b"title" | b"section" | b"article" | b"header" | b"footer" | b"pre"
            | b"option" | b"textarea" | b"button" | b"dt" | b"dd" | b"blockquote" | b"script"
            | b"style" | b"body" | b"caption",
        ) => Role::Line,
        _ => Role::Other,
    }
}

/// A document on its way into a ledger.
pub(crate) struct Page {
    markup: Markup,
    reader: Reader,
}

impl Page {
    pub(crate) fn new(dialect: Dialect, columns_max: usize) -> Self {
        let markup = if dialect == Dialect::Html { Markup::html() } else { Markup::default() };
        Self { markup, reader: Reader::new(dialect, columns_max) }
    }

    /// Takes the next piece.
    pub(crate) fn feed(&mut self, ledger: &mut Ledger, text: &[u8]) {
        let Self { markup, reader } = self;
        markup.feed(text, &mut |token| reader.take(ledger, token));
    }

    /// Ends the document.
    ///
    /// # Errors
    /// An obstacle when it declares entities of its own: what they hide was not looked at.
    pub(crate) fn finish(&mut self, ledger: &mut Ledger) -> Result<(), Obstacle> {
        let Self { markup, reader } = self;
        markup.finish(&mut |token| reader.take(ledger, token));
        reader.finish(ledger);
        if reader.declares {
            return Err(Obstacle::unsupported("entities that the document declares stay closed"));
        }
        Ok(())
    }
}

struct Reader {
    dialect: Dialect,
    columns_max: usize,
    flow: Flow,
    /// Attributes and comments, which are no part of the text.
    aside: Flow,
    /// The element that text belongs to, in plain XML.
    element: Vec<u8>,
    /// A value of plain XML is open.
    open: bool,
    tables: u32,
    sheet: Option<Sheet>,
    row: Vec<Vec<u8>>,
    row_bytes: usize,
    row_number: u64,
    in_cell: bool,
    repeated: usize,
    declares: bool,
}

impl Reader {
    fn new(dialect: Dialect, columns_max: usize) -> Self {
        let xml = dialect == Dialect::Xml;
        let layout = if xml { Layout::JsonLines } else { Layout::Prose };
        let unit = if xml { "value" } else { "paragraph" };
        Self {
            dialect,
            columns_max,
            flow: Flow::laid_out(unit, layout),
            aside: Flow::laid_out("attribute", Layout::Prose),
            element: Vec::new(),
            open: false,
            tables: 0,
            sheet: None,
            row: Vec::new(),
            row_bytes: 0,
            row_number: 0,
            in_cell: false,
            repeated: 0,
            declares: false,
        }
    }

    fn take(&mut self, ledger: &mut Ledger, token: Token<'_>) {
        match token {
            Token::Declares => self.declares = true,
            Token::Comment(text) => {
                self.aside.feed(ledger, text);
                self.aside.feed(ledger, b"\n");
            }
            token if self.dialect == Dialect::Xml => self.xml(ledger, token),
            Token::Text(text) => self.text(ledger, text),
            Token::Open(name, rest) => {
                self.attributes(ledger, rest);
                self.opens(ledger, role(self.dialect, name), rest);
            }
            Token::Close(name) => self.closes(ledger, role(self.dialect, name)),
        }
    }

    /// Each value becomes a line of JSON with its element's name.
    fn xml(&mut self, ledger: &mut Ledger, token: Token<'_>) {
        match token {
            Token::Text(text) => {
                let text = if self.open { text } else { text.trim_ascii_start() };
                if text.is_empty() {
                    return;
                }
                if !self.open {
                    self.open = true;
                    let name = self.element.clone();
                    self.begin(ledger, &name);
                }
                self.value(ledger, text);
            }
            Token::Open(name, rest) => {
                self.end_value(ledger);
                name.clone_into(&mut self.element);
                for (name, value) in attributes(rest) {
                    self.begin(ledger, name);
                    self.value(ledger, &value);
                    self.flow.feed(ledger, b"\"}\n");
                }
            }
            _ => {
                self.end_value(ledger);
                self.element.clear();
            }
        }
    }

    fn begin(&mut self, ledger: &mut Ledger, name: &[u8]) {
        self.flow.feed(ledger, b"{\"");
        self.value(ledger, name);
        self.flow.feed(ledger, b"\":\"");
    }

    fn value(&mut self, ledger: &mut Ledger, text: &[u8]) {
        let plain = text.iter().map(|byte| match byte {
            b'"' => b'\'',
            b'\\' => b'/',
            b'\n' | b'\r' | b'\t' => b' ',
            byte => *byte,
        });
        let plain: Vec<u8> = plain.collect();
        self.flow.feed(ledger, &plain);
    }

    fn end_value(&mut self, ledger: &mut Ledger) {
        if std::mem::take(&mut self.open) {
            self.flow.feed(ledger, b"\"}\n");
        }
    }

    fn text(&mut self, ledger: &mut Ledger, text: &[u8]) {
        if !self.in_cell {
            return self.flow.feed(ledger, text);
        }
        if let Some(cell) = self.row.last_mut() {
            cell.extend_from_slice(text);
            self.row_bytes += text.len();
        }
        if self.row_bytes > ROW_BYTES_MAX {
            self.row_as_prose(ledger);
        }
    }

    /// Values that programs read and people do not see.
    fn attributes(&mut self, ledger: &mut Ledger, rest: &[u8]) {
        if self.dialect != Dialect::Html || rest.is_empty() {
            return;
        }
        for (name, value) in attributes(rest) {
            let name_lower = name.to_ascii_lowercase();
            let told = matches!(
                name_lower.as_slice(),
                b"value" | b"content" | b"alt" | b"title" | b"href" | b"placeholder"
            ) || name_lower.starts_with(b"data-");
            if told && value.len() > 1 {
                self.aside.feed(ledger, &name_lower);
                self.aside.feed(ledger, b": ");
                self.aside.feed(ledger, &value);
                self.aside.feed(ledger, b"\n");
            }
        }
    }

    fn opens(&mut self, ledger: &mut Ledger, role: Role, rest: &[u8]) {
        match role {
            Role::Table => {
                self.row_as_prose(ledger);
                self.end_table(ledger);
                self.tables += 1;
            }
            Role::Row => {
                self.row_as_prose(ledger);
                self.row_number += 1;
            }
            Role::Cell if self.tables > 0 && self.row.len() < self.columns_max => {
                self.row.push(Vec::new());
                self.in_cell = true;
                self.repeated = repeated(self.dialect, rest);
            }
            Role::Line => self.between(ledger, b"\n"),
            Role::Space => self.between(ledger, b" "),
            Role::Cell | Role::Other => {}
        }
    }

    fn closes(&mut self, ledger: &mut Ledger, role: Role) {
        match role {
            Role::Table => {
                self.row_as_prose(ledger);
                self.end_table(ledger);
                self.tables = self.tables.saturating_sub(1);
            }
            Role::Row => self.end_row(ledger),
            Role::Cell => {
                self.in_cell = false;
                let cell = self.row.last().cloned().unwrap_or_default();
                let room = self.columns_max.saturating_sub(self.row.len());
                let copies = std::mem::take(&mut self.repeated).min(REPEATED_MAX).min(room);
                self.row.extend(std::iter::repeat_n(cell, copies));
            }
            Role::Line => self.between(ledger, b"\n"),
            Role::Space | Role::Other => {}
        }
    }

    fn between(&mut self, ledger: &mut Ledger, gap: &[u8]) {
        if self.in_cell {
            self.text(ledger, b" ");
        } else {
            self.flow.feed(ledger, gap);
        }
    }

    /// The first row names the columns, and is read as text as well.
    fn end_row(&mut self, ledger: &mut Ledger) {
        self.in_cell = false;
        let empty = self.row.iter().all(|cell| cell.trim_ascii().is_empty());
        if self.tables == 0 || empty {
            self.row.clear();
        } else if let Some(sheet) = &mut self.sheet {
            sheet.row(ledger, self.row_number, &self.row);
            self.row.clear();
        } else {
            ledger.next_table();
            self.sheet = Some(Sheet::new(&self.row, self.columns_max));
            self.row_as_prose(ledger);
        }
        self.row_bytes = 0;
    }

    fn row_as_prose(&mut self, ledger: &mut Ledger) {
        for cell in std::mem::take(&mut self.row) {
            self.flow.feed(ledger, &cell);
            self.flow.feed(ledger, b"\n");
        }
        self.row_bytes = 0;
        self.in_cell = false;
    }

    fn end_table(&mut self, ledger: &mut Ledger) {
        if let Some(mut sheet) = self.sheet.take() {
            sheet.finish(ledger);
        }
        self.row_number = 0;
    }

    fn finish(&mut self, ledger: &mut Ledger) {
        self.end_value(ledger);
        self.row_as_prose(ledger);
        self.end_table(ledger);
        self.flow.finish(ledger);
        self.aside.finish(ledger);
    }
}

/// How often a cell of OpenDocument is repeated after itself.
fn repeated(dialect: Dialect, rest: &[u8]) -> usize {
    if dialect != Dialect::OpenDocument {
        return 0;
    }
    let found = attributes(rest).into_iter().find(|(name, _)| *name == b"number-columns-repeated");
    let count = found.and_then(|(_, value)| String::from_utf8(value).ok()?.parse::<usize>().ok());
    count.unwrap_or(1).saturating_sub(1)
}
