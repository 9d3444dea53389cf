//! Changing the building over REST: systems, zones, modules, users, API keys, metadata.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{BUILDING, Gateway, Key, Request, Response, display};

const BASE: &str = "/api/engine/v2";

fn ask(gateway: &Gateway, method: &str, path: &str, key: Key) -> Request {
    gateway.request(method, &format!("{BASE}{path}")).key(key)
}

async fn get(gateway: &Gateway, path: &str) -> Value {
    ask(gateway, "GET", path, Key::ADMIN).ok().await
}

async fn status_of(request: Request) -> u16 {
    request.send().await.status
}

/// Sends a document as an administrator, and gives the answer, whose status has to be this.
async fn send(
    gateway: &Gateway,
    method: &str,
    path: &str,
    document: Value,
    expected: u16,
) -> Response {
    let request = ask(gateway, method, path, Key::ADMIN).json(document);
    let response = request.send().await;
    assert_eq!(
        response.status, expected,
        "{method} {path}: {}",
        response.body
    );
    response
}

async fn delete(gateway: &Gateway, path: &str) {
    let request = ask(gateway, "DELETE", path, Key::ADMIN);
    assert_eq!(status_of(request).await, 202, "{path}");
}

fn id(response: &Response) -> String {
    let document = response.json();
    document["id"].as_str().expect("an id").to_owned()
}

/// The fields that a 422 names.
fn failures(response: &Response) -> Vec<String> {
    let document = response.json();
    let failures = document["failures"].as_array().expect("failures");
    let field = |failure: &Value| failure["field"].as_str().expect("a field").to_owned();
    failures.iter().map(field).collect()
}

