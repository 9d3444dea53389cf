//! Nobody does by a side door what the building refuses them, and nobody opens by an edit what their own credentials do not.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Gateway, Request, Response, Terminal, TestClient, scratch, specification};

const BASE: &str = "/api/engine/v2";

/// A room whose zone refuses guests and raises chiefs, one outside it, and a key of the highest level for each user.
const BUILDING: &str = r#"
zones:
  - {id: zone-org, name: Organisation, tags: [org]}
  - {id: zone-1, name: Level 1}
  - {id: zone-2, name: Level 2}
modules:
  - {id: mod-scratch, driver: virtual, name: Shared, settings: {theme: dark}}
  - {id: mod-outside, driver: virtual, name: Shared, settings: {theme: dark}}
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
        let arguments = if function == "echo" {
            json!([1])
        } else {
            json!([])
        };
        let answer = send(&gateway, key, "POST", &path, Some(arguments)).await;
        assert_eq!(answer.status, status, "{key} {path}: {}", answer.body);
    }
    let everywhere = "/zones/zone-org/exec/Shared_1/echo";
    let answer = ask(&gateway, "crew", "POST", everywhere)
        .json(json!([1]))
        .ok()
        .await;
    assert_eq!(answer["failure"], json!(["sys-1"]), "{answer}");
    assert_eq!(answer["success"], json!([]), "{answer}");
}

/// What a zone's `deny` does to a request about a room or module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denied {
    /// It is refused.
    Refused,
    /// It is answered as elsewhere: it reads what screens show, or what the building says.
    Answered,
}

/// Everything that GET and POST ask of one entry of the building. Edits are looked at as what they make of it, by `what_zones_allow_is_for_administrators_by_every_route`.
const DOORS: &[(&str, &str, Denied)] = &[
    ("GET", "/drivers/{driver}", Denied::Answered),
    ("GET", "/metadata/{parent}", Denied::Answered),
    ("GET", "/metadata/{parent}/children", Denied::Answered),
    ("GET", "/modules/{module}", Denied::Answered),
    ("GET", "/modules/{module}/error", Denied::Refused),
    ("POST", "/modules/{module}/exec/{function}", Denied::Refused),
    ("POST", "/modules/{module}/ping", Denied::Refused),
    ("GET", "/modules/{module}/settings", Denied::Refused),
    ("GET", "/modules/{module}/state", Denied::Answered),
    ("GET", "/modules/{module}/state/{status}", Denied::Answered),
    ("GET", "/systems/{system}", Denied::Answered),
    (
        "GET",
        "/systems/{system}/functions/{module}",
        Denied::Answered,
    ),
    ("GET", "/systems/{system}/metadata", Denied::Answered),
    // No room has any.
    ("GET", "/systems/{system}/settings", Denied::Answered),
    ("GET", "/systems/{system}/triggers", Denied::Answered),
    // There is none.
    (
        "GET",
        "/systems/{system}/triggers/{trigger}",
        Denied::Answered,
    ),
    ("GET", "/systems/{system}/types", Denied::Answered),
    ("GET", "/systems/{system}/zones", Denied::Answered),
    ("GET", "/systems/{system}/{module}", Denied::Answered),
    ("GET", "/systems/{system}/{module}/{name}", Denied::Answered),
    ("POST", "/systems/{system}/{module}/{name}", Denied::Refused),
    ("GET", "/zones/{zone}", Denied::Answered),
    (
        "POST",
        "/zones/{zone}/exec/{module}/{function}",
        Denied::Refused,
    ),
    ("GET", "/zones/{zone}/metadata", Denied::Answered),
    ("GET", "/zones/{zone}/triggers", Denied::Answered),
    ("GET", "/drivers/{driver}/compiled", Denied::Answered),
    ("GET", "/settings/{settings}", Denied::Refused),
    ("GET", "/settings/{settings}/history", Denied::Refused),
    ("POST", "/drivers/{driver}/recompile", Denied::Answered),
    ("POST", "/modules/{module}/load", Denied::Refused),
    ("POST", "/modules/{module}/stop", Denied::Refused),
    ("POST", "/modules/{module}/start", Denied::Refused),
    ("POST", "/systems/{system}/stop", Denied::Refused),
    ("POST", "/systems/{system}/start", Denied::Refused),
];

