//! Messages outlive the gateway, however it ends.

use std::collections::BTreeSet;

use serde_json::Value;
use tokio::process::Command;

use super::door::{Made, PHONE, ask, fast_plan, messages, read};
use crate::harness::{Gateway, number_from};

/// How often the gateway is killed, unless the variable says otherwise.
const KILLS: u64 = 10;
const KILLS_VARIABLE: &str = "RISER_TEST_KILLS";

// Case 31
#[tokio::test]
async fn unread_messages_are_there_after_a_restart() {
    let mut gateway = fast_plan().arguments(["--data", "store"]).start().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    made.send(&gateway, "read before").await;
    assert_eq!(read(&gateway, PHONE).await, ["read before"]);
    made.send(&gateway, "unread").await;
    assert!(gateway.terminate().await.success());
    gateway.restart().await;
    made.send(&gateway, "after").await;
    assert_eq!(read(&gateway, PHONE).await, ["unread", "after"]);
    let again = ask(
        &gateway,
        "GET",
        &format!("/service?service={}", made.public),
    );
    assert_eq!(again.ok().await["service"]["name"], "Lobby");
}

/// Sends until the gateway is gone: what it acknowledged, and the last one, of which that is not known.
async fn send_until_gone(gateway: &Gateway, made: &Made, from: u32) -> (Vec<u32>, u32) {
    let mut acknowledged = Vec::new();
    let mut number = from;
    loop {
        let path = format!("/message?secret={}", made.secret);
        let text = number.to_string();
        let sent = ask(gateway, "POST", &path).form(&[("message", &text)]);
        if sent.try_send().await != Some(200) {
            return (acknowledged, number);
        }
        acknowledged.push(number);
        number += 1;
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_read_once_however_often_the_gateway_is_killed() {
    let mut gateway = fast_plan().arguments(["--data", "store"]).start().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    let mut next = 0;
    let mut unknown = BTreeSet::new();
    let mut got: Vec<u32> = Vec::new();
    let mut expected = BTreeSet::new();
    for kill in 0..number_from(KILLS_VARIABLE, KILLS) {
        for _ in 0..kill % 7 {
            made.send(&gateway, &next.to_string()).await;
            expected.insert(next);
            next += 1;
        }
        let process = gateway.process_id().expect("it runs");
        let sending = send_until_gone(&gateway, &made, next);
        let ((acknowledged, last), ()) = tokio::join!(sending, end(process));
        expected.extend(acknowledged);
        unknown.insert(last);
        next = last + 1;
        gateway.kill().await;
        gateway.restart().await;
        if kill % 2 == 1 {
            got.extend(numbers(&messages(&gateway, PHONE).await));
        }
    }
    got.extend(numbers(&messages(&gateway, PHONE).await));
    let once: BTreeSet<u32> = got.iter().copied().collect();
    assert_eq!(once.len(), got.len(), "read twice: {got:?}");
    assert!(got.is_sorted(), "{got:?}");
    let lost: Vec<_> = expected.difference(&once).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    let invented: Vec<u32> = once.difference(&expected).copied().collect();
    assert!(
        invented.iter().all(|number| unknown.contains(number)),
        "{invented:?}"
    );
}

/// Ends a process without a chance to say good-bye, while others wait for its answers.
async fn end(process: u32) {
    let status = Command::new("kill")
        .args(["-KILL", &process.to_string()])
        .status()
        .await;
    assert!(status.expect("kill is there").success());
}

fn numbers(messages: &[Value]) -> Vec<u32> {
    let number = |message: &Value| {
        message["message"]
            .as_str()
            .and_then(|text| text.parse().ok())
    };
    messages
        .iter()
        .map(|message| number(message).expect("a number"))
        .collect()
}
