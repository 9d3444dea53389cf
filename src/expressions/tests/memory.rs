//! How much memory greedy expressions take, seen from outside.
//!
//! Separate from the bounds because it takes a process of its own: in this one other tests take memory at the same time.

use std::process::Command;

use super::super::{Closed, Expression, Missing, Scope, Template, Value};

/// How much a process may grow by all of them, one after another: what is made at the same time is a few megabytes.
const GROWTH_MAX_KIB: u64 = 16 * 1024;

/// Set for the process that measures.
const ALONE: &str = "RISER_TEST_ALONE";

fn greedy() -> Vec<String> {
    let doubled = |piece: &str, times| vec![piece; times].join(" ~ ");
    vec![
        doubled("a", 90),
        format!("[{}]", vec!["a ~ a"; 100].join(",")),
        format!("({}) * 1000000000", doubled("a", 2)),
        "a | replace('x', a)".to_owned(),
        "(a | list) * 100000".to_owned(),
        "([a] * 30000) | join(a)".to_owned(),
        "[[[[a] * 1000] * 1000] * 1000] * 1000".to_owned(),
        "([a] * 30000) | map('upper') | list".to_owned(),
        "([a] * 30000) | tojson".to_owned(),
        "range(10000000000)".to_owned(),
        "range(30000) | map('string') | join(a)".to_owned(),
        "(range(30000) | list) + (range(30000) | list)".to_owned(),
        "10 ** 10 ** 10 ** 10".to_owned(),
        "a | split('x')".to_owned(),
    ]
}

#[test]
fn greedy_expressions_end_soon() {
    let scope = Scope::from_iter([("a", Value::from("x".repeat(60_000)))]);
    let before = peak_kib();
    for source in greedy() {
        let result = Expression::parse(&source, &[]).and_then(|it| it.evaluate(&scope, &Closed));
        assert!(result.is_err(), "{source}");
        let source = format!("{{% for i in range(1000) %}}{{{{ {source} }}}}{{% endfor %}}");
        let rendered =
            Template::parse(&source, &[]).and_then(|it| it.render(&scope, &Closed, Missing::Empty));
        assert!(rendered.is_err(), "{source}");
    }
    if std::env::var_os(ALONE).is_some() {
        let grown = peak_kib().saturating_sub(before);
        assert!(
            grown <= GROWTH_MAX_KIB,
            "the process has grown by {grown} KiB"
        );
    }
}

#[test]
fn greedy_expressions_take_little_memory() {
    let measured = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "expressions::tests::memory::greedy_expressions_end_soon",
        ])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&measured.stdout);
    assert!(measured.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

/// The most memory that the process has had, in KiB; 0 where the system does not say.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = peak.and_then(|text| text.trim().split(' ').next()?.parse().ok());
    number.unwrap_or(0)
}
