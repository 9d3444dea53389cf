//! `wscat`, by the commands of Platypush's documents.

use serde_json::{Value, json};

use super::door::{ADMIN, BUILDING};
use crate::harness::{DEADLINE, Folder, Gateway, Process, Stream, node_client};

/// What the program prints first when it sends this.
pub(super) async fn printed(gateway: &Gateway, path: &str, frame: &str) -> Value {
    let mut command = node_client("wscat", "node_modules/wscat/bin/wscat");
    let url = gateway.url().replacen("http", "ws", 1) + path;
    let bearer = format!("Authorization: Bearer {ADMIN}");
    command.args(["-H", &bearer, "-c", &url, "-w", "1", "-x", frame]);
    let folder = Folder::new();
    // Its input stays open as long as the process is here: it prints nothing otherwise.
    let mut process = Process::start("wscat", command, folder.path());
    loop {
        let line = process.next_line(Stream::Out, DEADLINE).await;
        let line = line.expect("it prints something");
        let start = line.find('{');
        if let Some(text) = start.and_then(|start| line.get(start..)) {
            return serde_json::from_str(text).expect("JSON");
        }
    }
}

/// Case 23.
#[tokio::test]
async fn a_request_of_the_documents_has_its_response() {
    let gateway = Gateway::start(BUILDING).await;
    let frame = r#"{"type": "requests", "action": "lobby.lights.echo", "args": ["x"]}"#;
    let response = printed(&gateway, "/ws/requests", frame).await;
    assert_eq!(response["response"], json!({"output": "x", "errors": []}));
}

/// Case 29.
#[tokio::test]
async fn an_event_of_the_documents_comes_back() {
    let gateway = Gateway::start(BUILDING).await;
    let frame = r#"{"type": "event", "args": {"type": "platypush.message.event.custom.CustomEvent", "subtype": "foo", "args": {"bar": "baz"}}}"#;
    let event = printed(&gateway, "/ws/events", frame).await;
    let sent: Value = serde_json::from_str(frame).expect("JSON");
    assert_eq!(event["args"], sent["args"]);
}
