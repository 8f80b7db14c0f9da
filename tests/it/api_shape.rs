//! The descriptions of the API, held against the ones that clients were built with: paths, methods, parameters with
//! their bounds, bodies, answers and their schemas. Wording is free.
//!
//! A change on purpose renews the fixtures; their diff shows what clients get to see:
//!
//! ```text
//! UPDATE_API_SHAPE=1 cargo nextest run --locked -E 'test(api_shape)'
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::house::root;
use super::support::spawn_hub;

/// Set to any value, it renews the fixtures.
const UPDATE: &str = "UPDATE_API_SHAPE";
/// What only people read.
const WORDING: [&str; 6] = ["description", "summary", "title", "example", "examples", "externalDocs"];
/// Objects whose keys are names: a field may well be called `description`.
const NAMED: [&str; 7] = ["properties", "paths", "schemas", "headers", "channels", "messages", "operations"];
/// Lists in which the order says nothing.
const SETS: [&str; 2] = ["required", "parameters"];
/// Differences that are shown at most.
const SHOWN_MAX: usize = 30;

/// A description without its wording.
fn shape(value: &Value) -> Value {
    if let Some(fields) = value.as_object() {
        let told = fields.iter().filter(|(name, _)| !WORDING.contains(&name.as_str()));
        return Value::Object(told.map(|(name, value)| (name.clone(), field(name, value))).collect());
    }
    value.as_array().map_or_else(|| value.clone(), |items| items.iter().map(shape).collect())
}

fn field(name: &str, value: &Value) -> Value {
    if let Some(fields) = value.as_object().filter(|_| NAMED.contains(&name)) {
        return Value::Object(fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect());
    }
    let mut value = shape(value);
    if let Some(items) = value.as_array_mut().filter(|_| SETS.contains(&name)) {
        items.sort_by_key(ToString::to_string);
    }
    value
}

/// Every plain value by where it stands; parameters by their names, so that one more does not move the others.
fn leaves(place: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    let mut parts: Vec<(String, &Value)> = Vec::new();
    parts.extend(value.as_object().into_iter().flatten().map(|(name, part)| (name.clone(), part)));
    parts.extend(value.as_array().into_iter().flatten().enumerate().map(|(number, part)| {
        (part["name"].as_str().map_or_else(|| number.to_string(), str::to_owned), part)
    }));
    if parts.is_empty() {
        found.insert(place.to_owned(), value.to_string());
    }
    for (name, part) in parts {
        leaves(&format!("{place} › {name}"), part, found);
    }
}

/// One line for each value that is there no more, is new, or is another.
fn differences(before: &Value, now: &Value) -> Vec<String> {
    let [before, now] = [before, now].map(|value| {
        let mut found = BTreeMap::new();
        leaves("", value, &mut found);
        found
    });
    let places: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let places = places.into_iter().filter(|place| before.get(*place) != now.get(*place));
    let value = |side: &BTreeMap<String, String>, place: &String| {
        side.get(place).cloned().unwrap_or_else(|| "nothing".to_owned())
    };
    places.map(|place| format!("{place}: was {}, is {}", value(&before, place), value(&now, place))).collect()
}

fn is_the_recorded_one(name: &str, parts: &[&str]) {
    let document = spawn_hub().json(&format!("/api/{name}"));
    let told: Map<String, Value> =
        parts.iter().map(|part| ((*part).to_owned(), field(part, &document[*part]))).collect();
    let now = Value::Object(told);
    let path = root().join("tests/fixtures/api").join(name);
    if std::env::var_os(UPDATE).is_some() {
        let text = serde_json::to_string_pretty(&now).expect("JSON");
        std::fs::write(&path, format!("{text}\n")).expect("written");
    }
    let text = std::fs::read_to_string(&path).expect("a fixture");
    let differences = differences(&serde_json::from_str(&text).expect("JSON"), &now);
    assert!(
        differences.is_empty(),
        "/api/{name} describes another API than tests/fixtures/api/{name}:\n{}\n\
         Clients may rely on what was described. If the change is meant, renew the fixture with {UPDATE}=1.",
        differences[..differences.len().min(SHOWN_MAX)].join("\n"),
    );
}

#[test]
fn the_described_rest_api_is_the_one_that_clients_were_built_with() {
    is_the_recorded_one("openapi.json", &["paths", "components", "security", "servers"]);
}

#[test]
fn the_described_socket_is_the_one_that_clients_were_built_with() {
    is_the_recorded_one("asyncapi.json", &["servers", "channels", "operations", "components"]);
}

#[test]
fn a_bound_that_changed_is_named_with_its_place_and_a_wording_that_changed_is_not() {
    let with = |maximum: u32, description: &str| {
        serde_json::json!({ "parameters": [
            { "name": "page", "description": description },
            { "name": "limit", "schema": { "maximum": maximum }, "description": description },
        ] })
    };
    let compared = |before: &Value, now: &Value| differences(&shape(before), &shape(now));
    assert_eq!(compared(&with(200, "before"), &with(200, "now")), [""; 0]);
    assert_eq!(
        compared(&with(200, "before"), &with(100, "now")),
        [" › parameters › limit › schema › maximum: was 200, is 100"]
    );
}
