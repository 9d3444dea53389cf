//! Signs of life, in both directions.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{BUILDING, DEADLINE, Fin, Gateway, Key, Opcode, Plan, TestClient, display};

// §10 case 8
#[tokio::test]
async fn a_ping_is_answered_at_once_also_while_a_burst_is_under_way() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    client.send_text("ping").await;
    client.expect_text("pong").await;

    client.bind(display("n"), 1).await;
    let burst = display("burst");
    client.send(burst.exec(2, json!(["n", 300_000]))).await;
    client.next().await;
    client.send_text("ping").await;

    let mut pong = false;
    loop {
        let text = client.next_text("values, the pong and the result").await;
        if text == "pong" {
            pong = true;
        } else if serde_json::from_str::<Value>(&text).ok() == Some(burst.result(2, Value::Null)) {
            break;
        }
    }
    assert!(pong, "the pong came after the whole burst");
}

// §10 case 9
#[tokio::test]
async fn an_idle_client_is_sent_a_ping_and_a_pong_every_so_often_and_stays() {
    let gateway = Plan::serve(BUILDING)
        .file(
            "riser.toml",
            "[keep_alive]\nping_after = \"200ms\"\npong_every = \"500ms\"\nreap_after = \"2s\"\n",
        )
        .start()
        .await;
    let mut client = gateway.connect(Key::USER).await;

    // Our library answers each PING, which is what keeps an otherwise silent client.
    let (mut pings, mut pongs) = (0, 0);
    let began = Instant::now();
    while pongs < 3 {
        match client.next_message("signs of life", DEADLINE).await {
            Some(Message::Ping(_)) => pings += 1,
            Some(Message::Text(text)) if text == "pong" => pongs += 1,
            other => panic!("{other:?}"),
        }
    }

    assert!(pings >= 3, "{pings} pings");
    assert!(began.elapsed() >= Duration::from_millis(1_450));
    let echo = display("echo");
    client.send(echo.exec(1, json!(["still here"]))).await;
    while client.next_text("a result").await == "pong" {}
    assert!(client.shown().contains("still here"), "{}", client.shown());
}

#[tokio::test]
async fn a_client_that_says_nothing_at_all_is_pinged_and_then_closed_with_1008() {
    let gateway = Plan::serve(BUILDING)
        .variable("RISER_KEEP_ALIVE__PING_AFTER", "200ms")
        .variable("RISER_KEEP_ALIVE__REAP_AFTER", "1500ms")
        .start()
        .await;
    let mut other = gateway.connect(Key::USER).await;
    let mut silent = gateway.connect_wire(Key::USER).await;
    let began = Instant::now();

    let mut pings = 0;
    let reaped = async {
        loop {
            match silent.next(DEADLINE).await {
                Some((Opcode::Ping, _)) => pings += 1,
                Some((Opcode::Close, payload)) => {
                    silent.expect_end(DEADLINE).await;
                    break payload;
                }
                frame => panic!("{frame:?}"),
            }
        }
    };
    let payload = tokio::select! {
        payload = reaped => payload,
        // The other one reads, so that its library answers the pings.
        () = read_for_ever(&mut other) => unreachable!("it reads for ever"),
    };

    let reason = String::from_utf8_lossy(&payload[2..]);
    let code = u16::from_be_bytes([payload[0], payload[1]]);
    assert_eq!((code, &*reason), (1008, "keep_alive_timed_out"));
    assert!(pings >= 1, "it was not even pinged");
    assert!(began.elapsed() >= Duration::from_millis(1_450));
    other.expect_silence().await;
}

async fn read_for_ever(client: &mut TestClient) {
    loop {
        let message = client.next_message("a ping", DEADLINE).await;
        assert!(matches!(message, Some(Message::Ping(_))), "{message:?}");
    }
}

// §10 case 10
#[tokio::test]
async fn a_protocol_ping_is_answered_with_its_own_payload() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect_wire(Key::USER).await;

    for payload in [&b"abc"[..], b"", &[0x7f; 125]] {
        client.send(Fin::Last, Opcode::Ping, payload).await;

        let frame = client.next(DEADLINE).await;
        assert_eq!(frame, Some((Opcode::Pong, payload.to_vec())));
    }
}
