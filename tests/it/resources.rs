//! The REST resources beside the rooms themselves: modules, zones, drivers, settings, metadata, and what the gateway says of itself.

use serde_json::{Value, json};

use crate::harness::{BUILDING, Gateway, Key, Place, Request, display, specification};

const BASE: &str = "/api/engine/v2";

/// Modules with devices and passwords.
const DEVICES: &str = r"
zones:
  - {id: zone-hq, name: Headquarters, tags: [org], settings: {proxy: hunter2}}
systems:
  - {id: sys-1, name: Board Room, zones: [zone-hq], modules: [mod-d1, mod-web], settings: {pin: hunter2}}
modules:
  - {id: mod-d1, driver: virtual, name: Display, uri: 'tcp://127.0.0.1:4352', settings: {password: hunter2, login: ann}}
  - {id: mod-web, driver: virtual, name: Web, uri: 'https://ann:hunter2@127.0.0.1/x?token=hunter2'}
users:
  - {id: user-eve, email: eve@example.test, name: Eve, level: admin, password: hunter2}
api_keys:
  - {id: user, secret: secret-u, user: user-eve, level: user}
  - {id: admin, secret: secret-a, user: user-eve, level: admin}
";

fn get(gateway: &Gateway, path: &str, key: Key) -> Request {
    gateway.request("GET", &format!("{BASE}{path}")).key(key)
}

fn post(gateway: &Gateway, path: &str, key: Key, args: Value) -> Request {
    let request = gateway.request("POST", &format!("{BASE}{path}"));
    request.key(key).json(args)
}

async fn status(request: Request) -> u16 {
    request.send().await.status
}

fn ids(list: &Value) -> Vec<&str> {
    let items = list.as_array().expect("a list");
    items
        .iter()
        .map(|item| item["id"].as_str().expect("an id"))
        .collect()
}

/// A path that the template fits, of things that are there.
fn example(template: &str) -> String {
    let module = if template.contains("/modules/") {
        "mod-d1"
    } else {
        "Display_1"
    };
    template
        .replace("{system}", "sys-1")
        .replace("{module}", module)
        .replace("{zone}", "zone-hq")
        .replace("{driver}", "virtual")
        .replace("{parent}", "zone-hq")
        .replace("{user}", "user-eve")
        .replace("{key}", "admin")
        .replace("{name}", "connected")
        .replace("{status}", "connected")
        .replace("{settings}", "sets-mod-d1")
        .replace("{domain}", "authority-riser")
        .replace("{entity}", "sys-1%2FDisplay_1%2Fpower")
        .replace("{command}", "own%2Fcommand")
}

