//! Templates, rendered.

use super::super::{Closed, Missing, Template};
use super::scope;

fn rendered(source: &str, missing: Missing) -> String {
    let scope = scope(r#"{"l": [1, "a'b", null, true, 1.0], "o": {"x": 1, "y": 2}, "n": null}"#);
    let template = Template::parse(source, &[]);
    match template.and_then(|template| template.render(&scope, &Closed, missing)) {
        Ok(text) => text,
        Err(error) => error.to_string(),
    }
}

fn check(cases: &[(&str, &str)]) {
    for (source, expect) in cases {
        assert_eq!(rendered(source, Missing::Empty), *expect, "{source}");
    }
}

#[test]
fn values_are_written_as_python_prints_them() {
    check(&[
        ("{{ l }}", r#"[1, "a'b", None, True, 1.0]"#),
        ("{{ o }}", "{'x': 1, 'y': 2}"),
        (
            "{{ n }} {{ true }} {{ 1.0 }} {{ 1e-7 }}",
            "None True 1.0 1e-07",
        ),
        ("{{ 'a' ~ n }}", "aNone"),
        ("{{ l | tojson }}", r#"[1,"a'b",null,true,1.0]"#),
    ]);
}

#[test]
fn blocks_choose_and_repeat() {
    check(&[
        ("{% if o.x == 1 %}one{% else %}other{% endif %}", "one"),
        (
            "{% if o.x > 1 %}a{% elif o.x == 1 %}b{% else %}c{% endif %}",
            "b",
        ),
        (
            "{% for i in l %}{{ loop.index }}{{ ',' if not loop.last }}{% endfor %}",
            "1,2,3,4,5",
        ),
        (
            "{% for i in range(6) if i is odd %}{{ loop.index0 }}:{{ i }} {% endfor %}",
            "0:1 1:3 2:5 ",
        ),
        (
            "{% for k, v in o.items() %}{{ k }}={{ v }};{% endfor %}",
            "x=1;y=2;",
        ),
        ("{% for k in o %}{{ k }}{% endfor %}", "xy"),
        ("{% for i in [] %}{{ i }}{% else %}none{% endfor %}", "none"),
        (
            "{% for i in [1, 2] %}{% for j in [3] %}{{ i * j }}{{ loop.length }} {% endfor %}{% endfor %}",
            "31 61 ",
        ),
        ("a {%- if true %} b {% endif -%} c", "a b c"),
        ("{% raw %}{{ x }}{% endraw %}{# none #}", "{{ x }}"),
        ("{% for o in [5] %}{{ o }}{% endfor %}{{ o.x }}", "51"),
    ]);
}

#[test]
fn what_nothing_has_is_empty_unless_that_is_an_error() {
    let cases = [
        "<{{ nobody }}>",
        "<{{ nobody.name }}>",
        "<{{ 'a' ~ nobody }}>",
        "<{{ o.z }}>",
        "{% if nobody %}a{% endif %}",
        "{% for a in nobody %}{% endfor %}",
    ];
    let empty = cases.map(|source| rendered(source, Missing::Empty));
    assert_eq!(empty, ["<>", "<>", "<a>", "<>", "", ""]);
    let strict = rendered("<{{ nobody }}>", Missing::Error);
    assert_eq!(strict, "line 1, column 5: there is no variable `nobody`");
}
