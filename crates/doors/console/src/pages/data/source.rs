//! One source: how it is reached, what its scans found over time, what was changed about it.

use super::sources::{ScanLine, scan_line};
use crate::elements::{command, count, duration, form_token, moment, table};
use crate::frame::{Frame, Source, Title, page};
use discover::FieldChange;
use kernel::Timestamp;
use maud::{Markup, html};
use serde_json::Value;

/// One complete scan as a point of the trend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) at: Timestamp,
    /// Objects of a class above internal.
    pub(crate) sensitive: u64,
    pub(crate) objects: u64,
}

/// One edit.
#[derive(Debug, Clone)]
pub(crate) struct EditLine {
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    pub(crate) changes: Vec<FieldChange>,
}

/// One source.
#[derive(Debug, Clone)]
pub(crate) struct SourceView {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The path, when it is a folder; else the setting says where it is.
    pub(crate) path: Option<String>,
    pub(crate) setting: String,
    pub(crate) owner: String,
    pub(crate) provider: String,
    pub(crate) region: String,
    pub(crate) place: String,
    pub(crate) profile: String,
    pub(crate) every: Option<u32>,
    pub(crate) throttle: Option<u64>,
    pub(crate) objects: u64,
    pub(crate) points: Vec<Point>,
    pub(crate) scans: Vec<ScanLine>,
    pub(crate) edits: Vec<EditLine>,
    /// Whether the one who looks may change it.
    pub(crate) configures: bool,
}

const WIDTH: usize = 640;
const HEIGHT: usize = 120;
const LEFT: usize = 48;
const BOTTOM: usize = 22;

/// `/data/sources/{source}`: how is this source looked at, and what came of it?
pub(crate) fn show(frame: &Frame, source: &Source, view: &SourceView) -> Markup {
    let body = html! {
        dl {
            dt { "Where" } dd {
                @if let Some(path) = &view.path { code { (path) } }
                @else { pre { (view.setting) } }
            }
            dt { "Place" } dd { (view.place) }
            dt { "Owner" } dd { (said(&view.owner)) }
            dt { "Profile" } dd {
                @if view.profile.is_empty() { a href="/data/profiles" { "the default" } }
                @else { a href=(format!("/data/profiles/{}", view.profile)) { (view.profile) } }
            }
            dt { "Scanned" } dd { @match view.every {
                Some(minutes) => { "every " (duration(i64::from(minutes) * 60)) },
                None => { "by hand only" },
            } }
            dt { "Throttle" } dd { @match view.throttle {
                Some(bytes) => { (count(bytes)) " bytes a second" },
                None => { "none" },
            } }
            dt { "Objects" } dd {
                (count(view.objects)) ", "
                a href=(format!("/data/findings?source={}", view.id)) { "findings" }
            }
        }
        section {
            h2 { "Over time" }
            @if view.points.len() < 2 {
                p { "A line is drawn from the second complete scan on." }
            } @else { (trend(&view.points)) }
            @if !view.scans.is_empty() {
                (table(frame.language, "Scans", &["Began", "What it did"], &html! {
                    @for scan in &view.scans { tr {
                        td { (moment(scan.started)) }
                        td { (scan_line(frame, scan)) }
                    } }
                }))
            }
        }
        @if view.configures { (edit(frame, view)) }
        @if !view.edits.is_empty() {
            section {
                h2 { "What was changed" }
                (table(frame.language, "What was changed", &["When", "By", "What"], &html! {
                    @for edit in &view.edits { tr {
                        td { (moment(edit.at)) }
                        td { (edit.by) }
                        td { @for change in &edit.changes { (changed(change)) br; } }
                    } }
                }))
            }
        }
        (command(frame.language, &format!("lionrock discover source edit {} --every 1440", view.id)))
    };
    let title = Title { text: &view.name, within: Some(("/data/sources", "Sources")) };
    page(frame, &title, source, &body)
}

fn said(text: &str) -> Markup {
    html! { @if text.is_empty() { span.soft { "not said" } } @else { (text) } }
}

fn changed(change: &FieldChange) -> Markup {
    let word = |value: &Value| match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    html! {
        @if change.field == "secret" { "the secret" }
        @else {
            (change.field.replace('_', " ")) ": " (word(&change.before)) " → " (word(&change.after))
        }
    }
}

