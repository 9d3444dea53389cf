//! The server goes away, refuses, says nothing, or talks nonsense.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use driver_sdk::Status;
use serde_json::{Value, json};
use test_support::{DEADLINE, free_port, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::harness::{Radicale, begin, call, event, meetings, settings, status};

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back_leaves_the_statuses_and_is_read_again() {
    let (mut server, mut client) = Radicale::start().await;
    client
        .save(&event(
            "m",
            "On",
            "DTSTART:20260112T080800Z\nDTEND:20260112T090000Z",
        ))
        .await;
    let module = server.module(0.2).await;
    server.process.kill().await;
    module.wait_connected(false).await;
    assert_eq!(status(&module, "current_booking")["title"], "On");
    for (function, arguments) in [
        ("book_now", json!([60])),
        ("checkin", json!([])),
        ("end_meeting", json!([0])),
        ("poll_events", json!([])),
    ] {
        let error = call(&module, function, arguments).await.unwrap_err();
        assert_eq!(error.code(), 503, "{function}: {error}");
        assert!(
            error.message().starts_with("the device is not connected"),
            "{error}"
        );
    }
    assert_eq!(status(&module, "status"), "pending");

    server.start_again().await;
    client
        .ask(json!({"do": "rename", "uid": "m", "summary": "Renamed"}))
        .await;
    module.wait_connected(true).await;
    assert!(meetings(&module).await[0].starts_with("Renamed"));
    call(&module, "checkin", json!([])).await.unwrap();
    module.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_said_without_showing_it_and_the_calendar_stays_unconnected() {
    let (server, _client) = Radicale::start().await;
    let mut wrong = settings(0.05);
    wrong["password"] = json!("not-the-password");
    let module = begin(&server.uri(), wrong).await.unwrap();
    let said = || {
        module.lines().iter().any(|line| {
            line.message
                .contains("the calendar server refuses the user name or the password")
        })
    };
    within(
        DEADLINE,
        || "the line about the password".to_owned(),
        async {
            while !said() {
                tokio::task::yield_now().await;
            }
        },
    )
    .await;
    module.wait_connected(false).await;
    let error = call(&module, "book_now", json!([60])).await.unwrap_err();
    assert_eq!(error.code(), 503);
    assert_eq!(status(&module, "status"), Value::Null, "nothing was read");
    assert!(!format!("{:?}", module.lines()).contains("not-the-password"));
    // It is tried again after 1, 2, 4 … seconds and not with every poll.
    let tries = server.process.said(test_support::Stream::Err);
    let tries = tries
        .iter()
        .filter(|line| line.contains("PROPFIND request for '/board/room/'"))
        .count();
    assert!(tries <= 4, "{tries}");
    module.stop().await;
}

/// A server that answers every request of a method with the same bytes.
struct Fake {
    uri: String,
    answers: Arc<Mutex<Answers>>,
    /// It ends with it.
    _serving: JoinSet<()>,
}

/// The answers, by the method that they are for; the empty one is for all others.
type Answers = HashMap<&'static str, Vec<u8>>;

impl Fake {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", free_port())).await.unwrap();
        let uri = format!("http://{}/room/", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(Answers::new()));
        let told = Arc::clone(&answers);
        let serve = async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.windows(4).any(|it| it == b"\r\n\r\n") {
                    if stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
                        continue;
                    }
                    break;
                }
                let method = String::from_utf8_lossy(&head);
                let method = method.split(' ').next().unwrap_or_default();
                let answer = {
                    let answers = told.lock().unwrap();
                    let answer = answers.get(method).or_else(|| answers.get(""));
                    answer.cloned().unwrap_or_default()
                };
                // A client that has gone needs none.
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
                while stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
                    head.clear();
                }
            }
        };
        let mut serving = JoinSet::new();
        serving.spawn(serve);
        Self {
            uri,
            answers,
            _serving: serving,
        }
    }

    /// Answers requests of a method so, or all others.
    fn answers(&self, method: &'static str, head: &str, body: &[u8]) {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let answer = [head.as_bytes(), body].concat();
        self.answers.lock().unwrap().insert(method, answer);
    }

    /// Closes each connection without an answer.
    fn hangs_up(&self) {
        self.answers.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn a_server_that_names_no_version_of_a_change_is_asked_for_it() {
    let fake = Fake::start().await;
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20260112T080800Z\nDTEND:20260112T100000Z\nEND:VEVENT\nEND:VCALENDAR\n";
    let report = format!(
        "<multistatus xmlns=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><response><href>/room/a.ics</href><propstat><prop><getetag>\"1\"</getetag><c:calendar-data>{text}</c:calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
    );
    fake.answers("", "207 Multi-Status", report.as_bytes());
    fake.answers("GET", "200 OK\r\nETag: \"1\"", text.as_bytes());
    fake.answers("PUT", "204 No Content", b"");
    let module = begin(&fake.uri, settings(3600.0)).await.unwrap();
    module.wait_connected(true).await;
    // The second one has a version to change again.
    for _ in 0..2 {
        call(&module, "checkin", json!([])).await.unwrap();
    }
    fake.answers("PUT", "412 Precondition Failed", b"");
    let end = json!([1_768_205_280]);
    let error = call(&module, "end_meeting", end).await.unwrap_err();
    assert_eq!(error.code(), 409);
    module.stop().await;
}

#[tokio::test]
async fn nonsense_of_a_server_changes_nothing_and_an_answer_with_a_wrong_byte_is_read() {
    let fake = Fake::start().await;
    // One entry, in an answer that fits every question.
    fake.answers(
        "",
        "207 Multi-Status",
        b"<?xml version=\"1.0\" encoding=\"utf-8\"?><multistatus xmlns=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><response><href>/room/a.ics</href><propstat><prop><getetag>\"1\"</getetag><c:calendar-data>BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nSUMMARY:Reuni\xf3n\nDTSTART:20260112T090000Z\nDTEND:20260112T100000Z\nEND:VEVENT\nEND:VCALENDAR\n</c:calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>",
    );
    let module = begin(&fake.uri, settings(0.05)).await.unwrap();
    module.wait_connected(true).await;
    assert_eq!(meetings(&module).await, ["Reunión 12 09:00 12 10:00"]);
    let long = vec![b'x'; 5 * 1024 * 1024];
    let deep = "<a>".repeat(100_000);
    for (head, body) in [
        ("200 OK", &b"<html>welcome</html>"[..]),
        ("207 Multi-Status", b"\x00\xff<"),
        ("207 Multi-Status", deep.as_bytes()),
        ("207 Multi-Status", &long),
        ("404 Not Found", b""),
        ("500 Internal Server Error", b""),
        ("301 Moved Permanently", b""),
    ] {
        fake.answers("", head, body);
        let error = call(&module, "poll_events", json!([])).await.unwrap_err();
        assert!(
            error.message().contains("the calendar server")
                || error.message().contains("answer of the device"),
            "{head}: {error}"
        );
        assert_eq!(status(&module, "bookings")[0]["title"], "Reunión", "{head}");
    }
    // It hangs up, as a machine does that goes down.
    fake.hangs_up();
    let connected = Status::<Value>::new("connected");
    module.wait(&connected, &json!(false)).await;
    assert_eq!(status(&module, "bookings")[0]["title"], "Reunión");
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_not_connected_and_no_meeting_is_made_up() {
    let listener = TcpListener::bind(("127.0.0.1", free_port())).await.unwrap();
    let uri = format!("http://{}/room/", listener.local_addr().unwrap());
    let module = begin(&uri, settings(1.0)).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(status(&module, "connected"), false);
    assert_eq!(status(&module, "status"), Value::Null);
    assert_eq!(status(&module, "bookings"), Value::Null);
    assert_eq!(status(&module, "room_name"), "Board Room");
    let error = call(&module, "checkin", json!([])).await.unwrap_err();
    assert_eq!(error.code(), 503);
    module.stop().await;
}
