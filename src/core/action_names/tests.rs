//! Names of actions over a building whose modules have the functions `echo`, `wait` and others, all known before they run.

use super::*;
use crate::core::tests::doubles::{directory, room, scripted, telling};
use crate::model::{Building, Module};

/// A board room with two displays, and one more of its name, behind an id with dots.
fn building() -> Directory {
    let named = |system: System, name: &str| System {
        name: name.to_owned(),
        ..system
    };
    let display = |id| scripted(id, Some("Display"));
    let modules: Vec<Module> = vec![
        display("mod-1"),
        display("mod-2"),
        scripted("mod-3", Some("Big Screen")),
        scripted("mod-4", Some("lamp")),
        scripted("mod-5", Some("Lamp")),
        scripted("mod-6", Some("v1.2")),
        telling("mod-7"),
    ];
    directory(Building {
        systems: vec![
            named(
                room("sys-Alpha", &["mod-1", "mod-2", "mod-3", "mod-7"]),
                "Board Room",
            ),
            named(
                room("sys.2", &["mod-1", "mod-4", "mod-5", "mod-6"]),
                "Büro – 2.OG",
            ),
            named(room("sys-3", &["mod-1"]), "Hall"),
            named(room("sys-4", &["mod-2"]), "hall"),
        ],
        modules,
        ..Building::default()
    })
}

fn resolved(name: &str) -> Result<String, String> {
    let found = resolve_action(&building(), name, |_| true);
    let found = found.map_err(|error| error.to_string())?;
    Ok(FunctionPath::new(found.module, found.function).to_string())
}

#[test]
fn a_system_goes_by_its_id_or_by_its_name_as_a_word_and_case_does_not_matter() {
    for name in [
        "sys-Alpha.Display_1.echo",
        "sys-alpha.display_1.echo",
        "SYS-ALPHA.DISPLAY.ECHO",
        "board_room.display.echo",
        "Board_Room.Display_1.Echo",
        "sys-Alpha/Display_1/echo",
        "sys-alpha/display/ECHO",
        "board_room/Display/echo",
    ] {
        assert_eq!(
            resolved(name).as_deref(),
            Ok("sys-Alpha/Display_1/echo"),
            "{name}"
        );
    }
    let second = "sys-Alpha/Display_2/echo";
    assert_eq!(resolved("board_room.display_2.echo").as_deref(), Ok(second));
}

#[test]
fn dots_and_other_characters_may_stand_in_each_part() {
    assert_eq!(
        resolved("sys.2.display.echo").as_deref(),
        Ok("sys.2/Display_1/echo")
    );
    assert_eq!(
        resolved("büro_2_og.v1.2.echo").as_deref(),
        Ok("sys.2/v1.2_1/echo")
    );
    assert_eq!(
        resolved("board_room.big_screen.echo").as_deref(),
        Ok("sys-Alpha/Big Screen_1/echo")
    );
    assert_eq!(
        resolved("board_room/big screen_1/echo").as_deref(),
        Ok("sys-Alpha/Big Screen_1/echo")
    );
}

#[test]
fn what_is_written_as_it_is_wins_and_what_then_means_two_is_an_error() {
    assert_eq!(
        resolved("sys.2.Lamp.echo").as_deref(),
        Ok("sys.2/Lamp_1/echo")
    );
    assert_eq!(
        resolved("sys.2.lamp.echo").as_deref(),
        Ok("sys.2/lamp_1/echo")
    );
    assert_eq!(
        resolved("sys.2.LAMP.echo").unwrap_err(),
        "several modules of the system \"sys.2\" are called so; write one as it is: Lamp_1, lamp_1"
    );
    assert_eq!(
        resolved("hall.display.echo").unwrap_err(),
        "several systems are called \"hall\"; name one by its id: sys-3, sys-4"
    );
}

#[test]
fn a_function_that_is_not_known_beforehand_is_taken_as_it_is_written() {
    let found = resolved("board_room.scratch.someThing");
    assert_eq!(found.as_deref(), Ok("sys-Alpha/Scratch_1/someThing"));
}

#[test]
fn what_is_not_there_is_named_with_what_is_like_it() {
    for (name, error) in [
        (
            "bord_room.display.echo",
            r#"there is no system "bord_room"; did you mean "board_room"?"#,
        ),
        ("kitchen.display.echo", r#"there is no system "kitchen""#),
        (
            "board_room.dsplay_2.echo",
            r#"the system "sys-Alpha" has no module "dsplay_2"; did you mean "Display_2"?"#,
        ),
        (
            "board_room.display.eco",
            r#"Display_1 of the system "sys-Alpha" has no function "eco"; did you mean "echo"?"#,
        ),
        (
            "sys-Alpha/Display_3/echo",
            r#"the system "sys-Alpha" has no module "Display_3"; did you mean "Display_1"?"#,
        ),
    ] {
        assert_eq!(resolved(name).unwrap_err(), error);
    }
}

#[test]
fn what_is_no_name_is_refused() {
    for name in ["", "echo", "display.echo", "."] {
        let error = resolved(name).unwrap_err();
        let expect =
            "names no function; write SYSTEM.MODULE.FUNCTION, such as sys-desk.lamp_1.power";
        assert_eq!(error, format!("{name:?} {expect}"));
    }
    assert!(
        resolved("a/b")
            .unwrap_err()
            .contains("a path has three parts")
    );
    assert!(
        resolved("board_room.display.")
            .unwrap_err()
            .contains("names no function")
    );
    let long = ["a".repeat(NAME_MAX_BYTES + 1), "a.".repeat(DOTS_MAX + 1)];
    for name in long {
        let refused = resolve_action(&building(), &name, |_| true);
        assert_eq!(refused, Err(ActionNameError::TooLong));
    }
}

#[test]
fn a_system_out_of_reach_is_as_one_that_is_not_there() {
    let building = building();
    let within = |system: &System| system.id.as_str() == "sys-3";
    let found = resolve_action(&building, "hall.display.echo", within).unwrap();
    assert_eq!(found.module.system.as_str(), "sys-3");
    for name in [
        "sys-Alpha.display.echo",
        "board_room.display.echo",
        "sys-Alpha/Display_1/echo",
    ] {
        let error = resolve_action(&building, name, within).unwrap_err();
        let is_near =
            matches!(&error, ActionNameError::NoSystem { near: Some(near), .. } if near != "sys-3");
        assert!(
            matches!(error, ActionNameError::NoSystem { .. }) && !is_near,
            "{error}"
        );
    }
}
