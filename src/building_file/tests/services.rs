//! Services in a file: what is read of them, and the exact lines that mistakes are answered with.

use super::*;
use crate::model::ServiceKey;

const SECRET: &str = "0123456789abcdefABCDEF0123456789";
const KEY: &str = "43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10";

#[test]
fn a_service_is_read_by_its_secret_or_its_public_key() {
    let building = read_file(&format!(
        "systems: [{{id: sys-1, name: One}}]\nservices:\n  - secret: \"0123456789abcdefABCDEF012${{ENV:PASSWORD}}\"\n    name: Boiler room\n    icon: http://h/i.png\n    systems: [sys-1]\n  - {{public: {KEY}, name: Lobby}}\n"
    ));
    let building = building.unwrap();
    let [boiler, lobby] = building.services.as_slice() else {
        panic!("{:?}", building.services);
    };
    let key = ServiceKey::of_secret("0123456789abcdefABCDEF012hunter2");
    assert_eq!(Ok(&boiler.key), key.as_ref());
    assert_eq!(
        (&*boiler.name, &*boiler.icon),
        ("Boiler room", "http://h/i.png")
    );
    assert_eq!(boiler.systems.len(), 1);
    assert_eq!(lobby.key.as_str(), KEY);
}

#[test]
fn what_is_written_has_the_public_key_and_is_the_same_service() {
    let file = format!("services: [{{secret: {SECRET}, name: Boiler room}}]\n");
    let building = read_file(&file).unwrap();
    let written = write(&building);
    assert!(!written.contains(SECRET), "{written}");
    assert_eq!(read_file(&written).unwrap(), building);
}

#[test]
fn a_key_that_cannot_be_is_told_and_never_shown() {
    let public = "`public` must be letters and digits with dashes, such as 43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10";
    check(
        &format!(
            "services:\n  - {{name: A}}\n  - {{name: B, secret: hunter2}}\n  - {{name: C, secret: \"${{ENV:TRAILING}}\"}}\n  - {{name: D, secret: \"${{ENV:NONE}}\"}}\n  - {{name: E, public: {SECRET}}}\n  - {{name: F, public: {KEY}, secret: {SECRET}}}\n"
        ),
        &[
            "b.yaml:2:5: a service has no `public`; add that or its secret, 32 letters and digits such as `secret: \"${ENV:SECRET}\"`",
            "b.yaml:3:23: `secret` must be 32 letters and digits, a to z in either case",
            "b.yaml:4:23: `secret` must be 32 letters and digits, a to z in either case",
            "b.yaml:5:23: the environment variable NONE is not set; set it before starting riser",
            &format!("b.yaml:6:23: {public}"),
            "b.yaml:7:5: a service has both `secret` and `public`; remove one of them",
        ],
    );
}

#[test]
fn a_service_is_there_once() {
    let key = ServiceKey::of_secret(SECRET).unwrap();
    check(
        &format!(
            "services:\n  - {{secret: {SECRET}, name: A}}\n  - {{secret: {SECRET}, name: B}}\n  - {{public: {key}, name: C}}\n"
        ),
        &[
            &format!(
                "b.yaml:3:14: key of a service `{key}` is already used on line 2; give one of them another"
            ),
            &format!(
                "b.yaml:4:14: key of a service `{key}` is already used on line 2; give one of them another"
            ),
        ],
    );
}

#[test]
fn a_service_has_a_name_and_tells_of_systems_that_there_are() {
    let long = "x".repeat(256);
    check(
        &format!(
            "systems: [{{id: sys-1, name: One}}]\nservices:\n  - {{public: {KEY}}}\n  - {{secret: {SECRET}, name: \" \", systems: [sys-2]}}\n  - {{secret: x{}, name: {long}}}\n",
            &SECRET[1..]
        ),
        &[
            "b.yaml:3:5: `name` must be a name for people, such as `name: Boiler room`",
            "b.yaml:4:54: `name` must be a name for people, such as `name: Boiler room`",
            "b.yaml:4:69: there is no system `sys-2`; did you mean `sys-1`? If not: add it under `systems`",
            "b.yaml:5:54: `name` has 256 characters; 255 is the most",
        ],
    );
}
