//! What strangers may not do: each bound, at its border.

use super::super::limits::{
    INPUT_MAX_BYTES, MADE_MAX_BYTES, NESTING_MAX, OUTPUT_MAX_BYTES, SOURCE_MAX_BYTES, STEPS_MAX,
    TEMPLATE_MAX_BYTES,
};
use super::super::{Closed, Expression, Missing, Mistake, Scope, Template, Text, Value};

fn mistake(source: &str, scope: &Scope) -> Option<Mistake> {
    let result = Expression::parse(source, &[]).and_then(|it| it.evaluate(scope, &Closed));
    result.err().map(|error| error.mistake)
}

fn large(bytes: usize) -> Scope {
    Scope::from_iter([("a", Value::from("x".repeat(bytes)))])
}

#[test]
fn a_source_that_is_too_long_is_refused() {
    let long = format!("'{}'", "x".repeat(SOURCE_MAX_BYTES - 1));
    let most = SOURCE_MAX_BYTES;
    assert_eq!(
        mistake(&long, &Scope::new()),
        Some(Mistake::TooLong { most })
    );
    assert_eq!(mistake(&long[1..][..1], &large(1)), mistake("x", &large(1)));
    let text = Text::parse(&format!("{{{{ a }}}}{long}"), &[]).unwrap_err();
    assert_eq!(text.mistake, Mistake::TooLong { most });
    let template = Template::parse(&"x".repeat(TEMPLATE_MAX_BYTES + 1), &[]).unwrap_err();
    let most = TEMPLATE_MAX_BYTES;
    assert_eq!(template.mistake, Mistake::TooLong { most });
    assert!(Template::parse(&"x".repeat(TEMPLATE_MAX_BYTES), &[]).is_ok());
}

#[test]
fn a_source_that_nests_too_deeply_is_refused_and_overflows_no_stack() {
    let repeated = |piece: &str| piece.repeat(SOURCE_MAX_BYTES / piece.len() - 8);
    let too_deep = Some(Mistake::TooDeep { most: NESTING_MAX });
    for source in [
        repeated("("),
        repeated("["),
        repeated("{ "),
        repeated("-") + "1",
        repeated("not ") + "1",
        repeated("1 if 1 else ") + "1",
        "1".to_owned() + &repeated(" if 1"),
        "a".to_owned() + &repeated(".a"),
        "a".to_owned() + &repeated("[0]"),
        "a".to_owned() + &repeated("()"),
        "a".to_owned() + &repeated("|d"),
        "a".to_owned() + &repeated(" is a"),
        "1".to_owned() + &repeated("+1"),
        "1".to_owned() + &repeated("**1"),
        "1".to_owned() + &repeated("<1"),
        "1".to_owned() + &repeated(" and 1"),
        "a".to_owned() + &repeated("|d(-1"),
        repeated("[1,-"),
        repeated("{1:"),
        repeated("a(x="),
        repeated("a[1:"),
    ] {
        let shown: String = source.chars().take(20).collect();
        assert_eq!(mistake(&source, &large(1)), too_deep, "{shown}…");
    }
    for source in [
        "{% if 1 %}".repeat(1_000),
        format!("{{% if 1 %}}{}", "{% elif 1 %}".repeat(1_000)),
        "{% for a in [1] %}".repeat(800),
        format!("{{% for {} in [1] %}}", "(".repeat(8_000)),
        format!("{{{{ {} }}}}", "-".repeat(8_000)),
    ] {
        let shown: String = source.chars().take(20).collect();
        let error = Template::parse(&source, &[]).unwrap_err();
        assert_eq!(Some(error.mistake), too_deep, "{shown}…");
    }
}

#[test]
fn what_does_not_nest_may_be_long() {
    let list = vec!["-1.5 + 2"; 400].join(",");
    assert_eq!(mistake(&format!("[{list}] | sum"), &Scope::new()), None);
    let sum = vec!["a"; NESTING_MAX].join(" ~ ");
    assert_eq!(mistake(&sum, &large(9)), None);
    let blocks = "{% if a %}{{ a | upper }}{% elif a.b %}b{% endif %}".repeat(200);
    let template = Template::parse(&blocks, &[]).unwrap();
    let text = template.render(&large(1), &Closed, Missing::Error).unwrap();
    assert_eq!(text, "X".repeat(200));
}

