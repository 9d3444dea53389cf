//! Two and three gateways on one Redis: clients at one, modules at another, and what happens when nodes come, go and die.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};

use tokio::time::timeout;

use crate::harness::{
    Act, BUILDING, Cluster, DEADLINE, Device, Door, Gateway, Key, LIGHTS, Nulls, Panel, Place,
    Plan, Redis, Switcher, TAKEOVER, display, everywhere, light_id, lights, lights_building,
    scratch, within,
};

/// Within which a line comes that comes at all, before another is logged.
const AT_ONCE: Duration = Duration::from_millis(200);

async fn two_nodes() -> Cluster {
    let cluster = Cluster::start(BUILDING, 2).await;
    cluster.until_answered(&everywhere("echo")).await;
    cluster
}

#[tokio::test]
async fn a_client_at_any_node_is_told_of_any_module_and_calls_it() {
    let cluster = two_nodes().await;
    let mut number = 0;
    for (here, there) in [(0, 1), (1, 0)] {
        let mut client = cluster.connect(here, Key::SUPPORT).await;
        let mut console = cluster.connect(there, Key::USER).await;
        for place in everywhere("n") {
            number += 1;
            client.send(place.bind(number)).await;
            client.expect(place.success(number)).await;
            if here == 1 {
                // What was set in the first round is there.
                assert_eq!(client.next().await["type"], "notify");
            }
            console.set(place, number).await;
            client.expect(place.notify(number, number)).await;
        }
    }
}

#[tokio::test]
async fn a_call_of_a_module_elsewhere_ends_like_one_of_a_module_here() {
    let cluster = two_nodes().await;
    for node in [0, 1] {
        let mut user = cluster.connect(node, Key::USER).await;
        let mut admin = cluster.connect(node, Key::ADMIN).await;
        for place in everywhere("echo") {
            let odd = json!({"b": 1.5, "a": [null, "\u{1f600}\n\"quoted\""]});
            assert_eq!(user.call(place, json!([odd])).await, odd);
            assert_eq!(user.call(place, json!({"value": 7})).await, 7);
            assert_eq!(
                user.call(place.named("sleep"), json!([0])).await,
                Value::Null
            );
            user.send(place.named("fail").exec(1, json!(["lamp \"A\"\n😀"])))
                .await;
            let message = user.expect_error(1, 3).await;
            assert_eq!(message, "module raised: lamp \"A\"\n😀");
            user.send(place.named("sleep").exec(2, json!(["soon"])))
                .await;
            user.expect_error(2, 3).await;
            user.send(place.named("nope").exec(3, json!([]))).await;
            user.expect_error(3, 1).await;
            user.send(place.named("admin_only").exec(4, json!([])))
                .await;
            user.expect_error(4, 2).await;
            admin.call(place.named("admin_only"), json!([])).await;
        }
    }
}

#[tokio::test]
async fn a_call_past_its_deadline_is_error_7_at_any_node() {
    let redis = Redis::start().await;
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let plan = Plan::serve(BUILDING).on(&redis.url());
        nodes.push(plan.variable("RISER_EXEC__DEADLINE", "1s").start().await);
    }
    for node in &nodes {
        node.until_answered(&everywhere("echo")).await;
        let mut client = node.connect(Key::USER).await;
        for (id, place) in (1..).zip(everywhere("sleep")) {
            client.send(place.exec(id, json!([3_000]))).await;
        }
        let mut ids = HashSet::new();
        for _ in everywhere("sleep") {
            let frame = client.next().await;
            assert_eq!(frame["code"], 7, "{frame}");
            ids.insert(frame["id"].as_u64());
        }
        assert_eq!(ids.len(), everywhere("sleep").len());
    }
}

