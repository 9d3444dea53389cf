//! Triggers on nodes that are killed: an edge may be lost, and never fires twice.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{PEOPLE, try_call};
use crate::harness::{Cluster, DEADLINE, Device, number_from};

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

#[tokio::test]
async fn no_edge_fires_twice_whichever_node_is_killed() {
    let device = Device::start().await;
    let mut cluster = Cluster::start(&building(&device), 2).await;
    let kills = number_from("RISER_TEST_TRIGGER_KILLS", 5);
    let mut edges = 0;
    for dead in (0..kills).map(|kill| usize::from(kill % 2 == 1)) {
        switch(&cluster, dead).await;
        cluster.nodes[dead].kill().await;
        switch(&cluster, 1 - dead).await;
        edges += 2;
        cluster.nodes[dead].restart().await;
        assert_none_twice(&device, edges);
    }
    // All of them fire again.
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
}

#[track_caller]
fn assert_none_twice(device: &Device, edges: usize) {
    let fired = fired(device);
    assert!(
        fired.iter().all(|fired| *fired <= edges),
        "{edges}: {fired:?}"
    );
}