#[test]
fn what_nests_as_deeply_as_it_may_is_evaluated_on_the_stack_of_a_worker() {
    let half = NESTING_MAX / 2;
    let nested = |open: &str, times: usize, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    for source in [
        nested("(", half, "1", ")"),
        nested("[", half, "1", "]"),
        nested("{ 'a': ", half, "1", "}"),
        nested("-", NESTING_MAX, "1", ""),
        nested("not ", NESTING_MAX, "1", ""),
        nested("1 if 0 else ", half, "1", ""),
        nested("1|d(1|d(", half / 4, "1", "))"),
        nested("[0][", half / 2, "0", "]"),
        nested("(1 + ", half / 2, "1", ")"),
    ] {
        assert_eq!(mistake(&source, &Scope::new()), None, "{source}");
    }
    let blocks = nested("{% for a in b %}", half, "{{ a }}", "{% endfor %}");
    let template = Template::parse(&blocks, &[]).unwrap();
    let scope = super::scope(r#"{"b": [1]}"#);
    let text = template.render(&scope, &Closed, Missing::Error).unwrap();
    assert_eq!(text, "1");
}

#[test]
fn variables_that_are_too_large_together_are_refused() {
    let most = INPUT_MAX_BYTES;
    assert_eq!(mistake("1", &large(INPUT_MAX_BYTES - 3)), None);
    assert_eq!(
        mistake("1", &large(INPUT_MAX_BYTES)),
        Some(Mistake::InputTooLarge { most })
    );
}

#[test]
fn a_text_that_would_be_too_large_is_not_made() {
    let output = Some(Mistake::TooLarge {
        most: OUTPUT_MAX_BYTES,
    });
    let made = Some(Mistake::TooLarge {
        most: MADE_MAX_BYTES,
    });
    let half = large(OUTPUT_MAX_BYTES / 2 - 8);
    for (source, expect) in [
        ("a ~ a", None),
        ("a ~ a ~ a", output.clone()),
        ("a + a + a", output.clone()),
        ("[a, a] | join(a)", output.clone()),
        ("a | replace('x', a)", made.clone()),
        ("a | replace('', a)", made.clone()),
        ("a * 1000000000000", made.clone()),
        ("1000000000000 * [a]", made.clone()),
        ("[a] * 20", output.clone()),
        ("[[[a] * 100] * 100] * 100", output.clone()),
        ("[[[1] * 1000] * 1000] * 1000", output.clone()),
        ("([a] * 1000) | tojson", output.clone()),
        ("([a] * 1000) ~ ''", output.clone()),
        ("([a] * 100) | map('upper')", made.clone()),
        ("([a] * 100) | sort", made.clone()),
        ("'x' * 66000", output),
        ("a | list | length", made),
    ] {
        assert_eq!(mistake(source, &half), expect, "{source}");
    }
}

#[test]
fn a_template_renders_no_more_than_it_may() {
    let scope = large(1_000);
    let render = |source: &str| {
        let template = Template::parse(source, &[]).unwrap();
        template.render(&scope, &Closed, Missing::Empty)
    };
    let text = render("{% for i in range(60) %}{{ a }}{% endfor %}").unwrap();
    assert_eq!(text.len(), 60_000);
    let error = render("{% for i in range(70) %}{{ a }}{% endfor %}").unwrap_err();
    assert_eq!(
        error.mistake,
        Mistake::TooLarge {
            most: OUTPUT_MAX_BYTES
        }
    );
}

#[test]
fn what_takes_too_long_ends() {
    let steps = Some(Mistake::TooMuchWork { most: STEPS_MAX });
    for source in [
        "range(1000000)",
        "[[[[1] * 1000] * 1000] * 1000] == [[[[1] * 1000] * 1000] * 1000]",
        "range(2000) | unique",
    ] {
        assert_eq!(mistake(source, &Scope::new()), steps, "{source}");
    }
    let template = Template::parse(
        "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
        &[],
    );
    let error = template
        .unwrap()
        .render(&Scope::new(), &Closed, Missing::Empty);
    let mistake = error.unwrap_err().mistake;
    let ends = [
        Mistake::TooMuchWork { most: STEPS_MAX },
        Mistake::TooLarge {
            most: MADE_MAX_BYTES,
        },
    ];
    assert!(ends.contains(&mistake), "{mistake:?}");
}

#[test]
fn numbers_at_the_borders_overflow_nothing() {
    let extremes = [
        "18446744073709551615",
        "-9223372036854775808",
        "1e308",
        "5e-324",
        "1e400",
        "0",
        "-1",
    ];
    for one in extremes {
        for other in extremes {
            let scope = super::scope(&format!(r#"{{"a": {one}, "b": {other}, "l": [1, 2]}}"#));
            for source in [
                "a + b",
                "a - b",
                "a * b",
                "a / b",
                "a // b",
                "a % b",
                "a ** b",
                "-a",
                "a | abs",
                "a | int",
                "a | round(15)",
                "range(a, b)",
                "range(0, a, b)",
                "l[a]",
                "l[a:b]",
                "l[::a]",
                "l[a:b:-1]",
                "'x' * a",
                "a < b",
                "a == b",
                "a | round",
            ] {
                // Whether it is a value or a mistake: it does not panic.
                let _ = mistake(source, &scope);
            }
        }
    }
}
