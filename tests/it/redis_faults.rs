//! Redis cut off, killed, stopped and filled up. After each fault every panel shows what is true, and no value has gone back on the way there.
//!
//! What is held to that, at every frame, is [`Panel`]: per binding, numbers that only go up, and the last one the truth.
//! The runs last some seconds each; `RISER_TEST_FAULT_SECONDS` makes those longer that are only as long as one lets them be.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::harness::{
    Beside, Cluster, DEADLINE, Device, Gateway, Key, LIGHTS, Nulls, Panel, Plan, Proxy, Redis,
    Switcher, TAKEOVER, display, light_id, lights, lights_building, number_from, show,
};

/// How long faults go on, in seconds.
const SECONDS_VARIABLE: &str = "RISER_TEST_FAULT_SECONDS";
const SECONDS: u64 = 4;

/// How often the connection is killed.
const KILL_PERIOD: Duration = Duration::from_millis(200);

/// Within which everything is true again once Redis can be reached: a second by itself, after at most two until the next try to reach it.
const CONVERGED: Duration = Duration::from_secs(5);

/// How many connections of one node follow: one each for statuses, topics and messages.
const FOLLOWERS: usize = 3;

/// Statuses of another program's module.
const STATUSES: usize = 50;

fn fault_time() -> Duration {
    Duration::from_secs(number_from(SECONDS_VARIABLE, SECONDS))
}

fn names() -> Vec<String> {
    (0..STATUSES).map(|number| format!("v{number}")).collect()
}

/// A panel that shows all statuses of the first display.
async fn open_panel(beside: &Beside) -> Panel {
    let names = names();
    let places: Vec<_> = names.iter().map(|name| display(name)).collect();
    Panel::open(beside.gateway.door().key(Key::USER), &places, Nulls::Never).await
}

/// Another program that sets the statuses of the first display.
struct Writer {
    connection: MultiplexedConnection,
    names: Vec<String>,
    number: u64,
}

impl Writer {
    async fn of(redis: &Redis) -> Self {
        Self {
            connection: redis.connection().await,
            names: names(),
            number: 0,
        }
    }

    /// Raises all statuses, and publishes them.
    async fn raise(&mut self) {
        self.number += 1;
        let mut pipeline = redis::pipe();
        for name in &self.names {
            show(&mut pipeline, "mod-d1", name, self.number);
        }
        let raised = pipeline.query_async::<()>(&mut self.connection).await;
        raised.expect("Redis takes them");
    }

    /// Raises all statuses and tells nobody.
    async fn raise_silently(&mut self) {
        self.number += 1;
        let mut pipeline = redis::pipe();
        for name in &self.names {
            let set = pipeline.cmd("HSET").arg("status/mod-d1").arg(name);
            set.arg(self.number).ignore();
        }
        let raised = pipeline.query_async::<()>(&mut self.connection).await;
        raised.expect("Redis takes them");
    }

    fn truth(&self) -> Vec<u64> {
        vec![self.number; self.names.len()]
    }
}

#[tokio::test]
async fn a_connection_that_is_killed_again_and_again_under_load_loses_nothing() {
    let beside = Beside::start().await;
    let mut writer = Writer::of(&beside.redis).await;
    writer.raise().await;
    let mut panel = open_panel(&beside).await;
    panel.until_shows(&writer.truth(), DEADLINE).await;

    let mut killed = 0;
    let faults = async {
        let end = Instant::now() + fault_time();
        let mut kills = interval(KILL_PERIOD);
        kills.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while Instant::now() < end {
            tokio::select! {
                biased;
                _ = kills.tick() => killed += beside.redis.kill_subscribers().await,
                () = writer.raise() => {}
            }
        }
    };
    panel.follow(faults).await;
    // What is set now is not published, so only a look at the store can find it.
    writer.raise_silently().await;
    killed += beside.redis.kill_subscribers().await;

    assert!(
        killed >= fault_time().as_secs(),
        "{killed} connections were killed"
    );
    panel.until_shows(&writer.truth(), CONVERGED).await;
    writer.raise().await;
    panel.until_shows(&writer.truth(), CONVERGED).await;
}

