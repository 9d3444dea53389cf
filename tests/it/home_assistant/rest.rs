//! The API, one row of the fact sheet after the other.

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::harness::{DEADLINE, Key, Socket, within};

#[tokio::test]
async fn any_credential_opens_the_api_and_nothing_else_does() {
    let gateway = gateway().await;
    let running = r#"{"message":"API running."}"#;
    for key in [ADMIN, USER] {
        let asked = gateway.request("GET", "/api/").bearer(key).send().await;
        assert_answer(&asked, 200, running);
    }
    let by_password = [
        ("grant_type", "password"),
        ("client_id", "panel"),
        ("username", EMAIL),
        ("password", PASSWORD),
    ];
    let placeos = gateway
        .request("POST", "/auth/oauth/token")
        .form(&by_password);
    let placeos = placeos.ok().await;
    let asked = gateway
        .request("GET", "/api/")
        .bearer(text(&placeos, "access_token"));
    assert_answer(&asked.send().await, 200, running);
    for request in [
        gateway.request("GET", "/api/"),
        gateway.request("GET", "/api/").bearer("admin.wrong"),
        gateway.request("GET", "/api/").key(Key(ADMIN)),
    ] {
        assert_answer(&request.send().await, 401, "401: Unauthorized");
    }
}

#[tokio::test]
async fn the_api_stands_behind_its_slash_and_refuses_other_methods() {
    let gateway = gateway().await;
    let without = gateway.request("GET", "/api").bearer(ADMIN).send().await;
    assert_eq!(without.status, 404);
    let wrong = gateway
        .request("PUT", "/api/states")
        .bearer(ADMIN)
        .send()
        .await;
    assert_answer(&wrong, 405, "405: Method Not Allowed");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn what_is_there_is_told() {
    let gateway = gateway().await;
    let get = |path: &'static str| gateway.request("GET", path).bearer(USER).ok();
    let config = get("/api/config").await;
    assert_eq!(config["state"], "RUNNING");
    assert_eq!(config["location_name"], "Headquarters");
    assert!(
        get("/api/components")
            .await
            .as_array()
            .unwrap()
            .contains(&json!("switch"))
    );
    assert_eq!(get("/api/core/state").await["state"], "RUNNING");
    let events = get("/api/events").await;
    let events = events.as_array().expect("a list");
    assert!(events.iter().any(|event| event["event"] == "state_changed"));
}

#[tokio::test]
async fn an_event_is_announced_by_administrators_with_an_object_or_nothing() {
    let gateway = gateway().await;
    let fire = async |key: &str, body: &str| {
        let request = gateway.request("POST", "/api/events/my_ev");
        request.bearer(key).body(body).send().await
    };
    let fired = r#"{"message":"Event my_ev fired."}"#;
    for body in ["", "{}", r#"{"n": 1e400, "s": "\ud800"}"#] {
        assert_answer(&fire(ADMIN, body).await, 200, fired);
    }
    let no_object = r#"{"message":"Event data should be a JSON object"}"#;
    assert_answer(&fire(ADMIN, "[]").await, 400, no_object);
    let no_json = r#"{"message":"Event data should be valid JSON."}"#;
    assert_answer(&fire(ADMIN, "{").await, 400, no_json);
    assert_answer(&fire(USER, "{}").await, 401, "401: Unauthorized");
}

#[tokio::test]
async fn a_webhook_is_heard_whether_there_is_one_or_not() {
    let gateway = gateway().await;
    for method in ["GET", "HEAD", "POST", "PUT"] {
        let called = gateway.request(method, "/api/webhook/x").send().await;
        assert_answer(&called, 200, "");
    }
    let refused = gateway.request("DELETE", "/api/webhook/x").send().await;
    assert_eq!(refused.status, 405);
}

#[tokio::test]
async fn a_template_is_rendered_for_administrators_with_what_modules_say() {
    let gateway = furnished().await;
    let render = async |key: &str, body: &str| {
        let request = gateway.request("POST", "/api/template");
        request.bearer(key).body(body).send().await
    };
    let template = json!({
        "template": "{{ who }}: {{ states('number.board_room_shared_1_level') }}, {{ state_attr('switch.board_room_shared_1_power', 'friendly_name') }}",
        "variables": {"who": "Ann"},
    });
    let rendered = render(ADMIN, &template.to_string()).await;
    assert_answer(&rendered, 200, "Ann: 5, Shared 1 power");
    let kind = rendered.header("content-type").expect("a type");
    assert!(kind.starts_with("text/plain"), "{kind}");
    for bad in ["{", "{}", r#"{"template": "{{ states( }}"}"#] {
        let refused = render(ADMIN, bad).await;
        assert_eq!(refused.status, 400);
        let message = refused.json()["message"].to_string();
        assert!(message.starts_with("\"Error rendering template: "));
    }
    let not_for = render(USER, &template.to_string()).await;
    assert_answer(&not_for, 401, "401: Unauthorized");
}

#[tokio::test]
async fn the_websocket_tells_the_same_configuration() {
    let gateway = gateway().await;
    let over_rest = gateway.request("GET", "/api/config").bearer(USER);
    let over_rest = over_rest.ok().await;
    let mut socket = Socket::sign_in(&gateway, Key(USER)).await;
    let over_websocket = socket.ask(json!({"type": "get_config"})).await;
    assert_eq!(over_websocket, over_rest);
}

#[tokio::test]
async fn the_websockets_path_is_no_page() {
    let gateway = gateway().await;
    let plain = gateway.request("GET", "/api/websocket").send().await;
    assert_eq!(plain.status, 400);
}

const POWER: &str = "switch.board_room_shared_1_power";
const LEVEL: &str = "number.board_room_shared_1_level";

/// A gateway whose module has said something, once that has become entities.
async fn furnished() -> Gateway {
    let gateway = gateway().await;
    for arguments in [json!(["power", false]), json!(["level", 5])] {
        let path = "/api/engine/v2/systems/sys-1/Shared_1/set";
        let set = gateway.request("POST", path).json(arguments);
        let set = set.key(Key(ADMIN)).send().await;
        assert_eq!(set.status, 200, "{}", set.body);
    }
    let found = async {
        while state(&gateway, LEVEL).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    within(DEADLINE, || "entities".to_owned(), found).await;
    gateway
}

async fn state(gateway: &Gateway, entity: &str) -> Response {
    let path = format!("/api/states/{entity}");
    gateway.request("GET", &path).bearer(USER).send().await
}

async fn call(gateway: &Gateway, service: &str, body: &str) -> Response {
    let path = format!("/api/services/{service}");
    let request = gateway.request("POST", &path).bearer(USER);
    request.body(body).send().await
}

#[tokio::test]
async fn states_are_listed_and_shown_with_all_that_clients_read() {
    let gateway = furnished().await;
    let all = gateway
        .request("GET", "/api/states")
        .bearer(USER)
        .ok()
        .await;
    let all = all.as_array().expect("a list");
    let listed = all.iter().find(|state| state["entity_id"] == POWER);
    let listed = listed.unwrap_or_else(|| panic!("no {POWER} in {all:?}"));
    let one = state(&gateway, POWER).await.json();
    assert_eq!(one["state"], "off");
    for key in ["state", "attributes", "last_changed", "last_updated"] {
        assert_eq!(listed[key], one[key], "{key}");
    }
    for key in [
        "attributes",
        "last_changed",
        "last_updated",
        "last_reported",
        "context",
    ] {
        assert!(one.get(key).is_some(), "{key} in {one}");
    }
    let unknown = state(&gateway, "switch.nothing").await;
    assert_answer(&unknown, 404, r#"{"message":"Entity not found."}"#);
}

#[tokio::test]
async fn who_may_not_look_into_a_room_sees_none_of_its_entities() {
    let gateway = furnished().await;
    let restricted = "other.secret-o";
    let all = gateway
        .request("GET", "/api/states")
        .bearer(USER)
        .ok()
        .await;
    assert_ne!(all, json!([]));
    let none = gateway.request("GET", "/api/states").bearer(restricted);
    let none = none.ok().await;
    assert_eq!(none.as_array().map(Vec::len), Some(0), "{none}");
    let hidden = format!("/api/states/{POWER}");
    let hidden = gateway
        .request("GET", &hidden)
        .bearer(restricted)
        .send()
        .await;
    assert_eq!(hidden.status, 404);
}

#[tokio::test]
async fn a_service_answers_with_the_states_that_it_changed() {
    let gateway = furnished().await;
    let body = json!({"entity_id": POWER}).to_string();
    let changed = call(&gateway, "switch/turn_on", &body).await.json();
    assert_eq!(changed.as_array().map(Vec::len), Some(1), "{changed}");
    assert_eq!(changed[0]["entity_id"], POWER);
    assert_eq!(changed[0]["state"], "on");
    assert_eq!(text(&changed[0]["context"], "id").len(), 26);
    assert_eq!(state(&gateway, POWER).await.json()["state"], "on");
}

#[tokio::test]
async fn a_service_call_that_cannot_be_so_is_refused_as_in_the_original() {
    let gateway = furnished().await;
    let bad = "400: Bad Request";
    assert_answer(&call(&gateway, "switch/zap", "").await, 400, bad);
    assert_answer(&call(&gateway, "switch/turn_on", "[]").await, 400, bad);
    let no_json = r#"{"message":"Data should be valid JSON."}"#;
    assert_answer(&call(&gateway, "switch/turn_on", "{").await, 400, no_json);
    let body = json!({"entity_id": LEVEL, "value": "abc"}).to_string();
    assert_answer(&call(&gateway, "number/set_value", &body).await, 400, bad);
    let services = gateway
        .request("GET", "/api/services")
        .bearer(USER)
        .ok()
        .await;
    let services = services.as_array().expect("a list");
    assert!(services.iter().any(|listed| listed["domain"] == "switch"));
}

#[tokio::test]
async fn what_functions_return_is_told_to_those_who_ask() {
    let gateway = furnished().await;
    let body = json!({"sys": "sys-1", "mod": "Shared", "index": 1, "name": "echo", "args": [7]});
    let path = "gateway/exec?return_response";
    let answer = call(&gateway, path, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = answer.json();
    assert_eq!(answer["service_response"], json!({"value": 7}));
    assert_eq!(answer["changed_states"], json!([]));
}

#[tokio::test]
async fn a_state_is_set_where_the_module_has_a_function_for_it() {
    let gateway = furnished().await;
    let set = async |key: &str, entity: &str, body: &str| {
        let path = format!("/api/states/{entity}");
        gateway
            .request("POST", &path)
            .bearer(key)
            .body(body)
            .send()
            .await
    };
    let on = r#"{"state":"on","attributes":{}}"#;
    let done = set(ADMIN, POWER, on).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.json()["state"], "on");
    assert_eq!(
        done.header("location"),
        Some(&*format!("/api/states/{POWER}"))
    );
    for (key, entity, body, status, refusal) in [
        (USER, POWER, on, 401, "401: Unauthorized"),
        (
            ADMIN,
            POWER,
            "{",
            400,
            r#"{"message":"Invalid JSON specified."}"#,
        ),
        (
            ADMIN,
            POWER,
            "{}",
            400,
            r#"{"message":"No state specified."}"#,
        ),
        (
            ADMIN,
            "nothing",
            on,
            400,
            r#"{"message":"Invalid entity ID specified."}"#,
        ),
        (ADMIN, "switch.nothing", on, 405, "405: Method Not Allowed"),
    ] {
        let refused = set(key, entity, body).await;
        assert_answer(&refused, status, refusal);
    }
    let long = format!(r#"{{"state":"{}"}}"#, "x".repeat(256));
    let refused = set(ADMIN, POWER, &long).await;
    assert_answer(&refused, 400, r#"{"message":"Invalid state specified."}"#);
    let removed = async |entity: &str| {
        let path = format!("/api/states/{entity}");
        gateway.request("DELETE", &path).bearer(ADMIN).send().await
    };
    assert_eq!(removed(POWER).await.status, 405);
    let unknown = removed("switch.nothing").await;
    assert_answer(&unknown, 404, r#"{"message":"Entity not found."}"#);
}

#[tokio::test]
async fn events_are_streamed_to_administrators() {
    let gateway = furnished().await;
    let refused = gateway
        .request("GET", "/api/stream")
        .bearer(USER)
        .send()
        .await;
    assert_answer(&refused, 401, "401: Unauthorized");
    let mut stream = gateway.endpoint().connect(None).await.expect("a stream");
    let head = format!(
        "GET /api/stream?restrict=state_changed,my_ev HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {ADMIN}\r\n\r\n",
        gateway.address()
    );
    stream.write_all(head.as_bytes()).await.expect("it is open");
    let mut seen = String::new();
    until(&mut stream, &mut seen, "data: ping").await;
    assert!(seen.contains("text/event-stream"), "{seen}");
    let body = json!({"entity_id": POWER}).to_string();
    call(&gateway, "switch/turn_on", &body).await;
    until(&mut stream, &mut seen, "\"state\":\"on\"").await;
    assert!(
        seen.contains(r#"data: {"event_type":"state_changed""#),
        "{seen}"
    );
    let fire = gateway.request("POST", "/api/events/my_ev").bearer(ADMIN);
    fire.body("{\"n\":\n1}").ok().await;
    until(
        &mut stream,
        &mut seen,
        r#"data: {"event_type":"my_ev","data":{"n": 1}"#,
    )
    .await;
    let unwanted = gateway.request("POST", "/api/events/other").bearer(ADMIN);
    unwanted.body("").ok().await;
    let again = gateway.request("POST", "/api/events/my_ev").bearer(ADMIN);
    again.body(r#"{"n":2}"#).ok().await;
    until(&mut stream, &mut seen, r#"{"n":2}"#).await;
    assert!(!seen.contains("\"other\""), "{seen}");
}

/// Reads on until a text has come.
async fn until(stream: &mut (impl AsyncRead + Unpin), seen: &mut String, wanted: &str) {
    let reading = async {
        let mut room = [0; 4096];
        while !seen.contains(wanted) {
            let read = stream.read(&mut room).await.expect("it is open");
            assert_ne!(read, 0, "the stream has ended");
            seen.push_str(&String::from_utf8_lossy(&room[..read]));
        }
    };
    within(DEADLINE, || wanted.to_owned(), reading).await;
}
