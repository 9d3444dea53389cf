//! Programs of other makes: `requests` and `websocket-client`, and Platypush's own classes that read messages.

use serde_json::{Value, json};

use super::door::{ADMIN, BUILDING};
use crate::harness::{DEADLINE, Gateway, Program, python_client};

/// The process.
#[derive(Debug)]
struct Library(Program);

impl Library {
    fn start(gateway: &Gateway) -> Self {
        let mut command = python_client("platypush", "client.py");
        command.arg(gateway.url()).arg(ADMIN);
        Self(Program::start("the library", command))
    }

    async fn ask(&mut self, command: Value) -> Value {
        let shown = command.to_string();
        let mark = self.0.tell(command).await;
        let outcome = self.0.outcome_of(mark, DEADLINE).await;
        outcome.unwrap_or_else(|error| panic!("{shown} raised {error}"))
    }
}

/// Case 43: what is sent is read by Platypush's own classes.
#[tokio::test]
async fn platypushs_own_classes_read_responses_and_events() {
    let gateway = Gateway::start(BUILDING).await;
    let mut library = Library::start(&gateway);
    let request = json!({"type": "request", "action": "lobby.lights.set", "args": ["scene", 1]});
    let executed = library
        .ask(json!({"cmd": "execute", "message": request}))
        .await;
    assert_eq!(executed["class"], "Response");
    let asked = library
        .ask(json!({"cmd": "request", "message": request}))
        .await;
    assert_eq!(asked["class"], "Response");
    let event = json!({"type": "event", "args": {"type": "platypush.message.event.custom.CustomEvent", "subtype": "foo", "args": {"bar": "baz"}}});
    let heard = library
        .ask(json!({"cmd": "publish", "message": event}))
        .await;
    assert_eq!(heard["class"], "CustomEvent");
    assert_eq!(heard["args"]["args"], json!({"bar": "baz"}));
}
