//! Drivers that are processes, through the real binary: what clients see of them, and what is left of them when something ends.

use std::path::Path;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::{DEADLINE, Gateway, Key, Place, Plan, TestClient, display};

/// A building with a module `Display` that is the driver of these tests, and `Lamp`, which is linked in.
const BUILDING: &str = r#"
systems:
  - {id: sys-1, name: Room, modules: [mod-p, mod-l]}
modules:
  - {id: mod-p, driver: {command: [python3, -S, driver.py], env: {GREETING: "hello"}}, name: Display}
  - {id: mod-l, driver: virtual, name: Lamp}
users:
  - {id: user-eve, email: eve@example.test, level: admin}
api_keys:
  - {id: user, secret: secret-u, user: user-eve, level: user}
  - {id: admin, secret: secret-a, user: user-eve, level: admin}
"#;

/// A driver without any library.
const DRIVER: &str = r#"
import json, os, signal, subprocess, sys, time

def say(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()

def status(name, value):
    say(method="status", params={"name": name, "value": value})

def call(function, arguments):
    if function == "echo":
        return arguments[0]
    if function == "log":
        print(arguments[0], file=sys.stderr)
    if function == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if function == "hang":
        os.kill(os.getpid(), signal.SIGSTOP)
    if function == "set":
        status(*arguments)
    if function == "flood":
        for n in range(arguments[0]):
            status("n", n)

names = ["echo", "log", "die", "hang", "set", "flood"]
parameters = [{"name": "arguments", "schema": {}, "default": None}]
interface = {"functions": {name: {"parameters": parameters} for name in names}, "statuses": {"power": {"schema": {"type": "boolean"}}}}
status("greeting", os.environ["GREETING"])
status("process", os.getpid())
status("grandchild", subprocess.Popen(["sleep", "1000"]).pid)
for line in sys.stdin:
    message = json.loads(line)
    result, params = None, message["params"]
    if message["method"] == "start":
        result = {"interface": interface}
    elif message["method"] == "call":
        result = {"value": call(params["function"], params["arguments"])}
    say(id=message["id"], result=result)
"#;

fn plan() -> Plan {
    Plan::serve(BUILDING)
        .file("driver.py", DRIVER)
        .variable("PATH", "/usr/local/bin:/usr/bin:/bin")
}

/// A gateway whose process is ready, and a client.
async fn start() -> (Gateway, TestClient) {
    let gateway = plan().start().await;
    let mut client = gateway.connect(Key::USER).await;
    client.until_answered(display("echo")).await;
    (gateway, client)
}

fn lamp(name: &str) -> Place<'_> {
    display(name).of("Lamp")
}

#[tokio::test]
async fn a_client_calls_a_process_and_follows_its_statuses_and_its_log() {
    let (gateway, mut client) = start().await;
    let value = client.call(display("echo"), json!([{"a": 1}])).await;
    assert_eq!(value, json!({"a": 1}));
    let mut screen = gateway.connect(Key::USER).await;
    let greeting = display("greeting");
    screen.bind_with_value(greeting, 2, "hello").await;
    screen.bind_with_value(display("connected"), 3, true).await;
    client
        .call(display("set"), json!(["greeting", "bye"]))
        .await;
    screen.expect(greeting.notify(2, "bye")).await;
    let mut support = gateway.connect(Key::ADMIN).await;
    support.send(display("debug").debug(4)).await;
    support.expect(display("debug").debugging(4, "mod-p")).await;

    client.call(display("log"), json!(["lamp hot"])).await;

    let line = support.next().await;
    assert_eq!(
        (&line["level"], &line["msg"], &line["klass"]),
        (
            &json!("info"),
            &json!("lamp hot"),
            &json!("process: python3 -S driver.py")
        )
    );
    let shown = gateway
        .request("GET", "/api/engine/v2/modules/mod-p")
        .header("x-api-key", &Key::ADMIN.to_string())
        .send()
        .await;
    let shown: Value = serde_json::from_str(&shown.body).unwrap();
    assert_eq!(shown["driver_id"], "process: python3 -S driver.py");
    assert_eq!(shown["running"], true);
}