#[tokio::test]
async fn a_redis_that_stands_still_is_noticed_and_what_changed_is_told_when_it_goes_on() {
    let beside = Beside::start().await;
    let mut writer = Writer::of(&beside.redis).await;
    writer.raise().await;
    let mut panel = open_panel(&beside).await;
    panel.until_shows(&writer.truth(), DEADLINE).await;

    let mut post = TcpStream::connect(beside.redis.address())
        .await
        .expect("Redis takes connections");
    beside.redis.pause().await;
    let unready = beside.gateway.until_readiness(503);
    panel.follow(unready).await;
    // It waits in Redis's own buffers, is done before anything else, and is not published.
    writer.number += 1;
    let set = |name: &String| format!("HSET status/mod-d1 {name} {}\r\n", writer.number);
    let sets: String = writer.names.iter().map(set).collect();
    post.write_all(sets.as_bytes())
        .await
        .expect("there is room for it");
    beside.redis.resume().await;

    panel.until_shows(&writer.truth(), CONVERGED).await;
    beside.gateway.until_readiness(200).await;
    writer.raise().await;
    panel.until_shows(&writer.truth(), CONVERGED).await;
}

#[tokio::test]
async fn a_network_that_swallows_everything_is_noticed_and_what_changed_is_told_when_it_heals() {
    for heal in [Proxy::let_go, heal_by_cutting] {
        let (beside, proxy) = Beside::behind_a_proxy().await;
        let mut writer = Writer::of(&beside.redis).await;
        writer.raise().await;
        let mut panel = open_panel(&beside).await;
        panel.until_shows(&writer.truth(), DEADLINE).await;

        proxy.hold();
        let unready = async {
            let load = async {
                loop {
                    writer.raise().await;
                }
            };
            tokio::select! {
                said = beside.gateway.until_readiness(503) => said,
                () = load => unreachable!("it has no end"),
            }
        };
        panel.follow(unready).await;
        writer.raise().await;
        heal(&proxy);

        panel.until_shows(&writer.truth(), CONVERGED).await;
        beside.gateway.until_readiness(200).await;
        writer.raise().await;
        panel.until_shows(&writer.truth(), CONVERGED).await;
    }
}

fn heal_by_cutting(proxy: &Proxy) {
    proxy.cut();
    proxy.let_go();
}

/// A device, nodes on this Redis whose lights report to it, and a panel at each.
async fn lit(redis: Redis, count: usize, nulls: Nulls) -> (Device, Cluster, Vec<Panel>, Switcher) {
    let device = Device::start().await;
    let cluster = Cluster::start_on(redis, &lights_building(&device), count).await;
    cluster.until_answered(&lights("echo")).await;
    let mut panels = Vec::new();
    for node in &cluster.nodes {
        panels.push(Panel::open(node.door().key(Key::USER), &lights("n"), nulls).await);
    }
    let doors = cluster.nodes.iter().map(|node| node.door().key(Key::USER));
    let mut switcher = Switcher::new(doors.collect());
    let truth = switcher.finish().await;
    for panel in &mut panels {
        panel.until_shows(&truth, DEADLINE).await;
    }
    (device, cluster, panels, switcher)
}

fn process_of(node: &Gateway) -> u32 {
    node.process_id().expect("it runs")
}

/// What Redis has of the lights' numbers.
async fn stored(redis: &Redis) -> Vec<u64> {
    let mut numbers = Vec::new();
    for number in 1..=LIGHTS {
        let key = format!("status/{}", light_id(number));
        let get = redis::cmd("HGET").arg(key).arg("n").take();
        numbers.push(redis.run::<Option<u64>>(&get).await.unwrap_or_default());
    }
    numbers
}

/// Waits until Redis has what is true.
async fn until_stored(redis: &Redis, truth: &[u64]) {
    let mut last = Vec::new();
    let poll = async {
        while last != truth {
            last = stored(redis).await;
        }
    };
    if timeout(CONVERGED, poll).await.is_err() {
        panic!("Redis had {last:?} and never {truth:?}");
    }
}

