//! The monitor: what runs, told to administrators.

use serde_json::{Value, json};

use super::door::{BUILDING, LOBBY, execute, output, respond, socket};
use crate::harness::{DEADLINE, Gateway, TestClient};

const PROCEDURE: &str = r#"
procedures:
  - {id: greet, parameters: [who], steps: [{call: sys-1/Display_1/set, args: [who, "{{ who }}"]}, {return: "hello {{ who }}"}]}
"#;

/// A monitor that hears of calls from here on.
async fn monitor(gateway: &Gateway) -> TestClient {
    let mut client = socket(gateway, "/ws/monitor").connect().await;
    let calls = async {
        loop {
            output(gateway, "lobby.lights.echo", json!([0])).await;
        }
    };
    tokio::select! {
        news = client.next() => assert_eq!(news["action"], "lobby.lights_1.echo"),
        () = calls => {}
    }
    client
}

/// What a call is told as when it begins and when it has ended.
async fn told(monitor: &mut TestClient, action: &str) -> (Value, Value) {
    let mut next = async || loop {
        let news = monitor.next().await;
        if news["action"] == action {
            return news;
        }
    };
    (next().await, next().await)
}

#[tokio::test]
async fn an_administrator_is_told_of_each_call_as_it_begins_and_as_it_ends() {
    let gateway = Gateway::start(BUILDING).await;
    let mut monitor = monitor(&gateway).await;
    output(&gateway, "board_room.display_1.set", json!(["volume", 40])).await;
    let (began, ended) = told(&mut monitor, "board_room.display_1.set").await;
    assert_eq!(began["args"], json!({"name": "volume", "value": 40}));
    assert_eq!(
        (&began["status"], &began["origin"], &began["completed_at"]),
        (&json!("running"), &json!("ops"), &Value::Null)
    );
    assert_eq!(
        (&ended["id"], &ended["status"], &ended["started_at"]),
        (&began["id"], &json!("completed"), &began["started_at"])
    );
    assert!(ended["completed_at"].is_f64() && ended["running_time"].is_f64());

    respond(&gateway, "board_room.display_1.fail", json!(["it burns"])).await;
    let (_, failed) = told(&mut monitor, "board_room.display_1.fail").await;
    assert_eq!(failed["status"], "failed");
    let why = failed["response"].as_str().expect("a text");
    assert!(why.contains("it burns"), "{why}");
}

#[tokio::test]
async fn a_procedure_is_told_of_and_so_is_what_it_calls() {
    let gateway = Gateway::start(&format!("{BUILDING}{PROCEDURE}")).await;
    let mut monitor = monitor(&gateway).await;
    output(
        &gateway,
        "procedure.greet",
        json!({"who": "Ann", "token": "t"}),
    )
    .await;
    let mut news = Vec::new();
    while news.len() < 4 {
        let next = monitor.next().await;
        if next["action"] != "lobby.lights_1.echo" {
            news.push(next);
        }
    }
    let said = news.iter().map(|it| (&it["action"], &it["status"]));
    let (procedure, set) = (json!("procedure.greet"), json!("board_room.display_1.set"));
    let (running, completed) = (json!("running"), json!("completed"));
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            (&procedure, &running),
            (&set, &running),
            (&set, &completed),
            (&procedure, &completed)
        ]
    );
    assert_eq!(news[0]["args"], json!({"who": "Ann"}));
    assert_eq!(news[3]["response"], "hello Ann");
}

#[tokio::test]
async fn others_are_told_nothing_and_that_they_are_not() {
    let gateway = Gateway::start(BUILDING).await;
    for key in ["user.secret-u", LOBBY] {
        let door = gateway.door().path("/ws/monitor").header("X-Token", key);
        let mut client = door.connect().await;
        let closed = client.expect_closed(DEADLINE).await;
        assert_eq!(closed, (1008, "forbidden".to_owned()), "{key}");
    }
    // The calls of others go on.
    let ask = json!({"type": "request", "action": "lobby.lights.echo", "args": [1]});
    execute(&gateway, ask).bearer(LOBBY).ok().await;
}
