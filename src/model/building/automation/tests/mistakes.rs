//! Mistakes in steps and conditions, each with its place and what to do.

use super::*;

#[track_caller]
fn check_steps(text: &str, expect: &[&str]) {
    assert_eq!(said(Steps::read(&json(text))), expect, "{text}");
}

#[track_caller]
fn check_conditions(text: &str, expect: &[&str]) {
    assert_eq!(said(Conditions::read(&json(text))), expect, "{text}");
}

#[test]
fn every_mistake_of_steps_is_found_at_once() {
    check_steps(
        r#"[{"cal": "a/B_1/c"}, {"wait": "5"}, {"if": "x", "then": [{"call": "B_1"}], "els": []},
            {"run": "p", "call": "a/B_1/c"}, {}, 5]"#,
        &[
            "[0].cal: has the unknown key `cal` in `[0]`; did you mean `call`?",
            "[1].wait: has `[1].wait`, which must be a span of time, such as 200ms, 2s, 10m, 8h or 1d",
            "[2].then[0].call: has `[2].then[0].call`, which is no path: a path has three parts, such as sys-board/Display_1/power; write %2F for a `/` inside a part",
            "[2].els: has the unknown key `els` in `[2]`; did you mean `else`?",
            "[3]: has `[3]`, which has both `call` and `run`; make two steps of it",
            "[4]: has `[4]`, which does nothing; write what it does, such as `{wait: 2s}`",
            "[5]: has `[5]`, which must be a map of keys and values",
        ],
    );
    check_steps(
        r#"{"wait": "2s"}"#,
        &[": must be a list of steps, such as `[{wait: 2s}]`"],
    );
}

#[test]
fn a_key_that_a_step_needs_is_asked_for() {
    check_steps(
        r#"[{"if": "x"}, {"for": "x"}, {"while": "x"}, {"notify": "s"}]"#,
        &[
            "[0]: has no `then` in `[0]`; add the steps for when it holds, such as `then: [{wait: 2s}]`",
            "[1]: has no `in` in `[1]`; add a list, or an expression that makes one, such as `in: \"['a', 'b']\"`",
            "[1]: has no `do` in `[1]`; add the steps of each round, such as `do: [{wait: 2s}]`",
            "[2]: has no `do` in `[2]`; add the steps of each round, such as `do: [{wait: 2s}]`",
            "[3]: has no `message` in `[3]`; add what is said, such as `message: The door is open`",
        ],
    );
}

#[test]
fn what_yaml_makes_of_braces_without_quotes_gets_a_hint() {
    check_steps(
        r#"[{"if": {"who": null}, "then": []}, {"notify": "s", "message": {"who": null}}]"#,
        &[
            "[0].if: has `[0].if`, which must be an expression in quotes, such as \"level > 3\"; put text with `{{ }}` in it in quotes",
            "[1].message: has `[1].message`, which must be text; put text with `{{ }}` in it in quotes",
        ],
    );
}

#[test]
fn a_variable_has_a_name_that_expressions_can_ask_for() {
    let expected = "which must be the name of a variable: letters, digits and `_`, no digit first, and no word that expressions have, such as `event` or `in`";
    check_steps(
        r#"[{"set": {"a-b": 1, "ok": 2}}, {"for": "event", "in": [], "do": []}, {"call": "a/B_1/c", "as": "1x"}]"#,
        &[
            &format!("[0].set.a-b: has `[0].set.a-b`, {expected}"),
            &format!("[1].for: has `[1].for`, {expected}"),
            &format!("[2].as: has `[2].as`, {expected}"),
        ],
    );
}

