//! Texts of the building file.

use super::super::{Closed, Text};
use super::{scope, value};

fn check(source: &str, expect: &str) {
    let scope = scope(r#"{"who": "Ann", "n": 5, "nothing": null, "o": {"a": [1.50]}}"#);
    let result = Text::parse(source, &[]).and_then(|text| text.evaluate(&scope, &Closed));
    match result {
        Ok(made) => assert_eq!(made, value(expect), "{source}"),
        Err(error) => assert_eq!(error.to_string(), expect, "{source}"),
    }
}

#[test]
fn one_whole_expression_keeps_its_type() {
    check("{{ n }}", "5");
    check("{{n}}", "5");
    check("{{ n == 5 }}", "true");
    check("{{ o }}", r#"{"a": [1.50]}"#);
    check("{{ nothing }}", "null");
    check("{{ o.b }}", "null");
}

#[test]
fn text_around_an_expression_makes_text() {
    check("{{ n }} ", "\"5 \"");
    check("{{ n }}{{ n }}", "\"55\"");
    check("Hello {{ who }}!\n", "\"Hello Ann!\\n\"");
    check("<{{ nothing }}{{ o.b }}>", "\"<>\"");
    check("{{ o }}:{{ n > 1 }}", r#""{\"a\":[1.50]}:true""#);
}

#[test]
fn a_text_without_an_expression_is_itself() {
    check("plain", "\"plain\"");
    check("{ a } {# b } 100 %", "\"{ a } {# b } 100 %\"");
    check("", "\"\"");
    check(
        &"long ".repeat(2_000),
        &format!("{:?}", "long ".repeat(2_000)),
    );
}

#[test]
fn an_unknown_name_in_a_text_is_an_error() {
    check(
        "a\n {{ whom }}",
        "line 2, column 5: there is no variable `whom`; did you mean `who`?",
    );
}
