//! PlaceOS's own client library, unmodified, as a page in a room runs it.

use std::time::Duration;

use serde_json::{Value, json};

use super::DEPLOYMENT;
use crate::harness::{Carrier, DEADLINE, Gateway, Key, Page, Place, display};

/// As many as a busy panel has.
const VARIABLES: usize = 30;

fn names() -> Vec<String> {
    (1..=VARIABLES).map(|number| format!("v{number}")).collect()
}

/// A command of the page for one place.
fn command(cmd: &str, place: Place<'_>) -> Value {
    let mut command = place.meta();
    command["cmd"] = json!(cmd);
    command
}

fn is_value(event: &Value, place: Place<'_>, value: &Value) -> bool {
    let mut expected = place.meta();
    expected["event"] = json!("value");
    expected["value"] = value.clone();
    *event == expected
}

/// Sets every variable to its own new value, `round` times hundred and its number, and waits until the page shows all of them.
async fn change_all(gateway: &Gateway, page: &mut Page, round: usize) {
    let mut console = gateway.connect(Key::USER).await;
    let value = |number: usize| json!(round * 100 + number);
    for (number, name) in names().iter().enumerate() {
        console.set(display(name), value(number)).await;
    }
    wait_for_all(page, &value).await;
}

/// Waits until the latest value that the page has shown of each variable is as it should be.
async fn wait_for_all(page: &mut Page, value: &dyn Fn(usize) -> Value) {
    let names = names();
    let shows = |page: &Page, number: usize, name: &str| {
        let mut shown = page.events().iter().rev().filter(|event| {
            event["event"] == "value" && event["mod"] == "Display" && event["name"] == name
        });
        shown
            .next()
            .is_some_and(|event| event["value"] == value(number))
    };
    for (number, name) in names.iter().enumerate() {
        if !shows(page, number, name) {
            let place = display(name);
            let what = format!("{name} = {}", value(number));
            page.wait(&what, |event| is_value(event, place, &value(number)))
                .await;
        }
    }
    for (number, name) in names.iter().enumerate() {
        assert!(shows(page, number, name), "{name} changed again");
    }
}

/// How often the page has sent a request with this command for a status, over all its sockets.
fn sent(page: &Page, cmd: &str, name: &str) -> usize {
    let is = |event: &&Value| {
        let frame = &event["frame"];
        event["event"] == "sent" && frame["cmd"] == cmd && frame["name"] == name
    };
    page.events().iter().filter(is).count()
}

async fn bind_all(page: &mut Page) {
    for name in &names() {
        page.tell(command("bind", display(name))).await;
    }
    // Each bind is answered; the first is sent twice, and has been when its second answer is here.
    for name in &names() {
        let meta = display(name).meta();
        let answered = |event: &Value| {
            event["event"] == "received"
                && event["frame"]["type"] == "success"
                && event["frame"]["meta"] == meta
        };
        if !page.events().iter().any(answered) {
            page.wait(&format!("the answer to the bind of {name}"), answered)
                .await;
        }
    }
    if sent(page, "bind", "v1") < 2 {
        let again = |event: &Value| event["event"] == "sent" && event["frame"]["name"] == "v1";
        page.wait("the second bind of v1", again).await;
    }
}

// §10 case 68
#[tokio::test]
async fn a_page_in_a_desktop_browser_binds_calls_and_follows_a_log() {
    live_through_a_day(Carrier::Cookie).await;
}

// §10 case 68
#[tokio::test]
async fn a_framed_page_or_a_tablet_binds_calls_and_follows_a_log() {
    live_through_a_day(Carrier::Query).await;
}

async fn live_through_a_day(carrier: Carrier) {
    let gateway = DEPLOYMENT.start().await;
    let mut page = Page::open(&gateway.url(), Key::SUPPORT, carrier).await;

    bind_all(&mut page).await;
    change_all(&gateway, &mut page, 1).await;
    change_all(&gateway, &mut page, 2).await;

    // The key travels as this kind of page sends it.
    let socket = page
        .events()
        .iter()
        .find(|event| event["event"] == "socket");
    let socket = socket.expect("it has opened a socket");
    let pair = format!("api-key={}", Key::SUPPORT);
    let in_cookie = socket["cookie"] == *pair;
    let in_query = socket["path"]
        .as_str()
        .is_some_and(|path| path.contains(&pair));
    assert_eq!(in_cookie, carrier == Carrier::Cookie, "{socket}");
    assert_eq!(in_query, carrier == Carrier::Query, "{socket}");
    // The bind that opens a page's socket is sent twice, which is one binding.
    for (number, name) in names().iter().enumerate() {
        let expected = if number == 0 { 2 } else { 1 };
        assert_eq!(sent(&page, "bind", name), expected, "binds of {name}");
    }

    exec(&mut page).await;
    debug(&gateway, &mut page).await;
    unbind(&gateway, &mut page).await;
    page.close().await;
}

