//! What a building does by itself, in the real binary.

mod alert;
mod bus;
mod kills;
mod recipes;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::harness::{DEADLINE, Gateway, Key};

const ADMIN: Key = Key("admin.secret-a");

/// Somebody who may do everything, to be put behind a building without people.
const PEOPLE: &str = r"
users:
  - {id: user-eve, email: eve@example.test, name: Eve, level: admin}
api_keys:
  - {id: admin, secret: secret-a, user: user-eve, level: admin}
";

fn path(rest: &str) -> String {
    format!("/api/engine/v2/systems/{rest}")
}

/// Calls a function such as `sys-1/Lamp_1/set`; whether that succeeded.
async fn try_call(gateway: &Gateway, function: &str, arguments: Value) -> bool {
    let request = gateway.request("POST", &path(function)).key(ADMIN);
    request.json(arguments).try_send().await == Some(200)
}

async fn call(gateway: &Gateway, function: &str, arguments: Value) -> Value {
    let request = gateway.request("POST", &path(function)).key(ADMIN);
    request.json(arguments).ok().await
}

/// A status such as `sys-1/Lamp_1/on`.
async fn status(gateway: &Gateway, status: &str) -> Value {
    let request = gateway.request("GET", &path(status)).key(ADMIN);
    request.send().await.json()
}

/// Waits until a status is as asked for.
async fn until(gateway: &Gateway, name: &str, is: impl Fn(&Value) -> bool) -> Value {
    let patience = Instant::now() + DEADLINE;
    loop {
        let value = status(gateway, name).await;
        if is(&value) {
            return value;
        }
        assert!(Instant::now() < patience, "{name} is {value}");
        sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Waits until a trigger of a system is watched.
async fn until_watched(gateway: &Gateway, system: &str, trigger: &str) {
    let name = format!("{system}/_TRIGGER__1/{trigger}");
    until(gateway, &name, |state| state.is_object()).await;
}
