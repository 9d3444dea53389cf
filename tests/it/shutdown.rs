//! How the gateway stops.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::{BUILDING, DEADLINE, Fin, Gateway, Key, Opcode, Plan, display};

/// What a service manager waits.
const PATIENCE: Duration = Duration::from_secs(8);

// §10 case 67
#[tokio::test]
async fn a_stop_is_told_to_every_client_with_1001_and_a_full_handshake() {
    let mut gateway = Gateway::start(BUILDING).await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = gateway.connect(Key::USER).await;
        client.bind(display("power"), 1).await;
        clients.push(client);
    }
    let began = Instant::now();

    gateway.ask_to_stop().await;

    for client in &mut clients {
        let closed = client.expect_closed(DEADLINE).await;
        assert_eq!(closed, (1001, "going_away".to_owned()));
    }
    let status = gateway.ended(DEADLINE).await;
    assert_eq!(status.code(), Some(0));
    // Nobody was deaf, so nothing had to be waited for.
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn without_clients_a_stop_is_quick() {
    let mut gateway = Gateway::start(BUILDING).await;
    let began = Instant::now();
    let status = gateway.terminate().await;
    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn an_interrupt_from_the_keyboard_stops_it_as_well() {
    let mut gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    gateway.process().signal("INT").await;
    assert_eq!(client.expect_closed(DEADLINE).await.0, 1001);
    assert_eq!(gateway.ended(DEADLINE).await.code(), Some(0));
}

#[tokio::test]
async fn a_client_that_never_answers_does_not_hold_up_the_stop() {
    let mut gateway = Gateway::start(BUILDING).await;
    let mut deaf = gateway.connect_wire(Key::USER).await;
    let mut client = gateway.connect(Key::USER).await;
    let began = Instant::now();

    gateway.ask_to_stop().await;

    assert_eq!(client.expect_closed(DEADLINE).await.0, 1001);
    assert_eq!(deaf.expect_close(DEADLINE).await.0, 1001);
    let status = gateway.ended(PATIENCE).await;
    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    deaf.expect_end(DEADLINE).await;
}

#[tokio::test]
async fn a_client_that_does_not_even_read_does_not_hold_up_the_stop() {
    let plan = Plan::serve(BUILDING).variable("RISER_DRAIN_DEADLINE", "1s");
    let mut gateway = plan.start().await;
    let door = gateway.door().key(Key::USER).receive_buffer(4096);
    let mut stuck = door.connect().await;
    stuck.bind(display("v"), 1).await;
    let mut console = gateway.connect(Key::USER).await;
    let large = "x".repeat(1_000_000);
    for number in 0..3 {
        console.set(display("v"), json!([number, large])).await;
    }
    let began = Instant::now();

    gateway.ask_to_stop().await;

    assert_eq!(console.expect_closed(DEADLINE).await.0, 1001);
    assert_eq!(gateway.ended(PATIENCE).await.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_call_under_way_does_not_hold_up_the_stop() {
    let mut gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    client.send(display("sleep").exec(1, json!([60_000]))).await;
    client.expect_silence().await;

    gateway.ask_to_stop().await;

    // It is answered or the connection is closed under it; either way the client knows.
    let closed = client.expect_closed(DEADLINE).await;
    assert_eq!(closed.0, 1001);
    assert_eq!(gateway.ended(PATIENCE).await.code(), Some(0));
}

#[tokio::test]
async fn while_it_stops_readiness_fails_and_nobody_new_is_let_in() {
    let mut gateway = Gateway::start(BUILDING).await;
    assert_eq!(gateway.request("GET", "/readyz").send().await.status, 200);
    assert_eq!(gateway.request("GET", "/healthz").send().await.status, 200);
    let mut deaf = gateway.connect_wire(Key::USER).await;

    gateway.ask_to_stop().await;

    // With its close, the stop has begun.
    assert_eq!(deaf.expect_close(DEADLINE).await.0, 1001);
    assert_eq!(gateway.request("GET", "/readyz").send().await.status, 503);
    assert_eq!(gateway.door().key(Key::USER).refused().await, 503);
    deaf.send(Fin::Last, Opcode::Close, b"\x03\xe9").await;
    deaf.expect_end(DEADLINE).await;
    assert_eq!(gateway.ended(PATIENCE).await.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut gateway = Gateway::start(BUILDING).await;
    let mut deaf = gateway.connect_wire(Key::USER).await;
    gateway.ask_to_stop().await;
    assert_eq!(deaf.expect_close(DEADLINE).await.0, 1001);
    let began = Instant::now();

    gateway.ask_to_stop().await;

    let status = gateway.ended(DEADLINE).await;
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert!(!status.success(), "a stop that was cut short is no success");
}

#[tokio::test]
async fn after_a_restart_statuses_are_those_that_modules_have_set_again() {
    let mut gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    client.set(display("power"), true).await;

    gateway.kill().await;
    gateway.restart().await;

    let mut client = gateway.connect(Key::USER).await;
    client.bind_with_value(display("connected"), 1, true).await;
    client.bind(display("power"), 2).await;
    let value = client.call(display("get"), json!(["power"])).await;
    assert_eq!(value, Value::Null);
}
