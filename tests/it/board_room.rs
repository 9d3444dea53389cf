//! A whole board room: every driver that drives something real, beside its counterpart, on a page with PlaceOS's own client.
//!
//! The building is as an installer writes it. What a driver does in detail is tested in its own crate;
//! these tests hold that all of them stand side by side in one gateway, and that a device that is lost is lost alone.

mod calendar;
mod devices;
mod screen;

// The counterparts that the drivers' own tests have made.
#[path = "../../drivers/mqtt/tests/mqtt/broker.rs"]
#[expect(dead_code, reason = "the driver's own tests use the rest")]
mod broker;
#[path = "../../drivers/http_json/tests/it/server.rs"]
#[expect(dead_code, reason = "the driver's own tests use the rest")]
mod http_server;
#[path = "../../drivers/pjlink/tests/it/simulator.rs"]
#[expect(dead_code, reason = "the driver's own tests use the rest")]
mod projector;

use std::time::Duration;

use serde_json::{Value, json};

use self::devices::{Device, Devices, HEATER_CREDENTIALS, SECRETS};
use self::screen::Screen;
use crate::harness::{Document, Gateway, Key, Terminal, root};

const BUILDING: &str = include_str!("board_room/building.yaml");

/// The key of the building.
const ADMIN: Key = Key("kadm.s-adm-7f3a");

/// The names of the modules.
const MODULES: [&str; 9] = [
    "Bookings",
    "Display",
    "Sensors",
    "Meter",
    "Heater",
    "PC",
    "Presence",
    "Room",
    "Thermometer",
];

/// The room with its gateway, and a page on which every module is connected.
struct BoardRoom {
    devices: Devices,
    screen: Screen,
    gateway: Gateway,
}

impl BoardRoom {
    async fn start() -> Self {
        let devices = Devices::start().await;
        let library = root().join("drivers/python").display().to_string();
        let plan = devices
            .plan(BUILDING)
            .file("thermometer.py", &thermometer())
            .variable("PATH", "/usr/local/bin:/usr/bin:/bin")
            .variable("PYTHONPATH", &library)
            .variable("RISER_LOG", "debug");
        let gateway = plan.start().await;
        let mut screen = Screen::open(&gateway, ADMIN).await;
        for module in MODULES {
            screen.bind(module, &["connected"]).await;
        }
        for module in MODULES {
            screen.shows(module, "connected", true).await;
        }
        Self {
            devices,
            screen,
            gateway,
        }
    }
}

/// The driver that the tutorial begins with.
fn thermometer() -> String {
    let documents = Document::all();
    let tutorial = documents
        .iter()
        .find(|document| document.name == "docs/writing-a-driver.md");
    let (blocks, _) = tutorial.expect("there is a tutorial").parts();
    let driver = blocks.iter().find(|block| block.kind == "python");
    driver.expect("it has a driver in Python").text.clone()
}

#[tokio::test]
async fn a_page_shows_and_drives_every_device_of_a_board_room() {
    let mut room = BoardRoom::start().await;
    the_meter_is_read_and_written(&mut room).await;
    the_heater_is_read_and_told(&mut room).await;
    the_sensors_are_heard_and_told(&mut room).await;
    the_display_is_switched(&mut room).await;
    the_thermometer_is_calibrated(&mut room).await;
    a_wrong_call_is_refused_with_what_is_wrong(&mut room).await;
    the_room_follows_its_people_and_its_calendar(&mut room).await;
    room.screen.close().await;
    let log = room.gateway.log().join("\n");
    for (name, secret) in SECRETS {
        assert!(!log.contains(secret), "the log has the {name}");
    }
}

