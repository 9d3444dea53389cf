//! Procedures, hooks and triggers in a file: what is read of them, and the exact lines that mistakes are answered with.

use super::*;
use crate::model::{
    Condition, FunctionName, Hook, Interface, Procedure, SystemId, Trigger, WebhookKey,
};

/// A room with two displays, which ends before line 4.
const ROOM: &str = "systems: [{id: s, name: S, modules: [d1, d2]}]\nmodules: [{id: d1, driver: virtual, name: Display}, {id: d2, driver: virtual, name: Display}]\nusers: []\n";

#[track_caller]
fn check_room(input: &str, expect: &[&str]) {
    check(&format!("{ROOM}{input}"), expect);
}

fn read_room(input: &str) -> Building {
    read_file(&format!("{ROOM}{input}")).unwrap()
}

#[test]
fn what_design_shows_is_read() {
    let building = read_room(
        "procedures:\n  - id: at_home\n    parameters: [who]\n    steps:\n      - {call: s/Display_1/set, args: {name: scene, value: 2}, as: scene}\n      - {if: \"who == 'Ann'\", then: [{wait: 200ms}], else: [{return: \"{{ who }}\"}]}\nhooks:\n  - name: at_home\n    methods: [GET, post]\n    header: {X-Token: \"a ${ENV:PASSWORD}\"}\n    run: at_home\n    args: {who: \"{{ event.args.who }}\"}\n    level: support\n    respond: {status: 201, body: {a: [1.50]}}\ntriggers:\n  - id: trig-warm\n    name: Too warm\n    system: s\n    when:\n      - {status: Display_1/temperature, is: \">\", than: 26.50, for: 2s}\n      - {webhook: true, secret: \"${ENV:PASSWORD}\"}\n    then: [{run: at_home, args: [Ann]}]\n    debounce: 90s\n",
    );
    let [procedure] = building.procedures.as_slice() else {
        panic!("{building:?}");
    };
    let (Procedure { steps, .. }, [hook], [trigger]) = (
        procedure,
        building.hooks.as_slice(),
        building.triggers.as_slice(),
    ) else {
        panic!("{building:?}");
    };
    assert_eq!(steps.list().len(), 2);
    let Hook {
        header, respond, ..
    } = hook;
    assert_eq!(header.json(), r#"{"X-Token":"a hunter2"}"#);
    let respond = respond.as_ref().map(|respond| respond.body.as_str());
    assert_eq!(respond, Some(r#"{"a":[1.5]}"#));
    let Trigger { system, when, .. } = trigger;
    assert_eq!(system.as_ref().map(SystemId::as_str), Some("s"));
    let Some((1, Condition::Webhook(WebhookKey::Secret(secret)))) = when.happening() else {
        panic!("{when:?}");
    };
    assert_eq!(secret.expose(), "hunter2");
}

#[test]
fn a_mistake_inside_steps_is_told_where_it_stands() {
    check_room(
        "procedures:\n  - id: p\n    steps:\n      - {cal: s/Display_1/set}\n      - if: \"1\"\n        then:\n          - {wait: 5 minutes}\n          - {call: Display_1}\n      - {}\n  - {id: q, parameters: [a-b], steps: 5}\n  - {id: r}\n  - {id: t, steps_json: '[{\"wait\": 2}]'}\n",
        &[
            "b.yaml:7:10: unknown key `cal` in a step; did you mean `call`?",
            "b.yaml:10:20: `steps` at `[1].then[0].wait` must be a span of time, such as 200ms, 2s, 10m, 8h or 1d",
            "b.yaml:11:20: `steps` at `[1].then[1].call` is no path: a path has three parts, such as sys-board/Display_1/power; write %2F for a `/` inside a part",
            "b.yaml:12:9: `steps` at `[2]` does nothing; write what it does, such as `{wait: 2s}`",
            "b.yaml:13:39: `steps` must be a list, not a number",
            "b.yaml:14:5: a procedure has no `steps`; add what it does, such as `steps: [{wait: 2s}]`",
            "b.yaml:15:25: `steps` at `[0].wait` must be a span of time, such as 200ms, 2s, 10m, 8h or 1d",
        ],
    );
}

#[test]
fn a_mistake_in_an_expression_is_told_where_it_stands() {
    check_room(
        "procedures:\n  - id: p\n    steps:\n      - {return: {a: [\"{{ 1 + }}\"]}}\nhooks:\n  - {name: h, run: p, args: {x: \"{{ y | nothing }}\"}}\ntriggers:\n  - {id: t, when: [{event: e}], then: [{if: \"{{ a }}\", then: []}]}\n",
        &[
            "b.yaml:7:23: `steps` at `[0].return.a[0]` has a mistake in its text, at line 1, column 8: unexpected `}}`",
            "b.yaml:9:29: `args` gives `x`, which is no parameter of the procedure",
            "b.yaml:9:33: `args` at `x` has a mistake in its text, at line 1, column 8: there is no filter `nothing`",
            "b.yaml:11:45: `then` at `[0].if` has a mistake in its text, at line 1, column 2: `{{ }}` is a mistake here, because all of this is one expression; leave it out",
        ],
    );
}

#[test]
fn what_is_not_there_is_told_where_it_is_mentioned() {
    check_room(
        "procedures:\n  - {id: p, steps: [{run: q}, {call: t/Lamp_1/on}]}\nhooks:\n  - {name: h, run: r}\n  - {name: i, call: s/Display_3/on}\ntriggers:\n  - id: t\n    system: s\n    when: [{status: Lamp_1/on, is: \"==\", than: true}]\n    then: [{call: Display_2/on}, {call: Display_9/on}]\n  - {id: u, when: [{status: Lamp_1/on, is: \"==\", than: true}], system: x}\n  - {id: v, when: [{status: Lamp_1/on, is: \"==\", than: true}]}\n",
        &[
            "b.yaml:5:27: there is no procedure `q`; add it under `procedures`",
            "b.yaml:5:38: there is no system `t`; add it under `systems`",
            "b.yaml:7:20: there is no procedure `r`; add it under `procedures`",
            "b.yaml:8:21: the system has no module `Display_3`; did you mean `Display_1`?",
            "b.yaml:12:21: the system has no module `Lamp_1`; it has Display_1, Display_2",
            "b.yaml:13:41: the system has no module `Display_9`; did you mean `Display_1`?",
            "b.yaml:14:72: there is no system `x`; add it under `systems`",
            "b.yaml:15:29: `when` at `[0].status` has no system; a path has three parts, such as sys-board/Display_1/power, and may leave out the first in a trigger that has a `system`",
        ],
    );
}

#[test]
fn a_procedure_is_given_its_parameters_and_nothing_else() {
    check_room(
        "procedures:\n  - {id: p, parameters: [who, door], steps: []}\n  - {id: q, steps: [{run: p, args: {who: 1, dor: 2}}, {run: p}, {run: p, args: \"{{ all }}\"}]}\nhooks:\n  - {name: h, run: p, args: [1, 2, 3]}\n  - {name: i, run: p}\n  - {name: j, run: p, args: {who: 1, door: 2, pass hunter2: }}\n",
        &[
            "b.yaml:6:36: `steps` at `[0].args` gives no `door`, which the procedure needs; add it to `args`",
            "b.yaml:6:36: `steps` at `[0].args` gives `dor`, which is no parameter of the procedure",
            "b.yaml:6:61: `steps` at `[1].run` gives no `who`, which the procedure needs; add it to `args`",
            "b.yaml:6:61: `steps` at `[1].run` gives no `door`, which the procedure needs; add it to `args`",
            "b.yaml:8:29: `args` gives more than the 2 parameters of the procedure",
            "b.yaml:9:20: `run` gives no `who`, which the procedure needs; add it to `args`",
            "b.yaml:9:20: `run` gives no `door`, which the procedure needs; add it to `args`",
            "b.yaml:10:29: `args` gives something that is no parameter of the procedure",
        ],
    );
}

#[test]
fn a_function_that_the_driver_has_not_is_told_where_it_is_called() {
    let lamp = KnownDriver {
        interface: Some(|| {
            let mut interface = Interface::default();
            for name in ["on", "off"] {
                let name = FunctionName::new(name).unwrap();
                interface.functions.insert(name, Default::default());
            }
            interface
        }),
        ..KnownDriver::any("lamp")
    };
    let file = "systems: [{id: s, name: S, modules: [l1, l2]}]\nmodules: [{id: l1, driver: lamp, name: Lamp}, {id: l2, driver: other, name: Lamp}]\nprocedures:\n  - {id: p, steps: [{call: s/Lamp_1/on}, {call: s/Lamp_1/onn}, {call: s/Lamp_1/blink}, {call: s/Lamp_2/blink}]}\n";
    let drivers = [lamp, KnownDriver::any("other")];
    let problems = read(
        "b.yaml",
        file,
        &drivers,
        ForeignRules::NONE,
        &BTreeMap::new(),
    );
    let told = problems.unwrap_err().to_string();
    let expect = [
        "b.yaml:4:49: the module has no function `onn`; did you mean `on`?",
        "b.yaml:4:71: the module has no function `blink`; there may be on, off",
    ];
    assert_eq!(told, expect.join("\n"));
    assert!(read_for_any_driver("b.yaml", file, ForeignRules::NONE, &BTreeMap::new()).is_ok());
}

#[test]
fn hooks_and_webhooks_have_names_of_one_kind() {
    check_room(
        "procedures: [{id: p, steps: []}, {id: p, steps: []}]\nhooks:\n  - {name: a, run: p}\n  - {name: a, run: p}\n  - {name: b, run: p}\n  - {name: c, run: p}\ntriggers:\n  - {id: b, when: [{webhook: true, secret: x}]}\n  - {id: c, when: [{event: x}]}\n  - {id: c, when: [{event: x}]}\n",
        &[
            "b.yaml:4:39: procedure id `p` is already used on line 4; give one of them another",
            "b.yaml:7:12: hook name `a` is already used on line 6; give one of them another",
            "b.yaml:11:10: hook name `b` is already used on line 8; give one of them another",
            "b.yaml:13:10: trigger id `c` is already used on line 12; give one of them another",
        ],
    );
}

#[test]
fn a_hook_does_one_thing_for_whoever_shows_what_it_asks_for() {
    check_room(
        "procedures: [{id: p, steps: []}]\nhooks:\n  - {name: a/b}\n  - {name: c, run: p, call: s/Display_1/on}\n  - {name: d, run: p, methods: [FETCH], level: admin}\n  - {name: e, run: p, header: {a b: x, X: \"***\", Y: \"${ENV:NONE}\"}, respond: {status: 20}}\n",
        &[
            "b.yaml:6:12: `name` has a `/` in it, which ends a part of an address; leave it out",
            "b.yaml:6:12: `name` does nothing; add `run` with a procedure, or `call` with a function",
            "b.yaml:7:29: `call` is one too many, since a hook has a procedure to `run` or a function to call; remove one of them",
            "b.yaml:8:48: `admin` is no level; use user or support",
            "b.yaml:9:37: this part of `header` is no name of a header",
            "b.yaml:9:43: `header` at `X` stands for a secret that is not shown; write the whole one",
            "b.yaml:9:53: the environment variable NONE is not set; set it before starting riser",
            "b.yaml:9:87: `respond` at `status` must be a whole number from 200 to 599",
        ],
    );
    check_room(
        "procedures: [{id: p, steps: []}]\nhooks:\n  - {name: d, run: p, methods: [FETCH]}\n",
        &["b.yaml:6:32: `methods` must be of GET, POST, PUT, DELETE, PATCH or OPTIONS"],
    );
}

#[test]
fn a_mistake_inside_conditions_is_told_where_it_stands() {
    check_room(
        "triggers:\n  - {id: a, when: []}\n  - {id: b}\n  - id: c\n    when:\n      - {status: s/Display_1/x, is: \"=>\", than: \"{{ x }}\"}\n      - {evnt: x}\n      - {cron: \"60 * * * *\", timezone: Mars}\n      - {at: 2026-12-01T08:00:00}\n      - {webhook: true}\n    debounce: 5\n  - {id: d, when: [{event: x}, {cron: \"@daily\"}]}\n  - {id: e, when: [{event: x}], debounce: soon}\n  - {id: f, when: [{status: Display_1/x, is: \"==\", than: 1}]}\n",
        &[
            "b.yaml:5:19: `when` is empty, so it would never fire; add a condition, such as `{event: doors}`, or say `enabled: false`",
            "b.yaml:6:5: a trigger has no `when`; add its conditions, such as `when: [{event: doors}]`",
            "b.yaml:9:37: `when` at `[0].is` must be an operator in quotes: \"==\", \"!=\", \">\", \">=\", \"<\" or \"<=\"",
            "b.yaml:9:49: `when` at `[0].than` is compared as it is; `{{ }}` is for steps, such as an `if` there",
            "b.yaml:10:10: unknown key `evnt` in a condition; did you mean `event`?",
            "b.yaml:11:16: `when` at `[2].cron` has `60` for the minute, which goes from 0 to 59",
            "b.yaml:11:40: `when` at `[2].timezone` must be a time zone, such as Europe/London",
            "b.yaml:12:14: `when` at `[3].at` must be a moment with its offset, such as 2026-12-01T08:00:00Z",
            "b.yaml:13:9: `when` at `[4]` has no `secret`; add what callers show, such as `secret: \"${ENV:SECRET}\"`, or a `header` with a value",
            "b.yaml:14:15: `debounce` must be text, not a number; put it in quotes",
            "b.yaml:15:32: `when` at `[1]` happens at one moment, and so does a condition before it, so they cannot both hold; make two triggers of it",
            "b.yaml:16:43: `debounce` must be a span of time, such as 200ms, 2s, 10m, 8h or 1d",
            "b.yaml:17:29: `when` at `[0].status` has no system; a path has three parts, such as sys-board/Display_1/power, and may leave out the first in a trigger that has a `system`",
        ],
    );
}

#[test]
fn a_variable_stands_in_what_callers_show_alone() {
    let refused = "${ENV:…} is not filled in here, only in settings, `uri`, `url` of a webhook, `header`, `env` of a driver, secrets, passwords and their hashes; write the text itself, with $${ for ${";
    check_room(
        "triggers:\n  - {id: a, when: [{status: s/Display_1/x, is: \"==\", than: \"${ENV:PASSWORD}\"}]}\n  - {id: b, when: [{event: \"${ENV:NONE}\", data: {a: [\"${ENV:PASSWORD}\"]}}]}\n",
        &[
            &format!("b.yaml:5:60: {refused}"),
            &format!("b.yaml:6:28: {refused}"),
            &format!("b.yaml:6:54: {refused}"),
        ],
    );
    let building = read_room(
        "triggers:\n  - {id: a, when: [{event: \"$${ENV:A}\"}], then: [{publish: \"${ENV:A}\"}]}\n",
    );
    let trigger = &building.triggers[0];
    assert_eq!(trigger.when.json().as_str(), r#"[{"event":"${ENV:A}"}]"#);
    // Steps are kept as they are.
    assert_eq!(trigger.then.json().as_str(), r#"[{"publish":"${ENV:A}"}]"#);
}

#[test]
fn what_yaml_takes_for_signs_of_its_own_is_asked_to_be_quoted() {
    let operator = "YAML takes an operator such as `>` without quotes for a sign of its own; put it in quotes, such as `is: \">\"`";
    let cron = "YAML takes a `*` in front for the name of a value elsewhere; put the whole rule in quotes, such as `cron: \"*/5 * * * *\"`";
    let braces = "YAML takes `{{` for a map, and this line has one without quotes; put the whole text in quotes, such as \"{{ name }}\"";
    let quoted = "`when` at `[0].is` must be an operator in quotes: \"==\", \"!=\", \">\", \">=\", \"<\" or \"<=\"";
    for (condition, at, expect) in [
        ("{status: a/B_1/c, is: >, than: 26}", "6:25", operator),
        ("{status: a/B_1/c, is: >=, than: 26}", "6:25", operator),
        ("{is: >, status: a/B_1/c, than: 26}", "6:8", operator),
        (
            "status: a/B_1/c\n        is: >=\n        than: 26",
            "7:13",
            operator,
        ),
        (
            "status: a/B_1/c\n        is: >\n        than: 26",
            "8:9",
            quoted,
        ),
        ("{status: a/B_1/c, is: !=, than: 26}", "6:27", quoted),
        ("{cron: * * * * *}", "6:10", cron),
        ("cron: */5 * * * *", "6:9", cron),
        ("event: {{ x }}", "6:11", braces),
    ] {
        let file = format!("x:\ny:\ntriggers:\n  - id: t\n    when:\n      - {condition}\n");
        let told = read_file(&file).unwrap_err().to_string();
        let last = told.lines().find(|line| !line.contains("unknown key"));
        let (said, line) = (last.unwrap_or_default(), at.split(':').next().unwrap());
        assert!(
            said.starts_with(&format!("b.yaml:{line}:")) && said.ends_with(expect),
            "{condition}: {told}"
        );
    }
}

#[test]
fn what_callers_show_is_masked_unless_it_is_asked_for() {
    let building = read_room(
        "procedures: [{id: p, steps: [{return: s3cret}]}]\nhooks: [{name: h, run: p, header: {X-Token: hunter2}}]\ntriggers:\n  - {id: t, when: [{status: s/Display_1/x, is: \"==\", than: 1}, {webhook: true, secret: hunter2}]}\n  - {id: u, when: [{webhook: true, header: {X-Token: hunter2}}]}\n",
    );
    assert_eq!(read_file(&write(&building)).unwrap(), building);
    for shown in [without_app_secrets(&building), masked(&building)] {
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("Display_1/x"), "{shown}");
        assert!(read_file(&shown).is_err());
    }
    assert!(without_app_secrets(&building).contains("s3cret"));
    assert!(!masked(&building).contains("s3cret"));
}
