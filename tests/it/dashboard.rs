//! What a running gateway measures against what the documents and the Grafana dashboard say of it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{BUILDING, Certificate, Plan, Redis, root};

#[tokio::test]
async fn every_metric_that_the_dashboard_shows_is_exported() {
    let exported = exported().await;
    let dashboard = read("docs/grafana/riser.json");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("a dashboard is JSON");
    let mut queries = Vec::new();
    collect_queries(&dashboard, &mut queries);
    assert!(queries.len() > 10, "{queries:?}");
    for query in queries {
        let named = names(&query);
        assert!(!named.is_empty(), "{query:?} asks for nothing of riser's");
        for name in named {
            assert!(exported.contains(name), "{query:?}: there is no {name}");
        }
    }
}

#[tokio::test]
async fn every_metric_that_is_exported_stands_in_the_document() {
    let document = read("docs/operations.md");
    let documented: BTreeSet<&str> = names(&document);
    for name in exported().await {
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|part| name.strip_suffix(part))
            .unwrap_or(&name);
        assert!(
            documented.contains(family),
            "docs/operations.md says nothing of {family}"
        );
    }
}

/// The names of all series of a gateway that has just started, so the dashboard shows zeros rather than gaps.
async fn exported() -> BTreeSet<String> {
    // With TLS and on a Redis, which have measures of their own.
    let redis = Redis::start().await;
    let plan = Plan::serve(BUILDING).tls(&Certificate::new());
    let gateway = plan.on(&redis.url()).start().await;
    let page = gateway.request("GET", "/metrics").send().await.body;
    page.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split([' ', '{']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Every `expr` of the dashboard, wherever it stands.
fn collect_queries(value: &Value, queries: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            queries.extend(
                fields
                    .get("expr")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            for value in fields.values() {
                collect_queries(value, queries);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_queries(item, queries)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every word that looks like a metric of ours.
fn names(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("riser_"))
        .collect()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}
