//! Home Assistant's clients in Python: the library HomeAssistant-API and the command hass-cli.

use serde_json::{Value, json};

use crate::harness::{
    Console, DEADLINE, Folder, Gateway, Key, LABORATORY, Process, Stream, python_client,
};

const POWER: &str = "switch.lab_soft_1_power";

// Case 43, the library.
#[tokio::test]
async fn the_library_homeassistant_api_gets_all_that_it_asks_for() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", false).await;
    let mut command = python_client("home_assistant_api", "check.py");
    command.args([&gateway.url(), Key::ADMIN.0, POWER]);
    let folder = Folder::new();
    let mut process = Process::start("HomeAssistant-API", command, folder.path());
    let line = process.next_line(Stream::Out, DEADLINE * 3).await;
    let seen: Value = serde_json::from_str(&line.expect("it has seen something")).expect("JSON");

    let http = &seen["http"];
    assert_eq!(http["running"], true);
    assert_eq!(
        (&http["before"], &http["after"]),
        (&json!("off"), &json!("on"))
    );
    assert_eq!(http["changed"], json!([[POWER, "on"]]));
    assert_eq!(http["services"], json!(["toggle", "turn_off", "turn_on"]));
    assert_eq!(http["fired"], "Event from_python fired.");
    assert_eq!(
        (&http["events"], &http["components"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(http["nothing"], "EndpointNotFoundError");
    assert_eq!(http["stranger"], "UnauthorizedError");
    assert_eq!(seen["async"], json!({"running": true, "state": "on"}));
    let websocket = &seen["websocket"];
    assert_eq!(websocket["ping"], true);
    for same in ["entities", "services"] {
        assert_eq!(websocket[same], http[same], "{same}");
    }
    let names = |of: &Value| of.as_array().expect("names").clone();
    for name in names(&websocket["config"]) {
        assert!(names(&http["config"]).contains(&name), "{name}");
    }
    assert_eq!(websocket["change"], json!(["on", "off"]));
    assert_eq!(
        websocket["event"],
        json!([{"way": "websocket"}, "LOCAL", true])
    );
    assert!(process.ended(DEADLINE).await.success());
}

/// What hass-cli prints, which is to be JSON.
async fn hass_cli(gateway: &Gateway, arguments: &[&str]) -> Value {
    let mut command = python_client("hass_cli", "cli.py");
    command.args(["--server", &gateway.url(), "--token", Key::ADMIN.0]);
    command.args(["--output", "json"]).args(arguments);
    let folder = Folder::new();
    let mut process = Process::start("hass-cli", command, folder.path());
    let status = process.ended(DEADLINE).await;
    assert!(status.success(), "{arguments:?} ended with {status}");
    let said = process.said(Stream::Out).join("\n");
    // It may say what it does before.
    let begins = said.find(['[', '{']).unwrap_or_default();
    serde_json::from_str(&said[begins..])
        .unwrap_or_else(|error| panic!("{arguments:?}: {error} in {said}"))
}

// Case 43, the command.
#[tokio::test]
async fn the_command_hass_cli_shows_and_drives_the_building() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", false).await;

    let release = hass_cli(&gateway, &["config", "release"]).await;
    assert!(release[0].is_string(), "{release}");
    let state = hass_cli(&gateway, &["state", "get", POWER]).await;
    assert_eq!(state[0]["state"], "off", "{state}");
    let changed = hass_cli(
        &gateway,
        &[
            "service",
            "call",
            "switch.turn_on",
            "--arguments",
            &format!("entity_id={POWER}"),
        ],
    )
    .await;
    assert_eq!(changed[0]["state"], "on", "{changed}");
    let toggled = hass_cli(&gateway, &["state", "toggle", POWER]).await;
    assert_eq!(toggled[0]["state"], "off", "{toggled}");
    let fired = hass_cli(
        &gateway,
        &["event", "fire", "from_hass_cli", "--json", "{}"],
    )
    .await;
    assert_eq!(fired[0]["message"], "Event from_hass_cli fired.", "{fired}");
    let areas = hass_cli(&gateway, &["area", "list"]).await;
    assert_eq!(
        (&areas[0]["area_id"], &areas[0]["name"]),
        (&json!("lab"), &json!("Lab")),
        "{areas}"
    );
    let pong = hass_cli(&gateway, &["raw", "get", "/api/"]).await;
    assert_eq!(pong["message"], "API running.", "{pong}");
    let states = hass_cli(&gateway, &["raw", "ws", "get_states"]).await;
    let states = states["result"].as_array().expect("a list");
    assert!(states.iter().any(|state| state["entity_id"] == POWER));
}