async fn check_restart_of_redis(redis: Redis, nulls: Nulls) {
    let (device, mut cluster, mut panels, mut switcher) = lit(redis, 2, nulls).await;
    let before = device.starts();

    // Shorter than a lease, so that all modules stay where they are; what they set meanwhile is kept for Redis.
    cluster.redis.kill().await;
    let truth = switcher.finish().await;
    cluster.redis.restart().await;

    for panel in &mut panels {
        panel.until_shows(&truth, CONVERGED).await;
    }
    until_stored(&cluster.redis, &truth).await;
    assert_eq!(device.starts(), before, "no module has started again");
    let truth = switcher.finish().await;
    for panel in &mut panels {
        panel.until_shows(&truth, CONVERGED).await;
    }
    switcher.assert_at_most_once(&device);
    device.assert_one_owner();
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_is_told_everything_again() {
    check_restart_of_redis(Redis::start().await, Nulls::InBetween).await;
}

#[tokio::test]
async fn a_redis_that_comes_back_with_what_it_had_is_told_what_changed() {
    let redis = Redis::plan().durable().start().await;
    check_restart_of_redis(redis, Nulls::Never).await;
}

#[tokio::test]
async fn nodes_whose_connections_to_redis_are_all_killed_again_and_again_lose_nothing() {
    let redis = Redis::start().await;
    let (device, cluster, mut panels, switcher) = lit(redis, 2, Nulls::InBetween).await;
    let load = switcher.run();

    let kill = |kind: &'static str| {
        let command = redis::cmd("CLIENT").arg(&["KILL", "TYPE", kind]).take();
        let redis = &cluster.redis;
        async move { redis.run::<u64>(&command).await }
    };
    let faults = async {
        let end = Instant::now() + fault_time();
        let mut kills = interval(KILL_PERIOD);
        let mut killed = 0;
        while Instant::now() < end {
            kills.tick().await;
            killed += kill("normal").await + kill("pubsub").await;
        }
        killed
    };
    let [here, there] = panels.as_mut_slice() else {
        unreachable!("there are two");
    };
    let killed = here.follow(Box::pin(there.follow(faults))).await;

    assert!(killed >= fault_time().as_secs(), "{killed} were killed");
    let mut switcher = load.stop().await;
    let truth = switcher.finish().await;
    for panel in &mut panels {
        panel.until_shows(&truth, CONVERGED).await;
    }
    until_stored(&cluster.redis, &truth).await;
    switcher.assert_at_most_once(&device);
    device.assert_one_owner();
}

#[tokio::test]
async fn a_redis_that_is_away_for_longer_than_a_lease_stops_all_modules_until_it_is_back() {
    let redis = Redis::plan().durable().start().await;
    let (device, mut cluster, mut panels, mut switcher) = lit(redis, 2, Nulls::InBetween).await;

    cluster.redis.kill().await;
    for node in &cluster.nodes {
        node.logged("lease is over").await;
    }
    let from = device.acts().len();
    cluster.redis.restart().await;

    for node in &cluster.nodes {
        let process = process_of(node);
        device.wait_acting(process, from).await;
    }
    let acts = device.acts();
    for number in 1..=LIGHTS {
        let id = light_id(number);
        let first = acts.iter().skip(from).find(|act| act.module == id);
        let what = first.map_or("start", |act| &act.what);
        assert_eq!(what, "start", "{id} acts without a lease");
    }
    let truth = switcher.finish().await;
    for panel in &mut panels {
        panel.until_shows(&truth, CONVERGED).await;
    }
    device.assert_one_owner();
}

