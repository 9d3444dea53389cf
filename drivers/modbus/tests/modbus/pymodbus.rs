//! Beside a server of pymodbus, and a client of it that reads and writes the same registers.

use std::path::Path;

use driver_sdk::serde_json::{Value, json};
use driver_sdk::testkit::Module;
use test_support::{DEADLINE, Process, Stream, free_port, python_client, within};

use crate::module;

struct Server {
    port: u16,
    process: Process,
}

impl Server {
    async fn start(port: u16, first: u16) -> Self {
        let mut command = python_client("pymodbus", "server.py");
        command.args([port.to_string(), first.to_string()]);
        let mut process = Process::start("the pymodbus server", command, Path::new("."));
        let ready = process.next_line(Stream::Out, DEADLINE).await;
        assert_eq!(ready.as_deref(), Some("ready"));
        Self { port, process }
    }

    /// What it is asked next.
    async fn next_asked(&mut self) -> String {
        let line = self.process.next_line(Stream::Out, DEADLINE).await;
        line.expect("the server runs")
    }

    /// What it was asked before this.
    async fn asked_before(&mut self, last: &str) -> Vec<String> {
        let asking = async {
            let mut asked = Vec::new();
            loop {
                match self.next_asked().await {
                    line if line == last => return asked,
                    line => asked.push(line),
                }
            }
        };
        within(
            DEADLINE,
            || format!("the server to be asked: {last}"),
            asking,
        )
        .await
    }

    async fn stop(mut self) {
        self.process.say_no_more();
        self.process.signal("KILL").await;
        self.process.ended(DEADLINE).await;
    }

    /// What a foreign client prints.
    async fn client(&self, words: &str) -> String {
        let mut command = python_client("pymodbus", "client.py");
        command.arg(self.port.to_string()).args(words.split(' '));
        let mut client = Process::start("a pymodbus client", command, Path::new("."));
        let said = client.next_line(Stream::Out, DEADLINE).await;
        client.ended(DEADLINE).await;
        said.unwrap_or_default()
    }
}

/// The registers of the meter in the grammar's example.
fn registers() -> Value {
    json!({
        "voltage": {"holding": 100, "scale": 0.1},
        "current": {"holding": 101, "type": "i16", "scale": 0.01},
        "energy": {"holding": 102, "type": "u32"},
        "power": {"holding": 104, "type": "f32"},
        "power_swapped": {"holding": 110, "type": "f32", "order": "cdab"},
        "alarm": {"holding": 120, "bit": 3, "write": true},
        "outside": {"input": 10, "type": "i16", "scale": 0.1},
        "setpoint": {"holding": 20, "type": "i16", "scale": 0.1, "write": true},
        "pump": {"coil": 3, "write": true},
        "door": {"discrete": 4},
        "broken": {"holding": 900},
    })
}

async fn meter(first: u16) -> (Server, Module) {
    let server = Server::start(free_port(), first).await;
    let settings = json!({"unit": 1, "poll_seconds": 0.1, "registers": registers()});
    let module = module::start(server.port, settings).await;
    module.wait_connected(true).await;
    (server, module)
}

#[tokio::test]
async fn every_kind_of_register_is_a_status_with_the_value_of_the_device() {
    let (_server, module) = meter(2305).await;
    for (name, value) in [
        ("voltage", json!(230.5)),
        ("current", json!(-1.23)),
        ("energy", json!(4_000_000_000_u32)),
        ("power", json!(1234.5)),
        ("power_swapped", json!(1234.5)),
        ("alarm", json!(true)),
        ("outside", json!(-5.0)),
        ("setpoint", json!(21.5)),
        ("pump", json!(false)),
        ("door", json!(true)),
    ] {
        assert_eq!(module.json(name), Some(value.to_string()), "{name}");
    }
    assert_eq!(module.json("broken"), None);
}

#[tokio::test]
async fn neighbours_are_read_in_one_request_and_nothing_else_is_read() {
    let (mut server, _module) = meter(2305).await;
    for expect in [
        "read coil 3 1",
        "read discrete 4 1",
        "read input 10 1",
        "read holding 20 1",
        "read holding 100 6",
        "read holding 110 2",
        "read holding 120 1",
        "read holding 900 1",
    ] {
        assert_eq!(server.next_asked().await, expect);
    }
}

#[tokio::test]
async fn an_address_that_the_device_refuses_leaves_its_neighbours_alone_and_is_said_once() {
    let mut server = Server::start(free_port(), 2305).await;
    let settings = json!({"poll_seconds": 0.05, "registers": {
        "voltage": {"holding": 100},
        "power": {"holding": 104, "type": "f32"},
        "energy": {"holding": 102, "type": "u32"},
        "current": {"holding": 101},
        "missing": {"holding": 106, "type": "u32"},
    }});
    let module = module::start(server.port, settings).await;
    module.wait_json("power", "1234.5").await;
    module.wait_json("energy", "4000000000").await;
    module.wait_json("voltage", "2305").await;
    let refused = "the device does not give 'missing': it has no such address (exception 2)";
    module.wait_line(refused).await;
    // A change is seen by a later poll, which is not refused as a whole any more.
    server.client("write 100 2290").await;
    module.wait_json("voltage", "2290").await;
    assert_eq!(module.warnings(), [refused]);
    assert_eq!(module.json("missing"), None);
    let asked = server.asked_before("write holding 100").await;
    let whole = asked
        .iter()
        .filter(|it| *it == "read holding 100 8")
        .count();
    assert_eq!(whole, 1, "the refused block is asked for once");
}

