//! What nodes say of modules that do not run: on an empty Redis, and when their node is gone. What their metrics say of those that do.

use serde_json::json;

use crate::harness::{
    BUILDING, DEADLINE, Gateway, Key, Plan, Redis, Terminal, display, everywhere, within,
};

/// What the documents of a gateway say of a module: whether it runs, whether it is connected, and why.
async fn condition(gateway: &Gateway, module: &str) -> (bool, bool, String) {
    let path = format!("/api/engine/v2/modules/{module}");
    let shape = gateway.request("GET", &path).key(Key::ADMIN).ok().await;
    let truth = |name: &str| shape[name].as_bool().expect("a truth value");
    let condition = shape["condition"].as_str().expect("a word");
    (truth("running"), truth("connected"), condition.to_owned())
}

async fn until_condition(gateway: &Gateway, module: &str, expected: &str) {
    let asking = async {
        while condition(gateway, module).await.2 != expected {
            tokio::task::yield_now().await;
        }
    };
    within(DEADLINE, || format!("{module} to be {expected}"), asking).await;
}

/// What the metrics of a gateway say of a module; `None` when they say nothing.
async fn measured(gateway: &Gateway, module: &str) -> Option<String> {
    let page = gateway.request("GET", "/metrics").send().await.body;
    let series = format!("riser_module_connected{{module=\"{module}\"}} ");
    let mut lines = page.lines();
    lines.find_map(|line| line.strip_prefix(&series).map(str::to_owned))
}

#[tokio::test]
async fn on_an_empty_redis_readiness_says_why_and_calls_wait_for_their_modules() {
    let redis = Redis::start().await;
    // Long enough to look at everything meanwhile.
    let plan = || {
        Plan::serve(BUILDING)
            .on(&redis.url())
            .variable("RISER_CLUSTER__LEASE", "8s")
    };
    let (first, second) = tokio::join!(plan().start(), plan().start());
    let mut client = first.connect(Key::USER).await;
    for (id, place) in (1..).zip(everywhere("echo")) {
        client.send(place.exec(id, json!([id]))).await;
    }
    for node in [&first, &second] {
        node.logged("modules wait for").await;
        let said = node.until_readiness(503).await;
        assert!(said.starts_with("waiting: no module runs"), "{said}");
        let (running, connected, condition) = condition(node, "mod-d1").await;
        assert_eq!((running, connected, &*condition), (true, false, "waiting"));
        assert_eq!(measured(node, "mod-d1").await.as_deref(), Some("0"));
    }
    let mut screen = second.connect(Key::USER).await;
    let connected = display("connected");
    screen.bind_with_value(connected, 1, false).await;
    let terminal = Terminal::at(&first, Key::USER);
    let rows = terminal.run(&["modules", "sys-2"]).await.out;
    let state = |row: &String| row.split_whitespace().nth(2).map(str::to_owned);
    let states: Vec<_> = rows.iter().skip(1).filter_map(state).collect();
    assert_eq!(states, ["waiting", "waiting"], "{rows:?}");
    let systems = terminal.run(&["systems", "--q", "huddle"]).await.out;
    assert!(systems[1].contains("0 of 2"), "{systems:?}");

    for _ in everywhere("echo") {
        let frame = client.next().await;
        assert_eq!(frame["type"], "success", "{frame}");
    }
    screen.expect(connected.notify(1, true)).await;
    for node in [&first, &second] {
        node.until_readiness(200).await;
        until_condition(node, "mod-d1", "connected").await;
    }
    let measures = [
        measured(&first, "mod-d1").await,
        measured(&second, "mod-d1").await,
    ];
    let told: Vec<String> = measures.into_iter().flatten().collect();
    assert_eq!(told, ["1"], "the node that runs it says so, and no other");
}

#[tokio::test]
async fn after_all_nodes_are_killed_and_started_again_calls_wait_for_the_lease_of_before() {
    let redis = Redis::start().await;
    // Longer than a call is tried again where no module is to come, and shorter than its deadline.
    let plan = || {
        Plan::serve(BUILDING)
            .on(&redis.url())
            .variable("RISER_CLUSTER__LEASE", "8s")
    };
    let (mut first, mut second) = tokio::join!(plan().start(), plan().start());
    for node in [&first, &second] {
        node.until_answered(&everywhere("echo")).await;
    }
    first.kill().await;
    second.kill().await;
    tokio::join!(first.restart(), second.restart());
    let mut client = first.connect(Key::USER).await;
    for (id, place) in (1..).zip(everywhere("echo")) {
        client.send(place.exec(id, json!([id]))).await;
    }
    for _ in everywhere("echo") {
        let frame = client.next().await;
        assert_eq!(frame["type"], "success", "{frame}");
    }
}

#[tokio::test]
async fn a_module_whose_node_is_gone_is_not_connected_and_its_document_says_why() {
    let redis = Redis::start().await;
    let role = |role: &str| {
        Plan::serve(BUILDING)
            .on(&redis.url())
            .variable("RISER_CLUSTER__ROLE", role)
    };
    let gateway = role("gateway").start().await;
    let mut core = role("core").start().await;
    gateway.until_answered(&everywhere("echo")).await;
    until_condition(&gateway, "mod-d1", "connected").await;
    let connected = display("connected");
    let mut client = gateway.connect(Key::USER).await;
    client.bind_with_value(connected, 1, true).await;
    let (running, is_connected, _) = condition(&gateway, "mod-d1").await;
    assert!(running && is_connected);
    assert_eq!(measured(&gateway, "mod-d1").await, None);

    core.kill().await;

    client.expect(connected.notify(1, false)).await;
    let said = condition(&gateway, "mod-d1").await;
    assert_eq!(said, (true, false, "unreachable".to_owned()));
    assert_eq!(measured(&gateway, "mod-d1").await.as_deref(), Some("0"));
    // What Redis still has of it is of a life that is over, and is not what who comes is told.
    let state = gateway.request("GET", "/api/engine/v2/modules/mod-d1/state");
    let state = state.key(Key::ADMIN).ok().await;
    assert_eq!(state["connected"], "false");
    let mut newcomer = gateway.connect(Key::USER).await;
    newcomer.bind_with_value(connected, 1, false).await;

    core.restart().await;

    client.expect(connected.notify(1, true)).await;
    until_condition(&gateway, "mod-d1", "connected").await;
}

#[tokio::test]
async fn a_module_that_stops_with_its_node_says_that_it_is_not_connected() {
    let redis = Redis::start().await;
    let mut core = Plan::serve(BUILDING).on(&redis.url()).start().await;
    core.until_answered(&everywhere("echo")).await;
    assert_eq!(core.terminate().await.code(), Some(0));
    let mut question = redis::cmd("HGET");
    let connected = question.arg("status/mod-d1").arg("connected");
    assert_eq!(redis.run::<String>(connected).await, "false");
}

#[tokio::test]
async fn a_series_of_each_module_follows_its_device_and_ends_with_the_module() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    let until = async |expected: Option<&str>| {
        let asking = async { while measured(&gateway, "mod-d1").await.as_deref() != expected {} };
        within(
            DEADLINE,
            || format!("the series to be {expected:?}"),
            asking,
        )
        .await;
    };
    until(Some("1")).await;
    client.set(display("connected"), false).await;
    until(Some("0")).await;
    client.set(display("connected"), true).await;
    until(Some("1")).await;
    let delete = gateway.request("DELETE", "/api/engine/v2/modules/mod-d1");
    let status = delete.key(Key::ADMIN).send().await.status;
    assert_eq!(status, 202);
    until(None).await;
}
