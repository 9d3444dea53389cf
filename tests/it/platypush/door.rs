//! The building of these tests, and requests at Platypush's door.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{DEADLINE, Door, Gateway, Plan, Request, TestClient};

/// An administrator's key, as clients of Platypush show it.
pub(super) const ADMIN: &str = "admin.secret-a";

/// A key that is restricted to the lobby.
pub(super) const LOBBY: &str = "lobby.secret-l";

/// Two rooms and two people, one with a password that is hashed at the lowest costs there are.
pub(super) const BUILDING: &str = r#"
systems:
  - {id: sys-1, name: Board Room, modules: [mod-1, mod-2]}
  - {id: sys-2, name: Lobby, modules: [mod-3]}
modules:
  - {id: mod-1, driver: virtual, name: Display}
  - {id: mod-2, driver: virtual, name: Display}
  - {id: mod-3, driver: virtual, name: Lights}
users:
  - {id: ops, email: ops@example.test, name: Ops, level: admin, password_hash: '$argon2id$v=19$m=8,t=1,p=1$htfT2ARDMRC2EBG6oJw0Vw$+MZ0bVQRC6imlXycEOODJbac0hEbvCwSOTeOpkudvnw'}
  - {id: user-bob, email: bob@example.test, name: Bob}
api_keys:
  - {id: admin, secret: secret-a, user: ops, level: admin}
  - {id: user, secret: secret-u, user: user-bob, level: user}
  - {id: lobby, secret: secret-l, user: ops, level: user, systems: [sys-2]}
"#;

/// A building without people.
pub(super) const EMPTY: &str = "systems:\n  - {id: sys-1, name: Board Room}\n";

/// A gateway of this building with pages of the files in a folder, and where those are.
pub(super) async fn with_pages(plan: Plan, folder: &Path) -> (Gateway, String) {
    let mut gateway = plan
        .variable("RISER_PLATYPUSH__LISTEN", "127.0.0.1:0")
        .variable("RISER_PLATYPUSH__WEB_UI", &folder.to_string_lossy())
        .start()
        .await;
    let line = gateway.next_line(DEADLINE).await.expect("a line");
    let url = line.strip_prefix("listening platypush ");
    let url = url.expect("where it listens").trim_end_matches('/');
    let url = url.to_owned();
    (gateway, url)
}

/// A request for an action.
pub(super) fn execute(gateway: &Gateway, message: Value) -> Request {
    gateway.request("POST", "/execute").json(message)
}

/// Carries out an action as the administrator, and gives the response.
pub(super) async fn respond(gateway: &Gateway, action: &str, args: Value) -> Value {
    let message = json!({"type": "request", "action": action, "args": args});
    execute(gateway, message).bearer(ADMIN).ok().await["response"].clone()
}

/// The same for one that succeeds: its output.
pub(super) async fn output(gateway: &Gateway, action: &str, args: Value) -> Value {
    let response = respond(gateway, action, args).await;
    assert_eq!(response["errors"], json!([]), "{action}");
    response["output"].clone()
}

/// The same for one that fails: its error.
pub(super) async fn error(gateway: &Gateway, action: &str, args: Value) -> String {
    let response = respond(gateway, action, args).await;
    assert_eq!(response["output"], json!({"success": false}), "{action}");
    let errors = response["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].as_str().expect("a text").to_owned()
}

/// Sends a request that is refused, and gives its status and the name of its error.
pub(super) async fn refused(request: Request) -> (u16, String) {
    let response = request.send().await;
    let body = response.json();
    assert_eq!(body["code"], json!(response.status), "{body}");
    assert!(body["message"].is_string(), "{body}");
    let name = body["error"].as_str().unwrap_or_default();
    (response.status, name.to_owned())
}

/// A token of `POST /auth`.
pub(super) async fn token(gateway: &Gateway, body: Value) -> String {
    let answer = gateway.request("POST", "/auth").json(body).ok().await;
    answer["token"].as_str().expect("a token").to_owned()
}

/// A session of `POST /auth?type=login`: its token and what a page shows beside it.
pub(super) async fn session(gateway: &Gateway) -> (String, String) {
    let login = gateway.request("POST", "/auth?type=login");
    let answer = login
        .form(&[("username", "ops"), ("password", "correct horse")])
        .ok()
        .await;
    let text = |name: &str| answer[name].as_str().expect("a text").to_owned();
    (text("session_token"), text("csrf_token"))
}

/// A websocket of an administrator.
pub(super) fn socket(gateway: &Gateway, path: &str) -> Door {
    let bearer = format!("Bearer {ADMIN}");
    gateway.door().path(path).header("Authorization", &bearer)
}

/// A websocket of events that hears of what is announced from here on.
pub(super) async fn listener(gateway: &Gateway) -> TestClient {
    let mut client = socket(gateway, "/ws/events").connect().await;
    // Its own event comes back when it follows the bus.
    client.send(custom("hello", &json!({}))).await;
    while client.next().await["args"]["subtype"] != "hello" {}
    client
}

/// A custom event.
pub(super) fn custom(name: &str, args: &Value) -> Value {
    json!({
        "type": "event",
        "args": {
            "type": "platypush.message.event.custom.CustomEvent",
            "subtype": name,
            "args": args,
        },
    })
}
