//! What errors say, and that they say no value.

use super::super::{Closed, Expression, Missing, Scope, Template, Text};
use super::evaluated;

const SECRET: &str = "s3cr3t-v4lue";

fn check(cases: &[(&str, &str)]) {
    let variables =
        format!(r#"{{"who": "{SECRET}", "list": ["{SECRET}"], "big": 36893488147419103232}}"#);
    for (source, expect) in cases {
        assert_eq!(evaluated(source, &variables), *expect, "{source}");
    }
}

#[test]
fn an_unknown_name_comes_with_the_one_that_may_be_meant() {
    check(&[
        (
            "whom",
            "line 1, column 1: there is no variable `whom`; did you mean `who`?",
        ),
        (
            "null",
            "line 1, column 1: there is no variable `null`; did you mean `none`?",
        ),
        ("1 +\n  xyz", "line 2, column 3: there is no variable `xyz`"),
        (
            "who | lowr",
            "line 1, column 7: there is no filter `lowr`; did you mean `lower`?",
        ),
        (
            "who is strin",
            "line 1, column 8: there is no test `strin`; did you mean `string`?",
        ),
        (
            "rang(3)",
            "line 1, column 1: there is no function `rang`; did you mean `range`?",
        ),
        (
            "who.uper()",
            "line 1, column 1: there is no method `uper`; did you mean `upper`?",
        ),
        (
            "[1] | map('lowr')",
            "line 1, column 7: there is no filter `lowr`; did you mean `lower`?",
        ),
    ]);
}

#[test]
fn what_would_be_in_an_unknown_name_is_an_error_too() {
    let expect = |column| {
        format!("line 1, column {column}: there is no variable `whom`; did you mean `who`?")
    };
    check(&[
        ("whom.name", &expect(1)),
        ("1 + whom[0].x", &expect(5)),
        ("whom if true else 1", &expect(1)),
        ("1 if whom else 2", &expect(6)),
        ("[whom.x]", &expect(2)),
    ]);
}

#[test]
fn what_does_not_go_together_is_said_by_its_kinds() {
    check(&[
        (
            "who + 1",
            "line 1, column 1: `+` does not go with a text and a number",
        ),
        (
            "who < 1",
            "line 1, column 1: `<` does not go with a text and a number",
        ),
        (
            "1 in who",
            "line 1, column 1: `in` does not go with a number and a text",
        ),
        (
            "-who",
            "line 1, column 2: `-` needs a number, and this is a text",
        ),
        (
            "who | round",
            "line 1, column 7: `round` needs a number, and this is a text",
        ),
        (
            "list | sum",
            "line 1, column 8: `sum` needs a number, and this is a text",
        ),
        (
            "who.name",
            "line 1, column 1: looking up a key needs an object, and this is a text",
        ),
        (
            "who | int",
            "line 1, column 7: this text is no number; give a default, as in `int(0)`",
        ),
        (
            "{1: 2}",
            "line 1, column 1: a key that is no text cannot be used here; put it in quotes",
        ),
        (
            "1 // 0",
            "line 1, column 1: this divides by zero; ask for the divisor first, as in `a / b if b else 0`",
        ),
        (
            "big + 1",
            "line 1, column 1: this number does not fit in 64 bits, so it can be passed on but not reckoned with",
        ),
        (
            "9223372036854775807 * 9",
            "line 1, column 1: this number does not fit in 64 bits, so it can be passed on but not reckoned with",
        ),
    ]);
}

#[test]
fn arguments_are_held_to_the_parameters_when_it_is_read() {
    check(&[
        (
            "1 | abs(2)",
            "line 1, column 9: `abs` takes no such argument; it takes none",
        ),
        (
            "1 | round(1, 'ceil', 3)",
            "line 1, column 22: `round` takes no such argument; it takes precision, method",
        ),
        (
            "1 | round(digits=3)",
            "line 1, column 18: `round` takes no such argument; it takes precision, method",
        ),
        (
            "1 | round(1, precision=3)",
            "line 1, column 5: `round` gets an argument twice",
        ),
        (
            "'a' | replace('b')",
            "line 1, column 7: `replace` needs the argument new",
        ),
        (
            "1 | round('x')",
            "line 1, column 5: `round` needs a whole number as its argument precision",
        ),
        (
            "range()",
            "line 1, column 1: `range` takes `stop`, `start, stop` or `start, stop, step`",
        ),
    ]);
}

#[test]
fn a_slip_in_the_grammar_has_its_place() {
    check(&[
        (
            "1 +",
            "line 1, column 3: unexpected end, expected expression",
        ),
        ("(1", "line 1, column 2: unexpected end, expected `)`"),
        ("1 2", "line 1, column 3: unexpected input after expression"),
        ("'a", "line 1, column 3: unexpected end of string"),
        ("", "line 1, column 1: unexpected end, expected expression"),
    ]);
}

#[test]
fn braces_inside_of_an_expression_get_a_hint() {
    let hint = "`{{ }}` is a mistake here, because all of this is one expression; leave it out";
    check(&[
        ("{{ who }}", &format!("line 1, column 2: {hint}")),
        ("who == {{ who }}", &format!("line 1, column 9: {hint}")),
    ]);
    // A text with braces in it is none.
    assert_eq!(evaluated("'{{' ~ '}}'", "{}"), "\"{{}}\"");
    assert_eq!(evaluated("{'a': {'b': {}}}", "{}"), r#"{"a":{"b":{}}}"#);
}

#[test]
fn blocks_are_refused_by_their_word() {
    let error = |source: &str| Template::parse(source, &[]).unwrap_err().to_string();
    for word in [
        "set",
        "macro",
        "include",
        "import",
        "from",
        "filter",
        "extends",
        "block",
        "with",
        "call",
        "do",
        "autoescape",
    ] {
        assert_eq!(
            error(&format!("a\n{{% {word} x = 1 %}}")),
            format!(
                "line 2, column 4: there is no block `{word}` here; a template has `if`, `elif`, `else` and `for`"
            )
        );
    }
    assert_eq!(
        error("{% if x %}a"),
        "line 1, column 4: nothing ends this `if`; write `{% endif %}` where it ends"
    );
    assert_eq!(
        error("{% endfor %}"),
        "line 1, column 4: there is no block `endfor` here; no block that it belongs to has begun before it"
    );
    assert_eq!(
        Text::parse("{% if x %}", &[]).unwrap_err().to_string(),
        "line 1, column 4: there is no block `if` here; a text has `{{ }}` alone, as in `{{ a if b else c }}`"
    );
}

#[test]
fn no_error_says_a_value() {
    let scope = super::scope(&format!(
        r#"{{"who": "{SECRET}", "o": {{"{SECRET}": 1}}, "l": ["{SECRET}", 1]}}"#
    ));
    for source in [
        "who + 1",
        "who.x",
        "who | int",
        "who | round",
        "who | abs",
        "l | sum",
        "l | sort",
        "o + 1",
        "o.x.y",
        "l < 1",
        "who[o]",
        "o[l]",
        "who is odd",
        "1 in o",
        "l | join(1)",
        "l | map(who)",
        "who | trim(1)",
        "range(who)",
        "who()",
        "1 | round(who)",
        "1 | round(1, who)",
        "who * 10 ** 9",
        "-l",
        "l | selectattr(who)",
        "l | select(who)",
    ] {
        let result = Expression::parse(source, &[]).and_then(|it| it.evaluate(&scope, &Closed));
        let Err(error) = result else { continue };
        let texts = format!("{error} {error:?}");
        assert!(!texts.contains(SECRET), "{source}: {texts}");
    }
    let template = Template::parse("{% for a, b in l %}{{ a }}{% endfor %}", &[]).unwrap();
    let error = template
        .render(&scope, &Closed, Missing::Error)
        .unwrap_err();
    assert!(!error.to_string().contains(SECRET), "{error}");
}

#[test]
fn a_mistake_in_a_template_has_its_line() {
    let template = Template::parse("{% if x %}\n\n  {{ x + nobody }}\n{% endif %}", &[]).unwrap();
    let scope = Scope::from_iter([("x", super::value("1"))]);
    let error = template
        .render(&scope, &Closed, Missing::Error)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3, column 10: there is no variable `nobody`"
    );
}