async fn the_meter_is_read_and_written(room: &mut BoardRoom) {
    let BoardRoom {
        devices, screen, ..
    } = room;
    // A page writes -5.0 as -5.
    let values = [
        ("voltage", json!(230.5)),
        ("current", json!(-1.23)),
        ("energy", json!(4_000_000_000_u32)),
        ("power", json!(1234.5)),
        ("power_swapped", json!(1234.5)),
        ("alarm", json!(true)),
        ("outside", json!(-5)),
        ("setpoint", json!(21.5)),
        ("pump", json!(false)),
        ("door", json!(true)),
    ];
    for (name, value) in values {
        screen.bind("Meter", &[name]).await;
        screen.shows("Meter", name, value).await;
    }
    // What the device refuses has no value, which is `null` for who asks and nothing for who follows.
    screen.bind("Meter", &["broken"]).await;
    assert_eq!(screen.ask_for("Meter", "broken").await, Value::Null);
    screen.call("Meter", "set", json!(["setpoint", 19.5])).await;
    screen.shows("Meter", "setpoint", 19.5).await;
    assert_eq!(devices.read_meter("holding", 20).await, "195");
    screen.call("Meter", "set", json!(["pump", true])).await;
    screen.shows("Meter", "pump", true).await;
    assert_eq!(devices.read_meter("coil", 3).await, "1");
    assert!(screen.shown("Meter", "broken").is_empty());
}

async fn the_heater_is_read_and_told(room: &mut BoardRoom) {
    let BoardRoom {
        devices, screen, ..
    } = room;
    let statuses = ["temperature", "humidity", "mode"];
    screen.bind("Heater", &statuses).await;
    screen.shows("Heater", "temperature", 20.5).await;
    screen.shows("Heater", "humidity", 41).await;
    screen.shows("Heater", "mode", "comfort").await;
    let boost = json!(["boost", {"minutes": 15}]);
    let answer = screen.call("Heater", "send", boost).await;
    assert_eq!(answer, json!({"until": "12:30"}));
    let asked = devices.heater().wait_asked("PUT /api/heater").await;
    let body: Value = serde_json::from_str(&asked.body).expect("a body of JSON");
    assert_eq!(body, json!({"minutes": 15, "note": "for 15 min"}));
    assert_eq!(asked.headers["authorization"], HEATER_CREDENTIALS);
    assert_eq!(asked.headers["x-site"], "board");
    let stop = json!(["stop", {"zone": "a/b"}]);
    assert_eq!(screen.call("Heater", "send", stop).await, Value::Null);
}

