//! What PlaceOS's backoffice asks beside the rooms: modules started and stopped, domains, drivers, lists of what riser has not, and riser's own page to sign in on.

mod engineer;
mod forms;

use serde_json::{Value, json};

use crate::harness::{
    BUILDING, Cluster, DEADLINE, Gateway, Key, Plan, Request, Response, display, everywhere, within,
};
use crate::sign_in::{HASH, PASSWORD};

const BASE: &str = "/api/engine/v2";

fn ask(gateway: &Gateway, method: &str, path: &str, key: Key) -> Request {
    gateway.request(method, &format!("{BASE}{path}")).key(key)
}

async fn get(gateway: &Gateway, path: &str) -> Value {
    ask(gateway, "GET", path, Key::ADMIN).ok().await
}

/// Asks without a body, as support staff, and holds the answer to a status.
async fn order(gateway: &Gateway, path: &str, expected: u16) {
    let answer = ask(gateway, "POST", path, Key::SUPPORT).send().await;
    assert_eq!(answer.status, expected, "{path}: {}", answer.body);
}

async fn patch(gateway: &Gateway, path: &str, document: Value) -> Response {
    let request = ask(gateway, "PATCH", path, Key::ADMIN);
    request.json(document).send().await
}

/// The fields that a 422 names.
fn failures(response: &Response) -> Vec<String> {
    assert_eq!(response.status, 422, "{}", response.body);
    let document = response.json();
    let failures = document["failures"].as_array().expect("failures").iter();
    let field = |failure: &Value| failure["field"].as_str().expect("a field").to_owned();
    failures.map(field).collect()
}

/// The ids of the modules that do not run, by what the list says.
async fn stopped(gateway: &Gateway) -> Vec<String> {
    let listed = get(gateway, "/modules?running=false").await;
    let listed = listed.as_array().expect("a list").iter();
    let said = listed.map(|module| {
        let said = (
            &module["running"],
            &module["connected"],
            &module["condition"],
        );
        assert_eq!(said, (&json!(false), &json!(false), &json!("stopped")));
        module["id"].as_str().expect("an id").to_owned()
    });
    said.collect()
}

fn with_data() -> Plan {
    Plan::serve(BUILDING).arguments(["--data", "data"])
}

#[tokio::test]
async fn a_stopped_module_takes_no_calls_until_it_is_started_and_a_restart_changes_nothing_of_that()
{
    let mut gateway = with_data().start().await;
    let mut client = gateway.connect(Key::USER).await;
    client.set(display("power"), true).await;
    client.bind_with_value(display("connected"), 1, true).await;
    order(&gateway, "/modules/mod-d1/stop", 200).await;
    client.expect(display("connected").notify(1, false)).await;
    client.send(display("echo").exec(2, json!([1]))).await;
    let said = client.expect_error(2, 7).await;
    assert!(said.contains("stopped"), "{said}");
    assert_eq!(stopped(&gateway).await, ["mod-d1"]);
    let state = get(&gateway, "/modules/mod-d1/state").await;
    assert_eq!(state, json!({"connected": "false", "power": "true"}));
    // Again it changes nothing.
    order(&gateway, "/modules/mod-d1/stop", 200).await;
    order(&gateway, "/modules/mod-d1/load", 200).await;
    order(&gateway, "/modules/mod-none/start", 404).await;
    let user = ask(&gateway, "POST", "/modules/mod-d1/start", Key::USER);
    assert_eq!(user.send().await.status, 403);

    client.bind_with_value(display("power"), 3, true).await;
    order(&gateway, "/modules/mod-d1/start", 200).await;
    client.expect(display("connected").notify(1, true)).await;
    // What the driver does not set again is gone a moment after its start.
    client.expect(display("power").notify(3, Value::Null)).await;
    client.until_answered(display("echo")).await;
    order(&gateway, "/modules/mod-d1/stop", 200).await;

    // The file says nothing of it, when it is read again too.
    gateway.terminate().await;
    gateway.restart().await;
    assert_eq!(stopped(&gateway).await, ["mod-d1"]);
    let started = patch(&gateway, "/modules/mod-d1", json!({"running": true})).await;
    assert_eq!(started.status, 200, "{}", started.body);
    let mut client = gateway.connect(Key::USER).await;
    client.until_answered(display("echo")).await;
}

