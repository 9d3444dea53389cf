//! What strangers can make the gateway hold, wait for and write: bodies, heads, connections, lines of its log.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::harness::{
    BUILDING, Certificate, DEADLINE, Gateway, Key, Plan, Request, Transport, within,
};

const WHOLE: &str = "/api/engine/v2/building";
const WHOLE_MAX_BYTES: usize = 16 * 1024 * 1024;
const EXEC: &str = "/api/engine/v2/systems/sys-1/Display/echo";
const FOREIGN_PAGE: &str = "Origin: https://evil.test\r\n";
const UPGRADE: &str = "Connection: upgrade\r\nUpgrade: websocket\r\n";

/// A connection of somebody who writes by hand.
struct Hand {
    stream: Transport,
    read: Vec<u8>,
}

impl Hand {
    async fn connect(gateway: &Gateway) -> Self {
        let stream = gateway.endpoint().connect(None).await;
        Self {
            stream: stream.expect("the gateway listens"),
            read: Vec::new(),
        }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = self.stream.write_all(bytes.as_ref()).await;
        sent.expect("the gateway reads");
    }

    /// The head of a request whose body is of this length and does not come.
    async fn announce(&mut self, line: &str, headers: &str, length: usize) {
        let head = format!("{line} HTTP/1.1\r\nHost: h\r\n{headers}");
        self.send(format!("{head}Content-Length: {length}\r\n\r\n"))
            .await;
    }

    /// Waits for an answer, and gives its status and its whole body.
    async fn answer(&mut self, what: &str) -> (u16, String) {
        let answer = async {
            loop {
                if let Some((answer, length)) = whole_answer(&self.read) {
                    self.read.drain(..length);
                    return answer;
                }
                let read = self.stream.read_buf(&mut self.read).await;
                assert!(read.expect("an answer comes") > 0, "no answer to {what}");
            }
        };
        within(DEADLINE, || format!("the answer to {what}"), answer).await
    }

    /// Waits until the gateway ends the connection.
    async fn until_ended(&mut self, what: &str) {
        let end = async {
            while self
                .stream
                .read_buf(&mut self.read)
                .await
                .is_ok_and(|n| n > 0)
            {}
        };
        within(DEADLINE, || format!("the end of {what}"), end).await;
    }
}

fn whole_answer(read: &[u8]) -> Option<((u16, String), usize)> {
    let end = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.split_once("content-length: ").map(|(_, rest)| rest);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    let whole = end + length.unwrap_or(0);
    let body = String::from_utf8_lossy(read.get(end..whole)?);
    Some(((status, body.into_owned()), whole))
}

fn key(key: Key) -> String {
    format!("X-API-Key: {}\r\n", key.0)
}

async fn check_answered_by_its_head(
    gateway: &Gateway,
    line: String,
    headers: String,
    length: usize,
    expect: u16,
) {
    let what = format!("{line} {headers:?} of {length} bytes");
    let mut hand = Hand::connect(gateway).await;
    hand.announce(&line, &headers, length).await;
    let (status, body) = hand.answer(&what).await;
    assert_eq!(status, expect, "{what}: {body}");
    hand.until_ended(&what).await;
}