#[tokio::test]
async fn a_process_that_is_killed_takes_what_it_started_with_it_and_comes_back() {
    let (gateway, mut client) = start().await;
    let before = numbers(&gateway).await;
    client.send(display("die").exec(7, json!([]))).await;
    let message = client.expect_error(7, 7).await;
    assert!(
        message.contains("whether the call had its effect is not known"),
        "{message}"
    );

    client.until_answered(display("echo")).await;

    gone(&before).await;
    let after = numbers(&gateway).await;
    assert_ne!(before, after);
    gateway.logged("it was ended by the signal 9").await;
}

#[tokio::test]
async fn a_process_that_hangs_is_ended_after_twenty_seconds_and_comes_back() {
    let (mut gateway, mut client) = start().await;
    let before = numbers(&gateway).await;
    client.send(display("hang").exec(7, json!([]))).await;
    let hang = "it answered nothing for 20s";
    gateway.process().logged(hang, 2 * DEADLINE).await;
    gone(&before).await;
    let mut another = gateway.connect(Key::USER).await;
    another.until_answered(display("echo")).await;
}

#[tokio::test]
async fn a_process_that_floods_its_statuses_leaves_others_alone() {
    let (gateway, mut client) = start().await;
    let mut other = gateway.connect(Key::USER).await;
    client
        .send(display("flood").exec(7, json!([100_000])))
        .await;
    // While it floods the linked-in module answers each call.
    for round in 0..100 {
        assert_eq!(other.call(lamp("echo"), json!([round])).await, json!(round));
    }
    client.expect(display("flood").result(7, Value::Null)).await;
    other.bind_with_value(display("n"), 8, 99_999).await;
}

#[tokio::test]
async fn nothing_of_a_process_outlives_a_gateway_that_is_killed() {
    let (mut gateway, _client) = start().await;
    let processes = numbers(&gateway).await;
    gateway.process().kill().await;
    gone(&processes).await;
}

