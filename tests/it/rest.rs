//! The REST resources around the websocket.

use serde_json::{Value, json};

use crate::harness::{BUILDING, Gateway, Key, Plan, Request, Response, display};

const BASE: &str = "/api/engine/v2";

fn get(gateway: &Gateway, path: &str, key: Key) -> Request {
    gateway.request("GET", &format!("{BASE}{path}")).key(key)
}

fn call(gateway: &Gateway, path: &str, key: Key, args: Value) -> Request {
    let request = gateway.request("POST", &format!("{BASE}/systems/{path}"));
    request.key(key).json(args)
}

fn ids(list: &Value) -> Vec<&str> {
    let items = list.as_array().expect("a list");
    items
        .iter()
        .map(|item| item["id"].as_str().expect("an id"))
        .collect()
}

// §10 case 69
#[tokio::test]
async fn the_authority_is_told_to_everybody_with_a_version_that_clients_take() {
    let gateway = Gateway::start(BUILDING).await;

    let authority = gateway.request("GET", "/auth/authority").ok().await;

    let version = authority["version"].as_str().expect("a version");
    let mut parts = version.strip_prefix('v').expect("vN.N.N").split('.');
    let major = parts.next().expect("a first number");
    assert!(matches!(major.as_bytes(), [b'2'..=b'9']), "{version}");
    let minors: Vec<&str> = parts.collect();
    assert_eq!(minors.len(), 2, "{version}");
    for field in ["id", "name", "domain", "login_url", "logout_url"] {
        assert!(authority[field].is_string(), "{field}: {authority}");
    }
    assert!(authority["session"].is_boolean(), "{authority}");
    assert_eq!(authority["config"]["org_zone"], "zone-hq");
}

#[tokio::test]
async fn the_root_says_that_it_lives_without_credentials() {
    let gateway = Gateway::start(BUILDING).await;
    let response = gateway.request("GET", &format!("{BASE}/")).send().await;
    assert_eq!((response.status, &*response.body), (200, ""));
}

// §10 case 70
#[tokio::test]
async fn the_state_of_a_module_is_its_statuses_as_json_text() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    client.set(display("power"), true).await;
    client.set(display("inputs").at(2), json!(["hdmi"])).await;

    let first = get(&gateway, "/systems/sys-1/Display", Key::USER)
        .ok()
        .await;
    assert_eq!(first, json!({"connected": "true", "power": "true"}));
    let second = get(&gateway, "/systems/sys-1/Display_2", Key::USER)
        .ok()
        .await;
    assert_eq!(second, json!({"connected": "true", "inputs": "[\"hdmi\"]"}));
    let ghost = get(&gateway, "/systems/sys-1/Ghost_1", Key::USER)
        .ok()
        .await;
    assert_eq!(ghost, json!({}));
}