async fn the_sensors_are_heard_and_told(room: &mut BoardRoom) {
    let BoardRoom {
        devices, screen, ..
    } = room;
    let mut client = devices.mqtt_client().await;
    let statuses = ["temperature", "battery", "door", "lamp"];
    screen.bind("Sensors", &statuses).await;
    let climate = r#"{"temperature": 21.5, "meta": {"a/b": [97]}}"#;
    client.publish("board/climate", climate).await;
    screen.shows("Sensors", "temperature", 21.5).await;
    screen.shows("Sensors", "battery", 97).await;
    client.publish("board/door", "open").await;
    screen.shows("Sensors", "door", "open").await;

    screen.debug("Sensors").await;
    let no_text = json!({"topic": "board/door", "hex": "fffe"});
    client.tell(no_text).await;
    let line = screen.line("mod-sensors", "that is no text").await;
    assert_eq!(line["level"], "warn", "{line}");

    screen.call("Sensors", "set", json!(["light", 40])).await;
    let (sent, _) = client.message("board/light/set").await;
    assert_eq!(sent, r#"{"brightness":40}"#);
    screen.call("Sensors", "set", json!(["blind", "up"])).await;
    assert_eq!(client.message("board/blind/set").await.0, "up");

    let lamp = r#"{"unique_id": "lamp", "state_topic": "lamp/state", "command_topic": "lamp/set"}"#;
    client.retain("homeassistant/light/lamp/config", lamp).await;
    client.retain("lamp/state", "OFF").await;
    screen.shows("Sensors", "lamp", "OFF").await;
    screen.call("Sensors", "set", json!(["lamp", true])).await;
    assert_eq!(client.message("lamp/set").await.0, "ON");
}

async fn the_display_is_switched(room: &mut BoardRoom) {
    let screen = &mut room.screen;
    let statuses = [
        "power",
        "warming",
        "cooling",
        "input",
        "inputs",
        "input_names",
        "audio_mute",
        "lamp_hours",
        "errors",
        "class",
        "model",
    ];
    screen.bind("Display", &statuses).await;
    screen.shows("Display", "power", false).await;
    screen.shows("Display", "class", 2).await;
    screen.shows("Display", "model", "L-2000").await;
    screen.shows("Display", "lamp_hours", json!([1234])).await;
    let well = "ok";
    let errors = json!({"fan": well, "lamp": well, "temperature": well, "cover": well, "filter": well, "other": well});
    screen.shows("Display", "errors", errors).await;
    let inputs = json!(["rgb_1", "digital_1", "digital_2", "network_a", "internal_1"]);
    screen.shows("Display", "inputs", inputs).await;

    screen.call("Display", "power", json!([true])).await;
    screen.shows("Display", "power", true).await;
    screen.shows("Display", "warming", true).await;
    screen.shows("Display", "warming", false).await;
    screen.shows("Display", "input", "digital_1").await;
    let named = |names: &Value| names["digital_1"] == "HDMI 1";
    screen
        .shows_one("Display", "input_names", "the names", named)
        .await;
    let switch = screen.call("Display", "switch_to", json!(["internal_1"]));
    switch.await;
    screen.shows("Display", "input", "internal_1").await;
    screen.call("Display", "mute_audio", json!([])).await;
    screen.shows("Display", "audio_mute", true).await;
    assert!(room.devices.projector().projector().audio_mute);

    screen.call("Display", "power", json!([false])).await;
    screen.shows("Display", "power", false).await;
    screen.shows("Display", "cooling", true).await;
    screen.shows("Display", "cooling", false).await;
}

async fn the_thermometer_is_calibrated(room: &mut BoardRoom) {
    let screen = &mut room.screen;
    screen.bind("Thermometer", &["temperature"]).await;
    screen.shows("Thermometer", "temperature", 21.5).await;
    let shifted = screen.call("Thermometer", "calibrate", json!([0.5])).await;
    assert_eq!(shifted, 22);
    screen.shows("Thermometer", "temperature", 22).await;
}

async fn a_wrong_call_is_refused_with_what_is_wrong(room: &mut BoardRoom) {
    let screen = &mut room.screen;
    for (call, args, said) in [
        (
            "Meter.set",
            json!(["setpoint", "warm"]),
            "'setpoint' takes a number",
        ),
        ("Sensors.set", json!(["door", 1]), "'door' has no command"),
        (
            "Heater.send",
            json!(["stop"]),
            "the value 'zone' is missing",
        ),
        (
            "Display.power",
            json!(["on"]),
            "'state' of 'power': expected a boolean",
        ),
        (
            "Display.switch_to",
            json!(["hdmi_1"]),
            "expected an input such as",
        ),
        (
            "Room.power",
            json!([]),
            "missing argument 'state' of 'power'",
        ),
        (
            "Bookings.book_now",
            json!(["long"]),
            "argument 'period_in_seconds'",
        ),
        ("Thermometer.calibrate", json!(["warmer"]), "degrees"),
        (
            "Thermometer.colibrate",
            json!([1]),
            "could not find function colibrate",
        ),
    ] {
        let (module, function) = call.split_once('.').expect("a module and a function");
        let refused = screen.try_call(module, function, args).await;
        let error = refused.expect_err(said);
        assert!(error.contains(said), "{call}: {error}");
    }
}

async fn the_room_follows_its_people_and_its_calendar(room: &mut BoardRoom) {
    let BoardRoom {
        devices, screen, ..
    } = room;
    // It takes no power while it cools down, so here it needs no time for that.
    devices.projector().projector().cool_down = Duration::ZERO;
    devices.projector().projector().warm_up = Duration::ZERO;
    screen.bind("Room", &["power"]).await;
    let statuses = ["status", "booked", "current_booking"];
    screen.bind("Bookings", &statuses).await;
    screen.shows("Room", "power", false).await;
    screen.shows("Bookings", "status", "free").await;

    screen.call("PC", "wake", json!([])).await;
    devices.pc_is_woken().await;

    let presence = |there: bool| json!(["presence", there]);
    screen.call("Presence", "set", presence(true)).await;
    goes_on(devices, screen).await;
    screen.call("Presence", "set", presence(false)).await;
    goes_off(screen).await;

    devices.calendar.book("theirs", "Budget").await;
    let theirs = |booking: &Value| booking["title"] == "Budget";
    screen
        .shows_one("Bookings", "current_booking", "their booking", theirs)
        .await;
    goes_on(devices, screen).await;
    let clash = screen.try_call("Bookings", "book_now", json!([1800])).await;
    let error = clash.expect_err("the room is booked");
    assert!(error.contains("the room is currently in use"), "{error}");
    devices.calendar.cancel("theirs").await;
    screen.shows("Bookings", "booked", false).await;
    goes_off(screen).await;

    let book = json!([1800, "Stand-up", "ann@example.test"]);
    let booked = screen.call("Bookings", "book_now", book).await;
    assert!(devices.calendar.texts().await.contains("SUMMARY:Stand-up"));
    screen.shows("Bookings", "current_booking", booked).await;
    goes_on(devices, screen).await;
}

/// Waits until the room has gone on: its display, and its PC.
async fn goes_on(devices: &Devices, screen: &mut Screen) {
    screen.shows("Display", "power", true).await;
    screen.shows("Room", "power", true).await;
    devices.pc_is_woken().await;
}

/// Waits until the room has gone off.
async fn goes_off(screen: &mut Screen) {
    screen.shows("Display", "power", false).await;
    screen.shows("Room", "power", false).await;
}

#[tokio::test]
async fn a_device_that_is_unplugged_is_lost_alone_and_comes_back() {
    let mut room = BoardRoom::start().await;
    let BoardRoom {
        devices, screen, ..
    } = &mut room;
    screen.bind("Meter", &["voltage"]).await;
    screen.shows("Meter", "voltage", 230.5).await;
    for device in Device::ALL {
        let lost = device.module();
        let losses = |screen: &Screen| {
            let others = MODULES.iter().filter(|module| **module != lost);
            others.map(|other| losses_of(screen, other)).collect()
        };
        let before: Vec<usize> = losses(screen);

        devices.unplug(device).await;
        screen.shows(lost, "connected", false).await;
        let (function, arguments) = call_of(device);
        let call = screen.try_call(lost, function, arguments.clone()).await;
        let error = call.expect_err("its device is lost");
        assert!(error.contains("not connected"), "{lost}: {error}");
        let others_work = screen.call("Thermometer", "calibrate", json!([0])).await;
        assert_eq!(others_work, 21.5);

        devices.plug(device).await;
        screen.shows(lost, "connected", true).await;
        screen.call(lost, function, arguments).await;
        assert_eq!(losses(screen), before, "the others without {lost}");
    }
    // What was known stayed, and everything was read afresh.
    screen.shows("Meter", "voltage", 229).await;
    let voltages = screen.shown("Meter", "voltage");
    assert_eq!(voltages, [&json!(230.5), &json!(229)]);

    // The booking has woken the PC. A display that is lost keeps the room from nothing else.
    devices.pc_is_woken().await;
    devices.unplug(Device::Projector).await;
    screen.shows("Display", "connected", false).await;
    let switch = screen.try_call("Room", "power", json!([true])).await;
    let error = switch.expect_err("the display is lost");
    assert!(error.contains("Display"), "{error}");
    devices.pc_is_woken().await;
    room.screen.close().await;
}

#[tokio::test]
async fn devices_that_say_nothing_are_lost_alone_and_come_back() {
    let mut room = BoardRoom::start().await;
    let BoardRoom {
        devices, screen, ..
    } = &mut room;
    for device in Device::ALL {
        devices.hang(device).await;
    }
    for device in Device::ALL {
        let lost = device.module();
        screen.shows(lost, "connected", false).await;
        let (function, arguments) = call_of(device);
        let call = screen.try_call(lost, function, arguments).await;
        let error = call.expect_err("its device says nothing");
        assert!(error.contains("not connected"), "{lost}: {error}");
    }
    for other in ["PC", "Presence", "Room", "Thermometer"] {
        let connected = screen.shown(other, "connected").last().copied();
        assert_eq!(connected, Some(&json!(true)), "{other}");
    }
    let others_work = screen.call("Thermometer", "calibrate", json!([0])).await;
    assert_eq!(others_work, 21.5);

    for device in Device::ALL {
        devices.go_on(device).await;
    }
    for device in Device::ALL {
        let back = device.module();
        screen.shows(back, "connected", true).await;
        let (function, arguments) = call_of(device);
        screen.call(back, function, arguments).await;
    }
    room.screen.close().await;
}

/// How often the page has shown that a module is not connected.
fn losses_of(screen: &Screen, module: &str) -> usize {
    let shown = screen.shown(module, "connected");
    shown.iter().filter(|value| ***value == false).count()
}

/// A call that needs the device.
fn call_of(device: Device) -> (&'static str, Value) {
    match device {
        Device::Calendar => ("book_now", json!([1800])),
        Device::Projector => ("power", json!([true])),
        Device::Broker => ("set", json!(["blind", "up"])),
        Device::Meter => ("set", json!(["pump", true])),
        Device::Heater => ("send", json!(["boost", {"minutes": 15}])),
    }
}

/// A terminal that has the variables that the building names.
fn terminal(building: &str) -> Terminal {
    let terminal = SECRETS
        .iter()
        .fold(Terminal::bare(), |terminal, (name, value)| {
            terminal.variable(name, value)
        });
    terminal.file("b.yaml", building)
}

#[tokio::test]
async fn check_calls_the_board_room_good() {
    let checked = terminal(BUILDING).run(&["check", "b.yaml"]).await;
    let good = "riser: b.yaml: a good building file (systems 1, modules 9, users 1, API keys 1)";
    assert_eq!(checked.err, [good]);
    assert_eq!(checked.code, Some(0));
}

#[tokio::test]
async fn check_names_each_wrong_setting_of_the_board_room_with_its_line() {
    // What stands there, what is wrong in its place, and what is said about it.
    for (right, wrong, said) in [
        (
            "unit: 1",
            "unit_id: 1",
            "53:7: unknown key `unit_id` in the settings; did you mean `unit`?",
        ),
        (
            "broken: {holding: 900}",
            "broken: {holdng: 900}",
            "66:18: unknown key `holdng` in the settings; did you mean `holding`?",
        ),
        (
            "off_after_seconds: 2",
            "off_after_seconds: soon",
            "99:26: the setting `off_after_seconds` must be a number",
        ),
        (
            "blind: board/blind/set",
            "blind: board/#",
            "45:16: the setting `commands.blind` must be a topic of one place, without the wildcards + and #",
        ),
        (
            "uri: tcp://127.0.0.1:4352",
            "uri: http://127.0.0.1:4352",
            "29:10: `uri` must be an address that begins with tcp://",
        ),
        (
            r#"settings: {mac: "00:11:22:aa:bb:cc"}"#,
            "settings: {}",
            r#"89:15: the settings have no `mac`; add a MAC address in quotes, such as "00:11:22:aa:bb:cc""#,
        ),
    ] {
        assert_eq!(BUILDING.matches(right).count(), 1, "{right}");
        let building = BUILDING.replace(right, wrong);
        let checked = terminal(&building).run(&["check", "b.yaml"]).await;
        assert_eq!(checked.err, [format!("riser: b.yaml:{said}")]);
        assert_eq!(checked.code, Some(2));
    }
}
