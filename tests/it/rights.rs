//! Nobody does by a side door what the building refuses them, and nobody opens by an edit what their own credentials do not.

use serde_json::{Value, json};

use crate::harness::{Gateway, Request, Response, TestClient, scratch};

const BASE: &str = "/api/engine/v2";

/// A room whose zone refuses guests and raises chiefs, one outside it, and a key of the highest level for each user.
const BUILDING: &str = r#"
zones:
  - {id: zone-org, name: Organisation, tags: [org]}
  - {id: zone-1, name: Level 1}
  - {id: zone-2, name: Level 2}
modules:
  - {id: mod-scratch, driver: virtual, name: Shared}
  - {id: mod-outside, driver: virtual, name: Shared}
systems:
  - {id: sys-1, name: Board Room, zones: [zone-org, zone-1], modules: [mod-scratch]}
  - {id: sys-2, name: Outside, zones: [zone-2], modules: [mod-outside]}
users:
  - {id: user-guest, email: guest@example.test, name: Guest, level: user, groups: [guests]}
  - {id: user-crew, email: crew@example.test, name: Crew, level: support, groups: [guests]}
  - {id: user-chief, email: chief@example.test, name: Chief, level: user, groups: [chiefs]}
  - {id: user-sue, email: sue@example.test, name: Sue, level: support}
  - {id: user-eve, email: eve@example.test, name: Eve, level: admin}
api_keys:
  - {id: guest, secret: secret, user: user-guest, level: admin}
  - {id: crew, secret: secret, user: user-crew, level: admin}
  - {id: chief, secret: secret, user: user-chief, level: admin}
  - {id: support, secret: secret, user: user-sue, level: support}
  - {id: admin, secret: secret, user: user-eve, level: admin}
  - {id: people, secret: secret, user: user-eve, level: admin, scopes: [users]}
  - {id: places, secret: secret, user: user-eve, level: admin, scopes: [zones, systems, metadata]}
  - {id: whole, secret: secret, user: user-eve, level: admin, scopes: [building]}
  - {id: panels, secret: secret, user: user-eve, level: admin, zones: [zone-2]}
metadata:
  - {parent: zone-1, name: permissions, details: {deny: [guests], admin: [chiefs]}}
"#;

fn ask(gateway: &Gateway, key: &str, method: &str, path: &str) -> Request {
    let request = gateway.request(method, &format!("{BASE}{path}"));
    request.header("X-API-Key", &format!("{key}.secret"))
}

async fn send(
    gateway: &Gateway,
    key: &str,
    method: &str,
    path: &str,
    document: Option<Value>,
) -> Response {
    let request = ask(gateway, key, method, path);
    match document {
        Some(document) => request.json(document).send().await,
        None => request.send().await,
    }
}

async fn enter(gateway: &Gateway, key: &str) -> TestClient {
    let door = gateway.door();
    door.header("X-API-Key", &format!("{key}.secret"))
        .connect()
        .await
}

#[tokio::test]
async fn a_call_by_the_modules_id_is_refused_where_its_zone_denies_it() {
    let gateway = Gateway::start(BUILDING).await;
    for (key, module, function, status) in [
        ("guest", "mod-scratch", "echo", 401),
        ("crew", "mod-scratch", "echo", 401),
        ("guest", "mod-outside", "echo", 200),
        ("support", "mod-scratch", "echo", 200),
        // By the id as by the place: raised inside, and not outside.
        ("chief", "mod-scratch", "admin_only", 200),
        ("chief", "mod-outside", "admin_only", 401),
    ] {
        let path = format!("/modules/{module}/exec/{function}");
        let arguments = if function == "echo" { json!([1]) } else { json!([]) };
        let answer = send(&gateway, key, "POST", &path, Some(arguments)).await;
        assert_eq!(answer.status, status, "{key} {path}: {}", answer.body);
    }
    let everywhere = "/zones/zone-org/exec/Shared_1/echo";
    let answer = ask(&gateway, "crew", "POST", everywhere).json(json!([1])).ok().await;
    assert_eq!(answer["failure"], json!(["sys-1"]), "{answer}");
    assert_eq!(answer["success"], json!([]), "{answer}");
}

#[tokio::test]
async fn whom_a_zone_denies_its_rooms_follows_no_log_of_them() {
    let gateway = Gateway::start(BUILDING).await;
    let by_id = |module: &str| json!({"id": 1, "cmd": "debug", "sys": "", "mod": module, "name": "debug"});
    let mut crew = enter(&gateway, "crew").await;
    for request in [scratch("debug").debug(1), by_id("mod-scratch")] {
        crew.send(request).await;
        crew.expect_error(1, 2).await;
    }
    crew.send(by_id("mod-outside")).await;
    assert_eq!(crew.next().await["type"], "success");
    // What a screen shows is no call: statuses are read as before.
    crew.bind(scratch("power"), 2).await;
}
