//! A module of the driver under test.

use driver_mqtt::Mqtt;
use driver_sdk::serde_json::Value;
use driver_sdk::testkit::Module;

/// A module whose broker is at this address.
pub(crate) async fn start(uri: &str, settings: Value) -> Module {
    let starting = Module::of(&Mqtt::DEFINITION).uri(uri).start(settings);
    starting.await.expect("the settings fit")
}
