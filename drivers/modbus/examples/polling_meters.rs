//! What fifty modules cost that poll a meter once a second: the processor time of this process.
//!
//! It is a program because the meter must be another process: `tests/clients/pymodbus/server.py` serves one.
//! It measures the driver and its transport, without the gateway around them.
//!
//! ```sh
//! (cd tests/clients/pymodbus && sleep infinity | .venv/bin/python server.py 5020) &
//! cargo run --release -p driver-modbus --example polling_meters 5020
//! ```
#![expect(
    clippy::print_stdout,
    reason = "a measurement says what it has measured"
)]

use std::fs;
use std::time::Duration;

use driver_modbus::Modbus;
use driver_sdk::serde_json::json;
use driver_sdk::testkit::Module;
use tokio::time::{Instant, sleep};

const MODULES: u32 = 50;

const MEASURED: Duration = Duration::from_secs(20);

/// How many ticks of processor time Linux counts in a second, on every machine that we know of.
const TICKS_PER_SECOND: f64 = 100.0;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port = std::env::args().nth(1);
    let port = port.expect("the port of a Modbus server is the argument");
    let uri = format!("tcp://127.0.0.1:{port}");
    let settings = json!({"poll_seconds": 1, "registers": {
        "voltage": {"holding": 100, "scale": 0.1},
        "current": {"holding": 101, "type": "i16", "scale": 0.01},
        "energy": {"holding": 102, "type": "u32"},
        "power": {"holding": 104, "type": "f32"},
        "power_swapped": {"holding": 110, "type": "f32", "order": "cdab"},
        "alarm": {"holding": 120, "bit": 3},
        "outside": {"input": 10, "type": "i16", "scale": 0.1},
        "setpoint": {"holding": 20, "type": "i16", "scale": 0.1},
        "pump": {"coil": 3},
        "door": {"discrete": 4},
    }});
    let mut modules = Vec::new();
    for _ in 0..MODULES {
        let module = Module::of(&Modbus::DEFINITION).uri(&uri).start(&settings);
        modules.push(module.await.expect("the settings fit"));
    }
    for module in &modules {
        module.wait_connected(true).await;
    }
    let (ticks, began) = (ticks(), Instant::now());
    sleep(MEASURED).await;
    let used = (self::ticks() - ticks) / TICKS_PER_SECOND;
    let share = 100.0 * used / began.elapsed().as_secs_f64();
    println!("{MODULES} modules, 7 requests a second each: {share:.1} % of one core");
}

/// The processor time that this process has used so far, in ticks: the 14th and 15th field of its line, the 12th and 13th behind its name.
fn ticks() -> f64 {
    let line = fs::read_to_string("/proc/self/stat").expect("Linux tells it");
    let (_, fields) = line.rsplit_once(')').expect("the name is in parentheses");
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .map(|field| field.parse::<f64>().expect("it is a number"))
        .sum()
}