#[tokio::test]
async fn engineers_at_any_node_follow_the_log_of_any_module() {
    let cluster = two_nodes().await;
    for place in [display(""), scratch(""), display("").of("A")] {
        let mut engineers = [
            cluster.connect(0, Key::SUPPORT).await,
            cluster.connect(1, Key::SUPPORT).await,
            cluster.connect(1, Key::ADMIN).await,
        ];
        let mut module = String::new();
        for engineer in &mut engineers {
            engineer.send(place.debug(1)).await;
            let answer = engineer.next().await;
            assert_eq!(answer["type"], "success", "{answer}");
            module = answer["mod_id"].as_str().unwrap_or_default().to_owned();
        }
        // What is logged after the answer is seen.
        let mut console = cluster.connect(0, Key::USER).await;
        console
            .call(place.named("log"), json!(["warn", "hot"]))
            .await;

        for engineer in &mut engineers {
            let mut frame = engineer.next().await;
            let klass = frame["klass"].take();
            assert!(klass.is_string(), "{frame}");
            let mut expected = place.line(1, &module, "warn", "hot");
            expected["klass"] = Value::Null;
            assert_eq!(frame, expected);
            engineer.send(place.ignore(2)).await;
            engineer.expect(Place::ignored(2)).await;
        }
    }
}

/// A device, nodes whose lights report to it, and the time that all of them take to run.
async fn lit(count: usize) -> (Device, Cluster) {
    let device = Device::start().await;
    let cluster = Cluster::start(&lights_building(&device), count).await;
    until_lit(&device).await;
    cluster.until_answered(&lights("echo")).await;
    (device, cluster)
}

async fn until_lit(device: &Device) {
    for number in 1..=LIGHTS {
        let id = light_id(number);
        device
            .wait_act(&id, 0, DEADLINE, |act| act.what == "beat")
            .await;
    }
}

fn process_of(node: &Gateway) -> u32 {
    node.process_id().expect("it runs")
}

fn door(node: &Gateway) -> Door {
    node.door().key(Key::USER)
}

/// A panel at each node that shows all lights.
async fn panels(cluster: &Cluster) -> Vec<Panel> {
    let mut panels = Vec::new();
    for node in &cluster.nodes {
        panels.push(Panel::open(door(node), &lights("n"), Nulls::InBetween).await);
    }
    panels
}

fn switcher(cluster: &Cluster) -> Switcher {
    Switcher::new(cluster.nodes.iter().map(door).collect())
}

#[tokio::test]
async fn the_modules_of_a_node_that_is_killed_run_elsewhere_in_time_and_show_what_is_true() {
    let (device, mut cluster) = lit(2).await;
    let mut panels = panels(&cluster).await;
    let mut switcher = switcher(&cluster);
    let truth = switcher.finish().await;
    for panel in &mut panels {
        panel.until_shows(&truth, DEADLINE).await;
    }
    let dead = process_of(&cluster.nodes[0]);
    let orphans = device.modules_of(dead);
    assert!(!orphans.is_empty() && orphans.len() < LIGHTS, "{orphans:?}");
    let from = device.acts().len();

    cluster.nodes[0].kill().await;

    device.wait_moved(&orphans, from, dead, TAKEOVER).await;
    let truth = switcher.finish().await;
    panels[1].until_shows(&truth, DEADLINE).await;
    device.assert_one_owner();

    // It comes back and gets its own again.
    cluster.nodes[0].restart().await;
    let again = process_of(&cluster.nodes[0]);
    device.wait_acting(again, from).await;
    panels[0].until_gone().await;
    panels[0].come_back().await;
    let truth = switcher.finish().await;
    for panel in &mut panels {
        panel.until_shows(&truth, DEADLINE).await;
    }
    switcher.assert_at_most_once(&device);
    device.assert_one_owner();
}

#[tokio::test]
async fn modules_move_to_a_node_that_joins_and_from_one_that_leaves() {
    let (device, mut cluster) = lit(1).await;
    let first = process_of(&cluster.nodes[0]);
    assert_eq!(device.modules_of(first).len(), LIGHTS);

    let plan = Plan::serve(&lights_building(&device)).on(&cluster.redis.url());
    cluster.nodes.push(plan.start().await);
    let second = process_of(&cluster.nodes[1]);
    device.wait_acting(second, 0).await;
    // Those that are not the newcomer's stay where they are, without a new start.
    cluster.until_answered(&lights("echo")).await;
    let acts = device.acts();
    for id in device.modules_of(first) {
        let starts = acts
            .iter()
            .filter(|act| act.module == id && act.what == "start");
        assert_eq!(starts.count(), 1, "{id}");
    }

    let from = device.acts().len();
    let status = cluster.nodes[1].terminate().await;
    assert_eq!(status.code(), Some(0));
    for number in 1..=LIGHTS {
        let is_there = |act: &Act| act.process == first && act.what == "beat";
        device
            .wait_act(&light_id(number), from, TAKEOVER, is_there)
            .await;
    }
    device.assert_one_owner();
}

