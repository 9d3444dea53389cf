//! Which values rendered texts are.

use super::super::native::native;
use super::value;

#[test]
fn a_literal_of_python_becomes_its_value() {
    for (text, expect) in [
        ("5", "5"),
        (" -5 \n", "-5"),
        ("+5", "5"),
        ("21.50", "21.5"),
        ("5.", "5.0"),
        (".5", "0.5"),
        ("0", "0"),
        ("0.5", "0.5"),
        ("36893488147419103232", "36893488147419103232"),
        ("True", "true"),
        ("False", "false"),
        ("None", "null"),
        ("[1, 'a', None]", "[1,\"a\",null]"),
        ("(1, 2)", "[1,2]"),
        ("(1,)", "[1]"),
        ("(1)", "1"),
        ("[]", "[]"),
        ("{}", "{}"),
        (
            "{'a': [True, {\"b\": -1.5}], }",
            r#"{"a":[true,{"b":-1.5}]}"#,
        ),
        (r"['it\'s', '\n\x41\u00e4']", r#"["it's","\nAä"]"#),
    ] {
        assert_eq!(native(text), value(expect), "{text}");
    }
}

#[test]
fn everything_else_stays_text() {
    for text in [
        "on", "true", "null", "012", "1e3", "1_000", "0x10", "'a'", "\"a\"", "1, 2", "[1", "[1]]",
        "[a]", "{1: 2}", "{1}", "1.2.3", "-", ".", "+", "", "12:30", "[1 2]", "(", "['a\nb']",
        r"['\q']", "[,]", "5 %", "- 5", "()x",
    ] {
        assert_eq!(native(text), super::Value::from(text), "{text}");
    }
}

#[test]
fn what_nests_too_deeply_stays_text() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(native(&deep), super::Value::from(deep.as_str()));
}
