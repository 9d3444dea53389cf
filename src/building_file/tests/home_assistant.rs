//! Entities and commands in a file: what is read of them, and the exact lines that mistakes are answered with.

use super::*;
use crate::model::{CommandAction, CommandCall, EntityDomain};

/// A room with two displays that have names, and one whose module is called as its driver says.
const ROOMS: &str = "systems: [{id: s, name: S, modules: [a, b]}, {id: \"l/1\", name: L, modules: [c]}]\nmodules: [{id: a, driver: virtual, name: Display}, {id: b, driver: virtual, name: Display}, {id: c, driver: virtual}]\n";

/// The file of the rooms with these lines, which begin with the third.
#[track_caller]
fn check_rooms(lines: &str, expect: &[&str]) {
    check(&format!("{ROOMS}{lines}"), expect);
}

#[test]
fn entities_and_commands_are_read_in_the_order_of_the_file() {
    let building = read_file(&format!(
        "{ROOMS}entities:\n  - {{status: s/Display_2/level, domain: number, min: 0, max: 1.50}}\n  - {{status: l%2F1/Virtual_1/x}}\ncommands:\n  - {{type: lamp/b, result: {{kind: \"${{x}} {{{{ a }}}}\"}}}}\n  - {{type: lamp/a, call: s/Display_1/blink, admin: true}}\n"
    ))
    .unwrap();
    let [level, other] = building.entities.as_slice() else {
        panic!("{:?}", building.entities);
    };
    assert_eq!(level.domain, Some(EntityDomain::Number));
    assert_eq!(level.max.as_ref().unwrap().json().as_str(), "1.5");
    assert_eq!(other.status.target().module.system.as_str(), "l/1");
    let [answer, call] = building.commands.as_slice() else {
        panic!("{:?}", building.commands);
    };
    let Some(CommandAction::Answer(result)) = answer.action() else {
        panic!("{answer:?}");
    };
    assert_eq!(result.as_str(), r#"{"kind":"${x} {{ a }}"}"#);
    let Some(CommandAction::Call(CommandCall::At(path))) = call.action() else {
        panic!("{call:?}");
    };
    assert_eq!((path.as_str(), call.admin), ("s/Display_1/blink", true));
}

#[test]
fn a_path_that_no_system_has_is_told_where_it_stands() {
    check_rooms(
        "entities:\n  - {status: t/Display_1/x}\n  - {status: s/Display_3/x}\n  - {status: s/Lamp_1/x}\n  - {status: l%2F1/Whatever_1/x}\n",
        &[
            "b.yaml:4:14: there is no system `t`; add it under `systems`",
            "b.yaml:5:14: the system has no module `Display_3`; did you mean `Display_1`?",
            "b.yaml:6:14: the system has no module `Lamp_1`; it has Display_1, Display_2",
        ],
    );
    check_rooms(
        "commands:\n  - {type: lamp/a, call: s/Lamp_1/x}\n  - {type: lamp/b, subscribe: t/Display_1/x}\n",
        &[
            "b.yaml:4:26: the system has no module `Lamp_1`; it has Display_1, Display_2",
            "b.yaml:5:31: there is no system `t`; add it under `systems`",
        ],
    );
}

#[test]
fn what_is_no_path_is_answered_with_its_form() {
    check_rooms(
        "entities:\n  - {status: s/Display_1}\n  - {status: s/Display/x}\n  - {}\ncommands:\n  - {type: lamp/a, call: s/x}\n",
        &[
            "b.yaml:4:14: `status` is no path: a path has three parts, such as sys-board/Display_1/power; write %2F for a `/` inside a part",
            "b.yaml:5:14: `status` is no path: the module of a path has its index behind it, such as Display_1",
            "b.yaml:6:5: an entity has no `status`; add the path of a status, such as `status: sys-board/Display_1/power`",
            "b.yaml:8:26: `call` is no path: a path has three parts, such as sys-board/Display_1/power; write %2F for a `/` inside a part",
        ],
    );
}

#[test]
fn a_status_and_a_type_are_there_once() {
    check_rooms(
        "entities:\n  - {status: s/Display_1/x}\n  - {status: s/Display_01/x}\ncommands:\n  - {type: lamp/a, result: 1}\n  - {type: lamp/a, result: 2}\n",
        &[
            "b.yaml:5:14: status of an entity `s/Display_1/x` is already used on line 4; give one of them another",
            "b.yaml:8:12: type of a command `lamp/a` is already used on line 7; give one of them another",
        ],
    );
}

#[test]
fn a_domain_that_there_is_not_or_that_does_not_fit_is_refused() {
    check_rooms(
        "entities:\n  - {status: s/Display_1/a, domain: lamp}\n  - {status: s/Display_1/b, domain: sensor, options: [x]}\n  - {status: s/Display_1/c, min: 2, max: 1}\n  - {status: s/Display_1/d, min: low}\n  - {status: s/Display_1/e, step: 0.1234567890123456789}\n  - {status: s/Display_1/f, optoins: [x]}\n",
        &[
            "b.yaml:4:37: `lamp` is no domain; use binary_sensor, cover, light, number, select, sensor or switch",
            "b.yaml:5:54: `options` is of select, not of sensor; remove it",
            "b.yaml:6:34: `min` is more than `max`; exchange them",
            "b.yaml:7:34: `min` must be a number, not text",
            "b.yaml:8:35: `step` has more digits than are kept; leave some out",
            "b.yaml:9:29: unknown key `optoins` in an entity; did you mean `options`?",
        ],
    );
}

#[test]
fn a_type_has_a_slash_and_is_none_of_home_assistants_own() {
    check_rooms(
        "commands:\n  - {type: blink, result: 1}\n  - {type: lovelace/config, result: 1}\n",
        &[
            "b.yaml:4:12: `type` must be a domain, a `/` and a name, such as media_player/thumbnail",
            "b.yaml:5:12: `type` is a command that Home Assistant has itself; choose another type",
        ],
    );
}

#[test]
fn a_command_answers_null_where_the_file_says_null_in_so_many_letters() {
    let commands = |result: &str| {
        format!("commands:\n  - type: lamp/a\n    result:{result}\n    admin: true\n")
    };
    for written in [" null", " ~", " Null"] {
        let building = read_file(&commands(written)).unwrap();
        let Some(CommandAction::Answer(result)) = building.commands[0].action() else {
            panic!("{:?}", building.commands);
        };
        assert_eq!(result.as_str(), "null");
    }
    let nothing = "b.yaml:2:11: `type` does nothing; add `call`, `result` or `subscribe`";
    check(&commands(""), &[nothing]);
}

#[test]
fn a_command_has_one_thing_to_do() {
    check_rooms(
        "commands:\n  - {type: lamp/a}\n  - type: lamp/b\n    call: s/Display_1/x\n    result: 1\n  - {type: lamp/c, result: 1, args: [1]}\n",
        &[
            "b.yaml:4:12: `type` does nothing; add `call`, `result` or `subscribe`",
            "b.yaml:7:13: `result` is one too many, since a command has one of `call`, `result` and `subscribe`; remove the others",
            "b.yaml:8:37: `args` is of commands with a `call` alone; remove it",
        ],
    );
}

#[test]
fn a_keyword_that_no_schema_has_is_told_where_it_stands() {
    check_rooms(
        "commands:\n  - type: lamp/a\n    result: 1\n    schema:\n      propertes: {}\n      properties:\n        level: {type: integer, patern: x}\n        mode:\n          type: text\n          default: 1\n",
        &[
            "b.yaml:7:7: unknown key `propertes` in the schema; did you mean `properties`?",
            "b.yaml:9:32: unknown key `patern` in the schema; there may be default, enum, format, maximum, minimum, type",
            "b.yaml:11:17: `schema` at `properties.mode.type` must be string, integer, number, boolean, array or object",
        ],
    );
    check_rooms(
        "commands:\n  - {type: lamp/a, result: 1, schema_json: '{\"pattern\": 1}'}\n",
        &["b.yaml:4:44: unknown key in the schema; there may be properties, required, type"],
    );
}

#[test]
fn an_error_has_a_code_and_its_text_is_not_shown() {
    check_rooms(
        "commands:\n  - type: lamp/a\n    call: s/Display_1/x\n    errors:\n      no such lamp: {message: None}\n      dark: {code: 5}\n      slow: {cod: late, message: m}\n",
        &[
            "b.yaml:7:21: this part of `errors` has no `code`; add what programs know it by, such as `code: entity_not_found`",
            "b.yaml:8:20: `errors` at `dark.code` must be text",
            "b.yaml:9:14: unknown key `cod` in the errors; did you mean `code`?",
        ],
    );
}

#[test]
fn a_call_behind_an_entity_takes_a_parameter_of_the_schema() {
    check_rooms(
        "commands:\n  - {type: lamp/a, call: {entity: entity_id, functoin: x}}\n  - {type: lamp/b, call: {entity: entity_id, function: x}}\n  - {type: lamp/c, call: {entity: entity_id, function: x}, schema: {properties: {entity_id: {}}}}\n",
        &[
            "b.yaml:4:26: `call` has no `function`; add a function of the module behind it, such as `function: play`",
            "b.yaml:4:46: unknown key `functoin` in the call; did you mean `function`?",
            "b.yaml:5:26: `call` takes its entity from a parameter that the `schema` does not have under `properties`; add it there",
        ],
    );
}

#[test]
fn a_mistake_in_an_expression_is_told_where_its_text_stands() {
    check_rooms(
        "commands:\n  - type: lamp/a\n    call: s/Display_1/x\n    args:\n      level: \"{{ level | intt }}\"\n      list: [1, \"a {{ level }\"]\n  - {type: lamp/b, result_json: '[\"{% set a = 1 %}\"]'}\n",
        &[
            "b.yaml:7:14: `args` at `level` has a mistake in its text, at line 1, column 12: there is no filter `intt`; did you mean `int`?",
            "b.yaml:8:17: `args` at `list[1]` has a mistake in its text, at line 1, column 12: unexpected `}`, expected `}}`",
            "b.yaml:9:33: `result` at `[0]` has a mistake in its text, at line 1, column 4: there is no block `set` here; a text has `{{ }}` alone, as in `{{ a if b else c }}`",
        ],
    );
}

#[test]
fn braces_without_quotes_are_asked_for() {
    let said = "YAML takes `{{` for a map, and this line has one without quotes; put the whole text in quotes, such as \"{{ name }}\"";
    for args in ["{a: {{ a }}}", "[{{ a }}]"] {
        let file = format!(
            "{ROOMS}commands:\n  - type: lamp/a\n    call: s/Display_1/x\n    args: {args}\n"
        );
        let problems = read_file(&file).unwrap_err().to_string();
        assert!(problems.starts_with("b.yaml:6:"), "{problems}");
        assert!(problems.ends_with(said), "{problems}");
    }
}

#[test]
fn a_variable_is_not_filled_in() {
    check_rooms(
        "entities:\n  - {status: s/Display_1/x, name: \"${ENV:PASSWORD}\"}\n",
        &[
            "b.yaml:4:35: ${ENV:…} is not filled in here, only in settings, `uri`, `url` of a webhook, `header`, `env` of a driver, secrets, passwords and their hashes; write the text itself, with $${ for ${",
        ],
    );
    let building = read_file(&format!(
        "{ROOMS}commands: [{{type: lamp/a, result: \"${{ENV:PASSWORD}}\"}}]\n"
    ));
    let result = building.unwrap().commands[0].result.clone();
    assert_eq!(result.unwrap().as_str(), "\"${ENV:PASSWORD}\"");
}
