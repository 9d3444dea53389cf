//! Values from JSON and back.

use proptest::prelude::*;

use super::super::{Closed, Expression, Value};
use super::{check, evaluated, scope, value};
use crate::model::JsonText;

#[test]
fn what_only_passes_through_keeps_every_digit() {
    for json in [
        "36893488147419103232",
        "-9223372036854775809",
        "18446744073709551615",
        "0.12345678901234567890",
        "1.50",
        "1E3",
        "-0",
        "1e400",
        r#"["\ud800",1]"#,
        r#"{"a":{"\ud800":1},"b":[1e400,2.0]}"#,
    ] {
        assert_eq!(value(json).to_json().as_str(), json);
        assert_eq!(evaluated("x", &format!("{{\"x\":{json}}}")), json);
    }
}

#[test]
fn json_that_is_no_value_of_ours_does_not_disturb_what_stands_beside_it() {
    check(
        r#"{"x": {"big": 1e400, "half": "\ud800", "good": 2, "long": 36893488147419103232}}"#,
        &[
            ("x.good + 1", "3"),
            ("[x.half, x.good]", r#"["\ud800",2]"#),
            ("x.half == x.half", "true"),
            ("x.big > 1", "true"),
            ("x.long > x.good", "true"),
            ("x.long == 36893488147419103232", "true"),
            ("x.long ~ ''", "\"36893488147419103232\""),
        ],
    );
}

#[test]
fn what_is_nested_very_deeply_passes_through() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let scope = scope(&format!(r#"{{"deep": {deep}, "x": 1}}"#));
    let read = |source| {
        Expression::parse(source, &[])
            .unwrap()
            .evaluate(&scope, &Closed)
    };
    assert_eq!(read("x").unwrap(), Value::from(1_u64));
    assert_eq!(read("deep").unwrap().to_json().as_str(), deep);
}

proptest! {
    #[test]
    fn json_comes_back_with_the_same_meaning(text in "[\\[\\]{}\":,0-9eE.+\\-a\\\\ntruefalsd ]{0,24}") {
        if let Ok(json) = JsonText::parse(&text) {
            let once = Value::of_json(&json).to_json();
            let twice = Value::of_json(&once).to_json();
            prop_assert_eq!(once.as_str(), twice.as_str());
        }
    }
}
