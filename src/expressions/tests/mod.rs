//! The tests of expressions, by what they look at, and what they stand on.

mod bounds;
mod errors;
mod fuzz;
mod json;
mod memory;
mod native;
mod operators;
mod templates;
mod texts;

use super::{Closed, Expression, Refusal, Scope, Text, Value, Windows};
use crate::model::JsonText;

/// A value by its JSON.
fn value(json: &str) -> Value {
    Value::of_json(&JsonText::parse(json).unwrap())
}

/// Variables by their JSON, an object.
fn scope(json: &str) -> Scope {
    let Value::Object(members) = value(json) else {
        panic!("{json} is no object");
    };
    members
        .iter()
        .map(|(name, value)| (name, value.clone()))
        .collect()
}

/// What an expression makes, as JSON, or its error.
fn evaluated(source: &str, variables: &str) -> String {
    let result = Expression::parse(source, &[])
        .and_then(|expression| expression.evaluate(&scope(variables), &Closed));
    match result {
        Ok(value) => value.to_json().as_str().to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Holds each expression to its value, as JSON.
fn check(variables: &str, cases: &[(&str, &str)]) {
    for (source, expect) in cases {
        assert_eq!(evaluated(source, variables), *expect, "{source}");
    }
}

/// One function, `status`, which knows one path.
struct OneStatus;

const STATUS: &[&str] = &["status"];

impl Windows for OneStatus {
    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, Refusal> {
        assert_eq!(function, "status");
        match arguments {
            [Value::Text(path)] if &**path == "sys/Display_1/power" => Ok(Value::Bool(true)),
            [Value::Text(_)] => Ok(Value::Null),
            _ => Err(Refusal("needs one path".to_owned())),
        }
    }
}

#[test]
fn a_function_of_the_outside_is_asked_by_its_name() {
    let ask = |source| {
        let expression = Expression::parse(source, STATUS).unwrap();
        let answer = expression.evaluate(&Scope::new(), &OneStatus);
        answer.map_err(|error| error.to_string())
    };
    assert_eq!(ask("status('sys/Display_1/power')"), Ok(Value::Bool(true)));
    assert_eq!(ask("status('sys/Display_1/none')"), Ok(Value::Null));
    assert_eq!(
        ask("status()"),
        Err("line 1, column 1: `status`: needs one path".to_owned())
    );
}

#[test]
fn what_a_function_answers_is_data_and_not_evaluated_again() {
    struct Tricky;
    impl Windows for Tricky {
        fn call(&self, _: &str, _: &[Value]) -> Result<Value, Refusal> {
            Ok(Value::from("{{ 1 + 1 }}"))
        }
    }
    let text = Text::parse("{{ status('x') }}!", STATUS).unwrap();
    let value = text.evaluate(&Scope::new(), &Tricky).unwrap();
    assert_eq!(value, Value::from("{{ 1 + 1 }}!"));
}