#[tokio::test]
async fn a_node_that_is_cut_off_from_redis_acts_no_more_and_its_modules_run_elsewhere_until_it_heals()
 {
    for heal in [Proxy::let_go, heal_by_cutting] {
        let device = Device::start().await;
        let building = lights_building(&device);
        let mut cluster = Cluster::start(&building, 1).await;
        let proxy = Proxy::before(cluster.redis.address()).await;
        let plan = Plan::serve(&building).on(&cluster.redis.url_at(proxy.address()));
        cluster.nodes.push(plan.start().await);
        let cut_off = process_of(&cluster.nodes[1]);
        device.wait_acting(cut_off, 0).await;
        cluster.until_answered(&lights("echo")).await;
        let door = |node: usize| cluster.nodes[node].door().key(Key::USER);
        let mut panels = [
            Panel::open(door(0), &lights("n"), Nulls::InBetween).await,
            Panel::open(door(1), &lights("n"), Nulls::InBetween).await,
        ];
        let mut switcher = Switcher::new(vec![door(0)]);
        let orphans = device.modules_of(cut_off);
        let from = device.acts().len();

        proxy.hold();

        device.wait_moved(&orphans, from, cut_off, TAKEOVER).await;
        let truth = switcher.finish().await;
        panels[0].until_shows(&truth, CONVERGED).await;
        cluster.nodes[1].until_readiness(503).await;
        // It does nothing for its own clients either, not even for what it ran.
        let from = device.acts().len();
        let mut client = cluster.connect(1, Key::USER).await;
        for place in lights("set") {
            client.send(place.exec(1, json!(["m", 1]))).await;
        }
        for _ in lights("set") {
            client.next().await;
        }
        let acts = device.acts();
        let late = acts.iter().skip(from).find(|act| act.process == cut_off);
        assert_eq!(late, None, "it acts without a lease");

        heal(&proxy);

        device.wait_acting(cut_off, from).await;
        let truth = switcher.finish().await;
        for panel in &mut panels {
            panel.until_shows(&truth, CONVERGED).await;
        }
        device.assert_one_owner();
    }
}

#[tokio::test]
async fn a_node_that_was_stopped_for_longer_than_its_lease_does_nothing_before_it_has_it_again() {
    let redis = Redis::start().await;
    let (device, cluster, mut panels, _) = lit(redis, 2, Nulls::InBetween).await;
    let node = &cluster.nodes[1];
    let asleep = process_of(node);
    let mut switcher = Switcher::new(vec![cluster.nodes[0].door().key(Key::USER)]);
    switcher.finish().await;
    for _ in 0..2 {
        let orphans = device.modules_of(asleep);
        let from = device.acts().len();

        node.signal("STOP").await;
        device.wait_moved(&orphans, from, asleep, TAKEOVER).await;
        let from = device.acts().len();
        node.signal("CONT").await;

        device.wait_acting(asleep, from).await;
        device.assert_one_owner();
    }
    let truth = switcher.finish().await;
    for panel in &mut panels {
        panel.until_shows(&truth, CONVERGED).await;
    }
}

/// Lets Redis refuse what changes it, until it is told otherwise: all modules stop, and everything is true when it takes changes again.
async fn check_refusals(refuse: &[&str], take: &[&str]) {
    let redis = Redis::start().await;
    let (device, cluster, mut panels, mut switcher) = lit(redis, 2, Nulls::InBetween).await;
    let command = |words: &[&str]| redis::cmd(words[0]).arg(&words[1..]).take();

    cluster.redis.run::<()>(&command(refuse)).await;
    for node in &cluster.nodes {
        node.logged("lease is over").await;
    }
    let from = device.acts().len();
    cluster.redis.run::<()>(&command(take)).await;

    for node in &cluster.nodes {
        device.wait_acting(process_of(node), from).await;
    }
    let truth = switcher.finish().await;
    for panel in &mut panels {
        panel.until_shows(&truth, CONVERGED).await;
    }
    until_stored(&cluster.redis, &truth).await;
    switcher.assert_at_most_once(&device);
    device.assert_one_owner();
}

#[tokio::test]
async fn a_redis_that_is_full_stops_all_modules_until_there_is_room() {
    let limit = |bytes| ["CONFIG", "SET", "maxmemory", bytes];
    check_refusals(&limit("1"), &limit("0")).await;
}

#[tokio::test]
async fn a_redis_that_is_made_a_replica_stops_all_modules_until_it_is_none() {
    // Its master is not there, so it keeps what it has.
    let refuse = ["REPLICAOF", "127.0.0.1", "1"];
    check_refusals(&refuse, &["REPLICAOF", "NO", "ONE"]).await;
}

/// Clients, modules and statuses of each that make a hundred thousand.
const CLIENTS: usize = 10;
const MODULES_EACH: usize = 10;
const STATUSES_EACH: usize = 1_000;

fn crowd_module(number: usize) -> String {
    format!("mod-crowd-{number}")
}