#[tokio::test]
async fn every_door_to_a_module_of_a_room_asks_whether_its_zone_denies_the_caller() {
    let doors = |method: &str| {
        let doors = specification::of_one_entry(&method.to_ascii_lowercase());
        let doors = doors.into_iter();
        let doors = doors.filter_map(|path| path.strip_prefix(BASE));
        // Who is a user or a key is no matter of a zone, and entities, commands, apps, services, procedures, hooks, triggers and the domain are administrators' alone.
        let others = [
            "/users",
            "/api_keys",
            "/entities",
            "/commands",
            "/apps",
            "/services",
            "/domains",
            "/procedures",
            "/hooks",
            "/triggers",
            // Of a node it says which modules of those that lists have run there.
            "/cluster",
            // It has a secret of its own.
            "/webhook",
        ];
        let doors = doors.filter(|path| !others.iter().any(|other| path.starts_with(other)));
        // Putting a trigger into a room is administrators' alone.
        let doors = doors.filter(|path| method != "POST" || *path != "/systems/{system}/triggers");
        let mut doors: Vec<_> = doors.collect();
        doors.sort_unstable();
        doors
    };
    for method in ["GET", "POST"] {
        let listed = DOORS.iter().filter(|(asked, ..)| *asked == method);
        let mut listed: Vec<_> = listed.map(|(_, path, _)| *path).collect();
        listed.sort_unstable();
        assert_eq!(
            doors(method),
            listed,
            "a door that is new here is to be tried"
        );
    }

    let gateway = Gateway::start(BUILDING).await;
    let is_refused = async |method: &str, template: &str, within: [&str; 3]| {
        let [system, zone, module] = within;
        let module = match template.starts_with("/modules") {
            true => module,
            false => "Shared_1",
        };
        let name = match method {
            "POST" => "echo",
            _ => "power",
        };
        let path = template
            .replace("{system}", system)
            .replace("{zone}", zone)
            .replace("{parent}", zone)
            .replace("{module}", module)
            .replace("{driver}", "virtual")
            .replace("{settings}", &format!("sets-{}", within[2]))
            .replace("{trigger}", "trig-none")
            .replace("{function}", name)
            .replace("{status}", name)
            .replace("{name}", name);
        let arguments = (method == "POST").then(|| json!([1]));
        let answer = send(&gateway, "crew", method, &path, arguments).await;
        // A call in all rooms of a zone is answered with those in which it failed.
        let failed = || {
            !answer.json()["failure"]
                .as_array()
                .expect("rooms")
                .is_empty()
        };
        [401, 403].contains(&answer.status)
            || (template.starts_with("/zones/{zone}/exec") && failed())
    };
    for (method, template, denied) in DOORS {
        let outside = is_refused(method, template, ["sys-2", "zone-2", "mod-outside"]).await;
        assert!(!outside, "{method} {template} where no zone denies it");
        let inside = is_refused(method, template, ["sys-1", "zone-1", "mod-scratch"]).await;
        assert_eq!(inside, *denied == Denied::Refused, "{method} {template}");
    }
    let listed = "/settings?parent_id=mod-scratch,mod-outside";
    let listed = ask(&gateway, "crew", "GET", listed).ok().await;
    let listed = listed.as_array().expect("a list").iter();
    let parents: Vec<_> = listed.map(|settings| &settings["parent_id"]).collect();
    assert_eq!(parents, ["mod-outside"], "as each of them by itself");
}

