//! Home Assistant over HTTP, without any library.

use serde_json::{Value, json};

use crate::harness::{Console, Gateway, Key, LABORATORY, Request, Response};

const POWER: &str = "switch.lab_soft_1_power";

fn ask(gateway: &Gateway, method: &str, path: &str, key: Key) -> Request {
    gateway.request(method, path).bearer(key.0)
}

fn is_text(response: &Response, status: u16, text: &str) -> bool {
    let kind = response.header("content-type").unwrap_or_default();
    response.status == status && response.body == text && kind.starts_with("text/plain")
}

// Case 41 and the line `/api/`.
#[tokio::test]
async fn a_token_opens_the_door_and_nothing_else_does() {
    let gateway = Gateway::start(LABORATORY).await;
    let running = ask(&gateway, "GET", "/api/", Key::USER).ok().await;
    assert_eq!(running, json!({"message": "API running."}));
    for request in [
        gateway.request("GET", "/api/"),
        gateway.request("GET", "/api/states").bearer("user.wrong"),
        gateway
            .request("GET", "/api/services")
            .header("Authorization", "Basic eDp5"),
    ] {
        let response = request.send().await;
        assert!(is_text(&response, 401, "401: Unauthorized"), "{response:?}");
    }
    let without_its_slash = ask(&gateway, "GET", "/api", Key::USER).send().await;
    assert_eq!(without_its_slash.status, 404);
}

#[tokio::test]
async fn what_there_is_not_and_what_is_not_done_to_it_are_told_apart() {
    let gateway = Gateway::start(LABORATORY).await;
    let unknown = ask(&gateway, "GET", "/api/no_such_thing", Key::USER)
        .send()
        .await;
    assert!(is_text(&unknown, 404, "404: Not Found"), "{unknown:?}");
    let verb = ask(&gateway, "PUT", "/api/states", Key::USER).send().await;
    assert!(is_text(&verb, 405, "405: Method Not Allowed"), "{verb:?}");
    let allowed = verb.header("allow").expect("what is allowed");
    assert!(
        allowed.split(',').any(|verb| verb.trim() == "GET"),
        "{allowed}"
    );
}

#[tokio::test]
async fn the_gateway_describes_itself() {
    let gateway = Gateway::start(LABORATORY).await;
    let config = ask(&gateway, "GET", "/api/config", Key::USER).ok().await;
    let components = ask(&gateway, "GET", "/api/components", Key::USER)
        .ok()
        .await;
    assert_eq!(config["components"], components);
    let state = ask(&gateway, "GET", "/api/core/state", Key::USER)
        .ok()
        .await;
    assert_eq!(state["state"], "RUNNING");
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
    let write = |body: Value| ask(&gateway, "POST", &path, Key::USER).json(body).send();

    let written = write(json!({"state": "on"})).await;
    assert_eq!(written.status, 200, "{}", written.body);
    assert_eq!(written.json()["state"], "on");
    let nothing = write(json!({})).await;
    assert_eq!(
        (nothing.status, nothing.json()),
        (400, json!({"message": "No state specified."}))
    );
    let no_json = ask(&gateway, "POST", &path, Key::USER)
        .body("no JSON")
        .send()
        .await;
    assert_eq!(
        (no_json.status, no_json.json()),
        (400, json!({"message": "Invalid JSON specified."}))
    );
    let fixed = "/api/states/binary_sensor.lab_soft_1_connected";
    let fixed = ask(&gateway, "POST", fixed, Key::USER).json(json!({"state": "off"}));
    assert_eq!(fixed.send().await.status, 405);
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

#[tokio::test]
async fn events_are_for_administrators() {
    let gateway = Gateway::start(LABORATORY).await;
    let fire = |key: Key| ask(&gateway, "POST", "/api/events/door_bell", key);
    let fired = fire(Key::ADMIN).json(json!({"door": 3})).ok().await;
    assert_eq!(fired, json!({"message": "Event door_bell fired."}));
    assert_eq!(fire(Key::ADMIN).send().await.status, 200);
    let list = fire(Key::ADMIN).json(json!([])).send().await;
    assert_eq!(
        (list.status, list.json()),
        (
            400,
            json!({"message": "Event data should be a JSON object"})
        )
    );
    let refused = fire(Key::USER).json(json!({})).send().await;
    assert!(is_text(&refused, 401, "401: Unauthorized"), "{refused:?}");
    let listened = ask(&gateway, "GET", "/api/events", Key::USER).ok().await;
    let names: Vec<_> = listened
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["event"])
        .collect();
    assert!(names.contains(&&json!("state_changed")), "{names:?}");
}

#[tokio::test]
async fn a_webhook_that_nobody_has_is_answered_like_any_other() {
    let gateway = Gateway::start(LABORATORY).await;
    for method in ["POST", "PUT", "GET", "HEAD"] {
        let response = gateway.request(method, "/api/webhook/nobody").send().await;
        assert_eq!((response.status, &*response.body), (200, ""), "{method}");
    }
    assert_eq!(
        gateway
            .request("DELETE", "/api/webhook/nobody")
            .send()
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn the_doors_of_signing_in_say_where_they_are() {
    let gateway = Gateway::start(LABORATORY).await;
    let providers = gateway.request("GET", "/auth/providers").ok().await;
    assert_eq!(providers["providers"][0]["type"], "homeassistant");
    let metadata = gateway
        .request("GET", "/.well-known/oauth-authorization-server")
        .ok()
        .await;
    for (name, path) in [
        ("authorization_endpoint", "/auth/authorize"),
        ("token_endpoint", "/auth/token"),
    ] {
        let address = metadata[name].as_str().expect("an address");
        assert!(address.ends_with(path), "{address}");
    }
}

#[tokio::test]
async fn a_refused_exchange_is_told_as_oauth_tells_it_to_every_origin() {
    let gateway = Gateway::start(LABORATORY).await;
    let origin = "http://panel.example.test";
    let exchange = |fields: &[(&str, &str)]| {
        let request = gateway
            .request("POST", "/auth/token")
            .header("Origin", origin);
        request.form(fields).send()
    };
    let client = ("client_id", "http://panel.example.test/");
    let code = exchange(&[client, ("grant_type", "authorization_code"), ("code", "x")]).await;
    assert_eq!(code.status, 400);
    assert_eq!(
        code.json(),
        json!({"error": "invalid_request", "error_description": "Invalid code"})
    );
    assert_eq!(code.header("access-control-allow-origin"), Some(origin));
    let grant = exchange(&[client, ("grant_type", "magic")]).await;
    assert_eq!(
        (grant.status, grant.json()),
        (400, json!({"error": "unsupported_grant_type"}))
    );
    let refresh = exchange(&[
        client,
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
    ])
    .await;
    assert_eq!(
        (refresh.status, refresh.json()),
        (400, json!({"error": "invalid_grant"}))
    );
    let revoke = gateway
        .request("POST", "/auth/revoke")
        .form(&[("token", "x")]);
    assert_eq!(revoke.send().await.status, 200);
}
