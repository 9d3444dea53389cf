//! Requests of servers that are refused, and why.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::app::{OTHER, SIGNS, Signed, plan, plan_with, seconds, shared_building};
use super::backend::Backend;
use super::socket::{Socket, door};
use crate::harness::{DEADLINE, Gateway, Key, Plan, Response, within};
use crate::quotas::fill;

const BODY: &str = r#"{"name":"power","channels":["news"],"data":"1"}"#;

fn trigger() -> Signed {
    Signed::by(SIGNS, "POST", "/apps/4201/events", BODY)
}

// Row 11.
#[tokio::test]
async fn a_wrong_secret_is_told_what_should_have_been_signed() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    backend
        .client("wrong", json!({"secret": "not-the-secret"}), None)
        .await;

    let (kind, text) = backend
        .raised_as("wrong", "trigger", json!(["news", "power", 1]))
        .await;
    assert_eq!(kind, "PusherBadAuth", "{text}");
    assert!(text.contains("Invalid signature"), "{text}");
    assert!(text.contains("/apps/4201/events"), "{text}");
    assert!(text.contains(&format!("auth_key={}", SIGNS.key)), "{text}");
    for secret in [SIGNS.secret, OTHER.secret, "not-the-secret"] {
        assert!(!text.contains(secret), "{text}");
        assert!(!gateway.log().join("\n").contains(secret), "in the log");
    }
}

// Row 12.
#[tokio::test]
async fn a_clock_that_is_off_is_told_both_times() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let refused = |time: u64| {
        let mut request = trigger();
        request.set("auth_timestamp", &time.to_string());
        request.request(&gateway).send()
    };
    for time in [seconds() - 602, seconds() + 610] {
        let refused = refused(time).await;
        assert_eq!(refused.status, 401, "{}", refused.body);
        let times: Vec<&str> = refused
            .body
            .split(['(', ')'])
            .filter(|part| part.ends_with('Z'))
            .collect();
        assert!(
            matches!(times[..], [given, own] if given != own),
            "{}",
            refused.body
        );
    }
    for time in [seconds() - 590, seconds() + 590] {
        assert_eq!(refused(time).await.status, 200, "{time}");
    }

    backend.tell(json!({"cmd": "clock", "by": 700})).await;
    let (kind, text) = backend.raised("trigger", json!(["news", "power", 1])).await;
    assert_eq!(kind, "PusherBadAuth", "{text}");
    assert!(
        text.contains("Timestamp expired") && text.contains("600s"),
        "{text}"
    );
}

// Row 13.
#[tokio::test]
async fn a_body_that_is_not_the_one_that_was_signed_is_refused() {
    let gateway = plan().start().await;
    let mut changed = trigger();
    changed.body = BODY.replace("power", "tower");
    let mut unsigned = trigger();
    unsigned.leave_out("body_md5");
    let mut other = trigger();
    other.set("body_md5", "99914b932bd37a50b983c5e7c90ae93b");
    for (what, request) in [
        ("changed", changed),
        ("without a digest", unsigned),
        ("with another's", other),
    ] {
        let refused = request.request(&gateway).send().await;
        assert_eq!(refused.status, 401, "{what}: {}", refused.body);
    }
}

// Row 14.
#[tokio::test]
async fn an_apps_key_opens_no_other_app() {
    let gateway = plan().start().await;
    let request = Signed::by(OTHER, "POST", "/apps/4201/events", BODY);
    let refused = request.request(&gateway).send().await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    // Nor does its name with another's signature.
    let mut request = Signed::by(OTHER, "POST", "/apps/4201/events", BODY);
    request.set("auth_key", SIGNS.key);
    let refused = request.request(&gateway).send().await;
    assert_eq!(refused.status, 401, "{}", refused.body);
}

// Row 15.
#[tokio::test]
async fn an_unknown_key_is_named_as_such() {
    let gateway = plan().start().await;
    let mut request = trigger();
    request.set("auth_key", "a-key-of-nobody");
    let refused = request.request(&gateway).send().await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(
        refused.body.contains("Unknown auth_key"),
        "{}",
        refused.body
    );
}

// Row 18.
#[tokio::test]
async fn every_sign_that_a_question_can_have_is_verified_as_each_library_writes_it() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    backend.client("async", json!({}), Some("aiohttp")).await;
    let channel = "a-_=@,.;b";
    let mut socket = Socket::open(&gateway).await;
    socket.subscribe(channel).await;

    for client in ["", "async"] {
        for (prefix, found) in [("a-_=@,.;", true), ("a b", false), ("ä", false)] {
            let channels = if found {
                json!({channel: {}})
            } else {
                json!({})
            };
            let answer = backend
                .call_as(client, "channels_info", json!([prefix]))
                .await;
            assert_eq!(
                answer,
                json!({"channels": channels}),
                "{prefix:?} by {client:?}"
            );
        }
        let answer = backend
            .call_as(client, "channel_info", json!([channel]))
            .await;
        assert_eq!(answer, json!({"occupied": true}), "by {client:?}");
    }
}