#[tokio::test]
async fn a_room_is_made_changed_driven_and_taken_away() {
    let gateway = Gateway::start(BUILDING).await;
    let zone = json!({"name": "Level 3", "tags": ["level"], "parent_id": "zone-hq"});
    let zone = id(&send(&gateway, "POST", "/zones", zone, 201).await);
    let module = json!({"driver_id": "virtual", "custom_name": "Lights"});
    let module = id(&send(&gateway, "POST", "/modules", module, 201).await);
    let system = json!({"name": "Attic", "zones": [zone], "capacity": 2});
    let made = send(&gateway, "POST", "/systems", system, 201).await;
    let system = id(&made);
    assert_eq!(
        (&made.json()["version"], made.header("ETag")),
        (&json!(1), Some("\"1\""))
    );

    let place = display("power").of("Lights").within(&system);
    let mut page = gateway.connect(Key::USER).await;
    page.bind(place, 1).await;
    let put = format!("/systems/{system}/module/{module}");
    let with_module = send(&gateway, "PUT", &put, json!({}), 200).await;
    assert_eq!(with_module.json()["modules"], json!([module]));
    assert_eq!(with_module.header("ETag"), Some("\"2\""));
    // Again it changes nothing.
    assert_eq!(
        send(&gateway, "PUT", &put, json!({}), 200)
            .await
            .header("ETag"),
        Some("\"2\"")
    );
    let mut console = gateway.connect(Key::USER).await;
    console.set(place, true).await;
    page.expect(place.notify(1, true)).await;

    let change = json!({"name": "Loft", "email": "loft@example.test", "signage": true});
    let changed = send(
        &gateway,
        "PATCH",
        &format!("/systems/{system}"),
        change,
        200,
    )
    .await;
    let changed = changed.json();
    assert_eq!(
        (&changed["name"], &changed["capacity"]),
        (&json!("Loft"), &json!(2))
    );
    assert_eq!(get(&gateway, "/systems/loft@example.test").await, changed);
    let renamed = json!({"description": "Under the roof"});
    send(&gateway, "PUT", &format!("/zones/{zone}"), renamed, 200).await;
    assert_eq!(
        get(&gateway, &format!("/zones/{zone}")).await["name"],
        "Level 3"
    );

    let removed = ask(&gateway, "DELETE", &put, Key::ADMIN).send().await;
    assert_eq!(
        (removed.status, &removed.json()["modules"]),
        (202, &json!([]))
    );
    page.expect(place.notify(1, Value::Null)).await;
    // It stood nowhere else, so it is gone.
    let gone = ask(&gateway, "GET", &format!("/modules/{module}"), Key::ADMIN);
    assert_eq!(status_of(gone).await, 404);
    delete(&gateway, &format!("/systems/{system}")).await;
    delete(&gateway, &format!("/zones/{zone}")).await;
    for path in [format!("/systems/{system}"), format!("/zones/{zone}")] {
        for method in ["GET", "DELETE", "PATCH"] {
            let request = ask(&gateway, method, &path, Key::ADMIN).json(json!({}));
            assert_eq!(status_of(request).await, 404, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_system_takes_its_own_modules_with_it_and_leaves_the_shared_ones() {
    let gateway = Gateway::start(BUILDING).await;
    delete(&gateway, "/systems/sys-2").await;
    for (module, expected) in [("mod-d3", 404), ("mod-shared", 200), ("mod-d1", 200)] {
        let request = ask(&gateway, "GET", &format!("/modules/{module}"), Key::ADMIN);
        assert_eq!(status_of(request).await, expected, "{module}");
    }
}

#[tokio::test]
async fn who_counts_on_an_older_version_changes_nothing() {
    let gateway = Gateway::start(BUILDING).await;
    let first = ask(&gateway, "GET", "/systems/sys-1", Key::ADMIN)
        .send()
        .await;
    let tag = first.header("ETag").expect("a tag").to_owned();
    let version = first.json()["version"].as_u64().expect("a version");
    let patch = |query: &str, name: &str| {
        let request = ask(
            &gateway,
            "PATCH",
            &format!("/systems/sys-1{query}"),
            Key::ADMIN,
        );
        request.json(json!({"name": name}))
    };

    let by_version = patch(&format!("?version={version}"), "First").send().await;
    assert_eq!(
        (by_version.status, &by_version.json()["version"]),
        (200, &json!(version + 1))
    );
    let again = patch(&format!("?version={version}"), "Second").send().await;
    assert_eq!(again.status, 409, "{}", again.body);
    assert!(again.json()["error"].is_string());
    for stale in [&*tag, "\"none\"", "W/\"1\""] {
        let refused = patch("", "Third").header("If-Match", stale).send().await;
        assert_eq!(refused.status, 412, "{stale}: {}", refused.body);
    }
    let delete = ask(&gateway, "DELETE", "/systems/sys-1", Key::ADMIN).header("If-Match", &tag);
    assert_eq!(status_of(delete).await, 412);
    assert_eq!(get(&gateway, "/systems/sys-1").await["name"], "First");

    let now = by_version.header("ETag").expect("a tag").to_owned();
    for good in [format!("\"x\", {now}"), "*".to_owned()] {
        let response = patch("", &good).header("If-Match", &good).send().await;
        assert_eq!(response.status, 200, "{good}: {}", response.body);
    }
    let wrong = patch("?version=new", "x").send().await;
    assert_eq!(
        (wrong.status, &wrong.json()["parameter"]),
        (422, &json!("version"))
    );
}

#[tokio::test]
async fn many_changes_of_one_document_at_a_time_are_all_kept() {
    let gateway = Gateway::start(BUILDING).await;
    let patches = (0..20).map(|number| {
        let document = json!({"name": "counts", "details": {format!("n{number}"): number}});
        let request = ask(&gateway, "PATCH", "/metadata/zone-hq", Key::SUPPORT);
        async move { (number, status_of(request.json(document)).await) }
    });
    // The first to come makes it, and those beside it find it there.
    for (number, status) in futures_util::future::join_all(patches).await {
        assert_eq!(status, 200, "{number}");
    }
    let metadata = get(&gateway, "/metadata/zone-hq?name=counts").await;
    let details = metadata["counts"]["details"].as_object().expect("details");
    assert_eq!(details.len(), 20, "{metadata}");
}

#[tokio::test]
async fn only_who_may_changes_the_building_and_it_is_written_down() {
    let gateway = Gateway::start(BUILDING).await;
    let room = || json!({"name": "Board Room 1"});
    for (key, method, path, expected) in [
        (Key::USER, "PATCH", "/systems/sys-1", 403),
        (Key::USER, "POST", "/zones", 403),
        (Key::USER, "DELETE", "/modules/mod-d1", 403),
        (Key::CLIMBER, "PATCH", "/zones/zone-l1", 403),
        (Key::READER, "PATCH", "/systems/sys-1", 403),
        (Key::ROOM, "PATCH", "/systems/sys-1", 403),
        (Key::ROOM, "PATCH", "/systems/sys-2", 403),
        (Key::SUPPORT, "PATCH", "/systems/sys-1", 200),
        (Key::SUPPORT, "POST", "/zones", 201),
        (Key::SUPPORT, "DELETE", "/systems/sys-1", 403),
        (Key::SUPPORT, "PATCH", "/modules/mod-d1", 403),
        (Key::SUPPORT, "POST", "/users", 403),
        (Key::SUPPORT, "GET", "/users", 200),
        (Key::USER, "GET", "/users", 403),
        (Key::SUPPORT, "GET", "/api_keys", 403),
        (Key::SUPPORT, "GET", "/api_keys/user", 403),
        (Key::SUPPORT, "POST", "/api_keys", 403),
        (Key::USER, "PUT", "/metadata/zone-hq", 403),
    ] {
        let response = ask(&gateway, method, path, key).json(room()).send().await;
        assert_eq!(
            response.status, expected,
            "{key} {method} {path}: {}",
            response.body
        );
        if expected == 403 {
            assert_eq!(response.body, "", "{key} {method} {path}");
        }
    }
    let nobody = gateway.request("DELETE", &format!("{BASE}/systems/sys-1"));
    assert_eq!(status_of(nobody).await, 401);

    let allowed = gateway.logged("allowed").await;
    for part in ["user-eve", "support", "127.0.0.1", "sys-1"] {
        assert!(allowed.contains(part), "{part} is missing in {allowed}");
    }
    gateway.logged("needs a higher clearance").await;
}

#[tokio::test]
async fn what_cannot_be_is_said_field_by_field() {
    let gateway = Gateway::start(BUILDING).await;
    for (method, path, document, expected) in [
        ("POST", "/systems", json!({}), &["name"][..]),
        (
            "PATCH",
            "/systems/sys-1",
            json!({"capacity": "many"}),
            &["capacity"],
        ),
        (
            "PATCH",
            "/systems/sys-1",
            json!({"zones": ["zone-none"]}),
            &["zones"],
        ),
        (
            "PATCH",
            "/systems/sys-1",
            json!({"zones": [""], "modules": [""]}),
            &["zones", "modules"],
        ),
        (
            "POST",
            "/zones",
            json!({"id": "a\nb", "name": "x"}),
            &["id"],
        ),
        (
            "PATCH",
            "/zones/zone-hq",
            json!({"parent_id": "zone-l1"}),
            &["parent_id"],
        ),
        (
            "POST",
            "/modules",
            json!({"driver_id": "none"}),
            &["driver_id"],
        ),
        (
            "PATCH",
            "/zones/zone-hq",
            json!({"colour": "red", "triggers": ["trig-1"], "id": "zone-other"}),
            &["colour", "triggers"],
        ),
        (
            "PATCH",
            "/zones/zone-hq",
            json!({"id": "zone-other"}),
            &["id"],
        ),
        ("POST", "/api_keys", json!({"ttl": 60}), &["ttl"]),
        (
            "PATCH",
            "/modules/mod-d1",
            json!({"control_system_id": "sys-none"}),
            &["control_system_id"],
        ),
        (
            "PUT",
            "/metadata/zone-hq",
            json!({"name": "x", "parent_id": "zone-l1"}),
            &["parent_id"],
        ),
        (
            "POST",
            "/users",
            json!({"email": "ANN@example.test"}),
            &["email"],
        ),
        (
            "POST",
            "/users",
            json!({"email": "x@example.test", "password": 5}),
            &["password"],
        ),
        (
            "POST",
            "/api_keys",
            json!({"user_id": "user-none"}),
            &["user_id"],
        ),
        (
            "POST",
            "/api_keys",
            json!({"permissions": "god"}),
            &["permissions"],
        ),
        (
            "PUT",
            "/metadata/zone-hq",
            json!({"details": {}}),
            &["name"],
        ),
    ] {
        let response = send(&gateway, method, path, document.clone(), 422).await;
        assert_eq!(failures(&response), expected, "{method} {path} {document}");
    }
    for body in ["", "[]", "{\"name\":", "nonsense"] {
        let request = ask(&gateway, "POST", "/zones", Key::ADMIN).body(body);
        let response = request.send().await;
        assert_eq!(response.status, 400, "{body}: {}", response.body);
    }
    for (path, document) in [
        ("/zones", json!({"id": "zone-hq", "name": "Twice"})),
        ("/systems", json!({"id": "sys-1", "name": "Twice"})),
        ("/modules", json!({"id": "mod-d1", "driver_id": "virtual"})),
        ("/api_keys", json!({"id": "user"})),
    ] {
        send(&gateway, "POST", path, document, 409).await;
    }
    assert_eq!(
        get(&gateway, "/zones/zone-hq").await["name"],
        "Headquarters"
    );
    let unknown = send(
        &gateway,
        "PUT",
        "/metadata/zone-none",
        json!({"name": "x"}),
        404,
    )
    .await;
    assert!(unknown.json()["error"].is_string());
}

#[tokio::test]
async fn what_was_got_can_be_sent_back_whole_and_changes_nothing() {
    let gateway = Gateway::start(BUILDING).await;
    let details = json!({"name": "map", "details": {"a": 1}});
    send(&gateway, "PUT", "/metadata/zone-hq", details, 200).await;
    for path in [
        "/zones/zone-hq",
        "/systems/sys-1",
        "/modules/mod-d1",
        "/modules/mod-shared",
        "/users/user-ann",
        "/api_keys/user",
    ] {
        let got = ask(&gateway, "GET", path, Key::ADMIN).send().await;
        for method in ["PATCH", "PUT"] {
            let sent = send(&gateway, method, path, got.json(), 200).await;
            assert_eq!(sent.header("ETag"), got.header("ETag"), "{method} {path}");
        }
    }
    let got = get(&gateway, "/metadata/zone-hq?name=map").await["map"].clone();
    let sent = send(&gateway, "PATCH", "/metadata/zone-hq", got.clone(), 200).await;
    assert_eq!(sent.json(), got);
}

#[tokio::test]
async fn nobody_makes_a_key_that_opens_more_than_their_own() {
    let gateway = Gateway::start(BUILDING).await;
    let maker = json!({"user_id": "user-eve", "permissions": "admin", "scopes": ["api_keys"]});
    let made = send(&gateway, "POST", "/api_keys", maker, 201).await.json();
    let key = made["x_api_key"].as_str().expect("the key").to_owned();
    let make = |scopes: Value| {
        let request = gateway.request("POST", &format!("{BASE}/api_keys"));
        let request = request.header("X-API-Key", &key);
        request.json(json!({"user_id": "user-eve", "scopes": scopes}))
    };
    assert_eq!(status_of(make(json!(["api_keys.read"]))).await, 201);
    for wider in [json!(["public"]), json!(["api_keys", "systems.read"])] {
        assert_eq!(status_of(make(wider.clone())).await, 403, "{wider}");
    }
}

#[tokio::test]
async fn a_key_is_shown_once_opens_at_once_and_closes_what_it_opened() {
    let gateway = Gateway::start(BUILDING).await;
    let document = json!({
        "user_id": "user-sue", "permissions": "support", "systems": ["sys-2"],
        "name": "Robot", "description": "Cleans",
    });
    let made = send(&gateway, "POST", "/api_keys", document, 201)
        .await
        .json();
    let key = made["x_api_key"].as_str().expect("the key").to_owned();
    let id = made["id"].as_str().expect("an id").to_owned();
    assert!(
        key.starts_with(&format!("{id}.")) && key.len() > id.len() + 40,
        "{key}"
    );
    assert_eq!(
        (&made["scopes"], &made["systems"]),
        (&json!(["public"]), &json!(["sys-2"]))
    );
    assert_eq!(
        (&made["name"], &made["description"]),
        (&json!("Robot"), &json!("Cleans"))
    );

    let with_it = |path: &str| {
        let request = gateway.request("GET", &format!("{BASE}{path}"));
        request.header("X-API-Key", &key)
    };
    assert_eq!(with_it("/users/current").ok().await["id"], "user-sue");
    let mut socket = gateway.door().header("X-API-Key", &key).connect().await;
    socket.expect_silence_in("sys-2").await;
    let secret = key.split_once('.').expect("two halves").1;
    for path in ["/api_keys".to_owned(), format!("/api_keys/{id}")] {
        let shown = get(&gateway, &path).await.to_string();
        assert!(
            shown.contains(&id) && !shown.contains(secret),
            "{path}: {shown}"
        );
    }
    let path = format!("/api_keys/{id}");
    let changed = send(
        &gateway,
        "PATCH",
        &path,
        json!({"scopes": ["systems"]}),
        200,
    )
    .await;
    assert_eq!(changed.json().get("x_api_key"), None);

    let (code, _) = socket.expect_closed(Duration::from_secs(5)).await;
    assert_eq!(code, 1008);
    assert_eq!(status_of(with_it("/users/current")).await, 403);
    assert_eq!(status_of(with_it("/systems")).await, 200);
    delete(&gateway, &path).await;
    assert_eq!(status_of(with_it("/systems")).await, 401);
    assert!(!gateway.log().join("\n").contains(secret));
}

#[tokio::test]
async fn users_are_made_with_a_password_that_no_answer_shows() {
    let gateway = Gateway::start(BUILDING).await;
    let document = json!({"email": "tom@example.test", "name": "Tom Lee", "support": true, "password": "hunter2"});
    let made = send(&gateway, "POST", "/users", document, 201).await;
    let tom = format!("/users/{}", id(&made));
    assert_eq!(
        (&made.json()["support"], &made.json()["sys_admin"]),
        (&json!(true), &json!(false))
    );
    let changed = send(&gateway, "PATCH", &tom, json!({"groups": ["staff"]}), 200).await;
    assert_eq!(changed.json()["groups"], json!(["staff"]));
    let found = get(&gateway, "/users?q=lee").await;
    assert_eq!(found[0]["email"], "tom@example.test");
    for body in [made.body, changed.body, found.to_string()] {
        assert!(
            !body.contains("hunter2") && !body.contains("argon2"),
            "{body}"
        );
    }
    delete(&gateway, &tom).await;
    assert_eq!(status_of(ask(&gateway, "GET", &tom, Key::ADMIN)).await, 404);
    assert!(!gateway.log().join("\n").contains("hunter2"));
}

#[tokio::test]
async fn metadata_is_replaced_merged_and_taken_away() {
    let gateway = Gateway::start(BUILDING).await;
    let put = |parent: &str, key, document| {
        ask(&gateway, "PUT", &format!("/metadata/{parent}"), key).json(document)
    };
    let map = json!({"name": "map", "description": "Plans", "details": {"a": 1.0, "b": [null]}});
    let made = put("zone-l1", Key::SUPPORT, map).ok().await;
    assert_eq!(
        (&made["parent_id"], &made["details"]),
        (&json!("zone-l1"), &json!({"a": 1.0, "b": [null]}))
    );
    let patch = ask(&gateway, "PATCH", "/metadata/zone-l1", Key::SUPPORT);
    let merged = patch
        .json(json!({"name": "map", "details": {"a": 2, "c": true}}))
        .ok()
        .await;
    assert_eq!(merged["details"], json!({"a": 2, "b": [null], "c": true}));
    assert_eq!(merged["description"], "Plans");

    let by_name = get(&gateway, "/metadata/zone-l1?name=map").await;
    assert_eq!(by_name["map"], merged);
    assert_eq!(
        get(&gateway, "/metadata/zone-l1?name=other").await,
        json!({})
    );
    assert_eq!(get(&gateway, "/zones/zone-l1/metadata").await, by_name);
    let children = get(&gateway, "/metadata/zone-hq/children?name=map").await;
    assert_eq!(children[0]["metadata"]["map"]["details"], merged["details"]);
    assert_eq!(children[1]["metadata"], json!({}));
    let new = put("zone-hq", Key::SUPPORT, json!({"name": "new"}));
    assert_eq!(status_of(new.header("If-Match", "*")).await, 412);
    // A user's own is the user's.
    let own = json!({"name": "settings", "details": {"dark": true}});
    put("user-ann", Key::CLIMBER, own.clone()).ok().await;
    assert_eq!(status_of(put("user-sue", Key::CLIMBER, own)).await, 403);

    let gone = |name: &str| {
        ask(
            &gateway,
            "DELETE",
            &format!("/metadata/zone-l1{name}"),
            Key::SUPPORT,
        )
    };
    assert_eq!(status_of(gone("?name=map")).await, 202);
    assert_eq!(status_of(gone("?name=map")).await, 404);
    assert_eq!(status_of(gone("")).await, 400);
    assert_eq!(get(&gateway, "/metadata/zone-l1").await, json!({}));
}

#[tokio::test]
async fn a_module_keeps_the_settings_that_no_answer_shows() {
    let gateway = Gateway::start(BUILDING).await;
    let document = json!({
        "id": "mod-new", "driver_id": "virtual", "ip": "127.0.0.1", "port": 4352,
        "settings": {"password": "hunter2", "login": "ann"},
    });
    let made = send(&gateway, "POST", "/modules", document, 201).await;
    assert_eq!(
        (&made.json()["ip"], &made.json()["port"]),
        (&json!("127.0.0.1"), &json!(4352))
    );
    let keys = get(&gateway, "/modules/mod-new/settings").await;
    assert_eq!(keys[0]["keys"], json!(["login", "password"]));
    // What a client got and sends back changes nothing.
    let mut same = made.json();
    same["settings"] = json!([{"keys": []}]);
    let sent_back = send(&gateway, "PUT", "/modules/mod-new", same, 200).await;
    assert_eq!(sent_back.header("ETag"), made.header("ETag"));
    let fewer = json!({"settings": {"login": "ann"}});
    let changed = send(&gateway, "PATCH", "/modules/mod-new", fewer, 200).await;
    let keys = get(&gateway, "/modules/mod-new/settings").await;
    assert_eq!(keys[0]["keys"], json!(["login"]));
    for body in [made.body, changed.body] {
        assert!(!body.contains("hunter2"), "{body}");
    }
    delete(&gateway, "/modules/mod-new").await;
}

#[tokio::test]
async fn a_host_and_a_port_get_the_scheme_of_the_modules_driver() {
    let gateway = Gateway::start(BUILDING).await;
    let broker = |fields: Value| {
        let mut document = json!({"driver_id": "mqtt", "ip": "127.0.0.1", "port": 1});
        let document_fields = document.as_object_mut().expect("an object");
        document_fields.extend(fields.as_object().expect("an object").clone());
        document
    };
    let id_of = json!({"id": "mod-broker"});
    send(&gateway, "POST", "/modules", broker(id_of), 201).await;
    let shown = get(&gateway, "/modules/mod-broker").await;
    assert_eq!(
        (&shown["ip"], &shown["port"], &shown["tls"]),
        (&json!("127.0.0.1"), &json!(1), &json!(false))
    );
    for tls in [true, false] {
        let other = json!({"tls": tls});
        let changed = send(&gateway, "PATCH", "/modules/mod-broker", other, 200).await;
        assert_eq!(changed.json()["tls"], tls);
    }
    let by_udp = send(
        &gateway,
        "POST",
        "/modules",
        broker(json!({"udp": true})),
        422,
    )
    .await;
    assert_eq!(failures(&by_udp), ["uri"]);
    // What a client says to the letter is taken so.
    let address = json!({"uri": "tcp://127.0.0.1:1"});
    let literal = send(&gateway, "POST", "/modules", broker(address), 422).await;
    assert_eq!(failures(&literal), ["uri"]);
    let web = json!({"driver_id": "http_json", "ip": "127.0.0.1", "port": 1, "tls": true});
    let made = send(&gateway, "POST", "/modules", web, 201).await;
    assert_eq!(made.json()["uri"], "https://127.0.0.1:1");
}
