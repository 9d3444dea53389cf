//! Following the logs of modules that cores run. The core is a stub.

use serde_json::{Value, json};

use crate::harness::{Answer, Beside, DEADLINE, Key, Place, TestClient, display, within};

/// As consoles write it: by id, with an empty system and no index.
fn by_id(id: u64, cmd: &str, module: &str) -> Value {
    json!({"id": id, "cmd": cmd, "sys": "", "mod": module, "index": null, "name": cmd})
}

/// What a console's place comes back as.
fn console_place(module: &str) -> Place<'_> {
    display("debug").within("").of(module)
}

/// Expects a line of the first display's log.
async fn expect_line(client: &mut TestClient, place: Place<'_>, id: u64, level: &str, text: &str) {
    let mut frame = client.next().await;
    let klass = frame["klass"].take();
    assert!(klass.is_string(), "{frame}");
    let mut expected = place.line(id, "mod-d1", level, text);
    expected["klass"] = Value::Null;
    assert_eq!(frame, expected);
}

/// Expects that no line is on its way: a line of another module's log comes after it.
async fn expect_no_line(beside: &Beside, client: &mut TestClient) {
    beside.core.answers(Answer::Result(200, "\"silence\""));
    let marker = display("query").at(2);
    client.send(marker.exec("marker", json!([]))).await;
    client.expect(marker.result("marker", "silence")).await;
}

// §10 case 58
#[tokio::test]
async fn a_log_at_a_core_is_followed_by_the_modules_id() {
    let beside = Beside::start().await;
    let mut client = beside.gateway.connect(Key::SUPPORT).await;
    client.send(by_id(4, "debug", "mod-d1")).await;
    client
        .expect(console_place("mod-d1").debugging(4, "mod-d1"))
        .await;
    beside.core.until_debugged(&["mod-d1"]).await;

    for (severity, level) in
        (0..).zip(["trace", "debug", "info", "notice", "warn", "error", "fatal"])
    {
        beside.core.log(severity, level);
        expect_line(&mut client, console_place("mod-d1"), 4, level, level).await;
    }
    beside.core.log(4, "hot \"lamp\"\nsecond line \u{1f600}");
    let text = "hot \"lamp\"\nsecond line \u{1f600}";
    expect_line(&mut client, console_place("mod-d1"), 4, "warn", text).await;
}

// §10 case 59
#[tokio::test]
async fn a_log_at_a_core_is_followed_by_the_modules_place() {
    let beside = Beside::start().await;
    let mut client = beside.gateway.connect(Key::SUPPORT).await;
    client.send(display("").debug(4)).await;
    client.expect(display("").debugging(4, "mod-d1")).await;
    beside.core.until_debugged(&["mod-d1"]).await;

    beside.core.log(2, "here");
    expect_line(&mut client, display(""), 4, "info", "here").await;
}

// §10 cases 60 and 64
#[tokio::test]
async fn an_ignore_closes_the_stream_at_the_core() {
    let beside = Beside::start().await;
    let mut client = beside.gateway.connect(Key::SUPPORT).await;
    let by_id_of_system = json!({"id": 2, "cmd": "ignore", "sys": "sys-1", "mod": "mod-d1", "index": null, "name": "ignore"});
    let without_system = json!({"id": 2, "cmd": "ignore", "mod": "mod-d1"});
    for (debug, place, ignore) in [
        (
            by_id(1, "debug", "mod-d1"),
            console_place("mod-d1"),
            by_id_of_system,
        ),
        (display("").debug(1), display(""), without_system),
        (display("").debug(1), display(""), display("").ignore(2)),
    ] {
        client.send(debug).await;
        client.expect(place.debugging(1, "mod-d1")).await;
        beside.core.until_debugged(&["mod-d1"]).await;

        client.send(ignore).await;
        client.expect(Place::ignored(2)).await;
        beside.core.until_debugged(&[]).await;
    }
}