#[tokio::test]
async fn the_modules_of_a_room_start_and_stop_together_but_for_those_that_are_to_be_left_alone() {
    let gateway = Gateway::start(BUILDING).await;
    let alone = json!({"ignore_startstop": true});
    assert_eq!(patch(&gateway, "/modules/mod-d3", alone).await.status, 200);
    order(&gateway, "/systems/sys-2/stop", 200).await;
    assert_eq!(stopped(&gateway).await, [""; 0]);
    order(&gateway, "/systems/sys-2/stop?single_occurrence=false", 200).await;
    assert_eq!(stopped(&gateway).await, ["mod-shared"]);
    order(&gateway, "/systems/sys-1/stop", 200).await;
    let expected = [
        "mod-d1",
        "mod-d2",
        "mod-b1",
        "mod-secret",
        "mod-a",
        "mod-a1",
        "mod-shared",
    ];
    assert_eq!(stopped(&gateway).await, expected);
    order(
        &gateway,
        "/systems/sys-1/start?single_occurrence=false",
        200,
    )
    .await;
    assert_eq!(stopped(&gateway).await, [""; 0]);
    let mut client = gateway.connect(Key::ADMIN).await;
    for place in everywhere("echo") {
        client.until_answered(place).await;
    }
}

#[tokio::test]
async fn a_module_that_is_stopped_at_one_node_runs_on_none() {
    let cluster = Cluster::start(BUILDING, 2).await;
    cluster.until_answered(&everywhere("echo")).await;
    let connected = async {
        while get(&cluster.nodes[1], "/modules/mod-d1").await["connected"] != true {
            tokio::task::yield_now().await;
        }
    };
    within(
        DEADLINE,
        || "the display to be connected".to_owned(),
        connected,
    )
    .await;
    let mut client = cluster.connect(1, Key::USER).await;
    client.bind_with_value(display("connected"), 1, true).await;
    order(&cluster.nodes[0], "/modules/mod-d1/stop", 200).await;
    client.expect(display("connected").notify(1, false)).await;
    for node in &cluster.nodes {
        let told = async {
            while stopped(node).await != ["mod-d1"] {
                tokio::task::yield_now().await;
            }
        };
        within(DEADLINE, || "the node to hear of it".to_owned(), told).await;
    }
    client.send(display("echo").exec(2, json!([1]))).await;
    assert!(client.expect_error(2, 7).await.contains("stopped"));
    order(&cluster.nodes[1], "/modules/mod-d1/start", 200).await;
    client.expect(display("connected").notify(1, true)).await;
    client.until_answered(display("echo")).await;
}

/// How many modules run on each node that the list has, which the documents of the nodes say too.
async fn running(gateway: &Gateway) -> Vec<u64> {
    let path = "/cluster?include_status=true";
    let listed = ask(gateway, "GET", path, Key::SUPPORT).send().await;
    let total = listed.header("X-Total-Count").map(str::to_owned);
    let nodes = listed.json();
    let nodes = nodes.as_array().expect("a list");
    assert_eq!(total, Some(nodes.len().to_string()));
    let mut running = Vec::new();
    for node in nodes {
        assert_eq!(node["hostname"], "127.0.0.1");
        let count = &node["run_counts"]["modules"];
        assert_eq!(&node["status"]["run_count"]["local"]["modules"], count);
        running.push(count.as_u64().expect("a number"));
    }
    running
}

