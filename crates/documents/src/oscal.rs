//! OSCAL 1.2.1: a catalogue and assessment results as JSON.
//!
//! OSCAL is an export format here, never the interface. The rules are NIST's JSON schema and, for
//! cross-references that the schema does not check: every control that is named exists, every
//! finding leads to observations, and a finding that is not satisfied always does.

use crate::{Digest, hex};
use kernel::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OSCAL_VERSION: &str = "1.2.1";

/// One requirement as a control of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// The requirement's id; a token: a letter first, then letters, digits, `.`, `-`, `_`.
    pub id: String,
    /// The source it belongs to.
    pub group: String,
    /// The title.
    pub title: String,
    /// What it says, in our words.
    pub prose: String,
}

/// How an observation was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By an automated check.
    Test,
    /// By reading what somebody declared or attested.
    Examine,
}

/// What a check saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// A name that is unique within the assessment.
    pub key: String,
    /// The check's title.
    pub title: String,
    /// What was seen: population, failing items.
    pub description: String,
    /// How.
    pub method: Method,
    /// When.
    pub collected: Timestamp,
    /// Until when it counts.
    pub expires: Option<Timestamp>,
    /// Names and values: kind of evidence, digest of inputs, log position.
    pub properties: Vec<(String, String)>,
    /// Links into the pack: file and what it shows.
    pub evidence: Vec<(String, String)>,
}

/// What follows for one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The requirement.
    pub control: String,
    /// The title.
    pub title: String,
    /// The status in our words.
    pub description: String,
    /// Whether it holds.
    pub satisfied: bool,
    /// Keys of the observations it rests on; at least one.
    pub observations: Vec<String>,
}

/// An assessment over a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The title.
    pub title: String,
    /// What to know before reading: scope, sample, what is left open.
    pub description: String,
    /// When the document was made.
    pub made_at: Timestamp,
    /// First instant of the period.
    pub start: Timestamp,
    /// Last instant of the period.
    pub end: Timestamp,
    /// Every requirement in scope, assessed or not.
    pub controls: Vec<Control>,
    /// What was seen.
    pub observations: Vec<Observation>,
    /// What follows.
    pub findings: Vec<Finding>,
    /// Who stands behind it.
    pub people: Vec<Responsible>,
    /// Counts that a reader must not miss, such as how many were not assessed.
    pub remarks: String,
}

/// Someone who stands behind the assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Responsible {
    /// What they did, as an OSCAL token: `prepared-by`, `reviewed-by`, `approved-by`.
    pub role: String,
    /// The same for people.
    pub title: String,
    /// Their name.
    pub person: String,
    /// Role, time and account.
    pub remarks: String,
}