async fn check_answered_by_their_heads(gateway: &Gateway) {
    let (user, admin) = (key(Key::USER), key(Key::ADMIN));
    let whole = format!("PUT {WHOLE}");
    let exec = format!("POST {EXEC}");
    let none = String::new;
    let mut checks = vec![
        (whole.clone(), none(), WHOLE_MAX_BYTES, 401),
        (whole.clone(), user.clone(), WHOLE_MAX_BYTES, 403),
        (whole.clone(), admin, WHOLE_MAX_BYTES + 1, 413),
        (whole, UPGRADE.to_owned(), WHOLE_MAX_BYTES, 401),
        (exec.clone(), none(), 100, 401),
        (exec.clone(), user.clone(), 2 * 1024 * 1024 + 1, 413),
        (exec, format!("{UPGRADE}{user}"), 1 << 40, 413),
        ("POST /api/engine/v2/zones".to_owned(), none(), 100, 401),
    ];
    for form in ["/auth/signin", "/auth/oauth/token", "/auth/token", "/login"] {
        // Two dialects have this one: whose a request is stands in its body, and of one of them any page may ask.
        let is_shared = form == "/auth/token";
        let form = format!("POST {form}");
        if !is_shared {
            checks.push((form.clone(), FOREIGN_PAGE.to_owned(), 100, 403));
        }
        checks.push((form, none(), 16 * 1024 + 1, 413));
    }
    let checks = checks.into_iter().map(|(line, headers, length, expect)| {
        check_answered_by_its_head(gateway, line, headers, length, expect)
    });
    join_all(checks).await;
}

#[tokio::test]
async fn a_body_that_nobody_may_send_is_refused_by_its_head_alone() {
    let gateway = Gateway::start(BUILDING).await;
    check_answered_by_their_heads(&gateway).await;
}

#[tokio::test]
async fn by_tls_a_body_that_nobody_may_send_is_refused_by_its_head_alone() {
    let gateway = Plan::serve(BUILDING).tls(&Certificate::new()).start().await;
    check_answered_by_their_heads(&gateway).await;
}

#[tokio::test]
async fn bodies_one_byte_short_of_whole_are_held_for_seconds_and_do_not_fill_the_memory() {
    let gateway = Gateway::start(BUILDING).await;
    let nearly = vec![b' '; WHOLE_MAX_BYTES - 1];
    let mut held = Vec::new();
    for _ in 0..32 {
        let mut hand = Hand::connect(&gateway).await;
        let whole = format!("PUT {WHOLE}");
        hand.announce(&whole, &key(Key::ADMIN), WHOLE_MAX_BYTES)
            .await;
        // One for whose body there is no room ends in the middle.
        let _ = hand.stream.write_all(&nearly).await;
        held.push((whole, hand));
    }
    for (line, headers, body) in [
        (
            "POST /auth/signin".to_owned(),
            String::new(),
            "email=a&passwor",
        ),
        (format!("POST {EXEC}"), key(Key::USER), "[tru"),
    ] {
        let mut hand = Hand::connect(&gateway).await;
        hand.announce(&line, &headers, body.len() + 1).await;
        hand.send(body).await;
        held.push((line, hand));
    }
    for (line, hand) in &mut held {
        hand.until_ended(line).await;
        let whole = line.starts_with("PUT");
        if let Some(((status, body), _)) = whole_answer(&hand.read) {
            assert!(
                status == 408 || whole && status == 503,
                "{line}: {status} {body}"
            );
        } else {
            // A reset may overtake the answer to who went on sending.
            assert!(whole, "{line} was not answered");
        }
    }
    let peak = gateway.memory_peak() / (1024 * 1024);
    // Half a gigabyte was sent.
    assert!(peak < 300, "{peak} MiB");
    let request = gateway.request("POST", EXEC).key(Key::USER);
    assert_eq!(request.json(json!(["still"])).ok().await, json!("still"));
}