// §10 case 70
#[tokio::test]
async fn a_key_of_the_state_is_its_json_value_and_null_when_missing() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    client.set(display("x").of("A_1"), json!({"a": 1.0})).await;

    let value = get(&gateway, "/systems/sys-1/A_1_1/x", Key::USER)
        .send()
        .await;
    assert_eq!((value.status, &*value.body), (200, r#"{"a":1.0}"#));
    let missing = get(&gateway, "/systems/sys-1/Display_1/nope", Key::USER);
    assert_eq!(missing.ok().await, Value::Null);
}

// §10 case 70
#[tokio::test]
async fn functions_are_listed_up_to_the_callers_clearance() {
    let gateway = Gateway::start(BUILDING).await;
    let path = "/systems/sys-1/functions/Display_2";

    let all = get(&gateway, path, Key::ADMIN).ok().await;
    let set = &all["set"];
    assert_eq!(
        (&set["arity"], &set["order"]),
        (&json!(2), &json!(["name", "value"]))
    );
    assert_eq!(set["params"]["name"]["type"], "string");
    assert_eq!(all["increment"]["params"]["by"]["default"], 1);
    assert_eq!(
        all["support_only"],
        json!({"arity": 0, "params": {}, "order": []})
    );

    for (key, support, admin) in [
        (Key::USER, false, false),
        (Key::SUPPORT, true, false),
        (Key::CLIMBER, false, false),
        (Key::ADMIN, true, true),
    ] {
        let seen = get(&gateway, path, key).ok().await;
        let has = |name| seen.get(name).is_some();
        let found = (has("echo"), has("support_only"), has("admin_only"));
        assert_eq!(found, (true, support, admin), "{key}");
    }
    let ghost = get(&gateway, "/systems/sys-1/functions/Ghost_1", Key::ADMIN);
    assert_eq!(ghost.send().await.status, 404);
}

// §10 case 70
#[tokio::test]
async fn a_call_gives_its_result_as_json() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    client.bind(display("power"), 1).await;

    let set = call(
        &gateway,
        "sys-1/Display_1/set",
        Key::USER,
        json!(["power", 1]),
    );
    assert_eq!(set.ok().await, Value::Null);

    client.expect(display("power").notify(1, 1)).await;
    let echo = call(&gateway, "sys-1/Display/echo", Key::USER, json!([[1, "a"]]));
    assert_eq!(echo.ok().await, json!([1, "a"]));
    let named = call(
        &gateway,
        "sys-1/Display_1/get",
        Key::USER,
        json!({"name": "power"}),
    );
    assert_eq!(named.ok().await, 1);
    let without = gateway
        .request(
            "POST",
            &format!("{BASE}/systems/sys-1/Display_1/support_only"),
        )
        .key(Key::SUPPORT);
    assert_eq!(without.ok().await, Value::Null);
}

