//! Findings as tables: for a spreadsheet, for paper, and across borders.

use crate::class::Class;
use crate::discover::Discover;
use crate::error::DiscoverError;
use crate::finding::Finding;
use crate::reading::{SourceView, Wanted};
use documents::html::{Block, Page};
use documents::{Cell, Table};
use kernel::actions::DataRead;
use kernel::{Outcome, Permit, Recorder, Scope, Timestamp};

/// Rows of one report: a spreadsheet takes a million, people take fewer.
pub const ROWS_MAX: usize = 100_000;
/// Findings that are read at once.
const READ_AT_ONCE: usize = 500;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportForm {
    /// Comma-separated values.
    Csv,
    /// A workbook: findings, sources, across borders.
    Xlsx,
    /// A page for paper.
    Html,
}

/// A report of findings.
#[derive(Debug)]
pub struct Report {
    /// The media type.
    pub media: &'static str,
    /// The ending of its file's name.
    pub ending: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Discover {
    /// Writes every finding that the caller may see and that is wanted, the highest risk first.
    ///
    /// # Errors
    /// When the permit has expired, the store cannot be read or the workbook not be written.
    pub fn report(
        &self,
        permit: Permit<DataRead>,
        form: ReportForm,
        wanted: &Wanted,
        sample: bool,
    ) -> Result<Report, DiscoverError> {
        self.live(&permit)?;
        let (scope, now) = (permit.scope(), self.inner.clock.wall());
        let sources = self.inner.sources_within(&scope)?;
        let findings = self.all(&scope, wanted, now)?;
        let rows = findings.len();
        let tables =
            [findings_table(&findings, &sources), sources_table(&sources), borders_table(&sources)];
        let title = if sample { "SAMPLE: findings" } else { "Findings" };
        let (media, ending, bytes) = match form {
            ReportForm::Csv => {
                let [findings, ..] = &tables;
                ("text/csv; charset=utf-8", "csv", documents::csv::write(findings))
            }
            ReportForm::Xlsx => (
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "xlsx",
                documents::xlsx::write(title, &tables)?,
            ),
            ReportForm::Html => {
                let page = page(title, sample, now, tables);
                ("text/html; charset=utf-8", "html", documents::html::write(&page).into_bytes())
            }
        };
        let event = permit.into_event(Outcome::Done, &*self.inner.clock);
        let event = event.with("report", ending).with("rows", rows.to_string());
        self.inner.store.record(event);
        Ok(Report { media, ending, bytes })
    }

    fn all(
        &self,
        scope: &Scope,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Vec<Finding>, DiscoverError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.inner.store.page::<crate::records::Findings>(
                scope,
                after.as_ref(),
                READ_AT_ONCE,
                |record| {
                    let mut finding = record.value.clone();
                    finding.expire(now);
                    wanted.fits(&finding)
                },
            )?;
            all.extend(page.items.into_iter().map(|record| record.value));
            after = page.next;
            if after.is_none() || all.len() >= ROWS_MAX {
                all.truncate(ROWS_MAX);
                return Ok(all);
            }
        }
    }
}

fn page(title: &str, sample: bool, now: Timestamp, tables: [Table; 3]) -> Page {
    let mut blocks = vec![Block::Text(
        "Findings by risk, highest first. Values are masked; of an object that holds identity card \
         numbers no names are shown."
            .to_owned(),
    )];
    for table in tables {
        blocks.push(Block::Heading(table.title.clone()));
        blocks.push(Block::Table(table));
    }
    Page {
        language: "en".to_owned(),
        title: title.to_owned(),
        freshness: format!("Read {} from the findings of the newest scans.", now.hong_kong()),
        sample,
        blocks,
    }
}

fn findings_table(findings: &[Finding], sources: &[SourceView]) -> Table {
    let mut table = Table::new(
        "Findings",
        &[
            "Risk",
            "Level",
            "Class",
            "Standing",
            "Source",
            "Object",
            "Kinds",
            "Categories",
            "Why",
            "Exposure",
            "Protection",
            "First seen",
            "Last seen",
            "Finding",
        ],
    );
    for finding in findings {
        let source = sources.iter().find(|view| view.source.id == finding.source);
        let sentence = |n: usize| {
            finding.risk.factors.get(n).map_or_else(String::new, |factor| factor.sentence.clone())
        };
        let kinds = finding.kinds.iter().filter(|kind| kind.tally.all() > 0);
        let kinds = kinds.map(|kind| format!("{} × {}", kind.tally.all(), String::from(kind.kind)));
        let categories = finding.categories.iter().map(|category| category.title());
        let why = finding.because.first().map_or_else(String::new, |one| one.sentence.clone());
        table.push(vec![
            Cell::Number(finding.risk.score.into()),
            Cell::text(finding.risk.level().word()),
            Cell::text(finding.class.word()),
            Cell::text(finding.standing().word()),
            Cell::text(source.map_or("", |view| view.source.name.as_str())),
            Cell::text(finding.shown()),
            Cell::text(kinds.collect::<Vec<_>>().join("; ")),
            Cell::text(categories.collect::<Vec<_>>().join("; ")),
            Cell::text(why),
            Cell::text(sentence(2)),
            Cell::text(sentence(3)),
            Cell::Time(finding.first_seen),
            Cell::Time(finding.last_seen),
            Cell::text(finding.id.to_string()),
        ]);
    }
    table
}

fn sources_table(sources: &[SourceView]) -> Table {
    let mut columns = vec!["Source", "Owner", "Place", "Objects", "Last complete scan"];
    columns.extend(Class::ALL.iter().map(|class| class.word()));
    let mut table = Table::new("Sources by class", &columns);
    for view in sources {
        let owner = view.source.owner.as_ref().map_or("", kernel::Name::as_str);
        let mut row = vec![
            Cell::text(view.source.name.as_str()),
            Cell::text(owner),
            Cell::text(view.place.word()),
            whole(view.summary.objects),
            view.summary.complete_at.map_or(Cell::Empty, Cell::Time),
        ];
        row.extend(Class::ALL.iter().map(|class| whole(view.summary.of_class(*class))));
        table.push(row);
    }
    table
}

/// Sensitive data that lies outside Hong Kong, or nobody knows where.
fn borders_table(sources: &[SourceView]) -> Table {
    let heads = ["Place", "Source", "Class", "Objects", "Owner"];
    let mut table = Table::new("Outside Hong Kong", &heads);
    for view in sources.iter().filter(|view| view.leaves_hong_kong()) {
        for class in Class::ALL.iter().rev().filter(|class| **class > Class::Internal) {
            let objects = view.summary.of_class(*class);
            if objects > 0 {
                table.push(vec![
                    Cell::text(view.place.word()),
                    Cell::text(view.source.name.as_str()),
                    Cell::text(class.word()),
                    whole(objects),
                    Cell::text(view.source.owner.as_ref().map_or("", kernel::Name::as_str)),
                ]);
            }
        }
    }
    table
}

fn whole(count: u64) -> Cell {
    Cell::count(usize::try_from(count).unwrap_or(usize::MAX))
}