#[tokio::test]
async fn modules_are_listed_filtered_and_shown() {
    let gateway = Gateway::start(BUILDING).await;

    let all = get(&gateway, "/modules", Key::USER).send().await;
    assert_eq!(ids(&all.json()).len(), 9);
    assert_eq!(all.header("X-Total-Count"), Some("9"));
    assert_eq!(all.header("Content-Range"), Some("mod 0-9/9"));
    for (query, expected) in [
        ("control_system_id=sys-2", &["mod-d3", "mod-shared"][..]),
        (
            "control_system_id=sys-2&q=nothing&limit=1",
            &["mod-d3", "mod-shared"],
        ),
        ("q=bookings", &["mod-b1"]),
        ("q=virtual&limit=2&offset=1", &["mod-d2", "mod-d3"]),
        ("driver_id=none", &[]),
        ("running=false", &[]),
        ("no_logic=true", &[]),
        ("as_of=1", &[]),
    ] {
        let found = get(&gateway, &format!("/modules?{query}"), Key::USER);
        assert_eq!(ids(&found.ok().await), expected, "{query}");
    }

    let module = get(&gateway, "/modules/mod-d1", Key::USER).ok().await;
    assert_eq!(
        (&module["running"], &module["connected"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(module["control_system_id"], "sys-1");
    assert_eq!(module["driver"]["module_name"], "Virtual");
    assert_eq!(module.get("control_system"), None);
    let complete = get(&gateway, "/modules/mod-d1?complete=true", Key::USER)
        .ok()
        .await;
    let system = &complete["control_system"];
    assert_eq!(system["name"], "Board Room");
    assert_eq!(ids(&system["zone_data"]), ["zone-hq", "zone-l1"]);
    let unknown = get(&gateway, "/modules/mod-none", Key::USER).send().await;
    assert_eq!(unknown.status, 404);
    let wrong = get(&gateway, "/modules?running=perhaps", Key::USER)
        .send()
        .await;
    assert_eq!(
        (wrong.status, &wrong.json()["parameter"]),
        (422, &json!("running"))
    );
}

#[tokio::test]
async fn a_restricted_key_sees_the_modules_and_zones_inside_alone() {
    let gateway = Gateway::start(BUILDING).await;
    for (key, inside, module, outside) in [
        (
            Key::ROOM,
            "zone-l1",
            "mod-d1",
            ["mod-d3", "mod-loose", "mod-none"],
        ),
        (
            Key::FLOOR,
            "zone-l2",
            "mod-d3",
            ["mod-d1", "mod-loose", "mod-none"],
        ),
    ] {
        let listed = get(&gateway, "/modules?limit=10000", key).ok().await;
        let listed = ids(&listed);
        assert!(
            listed.contains(&module) && listed.contains(&"mod-shared"),
            "{listed:?}"
        );
        for module in outside {
            assert!(!listed.contains(&module), "{listed:?}");
            for path in ["", "/state", "/state/power", "/settings", "/error"] {
                let response = get(&gateway, &format!("/modules/{module}{path}"), key)
                    .send()
                    .await;
                assert_eq!(
                    (response.status, &*response.body),
                    (403, ""),
                    "{module}{path}"
                );
            }
            for path in ["exec/echo", "ping"] {
                let path = format!("/modules/{module}/{path}");
                assert_eq!(
                    status(post(&gateway, &path, key, json!([1]))).await,
                    403,
                    "{path}"
                );
            }
        }
        let shared = get(&gateway, "/modules/mod-shared?complete=true", key)
            .ok()
            .await;
        let zones = ids(&shared["control_system"]["zone_data"]);
        assert_eq!(zones, ["zone-hq", inside]);

        let tags = get(&gateway, "/zones/tags", key).ok().await;
        assert_eq!(tags, json!(["level", "org"]));
        let other = if inside == "zone-l1" {
            "zone-l2"
        } else {
            "zone-l1"
        };
        for path in ["/zones/", "/metadata/"] {
            for zone in [other, "zone-none"] {
                let path = format!("{path}{zone}");
                assert_eq!(status(get(&gateway, &path, key)).await, 403, "{path}");
            }
            assert_eq!(
                status(get(&gateway, &format!("{path}{inside}"), key)).await,
                200
            );
        }
        let children = get(&gateway, "/metadata/zone-hq/children", key).ok().await;
        assert_eq!(children.as_array().map(Vec::len), Some(1));
        assert_eq!(children[0]["zone"]["id"], inside);
    }
}

#[tokio::test]
async fn the_statuses_of_a_module_by_its_id_are_for_support() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    client.set(display("inputs"), json!(["hdmi"])).await;

    let state = get(&gateway, "/modules/mod-d1/state", Key::SUPPORT)
        .ok()
        .await;
    assert_eq!(state, json!({"connected": "true", "inputs": "[\"hdmi\"]"}));
    let one = get(&gateway, "/modules/mod-d1/state/inputs", Key::SUPPORT)
        .ok()
        .await;
    assert_eq!(one, "[\"hdmi\"]");
    let missing = get(&gateway, "/modules/mod-d1/state/nope", Key::SUPPORT)
        .ok()
        .await;
    assert_eq!(missing, Value::Null);
    for path in ["/state", "/state/inputs", "/settings", "/error"] {
        let response = get(&gateway, &format!("/modules/mod-d1{path}"), Key::USER)
            .send()
            .await;
        assert_eq!((response.status, &*response.body), (403, ""), "{path}");
    }
}

#[tokio::test]
async fn a_module_is_called_by_its_id_as_by_its_place() {
    let gateway = Gateway::start(BUILDING).await;
    let call = |module: &str, function: &str, key, args| {
        post(
            &gateway,
            &format!("/modules/{module}/exec/{function}"),
            key,
            args,
        )
    };
    // One that stands in no system too.
    for module in ["mod-d1", "mod-loose"] {
        let echo = call(module, "echo", Key::USER, json!([{"a": 1}]));
        assert_eq!(echo.ok().await, json!({"a": 1}), "{module}");
    }
    for (module, function, args, expected) in [
        ("mod-none", "echo", json!([1]), 404),
        ("mod-d1", "nope", json!([]), 400),
        ("mod-d1", "fail", json!(["no lamp"]), 500),
        ("mod-d1", "support_only", json!([]), 401),
    ] {
        let response = call(module, function, Key::USER, args).send().await;
        assert_eq!(response.status, expected, "{function}: {}", response.body);
    }
    let fail = call("mod-d1", "fail", Key::USER, json!(["no lamp"]))
        .send()
        .await
        .json();
    assert_eq!(
        (&fail["module_name"], &fail["sys_id"]),
        (&json!("Display"), &json!(""))
    );
    assert_eq!(fail["message"], "module raised: no lamp");
    assert_eq!(
        status(call("mod-d1", "support_only", Key::SUPPORT, json!([]))).await,
        200
    );
    assert_eq!(
        status(call("mod-d1", "echo", Key::READER, json!([1]))).await,
        403
    );
    assert_eq!(
        status(call("mod-d1", "echo", Key::CONTROLLER, json!([1]))).await,
        200
    );
}

#[tokio::test]
async fn a_call_to_a_zone_goes_to_each_of_its_systems() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    client.bind(display("power"), 1).await;
    client.bind(display("power").within("sys-2"), 2).await;

    let set = post(
        &gateway,
        "/zones/zone-hq/exec/Display_1/set",
        Key::SUPPORT,
        json!(["power", true]),
    );
    assert_eq!(
        set.ok().await,
        json!({"success": ["sys-1", "sys-2"], "failure": [], "module_missing": []})
    );

    let mut told = [client.next().await, client.next().await];
    told.sort_by_key(|frame| frame["id"].as_u64());
    let expected = |place: Place<'_>, id: u64| place.notify(id, true);
    assert_eq!(told[0], expected(display("power"), 1));
    assert_eq!(told[1], expected(display("power").within("sys-2"), 2));

    let call = |path: &str, key, args| post(&gateway, &format!("/zones/{path}"), key, args);
    let second = call("zone-hq/exec/Display_2/echo", Key::SUPPORT, json!([1]));
    assert_eq!(
        second.ok().await,
        json!({"success": ["sys-1"], "failure": [], "module_missing": ["sys-2"]})
    );
    let failing = call(
        "zone-hq/exec/Display_1/fail",
        Key::SUPPORT,
        json!(["no lamp"]),
    );
    assert_eq!(failing.ok().await["failure"], json!(["sys-1", "sys-2"]));
    let room = call("zone-hq/exec/Display_1/echo", Key::ROOM, json!([1]));
    assert_eq!(room.ok().await["success"], json!(["sys-1"]));
    for (path, key, expected) in [
        ("zone-hq/exec/Display_1/echo", Key::USER, 403),
        ("zone-none/exec/Display_1/echo", Key::SUPPORT, 404),
        ("zone-hq/exec/Display_0/echo", Key::SUPPORT, 404),
    ] {
        assert_eq!(
            status(call(path, key, json!([1]))).await,
            expected,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_module_that_failed_says_so_and_why() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    client.bind_with_value(display("connected"), 1, true).await;
    assert_eq!(
        status(get(&gateway, "/modules/mod-d1/error", Key::SUPPORT)).await,
        404
    );

    let crash = post(&gateway, "/modules/mod-d1/exec/crash", Key::USER, json!([]));
    assert_eq!(status(crash).await, 500);

    client.expect(display("connected").notify(1, false)).await;
    let errors = get(&gateway, "/modules/mod-d1/error", Key::SUPPORT)
        .ok()
        .await;
    assert_eq!(errors.as_array().map(Vec::len), Some(1), "{errors}");
    let module = get(&gateway, "/modules/mod-d1", Key::USER).ok().await;
    assert_eq!(module["has_runtime_error"], true);
    assert!(module["error_timestamp"].as_u64() > Some(0), "{module}");
    let other = get(&gateway, "/modules/mod-d2", Key::USER).ok().await;
    assert_eq!(other["has_runtime_error"], false);
}

#[tokio::test]
async fn a_device_is_pinged_and_a_module_without_one_is_not() {
    let gateway = Gateway::start(DEVICES).await;
    for module in ["mod-d1", "mod-web"] {
        let ping = post(
            &gateway,
            &format!("/modules/{module}/ping"),
            Key::ADMIN,
            json!([]),
        );
        let ping = ping.ok().await;
        assert_eq!(ping["host"], "127.0.0.1", "{module}");
        // Not every system lets an ordinary process send pings; then it says where to look.
        let answered = ping["pingable"] == true;
        let may_not = ping["exception"].to_string().contains("ping_group_range");
        assert!(answered != may_not, "{module}: {ping}");
    }
    let user = post(&gateway, "/modules/mod-d1/ping", Key::USER, json!([]));
    assert_eq!(status(user).await, 403);

    let logic = Gateway::start(BUILDING).await;
    let ping = post(&logic, "/modules/mod-d1/ping", Key::SUPPORT, json!([]))
        .send()
        .await;
    assert_eq!(ping.status, 422);
    assert_eq!(ping.json()["failures"][0]["field"], "role");
}

#[tokio::test]
async fn settings_are_named_and_no_answer_has_a_secret_in_it() {
    let gateway = Gateway::start(DEVICES).await;

    let settings = get(&gateway, "/modules/mod-d1/settings", Key::ADMIN)
        .ok()
        .await;
    assert_eq!(settings[0]["keys"], json!(["login", "password"]));
    for (path, expected) in [
        (
            "/settings",
            &["sets-zone-hq", "sets-sys-1", "sets-mod-d1"][..],
        ),
        (
            "/settings?parent_id=zone-hq,mod-d1",
            &["sets-zone-hq", "sets-mod-d1"],
        ),
        ("/systems/sys-1/settings", &["sets-sys-1", "sets-zone-hq"]),
    ] {
        let found = get(&gateway, path, Key::ADMIN).ok().await;
        assert_eq!(ids(&found), expected, "{path}");
    }
    let of_a_module_without = get(&gateway, "/settings?parent_id=mod-web", Key::USER);
    assert_eq!(of_a_module_without.ok().await, json!([]));
    for query in [
        "",
        "?parent_id=mod-d1",
        "?parent_id=zone-hq",
        "?parent_id=sys-1",
    ] {
        let refused = get(&gateway, &format!("/settings{query}"), Key::USER);
        assert_eq!(status(refused).await, 403, "{query}");
    }

    let mut asked = 0;
    // The websocket answers with no document, and the export is made to be read back.
    let apart = ["/control", "/building"];
    let documents =
        specification::guarded().filter(|path| !apart.iter().any(|end| path.ends_with(end)));
    for template in documents {
        let path = format!("{}?complete=true", example(template));
        let answer = gateway.request("GET", &path).key(Key::ADMIN).send().await;
        assert!(
            [200, 404].contains(&answer.status),
            "{path}: {}",
            answer.status
        );
        for secret in ["hunter2", "secret-a", "secret-u"] {
            assert!(!answer.body.contains(secret), "{path}: {}", answer.body);
        }
        asked += 1;
    }
    assert!(asked > 30, "only {asked} resources were asked");
}

#[tokio::test]
async fn every_resource_asks_for_credentials_and_its_scope() {
    let gateway = Gateway::start(BUILDING).await;
    for template in specification::guarded() {
        let path = example(template);
        assert_eq!(status(gateway.request("GET", &path)).await, 401, "{path}");
        let wrong = gateway.request("GET", &path).key(Key::WRONG);
        assert_eq!(status(wrong).await, 401, "{path}");
        // This key may read systems, and what every key may.
        let open = [
            "/systems",
            "/version",
            "/versions",
            "/scopes",
            "/platform",
            "/inspect",
        ];
        let is_open = open.iter().any(|part| template.ends_with(part))
            || (template.contains("/systems/")
                && !["/control", "/settings", "/triggers", "/triggers/{trigger}"]
                    .iter()
                    .any(|part| template.ends_with(part)));
        let expected = if is_open { 200 } else { 403 };
        let reader = gateway.request("GET", &path).key(Key::READER);
        assert_eq!(status(reader).await, expected, "{path}");
    }
}

#[tokio::test]
async fn zones_and_systems_have_what_pages_ask_for() {
    let gateway = Gateway::start(BUILDING).await;

    let zone = get(&gateway, "/zones/zone-l1", Key::USER).ok().await;
    assert_eq!(
        (&zone["name"], &zone["parent_id"]),
        (&json!("Level 1"), &json!("zone-hq"))
    );
    assert_eq!(
        status(get(&gateway, "/zones/zone-none", Key::USER)).await,
        404
    );
    let tags = get(&gateway, "/zones/tags", Key::USER).ok().await;
    assert_eq!(tags, json!(["level", "org"]));
    let emails = "/systems/with_emails?in=Huddle@example.test,%20nobody@example.test";
    assert_eq!(ids(&get(&gateway, emails, Key::USER).ok().await), ["sys-2"]);

    for parent in ["sys-1", "zone-hq", "user-ann"] {
        let metadata = get(
            &gateway,
            &format!("/metadata/{parent}?name=bindings"),
            Key::USER,
        );
        assert_eq!(metadata.ok().await, json!({}), "{parent}");
    }
    assert_eq!(
        status(get(&gateway, "/metadata/none", Key::USER)).await,
        404
    );
    for path in ["/systems/sys-1/metadata", "/zones/zone-hq/metadata"] {
        assert_eq!(
            get(&gateway, path, Key::USER).ok().await,
            json!({}),
            "{path}"
        );
    }
    let children = get(&gateway, "/metadata/zone-hq/children", Key::USER)
        .ok()
        .await;
    assert_eq!(children[1]["zone"]["id"], "zone-l2");
    assert_eq!(children[1]["metadata"], json!({}));
    let family = get(
        &gateway,
        "/metadata/zone-hq/children?include_parent=true",
        Key::USER,
    );
    assert_eq!(family.ok().await[0]["zone"]["id"], "zone-hq");
    for path in [
        "/systems/sys-1/triggers",
        "/systems/sys-1/settings",
        "/zones/zone-hq/triggers",
    ] {
        assert_eq!(
            get(&gateway, path, Key::SUPPORT).ok().await,
            json!([]),
            "{path}"
        );
        assert_eq!(status(get(&gateway, path, Key::USER)).await, 403, "{path}");
    }
}

#[tokio::test]
async fn drivers_are_listed_for_support_and_shown_to_everybody() {
    let gateway = Gateway::start(BUILDING).await;
    let drivers = get(&gateway, "/drivers", Key::SUPPORT).ok().await;
    assert!(ids(&drivers).contains(&"virtual"), "{drivers}");
    let lights = get(&gateway, "/drivers?q=lighting", Key::SUPPORT)
        .ok()
        .await;
    assert!(!ids(&lights).contains(&"virtual"), "{lights}");
    let driver = get(&gateway, "/drivers/virtual", Key::USER).ok().await;
    assert_eq!(driver["module_name"], "Virtual");
    assert_eq!(status(get(&gateway, "/drivers/none", Key::USER)).await, 404);
    assert_eq!(status(get(&gateway, "/drivers", Key::USER)).await, 403);
}

#[tokio::test]
async fn the_gateway_says_what_it_is_and_what_a_key_stands_for() {
    let gateway = Gateway::start(BUILDING).await;
    let version = get(&gateway, "/version", Key::USER).ok().await;
    assert_eq!(version["service"], "riser");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    let versions = get(&gateway, "/cluster/versions", Key::USER).ok().await;
    assert_eq!(versions, json!([version]));
    let platform = get(&gateway, "/platform", Key::USER).ok().await;
    assert_eq!(platform["version"], version["platform_version"]);
    let scopes = get(&gateway, "/scopes", Key::USER).ok().await;
    assert!(
        scopes
            .as_array()
            .is_some_and(|scopes| scopes.contains(&json!("systems.read")))
    );

    for (key, user, permissions, scopes) in [
        (Key::ADMIN, "user-eve", 3, json!(["public"])),
        (Key::CLIMBER, "user-ann", 0, json!(["public"])),
        (Key::READER, "user-eve", 0, json!(["systems.read"])),
    ] {
        let token = get(&gateway, "/api_keys/inspect", key).ok().await;
        assert_eq!(
            (&token["sub"], &token["scope"]),
            (&json!(user), &scopes),
            "{key}"
        );
        assert_eq!(token["aud"], "127.0.0.1");
        assert!(token["exp"].as_u64() > token["iat"].as_u64(), "{token}");
        if key != Key::READER {
            assert_eq!(token["u"]["p"], permissions, "{key}");
        }
    }
}

#[tokio::test]
async fn the_specification_is_served_as_it_is_in_the_repository() {
    let gateway = Gateway::start(BUILDING).await;
    let served = gateway.request("GET", "/api/openapi.json").ok().await;
    let written = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/api-spec/openapi.json"
    ));
    let written: Value = serde_json::from_str(written).expect("JSON");
    assert!(served == written, "the served specification is another");
    assert_eq!(served["openapi"], "3.1.0");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_in_so_many_words() {
    let gateway = Gateway::start(BUILDING).await;
    let path = format!("{BASE}/systems/sys-1/Display_1/echo");
    let body = format!("[\"{}\"]", "x".repeat(2 * 1024 * 1024));
    let request = gateway.request("POST", &path).key(Key::USER).body(&body);
    let response = request.send().await;
    assert_eq!(response.status, 413);
    assert!(response.json()["error"].is_string(), "{}", response.body);
}

#[tokio::test]
async fn credentials_are_looked_at_before_the_body() {
    let gateway = Gateway::start(BUILDING).await;
    let body = format!("[\"{}\"]", "x".repeat(2 * 1024 * 1024));
    for (path, key, status) in [
        ("systems/sys-1/Display_1/echo", None, 401),
        ("zones", Some(Key::USER), 413),
    ] {
        let path = format!("{BASE}/{path}");
        let request = gateway.request("POST", &path).body(&body);
        let request = match key {
            Some(key) => request.key(key),
            None => request,
        };
        let response = request.send().await;
        assert_eq!(response.status, status, "{path}");
    }
}
