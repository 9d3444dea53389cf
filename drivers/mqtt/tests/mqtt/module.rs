//! A module of the driver under test.

use driver_mqtt::Mqtt;
use driver_sdk::serde_json::Value;
use driver_sdk::testkit::Module;
use driver_sdk::{Error, JsonText, LogLevel, Status};
use test_support::{DEADLINE, within};
use tokio::time::{Duration, sleep};

/// A module whose broker is at this address.
pub(crate) async fn start(uri: &str, settings: Value) -> Module {
    let starting = Module::of(&Mqtt::DEFINITION).uri(uri).start(settings);
    starting.await.expect("the settings fit")
}

pub(crate) fn named(name: &str) -> Status<JsonText> {
    Status::named(name).expect("it is a name")
}

/// Waits until a status has a value, which is this text of JSON.
pub(crate) async fn wait(module: &Module, name: &str, json: &str) {
    let value = JsonText::parse(json).expect("it is JSON");
    module.wait(&named(name), &value).await;
}

/// The text of a status.
pub(crate) fn status(module: &Module, name: &str) -> Option<String> {
    module.status(&named(name)).map(|value| value.to_string())
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
    wait_lines(module, text, 1).await;
}

/// Waits for so many lines of the log that have this text in them.
pub(crate) async fn wait_lines(module: &Module, text: &str, count: usize) {
    let said = || {
        let lines = module.lines().into_iter();
        lines.filter(|line| line.message.contains(text)).count()
    };
    let waiting = async {
        while said() < count {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let what = || format!("{text:?} in the log, which is {:?}", module.lines());
    within(DEADLINE, what, waiting).await;
}
