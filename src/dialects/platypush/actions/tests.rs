//! Tests of what actions mean, on a building of two rooms.

use serde_json::{Value, json};

use super::*;
use crate::dialects::Surroundings;
use crate::dialects::platypush::stage::{building, surroundings};
use crate::model::{Clearance, SystemId};

/// What an action comes to, in a few words.
fn told(action: &str, args: &str, sight: &Sight<'_>) -> String {
    let text = format!(r#"{{"action":"x.y","args":{args}}}"#);
    let request = crate::dialects::platypush::message::RequestMessage::read_text(&text, &|| 0);
    match plan(action, &request.unwrap().arguments, sight) {
        Ok(Plan::Output(output)) => output.to_string(),
        Ok(Plan::Ask(Request::Call(call), _)) => {
            let crate::model::ModuleAddress::Place(place) = call.module else {
                panic!("modules are named by their places");
            };
            format!("{place} {}({})", call.function, call.arguments)
        }
        Ok(Plan::Ask(Request::Run(run), _)) => {
            let given = run.arguments.map(|it| it.to_string());
            format!("run {}({})", run.procedure, given.unwrap_or_default())
        }
        Ok(Plan::Ask(request, reading)) => format!("{request:?} {reading:?}"),
        Err(error) => error.to_string(),
    }
}

fn with_sight<R>(
    surroundings: &Surroundings,
    level: Clearance,
    systems: &[&str],
    act: impl FnOnce(&Sight<'_>) -> R,
) -> R {
    let reaches = |id: &SystemId| systems.is_empty() || systems.contains(&id.as_str());
    act(&Sight {
        surroundings,
        level,
        reaches: &reaches,
        user: Some("user-ops"),
    })
}

#[track_caller]
fn check(systems: &[&str], table: &[(&str, &str, &str)]) {
    let surroundings = surroundings();
    with_sight(&surroundings, Clearance::User, systems, |sight| {
        for (action, args, expect) in table {
            assert_eq!(told(action, args, sight), *expect, "{action}");
        }
    });
}

#[test]
fn a_function_is_called_by_any_name_of_its_system_and_module() {
    let expect = "sys-1 Display_1 power({\"state\":true})";
    let args = r#"{"state":true}"#;
    for name in [
        "board_room.display_1.power",
        "Board_Room.Display.power",
        "sys-1.display.power",
        "SYS_1.DISPLAY_1.power",
    ] {
        check(&[], &[(name, args, expect)]);
    }
}

#[test]
fn where_one_system_is_in_reach_its_name_may_be_left_out() {
    check(
        &["sys-1"],
        &[("display_1.volume", "[40]", "sys-1 Display_1 volume([40])")],
    );
    check(
        &[],
        &[("display_1.volume", "[40]", "No such plugin: display_1")],
    );
}

#[test]
fn what_is_not_there_has_one_clear_error() {
    check(
        &[],
        &[
            (
                "power",
                "null",
                "No plugin name provided: an action is called as plugin.action",
            ),
            (
                "board_room.display_9.volume",
                "null",
                "No such module: board_room.display_9; did you mean board_room.display_1?",
            ),
            (
                "board_room.display_1.powr",
                "null",
                "No such action: board_room.display_1.powr; did you mean board_room.display_1.power?",
            ),
            (
                "procedure.at_hme",
                "null",
                "No such procedure: at_hme; did you mean at_home?",
            ),
            (
                "inspect.get_all",
                "null",
                "No such action: inspect.get_all; did you mean inspect.get_all_events?",
            ),
        ],
    );
}

#[test]
fn what_is_out_of_reach_is_not_even_named() {
    check(
        &["sys-2"],
        &[(
            "board_room.display_1.power",
            "null",
            "No such plugin: board_room.display_1",
        )],
    );
}

#[test]
fn a_module_of_the_engine_is_for_support_staff() {
    let surroundings = surroundings();
    let ask = |level| {
        with_sight(&surroundings, level, &[], |sight| {
            told("lobby._secret_1.x", "null", sight)
        })
    };
    assert!(ask(Clearance::User).starts_with("No such module"));
    assert_eq!(ask(Clearance::Support), "sys-2 _Secret_1 x([])");
}

#[test]
fn a_procedure_may_have_dots_in_its_name() {
    check(
        &[],
        &[
            (
                "procedure.at_home",
                r#"{"who":"Ann"}"#,
                r#"run at_home({"who":"Ann"})"#,
            ),
            ("procedure.foo.bar", "null", "run foo.bar()"),
            ("procedure.my.at_home", "\"Ann\"", "run at_home(\"Ann\")"),
            (
                "procedures.exec",
                r#"{"procedure":"at_home","who":"Ann"}"#,
                r#"run at_home({"who":"Ann"})"#,
            ),
            ("procedures.exec", r#"["foo.bar",5]"#, "run foo.bar([5])"),
            (
                "procedures.exec",
                r#"{"procedure":"at_home","args":[1]}"#,
                "run at_home([1])",
            ),
            (
                "procedures.exec",
                "null",
                "exec needs the argument procedure: the name of a procedure",
            ),
        ],
    );
}

#[test]
fn modules_are_called_by_the_buildings_own_names_too() {
    check(
        &[],
        &[
            (
                "gateway.exec",
                r#"{"system":"sys-1","module":"Display","index":2,"function":"power","args":[true]}"#,
                "sys-1 Display_2 power([true])",
            ),
            (
                "entities.execute",
                r#"{"id":"sys-1/Display_2/power","action":"power","state":false}"#,
                r#"sys-1 Display_2 power({"state":false})"#,
            ),
            (
                "gateway.systems",
                "null",
                r#"[{"id":"sys-1","name":"Board Room","word":"board_room"},{"id":"sys-2","name":"Lobby","word":"lobby"}]"#,
            ),
            (
                "entities.execute",
                r#"{"id":"nothing","action":"x"}"#,
                "No such entity: nothing",
            ),
        ],
    );
}

#[test]
fn what_the_pages_ask_first_has_its_shape() {
    check(
        &[],
        &[
            ("config.get_device_id", "{}", "\"riser\""),
            ("config.get_backends", "{}", r#"{"http":{}}"#),
            ("inspect.get_enabled_backends", "{}", r#"["http"]"#),
            (
                "utils.rst_to_html",
                r#"{"text":"<b>\n\na & b"}"#,
                r#""<p>&lt;b&gt;</p><p>a &amp; b</p>""#,
            ),
            (
                "inspect.get_procedures",
                "{}",
                r#"{"at_home":{"name":"at_home","type":"config","actions":[],"args":["who"],"_async":false},"foo.bar":{"name":"foo.bar","type":"config","actions":[],"args":[],"_async":false}}"#,
            ),
        ],
    );
    let surroundings = surroundings();
    with_sight(&surroundings, Clearance::User, &[], |sight| {
        let parsed =
            |action| -> Value { serde_json::from_str(&told(action, "{}", sight)).unwrap() };
        assert_eq!(parsed("config.get")["backend.http"], json!({}));
        let plugins = parsed("inspect.get_all_plugins");
        let power = &plugins["board_room.display_1"]["actions"]["power"];
        assert_eq!(
            power["args"]["state"],
            json!({"name":"state","type":"bool","required":true,"default":null,"doc":null})
        );
        assert!(plugins["board_room.display_1"]["actions"]["status"].is_object());
        assert!(plugins["inspect"]["actions"]["get_all_plugins"].is_object());
        assert_eq!(plugins["lobby._secret_1"], Value::Null);
        assert_eq!(parsed("user.get_user_by_session")["username"], "user-ops");
    });
}

#[test]
fn variables_are_the_statuses_of_the_one_module_that_is_called_so() {
    check(
        &[],
        &[(
            "variable.set",
            r#"{"a":1}"#,
            "There are no variables: they are the statuses of a module called Variables, such as one of the driver virtual",
        )],
    );
    let with = |modules: &[&str]| {
        let building = building(&[("sys-1", "House", modules)]);
        Surroundings::new(building, &Surroundings::default())
    };
    let surroundings = with(&["Variables_1", "Lights_1"]);
    with_sight(&surroundings, Clearance::User, &[], |sight| {
        for (action, args, expect) in [
            (
                "variable.set",
                r#"{"a":{"b":1.50}}"#,
                "sys-1 Variables_1 set([\"a\",{\"b\":1.50}])",
            ),
            (
                "variable.unset",
                r#"["a"]"#,
                "sys-1 Variables_1 set([\"a\",null])",
            ),
            (
                "variable.unset",
                "{}",
                "unset needs the argument name: a variable",
            ),
            (
                "variable.set",
                r#"{"a":1,"b":2}"#,
                "set needs the argument of one variable: its name, with its value",
            ),
            (
                "variable.set",
                "[1]",
                "set needs the argument of one variable: its name, with its value",
            ),
        ] {
            assert_eq!(told(action, args, sight), expect, "{action} {args}");
        }
    });
    let surroundings = with(&["Variables_1", "Variables_2"]);
    with_sight(&surroundings, Clearance::User, &[], |sight| {
        let expect = "Variables may be those of house.variables_1 or of house.variables_2: call the functions of one of them";
        assert_eq!(told("variable.get", "{}", sight), expect);
    });
}