#[test]
fn a_return_among_rounds_at_one_time_is_a_mistake() {
    let reason = "which cannot stand in rounds that are done at one time, of which none is the last; set it behind the `for`";
    check_steps(
        r#"[{"for": "x", "in": [1], "parallel": true, "do": [{"if": "x", "then": [{"return": 1}]}]}]"#,
        &[&format!(
            "[0].do[0].then[0].return: has `[0].do[0].then[0].return`, {reason}"
        )],
    );
    steps(r#"[{"for": "x", "in": [1], "do": [{"return": 1}]}]"#);
}

#[test]
fn steps_are_bounded_in_number_and_in_depth() {
    let many = format!("[{}]", vec![r#"{"wait":"1s"}"#; 1000].join(","));
    steps(&many);
    let more = format!(r#"[{{"if":"x","then":{many},"else":{many}}}]"#);
    check_steps(
        &more,
        &["[0].then: has `[0].then`, which has more than 1000 steps; make procedures of them"],
    );
    let deep = |levels: usize| {
        let (open, close) = (
            r#"[{"while":true,"do":"#.repeat(levels),
            "}]".repeat(levels),
        );
        format!("{open}[]{close}")
    };
    steps(&deep(15));
    let said = said(Steps::read(&json(&deep(500))));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].ends_with("stands deeper than 16 steps within each other; make a procedure of it")
    );
}

#[test]
fn every_mistake_of_conditions_is_found_at_once() {
    check_conditions(
        r#"[{"status": "power", "is": "=>", "than": "{{ x }}", "for": 2},
            {"cron": "60 * * * *", "timezone": "Mars/Olympus"},
            {"at": "2026-12-01T08:00:00"}, {"evnt": "x"}, {"webhook": true}]"#,
        &[
            "[0].status: has `[0].status`, which is no path: a path has three parts, such as sys-board/Display_1/power; write %2F for a `/` inside a part",
            "[0].is: has `[0].is`, which must be an operator in quotes: \"==\", \"!=\", \">\", \">=\", \"<\" or \"<=\"",
            "[0].than: has `[0].than`, which is compared as it is; `{{ }}` is for steps, such as an `if` there",
            "[0].for: has `[0].for`, which must be a span of time, such as 200ms, 2s, 10m, 8h or 1d",
            "[1].cron: has `[1].cron`, which has `60` for the minute, which goes from 0 to 59",
            "[1].timezone: has `[1].timezone`, which must be a time zone, such as Europe/London",
            "[2].at: has `[2].at`, which must be a moment with its offset, such as 2026-12-01T08:00:00Z",
            "[3].evnt: has the unknown key `evnt` in `[3]`; did you mean `event`?",
            "[4]: has no `secret` in `[4]`; add what callers show, such as `secret: \"${ENV:SECRET}\"`, or a `header` with a value",
        ],
    );
    let many = format!(
        "[{}]",
        vec![r#"{"at": "2026-12-01T08:00:00Z"}"#; 33].join(",")
    );
    check_conditions(&many, &[": must be at most 32 conditions"]);
}

#[test]
fn two_conditions_that_happen_are_a_mistake() {
    check_conditions(
        r#"[{"event": "x"}, {"status": "a/B_1/c", "is": "==", "than": 1}, {"cron": "@daily"}]"#,
        &[
            "[2]: has `[2]`, which happens at one moment, and so does a condition before it, so they cannot both hold; make two triggers of it",
        ],
    );
}

#[test]
fn a_webhook_has_one_key_that_not_everybody_knows() {
    check_conditions(
        r#"[{"webhook": true, "secret": "a", "header": {"X": "b"}}]"#,
        &["[0]: has `[0]`, which has both `secret` and `header`; remove one of them"],
    );
    for (key, expect) in [
        (r#""secret": """#, "must be a long random text"),
        (
            r#""secret": "***""#,
            "stands for a secret that is not shown",
        ),
        (r#""header": {}"#, "must have a header, or anybody may call"),
        (r#""header": {"a b": "x"}"#, "is no name of a header"),
        (r#""header": {"x": null}"#, "has a name without a value"),
        (r#""header": {"a": "x", "A": "y"}"#, "is there twice"),
    ] {
        let said = said(Conditions::read(&json(&format!(
            "[{{\"webhook\": true, {key}}}]"
        ))));
        assert!(
            said.len() == 1 && said[0].contains(expect),
            "{key}: {said:?}"
        );
    }
    check_conditions(
        r#"[{"webhook": false, "secret": "a"}]"#,
        &["[0].webhook: has `[0].webhook`, which must be true, or not be there"],
    );
}

#[test]
fn no_flaw_has_a_secret() {
    for text in [
        r#"[{"webhook": true, "secret": {"hunter2": 1}}]"#,
        r#"[{"webhook": "hunter2", "secret": "hunter2"}]"#,
        r#"[{"webhook": true, "secret": "hunter2", "header": {"X": "hunter2"}}]"#,
        r#"[{"event": "x"}, {"webhook": true, "secret": "hunter2"}]"#,
    ] {
        let said = said(Conditions::read(&json(text)));
        assert!(!said.join(" ").contains("hunter2"), "{said:?}");
    }
}

#[test]
fn parameters_are_names_each_once() {
    for (parameters, expect) in [
        ("who who", "parameters has `who` twice; remove one of them"),
        (
            "a-b",
            "parameters must each be the name of a variable: letters, digits and `_`, no digit first, and no word that expressions have, such as `event` or `in`",
        ),
    ] {
        let procedure =
            entry::<Procedure>(&[("id", "p"), ("steps", "[]"), ("parameters", parameters)]);
        assert_eq!(procedure.unwrap_err(), [expect]);
    }
}
