//! What the metadata `permissions` of a zone refuses to groups of people, and what it raises them to (case 49).

use serde_json::json;

use crate::harness::{Door, Gateway, TestClient, scratch};

/// One room in the organisation's zone, and a user in each group whose key has the highest level.
const BUILDING: &str = r#"
zones: [{id: zone-org, name: Organisation, tags: [org]}]
modules: [{id: mod-scratch, driver: virtual, name: Shared}]
systems: [{id: sys-1, name: Board Room, zones: [zone-org], modules: [mod-scratch]}]
users:
  - {id: user-guest, email: guest@example.test, name: Guest, level: user, groups: [guests]}
  - {id: user-host, email: host@example.test, name: Host, level: user, groups: [Hosts]}
  - {id: user-chief, email: chief@example.test, name: Chief, level: user, groups: [chiefs]}
  - {id: user-other, email: other@example.test, name: Other, level: user}
api_keys:
  - {id: guest, secret: secret, user: user-guest, level: admin}
  - {id: host, secret: secret, user: user-host, level: admin}
  - {id: chief, secret: secret, user: user-chief, level: admin}
  - {id: panel, secret: secret, user: user-chief, level: user}
  - {id: other, secret: secret, user: user-other, level: admin}
metadata:
  - {parent: zone-org, name: permissions, details: {deny: [guests], manage: [hosts], admin: [chiefs]}}
"#;

/// The answer to a refused request, in PlaceOS's table.
const DENIED: u8 = 2;

#[tokio::test]
async fn a_zone_refuses_its_groups_and_raises_them() {
    let gateway = Gateway::start(BUILDING).await;
    let functions = ["echo", "support_only", "admin_only"];
    for (key, allowed) in [
        ("guest", &functions[..0]),
        ("other", &functions[..1]),
        ("panel", &functions[..1]),
        ("host", &functions[..2]),
        ("chief", &functions[..]),
    ] {
        let mut client = enter(&gateway, key).await;
        for function in functions {
            let arguments = if function == "echo" {
                json!([1])
            } else {
                json!([])
            };
            client.send(scratch(function).exec(1, arguments)).await;
            if allowed.contains(&function) {
                let answer = client.next().await;
                assert_eq!(answer["type"], "success", "{key} {function}: {answer}");
            } else {
                client.expect_error(1, DENIED).await;
            }
        }
    }
}

async fn enter(gateway: &Gateway, key: &str) -> TestClient {
    let door: Door = gateway.door();
    door.header("X-API-Key", &format!("{key}.secret"))
        .connect()
        .await
}