#[tokio::test]
async fn permissions_that_cannot_be_read_are_refused_however_they_are_written() {
    let gateway = Gateway::start(BUILDING).await;
    for (method, details) in [
        ("PUT", json!({"deny": "guests"})),
        ("PUT", json!(["guests"])),
        ("PATCH", json!({"deny": {"guests": true}})),
    ] {
        let document = json!({"name": "permissions", "details": details});
        let answer = send(
            &gateway,
            "admin",
            method,
            "/metadata/zone-1",
            Some(document),
        )
        .await;
        assert_eq!(answer.status, 422, "{details}: {}", answer.body);
        let failure = &answer.json()["failures"][0];
        assert_eq!(failure["field"], "details", "{failure}");
    }
    // About a room it means nothing.
    let document = json!({"name": "permissions", "details": ["guests"]});
    let answer = send(&gateway, "admin", "PUT", "/metadata/sys-1", Some(document)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let guest = send(
        &gateway,
        "guest",
        "POST",
        "/modules/mod-scratch/exec/echo",
        Some(json!([1])),
    );
    assert_eq!(guest.await.status, 401, "what was said before holds");

    let wrong = BUILDING.replacen("deny: [guests]", "deny: guests", 1);
    let answer = ask(&gateway, "admin", "PUT", "/building")
        .body(&wrong)
        .send()
        .await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    let terminal = Terminal::bare().file("b.yaml", &wrong);
    let checked = terminal.run(&["check", "b.yaml"]).await;
    assert_eq!(checked.code, Some(2), "{checked:?}");
    assert!(
        checked.err[0].contains("`details` must be a map"),
        "{checked:?}"
    );
}

#[tokio::test]
async fn whom_a_zone_denies_its_rooms_follows_no_log_of_them() {
    let gateway = Gateway::start(BUILDING).await;
    let by_id =
        |module: &str| json!({"id": 1, "cmd": "debug", "sys": "", "mod": module, "name": "debug"});
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

#[tokio::test]
async fn what_zones_allow_is_for_administrators_by_every_route() {
    let gateway = Gateway::start(BUILDING).await;
    let permissions = |details: Value| Some(json!({"name": "permissions", "details": details}));
    let put_in = |zones: Value| Some(json!({"zones": zones}));
    let second = json!({"name": "Annexe", "zones": ["zone-2"], "modules": ["mod-scratch"]});
    let say = json!({"name": "signage", "details": {"theme": "dark"}});
    for key in ["support", "places"] {
        for (method, path, document, status) in [
            ("PUT", "/metadata/zone-1", permissions(json!({})), 403),
            (
                "PATCH",
                "/metadata/zone-1",
                permissions(json!({"deny": []})),
                403,
            ),
            (
                "PUT",
                "/metadata/zone-2",
                permissions(json!({"admin": ["guests"]})),
                403,
            ),
            ("DELETE", "/metadata/zone-1?name=permissions", None, 403),
            ("PATCH", "/systems/sys-1", put_in(json!(["zone-org"])), 403),
            ("PATCH", "/systems/sys-1", put_in(json!([])), 403),
            (
                "PATCH",
                "/systems/sys-2",
                put_in(json!(["zone-org", "zone-1"])),
                403,
            ),
            // The zone of a key that opens more than the caller has.
            (
                "PATCH",
                "/systems/sys-1",
                put_in(json!(["zone-org", "zone-1", "zone-2"])),
                403,
            ),
            ("PATCH", "/zones/zone-org", Some(json!({"tags": []})), 403),
            ("DELETE", "/zones/zone-1", None, 403),
            ("DELETE", "/zones/zone-org", None, 403),
            ("POST", "/systems", Some(second.clone()), 403),
            ("PUT", "/systems/sys-2/module/mod-scratch", None, 403),
            ("PUT", "/metadata/zone-1", Some(say.clone()), 200),
            (
                "PATCH",
                "/systems/sys-1",
                Some(json!({"name": "Renamed"})),
                200,
            ),
            (
                "PATCH",
                "/zones/zone-1",
                Some(json!({"name": "Renamed"})),
                200,
            ),
        ] {
            let answer = send(&gateway, key, method, path, document).await;
            assert_eq!(
                answer.status, status,
                "{key} {method} {path}: {}",
                answer.body
            );
        }
    }
    let guest = "/modules/mod-scratch/exec/echo";
    let refused = send(&gateway, "guest", "POST", guest, Some(json!([1]))).await;
    assert_eq!(refused.status, 401);
    let lifted = permissions(json!({"admin": ["chiefs"]}));
    let lifted = send(&gateway, "admin", "PUT", "/metadata/zone-1", lifted).await;
    assert_eq!(lifted.status, 200, "{}", lifted.body);
    ask(&gateway, "guest", "POST", guest)
        .json(json!([1]))
        .ok()
        .await;
}

#[tokio::test]
async fn a_key_for_users_makes_nobody_who_opens_more() {
    let gateway = Gateway::start(BUILDING).await;
    let guest = "/users/user-guest";
    let made = |more: Value| {
        let mut document = json!({"email": "new@example.test", "name": "New"});
        for (field, value) in more.as_object().expect("an object") {
            document[field] = value.clone();
        }
        document
    };
    for (method, path, document, status) in [
        ("POST", "/users", made(json!({"sys_admin": true})), 403),
        (
            "POST",
            "/users",
            made(json!({"password": "open sesame"})),
            403,
        ),
        ("POST", "/users", made(json!({"groups": ["chiefs"]})), 403),
        ("PATCH", guest, json!({"sys_admin": true}), 403),
        ("PATCH", guest, json!({"support": true}), 403),
        ("PATCH", guest, json!({"password": "open sesame"}), 403),
        (
            "PATCH",
            "/users/user-eve",
            json!({"password": "open sesame"}),
            403,
        ),
        ("PATCH", guest, json!({"groups": ["chiefs"]}), 403),
        // Out of the group that a zone refuses.
        ("PATCH", guest, json!({"groups": []}), 403),
        ("PATCH", guest, json!({"name": "A guest"}), 200),
        ("POST", "/users", made(json!({})), 201),
        ("PATCH", "/users/user-sue", json!({"support": false}), 200),
    ] {
        let answer = send(&gateway, "people", method, path, Some(document.clone())).await;
        assert_eq!(
            answer.status, status,
            "{method} {path} {document}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn a_key_for_the_building_puts_nothing_in_that_opens_more() {
    let gateway = Gateway::start(BUILDING).await;
    let put = |key: &str, path: &str, text: String| {
        let request = ask(&gateway, key, "PUT", path);
        async move { request.body(&text).send().await }
    };
    let instead = |from: &str, to: &str| {
        assert!(BUILDING.contains(from), "{from}");
        BUILDING.replacen(from, to, 1)
    };
    for (what, text) in [
        (
            "a key with more scopes",
            instead("scopes: [users]", "scopes: [public]"),
        ),
        (
            "a key for more zones",
            instead("level: admin, zones: [zone-2]", "level: admin"),
        ),
        (
            "another's key by another secret",
            instead("{id: admin, secret: secret", "{id: admin, secret: guessed"),
        ),
        (
            "a password",
            instead(
                "name: Guest, level: user",
                "name: Guest, level: user, password: open sesame",
            ),
        ),
        (
            "an administrator",
            instead("name: Guest, level: user", "name: Guest, level: admin"),
        ),
        (
            "another group",
            instead(
                "groups: [guests]}\n  - {id: user-crew",
                "groups: [chiefs]}\n  - {id: user-crew",
            ),
        ),
        (
            "other permissions",
            instead("deny: [guests], admin: [chiefs]", "deny: []"),
        ),
        (
            "no permissions",
            instead("name: permissions", "name: signage"),
        ),
        (
            "a room out of its zone",
            instead("zones: [zone-org, zone-1]", "zones: [zone-org]"),
        ),
        (
            "no organisation",
            instead("name: Organisation, tags: [org]", "name: Organisation"),
        ),
    ] {
        for path in ["/building", "/building?dry_run=true"] {
            let answer = put("whole", path, text.clone()).await;
            assert_eq!(answer.status, 403, "{what} by {path}: {}", answer.body);
        }
        let answer = put("admin", "/building?dry_run=true", text).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
    }
    let answer = put(
        "whole",
        "/building",
        instead("name: Level 2", "name: Second"),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = put("panels", "/building", BUILDING.to_owned()).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
}

#[tokio::test]
async fn an_empty_password_and_a_hash_of_gigabytes_are_refused() {
    let gateway = Gateway::start(BUILDING).await;
    let empty = json!({"email": "new@example.test", "password": ""});
    for (method, path) in [("PATCH", "/users/user-guest"), ("POST", "/users")] {
        let answer = send(&gateway, "admin", method, path, Some(empty.clone())).await;
        assert_eq!(answer.status, 422, "{method}: {}", answer.body);
        assert_eq!(
            answer.json()["failures"][0]["field"],
            "password",
            "{method}"
        );
    }
    let dear = "password_hash: '$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g'";
    let guest = "name: Guest, level: user";
    let text = BUILDING.replacen(guest, &format!("{guest}, {dear}"), 1);
    let request = ask(&gateway, "admin", "PUT", "/building");
    let answer = request.body(&text).send().await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(answer.body.contains("password_hash"), "{}", answer.body);
}

#[tokio::test]
async fn a_restricted_key_is_not_told_which_users_keys_and_zones_there_are() {
    let gateway = Gateway::start(BUILDING).await;
    let ids = |list: &Value| -> Vec<String> {
        let entries = list.as_array().expect("a list").iter();
        let id = |entry: &Value| entry["id"].as_str().expect("an id").to_owned();
        entries.map(id).collect()
    };
    for (path, own, other) in [
        ("/users", "user-eve", "user-guest"),
        ("/api_keys", "panels", "admin"),
    ] {
        let list = ask(&gateway, "panels", "GET", path).ok().await;
        assert_eq!(ids(&list), [own], "{path}");
        let one = |id: &str| ask(&gateway, "panels", "GET", &format!("{path}/{id}"));
        one(own).ok().await;
        for unseen in [other, "nobody"] {
            assert_eq!(one(unseen).send().await.status, 403, "{path}/{unseen}");
        }
        assert!(ids(&ask(&gateway, "admin", "GET", path).ok().await).len() > 1);
    }
    for (zone, parent) in [("zone-1", "zone-2"), ("zone-org", "zone-2")] {
        let inside = json!({"parent_id": parent});
        let answer = send(
            &gateway,
            "admin",
            "PATCH",
            &format!("/zones/{zone}"),
            Some(inside),
        )
        .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    for (key, count) in [("panels", 0), ("admin", 2)] {
        let path = "/zones?include_children_count=true";
        let list = ask(&gateway, key, "GET", path).ok().await;
        let mut zones = list.as_array().expect("a list").iter();
        let zone = zones.find(|zone| zone["id"] == "zone-2").expect("the zone");
        assert_eq!(zone["children_count"], count, "{key}");
    }
}

#[tokio::test]
async fn other_groups_and_another_level_hold_both_ways_without_a_reconnect() {
    let gateway = Gateway::start(BUILDING).await;
    let change = async |user: &str, document: Value| {
        let path = format!("/users/{user}");
        let answer = send(&gateway, "admin", "PATCH", &path, Some(document)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    let mut admin = enter(&gateway, "admin").await;
    let mut sue = enter(&gateway, "support").await;
    let log = scratch("");
    sue.send(log.debug(1)).await;
    sue.expect(log.debugging(1, "mod-scratch")).await;
    admin.call(scratch("log"), json!(["warn", "one"])).await;
    sue.expect(log.line(1, "mod-scratch", "warn", "one")).await;

    // Into a group that the zone refuses: what she followed ends, and no call goes through.
    change("user-sue", json!({"groups": ["guests"]})).await;
    admin.call(scratch("log"), json!(["warn", "two"])).await;
    sue.expect_silence_in("sys-2").await;
    sue.send(scratch("echo").exec(2, json!([1]))).await;
    sue.expect_error(2, 2).await;

    change("user-sue", json!({"groups": []})).await;
    sue.send(log.debug(3)).await;
    sue.expect(log.debugging(3, "mod-scratch")).await;
    admin.call(scratch("log"), json!(["warn", "three"])).await;
    sue.expect(log.line(3, "mod-scratch", "warn", "three"))
        .await;

    let outside = scratch("support_only").within("sys-2");
    let mut guest = enter(&gateway, "guest").await;
    guest.send(outside.exec(1, json!([]))).await;
    guest.expect_error(1, 2).await;
    change("user-guest", json!({"support": true})).await;
    guest.send(outside.exec(2, json!([]))).await;
    let answer = guest.next().await;
    assert_eq!(answer["type"], "success", "{answer}");
    change("user-guest", json!({"support": false})).await;
    let (code, _) = guest.expect_closed(Duration::from_secs(5)).await;
    assert_eq!(code, 1008);
}