#[tokio::test]
async fn set_answers_when_the_device_has_the_value_and_the_status_shows_it() {
    let (server, module) = meter(2305).await;
    module.call("set", ("setpoint", 19.5)).await.unwrap();
    assert_eq!(module.json("setpoint").as_deref(), Some("19.5"));
    assert_eq!(server.client("read holding 20 1").await, "195");
    module.call("set", ("pump", true)).await.unwrap();
    assert_eq!(module.json("pump").as_deref(), Some("true"));
    assert_eq!(server.client("read coil 3 1").await, "1");
    module.call("set", ("alarm", false)).await.unwrap();
    assert_eq!(module.json("alarm").as_deref(), Some("false"));
    assert_eq!(server.client("read holding 120 1").await, "0");
}

#[tokio::test]
async fn what_a_foreign_client_writes_is_seen() {
    let (server, module) = meter(2305).await;
    server.client("write 20 -0").await;
    module.wait_json("setpoint", "0.0").await;
    server.client("write 20 230").await;
    module.wait_json("setpoint", "23.0").await;
}

#[tokio::test]
async fn every_type_and_order_is_written_as_it_is_read() {
    let server = Server::start(free_port(), 2305).await;
    let settings = json!({"poll_seconds": 60, "registers": {
        "double": {"holding": 30, "type": "f64", "write": true},
        "long": {"holding": 40, "type": "i64", "write": true},
        "counter": {"holding": 60, "type": "u32", "order": "badc", "write": true},
    }});
    let module = module::start(server.port, settings).await;
    module.wait_json("double", "50.02").await;
    module.wait_json("long", "-5").await;
    module.wait_json("counter", "1792").await;
    for (name, value) in [
        ("double", json!(-0.125)),
        ("long", json!(i64::MIN)),
        ("counter", json!(0x0102_0304)),
    ] {
        module.call("set", (name, value.clone())).await.unwrap();
        assert_eq!(module.json(name), Some(value.to_string()), "{name}");
    }
    assert_eq!(server.client("read holding 60 2").await, "513 1027");
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_with_the_reason_and_nothing_is_sent() {
    let (mut server, module) = meter(2305).await;
    for (name, value, expect, code) in [
        ("nothing", json!(1), "there is no register 'nothing'", 404),
        (
            "voltage",
            json!(1),
            "'voltage' is only read; `write: true` in its settings lets it be written",
            400,
        ),
        (
            "setpoint",
            json!(4000),
            "'setpoint' takes a number from -3276.8 to 3276.7",
            400,
        ),
        ("setpoint", json!("20"), "'setpoint' takes a number", 400),
        ("setpoint", json!(null), "'setpoint' takes a number", 400),
        ("pump", json!(1), "'pump' takes true or false", 400),
    ] {
        let error = module.call("set", (name, value)).await.unwrap_err();
        assert_eq!((error.message(), error.code()), (expect, code));
    }
    module.call("set", ("pump", true)).await.unwrap();
    let asked = server.asked_before("write coil 3").await;
    let writes = asked.iter().filter(|it| it.starts_with("write")).count();
    assert_eq!(writes, 0);
}

#[tokio::test]
async fn not_a_number_is_null_and_so_is_what_the_settings_say_is_unavailable() {
    let server = Server::start(free_port(), 2305).await;
    let settings = json!({"registers": {
        "missing": {"holding": 50, "unavailable": 0xFFFF},
        "full": {"holding": 50},
        "nan": {"holding": 52, "type": "f32"},
    }});
    let module = module::start(server.port, settings).await;
    module.wait_json("full", "65535").await;
    module.wait_connected(true).await;
    assert_eq!(module.json("missing"), None);
    assert_eq!(module.json("nan"), None);
    assert_eq!(module.warnings(), [""; 0]);
}

#[tokio::test]
async fn a_device_that_goes_and_comes_back_keeps_its_statuses_and_is_read_afresh() {
    let (server, module) = meter(2305).await;
    let port = server.port;
    server.stop().await;
    module.wait_connected(false).await;
    assert_eq!(module.json("voltage").as_deref(), Some("230.5"));
    let error = module.call("set", ("pump", true)).await.unwrap_err();
    assert!(
        error.message().starts_with("the device is not connected: "),
        "{error}"
    );
    let _server = Server::start(port, 2290).await;
    module.wait_connected(true).await;
    assert_eq!(module.json("voltage").as_deref(), Some("229.0"));
}

#[tokio::test]
async fn the_unit_is_the_one_of_the_settings() {
    let server = Server::start(free_port(), 2305).await;
    let settings = json!({"unit": 2, "registers": {"first": {"holding": 100}}});
    let module = module::start(server.port, settings).await;
    module.wait_json("first", "1").await;
}
