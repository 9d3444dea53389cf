//! The building of these tests, and requests at Pushjet's door.

use serde_json::Value;

use crate::harness::{Gateway, Plan, Request, Response};

/// A service of the file, with the secret that it is made of.
pub(super) const BOILER_SECRET: &str = "B0ilerB0ilerB0ilerB0ilerB0iler12";

/// Two rooms, people of each level, and a service.
pub(super) const BUILDING: &str = r#"
systems:
  - {id: sys-1, name: Board Room, modules: [mod-1]}
modules:
  - {id: mod-1, driver: virtual, name: Display}
users:
  - {id: user-ann, email: ann@example.test, name: Ann, level: support, password: "correct horse"}
  - {id: user-bob, email: bob@example.test, name: Bob}
api_keys:
  - {id: admin, secret: secret-a, user: user-ann, level: support}
  - {id: user, secret: secret-u, user: user-bob, level: user}
  - {id: room, secret: secret-1, user: user-ann, level: support, systems: [sys-1]}
services:
  - {name: Boiler room, secret: B0ilerB0ilerB0ilerB0ilerB0iler12, icon: "https://example.test/boiler.png", systems: [sys-1]}
"#;

/// Devices, by ids that they have made up.
pub(super) const PHONE: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
pub(super) const TABLET: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// A gateway where anybody makes services.
pub(super) fn open_plan() -> Plan {
    Plan::serve(BUILDING).variable("RISER_PUSHJET__CREATE", "anyone")
}

/// The same without a bound on how fast a service sends.
pub(super) fn fast_plan() -> Plan {
    open_plan().variable("RISER_PUSHJET__MESSAGES_PER_SECOND", "0")
}

pub(super) async fn open_gateway() -> Gateway {
    open_plan().start().await
}

/// A request at the door.
pub(super) fn ask(gateway: &Gateway, method: &str, path: &str) -> Request {
    gateway.request(method, &format!("/pushjet{path}"))
}

/// Sends it and gives status, id of the error and its text.
pub(super) async fn refused(request: Request) -> (u16, i64, String) {
    let response = request.send().await;
    let error = &response.json()["error"];
    let id = error["id"].as_i64();
    let id = id.unwrap_or_else(|| panic!("no error: {}", response.body));
    let text = error["message"].as_str().unwrap_or_default().to_owned();
    (response.status, id, text)
}

/// A service that was made for a test.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) public: String,
    pub(super) secret: String,
}

impl Made {
    /// One of this name, made by whoever comes.
    pub(super) async fn new(gateway: &Gateway, name: &str) -> Self {
        let made = ask(gateway, "POST", "/service").form(&[("name", name)]);
        Self::of(&made.ok().await)
    }

    fn of(answer: &Value) -> Self {
        let text = |field: &str| {
            let text = answer["service"][field].as_str();
            text.unwrap_or_else(|| panic!("no {field} in {answer}"))
                .to_owned()
        };
        Self {
            public: text("public"),
            secret: text("secret"),
        }
    }

    /// Sends a message, and gives the answer.
    pub(super) async fn try_send(&self, gateway: &Gateway, text: &str) -> Response {
        let fields = [("secret", &*self.secret), ("message", text)];
        ask(gateway, "POST", "/message").form(&fields).send().await
    }

    pub(super) async fn send(&self, gateway: &Gateway, text: &str) {
        let response = self.try_send(gateway, text).await;
        assert_eq!(response.json(), serde_json::json!({"status": "ok"}));
    }

    pub(super) async fn subscribe(&self, gateway: &Gateway, device: &str) {
        let fields = [("uuid", device), ("service", &*self.public)];
        let answer = ask(gateway, "POST", "/subscription")
            .form(&fields)
            .ok()
            .await;
        assert_eq!(answer["service"]["public"], self.public);
    }

    pub(super) async fn unsubscribe(&self, gateway: &Gateway, device: &str) {
        let fields = [("uuid", device), ("service", &*self.public)];
        ask(gateway, "DELETE", "/subscription")
            .form(&fields)
            .ok()
            .await;
    }
}

/// What a device has not read, which is read by that: the texts.
pub(super) async fn read(gateway: &Gateway, device: &str) -> Vec<String> {
    let messages = messages(gateway, device).await;
    let text = |message: &Value| message["message"].as_str().expect("a text").to_owned();
    messages.iter().map(text).collect()
}

/// The same, whole.
pub(super) async fn messages(gateway: &Gateway, device: &str) -> Vec<Value> {
    let answer = ask(gateway, "GET", &format!("/message?uuid={device}"))
        .ok()
        .await;
    answer["messages"].as_array().expect("messages").clone()
}