// §10 case 61
#[tokio::test]
async fn a_log_that_one_client_follows_twice_is_one_stream_at_the_core() {
    let beside = Beside::start().await;
    let mut client = beside.gateway.connect(Key::SUPPORT).await;
    for id in [1, 2] {
        client.send(display("").debug(id)).await;
        client.expect(display("").debugging(id, "mod-d1")).await;
    }
    beside.core.until_debugged(&["mod-d1"]).await;

    beside.core.log(2, "one");
    beside.core.log(2, "two");
    for text in ["one", "two"] {
        let line = client.next().await;
        assert_eq!(
            (&line["type"], &line["msg"]),
            (&json!("debug"), &json!(text))
        );
    }
    expect_no_line(&beside, &mut client).await;

    client.send(display("").ignore(3)).await;
    client.expect(Place::ignored(3)).await;
    beside.core.until_debugged(&[]).await;
}

// §10 case 62
#[tokio::test]
async fn clients_of_one_log_share_a_stream_that_stays_while_one_is_left() {
    let beside = Beside::start().await;
    let mut client = beside.gateway.connect(Key::SUPPORT).await;
    let mut other = beside.gateway.connect(Key::ADMIN).await;
    client.send(display("").debug(1)).await;
    client.expect(display("").debugging(1, "mod-d1")).await;
    other.send(by_id(7, "debug", "mod-d1")).await;
    other
        .expect(console_place("mod-d1").debugging(7, "mod-d1"))
        .await;
    beside.core.until_debugged(&["mod-d1"]).await;
    beside.core.log(2, "both");
    expect_line(&mut client, display(""), 1, "info", "both").await;
    expect_line(&mut other, console_place("mod-d1"), 7, "info", "both").await;

    client.send(display("").ignore(2)).await;
    client.expect(Place::ignored(2)).await;
    beside.core.log(2, "one");
    expect_line(&mut other, console_place("mod-d1"), 7, "info", "one").await;
    expect_no_line(&beside, &mut client).await;
    beside.core.until_debugged(&["mod-d1"]).await;

    other.close().await;
    beside.core.until_debugged(&[]).await;
}

// §10 case 63
#[tokio::test]
async fn a_stream_that_the_core_drops_is_opened_again() {
    let beside = Beside::start().await;
    let mut client = beside.gateway.connect(Key::SUPPORT).await;
    client.send(display("").debug(1)).await;
    client.expect(display("").debugging(1, "mod-d1")).await;
    beside.core.until_debugged(&["mod-d1"]).await;
    beside.core.log(2, "before");
    expect_line(&mut client, display(""), 1, "info", "before").await;

    beside.core.drop_debuggers();

    // Lines may be missing, and the client is told so in the log itself; the next ones come.
    let heard = async {
        loop {
            beside.core.log(2, "after");
            if client.next().await["msg"] == "after" {
                break;
            }
        }
    };
    beside.core.until_debugged(&["mod-d1"]).await;
    within(DEADLINE, || "a line after the drop".to_owned(), heard).await;
}

#[tokio::test]
async fn what_a_core_sends_that_is_no_line_ends_nothing() {
    let beside = Beside::start().await;
    let mut client = beside.gateway.connect(Key::SUPPORT).await;
    client.send(display("").debug(1)).await;
    client.expect(display("").debugging(1, "mod-d1")).await;
    beside.core.until_debugged(&["mod-d1"]).await;
    for odd in [
        "",
        "no JSON",
        "[]",
        "[9,\"unknown level\"]",
        "[1]",
        "{}",
        "[\"1\",2]",
    ] {
        beside.core.say(odd);
    }
    let heard = async {
        loop {
            beside.core.log(2, "good");
            if client.next().await["msg"] == "good" {
                break;
            }
        }
    };
    within(DEADLINE, || "a line after the odd ones".to_owned(), heard).await;
}