/// A UUID of version 5 form made from a name, so that the same report has the same identifiers.
fn uuid(digest: Digest<'_>, name: &str) -> String {
    let mut bytes = [0u8; 16];
    for (to, from) in bytes.iter_mut().zip(digest(name.as_bytes())) {
        *to = from;
    }
    let mut value = u128::from_be_bytes(bytes);
    value = (value & !(0xf << 76)) | (0x5 << 76);
    value = (value & !(0x3 << 62)) | (0x2 << 62);
    let text = hex(&value.to_be_bytes());
    let mut out = String::with_capacity(36);
    for (i, c) in text.chars().enumerate() {
        if matches!(i, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(c);
    }
    out
}

fn metadata(title: &str, made_at: Timestamp) -> Value {
    json!({
        "title": title,
        "last-modified": made_at.rfc3339(),
        "version": made_at.rfc3339(),
        "oscal-version": OSCAL_VERSION,
    })
}

/// Adds who stands behind it; the schema wants no empty lists.
fn with_people(mut metadata: Value, people: &[Responsible], id: &dyn Fn(&str) -> String) -> Value {
    if let (Value::Object(map), false) = (&mut metadata, people.is_empty()) {
        let each = |one: &dyn Fn(&Responsible) -> Value| people.iter().map(one).collect::<Vec<_>>();
        let roles = each(&|one| json!({ "id": one.role, "title": one.title }));
        let parties =
            each(&|one| json!({ "uuid": id(&one.role), "type": "person", "name": one.person }));
        let responsible = each(&|one| {
            json!({
                "role-id": one.role, "party-uuids": [id(&one.role)], "remarks": one.remarks,
            })
        });
        map.insert("roles".into(), roles.into());
        map.insert("parties".into(), parties.into());
        map.insert("responsible-parties".into(), responsible.into());
    }
    metadata
}

/// The requirements as an OSCAL catalogue, grouped by source in the order they come.
#[must_use]
pub fn catalog(assessment: &Assessment, digest: Digest<'_>) -> Value {
    let mut groups: Vec<(&str, Vec<Value>)> = Vec::new();
    for control in &assessment.controls {
        let value = json!({
            "id": control.id,
            "title": control.title,
            "parts": [{
                "id": format!("{}_smt", control.id),
                "name": "statement",
                "prose": control.prose,
            }],
        });
        match groups.iter_mut().find(|(title, _)| *title == control.group) {
            Some((_, controls)) => controls.push(value),
            None => groups.push((&control.group, vec![value])),
        }
    }
    let groups: Vec<Value> = groups
        .into_iter()
        .enumerate()
        .map(|(i, (title, controls))| {
            json!({ "id": format!("source-{}", i + 1), "title": title, "controls": controls })
        })
        .collect();
    json!({ "catalog": {
        "uuid": uuid(digest, &format!("catalog/{}", assessment.title)),
        "metadata": metadata(&format!("{}: requirements", assessment.title), assessment.made_at),
        "groups": groups,
    } })
}

/// The assessment as OSCAL assessment results.
#[must_use]
pub fn assessment_results(assessment: &Assessment, digest: Digest<'_>) -> Value {
    let name = |kind: &str, key: &str| {
        let title = &assessment.title;
        uuid(digest, &format!("{kind}/{title}/{}/{key}", assessment.made_at.rfc3339()))
    };
    let plan = name("resource", "plan");
    let keys: BTreeMap<&str, String> = assessment
        .observations
        .iter()
        .map(|o| (o.key.as_str(), name("observation", &o.key)))
        .collect();
    let observations: Vec<Value> =
        assessment.observations.iter().map(|o| observation(o, keys.get(o.key.as_str()))).collect();
    let findings: Vec<Value> = assessment
        .findings
        .iter()
        .map(|f| finding(f, &name("finding", &f.control), &keys))
        .collect();
    let controls: Vec<Value> =
        assessment.controls.iter().map(|c| json!({ "control-id": c.id })).collect();
    let mut result = json!({
        "uuid": name("result", ""),
        "title": assessment.title,
        "description": assessment.description,
        "start": assessment.start.rfc3339(),
        "end": assessment.end.rfc3339(),
        "reviewed-controls": { "control-selections": [{ "include-controls": controls }] },
        "remarks": assessment.remarks,
    });
    if let Value::Object(map) = &mut result {
        // The schema wants lists that are present to have at least one entry.
        if !observations.is_empty() {
            map.insert("observations".into(), observations.into());
        }
        if !findings.is_empty() {
            map.insert("findings".into(), findings.into());
        }
    }
    json!({ "assessment-results": {
        "uuid": name("assessment-results", ""),
        "metadata": with_people(metadata(&assessment.title, assessment.made_at), &assessment.people,
            &|role| name("party", role)),
        "import-ap": { "href": format!("#{plan}") },
        "results": [result],
        "back-matter": { "resources": [{
            "uuid": plan,
            "title": "Continuous assessment by live checks",
            "description": "No separate assessment plan: the checks and their versions are named \
                in each observation.",
        }] },
    } })
}

fn observation(observation: &Observation, uuid: Option<&String>) -> Value {
    let method = match observation.method {
        Method::Test => "TEST",
        Method::Examine => "EXAMINE",
    };
    let properties: Vec<Value> = observation
        .properties
        .iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| {
            json!({ "name": name, "ns": "https://lionrock.example/ns/oscal", "value": value.trim() })
        })
        .collect();
    let evidence: Vec<Value> = observation
        .evidence
        .iter()
        .map(|(href, description)| json!({ "href": href, "description": description }))
        .collect();
    let mut value = json!({
        "uuid": uuid,
        "title": observation.title,
        "description": observation.description,
        "methods": [method],
        "types": ["control-objective"],
        "collected": observation.collected.rfc3339(),
    });
    if let Value::Object(map) = &mut value {
        if let Some(expires) = observation.expires {
            map.insert("expires".into(), expires.rfc3339().into());
        }
        if !properties.is_empty() {
            map.insert("props".into(), properties.into());
        }
        if !evidence.is_empty() {
            map.insert("relevant-evidence".into(), evidence.into());
        }
    }
    value
}