/// Sets all statuses of the crowd and tells nobody.
async fn set_crowd(redis: &Redis, round: usize) {
    let mut connection = redis.connection().await;
    let value = crowd_value(round);
    for module in 0..CLIENTS * MODULES_EACH {
        let mut pipeline = redis::pipe();
        let set = pipeline
            .cmd("HSET")
            .arg(format!("status/{}", crowd_module(module)));
        for status in 0..STATUSES_EACH {
            set.arg(format!("v{status}")).arg(&value);
        }
        let run = pipeline.query_async::<redis::Value>(&mut connection).await;
        run.expect("Redis takes them");
    }
}

/// Three hundred bytes of JSON.
fn crowd_value(round: usize) -> String {
    format!("\"{round:0298}\"")
}

/// Holds that these are the values of one round, of as many bindings as there are.
fn check_crowd(texts: &[String], round: usize) {
    let mut ids = HashSet::new();
    let value = crowd_value(round);
    for text in texts.iter().filter(|text| text.contains("\"notify\"")) {
        assert!(text.contains(&value), "{text} in round {round}");
        let id = text.split(',').next();
        assert!(ids.insert(id), "{id:?} is told twice");
    }
    assert_eq!(ids.len(), MODULES_EACH * STATUSES_EACH);
}

/// The connections that follow. Waits until all are there.
async fn followers(redis: &Redis) -> Vec<String> {
    let all = async {
        loop {
            let followers = subscribers(redis).await;
            if followers.len() >= FOLLOWERS {
                return followers;
            }
        }
    };
    let all = timeout(CONVERGED, all).await;
    all.expect("every connection is made again")
}

async fn subscribers(redis: &Redis) -> Vec<String> {
    let list = redis::cmd("CLIENT")
        .arg("LIST")
        .arg("TYPE")
        .arg("pubsub")
        .take();
    let list: String = redis.run(&list).await;
    let ids = list.lines().filter_map(|line| line.split(' ').next());
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_hundred_thousand_statuses_are_read_again_within_the_limits_of_redis() {
    let beside = Beside::start().await;
    let limit = "pubsub 4mb 2mb 10";
    let command = redis::cmd("CONFIG")
        .arg("SET")
        .arg("client-output-buffer-limit")
        .arg(limit)
        .take();
    beside.redis.run::<()>(&command).await;
    let modules: Vec<String> = (0..CLIENTS * MODULES_EACH).map(crowd_module).collect();
    let slots: Vec<String> = (1..=modules.len())
        .map(|index| format!("Light/{index}"))
        .collect();
    let slots = slots.iter().map(String::as_str);
    let fields: Vec<(&str, &str)> = slots.zip(modules.iter().map(String::as_str)).collect();
    beside.redis.place("sys-crowd", &fields).await;
    set_crowd(&beside.redis, 1).await;

    let names: Vec<String> = (0..STATUSES_EACH)
        .map(|status| format!("v{status}"))
        .collect();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(beside.client().await);
    }
    let bind = clients.iter_mut().enumerate().map(|(number, client)| {
        let first = number * MODULES_EACH + 1;
        let lights = first..first + MODULES_EACH;
        let places = lights.flat_map(|light| {
            let index = i64::try_from(light).expect("few lights");
            let light = display("").within("sys-crowd").of("Light").at(index);
            names.iter().map(move |name| light.named(name))
        });
        let requests: Vec<_> = (0_u64..)
            .zip(places)
            .map(|(id, place)| place.bind(id))
            .collect();
        let count = 2 * requests.len();
        client.pipeline(requests, count)
    });
    for texts in join_all(bind).await {
        check_crowd(&texts, 1);
    }

    set_crowd(&beside.redis, 2).await;
    assert!(beside.redis.kill_subscribers().await >= 1, "they follow");
    let count = MODULES_EACH * STATUSES_EACH;
    let read = clients.iter_mut().map(|client| client.pipeline([], count));
    for texts in join_all(read).await {
        check_crowd(&texts, 2);
    }

    // Nothing was cut off on the way: what follows is what has followed since.
    let followers = followers(&beside.redis).await;
    assert_eq!(followers.len(), FOLLOWERS, "{followers:?}");
    beside.redis.show(&modules[0], "v0", "3").await;
    let first = display("v0").within("sys-crowd").of("Light");
    clients[0].expect(first.notify(0, 3)).await;
    assert_eq!(subscribers(&beside.redis).await, followers);
}
