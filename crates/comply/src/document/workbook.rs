//! The report as tables: one row for each requirement, check, failing item, gap and count.

use crate::report::{CheckReport, Report, RequirementReport, Signatory, Witnessed};
use crate::status::Status;
use documents::{Cell, Table};

/// The sheets of the workbook.
pub(super) fn tables(report: &Report) -> Vec<Table> {
    vec![
        about(report),
        requirements(report),
        checks(report),
        failing(report),
        gaps(report),
        counts(report),
    ]
}

fn about(report: &Report) -> Table {
    let mut table = Table::new("About", &["What", "Value"]);
    let mut row = |name: &str, value: Cell| table.push(vec![Cell::text(name), value]);
    row("Sample", Cell::text(if report.sample { "SAMPLE: not a real institution" } else { "no" }));
    row("Made", Cell::Time(report.made_at));
    row("Period from", Cell::Time(report.period.from()));
    row("Period to", Cell::Time(report.period.to()));
    let nobody = "nobody yet: draft";
    let signed = &report.signatories;
    for (name, who) in [
        ("Preparer", &signed.preparer),
        ("Reviewer", &signed.reviewer),
        ("Approver", &signed.approver),
    ] {
        let nobody = || nobody.to_owned();
        row(name, Cell::text(who.as_ref().map_or_else(nobody, Signatory::sentence)));
    }
    row("Checkpoint", Cell::text(report.checkpoint.as_deref().unwrap_or("there is none")));
    let none = || Cell::text("there is none");
    let seen = report.witnessed.as_ref();
    let sentence = |seen: &Witnessed| Cell::text(seen.sentence(report.made_at));
    row("Last independent witness", seen.map_or_else(none, sentence));
    row("Witnessed checkpoint", seen.map_or_else(none, |seen| Cell::text(&seen.note)));
    table
}

fn requirements(report: &Report) -> Table {
    let mut table = Table::new(
        "Requirements",
        &[
            "Id",
            "Source",
            "Section",
            "Title",
            "Text",
            "Text status",
            "Layer",
            "Responsibility",
            "Status",
            "Under the decision",
            "Evidence",
            "Gap",
            "Owner",
            "Checks",
        ],
    );
    table.rows = report.requirements.iter().map(requirement).collect();
    table
}

fn requirement(row: &RequirementReport) -> Vec<Cell> {
    let maybe = |text: Option<&str>| text.map_or(Cell::Empty, Cell::text);
    let checks: Vec<&str> = row.checks.iter().map(|check| check.as_str()).collect();
    vec![
        Cell::text(row.id.as_str()),
        Cell::text(&row.source),
        Cell::text(&row.section),
        Cell::text(&row.title),
        Cell::text(&row.text),
        Cell::text(row.text_status.word()),
        Cell::text(row.layer.word()),
        Cell::text(row.responsibility.word()),
        Cell::text(row.status.title()),
        maybe(row.underneath.map(Status::title)),
        maybe(row.known_by.map(|known| known.word())),
        Cell::text(&row.gap),
        maybe(row.owner.as_deref()),
        Cell::text(checks.join(", ")),
    ]
}

fn checks(report: &Report) -> Table {
    let mut table = Table::new(
        "Checks",
        &[
            "Check",
            "Title",
            "About",
            "Where",
            "Expect",
            "Version",
            "Result",
            "Population",
            "Passed",
            "Failing",
            "Without answer",
            "Evidence",
            "Checked",
            "Oldest reading",
            "Inputs SHA-256",
            "Log position",
            "Runs in period",
            "Gaps in period",
        ],
    );
    table.rows = report.checks.iter().map(check).collect();
    table
}

fn check(row: &CheckReport) -> Vec<Cell> {
    let mut cells = vec![
        Cell::text(row.id.as_str()),
        Cell::text(&row.title),
        Cell::text(&row.kind),
        Cell::text(&row.filter),
        Cell::text(&row.expect),
        Cell::text(&row.version),
    ];
    match &row.latest {
        None => {
            cells.push(Cell::text("not run"));
            cells.extend(std::iter::repeat_n(Cell::Empty, 8));
        }
        Some(result) => cells.extend([
            Cell::text(result.outcome.word()),
            Cell::count(result.population),
            Cell::count(result.passed),
            Cell::count(result.failing_count),
            Cell::count(result.error_count),
            result.known_by.map_or(Cell::Empty, |known| Cell::text(known.word())),
            Cell::Time(result.at),
            result.oldest.map_or(Cell::Empty, Cell::Time),
            Cell::text(&result.inputs),
        ]),
    }
    cells.push(row.log_position.map_or(Cell::Empty, |at| Cell::text(at.0.to_string())));
    cells.push(Cell::count(row.period.runs));
    cells.push(Cell::count(row.period.gaps.len()));
    cells
}

fn failing(report: &Report) -> Table {
    let mut table = Table::new("Failing items", &["Check", "Item", "Name", "Evidence"]);
    for row in &report.checks {
        for item in row.latest.iter().flat_map(|result| &result.failing) {
            table.push(vec![
                Cell::text(row.id.as_str()),
                Cell::text(&item.id),
                Cell::text(&item.name),
                Cell::text(item.known_by.word()),
            ]);
        }
        let unlisted = row.latest.as_ref().map_or(0, |r| r.failing_count - r.failing.len());
        if unlisted > 0 {
            let more = format!("and {unlisted} more");
            table.push(vec![Cell::text(row.id.as_str()), Cell::text(more)]);
        }
    }
    table
}

fn gaps(report: &Report) -> Table {
    let mut table = Table::new("Gaps", &["Check", "What", "From", "To"]);
    for row in &report.checks {
        let nobody = row.period.gaps.iter().map(|gap| ("nobody looked", gap));
        let failing = row.period.not_passing.iter().map(|stretch| ("did not pass", stretch));
        for (what, stretch) in nobody.chain(failing) {
            table.push(vec![
                Cell::text(row.id.as_str()),
                Cell::text(what),
                Cell::Time(stretch.from),
                Cell::Time(stretch.to),
            ]);
        }
    }
    table
}

/// Counts by source; every requirement stands in exactly one column.
pub(super) fn counts(report: &Report) -> Table {
    let mut columns = vec!["Source"];
    let used: Vec<Status> = Status::ALL
        .into_iter()
        .filter(|status| report.counts.iter().any(|source| source.counts.contains_key(status)))
        .collect();
    columns.extend(used.iter().map(|status| status.title()));
    columns.push("total");
    let mut table = Table::new("Counts by source", &columns);
    for source in &report.counts {
        let mut row = vec![Cell::text(&source.title)];
        row.extend(used.iter().map(|s| Cell::count(source.counts.get(s).copied().unwrap_or(0))));
        row.push(Cell::count(source.total));
        table.push(row);
    }
    table
}