#[tokio::test]
async fn the_nodes_of_a_cluster_are_listed_with_what_runs_on_each() {
    let cluster = Cluster::start(BUILDING, 2).await;
    let modules = get(&cluster.nodes[0], "/modules").await;
    let all = modules.as_array().expect("a list").len() as u64;
    for gateway in &cluster.nodes {
        let placed = async {
            while running(gateway).await.iter().sum::<u64>() != all {
                tokio::task::yield_now().await;
            }
        };
        within(DEADLINE, || "all modules to run".to_owned(), placed).await;
        assert_eq!(running(gateway).await.len(), 2);
        let nodes = get(gateway, "/cluster").await;
        let mut there = 0;
        for node in nodes.as_array().expect("a list") {
            let id = node["id"].as_str().expect("an id");
            let drivers = get(gateway, &format!("/cluster/{id}")).await;
            let modules = drivers.as_array().expect("a list").iter();
            there += modules
                .map(|driver| driver["local"]["modules"].as_array().map_or(0, Vec::len))
                .sum::<usize>();
        }
        assert_eq!(there as u64, all);
        let missing = ask(gateway, "GET", "/cluster/none", Key::SUPPORT);
        assert_eq!(missing.send().await.status, 404);

        // Who is restricted to a room sees of the nodes what runs in it.
        let reached = ask(gateway, "GET", "/modules", Key::ROOM).ok().await;
        let listed = ask(gateway, "GET", "/cluster", Key::ROOM).ok().await;
        let listed = listed.as_array().expect("a list").iter();
        let counts = listed.map(|node| node["run_counts"]["modules"].as_u64().expect("a count"));
        assert_eq!(
            counts.sum::<u64>(),
            reached.as_array().expect("a list").len() as u64
        );
    }
}

#[tokio::test]
async fn the_domain_is_shown_and_its_name_and_description_are_kept() {
    let gateway = Gateway::start(BUILDING).await;
    let path = "/domains/authority-riser";
    let domain = get(&gateway, path).await;
    assert_eq!(domain["name"], "Headquarters");
    assert_eq!(domain["config"], json!({"org_zone": "zone-hq"}));
    assert_eq!(domain["internals"], json!({}));
    assert!(domain["created_at"].as_u64() > Some(0), "{domain}");
    assert_eq!(get(&gateway, "/domains").await, json!([domain]));
    let none = ask(&gateway, "GET", "/domains/authority-x", Key::ADMIN);
    assert_eq!(none.send().await.status, 404);
    let user = ask(&gateway, "GET", "/domains", Key::USER);
    assert_eq!(user.send().await.status, 403);

    let back = patch(&gateway, path, domain.clone()).await;
    assert_eq!((back.status, back.json()), (200, domain));
    let other = json!({"name": "Works", "description": "Where we work"});
    let other = patch(&gateway, path, other).await;
    assert_eq!(other.status, 200, "{}", other.body);
    let authority = gateway.request("GET", "/auth/authority").ok().await;
    assert_eq!(
        (&authority["name"], &authority["description"]),
        (&json!("Works"), &json!("Where we work"))
    );
    assert_eq!(get(&gateway, "/zones/zone-hq").await["name"], "Works");
    for (document, field) in [
        (json!({"login_url": "/elsewhere"}), "login_url"),
        (json!({"colour": "red"}), "colour"),
        (json!({"name": ""}), "name"),
        (json!({"description": 1}), "description"),
    ] {
        let refused = patch(&gateway, path, document).await;
        assert_eq!(failures(&refused), [field]);
    }
    let bare = Gateway::start(&BUILDING.replace("tags: [org]", "tags: [x]")).await;
    let refused = patch(&bare, path, json!({"name": "Works"})).await;
    assert_eq!(failures(&refused), ["name"]);
}

#[tokio::test]
async fn what_riser_has_not_is_listed_as_nothing() {
    let gateway = Gateway::start(BUILDING).await;
    let lists = [
        "repositories",
        "storages",
        "schema",
        "edges",
        "brokers",
        "cluster",
        "oauth_apps",
        "oauth_auths",
        "saml_auths",
        "ldap_auths",
    ];
    let lists = lists.map(|list| format!("{BASE}/{list}"));
    for path in lists
        .iter()
        .map(String::as_str)
        .chain(["/api/staff/v1/tenants"])
    {
        let listed = gateway.request("GET", path).key(Key::SUPPORT).send().await;
        assert_eq!((listed.status, &*listed.body), (200, "[]"), "{path}");
        assert_eq!(listed.header("X-Total-Count"), Some("0"), "{path}");
        let user = gateway.request("GET", path).key(Key::USER).send().await;
        assert_eq!(user.status, 403, "{path}");
    }
    let interfaces = get(&gateway, "/repositories/interfaces").await;
    assert_eq!(interfaces, json!({}));
}

