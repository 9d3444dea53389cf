//! Triggers on nodes that are killed: an edge may be lost, and never fires twice.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{PEOPLE, try_call};
use crate::harness::{Cluster, DEADLINE, Device, Redis, number_from};

const SYSTEMS: usize = 10;
const TRIGGERS_EACH: usize = 5;

/// The building: each system has a lamp, and each of its triggers a module of its own that reports what it does.
fn building(device: &Device) -> String {
    let (mut systems, mut modules) = ("systems:\n".to_owned(), "modules:\n".to_owned());
    let mut triggers = "triggers:\n".to_owned();
    for system in 0..SYSTEMS {
        let mut ids = vec![format!("mod-lamp-{system}")];
        writeln!(
            modules,
            "  - {{id: mod-lamp-{system}, driver: virtual, name: Lamp}}"
        )
        .expect("memory");
        for trigger in 0..TRIGGERS_EACH {
            let id = log_id(system, trigger);
            let url = device.url();
            writeln!(
                modules,
                "  - {{id: {id}, driver: virtual, name: Log, settings: {{report: \"{url}\"}}}}"
            )
            .expect("memory");
            writeln!(
                triggers,
                "  - {{id: trig-{system}-{trigger}, system: sys-{system}, when: [{{status: Lamp_1/on, is: \"==\", than: true}}], then: [{{call: Log_{}/increment, args: [n]}}]}}",
                trigger + 1
            )
            .expect("memory");
            ids.push(id);
        }
        writeln!(
            systems,
            "  - {{id: sys-{system}, name: Room {system}, modules: [{}]}}",
            ids.join(", ")
        )
        .expect("memory");
    }
    format!("{systems}{modules}{triggers}{PEOPLE}")
}

fn log_id(system: usize, trigger: usize) -> String {
    format!("mod-log-{system}-{trigger}")
}

/// How often each trigger has fired, as far as its module was there to tell.
fn fired(device: &Device) -> Vec<usize> {
    let acts = device.acts();
    let ids = (0..SYSTEMS)
        .flat_map(|system| (0..TRIGGERS_EACH).map(move |trigger| log_id(system, trigger)));
    let of = |id: String| {
        let acts = acts.iter().filter(|act| act.module == id);
        acts.filter(|act| act.what == "increment").count()
    };
    ids.map(of).collect()
}

/// Switches all lamps on, at this node. Each is an edge at most.
async fn switch(cluster: &Cluster, node: usize) {
    for system in 0..SYSTEMS {
        for on in [false, true] {
            let function = format!("sys-{system}/Lamp_1/set");
            try_call(&cluster.nodes[node], &function, json!(["on", on])).await;
        }
    }
}

/// What is killed: a node, by its number, or the Redis of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Node(usize),
    Redis,
}

impl Victim {
    /// Kills it, with edges right before and while it is away, and starts it again. Each lamp has two edges of it.
    async fn killed(self, cluster: &mut Cluster) {
        let (before, meanwhile) = match self {
            Self::Node(dead) => (dead, 1 - dead),
            Self::Redis => (0, 1),
        };
        switch(cluster, before).await;
        match self {
            Self::Node(dead) => cluster.nodes[dead].kill().await,
            Self::Redis => cluster.redis.kill().await,
        }
        switch(cluster, meanwhile).await;
        match self {
            Self::Node(dead) => cluster.nodes[dead].restart().await,
            Self::Redis => cluster.redis.restart().await,
        }
    }
}

#[tokio::test]
async fn no_edge_fires_twice_whichever_node_is_killed() {
    check(&[Victim::Node(0), Victim::Node(1)]).await;
}

#[tokio::test]
async fn no_edge_fires_twice_when_redis_starts_again_between_kills_of_nodes() {
    check(&[
        Victim::Node(0),
        Victim::Redis,
        Victim::Node(1),
        Victim::Redis,
    ])
    .await;
}

/// Kills these in turn, and then waits until every trigger fires again.
async fn check(victims: &[Victim]) {
    let device = Device::start().await;
    let redis = Redis::plan().durable().start().await;
    let mut cluster = Cluster::start_on(redis, &building(&device), 2).await;
    let kills = number_from("RISER_TEST_TRIGGER_KILLS", 5);
    let mut edges = 0;
    for victim in (0..kills).zip(victims.iter().cycle()).map(|(_, it)| *it) {
        victim.killed(&mut cluster).await;
        edges += 2;
        assert_none_twice(&device, edges);
    }
    let before = fired(&device);
    let patience = Instant::now() + 2 * DEADLINE;
    loop {
        switch(&cluster, 0).await;
        edges += 1;
        let now = fired(&device);
        assert_none_twice(&device, edges);
        if before.iter().zip(&now).all(|(before, now)| before < now) {
            break;
        }
        assert!(Instant::now() < patience, "{before:?} {now:?}");
        sleep(Duration::from_millis(100)).await;
    }
    tell(&device, edges);
}

#[track_caller]
fn assert_none_twice(device: &Device, edges: usize) {
    let fired = fired(device);
    assert!(
        fired.iter().all(|fired| *fired <= edges),
        "{edges}: {fired:?}"
    );
}

/// Says how many edges were lost; a lamp that could not be switched had none.
#[expect(clippy::print_stdout, reason = "a soak shows it")]
fn tell(device: &Device, edges: usize) {
    let fired = fired(device);
    let (fired, all) = (fired.iter().sum::<usize>(), edges * fired.len());
    println!(
        "of at most {all} edges {fired} have fired, and {} were lost",
        all - fired
    );
}
