//! Beside Mosquitto, with a publisher and subscriber of paho-mqtt.

use driver_sdk::serde_json::{Value, json};
use driver_sdk::testkit::Module;
use test_support::{DEADLINE, within};

use crate::broker::{Broker, Client, Door, USER};
use crate::module;

/// The settings of the grammar's example.
fn example() -> Value {
    json!({
        "statuses": {
            "temperature": {"topic": "board/climate", "pointer": "/temperature"},
            "battery": {"topic": "board/climate", "pointer": "/meta/a~1b/0"},
            "door": "board/door",
        },
        "commands": {
            "light": {"topic": "board/light/set", "payload": {"brightness": "{{ value }}"}, "retain": true},
            "blind": "board/blind/set",
        },
    })
}

/// A module at a broker of its own, connected, and a client beside it.
async fn connected(settings: Value) -> (Broker, Client, Module) {
    let broker = Broker::start(Door::Open).await;
    let client = broker.client().await;
    let module = module::start(&broker.uri(), settings).await;
    module.wait_connected(true).await;
    (broker, client, module)
}

#[tokio::test]
async fn a_status_is_what_stands_at_its_topic_or_at_a_place_in_it() {
    let (_broker, mut client, module) = connected(example()).await;
    let climate = r#"{"temperature": 21.50, "meta": {"a/b": [97]}}"#;
    client.publish("board/climate", climate).await;
    module.wait_json("temperature", "21.50").await;
    module.wait_json("battery", "97").await;
    client.publish("board/door", "open").await;
    module.wait_json("door", r#""open""#).await;
    client.publish("board/door", "false").await;
    module.wait_json("door", "false").await;
}

#[tokio::test]
async fn a_payload_with_nothing_at_the_pointer_changes_nothing() {
    let (_broker, mut client, module) = connected(example()).await;
    client
        .publish("board/climate", r#"{"temperature": 21}"#)
        .await;
    module.wait_json("temperature", "21").await;
    for payload in [r#"{"humidity": 40}"#, "no JSON", "", "[1]"] {
        client.publish("board/climate", payload).await;
    }
    client.publish("board/door", "last").await;
    module.wait_json("door", r#""last""#).await;
    assert_eq!(module.json("temperature").as_deref(), Some("21"));
    assert_eq!(module.warnings(), [""; 0]);
}

#[tokio::test]
async fn what_the_broker_has_kept_is_there_when_the_module_is_connected() {
    let broker = Broker::start(Door::Open).await;
    let mut client = broker.client().await;
    client.retain("board/door", "closed").await;
    assert_eq!(client.message("board/door").await.0, "closed");
    let module = module::start(&broker.uri(), example()).await;
    module.wait_connected(true).await;
    assert_eq!(module.json("door").as_deref(), Some(r#""closed""#));
}

#[tokio::test]
async fn an_empty_retained_payload_is_null() {
    let (_broker, mut client, module) = connected(example()).await;
    client.retain("board/door", "open").await;
    module.wait_json("door", r#""open""#).await;
    client.retain("board/door", "").await;
    module.wait_json("door", "null").await;
}

#[tokio::test]
async fn a_payload_that_is_no_text_ends_nothing_and_is_said_once() {
    let (_broker, mut client, module) = connected(example()).await;
    for _ in 0..3 {
        client
            .tell(json!({"topic": "board/door", "hex": "fffe00"}))
            .await;
    }
    client.publish("board/door", "open").await;
    module.wait_json("door", r#""open""#).await;
    let expect = "a payload at 'board/door' that is no text was dropped";
    assert_eq!(module.warnings(), [expect]);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_dropped_and_the_connection_stays() {
    let (_broker, mut client, module) = connected(example()).await;
    client.retain("board/door", &"x".repeat(300_000)).await;
    client.publish("board/door", "open").await;
    module.wait_json("door", r#""open""#).await;
    let expect = "a message at 'board/door' that is longer than 262144 bytes was dropped";
    assert_eq!(module.warnings(), [expect]);
}

#[tokio::test]
async fn a_command_sends_its_payload_with_the_value_in_it() {
    let (broker, mut client, module) = connected(example()).await;
    module.call("set", ("light", 50)).await.unwrap();
    let sent = client.message("board/light/set").await;
    assert_eq!(sent, (r#"{"brightness":50}"#.to_owned(), false));
    module.call("set", ("blind", "up")).await.unwrap();
    assert_eq!(client.message("board/blind/set").await.0, "up");
    module
        .call("set", ("blind", json!({"position": 3})))
        .await
        .unwrap();
    assert_eq!(
        client.message("board/blind/set").await.0,
        r#"{"position":3}"#
    );
    // The first is kept for a client that comes later, the others are not.
    let mut later = broker.client().await;
    let kept = later.message("board/light/set").await;
    assert_eq!(kept, (r#"{"brightness":50}"#.to_owned(), true));
    module.call("set", ("blind", "down")).await.unwrap();
    assert_eq!(later.message("board/blind/set").await.0, "down");
}

#[tokio::test]
async fn publish_sends_a_text_as_it_is_and_all_else_as_json() {
    let (broker, mut client, module) = connected(json!({})).await;
    module.call("publish", ("a/b", "on")).await.unwrap();
    assert_eq!(client.message("a/b").await.0, "on");
    module
        .call("publish", ("a/b", json!({"x": [1.50]}), true))
        .await
        .unwrap();
    assert_eq!(client.message("a/b").await.0, r#"{"x":[1.5]}"#);
    let mut later = broker.client().await;
    assert_eq!(
        later.message("a/b").await,
        (r#"{"x":[1.5]}"#.to_owned(), true)
    );
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_with_the_reason() {
    let (_broker, _client, module) = connected(example()).await;
    for (function, arguments, expect, code) in [
        (
            "set",
            json!(["nothing", 1]),
            "there is no command 'nothing'",
            404,
        ),
        (
            "set",
            json!(["door", 1]),
            "'door' has no command; write one into `commands`",
            400,
        ),
        (
            "publish",
            json!(["a/#", 1]),
            "expected a topic of one place, without the wildcards + and #",
            400,
        ),
        (
            "publish",
            json!(["", 1]),
            "expected a topic of 1 to 65535 bytes",
            400,
        ),
    ] {
        let error = module.call(function, arguments).await.unwrap_err();
        assert_eq!((error.message(), error.code()), (expect, code));
    }
}

#[tokio::test]
async fn the_broker_keeps_whether_the_module_is_there() {
    let broker = Broker::start(Door::Open).await;
    let mut client = broker.client().await;
    let module = module::start(&broker.uri(), json!({})).await;
    assert_eq!(client.message("riser/mod-test/status").await.0, "online");
    let mut later = broker.client().await;
    let kept = later.message("riser/mod-test/status").await;
    assert_eq!(kept, ("online".to_owned(), true));
    module.stop().await;
    drop(module);
    assert_eq!(client.message("riser/mod-test/status").await.0, "offline");
    let mut later = broker.client().await;
    let kept = later.message("riser/mod-test/status").await;
    assert_eq!(kept, ("offline".to_owned(), true));
}

#[tokio::test]
async fn the_availability_topic_is_the_one_of_the_settings_and_may_be_none() {
    let broker = Broker::start(Door::Open).await;
    let mut client = broker.client().await;
    let settings = json!({"availability_topic": "", "client_id": "silent"});
    let silent = module::start(&broker.uri(), settings).await;
    silent.wait_connected(true).await;
    let module = module::start(&broker.uri(), json!({"availability_topic": "house/riser"})).await;
    module.wait_connected(true).await;
    module.call("publish", ("last", 1)).await.unwrap();
    // All that was published before is in front of the last message.
    assert_eq!(client.message("house/riser").await.0, "online");
    assert_eq!(client.message("last").await.0, "1");
}

#[tokio::test]
async fn a_broker_that_has_forgotten_the_session_is_subscribed_to_again() {
    let (broker, _, module) = connected(json!({
        "statuses": {"door": "board/door", "window": "board/window"},
        "discovery": "homeassistant",
    }))
    .await;
    let mut client = broker.client().await;
    let description = r#"{"unique_id": "lamp", "state_topic": "lamp/state"}"#;
    client
        .publish("homeassistant/light/lamp/config", description)
        .await;
    client.publish("board/door", "open").await;
    module.wait_json("door", r#""open""#).await;
    let port = broker.port;
    broker.kill().await;
    module.wait_connected(false).await;
    assert_eq!(module.json("door").as_deref(), Some(r#""open""#));
    let error = module.call("publish", ("a", 1)).await.unwrap_err();
    assert!(
        error.message().starts_with("the device is not connected: "),
        "{error}"
    );
    let broker = Broker::start_at(port, Door::Open).await;
    module.wait_connected(true).await;
    let mut client = broker.client().await;
    client.publish("board/door", "closed").await;
    module.wait_json("door", r#""closed""#).await;
    client.publish("board/window", "open").await;
    module.wait_json("window", r#""open""#).await;
    client.publish("lamp/state", "ON").await;
    module.wait_json("lamp", r#""ON""#).await;
    let kept = client.message("riser/mod-test/status").await;
    assert_eq!(kept, ("online".to_owned(), true));
}

#[tokio::test]
async fn a_wrong_password_is_said_in_the_log_and_leaves_the_module_unconnected() {
    let broker = Broker::start(Door::Password).await;
    let (user, password) = USER;
    let wrong = json!({"username": user, "password": "battery staple"});
    let module = module::start(&broker.uri(), wrong).await;
    // Twice: it is tried again.
    let refused = "the broker refuses the user name or the password";
    module.wait_lines(refused, 2).await;
    assert_eq!(module.json("connected").as_deref(), Some("false"));
    let secret = |line: &String| line.contains("battery") || line.contains(password);
    assert!(!module.warnings().iter().any(secret));
    let anonymous = module::start(&broker.uri(), json!({})).await;
    anonymous.wait_line(refused).await;
    let right = json!({"username": user, "password": password, "client_id": "right"});
    let module = module::start(&broker.uri(), right).await;
    module.wait_connected(true).await;
}

#[tokio::test]
async fn a_publisher_that_floods_leaves_its_last_value_and_time_for_others() {
    let broker = Broker::start(Door::Open).await;
    let mut client = broker.client().await;
    let settings = json!({"statuses": {"level": "flood/level"}});
    let flooded = module::start(&broker.uri(), settings).await;
    flooded.wait_connected(true).await;
    let other = module::start(&broker.uri(), json!({"client_id": "other"})).await;
    other.wait_connected(true).await;
    const COUNT: u32 = 30_000;
    client
        .tell(json!({"flood": "flood/level", "count": COUNT}))
        .await;
    let calls = async {
        let mut during = 0;
        while flooded.json("level").as_deref() != Some("30000") {
            other
                .call("publish", ("other", during))
                .await
                .expect("the other module has its turn");
            during += 1;
        }
        during
    };
    let what = || format!("the last value, {:?} is there", flooded.json("level"));
    let during = within(DEADLINE, what, calls).await;
    assert!(
        during > 1,
        "{during} calls of the other module were answered meanwhile"
    );
    flooded.wait_connected(true).await;
}
