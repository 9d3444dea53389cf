//! What a running gateway measures against what the documents and the Grafana dashboard say of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
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

/// One alert of the file of rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alert {
    alert: String,
    expr: String,
    #[serde(rename = "for", default)]
    lasts: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Group {
    name: String,
    rules: Vec<Alert>,
}

#[derive(Debug, Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

/// Prometheus's own `promtool check rules` is too large to be set up for this; it is asked by hand when the file changes.
#[tokio::test]
async fn every_alert_asks_for_metrics_that_are_exported_and_says_what_to_do() {
    let exported = exported().await;
    let rules: Rules = serde_saphyr::from_str(&read("docs/prometheus/alerts.yml")).expect("rules");
    let troubleshooting = read("docs/troubleshooting.md");
    let alerts = rules.groups.iter().flat_map(|group| {
        assert!(!group.name.is_empty());
        &group.rules
    });
    let mut seen = BTreeSet::new();
    for rule in alerts {
        let name = &rule.alert;
        assert!(seen.insert(name), "{name} stands there twice");
        let asked: BTreeSet<&str> = names(&rule.expr);
        let others = rule.expr.contains("up{");
        assert!(
            !asked.is_empty() || others,
            "{name} asks for nothing of riser's"
        );
        for metric in asked {
            assert!(exported.contains(metric), "{name}: there is no {metric}");
        }
        let (open, closed) = (
            rule.expr.matches('(').count(),
            rule.expr.matches(')').count(),
        );
        assert_eq!(open, closed, "{name}: {}", rule.expr);
        let lasts = rule.lasts.as_deref().unwrap_or("0m");
        assert!(lasts.ends_with('m'), "{name} lasts {lasts}");
        let severity = rule.labels.get("severity").map(String::as_str);
        assert!(matches!(severity, Some("warning" | "critical")), "{name}");
        for annotation in ["summary", "description"] {
            assert!(
                rule.annotations.contains_key(annotation),
                "{name} has no {annotation}"
            );
        }
        assert!(
            troubleshooting.contains(&format!("`{name}`")),
            "docs/troubleshooting.md says nothing of {name}"
        );
    }
    assert!(seen.len() > 10, "{seen:?}");
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

/// Every word that looks like a metric of ours or of the process.
fn names(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("riser_") || word.starts_with("process_"))
        .collect()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}
