//! Listeners: what waits for them, what comes live, and that it is read by that.

use serde_json::json;

use super::door::{Made, PHONE, TABLET, fast_plan, open_plan, read};
use super::listener::{Doors, Listener, listening};
use crate::harness::{Gateway, Proxy};

/// A gateway with all its doors, and one listener for each of them that is a device.
async fn gateway() -> (Gateway, Doors) {
    let mut gateway = listening(open_plan()).start().await;
    let doors = Doors::of(&mut gateway).await;
    (gateway, doors)
}

// Cases 25 and 27
#[tokio::test]
async fn a_listener_gets_what_waits_and_what_comes() {
    let (gateway, doors) = gateway().await;
    for which in ["main", "websocket", "tcp"] {
        let made = Made::new(&gateway, which).await;
        made.subscribe(&gateway, PHONE).await;
        made.send(&gateway, "one").await;
        made.send(&gateway, "zwei ü 🔥").await;
        let mut listener = match which {
            "main" => Listener::at_main(&gateway).await,
            "websocket" => Listener::websocket(&doors).await,
            _ => Listener::tcp(&doors).await,
        };
        if which == "tcp" {
            // 36 bytes are 36 bytes, whatever they are.
            listener.say(&"x".repeat(36)).await;
        } else {
            listener.say("nobody").await;
        }
        assert_eq!(
            listener.next().await,
            json!({"error": {"id": 1, "message": "Invalid client uuid"}}),
            "{which}"
        );
        listener.say(&PHONE[..20]).await;
        if which == "tcp" {
            listener.say(&PHONE[20..]).await;
        } else {
            assert_eq!(listener.next().await["error"]["id"], 1);
            listener.say(&PHONE.to_uppercase()).await;
        }
        assert_eq!(listener.next().await, json!({"status": "ok"}), "{which}");
        assert_eq!(listener.message().await, "one", "{which}");
        let frame = listener.next().await;
        let message = &frame["message"];
        assert_eq!(message["message"], "zwei ü 🔥", "{which}");
        assert_eq!(message["service"]["public"], made.public);
        assert_eq!(
            (&message["title"], &message["link"], &message["level"]),
            (&json!(""), &json!(""), &json!(3))
        );
        made.send(&gateway, "live").await;
        assert_eq!(listener.message().await, "live", "{which}");
        // What a listener says later is of no matter.
        listener.say(TABLET).await;

        made.unsubscribe(&gateway, PHONE).await;
        let frame = listener.next().await;
        assert_eq!(
            frame["subscription"]["service"]["public"], made.public,
            "{frame}"
        );
        assert_eq!(frame["subscription"]["active"], false);
        made.send(&gateway, "unheard").await;
        made.subscribe(&gateway, PHONE).await;
        let frame = listener.next().await;
        assert_eq!(frame["subscription"]["active"], true, "{frame}");
        made.send(&gateway, "heard").await;
        assert_eq!(listener.message().await, "heard", "{which}");
        made.unsubscribe(&gateway, PHONE).await;
    }
}

// Case 26
#[tokio::test]
async fn what_a_listener_has_got_is_read() {
    let (gateway, doors) = gateway().await;
    let made = Made::new(&gateway, "Lobby").await;
    for which in ["websocket", "tcp"] {
        let device = if which == "tcp" { PHONE } else { TABLET };
        made.subscribe(&gateway, device).await;
        let listener = match which {
            "tcp" => Listener::tcp(&doors).await,
            _ => Listener::websocket(&doors).await,
        };
        let mut listener = listener.is(device).await;
        made.send(&gateway, "live").await;
        assert_eq!(listener.message().await, "live");
        // It answers the ping behind a message when it reads on, and gets the next one after that.
        made.send(&gateway, "next").await;
        assert_eq!(listener.message().await, "next", "{which}");
        let left = read(&gateway, device).await;
        assert!(left.is_empty() || left == ["next"], "{which}: {left:?}");
        made.unsubscribe(&gateway, device).await;
    }
}

// Case 28
#[tokio::test]
async fn a_binary_frame_is_refused() {
    let (gateway, _) = gateway().await;
    let mut client = gateway.door().path("/pushjet/ws").connect().await;
    client.send_binary(b"0123").await;
    let frame = client.next().await;
    assert_eq!(
        frame,
        json!({"error": {"id": -1, "message": "Expected text got binary data"}})
    );
    client.send_text(PHONE).await;
    assert_eq!(client.next().await, json!({"status": "ok"}));
}

#[tokio::test]
async fn a_listener_that_comes_back_gets_what_came_meanwhile() {
    let mut gateway = listening(fast_plan()).start().await;
    let doors = Doors::of(&mut gateway).await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    let (mut sent, mut oldest): (u32, u32) = (0, 0);
    for _ in 0..5 {
        let mut listener = Listener::websocket(&doors).await.is(PHONE).await;
        made.send(&gateway, &sent.to_string()).await;
        // What it had not confirmed when it went comes again, and nothing is left out.
        let mut next: u32 = listener.message().await.parse().expect("a number");
        assert!(next >= oldest, "{next} came again after {oldest}");
        oldest = next;
        while next < sent {
            next += 1;
            assert_eq!(listener.message().await, next.to_string());
        }
        drop(listener);
        made.send(&gateway, &(sent + 1).to_string()).await;
        sent += 2;
    }
    let left = read(&gateway, PHONE).await;
    let from = left
        .first()
        .and_then(|text| text.parse().ok())
        .expect("a number");
    let expected: Vec<String> = (from..sent).map(|number: u32| number.to_string()).collect();
    assert_eq!(left, expected);
    assert_eq!(read(&gateway, PHONE).await, [""; 0]);
}

#[tokio::test]
async fn a_listener_whose_network_falls_silent_is_dropped_and_gets_what_came_meanwhile_once() {
    let plan = listening(open_plan())
        .variable("RISER_KEEP_ALIVE__PING_AFTER", "500ms")
        .variable("RISER_KEEP_ALIVE__REAP_AFTER", "2s");
    let mut gateway = plan.start().await;
    let doors = Doors::of(&mut gateway).await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    let network = Proxy::before(doors.websocket).await;
    let _phone = Listener::websocket_at(network.address())
        .await
        .is(PHONE)
        .await;

    network.hold();
    made.send(&gateway, "meanwhile").await;
    // Nothing says that the network has gone: no end of the connection, no error.
    gateway.wait_metric("riser_connections", 0.0).await;

    let mut listener = Listener::websocket(&doors).await.is(PHONE).await;
    made.send(&gateway, "after").await;
    assert_eq!(listener.message().await, "meanwhile");
    assert_eq!(listener.message().await, "after");
}

#[tokio::test]
async fn each_listener_of_a_device_gets_each_message() {
    let (gateway, doors) = gateway().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    let mut listeners = vec![
        Listener::websocket(&doors).await.is(PHONE).await,
        Listener::tcp(&doors).await.is(PHONE).await,
        Listener::at_main(&gateway).await.is(PHONE).await,
    ];
    for number in 0..5 {
        let text = format!("message {number}");
        made.send(&gateway, &text).await;
        for listener in &mut listeners {
            assert_eq!(listener.message().await, text);
        }
    }
}

#[tokio::test]
async fn a_listener_is_told_to_go_when_the_gateway_stops() {
    let (mut gateway, doors) = gateway().await;
    let _tcp = Listener::tcp(&doors).await.is(PHONE).await;
    let _websocket = Listener::websocket(&doors).await.is(TABLET).await;
    assert!(gateway.terminate().await.success());
}
