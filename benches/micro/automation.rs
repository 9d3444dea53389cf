//! What a trigger and its steps cost without anything around them: a look at a condition, and texts that are evaluated.

use std::time::Duration;

use divan::{Bencher, black_box};
use riser::automation::{Edges, Look};
use riser::expressions::{Closed, Expression, Object, Scope, Text, Value};
use riser::model::{Conditions, JsonText};

fn json(text: &str) -> JsonText {
    JsonText::parse(text).expect("it is JSON")
}

/// The variables of a step: an event with what it says.
fn scope() -> Scope {
    let data = Value::of_json(&json(r#"{"who": "Ann", "room": 4, "temperature": 26.5}"#));
    let event: Object = [
        ("event".into(), Value::from("badge")),
        ("data".into(), data),
    ]
    .into_iter()
    .collect();
    let mut scope = Scope::new();
    scope.set("event", Value::from(event));
    scope
}

/// A change of a status that a trigger waits for: neither this value nor the next one makes it fire.
#[divan::bench]
fn condition(bencher: Bencher<'_, '_>) {
    let when = json(r#"[{"status": "sys-1/Climate_1/temperature", "is": ">", "than": 26}]"#);
    let when = Conditions::read(&when).expect("they are conditions");
    let mut edges = Edges::new(&when, Duration::ZERO);
    let values = [json("21.5"), json("22")];
    edges.value(0, Some(&values[0]), Look::First, Duration::ZERO);
    let mut at = 0;
    bencher.bench_local(|| {
        at += 1;
        let (value, now) = (&values[at % 2], Duration::from_millis(at as u64));
        edges.value(0, Some(black_box(value)), Look::Change, now)
    });
}

/// The condition of a step `if`.
#[divan::bench]
fn expression(bencher: Bencher<'_, '_>) {
    let source = "event.data.who in ['Ann', 'Bob'] and event.data.temperature > 26";
    let expression = Expression::parse(source, &[]).expect("it is an expression");
    let scope = scope();
    bencher.bench_local(|| {
        let value = black_box(&expression).evaluate(&scope, &Closed);
        value.expect("it has a value")
    });
}

/// An argument of a step: one value alone, which keeps its type, or a text around it.
#[divan::bench(args = ["{{ event.data.room }}", "Room {{ event.data.room }}: {{ event.data.temperature }} °C"])]
fn text(bencher: Bencher<'_, '_>, source: &str) {
    let text = Text::parse(source, &[]).expect("it is a text");
    let scope = scope();
    bencher.bench_local(|| {
        let value = black_box(&text).evaluate(&scope, &Closed);
        value.expect("it has a value")
    });
}
