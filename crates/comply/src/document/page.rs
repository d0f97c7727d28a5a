//! The report as one printable page.

use super::{state, words, workbook};
use crate::glossary::Glossary;
use crate::report::{Report, Signatory};
use crate::run::Outcome;
use crate::status::Status;
use documents::{Block, Cell, Page, Table};
use std::collections::BTreeMap;

/// The whole page.
pub(super) fn page(report: &Report, glossary: &Glossary) -> Page {
    let mut blocks = vec![Block::Heading("What this report is".into())];
    blocks.extend(about(report));
    blocks.push(Block::Heading("Where we stand, by source".into()));
    blocks.push(Block::Text(
        "Each requirement of the catalogue stands in exactly one column; what was not assessed is \
         counted as such. There is no overall figure."
            .into(),
    ));
    blocks.push(Block::Table(workbook::counts(report)));
    blocks.push(Block::Heading("What does not work".into()));
    blocks.push(not_working(report));
    blocks.push(Block::Heading("Checks of live state".into()));
    blocks.push(Block::Table(checks(report)));
    let mut by_source: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for row in &report.requirements {
        by_source.entry(&row.source).or_default().push(row);
    }
    for source in &report.counts {
        let Some(rows) = by_source.get(source.source.as_str()) else { continue };
        blocks.push(Block::Heading(source.title.clone()));
        let mut table = Table::new(
            source.title.clone(),
            &["Section", "Requirement", "Text", "Status", "Evidence", "Gap", "Owner", "Checks"],
        );
        for row in rows {
            let checks: Vec<&str> = row.checks.iter().map(|check| check.as_str()).collect();
            table.push(vec![
                Cell::text(&row.section),
                Cell::text(&row.title),
                Cell::text(row.text_status.word()),
                Cell::text(words(row.status, glossary)),
                row.known_by.map_or(Cell::Empty, |known| Cell::text(known.word())),
                Cell::text(&row.gap),
                row.owner.as_deref().map_or(Cell::Empty, Cell::text),
                Cell::text(checks.join(", ")),
            ]);
        }
        blocks.push(Block::Table(table));
    }
    blocks.push(Block::Heading("How to verify".into()));
    blocks.extend(verifying(report));
    let title = "Assessment against the requirements of the HKMA and other authorities";
    Page {
        language: "en".into(),
        title: glossary.both(title),
        freshness: format!(
            "Made {} from live state and the log; period {} to {}.",
            report.made_at.hong_kong(),
            report.period.from().hong_kong(),
            report.period.to().hong_kong()
        ),
        sample: report.sample,
        blocks: blocks.into_iter().map(|block| bilingual(block, glossary)).collect(),
    }
}

/// What an examiner looks for stands in both languages: headings, captions, columns, facts.
fn bilingual(block: Block, glossary: &Glossary) -> Block {
    match block {
        Block::Heading(text) => Block::Heading(glossary.both(&text)),
        Block::Facts(facts) => Block::Facts(
            facts.into_iter().map(|(name, value)| (glossary.both(&name), value)).collect(),
        ),
        Block::Table(mut table) => {
            table.title = glossary.both(&table.title);
            for column in &mut table.columns {
                *column = glossary.both(column);
            }
            Block::Table(table)
        }
        other => other,
    }
}

