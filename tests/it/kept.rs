//! What is kept as JSON and as text comes back as it came: over REST, as a building file, after a restart, from a Redis.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::harness::{BUILDING, Gateway, Key, Plan, Redis, Response, Terminal, display};

const BASE: &str = "/api/engine/v2";
const WHOLE: &str = "/api/engine/v2/building";

/// JSON that no tree of values can hold: beyond 64 bits, half of a surrogate pair, long fractions, a name that is there twice, spaces.
const ODD: &str = r#"{"big": 1e400, "half":"\ud800", "long":0.12345678901234567890, "bits" : 590295810358705651712, "twice":1,"twice":2.0, "half\ud801":[ ]}"#;

async fn send(gateway: &Gateway, method: &str, path: &str, body: &str) -> Response {
    let request = gateway.request(method, path).key(Key::ADMIN);
    let request = request.header("Content-Type", "application/json");
    request.body(body).send().await
}

/// What a gateway exports, once it has passed `riser check`, and what another one exports to which it was applied.
async fn exported_twice(gateway: &Gateway) -> (String, String) {
    let exported = good(gateway, "GET", WHOLE, "").await;
    let checked = Terminal::bare()
        .file("b.yaml", &exported)
        .run(&["check", "b.yaml"])
        .await;
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let other = Gateway::start(BUILDING).await;
    good(&other, "PUT", WHOLE, &exported).await;
    let again = good(&other, "GET", WHOLE, "").await;
    (exported, again)
}

async fn good(gateway: &Gateway, method: &str, path: &str, body: &str) -> String {
    let response = send(gateway, method, path, body).await;
    assert!(
        (200..300).contains(&response.status),
        "{method} {path} {body}: {}",
        response.body
    );
    response.body
}

