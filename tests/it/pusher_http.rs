//! Pusher's HTTP, asked as its libraries ask it: signed requests, the sign-in endpoints, and webhooks.
//!
//! The comments `row N` name the rows of the table "Black-box tests" in the protocol's fact sheet.

mod api;
mod events;
mod receiver;
mod sign_in;
mod signed;
mod subscriber;
mod webhooks;

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::harness::{Gateway, Plan, Response};

use receiver::Receiver;
use subscriber::Subscriber;

/// A room, an app that acts for Ann, one that acts for nobody, and keys for the sign-in endpoints.
const BUILDING: &str = "
systems:
  - {id: sys-1, name: Board Room, modules: [mod-1]}
  - {id: sys-2, name: Huddle Room}
modules:
  - {id: mod-1, driver: virtual, name: Shared}
users:
  - {id: user-ann, email: ann@example.test, name: Ann, level: admin}
  - {id: user-bob, email: bob@example.test, name: Bob}
api_keys:
  - {id: admin, secret: secret-a, user: user-ann, level: admin}
  - {id: panel, secret: secret-p, user: user-bob, level: user, systems: [sys-1]}
apps:
  - id: '4201'
    name: Door signs
    keys: [{key: a1b2c3d4e5f60718293a, secret: b0a1c2d3e4f506172839}, {key: newer, secret: other}]
    user: user-ann
    client_events: true
  - id: '4202'
    name: Elsewhere
    keys: [{key: elsewhere, secret: third}]
";

const KEY: &str = "a1b2c3d4e5f60718293a";
const SECRET: &str = "b0a1c2d3e4f506172839";

const ADMIN: &str = "admin.secret-a";
const PANEL: &str = "panel.secret-p";

async fn gateway() -> Gateway {
    Plan::serve(BUILDING).start().await
}

fn hmac(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is after 1970").as_secs()
}

/// A request of an app's server.
#[derive(Debug, Clone)]
struct Signed {
    key: &'static str,
    secret: &'static str,
    method: &'static str,
    path: String,
    /// Name and value of each parameter; the value as it is signed.
    parameters: Vec<(&'static str, String)>,
    body: String,
    /// The text whose MD5 is shown; nothing is shown without one.
    digested: Option<String>,
    time: u64,
}

impl Signed {
    fn new(method: &'static str, path: &str, body: &str) -> Self {
        Self {
            key: KEY,
            secret: SECRET,
            method,
            path: path.to_owned(),
            parameters: Vec::new(),
            body: body.to_owned(),
            digested: Some(body.to_owned()),
            time: now(),
        }
    }

    fn get(path: &str) -> Self {
        Self::new("GET", path, "")
    }

    fn post(path: &str, body: &Value) -> Self {
        Self::new("POST", path, &body.to_string())
    }

    fn parameter(mut self, name: &'static str, value: &str) -> Self {
        self.parameters.push((name, value.to_owned()));
        self
    }

    /// The path with the query as it is sent.
    fn target(&self) -> String {
        let mut pairs = vec![
            ("auth_key", self.key.to_owned()),
            ("auth_timestamp", self.time.to_string()),
            ("auth_version", "1.0".to_owned()),
        ];
        if let Some(digested) = &self.digested {
            pairs.push(("body_md5", hex(&Md5::digest(digested.as_bytes()))));
        }
        pairs.extend(self.parameters.clone());
        pairs.sort_by_key(|(name, _)| *name);
        let signed: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let text = format!("{}\n{}\n{}", self.method, self.path, signed.join("&"));
        let sent: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace(' ', "%20")))
            .collect();
        let signature = hmac(self.secret, &text);
        format!(
            "{}?{}&auth_signature={signature}",
            self.path,
            sent.join("&")
        )
    }

    async fn send(self, gateway: &Gateway) -> Response {
        let request = gateway.request(self.method, &self.target());
        request.body(&self.body).send().await
    }

    /// The text of a good answer.
    async fn answer(self, gateway: &Gateway) -> String {
        let answer = self.send(gateway).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

/// Sends an event, as the library for Python does.
async fn trigger(gateway: &Gateway, body: Value) -> Response {
    Signed::post("/apps/4201/events", &body).send(gateway).await
}

/// The same for an event that is taken, without anything else in the answer.
async fn triggered(gateway: &Gateway, channel: &str, name: &str, data: &str) {
    let body = json!({"name": name, "channels": [channel], "data": data});
    let answer = trigger(gateway, body).await;
    assert_eq!((answer.status, &*answer.body), (200, "{}"));
}

#[track_caller]
fn assert_refused(answer: &Response, status: u16, part: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.body.contains(part), "{}", answer.body);
    assert!(!answer.body.contains(SECRET), "the secret is told");
}
