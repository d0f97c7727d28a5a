//! The report in the words of OSCAL assessment results.

use crate::report::{CheckReport, Report};
use crate::status::Status;
use documents::oscal::{Assessment, Control, Finding, Method, Observation, Responsible};
use inventory::KnownBy;
use std::collections::BTreeMap;

/// Every requirement as a control, every check that ran as an observation, a finding for each
/// requirement on which checks decided. What was not assessed has no finding and is counted.
pub(super) fn assessment(report: &Report) -> Assessment {
    let titles: BTreeMap<&str, &str> =
        report.counts.iter().map(|s| (s.source.as_str(), s.title.as_str())).collect();
    let controls = report.requirements.iter().map(|row| Control {
        id: row.id.as_str().to_owned(),
        group: titles.get(row.source.as_str()).copied().unwrap_or(&row.source).to_owned(),
        title: row.title.clone(),
        prose: row.text.clone(),
    });
    let assessed = |status: Status| {
        matches!(
            status,
            Status::Met | Status::NotMet | Status::ControlWorking | Status::ControlNotWorking
        )
    };
    let ran: Vec<&str> =
        report.checks.iter().filter(|c| c.latest.is_some()).map(|c| c.id.as_str()).collect();
    let mut findings = Vec::new();
    for row in report.requirements.iter().filter(|row| assessed(row.status)) {
        let checks = row.checks.iter().map(|check| check.as_str());
        let observations: Vec<String> =
            checks.filter(|check| ran.contains(check)).map(str::to_owned).collect();
        if observations.is_empty() {
            continue;
        }
        let gap = if row.gap.is_empty() { String::new() } else { format!(": {}", row.gap) };
        findings.push(Finding {
            control: row.id.as_str().to_owned(),
            title: row.title.clone(),
            description: format!("{}{gap}", row.status.title()),
            satisfied: row.status.is_good(),
            observations,
        });
    }
    let without = report.requirements.len() - findings.len();
    let sample = if report.sample { "SAMPLE. " } else { "" };
    let people = report.signatories.by_role().into_iter().filter_map(|(what, by)| {
        let by = by?;
        Some(Responsible {
            role: format!("{what}-by"),
            title: capital(what) + " by",
            person: by.name.clone(),
            remarks: format!("{}, {}, account {}", by.role, by.at.rfc3339(), by.who),
        })
    });
    Assessment {
        people: people.collect(),
        title: format!("{sample}Assessment of {}", report.made_at.hong_kong_date()),
        description: format!(
            "{sample}Continuous checks of live state against paraphrased requirements; statuses are \
             those of the text's confirmation."
        ),
        made_at: report.made_at,
        start: report.period.from(),
        end: report.period.to(),
        controls: controls.collect(),
        observations: report.checks.iter().filter_map(observation).collect(),
        findings,
        remarks: format!(
            "{without} of {} requirements have no finding: not assessed, no data, stale, not \
             applicable or withheld. They stay in the count. Last independent witness of the log: \
             {}.",
            report.requirements.len(),
            report
                .witnessed
                .as_ref()
                .map_or_else(|| "there is none".to_owned(), |seen| seen.sentence(report.made_at))
        ),
    }
}

fn capital(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(rest).collect()
}

fn observation(check: &CheckReport) -> Option<Observation> {
    let result = check.latest.as_ref()?;
    let mut properties = vec![
        ("check".to_owned(), check.id.as_str().to_owned()),
        ("check-version".to_owned(), check.version.clone()),
        ("outcome".to_owned(), result.outcome.word().to_owned()),
        ("population".to_owned(), result.population.to_string()),
        ("failing".to_owned(), result.failing_count.to_string()),
        ("inputs-sha256".to_owned(), result.inputs.clone()),
    ];
    if let Some(known) = result.known_by {
        properties.push(("evidence-kind".to_owned(), known.word().to_owned()));
    }
    if let Some(position) = check.log_position {
        properties.push(("log-position".to_owned(), position.0.to_string()));
    }
    let observed = matches!(result.known_by, Some(KnownBy::Observed | KnownBy::Reported));
    Some(Observation {
        key: check.id.as_str().to_owned(),
        title: check.title.clone(),
        description: format!(
            "{}: {} of {} hold, {} do not, {} without an answer",
            result.outcome.word(),
            result.passed,
            result.population,
            result.failing_count,
            result.error_count
        ),
        method: if observed { Method::Test } else { Method::Examine },
        collected: result.at,
        expires: None,
        properties,
        evidence: vec![(
            crate::document::JSON.to_owned(),
            format!("result of check {}", check.id.as_str()),
        )],
    })
}
