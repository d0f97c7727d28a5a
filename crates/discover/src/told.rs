//! Findings and sources as doors tell them: without the real names of objects, without secrets.

use crate::act::Act;
use crate::finding::{Finding, Handled, shown_name};
use crate::reading::SourceView;
use extract::Fingerprint;
use serde_json::{Map, Value, json};

/// A finding for the outside: its object's name as it may be shown, where it stands, what can be
/// done with it.
#[must_use]
pub fn finding_told(finding: &Finding, source: &str, acts: &[Act]) -> Value {
    let mut told = match serde_json::to_value(finding) {
        Ok(Value::Object(told)) => told,
        // A finding is an object with keys that are text; there is no other outcome.
        _ => Map::new(),
    };
    told.insert("object".into(), finding.shown().into());
    told.insert("source_name".into(), source.into());
    told.insert("standing".into(), finding.standing().word().into());
    told.insert("level".into(), finding.risk.level().word().into());
    let words: Vec<_> = acts.iter().map(|act| act.word()).collect();
    told.insert("acts".into(), words.into());
    if let Some(Handled::Encrypted { object, .. }) = &finding.handled
        && let Some(Value::Object(handled)) = told.get_mut("handled")
    {
        handled.insert("object".into(), shown_name(object).into());
    }
    if let Some(kinds) = told.get_mut("kinds").and_then(Value::as_array_mut) {
        for (kind, found) in kinds.iter_mut().zip(&finding.kinds) {
            let samples = kind.get_mut("samples").and_then(Value::as_array_mut);
            for (sample, shown) in samples.into_iter().flatten().zip(&found.samples) {
                if let Some(sample) = sample.as_object_mut() {
                    sample.insert("fingerprint".into(), hexadecimal(shown.fingerprint).into());
                }
            }
        }
    }
    Value::Object(told)
}

/// What is lost when a finding's object is deleted, for those who have to agree.
#[must_use]
pub fn loss_told(finding: &Finding, source: &str) -> String {
    let (object, class) = (finding.shown(), finding.class);
    format!("{object} in {source} ({class}) is lost for good")
}

/// A fingerprint as 32 hexadecimal digits.
#[must_use]
pub fn hexadecimal(fingerprint: Fingerprint) -> String {
    documents::hex(&fingerprint.0)
}

/// The fingerprint of 32 hexadecimal digits.
#[must_use]
pub fn fingerprint_of(text: &str) -> Option<Fingerprint> {
    let mut bytes = [0; 16];
    if text.len() != 2 * bytes.len() || !text.is_ascii() {
        return None;
    }
    for (place, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *place = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(Fingerprint(bytes))
}

/// A source for the outside. Its setting holds no secret: those are kept apart.
#[must_use]
pub fn source_told(view: &SourceView) -> Value {
    let SourceView { source, summary, scan, place } = view;
    let scan = scan.as_ref().map(crate::ScanView::told);
    json!({
        "id": source.id,
        "domain": source.domain,
        "name": source.name,
        "setting": source.setting,
        "profile": source.profile,
        "every_minutes": source.every_minutes,
        "bytes_per_second": source.bytes_per_second,
        "owner": source.owner,
        "asset": source.asset,
        "provider": source.provider,
        "region": source.region,
        "place": place.word(),
        "added_at": source.added_at,
        "passes": source.passes,
        "scanned_at": source.scanned_at,
        "due_at": source.due_at(),
        "summary": summary,
        "scan": scan,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back_and_a_stranger_is_refused() {
        let print = Fingerprint([7; 16]);
        assert_eq!(fingerprint_of(&hexadecimal(print)), Some(print));
        for bad in ["", "07", "zz070707070707070707070707070707", "密密密密密密密密密密密"]
        {
            assert_eq!(fingerprint_of(bad), None, "{bad}");
        }
    }
}