#[tokio::test]
async fn a_head_that_trickles_ends_its_connection_also_behind_another_request() {
    let gateway = Gateway::start(BUILDING).await;
    let mut first = Hand::connect(&gateway).await;
    first.send("GET /healt").await;
    let mut later = Hand::connect(&gateway).await;
    later.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(later.answer("the first request").await.0, 200);
    later.send("GET /healt").await;
    let mut unwanted = Hand::connect(&gateway).await;
    let head = format!("PUT {WHOLE} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    unwanted.send(head).await;
    assert_eq!(unwanted.answer("the body that nobody wants").await.0, 401);
    unwanted.send("1\r\na\r\n").await;
    first.until_ended("a first head").await;
    later.until_ended("a later head").await;
    unwanted.until_ended("a body that nobody wants").await;
}

#[tokio::test]
async fn a_kept_connection_is_kept_for_as_long_as_the_setting_says() {
    let plan = Plan::serve(BUILDING).variable("RISER_HTTP__KEEP_ALIVE", "1s");
    let gateway = plan.start().await;
    let mut hand = Hand::connect(&gateway).await;
    for _ in 0..2 {
        hand.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").await;
        assert_eq!(hand.answer("a request").await, (200, "ok\n".to_owned()));
    }
    hand.until_ended("a connection that nobody uses").await;
}

#[tokio::test]
async fn strangers_make_room_for_each_other_and_nobody_who_is_known_does() {
    // Two workers take up newcomers each in an order of its own.
    let plan = Plan::serve(BUILDING).variable("RISER_WORKERS", "1");
    let plan = plan.variable("RISER_LIMITS__STRANGERS_MAX", "3");
    let gateway = plan.start().await;
    let mut client = gateway.connect(Key::USER).await;
    let user = format!(
        "GET /api/engine/v2/users/current HTTP/1.1\r\nHost: h\r\n{}\r\n",
        key(Key::USER)
    );
    let mut known = Hand::connect(&gateway).await;
    known.send(&user).await;
    assert_eq!(known.answer("a known caller").await.0, 200);
    let mut strangers = Vec::new();
    for _ in 0..8 {
        strangers.push(Hand::connect(&gateway).await);
    }
    for stranger in &mut strangers[..5] {
        stranger.until_ended("one that came early").await;
    }
    let last = strangers.last_mut().expect("there are some");
    last.send(&user).await;
    assert_eq!(last.answer("one that came late").await.0, 200);
    known.send(&user).await;
    assert_eq!(known.answer("a known caller again").await.0, 200);
    client.close().await;
}

#[tokio::test]
async fn a_flood_of_refused_requests_is_counted_and_not_written_line_by_line() {
    const REQUESTS: u64 = 500;
    let plan = Plan::serve(BUILDING).variable("RISER_LOG_FORMAT", "json");
    let mut gateway = plan.start().await;
    let mut hand = Hand::connect(&gateway).await;
    let request = format!(
        "GET /api/engine/v2/systems HTTP/1.1\r\nHost: h\r\n{}\r\n",
        key(Key::WRONG)
    );
    let began = Instant::now();
    for _ in 0..REQUESTS {
        hand.send(&request).await;
        assert_eq!(hand.answer("a request with a bad key").await.0, 401);
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).expect("it is not for ever");
    assert!(gateway.terminate().await.success());
    let log = gateway.log();
    let lines = log
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<Value> = lines
        .filter(|line| line["target"] == "audit" && line["level"] == "WARN")
        .filter(|line| line["address"] == "127.0.0.1")
        .collect();
    let counted: u64 = lines
        .iter()
        .map(|line| line["more"].as_u64().unwrap_or(1))
        .sum();
    assert_eq!(counted, REQUESTS, "{lines:#?}");
    // One of each kind a second, the first and the last second included.
    assert!(lines.len() <= 2 * (seconds + 2), "{} lines", lines.len());
}

#[tokio::test]
async fn who_shows_no_credentials_is_told_so() {
    let gateway = Gateway::start(BUILDING).await;
    let endpoint = gateway.endpoint().clone();
    let refused = Request::new(endpoint, "GET", "/api/engine/v2/systems")
        .send()
        .await;
    assert_eq!(refused.status, 401);
    let expect = json!({"error": "no credentials were shown; show an API key or a bearer token"});
    assert_eq!(refused.json(), expect);
    let nameless = gateway
        .request("POST", "/api/engine/v2/zones")
        .key(Key::ADMIN);
    let refused = nameless.json(json!({"name": ""})).send().await;
    assert_eq!(refused.status, 422);
    let error = refused.json()["error"].to_string();
    assert!(error.contains("validation failed: name "), "{error}");
}
