//! Random sources, values and rendered texts.

use super::super::limits::OUTPUT_MAX_BYTES;
use super::super::native::native;
use super::super::{
    Expression, ExpressionError, Missing, Refusal, Scope, Template, Text, Value, Windows,
};
use crate::model::JsonText;
use crate::model::fuzz::fuzz_text;

/// What every variable and every answer says; no error may.
const SECRET: &str = "s3cr3t-v4lue";

const FUNCTIONS: &[&str] = &["status", "states"];

const CORPUS: &[&str] = &[
    "who == 'Ann' and n > 3 or not list",
    "{{ status('a/B_1/c') | default(0) | round(1) }} is {{ who ~ n }}",
    "{% for a, b in o.items() if b is number %}{{ loop.index }}{{ a }}{% else %}-{% endfor %}",
    "{% if n // 2 is odd %}{{ list[1:][0] }}{% elif o.x.y %}b{% endif %}",
    "list | map('upper') | join(', ') | replace('A', 'b' * 3) | trim('-')",
    "range(1, 10, 2) | select('gt', 3) | sort(reverse=true) | tojson",
    "{'a': [1, 2.5, 1e3], \"b\": (1,), 'c': none}['a'][-1] ** 2 % 7",
    "[list, list] | map(attribute='0') | unique | list | first",
    "'äö'[::-1].upper() if who is defined else x.y | d(1, true)",
    "[{'a': 1}, {'a': 2}] | selectattr('a', 'eq', 2) | sum(attribute='a', start=1)",
    "[1, 'a', (None, True), {'b': -1.5}]",
];

const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "if ",
    " else ",
    "elif ",
    "endif",
    "for ",
    " in ",
    "endfor",
    "not ",
    "-",
    "+",
    "*",
    "**",
    "~",
    "//",
    "/",
    "%",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    ".",
    "|",
    "'",
    "\"",
    "\\",
    " is ",
    "==",
    "<",
    "a",
    "who",
    "list",
    "o",
    "n",
    "9",
    "18446744073709551615",
    "1e308",
    "0.1",
    "range(",
    "| list",
    "| join",
    "| replace",
    "| sort",
    "| map(",
    "| tojson",
    "| int",
    "| round",
    "status(",
    "loop",
    "None",
    "True",
    "\n",
    "ä",
    "{% raw %}",
    "{%- ",
    " -%}",
];

struct Secret;

impl Windows for Secret {
    fn call(&self, _: &str, arguments: &[Value]) -> Result<Value, Refusal> {
        match arguments {
            [] => Err(Refusal("needs an argument".to_owned())),
            [..] => Ok(Value::from(SECRET)),
        }
    }
}

fn scope() -> Scope {
    super::scope(&format!(
        r#"{{"who": "{SECRET}", "n": 7, "list": ["{SECRET}", "b", 1e400], "o": {{"x": 1, "{SECRET}": [2.50, null]}}, "a": "{}"}}"#,
        "x".repeat(500)
    ))
}

fn check_error(source: &str, error: &ExpressionError) {
    let texts = format!("{error} {error:?}");
    assert!(!texts.contains(SECRET), "{texts}");
    assert!(texts.len() < 3 * source.len() + 1_000, "{texts}");
    let lines = source.lines().count().max(1) + 1;
    assert!(usize::try_from(error.at.line).unwrap() <= lines, "{texts}");
}

#[test]
fn fuzz_expressions_and_templates() {
    let scope = scope();
    let check_value = |source: &str, result: Result<Value, ExpressionError>| match result {
        Ok(value) => {
            let json = value.to_json();
            assert!(json.as_str().len() <= OUTPUT_MAX_BYTES);
            assert_eq!(Value::of_json(&json).to_json(), json);
        }
        Err(error) => check_error(source, &error),
    };
    fuzz_text(CORPUS, WORDS, |source| {
        let expression = Expression::parse(source, FUNCTIONS);
        check_value(
            source,
            expression.and_then(|it| it.evaluate(&scope, &Secret)),
        );
        let text = Text::parse(source, FUNCTIONS);
        if source.contains("{{") {
            check_value(source, text.and_then(|it| it.evaluate(&scope, &Secret)));
        }
        for missing in [Missing::Empty, Missing::Error] {
            let template = Template::parse(source, FUNCTIONS);
            match template.and_then(|it| it.render(&scope, &Secret, missing)) {
                Ok(text) => assert!(text.len() <= OUTPUT_MAX_BYTES),
                Err(error) => check_error(source, &error),
            }
        }
    });
}

#[test]
fn fuzz_rendered_texts() {
    fuzz_text(CORPUS, WORDS, |text| {
        let json = native(text).to_json();
        assert_eq!(Value::of_json(&json).to_json(), json);
    });
}

#[test]
fn fuzz_json_of_variables() {
    let corpus = [
        r#"{"a": [1e400, "\ud800", 1.50, {"b": null}], "c": "\u00e4"}"#,
        "[[[]]]",
    ];
    fuzz_text(
        &corpus,
        &["[", "{", "\"", "\\u", "1", "e9", ",", ":", "]", "}", "-"],
        |text| {
            if let Ok(json) = JsonText::parse(text) {
                let once = Value::of_json(&json).to_json();
                assert_eq!(Value::of_json(&once).to_json(), once);
            }
        },
    );
}
