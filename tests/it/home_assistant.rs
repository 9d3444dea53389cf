//! Home Assistant's HTTP, asked as its clients ask it: signing in, the API, and the pages at the dialect's own address.

mod pages;
mod rest;
mod sign_in;
mod strangers;

use serde_json::{Value, json};

use crate::harness::{Gateway, Plan, Request, Response};

const EMAIL: &str = "ann@example.test";
const PASSWORD: &str = "correct horse";

/// The page that the tests sign in as an app.
const APP: &str = "http://app.test:8123/";

/// Ann, an administrator with the hash of the password, at the lowest costs there are; and a room.
const BUILDING: &str = "
zones:
  - {id: zone-hq, name: Headquarters, tags: [building]}
systems:
  - {id: sys-1, name: Board Room, zones: [zone-hq], modules: [mod-1]}
  - {id: sys-2, name: Huddle Room}
modules:
  - {id: mod-1, driver: virtual, name: Shared}
users:
  - {id: user-ann, email: ann@example.test, name: Ann, level: admin, password_hash: '$argon2id$v=19$m=8,t=1,p=1$htfT2ARDMRC2EBG6oJw0Vw$+MZ0bVQRC6imlXycEOODJbac0hEbvCwSOTeOpkudvnw'}
  - {id: user-bob, email: bob@example.test, name: Bob}
api_keys:
  - {id: admin, secret: secret-a, user: user-ann, level: admin}
  - {id: user, secret: secret-u, user: user-bob, level: user}
  - {id: other, secret: secret-o, user: user-ann, level: admin, systems: [sys-2]}
";

const ADMIN: &str = "admin.secret-a";
const USER: &str = "user.secret-u";

async fn gateway() -> Gateway {
    Plan::serve(BUILDING).start().await
}

/// Begins a flow and gives its id.
async fn begin(gateway: &Gateway) -> String {
    let asked = json!({"client_id": APP, "handler": ["homeassistant", null], "redirect_uri": APP});
    let begun = gateway.request("POST", "/auth/login_flow").json(asked);
    let begun = begun.ok().await;
    assert_eq!(begun["type"], "form");
    text(&begun, "flow_id").to_owned()
}

/// Fills in the form of a flow.
async fn step(gateway: &Gateway, flow: &str, password: &str) -> Response {
    let path = format!("/auth/login_flow/{flow}");
    let filled = json!({"client_id": APP, "username": EMAIL, "password": password});
    gateway.request("POST", &path).json(filled).send().await
}

/// A code for the app.
async fn code(gateway: &Gateway) -> String {
    let flow = begin(gateway).await;
    let entered = step(gateway, &flow, PASSWORD).await.json();
    assert_eq!(entered["type"], "create_entry", "{entered}");
    text(&entered, "result").to_owned()
}

/// The tokens of the app.
async fn tokens(gateway: &Gateway) -> Value {
    let code = code(gateway).await;
    let asked = exchange(&code, APP);
    token(gateway, &asked).await.json()
}

fn exchange<'a>(code: &'a str, client: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", client),
    ]
}

fn renewal<'a>(token: &'a str, client: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", client),
    ]
}

async fn token(gateway: &Gateway, fields: &[(&str, &str)]) -> Response {
    let request = gateway.request("POST", "/auth/token");
    multipart(request, fields).send().await
}

/// A form as Home Assistant's library sends it.
fn multipart(request: Request, fields: &[(&str, &str)]) -> Request {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!(
            "--form7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    body += "--form7--\r\n";
    let kind = "multipart/form-data; boundary=form7";
    request.header("Content-Type", kind).body(&body)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
}

#[track_caller]
fn assert_answer(response: &Response, status: u16, body: &str) {
    assert_eq!((response.status, &*response.body), (status, body));
}
