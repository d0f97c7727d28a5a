//! What is shown when something does not work: what, why as far as it may be told, and where to go.

use crate::elements::capitalised;
use crate::frame::bare_page;
use kernel::{Problem, ProblemKind};
use maud::{Markup, html};

/// The page of a problem. `correlation` is the id under which the log has the cause.
pub(crate) fn show(problem: &Problem, correlation: &str, sample: bool) -> Markup {
    let body = html! {
        p { (sentence(&problem.detail)) }
        @if !problem.fields.is_empty() {
            ul { @for field in &problem.fields {
                li { code { (field.pointer) } ": " (field.detail) }
            } }
        }
        dl {
            dt { "Code" } dd { code { (problem.code) } }
            dt { "Known in the log as" } dd { code { (correlation) } }
        }
        p { a href="/" { "Overview" } }
    };
    bare_page(title(problem.kind), sample, &body)
}

/// The title of a family of problems.
const fn title(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Invalid => "The request is not understood",
        ProblemKind::Unauthenticated => "Sign in first",
        ProblemKind::Refused => "Not allowed",
        ProblemKind::NotFound => "Not found",
        ProblemKind::Conflict => "It has changed",
        ProblemKind::TooLarge => "Too large",
        ProblemKind::TooManyRequests => "Too often",
        ProblemKind::Unavailable => "Not available now",
        ProblemKind::StorageFull => "The disk is full",
        ProblemKind::Internal => "Our fault",
    }
}

/// Messages are written in lower case without a full stop; on a page they are sentences.
pub(crate) fn sentence(detail: &str) -> String {
    format!("{}.", capitalised(detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_and_under_which_id_the_log_has_it() {
        let text = show(&Problem::not_found("key"), "req_1", false).into_string();
        assert!(text.contains("<h1>Not found</h1>") && text.contains("No such key."));
        assert!(text.contains("req_1"));
    }

    #[test]
    fn hostile_details_are_only_text() {
        let problem = Problem::field("/name", "<script>alert(1)</script>");
        let text = show(&problem, "<b>", true).into_string();
        assert!(!text.contains("<script>alert") && !text.contains("<b>"));
    }
}
