//! The OpenAPI 3.1 document, made from the route table.

use crate::fault::ProblemBody;
use crate::table::{Endpoint, Needs, Table};
use http::{Method, StatusCode};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Makes the schema of one type.
pub type ShapeOf = fn(&mut SchemaGenerator) -> Schema;

/// The document; `version` is the version of the product.
#[must_use]
pub fn document(table: &Table, version: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut requests = settings.clone().for_deserialize().into_generator();
    let mut answers = settings.for_serialize().into_generator();
    let problem = answers.subschema_for::<ProblemBody>();
    let mut paths = Map::new();
    for endpoint in table.endpoints() {
        let item = paths.entry(endpoint.full_path()).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(item) = item {
            let method = endpoint.method.as_str().to_lowercase();
            item.insert(method, operation(endpoint, &problem, &mut requests, &mut answers));
        }
    }
    let mut schemas = requests.take_definitions(true);
    schemas.extend(answers.take_definitions(true));
    schemas.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lionrock",
            "version": version,
            "description": "Keys, protected data, access and evidence of one institution.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer",
                    "description": "An API token or the token of a signed-in session.",
                },
                "certificate": { "type": "mutualTLS" },
            },
        },
    })
}

fn operation(
    endpoint: &Endpoint,
    problem: &Schema,
    requests: &mut SchemaGenerator,
    answers: &mut SchemaGenerator,
) -> Value {
    let mut operation = Map::new();
    operation.insert("operationId".into(), endpoint.operation().into());
    operation.insert("tags".into(), json!([endpoint.area]));
    operation.insert("summary".into(), endpoint.summary.into());
    let security = match endpoint.needs {
        Needs::Nobody | Needs::Unsealed => json!([]),
        Needs::SignedIn | Needs::Permit(_) => json!([{ "token": [] }, { "certificate": [] }]),
    };
    operation.insert("security".into(), security);
    if let Needs::Permit(action) = endpoint.needs {
        operation.insert("x-action".into(), action.word().into());
    }
    let mut parameters = parameters("path", (endpoint.path_shape)(requests));
    parameters.extend(self::parameters("query", (endpoint.query_shape)(requests)));
    if endpoint.idempotent {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key with the same body gives the same outcome for 24 hours.",
            "schema": { "type": "string", "pattern": "^[!-~]{1,128}$" },
        }));
    }
    if !parameters.is_empty() {
        operation.insert("parameters".into(), parameters.into());
    }
    if !endpoint.bodies.is_empty() {
        let content = endpoint.bodies.iter().map(|(media, shape)| {
            let schema =
                shape.map_or_else(|| json!({}), |shape| json!({ "schema": shape(requests) }));
            ((*media).to_owned(), schema)
        });
        let content: Map<String, Value> = content.collect();
        operation.insert("requestBody".into(), json!({ "required": true, "content": content }));
    }
    operation.insert("responses".into(), responses(endpoint, problem, answers));
    operation.into()
}

fn parameters(place: &str, schema: Schema) -> Vec<Value> {
    let schema = schema.to_value();
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    let parameter = |(name, shape): (&String, &Value)| {
        let mut shape = shape.clone();
        let description = shape.as_object_mut().and_then(|shape| shape.remove("description"));
        let mut parameter = json!({
            "name": name, "in": place, "required": required.contains(&name.as_str()),
            "schema": without_null(shape),
        });
        if let (Some(text), Some(object)) = (description, parameter.as_object_mut()) {
            object.insert("description".into(), text);
        }
        parameter
    };
    properties.iter().map(parameter).collect()
}

/// An optional parameter is absent, never null.
fn without_null(mut shape: Value) -> Value {
    if let Some(Value::Array(kinds)) = shape.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let (1, Some(only)) = (kinds.len(), kinds.first().cloned())
            && let Some(object) = shape.as_object_mut()
        {
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = shape.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let (1, Some(only)) = (choices.len(), choices.first().cloned()) {
            return only;
        }
    }
    if let Some(Value::Array(values)) = shape.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    shape
}

fn responses(endpoint: &Endpoint, problem: &Schema, answers: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let correlation = json!({
        "X-Request-Id": {
            "description": "The id under which the log knows this request.",
            "schema": { "type": "string" },
        },
    });
    let mut success = json!({ "description": "Done", "headers": correlation });
    if let (Some((media, shape)), Some(object)) = (&endpoint.answer, success.as_object_mut()) {
        let schema = shape.map_or_else(|| json!({}), |shape| json!({ "schema": shape(answers) }));
        let content: Map<String, Value> = std::iter::once(((*media).to_owned(), schema)).collect();
        object.insert("content".into(), content.into());
    }
    responses.insert(endpoint.success.as_str().into(), success);
    for status in refusals(endpoint) {
        let text = status.canonical_reason().unwrap_or("Problem");
        responses.insert(
            status.as_str().into(),
            json!({
                "description": text,
                "headers": correlation,
                "content": { "application/problem+json": { "schema": problem } },
            }),
        );
    }
    responses.sort_keys();
    responses.into()
}

/// Every status that an endpoint may answer with when it does not do what was asked.
pub(crate) fn refusals(endpoint: &Endpoint) -> Vec<StatusCode> {
    // Unknown parameters, a broken body, a method that is not served, overload, our own fault.
    let mut statuses = vec![
        StatusCode::BAD_REQUEST,
        StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    match endpoint.needs {
        Needs::Nobody => {}
        Needs::Unsealed => statuses.push(StatusCode::UNAUTHORIZED),
        Needs::SignedIn | Needs::Permit(_) => {
            statuses.extend([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]);
        }
    }
    // Things may be named in the path or in the body; either may be missing.
    if endpoint.path.contains('{') || !endpoint.bodies.is_empty() {
        statuses.push(StatusCode::NOT_FOUND);
    }
    if endpoint.method != Method::GET {
        statuses.extend([
            StatusCode::CONFLICT,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
        ]);
    }
    if !endpoint.bodies.is_empty() {
        statuses.push(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    statuses.sort_unstable();
    statuses
}