#[tokio::test]
async fn nothing_of_a_process_outlives_a_gateway_that_stops() {
    let (mut gateway, _client) = start().await;
    let processes = numbers(&gateway).await;
    gateway.signal("TERM").await;
    let status = gateway.process().ended(DEADLINE).await;
    assert_eq!(status.code(), Some(0));
    gone(&processes).await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said_in_the_log_and_to_callers() {
    let building = BUILDING.replace("[python3, -S, driver.py]", "[no-such-python]");
    let gateway = Plan::serve(&building).start().await;
    gateway
        .logged("there is no program \"no-such-python\" in PATH")
        .await;
    let mut client = gateway.connect(Key::ADMIN).await;
    client.send(display("echo").exec(1, json!([1]))).await;
    let message = client.expect_error(1, 7).await;
    assert!(
        message.contains("there is no program \"no-such-python\" in PATH"),
        "{message}"
    );
    client.bind_with_value(display("connected"), 2, false).await;
    assert_eq!(client.call(lamp("echo"), json!([1])).await, json!(1));
}

#[tokio::test]
async fn a_driver_of_ours_behaves_alike_linked_in_and_as_a_process() {
    let command = as_process("virtual");
    let building = BUILDING.replace("[python3, -S, driver.py]", &command);
    let gateway = Plan::serve(&building).start().await;
    let mut client = gateway.connect(Key::ADMIN).await;
    client.until_answered(display("echo")).await;
    for (function, arguments) in [
        ("echo", json!([{"b": 1.0, "a": [null, "é\n"]}])),
        ("echo", json!([])),
        ("echo", json!([1, 2])),
        ("set", json!(["scene", "lecture"])),
        ("get", json!({"name": "scene"})),
        ("increment", json!(["visits", 41])),
        ("increment", json!(["visits"])),
        ("increment", json!(["scene"])),
        ("burst", json!(["n", 1_000])),
        ("get", json!(["n"])),
        ("sleep", json!([-1])),
        ("fail", json!(["out of paper"])),
        ("support_only", json!([1, 2, 3])),
        ("nothing", json!([])),
        ("remove", json!(["scene"])),
        ("get", json!(["scene"])),
    ] {
        let mut answers = Vec::new();
        for place in [display(function), lamp(function)] {
            client.send(place.exec(5, arguments.clone())).await;
            let mut answer = client.next().await;
            answer["meta"] = Value::Null;
            answers.push(answer);
        }
        assert_eq!(answers[0], answers[1], "{function}{arguments}");
    }
    client.send(display("crash").exec(6, json!([]))).await;
    let message = client.expect_error(6, 3).await;
    assert!(
        message.contains("the driver crashed and is being restarted"),
        "{message}"
    );
    client.until_answered(display("echo")).await;
}

/// A room whose logic is a process.
const ROOM: &str = r"
systems:
  - {id: sys-1, name: Board Room, modules: [mod-display, mod-presence, mod-room]}
  - {id: sys-2, name: Store, modules: [mod-spare]}
modules:
  - {id: mod-display, driver: demo_display, settings: {warm_up_seconds: 0}}
  - {id: mod-spare, driver: demo_display, settings: {warm_up_seconds: 0}}
  - {id: mod-presence, driver: virtual, name: Presence}
  - id: mod-room
    driver: {command: COMMAND}
    name: Room
    settings: {presence: [Presence_1/presence], off_after_seconds: 0.1}
users: [{id: user-eve, email: eve@example.test, level: admin}]
api_keys: [{id: admin, secret: secret-a, user: user-eve, level: admin}]
";

#[tokio::test]
async fn the_logic_of_a_room_switches_it_as_a_process_too_also_after_its_display_was_replaced() {
    let building = ROOM.replace("COMMAND", &as_process("room_logic"));
    let gateway = Plan::serve(&building).start().await;
    let mut client = gateway.connect(Key::ADMIN).await;
    let (display_power, room_power) = (display("power"), display("power").of("Room"));
    client.bind_with_value(room_power, 1, false).await;
    client.bind_with_value(display_power, 2, false).await;
    client.bind_with_value(display("volume"), 3, 20).await;
    let mut other = gateway.connect(Key::ADMIN).await;
    let spare = display("volume").within("sys-2");
    other.call(spare, json!([77])).await;

    // By what it follows.
    let presence = display("set").of("Presence");
    other.call(presence, json!(["presence", true])).await;
    client.expect(display_power.notify(2, true)).await;
    client.expect(room_power.notify(1, true)).await;
    other.call(presence, json!(["presence", false])).await;
    client.expect(display_power.notify(2, false)).await;
    client.expect(room_power.notify(1, false)).await;

    // Another display in the place, of which the process is told.
    gateway.replace_building(&building.replace("[mod-display, mod-p", "[mod-spare, mod-p"));
    client.expect(display("volume").notify(3, 77)).await;
    other.call(display_power, json!([true])).await;
    client.expect(display_power.notify(2, true)).await;
    client.expect(room_power.notify(1, true)).await;
    assert_eq!(other.call(room_power, json!([false])).await, Value::Null);
    client.expect(display_power.notify(2, false)).await;
    client.expect(room_power.notify(1, false)).await;
}

/// A driver without any library whose function `pass` calls `pass` of the module that its settings name, and answers what that answers.
const CALLER: &str = r#"
import json, sys

def say(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()

to = None
for line in sys.stdin:
    message = json.loads(line)
    method, params = message.get("method"), message.get("params")
    if method is None:
        # The request had the id of the call that it was made for.
        say(id=message["id"], **{part: message[part] for part in ("result", "error") if part in message})
    elif method == "call":
        params = {"module": {"name": to}, "function": "pass", "arguments": [], "call": message["id"]}
        say(id=message["id"], method="call_module", params=params)
    elif method == "start":
        to = params["settings"]["to"]
        say(id=message["id"], result={"interface": {"functions": {"pass": {}}}})
    else:
        say(id=message["id"], result=None)
"#;

#[tokio::test]
async fn a_call_that_goes_in_a_circle_through_processes_is_refused() {
    let building = r"
systems:
  - {id: sys-1, name: Room, modules: [mod-a, mod-b]}
modules:
  - {id: mod-a, driver: {command: [python3, -S, caller.py]}, name: Display, settings: {to: Lamp}}
  - {id: mod-b, driver: {command: [python3, -S, caller.py]}, name: Lamp, settings: {to: Display}}
users: [{id: user-eve, email: eve@example.test, level: admin}]
api_keys: [{id: admin, secret: secret-a, user: user-eve, level: admin}]
";
    let plan = Plan::serve(building).file("caller.py", CALLER);
    let gateway = plan
        .variable("PATH", "/usr/local/bin:/usr/bin:/bin")
        .start()
        .await;
    let mut client = gateway.connect(Key::ADMIN).await;
    let circle =
        "the call goes in a circle: mod-a.pass -> mod-b.pass -> mod-a.pass; the call did not run";
    let deadline = Instant::now() + DEADLINE;
    loop {
        client.send(display("pass").exec(7, json!([]))).await;
        let answer = client.next().await.to_string();
        if answer.contains(circle) {
            break;
        }
        // One of the two does not run yet.
        assert!(Instant::now() < deadline, "{answer}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn no_program_comes_over_the_network_unless_the_operator_allows_it() {
    let apply = async |gateway: &Gateway, building: &str| {
        let put = gateway
            .request("PUT", "/api/engine/v2/building")
            .header("x-api-key", &Key::ADMIN.to_string())
            .header("content-type", "application/yaml");
        put.body(building).send().await
    };
    let other = BUILDING.replace("[python3, -S, driver.py]", "[sh, -c, touch pwned]");
    let gateway = plan().start().await;
    assert_eq!(
        apply(&gateway, BUILDING).await.status,
        200,
        "what runs already"
    );
    let refused = apply(&gateway, &other).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("names a program to run"),
        "{}",
        refused.body
    );
    for (change, status, said) in [
        (
            json!({"driver_id": "sh -c 'touch pwned'"}),
            422,
            "driver_id",
        ),
        (json!({"driver_id": {"command": ["sh"]}}), 422, "driver_id"),
        (json!({"custom_name": null}), 422, "custom_name"),
        (
            json!({"driver_id": "process: python3 -S driver.py", "notes": "n"}),
            200,
            "\"notes\":\"n\"",
        ),
        (
            json!({"driver_id": "virtual"}),
            200,
            "\"driver_id\":\"virtual\"",
        ),
    ] {
        let patch = gateway
            .request("PATCH", "/api/engine/v2/modules/mod-p")
            .header("x-api-key", &Key::ADMIN.to_string())
            .header("content-type", "application/json");
        let answer = patch.body(&change.to_string()).send().await;
        assert_eq!(answer.status, status, "{change}: {}", answer.body);
        assert!(answer.body.contains(said), "{change}: {}", answer.body);
    }
    assert!(!gateway.folder().join("pwned").exists());

    let trusting = plan().variable("RISER_PROCESSES__REMOTE", "true");
    let gateway = trusting.start().await;
    assert_eq!(apply(&gateway, &other).await.status, 200);
}

#[tokio::test]
async fn a_process_is_among_the_drivers_while_a_module_has_it() {
    let gateway = plan().start().await;
    let get = async |path: &str| {
        let path = format!("/api/engine/v2{path}");
        let get = gateway.request("GET", &path);
        let answer = get
            .header("x-api-key", &Key::ADMIN.to_string())
            .send()
            .await;
        (answer.status, answer.body)
    };
    let (status, all) = get("/drivers").await;
    assert_eq!(status, 200);
    assert!(
        all.contains(r#""id":"process: python3 -S driver.py""#),
        "{all}"
    );
    assert!(!all.contains("hello"), "a variable is shown: {all}");
    let (status, one) = get("/drivers/process:%20python3%20-S%20driver.py").await;
    assert_eq!(status, 200, "{one}");
}

/// The command that runs a driver of ours as a process.
fn as_process(driver: &str) -> String {
    let riser = Path::new(env!("CARGO_BIN_EXE_riser"));
    let program = riser.with_file_name("examples").join("driver_process");
    assert!(
        program.exists(),
        "cargo build -p driver-registry --example driver_process makes it"
    );
    format!("[{}, {driver}]", json!(program))
}

/// The ids of the process and of what it started.
async fn numbers(gateway: &Gateway) -> Vec<u64> {
    let mut client = gateway.connect(Key::USER).await;
    let mut numbers = Vec::new();
    for (id, status) in [(1, "process"), (2, "grandchild")] {
        client.send(display(status).bind(id)).await;
        client.expect(display(status).success(id)).await;
        let notify = client.next().await;
        numbers.push(notify["value"].as_u64().expect("a number"));
    }
    numbers
}

/// Waits until these processes are gone. A zombie is: some containers have nobody who waits for those without a parent.
async fn gone(processes: &[u64]) {
    let runs = |id: &u64| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map_or("", |(_, state)| state);
        !state.is_empty() && !state.starts_with('Z')
    };
    let deadline = Instant::now() + DEADLINE;
    while processes.iter().any(runs) {
        assert!(Instant::now() < deadline, "{processes:?} run on");
        tokio::task::yield_now().await;
    }
}