fn about(report: &Report) -> Vec<Block> {
    let signed = &report.signatories;
    let who = |by: &Option<Signatory>| {
        by.as_ref().map_or_else(|| "nobody yet".to_owned(), Signatory::sentence)
    };
    let profile = report.profile.map_or_else(
        || "not set: nothing was left out".to_owned(),
        |profile| {
            let origin = match profile.origin {
                crate::Origin::Local => "incorporated in Hong Kong",
                crate::Origin::ForeignBranch => "branch of an institution from elsewhere",
            };
            format!("{}, {origin}", profile.institution.title())
        },
    );
    let mut blocks = vec![Block::Facts(vec![
        ("Institution profile".into(), profile),
        ("Prepared by".into(), who(&signed.preparer)),
        ("Reviewed by".into(), who(&signed.reviewer)),
        ("Approved by".into(), who(&signed.approver)),
        ("State".into(), if signed.is_final() { "approved" } else { "draft" }.into()),
        (
            "Last independent witness".into(),
            report
                .witnessed
                .as_ref()
                .map_or_else(|| "there is none".into(), |seen| seen.sentence(report.made_at)),
        ),
    ])];
    if report.sample {
        blocks.push(Block::Notice(
            "SAMPLE: the institution, its people and its data are made up for demonstration. Every \
             time stamp is real: history began when the sample was started."
                .into(),
        ));
    }
    blocks.push(Block::Text(
        "Evidence is observed (we operate the control), reported (a system told us), attested (a \
         named role signed it) or declared (typed or imported); a status is no stronger than its \
         weakest input. Met and not met are said only of text that the institution has confirmed; \
         until then the report says whether the control works. Texts are paraphrases unless marked \
         otherwise; working titles are not the authority's words."
            .into(),
    ));
    blocks
}

fn not_working(report: &Report) -> Block {
    let bad = |status: Status| matches!(status, Status::NotMet | Status::ControlNotWorking);
    let mut table =
        Table::new("Requirements whose control fails", &["Section", "Requirement", "Gap"]);
    for row in report.requirements.iter().filter(|row| bad(row.status)) {
        table.push(vec![Cell::text(&row.section), Cell::text(&row.title), Cell::text(&row.gap)]);
    }
    if table.rows.is_empty() {
        let assessed = report.requirements.iter().any(|row| row.status.is_good());
        let text = if assessed { "No check fails." } else { "Nothing was assessed." };
        Block::Status(state(Status::NotYetAssessed), "none".into(), text.into())
    } else {
        Block::Table(table)
    }
}

fn checks(report: &Report) -> Table {
    let mut table = Table::new(
        "Checks with their newest result",
        &["Check", "Result", "Population", "Failing", "Failing items", "Evidence", "Checked"],
    );
    for row in &report.checks {
        let title = Cell::text(format!("{} ({})", row.title, row.id.as_str()));
        table.push(match &row.latest {
            None => vec![title, Cell::text(Outcome::NotRun.word())],
            Some(result) => {
                let named: Vec<&str> = result
                    .failing
                    .iter()
                    .take(8)
                    .map(|item| if item.name.is_empty() { &item.id } else { &item.name })
                    .map(String::as_str)
                    .collect();
                let more = result.failing_count.saturating_sub(named.len());
                let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
                vec![
                    title,
                    Cell::text(result.outcome.word()),
                    Cell::count(result.population),
                    Cell::count(result.failing_count),
                    Cell::text(named.join(", ") + &tail),
                    result.known_by.map_or(Cell::Empty, |known| Cell::text(known.word())),
                    Cell::Time(result.at),
                ]
            }
        });
    }
    table
}

fn verifying(report: &Report) -> Vec<Block> {
    let mut blocks = vec![
        Block::Text(
            "This file is part of a pack. The command below needs the pack and nothing else, no \
             network and no server; the origin's key must come to you by another way than the pack."
                .into(),
        ),
        Block::Verbatim("lionrock verify PACK.zip --origin-key KEY".into()),
    ];
    match &report.checkpoint {
        Some(note) => blocks.push(Block::Verbatim(note.clone())),
        None => blocks.push(Block::Text("There is no checkpoint of the log.".into())),
    }
    match &report.witnessed {
        Some(seen) => {
            let sentence = seen.sentence(report.made_at);
            blocks.push(Block::Text(format!("Last independent witness: {sentence}.")));
            blocks.push(Block::Verbatim(seen.note.clone()));
        }
        None => blocks.push(Block::Notice(
            "No independent witness has signed the log: nobody outside can say that it was not \
             rewritten before this report."
                .into(),
        )),
    }
    blocks
}
