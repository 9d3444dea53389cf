//! A module of the driver under test.

use driver_modbus::Modbus;
use driver_sdk::serde_json::Value;
use driver_sdk::testkit::Module;
use driver_sdk::{Error, LogLevel, Status};
use test_support::{DEADLINE, within};
use tokio::time::{Duration, sleep};

/// A module whose device is at this port.
pub(crate) async fn start(port: u16, settings: Value) -> Module {
    let uri = format!("tcp://127.0.0.1:{port}");
    let starting = Module::of(&Modbus::DEFINITION).uri(&uri).start(settings);
    starting.await.expect("the settings fit")
}

pub(crate) fn named(name: &str) -> Status<Value> {
    Status::named(name).expect("it is a name")
}

/// Waits until a status has a value; `null` for none.
pub(crate) async fn wait(module: &Module, name: &str, value: Value) {
    module.wait(&named(name), &value).await;
}

pub(crate) async fn set(module: &Module, name: &str, value: Value) -> Result<(), Error> {
    module.call("set", (name, value)).await.map(drop)
}

pub(crate) fn warnings(module: &Module) -> Vec<String> {
    let lines = module.lines().into_iter();
    let warnings = lines.filter(|line| line.level == LogLevel::Warn);
    warnings.map(|line| line.message).collect()
}

/// Waits for a line of the log that has this text in it.
pub(crate) async fn wait_line(module: &Module, text: &str) {
    let said = || {
        let mut lines = module.lines().into_iter();
        lines.any(|line| line.message.contains(text))
    };
    let waiting = async {
        while !said() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let what = || format!("{text:?} in the log, which is {:?}", module.lines());
    within(DEADLINE, what, waiting).await;
}
