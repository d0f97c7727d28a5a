//! What a worker said, cut to what anybody may have to keep or show: a worker that was taken over
//! by its object can say anything that has the right form, and no more than this of it.

use extract::{
    Coverage, Inspection, KindCount, PARTS_MAX, Part, SAMPLES_PER_KIND_MAX as SAMPLES_MAX, Trouble,
    TroubleKind,
};

/// Troubles that one object may have.
const TROUBLES_MAX: usize = 1_000;
/// Kinds in one part: those that there are, and as many of the bank's own.
const KINDS_MAX: usize = 500;
/// Columns of one part that hold something.
const COLUMNS_MAX: usize = 2_000;
/// Steps of a way inside an object.
const STEPS_MAX: usize = 32;
/// Characters of a name or a place.
const NAME_CHARS_MAX: usize = 300;
/// Characters of a masked value, a detail, an encoding.
const WORDS_CHARS_MAX: usize = 200;

/// The inspection within the limits; less than all of it is said to be a part.
pub(super) fn bounded(mut inspection: Inspection) -> Inspection {
    let mut cut = keep(&mut inspection.parts, PARTS_MAX);
    cut |= keep(&mut inspection.troubles, TROUBLES_MAX);
    for part in &mut inspection.parts {
        cut |= bound_part(part);
    }
    for trouble in &mut inspection.troubles {
        bound_path(&mut trouble.path);
        bound_text(&mut trouble.detail, WORDS_CHARS_MAX);
    }
    if cut && inspection.coverage == Coverage::Whole {
        inspection.coverage = Coverage::Part;
    }
    inspection
}

/// The inspection of an object of which nothing came back.
pub(super) fn killed(detail: &str) -> Inspection {
    let mut detail = detail.to_owned();
    bound_text(&mut detail, WORDS_CHARS_MAX);
    trouble(TroubleKind::Killed, detail)
}

/// The inspection of an object that could not be handed to anybody.
pub(super) fn unreadable(detail: &str) -> Inspection {
    let mut detail = detail.to_owned();
    bound_text(&mut detail, WORDS_CHARS_MAX);
    trouble(TroubleKind::Unreadable, detail)
}

fn trouble(kind: TroubleKind, detail: String) -> Inspection {
    Inspection {
        format: extract::Format::Binary,
        bytes: 0,
        text_bytes: 0,
        coverage: Coverage::None,
        parts: Vec::new(),
        troubles: vec![Trouble { path: Vec::new(), kind, detail }],
    }
}

fn bound_part(part: &mut Part) -> bool {
    bound_path(&mut part.path);
    if let Some(encoding) = &mut part.encoding {
        bound_text(encoding, WORDS_CHARS_MAX);
    }
    let mut cut = keep(&mut part.kinds, KINDS_MAX);
    cut |= keep(&mut part.columns, COLUMNS_MAX);
    part.kinds.iter_mut().for_each(bound_kind);
    for column in &mut part.columns {
        bound_text(&mut column.name, NAME_CHARS_MAX);
        column.matching = column.matching.min(column.cells);
        let share = column.share_at_least;
        column.share_at_least = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    }
    cut
}

fn bound_kind(count: &mut KindCount) {
    count.samples.truncate(SAMPLES_MAX);
    for sample in &mut count.samples {
        bound_text(&mut sample.masked, WORDS_CHARS_MAX);
        bound_text(&mut sample.at, NAME_CHARS_MAX);
    }
}

fn bound_path(path: &mut Vec<String>) {
    path.truncate(STEPS_MAX);
    path.iter_mut().for_each(|step| bound_text(step, NAME_CHARS_MAX));
}

fn keep<T>(list: &mut Vec<T>, most: usize) -> bool {
    let cut = list.len() > most;
    list.truncate(most);
    cut
}

/// Cuts a text and shows control characters, which could deceive a terminal, as replacement
/// characters.
fn bound_text(text: &mut String, most: usize) {
    if text.len() <= most && !text.chars().any(char::is_control) {
        return;
    }
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    *text = text.chars().take(most).map(visible).collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use extract::{ColumnFinding, Fingerprint, Format, KindName, Sample};

    fn excessive() -> Inspection {
        let kind = KindName(detect::Kind::ALL[0]);
        let sample = Sample {
            masked: "\u{1b}[2J".repeat(500),
            at: "line 1\n".to_owned(),
            fingerprint: Fingerprint([0; 16]),
        };
        let column = ColumnFinding {
            name: "n".repeat(NAME_CHARS_MAX + 1),
            kind,
            cells: 1,
            matching: 2,
            share_at_least: f64::NAN,
        };
        let count = KindCount {
            kind,
            sure: 1,
            likely: 0,
            distinct: 1,
            ignored: 0,
            samples: vec![sample; SAMPLES_MAX + 1],
        };
        let part = Part {
            path: vec!["客".repeat(NAME_CHARS_MAX + 1); STEPS_MAX + 1],
            format: Format::Csv,
            encoding: Some("e".repeat(WORDS_CHARS_MAX + 1)),
            kinds: vec![count; 2],
            columns: vec![column; 2],
        };
        let trouble = Trouble {
            path: Vec::new(),
            kind: TroubleKind::Corrupt,
            detail: "d".repeat(WORDS_CHARS_MAX + 1),
        };
        Inspection {
            format: Format::Zip,
            bytes: 1,
            text_bytes: 1,
            coverage: Coverage::Whole,
            parts: vec![part; 3],
            troubles: vec![trouble; TROUBLES_MAX + 1],
        }
    }

    #[test]
    fn a_worker_that_says_too_much_is_cut_short() {
        let kept = bounded(excessive());
        assert_eq!((kept.coverage, kept.troubles.len()), (Coverage::Part, TROUBLES_MAX));
        assert_eq!(kept.troubles[0].detail.chars().count(), WORDS_CHARS_MAX);
        let part = &kept.parts[0];
        assert_eq!(part.path.len(), STEPS_MAX);
        assert_eq!(part.path[0].chars().count(), NAME_CHARS_MAX);
        assert_eq!(part.kinds[0].samples.len(), SAMPLES_MAX);
        let sample = &part.kinds[0].samples[0];
        assert_eq!(sample.masked.chars().count(), WORDS_CHARS_MAX);
        assert!(!sample.masked.chars().chain(sample.at.chars()).any(char::is_control));
        assert_eq!((part.columns[0].matching, part.columns[0].share_at_least), (1, 0.0));
    }

    #[test]
    fn every_list_has_its_end() {
        let mut many = excessive();
        let part = Part { path: Vec::new(), kinds: Vec::new(), ..many.parts[0].clone() };
        many.parts = vec![part.clone(); PARTS_MAX + 1];
        assert_eq!(bounded(many.clone()).parts.len(), PARTS_MAX);
        let column = part.columns[0].clone();
        let count = excessive().parts[0].kinds[0].clone();
        many.parts = vec![Part {
            kinds: vec![count; KINDS_MAX + 1],
            columns: vec![column; COLUMNS_MAX + 1],
            ..part
        }];
        let kept = bounded(many);
        assert_eq!(
            (kept.parts[0].kinds.len(), kept.parts[0].columns.len()),
            (KINDS_MAX, COLUMNS_MAX)
        );
    }

    #[test]
    fn what_is_within_the_limits_is_not_touched() {
        let said = killed("the worker was ended by signal 31");
        assert_eq!(bounded(said.clone()), said);
    }
}