/// Objects with sensitive data at each complete scan, as a line; the table beside it says scans.
fn trend(points: &[Point]) -> Markup {
    let most = points.iter().map(|point| point.sensitive).max().unwrap_or(0).max(1);
    let (wide, high) = (WIDTH - LEFT - 8, HEIGHT - BOTTOM - 10);
    let last = points.len().saturating_sub(1).max(1);
    let at = |place: usize, point: &Point| {
        let down = u64::try_from(high).unwrap_or(u64::MAX);
        let up = usize::try_from(point.sensitive.saturating_mul(down) / most).unwrap_or(high);
        (LEFT + place * wide / last, 10 + high - up.min(high))
    };
    let places: Vec<_> = points.iter().enumerate().map(|(n, p)| at(n, p)).collect();
    let line: Vec<_> = places.iter().map(|(x, y)| format!("{x},{y}")).collect();
    let first_last = points.first().zip(points.last());
    let says = first_last.map_or_else(String::new, |(first, last)| {
        format!(
            "Objects with sensitive data: {} of {} at the first scan shown, {} of {} at the newest",
            count(first.sensitive),
            count(first.objects),
            count(last.sensitive),
            count(last.objects)
        )
    });
    html! {
        div.scroll role="region" aria-label="Sensitive objects over time" tabindex="0" {
            svg.trend width=(WIDTH) height=(HEIGHT) viewBox=(format!("0 0 {WIDTH} {HEIGHT}"))
                role="img" aria-label=(says) {
                line.axis x1=(LEFT) y1=(10 + high) x2=(WIDTH - 8) y2=(10 + high) {}
                text.n x=(LEFT - 8) y="14" { (count(most)) }
                text.n x=(LEFT - 8) y=(14 + high) { "0" }
                polyline points=(line.join(" ")) {}
                @for (x, y) in &places { circle cx=(x) cy=(y) r="2.5" {} }
                @if let Some((first, last)) = first_last {
                    text x=(LEFT) y=(HEIGHT - 4) { (day_of(first.at)) }
                    text.n x=(WIDTH - 8) y=(HEIGHT - 4) { (day_of(last.at)) }
                }
            }
        }
        p.note { (says) "." }
    }
}

fn day_of(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}

fn edit(frame: &Frame, view: &SourceView) -> Markup {
    let number = |number: Option<u64>| number.map_or_else(String::new, |n| n.to_string());
    html! {
        section.acts {
            h2 { "Change" }
            details { summary { "Change this source" } div {
                p { "A scan that is under way goes on as it began. Another place or profile labels "
                    "what was found anew, without a scan." }
                form.stack method="post" action=(format!("/data/sources/{}/edit", view.id)) {
                    (form_token(&frame.form_token))
                    label { "Name" input name="name" required maxlength="128" value=(view.name); }
                    @if let Some(path) = &view.path {
                        label { "Folder" input name="path" required maxlength="1000" value=(path); }
                    } @else {
                        label { "Setting, in JSON"
                            textarea name="setting" rows="8" required { (view.setting) } }
                        label { "New secret; empty keeps the one there is"
                            input type="password" name="secret" autocomplete="off" maxlength="1024"; }
                    }
                    label { "Owner" input name="owner" maxlength="128" value=(view.owner); }
                    label { "Provider" input name="provider" maxlength="128" value=(view.provider); }
                    label { "Region, or on premises the place"
                        input name="region" maxlength="128" value=(view.region); }
                    label { "Minutes between scans; empty is by hand only"
                        input type="number" name="every" min="15" max="527040"
                            value=(number(view.every.map(u64::from))); }
                    label { "Bytes a second at most; empty is as fast as it goes"
                        input type="number" name="throttle" min="16384" value=(number(view.throttle)); }
                    label { "Profile; empty is the default"
                        input name="profile" maxlength="64" value=(view.profile); }
                    button type="submit" { "Change" }
                }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::{frame, now, source};

    fn view() -> SourceView {
        SourceView {
            id: "src_0".into(),
            name: "retail".into(),
            path: Some("/srv/<b>".into()),
            setting: String::new(),
            owner: String::new(),
            provider: "aws".into(),
            region: "ap-east-1".into(),
            place: "Hong Kong".into(),
            profile: String::new(),
            every: Some(60),
            throttle: None,
            objects: 40,
            points: Vec::new(),
            scans: Vec::new(),
            edits: Vec::new(),
            configures: true,
        }
    }

    #[test]
    fn one_scan_draws_no_line_and_two_do() {
        let none = show(&frame(), &source(), &view()).into_string();
        assert!(none.contains("from the second complete scan") && !none.contains("polyline"));
        let point = |sensitive| Point { at: now(), sensitive, objects: 40 };
        let two = SourceView { points: vec![point(0), point(20)], ..view() };
        let text = show(&frame(), &source(), &two).into_string();
        assert!(text.contains("points=\"48,98 632,10\""), "{text}");
        assert!(text.contains("0 of 40 at the first scan shown, 20 of 40 at the newest"));
    }

    #[test]
    fn a_secret_is_never_in_the_form_and_a_path_is_only_text() {
        let text = show(&frame(), &source(), &view()).into_string();
        assert!(text.contains("/srv/&lt;b&gt;") && !text.contains("name=\"secret\""));
        let remote = SourceView { path: None, setting: "{\"kind\":\"s3\"}".into(), ..view() };
        let text = show(&frame(), &source(), &remote).into_string();
        assert!(text.contains("name=\"secret\" autocomplete=\"off\" maxlength=\"1024\">"));
    }

    #[test]
    fn a_changed_secret_is_told_without_it() {
        let (field, before, after) = ("secret".to_owned(), Value::Null, Value::Null);
        let text = changed(&FieldChange { field, before, after }).into_string();
        assert_eq!(text, "the secret");
        let (field, before, after) = ("owner".to_owned(), Value::Null, Value::from("Retail"));
        let text = changed(&FieldChange { field, before, after }).into_string();
        assert_eq!(text, "owner: nothing → Retail");
    }

    #[test]
    fn who_may_not_change_a_source_sees_no_form() {
        let text = show(&frame(), &source(), &SourceView { configures: false, ..view() });
        assert!(!text.into_string().contains("<form class=\"stack\""));
    }
}
