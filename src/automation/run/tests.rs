//! Runs of steps: each is driven to its end by a player, who answers what it wants.

mod bounds;
mod player;
mod properties;

use player::{Player, json, procedure};

use super::*;
use crate::model::{Collection, Procedure, Value as Content, Values};

#[track_caller]
fn check(steps: &str, expect: &str) {
    let result = Player::new().run("", steps, None);
    assert_eq!(result.as_deref(), Ok(expect), "{steps}");
}

#[track_caller]
fn check_failure(steps: &str, expect: &str) {
    let result = Player::new().run("", steps, None);
    assert_eq!(result.unwrap_err(), expect, "{steps}");
}

#[test]
fn steps_are_done_one_after_another_and_the_result_is_what_is_returned() {
    let mut player = Player::new();
    let steps = r#"[
        {"call": "a/Lamp_1/set", "args": {"name": "{{ who }}", "value": 2}, "as": "done"},
        {"call": "a/Lamp_1/on", "args": "{{ who }}"},
        {"call": "a/Lamp_1/off"},
        {"wait": "200ms"},
        {"publish": "door-{{ who }}", "data": {"n": "{{ 1 + 1 }}"}},
        {"notify": "Boiler room", "message": "{{ who }} is home", "title": "Door"},
        {"return": {"done": "{{ done }}", "text": "it is {{ done }}", "big": 1e400}}
    ]"#;
    let result = player.run("who", steps, Some(r#"{"who": "Ann"}"#));
    assert_eq!(
        result.as_deref(),
        Ok(r#"{"done":"set","text":"it is set","big":1e400}"#)
    );
    assert_eq!(
        player.seen,
        [
            r#"a/Lamp_1/set {"name":"Ann","value":2}"#,
            r#"a/Lamp_1/on ["Ann"]"#,
            "a/Lamp_1/off nothing",
            "wait 200",
            r#"publish door-Ann {"n":2}"#,
            r#"notify Boiler room: Ann is home Some("Door") None 3"#,
        ]
    );
}

#[test]
fn what_returns_nothing_has_null_as_its_result() {
    check("[]", "null");
    check(r#"[{"call": "a/Lamp_1/on", "as": "x"}]"#, "null");
    check(r#"[{"return": null}]"#, "null");
}

#[test]
fn a_whole_expression_keeps_its_type_and_text_around_it_makes_text() {
    check(
        r#"[{"set": {"n": 7, "no": null}}, {"return": ["{{ n }}", "{{ n }}!", "<{{ no }}>", "{{ [n, no] }}"]}]"#,
        r#"[7,"7!","<>",[7,null]]"#,
    );
    check(
        r#"[{"set": {"a": 1, "b": "{{ a + 1 }}"}}, {"return": "{{ b }}"}]"#,
        "2",
    );
}

#[test]
fn branches_and_loops_see_and_set_the_variables_of_their_procedure() {
    check(
        r#"[{"set": {"n": 0, "seen": ""}},
            {"for": "x", "in": "['a', 'b']", "do": [{"set": {"seen": "{{ seen }}{{ x }}"}}]},
            {"for": "x", "in": ["c", "{{ n }}"], "do": [{"set": {"seen": "{{ seen }}{{ x }}"}}]},
            {"while": "n < 3", "do": [{"set": {"n": "{{ n + 1 }}"}}]},
            {"if": "n == 3", "then": [{"set": {"met": true}}], "else": [{"set": {"met": false}}]},
            {"if": "not met", "then": []},
            {"return": ["{{ seen }}", "{{ n }}", "{{ met }}", "{{ x }}"]}]"#,
        r#"["abc0",3,true,0]"#,
    );
    check(r#"[{"while": true, "do": [{"return": 5}]}]"#, "5");
}

#[test]
fn rounds_at_one_time_begin_together_and_work_on_copies() {
    let mut player = Player::new();
    let steps = r#"[
        {"set": {"n": 0}},
        {"for": "x", "in": "[1, 2, 3]", "parallel": true, "do": [
            {"set": {"n": "{{ n + x }}"}},
            {"call": "a/Lamp_1/on", "args": ["{{ n }}"]},
            {"call": "a/Lamp_1/off", "args": ["{{ n }}"]}]},
        {"return": "{{ n }}"}
    ]"#;
    assert_eq!(player.run("", steps, None).as_deref(), Ok("0"));
    let on_off = |word: &str| [1, 2, 3].map(|n| format!("a/Lamp_1/{word} [{n}]"));
    assert_eq!(player.seen, [on_off("on"), on_off("off")].concat());
}

#[test]
fn a_round_that_fails_does_not_hold_up_those_beside_it() {
    let mut player = Player::new();
    let steps = r#"[
        {"for": "x", "in": "[1, 2, 3]", "parallel": true, "do": [
            {"if": "x == 2", "then": [{"call": "a/Lamp_1/fail"}]},
            {"call": "a/Lamp_1/on", "args": ["{{ x }}"]},
            {"call": "a/Lamp_1/dim", "args": ["{{ x }}"]}]},
        {"call": "a/Lamp_1/off"}
    ]"#;
    let result = player.run("", steps, None);
    assert_eq!(result.unwrap_err(), "step 1 → do → 1 → then → 1: it is off");
    assert_eq!(
        player.seen,
        [
            "a/Lamp_1/on [1]",
            "a/Lamp_1/fail nothing",
            "a/Lamp_1/on [3]",
            "a/Lamp_1/dim [1]",
            "a/Lamp_1/dim [3]"
        ]
    );
}

#[test]
fn a_procedure_runs_another_with_variables_of_its_own() {
    let mut player = Player::new().with(
        "inner",
        "a b",
        r#"[{"set": {"n": 9}}, {"if": true, "then": [{"return": ["{{ a }}", "{{ b }}", "{{ event.hook }}"]}]}, {"call": "a/Lamp_1/on"}]"#,
    );
    let steps = r#"[{"set": {"n": 1}}, {"run": "inner", "args": ["{{ n }}", "{{ n + 1 }}", 3], "as": "made"},
        {"run": "inner", "args": {"b": 1, "a": "{{ '{{ n }}' }}", "c": 0}, "as": "again"},
        {"return": ["{{ n }}", "{{ made }}", "{{ again }}"]}]"#;
    assert_eq!(
        player.run("", steps, None).as_deref(),
        Ok(r#"[1,[1,2,"h"],["{{ n }}",1,"h"]]"#)
    );
    assert!(player.seen.is_empty());
}

#[test]
fn an_argument_that_is_missing_is_named_and_one_too_many_is_ignored() {
    let steps = r#"[{"return": ["{{ a }}", "{{ b }}"]}]"#;
    let run = |args| Player::new().run("a b", steps, args);
    assert_eq!(
        run(Some(r#"["{{ 1 }}", 2, 3]"#)).as_deref(),
        Ok(r#"["{{ 1 }}",2]"#)
    );
    assert_eq!(
        run(Some(r#"{"b": 2, "a": 1, "c": 3}"#)).as_deref(),
        Ok("[1,2]")
    );
    assert_eq!(
        run(Some("5")).unwrap_err(),
        "needs `b`, which it is not given"
    );
    assert_eq!(run(None).unwrap_err(), "needs `a`, which it is not given");
    let mut player = Player::new().with("inner", "who", "[]");
    let failure = player.run("", r#"[{"wait": "1s"}, {"run": "inner"}]"#, None);
    assert_eq!(
        failure.unwrap_err(),
        "step 2: `inner` needs `who`, which it is not given"
    );
}

#[test]
fn a_step_that_fails_ends_the_run_and_is_named() {
    check_failure(
        r#"[{"wait": "1s"}, {"call": "a/Lamp_1/fail"}]"#,
        "step 2: it is off",
    );
    check_failure(
        r#"[{"if": false, "then": [], "else": [{"wait": "1s"}, {"while": true, "do": [{"call": "a/Lamp_1/fail"}]}]}]"#,
        "step 1 → else → 2 → do → 1: it is off",
    );
    check_failure(
        r#"[{"run": "nothing"}]"#,
        "step 1: there is no procedure `nothing`",
    );
    check_failure(
        r#"[{"for": "x", "in": "{'a': 1}", "do": []}]"#,
        "step 1: `in` needs a list, and this is an object",
    );
    check_failure(
        r#"[{"set": {"naem": 1}}, {"if": "name", "then": []}]"#,
        "step 2: at line 1, column 1: there is no variable `name`; did you mean `naem`?",
    );
    check_failure(
        r#"[{"while": "1 / 0", "do": []}]"#,
        "step 1: at line 1, column 1: this divides by zero; ask for the divisor first, as in `a / b if b else 0`",
    );
    let mut player = Player::new().with("inner", "", r#"[{"call": "a/Lamp_1/fail"}]"#);
    let failure = player.run("", r#"[{"if": true, "then": [{"run": "inner"}]}]"#, None);
    assert_eq!(
        failure.unwrap_err(),
        "step 1 → then → 1 → inner → 1: it is off"
    );
}

#[test]
fn expressions_ask_the_outside_for_statuses_and_the_moment() {
    check(
        r#"[{"return": "{{ status('a/B_1/c') }}"}]"#,
        "\"at a/B_1/c\"",
    );
    check(r#"[{"wait": "2s"}, {"return": "{{ now() }}"}]"#, "1002000");
    check_failure(
        r#"[{"return": "{{ status('hidden/B_1/c') }}"}]"#,
        "step 1: at line 1, column 4: `status`: you may not see it",
    );
}

#[test]
fn the_steps_of_a_trigger_reach_its_own_system() {
    let values = Values::none()
        .with("id", Content::Text("t".into()))
        .with("system", Content::Text("sys-1".into()))
        .with("when", Content::Json(r#"[{"event":"doors"}]"#.into()))
        .with("then", Content::Json(r#"[{"call":"Lamp_1/on"}]"#.into()));
    let trigger = crate::model::Trigger::build(values).unwrap();
    let program = Program::of_trigger(&trigger).unwrap();
    let mut player = Player::new();
    let mut run = player.begin(&program, None).unwrap();
    player.play(&mut run).unwrap();
    assert_eq!(player.seen, ["sys-1/Lamp_1/on nothing"]);
}

#[test]
fn an_expression_that_does_not_parse_is_said_with_its_step() {
    for (steps, expect) in [
        (
            r#"[{"wait":"1s"},{"if":"{{ a }}","then":[]}]"#,
            "step 2: at line 1, column 2: `{{ }}` is",
        ),
        (
            r#"[{"while":true,"do":[{"set":{"a":"{{ 1 + }}"}}]}]"#,
            "step 1 → do → 1: at line 1",
        ),
    ] {
        let values = Values::none()
            .with("id", Content::Text("p".into()))
            .with("steps", Content::Json(steps.into()));
        let procedure = Procedure::build(values).unwrap();
        let error = Program::of_procedure(&procedure).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{error}");
    }
}

#[test]
fn the_history_tells_what_each_step_did_without_values() {
    let mut player = Player::new();
    let steps = r#"[{"set": {"who": "hunter2"}}, {"if": "who", "then": [{"wait": "2s"}]},
        {"call": "a/Lamp_1/fail", "args": ["{{ who }}"]}, {"return": 1}]"#;
    let main = procedure("", steps);
    let mut run = player.begin(&main, None).unwrap();
    player.play(&mut run).unwrap_err();
    let told: Vec<String> = run
        .history()
        .steps()
        .iter()
        .map(|step| {
            let (began, ended) = (step.began.as_millis(), step.ended.as_millis());
            let failure = step.failure.as_deref().unwrap_or("done");
            format!("{}: {} {began}-{ended} {failure}", step.place, step.what)
        })
        .collect();
    assert_eq!(
        told,
        [
            "step 1: set who 0-0 done",
            "step 2: if 0-0 done",
            "step 2 → then → 1: wait 2000 ms 0-2000 done",
            "step 3: call a/Lamp_1/fail 2000-2000 it is off",
        ]
    );
    assert!(!format!("{told:?}").contains("hunter2"));
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let player = Player::new();
    let main = procedure(
        "",
        r#"[{"call": "a/Lamp_1/on", "as": "x"}, {"return": "{{ x }}"}]"#,
    );
    let mut run = player.begin(&main, None).unwrap();
    let Progress::Waits(wants) = run.go(&player.around()) else {
        panic!("it does not wait");
    };
    let stray = WantId(77);
    assert_eq!(
        run.answer(stray, Ok(json("1")), &player.around()),
        Progress::Waits(Vec::new())
    );
    let done = run.answer(wants[0].id, Ok(json("2")), &player.around());
    assert_eq!(done, Progress::Done(Ok(json("2"))));
    let late = run.answer(wants[0].id, Ok(json("3")), &player.around());
    assert_eq!(late, Progress::Waits(Vec::new()));
}