// §10 case 70
#[tokio::test]
async fn a_call_that_fails_says_where_and_with_which_status() {
    let gateway = Gateway::start(BUILDING).await;
    let cases = [
        ("sys-1/Ghost_1/echo", json!([1]), 404),
        ("sys-1/Display_9/echo", json!([1]), 404),
        ("sys-none/Display_1/echo", json!([1]), 404),
        ("sys-1/Display_1/nope", json!([]), 400),
        ("sys-1/Display_1/fail", json!(["out of paper"]), 500),
        ("sys-1/Display_1/admin_only", json!([]), 401),
    ];
    for (path, args, status) in cases {
        let response = call(&gateway, path, Key::USER, args).send().await;
        assert_eq!(response.status, status, "{path}: {}", response.body);
        let body = response.json();
        assert!(body["error"].is_string(), "{path}: {body}");
    }

    let fail = call(
        &gateway,
        "sys-1/Display_1/fail",
        Key::USER,
        json!(["out of paper"]),
    );
    let body = fail.send().await.json();
    assert_eq!(body["sys_id"], "sys-1");
    assert_eq!(body["module_name"], "Display");
    assert_eq!(body["index"], 1);
    assert!(body.to_string().contains("out of paper"), "{body}");

    for bad in ["1", "\"x\"", "[1", "nonsense"] {
        let path = format!("{BASE}/systems/sys-1/Display_1/echo");
        let request = gateway.request("POST", &path).key(Key::USER);
        assert_eq!(request.body(bad).send().await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn systems_are_listed_filtered_and_shown() {
    let gateway = Gateway::start(BUILDING).await;

    let all = get(&gateway, "/systems", Key::USER).send().await;
    assert_eq!(ids(&all.json()), ["sys-1", "sys-2"]);
    assert_eq!(all.header("X-Total-Count"), Some("2"));
    assert_eq!(all.header("Content-Range"), Some("sys 0-2/2"));
    for (query, expected) in [
        ("q=huddle", &["sys-2"][..]),
        ("bookable=true", &["sys-1"]),
        ("capacity=5", &["sys-1"]),
        ("features=display", &["sys-1"]),
        ("zone_id=zone-hq,zone-l2", &["sys-2"]),
        ("email=board@example.test", &["sys-1"]),
        ("module_id=mod-shared", &["sys-1", "sys-2"]),
    ] {
        let found = get(&gateway, &format!("/systems?{query}"), Key::USER);
        assert_eq!(ids(&found.ok().await), expected, "{query}");
    }

    let system = get(&gateway, "/systems/sys-1", Key::USER).ok().await;
    assert_eq!(system["name"], "Board Room");
    assert_eq!(system["capacity"], 8);
    assert_eq!(system["zones"], json!(["zone-hq", "zone-l1"]));
    assert_eq!(system["modules"][0], "mod-d1");
    assert!(system.get("module_data").is_none());
    let by_email = get(&gateway, "/systems/board@example.test", Key::USER);
    assert_eq!(by_email.ok().await["id"], "sys-1");
    let complete = get(&gateway, "/systems/sys-1?complete=true", Key::USER);
    let complete = complete.ok().await;
    assert_eq!(complete["zone_data"][1]["id"], "zone-l1");
    assert_eq!(complete["module_data"][0]["id"], "mod-d1");
    assert_eq!(complete["module_data"][0]["connected"], true);
    // The same of many rooms in one answer.
    let listed = get(&gateway, "/systems?complete=true", Key::USER);
    assert_eq!(listed.ok().await[0], complete);
    let plain = get(&gateway, "/systems", Key::USER).ok().await;
    assert!(plain[0].get("module_data").is_none());
    let unknown = get(&gateway, "/systems/sys-none", Key::USER).send().await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["error"].is_string());
}

#[tokio::test]
async fn a_long_list_comes_in_pages_with_a_link_to_the_next() {
    let gateway = Gateway::start(BUILDING).await;

    let first = get(&gateway, "/systems?limit=1&q=room", Key::USER)
        .send()
        .await;

    assert_eq!(ids(&first.json()), ["sys-1"]);
    assert_eq!(first.header("X-Total-Count"), Some("2"));
    let link = first.header("Link").expect("a link to the next page");
    let (url, relation) = link.split_once(';').expect("two parts");
    assert_eq!(relation.trim(), "rel=\"next\"");
    assert!(!url.contains(','), "{url}");
    let path = url.trim().trim_start_matches('<').trim_end_matches('>');
    let next = gateway.request("GET", path).key(Key::USER).send().await;
    assert_eq!(ids(&next.json()), ["sys-2"]);
    assert_eq!(next.header("Link"), None);
}

#[tokio::test]
async fn the_modules_of_a_system_are_counted_by_name() {
    let gateway = Gateway::start(BUILDING).await;
    let types = get(&gateway, "/systems/sys-1/types", Key::USER).ok().await;
    assert_eq!(
        (&types["Display"], &types["Bookings"]),
        (&json!(2), &json!(1))
    );
    let zones = get(&gateway, "/systems/sys-2/zones", Key::USER).ok().await;
    assert_eq!(ids(&zones), ["zone-hq", "zone-l2"]);
}

#[tokio::test]
async fn zones_are_found_by_tag_and_parent_and_listed_whole_for_support() {
    let gateway = Gateway::start(BUILDING).await;
    for (query, expected) in [
        ("tags=org", &["zone-hq"][..]),
        ("tags=level", &["zone-l1", "zone-l2"]),
        ("parent_id=zone-hq", &["zone-l1", "zone-l2"]),
        ("parent_id=root", &["zone-hq"]),
    ] {
        let found = get(&gateway, &format!("/zones?{query}"), Key::USER);
        assert_eq!(ids(&found.ok().await), expected, "{query}");
    }
    assert_eq!(get(&gateway, "/zones", Key::USER).send().await.status, 403);
    let all = get(&gateway, "/zones", Key::SUPPORT).ok().await;
    assert_eq!(ids(&all), ["zone-hq", "zone-l1", "zone-l2"]);
}

#[tokio::test]
async fn a_caller_is_told_who_it_is_and_what_counts_of_its_level() {
    let gateway = Gateway::start(BUILDING).await;
    for (key, id, support, admin) in [
        (Key::USER, "user-eve", false, false),
        (Key::SUPPORT, "user-eve", true, false),
        (Key::ADMIN, "user-eve", true, true),
        (Key::CLIMBER, "user-ann", false, false),
    ] {
        let user = get(&gateway, "/users/current", key).ok().await;
        assert_eq!(user["id"], id, "{key}");
        let admin_flag = user["sys_admin"].as_bool();
        assert_eq!(admin_flag, Some(admin), "{key}: {user}");
        let is_staff = user["support"].as_bool() == Some(true) || admin_flag == Some(true);
        assert_eq!(is_staff, support, "{key}: {user}");
    }
}

#[tokio::test]
async fn a_restricted_key_sees_and_calls_what_is_inside_alone() {
    let gateway = Gateway::start(BUILDING).await;
    for (key, inside, outside, level) in [
        (Key::ROOM, "sys-1", "sys-2", "zone-l1"),
        (Key::FLOOR, "sys-2", "sys-1", "zone-l2"),
    ] {
        let systems = get(&gateway, "/systems", key).send().await;
        assert_eq!(ids(&systems.json()), [inside]);
        assert_eq!(systems.header("X-Total-Count"), Some("1"));
        let zones = get(&gateway, "/zones", key).ok().await;
        assert_eq!(ids(&zones), ["zone-hq", level]);
        let state = format!("/systems/{inside}/Display_1");
        get(&gateway, &state, key).ok().await;
        for path in [
            "",
            "/types",
            "/zones",
            "/Display_1",
            "/Display_1/power",
            "/functions/Display_1",
        ] {
            for system in [outside, "sys-none"] {
                let path = format!("/systems/{system}{path}");
                let response = get(&gateway, &path, key).send().await;
                assert_eq!((response.status, &*response.body), (403, ""), "{path}");
            }
        }
        let exec = call(
            &gateway,
            &format!("{outside}/Display_1/echo"),
            key,
            json!([1]),
        );
        let response: Response = exec.send().await;
        assert!(matches!(response.status, 401 | 403), "{}", response.status);
    }
}

#[tokio::test]
async fn rest_asks_for_credentials_and_scopes_as_the_websocket_does() {
    let gateway = Gateway::start(BUILDING).await;
    let path = format!("{BASE}/systems");
    let ask = |request: Request| async move { request.send().await.status };
    assert_eq!(ask(gateway.request("GET", &path)).await, 401);
    assert_eq!(
        ask(gateway.request("GET", &path).key(Key::WRONG)).await,
        401
    );
    let query = format!("{path}?api-key={}", Key::USER);
    assert_eq!(ask(gateway.request("GET", &query)).await, 200);
    let cookie = || {
        let cookie = format!("api-key={}", Key::USER);
        gateway.request("GET", &path).header("Cookie", &cookie)
    };
    assert_eq!(ask(cookie()).await, 200);
    assert_eq!(
        ask(cookie().header("Origin", "https://evil.test")).await,
        403
    );
    // Reading is open to a key that may only read; calling is not.
    assert_eq!(ask(get(&gateway, "/systems", Key::READER)).await, 200);
    assert_eq!(
        ask(get(&gateway, "/zones?tags=org", Key::READER)).await,
        403
    );
    let exec = |key| call(&gateway, "sys-1/Display_1/echo", key, json!([1]));
    assert_eq!(ask(exec(Key::READER)).await, 403);
    assert_eq!(ask(exec(Key::CONTROLLER)).await, 200);
}

#[tokio::test]
async fn what_operators_ask_needs_no_credentials_and_can_have_an_address_of_its_own() {
    let gateway = Gateway::start(BUILDING).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        let response = gateway.request("GET", path).send().await;
        assert_eq!(response.status, 200, "{path}");
    }
    let metrics = gateway.request("GET", "/metrics").send().await;
    assert!(metrics.body.contains("riser_modules 9"), "{}", metrics.body);

    let apart = Plan::serve(BUILDING)
        .variable("RISER_HEALTH_LISTEN", "127.0.0.1:0")
        .start()
        .await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        let response = apart.request("GET", path).send().await;
        assert_eq!(response.status, 404, "{path}");
    }
}