async fn details(gateway: &Gateway) -> String {
    let path = format!("{BASE}/metadata/zone-hq?name=odd");
    let body = good(gateway, "GET", &path, "").await;
    let (_, behind) = body.split_once(r#""details":"#).expect("details");
    let (details, _) = behind.split_once(r#","editors""#).expect("an end");
    details.to_owned()
}

/// Makes the odd metadata and a module with odd settings, and holds REST to them.
async fn make_odd(gateway: &Gateway) {
    let metadata = format!("{BASE}/metadata/zone-hq");
    let body = format!(r#"{{"name": "odd", "details": {ODD}}}"#);
    good(gateway, "PUT", &metadata, &body).await;
    assert_eq!(details(gateway).await, ODD);
    let module =
        format!(r#"{{"id": "mod-odd", "driver_id": "virtual", "port": 1.0, "settings": {ODD}}}"#);
    good(gateway, "POST", &format!("{BASE}/modules"), &module).await;
}

#[tokio::test]
async fn json_that_no_tree_of_values_can_hold_comes_back_byte_for_byte() {
    let mut gateway = Plan::serve(BUILDING)
        .arguments(["--data", "data"])
        .start()
        .await;
    make_odd(&gateway).await;
    let exported = good(&gateway, "GET", WHOLE, "").await;
    let quoted = serde_json::to_string(ODD).expect("a text");
    assert!(
        exported.contains(&format!("details_json: {quoted}"))
            && exported.contains(&format!("settings_json: {quoted}")),
        "{exported}"
    );

    gateway.forget_building();
    gateway.terminate().await;
    gateway.restart().await;
    assert_eq!(details(&gateway).await, ODD);
    assert_eq!(good(&gateway, "GET", WHOLE, "").await, exported);

    let other = Gateway::start(BUILDING).await;
    good(&other, "PUT", WHOLE, &exported).await;
    assert_eq!(details(&other).await, ODD);
    assert_eq!(good(&other, "GET", WHOLE, "").await, exported);
}

#[tokio::test]
async fn a_redis_gives_the_same_bytes_to_another_node() {
    let redis = Redis::start().await;
    let first = Plan::serve(BUILDING).on(&redis.url()).start().await;
    make_odd(&first).await;
    let second = Plan::serve(BUILDING).on(&redis.url()).start().await;
    assert_eq!(details(&second).await, ODD);
    assert_eq!(
        good(&second, "GET", WHOLE, "").await,
        good(&first, "GET", WHOLE, "").await
    );
}

#[tokio::test]
async fn a_patch_of_odd_details_merges_and_leaves_the_rest_as_it_was() {
    let gateway = Gateway::start(BUILDING).await;
    let metadata = format!("{BASE}/metadata/zone-hq");
    let before = r#"{"name":"odd","details":{"keep": [1.0, 590295810358705651712],"big":1}}"#;
    good(&gateway, "PUT", &metadata, before).await;
    let patch = r#"{"name":"odd","details":{"big": 1e400, "half": "\ud800"}}"#;
    good(&gateway, "PATCH", &metadata, patch).await;
    assert_eq!(
        details(&gateway).await,
        r#"{"keep":[1.0, 590295810358705651712],"big":1e400,"half":"\ud800"}"#
    );
}

#[tokio::test]
async fn statuses_arguments_and_results_stay_byte_for_byte() {
    let gateway = Gateway::start(BUILDING).await;
    let place = format!("{BASE}/systems/sys-1/Shared_1");
    let arguments = format!(r#"["odd", {ODD}]"#);
    good(&gateway, "POST", &format!("{place}/set"), &arguments).await;
    let got = good(&gateway, "POST", &format!("{place}/get"), r#"["odd"]"#).await;
    assert_eq!(got, ODD);
    assert_eq!(
        good(&gateway, "GET", &format!("{place}/odd"), "").await,
        ODD
    );
    let mut page = gateway.connect(Key::ADMIN).await;
    let text = format!(
        r#"{{"id":7,"cmd":"exec","sys":"sys-1","mod":"Shared","index":1.0,"name":"echo","args":[{ODD}]}}"#
    );
    page.send_text(&text).await;
    let answer = page.next_text("the answer to exec").await;
    assert!(answer.contains(ODD), "{answer}");
}

#[tokio::test]
async fn a_name_like_a_variable_is_text_in_the_exported_file() {
    let gateway = Gateway::start(BUILDING).await;
    let zone = json!({"id": "zone-${ENV:HOME}", "name": "${ENV:HOME}", "description": "$${x} ${"});
    good(
        &gateway,
        "POST",
        &format!("{BASE}/zones"),
        &zone.to_string(),
    )
    .await;
    let (exported, again) = exported_twice(&gateway).await;
    assert_eq!(again, exported);
}

/// Texts that YAML or a building file could take for something else.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \\n\\t:#'\"\\\\{}\\[\\],&*!|>%@`$?~=<.0-9a-e_-]{1,16}",
        prop::sample::select(vec![
            "null",
            "0123",
            "yes",
            "1e3",
            "<<",
            "${ENV:HOME}",
            "$${ENV:HOME}",
            "a\n\n",
            " a",
            "- b",
            "~",
        ])
        .prop_map(str::to_owned),
    ]
}

fn name() -> impl Strategy<Value = String> {
    text().prop_map(|text| format!("{text}."))
}

/// What clients send to make an entry: its path and its body. Numbers make the ids, since what is made must be new.
fn document(number: usize) -> impl Strategy<Value = (String, String)> {
    let detail = prop::sample::select(vec![
        "null",
        "[]",
        "\"\"",
        "{}",
        "{ }",
        "5",
        "1e400",
        "{\"a\":1.0}",
        "{\"a\": \"${ENV:A}\"}",
        ODD,
        "[[[]]]",
        "true",
    ]);
    (0..6_usize, prop::collection::vec(name(), 6), detail).prop_map(move |(kind, texts, detail)| {
        let [a, b, c, d, e, f] = &texts[..] else {
            unreachable!("six texts")
        };
        let id: String = a.chars().filter(|c| !c.is_control()).take(40).collect();
        let id = format!("{id}{number}");
        let settings = if detail.starts_with('{') { detail } else { "{}" };
        let with = |document: Value, key: &str, raw: &str| {
            let text = document.to_string();
            format!("{},\"{key}\":{raw}}}", &text[..text.len() - 1])
        };
        match kind {
            0 => ("/zones".to_owned(), json!({"id": id, "name": b, "display_name": c, "description": d, "tags": [e, f], "parent_id": "zone-hq"}).to_string()),
            1 => ("/systems".to_owned(), json!({"id": id, "name": b, "email": c, "capacity": 12.0, "bookable": true, "features": [d], "map_id": e, "support_url": f, "timezone": "Europe/London", "zones": ["zone-hq"]}).to_string()),
            2 => ("/modules".to_owned(), with(json!({"id": id, "driver_id": "virtual", "uri": b, "custom_name": ""}), "settings", settings)),
            3 => ("/users".to_owned(), json!({"id": id, "email": format!("{b}{number}"), "name": c, "groups": [d, e]}).to_string()),
            4 => ("/api_keys".to_owned(), json!({"id": format!("key-{number}"), "user_id": "user-ann", "permissions": "user", "scopes": [], "systems": ["sys-1"]}).to_string()),
            _ => {
                let name: String = b.chars().filter(|c| !c.is_control()).take(40).collect();
                ("/metadata/zone-hq".to_owned(), with(json!({"name": format!("{name}{number}"), "description": c, "editors": [d]}), "details", detail))
            }
        }
    })
}

/// Everything goes through the same edits as whatever else REST makes; what is refused there is no part of the building.
#[tokio::test]
async fn every_building_that_rest_makes_is_exported_checked_and_applied_as_it_is() {
    let gateway = Gateway::start(BUILDING).await;
    let mut runner = TestRunner::deterministic();
    let (mut made, mut sent) = (0, Vec::new());
    for number in 0..200 {
        let tree = document(number).new_tree(&mut runner).expect("a document");
        let (path, body) = tree.current();
        let method = if path.starts_with("/metadata") {
            "PUT"
        } else {
            "POST"
        };
        let response = send(&gateway, method, &format!("{BASE}{path}"), &body).await;
        match response.status {
            200 | 201 => made += 1,
            status => sent.push(format!("{status} {path} {body} {}", response.body)),
        }
    }
    assert!(
        made > 150,
        "{made} of 200 were made; refused were {sent:#?}"
    );

    let (exported, again) = exported_twice(&gateway).await;
    assert!(
        again == exported,
        "another building:\n{again}\nof\n{exported}"
    );
}

#[tokio::test]
async fn what_a_building_file_cannot_say_is_refused_when_it_is_written() {
    let gateway = Gateway::start(BUILDING).await;
    for (path, body, field) in [
        (
            "/systems",
            r#"{"name": "S", "zones": ["zone-hq", "zone-hq"]}"#,
            "zones",
        ),
        (
            "/systems",
            r#"{"name": "S", "timezone": "Europe/Berln"}"#,
            "timezone",
        ),
        (
            "/systems",
            r#"{"name": "S", "capacity": 4294967296}"#,
            "capacity",
        ),
        ("/systems", r#"{"name": "S", "id": "control"}"#, "id"),
        ("/systems", r#"{"name": "S", "id": "with_emails"}"#, "id"),
        ("/zones", r#"{"name": "Z", "id": "tags"}"#, "id"),
        (
            "/users",
            r#"{"email": "x@example.test", "id": "current"}"#,
            "id",
        ),
        (
            "/api_keys",
            r#"{"user_id": "user-ann", "id": "inspect"}"#,
            "id",
        ),
    ] {
        let response = send(&gateway, "POST", &format!("{BASE}{path}"), body).await;
        assert_eq!(response.status, 422, "{path} {body}: {}", response.body);
        assert_eq!(response.json()["failures"][0]["field"], field, "{body}");
    }
    // The websocket finds its way to what is there already, and to nothing else.
    let mut page = gateway.connect(Key::USER).await;
    page.bind(display("power"), 1).await;
}

#[tokio::test]
async fn an_id_that_rest_could_never_reach_is_a_mistake_of_the_file() {
    let file = "zones: [{id: tags, name: Z}]\nsystems:\n  - {id: with_emails, name: S}\n  - {id: control, name: C, timezone: Europe/Berln}\n";
    let checked = Terminal::bare()
        .file("b.yaml", file)
        .run(&["check", "b.yaml"])
        .await;
    assert_eq!(checked.code, Some(2), "{checked:?}");
    let begins: Vec<bool> = ["1:14: ", "3:10: ", "4:10: ", "4:38: "]
        .iter()
        .zip(&checked.err)
        .map(|(place, line)| line.starts_with(&format!("riser: b.yaml:{place}")))
        .collect();
    assert_eq!(begins, [true; 4], "{checked:#?}");
}