async fn unbind(gateway: &Gateway, page: &mut Page) {
    page.tell(command("unbind", display("v1"))).await;
    let answered = |event: &Value| event["event"] == "received" && event["frame"] == unbound(event);
    page.wait("the answer to the unbind", answered).await;
    let mut console = gateway.connect(Key::USER).await;

    console.set(display("v1"), "unseen").await;
    console.set(display("v2"), "seen").await;

    page.wait("v2", |event| is_value(event, display("v2"), &json!("seen")))
        .await;
    let unseen = |event: &Value| event["frame"]["value"] == "unseen";
    assert!(!page.events().iter().any(unseen), "told after the unbind");
}

/// The answer to an unbind of `v1`, with whatever id the page gave it.
fn unbound(event: &Value) -> Value {
    display("v1").success(event["frame"]["id"].clone())
}

async fn exec(page: &mut Page) {
    let value = json!({"a": [1, null]});
    for (function, args) in [
        ("echo", json!([value])),
        ("nope", json!([])),
        ("fail", json!(["no lamp"])),
    ] {
        let mut exec = command("exec", display(function));
        exec["ref"] = json!(function);
        exec["args"] = args;
        page.tell(exec).await;
    }

    for (function, code) in [("nope", 1), ("fail", 3)] {
        let answer = page.answer(function).await;
        assert_eq!(answer["event"], "error", "{answer}");
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    let answer = page.answer("echo").await;
    assert_eq!(answer["event"], "result", "{answer}");
    assert_eq!(answer["value"], value);
}

/// Waits until a line of a log has come.
async fn first_line(page: &mut Page) {
    let is = |event: &Value| event["event"] == "debug";
    if !page.events().iter().any(is) {
        page.wait("a line of the log", is).await;
    }
}

async fn debug(gateway: &Gateway, page: &mut Page) {
    let mut console = gateway.connect(Key::USER).await;
    for cmd in ["debug", "ignore"] {
        let mut request = command(cmd, display(""));
        request["ref"] = json!(cmd);
        page.tell(request).await;
        let answer = page.answer(cmd).await;
        assert_eq!(answer["event"], "result", "{answer}");
        console.call(display("log"), json!(["warn", cmd])).await;
        if cmd == "debug" {
            // An ignore may overtake a line that is still on its way, which is then not shown.
            first_line(page).await;
        }
    }
    console.set(display("v3"), "after both").await;

    let after = |event: &Value| is_value(event, display("v3"), &json!("after both"));
    page.wait("v3", after).await;
    let lines: Vec<&Value> = page
        .events()
        .iter()
        .filter(|event| event["event"] == "debug")
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines[0];
    assert_eq!(
        (&line["mod_id"], &line["message"]),
        (&json!("mod-d1"), &json!("debug"))
    );
    assert_eq!(
        (&line["level"], &line["class_name"]),
        (&json!("warn"), &json!("virtual"))
    );
}

// §10 case 68
#[tokio::test]
async fn after_a_crash_of_the_gateway_a_page_shows_what_is_true_by_itself() {
    let mut gateway = DEPLOYMENT.start().await;
    let mut page = Page::open(&gateway.url(), Key::USER, Carrier::Cookie).await;
    bind_all(&mut page).await;
    change_all(&gateway, &mut page, 1).await;

    gateway.kill().await;
    page.wait("the end of the socket", |event| {
        event["event"] == "socket_close"
    })
    .await;
    gateway.restart().await;

    // Its modules begin with nothing, so new values are there before or after the page is.
    change_all(&gateway, &mut page, 2).await;
    change_all(&gateway, &mut page, 3).await;
    page.close().await;
}

// §10 case 67
#[tokio::test]
async fn after_a_graceful_restart_a_page_comes_back_by_a_socket_and_asks_nothing_else() {
    let mut gateway = DEPLOYMENT.start().await;
    let mut page = Page::open(&gateway.url(), Key::USER, Carrier::Cookie).await;
    bind_all(&mut page).await;
    change_all(&gateway, &mut page, 1).await;

    gateway.ask_to_stop().await;
    let close = page
        .wait("the close", |event| event["event"] == "socket_close")
        .await;
    let before = page.events().len();
    assert_eq!(gateway.ended(DEADLINE).await.code(), Some(0));
    gateway.restart().await;

    assert_eq!(
        (&close["code"], &close["clean"]),
        (&json!(1001), &json!(true)),
        "{close}"
    );
    let request = |event: &Value| event["event"] == "socket" || event["event"] == "http";
    page.wait_within("its next request", Duration::from_secs(10), request)
        .await;
    let next = page.events()[before..].iter().find(|event| request(event));
    assert_eq!(next.map(|event| &event["event"]), Some(&json!("socket")));
    change_all(&gateway, &mut page, 2).await;
    page.close().await;
}