#[tokio::test]
async fn drivers_are_called_by_words_and_stay_as_they_are() {
    let gateway = Gateway::start(BUILDING).await;
    let driver = get(&gateway, "/drivers/demo_display").await;
    assert_eq!(
        (&driver["name"], &driver["role"]),
        (&json!("Demo Display"), &json!(99))
    );
    assert_eq!(get(&gateway, "/drivers/http_json").await["role"], 2);
    assert_eq!(get(&gateway, "/drivers/modbus").await["role"], 1);
    assert_eq!(get(&gateway, "/drivers/demo_display/compiled").await, true);
    order(&gateway, "/drivers/demo_display/recompile", 200).await;
    order(&gateway, "/drivers/nothing/recompile", 404).await;
    let back = patch(&gateway, "/drivers/demo_display", driver.clone()).await;
    assert_eq!((back.status, back.json()), (200, driver));
    let refused = patch(
        &gateway,
        "/drivers/demo_display",
        json!({"description": "x"}),
    )
    .await;
    assert_eq!(failures(&refused), ["description"]);
    let module = get(&gateway, "/modules/mod-d1").await;
    assert_eq!(module["driver"]["name"], "Virtual");
}

#[tokio::test]
async fn the_page_to_sign_in_on_keeps_the_address_and_leads_back() {
    let ann = format!("name: Ann, password_hash: '{HASH}'}}");
    let gateway = Gateway::start(&BUILDING.replace("name: Ann}", &ann)).await;
    let form = |password| {
        [
            ("email", "ann@example.test"),
            ("password", password),
            ("continue", "/backoffice/#/{{email}}"),
        ]
    };
    let wrong = gateway.request("POST", "/login").form(&form("wrong"));
    let wrong = wrong.send().await;
    assert_eq!(wrong.status, 401);
    for part in [
        "The email or the password is wrong.",
        "value=\"ann@example.test\" required >",
        "required autofocus>",
        "value=\"/backoffice/#/&#123;&#123;email}}\"",
    ] {
        assert!(wrong.body.contains(part), "{part}: {}", wrong.body);
    }
    let slash = gateway.request("GET", "/login/?continue=%2Fx").send().await;
    assert_eq!(slash.header("location"), Some("/login?continue=%2Fx"));
    assert_eq!(gateway.request("GET", "/login/").send().await.status, 303);

    let good = gateway.request("POST", "/login").form(&form(PASSWORD));
    let good = good.send().await;
    let cookie = good.header("set-cookie").expect("a session");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let again = gateway.request("GET", "/login?continue=%2Fbackoffice%2F");
    let again = again.header("Cookie", &cookie).send().await;
    assert_eq!(
        (again.status, again.header("location")),
        (303, Some("/backoffice/"))
    );

    let out = async |referer: &str| {
        let out = gateway
            .request("GET", "/auth/logout")
            .header("Referer", referer);
        let out = out.send().await;
        out.header("location").expect("a place").to_owned()
    };
    let app = format!("{}/backoffice/?a=1", gateway.url());
    let place = out(&app).await;
    assert!(
        place.starts_with("/login?continue=http%3A%2F%2F"),
        "{place}"
    );
    assert!(place.ends_with("%2Fbackoffice%2F%3Fa%3D1"), "{place}");
    assert_eq!(out(&format!("{}/login", gateway.url())).await, "/login");
    assert_eq!(out("https://evil.test/backoffice/").await, "/login");
}

