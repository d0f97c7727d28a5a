//! Every decoder of hostile input as a function of bytes, for whoever feeds it bytes.
//!
//! **For:** libFuzzer, which looks for bytes that break a decoder (`fuzz/libfuzzer`), and the test
//! suite, which replays seeds and every input that ever broke one (`tests/it/replay.rs`): no target
//! can rot. **Not for:** anything that ships.
//!
//! **The way of an input:** a target shapes the bytes where their format would stop any change
//! at its checksums (a deflated member, a workbook's sectors), gives them to the decoder as
//! the product does, and asserts what must hold whatever they say.
//!
//! **Invariants:** a target is deterministic, reads and writes nothing, and fails by panicking.

mod borders;
mod codecs;
mod formats;
mod scans;
mod shapes;
mod tables;

/// One decoder and how it is fed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of the folder of its seeds.
    pub name: &'static str,
    /// The longest input that is tried, in bytes: longer ones cost time and show nothing new.
    pub bytes_max: usize,
    /// Feeds it.
    pub run: fn(&[u8]),
}

/// Longest input of most targets, in bytes: several pages of any format.
const USUAL_BYTES_MAX: usize = 32 * 1024;
/// Longest input of text formats, in bytes.
const TEXT_BYTES_MAX: usize = 8 * 1024;

const fn target(name: &'static str, bytes_max: usize, run: fn(&[u8])) -> Target {
    Target { name, bytes_max, run }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("avro", USUAL_BYTES_MAX, formats::avro),
    target("csv", TEXT_BYTES_MAX, formats::csv),
    target("docx", TEXT_BYTES_MAX, formats::docx),
    target("eml", TEXT_BYTES_MAX, formats::eml),
    target("encodings", TEXT_BYTES_MAX, formats::encodings),
    target("git-objects", TEXT_BYTES_MAX, formats::git_objects),
    target("git-pack", USUAL_BYTES_MAX, formats::git_pack),
    target("gzip", USUAL_BYTES_MAX, formats::gzip),
    target("html", TEXT_BYTES_MAX, formats::html),
    target("json", TEXT_BYTES_MAX, formats::json),
    target("mbox", TEXT_BYTES_MAX, formats::mbox),
    target("ods", TEXT_BYTES_MAX, formats::ods),
    target("odt", TEXT_BYTES_MAX, formats::odt),
    target("parquet", USUAL_BYTES_MAX, formats::parquet),
    target("pdf", USUAL_BYTES_MAX, formats::pdf),
    target("pdf-content", TEXT_BYTES_MAX, formats::pdf_content),
    target("pptx", TEXT_BYTES_MAX, formats::pptx),
    target("sqlite", USUAL_BYTES_MAX, formats::sqlite),
    target("sqlite-log", USUAL_BYTES_MAX, formats::sqlite_log),
    target("tar", USUAL_BYTES_MAX, formats::tar),
    target("xls", USUAL_BYTES_MAX, formats::xls),
    target("xls-records", TEXT_BYTES_MAX, formats::xls_records),
    target("xlsx", TEXT_BYTES_MAX, formats::xlsx),
    target("xml", TEXT_BYTES_MAX, formats::xml),
    target("zip", USUAL_BYTES_MAX, formats::zip),
    target("zstd", USUAL_BYTES_MAX, formats::zstd),
    target("envelope", TEXT_BYTES_MAX, borders::envelope),
    target("expression", TEXT_BYTES_MAX, borders::expression),
    target("store-list", TEXT_BYTES_MAX, borders::store_list),
    target("work-replies", TEXT_BYTES_MAX, borders::work_replies),
    target("work-requests", TEXT_BYTES_MAX, borders::work_requests),
    target("checkpoint", TEXT_BYTES_MAX, codecs::checkpoint),
    target("evidence-lines", USUAL_BYTES_MAX, codecs::evidence_lines),
    target("pack", USUAL_BYTES_MAX, codecs::pack),
    target("proofs", TEXT_BYTES_MAX, codecs::proofs),
    target("signed-note", TEXT_BYTES_MAX, codecs::signed_note),
    target("tile-paths", TEXT_BYTES_MAX, codecs::tile_paths),
    target("verifier-key", TEXT_BYTES_MAX, codecs::verifier_key),
    target("witness-request", TEXT_BYTES_MAX, codecs::witness_request),
    target("scan", TEXT_BYTES_MAX, scans::pieces),
    target("scan-own", TEXT_BYTES_MAX, scans::own),
    target("layout", TEXT_BYTES_MAX, scans::layout),
    target("import-csv", TEXT_BYTES_MAX, tables::csv),
    target("import-json", TEXT_BYTES_MAX, tables::json),
    target("import-yaml", TEXT_BYTES_MAX, tables::yaml),
];

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