fn finding(finding: &Finding, uuid: &str, observations: &BTreeMap<&str, String>) -> Value {
    let state = if finding.satisfied { "satisfied" } else { "not-satisfied" };
    let related: Vec<Value> = finding
        .observations
        .iter()
        .filter_map(|key| observations.get(key.as_str()))
        .map(|uuid| json!({ "observation-uuid": uuid }))
        .collect();
    json!({
        "uuid": uuid,
        "title": finding.title,
        "description": finding.description,
        "target": {
            "type": "statement-id",
            "target-id": format!("{}_smt", finding.control),
            "status": { "state": state },
        },
        "related-observations": related,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Good enough to tell names apart in a test; reports use SHA-256.
    fn test_digest(bytes: &[u8]) -> [u8; 32] {
        let mut state = [7u8; 32];
        for (i, byte) in bytes.iter().enumerate() {
            for (round, cell) in state.iter_mut().enumerate() {
                let step = u8::try_from((i + round) % 251).unwrap();
                *cell = cell.wrapping_mul(31).wrapping_add(*byte).wrapping_add(step);
            }
        }
        state
    }

    #[test]
    fn identifiers_have_the_form_that_the_schema_wants() {
        for name in ["", "a", "b", "hkma-sa2-2.3.1"] {
            let id = uuid(&test_digest, name);
            let parts: Vec<&str> = id.split('-').collect();
            assert_eq!(parts.iter().map(|p| p.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert!(
                parts[2].starts_with('5') && parts[3].starts_with(['8', '9', 'a', 'b']),
                "{id}"
            );
        }
        assert_ne!(uuid(&test_digest, "a"), uuid(&test_digest, "b"));
    }

    #[test]
    fn a_finding_leads_to_its_observations_and_lists_are_never_empty() {
        let at = Timestamp::EPOCH;
        let mut assessment = Assessment {
            title: "t".into(),
            description: "d".into(),
            made_at: at,
            start: at,
            end: at,
            controls: vec![Control {
                id: "hkma-1".into(),
                group: "g".into(),
                title: "t".into(),
                prose: "p".into(),
            }],
            observations: Vec::new(),
            findings: Vec::new(),
            people: vec![Responsible {
                role: "prepared-by".into(),
                title: "Prepared by".into(),
                person: "A".into(),
                remarks: "r".into(),
            }],
            remarks: "r".into(),
        };
        let result =
            &assessment_results(&assessment, &test_digest)["assessment-results"]["results"][0];
        assert!(result.get("observations").is_none() && result.get("findings").is_none());
        assessment.observations.push(Observation {
            key: "c".into(),
            title: "t".into(),
            description: "d".into(),
            method: Method::Test,
            collected: at,
            expires: None,
            properties: vec![("population".into(), "3".into()), ("empty".into(), " ".into())],
            evidence: Vec::new(),
        });
        assessment.findings.push(Finding {
            control: "hkma-1".into(),
            title: "t".into(),
            description: "d".into(),
            satisfied: false,
            observations: vec!["c".into()],
        });
        let value = assessment_results(&assessment, &test_digest);
        let result = &value["assessment-results"]["results"][0];
        assert_eq!(
            result["findings"][0]["related-observations"][0]["observation-uuid"],
            result["observations"][0]["uuid"]
        );
        assert_eq!(result["observations"][0]["props"].as_array().unwrap().len(), 1);
        let metadata = &value["assessment-results"]["metadata"];
        let party = &metadata["responsible-parties"][0]["party-uuids"][0];
        assert_eq!(party, &metadata["parties"][0]["uuid"]);
        let target = &result["findings"][0]["target"]["target-id"];
        let catalog = catalog(&assessment, &test_digest);
        assert_eq!(&catalog["catalog"]["groups"][0]["controls"][0]["parts"][0]["id"], target);
    }
}
