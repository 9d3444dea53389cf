//! A module of the driver under test.

use driver_modbus::Modbus;
use driver_sdk::serde_json::Value;
use driver_sdk::testkit::Module;

/// A module whose device is at this port.
pub(crate) async fn start(port: u16, settings: Value) -> Module {
    let uri = format!("tcp://127.0.0.1:{port}");
    let starting = Module::of(&Modbus::DEFINITION).uri(&uri).start(settings);
    starting.await.expect("the settings fit")
}
