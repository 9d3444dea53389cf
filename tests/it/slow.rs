//! Clients that do not read: they harm nobody, and are right again when they do.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{BUILDING, Gateway, Key, Plan, TestClient, display, scratch};

const STUCK: usize = 10;

/// The changes that go by, each as large as `VALUE_BYTES`: all of them for each stuck client would be 240 MB.
const CHANGES: u64 = 6_000;
const VALUE_BYTES: usize = 4 * 1024;
const STEP: usize = 5;

/// What all of it may cost in memory: a sixth of what queues would take.
const MEMORY_MAX: u64 = 40 * 1024 * 1024;

fn value(number: u64) -> Value {
    json!([number, "x".repeat(VALUE_BYTES)])
}

fn number_in(value: &Value) -> Option<u64> {
    value.get(0)?.as_u64()
}

/// A client that will not read, with as little room in the kernel as can be had.
async fn stuck_client(gateway: &Gateway) -> TestClient {
    let door = gateway.door().key(Key::USER).receive_buffer(16 * 1024);
    door.connect().await
}

/// Sets the status of the test to each number.
async fn change(console: &mut TestClient, numbers: impl Iterator<Item = u64>) {
    let set = display("set");
    let requests = numbers.map(|number| set.exec(number, json!(["v", value(number)])));
    let requests: Vec<Value> = requests.collect();
    let count = requests.len();
    for text in console.pipeline(requests, count).await {
        assert!(text.contains("\"success\""), "{text}");
    }
}

// §10 case 65
#[tokio::test]
async fn clients_that_stop_reading_cost_little_and_disturb_nobody() {
    let gateway = Gateway::start(BUILDING).await;
    let v = display("v");
    let mut stuck = Vec::new();
    for _ in 0..STUCK {
        let mut client = stuck_client(&gateway).await;
        client.bind(v, 1).await;
        stuck.push(client);
    }
    let mut reader = gateway.connect(Key::USER).await;
    reader.bind(v, 1).await;
    let mut console = gateway.connect(Key::USER).await;
    let before = gateway.memory();

    // In steps that fit into its outbox, so that whoever reads is never behind and must miss nothing.
    for first in (1..=CHANGES).step_by(STEP) {
        let last = first + STEP as u64 - 1;
        change(&mut console, first..=last).await;
        let numbers = reader.numbers_until(last, number_in).await;
        assert_eq!(numbers.len(), STEP, "of {first} to {last}");
    }

    let grown = gateway.memory_peak().saturating_sub(before);
    assert!(grown < MEMORY_MAX, "it has grown by {} KiB", grown / 1024);
    reader.expect_silence().await;

    for client in &mut stuck {
        let numbers = client.numbers_until(CHANGES, number_in).await;
        assert!((numbers.len() as u64) < CHANGES / 2, "it was never behind");
        client.expect_silence().await;
    }
    change(&mut console, CHANGES + 1..=CHANGES + 1).await;
    for client in stuck.iter_mut().chain([&mut reader]) {
        client.expect(v.notify(1, value(CHANGES + 1))).await;
    }
}