#[tokio::test]
async fn a_rolling_restart_under_load_loses_no_last_value_and_makes_no_second_owner() {
    let (device, mut cluster) = lit(3).await;
    let mut panels = panels(&cluster).await;
    let load = switcher(&cluster).run();

    for (node, panel) in cluster.nodes.iter_mut().zip(&mut panels) {
        node.ask_to_stop().await;
        panel.until_gone().await;
        let status = node.ended(DEADLINE).await;
        assert_eq!(status.code(), Some(0));
        node.restart().await;
        let process = process_of(node);
        device.wait_acting(process, 0).await;
        panel.come_back().await;
    }

    let mut switcher = load.stop().await;
    let truth = switcher.finish().await;
    for panel in &mut panels {
        panel.until_shows(&truth, DEADLINE).await;
    }
    switcher.assert_at_most_once(&device);
    device.assert_one_owner();
}

#[tokio::test]
async fn what_is_edited_at_one_node_holds_at_all_of_them() {
    let cluster = two_nodes().await;
    let resource = "/api/engine/v2/systems/sys-1";
    for (here, there, name) in [(0, 1, "Ballroom"), (1, 0, "Cloakroom")] {
        let patch = cluster.nodes[here].request("PATCH", resource);
        patch.key(Key::ADMIN).json(json!({"name": name})).ok().await;
        let mut last = Value::Null;
        let poll = async {
            while last != name {
                let get = cluster.nodes[there].request("GET", resource);
                last = get.key(Key::ADMIN).ok().await["name"].take();
            }
        };
        let shown = timeout(DEADLINE, poll).await;
        assert!(shown.is_ok(), "the name was {last} and never {name}");
    }
    // A key that is taken back at one node closes what it opened at the other.
    let mut client = cluster.connect(1, Key::FLOOR).await;
    let delete = cluster.nodes[0].request("DELETE", "/api/engine/v2/api_keys/floor");
    let response = delete.key(Key::ADMIN).send().await;
    assert!((200..300).contains(&response.status), "{}", response.body);
    let (code, _) = client.expect_closed(Duration::from_secs(5)).await;
    assert_eq!(code, 1008);
}

#[tokio::test]
async fn a_node_that_is_a_gateway_runs_no_module_and_serves_all_of_them() {
    let device = Device::start().await;
    let building = lights_building(&device);
    let redis = Redis::start().await;
    let role = |role: &str| {
        Plan::serve(&building)
            .on(&redis.url())
            .variable("RISER_CLUSTER__ROLE", role)
    };
    let gateway = role("gateway").start().await;
    let mut client = gateway.connect(Key::USER).await;
    client.send(lights("echo")[0].exec(1, json!([1]))).await;
    client.expect_error(1, 7).await;
    let core = role("core").start().await;
    until_lit(&device).await;
    gateway.until_answered(&lights("echo")).await;
    assert_eq!(device.modules_of(process_of(&core)).len(), LIGHTS);
    let mut switcher = Switcher::new(vec![door(&gateway)]);
    let truth = switcher.finish().await;
    let mut panel = Panel::open(door(&gateway), &lights("n"), Nulls::Never).await;
    panel.until_shows(&truth, DEADLINE).await;
    device.assert_one_owner();
}

#[tokio::test]
async fn the_core_api_is_for_nodes_alone_unless_it_is_opened() {
    let redis = Redis::start().await;
    let execute = "/api/core/v1/command/mod-d1/execute?user_id=user-eve";
    let body = json!({"__exec__": "echo", "echo": [{"a": 1}]});
    let closed = Plan::serve(BUILDING).on(&redis.url()).start().await;
    closed.until_answered(&[display("echo")]).await;
    for request in [
        closed.request("POST", execute),
        closed.request("POST", execute).key(Key::ADMIN),
        closed.request("POST", execute).bearer("guessed"),
    ] {
        let status = request.json(body.clone()).try_send().await;
        assert!(matches!(status, Some(401 | 403)), "{status:?}");
    }
    drop(closed);

    let redis = Redis::start().await;
    let open = Plan::serve(BUILDING)
        .on(&redis.url())
        .variable("RISER_CLUSTER__OPEN_CORE_API", "true");
    let open = open.start().await;
    open.until_answered(&[display("echo")]).await;
    let answer = open.request("POST", execute).json(body).ok().await;
    assert_eq!(answer, json!({"a": 1}));
    let raised = json!({"__exec__": "fail", "fail": ["boom"]});
    let response = open.request("POST", execute).json(raised).send().await;
    assert_eq!(response.status, 203);
    assert_eq!(response.json()["error"], "boom");
}

