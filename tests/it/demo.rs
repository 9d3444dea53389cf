//! The lines that the demo prints, pasted as they are.

use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::harness::{DEADLINE, Folder, Gateway, Plan, Process, Stream, within};

/// How soon after the ready line the others are there.
const PRINTED_WITHIN: Duration = Duration::from_secs(1);

/// How long the demo's sensor may take to show that it moves.
const MOVES_WITHIN: Duration = Duration::from_secs(20);

struct Printed {
    gateway: Gateway,
    key: String,
    bind: String,
    websocket: String,
}

async fn start() -> Printed {
    let plan = Plan::bare().arguments(["--listen", "127.0.0.1:0"]);
    let mut gateway = plan.start().await;
    let key = line(&mut gateway).await;
    let key = key.strip_prefix("api key ").expect("the key comes first");
    let key = key.to_owned();
    let (id, secret) = key.split_once('.').expect("<id>.<secret>");
    assert!(!id.is_empty() && secret.len() >= 16, "{key}");
    let bind = line(&mut gateway).await;
    let program = env!("CARGO_BIN_EXE_riser");
    assert!(
        bind.starts_with(&format!("{program} bind ")) && bind.contains(&key),
        "{bind}"
    );
    let websocket = line(&mut gateway).await;
    assert!(websocket.contains(&key), "{websocket}");
    Printed {
        gateway,
        key,
        bind,
        websocket,
    }
}

async fn line(gateway: &mut Gateway) -> String {
    let line = gateway.next_line(PRINTED_WITHIN).await;
    line.expect("the demo prints one more line")
}

/// Pastes a line into a shell.
fn paste(line: &str, folder: &Folder) -> Process {
    let mut shell = Command::new("sh");
    // In place of the shell, so that it can be ended by its own id.
    shell.args(["-c", &format!("exec {line}")]);
    Process::start(line, shell, folder.path())
}

#[tokio::test]
async fn the_bind_line_prints_the_values_as_they_come() {
    let Printed { gateway, bind, .. } = start().await;
    let folder = Folder::new();

    let mut process = paste(&bind, &folder);

    let mut values = Vec::new();
    while values.len() < 3 {
        let line = process.next_line(Stream::Out, MOVES_WITHIN).await;
        let line = line.expect("it goes on printing");
        let words: Vec<&str> = line.split(' ').collect();
        let [_, "sys-board/Sensor_1/temperature", value] = words[..] else {
            panic!("this is no value: {line:?}");
        };
        let value: f64 = value.parse().expect("a temperature is a number");
        values.push(value);
    }
    values.dedup();
    assert!(values.len() > 1, "it does not move: {values:?}");
    process.kill().await;
    drop(gateway);
}

#[tokio::test]
async fn every_module_of_the_demo_runs_and_its_rooms_have_a_day_of_meetings() {
    let Printed { gateway, key, .. } = start().await;
    let get = async |path: String| {
        let path = format!("/api/engine/v2/systems{path}");
        gateway
            .request("GET", &path)
            .header("X-API-Key", &key)
            .ok()
            .await
    };
    let mut booked = Vec::new();
    for system in items(&get(String::new()).await) {
        let id = system["id"].as_str().expect("an id");
        let types = get(format!("/{id}/types")).await;
        for (name, count) in types.as_object().expect("a count by name") {
            for index in 1..=count.as_u64().expect("a count") {
                let connected = format!("/{id}/{name}_{index}/connected");
                let runs = async { while get(connected.clone()).await != true {} };
                within(DEADLINE, || connected.clone(), runs).await;
            }
        }
        if types.get("Bookings").is_some() {
            let meetings = get(format!("/{id}/Bookings_1/bookings")).await;
            assert!(items(&meetings).len() >= 8, "{id} has {meetings}");
            booked.push(id.to_owned());
        }
    }
    assert_eq!(booked, ["sys-board", "sys-huddle", "sys-training"]);
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

#[tokio::test]
async fn the_websocket_line_binds_and_prints_the_values_as_they_come() {
    let Printed {
        gateway, websocket, ..
    } = start().await;
    let folder = Folder::new();

    let mut process = paste(&websocket, &folder);

    let success = next_frame(&mut process).await;
    assert_eq!(success["type"], "success", "{success}");
    let mut values: Vec<Value> = Vec::new();
    while values.len() < 3 {
        let frame = next_frame(&mut process).await;
        assert_eq!(frame["type"], "notify", "{frame}");
        assert_eq!(frame["meta"], success["meta"]);
        values.push(frame["value"].clone());
    }
    values.dedup();
    assert!(values.len() > 1, "it does not move: {values:?}");
    process.kill().await;
    drop(gateway);
}

async fn next_frame(process: &mut Process) -> Value {
    let line = process.next_line(Stream::Out, MOVES_WITHIN).await;
    let line = line.expect("it goes on printing");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
}

#[tokio::test]
async fn nothing_but_the_announcement_goes_to_stdout_and_logs_go_to_stderr() {
    let Printed { mut gateway, .. } = start().await;
    gateway.door().refused().await;
    assert!(gateway.terminate().await.success());
    let said = gateway.process().said(Stream::Out);
    assert_eq!(said.len(), 5, "{said:?}");
    assert!(!gateway.log().is_empty());
}

#[tokio::test]
async fn every_start_of_the_demo_has_a_secret_of_its_own() {
    let (first, second) = (start().await, start().await);
    let secret = |printed: &Printed| {
        let key = printed.bind.split("demo.").nth(1).unwrap_or_default();
        key.chars().take(32).collect::<String>()
    };
    assert_ne!(secret(&first), secret(&second));
    let log = first.gateway.log().join("\n");
    assert!(
        !log.contains(&secret(&first)),
        "the secret is logged:\n{log}"
    );
}
