//! States and services over HTTP, beside those that the websocket shows.

use serde_json::{Value, json};

use crate::harness::{Console, Gateway, Key, LABORATORY, Request};

const POWER: &str = "switch.lab_soft_1_power";

fn ask(gateway: &Gateway, method: &str, path: &str, key: Key) -> Request {
    gateway.request(method, path).bearer(key.0)
}

#[tokio::test]
async fn states_are_asked_for_together_and_alone() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", true).await;
    let all = ask(&gateway, "GET", "/api/states", Key::USER).ok().await;
    let one = ask(&gateway, "GET", &format!("/api/states/{POWER}"), Key::USER)
        .ok()
        .await;
    assert_eq!(one["state"], "on");
    assert!(all.as_array().expect("a list").contains(&one));
    let nobody = ask(&gateway, "GET", "/api/states/switch.nobody", Key::USER)
        .send()
        .await;
    assert_eq!(nobody.status, 404);
    assert_eq!(nobody.json(), json!({"message": "Entity not found."}));
}

#[tokio::test]
async fn a_state_that_is_written_is_set_by_its_module() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", false).await;
    let path = format!("/api/states/{POWER}");
    let write = |body: Value| ask(&gateway, "POST", &path, Key::ADMIN).json(body).send();

    let written = write(json!({"state": "on"})).await;
    assert_eq!(written.status, 200, "{}", written.body);
    assert_eq!(written.json()["state"], "on");
    let nothing = write(json!({})).await;
    assert_eq!(
        (nothing.status, nothing.json()),
        (400, json!({"message": "No state specified."}))
    );
    let no_json = ask(&gateway, "POST", &path, Key::ADMIN)
        .body("no JSON")
        .send()
        .await;
    assert_eq!(
        (no_json.status, no_json.json()),
        (400, json!({"message": "Invalid JSON specified."}))
    );
    let fixed = "/api/states/binary_sensor.lab_soft_1_connected";
    let fixed = ask(&gateway, "POST", fixed, Key::ADMIN).json(json!({"state": "off"}));
    assert_eq!(fixed.send().await.status, 405);
    let by_another = ask(&gateway, "POST", &path, Key::USER).json(json!({"state": "off"}));
    assert_eq!(by_another.send().await.status, 401);
}

#[tokio::test]
async fn a_service_answers_with_what_it_has_changed() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", false).await;
    let call = |path: &str, body: Value| {
        ask(
            &gateway,
            "POST",
            &format!("/api/services/{path}"),
            Key::USER,
        )
        .json(body)
        .send()
    };
    let changed = call("switch/turn_on", json!({"entity_id": POWER})).await;
    let changed = changed.json();
    let states: Vec<_> = changed.as_array().expect("a list").iter().collect();
    assert_eq!(states.len(), 1, "{changed}");
    assert_eq!(
        (&states[0]["entity_id"], &states[0]["state"]),
        (&json!(POWER), &json!("on"))
    );

    let echo = json!({"entity_id": POWER, "value": {"a": 1}});
    let echo = call("soft/echo?return_response", echo).await.json();
    assert_eq!(
        echo,
        json!({"changed_states": [], "service_response": {"a": 1}})
    );

    assert_eq!(call("switch/zap", json!({})).await.status, 400);
    assert_eq!(call("switch/turn_on", json!({"zip": 1})).await.status, 400);
    let no_json = ask(&gateway, "POST", "/api/services/switch/turn_on", Key::USER).body("{");
    let no_json = no_json.send().await;
    assert_eq!(
        (no_json.status, no_json.json()),
        (400, json!({"message": "Data should be valid JSON."}))
    );
    let services = ask(&gateway, "GET", "/api/services", Key::USER).ok().await;
    let domains = services.as_array().expect("a list");
    let switch = domains
        .iter()
        .find(|it| it["domain"] == "switch")
        .expect("switches");
    assert!(switch["services"]["turn_on"].is_object());
}