/// What a PlaceOS sees of a node that stands in for one of its cores.
#[tokio::test]
async fn a_node_stands_in_for_a_core_of_a_placeos() {
    let redis = Redis::start().await;
    let plan = Plan::serve(BUILDING)
        .on(&redis.url())
        .variable("RISER_CLUSTER__SERVICE", "core")
        .variable("RISER_CLUSTER__ROLE", "core")
        .variable("RISER_CLUSTER__OPEN_CORE_API", "true");
    let core = plan.start().await;
    core.until_answered(&everywhere("echo")).await;

    // It is listed as cores are.
    let get_all = |key: &str| redis::cmd("HGETALL").arg(key).take();
    let listed: Vec<(String, String)> = redis.run(&get_all("{service_core}_lookup")).await;
    let [(field, uri)] = listed.as_slice() else {
        panic!("one core is listed, not {listed:?}");
    };
    assert_eq!(*uri, core.url());
    let id = field.strip_prefix("{service_core}.").unwrap_or_default();
    assert_eq!(id.len(), 26, "a ULID in {field}");
    let lease: String = redis.run(redis::cmd("GET").arg(field)).await;
    let lease: Value = serde_json::from_str(&lease).expect("JSON");
    assert_eq!((&lease["u"], &lease["r"]), (&json!(uri), &json!(true)));
    let version: String = redis
        .run(redis::cmd("GET").arg("{service_core}_version"))
        .await;
    assert_eq!(lease["v"], version);
    let left: i64 = redis.run(redis::cmd("PTTL").arg(field)).await;
    assert!(left > 0, "its lease has no end");

    // Its modules are where PlaceOS's programs look for them.
    let slots: BTreeMap<String, String> = redis.run(&get_all("system/sys-1")).await;
    let module = |slot: &str| slots.get(slot).map(String::as_str);
    assert_eq!(module("Display/1"), Some("mod-d1"));
    assert_eq!(module("Display/2"), Some("mod-d2"));
    let interface: String = redis.run(redis::cmd("GET").arg("interface/mod-d1")).await;
    let interface: Value = serde_json::from_str(&interface).expect("JSON");
    assert!(interface["interface"]["echo"].is_object(), "{interface}");
    assert_eq!(interface["security"]["support"], json!(["support_only"]));
    let connected = redis::cmd("HGET")
        .arg("status/mod-d1")
        .arg("connected")
        .take();
    assert_eq!(redis.run::<String>(&connected).await, "true");

    // They are called as a core is asked to, and say what their drivers say.
    let mut console = core.connect(Key::USER).await;
    let execute = "/api/core/v1/command/mod-d1/execute?user_id=user-eve";
    let call = json!({"__exec__": "set", "set": {"name": "power", "value": true}});
    let response = core.request("POST", execute).json(call).send().await;
    assert_eq!((response.status, response.body.as_str()), (200, "null"));
    assert_eq!(response.header("Response-Code"), Some("200"));
    console.bind_with_value(display("power"), 1, true).await;

    // Its log is followed as a core's is.
    let path = "/api/core/v1/command/mod-d1/debugger";
    let mut debugger = core.door().path(path).connect().await;
    let log = display("log");
    let hear = async {
        loop {
            console.call(log, json!(["warn", "hot"])).await;
            let line = debugger.next_text("a line");
            if let Ok(line) = timeout(AT_ONCE, line).await {
                break line;
            }
        }
    };
    let line = within(DEADLINE, || "a line of the log".to_owned(), hear).await;
    assert_eq!(line, r#"[4,"hot"]"#);
}
