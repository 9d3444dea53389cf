//! The bus of two nodes: what is announced at one is heard at both, and fires a trigger once, wherever that runs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{ADMIN, PEOPLE, status, until, until_watched};
use crate::harness::{Cluster, Gateway, Library, Socket};

/// The channel by which nodes hear each other.
const CHANNEL: &str = "riser/{service_riser}/topics/of/riser:bus";

/// As many as make it likely that each node runs triggers.
const SYSTEMS: u64 = 6;

/// Events that are announced at each node.
const EACH: u64 = 5;

/// Causes in a chain.
const CAUSES_MAX: u64 = 16;

/// In each system a trigger that says which event it heard, and one that goes on with a circle through all systems.
fn building() -> String {
    let (mut systems, mut triggers) = ("systems:\n".to_owned(), "triggers:\n".to_owned());
    for system in 0..SYSTEMS {
        let next = (system + 1) % SYSTEMS;
        writeln!(systems, "  - {{id: sys-{system}, name: Room {system}}}").expect("memory");
        writeln!(
            triggers,
            "  - {{id: door-{system}, system: sys-{system}, when: [{{event: door}}], then: [{{publish: heard, data: {{system: {system}, number: '{{{{ event.data.number }}}}'}}}}]}}
  - {{id: ring-{system}, system: sys-{system}, when: [{{event: ring-{system}}}], then: [{{publish: ring-{next}}}]}}"
        )
        .expect("memory");
    }
    format!("{systems}{triggers}{PEOPLE}")
}

/// Two nodes that hear each other, and whose triggers are watched.
async fn two_nodes() -> Cluster {
    let cluster = Cluster::start(&building(), 2).await;
    cluster.redis.until_subscribers(CHANNEL, 2).await;
    for system in 0..SYSTEMS {
        let (name, node) = (format!("sys-{system}"), &cluster.nodes[0]);
        until_watched(node, &name, &format!("door-{system}")).await;
        until_watched(node, &name, &format!("ring-{system}")).await;
    }
    cluster
}

/// Announces an event at the door of Platypush.
async fn announce(node: &Gateway, name: &str, number: u64) {
    let event = json!({
        "type": "event",
        "args": {
            "type": "platypush.message.event.custom.CustomEvent",
            "subtype": name,
            "args": {"number": number},
        },
    });
    let request = node.request("POST", "/execute").bearer(ADMIN.0);
    assert_eq!(request.json(event).send().await.status, 200);
}

/// A program at the door of Home Assistant that follows one kind of event.
struct Listener {
    socket: Socket,
    id: u64,
}

impl Listener {
    async fn new(node: &Gateway, name: &str) -> Self {
        let mut socket = Socket::sign_in(node, ADMIN).await;
        let subscribe = json!({"type": "subscribe_events", "event_type": name});
        let id = socket.send(subscribe).await;
        socket.result(id).await;
        Self { socket, id }
    }

    /// The data of the next event.
    async fn next(&mut self) -> Value {
        self.socket.event(self.id).await["data"].take()
    }

    async fn numbers(&mut self, count: u64) -> Vec<Value> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(self.next().await["number"].take());
        }
        numbers
    }
}

#[tokio::test]
async fn an_event_at_one_node_is_heard_once_at_both_and_fires_each_trigger_once() {
    let cluster = two_nodes().await;
    let [here, there] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let mut doors = Listener::new(there, "door").await;
    let mut library = Library::connect(there, ADMIN).await;
    let subscribe = json!({"cmd": "subscribe_events", "type": "door"});
    let of_library = library.subscribe(subscribe).await;
    let mut heard = [
        Listener::new(here, "heard").await,
        Listener::new(there, "heard").await,
    ];
    for number in 0..EACH {
        announce(here, "door", number).await;
    }
    let told: Vec<Value> = (0..EACH).map(Value::from).collect();
    assert_eq!(doors.numbers(EACH).await, told);
    for number in told {
        let event = library.message(of_library).await;
        assert_eq!(event["data"], json!({"number": number}), "{event}");
    }
    for number in EACH..2 * EACH {
        announce(there, "door", number).await;
    }
    doors.numbers(EACH).await;
    doors.socket.expect_silence().await;
    for listener in &mut heard {
        let mut all = BTreeSet::new();
        for _ in 0..SYSTEMS * 2 * EACH {
            let said = listener.next().await;
            assert!(all.insert(said.to_string()), "{said} came twice");
        }
        listener.socket.expect_silence().await;
    }
    for system in 0..SYSTEMS {
        let name = format!("sys-{system}/_TRIGGER__1/door-{system}");
        let state = status(here, &name).await;
        assert_eq!(state["trigger_count"], 2 * EACH, "{state}");
    }
}

#[tokio::test]
async fn a_circle_of_triggers_on_two_nodes_ends() {
    let cluster = two_nodes().await;
    let node = &cluster.nodes[0];
    announce(node, "ring-0", 0).await;
    let last = CAUSES_MAX % SYSTEMS;
    let name = format!("sys-{last}/_TRIGGER__1/ring-{last}");
    let ended = until(node, &name, |state| state["action_errors"] == 1).await;
    assert_eq!(
        ended["error"],
        format!("a chain of {CAUSES_MAX} causes ends here")
    );
    let mut firings = 0;
    for system in 0..SYSTEMS {
        let name = format!("sys-{system}/_TRIGGER__1/ring-{system}");
        firings += status(node, &name).await["trigger_count"]
            .as_u64()
            .expect("a number");
    }
    assert_eq!(firings, CAUSES_MAX);
}

#[tokio::test]
async fn while_redis_is_away_a_node_hears_itself_and_then_the_others_again() {
    let mut cluster = two_nodes().await;
    // No trigger waits for it, so none announces anything.
    let mut bells = [
        Listener::new(&cluster.nodes[0], "bell").await,
        Listener::new(&cluster.nodes[1], "bell").await,
    ];
    cluster.redis.kill().await;
    announce(&cluster.nodes[0], "bell", 1).await;
    assert_eq!(bells[0].numbers(1).await, [1]);
    let untold = "riser_bus_events_untold_total";
    cluster.nodes[0].wait_metric(untold, 1.0).await;

    cluster.redis.restart().await;
    cluster.redis.until_subscribers(CHANNEL, 2).await;
    announce(&cluster.nodes[0], "bell", 2).await;
    assert_eq!(bells[1].numbers(1).await, [2]);
    announce(&cluster.nodes[1], "bell", 3).await;
    assert_eq!(bells[1].numbers(1).await, [3]);
    assert_eq!(bells[0].numbers(2).await, [2, 3]);
}

#[tokio::test]
async fn what_another_program_publishes_there_is_passed_over() {
    let cluster = two_nodes().await;
    let mut doors = Listener::new(&cluster.nodes[1], "door").await;
    for text in [
        "",
        "x",
        r#"["message",null,null,{"name":"door"}]"#,
        r#"["message",null,null,"door"]"#,
        r#"["joined","ann",null,null]"#,
        r#"["count",7]"#,
    ] {
        cluster.redis.publish(CHANNEL, text).await;
    }
    announce(&cluster.nodes[0], "door", 1).await;
    assert_eq!(doors.numbers(1).await, [1]);
    doors.socket.expect_silence().await;
}