// §10 case 65, with small values, each of which may be the last
#[tokio::test]
async fn a_client_that_was_behind_on_many_statuses_ends_with_the_last_value_of_each() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = stuck_client(&gateway).await;
    let mut console = gateway.connect(Key::USER).await;
    let names: Vec<String> = (0..200).map(|number| format!("status {number}")).collect();
    for (id, name) in (1..).zip(&names) {
        client.bind(display(name), id).await;
    }

    let padding = "x".repeat(1_000);
    let set = display("set");
    let rounds = 1..=50_u64;
    let requests = rounds.flat_map(|round| {
        let padding = &padding;
        names
            .iter()
            .map(move |name| set.exec(round, json!([name, [round, padding]])))
    });
    console.pipeline(requests, 50 * names.len()).await;

    let mut last = vec![0; names.len()];
    while last.iter().any(|round| *round != 50) {
        let frame = client.next().await;
        let id = frame["id"].as_u64().expect("the id of a bind");
        let round = number_in(&frame["value"]).expect("a value");
        let index = usize::try_from(id - 1).expect("a small number");
        assert_eq!(frame["meta"]["name"], *names[index]);
        assert!(last[index] < round, "{} before {round}", last[index]);
        last[index] = round;
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_replies_slows_only_itself_down() {
    let gateway = Gateway::start(BUILDING).await;
    let mut other = gateway.connect(Key::USER).await;
    let mut stuck = stuck_client(&gateway).await;
    let before = gateway.memory();

    // It asks for long answers, and reads none of them, until nobody takes its requests any more.
    let long = "x".repeat(2_000);
    let send = async {
        for id in 0..1_000_000_u64 {
            let sent = stuck.send(scratch("echo").exec(id, json!([long])));
            if timeout(Duration::from_secs(1), sent).await.is_err() {
                return id;
            }
        }
        panic!("it was never slowed down");
    };
    let taken = send.await;

    let grown = gateway.memory_peak().saturating_sub(before);
    assert!(grown < MEMORY_MAX, "it has grown by {} KiB", grown / 1024);
    other.expect_silence().await;
    // It gets all its answers when it reads again.
    for _ in 0..taken {
        let frame = stuck.next().await;
        assert_eq!(frame["type"], "success");
    }
    other.set(display("v"), 1).await;
}

// §10 case 65
#[tokio::test]
async fn a_client_that_does_not_read_keeps_no_sign_of_life_from_the_others() {
    let plan = Plan::serve(BUILDING).variable("RISER_KEEP_ALIVE__PONG_EVERY", "300ms");
    let gateway = plan.start().await;
    let mut console = gateway.connect(Key::USER).await;
    let mut stuck = Vec::new();
    for _ in 0..STUCK {
        let mut client = stuck_client(&gateway).await;
        client.bind(display("v"), 1).await;
        stuck.push(client);
    }
    let large = "x".repeat(1_000_000);
    for number in 0..3 {
        let set = display("set").exec("set", json!(["v", [number, large]]));
        console.send(set).await;
    }

    let mut idle = gateway.connect(Key::USER).await;

    for _ in 0..3 {
        idle.expect_text("pong").await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_the_log_it_follows_is_closed_with_a_name_for_why() {
    let gateway = Gateway::start(BUILDING).await;
    let door = gateway.door().key(Key::SUPPORT).receive_buffer(16 * 1024);
    let mut stuck = door.connect().await;
    let mut other = gateway.connect(Key::SUPPORT).await;
    for client in [&mut stuck, &mut other] {
        client.send(display("").debug(1)).await;
        client.expect(display("").debugging(1, "mod-d1")).await;
    }
    let mut console = gateway.connect(Key::USER).await;
    let before = gateway.memory();

    // Half as much again as may wait for one client, in steps that the other one keeps up with.
    let long = "x".repeat(10_000);
    for number in 0..160 {
        let message = format!("{number} {long}");
        console
            .call(display("log"), json!(["debug", message]))
            .await;
        let line = display("").line(1, "mod-d1", "debug", &message);
        other.expect(line).await;
    }

    let grown = gateway.memory_peak().saturating_sub(before);
    assert!(grown < MEMORY_MAX, "it has grown by {} KiB", grown / 1024);
    let closed = stuck.read_until_closed().await;
    assert_eq!(closed, (1008, "slow_consumer".to_owned()));
    other.expect_silence().await;
}

// §10 case 33, as far as it can be seen from outside
#[tokio::test]
async fn clients_that_come_and_go_leave_nothing_behind() {
    let gateway = Gateway::start(BUILDING).await;
    let mut console = gateway.connect(Key::USER).await;
    for _ in 0..20 {
        let mut client = gateway.connect(Key::USER).await;
        for id in 1..=100 {
            client.bind(display(&format!("status {id}")), id).await;
        }
        drop(client);
    }

    gateway.wait_metric("riser_watches", 0.0).await;
    gateway.wait_metric("riser_connections", 1.0).await;
    let of = |dialect: &str| format!("riser_connections{{dialect=\"{dialect}\"}}");
    gateway.wait_metric(&of("placeos"), 1.0).await;
    gateway.wait_metric(&of("pusher"), 0.0).await;
    console.expect_silence().await;
}
