//! The document for machines: committed, complete, and what the server itself gives.

use std::collections::BTreeSet;
use std::path::Path;

use luminous_domain::{Permission, Role};
use serde_json::{Value, json};

use crate::home::Home;

/// The methods a path item can have.
const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// Every route of the document: method, path, what it says of itself.
pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        let methods = METHODS.iter().filter_map(move |method| Some((method, item.get(method)?)));
        methods.map(move |(method, operation)| {
            (method.to_uppercase(), path.clone(), operation.clone())
        })
    });
    each.collect()
}

/// The document.
pub fn document() -> Value {
    serde_json::from_str(&luminous_server::openapi::text().unwrap()).unwrap()
}

#[test]
fn the_committed_document_is_the_one_the_routes_make() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let made = luminous_server::openapi::text().unwrap();
    if std::env::var_os("LUMINOUS_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "docs/openapi.json is stale: LUMINOUS_WRITE_OPENAPI=1 cargo nextest run -p luminous-server openapi"
    );
}

#[tokio::test]
async fn the_running_server_gives_the_same_document() {
    let home = Home::start().await;
    let served = home.anonymous().get("/openapi.json").await;
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(served.json(), document());
    assert_eq!(document()["openapi"], "3.1.0");
}

#[test]
fn every_route_says_who_may_use_it_and_how_it_can_end() {
    let known: BTreeSet<_> = Permission::ALL.iter().map(|one| one.as_str()).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document()) {
        let route = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].to_string()), "{route}: its id is taken");
        assert!(operation["summary"].is_string(), "{route}: no summary");
        if !path.starts_with("/api/") {
            continue;
        }
        let scopes = operation["security"][0]["bearer"].as_array();
        let scopes = scopes.unwrap_or_else(|| panic!("{route}: who may use it?"));
        for scope in scopes {
            assert!(known.contains(scope.as_str().unwrap()), "{route}: {scope}");
        }
        // What is in a family, and what is about the caller's own without naming it.
        let own = ["/api/link/", "/api/devices/", "/api/wall", "/api/hub/"];
        let inside = path.contains("{family_id}") || own.iter().any(|own| path.starts_with(own));
        assert_eq!(scopes.len(), usize::from(inside), "{route}");
        for status in ["401", "403", "429", "500", "503", "507"] {
            assert!(operation["responses"][status].is_object(), "{route}: {status}");
        }
        for (name, status) in [("requestBody", "400"), ("requestBody", "415")] {
            let both = operation[name].is_object() == operation["responses"][status].is_object();
            assert!(both || path.ends_with("/audit"), "{route}: {status}");
        }
    }
}

#[test]
fn every_error_is_a_problem_and_every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let pointer = reference.split('"').next().unwrap().trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    for (method, path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = match response["$ref"].as_str() {
                Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
                None => response,
            };
            if path.starts_with("/api/") && status.starts_with(['4', '5']) {
                let content = response["content"].as_object().unwrap();
                let kinds: Vec<_> = content.keys().collect();
                assert_eq!(kinds, ["application/problem+json"], "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn the_words_of_the_document_are_those_that_are_sent() {
    let document = document();
    let words = |name: &str| document["components"]["schemas"][name]["enum"].clone();
    assert_eq!(words("Role"), json!(Role::ALL));
    assert_eq!(words("Permission"), json!(Permission::ALL));
}

#[test]
fn the_guide_names_every_route_and_the_permission_it_takes() {
    let guide = include_str!("../../../../docs/API.md");
    for (method, path, operation) in operations(&document()) {
        let Some(who) = operation["security"][0]["bearer"].as_array() else { continue };
        let who = who.first().map_or("a person", |permission| permission.as_str().unwrap());
        let row = guide.lines().find(|line| line.starts_with(&format!("| `{method} {path}` |")));
        let row = row.unwrap_or_else(|| panic!("{method} {path} is not in the guide"));
        assert!(row.contains(who), "{row}: {who}");
    }
}
