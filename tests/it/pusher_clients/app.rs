//! The building of these tests: a room of soft modules and two apps. And what a server does that has an app's secret: signs.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{BUILDING, Gateway, Plan, Request};

/// An app's id, a key of it, and the secret of the key.
#[derive(Debug, Clone, Copy)]
pub(super) struct App {
    pub(super) id: &'static str,
    pub(super) key: &'static str,
    pub(super) secret: &'static str,
}

/// The app that most tests use. It has a user, so it reaches the room.
pub(super) const SIGNS: App = App {
    id: "4201",
    key: "a1b2c3d4e5f60718293a",
    secret: "b0a1c2d3e4f506172839",
};

/// Another app, without a user.
pub(super) const OTHER: App = App {
    id: "4202",
    key: "ffeeddccbbaa99887766",
    secret: "00112233445566778899",
};

/// The bearer of a key of the building, as the sign-in endpoints want it.
pub(super) const USER_KEY: &str = "user.secret-u";

/// The building with these fields more in the first app.
pub(super) fn building_with(fields: &Value) -> String {
    let mut signs = json!({
        "id": SIGNS.id,
        "name": "Door signs",
        "keys": [{"key": SIGNS.key, "secret": SIGNS.secret}],
        "user": "user-panel",
        "client_events": true,
    });
    let fields = fields.as_object().expect("fields of an app").clone();
    signs.as_object_mut().expect("an app").extend(fields);
    let other = json!({
        "id": OTHER.id,
        "name": "Elsewhere",
        "keys": [{"key": OTHER.key, "secret": OTHER.secret}],
        "client_events": true,
    });
    json!({
        "systems": [
            {"id": "sys-1", "name": "Board Room", "modules": ["mod-display"]},
            {"id": "sys-2", "name": "Huddle Room", "modules": ["mod-far"]},
        ],
        "modules": [
            {"id": "mod-display", "driver": "virtual", "name": "Display"},
            {"id": "mod-far", "driver": "virtual", "name": "Display"},
        ],
        "users": [
            {"id": "user-panel", "email": "panel@example.test", "name": "Panel"},
            {"id": "user-ann", "email": "ann@example.test", "name": "Ann"},
            {"id": "user-eve", "email": "eve@example.test", "name": "Eve", "level": "admin"},
        ],
        "api_keys": [
            {"id": "user", "secret": "secret-u", "user": "user-ann", "level": "user"},
            {"id": "admin", "secret": "secret-a", "user": "user-eve", "level": "admin"},
        ],
        "apps": [signs, other],
    })
    .to_string()
}

/// The building of the other tests with the first app, which acts for this user.
pub(super) fn shared_building(user: &str) -> String {
    let signs = json!({
        "id": SIGNS.id,
        "name": "Door signs",
        "keys": [{"key": SIGNS.key, "secret": SIGNS.secret}],
        "user": user,
    });
    format!("{BUILDING}apps: [{signs}]\n")
}

/// A plan for a gateway with the building as it is.
pub(super) fn plan() -> Plan {
    plan_with(&json!({}))
}

/// The same with these fields more in the first app.
pub(super) fn plan_with(fields: &Value) -> Plan {
    Plan::serve(&building_with(fields))
}

impl App {
    /// `KEY:SIGNATURE` of a text.
    pub(super) fn auth(self, text: &str) -> String {
        format!("{}:{}", self.key, self.sign(text))
    }

    /// The signature of a text.
    pub(super) fn sign(self, text: &str) -> String {
        let mut hmac =
            Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).expect("any length is a key");
        hmac.update(text.as_bytes());
        hex(&hmac.finalize().into_bytes())
    }

    /// A request at a path below the app's own, as the server libraries sign it.
    pub(super) fn request(
        self,
        gateway: &Gateway,
        method: &str,
        path: &str,
        body: &str,
    ) -> Request {
        let path = format!("/apps/{}{path}", self.id);
        Signed::by(self, method, &path, body).request(gateway)
    }

    /// Triggers an event on one channel, and expects it to be taken.
    pub(super) async fn trigger(self, gateway: &Gateway, channel: &str, name: &str, data: &str) {
        let body = json!({"name": name, "channels": [channel], "data": data}).to_string();
        let taken = self.request(gateway, "POST", "/events", &body).ok().await;
        assert_eq!(taken, json!({}), "the answer to a trigger");
    }
}

/// A request that can be spoiled before it is sent.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    app: App,
    method: String,
    path: String,
    /// What authenticates and what is asked, as it is signed: not escaped.
    pub(super) query: Vec<(String, String)>,
    pub(super) body: String,
}

impl Signed {
    /// One that is right.
    pub(super) fn by(app: App, method: &str, path: &str, body: &str) -> Self {
        let mut signed = Self {
            app,
            method: method.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            body: body.to_owned(),
        };
        signed.set("auth_key", app.key);
        signed.set("auth_timestamp", &seconds().to_string());
        signed.set("auth_version", "1.0");
        if !body.is_empty() {
            signed.set("body_md5", &hex(&Md5::digest(body)));
        }
        signed
    }

    /// Puts a parameter into the query, in the place of one of this name.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.leave_out(name);
        self.query.push((name.to_owned(), value.to_owned()));
    }

    /// Leaves a parameter out.
    pub(super) fn leave_out(&mut self, name: &str) {
        self.query.retain(|(known, _)| known != name);
    }

    /// What is signed.
    pub(super) fn text(&self) -> String {
        let mut pairs: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.sort();
        format!("{}\n{}\n{}", self.method, self.path, pairs.join("&"))
    }

    /// The path with the query and the signature.
    pub(super) fn target(&self) -> String {
        let signature = self.app.sign(&self.text());
        let pairs = self
            .query
            .iter()
            .cloned()
            .chain([("auth_signature".to_owned(), signature)]);
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        format!("{}?{query}", self.path)
    }

    /// Signs it as it is now.
    pub(super) fn request(&self, gateway: &Gateway) -> Request {
        let request = gateway.request(&self.method, &self.target());
        request
            .header("Content-Type", "application/json")
            .body(&self.body)
    }
}

/// The time as requests have it.
pub(super) fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("the clock is right").as_secs()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

// The examples were computed once with Pusher's library for Python.
#[test]
fn signatures_are_made_as_the_libraries_make_them() {
    let private = SIGNS.sign("1234.5678:private-sys-1.Display_1");
    assert_eq!(
        private,
        "6e4310ad0f7841b67d17fc25882a3fc86cd9108c68d5cc834d4ab2a0c1edeed6"
    );
    let body = r#"{"name": "power", "channels": ["private-sys-1.Display_1"], "data": "{\"value\": true}"}"#;
    let mut request = Signed::by(SIGNS, "POST", "/apps/4201/events", body);
    request.set("auth_timestamp", "1760000000");
    let signature = "297ce40fc72124579380892140342d6da2248a35b68126d14af0345297dd6ac4";
    assert!(
        request.target().ends_with(signature),
        "{}",
        request.target()
    );
}
