//! The report as documents: printable HTML, a workbook, JSON, OSCAL.
//!
//! Each is made from the same [`Report`], so that they cannot disagree; the JSON is the report
//! itself.

mod oscal;
mod page;
mod workbook;

use crate::glossary::Glossary;
use crate::report::Report;
use crate::status::Status;
use audit::Hash;
use documents::pack::Files;
use documents::{State, xlsx::WorkbookError};

/// The printable page, in the pack.
pub const HTML: &str = "report.html";
/// The workbook, in the pack.
pub const WORKBOOK: &str = "report.xlsx";
/// The report as data, in the pack.
pub const JSON: &str = "report.json";
/// OSCAL assessment results, in the pack.
pub const OSCAL_RESULTS: &str = "oscal/assessment-results.json";
/// The requirements as an OSCAL catalogue, in the pack.
pub const OSCAL_CATALOG: &str = "oscal/catalog.json";

/// Why the documents were not made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The workbook.
    #[error(transparent)]
    Workbook(#[from] WorkbookError),
    /// JSON.
    #[error("the report cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Every document of a report, by its name in the pack.
///
/// # Errors
/// When a writer refuses, which no report within the limits of its formats makes happen.
pub fn documents(report: &Report, glossary: &Glossary) -> Result<Files, DocumentError> {
    let assessment = oscal::assessment(report);
    let digest = |bytes: &[u8]| Hash::of(bytes).0;
    let pretty = |value: &serde_json::Value| serde_json::to_vec_pretty(value);
    let html = documents::html::write(&page::page(report, glossary));
    let tables = workbook::tables(report);
    Ok([
        (HTML, html.into_bytes()),
        (WORKBOOK, documents::xlsx::write("Assessment", &tables)?),
        (JSON, serde_json::to_vec_pretty(report)?),
        (OSCAL_RESULTS, pretty(&documents::oscal::assessment_results(&assessment, &digest))?),
        (OSCAL_CATALOG, pretty(&documents::oscal::catalog(&assessment, &digest))?),
    ]
    .into_iter()
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .collect())
}

/// How a status is shown.
const fn state(status: Status) -> State {
    match status {
        Status::Met | Status::ControlWorking => State::Good,
        Status::NotMet | Status::ControlNotWorking => State::Bad,
        Status::Stale | Status::InsufficientEvidence | Status::RiskAccepted => State::Warn,
        Status::NoData
        | Status::NotYetAssessed
        | Status::NotAdopted
        | Status::NotApplicable
        | Status::NotApplicableByProfile
        | Status::HistoryOnly
        | Status::Withheld => State::Unknown,
    }
}

/// A status in English, with its reviewed Chinese where there is one.
fn words(status: Status, glossary: &Glossary) -> String {
    let english = status.title();
    glossary.zh_hant(english).map_or_else(|| english.to_owned(), |zh| format!("{english} {zh}"))
}