#[tokio::test]
async fn a_request_that_lost_its_query_is_told_what_is_missing() {
    let gateway = plan().start().await;
    let bare = gateway
        .request("POST", "/apps/4201/events")
        .body(BODY)
        .send()
        .await;
    assert!(
        matches!(bare.status, 400 | 401),
        "{} {}",
        bare.status,
        bare.body
    );
    assert!(bare.body.contains("auth_"), "{}", bare.body);

    let target = format!("/apps/4201/events?auth_key={}", SIGNS.key);
    let unsigned = gateway.request("POST", &target).body(BODY).send().await;
    assert!(
        matches!(unsigned.status, 400 | 401),
        "{} {}",
        unsigned.status,
        unsigned.body
    );
    assert!(unsigned.body.contains("auth_"), "{}", unsigned.body);
}

/// Sends a request whose body comes in pieces, each in a packet of its own, and gives the answer.
async fn send_in_pieces(gateway: &Gateway, request: &Signed) -> Response {
    let exchange = async {
        let mut stream = gateway.endpoint().connect(None).await?;
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            request.target(),
            gateway.address(),
            request.body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        for piece in request.body.as_bytes().chunks(5_000) {
            stream.write_all(piece).await?;
            stream.flush().await?;
            tokio::task::yield_now().await;
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = within(
        DEADLINE,
        || "the answer to a long body".to_owned(),
        exchange,
    )
    .await;
    Response::read(&answer.expect("an answer")).expect("a whole answer")
}

/// A trigger whose body has this many bytes.
fn trigger_of(bytes: usize) -> Signed {
    let around = r#"{"name":"power","channels":["news"],"data":""}"#;
    let data = "x".repeat(bytes - around.len());
    let body = around.replace(r#""data":"""#, &format!(r#""data":"{data}""#));
    Signed::by(SIGNS, "POST", "/apps/4201/events", &body)
}

#[tokio::test]
async fn a_long_body_in_several_packets_is_too_large_and_not_badly_signed() {
    let gateway = plan().start().await;
    let refused = send_in_pieces(&gateway, &trigger_of(65_537)).await;
    assert_eq!(refused.status, 413, "{}", refused.body);
    assert!(refused.body.contains("10240"), "{}", refused.body);
}

#[tokio::test]
async fn a_long_body_in_several_packets_is_taken_where_the_app_allows_it() {
    let gateway = plan_with(&json!({"limits": {"event_bytes": "100KiB"}}))
        .start()
        .await;
    let taken = send_in_pieces(&gateway, &trigger_of(65_537)).await;
    assert_eq!((taken.status, taken.body.as_str()), (200, "{}"));
}

// A disk without room: the size of files is limited, so that a write fails as on a full disk.
#[tokio::test]
async fn an_app_that_is_deleted_on_a_full_disk_is_refused_by_every_door() {
    let plan = Plan::serve(&shared_building("user-ann"))
        .arguments(["--data", "data"])
        .file_size_limit(1_600_000);
    let mut gateway = plan.start().await;
    gateway.forget_building();
    let mut socket = Socket::open(&gateway).await;
    fill(&gateway).await;
    assert_eq!(at_each_door(&gateway).await, (200, 200, None));

    let path = format!("/api/engine/v2/apps/{}", SIGNS.id);
    let deleted = gateway.request("DELETE", &path).key(Key::ADMIN);
    let deleted = deleted.send().await;
    assert_eq!(deleted.status, 503, "{}", deleted.body);
    let closed = socket.client().read_until_closed().await;
    assert_eq!(closed.0, 4009, "{}", closed.1);
    assert_eq!(at_each_door(&gateway).await, (400, 403, Some(4001)));
}

/// What a server's signed request and a page's question for a signature are answered, and by which code a new connection is closed.
async fn at_each_door(gateway: &Gateway) -> (u16, u16, Option<u16>) {
    let signed = trigger().request(gateway).send().await;
    let form = [("socket_id", "1.1"), ("channel_name", "private-sys.sys-1")];
    let asked = gateway.request("POST", "/pusher/auth").bearer(Key::USER.0);
    let asked = asked.form(&form).send().await;
    let mut client = door(gateway, SIGNS, "protocol=7").connect().await;
    let first = client.next().await;
    let code = match first["event"].as_str() {
        Some("pusher:error") => Some(client.read_until_closed().await.0),
        _ => None,
    };
    (signed.status, asked.status, code)
}