#[tokio::test]
async fn settings_are_made_shown_by_their_level_moved_and_taken_away() {
    let gateway = Gateway::start(BUILDING).await;
    let send = async |method: &str, path: &str, document: Value| {
        let request = ask(&gateway, method, path, Key::ADMIN);
        request.json(document).send().await
    };
    let open = json!({"parent_id": "sys-1", "encryption_level": 0, "settings_string": "poll: 1.5\nwho: [ann]"});
    let made = send("POST", "/settings", open.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(made["id"], "sets-0-sys-1");
    assert_eq!(made["settings_string"], "poll: 1.5\nwho: [\"ann\"]\n");
    assert_eq!(
        failures(&send("POST", "/settings", open).await),
        ["encryption_level"]
    );
    for (level, pin) in [(2, "pin"), (3, "password")] {
        let text = format!("{pin}: hunter2");
        let document =
            json!({"parent_id": "sys-1", "encryption_level": level, "settings_string": text});
        assert_eq!(send("POST", "/settings", document).await.status, 201);
    }
    let listed = |key| ask(&gateway, "GET", "/settings?parent_id=sys-1", key).ok();
    let said = async |key| {
        let listed: Value = listed(key).await;
        let listed = listed.as_array().expect("a list").iter();
        let text = |document: &Value| document["settings_string"].as_str().map(str::len);
        listed.map(text).collect::<Vec<_>>()
    };
    assert_eq!(said(Key::ADMIN).await, [Some(0), Some(15), Some(23)]);
    assert_eq!(said(Key::SUPPORT).await, [Some(0), Some(0), Some(23)]);

    let back = send("PUT", "/settings/sets-0-sys-1", made.clone()).await;
    assert_eq!(
        (back.status, back.json()["keys"].clone()),
        (200, json!(["poll", "who"]))
    );
    let taken = json!({"settings_string": "password: x"});
    let refused = send("PATCH", "/settings/sets-0-sys-1", taken).await;
    assert_eq!(failures(&refused), ["settings_string"]);
    for (document, field) in [
        (json!({"settings_string": "- x"}), "settings_string"),
        (json!({"encryption_level": 4}), "encryption_level"),
        (json!({"parent_id": "sys-2"}), "parent_id"),
        (json!({"colour": 1}), "colour"),
    ] {
        let refused = send("PATCH", "/settings/sets-0-sys-1", document).await;
        assert_eq!(failures(&refused), [field]);
    }
    let moved = send(
        "PATCH",
        "/settings/sets-0-sys-1",
        json!({"encryption_level": 1}),
    )
    .await;
    assert_eq!(moved.json()["id"], "sets-1-sys-1", "{}", moved.body);
    let gone = ask(&gateway, "GET", "/settings/sets-0-sys-1", Key::ADMIN);
    assert_eq!(gone.send().await.status, 404);
    assert_eq!(
        get(&gateway, "/settings/sets-1-sys-1/history").await,
        json!([])
    );

    // What was never shown is not shown by a change of its level alone.
    let lowered = json!({"encryption_level": 0});
    let refused = send("PATCH", "/settings/sets-sys-1", lowered).await;
    assert_eq!(failures(&refused), ["encryption_level"]);

    // A driver is held to what it takes, and settings of modules are administrators'.
    let display = json!({"driver_id": "demo_display", "id": "mod-demo"});
    assert_eq!(send("POST", "/modules", display).await.status, 201);
    let wrong = json!({"parent_id": "mod-demo", "settings_string": "colour: 1"});
    assert_eq!(
        failures(&send("POST", "/settings", wrong).await),
        ["settings"]
    );
    let right = json!({"parent_id": "mod-demo", "settings_string": "warm_up_seconds: 1"});
    let support = ask(&gateway, "POST", "/settings", Key::SUPPORT).json(right.clone());
    assert_eq!(support.send().await.status, 403);
    assert_eq!(send("POST", "/settings", right).await.status, 201);
    let delete = ask(&gateway, "DELETE", "/settings/sets-0-mod-demo", Key::ADMIN);
    assert_eq!(delete.send().await.status, 202);
    assert_eq!(get(&gateway, "/modules/mod-demo/settings").await, json!([]));
}
