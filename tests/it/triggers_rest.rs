//! Procedures, hooks and triggers over REST: riser's own lists, and triggers in PlaceOS's form.

use serde_json::{Value, json};

use crate::harness::{BUILDING, Gateway, Key, Request};

const AUTOMATION: &str = r#"
procedures:
  - {id: greet, parameters: [who], steps: [{return: "{{ who }}"}]}
hooks:
  - {name: greet, header: {X-Token: s3cret-token}, run: greet, args: [Ann]}
triggers:
  - {id: trig-called, system: sys-new, when: [{webhook: true, secret: s3cret-token}]}
  - {id: trig-heard, when: [{event: doors}]}
"#;

fn building() -> String {
    let room = "systems:\n  - {id: sys-new, name: New}\n  -";
    format!(
        "{}{AUTOMATION}",
        BUILDING.replacen("systems:\n  -", room, 1)
    )
}

fn ask(gateway: &Gateway, method: &str, path: &str) -> Request {
    let path = format!("/api/engine/v2{path}");
    gateway.request(method, &path).key(Key::ADMIN)
}

async fn send(gateway: &Gateway, method: &str, path: &str, document: Value) -> (u16, Value) {
    let response = ask(gateway, method, path).json(document).send().await;
    (response.status, response.json())
}

async fn refused(gateway: &Gateway, method: &str, path: &str, document: Value) -> Value {
    let (status, refused) = send(gateway, method, path, document).await;
    assert_eq!(status, 422, "{refused}");
    refused["failures"][0]["field"].clone()
}

#[tokio::test]
async fn a_procedure_and_its_hook_are_made_changed_and_taken_away() {
    let gateway = Gateway::start(&building()).await;
    let hook = ask(&gateway, "GET", "/hooks/greet").ok().await;
    assert_eq!(hook["header"], json!({"X-Token": "***"}));
    let (status, back) = send(&gateway, "PUT", "/hooks/greet", hook.clone()).await;
    assert_eq!((status, &back["header"]), (200, &hook["header"]));
    for (path, wrong, field) in [
        (
            "/procedures",
            json!({"id": "p", "steps": [{"run": "nothing"}]}),
            "steps",
        ),
        (
            "/procedures",
            json!({"id": "p", "steps": [{"wait": 2}]}),
            "steps",
        ),
        (
            "/procedures",
            json!({"id": "p", "steps": [{"return": "{{ 1 + }}"}]}),
            "steps",
        ),
        ("/hooks", json!({"name": "h", "run": "nothing"}), "run"),
        ("/hooks", json!({"name": "h", "run": "greet"}), "run"),
        (
            "/hooks",
            json!({"name": "trig-called", "run": "greet", "args": [1]}),
            "name",
        ),
        (
            "/hooks",
            json!({"name": "h", "run": "greet", "args": [1], "header": {"X": "***"}}),
            "header",
        ),
    ] {
        assert_eq!(refused(&gateway, "POST", path, wrong).await, field);
    }
    let new = json!({"name": "other", "run": "greet", "args": ["Ben"], "level": "support"});
    let (status, made) = send(&gateway, "POST", "/hooks", new).await;
    assert_eq!((status, &made["level"]), (201, &json!("support")), "{made}");
    let used = ask(&gateway, "DELETE", "/procedures/greet").send().await;
    assert_eq!(used.status, 409);
    let why = used.json()["error"].to_string();
    for user in ["hook `greet`", "hook `other`"] {
        assert!(why.contains(user), "{why}");
    }
    for path in ["/hooks/greet", "/hooks/other", "/procedures/greet"] {
        let gone = ask(&gateway, "DELETE", path).send().await;
        assert_eq!(gone.status, 202, "{path}");
    }
    for path in ["/procedures", "/hooks", "/triggers"] {
        let path = format!("/api/engine/v2{path}");
        let user = gateway.request("GET", &path).key(Key::USER).send().await;
        assert_eq!(user.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_trigger_has_the_form_of_placeos() {
    let gateway = Gateway::start(&building()).await;
    let listed = ask(&gateway, "GET", "/triggers").ok().await;
    assert_eq!(listed[0]["id"], "trigger-trig-called");
    let instances = ask(&gateway, "GET", "/systems/sys-new/triggers").ok().await;
    let own = ask(&gateway, "GET", "/triggers/trigger-trig-called/instances")
        .ok()
        .await;
    assert_eq!(instances, own);
    assert_eq!(instances[0]["webhook_secret"], "s3cret-token");
    assert_eq!(instances[0]["triggered"], false);

    let (status, _) = send(
        &gateway,
        "PATCH",
        "/triggers/trigger-trig-heard",
        json!({"name": "x"}),
    )
    .await;
    assert_eq!(status, 409, "an event has no place in the form");
    let new = json!({
        "id": "trigger-trig-new", "name": "New", "control_system_id": "sys-new", "debounce_period": 1500,
        "conditions": {"time_dependents": [{"type": "cron", "cron": "0 8 * * *", "timezone": "Europe/London"}]},
    });
    let (status, made) = send(&gateway, "POST", "/triggers", new.clone()).await;
    assert_eq!(
        (status, &made["debounce_period"]),
        (201, &json!(1500)),
        "{made}"
    );
    assert_eq!(send(&gateway, "POST", "/triggers", new).await.0, 409);
    let path = "/triggers/trigger-trig-new";
    let (status, back) = send(&gateway, "PUT", path, made.clone()).await;
    assert_eq!((status, &back["conditions"]), (200, &made["conditions"]));
    for (wrong, field) in [
        (
            json!({"actions": {"mailers": [{"emails": ["a@b"]}]}}),
            "actions.mailers",
        ),
        (
            json!({"actions": {"functions": [{"mod": "Nothing_1", "method": "on"}]}}),
            "actions",
        ),
        (
            json!({"conditions": {"time_dependents": [{"type": "cron", "cron": "x"}]}}),
            "conditions",
        ),
        (json!({"important": true}), "important"),
    ] {
        assert_eq!(refused(&gateway, "PATCH", path, wrong).await, field);
    }
    assert_eq!(ask(&gateway, "DELETE", path).send().await.status, 202);
    assert_eq!(ask(&gateway, "GET", path).send().await.status, 404);
}

#[tokio::test]
async fn a_webhook_that_nobody_knows_is_not_found_and_none_of_home_assistant_is_told() {
    let gateway = Gateway::start(&building()).await;
    let path = "/api/engine/v2/webhook/nothing/notify?secret=x";
    assert_eq!(gateway.request("POST", path).send().await.status, 404);
    let heard = gateway.request("POST", "/api/webhook/nothing").send().await;
    assert_eq!((heard.status, heard.body.as_str()), (200, ""));
    let large = gateway.request("POST", "/api/webhook/nothing");
    let large = large.json(json!("x".repeat(65 * 1024))).send().await;
    assert_eq!(large.status, 413);
}
