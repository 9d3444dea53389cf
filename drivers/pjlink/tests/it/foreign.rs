//! The simulator against clients of other makes: what they take for a projector, the driver is tested with.

use std::path::Path;
use std::time::Duration;

use driver_sdk::serde_json::{self, Value, json};
use test_support::{DEADLINE, Process, Stream, python_client};

use crate::simulator::{Power, Projector, Simulator};

/// What a client sees of a projector.
async fn seen_by(client: &str, simulator: &Simulator, password: Option<&str>) -> Value {
    let mut command = python_client(client, "check.py");
    let (_, port) = simulator.at.rsplit_once(':').unwrap();
    command.arg(port).args(password);
    let mut process = Process::start(client, command, Path::new("."));
    let line = process.next_line(Stream::Out, DEADLINE).await;
    process.ended(DEADLINE).await;
    let line = line.unwrap_or_else(|| panic!("{client} saw nothing"));
    serde_json::from_str(&line).unwrap()
}

#[tokio::test]
async fn the_simulator_is_a_projector_of_class_1_for_pypjlink2() {
    for password in [None, Some("JBMIAProjectorLink")] {
        let simulator = Simulator::new(Projector {
            password,
            warm_up: Duration::from_millis(200),
            errors: "012000",
            lamps: Some("1234 1 7 0"),
            ..Projector::default()
        })
        .await;
        let seen = seen_by("pypjlink2", &simulator, password).await;
        assert_eq!(
            seen,
            json!({
                "authenticated": password.map(|_| true),
                "power": ["off", "warm-up", "cooling"],
                "input_while_off": "unavailable time",
                "inputs": [["RGB", 1], ["DIGITAL", 1], ["DIGITAL", 2]],
                "input": ["RGB", 1],
                "no_such_input": "out of parameter",
                "mute": [[false, false], [true, false], [true, true], [false, true], [false, false]],
                "errors": {
                    "fan": "ok", "lamp": "warning", "temperature": "error",
                    "cover": "ok", "filter": "ok", "other": "ok",
                },
                "lamps": [[1234, true], [7, false]],
                "name": "Board",
                "manufacturer": "Lumen",
                "model": "L-2000",
                "other": "simulated",
            })
        );
    }
}

#[tokio::test]
async fn the_simulator_is_a_projector_of_class_2_for_aiopjlink() {
    for password in [None, Some("JBMIAProjectorLink")] {
        let simulator = Simulator::new(Projector {
            password,
            name: "Küche".into(),
            ..Projector::class_2()
        })
        .await;
        let seen = seen_by("aiopjlink", &simulator, password).await;
        assert_eq!(
            seen,
            json!({
                "power": "ON",
                "class": "2",
                "inputs": [
                    ["RGB", "1", "Computer"],
                    ["DIGITAL", "1", "HDMI 1"],
                    ["DIGITAL", "2", null],
                    ["NETWORK", "A", "Screen Küche"],
                    ["INTERNAL", "1", "Memory"],
                ],
                "input": ["INTERNAL", "1"],
                "input_of_class_2_in_class_1": "PJLinkERR2",
                "resolution": [1920, 1080],
                "recommended_resolution": [3840, 2160],
                "mute": [true, false],
                "errors": {
                    "fan": "OK", "lamp": "OK", "temperature": "OK",
                    "cover": "OK", "filter": "OK", "other": "OK",
                },
                "lamps": [[1234, "OFF"]],
                "lamp_models": ["LMP-1"],
                "filter_hours": 77,
                "filter_models": ["FIL-1"],
                "freeze": [false, true],
                "serial_number": "SN-0815",
                "name": "Küche",
                "freeze_while_cooling": "PJLinkERR3",
                "power_while_cooling": "PJLinkERR3",
            })
        );
        assert!(matches!(simulator.projector().power, Power::Cooling(_)));
    }
}

#[tokio::test]
async fn the_simulator_refuses_a_wrong_password_to_both() {
    let simulator = Simulator::new(Projector {
        password: Some("right"),
        ..Projector::class_2()
    })
    .await;
    assert_eq!(
        seen_by("pypjlink2", &simulator, Some("wrong")).await,
        json!({"authenticated": false})
    );
    assert_eq!(
        seen_by("aiopjlink", &simulator, Some("wrong")).await,
        json!({"password": "authentication failed"})
    );
}
