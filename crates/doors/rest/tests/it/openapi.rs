//! The OpenAPI document against its golden file.

use std::collections::BTreeSet;

fn golden() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/openapi.json")
}

#[test]
fn the_committed_document_is_the_one_that_the_table_makes() {
    let document = rest::openapi::document(&rest::table(), env!("CARGO_PKG_VERSION"));
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    if std::env::var_os("LIONROCK_GOLDEN").is_some() {
        std::fs::create_dir_all(golden().parent().unwrap()).unwrap();
        std::fs::write(golden(), &text).unwrap();
    }
    let committed = std::fs::read_to_string(golden()).unwrap_or_default();
    assert!(
        committed == text,
        "docs/openapi.json is not up to date: run with LIONROCK_GOLDEN=write"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own_and_every_reference_a_target() {
    let table = rest::table();
    let names: BTreeSet<_> = table.endpoints().iter().map(rest::Endpoint::operation).collect();
    assert_eq!(names.len(), table.endpoints().len());
    let document = rest::openapi::document(&table, "0");
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_parameter_of_a_path_is_documented() {
    let document = rest::openapi::document(&rest::table(), "0");
    for (path, item) in document["paths"].as_object().unwrap() {
        let named: BTreeSet<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let given: BTreeSet<_> = parameters
                .iter()
                .filter(|p| p["in"] == "path")
                .map(|p| p["name"].as_str().unwrap())
                .collect();
            assert_eq!(named, given, "{method} {path}");
        }
    }
}

fn collect(value: &serde_json::Value, references: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(|r| r.as_str()) {
                references.push(reference.to_owned());
            }
            map.values().for_each(|v| collect(v, references));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|v| collect(v, references)),
        _ => {}
    }
}
