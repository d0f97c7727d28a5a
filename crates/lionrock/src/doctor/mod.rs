//! `lionrock doctor`: what the machine and the data folder offer, measured here and now.
//!
//! Each finding is graded by what a server would do with it. Nothing is claimed that was not seen:
//! what cannot be found out is `unknown`.

mod certificate;
mod clock;
mod disk;
mod folder;
mod process;
mod work;

use crate::cli::local::Doctor;
use crate::clock::SystemClock;
use crate::exit::Exit;
use crate::screen;
use discover::work::WorkerOptions;
use kernel::Clock;
use serde::Serialize;
use std::fmt;

/// What a finding means for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Good,
    /// It cannot be found out here.
    Unknown,
    /// The server works, with the loss that is stated.
    Weak,
    /// The server would refuse to start, or lose something.
    Bad,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "good",
            Self::Unknown => "unknown",
            Self::Weak => "weak",
            Self::Bad => "bad",
        })
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub about: &'static str,
    /// What it means.
    pub grade: Grade,
    /// What was seen.
    pub says: String,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<&'static str>,
}

impl Finding {
    fn new(about: &'static str, grade: Grade, says: impl Into<String>) -> Self {
        Self { about, grade, says: says.into(), advice: None }
    }

    fn good(about: &'static str, says: impl Into<String>) -> Self {
        Self::new(about, Grade::Good, says)
    }

    /// Only what is not good has an advice.
    fn advise(mut self, advice: &'static str) -> Self {
        self.advice = (self.grade != Grade::Good).then_some(advice);
        self
    }
}

/// Width of the column that says what was looked at.
const ABOUT_WIDTH: usize = 20;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<7}  {:<ABOUT_WIDTH$}  {}", self.grade, self.about, self.says)?;
        match self.advice {
            Some(advice) => write!(f, "\n{:<7}  {:<ABOUT_WIDTH$}  → {advice}", "", ""),
            None => Ok(()),
        }
    }
}

/// Looks at everything.
#[must_use]
pub fn examine(args: &Doctor, clock: &dyn Clock) -> Vec<Finding> {
    let before = clock::Reading::now(clock);
    let mut findings = process::examine(clock);
    findings.push(work::examine(WorkerOptions::this_program(1)));
    findings.extend(disk::examine(&args.data, clock));
    findings.extend(folder::examine(&args.data));
    findings.extend(certificate::examine(&args.data, clock.wall()));
    findings.extend(clock::examine(&args.data, &before, &clock::Reading::now(clock)));
    findings
}

/// Looks at everything and says it.
pub fn run(json: bool, args: &Doctor) -> Exit {
    let findings = examine(args, &SystemClock);
    let worst = findings.iter().map(|finding| finding.grade).max().unwrap_or(Grade::Unknown);
    if json {
        let all = serde_json::json!({ "worst": worst, "findings": findings });
        screen::line(&format!("{all:#}"));
    } else {
        for finding in &findings {
            screen::line(&finding.to_string());
        }
    }
    if worst == Grade::Bad { Exit::Failed } else { Exit::Done }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_are_ordered_by_how_much_they_matter() {
        assert!(Grade::Good < Grade::Unknown && Grade::Unknown < Grade::Weak);
        assert!(Grade::Weak < Grade::Bad);
    }

    #[test]
    fn a_finding_is_a_line_and_its_advice_another() {
        let weak = Finding::new("memory", Grade::Weak, "may be swapped").advise("raise the limit");
        let text = weak.to_string();
        assert!(text.starts_with("weak     memory                may be swapped\n"), "{text}");
        assert!(text.ends_with("→ raise the limit"), "{text}");
        assert_eq!(Finding::good("memory", "locked").advise("raise the limit").advice, None);
    }
}
