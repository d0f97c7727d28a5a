//! The test box: what do the detectors see in a text?

use crate::elements::{capitalised, command, form_token};
use crate::frame::{Frame, Source, Title, page};
use discover::Tried;
use maud::{Markup, html};

/// The test box.
#[derive(Debug, Clone, Default)]
pub(crate) struct TryBox {
    pub(crate) text: String,
    pub(crate) tried: Option<Tried>,
}

/// `/data/try`: what do the detectors see in a text?
pub(crate) fn try_box(frame: &Frame, source: &Source, view: &TryBox) -> Markup {
    let body = html! {
        form.stack method="post" action="/data/try" {
            (form_token(&frame.form_token))
            label { "Text, a few pages; nothing of it is kept"
                textarea name="text" rows="8" required maxlength="20000" { (view.text) } }
            button.first type="submit" { "Try it" }
        }
        @if let Some(tried) = &view.tried {
            section {
                h2 { "What the detectors see" }
                @if tried.spans.is_empty() { p { "Nothing." } }
                pre { (marked(&view.text, tried)) }
                p { "An object with this text is "
                    (frame.language.term(&capitalised(tried.class.word()))) ":" }
                ul { @for because in &tried.because { li { (because.sentence) } } }
            }
        }
        (command(frame.language, "lionrock discover try --in letter.txt"))
    };
    let title = Title { text: "Try a text", within: Some(("/data", "Sensitive data")) };
    page(frame, &title, source, &body)
}

/// The text with every find marked and named.
fn marked(text: &str, tried: &Tried) -> Markup {
    let mut at = 0;
    let mut parts = Vec::new();
    for span in &tried.spans {
        if let (Some(before), Some(found)) =
            (text.get(at..span.start), text.get(span.start..span.end))
        {
            parts.push((before, Some((found, String::from(span.kind)))));
            at = span.end;
        }
    }
    let rest = text.get(at..).unwrap_or_default();
    html! {
        @for (before, found) in &parts {
            (before)
            @if let Some((found, kind)) = found {
                mark title=(kind) { (found) } span.tag { "‹" (kind) "›" }
            }
        }
        (rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::{frame, source};
    use discover::Class;

    #[test]
    fn a_hostile_text_is_only_text() {
        let tried = Tried {
            spans: vec![discover::TriedSpan {
                start: 0,
                end: 8,
                kind: extract::KindName::try_from(String::from("hk-identity-card")).unwrap(),
                sure: true,
            }],
            class: Class::Restricted,
            because: Vec::new(),
        };
        let view = TryBox { text: "<script>x".into(), tried: Some(tried) };
        let text = try_box(&frame(), &source(), &view).into_string();
        assert!(text.contains("<mark title=\"hk-identity-card\">&lt;script&gt;</mark>"), "{text}");
        assert!(!text.contains("<script>x"));
    }
}
