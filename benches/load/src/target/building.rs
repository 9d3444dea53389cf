//! The building that riser is measured with; a server that is already running needs the same one.

use crate::protocol;

/// The credentials that the building lets in.
pub(crate) const KEY: &str = "load.secret";

/// The building file: one system, this many modules `Load`, and the key.
pub(crate) fn building(modules: usize) -> String {
    let ids: Vec<String> = (1..=modules).map(|index| format!("mod-{index}")).collect();
    let mut text = format!(
        "systems:\n  - {{id: sys-1, name: Load, modules: [{}]}}\nmodules:\n",
        ids.join(", ")
    );
    for id in ids {
        text.push_str(&format!("  - {{id: {id}, driver: virtual, name: Load}}\n"));
    }
    text.push_str(
        "users:
  - {id: user-load, email: load@example.test, name: Load, level: admin}
api_keys:
  - {id: load, secret: secret, user: user-load, level: admin}
",
    );
    text
}

/// What is added for Pusher's protocol: an app whose channels take what the scenarios bring.
pub(super) fn app() -> String {
    let (id, key, secret) = (protocol::APP, protocol::KEY, protocol::SECRET);
    format!(
        "apps:
  - id: \"{id}\"
    keys: [{{key: {key}, secret: {secret}}}]
    client_events: true
    limits: {{client_events_per_second: 10000, batch_events: 100, presence_members: 20000}}
"
    )
}
